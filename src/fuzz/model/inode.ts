/**
 * Inodes of the model: regular files, directories and symbolic links. There is nothing else that node:fs can make.
 *
 * Names and targets are bytes, one character of latin1 each.
 */
import { O_NOATIME, S_IFDIR, S_IFMT, S_ISGID } from "../../base/stat-flags.ts";
import type { Credentials } from "./credentials.ts";
import type { LockKind } from "./lock.ts";
import type { Mark } from "./notify.ts";
import type { OpenFile } from "./open.ts";
import { SparseData } from "./sparse-data.ts";

/** What tmpfs counts a name in a directory for, `.` and `..` among these. @see Linux mm/shmem.c BOGO_DIRENT_SIZE */
const NAME_BYTES = 20;
/** Targets with their 0 that are longer take a page. @see Linux mm/shmem.c SHORT_SYMLINK_LEN */
const SHORT_TARGET_BYTES = 128;
const BLOCKS_A_PAGE = 8;
const DAY_MS = 86_400_000;

/** Who and what a new inode is. */
export interface Birth {
  readonly ino: number;
  /** Type and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

abstract class AnyInode {
  readonly ino: number;
  /** Type and permissions. */
  mode: number;
  uid: number;
  gid: number;
  nlink = 1;
  /** Who watches it. */
  mark: Mark | undefined;
  /** Locks by the open files that have them. */
  readonly locks = new Map<OpenFile, LockKind>();
  readonly isDirectory: boolean = false;
  atimeMs: number;
  mtimeMs: number;
  ctimeMs: number;

  constructor({ ino, mode, uid, gid }: Birth) {
    this.ino = ino;
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    const now = Date.now();
    this.atimeMs = now;
    this.mtimeMs = now;
    this.ctimeMs = now;
  }

  abstract get size(): number;
  abstract get blocks(): number;

  /** It has been read: as mounts with relatime tell it, when that says something new, or the last time is a day ago. */
  accessed(flags = 0): void {
    if ((flags & O_NOATIME) !== 0) return;
    const { atimeMs, mtimeMs, ctimeMs } = this;
    const now = Date.now();
    if (mtimeMs >= atimeMs || ctimeMs >= atimeMs || now - atimeMs >= DAY_MS) this.atimeMs = now;
  }

  /** Its attributes have changed. */
  changed(): void {
    this.ctimeMs = Date.now();
  }

  /** Its data has changed, or its names. */
  modified(): void {
    const now = Date.now();
    this.mtimeMs = now;
    this.ctimeMs = now;
  }
}

export class RegularFile extends AnyInode {
  readonly data = new SparseData();

  get size(): number {
    return this.data.size;
  }
  get blocks(): number {
    return this.data.blocks;
  }
}

export class SymbolicLink extends AnyInode {
  readonly target: string;

  constructor(birth: Birth, target: string) {
    super(birth);
    this.target = target;
  }
  get size(): number {
    return this.target.length;
  }
  get blocks(): number {
    return this.target.length + 1 > SHORT_TARGET_BYTES ? BLOCKS_A_PAGE : 0;
  }
}

/** A name in a directory: it stays the same when it is moved, and goes on standing for what it did when it has been removed. */
export class Dentry {
  parent: Directory;
  name: string;
  readonly inode: Inode;
  isRemoved = false;
  /** Open files, tasks that work in it, and removed names in it that are used (dentry-users.ts). */
  nrUsers = 0;

  constructor(parent: Directory, name: string, inode: Inode) {
    this.parent = parent;
    this.name = name;
    this.inode = inode;
  }
}

export class Directory extends AnyInode {
  /** Oldest first. */
  readonly #entries = new Map<string, Dentry>();
  /** Its name, which is the only one; undefined = it is the root. */
  dentry: Dentry | undefined;
  override readonly isDirectory = true;
  /** What `..` is; of the root itself. It stays when the directory has been removed. */
  parent: Directory;
  /** Removed: nothing can be made in it any more. */
  isDead = false;
  override nlink = 2;

  constructor(birth: Birth, parent?: Directory) {
    super(birth);
    this.parent = parent ?? this;
  }
  get size(): number {
    return (2 + this.#entries.size) * NAME_BYTES;
  }
  get blocks(): number {
    return 0;
  }
  get isRoot(): boolean {
    return this.parent === this;
  }
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }
  get(name: string): Inode | undefined {
    return this.#entries.get(name)?.inode;
  }
  dentryOf(name: string): Dentry | undefined {
    return this.#entries.get(name);
  }
  /** Makes a name. Precondition: there is no such name. */
  add(name: string, inode: Inode): Dentry {
    const dentry = new Dentry(this, name, inode);
    if (inode instanceof Directory) inode.dentry = dentry;
    this.#entries.set(name, dentry);
    this.modified();
    return dentry;
  }
  /** Takes a name from where it is. Precondition: there is no such name here. */
  move(name: string, dentry: Dentry): void {
    dentry.parent.remove(dentry.name);
    dentry.parent = this;
    dentry.name = name;
    this.#entries.set(name, dentry);
    this.modified();
  }
  /** Precondition: there is such a name. */
  remove(name: string): void {
    this.#entries.delete(name);
    this.modified();
  }
  /** Newest first, as tmpfs lists them. */
  list(): (readonly [name: string, inode: Inode])[] {
    return [...this.#entries.values()].reverse().map(({ name, inode }) => [name, inode]);
  }
}

export type Inode = RegularFile | Directory | SymbolicLink;

/**
 * Type, permissions and owner of what is made in a directory: a directory with setgid gives its group, and to directories the bit.
 *
 * @param mode permissions, without those that the umask takes @see Linux fs/inode.c inode_init_owner()
 */
export function birthIn(dir: Directory, who: Credentials, ino: number, mode: number): Birth {
  if ((dir.mode & S_ISGID) === 0) return { ino, mode, uid: who.uid, gid: who.gid };
  const isDirectory = (mode & S_IFMT) === S_IFDIR;
  return { ino, mode: isDirectory ? mode | S_ISGID : mode, uid: who.uid, gid: dir.gid };
}
