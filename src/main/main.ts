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

function damagedPath(tree: HostTree, path: string | undefined): string | undefined {
  if (path === undefined || tree.entries.some((entry) => entry.path === path && entry.kind === "file")) return path;
  throw new TreeError(`There is no file ${path} in the tree to damage.`);
}

function run(options: Options): Result[] {
  const stage = process.stderr.isTTY ? barStage : lineStage;
  const tree = readTree(resolve(options.folder), stage);
  const damage = damagedPath(tree, options.damage);
  const results: Result[] = [];
  const skips: Skip[] = [];
  for (const name of options.targets) {
    const target = MAKERS[name](tree, options);
    if (isSkip(target)) {
      skips.push(target);
      continue;
    }
    try {
      results.push(runTarget(target, tree, stage, damage));
    } catch (error) {
      throw explainFailure(error, target.name, tree);
    }
  }
  console.log(`${tree.root}\n${renderReport(tree, results, skips)}`);
  return results;
}

function main(): void {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return;
  }
  process.umask(0); // modes are set as they are on the host
  const mismatches = renderMismatches(run(options));
  if (mismatches === "") return;
  console.error(mismatches);
  process.exitCode = 1;
}

try {
  main();
} catch (error) {
  if (!(error instanceof TreeError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
