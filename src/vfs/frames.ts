/**
 * Which frames of a memory are in use: what a snapshot stores and a fork copies.
 *
 * Does not own: the form they are stored in (snapshot.ts), the descriptors themselves (assembly/mm/page.ts).
 */
import type { Core } from "../wasm/core.ts";
import {
  BOOT_SLOT,
  KERNEL_BLOCK,
  KERNEL_END_PFN,
  OWNER_SLOT_BYTES,
  PAGE_BYTES,
  PAGE_FLAGS,
  PAGE_MAPPING,
  PAGE_PRIVATE_LOW,
  PAGE_SIZE,
  PG_BUDDY,
  PG_PCP,
  PG_SHARED,
  PG_SLAB,
  SECTION_FRAMES,
} from "../wasm/layout.ts";

/** Frames that follow each other and are of one kind. */
export interface Extent {
  pfn: number;
  nr: number;
  /** Pages of files; everything else is the kernel's own and mostly zeros. */
  isData: boolean;
}

/** Index in `u32` of a frame's descriptor. */
export function descriptor(pfn: number): number {
  const section = pfn & ~(SECTION_FRAMES - 1);
  return section * 1024 + (pfn - section) * (PAGE_BYTES >>> 2);
}

/** Number of frames that are online; all others are as in fresh memory. */
export function endPfn(core: Core): number {
  return core.u32[(KERNEL_BLOCK >>> 2) + KERNEL_END_PFN];
}

/** All frames but those within free blocks. */
export function* framesOf(core: Core): Generator<number> {
  const { u32 } = core;
  for (let pfn = 0; pfn < endPfn(core); pfn++) {
    yield pfn;
    const at = descriptor(pfn);
    if (u32[at + PAGE_FLAGS] & PG_BUDDY) pfn += (1 << u32[at + PAGE_PRIVATE_LOW]) - 1;
  }
}

const SLOT_PFN = BOOT_SLOT / PAGE_SIZE;
const SLOT_END_PFN = SLOT_PFN + OWNER_SLOT_BYTES / PAGE_SIZE;

/** The used frames of a memory but the instance's own slot, ascending; neighbours of one kind as one. */
export function usedExtents(core: Core): Extent[] {
  const { u32 } = core;
  const end = endPfn(core);
  const extents: Extent[] = [];
  let last: Extent | undefined;
  for (let pfn = 0; pfn < end; pfn++) {
    const at = descriptor(pfn);
    const flags = u32[at + PAGE_FLAGS];
    if (flags & PG_BUDDY) pfn += (1 << u32[at + PAGE_PRIVATE_LOW]) - 1;
    if (flags & (PG_BUDDY | PG_PCP) || (pfn >= SLOT_PFN && pfn < SLOT_END_PFN)) continue;
    const isData = !(flags & PG_SLAB) && (u32[at + PAGE_MAPPING] !== 0 || (flags & PG_SHARED) !== 0);
    if (last && last.pfn + last.nr === pfn && last.isData === isData) last.nr++;
    else {
      last = { pfn, nr: 1, isData };
      extents.push(last);
    }
  }
  return extents;
}
