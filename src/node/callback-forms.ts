/**
 * Callback forms whose arguments follow rules of their own: how many there are tells overloads apart, or the callback
 * gets more than one result.
 *
 * @see Node 26 lib/fs.js
 */
import { Wait, whileWaiting } from "../vfs/waiting.ts";
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
import type { RmRequest } from "./operations/rm.ts";
import { toVectorRequest } from "./operations/vectors.ts";
import { soon1, soon3 } from "./settle.ts";
import { callSiteOf, type Origin, withinForm } from "./stacks.ts";
import { commitToCallback, type Operation } from "./surfaces.ts";
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
function commitTransfer<Q>(
  commit: (q: Q) => number | Failure,
  request: Q,
  data: unknown,
  callback: Callback,
  origin: Origin,
  wait: Wait = new Wait(),
): void {
  let outcome: number | Failure;
  try {
    outcome = whileWaiting(commit, request, wait);
  } catch (error) {
    // What a file system or the other end of a device throws.
    soon3(callback as never, error, 0, data);
    return;
  }
  if (!(outcome instanceof Failure)) soon3(callback as never, null, outcome, data);
  else if (outcome.token === undefined) {
    wait.end();
    soon3(callback as never, outcome.toError(origin), 0, data);
  } else {
    const site = callSiteOf(origin);
    const again = (): void => commitTransfer(commit, request, data, callback, site, wait);
    void outcome.token.then(again, (error) => soon3(callback as never, error, 0, data));
  }
}

type Form = (...args: unknown[]) => unknown;

/** The body of a call with two results, as `form` was called: with how many arguments tells overloads apart. */
type Start = (form: Form, nrArguments: number, ...args: unknown[]) => void;

