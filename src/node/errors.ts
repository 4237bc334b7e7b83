/**
 * Errors for wrong arguments and wrong use, shaped as Node's own: `code`, the class, the words, `[CODE]` in `stack` and
 * in `toString()`, and the order of own properties.
 *
 * Does not own: errors of system calls (uv-errors.ts).
 * @see Node 26 lib/internal/errors.js
 */
import type { Signal } from "./face/platform-types.ts";
import { describeReceived, describeReceivedNative, inspect } from "./inspect.ts";
import { captureStack, noteError, type Origin, withoutStack } from "./stacks.ts";

/** An Error with Node's `code`. */
export interface NodeError extends Error {
  code: string;
}
type ErrorClass = new (message?: string) => Error;

function nodeErrorClass(Base: ErrorClass): ErrorClass {
  class NodeErrorOf extends Base {
    override toString(): string {
      return `${this.name} [${(this as unknown as NodeError).code}]: ${this.message}`;
    }
  }
  // As in Node: `error.constructor` is the plain class.
  Object.defineProperty(NodeErrorOf.prototype, "constructor", { get: () => Base, configurable: true });
  return NodeErrorOf;
}

const PlainNodeError = nodeErrorClass(Error);
const NodeTypeError = nodeErrorClass(TypeError);
const NodeRangeError = nodeErrorClass(RangeError);

function defineMessage(error: Error, message: string): void {
  Object.defineProperty(error, "message", { value: message, enumerable: false, writable: true, configurable: true });
}

/** Writes `Name [CODE]: message` into the stack, which V8 formats from `name` when it is first read. */
export function putCodeInStack(error: NodeError, origin: Origin): void {
  const { name } = error;
  Object.defineProperty(error, "name", { value: `${name} [${error.code}]`, configurable: true });
  captureStack(error, origin);
  void error.stack;
  delete (error as { name?: string }).name;
}

/** The last step of making an error: its stack, as of the function that makes it; the face begins it at its caller. */
function finish(error: NodeError, below: Origin): NodeError {
  putCodeInStack(error, below);
  return noteError(error, putCodeInStack);
}

function nodeError(Class: ErrorClass, code: string, message: string, below: Origin): NodeError {
  const error = withoutStack(() => new Class()) as NodeError;
  error.code = code;
  defineMessage(error, message);
  return finish(error, below);
}

/** As nodeError, for the codes whose text takes no arguments of its own in Node: there the message comes first. */
function plainNodeError(Class: ErrorClass, code: string, message: string, below: Origin): NodeError {
  const error = withoutStack(() => new Class(message)) as NodeError;
  error.code = code;
  return finish(error, below);
}

/** An error as Node's C++ bindings make them: a plain class, the message first, no `[CODE]`. */
export function bindingError(Class: ErrorClass, code: string, message: string, below: Origin): NodeError {
  // The binding's texts are C strings.
  const error = withoutStack(() => new Class(message.split("\0", 1)[0])) as NodeError;
  error.code = code;
  captureStack(error, below);
  return noteError(error, captureStack);
}

const PRIMITIVES = ["string", "function", "number", "object", "Function", "Object", "boolean", "bigint", "symbol"];

function listOf(words: readonly string[]): string {
  if (words.length < 3) return words.join(" or ");
  return `${words.slice(0, -1).join(", ")}, or ${words[words.length - 1]}`;
}

function expectation(expected: readonly string[]): string {
  let types = expected.filter((word) => PRIMITIVES.includes(word)).map((word) => word.toLowerCase());
  const instances = expected.filter((word) => !PRIMITIVES.includes(word) && /^[A-Z][a-zA-Z0-9]*$/.test(word));
  const other = expected.filter((word) => !PRIMITIVES.includes(word) && !instances.includes(word));
  if (instances.length > 0 && types.includes("object")) {
    types = types.filter((word) => word !== "object");
    instances.push("Object");
  }
  const parts: string[] = [];
  if (types.length > 0) parts.push(`${types.length > 1 ? "one of type" : "of type"} ${listOf(types)}`);
  if (instances.length > 0) parts.push(`an instance of ${listOf(instances)}`);
  if (other.length > 1) parts.push(`one of ${listOf(other)}`);
  if (other.length === 1) parts.push(other[0].toLowerCase() !== other[0] ? `an ${other[0]}` : other[0]);
  return parts.join(" or ");
}

/** ERR_INVALID_ARG_TYPE. @param expected words for types (`string`), classes (`Buffer`) or anything else */
export function argTypeError(name: string, expected: string | readonly string[], actual: unknown): NodeError {
  const kind = name.includes(".") ? "property" : "argument";
  const wanted = expectation(typeof expected === "string" ? [expected] : expected);
  const message = `The "${name}" ${kind} must be ${wanted}. Received ${describeReceived(actual)}`;
  return nodeError(NodeTypeError, "ERR_INVALID_ARG_TYPE", message, argTypeError);
}

