/**
 * What node:fs cannot do: a mount may be given a helper that can, a native addon for instance.
 *
 * Every call is about one name in the directory that the descriptor `dirFd` (O_PATH) stands for, or about a descriptor, and
 * answers a value >= 0 or a negated errno. What is missing is EOPNOTSUPP, of the flags of rename() EINVAL.
 */
export interface HostNative {
  /** @see mknodat(2) */
  mknod?(dirFd: number, name: Uint8Array, mode: number, dev: number): number;
  /** @param flags RENAME_* @see renameat2(2) */
  rename?(oldDirFd: number, oldName: Uint8Array, newDirFd: number, newName: Uint8Array, flags: number): number;
  /** @param mode FALLOC_FL_* @see fallocate(2) */
  fallocate?(fd: number, mode: number, offset: number, length: number): number;
  /** @param whence SEEK_DATA or SEEK_HOLE @see lseek(2) */
  seek?(fd: number, offset: number, whence: number): number;
}
