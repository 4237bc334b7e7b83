/**
 * The type of a face: Node's own where the program has Node's types, so that a face goes wherever node:fs goes; else the
 * declarations in face/. The calls beyond Node come on top of either.
 */
import type { PathLike } from "./face/arguments.ts";
import type { CallbackFace } from "./face/callbacks.ts";
import type { ClassFace } from "./face/classes.ts";
import type { DirectoryJson, NestedDirectoryJson } from "./face/directory-json.ts";
import type { IfNode, NodeModule, NodePromises } from "./face/node-types.ts";
import type { PromiseFace } from "./face/promises.ts";
import type { StreamFace } from "./face/streams.ts";
import type { SyncFace } from "./face/sync.ts";
import type { TreeFace, TreePromises } from "./face/trees.ts";
import type { WatchFace, WatchPromises } from "./face/watch.ts";

/** Options of utimensSync. */
export interface UtimensOptions {
  /** false: the times of a link itself. Default true. */
  followSymlinks?: boolean;
}

/** Nanoseconds since the epoch, the present, or no change. */
export type Timespec = bigint | "now" | "omit";

/** Calls of Linux and of memfs that Node does not have. */
export interface BeyondNode {
  /** Makes a file, fifo, socket or device node. @param mode type and permissions */
  mknodSync(path: PathLike, mode: number | string, dev?: number): void;
  /** Sets times to the nanosecond. @see utimensat(2) */
  utimensSync(path: PathLike, atime: Timespec, mtime: Timespec, options?: UtimensOptions): void;
  /** Allocates, punches or zeroes a range. @param mode FALLOC_FL_* @see fallocate(2) */
  fallocateSync(fd: number, mode: number, offset: number, len: number): void;
  /** Moves the position of an open file. @returns the new one, bytes @see lseek(2) */
  lseekSync(fd: number, offset: number, whence: number): number;
  /** Renames, refuses to replace, or exchanges. @param flags RENAME_* @see renameat2(2) */
  renameat2Sync(oldPath: PathLike, newPath: PathLike, flags?: number): void;
  /** Copies within the file system; null positions use and move the files' own. @returns bytes copied */
  copyFileRangeSync(
    fdIn: number,
    positionIn: number | null,
    fdOut: number,
    positionOut: number | null,
    length: number,
  ): number;
  /** Writes back everything. @see sync(2) */
  syncSync(): void;
  /** Takes or gives up an advisory lock on an open file. @param operation LOCK_* @see flock(2) */
  flockSync(fd: number, operation: number): void;
  /** Makes files and directories from an object, as memfs does; objects in it are directories. */
  fromJSON(json: NestedDirectoryJson | null, cwd?: string): void;
  /** Files as an object, as memfs does. */
  toJSON(
    paths?: PathLike | readonly PathLike[],
    json?: DirectoryJson,
    isRelative?: boolean,
    asBuffer?: boolean,
  ): DirectoryJson;
  /** Removes everything, as memfs does. */
  reset(): void;
}

/** What Node has at run time beside its types. */
export interface Untyped {
  readonly F_OK: number;
  readonly R_OK: number;
  readonly W_OK: number;
  readonly X_OK: number;
  readonly lchmod: undefined;
  readonly lchmodSync: undefined;
  _toUnixTimestamp(time: string | number | Date, name?: string): number;
}

/** node:fs as far as a face has it, `promises` apart. */
export type DeclaredFace = SyncFace &
  CallbackFace &
  StreamFace &
  TreeFace &
  WatchFace &
  ClassFace &
  Untyped & { readonly constants: PromiseFace["constants"] };

/** What a type has that another, older one, has not yet. */
type Missing<Newer, Older> = Omit<Newer, keyof Older>;

type DeclaredPromises = PromiseFace & TreePromises & WatchPromises;

/** `fs.promises` of a face. */
export type NodeFsPromises = IfNode<NodePromises & Missing<DeclaredPromises, NodePromises>, DeclaredPromises>;

/** The type of a face. */
export type NodeFs = IfNode<NodeModule & Missing<DeclaredFace, NodeModule>, DeclaredFace> &
  BeyondNode & { readonly promises: NodeFsPromises };
