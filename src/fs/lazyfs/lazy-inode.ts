/**
 * Inodes of lazyfs: one for each path that somebody has walked to, with the number that a hash of the path gives.
 *
 * A file of unknown size has a record that says it is as long as can be, so that readers go on; what is shown is 0. The size is
 * known when an answer of the tree has ended before the range that was asked for.
 *
 * Does not own: how bytes come (lazy-pages.ts), what a tree says (lazy-list.ts).
 */
import { ENOENT, ESTALE } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import { truncatePagecacheRange } from "../../mm/truncate.ts";
import { dSpliceAlias, iget, removeInodeHash } from "../../vfs/iget.ts";
import { Inode } from "../../vfs/inode.ts";
import { setTimeMs } from "../../vfs/inode-time.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import { type Entry, MAX_FILE_BYTES } from "./lazy-entry.ts";
import { resolve } from "./lazy-list.ts";
import { type LazyMount, mountOf } from "./lazy-mount.ts";

/** Kinds of inodes: indexes into the type's tables. */
export const FILE = 0;
export const DIRECTORY = 1;
export const SYMLINK = 2;

/** The number of the root. */
export const ROOT_INO = 1;
/** Size of a record that must not end anywhere: beyond all sizes that files can have. */
export const UNKNOWN_BYTES = MAX_FILE_BYTES * 2;

/** What JavaScript knows of an inode. */
export interface LazyInode {
  /** In the mount; "" is the root's. */
  readonly path: string;
  entry: Entry;
  /** Something may have changed: to be asked anew. */
  isStale: boolean;
  /** Of the content: what was asked before it changed does not count. */
  version: number;
  /** Is the record's size that of the file? */
  isSizeKnown: boolean;
  /** Of a file of unknown size: bytes from the start that are known to be there. */
  known: number;
  /** Why the last load has failed, 0 = it has not; undefined = nobody loads it to its end. */
  failure: number | undefined;
  /** Where a symbolic link leads, if that has been loaded. */
  target: Uint8Array | undefined;
  /** The whole file on its way. */
  loading: Promise<Uint8Array | number> | undefined;
}

/** The state of an inode that is new. */
export function newState(path: string, entry: Entry): LazyInode {
  const isSizeKnown = entry.size !== undefined || (entry.mode & S_IFMT) !== S_IFREG;
  return {
    path,
    entry,
    isStale: false,
    version: 0,
    isSizeKnown,
    known: 0,
    failure: undefined,
    target: undefined,
    loading: undefined,
  };
}

function kindOf(mode: number): number {
  const type = mode & S_IFMT;
  return type === S_IFDIR ? DIRECTORY : type === S_IFLNK ? SYMLINK : FILE;
}

