/**
 * Mount flags of mount(2) and umount2(2).
 *
 * Does not own: what they become on mounts and super blocks (MNT_*, SB_* of assembly/abi.ts, by mount.ts).
 */

/** MS_*: read-only, no set-ID bits, no devices and so on. @see Linux include/uapi/linux/mount.h */
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_SYNCHRONOUS = 16;
export const MS_REMOUNT = 32;
export const MS_NOATIME = 1024;
export const MS_NODIRATIME = 2048;
export const MS_BIND = 4096;
export const MS_SILENT = 32768;
export const MS_RELATIME = 1 << 21;
export const MS_STRICTATIME = 1 << 24;

/** Flags of umount2(2). */
export const MNT_FORCE = 1;
export const MNT_DETACH = 2;
export const MNT_EXPIRE = 4;
export const UMOUNT_NOFOLLOW = 8;
