/**
 * What `foliofs top` shows: a line for each kernel.
 *
 * Does not own: where the figures come from (top-hook.ts), how they are put on a screen (screen.ts).
 */
import type { KernelSample, TopSample } from "./top-sample.ts";

const PAGE_BYTES = 4096;
const UNITS = ["K", "M", "G", "T"];
const GAP = " ";

type Stat = KernelSample["stat"];
/** How many of some counters a second. */
type Rate = (names: readonly string[]) => string;
type Cell = (now: KernelSample, rate: Rate) => string;

/** Bytes in three or four characters: 0K, 12K, 1.5M. */
export function shownBytes(bytes: number): string {
  let [amount, unit] = [bytes / 1024, 0];
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${amount < 9.95 && unit > 0 ? amount.toFixed(1) : Math.round(amount)}${UNITS[unit]}`;
}

function pages(...names: string[]): Cell {
  return ({ stat }) => shownBytes(sum(stat, names) * PAGE_BYTES);
}

function sum(stat: Stat, names: readonly string[]): number {
  return names.reduce((total, name) => total + (stat[name] ?? 0), 0);
}

/** Columns: a heading, and what it shows of a kernel. Headings are short, for terminals are narrow (docs/proc.md). */
const COLUMNS: readonly (readonly [heading: string, cell: Cell])[] = [
  ["K", ({ id }) => String(id)],
  ["S", ({ isEnded }) => (isEnded ? "X" : "R")],
  ["LIMIT", pages("nr_limit_pages")],
  ["USED", pages("nr_used_pages")],
  ["A-ANON", pages("nr_active_anon")],
  ["I-ANON", pages("nr_inactive_anon")],
  ["A-FILE", pages("nr_active_file")],
  ["I-FILE", pages("nr_inactive_file")],
  ["UNEV", pages("nr_unevictable")],
  ["FAULT", ({ stat }) => String(sum(stat, FAULTS))],
  ["/s", (_now, rate) => rate(FAULTS)],
  ["DIRTY", pages("nr_dirty")],
  ["WB", pages("nr_writeback")],
  ["WRITE", pages("nr_written")],
  ["/s", (_now, rate) => rate(["nr_written"])],
  ["SWIN", pages("pswpin")],
  ["SWOUT", pages("pswpout")],
  ["FILES", ({ stat }) => String(stat.nr_files ?? 0)],
];

/** Pages that had to be fetched: for readers, for maps. */
const FAULTS = ["pgcache_miss", "pgmajfault"];

/** How many a second, since the sample before; nothing where there is none. */
function rateOf(now: KernelSample, before: KernelSample | undefined, seconds: number): Rate {
  return (names) => {
    if (before === undefined || !(seconds > 0)) return "-";
    return String(Math.round(Math.max(0, sum(now.stat, names) - sum(before.stat, names)) / seconds));
  };
}

/**
 * The table, without an end of line behind the last line.
 *
 * @param before the sample that was shown last, for what is counted by the second
 */
export function renderTop(title: string, now: TopSample | undefined, before?: TopSample): string {
  const kernels = now?.kernels ?? [];
  const live = kernels.filter(({ isEnded }) => !isEnded).length;
  const head = `foliofs top - ${title}, ${((now?.ms ?? 0) / 1000).toFixed(1)} s, kernels: ${live} live, ${kernels.length} in all`;
  if (kernels.length === 0) return head;
  const seconds = ((now?.ms ?? 0) - (before?.ms ?? 0)) / 1000;
  const rows = kernels.map((kernel) => {
    const rate = rateOf(
      kernel,
      before?.kernels.find(({ id }) => id === kernel.id),
      seconds,
    );
    return COLUMNS.map(([, cell]) => cell(kernel, rate));
  });
  return [head, ...aligned([COLUMNS.map(([heading]) => heading), ...rows])].join("\n");
}

/** Cells at the right of their columns. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) => row.map((cell, i) => cell.padStart(widths[i])).join(GAP));
}
