/**
 * `buddyinfo`: free blocks by order, of which there are fewer than on Linux. Single frames that wait to be used next count
 * among those of order 0: together all are the kernel's free pages.
 *
 * @see Linux mm/vmstat.c frag_show(); proc_buddyinfo(5)
 */
import type { Kernel } from "../../vfs/kernel.ts";
import { KERNEL_BLOCK, KERNEL_FREE_AREAS, KERNEL_PCP_COUNT, MAX_ORDER } from "../../wasm/layout.ts";
import type { ProcEntry } from "./entry.ts";

/** A head of a list: head, tail, count, 0. */
const LIST_HEAD_BYTES = 16;
const LIST_COUNT = 2;

function nrFreeBlocks({ core }: Kernel, order: number): number {
  const area = (KERNEL_BLOCK + KERNEL_FREE_AREAS + order * LIST_HEAD_BYTES) >>> 2;
  const single = order === 0 ? core.u32[(KERNEL_BLOCK >>> 2) + KERNEL_PCP_COUNT] : 0;
  return core.u32[area + LIST_COUNT] + single;
}

export const buddyinfo: ProcEntry = {
  name: "buddyinfo",
  mode: 0o444,
  show: (m, { kernel }) => {
    m.puts(`Node 0, zone ${"Normal".padStart(8)} `);
    for (let order = 0; order <= MAX_ORDER; order++) m.puts(`${String(nrFreeBlocks(kernel, order)).padStart(6)} `);
    m.puts("\n");
  },
};
