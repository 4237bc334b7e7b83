/**
 * Lazy files and their attributes: read by pages, as other files with a store; what has been invalidated is asked for first.
 *
 * Does not own: pages (lazy-pages.ts), sizes (lazy-inode.ts).
 */
import { EINVAL, ENODEV, ENOENT, ENXIO, EROFS } from "../../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle } from "../../base/handles.ts";
import { SEEK_DATA, SEEK_HOLE } from "../../base/stat-flags.ts";
import { utf8Decoder, utf8Encoder } from "../../base/utf8.ts";
import type { FileOperations, InodeOperations } from "../../vfs/fs-type.ts";
import { Dentry, Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { STAT_BLOCKS, STAT_SIZE } from "../../vfs/syscalls.ts";
import { RESULT } from "../../wasm/core.ts";
import { RESULT_STAT } from "../../wasm/layout.ts";
import { noopFsync } from "../libfs.ts";
import { storedFileOperations } from "../stored-files.ts";
import { instantiate, type LazyInode, refresh } from "./lazy-inode.ts";
import { findEntry } from "./lazy-list.ts";
import { childPath, mountOf } from "./lazy-mount.ts";
import { getLink, lazyPages, loadToEnd } from "./lazy-pages.ts";

const BLOCK_BYTES = 512;
/** Where the core has the attributes that a call answers, in `f64`. */
const STATS = RESULT + RESULT_STAT;

const stored = storedFileOperations(lazyPages);

/** Asks anew what an open file is, where that may have changed. @returns as refresh() */
function refreshFile(kernel: Kernel, file: FileHandle): number {
  const { handle } = Inode.ofFile(kernel, file);
  const mount = mountOf(kernel, handle);
  return mount.nrStale === 0 ? 0 : refresh(kernel, mount, handle, mount.inodes.get(handle) as LazyInode);
}

/** Is the size of an open file known? */
function isSizeKnown(kernel: Kernel, file: FileHandle): boolean {
  const { handle } = Inode.ofFile(kernel, file);
  return mountOf(kernel, handle).inodes.get(handle)?.isSizeKnown === true;
}

/** Files have no holes that are known. */
function llseek(kernel: Kernel, file: FileHandle, offset: number, whence: number): number {
  if ((whence !== SEEK_DATA && whence !== SEEK_HOLE) || !isSizeKnown(kernel, file)) return -EINVAL;
  const { size } = Inode.ofFile(kernel, file);
  if (offset < 0 || offset >= size) return -ENXIO;
  return whence === SEEK_DATA ? offset : size;
}

export const lazyFileOperations: FileOperations = {
  read: (kernel, file, ...args) => refreshFile(kernel, file) || stored.read(kernel, file, ...args),
  readv: (kernel, file, ...args) => refreshFile(kernel, file) || stored.readv(kernel, file, ...args),
  preadv2: (kernel, file, ...args) => stored.preadv2(kernel, file, ...args),
  fadvise: (kernel, file, ...args) => stored.fadvise(kernel, file, ...args),
  // A mapping has the size that the file has when it is made, as far as programs know.
  mmap: (kernel, file, isWritten) => (isSizeKnown(kernel, file) ? stored.mmap(kernel, file, isWritten) : -ENODEV),
  llseek,
  fsync: noopFsync,
};

/** What is not known of a size is shown as 0, as proc does. */
function getattr(kernel: Kernel, handle: InodeHandle): number {
  const mount = mountOf(kernel, handle);
  const state = mount.inodes.get(handle) as LazyInode;
  const isAsked = state.isStale || (mount.statLoads && !state.isSizeKnown);
  const rc = refresh(kernel, mount, handle, state) || (mount.statLoads ? loadToEnd(kernel, handle, state) : 0);
  if (rc < 0) return rc;
  const { core } = kernel;
  if (isAsked) core.x.statInode(handle); // other calls, perhaps, have used the place of the answer, and memory has grown
  const size = state.isSizeKnown ? new Inode(kernel, handle).size : 0;
  core.f64[STATS + STAT_SIZE] = size;
  core.f64[STATS + STAT_BLOCKS] = Math.ceil(size / BLOCK_BYTES);
  return 0;
}

/** A name that is not there stays known to be missing until its directory, or the name itself, is invalidated. */
function lookup(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
  const mount = mountOf(kernel, dir);
  const state = mount.inodes.get(dir) as LazyInode;
  const refused = refresh(kernel, mount, dir, state);
  if (refused < 0) return refused;
  const bytes = new Dentry(kernel, dentry).name;
  const name = utf8Decoder.decode(bytes);
  // Names of trees are text: what is none names nothing.
  if (name.includes("\ufffd") && !isSame(utf8Encoder.encode(name), bytes)) return 0;
  const entry = findEntry(kernel, mount, state.path, state.entry, name);
  if (typeof entry === "number") return entry === -ENOENT ? 0 : entry;
  return instantiate(kernel, kernel.sbOf(dir), dentry, childPath(state.path, entry), entry);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Nothing of a tree is changed here. */
const setattr = (): number => -EROFS;

export const fileInodeOperations: InodeOperations = { getattr, setattr };
export const directoryInodeOperations: InodeOperations = { getattr, setattr, lookup };
export const symlinkInodeOperations: InodeOperations = { getattr, setattr, getLink };
