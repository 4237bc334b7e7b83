/**
 * What is done before a call fails for want of memory, beyond what the core can do by itself.
 *
 * Does not own: which pages go, and how (mm/vmscan.ts).
 */
import { EAGAIN, ENOSPC } from "../base/errno.ts";
import type { FileHandle } from "../base/handles.ts";
import { TRY_AGAIN } from "../mm/address-space.ts";
import { swapIn } from "../mm/swap-in.ts";
import { freeSwapCache } from "../mm/swap-out.ts";
import { shrinkPages, writesUnderWay } from "../mm/vmscan.ts";
import { HANDOVER_SWAP_IN, KERNEL_BLOCK, KERNEL_VMSTAT, VM_ALLOC_FAILED } from "../wasm/layout.ts";
import { endTry } from "./kept-file.ts";
import type { Kernel } from "./kernel.ts";

/** Of calls that leave it where it is. */
const NO_POSITION = 0;
const FAILED = ((KERNEL_BLOCK + KERNEL_VMSTAT) >>> 3) + VM_ALLOC_FAILED;

/** Allocations of a memory that had failed when room was made last: what fails for another limit than memory's is not helped. */
const seen = new WeakMap<Kernel["core"], number>();

/** @returns as Kernel.room() */
export function makeRoom(kernel: Kernel, rc: number, file?: FileHandle): number {
  const made = roomOrPage(kernel, rc);
  return file !== undefined && made === -EAGAIN ? endTry(kernel, file, NO_POSITION, made) : made;
}

function roomOrPage(kernel: Kernel, rc: number): number {
  if (rc === -HANDOVER_SWAP_IN) return swapIn(kernel);
  if (kernel.core.f64[FAILED] === (seen.get(kernel.core) ?? 0)) {
    return rc === -ENOSPC && freeSwapCache(kernel.core) > 0 ? TRY_AGAIN : rc; // fallocate() counts free slots
  }
  const isMade = shrinkPages(kernel);
  seen.set(kernel.core, kernel.core.f64[FAILED]);
  if (isMade) return TRY_AGAIN;
  const writes = writesUnderWay(kernel);
  if (writes === undefined) return rc;
  kernel.setWaitToken(writes);
  return -EAGAIN;
}