/** ERR_INVALID_ARG_VALUE. */
export function argValueError(
  name: string,
  value: unknown,
  reason = "is invalid",
  Class: ErrorClass = NodeTypeError,
): NodeError {
  let shown = inspect(value);
  if (shown.length > 128) shown = `${shown.slice(0, 128)}...`;
  const kind = name.includes(".") ? "property" : "argument";
  const message = `The ${kind} '${name}' ${reason}. Received ${shown}`;
  return nodeError(Class, "ERR_INVALID_ARG_VALUE", message, argValueError);
}

function withSeparators(digits: string): string {
  const start = digits[0] === "-" ? 1 : 0;
  let end = digits.length;
  let tail = "";
  for (; end >= start + 4; end -= 3) tail = `_${digits.slice(end - 3, end)}${tail}`;
  return digits.slice(0, end) + tail;
}

function receivedNumber(value: unknown): string {
  if (Number.isInteger(value) && Math.abs(value as number) > 2 ** 32) return withSeparators(String(value));
  if (typeof value !== "bigint") return inspect(value);
  const isLong = value > 2n ** 32n || value < -(2n ** 32n);
  return `${isLong ? withSeparators(String(value)) : String(value)}n`;
}

/** ERR_INVALID_ARG_VALUE as a RangeError. */
export function argValueRangeError(name: string, value: unknown, reason: string): NodeError {
  return argValueError(name, value, reason, NodeRangeError);
}

/** ERR_OUT_OF_RANGE. @param range what it must be, e.g. `>= 0 && <= 7` */
export function outOfRangeError(name: string, range: string, value: unknown): NodeError {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${receivedNumber(value)}`;
  return nodeError(NodeRangeError, "ERR_OUT_OF_RANGE", message, outOfRangeError);
}

/** What Node's binding throws for a file descriptor that is none. */
export function fdError(fd: unknown): NodeError {
  if (typeof fd !== "number") {
    const message = `The "fd" argument must be of type number. Received ${describeReceivedNative(fd)}`;
    return bindingError(TypeError, "ERR_INVALID_ARG_TYPE", message, fdError);
  }
  const range = Number.isInteger(fd) ? ">= 0 && <= 2147483647" : "an integer";
  const message = `The value of "fd" is out of range. It must be ${range}. Received ${fd}`;
  return bindingError(RangeError, "ERR_OUT_OF_RANGE", message, fdError);
}

/** What Node's binding throws for the mode of access and copyFile. */
export function bindingModeError(mode: unknown): NodeError {
  if (typeof mode !== "number") {
    return bindingError(TypeError, "ERR_INVALID_ARG_TYPE", "mode must be int32 or null/undefined", bindingModeError);
  }
  const message = Number.isFinite(mode) ? "mode is out of range: >= 0 && <= 7" : "mode is out of range";
  return bindingError(RangeError, "ERR_OUT_OF_RANGE", message, bindingModeError);
}

/** ERR_INVALID_FILE_URL_HOST, in the words it has on Linux. */
export function fileUrlHostError(): NodeError {
  const message = 'File URL host must be "localhost" or empty on linux';
  return plainNodeError(NodeTypeError, "ERR_INVALID_FILE_URL_HOST", message, fileUrlHostError);
}

/** ERR_INVALID_FILE_URL_PATH. @param input the URL, kept on the error */
export function fileUrlPathError(reason: string, input: unknown): NodeError {
  const error = new NodeTypeError() as NodeError & { input: unknown };
  error.code = "ERR_INVALID_FILE_URL_PATH";
  error.input = input;
  defineMessage(error, `File URL path ${reason}`);
  return finish(error, fileUrlPathError);
}

/** ERR_INVALID_URL_SCHEME. */
export function urlSchemeError(): NodeError {
  return plainNodeError(NodeTypeError, "ERR_INVALID_URL_SCHEME", "The URL must be of scheme file", urlSchemeError);
}

/** ERR_UNKNOWN_ENCODING. */
export function unknownEncodingError(encoding: string): NodeError {
  return plainNodeError(NodeTypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${encoding}`, unknownEncodingError);
}

/** ERR_FS_FILE_TOO_LARGE. @param size bytes */
export function fileTooLargeError(size: number): NodeError {
  const message = `File size (${size}) is greater than 2 GiB`;
  return plainNodeError(NodeRangeError, "ERR_FS_FILE_TOO_LARGE", message, fileTooLargeError);
}

/** ERR_DIR_CLOSED. */
export function dirClosedError(): NodeError {
  return plainNodeError(PlainNodeError, "ERR_DIR_CLOSED", "Directory handle was closed", dirClosedError);
}

/** ERR_DIR_CONCURRENT_OPERATION. */
export function dirConcurrentError(): NodeError {
  const message = "Cannot do synchronous work on directory handle with concurrent asynchronous operations";
  return plainNodeError(PlainNodeError, "ERR_DIR_CONCURRENT_OPERATION", message, dirConcurrentError);
}

