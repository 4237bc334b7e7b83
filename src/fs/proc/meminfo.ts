/**
 * `meminfo`. The memory is as large as its limit; what it has not grown to yet is free.
 *
 * Lines of Linux that would mean nothing here are left out (docs/proc.md).
 *
 * @see Linux fs/proc/meminfo.c meminfo_proc_show(); proc_meminfo(5)
 */
import { mmCounts } from "../../mm/memory.ts";
import { nrSwapCached } from "../../mm/swap-out.ts";
import { swapIfAny } from "../../mm/swap-state.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { vmstat } from "../../vfs/vmstat.ts";
import { KERNEL_BLOCK, KERNEL_NR_POISONED, PAGE_SIZE } from "../../wasm/layout.ts";
import type { ProcEntry } from "./entry.ts";
import { slabCaches } from "./slab-numbers.ts";

const KIB_PER_PAGE = PAGE_SIZE / 1024;
const LABEL_WIDTH = 16;
const NUMBER_WIDTH = 8;

/** Lines in their order, in pages. */
function pagesOf(kernel: Kernel): Record<string, number> {
  const stat = vmstat(kernel);
  const slab = slabCaches(kernel).reduce((sum, { nrSlabs }) => sum + nrSlabs, 0);
  const reclaimable = slabCaches(kernel).reduce(
    (sum, { nrSlabs, isReclaimable }) => sum + (isReclaimable ? nrSlabs : 0),
    0,
  );
  const free = stat.nr_free_pages + stat.nr_limit_pages - stat.nr_total_pages;
  const mm = mmCounts(kernel.core);
  const areas = swapIfAny(kernel.core)?.areas ?? [];
  const anon = stat.nr_active_anon + stat.nr_inactive_anon;
  const file = stat.nr_active_file + stat.nr_inactive_file;
  return {
    MemTotal: stat.nr_limit_pages,
    MemFree: free,
    MemAvailable: free + file + reclaimable,
    Buffers: 0,
    Cached: stat.nr_file_pages,
    SwapCached: nrSwapCached(kernel.core),
    Active: stat.nr_active_anon + stat.nr_active_file,
    Inactive: stat.nr_inactive_anon + stat.nr_inactive_file,
    "Active(anon)": stat.nr_active_anon,
    "Inactive(anon)": stat.nr_inactive_anon,
    "Active(file)": stat.nr_active_file,
    "Inactive(file)": stat.nr_inactive_file,
    Unevictable: stat.nr_unevictable,
    Mlocked: mm.nrMlock,
    SwapTotal: areas.reduce((sum, { nrSlots }) => sum + nrSlots, 0),
    SwapFree: areas.reduce((sum, { nrSlots, nrUsed }) => sum + nrSlots - nrUsed, 0),
    Dirty: stat.nr_dirty,
    Writeback: stat.nr_writeback,
    AnonPages: mm.nrAnon,
    Mapped: mm.nrMapped,
    Shmem: anon,
    KReclaimable: reclaimable,
    Slab: slab,
    SReclaimable: reclaimable,
    SUnreclaim: slab - reclaimable,
    PageTables: mm.nrPageTables,
    HardwareCorrupted: kernel.core.u32[(KERNEL_BLOCK >>> 2) + KERNEL_NR_POISONED],
  };
}

export const meminfo: ProcEntry = {
  name: "meminfo",
  mode: 0o444,
  show: (m, { kernel }) => {
    for (const [name, pages] of Object.entries(pagesOf(kernel))) {
      const kib = String(pages * KIB_PER_PAGE).padStart(NUMBER_WIDTH);
      m.puts(`${`${name}:`.padEnd(LABEL_WIDTH)}${kib} kB\n`);
    }
  },
};