/** FNV-1a, 32 bits. */
function fnv(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The number of a path, 2 to 2^53 - 1. Two paths may have the same. */
function inoOf(path: string): number {
  const high = fnv(path, 0x811c9dc5) & 0x1fffff;
  return Math.max(ROOT_INO + 1, high * 2 ** 32 + fnv(path, 0xc59d1c81));
}

/** Fills an inode of which the state is known. @returns 0 */
export function readInode({ kernel }: SuperBlock, handle: InodeHandle): number {
  const mount = mountOf(kernel, handle);
  const state = mount.inodes.get(handle) as LazyInode;
  const inode = new Inode(kernel, handle);
  inode.kind = kindOf(state.entry.mode);
  inode.nlink = 1; // of directories too, as where nobody counts those below
  writeAttributes(mount, inode, state);
  return 0;
}

function writeAttributes(
  { mountedMs }: LazyMount,
  inode: Inode,
  { entry, isSizeKnown, known, target }: LazyInode,
): void {
  if (inode.mode !== entry.mode) inode.mode = entry.mode;
  if (inode.uid !== entry.uid) inode.uid = entry.uid;
  if (inode.gid !== entry.gid) inode.gid = entry.gid;
  inode.size = isSizeKnown ? (entry.size ?? (entry.target ?? target)?.length ?? known) : UNKNOWN_BYTES;
  const ms = entry.mtimeMs ?? mountedMs;
  for (const which of ["atime", "mtime", "ctime", "btime"] as const) setTimeMs(inode, which, ms);
}

/** Makes a dentry stand for an entry: by the inode of its path, which may be known already. @returns 0; as iget() */
export function instantiate(kernel: Kernel, sb: SuperBlock, dentry: DentryHandle, path: string, entry: Entry): number {
  const { inodes } = kernel.fsInfo.get(sb.handle) as LazyMount;
  const inode = iget(
    sb,
    inoOf(path),
    (known) => inodes.get(known)?.path === path,
    (made) => void inodes.set(made, newState(path, entry)),
  ) as InodeHandle;
  if (inode < 0) return inode;
  const state = inodes.get(inode) as LazyInode;
  if ((state.entry.mode & S_IFMT) !== (entry.mode & S_IFMT)) {
    removeInodeHash(kernel, inode); // who has the other one open keeps it
    kernel.core.x.iput(inode);
    kernel.evictInodes();
    return instantiate(kernel, sb, dentry, path, entry);
  }
  takeEntry(kernel, inode, state, entry);
  dSpliceAlias(kernel, inode, dentry);
  return 0;
}

/** A tree has said what a path leads to, perhaps not for the first time. */
function takeEntry(kernel: Kernel, handle: InodeHandle, state: LazyInode, entry: Entry): void {
  const mount = mountOf(kernel, handle);
  const before = state.entry;
  if (state.isStale) {
    state.isStale = false;
    mount.nrStale--;
  }
  if (before === entry) return;
  state.entry = entry;
  if (before.size !== entry.size || before.mtimeMs !== entry.mtimeMs) forgetContent(kernel, mount, handle, state);
  writeAttributes(mount, new Inode(kernel, handle), state);
}

/** What is cached of a file may be wrong. */
export function forgetContent(kernel: Kernel, mount: LazyMount, handle: InodeHandle, state: LazyInode): void {
  state.version++;
  state.loading = undefined;
  state.target = undefined;
  mount.wholes.delete(state);
  truncatePagecacheRange(kernel, kernel.tableOf(handle).mapping, handle, 0, Number.POSITIVE_INFINITY);
  if ((state.entry.mode & S_IFMT) !== S_IFREG) return;
  state.known = 0;
  state.isSizeKnown = state.entry.size !== undefined;
  new Inode(kernel, handle).size = state.entry.size ?? UNKNOWN_BYTES;
}

/** Asks anew what an inode in use stands for, where that may have changed. @returns 0; -ESTALE when it is no more; as askTree() */
export function refresh(kernel: Kernel, mount: LazyMount, handle: InodeHandle, state: LazyInode): number {
  if (!state.isStale) return 0;
  const entry = resolve(kernel, mount, state.path);
  if (typeof entry === "number") return entry === -ENOENT ? -ESTALE : entry;
  if ((entry.mode & S_IFMT) !== (state.entry.mode & S_IFMT)) return -ESTALE;
  takeEntry(kernel, handle, state, entry);
  return 0;
}

/** The size of a file has turned out. @returns false for a size that cannot be */
export function learnSize(
  kernel: Kernel,
  handle: InodeHandle,
  state: LazyInode,
  from: number,
  to: number,
  wanted: number,
): boolean {
  const inode = new Inode(kernel, handle);
  if (to > inode.size) return false; // it has ended before
  if (to - from < wanted && to < state.known) return false; // it goes on, as is known
  // Bytes from the first on are there where bytes behind them are, but only what has been given counts for the end.
  if (to > from || from === 0) state.known = Math.max(state.known, to);
  if (to - from < wanted) inode.size = to;
  if (inode.size === state.known) state.isSizeKnown = true;
  return true;
}
