// verify(): swap areas: each slot that is held is held once by an index or a page, and else by reads and writes under way.
import { MAX_SWAPFILES, PG_BUFFER, SWAP_SLOT_SHIFT, SWP_WRITEOK, XA_SWAP } from "../abi";
import { kernel } from "../kernel";
import { pageOf, pfnOf } from "../mm/page";
import { areaOf, swapArea, SwapArea, swapCount } from "../mm/swapfile";
import { isSwap } from "../mm/xarray";

/** In a byte of a map, while memory is checked: an index or a page holds the slot. */
const SEEN: u8 = 0x80;

/** Checks the areas by themselves; then verifySwapEntry() for each entry, and endVerifySwap(). */
export function startVerifySwap(): void {
  let nrSlots: u32 = 0;
  let nrFree: u32 = 0;
  for (let i: u32 = 0; i < MAX_SWAPFILES; i++) {
    const area = swapArea(i);
    if (!area.map) {
      assert(!area.nrSlots && !area.nrUsed && !area.nrIo && !area.flags, "swap: an area that is off, but not empty");
      continue;
    }
    nrSlots += area.nrSlots;
    if (area.flags & SWP_WRITEOK) nrFree += area.nrSlots - area.nrUsed;
    assert(pageOf(pfnOf(area.map)).flags == PG_BUFFER, "swap: a map that nobody has taken a frame for");
  }
  assert(nrSlots == kernel().totalSwapPages, "swap: totalSwapPages is not the number of slots");
  assert(nrFree == kernel().nrSwapPages, "swap: nrSwapPages is not the number of free slots");
}

/** Checks an entry of an index, or of a page in the swap cache. */
export function verifySwapEntry(entry: u32): void {
  assert(isSwap(entry), "swap: a page in the swap cache without a slot");
  const area = areaOf(entry);
  assert(area.map != 0 && entry >> SWAP_SLOT_SHIFT < area.nrSlots, "swap: an entry of no area, or beyond its end");
  const at = swapCount(entry);
  assert(load<u8>(at) != 0, "swap: an entry whose slot is free");
  assert((load<u8>(at) & SEEN) == 0, "swap: two hold one slot");
  store<u8>(at, load<u8>(at) | SEEN);
}

/** Counts who holds what, and takes the marks away. */
export function endVerifySwap(): void {
  for (let i: u32 = 0; i < MAX_SWAPFILES; i++) if (swapArea(i).map) verifyMap(i, swapArea(i));
}

function verifyMap(number: u32, area: SwapArea): void {
  let nrUsed: u32 = 0;
  let nrIo: u32 = 0;
  for (let slot: u32 = 0; slot < area.nrSlots; slot++) {
    const at = swapCount(slot << SWAP_SLOT_SHIFT | number << 2 | XA_SWAP);
    const count = load<u8>(at);
    if (!count) continue;
    nrUsed++;
    nrIo += count & SEEN ? (count & ~SEEN) - 1 : count;
    store<u8>(at, count & ~SEEN);
  }
  assert(nrUsed == area.nrUsed, "swap: nrUsed is not the number of slots that are held");
  assert(nrIo == area.nrIo, "swap: a slot that nobody holds is not free");
}
