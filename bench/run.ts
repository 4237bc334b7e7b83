/**
 * The bench: `npm run bench`, or `node --import tsx bench/run.ts` with the options that `--help` lists.
 *
 * Row by row; in each round all contenders in turn, the first one changing. See README.md for the method.
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

/** Whoever needs longer than this for a round, set-up included, runs the row once only. */
const ONE_ROUND_MS = 4000;

const options = parseOptions(process.argv.slice(2));
if (options.listsRows) for (const { id, title } of allRows) console.log(`${id.padEnd(36)}${title}`);
else await main();

async function main(): Promise<void> {
  const entrants = await startAll([...options.contenders, "bare"]);
  const present = entrants.flatMap(({ column, greeting }) =>
    "origin" in greeting && column !== "bare" ? [{ name: column, origin: greeting.origin }] : [],
  );
  const absent = entrants.flatMap(({ column, greeting }) =>
    "reason" in greeting ? [{ name: column as ContenderName, reason: greeting.reason }] : [],
  );
  for (const { name, origin } of present) console.error(`${name.padEnd(9)} ${origin}`);
  for (const { name, reason } of absent) console.error(`${name.padEnd(9)} not in this run: ${reason}`);
  const runners = entrants.filter(({ greeting }) => "origin" in greeting);
  const rows = await runRows(runners);
  await Promise.all(entrants.map((entrant) => entrant.stop()));
  const { rounds, isQuick } = options;
  report({ rows, columns: runners.map(({ column }) => column), present, absent, rounds, isQuick });
}

/** The base comes first, the bare loop last. */
function startAll(columns: readonly Column[]): Promise<Entrant[]> {
  const ordered = [...columns].sort((a, b) => Number(b === options.base) - Number(a === options.base));
  return Promise.all(ordered.map((column) => Entrant.start(column)));
}

/** The rows that --only and --quick leave. A row named by --only runs in quick mode, too. */
function isWanted({ id, title, isLeftOutInQuick }: Row): boolean {
  const { only, isQuick } = options;
  return only === undefined ? !(isQuick && isLeftOutInQuick) : only.test(id) || only.test(title);
}

async function runRows(entrants: readonly Entrant[]): Promise<RowResult[]> {
  const wanted = allRows.filter(isWanted);
  const progress = new Progress(wanted.reduce((sum, row) => sum + runnersOf(row, entrants).length * roundsOf(row), 0));
  const results: RowResult[] = [];
  for (const [turn, row] of wanted.entries()) results.push(await runRow(row, runnersOf(row, entrants), turn, progress));
  progress.finish();
  return results;
}

/** Rows on untouched memory have one subject a round, whose luck is worth 4 %: they run twice as many. */
function roundsOf({ memory }: Row): number {
  return memory === "untouched" && !options.isQuick ? 2 * options.rounds : options.rounds;
}

/** Who runs the row. */
function runnersOf(row: Row, entrants: readonly Entrant[]): Entrant[] {
  return entrants.filter(({ column }) =>
    column === "bare" ? row.bare !== undefined : row.only === undefined || row.only === column,
  );
}

async function runRow(row: Row, runners: readonly Entrant[], turn: number, progress: Progress): Promise<RowResult> {
  const result = new RowResult(row);
  const finished = new Set<Column>();
  for (let round = 0; round < roundsOf(row); round++) {
    for (let i = 0; i < runners.length; i++) {
      const runner = runners[(i + turn + round) % runners.length];
      progress.step(row.title, `${runner.column}, round ${round + 1}`);
      if (finished.has(runner.column)) continue;
      const { outcome, wallMs } = await runOnce(row, runner);
      result.add(runner.column, outcome, options.budget.limitMs);
      // No other round after an error, nor for the very slow.
      if (!("ns" in outcome) || wallMs > ONE_ROUND_MS) finished.add(runner.column);
    }
  }
  return result;
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
