/**
 * FileHandle: an open file as promises see it.
 *
 * Does not own: the descriptor and its references (open-file.ts); streams over handles, which come later and say so.
 * @see Node 26 lib/internal/fs/promises.js class FileHandle
 */

import { isBytes } from "../base/views.ts";
import { closingWhenCollected } from "./collected.ts";
import { EventEmitter } from "./emitter.ts";
import { allocZeroed, checkContentEncoding, encodeText } from "./encoding.ts";
import { abortError, fdError, methodNotImplementedError, notAHandleError } from "./errors.ts";
import { isIterableData, turn, writeToFd } from "./iterable-data.ts";
import { OpenFile } from "./open-file.ts";
import type { Operations } from "./operations/index.ts";
import { ReadFileJob, toReadFileOptions } from "./operations/read-file.ts";
import { fromReadOptions, toReadRange, toTextRange, toWriteRange } from "./operations/read-write.ts";
import { toVectorRequest } from "./operations/vectors.ts";
import { toWriteFileOptions } from "./operations/write-file.ts";
import { ASYNC_DISPOSE } from "./platform.ts";
import { rejectSoon, resolveSoon } from "./settle.ts";
import { callSiteOf, fromCaller, type Origin } from "./stacks.ts";
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
/** The descriptor of a closed handle. */
const CLOSED = -1;

// The description is Node's, since util.inspect shows it.
export const kHandle = Symbol("kHandle");

/** Node's results have no prototype. */
function result(countName: string, count: number, dataName: string, data: unknown): object {
  return Object.assign(Object.create(null), { [countName]: count, [dataName]: data });
}

/** Whether `value` is a FileHandle, or stands for one. */
export function isFileHandle(value: unknown): value is FileHandle {
  return typeof value === "object" && (value as FileHandle | null)?.[kHandle] !== undefined;
}

/**
 * Runs `call` unless the handle is closed, and keeps the descriptor open until its promise settles.
 *
 * @param handle what the method was called on: a FileHandle, or something else by mistake
 * @param form the method: stacks of errors begin at its caller
 */
function hold<T>(handle: FileHandle, form: Origin, syscall: string, call: (file: OpenFile) => Promise<T>): Promise<T> {
  let file: OpenFile;
  let outcome: Promise<T>;
  try {
    file = handle[kHandle];
    if (file === undefined) throw notAHandleError();
    file.get(syscall, form);
    outcome = withReference(file, call);
  } catch (error) {
    return rejectSoon(fromCaller(error, form));
  }
  return outcome.then(
    (value) => {
      file.put();
      return value;
    },
    (error) => {
      file.put();
      throw error;
    },
  );
}

/** Calls; what is thrown at once lets go of the reference. */
function withReference<T>(file: OpenFile, call: (file: OpenFile) => Promise<T>): Promise<T> {
  try {
    return call(file);
  } catch (error) {
    file.put();
    throw error;
  }
}

type Pick<Q, R> = (ops: Operations) => Operation<Q, R>;

/** Runs an operation on the descriptor. */
function run<Q, R>(
  handle: FileHandle,
  form: Origin,
  syscall: string,
  pick: Pick<Q, R>,
  a?: unknown,
  b?: unknown,
): Promise<R> {
  return hold(handle, form, syscall, ({ ops, fd }) => {
    const operation = pick(ops);
    const prepare = operation.preparePromise ?? operation.prepare;
    return commitToPromise(operation.commit, prepare(NO_CALLBACK, fd, a, b), form);
  });
}

/** An open file, as `promises.open` gives it. */
export class FileHandle extends EventEmitter {
  declare [kHandle]: OpenFile;
  /** Own property, as in Node: people pass it around without the handle. */
  declare close: () => Promise<void>;

  constructor(file: OpenFile) {
    super();
    this[kHandle] = file;
    this.close = () => closeHandle(this);
  }

  /** The descriptor; -1 once closed. */
  get fd(): number {
    return this[kHandle]?.fd;
  }

  getAsyncId(): number {
    return this[kHandle].getAsyncId();
  }

