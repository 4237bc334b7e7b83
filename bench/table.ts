/** Prints a run as a table: time of every column, and how many times the base is faster. */
import { formatNs, formatRatio } from "./format.ts";
import { type Column, meanRatio, type RowResult, warmRows } from "./results.ts";
import { type Finding, meanFindings, overall, rowFindings, type Verdict } from "./verdict.ts";

const TITLE_WIDTH = 42;
const TIME_WIDTH = 10;
const RATIO_WIDTH = 8;
const MARKS: Readonly<Record<Verdict, string>> = { wanted: "++", holds: "+", missed: "MISSED", none: "" };

/** @param columns the base first; "bare" comes last and has a ratio only */
export function renderTable(rows: readonly RowResult[], columns: readonly Column[]): string {
  const base = columns[0];
  const lines = [heading(columns)];
  let section = "";
  for (const row of rows) {
    if (row.section !== section) lines.push(`\n${row.section}`);
    section = row.section;
    lines.push(rowLine(row, columns));
  }
  lines.push("", meanLine("geometric mean", warmRows(rows), columns), meanLine("  with untouched rows", rows, columns));
  return [...lines, ...notes(rows, base)].join("\n");
}

function heading([base, ...others]: readonly Column[]): string {
  const cells = others.map((other) =>
    other === "bare" ? "of bare".padStart(RATIO_WIDTH) : other.padStart(TIME_WIDTH) + "×".padStart(RATIO_WIDTH),
  );
  return `${"per call".padEnd(TITLE_WIDTH)}${base.padStart(TIME_WIDTH)}${cells.join("")}  target`;
}

function rowLine(row: RowResult, [base, ...others]: readonly Column[]): string {
  const cells = others.map((other) => {
    const ratio = formatRatio(row.ratio(other, base)).padStart(RATIO_WIDTH);
    return other === "bare" ? ratio : time(row, other) + ratio;
  });
  const mark = MARKS[overall(rowFindings(row))];
  return `  ${row.title.padEnd(TITLE_WIDTH - 2)}${time(row, base)}${cells.join("")}  ${mark}`.trimEnd();
}

function time(row: RowResult, column: Column): string {
  return timeText(row.nsOf(column), row.problems.get(column)).padStart(TIME_WIDTH);
}

function timeText(ns: number | undefined, problem: string | undefined): string {
  if (problem !== undefined) return problem.startsWith(">") ? problem : "error";
  return ns === undefined ? "–" : formatNs(ns);
}

function meanLine(title: string, rows: readonly RowResult[], [base, ...others]: readonly Column[]): string {
  const cells = others.map((other) => {
    const ratio = formatRatio(meanRatio(rows, other, base));
    return ratio.padStart(other === "bare" ? RATIO_WIDTH : TIME_WIDTH + RATIO_WIDTH);
  });
  return `${title.padEnd(TITLE_WIDTH + TIME_WIDTH)}${cells.join("")}`.trimEnd();
}

/** What the marks mean, what was missed, and the errors in full. */
function notes(rows: readonly RowResult[], base: Column): string[] {
  const lines = [
    `\n×: how many times ${base} is faster. Of bare: its part of the speed of a bare TypedArray.set loop.`,
  ];
  const findings = [...rows.flatMap(rowFindings), ...meanFindings(rows)];
  if (findings.length > 0) lines.push("Targets: ++ as wanted, + must hold and does.", ...missing(findings));
  for (const row of rows) {
    for (const [column, problem] of row.problems) {
      if (!problem.startsWith(">")) lines.push(`error: ${row.title}, ${column}: ${problem}`);
    }
  }
  return lines;
}

function missing(findings: readonly Finding[]): string[] {
  const describe = ({ row, of, ratio, must, wanted }: Finding): string =>
    `  ${row}, ${of}: ${formatRatio(ratio)}, must ${must}, wanted ${wanted}`;
  const missed = findings.filter(({ verdict }) => verdict === "missed").map(describe);
  const nrWanted = findings.filter(({ verdict }) => verdict === "wanted").length;
  const head = `${findings.length - missed.length} of ${findings.length} targets hold, ${nrWanted} as wanted.`;
  return missed.length === 0 ? [head] : [head, "Missed:", ...missed];
}
