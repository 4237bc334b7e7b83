/**
 * Locks that can be waited for: flock(2), and those of fcntl(2) on ranges.
 *
 * A call that has to wait registers what it waits for, and gets a token; whatever may have changed the locks of the file wakes all who
 * wait for it, and they ask again, in the order in which they came. Only calls by promise wait.
 *
 * Locks of F_SETLK belong to a table of descriptors, and go when any descriptor of the file in it is closed; those of F_OFD_SETLK, like
 * those of flock(2), to an open file. So the kernel has to tell of each close: once there has been a lock on a range, or somebody waits,
 * `kernel.locks` is there to be told.
 *
 * Does not own: ranges and records (record-lock.ts).
 *
 * @see Linux fs/locks.c fcntl_setlk(), posix_locks_deadlock(), locks_remove_posix(); POSIX.1-2024 fcntl()
 */
import { EAGAIN, EBADF, EDEADLK, EINVAL } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { LOCK_NB } from "../base/stat-flags.ts";
import { TRY_AGAIN } from "../mm/address-space.ts";
import { FILE_MODE, FILE_POS, FL_OFD, FMODE_READ, FMODE_WRITE, INODE_SIZE } from "../wasm/layout.ts";
import { fdget, inodeOfFile } from "./attr.ts";
import type { FileTable } from "./file-table.ts";
import { waitForChange, wakeWaiters } from "./freeze.ts";
import type { Kernel, LockObserver } from "./kernel.ts";
import { findTaskByPid, taskPid } from "./pid.ts";
import {
  afterRequest,
  conflictOf,
  F_RDLCK,
  F_UNLCK,
  F_WRLCK,
  hasFlock,
  isSameOwner,
  type RecordLock,
  recordLocks,
  setRecordLocks,
} from "./record-lock.ts";
import type { Task } from "./task.ts";

/** Commands of fcntl(): of the process, and of the open file. */
export const F_GETLK = 5;
export const F_SETLK = 6;
export const F_SETLKW = 7;
export const F_OFD_GETLK = 36;
export const F_OFD_SETLK = 37;
export const F_OFD_SETLKW = 38;

const SEEK_CUR = 1;
const SEEK_END = 2;
/** Owners that are followed until a deadlock is given up on. @see Linux MAX_DEADLK_ITERATIONS */
const MAX_DEADLOCK_STEPS = 10;

/** A lock as programs ask for it. @see POSIX.1-2024 struct flock */
export interface Flock {
  readonly type: number;
  /** SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2: what `start` counts from. */
  readonly whence: number;
  readonly start: number;
  /** Bytes; 0 = all that follow; below 0: those before `start`. */
  readonly length: number;
}

/** A call that waits: the descriptor that it was made by, and whose lock is in its way. */
interface Waiting {
  readonly call: LockWait;
  readonly request: RecordLock | undefined;
  readonly blocker: RecordLock | undefined;
}

/** What a call keeps from one try to the next: the file it is about, until that is closed. */
export class LockWait {
  file = 0 as FileHandle;
  isClosed = false;
}

/** Locks of a kernel, as far as they are not in memory. */
class Locks implements LockObserver {
  readonly #kernel: Kernel;
  readonly #numbers = new WeakMap<FileTable, number>();
  #lastNumber = 0;
  /** Who waits, by the token that ends it. */
  readonly #waiting = new Map<InodeHandle, Waiting[]>();
  /** Calls that wait, by what closing tells of. */
  readonly #calls = new Map<LockWait, FileTable>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** The number by which a table of descriptors owns locks; below FL_OFD. */
  ownerOf(table: FileTable): number {
    const known = this.#numbers.get(table);
    if (known !== undefined) return known;
    this.#numbers.set(table, ++this.#lastNumber);
    return this.#lastNumber;
  }

