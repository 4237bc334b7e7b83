/**
 * Mappings, and pins and locks of pages that views and calls under way have, in copies of a memory: nobody goes on with these calls there. Part of what
 * file systems with a store bring with them, since calls in memory are over when a copy is made.
 */
import { dropPin, pagePins } from "../mm/gup.ts";
import { dropArea } from "../mm/memory.ts";
import { fieldOf } from "../mm/page.ts";
import { vmAreas } from "../mm/vm-area.ts";
import type { Core } from "../wasm/core.ts";
import {
  PAGE_FLAGS,
  PAGE_MAPPING,
  PAGE_PRIVATE_LOW,
  PAGE_REFCOUNT,
  PG_BUDDY,
  PG_BUFFER,
  PG_LOCKED,
  PG_PCP,
  PG_PRIVATE,
  PG_RESERVED,
  PG_SLAB,
  PG_TABLE,
  PG_WRITEBACK,
} from "../wasm/layout.ts";
import { endPfn } from "./frames.ts";
import { heal } from "./heal.ts";
import { settleSwap } from "./swap-snapshot.ts";

const NO_PAGE = PG_BUDDY | PG_BUFFER | PG_PCP | PG_RESERVED | PG_SLAB | PG_TABLE;

/** Drops them; what was under writeback is dirty again, pages that have left the cache are free, and so are slots of swap areas. */
export function dropPagePins(core: Core): void {
  const { u32, x } = core;
  heal(core);
  for (const area of vmAreas(core)) dropArea(area);
  for (const pin of pagePins(core)) dropPin(core, pin);
  for (let pfn = 0; pfn < endPfn(core); pfn++) {
    const flags = u32[fieldOf(pfn, PAGE_FLAGS)];
    if (flags & PG_BUDDY) pfn += (1 << u32[fieldOf(pfn, PAGE_PRIVATE_LOW)]) - 1;
    if (flags & NO_PAGE) continue;
    if (u32[fieldOf(pfn, PAGE_MAPPING)] === 0) {
      u32[fieldOf(pfn, PAGE_FLAGS)] = 0;
      u32[fieldOf(pfn, PAGE_REFCOUNT)] = 1;
      x.putPage(pfn);
      continue;
    }
    if (flags & PG_WRITEBACK) {
      x.setPageDirty(pfn);
      x.endPageWriteback(pfn);
    }
    if (flags & PG_LOCKED) x.unlockPage(pfn);
    u32[fieldOf(pfn, PAGE_REFCOUNT)] = flags & PG_PRIVATE ? 2 : 1; // the cache's own, and the file system's
  }
  settleSwap(core);
}
