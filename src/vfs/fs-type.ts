/**
 * What a file system is to the VFS: a type with tables of operations, as in Linux.
 *
 * Operations get the kernel, and records by handle; they answer a value >= 0 or a negated errno, and never throw for
 * what a user did. The VFS has checked names, permissions, mounts and types before it calls; what is left to the file
 * system is said at each operation. A file system lists what is its own and borrows the rest from fs/libfs.ts.
 *
 * Does not own: the file systems (fs/), which types a kernel knows (kernel.ts).
 *
 * @see Linux Documentation/filesystems/vfs.rst
 */
import type { DentryHandle, FileHandle, InodeHandle, MountHandle } from "../base/handles.ts";
import type { AddressSpaceOperations } from "../mm/address-space.ts";
import type { VmOperations } from "../mm/vm-operations.ts";
import type { Kernel } from "./kernel.ts";
import type { SuperBlock } from "./super-block.ts";

/** Its data lies in the kernel's memory: mounts of it are part of snapshots, and its names all lie in the dcache. */
export const FS_MEMORY = 1;
/** May be used from several workers over one memory. */
export const FS_SHARED = 2;
/** A pseudo file system that users cannot mount (kernMount() can). @see Linux SB_NOUSER */
export const FS_NOUSER = 4;
/** Lies on a device, which `source` names: two mounts of one source are one file system. Others are "nodev". */
export const FS_REQUIRES_DEV = 8;
/** Cannot be written to: fillSuper() sets SB_RDONLY, and no remount takes it away. @see Linux fs/squashfs/super.c squashfs_reconfigure() */
export const FS_RDONLY = 16;

/** Stands on other file systems, which do and count what is read and written. */
export const FS_STACKED = 32;

/** @see Linux struct file_system_type */
export interface FileSystemType {
  /** As in mount(8), at most 31 ASCII characters. */
  readonly name: string;
  /** Union of FS_*. */
  readonly fsFlags: number;
  /** Operations of its inodes, by Inode.kind. */
  readonly tables: readonly InodeTable[];
  readonly superOps?: SuperOperations;
  readonly dentryOps?: DentryOperations;
  /**
   * Extended attributes, by the beginnings of their names: the first that fits is asked. Missing: there are none, but for types in
   * memory (SB_MEMORY), whose inodes have them as they have data. @see Linux s_xattr
   */
  readonly xattrs?: readonly XattrHandler[];
  /** What the page cache does for files with a store: storedPages of foliofs/store. */
  readonly pages?: PageOperations;
  /**
   * Sets a new super block up: parses `data`, makes the root (sb.makeRoot()), sets magic and limits.
   *
   * @param data mount options after the VFS took its own ("size=64m,mode=1777")
   * @param source what is mounted, as the mount was told; the type's name where it was not
   * @returns 0 or a negated errno; then nothing stays behind
   */
  fillSuper(sb: SuperBlock, data: string, source: string): number;
  /**
   * Does a mount of `source` show the file system that `sb` is? For types that are not FS_REQUIRES_DEV, where equal
   * sources say so, but share super blocks nonetheless. @see Linux sget_fc()
   */
  sameSource?(sb: SuperBlock, source: string): boolean;
  /**
   * Shuts a super block down, in place of what its flags stand for: killBlockSuper (FS_REQUIRES_DEV), killLitterSuper
   * (FS_MEMORY) or killAnonSuper of foliofs/store, which it may call. Nobody uses it any more.
   */
  killSb?(sb: SuperBlock): void;
}

/** The page cache of files with a store, as the VFS needs it. */
export interface PageOperations {
  /** What is cached from byte `size` on goes, before the core drops it: the file is being cut, or it goes. */
  truncate(kernel: Kernel, inode: InodeHandle, size: number): void;
  /** Clean pages go that nobody has a hold on: dropCaches(1). */
  drop(sb: SuperBlock): void;
}

/**
 * Extended attributes whose names begin alike. Whether the caller may has been asked, names and sizes are within limits.
 *
 * @see Linux struct xattr_handler
 */
