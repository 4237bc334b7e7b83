/**
 * Runs the test suite: builds what is stale, then vitest once for each build of the core and each Node asked for.
 * Leaves a JSON report a run in build/test-results/ and ends with the sum, `N passed, N failed`.
 *
 * Usage: node scripts/test.mjs [--builds debug,release] [--node26] [--matrix] [--programs] [--keep] [-- vitest arguments]
 *   --builds  cores to test (default: debug,release); the tests of package, browser and scripts go with the release core
 *   --node26  on Node 26 instead of the running Node
 *   --matrix  all builds on both, with 100 000 operations a structure in the model tests
 *   --programs  the programs of test/programs instead, on what is published
 *   --keep    keep the reports of earlier runs, for the sum over several calls
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { node26 } from "./node26.mjs";
import { RESULTS, sumReports } from "./test-reports.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const ALL_BUILDS = ["debug", "release", "release-shared"];
const MATRIX_MODEL_OPS = "100000";

/** Runs vitest for one core on one Node. @param env variables besides the process's own @returns true when all passed */
function run({ core, node, major, projects: names, vitestArgs, env }) {
  const report = `${RESULTS}/${names[0]}-${core}-node${major}.json`;
  console.log(`\n--- ${core} core, Node ${major} ---`);
  const projects = names.flatMap((name) => ["--project", name]);
  const reporters = ["--reporter", "default", "--reporter", "json", `--outputFile.json=${report}`];
  const { status } = spawnSync(
    node,
    ["node_modules/vitest/vitest.mjs", "run", ...projects, ...reporters, ...vitestArgs],
    {
      stdio: "inherit",
      env: { ...process.env, ...env, FOLIOFS_BUILD: core },
    },
  );
  return status === 0;
}

function plan(options) {
  const cores = options.matrix ? ALL_BUILDS : options.builds.split(",");
  const here = { node: process.execPath, major: process.versions.node.split(".")[0] };
  const nodes = [];
  if (options.matrix || !options.node26) nodes.push(here);
  if (options.matrix || options.node26) nodes.push({ node: node26(), major: "26" });
  if (options.programs) return nodes.map((node) => ({ ...node, core: "release", projects: ["programs"] }));
  return nodes.flatMap((node) =>
    cores.map((core) => {
      const projects = core === "release" && node === here ? ["core", "project"] : ["core"];
      return { ...node, core, projects };
    }),
  );
}

async function main() {
  const { values, positionals } = parseArgs({
    options: {
      builds: { type: "string", default: "debug,release" },
      node26: { type: "boolean" },
      matrix: { type: "boolean" },
      programs: { type: "boolean" },
      keep: { type: "boolean" },
    },
    allowPositionals: true,
  });
  process.chdir(ROOT);
  await build();
  if (!values.keep) rmSync(RESULTS, { recursive: true, force: true });
  mkdirSync(RESULTS, { recursive: true });

  const env = values.matrix ? { FOLIOFS_MODEL_OPS: MATRIX_MODEL_OPS } : {};
  const runs = plan(values).map((entry) => run({ ...entry, vitestArgs: positionals, env }));
  const { passed, failed } = sumReports();
  console.log(`\n${passed} passed, ${failed} failed`);
  if (passed === 0 || runs.includes(false)) process.exitCode = 1; // kept reports of earlier runs have failed those
}

try {
  await main();
} catch (error) {
  console.error(`test: ${error.message}`);
  process.exitCode = 1;
}
