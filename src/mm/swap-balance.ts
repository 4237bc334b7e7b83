/**
 * How many pages of memory go to swap areas for those of files that the core has dropped by itself (vm.swappiness).
 *
 * Clean pages of files are the first that go, whoever allocates (assembly/mm/vmscan.ts). Where some of them are missed, memory that
 * nobody has used for longer would be the better one to go: asked for when the store is, which is when they are missed. Each side has its
 * cost, and who costs more goes less:
 *
 *   files    pages that were read again soon after they had gone (refaults)
 *   memory   pages that came back from swap areas
 *
 * What is read once is missed by nobody, and drives no memory out.
 *
 * Does not own: which pages go (swap-out.ts), what is done when nothing else is left (vmscan.ts).
 *
 * @see Linux mm/vmscan.c get_scan_count(), prepare_scan_control() (cache_trim_mode); mm/swap.c lru_note_cost()
 */
import { type Core, SLOT } from "../wasm/core.ts";
import {
  KERNEL_BLOCK,
  KERNEL_VMSTAT,
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  SLOT_FLAGS,
  SLOT_MEMALLOC,
  VM_PGSTEAL,
  VM_PSWPIN,
  VM_WORKINGSET_REFAULT,
} from "../wasm/layout.ts";
import type { PageCache } from "./address-space.ts";
import { nrOnList } from "./lru-list.ts";
import { swapOutSome } from "./swap-out.ts";
import { type SwapCosts, swapIfAny } from "./swap-state.ts";

const EVENTS = (KERNEL_BLOCK + KERNEL_VMSTAT) >>> 3;
const ALL_LISTS = [LRU_ACTIVE_ANON, LRU_ACTIVE_FILE, LRU_INACTIVE_ANON, LRU_INACTIVE_FILE];
const DEFAULT_SWAPPINESS = 60;
/** Pages of files that have gone, before memory has its turn. */
const MIN_STOLEN = 64;
/** Pages of memory that go at a time. */
const MAX_WANTED = 1024;

/** What the kernel of a page cache has of settings. */
interface Settings {
  readonly vm?: { readonly swappiness: number };
}

/** Called before a store is asked for pages: has the oldest pages of memory go, as far as it is their turn. */
export function balanceAnon(cache: PageCache): void {
  const { core, owner } = cache;
  const state = swapIfAny(core);
  if (state === undefined || state.areas.length === 0) return;
  if (core.u32[SLOT + SLOT_FLAGS] & SLOT_MEMALLOC) return; // reclaim itself reads
  const wanted = wantedOf(core, state.costs, (owner as Settings).vm?.swappiness ?? DEFAULT_SWAPPINESS);
  if (wanted > 0) cache.nested(() => swapOutSome(core, wanted));
}

/** @param swappiness 0 to 200: the weight of memory, of both together 200 @returns pages */
function wantedOf(core: Core, costs: SwapCosts, swappiness: number): number {
  const stolen = core.f64[EVENTS + VM_PGSTEAL] - costs.stolen;
  if (stolen < MIN_STOLEN) return 0;
  const refaults = core.f64[EVENTS + VM_WORKINGSET_REFAULT] - costs.refaults;
  costs.file += refaults;
  costs.anon += core.f64[EVENTS + VM_PSWPIN] - costs.swappedIn;
  note(core, costs);
  if (refaults === 0) return 0;
  const files = (200 - swappiness) * (costs.anon + 1);
  const anon = swappiness * (costs.file + 1);
  return Math.min(MAX_WANTED, Math.floor((stolen * anon) / Math.max(1, files)));
}

/** The events so far are counted; what was long ago counts less. */
function note(core: Core, costs: SwapCosts): void {
  costs.stolen = core.f64[EVENTS + VM_PGSTEAL];
  costs.refaults = core.f64[EVENTS + VM_WORKINGSET_REFAULT];
  costs.swappedIn = core.f64[EVENTS + VM_PSWPIN];
  const nrPages = ALL_LISTS.reduce((sum, list) => sum + nrOnList(core, list), 0);
  while (costs.file + costs.anon > nrPages / 4 + 1) {
    costs.file /= 2;
    costs.anon /= 2;
  }
}
