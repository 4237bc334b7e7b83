/** What authors of file systems need beside the kernel: tables, handles, numbers, and what libfs lends. */
export * from "./base/errno.ts";
export type {
  CredHandle,
  DentryHandle,
  FileHandle,
  InodeHandle,
  MountHandle,
  SuperBlockHandle,
  TaskHandle,
} from "./base/handles.ts";
export * as stat from "./base/stat-flags.ts";
export * as libfs from "./fs/libfs.ts";
export { ramfs } from "./fs/ramfs.ts";
export { tmpfs } from "./fs/tmpfs.ts";
export type { AddressSpaceOperations, PageCache, ReadaheadControl } from "./mm/address-space.ts";
export type {
  Answer,
  Attributes,
  DentryOperations,
  DirEmit,
  FileOperations,
  FileSystemType,
  InodeOperations,
  InodeTable,
  SuperOperations,
  XattrHandler,
} from "./vfs/fs-type.ts";
export {
  ATTR_ATIME,
  ATTR_ATIME_SET,
  ATTR_CTIME,
  ATTR_FILE,
  ATTR_FORCE,
  ATTR_GID,
  ATTR_KILL_SGID,
  ATTR_KILL_SUID,
  ATTR_MODE,
  ATTR_MTIME,
  ATTR_MTIME_SET,
  ATTR_OPEN,
  ATTR_SIZE,
  ATTR_TIMES_SET,
  ATTR_UID,
  FS_MEMORY,
  FS_NOUSER,
  FS_RDONLY,
  FS_REQUIRES_DEV,
  FS_SHARED,
} from "./vfs/fs-type.ts";
export { Dentry, Inode } from "./vfs/inode.ts";
export type { Kernel } from "./vfs/kernel.ts";
export type { MountInfo, MountRequest } from "./vfs/mount.ts";
export * from "./vfs/mount-constants.ts";
export type { SnapshotBytes } from "./vfs/restore.ts";
export { SnapshotError } from "./vfs/snapshot-error.ts";
export type { SuperBlock } from "./vfs/super-block.ts";
export {
  STATFS_BAVAIL,
  STATFS_BFREE,
  STATFS_BLOCKS,
  STATFS_BSIZE,
  STATFS_FFREE,
  STATFS_FILES,
  STATFS_FLAGS,
  STATFS_FRSIZE,
  STATFS_FSID0,
  STATFS_FSID1,
  STATFS_NAMELEN,
  STATFS_TYPE,
} from "./vfs/syscalls.ts";
export type { VmStat } from "./vfs/vmstat.ts";
