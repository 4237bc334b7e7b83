/**
 * rm: its options, its checks, and how its failures are shown.
 *
 * Does not own: the walks (remove-tree.ts).
 * @see Node 26 lib/internal/fs/rimraf.js, src/node_file.cc RmSync()
 */
import { EBUSY, EMFILE, ENFILE, ENOENT, ENOTEMPTY, EPERM } from "../../base/errno.ts";
import { AT_SYMLINK_NOFOLLOW } from "../../base/stat-flags.ts";
import type { Path, Syscalls } from "../../vfs/syscalls.ts";
import { toPath } from "../paths.ts";
import { fromCaller, type Origin } from "../stacks.ts";
import type { Operation } from "../surfaces.ts";
import { rmIsDirectoryError, rmSyncError } from "../system-errors.ts";
import { type Failure, failed, SpecialFailure } from "../uv-errors.ts";
import { checkBoolean, checkCallback, checkInt32, checkObject, checkUint32 } from "../validators.ts";
import { AsyncWalk, foundDirectory, SyncWalk } from "./remove-tree.ts";

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
  const syncWalk = new SyncWalk(sys);
  const asyncWalk = new AsyncWalk(sys);

  const rm: Operation<RmRequest, void> = {
    prepare(callback, path, options) {
      const name = toPath(path);
      const request = { path: name, options: toRmOptions(options) };
      checkCallback(callback);
      return request;
    },
    commit: ({ path, options }) => check(sys, path, options, path) ?? asyncWalk.tree(path),
  };

  function removeNow(path: unknown, options: unknown): void {
    const given = toRmOptions(options);
    const name = toPath(path);
    if (!given.force || !given.recursive) {
      const failure = check(sys, name, given, path as Path | URL);
      if (failure !== undefined) throw failure.toError(rmSync);
    }
    for (let retries = given.maxRetries; ; retries--) {
      const failure = syncWalk.tree(name);
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
    const failure = syncWalk.tree(path);
    if (failure !== undefined) throw rmSyncError(failure.errno, path, form);
  }

  return { rm, rmSync, removeSync, removeTree: (path: Path) => syncWalk.tree(path) };
}
