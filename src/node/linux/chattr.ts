/**
 * Flags of inodes with Node's shape: `fs.kernel.linux.chattr()`.
 *
 * Does not own: who may, what the flags forbid (vfs/fileattr.ts).
 *
 * @see chattr(1), lsattr(1), ioctl_iflags(2)
 */

import type { FileTarget } from "../../vfs/file-target.ts";
import { getFlags, setFlags } from "../../vfs/fileattr.ts";
import type { Path } from "../../vfs/syscalls.ts";
import type { Task } from "../../vfs/task.ts";
import type { PathLike } from "../face/names.ts";
import { toPath } from "../paths.ts";
import type { Failure } from "../uv-errors.ts";
import { checkInt32 } from "../validators.ts";
import { type Descriptor, formsOf, orFailed, toFd, type Waits } from "./forms.ts";

/** Flags of files and directories in memory. */
export interface ChattrCalls {
  /**
   * Sets the flags: FS_APPEND_FL = 0x20, append-only; FS_IMMUTABLE_FL = 0x10.
   *
   * @throws errors of the walk; EROFS; ENOTTY for what has none; EPERM for others than root; ENOTSUP for other flags
   */
  chattr(path: PathLike, flags: number): Promise<void>;
  chattrSync(path: PathLike, flags: number): void;
  fchattr(fd: Descriptor, flags: number): Promise<void>;
  fchattrSync(fd: Descriptor, flags: number): void;
  /** The flags that are set. @throws errors of the walk; EBADF; ENOTTY */
  lsattr(path: PathLike): Promise<number>;
  lsattrSync(path: PathLike): number;
  flsattr(fd: Descriptor): Promise<number>;
  flsattrSync(fd: Descriptor): number;
}

interface Request {
  readonly target: FileTarget;
  readonly path: Path | undefined;
}

/** Flags by a task. */
export function chattrCalls(task: Task, waits: Waits): ChattrCalls {
  const byPath = (given: PathLike): Request => {
    const path = toPath(given);
    return { target: { path: task.fromCwd(path), follow: true }, path };
  };
  const byFd = (fd: Descriptor): Request => ({ target: { fd: toFd(fd), follow: true }, path: undefined });

  function setter<T>(syscall: string, reach: (given: T) => Request) {
    return formsOf(
      waits,
      (given: T, flags: number) => {
        const request = reach(given);
        checkInt32(flags, "flags");
        return { ...request, flags };
      },
      ({ target, path, flags }) =>
        orFailed(task, setFlags(task, target, flags) || undefined, syscall, path) as undefined | Failure,
    );
  }
  function getter<T>(syscall: string, reach: (given: T) => Request) {
    return formsOf(waits, reach, ({ target, path }) => orFailed<number>(task, getFlags(task, target), syscall, path));
  }

  const [chattrSync, chattr] = setter("chattr", byPath);
  const [fchattrSync, fchattr] = setter("fchattr", byFd);
  const [lsattrSync, lsattr] = getter("lsattr", byPath);
  const [flsattrSync, flsattr] = getter("flsattr", byFd);
  return { chattr, chattrSync, fchattr, fchattrSync, lsattr, lsattrSync, flsattr, flsattrSync };
}
