/**
 * The removal of a tree as the callback and promise forms of rm do it: the directory first, what is in it only when that
 * is in the way, and all of that at once, whichever fails.
 *
 * In Node each step is a system call on a worker thread, whose callback starts the next ones. Here the steps stand in a
 * queue, and are made in the order in which one worker would take them, without a wait between: so the first failure is
 * the one that Node would tell, and what is left over is the same. What has been started goes on after a failure. Steps
 * that have to wait, for a store or to be tried again, enter the queue anew when the time has come.
 *
 * Does not own: options and checks of rm (rm.ts), the removal of rmSync (remove-tree.ts).
 * @see Node 26 lib/internal/fs/rimraf.js
 */
import { EAGAIN, EEXIST, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM } from "../../base/errno.ts";
import { AT_SYMLINK_NOFOLLOW } from "../../base/stat-flags.ts";
import type { DirListing, Path, Syscalls } from "../../vfs/syscalls.ts";
import { Wait, whileWaiting } from "../../vfs/waiting.ts";
import { concatBytes, encodeUtf8 } from "../encoding.ts";
import { timeout } from "../platform.ts";
import { Failure, SpecialFailure } from "../uv-errors.ts";
import { foundDirectory, removeAtOnce } from "./remove-tree.ts";
import { isRetried } from "./rm-retries.ts";

/** How often, and after how many milliseconds more each time, what may be busy is tried again. */
export interface Retries {
  maxRetries: number;
  retryDelay: number;
}

/** Told when a removal is done: why it has failed, or undefined. */
type Done = (failure: Failure | undefined) => void;

/** A slash and the name, even behind a slash. */
function below(dir: Path, name: Uint8Array): Uint8Array {
  const head = typeof dir === "string" ? encodeUtf8(`${dir}/`) : concatBytes([dir, encodeUtf8("/")], dir.length + 1);
  return concatBytes([head, name], head.length + name.length);
}

/** The paths of the entries of a directory, as text where that can hold them. */
function childPaths(dir: Path, listing: DirListing): Path[] {
  const { names } = listing;
  const isText = typeof dir === "string" && !names.some((name) => name.includes("\ufffd"));
  return isText ? names.map((name) => `${dir}/${name}`) : listing.rawNames().map((name) => below(dir, name));
}

/** One removal under way. */
export class Rimraf {
  readonly #sys: Syscalls;
  readonly #retries: Retries;
  #steps: (() => void)[] = [];
  #isRunning = false;

  constructor(sys: Syscalls, retries: Retries) {
    this.#sys = sys;
    this.#retries = retries;
  }

  /** Removes `path` and what is below it. That it is not there, or no longer, is no failure. */
  remove(path: Path, done: Done): void {
    let nrRetries = 0;
    const { maxRetries, retryDelay } = this.#retries;
    const settle: Done = (failure) => {
      if (failure !== undefined && isRetried(failure) && nrRetries < maxRetries) {
        nrRetries++;
        timeout(() => this.#tree(path, settle), nrRetries * retryDelay);
      } else {
        done(failure?.errno === -ENOENT ? undefined : failure);
      }
    };
    this.#tree(path, settle);
  }

  #tree(path: Path, done: Done): void {
    const look = (): number => {
      const rc = this.#sys.stat(path, AT_SYMLINK_NOFOLLOW);
      return rc < 0 || !foundDirectory(this.#sys) ? rc : 1;
    };
    this.#call(look, "lstat", path, (failure, found) => {
      if (failure?.errno === -ENOENT) done(undefined);
      else if (found === 1) this.#directory(path, undefined, done);
      else this.#file(path, done);
    });
  }

  #file(path: Path, done: Done): void {
    this.#call(
      () => this.#sys.unlink(path),
      "unlink",
      path,
      (failure) => {
        const errno = failure?.errno;
        if (errno === -EISDIR || errno === -EPERM) this.#directory(path, failure, done);
        else done(errno === -ENOENT ? undefined : failure);
      },
    );
  }

  /** @param first what is told when it turns out to be no directory: undefined, and so success, if it looked like one */
  #directory(path: Path, first: Failure | undefined, done: Done): void {
    const remove = (): number => (removeAtOnce(this.#sys, path) ? 0 : this.#sys.rmdir(path));
    this.#call(remove, "rmdir", path, (failure) => {
      switch (failure?.errno) {
        case -ENOTEMPTY:
        case -EEXIST:
        case -EPERM:
          this.#contents(path, done);
          break;
        case -ENOTDIR:
          done(first);
          break;
        default:
          done(failure);
      }
    });
  }

  #contents(path: Path, done: Done): void {
    let children: Path[] = [];
    const list = (): number => {
      const listing = this.#sys.readdir(path);
      if (typeof listing === "number") return listing;
      children = childPaths(path, listing);
      return 0;
    };
    this.#call(list, "scandir", path, (failure) => {
      if (failure !== undefined) done(failure);
      else if (children.length === 0) this.#rmdir(path, done);
      else this.#children(path, children, done);
    });
  }

  #children(path: Path, children: readonly Path[], done: Done): void {
    let nrLeft = children.length;
    const settle: Done = (failure) => {
      if (nrLeft === 0) return; // one has failed before
      nrLeft = failure === undefined ? nrLeft - 1 : 0;
      if (failure !== undefined) done(failure);
      else if (nrLeft === 0) this.#rmdir(path, done);
    };
    for (const child of children) this.remove(child, settle);
  }

  #rmdir(path: Path, done: Done): void {
    this.#call(() => this.#sys.rmdir(path), "rmdir", path, done);
  }

  /** Enters a system call at the end of the queue. @param then gets its failure, or undefined and what it answered */
  #call(
    call: () => number,
    syscall: string,
    path: Path,
    then: (failure: Failure | undefined, answer: number) => void,
    wait = new Wait(),
  ): void {
    this.#steps.push(() => {
      const rc = whileWaiting(call, undefined, wait);
      const token = rc === -EAGAIN ? this.#sys.waitToken() : undefined;
      if (token === undefined) then(rc < 0 ? new Failure(rc, syscall, path) : undefined, rc);
      else {
        const again = (): void => this.#call(call, syscall, path, then, wait);
        void token.then(again, (error) => then(new SpecialFailure(0, syscall, () => error), 0));
      }
    });
    this.#run();
  }

  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#steps.length > 0) {
      const steps = this.#steps;
      this.#steps = [];
      for (const step of steps) step();
    }
    this.#isRunning = false;
  }
}
