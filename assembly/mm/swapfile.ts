// Swap areas (Linux mm/swapfile.c): where pages are that have no frame. Each has slots of a page, and a map in memory of a
// byte a slot: how many hold it.
//
//   index of a file ─► swap entry: area, slot ─┐               1   the index of a file, or a page that PG_SWAPCACHE says
//   page ─► privateLow, the same (swap cache) ─┴─► map byte    +1  a read or write of the slot that is under way
//
// A page in the swap cache is in the index of its file as ever; its slot has the same bytes until it is dirty.
//
// Does not own: which slot a page gets, reading and writing (src/mm/swap*.ts).
import { HANDOVER_SWAP_IN, KERNEL_BLOCK, KERNEL_SWAP_AREAS, MAX_SWAPFILES, PAGE_SHIFT, RESULT_EXTRA, RESULT_LENGTH, SWAP_MAP_SLOTS, SWAP_SLOT_SHIFT, SWP_WRITEOK } from "../abi";
import { kernel, setResult } from "../kernel";
import { AddressSpace } from "./address-space";

/** A swap area that is on. */
// @ts-ignore: decorator
@unmanaged export class SwapArea {
  map: usize; // directory frame: addresses of the frames of its map; 0 = there is no such area
  nrSlots: u32;
  nrUsed: u32; // slots that somebody holds
  nrIo: u32; // holds of reads and writes under way
  flags: u32; // SWP_*
  priority: i32;
  next: u32; // slot that allocation goes on at
  spare: u32;
}

/** Area of a number. */
// @ts-ignore: decorator
@inline export function swapArea(number: u32): SwapArea {
  return changetype<SwapArea>(KERNEL_BLOCK + KERNEL_SWAP_AREAS + (<usize>number << 5));
}

/** Area of a swap entry. */
// @ts-ignore: decorator
@inline export function areaOf(entry: u32): SwapArea {
  return swapArea((entry >> 2) & (MAX_SWAPFILES - 1));
}

/** Address of the byte that says who holds the slot of a swap entry. */
export function swapCount(entry: u32): usize {
  const slot = entry >> SWAP_SLOT_SHIFT;
  return <usize>load<u32>(areaOf(entry).map + (<usize>(slot >> PAGE_SHIFT) << 2)) + (slot & (SWAP_MAP_SLOTS - 1));
}

/** Drops a hold of the slot of a swap entry; with the last one it is free. @see Linux swap_free() */
export function swapFree(entry: u32): void {
  const at = swapCount(entry);
  const count = <u8>(load<u8>(at) - 1);
  store<u8>(at, count);
  if (count) return;
  const area = areaOf(entry);
  area.nrUsed--;
  if (area.flags & SWP_WRITEOK) kernel().nrSwapPages++;
}

/** What a call answers that needs a page which is in a swap area: the address of its mapping is in RESULT_LENGTH, its index in RESULT_EXTRA. */
export function needsPage(mapping: AddressSpace, index: u32): i32 {
  setResult(RESULT_LENGTH, <f64>changetype<usize>(mapping));
  setResult(RESULT_EXTRA, <f64>index);
  return -HANDOVER_SWAP_IN;
}