  chmod(mode: unknown): Promise<void> {
    return run(this, own.chmod, "fchmod", (ops) => ops.fchmod, mode);
  }

  chown(uid: unknown, gid: unknown): Promise<void> {
    return run(this, own.chown, "fchown", (ops) => ops.fchown, uid, gid);
  }

  datasync(): Promise<void> {
    return run(this, own.datasync, "fdatasync", (ops) => ops.fdatasync);
  }

  sync(): Promise<void> {
    return run(this, own.sync, "fsync", (ops) => ops.fsync);
  }

  stat(options?: unknown): Promise<unknown> {
    return run(this, own.stat, "fstat", (ops) => ops.fstat, options);
  }

  truncate(len: unknown = 0): Promise<void> {
    return run(this, own.truncate, "ftruncate", (ops) => ops.ftruncate, len);
  }

  utimes(atime: unknown, mtime: unknown): Promise<void> {
    return run(this, own.utimes, "futimes", (ops) => ops.futimes, atime, mtime);
  }

  read(buffer?: unknown, offset?: unknown, length?: unknown, position?: unknown): Promise<object> {
    return hold(this, own.read, "read", ({ ops, fd }) => {
      const call = toReadCall(buffer, offset, length, position);
      const range = toReadRange(call.view, call.offset, call.length, call.position);
      const count = range === undefined ? resolveSoon(0) : commitToPromise(ops.commitRead, { fd, ...range }, own.read);
      return count.then((bytesRead) => result("bytesRead", bytesRead, "buffer", call.view));
    });
  }

  readv(buffers: unknown, position?: unknown): Promise<object> {
    return hold(this, own.readv, "readv", ({ ops, fd }) => {
      checkBufferArray(buffers);
      const count = commitToPromise(ops.commitReadv, toVectorRequest(fd, buffers, position), own.readv);
      return count.then((bytesRead) => result("bytesRead", bytesRead, "buffers", buffers));
    });
  }

  write(data: unknown, offset?: unknown, length?: unknown, position?: unknown): Promise<object> {
    return hold(this, own.write, "write", ({ ops, fd }) => {
      if ((data as ArrayBufferView | undefined)?.byteLength === 0) {
        return Promise.resolve(result("bytesWritten", 0, "buffer", data));
      }
      const range = isBytes(data) ? toWriteRange(data, offset, length, position) : toCheckedText(data, offset, length);
      const count = commitToPromise(ops.commitWrite, { fd, ...range }, own.write);
      return count.then((bytesWritten) => result("bytesWritten", bytesWritten, "buffer", data));
    });
  }

  writev(buffers: unknown, position?: unknown): Promise<object> {
    return hold(this, own.writev, "writev", ({ ops, fd }) => {
      checkBufferArray(buffers);
      const request = toVectorRequest(fd, buffers, position);
      const count = buffers.length === 0 ? resolveSoon(0) : commitToPromise(ops.commitWritev, request, own.writev);
      return count.then((bytesWritten) => result("bytesWritten", bytesWritten, "buffers", buffers));
    });
  }

  readFile(options?: unknown): Promise<unknown> {
    return readFileOf(this, options, own.readFile);
  }

  writeFile(data: unknown, options?: unknown): Promise<void> {
    return writeFileOf(this, data, options, own.writeFile);
  }

  appendFile(data: unknown, options?: unknown): Promise<void> {
    return writeFileOf(this, data, options, own.appendFile);
  }

  async [ASYNC_DISPOSE](): Promise<void> {
    await this.close();
  }

  createReadStream(): never {
    throw fromCaller(methodNotImplementedError("FileHandle.createReadStream()"), own.createReadStream);
  }

  createWriteStream(): never {
    throw fromCaller(methodNotImplementedError("FileHandle.createWriteStream()"), own.createWriteStream);
  }

  readableWebStream(): never {
    throw fromCaller(methodNotImplementedError("FileHandle.readableWebStream()"), own.readableWebStream);
  }

  readLines(): never {
    throw fromCaller(methodNotImplementedError("FileHandle.readLines()"), own.readLines);
  }
}

