/**
 * Locks on ranges of a file: what a request makes of the locks that its owner has, who is in its way; and the records of them in memory.
 *
 * An owner's locks do not overlap, and those of one type that touch are one. The list has them as Linux has: owners by their first lock,
 * the locks of each by where they begin.
 *
 * Does not own: who waits (locks.ts), locks of flock(2) on the same list (assembly/fs/flock.ts).
 *
 * @see Linux fs/locks.c posix_lock_inode(), posix_locks_conflict()
 */
import { ENOMEM } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  FILE_LOCK_BYTES,
  FILE_LOCK_END,
  FILE_LOCK_EXCLUSIVE,
  FILE_LOCK_FILE,
  FILE_LOCK_NEXT,
  FILE_LOCK_OWNER,
  FILE_LOCK_START,
  FILE_MODE,
  FL_OFD,
  FMODE_FLOCK,
  INODE_FLOCKS,
} from "../wasm/layout.ts";

/** Types of locks. */
export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;

/** A lock on a range, or a request for one. */
export interface RecordLock {
  readonly type: number;
  /** First and last byte; Infinity = all that follow. */
  readonly start: number;
  readonly end: number;
  /** Number of the table of descriptors that has it, or FL_OFD: its open file has it. */
  readonly owner: number;
  /** By which it is held. */
  readonly file: FileHandle;
  /** Number of the task that has taken it. */
  readonly pid: number;
}

/** Does it belong to an open file? */
export function isOfd({ owner }: RecordLock): boolean {
  return owner === FL_OFD;
}

/** One person's: two requests of one owner are never in each other's way. */
export function isSameOwner(a: RecordLock, b: RecordLock): boolean {
  return a.owner === b.owner && (a.owner !== FL_OFD || a.file === b.file);
}

function overlap(a: RecordLock, b: RecordLock): boolean {
  return a.start <= b.end && b.start <= a.end;
}

/** The first lock that is in the way of a request. @see Linux posix_test_locks_conflict(), which lists the owner's own for F_UNLCK */
export function conflictOf(locks: readonly RecordLock[], request: RecordLock): RecordLock | undefined {
  return locks.find((lock) => {
    if (request.type === F_UNLCK) return isSameOwner(lock, request) && overlap(lock, request);
    return !isSameOwner(lock, request) && overlap(lock, request) && (lock.type === F_WRLCK || request.type === F_WRLCK);
  });
}

/** What is left of a lock beside a range that another one takes. */
function without(lock: RecordLock, { start, end }: RecordLock): RecordLock[] {
  const left: RecordLock[] = [];
  if (lock.start < start) left.push({ ...lock, end: Math.min(lock.end, start - 1) });
  if (lock.end > end) left.push({ ...lock, start: Math.max(lock.start, end + 1) });
  return left;
}

/** All locks of a file after a request that nothing is in the way of. */
export function afterRequest(locks: readonly RecordLock[], request: RecordLock): RecordLock[] {
  const own: RecordLock[] = [];
  let { start, end } = request;
  for (const lock of locks) {
    if (!isSameOwner(lock, request)) continue;
    const joins = lock.type === request.type && lock.start <= request.end + 1 && request.start <= lock.end + 1;
    if (joins) {
      start = Math.min(start, lock.start);
      end = Math.max(end, lock.end);
    } else own.push(...without(lock, request));
  }
  if (request.type !== F_UNLCK) own.push({ ...request, start, end });
  own.sort((a, b) => a.start - b.start);
  const first = locks.findIndex((lock) => isSameOwner(lock, request));
  const others = locks.filter((lock) => !isSameOwner(lock, request));
  others.splice(first < 0 ? others.length : first, 0, ...own);
  return others;
}

// --- Records ------------------------------------------------------------------------------------------------------------

/** Addresses of the records of an inode: of flock(2), and of ranges. */
function recordsOf({ u32 }: Core, inode: InodeHandle): { whole: number[]; ranges: number[] } {
  const whole: number[] = [];
  const ranges: number[] = [];
  for (let at = u32[(inode << 3) + INODE_FLOCKS]; at !== 0; at = u32[(at >>> 2) + FILE_LOCK_NEXT])
    (u32[(at >>> 2) + FILE_LOCK_OWNER] === 0 ? whole : ranges).push(at);
  return { whole, ranges };
}

/** Has the open file the lock of flock(2)? */
export function hasFlock(core: Core, inode: InodeHandle, file: FileHandle): boolean {
  return recordsOf(core, inode).whole.some((at) => core.u32[(at >>> 2) + FILE_LOCK_FILE] >>> 5 === file);
}

/** Locks on ranges of a file. */
export function recordLocks(core: Core, inode: InodeHandle): RecordLock[] {
  const { f64, u32 } = core;
  return recordsOf(core, inode).ranges.map((at) => ({
    type: u32[(at >>> 2) + FILE_LOCK_EXCLUSIVE] & 1 ? F_WRLCK : F_RDLCK,
    pid: u32[(at >>> 2) + FILE_LOCK_EXCLUSIVE] >>> 1,
    start: f64[(at >>> 3) + FILE_LOCK_START],
    end: f64[(at >>> 3) + FILE_LOCK_END],
    owner: u32[(at >>> 2) + FILE_LOCK_OWNER],
    file: (u32[(at >>> 2) + FILE_LOCK_FILE] >>> 5) as FileHandle,
  }));
}

/** Puts others in the place of all locks on ranges of a file. @returns 0; -ENOMEM, with nothing changed */
export function setRecordLocks(core: Core, inode: InodeHandle, locks: readonly RecordLock[]): number {
  const { whole, ranges } = recordsOf(core, inode);
  const nrBefore = ranges.length;
  while (ranges.length < locks.length) {
    const address = core.x.kmalloc(FILE_LOCK_BYTES) >>> 0;
    if (address === 0) {
      for (const at of ranges.slice(nrBefore)) core.x.kfree(at);
      return -ENOMEM;
    }
    ranges.push(address);
  }
  for (const at of ranges.splice(locks.length)) core.x.kfree(at);
  for (const [i, lock] of locks.entries()) fill(core, ranges[i], lock);
  link(core, inode, [...whole, ...ranges]);
  return 0;
}

function fill({ f64, u32 }: Core, at: number, { type, start, end, owner, file, pid }: RecordLock): void {
  u32[(at >>> 2) + FILE_LOCK_EXCLUSIVE] = (type === F_WRLCK ? 1 : 0) | (pid << 1);
  u32[(at >>> 2) + FILE_LOCK_OWNER] = owner;
  u32[(at >>> 2) + FILE_LOCK_FILE] = file << 5;
  f64[(at >>> 3) + FILE_LOCK_START] = start;
  f64[(at >>> 3) + FILE_LOCK_END] = end;
  u32[(file << 3) + FILE_MODE] |= FMODE_FLOCK;
}

function link({ u32 }: Core, inode: InodeHandle, addresses: readonly number[]): void {
  let pointer = (inode << 3) + INODE_FLOCKS;
  for (const at of addresses) {
    u32[pointer] = at;
    pointer = (at >>> 2) + FILE_LOCK_NEXT;
  }
  u32[pointer] = 0;
}
