/**
 * One round of one target: load, snapshot and restore, compare, walk, read, load again.
 *
 * A round has a target of its own, so that each of its first loads fills fresh memory.
 */
import { compareTree, type Mismatch } from "./compare-tree.ts";
import type { HostTree } from "./host-tree.ts";
import { loadTree, pathIn } from "./load-tree.ts";
import type { Stage } from "./progress.ts";
import { type Sample, sample } from "./sample.ts";
import type { Target, TreePlace } from "./target.ts";
import { readAll, walkAndStat } from "./walk.ts";

/** Stages that fill memory which the target has not used before, and those that use what it has. */
export const FRESH_STAGES = ["load", "snapshot", "restore"] as const;
export const WARM_STAGES = ["load again", "walk + stat", "read all"] as const;
/** Those of a round through hostfs (hostfs-round.ts). */
export const HOSTFS_STAGES = [
  "hostfs cold: walk + stat",
  "hostfs cold: read all",
  "hostfs warm: walk + stat",
  "hostfs warm: read all",
  "hostfs copy",
  "hostfs sync",
] as const;
/** Those of a round with swap (swap-round.ts), by the stages of other targets that do the same. */
export const SWAP_STAGES = {
  load: "within 64 MiB: load",
  "walk + stat": "within 64 MiB: walk + stat",
  "read all": "within 64 MiB: read all",
  "load again": "within 64 MiB: load again",
} as const;
/** Those of a round of layers (layers-round.ts), of which some are what other targets do. */
export const LAYERS_STAGES = {
  make: "50 layers: make",
  "walk + stat": "50 layers: walk + stat in one",
  "read all": "50 layers: read all in one",
  change: "50 layers: change 20 files in each",
  diff: "50 layers: diff of each",
} as const;
export type StageName =
  | (typeof LAYERS_STAGES)[keyof typeof LAYERS_STAGES]
  | (typeof FRESH_STAGES | typeof WARM_STAGES | typeof HOSTFS_STAGES)[number]
  | (typeof SWAP_STAGES)[keyof typeof SWAP_STAGES];

/** What is found out about a target once. */
export interface Facts {
  readonly snapshotBytes?: number;
  readonly memoryBytes: number;
  readonly timeResolutionNs: bigint;
  readonly counters?: ReadonlyMap<string, number>;
  readonly mismatches: readonly Mismatch[];
}

/** What a round gives. */
export interface Round {
  readonly samples: ReadonlyMap<StageName, Sample>;
  /** Where the round compares. */
  readonly facts?: Facts;
}

/** Overwrites a file's first byte, or gives an empty file one, to show that a mismatch is found. */
export function damage(target: TreePlace, path: string): void {
  const contents = Buffer.from(target.fs.readFileSync(pathIn(target, path)));
  target.fs.writeFileSync(pathIn(target, path), contents.length === 0 ? "x" : contents.fill(contents[0] ^ 0xff, 0, 1));
}

/** What to do in a round beside taking times. */
export interface RoundOptions {
  /** Whether to compare with the tree. */
  readonly compares: boolean;
  /** A file of the tree to damage after loading. */
  readonly damagePath?: string;
}

/**
 * Runs a round on a new target and destroys it.
 *
 * @param stage runs a step under the progress bar
 */
export function runRound(target: Target, tree: HostTree, stage: Stage, { compares, damagePath }: RoundOptions): Round {
  const total = tree.entries.length;
  const samples = new Map<StageName, Sample>();
  const run = <T>(name: StageName, work: (onEntry: (nrEntries: number) => void) => T): T =>
    stage(`${target.name}: ${name}`, total, (onEntry) => {
      const [taken, result] = sample(() => work(onEntry));
      samples.set(name, taken);
      return result;
    });
  try {
    run("load", (onEntry) => loadTree(target, tree, onEntry));
    const memoryBytes = target.memoryBytes();
    const counters = target.counters?.();
    if (damagePath !== undefined) damage(target, damagePath);
    const mismatches: Mismatch[] = [];
    const compare = (one: Target): void => {
      if (!compares) return;
      mismatches.push(...stage(`${one.name}: compare`, total, (onEntry) => compareTree(one, tree, onEntry)));
    };
    const { snapshot, restore } = target;
    const bytes = snapshot && run("snapshot", () => snapshot());
    compare(target);
    if (bytes !== undefined && restore !== undefined) {
      const restored = run("restore", () => restore(bytes));
      compare(restored);
      restored.destroy();
    }
    run("walk + stat", (onEntry) => walkAndStat(target, onEntry));
    run("read all", (onEntry) => readAll(target, tree, onEntry));
    target.clear();
    run("load again", (onEntry) => loadTree(target, tree, onEntry));
    const { timeResolutionNs } = target;
    const facts = { snapshotBytes: bytes?.length, memoryBytes, timeResolutionNs, counters, mismatches };
    return { samples, facts: compares ? facts : undefined };
  } finally {
    target.destroy();
  }
}
