/**
 * Numbers of a file system, as statfs(2) gives them: Node shows the first seven.
 *
 * Does not own: what each file system says of itself (SuperOperations.statfs).
 *
 * @see Linux fs/statfs.c calculate_f_flags(); statvfs(3)
 */
import type { MountHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  MNT_NOATIME,
  MNT_NODEV,
  MNT_NODIRATIME,
  MNT_NOEXEC,
  MNT_NOSUID,
  MNT_READONLY,
  MNT_RELATIME,
  MOUNT_FLAGS,
  SB_RDONLY,
  SB_SYNCHRONOUS,
  SUPER_BLOCK_NAME_MAX,
} from "../wasm/layout.ts";
import type { SuperBlock } from "./super-block.ts";
import { STATFS_BSIZE, STATFS_FLAGS, STATFS_FRSIZE, STATFS_FSID0, STATFS_FSID1, STATFS_NAMELEN } from "./syscalls.ts";

/** Flags of statfs and statvfs. @see Linux include/linux/statfs.h */
export const ST_RDONLY = 1;
export const ST_NOSUID = 2;
export const ST_NODEV = 4;
export const ST_NOEXEC = 8;
export const ST_SYNCHRONOUS = 16;
export const ST_NOATIME = 1024;
export const ST_NODIRATIME = 2048;
export const ST_RELATIME = 4096;

const BY_MOUNT: readonly (readonly [mnt: number, st: number])[] = [
  [MNT_READONLY, ST_RDONLY],
  [MNT_NOSUID, ST_NOSUID],
  [MNT_NODEV, ST_NODEV],
  [MNT_NOEXEC, ST_NOEXEC],
  [MNT_NOATIME, ST_NOATIME],
  [MNT_NODIRATIME, ST_NODIRATIME],
  [MNT_RELATIME, ST_RELATIME],
];

/** Fills in what Node does not show and the file system has left open, for what lies on a mount. @returns 0 */
export function completeStatfs(core: Core, mnt: MountHandle, sb: SuperBlock, values: Float64Array): number {
  if (values[STATFS_FSID0] === 0 && values[STATFS_FSID1] === 0) values[STATFS_FSID0] = sb.dev;
  if (values[STATFS_NAMELEN] === 0) values[STATFS_NAMELEN] = core.u32[(sb.handle << 3) + SUPER_BLOCK_NAME_MAX];
  if (values[STATFS_FRSIZE] === 0) values[STATFS_FRSIZE] = values[STATFS_BSIZE];
  values[STATFS_FLAGS] = flagsOf(core.u32[(mnt << 3) + MOUNT_FLAGS], sb.flags);
  return 0;
}

function flagsOf(mnt: number, sb: number): number {
  const flags = BY_MOUNT.reduce((all, [from, to]) => (mnt & from ? all | to : all), 0);
  return flags | (sb & SB_RDONLY ? ST_RDONLY : 0) | (sb & SB_SYNCHRONOUS ? ST_SYNCHRONOUS : 0);
}
