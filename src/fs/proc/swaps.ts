/**
 * `swaps`: swap areas that are on. There are none yet: the header stands alone.
 *
 * @see Linux mm/swapfile.c swap_show(); proc_swaps(5)
 */
import type { ProcEntry } from "./entry.ts";

export const swaps: ProcEntry = {
  name: "swaps",
  mode: 0o444,
  show: (m) => m.puts("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
};
