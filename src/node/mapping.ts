/**
 * Mappings as programs have them: what kernel.mmap() answers.
 *
 * A load or a store is a call, since JavaScript cannot trap one: copy() and set() move bytes, read() and write() give views
 * onto pages. What would be a signal is an error with `signal`: SIGBUS for a page that the file does not have (EFAULT), or that cannot
 * be had (EIO, ENOSPC …), SIGSEGV for what the protection does not allow (EFAULT). Calls that have to wait for a store throw EAGAIN;
 * those that end in Async wait.
 *
 * Does not own: pages (mm/memory.ts), mappings (vfs/mmap.ts).
 *
 * @see POSIX.1-2024 mmap(); Linux Documentation/mm/page_tables.rst
 */
import { EAGAIN, EFAULT, ENOMEM, ESTALE } from "../base/errno.ts";
import { MAP_SHARED, MS_SYNC, PROT_EXEC, PROT_READ, PROT_WRITE } from "../base/mman.ts";
import { bytesOf } from "../base/views.ts";
import type { Kernel } from "../vfs/kernel.ts";
import { MappedData } from "../vfs/mapped-data.ts";
import { type Mapped, mmap as map, mlock, msync, munlock, munmap } from "../vfs/mmap.ts";
import { type PageRun, readView as view, viewMapping } from "../vfs/page-view.ts";
import type { Task } from "../vfs/task.ts";
import { invalidState, PageView } from "./page-view.ts";
import { DISPOSE } from "./platform.ts";
import { callSiteOf, fromCaller, type Origin } from "./stacks.ts";
import { type SystemCallError, uvException } from "./uv-errors.ts";
import { checkBuffer, checkFd, checkInteger, checkObject } from "./validators.ts";

/** How to map: what is left out is all of the file from `offset` on, to be read, and shared. */
export interface MmapOptions {
  /** First byte in the file: a multiple of 4096. */
  offset?: number;
  /** Bytes, at least 1, at most 4 GiB; they may reach behind the end of the file, and are not there until that comes to them. */
  length?: number;
  /** Union of PROT_READ, PROT_WRITE, PROT_EXEC (foliofs/store). */
  prot?: number;
  /** MAP_SHARED or MAP_PRIVATE, and MAP_LOCKED, MAP_POPULATE (foliofs/store). */
  flags?: number;
}

/** A failed load or store. */
export interface FaultError extends SystemCallError {
  /** What a program in its place would have been sent. */
  signal?: "SIGBUS" | "SIGSEGV";
}

/** Makes a call by promises, and again when its store has answered. */
type Later = (call: () => number, syscall: string) => Promise<void>;

const MAX_LENGTH = Number.MAX_SAFE_INTEGER;

/** What is no fault of the page's is no signal. */
function faultError(rc: number, signal: "SIGBUS" | "SIGSEGV" = "SIGBUS"): FaultError {
  const error: FaultError = uvException(rc, "page_fault");
  if (rc !== -EAGAIN && rc !== -ENOMEM) error.signal = signal;
  return error;
}

/** A descriptor, or a FileHandle that has it. */
type Descriptor = number | { readonly fd: number };

function fdOf(fd: Descriptor): number {
  return checkFd(typeof fd === "object" && fd !== null ? fd.fd : fd);
}

/** kernel.mmap(). @throws as mmap() of vfs/mmap.ts */
export function mmap(task: Task, fd: Descriptor, options: MmapOptions, later: Later): Mapping {
  const number = fdOf(fd);
  checkObject(options, "options");
  const { offset = 0, length, prot = PROT_READ, flags = MAP_SHARED } = options;
  checkInteger(offset, "options.offset", 0);
  if (length !== undefined) checkInteger(length, "options.length", 0);
  checkInteger(prot, "options.prot", 0, PROT_READ | PROT_WRITE | PROT_EXEC);
  checkInteger(flags, "options.flags", 0, 2 ** 31 - 1);
  const mapped = map(task, number, { offset, length, prot, flags });
  if (typeof mapped === "number") throw uvException(mapped, "mmap");
  return new Mapping(task, mapped, { offset, length: mapped.length, prot, flags }, later);
}

/** Arguments of readView(): a descriptor, or a FileHandle that has it; position; most bytes. */
type ViewArguments = readonly unknown[];

/** fs.readView(). @throws as readView() of vfs/page-view.ts */
export function readView(task: Task, args: ViewArguments): PageView {
  const run = viewOf(task, args);
  if (typeof run === "number") throw uvException(run, "read");
  return new PageView(run);
}

/** fs.readViewAsync(). @param form what was called */
export async function readViewAsync(task: Task, args: ViewArguments, later: Later, form: Origin): Promise<PageView> {
  const site = callSiteOf(form);
  let run: PageRun | number = -EAGAIN;
  try {
    await later(() => {
      run = viewOf(task, args);
      return run === -EAGAIN ? run : 0;
    }, "read");
  } catch (error) {
    throw fromCaller(error, site);
  }
  const found = run as PageRun | number;
  if (typeof found === "number") throw uvException(found, "read", undefined, undefined, site);
  return new PageView(found);
}

