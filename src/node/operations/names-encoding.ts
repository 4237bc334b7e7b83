/**
 * Names and paths given to callers in the encoding they asked for.
 */
import { copyBytes, decodeBytes, decodeUtf8, saysUtf8 } from "../encoding.ts";

/** `buffer`, an encoding of Node, or nothing for UTF-8. */
export type NameEncoding = string | null | undefined;

/** Whether the caller wants plain text, which listings have ready. */
export function isUtf8(encoding: NameEncoding): boolean {
  return !encoding || saysUtf8(encoding);
}

/** @param bytes may be a view that the next call overwrites: nothing of it is kept */
export function encodeName(bytes: Uint8Array, encoding: NameEncoding): string | Uint8Array {
  if (isUtf8(encoding)) return decodeUtf8(bytes);
  return encoding === "buffer" ? copyBytes(bytes) : decodeBytes(bytes, encoding as string);
}
