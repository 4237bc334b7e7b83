/**
 * The system call interface of a task: what `node/` stands on, and all it may call of the VFS.
 *
 * Conventions. A call answers a value >= 0 or a negated errno (`-ENOENT`); it never throws for what a caller passes,
 * and builds no Error. Calls that give more than a number answer it, or the negated errno instead. Arguments are
 * already checked for type and range by `node/`; what POSIX calls an error (EINVAL, ENAMETOOLONG, ...) is found here.
 * Paths are strings (taken as UTF-8) or raw bytes, relative to the task's working directory, without NUL.
 * `-EAGAIN` with a `waitToken()` means: an asynchronous store must answer first; await the token and call again.
 *
 * Does not own: Node's argument rules, encodings, Error shapes (all in `node/`).
 */

/** A path: text, taken as UTF-8, or raw bytes. */
export type Path = string | Uint8Array;

/** Fields of `statValues`, in the order of Node's own stat arrays. Times are seconds and nanoseconds. */
export const STAT_DEV = 0;
export const STAT_MODE = 1;
export const STAT_NLINK = 2;
export const STAT_UID = 3;
export const STAT_GID = 4;
export const STAT_RDEV = 5;
export const STAT_BLKSIZE = 6;
export const STAT_INO = 7;
export const STAT_SIZE = 8;
export const STAT_BLOCKS = 9;
export const STAT_ATIME_SEC = 10;
export const STAT_ATIME_NSEC = 11;
export const STAT_MTIME_SEC = 12;
export const STAT_MTIME_NSEC = 13;
export const STAT_CTIME_SEC = 14;
export const STAT_CTIME_NSEC = 15;
export const STAT_BIRTHTIME_SEC = 16;
export const STAT_BIRTHTIME_NSEC = 17;

/** Fields of `statfsValues`, in the order of Node's own statfs arrays. */
export const STATFS_TYPE = 0;
export const STATFS_BSIZE = 1;
export const STATFS_BLOCKS = 2;
export const STATFS_BFREE = 3;
export const STATFS_BAVAIL = 4;
export const STATFS_FILES = 5;
export const STATFS_FFREE = 6;
/** What Node does not show: longest name, file system id, size of a fragment, ST_*. */
export const STATFS_NAMELEN = 7;
export const STATFS_FSID0 = 8;
export const STATFS_FSID1 = 9;
export const STATFS_FRSIZE = 10;
export const STATFS_FLAGS = 11;

/** Entries of a directory, without `.` and `..`. Shared with a cache: callers copy what they hand out. */
export interface DirListing {
  /** Names decoded as UTF-8 (lossy for names that are not UTF-8; `rawNames` has the truth). */
  readonly names: readonly string[];
  /** DT_* of each entry, in the order of `names`. */
  readonly types: Uint8Array;
  /** The names as bytes, in the order of `names`; fresh copies. */
  rawNames(): Uint8Array[];
}

