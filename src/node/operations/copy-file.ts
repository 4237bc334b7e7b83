/**
 * copyFile, as libuv does it on Linux: same file is no error, the mode goes along, what was begun is removed on failure.
 *
 * @see libuv src/unix/fs.c uv__fs_copyfile()
 */
import { EAGAIN, EISDIR, EOPNOTSUPP, EXDEV } from "../../base/errno.ts";
import { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY, S_IFDIR, S_IFMT } from "../../base/stat-flags.ts";
import {
  type Path,
  STAT_ATIME_NSEC,
  STAT_ATIME_SEC,
  STAT_DEV,
  STAT_GID,
  STAT_INO,
  STAT_MODE,
  STAT_MTIME_NSEC,
  STAT_MTIME_SEC,
  STAT_SIZE,
  STAT_UID,
  type Syscalls,
} from "../../vfs/syscalls.ts";
import { toPath } from "../paths.ts";
import type { Operation } from "../surfaces.ts";
import { type Failure, failed } from "../uv-errors.ts";
import { checkCallback, toBindingMode } from "../validators.ts";

/** Bits of the mode of copyFile: a new file only; a clone if possible; a clone or nothing. */
export const COPYFILE_EXCL = 1;
export const COPYFILE_FICLONE = 2;
export const COPYFILE_FICLONE_FORCE = 4;

const PERMISSIONS = 0o7777;

/** Checked arguments of copyFile. */
export interface CopyRequest {
  src: Path;
  dest: Path;
  /** Union of COPYFILE_*; the file that must be new need not be, once this request has made it. */
  mode: number;
  /** It has failed, and waits for what it has begun to be gone. */
  failure?: Failure | undefined;
}

class CopyFile {
  readonly #sys: Syscalls;

  constructor(sys: Syscalls) {
    this.#sys = sys;
  }

  run(request: CopyRequest): Failure | undefined {
    if (!request.failure) {
      const from = this.#sys.open(request.src, O_RDONLY, 0);
      if (from < 0) return this.#failed(from, request);
      const failure = this.#toDest(from, request);
      this.#sys.close(from);
      if (!request.failure) return failure;
    }
    return this.#sys.unlink(request.dest) === -EAGAIN ? this.#failed(-EAGAIN, request) : request.failure;
  }

  /** Made at once, since the calls that clear up forget what there is to wait for. */
  #failed(errno: number, { src, dest }: CopyRequest): Failure {
    return failed(this.#sys, errno, "copyfile", src, dest);
  }

  #toDest(from: number, request: CopyRequest): Failure | undefined {
    const { mode } = request;
    const found = this.#sys.fstat(from);
    if (found < 0) return this.#failed(found, request);
    const stats = this.#sys.statValues.slice();
    const flags = O_WRONLY | O_CREAT | (mode & COPYFILE_EXCL ? O_EXCL : 0);
    const to = this.#sys.open(request.dest, flags, stats[STAT_MODE] & PERMISSIONS);
    if (to < 0) return this.#failed(to, request);
    const rc = this.#fill(from, to, stats, mode);
    const failure = rc < 0 ? this.#failed(rc, request) : undefined;
    if (rc !== -EAGAIN) request.failure = failure;
    else request.mode &= ~COPYFILE_EXCL; // it only has to wait, and is made again, onto the same file
    this.#sys.close(to);
    return failure;
  }

  #fill(from: number, to: number, stats: Float64Array, mode: number): number {
    if (!(mode & COPYFILE_EXCL)) {
      const found = this.#sys.fstat(to);
      if (found < 0) return found;
      const { statValues } = this.#sys;
      if (statValues[STAT_DEV] === stats[STAT_DEV] && statValues[STAT_INO] === stats[STAT_INO]) return 0;
      const rc = this.#sys.ftruncate(to, 0);
      if (rc < 0) return rc;
    }
    const times = this.#copyTimes(to, stats);
    if (times < 0) return times;
    const given = this.#sys.fchown(to, stats[STAT_UID], stats[STAT_GID]);
    if (given === -EAGAIN) return given; // else: who may not give files away makes a copy of its own
    const rc = this.#sys.fchmod(to, stats[STAT_MODE] & PERMISSIONS);
    if (rc < 0) return rc;
    if (mode & COPYFILE_FICLONE_FORCE) return this.#refuseClone(to, stats);
    if ((stats[STAT_MODE] & S_IFMT) === S_IFDIR) return -EISDIR;
    return this.#copyAll(from, to, stats[STAT_SIZE]);
  }

  /**
   * Files do not share frames, as on tmpfs: who insists on a clone is refused.
   * @see Linux fs/remap_range.c vfs_clone_file_range()
   */
  #refuseClone(to: number, stats: Float64Array): number {
    const found = this.#sys.fstat(to);
    if (found < 0) return found;
    if (this.#sys.statValues[STAT_DEV] !== stats[STAT_DEV]) return -EXDEV;
    return (stats[STAT_MODE] & S_IFMT) === S_IFDIR ? -EISDIR : -EOPNOTSUPP;
  }

  /** The times go along; writing the data then changes the time of modification again. */
  #copyTimes(to: number, stats: Float64Array): number {
    return this.#sys.futimens(
      to,
      stats[STAT_ATIME_SEC],
      stats[STAT_ATIME_NSEC],
      stats[STAT_MTIME_SEC],
      stats[STAT_MTIME_NSEC],
    );
  }

  #copyAll(from: number, to: number, size: number): number {
    for (let left = size; left > 0; ) {
      const count = this.#sys.copyFileRange(from, -1, to, -1, left);
      if (count <= 0) return count;
      left -= count;
    }
    return 0;
  }
}

/** copyFile on the system calls of a task. */
export function copyFileOperations(sys: Syscalls) {
  const copier = new CopyFile(sys);

  const copyFile: Operation<CopyRequest, void> = {
    prepare(callback, src, dest, mode) {
      const from = toPath(src, "src");
      const to = toPath(dest, "dest");
      checkCallback(callback);
      return { src: from, dest: to, mode: toBindingMode(mode) };
    },
    commit: (request) => copier.run(request),
  };

  return { copyFile };
}
