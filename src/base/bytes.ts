/**
 * What counts as bytes: any view of an ArrayBuffer, whatever its class and whatever realm made it (a `vm` context, jest's
 * jsdom, a frame). Told by brands, which neither prototypes nor `Symbol.toStringTag` can feign; `instanceof` knows one
 * realm only.
 */

// The getter answers undefined for what is no typed array, and for a DataView.
const typedArrayName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ?.get as (this: unknown) => string | undefined;

/** Whether `value` is a typed array, a Buffer or a DataView. */
export function isBytes(value: unknown): value is ArrayBufferView {
  return ArrayBuffer.isView(value);
}

/** Whether `value` is a Uint8Array (or a Buffer) of any realm. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return typedArrayName.call(value) === "Uint8Array";
}

/** The same memory as a Uint8Array: the view itself where it is one. */
export function toUint8Array(view: ArrayBufferView): Uint8Array {
  return isUint8Array(view) ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
