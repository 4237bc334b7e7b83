/**
 * Who watches is told what happens to files and names.
 *
 *   write(), truncate(), chmod() …   changed()            MODIFY, ATTRIB to the inode's mark, and with its name to its directory's
 *   creat(), mkdir(), link() …       created()            CREATE to the directory
 *   unlink(), rmdir()                willRemove()         ATTRIB, DELETE_SELF to the inode, DELETE to the directory
 *   rename()                         willRename()         MOVED_FROM, MOVED_TO with one cookie, ATTRIB to what is replaced, MOVE_SELF
 *   the last close of what has no name, the end of a super block   reap(), unmounted()
 *
 * A mark is a bit of the inode in memory, I_FSNOTIFY, and an entry here. The kernel has a Fsnotify while there are marks:
 * without any, all that a call pays is the look whether it has. With some, calls on what is not marked pay for two more
 * looks; the core leaves plain names (assembly/fs/plain-names.ts) to the VFS where one of the inodes has the bit.
 *
 * An inode in memory lives as long as its names and who has it open: with its record the bit goes, by which it is known
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
import { RENAME_EXCHANGE, S_IFDIR, S_IFMT, UTIME_OMIT } from "../base/stat-flags.ts";
import {
  DENTRY_ALIAS_NEXT,
  DENTRY_COUNT,
  DENTRY_LONG_NAME,
  DENTRY_NAME,
  DENTRY_NAME_LEN,
  DENTRY_PARENT,
  FILE_DENTRY,
  I_DEAD,
  I_FSNOTIFY,
  INODE_ALIASES,
  INODE_MODE,
  INODE_NLINK,
  INODE_SB,
  INODE_STATE,
  SB_MEMORY,
  SUPER_BLOCK_FLAGS,
} from "../wasm/layout.ts";
import {
  FS_ACCESS,
  FS_ALWAYS,
  FS_ATTRIB,
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
import { inodeOf } from "./namei.ts";
import { NotifyQueue } from "./notify-queue.ts";

/** What has changed: an inode, and by what it was reached. */
export interface Changed {
  readonly inode: InodeHandle;
  readonly file?: FileHandle;
  /** The name that a walk has found it by. */
  readonly name?: DentryHandle;
}

let cookies = 0;

/** The marks of a kernel. */
export class Fsnotify {
  readonly #kernel: Kernel;
  readonly #marks = new Map<InodeHandle, Mark>();
  /** Marks of inodes that go with the last who has them open. */
  readonly #doomed = new Set<Mark>();
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
    const stale = this.#marks.get(inode);
    if (stale !== undefined) this.#end(stale, FS_DELETE_SELF); // its record has been used again
    const { u32, x } = this.#kernel.core;
    const isInMemory = (u32[(u32[(inode << 3) + INODE_SB] >>> 2) + SUPER_BLOCK_FLAGS] & SB_MEMORY) !== 0;
    const mark = new Mark(inode, mask, this.#isDirectory(inode), !isInMemory);
    if (mark.holdsInode && mark.isDirectory) {
      mark.name = (u32[(inode << 3) + INODE_ALIASES] >>> 5) as DentryHandle;
      x.dget(mark.name);
    } else if (mark.holdsInode) x.iget(inode);
    u32[(inode << 3) + INODE_STATE] |= I_FSNOTIFY;
    this.#marks.set(inode, mark);
    this.#kernel.fsnotify = this; // also where the stale one was the last
    return mark;
  }

