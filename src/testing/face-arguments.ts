/** Arguments of reads and writes that are to move less, and what they have moved, in all forms that node:fs takes. */
import { encodeText } from "../node/encoding.ts";

/** Views of the first `most` bytes of several buffers. */
function firstOf(buffers: readonly ArrayBufferView[], most: number): ArrayBufferView[] {
  const kept: ArrayBufferView[] = [];
  let left = most;
  for (const view of buffers) {
    if (left <= 0) break;
    const length = Math.min(left, view.byteLength);
    kept.push(length === view.byteLength ? view : new Uint8Array(view.buffer, view.byteOffset, length));
    left -= length;
  }
  return kept;
}

/** Arguments of a read or write of a buffer, from the buffer on. */
function cutTransfer([buffer, offset, length, position]: readonly unknown[], most: number): unknown[] {
  if (typeof buffer === "string") {
    const bytes = encodeText(buffer, (length as string) || "utf8"); // (text, position, encoding)
    return [bytes, 0, most, (offset as number | undefined) ?? null];
  }
  if (!ArrayBuffer.isView(buffer)) return [{ ...(buffer as object), length: most }];
  if (typeof offset === "object" && offset !== null) return [buffer, { ...offset, length: most }];
  return [buffer, offset ?? 0, most, position ?? null];
}

/**
 * Arguments of a method that is to move at most so many bytes.
 *
 * @param name of the method, without Sync @param args without a callback @param most Infinity = as they are
 */
export function cutArguments(name: string, args: readonly unknown[], most: number): readonly unknown[] {
  if (most === Infinity) return args;
  const [fd, ...rest] = args;
  if (name === "read" || name === "write") return [fd, ...cutTransfer(rest, most)];
  if (name === "readv" || name === "writev") return [fd, firstOf(rest[0] as ArrayBufferView[], most), ...rest.slice(1)];
  return args;
}

/** Bytes that a read or write tells of, or the descriptor of an open; 0 for all else. */
export function resultBytes(result: unknown): number {
  if (typeof result === "number") return result;
  const { bytesRead, bytesWritten } = (result ?? {}) as { bytesRead?: unknown; bytesWritten?: unknown };
  const bytes = bytesRead ?? bytesWritten;
  return typeof bytes === "number" ? bytes : 0;
}
