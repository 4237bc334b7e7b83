/**
 * Headers of 512 bytes: the fields of a ustar header, which GNU's old form and that of Unix V7 have at the same places.
 *
 *   0 name 100   100 mode 8   108 uid 8   116 gid 8   124 size 12   136 mtime 12   148 checksum 8   156 type
 *   157 linkname 100   257 magic 6   263 version 2   265 uname 32   297 gname 32   329 devmajor 8   337 devminor 8   345 prefix 155
 *
 * Numbers are octal digits; GNU writes what does not fit in them as binary, with the highest bit of the first byte set.
 *
 * Does not own: records of extended headers (pax.ts).
 */
import { latin1Of } from "../../base/latin1.ts";
import { TarError } from "./entry.ts";

export const BLOCK_BYTES = 512;
/** Longest name and link that stand in a header. */
export const NAME_BYTES = 100;
/** Fields of numbers: where, and how long. */
const MODE = [100, 8] as const;
const UID = [108, 8] as const;
const GID = [116, 8] as const;
const SIZE = [124, 12] as const;
const MTIME = [136, 12] as const;
const CHECKSUM = [148, 8] as const;
const MAJOR = [329, 8] as const;
const MINOR = [337, 8] as const;
export const TYPE_AT = 156;
const LINK_AT = 157;
const MAGIC_AT = 257;
const PREFIX_AT = 345;
const PREFIX_BYTES = 155;
const MAGIC = "ustar\0";
const MAGIC_AND_VERSION = `${MAGIC}00`;
const SPACE = 0x20;

/** What is in a header. */
export interface Header {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of data behind it. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** One character. */
  readonly type: string;
  readonly link: string;
  readonly major: number;
  readonly minor: number;
}

export function padded(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

// --- Reading ------------------------------------------------------------------------------------------------------------

/** A field of text: up to its first NUL. */
export function textAt(block: Uint8Array, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return latin1Of(end < 0 ? field : field.subarray(0, end));
}

function binaryOf(field: Uint8Array): number {
  const isNegative = field[0] === 0xff;
  let value = isNegative ? -1 : field[0] & 0x7f;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  return value;
}

/** A field of a number: octal digits between spaces, nothing, or GNU's binary. @throws TarError */
export function numberAt(block: Uint8Array, [at, length]: readonly [number, number], what: string): number {
  const field = block.subarray(at, at + length);
  const value = field[0] & 0x80 ? binaryOf(field) : octalOf(textAt(block, at, length).trim());
  if (!Number.isSafeInteger(value)) throw new TarError(`the tar has a header whose ${what} is no number`);
  return value;
}

function octalOf(digits: string): number {
  if (digits === "") return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** Sums of all bytes, the checksum itself as spaces: old programs took bytes for signed. */
function sumsOf(block: Uint8Array): readonly [unsigned: number, signed: number] {
  const [start, length] = CHECKSUM;
  let sum = length * SPACE;
  let high = 0;
  for (let i = 0; i < BLOCK_BYTES; i++) {
    if (i >= start && i < start + length) continue;
    sum += block[i];
    if (block[i] & 0x80) high++;
  }
  return [sum, sum - high * 256];
}

/** @param at where it is in the archive, for errors @throws TarError when the checksum is wrong, or a number is none */
export function readHeader(block: Uint8Array, at: number): Header {
  if (!sumsOf(block).includes(numberAt(block, CHECKSUM, "checksum")))
    throw new TarError(`the tar has a wrong checksum at byte ${at}`);
  const name = textAt(block, 0, NAME_BYTES);
  const hasPrefix = textAt(block, MAGIC_AT, MAGIC.length) === "ustar"; // GNU's old form has other things there
  const prefix = hasPrefix ? textAt(block, PREFIX_AT, PREFIX_BYTES) : "";
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: numberAt(block, MODE, "mode"),
    uid: numberAt(block, UID, "uid"),
    gid: numberAt(block, GID, "gid"),
    size: numberAt(block, SIZE, "size"),
    mtime: numberAt(block, MTIME, "mtime"),
    type: String.fromCharCode(block[TYPE_AT]),
    link: textAt(block, LINK_AT, NAME_BYTES),
    major: numberAt(block, MAJOR, "device"),
    minor: numberAt(block, MINOR, "device"),
  };
}

// --- Writing ------------------------------------------------------------------------------------------------------------

/** Does a number fit in its field? Times do not where they are before 1970. */
export function fits(value: number, field: "id" | "time"): boolean {
  const digits = (field === "id" ? UID : MTIME)[1] - 1;
  return value >= 0 && value < 8 ** digits;
}

function putText(block: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) block[at + i] = text.charCodeAt(i);
}

function putNumber(block: Uint8Array, [at, length]: readonly [number, number], value: number): void {
  putText(block, at, value.toString(8).padStart(length - 1, "0"));
}

/** Precondition: all that is in it fits. */
export function writeHeader(header: Header): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  putText(block, 0, header.name);
  putNumber(block, MODE, header.mode);
  putNumber(block, UID, header.uid);
  putNumber(block, GID, header.gid);
  putNumber(block, SIZE, header.size);
  putNumber(block, MTIME, header.mtime);
  putText(block, TYPE_AT, header.type);
  putText(block, LINK_AT, header.link);
  putText(block, MAGIC_AT, MAGIC_AND_VERSION);
  putNumber(block, MAJOR, header.major);
  putNumber(block, MINOR, header.minor);
  const [at] = CHECKSUM;
  putText(block, at, `${sumsOf(block)[0].toString(8).padStart(6, "0")}\0 `);
  return block;
}