  /** Takes a mark away that nobody listens to any more; nothing is told. */
  unmark(mark: Mark): void {
    if (mark.isGone || this.#marks.get(mark.inode) !== mark) return;
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
    if (this.#marks.size === 0 && this.#kernel.fsnotify === this) this.#kernel.fsnotify = undefined;
  }

  /** Tells the last that is to be told of a mark. @param why FS_DELETE_SELF or FS_UNMOUNT */
  #end(mark: Mark, why: number): void {
    this.#tell(mark, mark.isDirectory ? why | FS_ISDIR : why);
    this.#tell(mark, FS_IN_IGNORED);
    this.#drop(mark);
  }

  /** Tells of inodes that have gone since; called when calls end that may have let go of one. */
  reap(): void {
    if (this.#doomed.size === 0) return;
    for (const mark of this.#doomed) if (this.#isRemoved(mark)) this.#end(mark, FS_DELETE_SELF);
  }

  /** Has an inode without links lost its last name? */
  #isRemoved({ inode, holdsInode, name }: Mark): boolean {
    const { u32 } = this.#kernel.core;
    if (!this.#hasBit(inode)) return true;
    if (name) return u32[(name << 3) + DENTRY_COUNT] === 1;
    return holdsInode && u32[(inode << 3) + INODE_ALIASES] === 0;
  }

  /** A super block is about to go. */
  unmounted(sb: number): void {
    for (const mark of [...this.#marks.values()])
      if (this.#kernel.core.u32[(mark.inode << 3) + INODE_SB] >>> 5 === sb) this.#end(mark, FS_UNMOUNT);
  }

  /** The memory is about to go, and all that is in it. */
  forget(): void {
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

  /** Data or attributes have changed. @param mask FS_MODIFY or FS_ATTRIB @see Linux fsnotify_dentry(), __fsnotify_parent() */
  changed({ inode, file, name }: Changed, mask: number): void {
    const { core } = this.#kernel;
    const { u32 } = core;
    const dentry = name ?? (file ? u32[(file << 3) + FILE_DENTRY] >>> 5 : u32[(inode << 3) + INODE_ALIASES] >>> 5);
    const parent = (u32[(dentry << 3) + DENTRY_PARENT] >>> 5) as DentryHandle;
    const dir = parent === dentry ? undefined : this.#markOf(inodeOf(core, parent));
    const self = this.#markOf(inode);
    if (dir === undefined && self === undefined) return;
    const what = mask | this.#dirFlag(inode);
    if (dir !== undefined) this.#tell(dir, what, this.#nameOf(dentry as DentryHandle));
    if (self !== undefined) this.#tell(self, what);
  }

  /** Times have been set. @param times as utimensat() has them: seconds and nanoseconds of atime, then of mtime @see Linux fsnotify_change() */
  timesSet(changed: Changed, times: readonly number[]): void {
    const hasAtime = times[1] !== UTIME_OMIT;
    const hasMtime = times[3] !== UTIME_OMIT;
    this.changed(changed, hasAtime && hasMtime ? FS_ATTRIB : hasMtime ? FS_MODIFY : FS_ACCESS);
  }

  /** An open file has been written. */
  modified(file: FileHandle): void {
    const { core } = this.#kernel;
    const dentry = (core.u32[(file << 3) + FILE_DENTRY] >>> 5) as DentryHandle;
    this.changed({ inode: inodeOf(core, dentry), name: dentry }, FS_MODIFY);
  }

  /** A name has been made. @param linked the inode, where it had one before @see Linux fsnotify_create(), fsnotify_link() */
  created(dir: InodeHandle, dentry: DentryHandle, linked?: InodeHandle): void {
    const self = linked && this.#markOf(linked);
    if (self) this.#tell(self, FS_ATTRIB);
    const mark = this.#markOf(dir);
    if (mark === undefined) return;
    this.#tell(mark, FS_CREATE | this.#dirFlag(inodeOf(this.#kernel.core, dentry)), this.#nameOf(dentry));
  }

  /** A name may go. @returns what is to be called when it has; undefined: nobody watches @see Linux vfs_unlink(), d_delete_notify() */
  willRemove(dir: InodeHandle, dentry: DentryHandle): (() => void) | undefined {
    const inode = inodeOf(this.#kernel.core, dentry);
    const mark = this.#markOf(dir);
    const self = this.#markOf(inode);
    if (mark === undefined && self === undefined) return undefined;
    const name = this.#nameOf(dentry);
    const dirFlag = this.#dirFlag(inode);
    return () => {
      if (self !== undefined) {
        if (!dirFlag) this.#tell(self, FS_ATTRIB);
        this.#lostName(self);
        this.reap();
      }
      if (mark !== undefined) this.#tell(mark, FS_DELETE | dirFlag, name);
    };
  }

  /**
   * A rename may be made. @param flags RENAME_* @returns as willRemove()
   *
   * @see Linux include/linux/fsnotify.h fsnotify_move()
   */
  willRename(
    oldDir: InodeHandle,
    oldDentry: DentryHandle,
    newDir: InodeHandle,
    newDentry: DentryHandle,
    flags: number,
  ): (() => void) | undefined {
    const { core } = this.#kernel;
    const from = this.#markOf(oldDir);
    const to = this.#markOf(newDir);
    const inode = inodeOf(core, oldDentry);
    const other = inodeOf(core, newDentry);
    const self = this.#markOf(inode);
    const replaced = other ? this.#markOf(other) : undefined;
    if (from === undefined && to === undefined && self === undefined && replaced === undefined) return undefined;
    const oldName = this.#nameOf(oldDentry);
    const newName = this.#nameOf(newDentry);
    const dirFlag = this.#dirFlag(inode);
    const otherDirFlag = other ? this.#dirFlag(other) : 0;
    return () => {
      const isExchange = (flags & RENAME_EXCHANGE) !== 0;
      this.#moved(from, to, oldName, newName, self, dirFlag, isExchange ? undefined : replaced);
      if (isExchange) this.#moved(to, from, newName, oldName, replaced, otherDirFlag, undefined);
    };
  }

  #moved(
    from: Mark | undefined,
    to: Mark | undefined,
    oldName: Uint8Array,
    newName: Uint8Array,
    self: Mark | undefined,
    dirFlag: number,
    replaced: Mark | undefined,
  ): void {
    const cookie = ++cookies;
    if (from !== undefined) this.#tell(from, FS_MOVED_FROM | dirFlag, oldName, cookie);
    if (to !== undefined) this.#tell(to, FS_MOVED_TO | dirFlag, newName, cookie);
    if (replaced !== undefined) {
      this.#tell(replaced, FS_ATTRIB | (replaced.isDirectory ? FS_ISDIR : 0));
      this.#lostName(replaced);
    }
    if (self !== undefined) this.#tell(self, FS_MOVE_SELF | dirFlag);
  }

  /** What has no link left goes: at once, or with who has it open. */
  #lostName(mark: Mark): void {
    const { inode } = mark;
    if (mark.isGone) return;
    const { u32 } = this.#kernel.core;
    const isDead = u32[(inode << 3) + INODE_NLINK] === 0 || (mark.name && u32[(inode << 3) + INODE_STATE] & I_DEAD);
    if (!this.#hasBit(inode) || isDead) this.#doomed.add(mark);
  }

  /** Is anything watched that going down a tree would find, or the directory that the tree is in? */
  watchesTree(dir: InodeHandle, top: DentryHandle): boolean {
    const { u32, x } = this.#kernel.core;
    if (this.#markOf(dir) !== undefined) return true;
    for (const { inode } of this.#marks.values()) {
      let alias = u32[(inode << 3) + INODE_ALIASES] >>> 5;
      for (; alias !== 0; alias = u32[(alias << 3) + DENTRY_ALIAS_NEXT] >>> 5)
        if (x.isSubdir(alias as DentryHandle, top)) return true;
    }
    return false;
  }

  // --- Looks --------------------------------------------------------------------------------------------------------

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

  /** A copy of a dentry's name. */
  #nameOf(dentry: DentryHandle): Uint8Array {
    const { u8, u32 } = this.#kernel.core;
    const length = (u32[(dentry << 3) + (DENTRY_NAME_LEN >> 1)] >>> ((DENTRY_NAME_LEN & 1) * 16)) & 0xffff;
    const at = u32[(dentry << 3) + DENTRY_LONG_NAME] || (dentry << 5) + DENTRY_NAME;
    return u8.slice(at >>> 0, (at >>> 0) + length);
  }
}
