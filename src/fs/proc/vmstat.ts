/**
 * `vmstat`: counters of the page cache by Linux's names, then those that only foliofs has, as kernel.vmstat() gives them.
 *
 * @see Linux mm/vmstat.c vmstat_show(); proc_vmstat(5)
 */
import { mmCounts } from "../../mm/memory.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { vmstat as counters, type VmStat } from "../../vfs/vmstat.ts";
import type { ProcEntry } from "./entry.ts";
import { slabCaches } from "./slab-numbers.ts";

/** What Linux counts, in its order, where the kernel has no counter of the name. @see kernel.vmstat() for all others */
function linuxNumbers(kernel: Kernel, stat: VmStat): VmStat {
  const slabs = slabCaches(kernel);
  const reclaimable = slabs.reduce((sum, { nrSlabs, isReclaimable }) => sum + (isReclaimable ? nrSlabs : 0), 0);
  const mm = mmCounts(kernel.core);
  const { background, limit } = kernel.vm?.thresholds(kernel.core) ?? { background: 0, limit: 0 };
  return {
    nr_free_pages: stat.nr_free_pages + stat.nr_limit_pages - stat.nr_total_pages,
    nr_inactive_anon: stat.nr_inactive_anon,
    nr_active_anon: stat.nr_active_anon,
    nr_inactive_file: stat.nr_inactive_file,
    nr_active_file: stat.nr_active_file,
    nr_unevictable: stat.nr_unevictable,
    nr_slab_reclaimable: reclaimable,
    nr_slab_unreclaimable: slabs.reduce((sum, { nrSlabs }) => sum + nrSlabs, -reclaimable),
    nr_mlock: mm.nrMlock,
    nr_anon_pages: mm.nrAnon,
    nr_mapped: mm.nrMapped,
    nr_file_pages: stat.nr_file_pages,
    nr_dirty: stat.nr_dirty,
    nr_writeback: stat.nr_writeback,
    nr_shmem: stat.nr_inactive_anon + stat.nr_active_anon,
    nr_dirtied: stat.nr_dirtied,
    nr_written: stat.nr_written,
    nr_dirty_threshold: limit,
    nr_dirty_background_threshold: background,
    pgpgin: 0,
    pgpgout: 0,
    pswpin: stat.pswpin,
    pswpout: stat.pswpout,
  };
}

export const vmstat: ProcEntry = {
  name: "vmstat",
  mode: 0o444,
  show: (m, { kernel }) => {
    const { nr_free_pages, ...stat } = counters(kernel);
    const all = { ...linuxNumbers(kernel, { nr_free_pages, ...stat }), ...stat };
    for (const [name, n] of Object.entries(all)) m.puts(`${name} ${n}\n`);
  },
};
