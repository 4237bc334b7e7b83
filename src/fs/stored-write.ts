/**
 * Writes to files with a store: may it be done and where, whose turn it is, the data (mm/perform-write.ts), and whether the
 * caller is told only when the store has it.
 *
 * One write at a time is made to a file, by pages or round them, and none while it is cut: a call that has to wait keeps the
 * lock, and what others want to write comes after it, as a whole. It keeps the open file, too, and its position
 * (vfs/kept-file.ts).
 *
 * @see Linux mm/filemap.c generic_file_write_iter(), fs/read_write.c generic_write_checks()
 */
import { EAGAIN, EBADF, EFAULT, EFBIG, EOPNOTSUPP } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { O_DSYNC, O_SYNC } from "../base/stat-flags.ts";
import { type AddressSpaceOperations, TRY_AGAIN } from "../mm/address-space.ts";
import { isDirect } from "../mm/direct-io.ts";
import { BytesInPlace, IovIter } from "../mm/iov-iter.ts";
import { inodeOfFile } from "../mm/page.ts";
import { PerformWrite } from "../mm/perform-write.ts";
import type { Kiocb } from "../mm/progress.ts";
import { markInodeDirty } from "../vfs/dirty-inode.ts";
import { holdFile, letGo } from "../vfs/drop-file.ts";
import { beginTry, endTry } from "../vfs/kept-file.ts";
import type { Kernel } from "../vfs/kernel.ts";
import { fileRemovePrivs } from "../vfs/setattr.ts";
import { type Core, SLOT } from "../wasm/core.ts";
import {
  FILE_FLAGS,
  FILE_MODE,
  FMODE_APPEND,
  FMODE_WRITE,
  I_DIRTY_DATASYNC,
  I_DIRTY_SYNC,
  INODE_SB,
  INODE_SIZE,
  PAGE_SIZE,
  SB_SYNCHRONOUS,
  SLOT_CURRENT,
  SUPER_BLOCK_FLAGS,
  SUPER_BLOCK_MAX_BYTES,
  TASK_FILE_SIZE_LIMIT,
  TOUCH_CTIME,
  TOUCH_MTIME,
} from "../wasm/layout.ts";
import { DirectData } from "./direct-data.ts";
import { type FileLock, lockFile } from "./file-lock.ts";

/** Of one call, as Linux MAX_RW_COUNT. */
const MAX_RW_BYTES = 0x7ffff000;

/**
 * Writes to an open file: FileOperations.write.
 *
 * @param operations those of the file's pages
 * @param position bytes from the start; -1 = at the file's own, which moves. O_APPEND: at the end
 * @returns bytes, short where room or the buffer ends; -EBADF; -EFBIG; -EFAULT; -EINVAL as directWrite(); -EAGAIN, with a
 *   token: another write, or the store, must end first; -ENOMEM; what the file system answers for the first page that cannot be written
 */
export function storedWrite(
  kernel: Kernel,
  operations: AddressSpaceOperations,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const waits = beginTry(kernel, file, position);
  if (waits < 0) return waits;
  const call = new Call(kernel.core, file, buffer, length, position);
  const newData = isDirect(kernel.core, operations, file)
    ? (start: number, max: number) =>
        new DirectData(kernel, operations, file, { buffer, offset, length: Math.min(length, max) }, start)
    : (start: number, max: number) =>
        pages(kernel, operations, file, new IovIter([{ buffer, offset, length }]), start, max);
  const core = holdFile(kernel, file);
  try {
    return endTry(kernel, file, position, write(kernel, call, newData));
  } finally {
    letGo(kernel, file, core);
  }
}

/** Writes several buffers as one: FileOperations.writev. As storedWrite(). */
export function storedWritev(
  kernel: Kernel,
  operations: AddressSpaceOperations,
  file: FileHandle,
  buffers: readonly ArrayBufferView[],
  position: number,
): number {
  if (isDirect(kernel.core, operations, file)) return -EOPNOTSUPP; // one by one: each is aligned or not
  const waits = beginTry(kernel, file, position);
  if (waits < 0) return waits;
  const iter = IovIter.of(buffers);
  const call = new Call(kernel.core, file, buffers[0], iter.count, position);
  const newData = (start: number, max: number) => pages(kernel, operations, file, iter, start, max);
  const core = holdFile(kernel, file);
  try {
    return endTry(kernel, file, position, write(kernel, call, newData));
  } finally {
    letGo(kernel, file, core);
  }
}

