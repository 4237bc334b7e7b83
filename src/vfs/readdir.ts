/**
 * Names of directories, and targets of symbolic links.
 *
 * The core packs names into a buffer of a few frames (assembly/fs/readdir.ts); one decode and one split make strings of
 * thousands of them. Listings are kept per directory with the version of what they show, and dropped at will.
 *
 * Does not own: Dirents and encodings (node/), the order and packing of names (assembly/).
 */
import { EINVAL, ENOENT, ENOTDIR } from "../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle } from "../base/handles.ts";
import { S_IFLNK, S_IFMT } from "../base/stat-flags.ts";
import { utf8Decoder, utf8Encoder } from "../base/utf8.ts";
import { isUint8Array } from "../base/views.ts";
import { type Core, PATH_B } from "../wasm/core.ts";
import {
  I_DEAD,
  I_SYMLINK_BODY,
  INODE_GENERATION,
  INODE_MODE,
  INODE_PRIVATE0,
  INODE_PRIVATE1,
  INODE_STATE,
  INODE_VERSION,
  LOOKUP_DIRECTORY,
  LOOKUP_FOLLOW,
  MAY_READ,
  MOUNT_FLAGS,
  PAGE_SIZE,
  PATH_MAX,
  RESULT_EXTRA,
  RESULT_LENGTH,
} from "../wasm/layout.ts";
import { decodeAscii, decodeUtf8 } from "../wasm/path-buffer.ts";
import { fdget, inodeOfFile } from "./attr.ts";
import type { Kernel } from "./kernel.ts";
import { inodeOf, inodePermission, ndDentry, ndMount, walk } from "./namei.ts";
import type { DirListing, Path } from "./syscalls.ts";
import type { Task } from "./task.ts";

/** Frames of the buffer that names are packed into: 2^5, 128 KiB. */
const BUFFER_ORDER = 5;
/** Directories whose listings are kept. */
const KEPT_LISTINGS = 64;
/** Names that they have at most, all together. */
const KEPT_NAMES = 2 ** 18;

interface Kept {
  generation: number;
  version: number;
  listing: Listing;
}
/** Listings by directory, oldest first. */
export type DirCache = Map<InodeHandle, Kept>;

/** An empty cache. */
export function newDirCache(): DirCache {
  return new Map();
}

class Listing implements DirListing {
  names: string[] = [];
  types: Uint8Array = new Uint8Array(0);
  /** The names piece by piece: as text where they are ASCII, else packed, a NUL behind each. */
  readonly #pieces: (string[] | Uint8Array)[] = [];

  rawNames(): Uint8Array[] {
    return this.#pieces.flatMap((piece) =>
      isUint8Array(piece) ? splitAtNul(piece) : piece.map((name) => utf8Encoder.encode(name)),
    );
  }

  /** Takes `nr` names that the core has packed into a buffer. */
  add(core: Core, buffer: number, bytes: number, nr: number): void {
    const length = core.result(RESULT_LENGTH);
    const isAscii = core.result(RESULT_EXTRA) === 1;
    const names = (isAscii ? decodeAscii : decodeUtf8)(core, buffer, length - 1).split("\0");
    this.#pieces.push(isAscii ? names : core.u8.slice(buffer, buffer + length));
    const typesAt = this.names.length;
    this.names = typesAt === 0 ? names : this.names.concat(names);
    const added = core.u8.slice(buffer + bytes - nr, buffer + bytes).reverse();
    if (typesAt === 0) this.types = added;
    else {
      const types = new Uint8Array(typesAt + nr);
      types.set(this.types);
      types.set(added, typesAt);
      this.types = types;
    }
  }

  /** Entries of a file system that lists its own. */
  static of(entries: readonly Entry[]): Listing {
    const listing = new Listing();
    for (const { bytes } of entries) {
      listing.names.push(utf8Decoder.decode(bytes));
      listing.#pieces.push(Uint8Array.of(...bytes, 0));
    }
    listing.types = Uint8Array.from(entries, ({ type }) => type);
    return listing;
  }
}

/** What iterate() has given: the name as bytes. */
interface Entry {
  bytes: Uint8Array;
  type: number;
}

function entryOf(name: string | Uint8Array, type: number): Entry {
  return { bytes: typeof name === "string" ? utf8Encoder.encode(name) : name.slice(), type };
}

function splitAtNul(packed: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let start = 0; start < packed.length; ) {
    const end = packed.indexOf(0, start);
    names.push(packed.slice(start, end));
    start = end + 1;
  }
  return names;
}

