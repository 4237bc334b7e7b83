/**
 * A smaller memory: WebAssembly's own never shrinks, so the frames in use move to a new one, at the same addresses.
 *
 *   | records | pages |  pages  |   page   |        before: pages move down first (mm/compaction.ts), records lie low anyway
 *   | records | pages | pages | page |             after: as long as the last frame in use
 *
 * The core's object stays the same, so that whoever has it goes on; its views and exports are others. Handles are the same.
 * All that can fail is done before the first change.
 *
 * Does not own: where records lie (assembly/mm/record-frames.ts).
 */
import { EBUSY, ENOMEM, EOPNOTSUPP } from "../base/errno.ts";
import { MIGRATE_ASYNC } from "../mm/address-space.ts";
import { fieldOf, NO_PAGE, pagePins } from "../mm/page.ts";
import { nrSharers } from "../mm/shared-frames.ts";
import { type Core, RESULT } from "../wasm/core.ts";
import {
  KERNEL_BLOCK,
  KERNEL_SLOTS,
  NR_SLOTS,
  PAGE_FLAGS,
  PAGE_MAPPING,
  PAGE_SIZE,
  PG_BUDDY,
  PG_HWPOISON,
  PG_LOCKED,
  PG_PCP,
  PG_PRIVATE,
  PG_RESERVED,
  PG_SHARED,
  PG_WRITEBACK,
  RESULT_ADDRESS,
} from "../wasm/layout.ts";
import { compact } from "./compact.ts";
import { framesOf, usedExtents } from "./frames.ts";
import { heal } from "./heal.ts";
import type { Kernel } from "./kernel.ts";
import { kmemCaches } from "./kmem-cache.ts";
import { copyFrames } from "./snapshot.ts";

const NOT_IN_USE = PG_BUDDY | PG_HWPOISON | PG_PCP | PG_RESERVED;
const WASM_PAGE_BYTES = 65536;

/** @returns bytes given back; -EOPNOTSUPP, -EBUSY, -ENOMEM as FolioKernel.shrink() */
export function shrink(kernel: Kernel, module: WebAssembly.Module): number {
  const { core } = kernel;
  if (core.options.preallocate) return -EOPNOTSUPP;
  if (hasOtherSlots(core)) return -EBUSY;
  compact(kernel, MIGRATE_ASYNC); // and nothing is written for it: that would be under way
  if (hasPins(kernel)) return -EBUSY;
  const had = core.arrayBuffer.byteLength;
  const bytes = bytesInUse(core);
  if (bytes >= had) return 0;
  const before = { ...core } as Core; // the memory as it is, with its exports
  try {
    core.start(module, bytes);
  } catch {
    return -ENOMEM;
  }
  heal(before);
  before.x.trimMemory();
  copyFrames(before, core, usedExtents(before));
  core.f64[RESULT + RESULT_ADDRESS] = 0; // of the call before: it may lie behind the end now, and reads of nothing go there
  return had - core.arrayBuffer.byteLength;
}

/** Does another instance use this memory? */
function hasOtherSlots({ u32 }: Core): boolean {
  const first = (KERNEL_BLOCK + KERNEL_SLOTS) >>> 2;
  return u32.subarray(first + 1, first + NR_SLOTS).some((slot) => slot !== 0);
}

/** Has anybody a page in hand, whose address is that of a frame of this memory? */
function hasPins(kernel: Kernel): boolean {
  const { core } = kernel;
  const registered = new Set(kmemCaches(kernel).flatMap(({ slabs }) => [...slabs]));
  for (const pfn of framesOf(core)) {
    const flags = core.u32[fieldOf(pfn, PAGE_FLAGS)];
    if (flags & NO_PAGE || registered.has(pfn)) continue;
    const files = flags & PG_SHARED ? nrSharers(core, pfn) : 1;
    const known = flags & PG_PRIVATE ? 2 : files; // the cache's, and the file system's
    const isCached = core.u32[fieldOf(pfn, PAGE_MAPPING)] !== 0 || (flags & PG_SHARED) !== 0;
    if (!isCached || pagePins(core, pfn) > known || flags & (PG_LOCKED | PG_WRITEBACK)) return true;
  }
  return false;
}

/** Bytes up to the end of the last frame in use, in whole pages of WebAssembly. */
function bytesInUse(core: Core): number {
  let last = 0;
  for (const pfn of framesOf(core)) if (!(core.u32[fieldOf(pfn, PAGE_FLAGS)] & NOT_IN_USE)) last = pfn;
  return Math.ceil(((last + 1) * PAGE_SIZE) / WASM_PAGE_BYTES) * WASM_PAGE_BYTES;
}