/** What tells that a call is one of storedMkwrite(): it has no buffer. */
const BY_MAPPING = {};

/**
 * A mapping is about to write to a page: the file system is asked as it is for a write of all bytes of the page that the file has
 * (writeBegin, writeEnd), which are the bytes that it has already. Times change as by a write.
 *
 * @param index in the file; the page is cached and up to date
 * @returns 0; as storedWrite(); -EFAULT when the file has been cut
 * @see Linux mm/filemap.c filemap_page_mkwrite(), fs/buffer.c block_page_mkwrite()
 */
export function storedMkwrite(
  kernel: Kernel,
  operations: AddressSpaceOperations,
  file: FileHandle,
  index: number,
): number {
  const { core } = kernel;
  const inode = inodeOfFile(core, file);
  const position = index * PAGE_SIZE;
  const length = Math.min(PAGE_SIZE, core.f64[(inode << 2) + INODE_SIZE] - position);
  if (length <= 0) return -EFAULT;
  const call = new Call(core, file, BY_MAPPING, length, position);
  const rc = begunBy(kernel, call)?.run() ?? beginMkwrite(kernel, operations, call);
  return Math.min(0, endTry(kernel, file, position, rc));
}

function beginMkwrite(kernel: Kernel, operations: AddressSpaceOperations, call: Call): number {
  const { file, length, position } = call;
  const lock = lockFile(kernel, file);
  if (typeof lock === "number") {
    const rc = kernel.room(lock);
    return rc === TRY_AGAIN ? beginMkwrite(kernel, operations, call) : rc;
  }
  const inode = inodeOfFile(kernel.core, file);
  kernel.core.x.touch(inode, TOUCH_MTIME | TOUCH_CTIME, kernel.now());
  markInodeDirty(kernel, inode, I_DIRTY_SYNC);
  const data = new PerformWrite(kernel, operations, file, new BytesInPlace(length), position, false);
  return new StoredWrite(kernel, call, lock, data, position).run();
}

/** By pages. @param max most bytes */
function pages(
  kernel: Kernel,
  operations: AddressSpaceOperations,
  file: FileHandle,
  iter: IovIter,
  start: number,
  max: number,
): WriteData {
  iter.truncate(max);
  return new PerformWrite(kernel, operations, file, iter, start);
}

/** The data of a write on its way, whichever way that is. */
interface WriteData {
  /** Of the next byte, in the file. */
  readonly pos: number;
  /** Has a store something of it in hand, though it is over? */
  readonly isBusy: boolean;
  /** Goes on as far as it can. @returns 0, or why it has stopped */
  run(): number;
  /** As PerformWrite.abandon(). */
  abandon(isForSync: boolean, onIdle: () => void): void;
}

/** Makes the data of a write from its place and the most bytes that it may have. */
type NewData = (start: number, max: number) => WriteData;

/** What tells that a call is made again. */
class Call {
  readonly core: Core;
  readonly file: FileHandle;
  readonly buffer: unknown;
  readonly length: number;
  readonly position: number;

  constructor(core: Core, file: FileHandle, buffer: unknown, length: number, position: number) {
    this.core = core;
    this.file = file;
    this.buffer = buffer;
    this.length = length;
    this.position = position;
  }

  isAgain(other: Call): boolean {
    const isSame = this.file === other.file && this.buffer === other.buffer && this.position === other.position;
    return isSame && this.core === other.core;
  }
}

function write(kernel: Kernel, call: Call, newData: NewData): number {
  const known = begunBy(kernel, call);
  if (known !== undefined) return known.run();
  const begun = begin(kernel, call, newData);
  return typeof begun === "number" ? begun : begun.run();
}

