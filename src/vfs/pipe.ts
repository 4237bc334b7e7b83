/**
 * Fifos: a pipe between whoever has opened the same inode, on file systems in memory.
 *
 * To open one waits for somebody at the other end, a read for bytes, a write for room. Only calls by promise or callback can wait: a
 * synchronous one that would have to is -EAGAIN (nobody else could run meanwhile), though a read and a write do what they can at once.
 * O_NONBLOCK is as on Linux, and O_RDWR opens at once.
 *
 * An open that waits has made its open file, and counts as reader or writer; its descriptor comes with its partner. It is a change that
 * is under way (PendingChange): the call that is made again finds what has become of it.
 *
 * Does not own: the bytes (pipe-buffer.ts).
 *
 * @see Linux fs/pipe.c fifo_open(), pipe_read(), pipe_write(), pipe_release(); POSIX.1-2024 mkfifo(), pipe(); fifo(7), pipe(7)
 */
import { EAGAIN, EBADF, EINTR, ENXIO, EPIPE, ESPIPE } from "../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle, MountHandle } from "../base/handles.ts";
import { O_NONBLOCK, S_IFIFO } from "../base/stat-flags.ts";
import type { Core } from "../wasm/core.ts";
import {
  FILE_FLAGS,
  FILE_MODE,
  FMODE_NOATIME,
  FMODE_READ,
  FMODE_WRITE,
  MOUNT_FLAGS,
  TOUCH_CTIME,
  TOUCH_MTIME,
} from "../wasm/layout.ts";
import { inodeOfFile, mountOfFile } from "./attr.ts";
import { waitForChange, wakeWaiters } from "./freeze.ts";
import type { FileOperations } from "./fs-type.ts";
import { endTry } from "./kept-file.ts";
import type { Kernel } from "./kernel.ts";
import { inodeOf } from "./namei.ts";
import { fmode } from "./open.ts";
import { PipeBytes } from "./pipe-buffer.ts";
import { registerSpecialFile } from "./special-file.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";
import { PendingChange, undo, type Wait, waitFor } from "./waiting.ts";

class Pipe {
  readonly bytes = new PipeBytes();
  readers = 0;
  writers = 0;
  /** Opens that wait for a reader, and for a writer. */
  readonly waitForReader: PendingOpen[] = [];
  readonly waitForWriter: PendingOpen[] = [];
  /** How far writes have come that wait for room. */
  readonly written = new WeakMap<Wait, number>();
  /** What readers and writers wait for, among `kernel.waiters`: no record has a handle below 0. */
  readonly data: InodeHandle;
  readonly room: InodeHandle;

  constructor(inode: InodeHandle) {
    this.data = (-2 * inode) as InodeHandle;
    this.room = (-2 * inode - 1) as InodeHandle;
  }
}

/** Pipes that somebody has open. */
const pipesOf = new WeakMap<Core, Map<InodeHandle, Pipe>>();

function pipeOf({ core }: Kernel, inode: InodeHandle): Pipe {
  const pipes = pipesOf.get(core) ?? new Map<InodeHandle, Pipe>();
  pipesOf.set(core, pipes);
  const known = pipes.get(inode) ?? new Pipe(inode);
  pipes.set(inode, known);
  return known;
}

// --- Open ---------------------------------------------------------------------------------------------------------------

/** An open that waits for its partner. */
class PendingOpen {
  readonly change: PendingChange;
  readonly #kernel: Kernel;
  readonly #file: FileHandle;
  #over = (): void => {};