/** ERR_FS_WATCH_QUEUE_OVERFLOW. @param maxQueue events */
export function watchQueueOverflowError(maxQueue: number): NodeError {
  const message = `fs.watch() queued more than ${maxQueue} events`;
  return plainNodeError(PlainNodeError, "ERR_FS_WATCH_QUEUE_OVERFLOW", message, watchQueueOverflowError);
}

/** ERR_METHOD_NOT_IMPLEMENTED. @param method as callers write it */
export function methodNotImplementedError(method: string): NodeError {
  const message = `The ${method} method is not implemented`;
  return plainNodeError(PlainNodeError, "ERR_METHOD_NOT_IMPLEMENTED", message, methodNotImplementedError);
}

/** ERR_INCOMPATIBLE_OPTION_PAIR. */
export function incompatibleOptionsError(one: string, other: string): NodeError {
  const message = `Option "${one}" cannot be used in combination with option "${other}"`;
  return nodeError(NodeTypeError, "ERR_INCOMPATIBLE_OPTION_PAIR", message, incompatibleOptionsError);
}

/** ERR_INVALID_RETURN_VALUE. @param expected as callers read it @param call what has answered `actual` */
export function returnValueError(expected: string, call: string, actual: object): NodeError {
  const received = `an instance of ${actual.constructor?.name ?? "Object"}`;
  const message = `Expected ${expected} to be returned from the "${call}" function but got ${received}.`;
  return nodeError(NodeTypeError, "ERR_INVALID_RETURN_VALUE", message, returnValueError);
}

/** ERR_INVALID_THIS. */
export function invalidThisError(className: string): NodeError {
  return plainNodeError(
    NodeTypeError,
    "ERR_INVALID_THIS",
    `Value of "this" must be of type ${className}`,
    invalidThisError,
  );
}

/** ERR_MISSING_ARGS for one argument. */
export function missingArgError(name: string): NodeError {
  return nodeError(NodeTypeError, "ERR_MISSING_ARGS", `The "${name}" argument must be specified`, missingArgError);
}

/** ERR_NO_TEMPORAL. */
export function noTemporalError(): NodeError {
  return plainNodeError(
    PlainNodeError,
    "ERR_NO_TEMPORAL",
    "Temporal is not supported in this environment",
    noTemporalError,
  );
}

class AbortError extends Error {}

/**
 * The error of an operation given up because its signal was aborted; `cause` is the signal's reason.
 *
 * @param origin what the operation was called by
 */
export function abortError(signal: Signal, origin: Origin = abortError): NodeError {
  const options = { cause: signal.reason };
  const error = withoutStack(() => new AbortError("The operation was aborted", options)) as AbortError & NodeError;
  error.code = "ABORT_ERR";
  error.name = "AbortError";
  return captureStack(error, origin);
}

/** ERR_INTERNAL_ASSERTION: a method of a FileHandle was called on something else. */
export function notAHandleError(): NodeError {
  const message =
    "handle must be an instance of FileHandle\n" +
    "This is caused by either a bug in Node.js or incorrect usage of Node.js internals.\n" +
    "Please open an issue with this stack trace at https://github.com/nodejs/node/issues\n";
  return plainNodeError(PlainNodeError, "ERR_INTERNAL_ASSERTION", message, notAHandleError);
}

/** ERR_INVALID_STATE: a FileHandle was collected that nobody had closed. */
export function collectedHandleError(fd: number, path: string): NodeError {
  const message =
    "A FileHandle object was closed during garbage collection. This used to be allowed with a deprecation warning but " +
    `is now considered an error. Please close FileHandle objects explicitly. File descriptor: ${fd} (${path})`;
  return plainNodeError(PlainNodeError, "ERR_INVALID_STATE", message, collectedHandleError);
}

/** ERR_STREAM_DESTROYED. @param method what was called on the stream */
export function streamDestroyedError(method: string): NodeError {
  const message = `Cannot call ${method} after a stream was destroyed`;
  return plainNodeError(PlainNodeError, "ERR_STREAM_DESTROYED", message, streamDestroyedError);
}

/** ERR_INVALID_STATE. */
export function invalidStateError(what: string): NodeError {
  return plainNodeError(PlainNodeError, "ERR_INVALID_STATE", `Invalid state: ${what}`, invalidStateError);
}

/** ERR_SYSTEM_ERROR, as a write stream ends by when its writes bring nothing: Node's own words, which say no more. */
export function emptyWritesError(): NodeError {
  const message = "A system error occurred: undefined returned undefined (undefined)";
  const error = plainNodeError(PlainNodeError, "ERR_SYSTEM_ERROR", message, emptyWritesError);
  Object.defineProperty(error, "name", { value: "SystemError", enumerable: false, configurable: true });
  return error;
}

/** ERR_OPERATION_FAILED. */
export function operationFailedError(what: string): NodeError {
  return plainNodeError(PlainNodeError, "ERR_OPERATION_FAILED", `Operation failed: ${what}`, operationFailedError);
}
