/** The table that the main job ends with. */
import Table from "cli-table3";
import type { HostTree } from "./host-tree.ts";
import {
  type Facts,
  FRESH_STAGES,
  HOSTFS_STAGES,
  LAYERS_STAGES,
  type StageName,
  SWAP_STAGES,
  WARM_STAGES,
} from "./run-target.ts";
import { median, type Sample } from "./sample.ts";
import type { Skip } from "./target.ts";

/** What one target took, stage by stage, each round once. */
export interface Result extends Facts {
  readonly name: string;
  readonly samples: ReadonlyMap<StageName, readonly Sample[]>;
}

/** Takes the lines between rows out of cli-table3's frame. */
const NO_ROW_LINES = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };
const MIB = 2 ** 20;
const MISMATCHES_SHOWN = 20;

function showSeconds(value: number | undefined): string {
  return value === undefined ? "-" : `${value.toFixed(3)} s`;
}

/** Bytes in MiB; small amounts in KiB. */
export function showBytes(bytes: number): string {
  return bytes < MIB ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / MIB).toFixed(1)} MiB`;
}

function showFault(seconds: number): string {
  return `${(seconds * 1e6).toFixed(1)} µs`;
}

function showNs(ns: bigint): string {
  if (ns >= 1_000_000n) return `${ns / 1_000_000n} ms`;
  return ns >= 1000n ? `${ns / 1000n} µs` : `${ns} ns`;
}

/** How many times as long, or as much, the other took as the first. */
function ratio(first: number | undefined, other: number | undefined): string {
  if (first === undefined || other === undefined || first === 0) return "";
  return ` (${(other / first).toFixed(1)}x)`;
}

type Value = (result: Result) => number | undefined;
/** `first`: what the first target has instead, to be compared with. */
type Row = readonly [label: string, value: Value, show: (value: number) => string, first?: Value];

function medianOf({ samples }: Result, stage: StageName, field: keyof Sample): number | undefined {
  return median((samples.get(stage) ?? []).map((one) => one[field]));
}

function timeRow(stage: StageName): Row {
  return [stage, (result) => medianOf(result, stage, "seconds"), showSeconds];
}

/** The faults of the stage above it. */
function faultRow(stage: StageName): Row {
  return ["  page faults", (result) => medianOf(result, stage, "pageFaults"), String];
}

const FRESH: readonly Row[] = FRESH_STAGES.flatMap((stage) => [timeRow(stage), faultRow(stage)]);
const WARM: readonly Row[] = WARM_STAGES.map(timeRow);
const HOSTFS: readonly Row[] = HOSTFS_STAGES.map(timeRow);
const SWAP: readonly Row[] = (Object.keys(SWAP_STAGES) as (keyof typeof SWAP_STAGES)[]).map((stage) => {
  const [label, value, show] = timeRow(SWAP_STAGES[stage]);
  return [label, value, show, timeRow(stage)[1]];
});
const LAYERS: readonly Row[] = Object.entries(LAYERS_STAGES).map(([stage, name]) => {
  const [label, value, show] = timeRow(name);
  return stage === "walk + stat" || stage === "read all"
    ? [label, value, show, timeRow(stage)[1]]
    : [label, value, show];
});
const SIZES: readonly Row[] = [
  ["snapshot size", (r) => r.snapshotBytes, showBytes],
  ["memory used", (r) => r.memoryBytes, showBytes],
];

function measuredRow([label, value, show, first = value]: Row, results: readonly Result[]): string[] {
  const cells = results.map((result, i) => {
    const own = value(result);
    if (own === undefined) return "-";
    return `${show(own)}${i === 0 || show === String ? "" : ratio(first(results[0]), own)}`;
  });
  return [label, ...cells];
}

/** Has any target gone through one of these? */
function isRun(results: readonly Result[], stages: readonly StageName[]): boolean {
  return results.some(({ samples }) => stages.some((stage) => samples.has(stage)));
}

/** Says what the rows on fresh memory have in them that no file system can help. */
function explainFaults(results: readonly Result[], faultSeconds: number): string[] {
  const loaded = results.find(({ samples }) => samples.has("load"));
  if (loaded === undefined) return [];
  const { name } = loaded;
  const faults = medianOf(loaded, "load", "pageFaults") ?? 0;
  const share = `${showSeconds(faults * faultSeconds)} of the first load of ${name}`;
  return [
    `Fresh memory: a process pays a page fault for each page it has not had before, ${showFault(faultSeconds)} each on this`,
    `machine: ${share}. A tmpfs gets its pages in the kernel, without.`,
  ];
}

/**
 * Renders what was loaded, what it took and, for each page cache, its counters.
 *
 * @param faultSeconds what one page fault takes
 */
export function renderReport(
  tree: HostTree,
  results: readonly Result[],
  skips: readonly Skip[],
  faultSeconds: number,
): string {
  const count = (wanted: (entry: HostTree["entries"][number]) => boolean) => tree.entries.filter(wanted).length;
  const nrRounds = Math.max(0, ...results.flatMap(({ samples }) => [...samples.values()].map(({ length }) => length)));
  const head = [nrRounds > 1 ? `medians of ${nrRounds}` : "", ...results.map(({ name }) => name)];
  const table = new Table({ head, chars: NO_ROW_LINES, style: { head: [], border: [] } });
  const same = (label: string, text: string) => table.push([label, ...results.map(() => text)]);
  same("files", `${count(({ kind, linkOf }) => kind === "file" && linkOf === undefined)}`);
  same("bytes", `${tree.bytes} (${showBytes(tree.bytes)})`);
  same("folders", `${count(({ kind }) => kind === "directory")}`);
  same("symbolic links", `${count(({ kind }) => kind === "symlink")}`);
  same("further hard links", `${count(({ linkOf }) => linkOf !== undefined)}`);
  const section = (title: string, rows: readonly Row[]) => {
    table.push([title, ...results.map(() => "")]);
    for (const row of rows) table.push(measuredRow(row, results));
  };
  if (isRun(results, FRESH_STAGES)) section("-- fresh memory", FRESH);
  if (isRun(results, WARM_STAGES)) section("-- memory in use", WARM);
  if (isRun(results, HOSTFS_STAGES)) section("-- the folder itself, mounted", HOSTFS);
  if (isRun(results, Object.values(SWAP_STAGES))) section("-- within 64 MiB, by a tmpfs with swap", SWAP);
  if (isRun(results, Object.values(LAYERS_STAGES))) section("-- fifty layers over the tree", LAYERS);
  section("--", SIZES);
  table.push(["times equal to within", ...results.map(({ timeResolutionNs }) => showNs(timeResolutionNs))]);
  table.push(["mismatches", ...results.map(({ mismatches }) => `${mismatches.length}`)]);
  for (const counter of new Set(results.flatMap(({ counters }) => [...(counters?.keys() ?? [])]))) {
    table.push([counter, ...results.map(({ counters }) => `${counters?.get(counter) ?? "-"}`)]);
  }
  const notes = [
    ...explainFaults(results, faultSeconds),
    ...skips.map(({ name, reason }) => `${name} left out: ${reason}.`),
    ...tree.leftOut.map((sentence) => `Not loaded: ${sentence}.`),
  ];
  return [table.toString(), ...notes].join("\n");
}

/** Renders the mismatches, the first of each target. */
export function renderMismatches(results: readonly Result[]): string {
  const lines: string[] = [];
  for (const { name, mismatches } of results) {
    for (const { path, what } of mismatches.slice(0, MISMATCHES_SHOWN)) lines.push(`${name}: ${path}: ${what}`);
    const rest = mismatches.length - MISMATCHES_SHOWN;
    if (rest > 0) lines.push(`${name}: and ${rest} more`);
  }
  return lines.join("\n");
}