/** All entries, sorted bytewise. @returns errors of the walk, -ENOTDIR, -EACCES */
export function readdir(task: Task, path: Path): DirListing | number {
  const { kernel } = task;
  const { core } = kernel;
  const found = walk(task, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
  if (found < 0) return found;
  const dentry = ndDentry(core);
  const inode = inodeOf(core, dentry);
  const denied = inodePermission(kernel, inode, MAY_READ);
  if (denied) return denied;
  const mntFlags = core.u32[(ndMount(core) << 3) + MOUNT_FLAGS];
  const isOwn = kernel.tableOf(inode).file.iterate !== undefined;
  if (isOwn) core.x.dget(dentry); // a file system that walks meanwhile, and needs memory, must not free what is read
  const listing = isOwn ? iterate(kernel, inode) : cachedListing(kernel, dentry, inode);
  if (typeof listing !== "number") core.x.inodeAccessed(inode, mntFlags);
  if (isOwn) core.x.dput(dentry);
  return listing;
}

function cachedListing(kernel: Kernel, dentry: DentryHandle, inode: InodeHandle): DirListing {
  const { core, dirCache } = kernel;
  const generation = core.u32[(inode << 3) + INODE_GENERATION];
  const version = core.u32[(inode << 3) + INODE_VERSION];
  const kept = dirCache.get(inode);
  if (kept && kept.generation === generation && kept.version === version) return kept.listing;
  const listing = new Listing();
  withBuffer(core, (buffer, bytes) => {
    const isListed = core.x.readdirSorted(dentry);
    for (let nr = core.x.packNames(buffer, bytes); nr > 0; nr = core.x.packNames(buffer, bytes)) {
      listing.add(core, buffer, bytes, nr);
    }
    if (isListed) core.x.readdirEnd(dentry);
  });
  dirCache.delete(inode);
  dirCache.set(inode, { generation, version, listing });
  trim(dirCache);
  return listing;
}

/** The oldest listings go, until the others are few and short enough: memory outside of the core's has its limit, too. */
function trim(dirCache: DirCache): void {
  let nr = 0;
  for (const { listing } of dirCache.values()) nr += listing.names.length;
  for (const [dir, { listing }] of dirCache) {
    if (dirCache.size <= KEPT_LISTINGS && nr <= KEPT_NAMES) return;
    nr -= listing.names.length;
    dirCache.delete(dir);
  }
}

/** Lends `use` a buffer: frames, or where memory is full what is there for second paths, which no listing has. */
function withBuffer({ x }: Core, use: (address: number, bytes: number) => void): void {
  const pfn = x.allocBuffer(BUFFER_ORDER);
  if (pfn === 0) use(PATH_B, PATH_MAX);
  else {
    use(pfn * PAGE_SIZE, PAGE_SIZE << BUFFER_ORDER);
    x.freePages(pfn, 1 << BUFFER_ORDER);
  }
}

/** Entries of a file system that lists its own, sorted bytewise. */
function iterate(kernel: Kernel, inode: InodeHandle): DirListing | number {
  const entries: Entry[] = [];
  const rc = kernel.tableOf(inode).file.iterate?.(kernel, inode, (name, type) => {
    entries.push(entryOf(name, type));
    return true;
  });
  if (rc !== undefined && rc < 0) return rc;
  entries.sort((a, b) => compareBytes(a.bytes, b.bytes));
  return Listing.of(entries);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const both = Math.min(a.length, b.length);
  for (let i = 0; i < both; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** The next entries of an open directory, newest first. @returns an empty listing at the end; -EBADF, -ENOTDIR, -ENOENT (it has been removed) */
export function getdents(task: Task, fd: number, nrEntries: number): DirListing | number {
  const { kernel } = task;
  const { core } = kernel;
  task.enter();
  const file = fdget(task, fd);
  if (!file) return task.files.missing(fd);
  const inode = inodeOfFile(core, file);
  if (!core.x.isDirectory(inode)) return -ENOTDIR;
  if (core.u32[(inode << 3) + INODE_STATE] & I_DEAD) return -ENOENT;
  if (kernel.tableOf(inode).file.iterate) return iterateNext(kernel, file, inode, nrEntries);
  const listing = new Listing();
  withBuffer(core, (buffer, bytes) => {
    const nr = core.x.readdirNext(file, buffer, bytes, nrEntries);
    if (nr > 0) listing.add(core, buffer, bytes, nr);
  });
  core.x.accessed(file);
  return listing;
}

/** As getdents(), for a file system that lists its own: the file's position counts entries. */
function iterateNext(kernel: Kernel, file: FileHandle, inode: InodeHandle, nrEntries: number): DirListing | number {
  const entries: Entry[] = [];
  const start = kernel.core.filePos(file);
  const { file: operations } = kernel.tableOf(inode);
  let at = operations.iteratesOn ? start : 0;
  const rc = operations.iterate?.(
    kernel,
    inode,
    (name, type) => {
      if (at++ >= start) entries.push(entryOf(name, type));
      return at < start + nrEntries;
    },
    file,
  );
  if (rc !== undefined && rc < 0) return rc;
  kernel.core.setFilePos(file, start + entries.length);
  return Listing.of(entries);
}

/** @returns the target: a view of memory, valid until the next call; errors of the walk; -EINVAL (no symbolic link) */
export function readlink(task: Task, path: Path): Uint8Array | number {
  const { kernel } = task;
  const { core } = kernel;
  const found = walk(task, path, 0);
  if (found < 0) return found;
  const inode = inodeOf(core, ndDentry(core));
  const at = inode << 3;
  if ((core.u32[at + INODE_MODE] & S_IFMT) !== S_IFLNK) return -EINVAL;
  core.x.inodeAccessed(inode, core.u32[(ndMount(core) << 3) + MOUNT_FLAGS]);
  if (core.u32[at + INODE_STATE] & I_SYMLINK_BODY) {
    const body = core.u32[at + INODE_PRIVATE0];
    return core.u8.subarray(body, body + core.u32[at + INODE_PRIVATE1]);
  }
  return kernel.tableOf(inode).inode.getLink?.(kernel, inode) ?? -EINVAL;
}
