/**
 * What in-memory file systems share: operations whose names and data live in the kernel's memory alone.
 *
 * A file system lists these in its tables (see ramfs.ts), or wraps them. The work is done in assembly/fs/libfs.ts, in one
 * call into the core each: allocate, then change what cannot fail.
 *
 * The tables are frozen: they serve every kernel of the process. Who wants another operation spreads one into its own.
 *
 * @see Linux fs/libfs.c simple_*
 */
import type { DentryHandle, InodeHandle } from "../base/handles.ts";
import { S_IFDIR, S_IFMT, S_IFREG } from "../base/stat-flags.ts";
import type { AddressSpaceOperations } from "../mm/address-space.ts";
import { simpleRename, simpleUnlink } from "../vfs/dir-ops.ts";
import {
  type FileOperations,
  genericDeleteInode,
  type InodeOperations,
  type InodeTable,
  type SuperOperations,
} from "../vfs/fs-type.ts";
import type { Kernel } from "../vfs/kernel.ts";
import { genericFileRead, genericFileWrite, memoryFallocate } from "../vfs/read-write.ts";
import { storeSupport } from "../vfs/store-part.ts";
import type { StoreSupport } from "../vfs/store-support.ts";
import type { SuperBlock } from "../vfs/super-block.ts";
import { STATFS_BSIZE, STATFS_TYPE } from "../vfs/syscalls.ts";

export { genericDeleteInode, simpleRename, simpleUnlink };

/** See src/vfs/setattr.ts; as are the next four. */
export const fileRemovePrivs: StoreSupport["fileRemovePrivs"] = (...args) => storeSupport().fileRemovePrivs(...args);
export const setattrCopy: StoreSupport["setattrCopy"] = (...args) => storeSupport().setattrCopy(...args);
export const setattrPrepare: StoreSupport["setattrPrepare"] = (...args) => storeSupport().setattrPrepare(...args);
export const simpleSetattr: StoreSupport["simpleSetattr"] = (...args) => storeSupport().simpleSetattr(...args);
export const truncateSetsize: StoreSupport["truncateSetsize"] = (...args) => storeSupport().truncateSetsize(...args);

/** Makes a file, directory, fifo, socket or device node. @param kind its index in the type's tables @returns 0 or -ENOSPC */
export function simpleMknod(kernel: Kernel, dentry: DentryHandle, mode: number, dev: number, kind: number): number {
  return kernel.core.x.simpleMknod(dentry, mode, dev, kind, kernel.now());
}

/** Makes a symbolic link to what lies in path buffer A. @returns 0 or -ENOSPC */
export function simpleSymlink(kernel: Kernel, dentry: DentryHandle, length: number, kind: number): number {
  return kernel.core.x.simpleSymlink(dentry, length, 0, kind, kernel.now());
}

/** Gives an inode another name. @returns 0 or -ENOSPC */
export function simpleLink(kernel: Kernel, inode: InodeHandle, _dir: InodeHandle, dentry: DentryHandle): number {
  return kernel.core.x.simpleLink(inode, dentry, kernel.now());
}

/** @returns 0 or -ENOTEMPTY */
export function simpleRmdir(kernel: Kernel, _dir: InodeHandle, dentry: DentryHandle): number {
  return kernel.core.x.simpleRmdir(dentry, kernel.now());
}

/** @returns 0 or -EBUSY, when something is mounted below */
export function simpleRemoveTree(kernel: Kernel, _dir: InodeHandle, dentry: DentryHandle): number {
  return kernel.core.x.simpleRemoveTree(dentry, kernel.now());
}

/** What a directory of an in-memory file system can do apart from making files. */
export const simpleDirInodeOperations = Object.freeze({
  link: simpleLink,
  unlink: simpleUnlink,
  rmdir: simpleRmdir,
  rename: simpleRename,
  removeTree: simpleRemoveTree,
} satisfies InodeOperations);

/** Regular files have no operations on their inode: the VFS does all that can be done to one. */
export const simpleFileInodeOperations: InodeOperations = Object.freeze({});
/** Nor have symbolic links: their targets lie in memory, where the walk finds them. */
export const simpleSymlinkInodeOperations: InodeOperations = Object.freeze({});

/** dentryOps.delete of file systems that keep no name that nobody holds. @see Linux fs/libfs.c always_delete_dentry() */
export function alwaysDeleteDentry(): boolean {
  return true;
}

/** Data is as safe in memory as it gets. */
export function noopFsync(): number {
  return 0;
}

/** Files in the page cache, without a store behind. */
export const simpleFileOperations: FileOperations = Object.freeze({
  read: genericFileRead,
  write: genericFileWrite,
  fsync: noopFsync,
  fallocate: memoryFallocate,
});

/** Directories whose names all lie in the dcache: readdir needs no operation. */
export const simpleDirOperations: FileOperations = Object.freeze({ fsync: noopFsync });

/** Pages that exist in memory only: nothing is ever read in or written back. */
export const ramAops: AddressSpaceOperations = Object.freeze({});

/** Kinds of inodes of `simpleTables`: their places there. */
export const SIMPLE_FILE = 0;
export const SIMPLE_DIRECTORY = 1;
const SIMPLE_SYMLINK = 2;
const SIMPLE_SPECIAL = 3;

function kindOf(mode: number): number {
  const type = mode & S_IFMT;
  return type === S_IFREG ? SIMPLE_FILE : type === S_IFDIR ? SIMPLE_DIRECTORY : SIMPLE_SPECIAL;
}

function mknod(kernel: Kernel, _dir: InodeHandle, dentry: DentryHandle, mode: number, dev = 0): number {
  return simpleMknod(kernel, dentry, mode, dev, kindOf(mode));
}

const dirInodeOperations = Object.freeze<InodeOperations>({
  ...simpleDirInodeOperations,
  create: mknod,
  mkdir: mknod,
  mknod,
  symlink: (kernel, _dir, dentry, length) => simpleSymlink(kernel, dentry, length, SIMPLE_SYMLINK),
  tmpfile: (kernel, dir, mode) => kernel.core.x.simpleTmpfile(dir, mode, SIMPLE_FILE, kernel.now()),
});

const NONE = Object.freeze({});

/** All that can be done to the inodes of a file system that lives in memory: the tables of ramfs and tmpfs. */
export const simpleTables: readonly InodeTable[] = Object.freeze([
  Object.freeze({ inode: simpleFileInodeOperations, file: simpleFileOperations, mapping: ramAops }),
  Object.freeze({ inode: dirInodeOperations, file: simpleDirOperations, mapping: ramAops }),
  Object.freeze({ inode: simpleSymlinkInodeOperations, file: NONE, mapping: ramAops }),
  Object.freeze({ inode: NONE, file: NONE, mapping: ramAops }),
]);

/** statfs of a file system without limits of its own. @returns 0 @see Linux fs/libfs.c simple_statfs() */
export function simpleStatfs(sb: SuperBlock, values: Float64Array): number {
  values[STATFS_TYPE] = sb.magic;
  values[STATFS_BSIZE] = sb.blockSize;
  return 0;
}

/** A super block without anything to do. */
export const simpleSuperOperations: SuperOperations = Object.freeze({ statfs: simpleStatfs });
