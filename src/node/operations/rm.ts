/**
 * rm: files and trees.
 *
 * The walk goes by raw names where text cannot hold them. Removing again what is gone already is no error, so a job that
 * had to wait simply starts over.
 * @see Node 26 lib/internal/fs/rimraf.js, src/node_file.cc RmSync()
 */
import { EBUSY, EMFILE, ENFILE, ENOENT, ENOTEMPTY, EPERM } from "../../base/errno.ts";
import { AT_SYMLINK_NOFOLLOW, DT_DIR, DT_UNKNOWN, S_IFDIR, S_IFMT } from "../../base/stat-flags.ts";
import { type DirListing, type Path, STAT_MODE, type Syscalls } from "../../vfs/syscalls.ts";
import { concatBytes, encodeUtf8 } from "../encoding.ts";
import { toPath } from "../paths.ts";
import type { Operation } from "../surfaces.ts";
import { rmIsDirectoryError, rmSyncError } from "../system-errors.ts";
import { type Failure, failed, SpecialFailure } from "../uv-errors.ts";
import { checkBoolean, checkCallback, checkInt32, checkObject, checkUint32 } from "../validators.ts";

/** Options of rm with their defaults filled in; the delay is in milliseconds. */
export interface RmOptions {
  recursive: boolean;
  force: boolean;
  retryDelay: number;
  maxRetries: number;
}

/** A removal, checked. */
export interface RmRequest {
  path: Path;
  options: RmOptions;
}

const DEFAULTS: RmOptions = { recursive: false, force: false, retryDelay: 100, maxRetries: 0 };
const RETRIED = new Set([-EBUSY, -EMFILE, -ENFILE, -ENOTEMPTY, -EPERM]);

function toRmOptions(options: unknown): RmOptions {
  if (options === undefined) return DEFAULTS;
  checkObject(options, "options");
  const given = { ...DEFAULTS, ...(options as Partial<RmOptions>) };
  checkBoolean(given.force, "options.force");
  checkBoolean(given.recursive, "options.recursive");
  checkInt32(given.retryDelay, "options.retryDelay", 0);
  checkUint32(given.maxRetries, "options.maxRetries");
  return given;
}

/** A failure worth another try. */
export function isRetried(failure: Failure): boolean {
  return RETRIED.has(failure.errno);
}

class Remove {
  readonly #sys: Syscalls;

  constructor(sys: Syscalls) {
    this.#sys = sys;
  }

  /** Removes `path` and what is below it. */
  tree(path: Path): Failure | undefined {
    const found = this.#sys.stat(path, AT_SYMLINK_NOFOLLOW);
    if (found === -ENOENT) return undefined;
    if (found < 0) return failed(this.#sys, found, "lstat", path);
    return this.#isDirectory() ? this.#directory(path) : this.#file(path);
  }

  /** What stands in the way of removing `path` by the rules of the options; undefined when nothing does. */
  check(path: Path, { recursive, force }: RmOptions): Failure | undefined {
    const found = this.#sys.stat(path, AT_SYMLINK_NOFOLLOW);
    if (found === -ENOENT && force) return undefined;
    if (found < 0) return failed(this.#sys, found, "lstat", path);
    if (!this.#isDirectory() || recursive) return undefined;
    return new SpecialFailure(0, "rm", () => rmIsDirectoryError(path));
  }

  #isDirectory(): boolean {
    return (this.#sys.statValues[STAT_MODE] & S_IFMT) === S_IFDIR;
  }

  #file(path: Path): Failure | undefined {
    const rc = this.#sys.unlink(path);
    return rc < 0 && rc !== -ENOENT ? failed(this.#sys, rc, "unlink", path) : undefined;
  }

  #directory(path: Path): Failure | undefined {
    if (this.#sys.removeTree(path) === 0) return undefined; // Fast path: same result.
    const listing = this.#sys.readdir(path);
    if (listing === -ENOENT) return undefined;
    if (typeof listing === "number") return failed(this.#sys, listing, "scandir", path);
    const failure = this.#entries(path, listing);
    if (failure !== undefined) return failure;
    const rc = this.#sys.rmdir(path);
    return rc < 0 && rc !== -ENOENT ? failed(this.#sys, rc, "rmdir", path) : undefined;
  }

  #entries(dir: Path, listing: DirListing): Failure | undefined {
    const { names, types } = listing;
    const raw =
      typeof dir !== "string" || names.some((name) => name.includes("\ufffd")) ? listing.rawNames() : undefined;
    for (let i = 0; i < names.length; i++) {
      const child = raw === undefined ? `${dir}/${names[i]}` : below(dir, raw[i]);
      const failure = this.#entry(child, types[i]);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  #entry(path: Path, type: number): Failure | undefined {
    if (type === DT_DIR) return this.#directory(path);
    return type === DT_UNKNOWN ? this.tree(path) : this.#file(path);
  }
}

function below(dir: Path, name: Uint8Array): Uint8Array {
  const head = typeof dir === "string" ? encodeUtf8(`${dir}/`) : concatBytes([dir, encodeUtf8("/")], dir.length + 1);
  return concatBytes([head, name], head.length + name.length);
}

/** rm on the system calls of a task. */
export function rmOperations(sys: Syscalls) {
  const remover = new Remove(sys);

  const rm: Operation<RmRequest, void> = {
    prepare(callback, path, options) {
      const name = toPath(path);
      const request = { path: name, options: toRmOptions(options) };
      checkCallback(callback);
      return request;
    },
    commit: ({ path, options }) => remover.check(path, options) ?? remover.tree(path),
  };

  function rmSync(path: unknown, options?: unknown): void {
    const given = toRmOptions(options);
    const name = toPath(path);
    if (!given.force || !given.recursive) {
      const failure = remover.check(name, given);
      if (failure !== undefined) throw failure.toError();
    }
    for (let retries = given.maxRetries; ; retries--) {
      const failure = remover.tree(name);
      if (failure === undefined) return;
      // Node's own walk looks at the path first, and takes what it cannot look at for gone.
      if (failure.syscall === "lstat" && failure.path === name) return;
      if (retries === 0 || !isRetried(failure)) throw rmSyncError(failure.errno, name);
    }
  }

  /** Removes a directory made by mkdtempDisposable. */
  function removeSync(path: Path): void {
    const failure = remover.tree(path);
    if (failure !== undefined) throw rmSyncError(failure.errno, path);
  }

  return { rm, rmSync, removeSync, removeTree: (path: Path) => remover.tree(path) };
}
