/**
 * FileHandle: an open file as promises see it. Calls under way hold references, and the descriptor is closed when the
 * last one is let go.
 *
 * Does not own: streams over handles, which come later and say so.
 * @see Node 26 lib/internal/fs/promises.js class FileHandle
 */

import { EventEmitter } from "./emitter.ts";
import { allocZeroed, encodeText } from "./encoding.ts";
import { methodNotImplementedError } from "./errors.ts";
import { isIterableData, writePieces } from "./iterable-data.ts";
import type { Operations } from "./operations/index.ts";
import { ReadFileJob, toReadFileOptions } from "./operations/read-file.ts";
import { fromReadOptions, toReadRange, toTextRange, toWriteRange } from "./operations/read-write.ts";
import { toVectorRequest } from "./operations/vectors.ts";
import { toWriteFileOptions, WriteFileJob } from "./operations/write-file.ts";
import { ASYNC_DISPOSE } from "./platform.ts";
import { commitToPromise, type Operation } from "./surfaces.ts";
import {
  checkBuffer,
  checkBufferArray,
  checkObjectOrNull,
  checkString,
  checkTextEncoding,
  NO_CALLBACK,
} from "./validators.ts";
import { sizeOf, wholeBytes } from "./views.ts";

const DEFAULT_READ_BYTES = 16384;

interface ClosedError extends Error {
  code: string;
  syscall: string;
}

function closedError(syscall: string): ClosedError {
  const error = new Error("file closed") as ClosedError;
  error.code = "EBADF";
  error.syscall = syscall;
  return error;
}

/** Node's results have no prototype. */
function result(countName: string, count: number, dataName: string, data: unknown): object {
  return Object.assign(Object.create(null), { [countName]: count, [dataName]: data });
}

interface Deferred {
  resolve(): void;
  reject(error: unknown): void;
}

/** An open file, as `promises.open` gives it. */
export class FileHandle extends EventEmitter {
  readonly #ops: Operations;
  #fd: number;
  /** Calls under way, and the handle itself until it is closed. */
  #refs = 1;
  #closing: Promise<void> | undefined;
  #afterLast: Deferred | undefined;

  /** @param fd taken over: closed with the handle */
  constructor(ops: Operations, fd: number) {
    super();
    this.#ops = ops;
    this.#fd = fd;
  }

  /** The descriptor; -1 once closed. */
  get fd(): number {
    return this.#fd;
  }

  /** Node gives the id of an async resource; there is none here. */
  getAsyncId(): number {
    return 0;
  }

  /** Runs `call` unless the handle is closed, and keeps the descriptor open until its promise settles. */
  async #hold<T>(syscall: string, call: (fd: number) => T | Promise<T>): Promise<T> {
    if (this.#fd === -1) throw closedError(syscall);
    this.#refs++;
    try {
      return await call(this.#fd);
    } finally {
      if (--this.#refs === 0) this.#closeLate();
    }
  }

  #run<Q, R>(syscall: string, operation: Operation<Q, R>, a?: unknown, b?: unknown): Promise<R> {
    const prepare = operation.preparePromise ?? operation.prepare;
    return this.#hold(syscall, (fd) => commitToPromise(operation.commit, prepare(NO_CALLBACK, fd, a, b)));
  }

  chmod(mode: unknown): Promise<void> {
    return this.#run("fchmod", this.#ops.fchmod, mode);
  }

  chown(uid: unknown, gid: unknown): Promise<void> {
    return this.#run("fchown", this.#ops.fchown, uid, gid);
  }

  datasync(): Promise<void> {
    return this.#run("fdatasync", this.#ops.fdatasync);
  }

  sync(): Promise<void> {
    return this.#run("fsync", this.#ops.fsync);
  }

  stat(options?: unknown): Promise<unknown> {
    return this.#run("fstat", this.#ops.fstat, options);
  }

  truncate(len: unknown = 0): Promise<void> {
    return this.#run("ftruncate", this.#ops.ftruncate, len);
  }

  utimes(atime: unknown, mtime: unknown): Promise<void> {
    return this.#run("futimes", this.#ops.futimes, atime, mtime);
  }

  read(buffer?: unknown, offset?: unknown, length?: unknown, position?: unknown): Promise<object> {
    return this.#hold("read", async (fd) => {
      if (!ArrayBuffer.isView(buffer)) {
        if (buffer !== undefined) checkObjectOrNull(buffer, "options");
        const params = (buffer ?? {}) as { buffer?: unknown; offset?: unknown };
        buffer = params.buffer === undefined ? allocZeroed(DEFAULT_READ_BYTES) : params.buffer;
        ({ offset, length, position } = fromReadOptions(buffer as ArrayBufferView, params));
        checkBuffer(buffer);
      }
      const view = buffer as ArrayBufferView;
      if (offset !== null && typeof offset === "object") ({ offset, length, position } = fromReadOptions(view, offset));
      length ??= sizeOf(view) - ((offset ?? 0) as number);
      const range = toReadRange(view, offset, length, position);
      const count = range === undefined ? 0 : await commitToPromise(this.#ops.commitRead, { fd, ...range });
      return result("bytesRead", count, "buffer", view);
    });
  }

