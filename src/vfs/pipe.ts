/**
 * Fifos: a pipe between whoever has opened the same inode, on file systems in memory.
 *
 * To open one waits for somebody at the other end, a read for bytes, a write for room. Only calls by promise or callback can wait: a
 * synchronous one that would have to is -EAGAIN (nobody else could run meanwhile), though a read and a write do what they can at once.
 * O_NONBLOCK is as on Linux, and O_RDWR opens at once.
 *
 * An open that waits has made its open file, and counts as reader or writer; its descriptor comes with its partner. It is a change that
 * is under way (PendingChange): the call that is made again finds what has become of it. When nobody waits for it any more, since the
 * call is aborted or its task ends, it counts no longer.
 *
 * Does not own: the bytes (pipe-buffer.ts).
 *
 * @see Linux fs/pipe.c fifo_open(), pipe_read(), pipe_write(), pipe_release(); POSIX.1-2024 mkfifo(), pipe(); fifo(7), pipe(7)
 */
import { EAGAIN, EBADF, EBUSY, EINTR, EINVAL, ENXIO, EPERM, EPIPE, ESPIPE } from "../base/errno.ts";
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
import { fdget, inodeOfFile, isCapable, mountOfFile, typeOf } from "./attr.ts";
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
import { PendingChange, type Wait, waitFor } from "./waiting.ts";

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

type Pipes = Map<InodeHandle, Pipe>;
/** Where a core has those that somebody has open: who opens and who resizes them may come from two bundles. */
const PIPES = Symbol.for("foliofs.pipes");

function pipesOf(core: Core): Pipes {
  const holder = core as { [PIPES]?: Pipes };
  holder[PIPES] ??= new Map();
  return holder[PIPES];
}

function pipeOf({ core }: Kernel, inode: InodeHandle): Pipe {
  const pipes = pipesOf(core);
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
  /** Where it waits. */
  readonly #waiting: PendingOpen[];
  #over = (): void => {};

  constructor(task: Task, path: Path, file: FileHandle, mnt: MountHandle, flags: number, waiting: PendingOpen[]) {
    const call = { name: "open", a: path, b: flags, undo: (fd: number) => void task.close(fd) };
    this.#kernel = task.kernel;
    this.#file = file;
    this.#waiting = waiting;
    this.change = new PendingChange(task, call, { mnt });
    Object.defineProperty(this.change, "isAbandoned", { get: () => false, set: () => this.drop() });
    this.change.token = new Promise((resolve) => {
      this.#over = resolve;
    });
    // No record but the open file's has this handle: destroy() and restore() wake all.
    task.kernel.waiters.set(file as never, { token: this.change.token, wake: () => this.#end(-EINTR) });
    waiting.push(this);
  }

  /** Has a partner. */
  succeed(): void {
    this.#kernel.waiters.delete(this.#file as never);
    const fd = this.change.task.files.add(this.#file, pipeOperations);
    if (fd < 0) closePipe(this.#kernel, this.#file);
    this.#end(fd);
  }

  /** Nobody waits for it any more. */
  drop(): void {
    this.#waiting.splice(this.#waiting.indexOf(this), 1);
    this.#kernel.waiters.delete(this.#file as never);
    closePipe(this.#kernel, this.#file);
    this.#end(-EINTR);
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

/** A task ends: none of its opens waits any more. */
export function exitPipes(task: Task): void {
  for (const { waitForReader, waitForWriter } of [...pipesOf(task.kernel.core).values()])
    for (const open of [...waitForReader, ...waitForWriter]) if (open.change.task === task) open.drop();
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
    const waiting = needsReader ? pipe.waitForReader : pipe.waitForWriter;
    const open = new PendingOpen(task, path, file, mnt, flags, waiting);
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
  if (pipe.readers + pipe.writers === 0) pipesOf(kernel.core).delete(inode);
}

// --- Size ---------------------------------------------------------------------------------------------------------------

const PAGE_BYTES = 4096;
/** Largest that others than root may ask for, bytes. @see Linux /proc/sys/fs/pipe-max-size */
const PIPE_MAX_SIZE = 2 ** 20;
/** Largest of all, bytes. */
const PIPE_LIMIT = 2 ** 31;

/** The pipe behind a descriptor. @returns -EBADF for what is none */
function pipeByFd(task: Task, fd: number): Pipe | number {
  const { kernel } = task;
  task.enter();
  const file = fdget(task, fd);
  if (!file) return task.files.missing(fd);
  const inode = inodeOfFile(kernel.core, file);
  return typeOf(kernel.core, inode) === S_IFIFO ? pipeOf(kernel, inode) : -EBADF;
}

/** Room of a pipe, bytes. @returns that; -EBADF */
export function getPipeSize(task: Task, fd: number): number {
  const pipe = pipeByFd(task, fd);
  return typeof pipe === "number" ? pipe : pipe.bytes.size;
}

/**
 * Gives a pipe room for as many bytes, rounded up to a power of two of pages.
 *
 * @returns the room it has then; -EBADF; -EINVAL above 2 GiB; -EPERM above 1 MiB, to make it larger, for others than root; -EBUSY when what
 *   is in it needs more
 * @see Linux fs/pipe.c pipe_set_size(), round_pipe_size()
 */
export function setPipeSize(task: Task, fd: number, bytes: number): number {
  const pipe = pipeByFd(task, fd);
  if (typeof pipe === "number") return pipe;
  if (bytes > PIPE_LIMIT) return -EINVAL;
  const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, PAGE_BYTES)));
  const before = pipe.bytes.size;
  if (size > before && size > PIPE_MAX_SIZE && !isCapable(task)) return -EPERM;
  if (!pipe.bytes.resize(size)) return -EBUSY;
  if (size > before) wakeWaiters(task.kernel, pipe.room);
  return size;
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
