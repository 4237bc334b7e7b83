/**
 * Paths as they are found: text where they are UTF-8, else bytes. What is computed with bytes is computed with one character
 * for each: `/` and `.` are what they are in either.
 */

import type { Path } from "../../vfs/syscalls.ts";
import { copyBytes, decodeUtf8, encodeUtf8 } from "../encoding.ts";

const REPLACEMENT = "\ufffd";

/** @param bytes copied, unless they are text */
export function toRawPath(bytes: Uint8Array): Path {
  const text = decodeUtf8(bytes);
  if (!text.includes(REPLACEMENT)) return text;
  const encoded = encodeUtf8(text);
  return encoded.length === bytes.length && encoded.every((byte, i) => byte === bytes[i]) ? text : copyBytes(bytes);
}

/** As filters and errors see it. */
export function shownPath(path: Path): string {
  return typeof path === "string" ? path : decodeUtf8(path);
}

function toCharacters(path: Path): string {
  return String.fromCharCode(...(typeof path === "string" ? encodeUtf8(path) : path));
}

/** Paths that `compute` can be given all at once: text, or one character for each byte. */
export function alike(...paths: readonly Path[]): string[] {
  return paths.every((path) => typeof path === "string") ? [...paths] : paths.map(toCharacters);
}

/** A path made of others. */
export function pathFrom(compute: (...paths: string[]) => string, ...paths: readonly Path[]): Path {
  const made = compute(...alike(...paths));
  if (paths.every((path) => typeof path === "string")) return made;
  return toRawPath(Uint8Array.from(made, (character) => character.charCodeAt(0)));
}
