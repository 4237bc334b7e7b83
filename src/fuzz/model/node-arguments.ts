/**
 * What Node makes of arguments before it calls the system, for those that programs draw: paths, numbers. The order in which a call
 * looks at them is that of Node 26.
 *
 * @see Node 26 lib/internal/fs/utils.js, lib/internal/validators.js
 */
import { fail } from "./fault.ts";

export type PathArgument = string | Uint8Array;

const MAX_MODE = 2 ** 32 - 1;
const NUL = "\0";
const NO_ASCII = /[\u0080-\uffff]/;

/** A path as bytes, one character of latin1 each: text in UTF-8, where halves of pairs become U+FFFD. */
export function bytesOfPath(path: PathArgument): string {
  if (typeof path === "string" && !NO_ASCII.test(path)) return path;
  return (typeof path === "string" ? Buffer.from(path) : bufferOf(path)).toString("latin1");
}

/** The bytes of a view, whatever it is of. */
export function bytesOfView({ buffer, byteOffset, byteLength }: NodeJS.ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Where in a view a call reads or writes. */
export interface Part {
  readonly offset: number;
  readonly length: number;
  readonly position: number | null | undefined;
}

/** Arguments in their places, or options, which are asked in this order. */
export function partOf(
  view: NodeJS.ArrayBufferView,
  given: number | Partial<Part>,
  length: number,
  position: number | null | undefined,
): Part {
  if (typeof given === "number") return { offset: given, length, position };
  const { offset = 0, length: ofOptions = view.byteLength - offset, position: where = null } = given;
  return { offset, length: ofOptions, position: where };
}

/** @throws ERR_OUT_OF_RANGE where the view, as it is by now, is too short */
export function checkPart({ byteLength }: NodeJS.ArrayBufferView, { offset, length }: Part): void {
  if (offset > byteLength || length > byteLength - offset) fail("ERR_OUT_OF_RANGE");
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** @throws ERR_INVALID_ARG_VALUE for a path with a NUL */
export function toPath(path: PathArgument): string {
  const bytes = bytesOfPath(path);
  return bytes.includes(NUL) ? fail("ERR_INVALID_ARG_VALUE") : bytes;
}

/** Bytes as the text that Node shows: what is no UTF-8 becomes U+FFFD. */
export function textOf(bytes: string): string {
  return NO_ASCII.test(bytes) ? Buffer.from(bytes, "latin1").toString() : bytes;
}

/** @throws ERR_OUT_OF_RANGE for what is no whole number of 32 bits */
export function toMode(mode: number): number {
  return Number.isInteger(mode) && mode >= 0 && mode <= MAX_MODE ? mode : fail("ERR_OUT_OF_RANGE");
}

/** A size to truncate to: negative ones are 0. */
export function toSize(size: number): number {
  return Number.isSafeInteger(size) ? Math.max(0, size) : fail("ERR_OUT_OF_RANGE");
}

/** Where to read: null and -1 are where the file is. @throws ERR_OUT_OF_RANGE below */
export function toReadPosition(position: number | null | undefined, current: number): number {
  if (position === null || position === undefined || position === -1) return current;
  return Number.isSafeInteger(position) && position >= 0 ? position : fail("ERR_OUT_OF_RANGE");
}

/** Where to write, and where vectors are read: whatever is no number of 0 and more is where the file is. */
export function toWritePosition(position: number | null | undefined, current: number): number {
  return Number.isSafeInteger(position) && (position as number) >= 0 ? (position as number) : current;
}

/** Seconds since 1970 as milliseconds; negative ones are now. */
export function toTimeMs(seconds: number): number {
  return seconds < 0 ? Date.now() : seconds * 1000;
}
