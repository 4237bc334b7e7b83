/**
 * How fast foliofs must be and should be, as ratios in the same run: the two columns of issue 2, section 6, as data.
 *
 * A ratio is the time of the other divided by ours. The table is for Node 20 and recycled frames; the lines about the
 * bare loop and about "no row below" hold on every Node, the mean against node:vfs where there is one.
 */
import type { Column } from "./results.ts";

export interface Goal {
  readonly of: Column;
  /** "Must hold". */
  readonly must: number;
  readonly wanted: number;
}

/** [must hold, wanted] against memfs, then against tmpfs. */
type Pair = readonly [must: number, wanted: number];
type RatioTarget = { readonly memfs: Pair; readonly tmpfs: Pair };

const LOOKUP: RatioTarget = { memfs: [10, 18], tmpfs: [8, 12] };
const PREAD_4K: RatioTarget = { memfs: [2, 2.5], tmpfs: [2.4, 3] };
const NEW_1K: RatioTarget = { memfs: [8, 12], tmpfs: [5, 8] };
const READ_1K: RatioTarget = { memfs: [6, 9], tmpfs: [5, 7] };
const NAME: RatioTarget = { memfs: [6, 12], tmpfs: [6, 10] };

/** By row. The readdir lines are read as being about plain readdir: Dirents are made anew for every caller. */
const RATIOS: Readonly<Record<string, RatioTarget>> = {
  "pread-16": { memfs: [4.5, 6], tmpfs: [5, 7] },
  "append-16": { memfs: [4, 6], tmpfs: [4.5, 6] },
  "pread-4k-seq": PREAD_4K,
  "pread-4k-random": PREAD_4K,
  "overwrite-4k": { memfs: [1.6, 2], tmpfs: [2, 2.3] },
  "append-4k": { memfs: [5, 8], tmpfs: [2.7, 3.5] },
  "read-1m": { memfs: [0.95, 1], tmpfs: [1.5, 1.8] },
  "write-1m": { memfs: [1.6, 2], tmpfs: [1.8, 2.5] },
  "stat-2": LOOKUP,
  "stat-10": LOOKUP,
  "open-close": LOOKUP,
  "exists-miss": LOOKUP,
  "writefile-new-1k-bytes": NEW_1K,
  "writefile-new-1k-utf8": NEW_1K,
  "readfile-1k-bytes": READ_1K,
  "readfile-1k-utf8": READ_1K,
  rename: NAME,
  unlink: NAME,
  "readdir-first": { memfs: [6, 12], tmpfs: [4, 9] },
  "readdir-again": { memfs: [100, 400], tmpfs: [100, 300] },
};

/** A folder of the host against node:fs on one: issue 13, "What must hold" 3. They hold on every Node. */
const ON_HOST: Readonly<Record<string, Goal>> = {
  "host-read-64k": { of: "tmpfs", must: 2, wanted: 2 },
  "host-read-4k": { of: "tmpfs", must: 2, wanted: 2 },
  "host-stat": { of: "tmpfs", must: 5, wanted: 5 },
  "host-readfile-1k": { of: "tmpfs", must: 4, wanted: 4 },
  "host-readfile-1k-ttl0": { of: "tmpfs", must: 1.3, wanted: 1.3 },
  "host-write-1k": { of: "tmpfs", must: 0.6, wanted: 0.6 },
  "host-cold-256m": { of: "bare", must: 0.8, wanted: 0.8 },
};

/** Of the speed of the bare loop over the same addresses. */
const BARE_4K: Pair = [0.65, 0.8];
const BARE_64K: Pair = [0.9, 0.9];
const BARE_1M: Pair = [0.95, 0.95];
export const UNTOUCHED_OF_BARE = 0.85;
const BARE_UNTOUCHED: Pair = [UNTOUCHED_OF_BARE, UNTOUCHED_OF_BARE];
const BARE: Readonly<Record<string, Pair>> = {
  "pread-4k-seq": BARE_4K,
  "pread-4k-random": BARE_4K,
  "overwrite-4k": BARE_4K,
  "read-64k": BARE_64K,
  "write-64k": BARE_64K,
  "read-1m": BARE_1M,
  "write-1m": BARE_1M,
  "overwrite-4k-untouched": BARE_UNTOUCHED,
  "append-4k-untouched": BARE_UNTOUCHED,
  "write-64k-untouched": BARE_UNTOUCHED,
  "write-1m-untouched": BARE_UNTOUCHED,
};

/**
 * "No row below 0.9 of any contender". Beyond anybody's reach on untouched memory where even the bare loop is slower
 * than that: the kernel fills its own fresh pages without page faults. verdict.ts lowers the goal there.
 */
const LEAST_RATIO = 0.9;
/** node:vfs keeps a directory's names as a Map that needs no sorting: the first readdir may lose against it. */
const MAY_LOSE: Readonly<Record<string, Column>> = { "readdir-first": "node:vfs", "readdir-first-types": "node:vfs" };

const PEERS = ["memfs", "tmpfs", "zenfs", "node:vfs"] as const;
const MEANS_NODE_20: readonly Goal[] = [
  { of: "memfs", must: 6, wanted: 10 },
  { of: "tmpfs", must: 5, wanted: 7 },
];
const MEAN_NODE_VFS: Goal = { of: "node:vfs", must: 4, wanted: 4 };

/** The goals of a row. @param nodeMajor version of Node that it ran on */
export function goalsOf(rowId: string, nodeMajor: number): Goal[] {
  if (Object.hasOwn(ON_HOST, rowId)) return [ON_HOST[rowId]];
  const ratios = nodeMajor === 20 ? RATIOS[rowId] : undefined;
  const goals: Goal[] = PEERS.filter((peer) => MAY_LOSE[rowId] !== peer).map((of) => {
    const pair = of === "memfs" || of === "tmpfs" ? ratios?.[of] : undefined;
    return goal(of, pair ?? [LEAST_RATIO, LEAST_RATIO]);
  });
  return Object.hasOwn(BARE, rowId) ? [...goals, goal("bare", BARE[rowId])] : goals;
}

/** The goals of the geometric means. */
export function meanGoals(nodeMajor: number): Goal[] {
  return nodeMajor === 20 ? [...MEANS_NODE_20] : [MEAN_NODE_VFS];
}

function goal(of: Column, [must, wanted]: Pair): Goal {
  return { of, must, wanted };
}
