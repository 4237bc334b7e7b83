/**
 * One turn of a target in a process of its own, so that memory which is to be fresh is fresh, whatever another turn has
 * left to malloc or to V8's heap.
 */
import { fork } from "node:child_process";
import { freemem } from "node:os";
import { resolve } from "node:path";
import { foliofsTarget } from "./foliofs-target.ts";
import { hostTarget } from "./host-target.ts";
import { type HostTree, readContents, scanTree, TreeError } from "./host-tree.ts";
import { runHostfsRound } from "./hostfs-round.ts";
import { runLayersRound } from "./layers-round.ts";
import { memfsTarget } from "./memfs-target.ts";
import type { Options, TargetName } from "./options.ts";
import { barStage, lineStage, quietStage, type Stage } from "./progress.ts";
import { showBytes } from "./report.ts";
import { type Round, runRound } from "./run-target.ts";
import { runSwapRound } from "./swap-round.ts";
import { isSkip, type Skip, type Target } from "./target.ts";

/** A tree is held in memory beside the targets only while it takes no more than this share of the free memory. */
const HELD_SHARE = 0.25;

/** What a turn sends to the process that has started it: its times, why there are none, or a sentence for the user. */
export type Outcome = Round | Skip | { readonly failure: string };

const MAKERS: Record<
  Exclude<TargetName, "hostfs" | "layers" | "swap">,
  (tree: HostTree, options: Options) => Target | Skip
> = {
  foliofs: (_tree, options) => foliofsTarget(options.memoryLimit),
  memfs: (tree) => memfsTarget(tree.bytes),
  tmpfs: (tree) => hostTarget(tree),
};

/** Reads the tree; its contents too, where they fit beside the copies in the targets. */
function readTree(folder: string, stage: Stage): HostTree {
  const tree = scanTree(folder);
  if (tree.bytes <= freemem() * HELD_SHARE) {
    stage("host: read", tree.entries.length, (onEntry) => readContents(tree, onEntry));
  } else if (stage !== quietStage) {
    console.error("The tree is large: its files are read from disk while they are loaded, and load times include it.");
  }
  return tree;
}

/** Words a file system error of a target for the user; passes on anything else. */
function explainFailure(error: unknown, name: string, tree: HostTree): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  const isFull = code === "ENOMEM" || (code === "ENOSPC" && name !== "hostfs"); // there it is the host that is full
  if (!isFull) return new TreeError(`${name} failed: ${message}.`);
  const size = `${tree.entries.length} names with ${showBytes(tree.bytes)}`;
  return new TreeError(`The tree, ${size}, does not fit in the memory limit of ${name}; see --memory-limit.`);
}

function takeTurn(name: TargetName, isFirst: boolean, options: Options): Round | Skip {
  const stage = !isFirst ? quietStage : process.stderr.isTTY ? barStage : lineStage;
  const tree = readTree(resolve(options.folder), stage);
  const roundOptions = { compares: isFirst, damagePath: isFirst ? options.damage : undefined };
  try {
    if (name === "hostfs") return runHostfsRound(tree, stage, roundOptions, options.memoryLimit);
    if (name === "layers") return runLayersRound(tree, stage, roundOptions, options.memoryLimit);
    if (name === "swap") return runSwapRound(tree, stage, roundOptions);
    const target = MAKERS[name](tree, options);
    return isSkip(target) ? target : runRound(target, tree, stage, roundOptions);
  } catch (error) {
    throw explainFailure(error, name, tree);
  }
}

/** Takes the turn that this process was started for, and sends what came of it. */
export function sendTurn(name: TargetName, options: Options): void {
  let outcome: Outcome;
  try {
    outcome = takeTurn(name, options.turn?.isFirst === true, options);
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    outcome = { failure: error.message };
  }
  process.send?.(outcome);
}

/**
 * Starts a process for a turn and waits for its end. Only the first turn of a target shows its progress and compares.
 *
 * @param args of this process
 * @throws TreeError with the turn's sentence for the user; Error when it ended without any
 */
export function forkTurn(name: TargetName, isFirst: boolean, args: readonly string[]): Promise<Round | Skip> {
  const child = fork(process.argv[1], [...args, "--turn", `${name}:${isFirst ? "first" : "again"}`], {
    serialization: "advanced",
  });
  return new Promise((settle, reject) => {
    let outcome: Outcome | undefined;
    child.on("message", (message) => {
      outcome = message as Outcome;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      if (outcome === undefined) reject(new Error(`The turn of ${name} ended with status ${status}.`));
      else if ("failure" in outcome) reject(new TreeError(outcome.failure));
      else settle(outcome);
    });
  });
}
