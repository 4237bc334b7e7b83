/**
 * Runs the test suite: builds what is stale, then vitest once for each build of the core and each Node asked for.
 * Leaves a JSON report a run in build/test-results/ and ends with the sum, `N passed, N failed`.
 *
 * Usage: node scripts/test.mjs [--builds debug,release] [--node26] [--matrix] [--programs] [--gate] [--keep] [-- vitest arguments]
 *   --builds  cores to test (default: debug,release, and then what is long goes with one of them); the tests of package, browser
 *             and scripts go with the release core
 *   --node26  on Node 26 instead of the running Node
 *   --matrix  all builds on both, with 100 000 operations a structure in the model tests
 *   --programs  the programs of test/programs instead, on what is published
 *   --gate    without what is long and has had its run in `npm test`
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

/** Long, and about the kernel's part in JavaScript: on folders of the host, or compared with it. */
const HOST_ORACLES = [
  "test/differential/{fs,overlay,hostfs,permissions,random,self,streams,watch-scripts}.test.ts",
  "test/differential/trees/**",
  "test/subjects/{hostfs,overlay}.test.ts",
  "test/unit/fs/hostfs/faults-in-turn.test.ts",
  "test/unit/fs/overlay/overlay.oracle.test.ts",
];
/** Long work on memory and at its end, which the debug core's verify() looks at. */
const ON_MEMORY = [
  "test/unit/assembly/exhaustion.test.ts",
  "test/unit/fs/overlay/exhaustion.test.ts",
  "test/unit/mm/{budget,faults,swap-random}.test.ts",
  "test/unit/vfs/{dcache-pressure,each-resource}.test.ts",
];
/** No Node has a part in it: the core, the VFS and what stands on them alone. */
const CORE_ONLY = [
  "test/unit/{assembly,mm,patch,sandbox,vfs}/**",
  "test/unit/fs/{lazyfs,overlay,proc,tar}/**",
  "test/fuzz/{faults,fsx,fsx-replays,schedules,snapshot-mutants}.test.ts",
  "test/snapshot/**",
  "test/subjects/**",
];
/** Whether memory is shared is nothing to it. */
const ON_ANY_MEMORY = [
  "test/{docs,errno,examples}/**",
  "test/unit/{base,cli,fuzz,patch,sandbox,testing}/**",
  "test/unit/fs/hostfs/{exit,hostile}.test.ts",
];
/** Long, on other file systems than that in memory, where the face is compared with each Node's. */
const ON_OTHERS = [
  "test/differential/{hostfs,overlay,permissions}.test.ts",
  "test/unit/fs/hostfs/faults-in-turn.test.ts",
];

/** @returns globs of what a run leaves to the others, so that all have an end; the matrix leaves out nothing */
function leftOut({ builds, gate, matrix, node26 }, core, vitestArgs) {
  const isShared = builds === undefined || gate;
  if (matrix || !isShared || vitestArgs.length > 0) return [];
  if (node26) return [...CORE_ONLY, ...ON_OTHERS];
  if (core === "release") return ON_MEMORY;
  return core === "debug" ? HOST_ORACLES : [...HOST_ORACLES, ...ON_MEMORY, ...ON_ANY_MEMORY];
}

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
  const cores = options.matrix ? ALL_BUILDS : (options.builds ?? "debug,release").split(",");
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
      builds: { type: "string" },
      node26: { type: "boolean" },
      matrix: { type: "boolean" },
      programs: { type: "boolean" },
      gate: { type: "boolean" },
      keep: { type: "boolean" },
    },
    allowPositionals: true,
  });
  process.chdir(ROOT);
  await build();
  if (!values.keep) rmSync(RESULTS, { recursive: true, force: true });
  mkdirSync(RESULTS, { recursive: true });

  const env = values.matrix ? { FOLIOFS_MODEL_OPS: MATRIX_MODEL_OPS } : {};
  const runs = plan(values).map((entry) => {
    const FOLIOFS_EXCLUDE = leftOut(values, entry.core, positionals).join(" ");
    return run({ ...entry, vitestArgs: positionals, env: { ...env, FOLIOFS_EXCLUDE } });
  });
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
