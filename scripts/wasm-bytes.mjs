/** Reading and writing the binary format of WebAssembly. */

/** Bytes before the first section: magic number and version. */
export const PREAMBLE_BYTES = 8;

/** Reads LEB128 numbers and slices from bytes, one after the other. */
export class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.pos = 0;
  }
  byte() {
    return this.bytes[this.pos++];
  }
  /** Unsigned LEB128; also right for a non-negative signed one. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  slice(length) {
    this.pos += length;
    return this.bytes.subarray(this.pos - length, this.pos);
  }
  /** The bytes of the next `count` LEB128 numbers, signed or not. */
  numbers(count) {
    const start = this.pos;
    for (let left = count; left > 0; left--) this.number();
    return this.bytes.subarray(start, this.pos);
  }
}

/** A number as unsigned LEB128. */
export function leb(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}
