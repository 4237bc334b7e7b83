/**
 * Plants a fault at a time into a copy of the tree, builds its debug core, and runs what is to catch it, each tool for a minute at
 * most. Prints a table; the status is 1 when a fault was not caught, or the text that it replaces is not there once.
 *
 * Usage: node scripts/mutations.mjs [--only NAME] [--seconds N] [--check]
 *   --check  only whether every text is there
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { MUTATIONS } from "./mutations/list.mjs";
import { TOOLS } from "./mutations/tools.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TREE = join(ROOT, "build/mutations");
/** Written by the build, and not in the repository. */
const GENERATED = ["src/wasm/core-binary.ts", "src/wasm/core-binary-shared.ts"];

/** Mutations whose text is not there, or more than once. */
export function lostAnchors(root = ROOT) {
  return MUTATIONS.filter(({ file, from }) => readFileSync(join(root, file), "utf8").split(from).length !== 2).map(
    ({ name, file }) => `${name}: ${file}`,
  );
}

function copyTree() {
  rmSync(TREE, { recursive: true, force: true });
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, maxBuffer: 2 ** 26 })
    .toString()
    .split("\0");
  for (const file of [...files.filter(Boolean), ...GENERATED]) {
    mkdirSync(dirname(join(TREE, file)), { recursive: true });
    cpSync(join(ROOT, file), join(TREE, file));
  }
  symlinkSync(resolve(ROOT, "node_modules"), join(TREE, "node_modules"));
}

function node(args, seconds) {
  const env = { ...process.env, FOLIOFS_BUILD: "debug" };
  return spawnSync(process.execPath, args, {
    cwd: TREE,
    env,
    timeout: seconds * 1000,
    killSignal: "SIGKILL",
    maxBuffer: 2 ** 28,
  });
}

function buildDebugCore() {
  const { status, stderr } = node(["scripts/build-wasm.mjs", "debug"], 300);
  if (status !== 0) throw new Error(`the debug core was not built: ${stderr}`);
}

/** @returns what has caught it and in how many seconds, or undefined */
function hunt({ tools }, seconds) {
  for (const tool of tools) {
    const startMs = performance.now();
    const { status, signal, error } = node(TOOLS[tool](seconds), seconds);
    const took = Math.round((performance.now() - startMs) / 1000);
    if (error && signal === null) throw error;
    if (status !== 0 && signal === null) return { tool, took };
  }
  return undefined;
}

function plant(mutation, seconds) {
  const path = join(TREE, mutation.file);
  const before = readFileSync(path, "utf8");
  writeFileSync(
    path,
    before.replace(mutation.from, () => mutation.to),
  );
  try {
    if (mutation.file.startsWith("assembly/")) buildDebugCore();
    return hunt(mutation, seconds);
  } finally {
    writeFileSync(path, before);
  }
}

/** @returns names of those that were not caught */
function run(only, seconds) {
  copyTree();
  buildDebugCore();
  const missed = [];
  console.log("| fault | caught by | seconds |\n|---|---|---|");
  for (const mutation of MUTATIONS) {
    if (only !== undefined && !mutation.name.includes(only)) continue;
    const caught = plant(mutation, seconds);
    if (mutation.file.startsWith("assembly/")) buildDebugCore();
    if (caught === undefined) missed.push(mutation.name);
    console.log(`| ${mutation.name} | ${caught?.tool ?? "nothing"} | ${caught?.took ?? "-"} |`);
  }
  return missed;
}

function main() {
  const { values } = parseArgs({
    options: { only: { type: "string" }, seconds: { type: "string", default: "60" }, check: { type: "boolean" } },
  });
  const lost = lostAnchors();
  if (lost.length > 0) throw new Error(`what they replace is not there once:\n${lost.join("\n")}`);
  if (values.check) return;
  const missed = run(values.only, Number(values.seconds));
  if (missed.length > 0) throw new Error(`not caught: ${missed.join(", ")}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    main();
  } catch (error) {
    console.error(`mutations: ${error.message}`);
    process.exitCode = 1;
  }
}
