/**
 * Text to bytes and back in Node's encodings, and the buffers that results come in: `Buffer` where there is one, plain
 * `Uint8Array` in browsers without.
 */
import { utf8Decoder, utf8Encoder } from "../base/utf8.ts";
import { bytesOf } from "../base/views.ts";
import { unknownEncodingError } from "./errors.ts";
import { builtinModule, NodeBuffer, nodeMajor } from "./platform.ts";

/** Canonical names of Node's encodings. */
export type Encoding = "utf8" | "utf16le" | "latin1" | "ascii" | "hex" | "base64" | "base64url";

interface BufferSlices extends Uint8Array {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
  utf8Write(text: string, offset: number, length: number): number;
  toString(encoding?: string, start?: number, end?: number): string;
}

/** From Node 22 on, the Buffer methods are the fast ones; before, these two are (bench: 16 bytes to 16 KiB). */
const hasFastBuffer = nodeMajor >= 22;
const isAscii = hasFastBuffer
  ? undefined
  : builtinModule<{ isAscii?: (bytes: Uint8Array) => boolean }>("node:buffer")?.isAscii;
/** From this length on a test whether a text is ASCII pays. */
export const MIN_ASCII_TEST_BYTES = 4096;

const bufferMethods = (NodeBuffer as { prototype?: BufferSlices } | undefined)?.prototype;
const utf8Slice = bufferMethods?.utf8Slice;
const utf8Write = hasFastBuffer ? bufferMethods?.utf8Write : undefined;

const { btoa: toBase64, atob: fromBase64 } = globalThis;

const CANONICAL: Record<string, Encoding> = {
  utf8: "utf8",
  "utf-8": "utf8",
  ucs2: "utf16le",
  "ucs-2": "utf16le",
  utf16le: "utf16le",
  "utf-16le": "utf16le",
  latin1: "latin1",
  binary: "latin1",
  ascii: "ascii",
  hex: "hex",
  base64: "base64",
  base64url: "base64url",
};

/** The canonical name of an encoding, whatever its case; undefined for what is none. */
export function canonicalEncoding(encoding: unknown): Encoding | undefined {
  if (typeof encoding !== "string") return undefined;
  const exact = Object.hasOwn(CANONICAL, encoding) ? CANONICAL[encoding] : undefined;
  if (exact !== undefined) return exact;
  const lower = encoding.toLowerCase();
  return Object.hasOwn(CANONICAL, lower) ? CANONICAL[lower] : undefined;
}

/** Whether Node would take it for an encoding. */
export function isEncoding(encoding: unknown): boolean {
  return canonicalEncoding(encoding) !== undefined;
}

/** As Node 26's own pool. Node 20's of 8 KiB makes a new ArrayBuffer for every seventh KiB: 140 ns of a readFile. */
const POOL_BYTES = 65536;
/** Larger ones keep to themselves, as in Node 20: none of them keeps a pool alive. */
const MAX_POOLED_BYTES = 4096;
/**
 * Dead weight of a pool on the JavaScript heap, elements of 8 bytes. V8 collects young objects when they have filled their
 * space, whatever memory hangs on them: with 200 bytes of views to a KiB, 40 MB of dead pools pile up first, and in a
 * small heap that starts a full collection. Heavier pools are collected before: 290 instead of 390 ns for a readFile of
 * 1 KiB on Node 20.
 */
const POOL_WEIGHT = 512;
let pool: ArrayBufferLike[] = [];
let poolUsed = POOL_BYTES;
const FastBuffer = NodeBuffer?.[Symbol.species];

/** New bytes whose contents the caller overwrites in full; small ones share an ArrayBuffer, as Node's do. */
export function allocBytes(size: number): Uint8Array {
  if (NodeBuffer === undefined) return new Uint8Array(size);
  if (FastBuffer === undefined || size === 0 || size > MAX_POOLED_BYTES) return NodeBuffer.allocUnsafe(size);
  if (poolUsed + size > POOL_BYTES) {
    pool = new Array(POOL_WEIGHT);
    pool[0] = NodeBuffer.allocUnsafeSlow(POOL_BYTES).buffer;
    poolUsed = 0;
  }
  const start = poolUsed;
  poolUsed = (start + size + 7) & ~7;
  return new FastBuffer(pool[0] as ArrayBufferLike, start, size);
}

/** New zeroed bytes of their own. */
export function allocZeroed(size: number): Uint8Array {
  return NodeBuffer !== undefined ? NodeBuffer.alloc(size) : new Uint8Array(size);
}

/** The same memory as a Buffer, where there is Buffer. */
export function asBuffer(view: ArrayBufferView): Uint8Array {
  const bytes = bytesOf(view);
  if (NodeBuffer === undefined || NodeBuffer.isBuffer(bytes)) return bytes;
  const { buffer, byteOffset } = bytes.length > 0 ? bytes : view; // memory that has gone is refused, as by Node
  return NodeBuffer.from(buffer, byteOffset, bytes.length);
}

