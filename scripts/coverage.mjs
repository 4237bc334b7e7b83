/**
 * Runs the tests on a debug core with counters, under V8's coverage, and reports what they have reached:
 * build/coverage/index.html, build/coverage/summary.txt. Slower than the tests by half and more.
 *
 * Usage: node scripts/coverage.mjs [--report] [--keep] [--docs] [-- vitest arguments]
 *   --report  only the report, of what the last run has left
 *   --keep    adds to what runs before have reached
 *   --docs    writes the figures into docs/coverage.md
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { buildCoverageCore } from "./core-coverage/build-core.mjs";
import { writeDocs } from "./core-coverage/docs.mjs";
import { CHILDREN, HITS, report, V8 } from "./core-coverage/report.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Of what the compiler has written, nothing is to be tested. */
const GENERATED = ["src/wasm/core-binary.ts", "src/wasm/core-binary-shared.ts", "src/wasm/layout.ts"];

function runTests(vitestArgs) {
  const coverage = [
    "--coverage.enabled",
    "--coverage.provider=v8",
    "--coverage.include=src/**/*.ts",
    ...GENERATED.map((path) => `--coverage.exclude=${path}`),
    "--coverage.reporter=json",
    `--coverage.reportsDirectory=${V8}/${Date.now()}`,
    "--coverage.reportOnFailure",
  ];
  const args = ["node_modules/vitest/vitest.mjs", "run", ...coverage, ...vitestArgs];
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
    for (const folder of values.keep ? [] : [CHILDREN, HITS, V8]) rmSync(folder, { recursive: true, force: true });
    mkdirSync(HITS, { recursive: true });
    console.log(`the core has ${buildCoverageCore()} counters`);
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