/** Checks, lock, set-ID bits, times. */
function begin(kernel: Kernel, call: Call, newData: NewData): StoredWrite | number {
  const { core } = kernel;
  const { file, length } = call;
  const inode = inodeOfFile(core, file);
  const refused = prepare(kernel, call, inode);
  if (refused < 0 || length === 0) return refused;
  const limit = writeLimit(core, inode);
  const lock = lockFile(kernel, file);
  if (typeof lock === "number") {
    const rc = kernel.room(lock);
    return rc === TRY_AGAIN ? begin(kernel, call, newData) : rc;
  }
  const start = startOf(core, call, inode);
  if (start >= limit) {
    lock.unlock();
    return -EFBIG;
  }
  return new StoredWrite(kernel, call, lock, newData(start, Math.min(MAX_RW_BYTES, limit - start)), start);
}

/**
 * Checks, set-ID bits and times. Without the lock: a change of set-ID bits takes it, and may wait.
 *
 * @returns 0; -EBADF; -EFBIG; -EAGAIN with a token; what setattr answers
 */
function prepare(kernel: Kernel, call: Call, inode: InodeHandle): number {
  const { core } = kernel;
  const { file, length } = call;
  if (!(core.u32[(file << 3) + FILE_MODE] & FMODE_WRITE)) return -EBADF;
  if (length === 0) return 0;
  if (startOf(core, call, inode) >= writeLimit(core, inode)) return -EFBIG;
  const refused = fileRemovePrivs(kernel, inode, file);
  if (refused < 0) return refused;
  core.x.touch(inode, TOUCH_MTIME | TOUCH_CTIME, kernel.now());
  markInodeDirty(kernel, inode, I_DIRTY_SYNC);
  return 0;
}

function startOf(core: Core, { file, position }: Call, inode: InodeHandle): number {
  if (core.u32[(file << 3) + FILE_MODE] & FMODE_APPEND) return core.f64[(inode << 2) + INODE_SIZE];
  return position < 0 ? core.filePos(file) : position;
}

/** First byte that may not be written: the file system's limit, or the task's own. */
function writeLimit({ u32, f64 }: Core, inode: InodeHandle): number {
  const sb = u32[(inode << 3) + INODE_SB];
  const task = u32[SLOT + SLOT_CURRENT];
  return Math.min(Math.abs(f64[(sb >>> 3) + SUPER_BLOCK_MAX_BYTES]), f64[(task >>> 3) + TASK_FILE_SIZE_LIMIT]);
}

/** What a call has come to that had to wait. */
interface Resumable extends Kiocb {
  readonly call: Call;
  /** Goes on. @returns as storedWrite() */
  run(): number;
}

/** Has the call that is made again begun a write to this open file? */
export function isBegun({ progress }: Kernel, file: FileHandle): boolean {
  return (progress?.kiocb as Resumable | undefined)?.call.file === file;
}

/** What the call that is made again had begun, if it is that one. Something else that has been begun is given up. */
function begunBy({ progress }: Kernel, call: Call): Resumable | undefined {
  const known = progress?.kiocb as Resumable | undefined;
  if (progress) progress.kiocb = undefined;
  if (known?.call.isAgain(call)) return known;
  known?.abandon();
  return undefined;
}

/** A write that has begun. */
class StoredWrite implements Resumable {
  readonly #kernel: Kernel;
  readonly #inode: InodeHandle;
  readonly #data: WriteData;
  readonly #start: number;
  readonly #size: number;
  #lock: FileLock | undefined;
  /** What the data's part of it has come to. */
  #result = 0;
  readonly call: Call;

  constructor(kernel: Kernel, call: Call, lock: FileLock, data: WriteData, start: number) {
    const { core } = kernel;
    this.#kernel = kernel;
    this.#inode = inodeOfFile(core, call.file);
    this.#size = core.f64[(this.#inode << 2) + INODE_SIZE];
    this.#data = data;
    this.#start = start;
    this.#lock = lock;
    this.call = call;
  }