export interface XattrHandler {
  /** Such as "user.". A name that ends with it is EINVAL. */
  readonly prefix: string;
  /** @param name whole, as bytes @returns the value, to be used at once; -ENODATA where there is none; another negated errno */
  get(kernel: Kernel, inode: InodeHandle, name: Uint8Array): Uint8Array | number;
  /**
   * Sets it, and the time of change. Missing: it is EOPNOTSUPP.
   *
   * @param value undefined = it is to go @param flags XATTR_CREATE, XATTR_REPLACE
   * @returns 0; -EEXIST, -ENODATA, by the flags; -ENOSPC; -EAGAIN with a wait token, and is called again
   */
  set?(kernel: Kernel, inode: InodeHandle, name: Uint8Array, value: Uint8Array | undefined, flags: number): number;
}

/** The three tables an inode has: i_op, i_fop and i_mapping->a_ops. */
export interface InodeTable {
  readonly inode: InodeOperations;
  readonly file: FileOperations;
  readonly mapping: AddressSpaceOperations;
}

/** @see Linux struct super_operations */
export interface SuperOperations {
  /**
   * statfs: fills in the numbers of the file system (STATFS_* of syscalls.ts), of which type and block size are given.
   * Missing: statfs(2) is ENOSYS; libfs.simpleStatfs has no limits. @returns 0 or a negated errno
   */
  statfs?(sb: SuperBlock, values: Float64Array): number;
  /**
   * read_inode: fills an inode that iget() has made, whose number is set: mode with type, kind, owner, links, size, times.
   * Called once for each, until it answers other than -EAGAIN (with a wait token), by whoever asks for the number. An inode
   * that it refuses goes without evictInode. @returns 0 or a negated errno, -ESTALE for a number that is no more, -EIO
   */
  readInode?(sb: SuperBlock, inode: InodeHandle): number;
  /**
   * drop_inode: nobody refers to the inode any more; shall it go? Else it is kept, if it is known by its number, until
   * memory runs out. Missing: one with links is kept (generic_drop_inode); libfs.genericDeleteInode keeps none.
   */
  dropInode?(kernel: Kernel, inode: InodeHandle): boolean;
  /**
   * dirty_inode: the inode's attributes have changed and are to be written some time. @param flags I_DIRTY_SYNC,
   * I_DIRTY_DATASYNC
   */
  dirtyInode?(kernel: Kernel, inode: InodeHandle, flags: number): void;
  /**
   * write_inode: writes the attributes of a dirty inode to the store. Called by fsync (libfs.genericFsync()), sync, umount,
   * and before an inode with links goes. @returns 0; -EAGAIN with a wait token, and is called again then; an error: the inode
   * stays dirty
   */
  writeInode?(kernel: Kernel, inode: InodeHandle, how: InodeWriteback): number;
  /**
   * evict_inode: the inode goes: drop what belongs to it, and where it has no links remove it from the store. Its pages are
   * freed by the VFS. Inodes of file systems with names of their own go when memory runs out, too: who keeps their handles
   * must have this. It is called once, and cannot refuse; a promise says when it is over, until when the inode is found by
   * its number, but not used. What it throws, and a rejection, is counted (vmstat end_failed).
   */
  evictInode?(kernel: Kernel, inode: InodeHandle): void | Promise<void>;
  /** put_super: the last mount is gone, and so are all inodes. May take time, and fail, as evictInode. */
  putSuper?(sb: SuperBlock): void | Promise<void>;
  /** Mount options as they are in force. */
  showOptions?(sb: SuperBlock): string;
  /** New options for a mounted file system. @param flags union of MS_* @returns 0 or a negated errno */
  remount?(sb: SuperBlock, data: string, flags: number): number;
  /**
   * sync_fs: writes what the file system itself has to write, after its inodes; for sync and umount. @param wait is the
   * caller to know that it has been written? @returns 0 or a negated errno; -EAGAIN as writeInode
   */
  syncFs?(sb: SuperBlock, wait: boolean): number;
  // Freezing and umount
  /** All writers hold still and all is written: stop whatever would change the store. @returns 0 or a negated errno */
  freezeFs?(sb: SuperBlock): number;
  /** The end of it. @returns 0, or a negated errno: it stays frozen */
  unfreezeFs?(sb: SuperBlock): number;
  /** An umount with MNT_FORCE is about to be tried: let those fail who wait for the store. */
  umountBegin?(sb: SuperBlock): void;
}

/** How an inode is to be written. @see Linux struct writeback_control */
export interface InodeWriteback {
  /** Is it to be at the store when the call is over (WB_SYNC_ALL), or only on its way? */
  readonly sync: boolean;
}

