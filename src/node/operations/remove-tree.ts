/**
 * The two walks that remove a tree: Node's synchronous rm does it in C++, the others in JavaScript, and they differ in
 * what they try first, what they take for success, and whether they go on after a failure.
 *
 * Both go by raw names where text cannot hold them. To remove again what is gone is no error, so a walk that had to wait
 * simply starts over.
 *
 * Does not own: options, retries and errors of rm (rm.ts).
 */
import { EEXIST, ELOOP, ENOENT, ENOTDIR, ENOTEMPTY, EPERM } from "../../base/errno.ts";
import { AT_SYMLINK_NOFOLLOW, DT_DIR, DT_UNKNOWN, S_IFDIR, S_IFMT } from "../../base/stat-flags.ts";
import { type DirListing, type Path, STAT_MODE, type Syscalls } from "../../vfs/syscalls.ts";
import { concatBytes, encodeUtf8 } from "../encoding.ts";
import { type Failure, failed } from "../uv-errors.ts";

/** Whether the last stat found a directory. */
export function foundDirectory(sys: Syscalls): boolean {
  return (sys.statValues[STAT_MODE] & S_IFMT) === S_IFDIR;
}

function below(dir: Path, name: Uint8Array): Uint8Array {
  const head = typeof dir === "string" ? encodeUtf8(`${dir}/`) : concatBytes([dir, encodeUtf8("/")], dir.length + 1);
  return concatBytes([head, name], head.length + name.length);
}

/** The paths of the entries of a directory. */
function childPaths(dir: Path, listing: DirListing): Path[] {
  const { names } = listing;
  const isText = typeof dir === "string" && !names.some((name) => name.includes("\ufffd"));
  return isText ? names.map((name) => `${dir}/${name}`) : listing.rawNames().map((name) => below(dir, name));
}

abstract class Walk {
  protected readonly sys: Syscalls;

  constructor(sys: Syscalls) {
    this.sys = sys;
  }

  /** Removes `path` and what is below it. */
  tree(path: Path): Failure | undefined {
    const found = this.sys.stat(path, AT_SYMLINK_NOFOLLOW);
    if (found < 0) return this.unseen(path, found);
    return foundDirectory(this.sys) ? this.directory(path) : this.file(path);
  }

  /** What cannot be looked at. @param errno negated errno of lstat */
  protected abstract unseen(path: Path, errno: number): Failure | undefined;

  /** A directory that has to be removed name by name. */
  protected abstract contentsAndSelf(path: Path): Failure | undefined;

  /** Whether the walk ends at a failure, or removes the other entries first. */
  protected abstract isEnd(failure: Failure): boolean;

  protected directory(path: Path): Failure | undefined {
    if (this.sys.removeTree(path) === 0) return undefined; // Fast path: same result.
    return this.contentsAndSelf(path);
  }

  protected file(path: Path): Failure | undefined {
    const rc = this.sys.unlink(path);
    return rc < 0 && rc !== -ENOENT ? failed(this.sys, rc, "unlink", path) : undefined;
  }

  protected self(path: Path): Failure | undefined {
    const rc = this.sys.rmdir(path);
    return rc < 0 && rc !== -ENOENT ? failed(this.sys, rc, "rmdir", path) : undefined;
  }

  /** @returns the first failure */
  protected contents(dir: Path): Failure | undefined {
    const listing = this.sys.readdir(dir);
    if (listing === -ENOENT) return undefined;
    if (typeof listing === "number") return failed(this.sys, listing, "scandir", dir);
    const children = childPaths(dir, listing);
    let first: Failure | undefined;
    for (let i = 0; i < children.length; i++) {
      const failure = this.#entry(children[i], listing.types[i]);
      if (failure !== undefined && this.isEnd(failure)) return failure;
      first ??= failure;
    }
    return first;
  }

  #entry(path: Path, type: number): Failure | undefined {
    if (type === DT_DIR) return this.directory(path);
    return type === DT_UNKNOWN ? this.tree(path) : this.file(path);
  }
}

/** The walk of rmSync: contents first, and no further than the first failure. @see libstdc++ remove_all() */
export class SyncWalk extends Walk {
  protected override unseen(path: Path, errno: number): Failure | undefined {
    if (errno === -ENOENT || errno === -ENOTDIR) return undefined;
    return errno === -ELOOP ? this.file(path) : failed(this.sys, errno, "lstat", path);
  }

  protected override contentsAndSelf(path: Path): Failure | undefined {
    return this.contents(path) ?? this.self(path);
  }

  protected override isEnd(): boolean {
    return true;
  }
}

/**
 * The walk of the callback and promise forms: the directory first, its contents only when they are in the way, and all
 * of those, whichever fails. @see Node 26 lib/internal/fs/rimraf.js
 */
export class AsyncWalk extends Walk {
  protected override unseen(path: Path, errno: number): Failure | undefined {
    return errno === -ENOENT ? undefined : failed(this.sys, errno, "lstat", path);
  }

  protected override contentsAndSelf(path: Path): Failure | undefined {
    const failure = this.self(path);
    switch (failure?.errno) {
      case undefined:
      case -ENOTDIR: // A link to a directory, by a path that ends in a slash: Node leaves it, and calls that success.
        return undefined;
      case -ENOTEMPTY:
      case -EEXIST:
      case -EPERM:
        return this.contents(path) ?? this.self(path);
      default:
        return failure;
    }
  }

  /** A failure that asks to wait: the walk starts over then. */
  protected override isEnd(failure: Failure): boolean {
    return failure.token !== undefined;
  }
}
