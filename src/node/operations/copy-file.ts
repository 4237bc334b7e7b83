/**
 * copyFile, as libuv does it on Linux: same file is no error, the mode goes along, what was begun is removed on failure.
 *
 * @see libuv src/unix/fs.c uv__fs_copyfile()
 */
import { EAGAIN, EISDIR } from "../../base/errno.ts";
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

/** Checked arguments of copyFile, and how far it has come. */
export class CopyJob {
  readonly src: Path;
  readonly dest: Path;
  /** Union of COPYFILE_*. */
  readonly mode: number;
  /** Descriptors; -1 = not open. */
  from = -1;
  to = -1;
  /** Attributes of the source. */
  stats: Float64Array | undefined;
  /** Steps that are done, and bytes still to be copied. */
  step = 0;
  left = 0;
  /** It has failed, and waits for what it has begun to be gone. */
  failure: Failure | undefined;
  /** Lets go of both files when it waits and will not be gone on with. */
  abandon: (() => void) | undefined = undefined;

  constructor(src: Path, dest: Path, mode: number) {
    this.src = src;
    this.dest = dest;
    this.mode = mode;
  }
}

class CopyFile {
  readonly #sys: Syscalls;

  constructor(sys: Syscalls) {
    this.#sys = sys;
  }

  /** Opens both, fills, closes: whatever is still to do. */
  run(job: CopyJob): Failure | undefined {
    if (job.failure === undefined) {
      const rc = this.#open(job) || this.#fill(job);
      // Made at once, since the calls that clear up forget what there is to wait for.
      const failure = rc < 0 ? this.#failed(rc, job) : undefined;
      if (failure?.token !== undefined) {
        job.abandon ??= () => {
          if (this.#close(job) && job.mode & COPYFILE_EXCL) this.#sys.unlink(job.dest);
        };
        return failure;
      }
      if (!this.#close(job) || failure === undefined) return failure;
      job.failure = failure;
    }
    return this.#sys.unlink(job.dest) === -EAGAIN ? this.#failed(-EAGAIN, job) : job.failure;
  }

  #failed(errno: number, { src, dest }: CopyJob): Failure {
    return failed(this.#sys, errno, "copyfile", src, dest);
  }

  #open(job: CopyJob): number {
    const sys = this.#sys;
    if (job.from < 0) job.from = sys.open(job.src, O_RDONLY, 0);
    if (job.from < 0) return job.from;
    if (job.to >= 0) return 0;
    const found = sys.fstat(job.from);
    if (found < 0) return found;
    job.stats = sys.statValues.slice();
    job.left = job.stats[STAT_SIZE];
    const flags = O_WRONLY | O_CREAT | (job.mode & COPYFILE_EXCL ? O_EXCL : 0);
    job.to = sys.open(job.dest, flags, job.stats[STAT_MODE] & PERMISSIONS);
    return Math.min(job.to, 0);
  }

  /** Lets go of both files. @returns whether there was one to copy to */
  #close(job: CopyJob): boolean {
    const { from, to } = job;
    job.from = -1;
    job.to = -1;
    if (from >= 0) this.#sys.close(from);
    if (to >= 0) this.#sys.close(to);
    return to >= 0;
  }

  #fill(job: CopyJob): number {
    const sys = this.#sys;
    const { to, mode } = job;
    const stats = job.stats as Float64Array;
    if (job.step === 0 && !(mode & COPYFILE_EXCL)) {
      const found = sys.fstat(to);
      if (found < 0) return found;
      if (sys.statValues[STAT_DEV] === stats[STAT_DEV] && sys.statValues[STAT_INO] === stats[STAT_INO]) return 0;
    }
    const steps = [
      () => (mode & COPYFILE_EXCL ? 0 : sys.ftruncate(to, 0)),
      () => this.#copyTimes(to, stats),
      () => {
        const given = sys.fchown(to, stats[STAT_UID], stats[STAT_GID]);
        return given === -EAGAIN ? given : 0; // who may not give files away makes a copy of its own
      },
      () => sys.fchmod(to, stats[STAT_MODE] & PERMISSIONS),
      () => (mode & (COPYFILE_FICLONE | COPYFILE_FICLONE_FORCE) ? this.#clone(job) : 0),
      () => ((stats[STAT_MODE] & S_IFMT) === S_IFDIR ? -EISDIR : this.#copyAll(job)),
    ];
    for (; job.step < steps.length; job.step++) {
      const rc = steps[job.step]();
      if (rc < 0) return rc;
    }
    return 0;
  }

  /** Who insists on a clone is refused where there can be none; else it is a copy. */
  #clone(job: CopyJob): number {
    const rc = this.#sys.cloneFileRange(job.from, 0, job.to, 0, 0);
    if (rc >= 0) job.left = 0;
    return rc === -EAGAIN || job.mode & COPYFILE_FICLONE_FORCE ? rc : 0;
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

  #copyAll(job: CopyJob): number {
    while (job.left > 0) {
      const count = this.#sys.copyFileRange(job.from, -1, job.to, -1, job.left);
      if (count <= 0) return count;
      job.left -= count;
    }
    return 0;
  }
}

/** copyFile on the system calls of a task. */
export function copyFileOperations(sys: Syscalls) {
  const copier = new CopyFile(sys);

  const copyFile: Operation<CopyJob, void> = {
    prepare(callback, src, dest, mode) {
      const from = toPath(src, "src");
      const to = toPath(dest, "dest");
      checkCallback(callback);
      return new CopyJob(from, to, toBindingMode(mode));
    },
    commit: (job) => copier.run(job),
  };

  return { copyFile };
}
