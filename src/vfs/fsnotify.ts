/**
 * Who watches is told what happens to files and names.
 *
 *   write(), truncate(), chmod() …   changed()            MODIFY, ATTRIB to the inode's mark, and with its name to its directory's
 *   creat(), mkdir(), link() …       created()            CREATE to the directory; ATTRIB to what has been linked
 *   unlink(), rmdir()                dropName()           ATTRIB, DELETE_SELF to the inode, DELETE to the directory
 *   rename()                         moveName()           MOVED_FROM, MOVED_TO with one cookie, ATTRIB to what is replaced, MOVE_SELF
 *   close()                          closing()            CLOSE_WRITE, as MODIFY
 *   the last close by a name of what has none, the end of a super block   reap()
 *
 * While somebody watches, names are dropped and moved by way of this, since who watches them has to be seen before.
 *
 * A mark is a bit of the inode in memory, I_FSNOTIFY, and an entry here. The kernel has a Fsnotify while there are marks:
 * without any, all that a call pays is the look whether it has. With some, calls on what is not marked pay for two more
 * looks; the core leaves plain names (assembly/fs/plain-names.ts) to the VFS where one of the inodes has the bit.
 *
 * An inode whose names all lie in memory lives as long as its names and who has it open: with its record the bit goes, by which it is known
 * that the inode has gone. All others are held by their marks.
 *
 * Marks are the process's own, as all that it has open: snapshots and forks have none. kernel.restore() ends them, as
 * when the file system had been unmounted.
 *
 * Part of what watching brings with it (index-watch.ts). Does not own: the queue (notify-queue.ts), who listens (node/).
 *
 * @see Linux fs/notify/fsnotify.c, include/linux/fsnotify.h
 */
import type { DentryHandle, FileHandle, InodeHandle } from "../base/handles.ts";
import { latin1Bytes } from "../base/latin1.ts";
import { RENAME_EXCHANGE, S_IFDIR, S_IFMT, UTIME_OMIT } from "../base/stat-flags.ts";
import { dentryOfFile, inodeOfFile } from "../mm/page.ts";
import { type Core, SLOT } from "../wasm/core.ts";
import {
  DENTRY_ALIAS_NEXT,
  DENTRY_COUNT,
  DENTRY_LONG_NAME,
  DENTRY_NAME,
  DENTRY_NAME_LEN,
  DENTRY_PARENT,
  FILE_COUNT,
  FILE_MODE,
  FMODE_WRITE,
  I_DEAD,
  I_FSNOTIFY,
  INODE_ALIASES,
  INODE_INO,
  INODE_MODE,
  INODE_NLINK,
  INODE_SB,
  INODE_STATE,
  SB_COMPLETE,
  SLOT_DYING,
  SLOT_STRIPPED,
  SUPER_BLOCK_DYING_NEXT,
  SUPER_BLOCK_FLAGS,
} from "../wasm/layout.ts";
import { moveDentry } from "./change-name.ts";
import {
  FS_ACCESS,
  FS_ALWAYS,
  FS_ATTRIB,
  FS_CLOSE_WRITE,
  FS_CREATE,
  FS_DELETE,
  FS_DELETE_SELF,
  FS_IN_IGNORED,
  FS_ISDIR,
  FS_MODIFY,
  FS_MOVE_SELF,
  FS_MOVED_FROM,
  FS_MOVED_TO,
  FS_UNMOUNT,
} from "./fsnotify-events.ts";
import { Mark } from "./fsnotify-mark.ts";
import type { Kernel } from "./kernel.ts";
import { inodeOf, ndDentry } from "./namei.ts";
import { NotifyQueue } from "./notify-queue.ts";

/** What has changed. */
export interface Changed {
  /** Left out: that of the open file. */
  readonly inode?: InodeHandle;
  /** By which it was reached. Left out: by the walk that the call has made last, else by whichever name it has. */
  readonly file?: FileHandle;
}

/** Where Kernel.waiters has who is to hear that the memory goes: no record has this handle. */
const NO_RECORD = 0 as InodeHandle;

/** Who watches a name: marks of its directory and of what it stands for. */
interface Seen {
  readonly dir: Mark | undefined;
  readonly self: Mark | undefined;
  /** FS_ISDIR, or 0. */
  readonly dirFlag: number;
  /** How many names in memory what it stands for has, if it is marked. */
  readonly aliases: number;
}

/** A name that moves, as it was before. */
interface Side extends Seen {
  readonly name: Uint8Array;
}

let cookies = 0;

function parentOf({ u32 }: Core, dentry: DentryHandle): DentryHandle {
  return (u32[(dentry << 3) + DENTRY_PARENT] >>> 5) as DentryHandle;
}

