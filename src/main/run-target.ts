/** One target's run: load, snapshot and restore, compare, walk, read, load again. */
import { compareTree, type Mismatch } from "./compare-tree.ts";
import type { HostTree } from "./host-tree.ts";
import { loadTree, pathIn } from "./load-tree.ts";
import type { Stage } from "./progress.ts";
import type { Target } from "./target.ts";
import { readAll, walkAndStat } from "./walk.ts";

/** What one target took. */
export interface Result {
  readonly name: string;
  readonly loadSeconds: number;
  /** On memory that the first load has touched, as far as the target keeps it. */
  readonly loadAgainSeconds: number;
  readonly walkSeconds: number;
  readonly readSeconds: number;
  readonly snapshotSeconds?: number;
  readonly restoreSeconds?: number;
  readonly snapshotBytes?: number;
  readonly memoryBytes: number;
  readonly timeResolutionNs: bigint;
  readonly counters?: ReadonlyMap<string, number>;
  readonly mismatches: readonly Mismatch[];
}

function seconds(work: () => void): number {
  globalThis.gc?.();
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

/** Overwrites a file's first byte, or gives an empty file one, to show that a mismatch is found. */
function damage(target: Target, path: string): void {
  const contents = Buffer.from(target.fs.readFileSync(pathIn(target, path)));
  target.fs.writeFileSync(pathIn(target, path), contents.length === 0 ? "x" : contents.fill(contents[0] ^ 0xff, 0, 1));
}

/**
 * Runs everything on one target and destroys it.
 *
 * @param stage runs a step under the progress bar
 * @param damagePath a file of the tree to damage after loading
 */
export function runTarget(target: Target, tree: HostTree, stage: Stage, damagePath?: string): Result {
  const total = tree.entries.length;
  const timed = (label: string, work: (onEntry: (nrEntries: number) => void) => void) =>
    stage(`${target.name}: ${label}`, total, (onEntry) => seconds(() => work(onEntry)));
  try {
    const loadSeconds = timed("load", (onEntry) => loadTree(target, tree, onEntry));
    const memoryBytes = target.memoryBytes();
    const counters = target.counters?.();
    if (damagePath !== undefined) damage(target, damagePath);
    const snapshot = target.snapshot?.();
    const mismatches = stage(`${target.name}: compare`, total, (onEntry) => compareTree(target, tree, onEntry));
    if (snapshot !== undefined) {
      const { restored } = snapshot;
      mismatches.push(...stage(`${restored.name}: compare`, total, (onEntry) => compareTree(restored, tree, onEntry)));
      restored.destroy();
    }
    const walkSeconds = timed("walk and stat", (onEntry) => walkAndStat(target, onEntry));
    const readSeconds = timed("read all", (onEntry) => readAll(target, tree, onEntry));
    target.clear();
    const loadAgainSeconds = timed("load again", (onEntry) => loadTree(target, tree, onEntry));
    return {
      name: target.name,
      loadSeconds,
      loadAgainSeconds,
      walkSeconds,
      readSeconds,
      snapshotSeconds: snapshot?.snapshotSeconds,
      restoreSeconds: snapshot?.restoreSeconds,
      snapshotBytes: snapshot?.bytes,
      memoryBytes,
      timeResolutionNs: target.timeResolutionNs,
      counters,
      mismatches,
    };
  } finally {
    target.destroy();
  }
}
