/**
 * flock() and fcntl() of `fs.kernel.linux` with Node's shape: locks, and the size of pipes.
 *
 * Does not own: who is in whose way (vfs/locks.ts, vfs/record-lock.ts), pipes (vfs/pipe.ts).
 *
 * @see flock(2), fcntl(2) "Advisory record locking", "Open file description locks"
 */
import { EDEADLK, EINVAL } from "../../base/errno.ts";
import {
  endWait,
  F_GETLK,
  F_OFD_GETLK,
  F_OFD_SETLKW,
  F_SETLK,
  type Flock,
  flock,
  getLock,
  LockWait,
  pidOfLock,
  setLock,
} from "../../vfs/locks.ts";
import { getPipeSize, setPipeSize } from "../../vfs/pipe.ts";
import { isOfd, type RecordLock } from "../../vfs/record-lock.ts";
import type { Task } from "../../vfs/task.ts";
import type { Signal } from "../face/platform-types.ts";
import { type Failure, UV_ERRORS } from "../uv-errors.ts";
import { checkInt32, checkInteger, checkObject } from "../validators.ts";
import { type Descriptor, formsOf, orFailed, toAbortable, toFd, type Waits } from "./forms.ts";

/** Commands of fcntl() for pipes. */
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;

// libuv has no word for it; Linux's own.
UV_ERRORS.set(EDEADLK, ["EDEADLK", "resource deadlock avoided"]);

/** A lock on a range, as it is asked for. */
export interface FlockRequest {
  /** F_RDLCK = 0, F_WRLCK = 1, F_UNLCK = 2. */
  type: number;
  /** What `start` counts from: SEEK_SET = 0 (when left out), SEEK_CUR = 1, SEEK_END = 2. */
  whence?: number;
  /** First byte, 0 when left out. */
  start?: number;
  /** Bytes, 0 when left out: all that follow; below 0: those before `start`. */
  length?: number;
}

/** A lock that somebody has. */
export interface FlockHeld {
  type: number;
  /** First byte of the file. */
  start: number;
  /** Bytes, 0 = all that follow. */
  length: number;
  /** Number of the task that has taken it, as in /proc; -1: it belongs to an open file; 0: the task has ended. */
  pid: number;
  /** Whether it belongs to an open file (F_OFD_SETLK), and not to all that share a table of descriptors. */
  isOfd: boolean;
}

/** Options of calls that wait. */
export interface WaitOptions {
  /** Ends the wait with an AbortError; the lock is not taken then. */
  signal?: Signal | undefined;
}

/** Calls that end in Sync never wait: they fail with EAGAIN. The others wait until the lock can be had, or the descriptor is closed. */
export interface LockCalls {
  /**
   * Takes or gives up the lock that an open file may have on a whole file.
   *
   * @param operation LOCK_SH, LOCK_EX or LOCK_UN, with LOCK_NB if it is not to wait
   * @throws in this order EINVAL; EBADF; EAGAIN; ENOMEM; EBADF where the descriptor is closed while the call waits; ABORT_ERR
   */
  flock(fd: Descriptor, operation: number, options?: WaitOptions): Promise<void>;
  flockSync(fd: Descriptor, operation: number): void;

  /**
   * Locks ranges of a file, asks who has.
   *
   * F_SETLK = 6 and F_SETLKW = 7, which waits, are locks of the task: of all faces that share its descriptors. They go when any of its
   * descriptors of the file is closed. F_OFD_SETLK = 37 and F_OFD_SETLKW = 38 are locks of the open file. F_GETLK = 5 and F_OFD_GETLK = 36
   * give the first lock that is in the way, undefined for none.
   *
   * @throws in this order EINVAL for another command; EBADF; EINVAL for a type or a range that is none; EBADF to lock for what the file is
   *   not open for; EAGAIN; EDEADLK where others who wait for the task would be waited for; ENOMEM; EBADF and ABORT_ERR as flock()
   */
  fcntl(fd: Descriptor, command: number, lock: FlockRequest, options?: WaitOptions): Promise<FlockHeld | undefined>;
  /**
   * Room of a pipe: F_GETPIPE_SZ = 1032, F_SETPIPE_SZ = 1031.
   *
   * @param size bytes, rounded up to a power of two of pages of 4096 @returns bytes
   * @throws in this order EBADF for what is no fifo; EINVAL above 2 GiB; EPERM above 1 MiB for others than root; EBUSY when what is in it
   *   needs more
   */
  fcntl(fd: Descriptor, command: number, size?: number): Promise<number>;
  fcntlSync(fd: Descriptor, command: number, lock: FlockRequest): FlockHeld | undefined;
  fcntlSync(fd: Descriptor, command: number, size?: number): number;
}