/** dropInode of file systems that keep no inode that nobody names. @see Linux fs/inode.c generic_delete_inode() */
export function genericDeleteInode(): boolean {
  return true;
}

/**
 * What an operation that changes names answers: a value >= 0 or a negated errno, or the promise of one, or of a function
 * that does in the kernel's memory what the store has agreed to. That is called when nothing is in the way, and not at all
 * if the memory has gone by then: a promise that settles must not touch the kernel itself.
 */
export type Answer = number | Promise<number | (() => number)>;

/** A place in the tree. @see Linux struct path */
export interface LinkPlace {
  readonly mnt: MountHandle;
  readonly dentry: DentryHandle;
}

/**
 * A missing operation is EPERM (ENOTDIR, EINVAL where POSIX says so).
 *
 * Operations that change names answer a promise where they have to wait for a store, if the kernel lets them
 * (kernel.mayWait). They are called once, and what they are given is held and locked until the promise settles. Path
 * buffers are theirs until they return.
 *
 * @see Linux struct inode_operations
 */
export interface InodeOperations {
  /**
   * Only without FS_MEMORY: looks `dentry` up in `dir` and makes it positive (kernel.core.x.dInstantiate), or leaves it
   * negative. May make calls of its own, as may permission, getLink and revalidate. @returns 0 or a negated errno
   */
  lookup?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number;
  /**
   * Makes a regular file; `mode` has the type bits and is masked by umask. `dentry` is made positive and gets its place:
   * by libfs, or without FS_MEMORY by kernel.core.x.dInstantiate and then dAdd. So do mkdir, mknod, symlink and link.
   */
  create?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, mode: number): Answer;
  /** Makes a directory; `mode` as in create(). */
  mkdir?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, mode: number): Answer;
  /** Makes a fifo, socket or device node. @param dev device number */
  mknod?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, mode: number, dev: number): Answer;
  /** Makes a symbolic link to the `length` bytes in path buffer A. */
  symlink?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, length: number): Answer;
  /** Gives `inode` the name `dentry` in `dir`. */
  link?(kernel: Kernel, inode: InodeHandle, dir: InodeHandle, dentry: DentryHandle): Answer;
  /** Takes the link away; the VFS drops the name. */
  unlink?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): Answer;
  /** ENOTEMPTY is the file system's to find. */
  rmdir?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): Answer;
  /**
   * Removes a directory with all that is below it, names included, or refuses and changes nothing. Called for root
   * alone, whom no permission stops on the way.
   */
  removeTree?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number;
  /**
   * The VFS moves the names afterwards. ENOTEMPTY is the file system's to find, and what it cannot do of `flags` is
   * EINVAL: under RENAME_WHITEOUT it makes the whiteout. @param flags RENAME_*
   */
  rename?(
    kernel: Kernel,
    oldDir: InodeHandle,
    oldDentry: DentryHandle,
    newDir: InodeHandle,
    newDentry: DentryHandle,
    flags: number,
  ): Answer;
  /** Makes an inode without a name. @returns a dentry with one reference, or a negated errno */
  tmpfile?(kernel: Kernel, dir: DentryHandle, mode: number): number;
  /** Target of a symbolic link that does not lie in memory. */
  getLink?(kernel: Kernel, inode: InodeHandle): Uint8Array | number;
  /**
   * Where a link leads that stands for a place, whatever its name is now, as those of /proc/PID/fd do: walks go there at once.
   * The place must be held by somebody. `getLink` says then what readlink(2) shows. @see Linux fs/namei.c nd_jump_link()
   */
  jumpLink?(kernel: Kernel, inode: InodeHandle): LinkPlace | number;
  /** May the current task? Replaces the check of the mode bits. @param mask union of MAY_* */
  permission?(kernel: Kernel, inode: InodeHandle, mask: number): number;
  /**
   * Amends `values` (STAT_* of syscalls.ts), which hold the record's attributes.
   *
   * @param isWalked a walk that the file system had a say in has just ended here
   * @returns 0 or a negated errno
   */
  getattr?(kernel: Kernel, inode: InodeHandle, values: Float64Array, isWalked: boolean): number;
  /**
   * listxattr: names of its extended attributes; those that begin with "trusted." only for who is root. Missing: none, but for types
   * in memory. @returns names, as bytes; a negated errno
   */
  listxattr?(kernel: Kernel, inode: InodeHandle): readonly Uint8Array[] | number;
  /**
   * fileattr_set: sets the flags of chattr(1), which the caller may change. Missing: they are states of the record.
   * @param state union of I_APPEND, I_IMMUTABLE @returns 0 or a negated errno
   */
  setFlags?(kernel: Kernel, inode: InodeHandle, state: number): number;
  /**
   * setattr: makes a change of attributes, before which the record is as it was. Called by chmod, chown, utimes, truncate,
   * ftruncate, O_TRUNC, and where a write kills set-ID bits; growing by a write is none. May this be done is the file
   * system's to ask (libfs.setattrPrepare()), since a server may decide; then its store is told, and last the record
   * follows (libfs.truncateSetsize(), libfs.setattrCopy()), which cannot fail. Whoever answers an error has changed nothing.
   *
   * Answers a promise where it has to wait for its store, as operations that change names do: called once, with the inode
   * locked until it settles, and what it does in memory is the function that the promise gives.
   *
   * Missing: libfs.simpleSetattr(). @returns 0 or a negated errno
   */
  setattr?(kernel: Kernel, inode: InodeHandle, attr: Attributes): Answer;
}

