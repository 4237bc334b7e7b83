/**
 * Memory that data calls read into and write from, in the forms that node:fs takes: whatever a view is of, a call does the same.
 *
 * Before and behind each view lies memory that is none of its own.
 */

/** Sets it apart from what calls write: bytesFor() has no 0, files have holes. */
const OUTSIDE = 0xee;
/** Bytes before the view, and behind it: whole elements of all types. */
const MARGIN_BYTES = 16;

/** Nobody but its owner is to call its methods: Node does not. */
class OwnBytes extends Uint8Array<ArrayBufferLike> {
  static get [Symbol.species](): never {
    throw new Error("somebody asks what a part of the caller's memory is to be");
  }
  override subarray(): never {
    throw new Error("somebody takes parts of the caller's memory by its own method");
  }
  override set(): never {
    throw new Error("somebody writes to the caller's memory by its own method");
  }
  override slice(): never {
    throw new Error("somebody copies the caller's memory by its own method");
  }
}

/** As Node has them since version 20, and the library of types that we compile with has not. */
interface ResizableBuffer extends ArrayBuffer {
  readonly resizable: boolean;
  resize(byteLength: number): void;
}
const ResizableBuffer = ArrayBuffer as unknown as new (
  byteLength: number,
  options: { maxByteLength: number },
) => ResizableBuffer;

type Make = (length: number) => NodeJS.ArrayBufferView;

function memory(length: number): ArrayBuffer {
  return new ArrayBuffer(length + 2 * MARGIN_BYTES);
}

function resizable(length: number): ArrayBuffer {
  return new ResizableBuffer(MARGIN_BYTES + length, { maxByteLength: 2 * (MARGIN_BYTES + length) });
}

/** Views by their number; 0 is what everybody gives. */
const MAKES: readonly Make[] = [
  (length) => Buffer.alloc(length),
  (length) => Buffer.from(memory(length), MARGIN_BYTES, length),
  (length) => new Uint8Array(memory(length), MARGIN_BYTES, length),
  (length) => new OwnBytes(memory(length), MARGIN_BYTES, length),
  (length) => new Uint8Array(new SharedArrayBuffer(length + 2 * MARGIN_BYTES), MARGIN_BYTES, length),
  (length) => new DataView(memory(length), MARGIN_BYTES, length),
  (length) =>
    length % 2 === 0
      ? new Uint16Array(memory(length), MARGIN_BYTES, length / 2)
      : new Int8Array(memory(length), MARGIN_BYTES, length),
  (length) => new Uint8Array(resizable(length), MARGIN_BYTES), // as long as its memory is
  (length) => new DataView(resizable(length), MARGIN_BYTES),
];
export const NR_VIEWS = MAKES.length;

/** @param kind below NR_VIEWS; undefined is 0 */
export function makeView(kind: number | undefined, length: number): NodeJS.ArrayBufferView {
  const view = MAKES[kind ?? 0](length);
  if (kind) {
    allOf(view).fill(OUTSIDE);
    bytesOf(view).fill(0);
  }
  return view;
}

/** As makeView(), with these bytes. */
export function viewWith(kind: number | undefined, bytes: Uint8Array): NodeJS.ArrayBufferView {
  if (!kind) return bytes;
  const view = makeView(kind, bytes.length);
  bytesOf(view).set(bytes);
  return view;
}

/** The bytes of a view. */
export function bytesOf({ buffer, byteOffset, byteLength }: NodeJS.ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function allOf({ buffer }: NodeJS.ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer);
}

/** Makes it shorter, where it can be. */
export function shrinkView({ buffer, byteLength }: NodeJS.ArrayBufferView): void {
  const { resizable, resize } = buffer as ResizableBuffer;
  if (resizable) resize.call(buffer, MARGIN_BYTES + (byteLength >> 1));
}

/** Says so where memory has been written to that is none of the view's. */
export function outsideOf(view: NodeJS.ArrayBufferView, kind: number | undefined): string {
  if (!kind) return "";
  const { byteOffset, byteLength } = view;
  const margins = [allOf(view).subarray(0, byteOffset), allOf(view).subarray(byteOffset + byteLength)];
  const isAsBefore = margins.every((margin) => margin.every((byte) => byte === OUTSIDE));
  return isAsBefore ? "" : " and outside of the view";
}
