/**
 * Callback forms whose arguments follow rules of their own: how many there are tells overloads apart, or the callback
 * gets more than one result.
 *
 * @see Node 26 lib/fs.js
 */
import { EAGAIN } from "../base/errno.ts";
import { allocZeroed } from "./encoding.ts";
import type { Operations } from "./operations/index.ts";
import { symlinkArguments } from "./operations/names.ts";
import {
  fromReadOptions,
  type TransferRequest,
  toReadRange,
  toTextRange,
  toWriteRange,
} from "./operations/read-write.ts";
import { isRetried, type RmRequest } from "./operations/rm.ts";
import { toVectorRequest } from "./operations/vectors.ts";
import { soon1, soon3 } from "./settle.ts";
import { commitToCallback } from "./surfaces.ts";
import { Failure } from "./uv-errors.ts";
import {
  type Callback,
  checkBuffer,
  checkBufferArray,
  checkCallback,
  checkFdArgument,
  checkObjectOrNull,
  checkString,
  checkTextEncoding,
} from "./validators.ts";

/** Size of the buffer that read makes when it gets none, bytes. */
const DEFAULT_READ_BYTES = 16384;

const PROMISIFY = Symbol.for("nodejs.util.promisify.custom");

/** Hands `(error, count, data)` to the callback: calls with a buffer give it back, on failure too. */
function commitTransfer<Q>(commit: (q: Q) => number | Failure, request: Q, data: unknown, callback: Callback): void {
  let outcome: number | Failure;
  try {
    outcome = commit(request);
  } catch (error) {
    // What a file system or the other end of a device throws.
    soon3(callback as never, error, 0, data);
    return;
  }
  if (!(outcome instanceof Failure)) soon3(callback as never, null, outcome, data);
  else if (outcome.token === undefined) soon3(callback as never, outcome.toError(), 0, data);
  else {
    const again = (): void => commitTransfer(commit, request, data, callback);
    void outcome.token.then(again, (error) => soon3(callback as never, error, 0, data));
  }
}

type Transfer = (...args: unknown[]) => void;

/** What util.promisify makes of a call with two results: an object of both. */
function promisified(call: Transfer, countName: string, dataName: string): (...args: unknown[]) => Promise<unknown> {
  return (...args) =>
    new Promise((resolve, reject) => {
      call(...args, (error: Error | null, count: number, data: unknown) => {
        if (error) reject(error);
        else resolve({ [countName]: count, [dataName]: data });
      });
    });
}

/** As a function of `util.promisify`, found by its well-known symbol. */
function withPromisify<F extends (...args: never[]) => unknown>(call: F, custom: unknown): F {
  Object.defineProperty(call, PROMISIFY, { value: custom, configurable: true });
  return call;
}

interface ReadCall {
  buffer: unknown;
  offset: unknown;
  length: unknown;
  position: unknown;
  callback: unknown;
}

/** The overloads of read, told apart by their number of arguments. */
function toReadCall(nrArguments: number, call: ReadCall): ReadCall {
  if (nrArguments > 4) return call;
  let { buffer } = call;
  let params: unknown = null;
  let callback: unknown;
  if (nrArguments === 4) {
    checkObjectOrNull(call.offset, "options");
    callback = call.length;
    params = call.offset;
  } else if (nrArguments === 3) {
    if (!ArrayBuffer.isView(buffer)) {
      params = buffer;
      ({ buffer = allocZeroed(DEFAULT_READ_BYTES) } = (params ?? {}) as { buffer?: unknown });
    }
    callback = call.offset;
  } else {
    callback = buffer;
    buffer = allocZeroed(DEFAULT_READ_BYTES);
  }
  if (params !== undefined) checkObjectOrNull(params, "options");
  return { buffer, callback, ...fromReadOptions(buffer as ArrayBufferView, params as object | null) };
}