/**
 * A change of attributes: `valid` says which values count. @see Linux struct iattr
 *
 * Times are seconds since the epoch and nanoseconds; those that are "now" come with their values. `mode` has the type's
 * bits or not, they do not count.
 */
export interface Attributes {
  /** Union of ATTR_*. */
  valid: number;
  mode: number;
  uid: number;
  gid: number;
  /** Bytes. */
  size: number;
  atimeSec: number;
  atimeNsec: number;
  mtimeSec: number;
  mtimeNsec: number;
  ctimeSec: number;
  ctimeNsec: number;
  /** With ATTR_FILE: the open file that the change is made by. */
  file: FileHandle;
}

export const ATTR_MODE = 1 << 0;
export const ATTR_UID = 1 << 1;
export const ATTR_GID = 1 << 2;
export const ATTR_SIZE = 1 << 3;
export const ATTR_ATIME = 1 << 4;
export const ATTR_MTIME = 1 << 5;
export const ATTR_CTIME = 1 << 6;
/** The time is the caller's choice, not now. */
export const ATTR_ATIME_SET = 1 << 7;
export const ATTR_MTIME_SET = 1 << 8;
/** It is the VFS's own decision: the caller needs no right to it. */
export const ATTR_FORCE = 1 << 9;
/** Set-ID bits go: `mode` is what is left. */
export const ATTR_KILL_SUID = 1 << 11;
export const ATTR_KILL_SGID = 1 << 12;
/** By an open file, `file`. */
export const ATTR_FILE = 1 << 13;
/** By open() with O_TRUNC. */
export const ATTR_OPEN = 1 << 15;
/** utimes() with times of the caller's: its owner's to set. */
export const ATTR_TIMES_SET = 1 << 16;

/** @see Linux struct dentry_operations */
export interface DentryOperations {
  /**
   * d_revalidate: is a cached name still true? Called by each walk that comes to it.
   * @returns 1, 0 to look it up again, or a negated errno
   */
  revalidate?(kernel: Kernel, dentry: DentryHandle): number;
  /**
   * Is a cached name surely true, as far as is known without asking anybody? Asked before `delete` and `revalidate`, in the
   * middle of the walk: it must not make calls, nor need memory. @see Linux d_revalidate() in rcu-walk mode
   */
  isTrue?(kernel: Kernel, dentry: DentryHandle): boolean;
  /**
   * d_delete: nobody has held the name since the last walk; is it to be dropped? Here it is asked by the next walk that comes
   * to it, before revalidate, and not with the last reference: a walk takes none (ADR 23). libfs.alwaysDeleteDentry drops
   * each, so that every walk looks up.
   */
  delete?(kernel: Kernel, dentry: DentryHandle): boolean;
}

/** Takes the next entry of a directory; false stops the walk. @param name raw bytes, or text */
export type DirEmit = (name: string | Uint8Array, type: number) => boolean;

