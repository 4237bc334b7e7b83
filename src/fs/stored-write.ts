/**
 * Writes to files with a store: may it be done and where, whose turn it is, the data (mm/perform-write.ts), and whether the
 * caller is told only when the store has it.
 *
 * One write at a time is made to a file, and none while it is cut: a call that has to wait keeps the lock, and what others
 * want to write comes after it, as a whole.
 *
 * @see Linux mm/filemap.c generic_file_write_iter(), fs/read_write.c generic_write_checks()
 */
import { EAGAIN, EBADF, EFBIG } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { O_DSYNC, O_SYNC } from "../base/stat-flags.ts";
import { bytesOf } from "../base/views.ts";
import type { AddressSpaceOperations } from "../mm/address-space.ts";
import { IovIter } from "../mm/iov-iter.ts";
import { inodeOfFile } from "../mm/page.ts";
import { PerformWrite } from "../mm/perform-write.ts";
import type { Kiocb } from "../mm/progress.ts";
import { markInodeDirty } from "../vfs/dirty-inode.ts";
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
  SB_SYNCHRONOUS,
  SLOT_CURRENT,
  SUPER_BLOCK_FLAGS,
  SUPER_BLOCK_MAX_BYTES,
  TASK_FILE_SIZE_LIMIT,
  TOUCH_CTIME,
  TOUCH_MTIME,
} from "../wasm/layout.ts";
import { type FileLock, lockFile } from "./file-lock.ts";

/** Of one call, as Linux MAX_RW_COUNT. */
const MAX_RW_BYTES = 0x7ffff000;

/**
 * Writes to an open file: FileOperations.write.
 *
 * @param operations those of the file's pages
 * @param position bytes from the start; -1 = at the file's own, which moves. O_APPEND: at the end
 * @returns bytes, short where room or the buffer ends; -EBADF; -EFBIG; -EFAULT; -EAGAIN, with a token: another write, or the
 *   store, must end first; -ENOMEM; what the file system answers for the first page that cannot be written
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
  const call = new Call(kernel.core, file, buffer, length, position);
  return write(kernel, operations, call, () => new IovIter([{ buffer, offset, length }]));
}

/** Writes several buffers as one: FileOperations.writev. As storedWrite(). */
export function storedWritev(
  kernel: Kernel,
  operations: AddressSpaceOperations,
  file: FileHandle,
  buffers: readonly ArrayBufferView[],
  position: number,
): number {
  const views = buffers.map(bytesOf);
  const length = views.reduce((sum, { length }) => sum + length, 0);
  const call = new Call(kernel.core, file, buffers[0], length, position);
  return write(
    kernel,
    operations,
    call,
    () => new IovIter(views.map((buffer) => ({ buffer, offset: 0, length: buffer.length }))),
  );
}

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

function write(kernel: Kernel, operations: AddressSpaceOperations, call: Call, iter: () => IovIter): number {
  const { progress } = kernel;
  const known = progress?.kiocb;
  if (progress) progress.kiocb = undefined;
  if (known instanceof StoredWrite && known.call.isAgain(call)) return known.run();
  known?.abandon();
  const begun = begin(kernel, operations, call, iter);
  return typeof begun === "number" ? begun : begun.run();
}

/** Checks, lock, set-ID bits, times. */
function begin(
  kernel: Kernel,
  operations: AddressSpaceOperations,
  call: Call,
  newIter: () => IovIter,
): StoredWrite | number {
  const { core } = kernel;
  const { file, length } = call;
  if (!(core.u32[(file << 3) + FILE_MODE] & FMODE_WRITE)) return -EBADF;
  if (length === 0) return 0;
  const inode = inodeOfFile(core, file);
  const limit = writeLimit(core, inode);
  // Before the lock: it is a change of its own, which may wait, and takes the lock.
  const refused = startOf(core, call, inode) >= limit ? -EFBIG : fileRemovePrivs(kernel, inode, file);
  if (refused < 0) return refused;
  const lock = lockFile(kernel, file);
  if (typeof lock === "number") return kernel.hasRoomNow(lock) ? begin(kernel, operations, call, newIter) : lock;
  const start = startOf(core, call, inode);
  if (start >= limit) {
    lock.unlock();
    return -EFBIG;
  }
  core.x.touch(inode, TOUCH_MTIME | TOUCH_CTIME, kernel.now());
  markInodeDirty(kernel, inode, I_DIRTY_SYNC);
  const iter = newIter();
  iter.truncate(Math.min(MAX_RW_BYTES, limit - start));
  return new StoredWrite(kernel, call, lock, new PerformWrite(kernel, operations, file, iter, start), start);
}

function startOf(core: Core, { file, position }: Call, inode: InodeHandle): number {
  if (core.u32[(file << 3) + FILE_MODE] & FMODE_APPEND) return core.f64[(inode << 2) + INODE_SIZE];
  return position < 0 ? core.filePos(file) : position;
}

/** First byte that may not be written: the file system's limit, or the task's own. */
function writeLimit({ u32, f64 }: Core, inode: InodeHandle): number {
  const sb = u32[(inode << 3) + INODE_SB];
  const task = u32[SLOT + SLOT_CURRENT];
  return Math.min(f64[(sb >>> 3) + SUPER_BLOCK_MAX_BYTES], f64[(task >>> 3) + TASK_FILE_SIZE_LIMIT]);
}

/** A write that has begun. */
class StoredWrite implements Kiocb {
  readonly #kernel: Kernel;
  readonly #inode: InodeHandle;
  readonly #data: PerformWrite;
  readonly #start: number;
  readonly #size: number;
  #lock: FileLock | undefined;
  /** What the data's part of it has come to. */
  #result = 0;
  readonly call: Call;

  constructor(kernel: Kernel, call: Call, lock: FileLock, data: PerformWrite, start: number) {
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
    return this.#result > 0 && this.#isSync() ? this.#sync() : this.#result;
  }

  /** @returns 0, or why it has stopped */
  #write(): number {
    try {
      const rc = this.#data.run();
      return rc < 0 && this.#kernel.hasRoomNow(rc) ? this.#write() : rc;
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
    if (rc === -EAGAIN) this.#letGo(true);
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

  /** @see Linux iocb_is_dsync() */
  #isSync(): boolean {
    const { u32 } = this.#kernel.core;
    const sb = u32[(this.#inode << 3) + INODE_SB];
    return (
      (u32[(this.call.file << 3) + FILE_FLAGS] & O_DSYNC) !== 0 ||
      (u32[(sb >>> 2) + SUPER_BLOCK_FLAGS] & SB_SYNCHRONOUS) !== 0
    );
  }

  /** Has what was written brought to the store, after the lock: others may write. @see Linux generic_write_sync() */
  #sync(): number {
    const kernel = this.#kernel;
    const { file } = this.call;
    const isDataOnly = (kernel.core.u32[(file << 3) + FILE_FLAGS] & O_SYNC) !== O_SYNC;
    const operations = kernel.tableOf(this.#inode).file;
    const rc = operations.fsync?.(kernel, file, isDataOnly, this.#start, this.#start + this.#result - 1) ?? 0;
    if (rc === -EAGAIN && kernel.progress) kernel.progress.kiocb = this;
    return rc < 0 ? rc : this.#result;
  }
}
