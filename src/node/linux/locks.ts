/**
 * Locks with Node's shape: `fs.kernel.linux.flock()` and `fcntl()`.
 *
 * Does not own: who is in whose way (vfs/locks.ts, vfs/record-lock.ts).
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
  setLock,
} from "../../vfs/locks.ts";
import { isOfd, type RecordLock } from "../../vfs/record-lock.ts";
import type { Task } from "../../vfs/task.ts";
import { type Failure, UV_ERRORS } from "../uv-errors.ts";
import { checkInt32, checkInteger, checkObject } from "../validators.ts";
import { type Descriptor, formsOf, orFailed, toFd, type Waits } from "./forms.ts";

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
  /** Whether it belongs to an open file (F_OFD_SETLK), and not to all that share a table of descriptors. */
  isOfd: boolean;
}

/** Calls that end in Sync never wait: they fail with EAGAIN. The others wait until the lock can be had, or the descriptor is closed. */
export interface LockCalls {
  /**
   * Takes or gives up the lock that an open file may have on a whole file.
   *
   * @param operation LOCK_SH, LOCK_EX or LOCK_UN, with LOCK_NB if it is not to wait
   * @throws in this order EINVAL; EBADF; EAGAIN; ENOMEM; EBADF where the descriptor is closed while the call waits
   */
  flock(fd: Descriptor, operation: number): Promise<void>;
  flockSync(fd: Descriptor, operation: number): void;

  /**
   * Locks ranges of a file, asks who has.
   *
   * F_SETLK = 6 and F_SETLKW = 7, which waits, are locks of the task: of all faces that share its descriptors. They go when any of its
   * descriptors of the file is closed. F_OFD_SETLK = 37 and F_OFD_SETLKW = 38 are locks of the open file. F_GETLK = 5 and F_OFD_GETLK = 36
   * give the first lock that is in the way, undefined for none.
   *
   * @throws in this order EINVAL for another command; EBADF; EINVAL for a type or a range that is none; EBADF to lock for what the file is
   *   not open for; EAGAIN; EDEADLK where others who wait for the task would be waited for; ENOMEM; EBADF as flock()
   */
  fcntl(fd: Descriptor, command: number, lock: FlockRequest): Promise<FlockHeld | undefined>;
  fcntlSync(fd: Descriptor, command: number, lock: FlockRequest): FlockHeld | undefined;
}

interface FcntlRequest {
  readonly fd: number;
  readonly command: number;
  readonly lock: Flock;
  readonly call: LockWait;
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

function held(lock: RecordLock): FlockHeld {
  const { type, start, end } = lock;
  return { type, start, length: end === Number.POSITIVE_INFINITY ? 0 : end - start + 1, isOfd: isOfd(lock) };
}

function makeFcntl(task: Task, { fd, command, lock, call }: FcntlRequest): FlockHeld | number | undefined {
  if (command === F_GETLK || command === F_OFD_GETLK) {
    const found = getLock(task, fd, command, lock);
    return typeof found === "object" ? held(found) : found;
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
    (fd: Descriptor, operation: number) => {
      checkInt32(operation, "operation");
      return { fd: toFd(fd), operation, call: new LockWait() };
    },
    ({ fd, operation, call }): undefined | Failure =>
      orFailed(task, flock(task, fd, operation, call) || undefined, "flock") as undefined | Failure,
    end,
  );
  const [fcntlSync, fcntl] = formsOf(
    waits,
    (fd: Descriptor, command: number, lock: FlockRequest): FcntlRequest => {
      const number = toFd(fd);
      checkInt32(command, "command");
      return { fd: number, command, lock: toFlock(lock), call: new LockWait() };
    },
    (request): FlockHeld | undefined | Failure =>
      orFailed(task, makeFcntl(task, request), "fcntl") as FlockHeld | undefined | Failure,
    end,
  );
  return { flock: flockLater, flockSync, fcntl, fcntlSync };
}