/** What util.promisify makes of a call with two results: an object of both. */
function promisified(start: Start, countName: string, dataName: string): Form {
  const form: Form = (...args) =>
    new Promise((resolve, reject) => {
      start(form, args.length + 1, ...args, (error: Error | null, count: number, data: unknown) => {
        if (error) reject(error);
        else resolve({ [countName]: count, [dataName]: data });
      });
    });
  return form;
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

/** The bodies of the calls with two results. */
function transferStarts({ commitRead, commitWrite, commitReadv, commitWritev }: Operations) {
  const startRead: Start = (form, nrArguments, fd, buffer, offset, length, position, callback) => {
    const file = checkFdArgument(fd);
    const call = toReadCall(nrArguments, { buffer, offset, length, position, callback });
    checkBuffer(call.buffer);
    checkCallback(call.callback);
    const range = toReadRange(call.buffer, call.offset, call.length, call.position);
    if (range === undefined) soon3(call.callback as never, null, 0, call.buffer);
    else commitTransfer(commitRead, { fd: file, ...range }, call.buffer, call.callback, form);
  };

  const startWrite: Start = (form, _nrArguments, fd, data, offset, length, position, callback) => {
    const file = checkFdArgument(fd);
    if (ArrayBuffer.isView(data)) {
      const done = callback || position || length || offset;
      checkCallback(done);
      const start = typeof offset === "function" ? 0 : offset;
      commitTransfer(commitWrite, { fd: file, ...toWriteRange(data, start, length, position) }, data, done, form);
    } else {
      writeText(form, file, data, offset, length, position);
    }
  };

  /** `write(fd, string[, position[, encoding]], callback)`. */
  function writeText(
    form: Form,
    fd: number,
    text: unknown,
    position: unknown,
    encoding: unknown,
    callback: unknown,
  ): void {
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
    commitTransfer(commitWrite, request, text, done, form);
  }

  const startReadv: Start = (form, _nrArguments, fd, buffers, position, callback) => {
    const file = checkFdArgument(fd);
    checkBufferArray(buffers);
    const done = callback || position;
    checkCallback(done);
    commitTransfer(commitReadv, toVectorRequest(file, buffers, position), buffers, done, form);
  };

  const startWritev: Start = (form, _nrArguments, fd, buffers, position, callback) => {
    const file = checkFdArgument(fd);
    checkBufferArray(buffers);
    const done = callback || position;
    checkCallback(done);
    if (buffers.length === 0) soon3(done as never, null, 0, buffers);
    else commitTransfer(commitWritev, toVectorRequest(file, buffers, position), buffers, done, form);
  };

  return { startRead, startWrite, startReadv, startWritev };
}

function beginningAtCaller(start: Start): Start {
  return (form, ...args) => withinForm(form, () => start(form, ...args));
}

function transferForms(ops: Operations) {
  const starts = transferStarts(ops);
  const startRead = beginningAtCaller(starts.startRead);
  const startWrite = beginningAtCaller(starts.startWrite);
  const startReadv = beginningAtCaller(starts.startReadv);
  const startWritev = beginningAtCaller(starts.startWritev);

  const read: Form = function read(fd, buffer, offset, length, position, callback) {
    // biome-ignore lint/complexity/noArguments: Node tells its overloads apart by their number of arguments
    startRead(read, arguments.length, fd, buffer, offset, length, position, callback);
  };
  const write: Form = (fd, data, offset, length, position, callback) => {
    startWrite(write, 0, fd, data, offset, length, position, callback);
  };
  const readv: Form = (fd, buffers, position, callback) => {
    startReadv(readv, 0, fd, buffers, position, callback);
  };
  const writev: Form = (fd, buffers, position, callback) => {
    startWritev(writev, 0, fd, buffers, position, callback);
  };

  return {
    read: withPromisify(read, promisified(startRead, "bytesRead", "buffer")),
    write: withPromisify(write, promisified(startWrite, "bytesWritten", "buffer")),
    readv: withPromisify(readv, promisified(startReadv, "bytesRead", "buffers")),
    // "buffer" is Node's own slip, kept because callers know it.
    writev: withPromisify(writev, promisified(startWritev, "bytesWritten", "buffer")),
  };
}

function throwIfFailed(error: unknown): void {
  if (error !== null && error !== undefined) throw error;
}

/** Checks arguments and commits for a callback form that runs. */
function start<Q>(
  form: Form,
  { prepare, commit }: Operation<Q, unknown>,
  callback: unknown,
  args: readonly unknown[],
  deliver = callback as Callback,
): void {
  withinForm(form, () => commitToCallback(commit, prepare(callback, ...args), deliver, form));
}

/** The callback forms that are not derived, by name. */
export function callbackForms(ops: Operations) {
  const exists: Form = (path, callback) => {
    const answer = (_error: unknown, found: unknown): void => (callback as (found: boolean) => void)(found === true);
    start(exists, ops.exists, callback, [path], answer);
  };

  const open: Form = function open(path, flags, mode, callback) {
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
    start(open, ops.open, done, [path, flags, mode]);
  };

  const close: Form = (fd, callback = throwIfFailed) => start(close, ops.close, callback, [fd]);

  const symlink: Form = (target, path, type, callback) =>
    withinForm(symlink, () => {
      const call = symlinkArguments(type, callback);
      start(symlink, ops.symlink, call.callback, [target, path, call.type]);
    });

  /** `(file, data, [options], callback)`. */
  const withData = (operation: Operations["writeFile"]): Form => {
    const form: Form = (file, data, options, callback) => {
      const given = typeof options === "function" ? undefined : options;
      start(form, operation, callback || options, [file, data, given]);
    };
    return form;
  };

  const readFile: Form = (file, options, callback) => {
    start(readFile, ops.readFile, callback || options, [file, options]);
  };

  const rm: Form = (path, options, callback) => {
    const done = typeof options === "function" ? options : callback;
    withinForm(rm, () => {
      const request = ops.rm.prepare(done, path, typeof options === "function" ? undefined : options);
      removeLater(ops, request, rm).then(
        () => soon1(done as never, null),
        (error) => soon1(done as never, error),
      );
    });
  };

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

/**
 * Checks and removes: all that need not wait is done when this returns.
 *
 * @param origin what was called: stacks of errors begin at its caller
 */
export function removeLater(
  ops: Operations,
  request: RmRequest,
  origin: Origin,
  wait: Wait = new Wait(),
): Promise<void> {
  const failure = whileWaiting(ops.rm.commit, request, wait);
  if (!(failure instanceof Failure)) return ops.rimraf(request.path, request.options, origin);
  const { token } = failure;
  if (token === undefined) return Promise.reject(failure.toError(origin));
  const site = callSiteOf(origin);
  return token.then(() => removeLater(ops, request, site, wait));
}