  /** Goes on. @returns as storedWrite() */
  run(): number {
    if (this.#lock !== undefined) {
      const rc = this.#write();
      if (rc === -EAGAIN && this.#mayWait(this.#lock)) return rc;
      this.#finish(rc);
    }
    const isToSync =
      this.#result > 0 && this.call.buffer !== BY_MAPPING && isSync(this.#kernel, this.call.file, this.#inode);
    return isToSync ? new WriteSync(this.#kernel, this.call, this.#start, this.#result).run() : this.#result;
  }

  /** @returns 0, or why it has stopped */
  #write(): number {
    try {
      const rc = this.#kernel.room(this.#data.run());
      return rc === TRY_AGAIN ? this.#write() : rc;
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  #mayWait(lock: FileLock): boolean {
    const { progress } = this.#kernel;
    if (progress === undefined) return false;
    lock.suspend();
    progress.kiocb = this;
    return true;
  }

  /** The data is written, or as much of it as can be: size, position, lock. */
  #finish(rc: number): void {
    const { core } = this.#kernel;
    const { file, position } = this.call;
    const done = this.#data.pos - this.#start;
    if (position < 0 && done > 0) core.setFilePos(file, this.#data.pos);
    if (this.#data.pos > this.#size && done > 0) markInodeDirty(this.#kernel, this.#inode, I_DIRTY_DATASYNC);
    this.#result = done > 0 ? done : rc;
    if (rc === -EAGAIN || this.#data.isBusy) this.#letGo(rc === -EAGAIN);
    else {
      this.#lock?.unlock();
      this.#lock = undefined;
    }
  }

  /** Gives up, and holds the lock until the store has answered what it has been asked. */
  #letGo(isForSync: boolean): void {
    const lock = this.#lock;
    this.#lock = undefined;
    lock?.suspend();
    this.#data.abandon(isForSync, () => lock?.unlock());
  }

  abandon(): void {
    if (this.#lock === undefined) return;
    const { core } = this.#kernel;
    const done = this.#data.pos - this.#start;
    const isThere = core === this.call.core;
    if (isThere && done > 0 && this.call.position < 0) core.setFilePos(this.call.file, this.#data.pos);
    if (isThere && this.#data.pos > this.#size && done > 0) markInodeDirty(this.#kernel, this.#inode, I_DIRTY_DATASYNC);
    this.#letGo(false);
  }
}

/** Must what is written by an open file be in the store before the write returns? @see Linux iocb_is_dsync() */
export function isSync({ core: { u32 } }: Kernel, file: FileHandle, inode: InodeHandle): boolean {
  const sb = u32[(inode << 3) + INODE_SB];
  return (
    (u32[(file << 3) + FILE_FLAGS] & O_DSYNC) !== 0 || (u32[(sb >>> 2) + SUPER_BLOCK_FLAGS] & SB_SYNCHRONOUS) !== 0
  );
}

/** Is it the data alone, of a file that isSync()? */
export function isDataSync({ core: { u32 } }: Kernel, file: FileHandle): boolean {
  return (u32[(file << 3) + FILE_FLAGS] & O_SYNC) !== O_SYNC;
}

/** Has what was written brought to the store, after the lock: others may write. @see Linux generic_write_sync() */
class WriteSync implements Resumable {
  readonly #kernel: Kernel;
  readonly #start: number;
  readonly #bytes: number;
  readonly call: Call;

  constructor(kernel: Kernel, call: Call, start: number, bytes: number) {
    this.#kernel = kernel;
    this.#start = start;
    this.#bytes = bytes;
    this.call = call;
  }

  run(): number {
    const kernel = this.#kernel;
    const { file } = this.call;
    const operations = kernel.tableOf(inodeOfFile(kernel.core, file)).file;
    const rc =
      operations.fsync?.(kernel, file, isDataSync(kernel, file), this.#start, this.#start + this.#bytes - 1) ?? 0;
    if (rc === -EAGAIN && kernel.progress) kernel.progress.kiocb = this;
    return rc < 0 ? rc : this.#bytes;
  }

  abandon(): void {}
}