  constructor(task: Task, path: Path, file: FileHandle, mnt: MountHandle, flags: number) {
    const call = { name: "open", a: path, b: flags, undo: (fd: number) => void task.close(fd) };
    this.#kernel = task.kernel;
    this.#file = file;
    this.change = new PendingChange(task, call, { mnt });
    this.change.token = new Promise((resolve) => {
      this.#over = resolve;
    });
    // No record but the open file's has this handle: destroy() and restore() wake all.
    task.kernel.waiters.set(file as never, { token: this.change.token, wake: () => this.#end(-EINTR) });
  }

  /** Has its task ended? */
  get isOver(): boolean {
    return this.change.task.kernel !== this.#kernel;
  }

  /** Has a partner. */
  succeed(): void {
    const { task } = this.change;
    this.#kernel.waiters.delete(this.#file as never);
    const fd = !this.isOver ? task.files.add(this.#file, pipeOperations) : -EINTR;
    if (fd < 0) closePipe(this.#kernel, this.#file);
    if (this.change.isAbandoned) undo(this.change, fd);
    this.#end(fd);
  }

  #end(result: number): void {
    this.change.result ??= result;
    this.#over();
  }
}

/** Lets opens go on that have waited for such a partner. */
function meet(waiting: PendingOpen[]): void {
  for (const open of waiting.splice(0)) open.succeed();
}

/** Opens whose tasks have ended meanwhile count no more. */
function prune(pipe: Pipe): void {
  for (const waiting of [pipe.waitForReader, pipe.waitForWriter])
    for (const open of waiting.filter(({ isOver }) => isOver)) {
      waiting.splice(waiting.indexOf(open), 1);
      open.succeed();
    }
}

/**
 * Opens a fifo that mayOpen() has nothing against.
 *
 * @returns a descriptor; -ENXIO to write to one that nobody reads with O_NONBLOCK; -ENOMEM; -EMFILE; -EAGAIN while there is nobody at the
 *   other end, with a token where the call may wait
 */
export function openPipe(task: Task, path: Path, mnt: MountHandle, dentry: DentryHandle, flags: number): number {
  const { kernel } = task;
  const { core } = kernel;
  const inode = inodeOf(core, dentry);
  const mode = fmode(flags) & (FMODE_READ | FMODE_WRITE);
  const pipe = pipeOf(kernel, inode);
  prune(pipe);
  const needsWriter = mode === FMODE_READ && pipe.writers === 0 && !(flags & O_NONBLOCK);
  const needsReader = mode === FMODE_WRITE && pipe.readers === 0;
  if (needsReader && flags & O_NONBLOCK) return -ENXIO;
  if ((needsReader || needsWriter) && !kernel.mayWait) return -EAGAIN;
  const file = core.x.fileOpen(mnt, dentry, flags, fmode(flags)) as FileHandle;
  if (file < 0) return file;
  if (mode & FMODE_READ) {
    pipe.readers++;
    meet(pipe.waitForReader);
  }
  if (mode & FMODE_WRITE) {
    pipe.writers++;
    meet(pipe.waitForWriter);
  }
  if (needsReader || needsWriter) {
    const open = new PendingOpen(task, path, file, mnt, flags);
    (needsReader ? pipe.waitForReader : pipe.waitForWriter).push(open);
    kernel.wait?.add(open.change);
    return waitFor(kernel, open.change);
  }
  const fd = task.files.add(file, pipeOperations);
  if (fd < 0) closePipe(kernel, file);
  return fd;
}

/** Drops an open file that has no descriptor. */
function closePipe(kernel: Kernel, file: FileHandle): void {
  pipeRelease(kernel, inodeOfFile(kernel.core, file), file);
  kernel.core.x.filePut(file);
  kernel.evictInodes();
}

function pipeRelease(kernel: Kernel, inode: InodeHandle, file: FileHandle): void {
  const pipe = pipeOf(kernel, inode);
  const mode = kernel.core.u32[(file << 3) + FILE_MODE];
  if (mode & FMODE_READ) pipe.readers--;
  if (mode & FMODE_WRITE) pipe.writers--;
  if (pipe.readers === 0) wakeWaiters(kernel, pipe.room);
  if (pipe.writers === 0) wakeWaiters(kernel, pipe.data);
  if (pipe.readers + pipe.writers === 0) pipesOf.get(kernel.core)?.delete(inode);
}

// --- Data ---------------------------------------------------------------------------------------------------------------

function isNonblocking({ core: { u32 } }: Kernel, file: FileHandle): boolean {
  return (u32[(file << 3) + FILE_FLAGS] & O_NONBLOCK) !== 0;
}

/** The call waits for data or room, if it may. @returns -EAGAIN */
function waitForPipe(kernel: Kernel, file: FileHandle, what: InodeHandle): number {
  return isNonblocking(kernel, file) || !kernel.mayWait ? -EAGAIN : waitForChange(kernel, what);
}

function readPipe(kernel: Kernel, file: FileHandle, target: Uint8Array): number {
  if (target.length === 0) return 0;
  const { core } = kernel;
  const inode = inodeOfFile(core, file);
  const pipe = pipeOf(kernel, inode);
  const done = pipe.bytes.read(target);
  if (done > 0) {
    if (!(core.u32[(file << 3) + FILE_MODE] & FMODE_NOATIME))
      core.x.inodeAccessed(inode, core.u32[(mountOfFile(core, file) << 3) + MOUNT_FLAGS]);
    wakeWaiters(kernel, pipe.room);
  }
  if (done > 0 || pipe.writers === 0) return done;
  return waitForPipe(kernel, file, pipe.data);
}

/** A write that waits has written what it could, and goes on from there. */
function writePipe(kernel: Kernel, file: FileHandle, source: Uint8Array): number {
  if (source.length === 0) return 0;
  const { core, wait } = kernel;
  const inode = inodeOfFile(core, file);
  const pipe = pipeOf(kernel, inode);
  const before = wait && pipe.written.get(wait);
  let done = before ?? 0;
  if (pipe.readers === 0) return done || -EPIPE;
  const more = pipe.bytes.write(source.subarray(done), before === undefined);
  done += more;
  if (more > 0) {
    core.x.touch(inode, TOUCH_MTIME | TOUCH_CTIME, kernel.now());
    wakeWaiters(kernel, pipe.data);
  }
  if (done === source.length || !wait || isNonblocking(kernel, file)) return done || -EAGAIN;
  pipe.written.set(wait, done);
  return waitForPipe(kernel, file, pipe.room);
}

/** Makes a try of a read or write. @returns what it answers; -EBADF, -ESPIPE */
function attempt(kernel: Kernel, file: FileHandle, mode: number, position: number, call: () => number): number {
  if (!(kernel.core.u32[(file << 3) + FILE_MODE] & mode)) return -EBADF;
  if (position >= 0) return -ESPIPE;
  return endTry(kernel, file, 0, call()); // there is no position that others would have to wait for
}

/** What open fifos can do. */
export const pipeOperations: FileOperations = {
  read: (kernel, file, buffer, offset, length, position) =>
    attempt(kernel, file, FMODE_READ, position, () => readPipe(kernel, file, buffer.subarray(offset, offset + length))),
  write: (kernel, file, buffer, offset, length, position) =>
    attempt(kernel, file, FMODE_WRITE, position, () =>
      writePipe(kernel, file, buffer.subarray(offset, offset + length)),
    ),
  release: pipeRelease,
};

registerSpecialFile(S_IFIFO, pipeOperations);
