/**
 * What a view really is. Its properties may say anything: a subclass can answer what it likes for `byteLength` or `set`,
 * and memory that was resized or transferred has fewer bytes than it had when somebody asked. The getters and methods of
 * the language's own prototypes see through that, and know views of every realm (a `vm` context, jest's jsdom, a frame),
 * where `instanceof` knows one.
 *
 * Does not own: what Node makes of a view that says it is shorter than it is (node/views.ts).
 */

type Getter<T> = (this: unknown) => T;

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;

function getter<T>(prototype: object, name: PropertyKey): Getter<T> {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get as Getter<T>;
}

const nameOf = getter<string | undefined>(typedArray, Symbol.toStringTag);
const lengthGetter = getter<number>(typedArray, "byteLength");
const offsetGetter = getter<number>(typedArray, "byteOffset");
const bufferGetter = getter<ArrayBuffer>(typedArray, "buffer");
const dataViewLength = getter<number>(DataView.prototype, "byteLength");
const dataViewOffset = getter<number>(DataView.prototype, "byteOffset");
const dataViewBuffer = getter<ArrayBuffer>(DataView.prototype, "buffer");
const { set, fill } = typedArray;

/** Whether a value is a typed array, a Buffer or a DataView, of any realm. */
export function isBytes(value: unknown): value is ArrayBufferView {
  return ArrayBuffer.isView(value);
}

/** Whether a value is a Uint8Array, of any realm. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return nameOf.call(value) === "Uint8Array";
}

/**
 * Whether a Uint8Array has `length` bytes, at least 1. No property says what an element does: there is one, or there is
 * none. Of all ways to find out this one alone costs next to nothing beside a read or write of 16 B.
 */
export function hasBytes(bytes: Uint8Array, length: number): boolean {
  return bytes[length - 1] !== undefined;
}

/** Bytes that a typed array has at present; 0 when its memory has gone. */
export function byteLengthOf(bytes: Uint8Array): number {
  return lengthGetter.call(bytes);
}

/** A part of a typed array, which has it. */
export function partOf(bytes: Uint8Array, start: number, length: number): Uint8Array {
  return new Uint8Array(bufferGetter.call(bytes), offsetGetter.call(bytes) + start, length);
}

/** Copies all of `source` to `target[at...]`, which has room for it. */
export function setBytes(target: Uint8Array, source: Uint8Array, at: number): void {
  set.call(target, source, at);
}

/** Overwrites a range with zeros. */
export function zeroBytes(target: Uint8Array, start: number, end: number): void {
  fill.call(target, 0, start, end);
}

/** The bytes of any view at present, in an array whose `length` is true: the view itself where it is such a one. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return view instanceof Uint8Array && isAsLong(view, view.length) ? view : bytesOfOther(view);
}

function isAsLong(bytes: Uint8Array, length: number): boolean {
  return bytes[length] === undefined && bytes[length - 1] !== undefined;
}

function bytesOfOther(view: ArrayBufferView): Uint8Array {
  const name = nameOf.call(view);
  if (name === undefined) return bytesOfDataView(view);
  const length = lengthGetter.call(view);
  if (name === "Uint8Array" && (view as Uint8Array).length === length) return view as Uint8Array;
  return length === 0 ? new Uint8Array(0) : partOf(view as Uint8Array, 0, length);
}

function bytesOfDataView(view: ArrayBufferView): Uint8Array {
  try {
    return new Uint8Array(dataViewBuffer.call(view), dataViewOffset.call(view), dataViewLength.call(view));
  } catch {
    return new Uint8Array(0); // its memory has gone
  }
}
