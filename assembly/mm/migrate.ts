// Moving a cached page to another frame (Linux mm/migrate.c).
//
// A page is known by its place in the index of its file alone; whoever knows its frame has a pin, or the page's lock. So one
// that has neither can move, and keeps its place on its list.
import { AS_FREE_PAGE, PAGE_SIZE, PG_LOCKED, PG_LRU, PG_PRIVATE, PG_WRITEBACK, VM_PGMIGRATE_SUCCESS } from "../abi";
import { AddressSpace, indexOf } from "./address-space";
import { countEvent } from "../kernel";
import { lruList, lruOf } from "./lru";
import { clearPage, Page, pageAddress, pageOf } from "./page";
import { pageEntry, xaStore } from "./xarray";

/** Can the page of a frame move by its bytes alone? Its file system need not be asked, and nobody has a hold on it. */
export function isMovable(page: Page): bool {
  if (page.refcount != 1 || !page.mapping || !(page.flags & PG_LRU) || page.flags & (PG_LOCKED | PG_PRIVATE | PG_WRITEBACK)) return false;
  return !(changetype<AddressSpace>(<usize>page.mapping).flags & AS_FREE_PAGE);
}

/**
 * Moves a page. Its old frame has no pin then, and belongs to the caller.
 *
 * @param to a frame of the caller's
 */
export function movePage(from: u32, to: u32): void {
  memory.copy(pageAddress(to), pageAddress(from), PAGE_SIZE);
  replacePage(from, to);
  clearPage(pageOf(from));
  countEvent(VM_PGMIGRATE_SUCCESS);
}

/** Puts a frame in the place of another: in the index, with its marks, and on the list. The descriptor's fields go along. */
export function replacePage(from: u32, to: u32): void {
  const source = pageOf(from);
  const target = pageOf(to);
  memory.copy(changetype<usize>(target), changetype<usize>(source), offsetof<Page>());
  xaStore(indexOf(changetype<AddressSpace>(<usize>source.mapping)), source.index, pageEntry(to)); // in its own place: no memory is needed
  if (!(source.flags & PG_LRU)) return;
  const list = lruList(lruOf(source.flags));
  if (source.lruPrev) pageOf(source.lruPrev).lruNext = to;
  else list.head = to;
  if (source.lruNext) pageOf(source.lruNext).lruPrev = to;
  else list.tail = to;
}
