/**
 * Paths on their way into linear memory: a string or bytes, written to one of the slot's two path buffers.
 *
 * Does not own: what a path may be for users (NUL, encodings: node/), what it means (assembly/fs/namei.ts).
 */

import { ENAMETOOLONG } from "../base/errno.ts";
import { utf8Decoder, utf8Encoder } from "../base/utf8.ts";
import { byteLengthOf } from "../base/views.ts";
import { type BufferLike, type Core, PATH_A } from "./core.ts";
import { PATH_MAX } from "./layout.ts";

/** Up to this many characters a loop over them beats the platform's encoders (bench/micro/path-encode.ts). */
const LOOP_CHARS = 12;

/**
 * Writes a path, without a terminator.
 *
 * @param at PATH_A or PATH_B
 * @returns its length in bytes; -ENAMETOOLONG when it has PATH_MAX bytes or more
 */
export function putPath(core: Core, path: string | Uint8Array, at: number): number {
  if (typeof path !== "string") return putBytes(core, path, at);
  const { length } = path;
  if (length > LOOP_CHARS) return putEncoded(core, path, at);
  const { u8 } = core;
  for (let i = 0; i < length; i++) {
    const code = path.charCodeAt(i);
    if (code > 127) return putEncoded(core, path, at);
    u8[at + i] = code;
  }
  return length;
}

/** utf8Write() is a fast call from Node 22 on; before, and in browsers, encodeInto() is the faster one. */
function putEncoded(core: Core, path: string, at: number): number {
  if (path.length * 3 >= PATH_MAX) return putLong(core, path, at);
  if (core.hasFastBuffer) return (core.buffer as BufferLike).utf8Write(path, at, PATH_MAX);
  if (core.shared) return putLong(core, path, at);
  return utf8Encoder.encodeInto(path, at === PATH_A ? core.pathA : core.pathB).written;
}

/** A path that may not fit, or one for memory that encoders refuse to write to. */
function putLong(core: Core, path: string, at: number): number {
  if (path.length >= PATH_MAX) return -ENAMETOOLONG;
  return putBytes(core, utf8Encoder.encode(path), at);
}

function putBytes(core: Core, path: Uint8Array, at: number): number {
  const length = byteLengthOf(path);
  if (length >= PATH_MAX) return -ENAMETOOLONG;
  if (length > 0) core.u8.set(path, at);
  return length;
}

/** Decodes UTF-8 bytes of linear memory (lossy, as Node does). */
export function decodeUtf8(core: Core, address: number, length: number): string {
  if (core.buffer !== undefined) return core.buffer.utf8Slice(address, address + length);
  // Browsers refuse to decode views of shared memory.
  const bytes = core.u8.subarray(address, address + length);
  return utf8Decoder.decode(core.shared ? bytes.slice() : bytes);
}

/** Decodes bytes that are known to be ASCII. */
export function decodeAscii(core: Core, address: number, length: number): string {
  if (core.buffer !== undefined) return core.buffer.latin1Slice(address, address + length);
  return decodeUtf8(core, address, length);
}
