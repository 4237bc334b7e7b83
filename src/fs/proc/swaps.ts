/**
 * `swaps`: swap areas that are on, sizes in KiB.
 *
 * @see Linux mm/swapfile.c swap_show(); proc_swaps(5)
 */
import type { SwapArea } from "../../mm/swap-area.ts";
import { swapIfAny } from "../../mm/swap-state.ts";
import { PAGE_SIZE } from "../../wasm/layout.ts";
import type { ProcEntry } from "./entry.ts";

const KIB_PER_PAGE = PAGE_SIZE / 1024;
const NAME_WIDTH = 40;
/** Types and numbers that are narrower than a tab have two behind them. */
const TYPE_WIDTH = 8;
const WIDE_KIB = 10_000_000;

function tabs(kib: number): string {
  return kib < WIDE_KIB ? "\t\t" : "\t";
}

/** Characters that would end a name, as octal numbers. */
function escaped(name: string): string {
  return name.replace(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

function lineOf({ name, device, nrSlots, nrUsed, priority }: SwapArea): string {
  const { type = "memory" } = device;
  const [size, used] = [nrSlots * KIB_PER_PAGE, nrUsed * KIB_PER_PAGE];
  const padded = `${escaped(name)} `.padEnd(NAME_WIDTH);
  return `${padded}${type}${type.length < TYPE_WIDTH ? "\t\t" : "\t"}${size}${tabs(size)}${used}${tabs(used)}${priority}\n`;
}

export const swaps: ProcEntry = {
  name: "swaps",
  mode: 0o444,
  show: (m, { kernel }) => {
    m.puts("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    const areas = [...(swapIfAny(kernel.core)?.areas ?? [])].sort((a, b) => a.number - b.number);
    for (const area of areas) m.puts(lineOf(area));
  },
};