function viewOf(task: Task, [fd, position = 0, length = MAX_LENGTH]: ViewArguments): PageRun | number {
  const number = fdOf(fd as Descriptor);
  checkInteger(position, "position", 0);
  checkInteger(length, "length", 0);
  return view(task, number, position, length);
}

/** A part of a file, mapped. It is its task's; close() and unlink() leave it alone. */
export class Mapping {
  readonly #task: Task;
  readonly #kernel: Kernel;
  readonly #core: Kernel["core"];
  readonly #later: Later;
  #mapped: Mapped | undefined;
  /** First byte in the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** Union of PROT_*. */
  readonly prot: number;
  /** Union of MAP_*. */
  readonly flags: number;

  /** Made by kernel.mmap(). @internal */
  constructor(task: Task, mapped: Mapped, request: Required<MmapOptions>, later: Later) {
    this.#task = task;
    this.#kernel = task.kernel;
    this.#core = task.kernel.core;
    this.#later = later;
    this.#mapped = mapped;
    this.offset = request.offset;
    this.length = request.length;
    this.prot = request.prot;
    this.flags = request.flags;
  }

  /**
   * Copies bytes out of the mapping, as Buffer.copy().
   *
   * @param target how many it has from `targetStart` on are copied, if the mapping has them
   * @param sourceStart and `sourceEnd`: bytes of the mapping
   * @returns how many have been: fewer where the next page cannot be had
   * @throws EFAULT, SIGSEGV without PROT_READ; EFAULT, SIGBUS behind the end of the file; EAGAIN; ENOMEM; what the store answers, SIGBUS
   */
  copy(target: ArrayBufferView, targetStart = 0, sourceStart = 0, sourceEnd: number = this.length): number {
    return this.#move(this.#data(target, targetStart, sourceStart, sourceEnd, false));
  }
  /** As copy(), and waits for stores. */
  copyAsync(
    target: ArrayBufferView,
    targetStart = 0,
    sourceStart = 0,
    sourceEnd: number = this.length,
  ): Promise<number> {
    return this.#moveLater(() => this.#data(target, targetStart, sourceStart, sourceEnd, false));
  }

  /**
   * Copies bytes into the mapping, as TypedArray.set(). What a shared mapping gets behind the end of its file, within the last page, is
   * dropped.
   *
   * @param source all of it, if the mapping has room
   * @param offset first byte of the mapping
   * @returns how many have been: fewer where the next page cannot be had
   * @throws EFAULT, SIGSEGV without PROT_WRITE; as copy(); ENOSPC, SIGBUS; EAGAIN while the file system is frozen, too
   */
  set(source: ArrayBufferView, offset = 0): number {
    return this.#move(this.#data(source, 0, offset, this.length, true));
  }
  /** As set(), and waits for stores. */
  setAsync(source: ArrayBufferView, offset = 0): Promise<number> {
    return this.#moveLater(() => this.#data(source, 0, offset, this.length, true));
  }

  /**
   * Gives a view of bytes of the mapping, to be read: as many as lie in one run of frames.
   *
   * @param length most bytes
   * @throws as copy(); ENOMEM when too many pages are pinned
   */
  read(offset = 0, length?: number): PageView {
    return this.#viewed(this.#view(offset, length, false));
  }
  /** As read(), and waits for stores. */
  readAsync(offset = 0, length?: number): Promise<PageView> {
    return this.#viewedLater(offset, length, false);
  }

  /**
   * Gives a view of bytes of the mapping, to be written to, once the file system has what it needs for that (page_mkwrite). The pages are
   * dirty until it is released, and then. Of a shared mapping it ends where the file does.
   *
   * @param length most bytes; left out: to the end of the page
   * @throws as set(); ENOMEM when too many pages are pinned
   */
  write(offset = 0, length?: number): PageView {
    return this.#viewed(this.#view(offset, length, true));
  }
  /** As write(), and waits for stores. */
  writeAsync(offset = 0, length?: number): Promise<PageView> {
    return this.#viewedLater(offset, length, true);
  }

  /**
   * Writes back what a shared mapping has been written to. MS_ASYNC does nothing: what is dirty is written when it is old.
   *
   * @param flags union of MS_SYNC, MS_ASYNC, MS_INVALIDATE @param offset a multiple of 4096
   * @throws EINVAL; ENOMEM where not all of it is mapped; EBUSY for MS_INVALIDATE of locked pages; EAGAIN; as fsync()
   * @see msync(2)
   */
  msync(flags: number = MS_SYNC, offset = 0, length: number = this.length - offset): void {
    this.#check(this.#msync(flags, offset, length), "msync");
  }
  /** As msync(), and waits for stores. */
  async msyncAsync(flags: number = MS_SYNC, offset = 0, length: number = this.length - offset): Promise<void> {
    this.#check(await this.#wait(() => this.#msync(flags, offset, length), "msync"), "msync");
  }

