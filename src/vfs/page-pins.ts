/**
 * Mappings, and pins and locks of pages that views and calls under way have, in copies of a memory: nobody goes on with these calls there. Part of what
 * file systems with a store bring with them, since calls in memory are over when a copy is made.
 */
import { dropPin, pagePins } from "../mm/gup.ts";
import { dropArea } from "../mm/memory.ts";
import { fieldOf, NO_PAGE } from "../mm/page.ts";
import { nrSharers } from "../mm/shared-frames.ts";
import { vmAreas } from "../mm/vm-area.ts";
import type { Core } from "../wasm/core.ts";
import {
  PAGE_FLAGS,
  PAGE_MAPPING,
  PAGE_REFCOUNT,
  PG_LOCKED,
  PG_PRIVATE,
  PG_SHARED,
  PG_WRITEBACK,
} from "../wasm/layout.ts";
import { framesOf } from "./frames.ts";
import { heal } from "./heal.ts";
import { settleSwap } from "./swap-snapshot.ts";

/** Drops them; what was under writeback is dirty again, pages that have left the cache are free, and so are slots of swap areas. */
export function dropPagePins(core: Core): void {
  const { u32, x } = core;
  heal(core);
  for (const area of vmAreas(core)) dropArea(area);
  for (const pin of pagePins(core)) dropPin(core, pin);
  for (const pfn of framesOf(core)) {
    const flags = u32[fieldOf(pfn, PAGE_FLAGS)];
    if (flags & NO_PAGE) continue;
    if (flags & PG_SHARED) {
      u32[fieldOf(pfn, PAGE_REFCOUNT)] = nrSharers(core, pfn);
      continue;
    }
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
