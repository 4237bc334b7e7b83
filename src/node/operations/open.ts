/**
 * Operations on descriptors as a whole: open, close, fsync, fdatasync, truncate, ftruncate, and those that Node lacks
 * (fallocate, lseek, flock, sync).
 */
import { EAGAIN } from "../../base/errno.ts";
import { O_RDWR } from "../../base/stat-flags.ts";
import type { Path, Syscalls } from "../../vfs/syscalls.ts";
import { toFlags } from "../flags.ts";
import { toPath } from "../paths.ts";
import type { Operation } from "../surfaces.ts";
import { Failure, failed, outcomeOf, uvException } from "../uv-errors.ts";
import { checkCallback, checkFd, checkInt32, checkInteger, toFileMode } from "../validators.ts";

const DEFAULT_MODE = 0o666;

/** An open call, checked. */
export interface OpenRequest {
  path: Path;
  flags: number;
  mode: number;
}

function openOperation(sys: Syscalls): Operation<OpenRequest, number> {
  return {
    prepare(callback, path, flags, mode) {
      const bits = toFileMode(mode, "mode", DEFAULT_MODE);
      const request = { flags: toFlags(flags), path: toPath(path), mode: bits };
      checkCallback(callback);
      return request;
    },
    preparePromise(_callback, path, flags, mode) {
      return { path: toPath(path), flags: toFlags(flags), mode: toFileMode(mode, "mode", DEFAULT_MODE) };
    },
    commit({ path, flags, mode }) {
      const fd = sys.open(path, flags, mode);
      return fd < 0 ? failed(sys, fd, "open", path) : fd;
    },
  };
}

/** Operations that take a descriptor and nothing else. */
function onFd(sys: Syscalls, syscall: "fsync" | "fdatasync"): Operation<number, void> {
  return {
    prepare(callback, fd) {
      checkCallback(callback);
      return checkFd(fd);
    },
    commit: (fd) => outcomeOf(sys, sys[syscall](fd), syscall),
  };
}

/** Checked arguments of truncate, and the file while it waits. */
export interface TruncateRequest {
  path: Path;
  len: unknown;
  fd?: number;
  /** Closes the file when it waits and will not be gone on with. */
  abandon?: () => void;
}

function truncateOperation(sys: Syscalls): Operation<TruncateRequest, void> {
  const later = (_callback: unknown, path: unknown, len: unknown = 0) => ({ path: toPath(path), len });
  return {
    prepare(callback, path, len = 0) {
      checkInteger(len, "len");
      checkCallback(callback);
      return { path: toPath(path), len };
    },
    // Node opens the file before it looks at the length.
    prepareSync: later,
    preparePromise: later,
    commit(request) {
      const { path, len } = request;
      const fd = request.fd ?? sys.open(path, O_RDWR, DEFAULT_MODE);
      if (fd < 0) return failed(sys, fd, "open", path);
      let failure: undefined | Failure;
      try {
        checkInteger(len, "len");
        failure = outcomeOf(sys, sys.ftruncate(fd, Math.max(0, len)), "ftruncate");
      } finally {
        if (failure?.token === undefined) sys.close(fd);
      }
      if (failure?.token !== undefined) Object.assign(request, { fd, abandon: () => sys.close(fd) });
      return failure;
    },
  };
}

function extraCalls(sys: Syscalls) {
  function fallocateSync(fd: unknown, mode: unknown, offset: unknown, len: unknown): void {
    const file = checkFd(fd);
    checkInt32(mode, "mode");
    checkInteger(offset, "offset");
    checkInteger(len, "len");
    const rc = sys.fallocate(file, mode, offset, len);
    if (rc < 0) throw uvException(rc, "fallocate");
  }

  function lseekSync(fd: unknown, offset: unknown, whence: unknown): number {
    const file = checkFd(fd);
    checkInteger(offset, "offset");
    checkInt32(whence, "whence");
    const position = sys.lseek(file, offset, whence);
    if (position < 0) throw uvException(position, "lseek");
    return position;
  }

  function flockSync(fd: unknown, operation: unknown): void {
    const file = checkFd(fd);
    checkInt32(operation, "operation");
    const rc = sys.flock(file, operation);
    if (rc < 0) throw uvException(rc, "flock");
  }

  function syncSync(): void {
    const rc = sys.sync();
    if (rc < 0) throw uvException(rc, "sync", undefined, undefined, syncSync);
  }

  return { fallocateSync, lseekSync, flockSync, syncSync };
}

/** What is to be closed, and whether it has been: it is waited for then, not closed again. */
export interface CloseRequest {
  readonly fd: number;
  isClosed: boolean;
}

/** Closing is done at once; a store that takes time to hear of it is waited for. */
function closeOperation(sys: Syscalls): Operation<CloseRequest, void> {
  return {
    prepare(callback, fd) {
      checkCallback(callback);
      return { fd: checkFd(fd), isClosed: false };
    },
    commit(request) {
      if (request.isClosed) return undefined;
      sys.waitToken(); // of a call before
      const failure = outcomeOf(sys, sys.close(request.fd), "close");
      if (failure) return failure;
      request.isClosed = true;
      const token = sys.waitToken();
      return token && new Failure(-EAGAIN, "close", undefined, undefined, token);
    },
  };
}

/** Operations on descriptors as a whole, on the system calls of a task. */
export function openOperations(sys: Syscalls) {
  function openSync(path: unknown, flags?: unknown, mode?: unknown): number {
    const openFlags = toFlags(flags, "flags", openSync);
    const bits = mode === undefined ? DEFAULT_MODE : toFileMode(mode, "mode", DEFAULT_MODE, openSync);
    const name = toPath(path, "path", openSync);
    const fd = sys.open(name, openFlags, bits);
    if (fd < 0) throw uvException(fd, "open", name, undefined, openSync);
    return fd;
  }

  function closeSync(fd: unknown): void {
    const rc = sys.close(checkFd(fd, closeSync));
    if (rc < 0) throw uvException(rc, "close", undefined, undefined, closeSync);
  }

  const ftruncate: Operation<{ fd: number; len: number }, void> = {
    prepare(callback, fd, len = 0) {
      checkInteger(len, "len");
      checkCallback(callback);
      return { fd: checkFd(fd), len: Math.max(0, len) };
    },
    commit: ({ fd, len }) => outcomeOf(sys, sys.ftruncate(fd, len), "ftruncate"),
  };

  return {
    ...extraCalls(sys),
    openSync,
    closeSync,
    ftruncate,
    open: openOperation(sys),
    close: closeOperation(sys),
    fsync: onFd(sys, "fsync"),
    fdatasync: onFd(sys, "fdatasync"),
    truncate: truncateOperation(sys),
  };
}