/** The system calls of one task. Where no result is named, it is 0. */
export interface Syscalls {
  /** Who the task is. */
  readonly credentials: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };
  /** What the last successful stat, lstat or fstat found: 18 numbers, STAT_*. Valid until the next call. */
  readonly statValues: Float64Array;
  /** What the last successful statfs found: STATFS_*, of which Node shows the first 7. Valid until the next call. */
  readonly statfsValues: Float64Array;

  /**
   * Until releaseTime() what is done counts as one call, done at one moment: the clock is read once, when it is asked
   * for first. For calls of the face that are several here, without a wait between them.
   */
  holdTime(): void;
  releaseTime(): void;
  /** @returns the lowest free descriptor (3 and up) */
  open(path: Path, flags: number, mode: number): number;
  /** As open(), from the open directory `dir` on, of what is there: neither O_CREAT nor O_TMPFILE. */
  openat(dir: number, path: Path, flags: number): number;
  close(fd: number): number;
  /** Fills statValues. @param flags 0 or AT_SYMLINK_NOFOLLOW */
  stat(path: Path, flags: number): number;
  fstat(fd: number): number;
  /** @returns 0 if the task may; @param mode F_OK or a union of R_OK, W_OK, X_OK */
  access(path: Path, mode: number): number;
  /** As access(path, F_OK), but answers only yes or no, for whatever reason; undefined is -EAGAIN. */
  exists(path: Path): boolean | undefined;

  /** @param position bytes from the start; -1 = at the file's position, which moves @returns bytes read, 0 at the end */
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  /**
   * @param position as in read; O_APPEND writes at the end whatever it says
   * @param before bytes that the same writev() has written before: who watches has been told of it
   * @returns bytes written; short when memory ran out on the way
   */
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number, before?: number): number;
  /** readv() or preadv(), of files that take it as one. @returns as read(); -EOPNOTSUPP for all others: read() into the buffers one by one */
  readv(fd: number, buffers: readonly ArrayBufferView[], position: number): number;
  /** writev() or pwritev(), of files that take it as one. @returns as write(); -EOPNOTSUPP for all others: write() the buffers one by one */
  writev(fd: number, buffers: readonly ArrayBufferView[], position: number): number;
  /**
   * readv() or preadv() into buffers that have no room: the file is not asked, so that a directory does not refuse it and
   * no time changes. @returns 0; -EBADF; -EINVAL (a file that cannot be read)
   */
  readvNothing(fd: number): number;
  /** writev() or pwritev() of no bytes, as readvNothing(). */
  writevNothing(fd: number): number;
  /**
   * Writes a text's UTF-8 at the file's position.
   *
   * @returns 0 when all is written; -EOPNOTSUPP: nothing has changed, encode it and write() it; else as write(), also
   *   where some has been written
   */
  writeText(fd: number, text: string): number;
  /**
   * Looks for a small regular file whose data can be had at once, as open, fstat, read and close would give it.
   *
   * @param max bytes: larger files are not looked at
   * @returns its size, until the next call to be had by copyFound(), bytesFound() and textFound(); -EOPNOTSUPP: open and read it
   */
  findSmall(path: Path, max: number): number;
  copyFound(buffer: Uint8Array, length: number): void;
  /** The bytes found where they lie: a view of the core's memory, valid until the next call. */
  bytesFound(length: number): Uint8Array;
  /** The bytes found, decoded as UTF-8. */
  textFound(length: number): string;
  /** @param whence SEEK_* @returns the new position */
  lseek(fd: number, offset: number, whence: number): number;
  truncate(path: Path, length: number): number;
  ftruncate(fd: number, length: number): number;
  /** @param mode 0, or a union of FALLOC_FL_* */
  fallocate(fd: number, mode: number, offset: number, length: number): number;
  /** Positions of -1 use and move the file's own. @returns bytes copied */
  copyFileRange(fdIn: number, positionIn: number, fdOut: number, positionOut: number, length: number): number;
  /**
   * FICLONERANGE: the files share pages until they are written to. @param length bytes, 0 = to the end of the source
   * @returns bytes; as cloneFileRange() of clone-file-range.ts; -EOPNOTSUPP where no entry has brought it (foliofs/store)
   */
  cloneFileRange(fdIn: number, positionIn: number, fdOut: number, positionOut: number, length: number): number;
  fsync(fd: number): number;
  fdatasync(fd: number): number;
  sync(): number;
  /** Never waits, with LOCK_NB or without. @param operation LOCK_SH, LOCK_EX or LOCK_UN @returns 0; -EAGAIN */
  flock(fd: number, operation: number): number;

  mkdir(path: Path, mode: number): number;
  rmdir(path: Path): number;
  unlink(path: Path): number;
  /** As unlink(), from the open directory `dir` on. @param flags 0; AT_REMOVEDIR: as rmdir() */
  unlinkat(dir: number, path: Path, flags: number): number;
  /** Removes a directory with all that is below it. @returns 0; -EOPNOTSUPP: nothing has changed, go name by name */
  removeTree(path: Path): number;
  /** Does not follow a symbolic link in `existing` (as Linux link()). */
  link(existing: Path, path: Path): number;
  symlink(target: Path, path: Path): number;
  rename(from: Path, to: Path): number;
  /** @param flags RENAME_NOREPLACE, RENAME_WHITEOUT or both, or RENAME_EXCHANGE */
  renameat2(from: Path, to: Path, flags: number): number;
  /** @param mode type and permission bits @param dev device number, of a device node */
  mknod(path: Path, mode: number, dev: number): number;
  /** @returns the target's bytes: a view of the core's memory, valid until the next call */
  readlink(path: Path): Uint8Array | number;
  /** @returns the physical absolute path: a view of the core's memory, valid until the next call */
  realpath(path: Path): Uint8Array | number;

  /** @returns the entries sorted bytewise */
  readdir(path: Path): DirListing | number;
  /** Entries in directory order (newest first) from the open directory's position on. @returns an empty listing at the end */
  getdents(fd: number, nrEntries: number): DirListing | number;

  /** @param flags 0 or AT_SYMLINK_NOFOLLOW (EOPNOTSUPP on a symbolic link) */
  chmod(path: Path, mode: number, flags: number): number;
  fchmod(fd: number, mode: number): number;
  /** @param uid or gid of -1 (or 0xffffffff): leave it */
  chown(path: Path, uid: number, gid: number, flags: number): number;
  fchown(fd: number, uid: number, gid: number): number;
  /** Nanoseconds may be UTIME_NOW or UTIME_OMIT. */
  utimens(path: Path, atimeSec: number, atimeNsec: number, mtimeSec: number, mtimeNsec: number, flags: number): number;
  futimens(fd: number, atimeSec: number, atimeNsec: number, mtimeSec: number, mtimeNsec: number): number;
  /** Fills statfsValues. */
  statfs(path: Path): number;

  chdir(path: Path): number;
  chroot(path: Path): number;
  /** @returns the path: a view of the core's memory, valid until the next call */
  getcwd(): Uint8Array | number;
  /** @returns the mask before */
  umask(mask: number): number;

  /**
   * After -EAGAIN, until the next call: what to await before the call is made again; undefined when there is nothing to
   * wait for.
   */
  waitToken(): Promise<void> | undefined;
}
