/**
 * Runs the tests on a debug core with counters, under V8's coverage, and reports what they have reached:
 * build/coverage/index.html, build/coverage/summary.txt. Slower than the tests by half and more.
 *
 * Usage: node scripts/coverage.mjs [--report] [--keep] [--docs] [-- vitest arguments]
 *   --report  only the report, of what the last run has left
 *   --keep    adds to what runs before have reached, of the same sources
 *   --docs    writes the figures into docs/coverage.md
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { buildCoverageCore, FOLDER } from "./core-coverage/build-core.mjs";
import { writeDocs } from "./core-coverage/docs.mjs";
import { CHILDREN, HITS, report, V8 } from "./core-coverage/report.mjs";
import { TESTS } from "./core-coverage/tests.mjs";
import { fingerprint, isFresh, markFresh } from "./fingerprint.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Of what the compiler has written, nothing is to be tested. */
const GENERATED = ["src/wasm/core-binary.ts", "src/wasm/core-binary-shared.ts", "src/wasm/layout.ts"];
/** What counts are of. */
const SOURCES = ["src", "assembly", "asconfig.json", "scripts/core-coverage/instrument.mjs"];
const STAMP = `${FOLDER}/sources.stamp`;

/**
 * Makes room for what the tests will reach, and the core with counters.
 *
 * @throws Error when it would be added to what has been reached of other sources
 */
function prepare(isKept) {
  const print = fingerprint(SOURCES);
  const isThere = isKept && existsSync(STAMP);
  if (isThere && !isFresh(STAMP, print, [])) throw new Error("--keep: the sources are not those of the runs before");
  if (isThere) return;
  for (const folder of [CHILDREN, HITS, TESTS, V8]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(HITS, { recursive: true });
  console.log(`the core has ${buildCoverageCore()} counters`);
  markFresh(STAMP, print);
}

function runTests(vitestArgs) {
  const now = Date.now();
  const coverage = [
    "--coverage.enabled",
    "--coverage.provider=v8",
    "--coverage.include=src/**/*.ts",
    ...GENERATED.map((path) => `--coverage.exclude=${path}`),
    "--coverage.reporter=json",
    `--coverage.reportsDirectory=${V8}/${now}`,
    "--coverage.reportOnFailure",
  ];
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${TESTS}/${now}.json`];
  const args = ["node_modules/vitest/vitest.mjs", "run", ...coverage, ...reporters, ...vitestArgs];
  const folders = { FOLIOFS_COVERAGE: resolve(HITS), FOLIOFS_CHILD_COVERAGE: resolve(CHILDREN) };
  const env = { ...process.env, FOLIOFS_BUILD: "debug", ...folders };
  return spawnSync(process.execPath, args, { stdio: "inherit", env }).status === 0;
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { report: { type: "boolean" }, keep: { type: "boolean" }, docs: { type: "boolean" } },
    allowPositionals: true,
  });
  process.chdir(ROOT);
  let passed = true;
  if (!values.report) {
    await build();
    prepare(values.keep);
    passed = runTests(positionals);
  }
  const found = report();
  console.log(found.figures.join("\n"));
  if (values.docs) writeDocs(found);
  if (!passed) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(`coverage: ${error.message}`);
  process.exitCode = 1;
}
