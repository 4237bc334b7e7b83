/**
 * Frames that were broken (mm/memory-failure.ts), in copies of a memory: those have frames of their own.
 */
import { fieldOf } from "../mm/page.ts";
import type { Core } from "../wasm/core.ts";
import { KERNEL_BLOCK, KERNEL_NR_POISONED, PAGE_FLAGS, PAGE_REFCOUNT, PG_HWPOISON } from "../wasm/layout.ts";
import { framesOf } from "./frames.ts";

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
