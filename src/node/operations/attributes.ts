/**
 * Operations on attributes: chmod, chown and utimes, each by path, by path without following a link, and by descriptor.
 */
import { AT_SYMLINK_NOFOLLOW, UTIME_NOW, UTIME_OMIT } from "../../base/stat-flags.ts";
import type { Path, Syscalls } from "../../vfs/syscalls.ts";
import { argTypeError } from "../errors.ts";
import { toPath } from "../paths.ts";
import type { Operation } from "../surfaces.ts";
import { outcomeOf, uvException } from "../uv-errors.ts";
import { checkCallback, checkFd, checkObject, checkUserId, toFileMode, toUnixSeconds } from "../validators.ts";

/** New owner and group; -1 leaves one as it is. */
export interface Owner {
  uid: number;
  gid: number;
}

/** Access and modification time as utimensat takes them. */
export interface Times {
  atimeSec: number;
  atimeNsec: number;
  mtimeSec: number;
  mtimeNsec: number;
}

function toOwner(uid: unknown, gid: unknown): Owner {
  checkUserId(uid, "uid");
  checkUserId(gid, "gid");
  return { uid, gid };
}

/** The fraction of a second, cut to nanoseconds; negative for times before the epoch. */
function fraction(time: number): number {
  return Math.trunc((time - Math.trunc(time)) * 1e9);
}

/** @see libuv src/unix/fs.c uv__fs_to_timespec() */
function wholeSeconds(time: number): number {
  if (!Number.isFinite(time)) return 0;
  return fraction(time) < 0 ? Math.trunc(time) - 1 : Math.trunc(time);
}

/** NaN (an invalid Date) leaves the time alone and Infinity means now, as in libuv. */
function nanoseconds(time: number): number {
  if (Number.isNaN(time)) return UTIME_OMIT;
  if (!Number.isFinite(time)) return UTIME_NOW;
  const nsec = fraction(time);
  return nsec < 0 ? nsec + 1e9 : nsec;
}

function toTimes(atime: number, mtime: number): Times {
  return {
    atimeSec: wholeSeconds(atime),
    atimeNsec: nanoseconds(atime),
    mtimeSec: wholeSeconds(mtime),
    mtimeNsec: nanoseconds(mtime),
  };
}

/** One time of utimensSync: nanoseconds since the epoch, `now` or `omit`. */
export function toTimespec(time: unknown, name: string): { sec: number; nsec: number } {
  if (time === "now") return { sec: 0, nsec: UTIME_NOW };
  if (time === "omit") return { sec: 0, nsec: UTIME_OMIT };
  if (typeof time !== "bigint") throw argTypeError(name, ["bigint", "'now'", "'omit'"], time);
  const nsec = ((time % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { sec: Number((time - nsec) / 1_000_000_000n), nsec: Number(nsec) };
}

function modeOperations(sys: Syscalls) {
  const chmod: Operation<{ path: Path; mode: number }, void> = {
    prepare(callback, path, mode) {
      const request = { path: toPath(path), mode: toFileMode(mode, "mode") };
      checkCallback(callback);
      return request;
    },
    commit: ({ path, mode }) => outcomeOf(sys, sys.chmod(path, mode, 0), "chmod", path),
  };

  const fchmod: Operation<{ fd: number; mode: number }, void> = {
    prepare(callback, fd, mode) {
      const bits = toFileMode(mode, "mode");
      checkCallback(callback);
      return { fd: checkFd(fd), mode: bits };
    },
    commit: ({ fd, mode }) => outcomeOf(sys, sys.fchmod(fd, mode), "fchmod"),
  };

  function chmodSync(path: unknown, mode: unknown): void {
    const name = toPath(path, "path", chmodSync);
    const rc = sys.chmod(name, toFileMode(mode, "mode", undefined, chmodSync), 0);
    if (rc < 0) throw uvException(rc, "chmod", name, undefined, chmodSync);
  }

  return { chmod, chmodSync, fchmod };
}

function ownerOperations(sys: Syscalls) {
  const byPath = (syscall: string, flags: number): Operation<{ path: Path; owner: Owner }, void> => ({
    prepare(callback, path, uid, gid) {
      checkCallback(callback);
      return { path: toPath(path), owner: toOwner(uid, gid) };
    },
    commit: ({ path, owner }) => outcomeOf(sys, sys.chown(path, owner.uid, owner.gid, flags), syscall, path),
  });

  const fchown: Operation<{ fd: number; owner: Owner }, void> = {
    prepare(callback, fd, uid, gid) {
      const owner = toOwner(uid, gid);
      checkCallback(callback);
      return { fd: checkFd(fd), owner };
    },
    commit: ({ fd, owner }) => outcomeOf(sys, sys.fchown(fd, owner.uid, owner.gid), "fchown"),
  };

  return { chown: byPath("chown", 0), lchown: byPath("lchown", AT_SYMLINK_NOFOLLOW), fchown };
}

function timeOperations(sys: Syscalls) {
  const setTimes = (path: Path, t: Times, flags: number): number =>
    sys.utimens(path, t.atimeSec, t.atimeNsec, t.mtimeSec, t.mtimeNsec, flags);

  const byPath = (syscall: string, flags: number): Operation<{ path: Path; times: Times }, void> => ({
    prepare(callback, path, atime, mtime) {
      checkCallback(callback);
      return { path: toPath(path), times: toTimes(toUnixSeconds(atime), toUnixSeconds(mtime)) };
    },
    commit: ({ path, times }) => outcomeOf(sys, setTimes(path, times, flags), syscall, path),
  });

  const futimes: Operation<{ fd: number; times: Times }, void> = {
    prepare(callback, fd, atime, mtime) {
      const times = toTimes(toUnixSeconds(atime, "atime"), toUnixSeconds(mtime, "mtime"));
      checkCallback(callback);
      return { fd: checkFd(fd), times };
    },
    commit({ fd, times: t }) {
      return outcomeOf(sys, sys.futimens(fd, t.atimeSec, t.atimeNsec, t.mtimeSec, t.mtimeNsec), "futime");
    },
  };

  function utimensSync(path: unknown, atime: unknown, mtime: unknown, options: unknown = {}): void {
    const name = toPath(path);
    const a = toTimespec(atime, "atime");
    const m = toTimespec(mtime, "mtime");
    checkObject(options, "options");
    const flags = (options as { followSymlinks?: boolean }).followSymlinks === false ? AT_SYMLINK_NOFOLLOW : 0;
    const rc = sys.utimens(name, a.sec, a.nsec, m.sec, m.nsec, flags);
    if (rc < 0) throw uvException(rc, "utimensat", name);
  }

  return { utimes: byPath("utime", 0), lutimes: byPath("lutime", AT_SYMLINK_NOFOLLOW), futimes, utimensSync };
}

/** chmod, chown, utimes and their kin on the system calls of a task. */
export function attributeOperations(sys: Syscalls) {
  return { ...modeOperations(sys), ...ownerOperations(sys), ...timeOperations(sys) };
}
