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
import type { DentryHandle, FileHandle, InodeHandle } from "../base/handles.ts";
import type { Kernel } from "./kernel.ts";
import type { SuperBlock } from "./super-block.ts";

/** Its data lies in the kernel's memory: mounts of it are part of snapshots, and its names all lie in the dcache. */
export const FS_MEMORY = 1;
/** May be used from several workers over one memory. */
export const FS_SHARED = 2;
/** A pseudo file system that users cannot mount (kernMount() can). @see Linux SB_NOUSER */
export const FS_NOUSER = 4;

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
   * Sets a new super block up: parses `data`, makes the root (sb.makeRoot()), sets magic and limits.
   *
   * @param data mount options after the VFS took its own ("size=64m,mode=1777")
   * @param source what is mounted, as the mount was told; the type's name where it was not
   * @returns 0 or a negated errno; then nothing stays behind
   */
  fillSuper(sb: SuperBlock, data: string, source: string): number;
}

/** The three tables an inode has: i_op, i_fop and i_mapping->a_ops. */
export interface InodeTable {
  readonly inode: InodeOperations;
  readonly file: FileOperations;
  readonly mapping: AddressSpaceOperations;
}

/** @see Linux struct super_operations */
export interface SuperOperations {
  /** Fills the numbers of statfs (STATFS_* of syscalls.ts). */
  statfs?(sb: SuperBlock, values: Float64Array): void;
  /**
   * The inode goes: drop what belongs to it. Its pages are freed by the VFS. Inodes of file systems with names of their
   * own go when memory runs out, too: who keeps their handles must have this.
   */
  evictInode?(kernel: Kernel, inode: InodeHandle): void;
  /** The last mount is gone. */
  putSuper?(sb: SuperBlock): void;
  /** Mount options as they are in force. */
  showOptions?(sb: SuperBlock): string;
  /** New options for a mounted file system. @returns 0 or a negated errno */
  remount?(sb: SuperBlock, data: string): number;
  /** Writes back what is dirty. @returns 0 or a negated errno */
  syncFs?(sb: SuperBlock): number;
}

/** @see Linux struct inode_operations. A missing operation is EPERM (ENOTDIR, EINVAL where POSIX says so). */
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
  create?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, mode: number): number;
  /** Makes a directory; `mode` as in create(). */
  mkdir?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, mode: number): number;
  /** Makes a fifo, socket or device node. @param dev device number */
  mknod?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, mode: number, dev: number): number;
  /** Makes a symbolic link to the `length` bytes in path buffer A. */
  symlink?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, length: number): number;
  /** Gives `inode` the name `dentry` in `dir`. */
  link?(kernel: Kernel, inode: InodeHandle, dir: InodeHandle, dentry: DentryHandle): number;
  /** Takes the link away; the VFS drops the name. */
  unlink?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number;
  /** ENOTEMPTY is the file system's to find. */
  rmdir?(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number;
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
  ): number;
  /** Makes an inode without a name. @returns a dentry with one reference, or a negated errno */
  tmpfile?(kernel: Kernel, dir: DentryHandle, mode: number): number;
  /** Target of a symbolic link that does not lie in memory. */
  getLink?(kernel: Kernel, inode: InodeHandle): Uint8Array | number;
  /** May the current task? Replaces the check of the mode bits. @param mask union of MAY_* */
  permission?(kernel: Kernel, inode: InodeHandle, mask: number): number;
  /** Amends `values` (STAT_* of syscalls.ts), which hold the record's attributes. @returns 0 or a negated errno */
  getattr?(kernel: Kernel, inode: InodeHandle, values: Float64Array): number;
  /** Takes note of changed attributes (ATTR_*), before they are set; may refuse. */
  setattr?(kernel: Kernel, inode: InodeHandle, what: number): number;
}

/** What setattr() is told of: the mode, owner or group, the size, times. */
export const ATTR_MODE = 1;
export const ATTR_OWNER = 2;
export const ATTR_SIZE = 4;
export const ATTR_TIMES = 8;

/** @see Linux struct dentry_operations */
export interface DentryOperations {
  /** Is a cached name still true? @returns 1, 0 to look it up again, or a negated errno */
  revalidate?(kernel: Kernel, dentry: DentryHandle): number;
}

/** Takes the next entry of a directory; false stops the walk. @param name raw bytes, or text */
export type DirEmit = (name: string | Uint8Array, type: number) => boolean;

/** @see Linux struct file_operations */
export interface FileOperations {
  /** The file has been opened. A negated errno closes it again. */
  open?(kernel: Kernel, inode: InodeHandle, file: FileHandle): number;
  /** The last descriptor is closed. */
  release?(kernel: Kernel, inode: InodeHandle, file: FileHandle): void;
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
  /** Gives the entries of a directory whose names are not all in the dcache. @returns 0 or a negated errno */
  iterate?(kernel: Kernel, dir: InodeHandle, emit: DirEmit): number;
  /** Writes a file back. @param dataOnly as for fdatasync() @returns 0 or a negated errno */
  fsync?(kernel: Kernel, file: FileHandle, dataOnly: boolean): number;
  /** @param mode FALLOC_FL_* */
  fallocate?(kernel: Kernel, file: FileHandle, mode: number, offset: number, length: number): number;
}

/** @see Linux struct address_space_operations */
export interface AddressSpaceOperations {
  /** Fills page `index`, whose frame is `pfn`, from the backing store. Only where there is one. */
  readFolio?(kernel: Kernel, inode: InodeHandle, index: number, pfn: number): number;
}

/** Printable ASCII, so that it may stand in the mount table. */
const NAME = /^[!-~]{1,31}$/;

/** True if the name may stand in mount tables and snapshots. */
export function isTypeName(name: string): boolean {
  return NAME.test(name);
}
