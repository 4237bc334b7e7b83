/** Swap entries that tests put into a page index by hand: the slots that they stand for are held, as verify() wants it. */
import { strict as assert } from "node:assert";
import type { InodeHandle } from "../../src/base/handles.ts";
import { freeMap } from "../../src/vfs/swapon.ts";
import {
  INODE_NR_PAGES,
  KERNEL_SWAP_AREAS,
  KERNEL_TOTAL_SWAP_PAGES,
  PAGE_SIZE,
  SUPER_BLOCK_USED_BLOCKS,
  SWAP_AREA_MAP,
  SWAP_AREA_NR_SLOTS,
  SWAP_AREA_NR_USED,
  SWAP_SLOT_SHIFT,
  XA_SWAP,
} from "../../src/wasm/layout.ts";
import { KERNEL, type World } from "./core.ts";

const AREA = KERNEL + (KERNEL_SWAP_AREAS >>> 2);

/** The swap entry of a slot of area 0, up to 4095. */
export function swapEntry(slot: number): number {
  return ((slot << SWAP_SLOT_SHIFT) | XA_SWAP) >>> 0;
}

/**
 * Says that these are the swap entries in the index of `inode`, and none elsewhere.
 *
 * @param nrBefore how many the call before said
 * @returns how many there are
 */
export function holdSlots(
  { core, sb }: World,
  inode: InodeHandle,
  entries: readonly number[],
  nrBefore: number,
): number {
  if (core.u32[AREA + SWAP_AREA_MAP] === 0) {
    const [directory, map] = [core.x.allocBuffer(0), core.x.allocBuffer(0)];
    core.u8.fill(0, map * PAGE_SIZE, (map + 1) * PAGE_SIZE);
    core.u32[directory * (PAGE_SIZE / 4)] = map * PAGE_SIZE;
    core.u32[AREA + SWAP_AREA_MAP] = directory * PAGE_SIZE;
    core.u32[AREA + SWAP_AREA_NR_SLOTS] = core.u32[KERNEL + KERNEL_TOTAL_SWAP_PAGES] = PAGE_SIZE;
  }
  const map = core.u32[core.u32[AREA + SWAP_AREA_MAP] >>> 2];
  core.u8.fill(0, map, map + PAGE_SIZE);
  for (const entry of entries) {
    assert.equal(entry & ((1 << SWAP_SLOT_SHIFT) - 1), XA_SWAP);
    core.u8[map + (entry >>> SWAP_SLOT_SHIFT)] = 1;
  }
  core.u32[AREA + SWAP_AREA_NR_USED] = entries.length;
  core.u32[(inode << 3) + INODE_NR_PAGES] += entries.length - nrBefore;
  core.u32[(sb << 3) + SUPER_BLOCK_USED_BLOCKS] += entries.length - nrBefore;
  if (entries.length === 0) freeMap(core, 0);
  return entries.length;
}
