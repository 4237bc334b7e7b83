/**
 * The main job, `npm start [folder]`: loads a real tree from disk into foliofs, memfs and the host's tmpfs, reads
 * everything back, compares it with the host, and prints one table. Ends with status 1 when anything differs.
 */
import { freemem } from "node:os";
import { resolve } from "node:path";
import { foliofsTarget } from "./foliofs-target.ts";
import { hostTarget } from "./host-target.ts";
import { type HostTree, readContents, scanTree, TreeError } from "./host-tree.ts";
import { memfsTarget } from "./memfs-target.ts";
import { type Options, parseOptions, type TargetName, USAGE } from "./options.ts";
import { barStage, lineStage, type Stage } from "./progress.ts";
import { renderMismatches, renderReport, showBytes } from "./report.ts";
import { type Result, runTarget } from "./run-target.ts";
import { isSkip, type Skip, type Target } from "./target.ts";

/** A tree is held in memory beside the targets only while it takes no more than this share of the free memory. */
const HELD_SHARE = 0.25;

/** Reads the tree; its contents too, where they fit beside the copies in the targets. */
function readTree(folder: string, stage: Stage): HostTree {
  const tree = scanTree(folder);
  if (tree.bytes > freemem() * HELD_SHARE) {
    console.error("The tree is large: its files are read from disk while they are loaded, and load times include it.");
    return tree;
  }
  stage("host: read", tree.entries.length, (onEntry) => readContents(tree, onEntry));
  return tree;
}

const MAKERS: Record<TargetName, (tree: HostTree, options: Options) => Target | Skip> = {
  foliofs: (_tree, options) => foliofsTarget(options.memoryLimit),
  memfs: (tree) => memfsTarget(tree.bytes),
  tmpfs: (tree) => hostTarget(tree),
};

/** Words a file system error of a target for the user; passes on anything else. */
function explainFailure(error: unknown, name: string, tree: HostTree): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  if (code !== "ENOSPC" && code !== "ENOMEM") return new TreeError(`${name} failed: ${message}.`);
  const size = `${tree.entries.length} names with ${showBytes(tree.bytes)}`;
  return new TreeError(`The tree, ${size}, does not fit in the memory limit of ${name}; see --memory-limit.`);
}

/** @throws TreeError when there is no such file to damage */
function checkDamage(tree: HostTree, path: string | undefined): void {
  if (path === undefined || tree.entries.some((entry) => entry.path === path && entry.kind === "file")) return;
  throw new TreeError(`There is no file ${path} in the tree to damage.`);
}

/** Lets go of the memory of the target before: weak references hold on until the event loop turns. */
async function collectGarbage(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
  }
}

/** Makes one target and runs it. A function of its own, so that nothing holds on to the target afterwards. */
function runOne(name: TargetName, tree: HostTree, options: Options, stage: Stage): Result | Skip {
  const target = MAKERS[name](tree, options);
  if (isSkip(target)) return target;
  try {
    return runTarget(target, tree, stage, options.damage);
  } catch (error) {
    throw explainFailure(error, target.name, tree);
  }
}

async function run(options: Options): Promise<Result[]> {
  const stage = process.stderr.isTTY ? barStage : lineStage;
  const tree = readTree(resolve(options.folder), stage);
  checkDamage(tree, options.damage);
  const results: Result[] = [];
  const skips: Skip[] = [];
  for (const name of options.targets) {
    await collectGarbage();
    const outcome = runOne(name, tree, options, stage);
    if (isSkip(outcome)) skips.push(outcome);
    else results.push(outcome);
  }
  console.log(`${tree.root}\n${renderReport(tree, results, skips)}`);
  return results;
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return;
  }
  process.umask(0); // modes are set as they are on the host
  const mismatches = renderMismatches(await run(options));
  if (mismatches === "") return;
  console.error(mismatches);
  process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof TreeError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
