/**
 * Argument checks with Node's rules and words. Each throws, synchronously, what Node would; none touches the file
 * system. The common case comes first everywhere: these run on every call.
 *
 * @see Node 26 lib/internal/validators.js, lib/internal/fs/utils.js
 */

import { isEncoding } from "./encoding.ts";
import { argTypeError, argValueError, bindingModeError, fdError, outOfRangeError } from "./errors.ts";
import { fromCaller, type Origin } from "./stacks.ts";

/** A caller's callback: the error or null, then the results. */
export type Callback = (error: Error | null, ...results: unknown[]) => void;

/** Stands for "no callback to check" in the synchronous and promise forms. */
export const NO_CALLBACK: Callback = () => {};

/** Largest read that Node does at once, bytes. */
export const IO_MAX_BYTES = 2 ** 31 - 1;

const MAX_USER_ID = 2 ** 32 - 1;

/** @throws ERR_INVALID_ARG_TYPE for what is no function */
export function checkCallback(callback: unknown, name = "cb"): asserts callback is Callback {
  if (typeof callback !== "function") throw argTypeError(name, "Function", callback);
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE for what is no integer from `min` to `max` */
export function checkInteger(
  value: unknown,
  name: string,
  min = Number.MIN_SAFE_INTEGER,
  max = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (typeof value !== "number") throw argTypeError(name, "number", value);
  if (!Number.isInteger(value)) throw outOfRangeError(name, "an integer", value);
  if (value < min || value > max) throw outOfRangeError(name, `>= ${min} && <= ${max}`, value);
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE for what is no 32-bit integer from `min` up */
export function checkInt32(value: unknown, name: string, min = -2147483648): asserts value is number {
  checkInteger(value, name, min, 2147483647);
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE for what is no unsigned 32-bit integer from `min` up */
export function checkUint32(value: unknown, name: string, min = 0): asserts value is number {
  checkInteger(value, name, min, 4294967295);
}

/** @throws ERR_INVALID_ARG_TYPE */
export function checkBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== "boolean") throw argTypeError(name, "boolean", value);
}

/** @throws ERR_INVALID_ARG_TYPE for null, arrays and what is no object */
export function checkObject(value: unknown, name: string): asserts value is object {
  if (value === null || Array.isArray(value) || typeof value !== "object") throw argTypeError(name, "Object", value);
}

/** @throws ERR_INVALID_ARG_TYPE for arrays and what is neither object nor null */
export function checkObjectOrNull(value: unknown, name: string): asserts value is object | null {
  if (Array.isArray(value) || typeof value !== "object") throw argTypeError(name, "Object", value);
}

/** @throws ERR_INVALID_ARG_VALUE with the list of what is allowed */
export function checkOneOf(value: unknown, name: string, allowed: readonly unknown[]): void {
  if (allowed.includes(value)) return;
  const list = allowed.map((word) => (typeof word === "string" ? `'${word}'` : String(word))).join(", ");
  throw argValueError(name, value, `must be one of: ${list}`);
}

/** @throws ERR_INVALID_ARG_TYPE for what is neither signal nor undefined */
export function checkAbortSignal(signal: unknown, name: string): asserts signal is AbortSignal | undefined {
  if (signal === undefined) return;
  if (signal === null || typeof signal !== "object" || !("aborted" in signal)) {
    throw argTypeError(name, "AbortSignal", signal);
  }
}

/**
 * A descriptor that Node's binding looks at: synchronous forms, and all calls that only take a descriptor.
 *
 * @param form what was called: the stack of the error begins at its caller
 */
export function checkFd(fd: unknown, form?: Origin): number {
  if (typeof fd === "number" && (fd | 0) === fd && fd >= 0) return fd;
  throw fromCaller(fdError(fd), form);
}

/** A descriptor that Node checks in JavaScript: callback forms of read, write and their vectors. */
export function checkFdArgument(fd: unknown): number {
  checkInt32(fd, "fd", 0);
  return fd;
}

/** Whether Node takes the value for a descriptor where a path may stand as well. */
export function isInt32(value: unknown): value is number {
  // Node's own test, with the errors of coercion that it has; text goes first, since turning it into a number is slow.
  return typeof value !== "string" && value === ((value as number) | 0);
}

/** Permission bits: a number, or octal digits. @param fallback used for null and undefined */
export function toFileMode(mode: unknown, name: string, fallback?: number, form?: Origin): number {
  if (typeof mode === "number" && mode === mode >>> 0) return mode;
  return toFileModeFor(form, mode ?? fallback, name);
}

function toFileModeFor(form: Origin | undefined, mode: unknown, name: string): number {
  try {
    return toFileModeSlow(mode, name);
  } catch (error) {
    throw fromCaller(error, form);
  }
}

function toFileModeSlow(mode: unknown, name: string): number {
  if (typeof mode !== "string") {
    checkUint32(mode, name);
    return mode;
  }
  if (!/^[0-7]+$/.test(mode)) throw argValueError(name, mode, "must be a 32-bit unsigned integer or an octal string");
  const value = Number.parseInt(mode, 8);
  checkUint32(value, name);
  return value;
}

/** Mode of access and copyFile: three bits, checked where Node's binding checks them. */
export function toBindingMode(mode: unknown, form?: Origin): number {
  if (mode === undefined || mode === null) return 0;
  if (typeof mode !== "number" || !(mode > -1 && mode < 8)) throw fromCaller(bindingModeError(mode), form);
  return mode | 0;
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE for what is no user or group id; -1 leaves it as it is */
export function checkUserId(id: unknown, name: string): asserts id is number {
  checkInteger(id, name, -1, MAX_USER_ID);
}

/** @throws ERR_INVALID_ARG_TYPE for what is no view of bytes */
export function checkBuffer(buffer: unknown, name = "buffer"): asserts buffer is ArrayBufferView {
  if (!ArrayBuffer.isView(buffer)) throw argTypeError(name, ["Buffer", "TypedArray", "DataView"], buffer);
}

/** @throws ERR_INVALID_ARG_TYPE for what is no text where bytes were tried before */
export function checkString(value: unknown, name: string): asserts value is string {
  if (typeof value !== "string") throw argTypeError(name, ["string", "Buffer", "TypedArray", "DataView"], value);
}

/** @throws ERR_INVALID_ARG_TYPE for what is no array of views */
export function checkBufferArray(buffers: unknown): asserts buffers is ArrayBufferView[] {
  if (!Array.isArray(buffers)) throw argTypeError("buffers", "ArrayBufferView[]", buffers);
  for (let i = 0; i < buffers.length; i++) {
    if (!ArrayBuffer.isView(buffers[i])) throw argTypeError("buffers", "ArrayBufferView[]", buffers);
  }
}

/** @throws ERR_OUT_OF_RANGE for ranges that do not fit into the buffer */
export function checkReadRange(offset: number, length: number, byteLength: number): void {
  if (length < 0) throw outOfRangeError("length", ">= 0", length);
  if (offset + length > byteLength) throw outOfRangeError("length", `<= ${byteLength - offset}`, length);
}

/** @throws ERR_OUT_OF_RANGE for ranges that are not in the buffer */
export function checkWriteRange(offset: number, length: number, byteLength: number): void {
  if (offset > byteLength) throw outOfRangeError("offset", `<= ${byteLength}`, offset);
  if (length > byteLength - offset) throw outOfRangeError("length", `<= ${byteLength - offset}`, length);
  if (length < 0) throw outOfRangeError("length", ">= 0", length);
  checkInt32(length, "length", 0);
}

/** Position of a read: null and undefined stand for the file's own (-1). */
export function toReadPosition(position: unknown, length: number): number {
  if (position === undefined || position === null) return -1;
  if (typeof position === "number") {
    checkInteger(position, "position", -1);
    return position;
  }
  if (typeof position !== "bigint") throw argTypeError("position", ["integer", "bigint"], position);
  const max = 2n ** 63n - 1n - BigInt(length);
  if (!(position >= -1n && position <= max)) throw outOfRangeError("position", `>= -1 && <= ${max}`, position);
  return Number(position);
}

/** Position of a write or of a vector: whatever is no safe integer >= 0 stands for the file's own (-1). */
export function toWritePosition(position: unknown): number {
  return Number.isSafeInteger(position) && (position as number) >= 0 ? (position as number) : -1;
}

/** Odd hex digits are the one thing Node refuses when it encodes text for a write. */
export function checkTextEncoding(text: string, encoding: unknown): void {
  if (typeof encoding !== "string" || encoding.toLowerCase() !== "hex" || text.length % 2 === 0) return;
  throw argValueError("encoding", encoding, `is invalid for data of length ${text.length}`);
}

/** Options that several operations share; each looks at its own. */
export interface CommonOptions {
  encoding?: string | null;
  flag?: unknown;
  mode?: unknown;
  flush?: unknown;
  signal?: AbortSignal;
  [option: string]: unknown;
}

const NO_OPTIONS: CommonOptions = Object.freeze({});

/** Options that may be given as an encoding only. @param defaults used when there are none, or only an encoding */
export function toOptions(options: unknown, defaults: CommonOptions = NO_OPTIONS): CommonOptions {
  if (options === undefined || options === null || typeof options === "function") return defaults;
  if (typeof options === "string") {
    checkEncoding(options);
    return { ...defaults, encoding: options };
  }
  if (typeof options !== "object") throw argTypeError("options", ["string", "Object"], options);
  const given = options as CommonOptions;
  checkEncoding(given.encoding);
  if (given.signal !== undefined) checkAbortSignal(given.signal, "options.signal");
  return given;
}

function checkEncoding(encoding: unknown): void {
  if (!encoding || encoding === "utf8" || encoding === "buffer" || isEncoding(encoding)) return;
  throw argValueError("encoding", encoding, "is invalid encoding");
}

const dateTime = Date.prototype.getTime;

/** Seconds since the epoch, from seconds, digits or a Date; negative numbers mean now. */
export function toUnixSeconds(time: unknown, name = "time"): number {
  // biome-ignore lint/suspicious/noDoubleEquals: Node's own test for text that is a number
  if (typeof time === "string" && +time == (time as unknown)) return +time;
  if (Number.isFinite(time)) return (time as number) < 0 ? Date.now() / 1000 : (time as number);
  const ms = timeOf(time);
  if (ms !== undefined) return ms / 1000;
  throw argTypeError(name, ["Date", "Time in seconds"], time);
}

/** The time of a Date of any realm; undefined for what is none, whatever it says it is. */
function timeOf(value: unknown): number | undefined {
  try {
    return dateTime.call(value as Date);
  } catch {
    return undefined;
  }
}
