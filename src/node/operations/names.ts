/**
 * Operations on names: rename, link, symlink, unlink, rmdir, readlink, mknod and renameat2.
 *
 * Each has a synchronous function written out beside its halves, since these are called by the hundred thousand; it says
 * the same thing as the derived one would.
 */
import type { Path, Syscalls } from "../../vfs/syscalls.ts";
import { argValueError } from "../errors.ts";
import { toPath } from "../paths.ts";
import type { Operation } from "../surfaces.ts";
import { failed, outcomeOf, uvException } from "../uv-errors.ts";
import {
  type Callback,
  checkCallback,
  checkInteger,
  checkObject,
  checkOneOf,
  checkUint32,
  toFileMode,
  toOptions,
} from "../validators.ts";
import { encodeName, type NameEncoding } from "./names-encoding.ts";

/** Checked arguments of rename and link. */
export interface TwoPaths {
  from: Path;
  to: Path;
}

/** A symbolic link to be made. */
export interface SymlinkRequest {
  target: Path;
  path: Path;
}

const LINK_TYPES = ["dir", "file", "junction", null, undefined];

function toLinkPaths(target: unknown, path: unknown): SymlinkRequest {
  return { target: toPath(target, "target"), path: toPath(path) };
}

function checkNotRecursive(options: { recursive?: unknown } | null | undefined): void {
  if (options?.recursive === undefined) return;
  throw argValueError("options.recursive", options.recursive, "is no longer supported");
}

/** Operations on names, on the system calls of a task. */
export function nameOperations(sys: Syscalls) {
  const rename: Operation<TwoPaths, void> = {
    prepare(callback, from, to) {
      checkCallback(callback);
      return { from: toPath(from, "oldPath"), to: toPath(to, "newPath") };
    },
    commit: ({ from, to }) => outcomeOf(sys, sys.rename(from, to), "rename", from, to),
  };

  function renameSync(oldPath: unknown, newPath: unknown): void {
    const from = toPath(oldPath, "oldPath", renameSync);
    const to = toPath(newPath, "newPath", renameSync);
    const rc = sys.rename(from, to);
    if (rc < 0) throw uvException(rc, "rename", from, to, renameSync);
  }

  const link: Operation<TwoPaths, void> = {
    prepare(callback, existing, path) {
      checkCallback(callback);
      return { from: toPath(existing, "existingPath"), to: toPath(path, "newPath") };
    },
    commit: ({ from, to }) => outcomeOf(sys, sys.link(from, to), "link", from, to),
  };

  function linkSync(existingPath: unknown, newPath: unknown): void {
    const from = toPath(existingPath, "existingPath", linkSync);
    const to = toPath(newPath, "newPath", linkSync);
    const rc = sys.link(from, to);
    if (rc < 0) throw uvException(rc, "link", from, to, linkSync);
  }

  const symlink: Operation<SymlinkRequest, void> = {
    prepare(callback, target, path, type) {
      checkOneOf(type, "type", LINK_TYPES);
      checkCallback(callback);
      return toLinkPaths(target, path);
    },
    commit: ({ target, path }) => outcomeOf(sys, sys.symlink(target, path), "symlink", target, path),
  };

  const unlink: Operation<Path, void> = {
    prepare(callback, path) {
      checkCallback(callback);
      return toPath(path);
    },
    commit: (path) => outcomeOf(sys, sys.unlink(path), "unlink", path),
  };

  function unlinkSync(path: unknown): void {
    const name = toPath(path, "path", unlinkSync);
    const rc = sys.unlink(name);
    if (rc < 0) throw uvException(rc, "unlink", name, undefined, unlinkSync);
  }

  const rmdir: Operation<Path, void> = {
    prepare(callback, path, options) {
      checkNotRecursive(options as object);
      checkCallback(callback);
      const name = toPath(path);
      if (options !== undefined) checkObject(options, "options");
      return name;
    },
    prepareSync: prepareRmdirPathFirst,
    preparePromise: prepareRmdirPathFirst,
    commit: (path) => outcomeOf(sys, sys.rmdir(path), "rmdir", path),
  };

  const readlink: Operation<{ path: Path; encoding: NameEncoding }, string | Uint8Array> = {
    prepare(callback, path, options) {
      checkCallback(callback);
      const { encoding } = toOptions(options);
      return { path: toPath(path), encoding };
    },
    preparePromise(_callback, path, options) {
      const { encoding } = toOptions(options);
      return { path: toPath(path, "oldPath"), encoding };
    },
    commit({ path, encoding }) {
      const target = sys.readlink(path);
      return typeof target === "number" ? failed(sys, target, "readlink", path) : encodeName(target, encoding);
    },
  };

  function mknodSync(path: unknown, mode: unknown, dev: unknown = 0): void {
    const name = toPath(path);
    const bits = toFileMode(mode, "mode");
    checkInteger(dev, "dev", 0);
    const rc = sys.mknod(name, bits, dev);
    if (rc < 0) throw uvException(rc, "mknod", name);
  }

  function renameat2Sync(oldPath: unknown, newPath: unknown, flags: unknown = 0): void {
    const from = toPath(oldPath, "oldPath");
    const to = toPath(newPath, "newPath");
    checkUint32(flags, "flags");
    const rc = sys.renameat2(from, to, flags);
    if (rc < 0) throw uvException(rc, "renameat2", from, to);
  }

  return { rename, renameSync, link, linkSync, symlink, unlink, unlinkSync, rmdir, readlink, mknodSync, renameat2Sync };
}

function prepareRmdirPathFirst(_callback: unknown, path: unknown, options: unknown): Path {
  const name = toPath(path);
  checkNotRecursive(options as object);
  if (options !== undefined) checkObject(options, "options");
  return name;
}

/** Callback form of symlink: the type may be left out, and is checked only when it is there. */
export function symlinkArguments(type: unknown, callback: unknown): { type: unknown; callback: Callback } {
  if (callback !== undefined) return { type, callback: callback as Callback };
  checkCallback(type);
  return { type: undefined, callback: type };
}