  readv(buffers: unknown, position?: unknown): Promise<object> {
    return this.#hold("readv", async (fd) => {
      checkBufferArray(buffers);
      const count = await commitToPromise(this.#ops.commitReadv, toVectorRequest(fd, buffers, position));
      return result("bytesRead", count, "buffers", buffers);
    });
  }

  write(data: unknown, offset?: unknown, length?: unknown, position?: unknown): Promise<object> {
    return this.#hold("write", async (fd) => {
      if ((data as ArrayBufferView | undefined)?.byteLength === 0) return result("bytesWritten", 0, "buffer", data);
      const range = ArrayBuffer.isView(data)
        ? toWriteRange(data, offset, length, position)
        : toCheckedText(data, offset, length);
      const count = await commitToPromise(this.#ops.commitWrite, { fd, ...range });
      return result("bytesWritten", count, "buffer", data);
    });
  }

  writev(buffers: unknown, position?: unknown): Promise<object> {
    return this.#hold("writev", async (fd) => {
      checkBufferArray(buffers);
      const request = toVectorRequest(fd, buffers, position);
      const count = buffers.length === 0 ? 0 : await commitToPromise(this.#ops.commitWritev, request);
      return result("bytesWritten", count, "buffers", buffers);
    });
  }

  readFile(options?: unknown): Promise<unknown> {
    return this.#hold("readFile", (fd) => {
      const job = new ReadFileJob(fd, 0, toReadFileOptions(options));
      return commitToPromise(this.#ops.readFile.commit, job);
    });
  }

  writeFile(data: unknown, options?: unknown): Promise<void> {
    return this.#hold("writeFile", (fd) => {
      const given = toWriteFileOptions(options);
      if (isIterableData(data)) return writePieces(data, given, (bytes) => this.#writeBytes(fd, bytes, {}));
      return this.#writeBytes(fd, toDataBytes(data, given.encoding), { signal: given.signal });
    });
  }

  #writeBytes(fd: number, bytes: Uint8Array, options: { signal?: AbortSignal }): Promise<void> {
    return commitToPromise(this.#ops.writeFile.commit, new WriteFileJob(fd, 0, 0, bytes, options));
  }

  appendFile(data: unknown, options?: unknown): Promise<void> {
    return this.writeFile(data, options);
  }

  /** Own property, as in Node: people pass it around without the handle. */
  close = (): Promise<void> => {
    if (this.#fd === -1) return Promise.resolve();
    if (this.#closing !== undefined) return this.#closing;
    this.#refs--;
    this.#closing = this.#refs === 0 ? this.#closeNow() : this.#closeAfterCalls();
    const done = (): void => {
      this.#closing = undefined;
    };
    this.#closing.then(done, done);
    const closing = this.#closing;
    this.emit("close");
    return closing;
  };

  #closeNow(): Promise<void> {
    const fd = this.#fd;
    this.#fd = -1;
    return commitToPromise(this.#ops.close.commit, fd);
  }

  #closeAfterCalls(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#afterLast = { resolve, reject };
    });
  }

  #closeLate(): void {
    this.#closeNow().then(this.#afterLast?.resolve, this.#afterLast?.reject);
  }

  async [ASYNC_DISPOSE](): Promise<void> {
    await this.close();
  }

  createReadStream(): never {
    throw methodNotImplementedError("FileHandle.createReadStream()");
  }

  createWriteStream(): never {
    throw methodNotImplementedError("FileHandle.createWriteStream()");
  }

  readableWebStream(): never {
    throw methodNotImplementedError("FileHandle.readableWebStream()");
  }

  readLines(): never {
    throw methodNotImplementedError("FileHandle.readLines()");
  }
}

function toCheckedText(data: unknown, position: unknown, encoding: unknown) {
  checkString(data, "buffer");
  checkTextEncoding(data, encoding);
  return toTextRange(data, position, encoding);
}

function toDataBytes(data: unknown, encoding: string | null | undefined): Uint8Array {
  if (ArrayBuffer.isView(data)) {
    const bytes = wholeBytes(data);
    return bytes.length > 0 ? bytes : new Uint8Array(data.buffer, data.byteOffset, 0); // refuses memory that has gone
  }
  checkString(data, "data");
  return encodeText(data, encoding || "utf8");
}

/** A handle on a new descriptor. */
export function openHandle(ops: Operations, path: unknown, flags: unknown, mode: unknown): Promise<FileHandle> {
  const { open } = ops;
  const prepare = open.preparePromise ?? open.prepare;
  return commitToPromise(open.commit, prepare(NO_CALLBACK, path, flags, mode)).then((fd) => new FileHandle(ops, fd));
}
