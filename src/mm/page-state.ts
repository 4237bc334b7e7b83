/**
 * Address spaces and the marks of their pages, as writeback looks at them.
 *
 * Does not own: the records (assembly/mm/address-space.ts), pages (page.ts).
 */
import type { InodeHandle } from "../base/handles.ts";
import { type Core, SLOT } from "../wasm/core.ts";
import { INODE_MAPPING, SLOT_XA_INDEX } from "../wasm/layout.ts";

/** Index of the last page that a file may have. */
export const LAST_INDEX = 2 ** 32 - 1;

/** Index in `u32` of the address space that an inode's pages are in; ADDRESS_SPACE_* are added to it. */
export function mappingOf({ u32 }: Core, inode: InodeHandle): number {
  return u32[(inode << 3) + INODE_MAPPING] >>> 2;
}

/** The first page from `start` to `last` with a mark. @returns its index, -1 = there is none */
export function nextMarked({ x, u32 }: Core, inode: InodeHandle, start: number, last: number, mark: number): number {
  return start <= last && x.indexFind(inode, start, last, mark) !== 0 ? u32[SLOT + SLOT_XA_INDEX] : -1;
}

/** Number of pages with a mark. */
export function nrMarked(core: Core, inode: InodeHandle, mark: number): number {
  let nr = 0;
  for (let at = nextMarked(core, inode, 0, LAST_INDEX, mark); at >= 0; nr++)
    at = nextMarked(core, inode, at + 1, LAST_INDEX, mark);
  return nr;
}
