/** The table that the main job ends with. */
import Table from "cli-table3";
import type { HostTree } from "./host-tree.ts";
import type { Result } from "./run-target.ts";
import type { Skip } from "./target.ts";

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

function showNs(ns: bigint): string {
  if (ns >= 1_000_000n) return `${ns / 1_000_000n} ms`;
  return ns >= 1000n ? `${ns / 1000n} µs` : `${ns} ns`;
}

/** How many times as long, or as much, the other took as the first. */
function ratio(first: number | undefined, other: number | undefined): string {
  if (first === undefined || other === undefined || first === 0) return "";
  return ` (${(other / first).toFixed(1)}x)`;
}

type Row = readonly [label: string, value: (result: Result) => number | undefined, show: (value: number) => string];

const MEASURED: readonly Row[] = [
  ["load", (r) => r.loadSeconds, showSeconds],
  ["load again", (r) => r.loadAgainSeconds, showSeconds],
  ["walk + stat", (r) => r.walkSeconds, showSeconds],
  ["read all", (r) => r.readSeconds, showSeconds],
  ["snapshot", (r) => r.snapshotSeconds, showSeconds],
  ["restore", (r) => r.restoreSeconds, showSeconds],
  ["snapshot size", (r) => r.snapshotBytes, showBytes],
  ["memory used", (r) => r.memoryBytes, showBytes],
];

function measuredRow([label, value, show]: Row, results: readonly Result[]): string[] {
  const cells = results.map((result, i) => {
    const own = value(result);
    if (own === undefined) return "-";
    return `${show(own)}${i === 0 ? "" : ratio(value(results[0]), own)}`;
  });
  return [label, ...cells];
}

/** Renders what was loaded, what it took and, for each page cache, its counters. */
export function renderReport(tree: HostTree, results: readonly Result[], skips: readonly Skip[]): string {
  const count = (wanted: (entry: HostTree["entries"][number]) => boolean) => tree.entries.filter(wanted).length;
  const head = ["", ...results.map(({ name }) => name)];
  const table = new Table({ head, chars: NO_ROW_LINES, style: { head: [], border: [] } });
  const same = (label: string, text: string) => table.push([label, ...results.map(() => text)]);
  same("files", `${count(({ kind, linkOf }) => kind === "file" && linkOf === undefined)}`);
  same("bytes", `${tree.bytes} (${showBytes(tree.bytes)})`);
  same("folders", `${count(({ kind }) => kind === "directory")}`);
  same("symbolic links", `${count(({ kind }) => kind === "symlink")}`);
  same("further hard links", `${count(({ linkOf }) => linkOf !== undefined)}`);
  for (const row of MEASURED) table.push(measuredRow(row, results));
  table.push(["times equal to within", ...results.map(({ timeResolutionNs }) => showNs(timeResolutionNs))]);
  table.push(["mismatches", ...results.map(({ mismatches }) => `${mismatches.length}`)]);
  for (const counter of new Set(results.flatMap(({ counters }) => [...(counters?.keys() ?? [])]))) {
    table.push([counter, ...results.map(({ counters }) => `${counters?.get(counter) ?? "-"}`)]);
  }
  const notes = [
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
