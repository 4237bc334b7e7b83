/**
 * Calls relative to an open directory with Node's shape: `fs.kernel.linux.openat()` and its kin.
 *
 * The first argument is a directory's descriptor, or AT_FDCWD = -100; a path that is absolute does not ask for it.
 *
 * Does not own: the calls (vfs/at.ts).
 *
 * @see POSIX.1-2024 openat(), mkdirat() ...; Linux renameat2(2), linkat(2)
 */
import { EINVAL } from "../../base/errno.ts";
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, S_IALLUGO, UTIME_OMIT } from "../../base/stat-flags.ts";
import { AT_EMPTY_PATH, AT_FDCWD, callAt, linkat, renameat2, withRoom } from "../../vfs/at.ts";
import * as attr from "../../vfs/attr.ts";
import * as dirOps from "../../vfs/dir-ops.ts";
import { openFile } from "../../vfs/open.ts";
import { readlink } from "../../vfs/readdir.ts";
import type { Path } from "../../vfs/syscalls.ts";
import type { Task } from "../../vfs/task.ts";
import type { Encoding } from "../face/arguments.ts";
import type { BigIntStats, Bytes, PathLike, Stats } from "../face/names.ts";
import { toFlags } from "../flags.ts";
import type { Timespec } from "../node-fs.ts";
import { toTimespec } from "../operations/attributes.ts";
import { encodeName, type NameEncoding } from "../operations/names-encoding.ts";
import { toPath } from "../paths.ts";
import { BigIntStats as OwnBigIntStats, Stats as OwnStats } from "../stats.ts";
import type { Failure } from "../uv-errors.ts";
import { checkInt32, checkInteger, checkUserId, toFileMode, toOptions } from "../validators.ts";
import {
  type Abortable,
  type Descriptor,
  type Forms,
  formsOf,
  orFailed,
  toAbortable,
  toFd,
  type Waits,
} from "./forms.ts";
import type { WaitOptions } from "./locks.ts";

/** How a link is answered: as text, or as bytes. */
export type ReadlinkOptions = { encoding?: Encoding | "buffer" | null } | Encoding | "buffer" | null;

/** Calls by a directory. Those that end in Sync throw what the others reject with: as of the call without `at`; EBADF, ENOTDIR. */
export interface AtCalls {
  /** @param flags as of fs.open() @param options a signal ends the wait for a fifo's other end @returns a descriptor */
  openat(
    dir: Descriptor,
    path: PathLike,
    flags?: string | number,
    mode?: number | string,
    options?: WaitOptions,
  ): Promise<number>;
  openatSync(dir: Descriptor, path: PathLike, flags?: string | number, mode?: number | string): number;
  mkdirat(dir: Descriptor, path: PathLike, mode?: number | string): Promise<void>;
  mkdiratSync(dir: Descriptor, path: PathLike, mode?: number | string): void;
  /** @param mode type (S_IF*) and permission bits */
  mknodat(dir: Descriptor, path: PathLike, mode: number, dev?: number): Promise<void>;
  mknodatSync(dir: Descriptor, path: PathLike, mode: number, dev?: number): void;
  /** @param flags AT_REMOVEDIR = 0x200: a directory @throws EINVAL for other flags */
  unlinkat(dir: Descriptor, path: PathLike, flags?: number): Promise<void>;
  unlinkatSync(dir: Descriptor, path: PathLike, flags?: number): void;
  /** @param flags RENAME_NOREPLACE = 1, RENAME_EXCHANGE = 2, RENAME_WHITEOUT = 4 */
  renameat2(
    oldDir: Descriptor,
    oldPath: PathLike,
    newDir: Descriptor,
    newPath: PathLike,
    flags?: number,
  ): Promise<void>;
  renameat2Sync(oldDir: Descriptor, oldPath: PathLike, newDir: Descriptor, newPath: PathLike, flags?: number): void;
  /**
   * @param flags AT_SYMLINK_FOLLOW = 0x400; AT_EMPTY_PATH = 0x1000: with `""` for a path the descriptor's own file gets the name, for root;
   *   one opened with O_TMPFILE as well
   */
  linkat(oldDir: Descriptor, oldPath: PathLike, newDir: Descriptor, newPath: PathLike, flags?: number): Promise<void>;
  linkatSync(oldDir: Descriptor, oldPath: PathLike, newDir: Descriptor, newPath: PathLike, flags?: number): void;
  symlinkat(target: PathLike, dir: Descriptor, path: PathLike): Promise<void>;
  symlinkatSync(target: PathLike, dir: Descriptor, path: PathLike): void;
  readlinkat(dir: Descriptor, path: PathLike, options?: ReadlinkOptions): Promise<string | Bytes>;
  readlinkatSync(dir: Descriptor, path: PathLike, options?: ReadlinkOptions): string | Bytes;
  /** @param flags AT_SYMLINK_NOFOLLOW = 0x100; AT_EMPTY_PATH = 0x1000: with `""` for a path of the descriptor */
  fstatat(
    dir: Descriptor,
    path: PathLike,
    flags?: number,
    options?: { bigint?: boolean },
  ): Promise<Stats | BigIntStats>;
  fstatatSync(dir: Descriptor, path: PathLike, flags?: number, options?: { bigint?: boolean }): Stats | BigIntStats;
  /** @param flags AT_SYMLINK_NOFOLLOW = 0x100 */
  fchmodat(dir: Descriptor, path: PathLike, mode: number | string, flags?: number): Promise<void>;
  fchmodatSync(dir: Descriptor, path: PathLike, mode: number | string, flags?: number): void;
  /** @param uid -1 = leave it, as for gid @param flags as of fchmodat() */
  fchownat(dir: Descriptor, path: PathLike, uid: number, gid: number, flags?: number): Promise<void>;
  fchownatSync(dir: Descriptor, path: PathLike, uid: number, gid: number, flags?: number): void;
  /**
   * @param atime nanoseconds since the epoch, "now" (UTIME_NOW) or "omit" (UTIME_OMIT), as for `mtime`
   * @param flags AT_SYMLINK_NOFOLLOW = 0x100; AT_EMPTY_PATH = 0x1000: with `""` for a path of the descriptor
   * @throws nothing at all where both times are left out; then in this order EINVAL for other flags; EBADF, ENOTDIR; errors of the walk;
   *   EROFS; EPERM, of "now" for both EACCES
   */
  utimensat(dir: Descriptor, path: PathLike, atime: Timespec, mtime: Timespec, flags?: number): Promise<void>;
  utimensatSync(dir: Descriptor, path: PathLike, atime: Timespec, mtime: Timespec, flags?: number): void;
  /** @param mode F_OK, or a union of R_OK, W_OK, X_OK */
  faccessat(dir: Descriptor, path: PathLike, mode?: number): Promise<void>;
  faccessatSync(dir: Descriptor, path: PathLike, mode?: number): void;
}

