/**
 * `slabinfo`, version 2.1: for root, since Linux shows it to nobody else.
 *
 * @see Linux mm/slab_common.c print_slabinfo_header(), cache_show(); slabinfo(5)
 */
import type { ProcEntry } from "./entry.ts";
import { type SlabNumbers, slabCaches } from "./slab-numbers.ts";

const HEADER =
  "slabinfo - version: 2.1\n" +
  "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>" +
  " : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n";

const PAGES_PER_SLAB = 1;

function line({ name, nrObjects, nrSlabs, perSlab, size }: SlabNumbers): string {
  const counts = [nrObjects, nrSlabs * perSlab, size].map((n) => String(n).padStart(6));
  const perPage = [perSlab, PAGES_PER_SLAB].map((n) => String(n).padStart(4));
  const slabs = [nrSlabs, nrSlabs, 0].map((n) => String(n).padStart(6));
  const columns = [name.padEnd(17), ...counts, ...perPage].join(" ");
  return `${columns} : tunables    0    0    0 : slabdata ${slabs.join(" ")}\n`;
}

export const slabinfo: ProcEntry = {
  name: "slabinfo",
  mode: 0o400,
  show: (m, { kernel }) => {
    m.puts(HEADER);
    for (const cache of slabCaches(kernel)) m.puts(line(cache));
  },
};
