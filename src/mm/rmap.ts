/**
 * The way back from a page of a file to the mappings that write to it: all mappings are looked at, of which there are few.
 *
 * @see Linux mm/rmap.c folio_mkclean()
 */
import type { InodeHandle } from "../base/handles.ts";
import { type Core, SLOT } from "../wasm/core.ts";
import { PAGE_INDEX, PTE_ANON, PTE_WRITE, SLOT_MMAPS } from "../wasm/layout.ts";
import { fieldOf } from "./page.ts";
import { areasOf, pteFrame } from "./vm-area.ts";

/** A page is about to be written back: who writes to it from now on has to ask again. */
export function pageMkclean(core: Core, inode: InodeHandle, pfn: number): void {
  if (core.u32[SLOT + SLOT_MMAPS] === 0) return;
  const index = core.u32[fieldOf(pfn, PAGE_INDEX)];
  for (const area of areasOf(core, inode)) {
    const i = index - area.pgoff;
    if (i < 0 || i >= area.nrPages) continue;
    const entry = area.pte(i);
    if (pteFrame(entry) === pfn && !(entry & PTE_ANON)) area.setPte(i, (entry & ~PTE_WRITE) >>> 0);
  }
}