  /** A descriptor is closed, of which the file has not been let go of yet. */
  closing(table: FileTable, file: FileHandle): void {
    const { core } = this.#kernel;
    const inode = inodeOfFile(core, file);
    const owner = this.#numbers.get(table);
    const locks = owner === undefined ? [] : recordLocks(core, inode);
    const left = locks.filter((lock) => lock.owner !== owner);
    if (left.length < locks.length) setRecordLocks(core, inode, left); // fewer need no memory
    for (const [call, of] of this.#calls) if (of === table && call.file === file) call.isClosed = true;
    this.changed(inode);
  }

  flock(file: FileHandle, how: number): number {
    const { core } = this.#kernel;
    const inode = inodeOfFile(core, file);
    const had = hasFlock(core, inode, file);
    const rc = core.x.flock(file, how);
    if (had) this.changed(inode); // one that is converted is given up first, even if the other cannot be had
    return rc;
  }

  /** Locks of a file have changed, or will have when the call that is being made is over. */
  changed(inode: InodeHandle): void {
    this.#waiting.delete(inode);
    wakeWaiters(this.#kernel, inode);
  }

  /** The call that is being made waits. @returns -EAGAIN */
  wait(inode: InodeHandle, table: FileTable, waiting: Waiting): number {
    this.#calls.set(waiting.call, table);
    const others = this.#waiting.get(inode);
    if (others === undefined) this.#waiting.set(inode, [waiting]);
    else others.push(waiting);
    return waitForChange(this.#kernel, inode);
  }

  /** The call is made again, or over: it is in nobody's way any more. */
  end(call: LockWait): void {
    if (!this.#calls.delete(call)) return;
    for (const waiting of this.#waiting.values()) {
      const i = waiting.findIndex((one) => one.call === call);
      if (i >= 0) waiting.splice(i, 1);
    }
  }

  /** Would the owner of `request` wait for itself, by way of others? */
  isDeadlock(request: RecordLock, blocker: RecordLock): boolean {
    if (request.owner === FL_OFD) return false;
    const all = [...this.#waiting.values()].flat();
    let owner = blocker;
    for (let i = 0; i < MAX_DEADLOCK_STEPS; i++) {
      const next = all.find((other) => other.request !== undefined && isSameOwner(other.request, owner))?.blocker;
      if (next === undefined || next.owner === FL_OFD) return false;
      if (isSameOwner(next, request)) return true;
      owner = next;
    }
    return false;
  }
}

function locksOf(kernel: Kernel): Locks {
  kernel.locks ??= new Locks(kernel);
  return kernel.locks as Locks;
}

/** A call is over that may have waited. */
export function endWait(kernel: Kernel, call: LockWait): void {
  (kernel.locks as Locks | undefined)?.end(call);
}

/** The file of a call's first try; its end, where its descriptor has been closed since. @returns a negated errno */
function fileOf(task: Task, fd: number, call: LockWait): FileHandle | number {
  endWait(task.kernel, call);
  if (call.isClosed) return -EBADF;
  const file = fdget(task, fd);
  if (!file) return task.files.missing(fd);
  call.file = file;
  return file;
}

/**
 * flock(2), which waits where it may.
 *
 * @param call what the call keeps between tries
 * @returns 0; -EINVAL; -EBADF; -EAGAIN with LOCK_NB, or where the call cannot wait; -ENOMEM
 */
export function flock(task: Task, fd: number, operation: number, call: LockWait): number {
  const { kernel } = task;
  task.enter();
  const file = fileOf(task, fd, call);
  if (call.isClosed) return file;
  const rc = task.flock(fd, operation); // which looks at the operation first
  if (rc !== -EAGAIN || operation & LOCK_NB || !kernel.mayWait) return rc;
  const inode = inodeOfFile(kernel.core, file as FileHandle);
  return locksOf(kernel).wait(inode, task.files, { call, request: undefined, blocker: undefined });
}

/** A range as bytes. @returns -EINVAL for one that begins before the file @see Linux flock64_to_posix_lock() */
function rangeOf(
  task: Task,
  file: FileHandle,
  { whence, start, length }: Flock,
): { start: number; end: number } | number {
  const { f64 } = task.kernel.core;
  if (whence < 0 || whence > SEEK_END) return -EINVAL;
  const base =
    whence === SEEK_END
      ? f64[(inodeOfFile(task.kernel.core, file) << 2) + INODE_SIZE]
      : whence === SEEK_CUR
        ? f64[(file << 2) + FILE_POS]
        : 0;
  const first = base + start;
  if (first < 0 || first + length < 0) return -EINVAL;
  if (length < 0) return { start: first + length, end: first - 1 };
  return { start: first, end: length === 0 ? Number.POSITIVE_INFINITY : first + length - 1 };
}

function isOfd(cmd: number): boolean {
  return cmd >= F_OFD_GETLK;
}

/** A request of the caller's, checked. @returns a negated errno */
function requestOf(task: Task, cmd: number, wanted: Flock, file: FileHandle): RecordLock | number {
  const { type } = wanted;
  if (cmd === F_GETLK && type !== F_RDLCK && type !== F_WRLCK) return -EINVAL;
  const range = rangeOf(task, file, wanted);
  if (typeof range === "number") return range;
  if (type < F_RDLCK || type > F_UNLCK) return -EINVAL;
  const owner = isOfd(cmd) ? FL_OFD : locksOf(task.kernel).ownerOf(task.files);
  return { ...range, type, file, owner, pid: taskPid(task.kernel, task) };
}

/**
 * The first lock that would be in the way of a request; of F_UNLCK with F_OFD_GETLK the first that the open file has there itself.
 *
 * @returns undefined = there is none; -EBADF; -EINVAL
 */
export function getLock(task: Task, fd: number, cmd: number, wanted: Flock): RecordLock | undefined | number {
  task.enter();
  const file = fdget(task, fd);
  if (!file) return task.files.missing(fd);
  const request = requestOf(task, cmd, wanted, file);
  if (typeof request === "number") return request;
  const { core } = task.kernel;
  return conflictOf(recordLocks(core, inodeOfFile(core, file)), request);
}

/** Number of the task that has taken a lock; -1 for one of an open file, which is no task's; 0 when it has ended. @see fcntl(2) l_pid */
export function pidOfLock(kernel: Kernel, lock: RecordLock): number {
  if (lock.owner === FL_OFD) return -1;
  return findTaskByPid(kernel, lock.pid) === undefined ? 0 : lock.pid;
}

/**
 * Sets, changes or gives up locks on a range.
 *
 * @param cmd F_SETLK, F_OFD_SETLK; F_SETLKW, F_OFD_SETLKW wait where they may
 * @returns 0; -EBADF; -EINVAL; -EBADF to read-lock what is not open for reading, to write-lock what is not for writing; -EAGAIN; -EDEADLK;
 *   -ENOMEM
 */
export function setLock(task: Task, fd: number, cmd: number, wanted: Flock, call: LockWait): number {
  const { kernel } = task;
  const { core } = kernel;
  task.enter();
  const locks = locksOf(kernel);
  const file = fileOf(task, fd, call);
  if (file < 0) return file;
  const request = requestOf(task, cmd, wanted, file as FileHandle);
  if (typeof request === "number") return request;
  const mode = core.u32[(file << 3) + FILE_MODE];
  const needed = request.type === F_RDLCK ? FMODE_READ : request.type === F_WRLCK ? FMODE_WRITE : 0;
  if ((mode & needed) !== needed) return -EBADF;
  const inode = inodeOfFile(core, file as FileHandle);
  const all = recordLocks(core, inode);
  const blocker = request.type === F_UNLCK ? undefined : conflictOf(all, request);
  if (blocker !== undefined) {
    if (cmd !== F_SETLKW && cmd !== F_OFD_SETLKW) return -EAGAIN;
    if (locks.isDeadlock(request, blocker)) return -EDEADLK;
    return kernel.mayWait ? locks.wait(inode, task.files, { call, request, blocker }) : -EAGAIN;
  }
  const rc = kernel.room(setRecordLocks(core, inode, afterRequest(all, request)));
  if (rc === TRY_AGAIN) return setLock(task, fd, cmd, wanted, call);
  if (rc === 0) locks.changed(inode);
  return rc;
}
