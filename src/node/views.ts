/**
 * Views as arguments: Node believes what they say of their length. Where one says that it is shorter than it is, Node's
 * answer is ours; where it says that it is longer, Node ends the process, and here it is as long as it is.
 */
import { bytesOf, partOf } from "../base/views.ts";

/** Bytes that count of a view. */
export function sizeOf(view: ArrayBufferView): number {
  return leastOf(view, bytesOf(view));
}

/** Bytes that count of a view whose bytes are `bytes`. */
export function leastOf(view: ArrayBufferView, bytes: Uint8Array): number {
  const { byteLength } = view;
  return byteLength < bytes.length ? byteLength : bytes.length;
}

/** The bytes that count of a view that is taken whole. */
export function wholeBytes(view: ArrayBufferView): Uint8Array {
  const bytes = bytesOf(view);
  const size = leastOf(view, bytes);
  return size === bytes.length ? bytes : partOf(bytes, 0, Math.max(0, size));
}
