/** A run as JSON: everything measured, turn by turn (null: sat out), for later comparison. */
import { cpus } from "node:os";
import type { Absent, Present } from "./contenders/contender.ts";
import { type Column, meanRatio, type RowResult, warmRows } from "./results.ts";
import { meanFindings, rowFindings } from "./verdict.ts";

export interface Run {
  readonly rows: readonly RowResult[];
  readonly columns: readonly Column[];
  readonly present: readonly Present[];
  readonly absent: readonly Absent[];
  readonly rounds: number;
  readonly isQuick: boolean;
}

/** @returns text with one row a line, so that two runs can be compared by diff */
export function renderJson(run: Run): string {
  const { rows, columns, present, absent, rounds, isQuick } = run;
  const head = {
    date: new Date().toISOString(),
    node: process.versions.node,
    v8: process.versions.v8,
    cpu: cpus()[0]?.model.trim(),
    rounds,
    isQuick,
    contenders: Object.fromEntries(present.map(({ name, origin }) => [name, origin])),
    absent: Object.fromEntries(absent.map(({ name, reason }) => [name, reason])),
    geometricMeans: meansOf(rows, columns),
    missed: [...rows.flatMap(rowFindings), ...meanFindings(rows)].filter(({ verdict }) => verdict === "missed"),
  };
  const lines = rows.map((row) => `    ${JSON.stringify(plain(row, columns))}`);
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "rows": [\n${lines.join(",\n")}\n  ]\n}\n`;
}

function meansOf(rows: readonly RowResult[], [base, ...others]: readonly Column[]): Record<string, number | undefined> {
  return Object.fromEntries(others.map((other) => [other, round(meanRatio(warmRows(rows), other, base))]));
}

function plain(row: RowResult, [base, ...others]: readonly Column[]): Record<string, unknown> {
  const { id, title, section, memory, ns, problems } = row;
  return {
    id,
    title,
    section,
    memory,
    ns: Object.fromEntries([...ns].map(([column, turns]) => [column, turns.map(round)])),
    ratios: Object.fromEntries(others.map((other) => [other, round(row.ratio(other, base))])),
    problems: problems.size === 0 ? undefined : Object.fromEntries(problems),
  };
}

function round(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value.toPrecision(4));
}
