// Page descriptors (Linux: struct page), one per frame, at the start of the frame's section, so that frame number and
// descriptor are one addition apart (sparsemem).
//
//   section (4 MiB)  | descriptors: 8 frames | 1016 frames of use |
//
// Use of the fields by kind of frame:
//   in the page cache   mapping = inode, index = page in the file, lruNext/lruPrev = LRU list
//   PG_SHARED           index = files that have it, each with a pin; mapping = 0; privateHigh = where it moves to (compaction)
//   PG_SLAB             mapping = kmem_cache, index = objects in use, privateLow = first free object, privateHigh =
//                       objects ever handed out, lruNext/lruPrev = list of partial slabs
//   PG_BUDDY            privateLow = order, privateHigh = 1 if fresh, lruNext/lruPrev = free list of that order
//   PG_PCP              lruNext = next free single frame
//   PG_BUFFER           privateLow = order of what kmalloc() gave, in its first frame
// A frame inside a free block, and one never used, has a descriptor of zeros: fresh memory needs no set-up.
import { PAGE_DESCRIPTOR_BYTES, PAGE_SHIFT, SECTION_FRAMES } from "../abi";

/** What is known of one frame. */
// @ts-ignore: decorator
@unmanaged export class Page {
  flags: u32; // PG_*
  mapping: u32; // address of the owner
  index: u32; // page index in the file
  refcount: u32; // pins
  lruNext: u32; // pfn, 0 = end
  lruPrev: u32; // pfn
  privateLow: u32;
  privateHigh: u32;
}

/** Descriptor of a frame. @param pfn below Kernel.endPfn */
// @ts-ignore: decorator
@inline export function pageOf(pfn: u32): Page {
  const section = <usize>(pfn & ~(SECTION_FRAMES - 1)) << PAGE_SHIFT;
  return changetype<Page>(section + <usize>(pfn & (SECTION_FRAMES - 1)) * PAGE_DESCRIPTOR_BYTES);
}

/** Address of the frame's 4096 bytes. */
// @ts-ignore: decorator
@inline export function pageAddress(pfn: u32): usize {
  return <usize>pfn << PAGE_SHIFT;
}

/** Frame that holds an address. */
// @ts-ignore: decorator
@inline export function pfnOf(address: usize): u32 {
  return <u32>(address >> PAGE_SHIFT);
}

/** Makes the descriptor all zeros. */
// @ts-ignore: decorator
@inline export function clearPage(page: Page): void {
  const at = changetype<usize>(page);
  store<u64>(at, 0);
  store<u64>(at, 0, 8);
  store<u64>(at, 0, 16);
  store<u64>(at, 0, 24);
}
