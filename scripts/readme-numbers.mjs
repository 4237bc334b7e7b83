/**
 * Puts the numbers of a bench run into the cells of README.md that are marked for them:
 *
 *   <!-- bench:ROW:foliofs -->time per call<!-- / -->     <!-- bench:ROW:PEER -->how many times foliofs is faster<!-- / -->
 *   <!-- bench:mean:PEER -->geometric mean<!-- / -->       <!-- bench:run:about -->Node, processor, date<!-- / -->
 *
 * Usage: node --import tsx scripts/readme-numbers.mjs [--check] [run.json]
 *   run.json  what `npm run bench` wrote; default: the newest whole run in bench/results/
 *   --check   writes nothing, and fails when README.md shows other numbers; does nothing where there is no run
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { formatNs, formatRatio } from "../bench/format.ts";
import { median } from "../bench/stats.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const RESULTS = join(ROOT, "bench/results");
const README = join(ROOT, "README.md");
const BASE = "foliofs";
const NO_NUMBER = "–";
const CELL = /<!-- bench:([\w-]+):([\w:-]+) -->.*?<!-- \/ -->/g;

function aboutText({ node, cpu, date, rounds }) {
  return `Node ${node}, ${cpu}, ${rounds} rounds, ${date.slice(0, 10)}`;
}

/** @throws Error for a row that the run does not know */
function rowText({ rows }, id, column) {
  const row = rows.find((each) => each.id === id);
  if (row === undefined) throw new Error(`the run has no row ${id}`);
  const problem = row.problems?.[column];
  if (problem !== undefined) return problem.startsWith(">") ? problem : "error";
  if (column !== BASE) return formatRatio(row.ratios[column]) || NO_NUMBER;
  return row.ns[BASE] === undefined ? NO_NUMBER : formatNs(median(row.ns[BASE].filter((ns) => ns !== null)));
}

function cellText(run, id, column) {
  if (id === "run") return aboutText(run);
  if (id === "mean") return formatRatio(run.geometricMeans[column]) || NO_NUMBER;
  return rowText(run, id, column);
}

/**
 * Fills the cells of a text.
 *
 * @param run a parsed run, as bench/report-json.ts writes it
 * @throws Error for a cell of a row that the run does not know
 */
export function fillNumbers(text, run) {
  return text.replace(CELL, (_, id, column) => {
    return `<!-- bench:${id}:${column} -->${cellText(run, id, column)}<!-- / -->`;
  });
}

function readRun(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** The newest run of all rows; undefined when there is none. */
function newestRun() {
  if (!existsSync(RESULTS)) return undefined;
  const runs = readdirSync(RESULTS)
    .filter((name) => /^node.*\.json$/.test(name))
    .map((name) => readRun(join(RESULTS, name)))
    .filter(({ isQuick }) => !isQuick);
  return runs.sort((a, b) => a.date.localeCompare(b.date)).at(-1);
}

function main() {
  const { values, positionals } = parseArgs({ options: { check: { type: "boolean" } }, allowPositionals: true });
  const run = positionals[0] === undefined ? newestRun() : readRun(positionals[0]);
  if (run === undefined) {
    if (!values.check) throw new Error("bench/results/ has no run: npm run bench makes one");
    console.log("no run to compare with");
    return;
  }
  const before = readFileSync(README, "utf8");
  const after = fillNumbers(before, run);
  if (after === before) return;
  if (values.check) throw new Error("README.md shows other numbers than the newest run");
  writeFileSync(README, after);
  console.log(`README.md: ${aboutText(run)}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    main();
  } catch (error) {
    console.error(`readme-numbers: ${error.message}`);
    process.exitCode = 1;
  }
}
