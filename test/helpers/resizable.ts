/** Buffers whose memory becomes shorter. */

export interface Resizable extends ArrayBuffer {
  resize(bytes: number): void;
}

/** A buffer that can shrink (ES2024). */
export function resizable(bytes: number): Resizable {
  const options = { maxByteLength: bytes };
  return new (ArrayBuffer as unknown as new (bytes: number, options: object) => Resizable)(bytes, options);
}
