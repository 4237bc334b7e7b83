/**
 * The removal of a tree as rmSync does it, in C++ in Node: by descriptors of directories, newest entry first, and no
 * further than the first failure. What it meets below is found by name in the directory that is open, so it reaches what
 * lies too deep for a path, and removes what stands in a directory whose own name it has just taken away (`b/..`).
 *
 * Does not own: options, retries and errors of rm (rm.ts), the removal of the other forms (rimraf.ts).
 * @see libstdc++ remove_all(), recursive_directory_iterator::__erase(); Node 26 src/node_file.cc RmSync()
 */
import { EISDIR, ELOOP, ENOENT, ENOTDIR, EPERM } from "../../base/errno.ts";
import {
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  DT_DIR,
  DT_UNKNOWN,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  S_IFDIR,
  S_IFMT,
} from "../../base/stat-flags.ts";
import { type Path, STAT_MODE, type Syscalls } from "../../vfs/syscalls.ts";
import { decodeUtf8 } from "../encoding.ts";
import { type Failure, failed } from "../uv-errors.ts";

/** Never a link's target, and nothing but a directory. */
const DIRECTORY_ITSELF = O_RDONLY | O_NOFOLLOW | O_DIRECTORY;
/** Entries read at a time. */
const BATCH_ENTRIES = 256;

/** Whether the last stat found a directory. */
export function foundDirectory(sys: Syscalls): boolean {
  return (sys.statValues[STAT_MODE] & S_IFMT) === S_IFDIR;
}

/**
 * Removes a directory with all that is below it in one call. On a path that climbs the steps one by one may end
 * otherwise: they take away what it leads through.
 *
 * @returns false when nothing has changed: then it has to be done step by step
 */
export function removeAtOnce(sys: Syscalls, path: Path): boolean {
  const text = typeof path === "string" ? path : decodeUtf8(path);
  return !/(^|\/)\.\.(\/|$)/.test(text) && sys.removeTree(path) === 0;
}

/** The removal of rmSync on the system calls of a task. */
export class TreeRemoval {
  readonly #sys: Syscalls;

  constructor(sys: Syscalls) {
    this.#sys = sys;
  }

  /** Removes `path` and what is below it. That it is not there, or no longer, is no failure. */
  remove(path: Path): Failure | undefined {
    const found = this.#sys.stat(path, AT_SYMLINK_NOFOLLOW);
    if (found === -ENOENT || found === -ENOTDIR) return undefined;
    if (found < 0 && found !== -ELOOP) return failed(this.#sys, found, "lstat", path);
    if (found < 0 || !foundDirectory(this.#sys)) return this.#removeOne(path);
    return removeAtOnce(this.#sys, path) ? undefined : this.#directory(path); // Fast path: same result.
  }

  #directory(path: Path): Failure | undefined {
    const fd = this.#sys.open(path, DIRECTORY_ITSELF, 0);
    if (fd === -ENOENT) return undefined;
    if (fd === -ENOTDIR || fd === -ELOOP) return this.#removeOne(path);
    if (fd < 0) return failed(this.#sys, fd, "rm", path);
    const rc = this.#emptyAndClose(fd);
    if (rc < 0) return rc === -ENOENT ? undefined : failed(this.#sys, rc, "rm", path);
    return this.#removeOne(path);
  }

  /** As remove(3): whatever it is, unless it is a directory with something in it. */
  #removeOne(path: Path): Failure | undefined {
    let rc = this.#sys.unlink(path);
    if (rc === -EISDIR) rc = this.#sys.rmdir(path);
    return rc < 0 && rc !== -ENOENT ? failed(this.#sys, rc, "rm", path) : undefined;
  }

  #emptyAndClose(fd: number): number {
    const rc = this.#empty(fd);
    this.#sys.close(fd);
    return rc;
  }

  #empty(fd: number): number {
    for (;;) {
      const listing = this.#sys.getdents(fd, BATCH_ENTRIES);
      if (listing === -ENOENT) return 0; // it has been removed itself: the C library calls that the end
      if (typeof listing === "number") return listing;
      const names = listing.rawNames();
      if (names.length === 0) return 0;
      for (let i = 0; i < names.length; i++) {
        const rc = this.#erase(fd, names[i], listing.types[i]);
        if (rc < 0) return rc;
      }
    }
  }

  #erase(dir: number, name: Uint8Array, type: number): number {
    if (type !== DT_DIR) {
      const rc = this.#sys.unlinkat(dir, name, 0);
      const isMaybeDirectory = type === DT_UNKNOWN && (rc === -EISDIR || rc === -EPERM);
      if (!isMaybeDirectory) return rc;
    }
    const fd = this.#sys.openat(dir, name, DIRECTORY_ITSELF);
    const rc = fd < 0 ? fd : this.#emptyAndClose(fd);
    return rc < 0 ? rc : this.#sys.unlinkat(dir, name, AT_REMOVEDIR);
  }
}