interface FcntlRequest {
  readonly fd: number;
  readonly command: number;
  /** A lock; of a pipe its size. */
  readonly lock: Flock | number;
  readonly call: LockWait;
  readonly signal?: Signal | undefined;
}

function toFlock(lock: unknown): Flock {
  checkObject(lock, "lock");
  const { type, whence = 0, start = 0, length = 0 } = lock as FlockRequest;
  checkInt32(type, "lock.type");
  checkInt32(whence, "lock.whence");
  checkInteger(start, "lock.start");
  checkInteger(length, "lock.length");
  return { type, whence, start, length };
}

function isPipeCommand(command: number): boolean {
  return command === F_SETPIPE_SZ || command === F_GETPIPE_SZ;
}

/** The third argument of fcntl(). As in C, a size is an unsigned int. */
function toArgument(command: number, given: unknown): Flock | number {
  if (!isPipeCommand(command)) return toFlock(given);
  const size = given ?? 0;
  checkInteger(size, "size", 0, 2 ** 32 - 1);
  return size;
}

function held({ kernel }: Task, lock: RecordLock): FlockHeld {
  const { type, start, end } = lock;
  const length = end === Number.POSITIVE_INFINITY ? 0 : end - start + 1;
  return { type, start, length, pid: pidOfLock(kernel, lock), isOfd: isOfd(lock) };
}

function makeFcntl(task: Task, { fd, command, lock, call }: FcntlRequest): FlockHeld | number | undefined {
  if (typeof lock === "number") return command === F_SETPIPE_SZ ? setPipeSize(task, fd, lock) : getPipeSize(task, fd);
  if (command === F_GETLK || command === F_OFD_GETLK) {
    const found = getLock(task, fd, command, lock);
    return typeof found === "object" ? held(task, found) : found;
  }
  const isKnown = (command > F_GETLK && command <= F_SETLK + 1) || (command > F_OFD_GETLK && command <= F_OFD_SETLKW);
  return isKnown ? setLock(task, fd, command, lock, call) || undefined : -EINVAL;
}

/** Locks by a task. */
export function lockCalls(task: Task, waits: Waits): LockCalls {
  const { kernel } = task; // that of a task that has ended meanwhile is none
  const end = ({ call }: { call: LockWait }): void => endWait(kernel, call);
  const [flockSync, flockLater] = formsOf(
    waits,
    (fd: Descriptor, operation: number, options?: WaitOptions) => {
      checkInt32(operation, "operation");
      return { fd: toFd(fd), operation, call: new LockWait(), ...toAbortable(options) };
    },
    ({ fd, operation, call }): undefined | Failure =>
      orFailed(task, flock(task, fd, operation, call) || undefined, "flock") as undefined | Failure,
    end,
  );
  const [fcntlSync, fcntl] = formsOf(
    waits,
    (fd: Descriptor, command: number, argument: unknown, options?: WaitOptions): FcntlRequest => {
      const number = toFd(fd);
      checkInt32(command, "command");
      return {
        fd: number,
        command,
        lock: toArgument(command, argument),
        call: new LockWait(),
        ...toAbortable(options),
      };
    },
    (request): FlockHeld | number | undefined | Failure =>
      orFailed(task, makeFcntl(task, request), "fcntl") as FlockHeld | number | undefined | Failure,
    end,
  );
  return { flock: flockLater, flockSync, fcntl, fcntlSync } as LockCalls;
}
