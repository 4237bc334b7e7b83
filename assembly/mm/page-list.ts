// Lists of frames, linked through lruNext/lruPrev of their descriptors. A list head is 16 bytes: head, tail, count, 0.
import { pageOf } from "./page";

/** Head of a list of frames. */
// @ts-ignore: decorator
@unmanaged export class PageList {
  head: u32; // pfn, 0 = empty
  tail: u32;
  count: u32;
  reserved: u32;
}

/** Puts a frame at the head of a list. Precondition: it is on none. */
export function listAddHead(list: PageList, pfn: u32): void {
  const page = pageOf(pfn);
  const head = list.head;
  page.lruNext = head;
  page.lruPrev = 0;
  if (head) pageOf(head).lruPrev = pfn;
  else list.tail = pfn;
  list.head = pfn;
  list.count++;
}

/** Puts a frame at the tail of a list. Precondition: it is on none. */
export function listAddTail(list: PageList, pfn: u32): void {
  const page = pageOf(pfn);
  const tail = list.tail;
  page.lruNext = 0;
  page.lruPrev = tail;
  if (tail) pageOf(tail).lruNext = pfn;
  else list.head = pfn;
  list.tail = pfn;
  list.count++;
}

/** Takes a frame off a list. Precondition: it is on this one. */
export function listRemove(list: PageList, pfn: u32): void {
  const page = pageOf(pfn);
  const next = page.lruNext;
  const prev = page.lruPrev;
  if (prev) pageOf(prev).lruNext = next;
  else list.head = next;
  if (next) pageOf(next).lruPrev = prev;
  else list.tail = prev;
  page.lruNext = 0;
  page.lruPrev = 0;
  list.count--;
}
