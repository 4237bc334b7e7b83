/**
 * The bench: `npm run bench`, or `node --import tsx bench/run.ts` with the options that `--help` lists.
 *
 * Round by round, each in new processes; row by row, each by all contenders in turn. See README.md for the method.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { renderChart } from "./chart.ts";
import type { ContenderName } from "./contenders/contender.ts";
import { Entrant, type Report } from "./entrant.ts";
import { needsOwnMemory } from "./measure.ts";
import { parseOptions } from "./options.ts";
import { Progress } from "./progress.ts";
import { type Run, renderJson } from "./report-json.ts";
import { type Column, RowResult } from "./results.ts";
import { rows as allRows } from "./rows/index.ts";
import type { Row } from "./rows/row.ts";
import { renderTable } from "./table.ts";
import { meanFindings, rowFindings } from "./verdict.ts";

/** Whoever takes longer than this for a turn, set-up included, sits out the others of the round. */
const SLOW_TURN_MS = 1000;

const options = parseOptions(process.argv.slice(2));
if (options.listsRows) for (const { id, title } of allRows) console.log(`${id.padEnd(36)}${title}`);
else await main();

async function main(): Promise<void> {
  const { rounds, isQuick } = options;
  const rows = allRows.filter(isWanted);
  const results = rows.map((row) => new RowResult(row));
  const first = await startAll();
  const present = first.flatMap(({ column, greeting }) =>
    "origin" in greeting && column !== "bare" ? [{ name: column, origin: greeting.origin }] : [],
  );
  const absent = first.flatMap(({ column, greeting }) =>
    "reason" in greeting ? [{ name: column as ContenderName, reason: greeting.reason }] : [],
  );
  for (const { name, origin } of present) console.error(`${name.padEnd(9)} ${origin}`);
  for (const { name, reason } of absent) console.error(`${name.padEnd(9)} not in this run: ${reason}`);
  const turnsIn = (row: Row): number =>
    runnersOf(row, first).reduce((sum, { column }) => sum + turnsOf(row, column), 0);
  const nrTurns = rows.reduce((sum, row) => sum + turnsIn(row), 0);
  const progress = new Progress(rounds * nrTurns);
  for (let round = 0; round < rounds; round++) {
    const entrants = round === 0 ? first : await startAll();
    for (const [i, row] of rows.entries()) {
      await runRow(row, results[i], runnersOf(row, entrants), i, round, progress);
    }
    await Promise.all(entrants.map((entrant) => entrant.stop()));
  }
  progress.finish();
  const columns = first.filter(canRun).map(({ column }) => column);
  report({ rows: results, columns, present, absent, rounds, isQuick });
}

/** New processes for all columns. The base comes first, the bare loop last. */
function startAll(): Promise<Entrant[]> {
  const columns: Column[] = [...options.contenders, "bare"];
  columns.sort((a, b) => Number(b === options.base) - Number(a === options.base));
  return Promise.all(columns.map((column) => Entrant.start(column)));
}

/** The rows that --only and --quick leave. A row named by --only runs in quick mode, too. */
function isWanted({ id, title, isLeftOutInQuick }: Row): boolean {
  const { only, isQuick } = options;
  return only === undefined ? !(isQuick && isLeftOutInQuick) : only.test(id) || only.test(title);
}

function canRun({ greeting }: Entrant): boolean {
  return "origin" in greeting;
}

/** Who runs the row. */
function runnersOf(row: Row, entrants: readonly Entrant[]): Entrant[] {
  return entrants.filter(canRun).filter(({ column }) => {
    if (column === "bare") return row.bare !== undefined;
    if (row.isOnHost) return column === "foliofs" || column === "tmpfs";
    return row.only === undefined || row.only === column;
  });
}

/**
 * Turns that a contender has in a round. Where buffers and frames come to lie is luck that a subject keeps, and worth up to
 * a tenth; and other guests of the machine slow it down by as much, for a second at a time. Against the bare loop a
 * hundredth counts.
 */
function turnsOf(row: Row, column: Column): number {
  if (row.isFresh || row.section === "whole system") return 1;
  if (row.memory === "untouched") return options.isQuick ? 1 : 2; // a new process each
  return row.bare && (column === options.base || column === "bare") ? 9 : 3;
}

/** The contenders take turns; another one is the first with every row, round and turn. */
async function runRow(
  row: Row,
  result: RowResult,
  runners: readonly Entrant[],
  nrRow: number,
  round: number,
  progress: Progress,
): Promise<void> {
  const { limitMs } = options.budget;
  const mostTurns = turnsOf(row, options.base);
  const slow = new Set<Column>();
  for (let turn = 0; turn < mostTurns; turn++) {
    for (let i = 0; i < runners.length; i++) {
      const runner = runners[(i + nrRow + round + turn) % runners.length];
      const { column } = runner;
      if (turn >= turnsOf(row, column)) continue;
      progress.step(row.title, `${column}, round ${round + 1}`);
      if (result.isFinished(column) || slow.has(column)) continue;
      const { outcome, wallMs } = await runOnce(row, runner);
      if (wallMs > SLOW_TURN_MS && !needsOwnMemory(row)) slow.add(column);
      result.add(column, round * mostTurns + turn, outcome, wallMs, limitMs);
    }
  }
}

/** Rows that want memory of their own get a new process for it. */
async function runOnce(row: Row, runner: Entrant): Promise<Report> {
  const order = { rowId: row.id, budget: options.budget };
  if (!needsOwnMemory(row)) return runner.run(order);
  const own = await Entrant.start(runner.column);
  try {
    return await own.run(order);
  } finally {
    await own.stop();
  }
}

function report(run: Run): void {
  const { rows, columns, isQuick, rounds } = run;
  const { node } = process.versions;
  console.log(`\nNode ${node}, ${rounds} rounds${isQuick ? ", quick: a look, not a result" : ""}\n`);
  console.log(renderTable(rows, columns));

  const isWhole = options.only === undefined && !isQuick && columns.includes("foliofs");
  const jsonFile =
    options.jsonFile ?? (isWhole ? inProject(`bench/results/node${node.split(".")[0]}.json`) : undefined);
  if (jsonFile !== undefined) save(jsonFile, renderJson(run));
  const svgFile = options.svgFile ?? (isWhole ? inProject("docs/bench.svg") : undefined);
  if (svgFile !== undefined) save(svgFile, chartOf(run));

  const missed = [...rows.flatMap(rowFindings), ...meanFindings(rows)].some(({ verdict }) => verdict === "missed");
  if (options.mustHold && missed) process.exitCode = 1;
}

function chartOf({ rows, columns }: Run): string {
  const peers = columns.slice(1).filter((column) => column !== "bare");
  const subtitle = `Node ${process.versions.node}, ${process.platform} ${process.arch}; npm run bench; logarithmic; warm memory`;
  return renderChart(rows, peers, columns[0], subtitle);
}

function inProject(file: string): string {
  return fileURLToPath(new URL(`../${file}`, import.meta.url));
}

function save(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  console.error(`wrote ${file}`);
}