function transferForms({ commitRead, commitWrite, commitReadv, commitWritev }: Operations) {
  function read(
    fd: unknown,
    buffer: unknown,
    offset: unknown,
    length: unknown,
    position: unknown,
    callback: unknown,
  ): void {
    const file = checkFdArgument(fd);
    // biome-ignore lint/complexity/noArguments: Node tells its overloads apart by their number of arguments
    const call = toReadCall(arguments.length, { buffer, offset, length, position, callback });
    checkBuffer(call.buffer);
    checkCallback(call.callback);
    const range = toReadRange(call.buffer, call.offset, call.length, call.position);
    if (range === undefined) soon3(call.callback as never, null, 0, call.buffer);
    else commitTransfer(commitRead, { fd: file, ...range }, call.buffer, call.callback);
  }

  function write(
    fd: unknown,
    data: unknown,
    offset: unknown,
    length: unknown,
    position: unknown,
    callback: unknown,
  ): void {
    const file = checkFdArgument(fd);
    if (ArrayBuffer.isView(data)) {
      const done = callback || position || length || offset;
      checkCallback(done);
      const start = typeof offset === "function" ? 0 : offset;
      commitTransfer(commitWrite, { fd: file, ...toWriteRange(data, start, length, position) }, data, done);
    } else {
      writeText(file, data, offset, length, position);
    }
  }

  /** `write(fd, string[, position[, encoding]], callback)`. */
  function writeText(fd: number, text: unknown, position: unknown, encoding: unknown, callback: unknown): void {
    checkString(text, "buffer");
    let done = callback;
    if (typeof done !== "function") {
      if (typeof position === "function") {
        done = position;
        position = null;
      } else {
        done = encoding;
      }
      encoding = "utf8";
    }
    checkTextEncoding(text, encoding);
    checkCallback(done);
    const request: TransferRequest = { fd, ...toTextRange(text, position, encoding) };
    commitTransfer(commitWrite, request, text, done);
  }

  function readv(fd: unknown, buffers: unknown, position: unknown, callback: unknown): void {
    const file = checkFdArgument(fd);
    checkBufferArray(buffers);
    const done = callback || position;
    checkCallback(done);
    commitTransfer(commitReadv, toVectorRequest(file, buffers, position), buffers, done);
  }

  function writev(fd: unknown, buffers: unknown, position: unknown, callback: unknown): void {
    const file = checkFdArgument(fd);
    checkBufferArray(buffers);
    const done = callback || position;
    checkCallback(done);
    if (buffers.length === 0) soon3(done as never, null, 0, buffers);
    else commitTransfer(commitWritev, toVectorRequest(file, buffers, position), buffers, done);
  }

  return {
    read: withPromisify(read, promisified(read as Transfer, "bytesRead", "buffer")),
    write: withPromisify(write, promisified(write as Transfer, "bytesWritten", "buffer")),
    readv: withPromisify(readv, promisified(readv as Transfer, "bytesRead", "buffers")),
    // "buffer" is Node's own slip, kept because callers know it.
    writev: withPromisify(writev, promisified(writev as Transfer, "bytesWritten", "buffer")),
  };
}

function throwIfFailed(error: unknown): void {
  if (error !== null && error !== undefined) throw error;
}

/** The callback forms that are not derived, by name. */
export function callbackForms(ops: Operations) {
  function exists(path: unknown, callback: unknown): void {
    const { exists: operation } = ops;
    const request = operation.prepare(callback, path);
    commitToCallback(operation.commit, request, ((_error, found) =>
      (callback as (found: boolean) => void)(found === true)) as Callback);
  }

  function open(path: unknown, flags: unknown, mode: unknown, callback: unknown): void {
    // biome-ignore lint/complexity/noArguments: Node tells its overloads apart by their number of arguments
    const nrArguments = arguments.length;
    let done = callback;
    if (nrArguments < 3) {
      done = flags;
      flags = undefined;
      mode = undefined;
    } else if (typeof mode === "function") {
      done = mode;
      mode = undefined;
    }
    commitToCallback(ops.open.commit, ops.open.prepare(done, path, flags, mode), done as Callback);
  }

  function close(fd: unknown, callback: unknown = throwIfFailed): void {
    commitToCallback(ops.close.commit, ops.close.prepare(callback, fd), callback as Callback);
  }

  function symlink(target: unknown, path: unknown, type: unknown, callback: unknown): void {
    const call = symlinkArguments(type, callback);
    const request = ops.symlink.prepare(call.callback, target, path, call.type);
    commitToCallback(ops.symlink.commit, request, call.callback);
  }

  /** `(file, data, [options], callback)`. */
  const withData =
    (operation: Operations["writeFile"]) =>
    (file: unknown, data: unknown, options: unknown, callback: unknown): void => {
      const done = callback || options;
      const given = typeof options === "function" ? undefined : options;
      commitToCallback(operation.commit, operation.prepare(done, file, data, given), done as Callback);
    };

  function readFile(file: unknown, options: unknown, callback: unknown): void {
    const done = callback || options;
    commitToCallback(ops.readFile.commit, ops.readFile.prepare(done, file, options), done as Callback);
  }

  function rm(path: unknown, options: unknown, callback: unknown): void {
    const done = (typeof options === "function" ? options : callback) as Callback;
    const request = ops.rm.prepare(done, path, typeof options === "function" ? undefined : options);
    removeWithRetries(ops, request).then(
      () => soon1(done as never, null),
      (error) => soon1(done as never, error),
    );
  }

  withPromisify(exists, (path: unknown) => new Promise((resolve) => exists(path, resolve)));
  return {
    ...transferForms(ops),
    exists,
    open,
    close,
    symlink,
    readFile,
    writeFile: withData(ops.writeFile),
    appendFile: withData(ops.appendFile),
    rm,
  };
}

/** Removes, and tries again what may be busy for a moment, waiting longer each time. @see Node 26 rimraf() */
export async function removeWithRetries({ rm }: Operations, request: RmRequest): Promise<void> {
  const { maxRetries, retryDelay } = request.options;
  for (let retries = 0; ; ) {
    const outcome = rm.commit(request);
    if (!(outcome instanceof Failure)) return;
    if (outcome.errno === -EAGAIN && outcome.token !== undefined) {
      await outcome.token;
    } else if (isRetried(outcome) && retries < maxRetries) {
      retries++;
      await new Promise((resolve) => setTimeout(resolve, retries * retryDelay));
    } else {
      throw outcome.toError();
    }
  }
}