/** A copy of bytes that a caller may keep. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  const copy = allocBytes(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Several pieces as one. @param size sum of their lengths */
export function concatBytes(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const whole = allocBytes(size);
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}

/** Whether an encoding is UTF-8 by the two names that Node has fast ways for. */
export function saysUtf8(encoding: unknown): boolean {
  return encoding === "utf8" || encoding === "utf-8";
}

/** Bytes as UTF-8 text; what is no UTF-8 becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (utf8Slice === undefined) return utf8Decoder.decode(isShared(bytes) ? bytes.slice() : bytes);
  const { length } = bytes;
  // Fast path: same result.
  if (length >= MIN_ASCII_TEST_BYTES && isAscii?.(bytes)) {
    return (bufferMethods as BufferSlices).latin1Slice.call(bytes, 0, length);
  }
  return utf8Slice.call(bytes, 0, length);
}

/** TextDecoder refuses shared memory in browsers, so such bytes are copied first. */
function isShared(bytes: Uint8Array): boolean {
  return Object.prototype.toString.call(bytes.buffer) === "[object SharedArrayBuffer]";
}

/** A text as its UTF-8 bytes read: lone surrogates become U+FFFD. */
export function toWellFormed(text: string): string {
  const wellFormed = text as string & { toWellFormed?(): string };
  return wellFormed.toWellFormed?.() ?? decodeUtf8(encodeUtf8(text));
}

/** UTF-8 bytes of a text, as a Buffer where there is Buffer. */
export function encodeUtf8(text: string): Uint8Array {
  return NodeBuffer !== undefined ? NodeBuffer.from(text, "utf8") : utf8Encoder.encode(text);
}

/**
 * Writes a text as UTF-8 to the start of `target`, which must have room for three bytes a character.
 * @returns bytes written
 */
export function encodeUtf8Into(text: string, target: Uint8Array): number {
  if (utf8Write !== undefined) return utf8Write.call(target, text, 0, target.length);
  return utf8Encoder.encodeInto(text, target).written;
}

/** @throws ERR_UNKNOWN_ENCODING for `buffer`, which only names can have */
export function checkContentEncoding(encoding: string | null | undefined): void {
  if (encoding) contentEncoding(encoding);
}

/** The name of an encoding for contents. @throws ERR_UNKNOWN_ENCODING */
function contentEncoding(encoding: string): Encoding {
  if (encoding === "buffer") throw unknownEncodingError(encoding);
  return canonicalEncoding(encoding) ?? "utf8";
}

/**
 * Bytes as text in one of Node's encodings.
 *
 * @param encoding any spelling of a valid encoding; none is looked at where there is nothing to decode
 */
export function decodeBytes(bytes: Uint8Array, encoding: string): string {
  if (bytes.length === 0) return "";
  const name = contentEncoding(encoding);
  if (name === "utf8") return decodeUtf8(bytes);
  if (NodeBuffer !== undefined) return (asBuffer(bytes) as BufferSlices).toString(name);
  return decodePlain(bytes, name);
}

/** A text as bytes in one of Node's encodings. */
export function encodeText(text: string, encoding: string): Uint8Array {
  const name = contentEncoding(encoding);
  if (NodeBuffer !== undefined) return NodeBuffer.from(text, name);
  return name === "utf8" ? utf8Encoder.encode(text) : encodePlain(text, name);
}

/** Unit by unit: TextDecoder would replace lone surrogates, which Buffer keeps. */
function decodeUtf16(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i + 1 < bytes.length; i += 2) text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
  return text;
}

function decodePlain(bytes: Uint8Array, encoding: Encoding): string {
  if (encoding === "hex") return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (encoding === "utf16le") return decodeUtf16(bytes);
  const mask = encoding === "ascii" ? 0x7f : 0xff;
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i] & mask);
  if (encoding === "base64") return toBase64(text);
  if (encoding === "base64url") return toBase64(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return text;
}

function encodePlain(text: string, encoding: Encoding): Uint8Array {
  if (encoding === "hex") {
    const pairs = /^(?:[0-9a-fA-F]{2})*/.exec(text)?.[0] ?? "";
    return Uint8Array.from(pairs.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  }
  if (encoding === "utf16le") {
    const bytes = new Uint8Array(text.length * 2);
    const words = new DataView(bytes.buffer);
    for (let i = 0; i < text.length; i++) words.setUint16(i * 2, text.charCodeAt(i), true);
    return bytes;
  }
  const isBase64 = encoding === "base64" || encoding === "base64url";
  const raw = isBase64 ? decodeBase64(text) : text;
  return Uint8Array.from(raw, (char) => char.charCodeAt(0) & 0xff);
}

/** As Node: both alphabets, padding and stray characters are passed over. */
function decodeBase64(text: string): string {
  const digits = text
    .replaceAll("-", "+")
    .replaceAll("_", "/")
    .split("=")[0]
    .replace(/[^A-Za-z0-9+/]/g, "");
  return fromBase64(digits.length % 4 === 1 ? digits.slice(0, -1) : digits);
}
