/**
 * Frames that were broken (mm/memory-failure.ts), in copies of a memory: those have frames of their own.
 */
import { fieldOf } from "../mm/page.ts";
import type { Core } from "../wasm/core.ts";
import {
  KERNEL_BLOCK,
  KERNEL_NR_POISONED,
  PAGE_FLAGS,
  PAGE_PRIVATE_LOW,
  PAGE_REFCOUNT,
  PG_BUDDY,
  PG_HWPOISON,
} from "../wasm/layout.ts";
import { endPfn } from "./frames.ts";

/** All frames but those within free blocks. */
export function* framesOf(core: Core): Generator<number> {
  const { u32 } = core;
  for (let pfn = 0; pfn < endPfn(core); pfn++) {
    yield pfn;
    if (u32[fieldOf(pfn, PAGE_FLAGS)] & PG_BUDDY) pfn += (1 << u32[fieldOf(pfn, PAGE_PRIVATE_LOW)]) - 1;
  }
}

/** Frames that were broken are as good as others: the new memory has frames of its own. */
export function heal(core: Core): void {
  const { u32, x } = core;
  if (u32[(KERNEL_BLOCK >>> 2) + KERNEL_NR_POISONED] === 0) return;
  for (const pfn of framesOf(core)) {
    if (!(u32[fieldOf(pfn, PAGE_FLAGS)] & PG_HWPOISON)) continue;
    u32[fieldOf(pfn, PAGE_FLAGS)] = 0;
    u32[fieldOf(pfn, PAGE_REFCOUNT)] = 1;
    x.putPage(pfn);
  }
  u32[(KERNEL_BLOCK >>> 2) + KERNEL_NR_POISONED] = 0;
}
