/**
 * What a contender of the bench is: something that makes file systems with the shape of `node:fs`.
 *
 * Rows see a `Subject` only, and so cannot treat contenders differently.
 */
import type nodeFs from "node:fs";

/** The synchronous calls that the rows make. */
export type BenchFs = Pick<
  typeof nodeFs,
  | "closeSync"
  | "existsSync"
  | "fstatSync"
  | "ftruncateSync"
  | "linkSync"
  | "lstatSync"
  | "mkdirSync"
  | "openSync"
  | "readFileSync"
  | "readSync"
  | "readdirSync"
  | "renameSync"
  | "rmSync"
  | "rmdirSync"
  | "statSync"
  | "unlinkSync"
  | "writeFileSync"
  | "writeSync"
>;

/** One empty file system, made for one trial. */
export interface Subject {
  readonly fs: BenchFs;
  /** Path of an empty directory without a trailing slash; "" stands for the root itself. */
  readonly root: string;
  /** What foliofs alone can do. */
  readonly machine?: Machine;
  /**
   * Mounts a folder of the host. Missing: the subject is one. @param folder made by the caller @param data mount options
   * @returns the place it is mounted at
   */
  mountHost?(folder: string, data: string): string;
  /** Brings what is written by mountHost() to the host. Missing: it is there. */
  syncHost?(): void;
  /** Frees everything; the subject is dead afterwards. */
  dispose(): void;
}

/** The calls on a whole file system. */
export interface Machine {
  snapshot(): Uint8Array;
  restore(bytes: Uint8Array): Subject;
  fork(): Subject;
  /** Counters by name. */
  vmstat(): Record<string, number>;
}

export type ContenderName = "foliofs" | "memfs" | "zenfs" | "tmpfs" | "node:vfs";

export interface Contender {
  readonly name: ContenderName;
  /** Version, entry file or path: what exactly is measured. */
  readonly origin: string;
  /** @param isOwn whether it must have memory of its own; otherwise it may be a directory of a larger file system */
  create(isOwn: boolean): Subject;
}

/** A contender that takes part. */
export type Present = Pick<Contender, "name" | "origin">;

/** Why a contender is not in the run, in a sentence. */
export interface Absent {
  readonly name: ContenderName;
  readonly reason: string;
}