/** The name that the last walk has found an inode by, if it has; else one that it has. 0 = it has none */
function nameBy(core: Core, inode: InodeHandle): DentryHandle {
  const walked = ndDentry(core);
  if (walked && inodeOf(core, walked) === inode) return walked;
  return (core.u32[(inode << 3) + INODE_ALIASES] >>> 5) as DentryHandle;
}

/** The names in memory that an inode has, those taken away that are still held among them. */
function* aliasesOf({ u32 }: Core, inode: InodeHandle): Generator<DentryHandle> {
  let alias = u32[(inode << 3) + INODE_ALIASES] >>> 5;
  for (; alias !== 0; alias = u32[(alias << 3) + DENTRY_ALIAS_NEXT] >>> 5) yield alias as DentryHandle;
}

/** What setting times is told as. */
function eventOfTimes(times: readonly number[]): number {
  const hasAtime = times[1] !== UTIME_OMIT;
  const hasMtime = times[3] !== UTIME_OMIT;
  return hasAtime && hasMtime ? FS_ATTRIB : hasMtime ? FS_MODIFY : FS_ACCESS;
}

/** The marks of a kernel. */
export class Fsnotify {
  readonly #kernel: Kernel;
  readonly #marks = new Map<InodeHandle, Mark>();
  /** Marks of inodes without links, that end when one of their names has been let go of; and how many they had. */
  readonly #doomed = new Map<Mark, number>();
  readonly #queue: NotifyQueue;

  /** @param wake called when there is something to be told, with what is to be called once for it, later */
  constructor(kernel: Kernel, wake: (deliver: () => void) => void) {
    this.#kernel = kernel;
    const deliver = (): void => this.#queue.deliver();
    this.#queue = new NotifyQueue(() => wake(deliver));
  }

  // --- Marks ------------------------------------------------------------------------------------------------------