/** @see Linux struct file_operations */
export interface FileOperations {
  /** The file has been opened. A negated errno closes it again. */
  open?(kernel: Kernel, inode: InodeHandle, file: FileHandle): number;
  /**
   * release: the last descriptor is closed. May take time, and fail, as evictInode: the file's record stays until then, and
   * its mount is busy. Closing is done all the same; promise and callback forms of close() answer when it is over.
   */
  release?(kernel: Kernel, inode: InodeHandle, file: FileHandle): void | Promise<void>;
  /** @param position -1 = at the file's position, which moves @returns bytes, 0 at the end */
  read?(kernel: Kernel, file: FileHandle, buffer: Uint8Array, offset: number, length: number, position: number): number;
  /** @param position as in read; O_APPEND is the operation's to heed @returns bytes, short when room ran out */
  write?(
    kernel: Kernel,
    file: FileHandle,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number;
  /**
   * Reads into several buffers as one: from one position, with no other call at that position between them. Missing: they are
   * read into one by one.
   *
   * @param buffers at least one
   * @param position as in read @returns as read; short where a buffer after the first is no memory; -EOPNOTSUPP: one by one
   */
  readv?(kernel: Kernel, file: FileHandle, buffers: readonly ArrayBufferView[], position: number): number;
  /**
   * Writes several buffers as one: no other write comes between them. Missing: they are written one by one.
   *
   * @param position as in read @returns as write; short where a buffer after the first is no memory
   */
  writev?(kernel: Kernel, file: FileHandle, buffers: readonly ArrayBufferView[], position: number): number;
  /**
   * Gives the entries of a directory whose names are not all in the dcache, from the first on.
   *
   * @param file where an open directory is read in pieces: its position counts the entries that have been taken
   * @returns 0 or a negated errno
   */
  iterate?(kernel: Kernel, dir: InodeHandle, emit: DirEmit, file?: FileHandle): number;
  /** iterate() begins at the position of the open directory that it is given, and not with the first entry. */
  readonly iteratesOn?: boolean;
  /**
   * Writes a file back. @param dataOnly as for fdatasync() @param start first byte that must be; missing: all of them
   * @param end last one @returns 0 or a negated errno
   */
  fsync?(kernel: Kernel, file: FileHandle, dataOnly: boolean, start?: number, end?: number): number;
  /**
   * Finds data or a hole, where that is not the page cache's to know. @param whence SEEK_DATA, SEEK_HOLE
   * @returns a position or a negated errno
   */
  llseek?(kernel: Kernel, file: FileHandle, offset: number, whence: number): number;
  /** @param mode FALLOC_FL_* */
  fallocate?(kernel: Kernel, file: FileHandle, mode: number, offset: number, length: number): number;
  /** Takes advice: genericFadvise() of foliofs/store. @param length 0 = to the end @param advice POSIX_FADV_* @returns 0 or a negated errno */
  fadvise?(kernel: Kernel, file: FileHandle, offset: number, length: number, advice: number): number;
  /**
   * Reads into several buffers, by flags (RWF_*) that change something for reads; those it does not have are EOPNOTSUPP.
   * Without it they all are. @param position as in read
   */
  preadv2?(
    kernel: Kernel,
    file: FileHandle,
    buffers: readonly ArrayBufferView[],
    position: number,
    flags: number,
  ): number;
  /**
   * mmap: how pages of the file are come to by mappings: storedMmap() of foliofs/store. What the descriptor may be mapped for has
   * been checked. Missing: ENODEV, but for files that the core reads by itself.
   *
   * @param isWritten shared, to be written to
   * @returns the operations, which may be the same for all files; a negated errno: -ENOEXEC where pages cannot be read
   */
  mmap?(kernel: Kernel, file: FileHandle, isWritten: boolean): VmOperations | number;
  /**
   * The open file of a layer that this one stands on: its pages are those that are mapped. @returns or a negated errno
   *
   * @see Linux fs/overlayfs/file.c ovl_mmap(), which maps the real file
   */
  realFile?(kernel: Kernel, file: FileHandle): FileHandle | number;
  /** FIBMAP: the block of the store where a block of the file lies. @returns 0 = nowhere; a negated errno */
  bmap?(kernel: Kernel, file: FileHandle, block: number): number;
}

/** Printable ASCII, so that it may stand in the mount table. */
const NAME = /^[!-~]{1,31}$/;

/** True if the name may stand in mount tables and snapshots. */
export function isTypeName(name: string): boolean {
  return NAME.test(name);
}
