/**
 * A file system that the main job loads a tree into: foliofs, memfs or the host's tmpfs, all by the calls of node:fs.
 */
import type * as nodeFs from "node:fs";

/** The calls that loading, walking and reading need. */
export type TreeFs = Pick<
  typeof nodeFs,
  | "chmodSync"
  | "linkSync"
  | "lstatSync"
  | "mkdirSync"
  | "readFileSync"
  | "readdirSync"
  | "readlinkSync"
  | "symlinkSync"
  | "writeFileSync"
>;

/** Where a tree is loaded, walked, read and compared. */
export interface TreePlace {
  readonly fs: TreeFs;
  /** Folder that becomes the root of the tree; exists and is empty. */
  readonly root: string;
  /** Whether symbolic links have the mode they have on the host; where not, it is not compared. */
  readonly keepsLinkModes: boolean;
  /** What the target's calls can set a time to, in nanoseconds: times are compared as far as this. */
  readonly timeResolutionNs: bigint;
  /** Sets both times of a name, not following a symbolic link. */
  setTimes(path: string, atimeNs: bigint, mtimeNs: bigint): void;
}

/** A file system to load, with what the report says of it. */
export interface Target extends TreePlace {
  readonly name: string;
  /** Bytes of memory that the loaded tree takes. */
  memoryBytes(): number;
  /** All of it as bytes, where the target can do that. */
  snapshot?(): Uint8Array;
  /** The file system that a snapshot is of, to be compared like the first. */
  restore?(bytes: Uint8Array): Target;
  /** Counters of the page cache. */
  counters?(): ReadonlyMap<string, number>;
  /** Removes the tree, so that it can be loaded again; the target keeps its memory if that is its way. */
  clear(): void;
  /** Frees what the target holds. */
  destroy(): void;
}

/** Why a target cannot be used here, for the table. */
export interface Skip {
  readonly name: string;
  readonly reason: string;
}

/** Tells a target, or its result, from the reason why there is none. */
export function isSkip<T extends object>(outcome: T | Skip): outcome is Skip {
  return "reason" in outcome;
}