  /** The mark of an inode, made if there is none. @param mask union of FS_* */
  mark(inode: InodeHandle, mask: number): Mark {
    const known = this.#markOf(inode);
    if (known !== undefined) {
      known.mask |= mask;
      return known;
    }
    this.#takeStripped(inode); // by what nobody has watched
    const stale = this.#marks.get(inode);
    if (stale !== undefined) this.#end(stale, FS_DELETE_SELF); // its record has been used again
    const { u32, x } = this.#kernel.core;
    const isInMemory = (u32[(u32[(inode << 3) + INODE_SB] >>> 2) + SUPER_BLOCK_FLAGS] & SB_COMPLETE) !== 0;
    const mark = new Mark(inode, mask, this.#isDirectory(inode), !isInMemory);
    if (mark.holdsInode && mark.isDirectory) {
      mark.name = (u32[(inode << 3) + INODE_ALIASES] >>> 5) as DentryHandle;
      x.dget(mark.name);
    } else if (mark.holdsInode) x.iget(inode);
    u32[(inode << 3) + INODE_STATE] |= I_FSNOTIFY;
    this.#marks.set(inode, mark);
    this.#lostName(mark, this.#nrAliases(inode)); // of a removed directory, in which somebody stands
    this.#kernel.fsnotify = this; // also where the stale one was the last
    this.#kernel.waiters.set(NO_RECORD, { token: Promise.resolve(), wake: () => this.#forget() });
    return mark;
  }

  /** Takes a mark away that nobody listens to any more: what nobody is told stands between two events that are equal. */
  unmark(mark: Mark): void {
    if (mark.isGone || this.#marks.get(mark.inode) !== mark) return;
    this.#tell(mark, FS_IN_IGNORED);
    this.#drop(mark);
    this.#kernel.evictInodes();
  }

  #drop(mark: Mark): void {
    const { inode, name } = mark;
    const { u32, x } = this.#kernel.core;
    mark.isGone = true;
    this.#doomed.delete(mark);
    this.#marks.delete(inode);
    if (this.#hasBit(inode)) {
      u32[(inode << 3) + INODE_STATE] &= ~I_FSNOTIFY;
      if (name) x.dput(name);
      else if (mark.holdsInode) x.iput(inode);
    }
    if (this.#marks.size > 0 || this.#kernel.fsnotify !== this) return;
    this.#kernel.fsnotify = undefined;
    this.#kernel.waiters.delete(NO_RECORD);
  }

  /** Tells the last that is to be told of a mark. @param why FS_DELETE_SELF or FS_UNMOUNT */
  #end(mark: Mark, why: number): void {
    this.#tell(mark, why);
    this.#tell(mark, FS_IN_IGNORED);
    this.#drop(mark);
  }

  /** Tells of inodes and super blocks that have gone since, or are about to; called when calls end that may have let go of one. */
  reap(): void {
    for (const [mark, aliases] of this.#doomed) if (this.#isRemoved(mark, aliases)) this.#end(mark, FS_DELETE_SELF);
    const { u32 } = this.#kernel.core;
    for (let sb = u32[SLOT + SLOT_DYING] >>> 5; sb !== 0; sb = u32[(sb << 3) + SUPER_BLOCK_DYING_NEXT] >>> 5)
      this.#unmounted(sb);
  }

  /**
   * Has an inode without links lost a name? Others that somebody has open count for nothing.
   *
   * @see Linux dentry_unlink_inode()
   */
  #isRemoved({ inode, name }: Mark, aliases: number): boolean {
    if (!this.#hasBit(inode)) return true;
    if (name) return this.#kernel.core.u32[(name << 3) + DENTRY_COUNT] === 1;
    return this.#nrAliases(inode) < aliases;
  }

  /** A super block is about to go. */
  #unmounted(sb: number): void {
    for (const mark of [...this.#marks.values()])
      if (this.#kernel.core.u32[(mark.inode << 3) + INODE_SB] >>> 5 === sb) this.#end(mark, FS_UNMOUNT);
  }

  /** The memory is about to go, and all that is in it. */
  #forget(): void {
    for (const mark of this.#marks.values()) {
      mark.isGone = true;
      this.#tell(mark, FS_UNMOUNT);
      this.#tell(mark, FS_IN_IGNORED);
    }
    this.#marks.clear();
    this.#doomed.clear();
    this.#kernel.fsnotify = undefined;
  }

  // --- What happens -------------------------------------------------------------------------------------------------

  /**
   * Data or attributes have changed.
   *
   * @param what FS_*; or times that have been set, as utimensat() has them: seconds and nanoseconds of atime, then of mtime
   * @see Linux fsnotify_dentry(), __fsnotify_parent(), fsnotify_change()
   */
  changed({ inode: given, file }: Changed, what: number | readonly number[]): void {
    const { core } = this.#kernel;
    const dentry = file ? dentryOfFile(core, file) : nameBy(core, given as InodeHandle);
    const inode = given ?? inodeOf(core, dentry);
    const mask = typeof what === "number" ? what : eventOfTimes(what);
    this.#changed(inode, dentry, this.#takeStripped(inode) ? mask | FS_ATTRIB : mask);
  }

  /** An open file has been written, and may be closed by now; before that, set-ID bits went. @see Linux file_remove_privs(), fsnotify_modify() */
  written(file: FileHandle): void {
    if (this.#kernel.core.u32[(file << 3) + FILE_COUNT] === 0) return;
    if (this.#takeStripped(inodeOfFile(this.#kernel.core, file))) this.changed({ file }, FS_ATTRIB);
    this.changed({ file }, FS_MODIFY);
  }

  /** Has it just lost set-ID bits? That is told once. */
  #takeStripped(inode: InodeHandle): boolean {
    const { u32 } = this.#kernel.core;
    const stripped = u32[SLOT + SLOT_STRIPPED] >>> 5;
    u32[SLOT + SLOT_STRIPPED] = 0;
    return stripped === inode;
  }

  /** An open file loses a holder. @see Linux fsnotify_close() */
  closing(file: FileHandle): void {
    const { core } = this.#kernel;
    if (core.u32[(file << 3) + FILE_COUNT] > 1 || !(core.u32[(file << 3) + FILE_MODE] & FMODE_WRITE)) return;
    this.changed({ file }, FS_CLOSE_WRITE);
  }

  #changed(inode: InodeHandle, dentry: DentryHandle, mask: number): void {
    const { core } = this.#kernel;
    const parent = parentOf(core, dentry);
    const dir = parent === dentry ? undefined : this.#markOf(inodeOf(core, parent));
    const self = this.#markOf(inode);
    if (dir === undefined && self === undefined) return;
    const what = mask | this.#dirFlag(inode);
    if (dir !== undefined) this.#tell(dir, what, this.#nameOf(dentry));
    if (self !== undefined) this.#tell(self, what);
  }

  /** A name has been made. What is marked had one before. @see Linux fsnotify_create(), fsnotify_link() */
  created(dentry: DentryHandle): void {
    const { dir, self, dirFlag } = this.#seen(dentry);
    if (self !== undefined) this.#tell(self, FS_ATTRIB);
    if (dir !== undefined) this.#tell(dir, FS_CREATE | dirFlag, this.#nameOf(dentry));
  }

  /** A name goes. @see Linux vfs_unlink(), d_delete_notify() */
  dropName(dentry: DentryHandle): void {
    const seen = this.#seen(dentry);
    const { dir, self, dirFlag } = seen;
    const name = dir && this.#nameOf(dentry);
    this.#kernel.core.x.dDelete(dentry);
    if (self !== undefined) {
      if (!dirFlag) this.#tell(self, FS_ATTRIB);
      this.#lostName(self, seen.aliases);
      this.reap();
    }
    if (dir !== undefined) this.#tell(dir, FS_DELETE | dirFlag, name);
  }

  /** A name takes the place of another; two that change places are told as two renames. @param flags RENAME_* */
  moveName(oldDentry: DentryHandle, newDentry: DentryHandle, flags: number): void {
    const from = this.#sideOf(oldDentry);
    const to = this.#sideOf(newDentry);
    moveDentry(this.#kernel.core, oldDentry, newDentry, flags);
    this.#moved(from, to, (flags & RENAME_EXCHANGE) === 0);
    if (flags & RENAME_EXCHANGE) this.#moved(to, from, false);
  }

  #sideOf(dentry: DentryHandle): Side {
    return { ...this.#seen(dentry), name: this.#nameOf(dentry) };
  }

  /** Something has moved; both names are told under one cookie. @see Linux include/linux/fsnotify.h fsnotify_move() */
  #moved({ dir, self, dirFlag, name }: Side, to: Side, replaces: boolean): void {
    const cookie = ++cookies;
    if (dir !== undefined) this.#tell(dir, FS_MOVED_FROM | dirFlag, name, cookie);
    if (to.dir !== undefined) this.#tell(to.dir, FS_MOVED_TO | dirFlag, to.name, cookie);
    if (replaces && to.self !== undefined) {
      this.#tell(to.self, FS_ATTRIB | to.dirFlag);
      this.#lostName(to.self, to.aliases);
    }
    if (self !== undefined) this.#tell(self, FS_MOVE_SELF);
  }

  /** What has no link left goes: at once, or with who has it open. @param aliases how many it had before */
  #lostName(mark: Mark, aliases: number): void {
    const { inode } = mark;
    if (mark.isGone) return;
    const { u32 } = this.#kernel.core;
    const isDead = u32[(inode << 3) + INODE_NLINK] === 0 || (mark.name && u32[(inode << 3) + INODE_STATE] & I_DEAD);
    if (!this.#hasBit(inode) || isDead) this.#doomed.set(mark, aliases);
  }

  /** Is anything watched that going down a tree would find, or the directory that the tree is in? */
  watchesTree(top: DentryHandle): boolean {
    const { core } = this.#kernel;
    if (this.#seen(top).dir !== undefined) return true;
    for (const { inode } of this.#marks.values())
      for (const alias of aliasesOf(core, inode)) if (core.x.isSubdir(alias, top)) return true;
    return false;
  }

  // --- Looks --------------------------------------------------------------------------------------------------------

  /** Who watches a name. */
  #seen(dentry: DentryHandle): Seen {
    const { core } = this.#kernel;
    const inode = inodeOf(core, dentry);
    const self = inode ? this.#markOf(inode) : undefined;
    return {
      dir: this.#markOf(inodeOf(core, parentOf(core, dentry))),
      self,
      dirFlag: inode ? this.#dirFlag(inode) : 0,
      aliases: self ? this.#nrAliases(inode) : 0,
    };
  }

  #nrAliases(inode: InodeHandle): number {
    return [...aliasesOf(this.#kernel.core, inode)].length;
  }

  #tell(mark: Mark, mask: number, name?: Uint8Array, cookie?: number): void {
    if (mask & (mark.mask | FS_ALWAYS)) this.#queue.add(mark, mask, name, cookie);
  }

  #hasBit(inode: InodeHandle): boolean {
    return (this.#kernel.core.u32[(inode << 3) + INODE_STATE] & I_FSNOTIFY) !== 0;
  }

  #markOf(inode: InodeHandle): Mark | undefined {
    return this.#hasBit(inode) ? this.#marks.get(inode) : undefined;
  }

  #isDirectory(inode: InodeHandle): boolean {
    return (this.#kernel.core.u32[(inode << 3) + INODE_MODE] & S_IFMT) === S_IFDIR;
  }

  #dirFlag(inode: InodeHandle): number {
    return this.#isDirectory(inode) ? FS_ISDIR : 0;
  }

  /** A copy of a dentry's name; of a file that was made without one what Linux calls it. @see Linux fs/dcache.c d_mark_tmpfile() */
  #nameOf(dentry: DentryHandle): Uint8Array {
    const { f64, u8, u32 } = this.#kernel.core;
    const length = (u32[(dentry << 3) + (DENTRY_NAME_LEN >> 1)] >>> ((DENTRY_NAME_LEN & 1) * 16)) & 0xffff;
    if (length === 0) return latin1Bytes(`#${f64[(inodeOf(this.#kernel.core, dentry) << 2) + INODE_INO]}`);
    const at = u32[(dentry << 3) + DENTRY_LONG_NAME] || (dentry << 5) + DENTRY_NAME;
    return u8.slice(at >>> 0, (at >>> 0) + length);
  }
}
