/**
 * The bench: `npm run bench`, or `node --import tsx bench/run.ts` with the options that `--help` lists.
 *
 * Row by row; in each round all contenders in turn, the first one changing. See README.md for the method.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { renderChart } from "./chart.ts";
import type { Contender } from "./contenders/contender.ts";
import { loadContenders } from "./contenders/index.ts";
import { measureBare, measureContender, needsOwnMemory } from "./measure.ts";
import { parseOptions } from "./options.ts";
import { Progress } from "./progress.ts";
import { type Run, renderJson } from "./report-json.ts";
import { respawnWithFlags } from "./respawn.ts";
import { type Column, RowResult } from "./results.ts";
import { loadRows } from "./rows/index.ts";
import type { Row } from "./rows/row.ts";
import { renderTable } from "./table.ts";
import { meanFindings, rowFindings } from "./verdict.ts";

/** Touched and dropped at the start, so that the host has given the guest its memory before the first row runs. */
const HOST_WARM_UP_BYTES = 2 ** 30;

/** Whoever needs longer than this for a round, set-up included, runs the row once only. */
const ONE_ROUND_MS = 4000;

/** A column and its own copies of the rows. */
interface Runner {
  readonly column: Column;
  readonly rows: ReadonlyMap<string, Row>;
  /** Absent for the bare loop. */
  readonly contender?: Contender;
}

const options = parseOptions(process.argv.slice(2));
if (options.listsRows) await listRows();
else await main();

async function listRows(): Promise<void> {
  for (const { id, title } of await loadRows("bare")) console.log(`${id.padEnd(36)}${title}`);
}

async function main(): Promise<void> {
  respawnWithFlags();
  const { present, absent } = await loadContenders(options.contenders);
  present.sort((a, b) => Number(b.name === options.base) - Number(a.name === options.base)); // the base comes first
  for (const { name, origin } of present) console.error(`${name.padEnd(9)} ${origin}`);
  for (const { name, reason } of absent) console.error(`${name.padEnd(9)} not in this run: ${reason}`);
  const columns: Column[] = [...present.map(({ name }) => name), "bare"];
  const runners = await Promise.all(
    columns.map(async (column): Promise<Runner> => {
      const rows = new Map((await loadRows(column)).map((row) => [row.id, row]));
      return { column, rows, contender: present.find(({ name }) => name === column) };
    }),
  );
  const { rounds, isQuick } = options;
  const rows = runRows(runners, rounds);
  report({ rows, columns, present, absent, rounds, isQuick });
}

/** The rows that --only and --quick leave. A row named by --only runs in quick mode, too. */
function isWanted({ id, title, isLeftOutInQuick }: Row): boolean {
  const { only, isQuick } = options;
  return only === undefined ? !(isQuick && isLeftOutInQuick) : only.test(id) || only.test(title);
}

function runRows(runners: readonly Runner[], rounds: number): RowResult[] {
  warmUpHost();
  const wanted = [...runners[0].rows.values()].filter(isWanted);
  const progress = new Progress(wanted.reduce((sum, { id }) => sum + entrants(runners, id).length * rounds, 0));
  const inOrder = [...wanted].sort((a, b) => Number(needsOwnMemory(a)) - Number(needsOwnMemory(b)));
  const results = new Map(inOrder.map((row, i) => [row.id, runRow(row, entrants(runners, row.id), i, progress)]));
  progress.finish();
  return wanted.map(({ id }) => results.get(id) as RowResult);
}

function warmUpHost(): void {
  new Uint8Array(HOST_WARM_UP_BYTES).fill(1);
  globalThis.gc?.();
}

/** Who runs the row. */
function entrants(runners: readonly Runner[], id: string): Runner[] {
  return runners.filter(({ column, rows }) => {
    const row = rows.get(id) as Row;
    return column === "bare" ? row.bare !== undefined : row.only === undefined || row.only === column;
  });
}

function runRow(row: Row, runners: readonly Runner[], turn: number, progress: Progress): RowResult {
  const result = new RowResult(row);
  const finished = new Set<Column>();
  for (let round = 0; round < options.rounds; round++) {
    for (let i = 0; i < runners.length; i++) {
      const runner = runners[(i + turn + round) % runners.length];
      progress.step(row.title, `${runner.column}, round ${round + 1}`);
      if (!finished.has(runner.column) && !runsAgain(row.id, runner, result)) finished.add(runner.column);
    }
  }
  return result;
}

/** Runs a row once. @returns whether another round is worth it: not after an error, nor for the very slow */
function runsAgain(id: string, { column, rows, contender }: Runner, result: RowResult): boolean {
  const row = rows.get(id) as Row;
  const startMs = performance.now();
  const outcome = contender ? measureContender(row, contender, options.budget) : measureBare(row, options.budget);
  result.add(column, outcome, options.budget.limitMs);
  return "ns" in outcome && performance.now() - startMs < ONE_ROUND_MS;
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