/** The methods themselves, which errors leave out of their stacks, whatever the prototype has by then. */
const own = Object.fromEntries(
  Object.entries(Object.getOwnPropertyDescriptors(FileHandle.prototype)).map(([name, { value }]) => [name, value]),
) as FileHandle;

/** What a whole-file read of a handle does, as `form` was told to. */
export function readFileOf(handle: FileHandle, options: unknown, form: Origin): Promise<unknown> {
  return hold(handle, form, "readFile", ({ ops, fd }) => {
    const given = toReadFileOptions(options);
    checkContentEncoding(given.encoding); // before there is anything to decode
    const job = new ReadFileJob(fd, 0, given);
    if (job.signal === undefined || job.signal.aborted) return commitToPromise(ops.readFile.commit, job, form);
    // Node looks at the file first: an abort until then leaves its position alone.
    const site = callSiteOf(form);
    return turn().then(() => commitToPromise(ops.readFile.commit, job, site));
  });
}

/** What a whole-file write to a handle does, as `form` was told to. */
export function writeFileOf(handle: FileHandle, data: unknown, options: unknown, form: Origin): Promise<void> {
  return hold(handle, form, "writeFile", ({ ops, fd }) => writeWhole(ops, fd, data, options, form));
}

function writeWhole(ops: Operations, fd: number, data: unknown, options: unknown, form: Origin): Promise<void> {
  const given = toWriteFileOptions(options);
  return writeToFd(ops, fd, isIterableData(data) ? data : toDataBytes(data, given.encoding), given, form);
}

/** `promises.readFile` of a closed handle: Node takes its descriptor, which is none. @throws what Node says of that */
export function readClosedFile(options: unknown): never {
  const { encoding, signal } = toReadFileOptions(options);
  checkContentEncoding(encoding);
  if (signal?.aborted) throw abortError(signal);
  throw fdError(CLOSED);
}

/** `promises.writeFile` to a closed handle, which is found out by the first byte that is to be written. */
export function writeClosedFile(handle: FileHandle, data: unknown, options: unknown, form: Origin): Promise<void> {
  return writeWhole(handle[kHandle].ops, CLOSED, data, options, form);
}

function closeHandle(handle: FileHandle): Promise<void> {
  const file = handle[kHandle];
  if (file.fd === -1) return Promise.resolve();
  if (file.closing !== undefined) return file.closing;
  const closing = file.close(handle.close);
  handle.emit("close");
  return closing;
}

interface ReadCall {
  view: ArrayBufferView;
  offset: unknown;
  length: unknown;
  position: unknown;
}

/** The overloads of read, told apart by the types of their arguments. */
function toReadCall(buffer: unknown, offset: unknown, length: unknown, position: unknown): ReadCall {
  if (!isBytes(buffer)) {
    if (buffer !== undefined) checkObjectOrNull(buffer, "options");
    const params = (buffer ?? {}) as { buffer?: unknown; offset?: unknown };
    buffer = params.buffer === undefined ? allocZeroed(DEFAULT_READ_BYTES) : params.buffer;
    ({ offset, length, position } = fromReadOptions(buffer as ArrayBufferView, params));
    checkBuffer(buffer);
  }
  const view = buffer as ArrayBufferView;
  if (offset !== null && typeof offset === "object") ({ offset, length, position } = fromReadOptions(view, offset));
  length ??= sizeOf(view) - ((offset ?? 0) as number);
  return { view, offset, length, position };
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

/** promises.open on the operations of a task. @returns a function of what was called and its arguments, which it may throw for */
export function handleOpener(ops: Operations) {
  const { open } = ops;
  const prepare = open.preparePromise ?? open.prepare;
  const closeLater = closingWhenCollected((file: OpenFile) => file.abandon());

  return (form: Origin, path: unknown, flags: unknown, mode: unknown): Promise<FileHandle> => {
    const request = prepare(NO_CALLBACK, path, flags, mode);
    return commitToPromise(open.commit, request, form).then((fd) => {
      const file = new OpenFile(ops, fd, request.path);
      const handle = new FileHandle(file);
      closeLater(handle, file);
      return handle;
    });
  };
}