function toDir(given: unknown): number {
  return given === AT_FDCWD ? AT_FDCWD : toFd(given);
}

/** Flags of a call. @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
function toAtFlags(flags: unknown = 0): number {
  checkInt32(flags, "flags");
  return flags;
}

/** A path in an open directory, checked. */
interface At {
  readonly dir: number;
  readonly path: Path;
}
function toAt(dir: unknown, path: unknown, name = "path"): At {
  return { dir: toDir(dir), path: toPath(path, name) };
}

interface UtimensatTimes {
  readonly a: { sec: number; nsec: number };
  readonly m: { sec: number; nsec: number };
  readonly flags: number;
}

/** Where both times are left out, nothing is looked at. @see Linux fs/utimes.c SYSCALL utimensat, do_utimes_path() */
function utimensat(task: Task, dir: number, path: Path, { a, m, flags }: UtimensatTimes): number {
  if (a.nsec === UTIME_OMIT && m.nsec === UTIME_OMIT) return 0;
  if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -EINVAL;
  const isOwn = path.length === 0 && (flags & AT_EMPTY_PATH) !== 0;
  if (isOwn && dir !== AT_FDCWD) return attr.futimens(task, dir, a.sec, a.nsec, m.sec, m.nsec);
  return callAt(task, dir, isOwn ? "." : path, (there) =>
    attr.utimens(task, there, a.sec, a.nsec, m.sec, m.nsec, flags & AT_SYMLINK_NOFOLLOW),
  );
}

