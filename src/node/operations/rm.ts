/**
 * rm: its options, its checks, and how its failures are shown.
 *
 * Does not own: the removals (remove-tree.ts, rimraf.ts).
 * @see Node 26 lib/internal/fs/rimraf.js, src/node_file.cc RmSync()
 */
import { ENOENT } from "../../base/errno.ts";
import { AT_SYMLINK_NOFOLLOW } from "../../base/stat-flags.ts";
import type { Path, Syscalls } from "../../vfs/syscalls.ts";
import { toPath } from "../paths.ts";
import { callSiteOf, fromCaller, type Origin } from "../stacks.ts";
import type { Operation } from "../surfaces.ts";
import { rmIsDirectoryError, rmSyncError } from "../system-errors.ts";
import { type Failure, failed, SpecialFailure } from "../uv-errors.ts";
import { checkBoolean, checkCallback, checkInt32, checkObject, checkUint32 } from "../validators.ts";
import { foundDirectory, TreeRemoval } from "./remove-tree.ts";
import { type Retries, Rimraf } from "./rimraf.ts";
import { isRetried } from "./rm-retries.ts";

/** Options of rm with their defaults filled in. */
export interface RmOptions extends Retries {
  recursive: boolean;
  force: boolean;
}

/** A removal, checked. */
export interface RmRequest {
  path: Path;
  options: RmOptions;
}

const DEFAULTS: RmOptions = { recursive: false, force: false, retryDelay: 100, maxRetries: 0 };
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

/**
 * What stands in the way of removing `path` by the rules of the options; undefined when nothing does.
 *
 * @param given the path as errors show it
 */
function check(sys: Syscalls, path: Path, { recursive, force }: RmOptions, given: Path | URL): Failure | undefined {
  const found = sys.stat(path, AT_SYMLINK_NOFOLLOW);
  if (found === -ENOENT && force) return undefined;
  if (found < 0) return failed(sys, found, "lstat", path);
  if (!foundDirectory(sys) || recursive) return undefined;
  return new SpecialFailure(0, "rm", (origin) => rmIsDirectoryError(given, origin));
}

/** rm on the system calls of a task. */
export function rmOperations(sys: Syscalls) {
  const removal = new TreeRemoval(sys);

  /** The checks of rm alone: what it removes, it removes by rimraf(). */
  const rm: Operation<RmRequest, void> = {
    prepare(callback, path, options) {
      const name = toPath(path);
      const request = { path: name, options: toRmOptions(options) };
      checkCallback(callback);
      return request;
    },
    commit: ({ path, options }) => check(sys, path, options, path),
  };

  /** Removes as the callback and promise forms do. @param origin what was called */
  function rimraf(path: Path, retries: Retries, origin: Origin): Promise<void> {
    const site = callSiteOf(origin);
    return new Promise((resolve, reject) => {
      new Rimraf(sys, retries).remove(path, (failure) => (failure ? reject(failure.toError(site)) : resolve()));
    });
  }

  function removeNow(path: unknown, options: unknown): void {
    const given = toRmOptions(options);
    const name = toPath(path);
    if (!given.force || !given.recursive) {
      const failure = check(sys, name, given, path as Path | URL);
      if (failure !== undefined) throw failure.toError(rmSync);
    }
    for (let retries = given.maxRetries; ; retries--) {
      const failure = removal.remove(name);
      if (failure === undefined) return;
      if (retries === 0 || !isRetried(failure)) throw rmSyncError(failure.errno, name, rmSync);
    }
  }

  function rmSync(path: unknown, options?: unknown): void {
    try {
      removeNow(path, options);
    } catch (error) {
      throw fromCaller(error, rmSync);
    }
  }

  /** Removes a directory made by mkdtempDisposable, as `form` was told to. */
  function removeSync(path: Path, form: Origin): void {
    const failure = removal.remove(path);
    if (failure !== undefined) throw rmSyncError(failure.errno, path, form);
  }

  return { rm, rimraf, rmSync, removeSync, removeTree: (path: Path) => removal.remove(path) };
}
