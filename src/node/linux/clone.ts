/**
 * Files that share their data until one of them is written to, with Node's shape: `fs.kernel.linux.ficlone()` and `ficlonerange()`.
 *
 * Does not own: the calls (vfs/clone-file-range.ts).
 *
 * @see ioctl_ficlone(2)
 */
import type { Task } from "../../vfs/task.ts";
import type { Failure } from "../uv-errors.ts";
import { checkInteger, checkObject } from "../validators.ts";
import { type Descriptor, formsOf, orFailed, toFd, type Waits } from "./forms.ts";

/** Which bytes are to be shared. */
export interface CloneRange {
  /** First byte in the source: a multiple of 4096. 0 if left out. */
  readonly srcOffset?: number;
  /** Bytes: a multiple of 4096, or what the source has from there on, or 0: to its end. 0 if left out. */
  readonly srcLength?: number;
  /** First byte in the other file: a multiple of 4096. 0 if left out. */
  readonly destOffset?: number;
}

/** Clones of files in memory, of one file system. */
export interface CloneCalls {
  /**
   * Has a file have the data of another, from its start to its end.
   *
   * @param dest open for writing @param src open for reading
   * @throws in this order EBADF; EXDEV (two file systems); EISDIR; EINVAL (no regular files); EBADF (not open for it, or for appending); ENOTSUP (not in
   *   memory); EPERM (immutable); ETXTBSY (a swap file); EFBIG; EINVAL (the same file; the source ends within a page, and the other file is longer);
   *   ENOSPC
   */
  ficlone(dest: Descriptor, src: Descriptor): Promise<void>;
  ficloneSync(dest: Descriptor, src: Descriptor): void;
  /** The same of a part. @throws as ficlone(); EINVAL for what is no multiple of 4096, for a range behind the source's end, and ranges that overlap */
  ficlonerange(dest: Descriptor, src: Descriptor, range?: CloneRange): Promise<void>;
  ficlonerangeSync(dest: Descriptor, src: Descriptor, range?: CloneRange): void;
}

function toOffset(value: unknown, name: string): number {
  if (value === undefined) return 0;
  checkInteger(value, name, 0);
  return value as number;
}

interface Request {
  readonly from: number;
  readonly to: number;
  readonly posIn: number;
  readonly posOut: number;
  readonly length: number;
}

/** Clones by a task. */
export function cloneCalls(task: Task, waits: Waits): CloneCalls {
  const commit =
    (syscall: string) =>
    ({ from, to, posIn, posOut, length }: Request): undefined | Failure => {
      const rc = task.cloneFileRange(from, posIn, to, posOut, length);
      return orFailed(task, Math.min(rc, 0) || undefined, syscall) as undefined | Failure;
    };
  const [ficloneSync, ficlone] = formsOf(
    waits,
    (dest: Descriptor, src: Descriptor): Request => ({
      to: toFd(dest),
      from: toFd(src),
      posIn: 0,
      posOut: 0,
      length: 0,
    }),
    commit("ficlone"),
  );
  const [ficlonerangeSync, ficlonerange] = formsOf(
    waits,
    (dest: Descriptor, src: Descriptor, range: CloneRange = {}): Request => {
      const [to, from] = [toFd(dest), toFd(src)];
      checkObject(range, "range");
      return {
        to,
        from,
        posIn: toOffset(range.srcOffset, "range.srcOffset"),
        posOut: toOffset(range.destOffset, "range.destOffset"),
        length: toOffset(range.srcLength, "range.srcLength"),
      };
    },
    commit("ficlonerange"),
  );
  return { ficlone, ficloneSync, ficlonerange, ficlonerangeSync };
}