/** Calls of a task by directories. */
export function atCalls(task: Task, waits: Waits): AtCalls {
  const calls: Record<string, unknown> = {};

  /** A call about one path. @param prepare checks what follows dir and path @param make makes it, with a path that starts there */
  function add<Q, R>(
    name: string,
    prepare: (...rest: unknown[]) => Q,
    make: (path: Path, request: Q, dir: number) => R | number,
  ): void {
    keep(
      name,
      formsOf(
        waits,
        (dir: unknown, path: unknown, ...rest: unknown[]) => {
          const at = toAt(dir, path);
          const request = prepare(...rest);
          return { ...at, request, signal: (request as Abortable | undefined)?.signal };
        },
        ({ dir, path, request }): R | Failure => {
          const rc = callAt(task, dir, path, (there) => make(there, request, dir));
          return orFailed<R>(task, rc, name, path);
        },
      ),
    );
  }
  /** As add(), of what answers 0. */
  function addPlain<Q>(
    name: string,
    prepare: (...rest: unknown[]) => Q,
    make: (path: Path, request: Q, dir: number) => number,
  ): void {
    add<Q, undefined>(name, prepare, (path, request, dir) => make(path, request, dir) || (undefined as never));
  }
  /** A call about two paths. */
  function addTwo(name: string, make: typeof renameat2): void {
    keep(
      name,
      formsOf(
        waits,
        (oldDir: unknown, oldPath: unknown, newDir: unknown, newPath: unknown, flags?: unknown) => ({
          from: toAt(oldDir, oldPath, "oldPath"),
          to: toAt(newDir, newPath, "newPath"),
          flags: toAtFlags(flags),
        }),
        ({ from, to, flags }): undefined | Failure => {
          const rc = withRoom(task, () => make(task, from.dir, from.path, to.dir, to.path, flags));
          return orFailed(task, rc || undefined, name, from.path, to.path) as undefined | Failure;
        },
      ),
    );
  }
  function keep(name: string, [sync, promise]: Forms<never, unknown>): void {
    calls[`${name}Sync`] = sync;
    calls[name] = promise;
  }

  add(
    "openat",
    (flags, mode, options) => ({
      flags: toFlags(flags),
      mode: toFileMode(mode, "mode", 0o666),
      ...toAbortable(options),
    }),
    (path, { flags, mode }) => withRoom(task, () => openFile(task, path, flags, mode)),
  );
  addPlain(
    "mkdirat",
    (mode) => toFileMode(mode, "mode", 0o777),
    (path, mode) => withRoom(task, () => dirOps.mkdir(task, path, mode)),
  );
  addPlain(
    "mknodat",
    (mode, dev = 0) => {
      checkInteger(dev, "dev", 0, 2 ** 32 - 1);
      return { mode: toFileMode(mode, "mode"), dev };
    },
    (path, { mode, dev }) => withRoom(task, () => dirOps.mknod(task, path, mode, dev)),
  );
  addPlain("unlinkat", toAtFlags, (path, flags) => {
    if (flags & ~AT_REMOVEDIR) return -EINVAL;
    return flags ? dirOps.rmdir(task, path) : dirOps.unlink(task, path);
  });
  addTwo("renameat2", renameat2);
  addTwo("linkat", linkat);
  keep(
    "symlinkat",
    formsOf(
      waits,
      (target: unknown, dir: unknown, path: unknown) => ({ target: toPath(target, "target"), ...toAt(dir, path) }),
      ({ target, dir, path }): undefined | Failure => {
        const rc = callAt(task, dir, path, (there) => withRoom(task, () => dirOps.symlink(task, target, there)));
        return orFailed(task, rc || undefined, "symlinkat", target, path) as undefined | Failure;
      },
    ),
  );
  add(
    "readlinkat",
    (options): NameEncoding => toOptions(options).encoding,
    (path, encoding) => {
      const target = readlink(task, path);
      return typeof target === "number" ? target : encodeName(target, encoding);
    },
  );
  add<{ flags: number; bigint: boolean }, Stats | BigIntStats>(
    "fstatat",
    (flags, options) => ({
      flags: toAtFlags(flags),
      bigint: (options as { bigint?: boolean } | undefined)?.bigint === true,
    }),
    (path, { flags, bigint }, dir) => {
      if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -EINVAL;
      const isOwn = path.length === 0 && flags & AT_EMPTY_PATH;
      const look = flags & AT_SYMLINK_NOFOLLOW;
      const rc = !isOwn
        ? attr.stat(task, path, look)
        : dir === AT_FDCWD
          ? attr.stat(task, task.fromCwd("."), look)
          : attr.fstat(task, dir);
      if (rc < 0) return rc;
      return (bigint ? new OwnBigIntStats(task.statValues) : new OwnStats(task.statValues)) as unknown as
        | Stats
        | BigIntStats;
    },
  );
  addPlain(
    "fchmodat",
    (mode, flags) => ({ mode: toFileMode(mode, "mode") & S_IALLUGO, flags: toAtFlags(flags) }),
    (path, { mode, flags }) => (flags & ~AT_SYMLINK_NOFOLLOW ? -EINVAL : attr.chmod(task, path, mode, flags)),
  );
  addPlain(
    "fchownat",
    (uid, gid, flags) => {
      checkUserId(uid, "uid");
      checkUserId(gid, "gid");
      return { uid, gid, flags: toAtFlags(flags) };
    },
    (path, { uid, gid, flags }) => (flags & ~AT_SYMLINK_NOFOLLOW ? -EINVAL : attr.chown(task, path, uid, gid, flags)),
  );
  keep(
    "utimensat",
    formsOf(
      waits,
      (dir: unknown, path: unknown, atime: unknown, mtime: unknown, flags?: unknown) => ({
        ...toAt(dir, path),
        a: toTimespec(atime, "atime"),
        m: toTimespec(mtime, "mtime"),
        flags: toAtFlags(flags),
      }),
      ({ dir, path, ...times }): undefined | Failure =>
        orFailed(task, utimensat(task, dir, path, times) || undefined, "utimensat", path) as undefined | Failure,
    ),
  );
  addPlain(
    "faccessat",
    (mode = 0) => {
      checkInt32(mode, "mode");
      return mode;
    },
    (path, mode) => attr.access(task, path, mode),
  );
  return calls as unknown as AtCalls;
}