  /**
   * Brings pages into memory, and keeps them there until munlock() or munmap().
   *
   * @throws ENOMEM where not all of it is mapped or in the file, and for more than may be locked; EAGAIN; what the store answers
   * @see mlock(2)
   */
  mlock(offset = 0, length: number = this.length - offset): void {
    this.#check(this.#mlock(offset, length), "mlock");
  }
  /** As mlock(), and waits for stores. */
  async mlockAsync(offset = 0, length: number = this.length - offset): Promise<void> {
    this.#check(await this.#wait(() => this.#mlock(offset, length), "mlock"), "mlock");
  }
  /** Undoes mlock(). @throws ENOMEM where not all of it is mapped */
  munlock(offset = 0, length: number = this.length - offset): void {
    checkRange(offset, length);
    this.#check(munlock(this.#enter(), offset, offset + length), "munlock");
  }

  /**
   * Ends the mapping; private copies go. Views of its pages are theirs until they are released. Doing it again changes nothing. Parts
   * cannot be unmapped.
   */
  munmap(): void {
    const mapped = this.#mapped;
    this.#mapped = undefined;
    if (mapped === undefined || this.#core !== this.#kernel.core || this.#task.kernel !== this.#kernel) return;
    this.#task.enter();
    munmap(this.#kernel, mapped.area);
  }

  /** munmap(), for `using`. */
  [DISPOSE](): void {
    this.munmap();
  }

  /** Begins a call. @throws ERR_INVALID_STATE when it has been unmapped, or its task or kernel has gone; ESTALE after a rollback */
  #enter(): Mapped {
    this.#task.enter();
    if (this.#core !== this.#kernel.core) throw uvException(-ESTALE, "mmap");
    if (this.#mapped === undefined) throw invalidState("mapping has been unmapped");
    return this.#mapped;
  }

  #check(rc: number, syscall: string): void {
    if (rc < 0) throw uvException(rc, syscall);
  }

  /** Makes a call that may have to wait, until it has not. */
  async #wait(call: () => number, syscall: string): Promise<number> {
    let rc = 0;
    await this.#later(() => {
      rc = call();
      return rc === -EAGAIN ? rc : 0;
    }, syscall);
    return rc;
  }

  #msync(flags: number, offset: number, length: number): number {
    checkInteger(flags, "flags");
    checkRange(offset, length);
    return msync(this.#kernel, this.#enter(), offset, offset + length, flags);
  }

  #mlock(offset: number, length: number): number {
    checkRange(offset, length);
    return mlock(this.#kernel, this.#enter(), offset, offset + length);
  }

  #mayAccess(isWrite: boolean): void {
    if ((this.prot & (isWrite ? PROT_WRITE : PROT_READ)) === 0) throw faultError(-EFAULT, "SIGSEGV");
  }

  #data(buffer: ArrayBufferView, at: number, start: number, end: number, isWrite: boolean): MappedData {
    checkBuffer(buffer, isWrite ? "source" : "target");
    const bytes = bytesOf(buffer);
    checkInteger(at, "targetStart", 0, bytes.length);
    checkInteger(start, isWrite ? "offset" : "sourceStart", 0, this.length);
    checkInteger(end, "sourceEnd", start, this.length);
    const room = end - start;
    if (isWrite) checkInteger(bytes.length, "source.byteLength", 0, room);
    this.#mayAccess(isWrite);
    return new MappedData(this.#enter(), bytes.subarray(at, at + Math.min(bytes.length - at, room)), start, isWrite);
  }

  #move(data: MappedData): number {
    const rc = data.run(this.#kernel);
    if (rc < 0 && data.done === 0) throw faultError(rc);
    return data.done;
  }

  async #moveLater(begin: () => MappedData): Promise<number> {
    const data = begin();
    const rc = await this.#wait(() => {
      this.#enter();
      return data.run(this.#kernel);
    }, "page_fault");
    if (rc < 0 && data.done === 0) throw faultError(rc);
    return data.done;
  }

  #view(offset: number, length: number | undefined, isWrite: boolean): PageRun | number {
    checkInteger(offset, "offset", 0, this.length - 1);
    if (length !== undefined) checkInteger(length, "length", 1, this.length - offset);
    this.#mayAccess(isWrite);
    return viewMapping(this.#kernel, this.#enter(), offset, length, isWrite);
  }

  #viewed(run: PageRun | number): PageView {
    if (typeof run === "number") throw faultError(run);
    return new PageView(run);
  }

  async #viewedLater(offset: number, length: number | undefined, isWrite: boolean): Promise<PageView> {
    let run: PageRun | number = -EAGAIN;
    await this.#wait(() => {
      run = this.#view(offset, length, isWrite);
      return typeof run === "number" ? run : 0;
    }, "page_fault");
    return this.#viewed(run);
  }
}

function checkRange(offset: number, length: number): void {
  checkInteger(offset, "offset", 0, MAX_LENGTH);
  checkInteger(length, "length", 0, MAX_LENGTH);
}
