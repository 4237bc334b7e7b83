/**
 * zlib's form of data (RFC 1950), for binary patches: of Node where there is one; else it is written without compression, and read by the
 * decoder here.
 */

/** What Node has of it. */
interface NodeZlib {
  deflateSync(bytes: Uint8Array): Uint8Array;
}

const MAX_STORED = 0xffff;
const ADLER_BASE = 65521;

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % ADLER_BASE;
    b = (b + a) % ADLER_BASE;
  }
  return b * 65536 + a;
}

/** Writes blocks that are stored as they are. */
export function store(bytes: Uint8Array): Uint8Array {
  const nrBlocks = Math.max(1, Math.ceil(bytes.length / MAX_STORED));
  const out = new Uint8Array(2 + nrBlocks * 5 + bytes.length + 4);
  const view = new DataView(out.buffer);
  view.setUint16(0, 0x7801);
  let at = 2;
  for (let block = 0; block < nrBlocks; block++) {
    const piece = bytes.subarray(block * MAX_STORED, (block + 1) * MAX_STORED);
    out[at] = block === nrBlocks - 1 ? 1 : 0;
    view.setUint16(at + 1, piece.length, true);
    view.setUint16(at + 3, ~piece.length & 0xffff, true);
    out.set(piece, at + 5);
    at += 5 + piece.length;
  }
  view.setUint32(at, adler32(bytes));
  return out;
}

/** Compresses, where there is somebody who does. */
export function deflate(bytes: Uint8Array, zlib: NodeZlib | undefined): Uint8Array {
  return zlib === undefined ? store(bytes) : zlib.deflateSync(bytes);
}

// --- Reading (RFC 1951) -------------------------------------------------------------------------------------------------

const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163,
];
LENGTH_BASE.push(195, 227, 258);
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const MAX_BITS = 15;

/** Bits of a distance code beyond its first, and its least distance. */
function distanceOf(code: number): [base: number, bits: number] {
  if (code < 4) return [code + 1, 0];
  const bits = (code >>> 1) - 1;
  return [((2 + (code & 1)) << bits) + 1, bits];
}

/** A prefix code: how many symbols there are of each length, and the symbols in order. */
class Code {
  readonly #counts = new Uint16Array(MAX_BITS + 1);
  readonly #symbols: Uint16Array;

  constructor(lengths: ArrayLike<number>) {
    this.#symbols = new Uint16Array(lengths.length);
    for (let i = 0; i < lengths.length; i++) this.#counts[lengths[i]]++;
    this.#counts[0] = 0;
    const next = new Uint16Array(MAX_BITS + 2);
    for (let bits = 1; bits <= MAX_BITS; bits++) next[bits + 1] = next[bits] + this.#counts[bits];
    for (let symbol = 0; symbol < lengths.length; symbol++)
      if (lengths[symbol] !== 0) this.#symbols[next[lengths[symbol]]++] = symbol;
  }

  /** @throws RangeError for bits that are no code */
  read(input: Inflater): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let bits = 1; bits <= MAX_BITS; bits++) {
      code |= input.bits(1);
      const count = this.#counts[bits];
      if (code - count < first) return this.#symbols[index + code - first];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new RangeError("no code");
  }
}

class Inflater {
  readonly #input: Uint8Array;
  readonly #output: Uint8Array;
  #at = 2;
  #written = 0;
  #buffer = 0;
  #nrBits = 0;

  constructor(input: Uint8Array, length: number) {
    this.#input = input;
    this.#output = new Uint8Array(length);
  }

  bits(nr: number): number {
    while (this.#nrBits < nr) {
      if (this.#at >= this.#input.length) throw new RangeError("too short");
      this.#buffer |= this.#input[this.#at++] << this.#nrBits;
      this.#nrBits += 8;
    }
    const value = this.#buffer & ((1 << nr) - 1);
    this.#buffer >>>= nr;
    this.#nrBits -= nr;
    return value;
  }

  run(): Uint8Array {
    let isLast = 0;
    while (!isLast) {
      isLast = this.bits(1);
      const type = this.bits(2);
      if (type === 0) this.#stored();
      else if (type === 1) this.#coded(FIXED_LENGTHS, FIXED_DISTANCES);
      else if (type === 2) this.#coded(...this.#codes());
      else throw new RangeError("no block");
    }
    this.#nrBits = 0;
    const view = new DataView(this.#input.buffer, this.#input.byteOffset, this.#input.length);
    if (this.#written !== this.#output.length || view.getUint32(this.#at) !== adler32(this.#output))
      throw new RangeError("other data");
    return this.#output;
  }

  #put(byte: number): void {
    if (this.#written === this.#output.length) throw new RangeError("too long");
    this.#output[this.#written++] = byte;
  }

  #stored(): void {
    this.#buffer = this.#nrBits = 0;
    const length = this.bits(16);
    if ((this.bits(16) ^ length) !== 0xffff) throw new RangeError("no length");
    for (let i = 0; i < length; i++) this.#put(this.bits(8));
  }

  #codes(): [Code, Code] {
    const nrLengths = this.bits(5) + 257;
    const nrDistances = this.bits(5) + 1;
    const nrCodes = this.bits(4) + 4;
    const codeLengths = new Uint8Array(19);
    for (let i = 0; i < nrCodes; i++) codeLengths[CODE_ORDER[i]] = this.bits(3);
    const lengths = this.#lengths(new Code(codeLengths), nrLengths + nrDistances);
    return [new Code(lengths.subarray(0, nrLengths)), new Code(lengths.subarray(nrLengths))];
  }

  #lengths(code: Code, nr: number): Uint8Array {
    const lengths = new Uint8Array(nr);
    for (let i = 0; i < nr; ) {
      const symbol = code.read(this);
      if (symbol < 16) lengths[i++] = symbol;
      else {
        const value = symbol === 16 ? lengths[i - 1] : 0;
        const times = symbol === 16 ? 3 + this.bits(2) : symbol === 17 ? 3 + this.bits(3) : 11 + this.bits(7);
        if (i + times > nr) throw new RangeError("too many lengths");
        lengths.fill(value, i, i + times);
        i += times;
      }
    }
    return lengths;
  }

  #coded(lengths: Code, distances: Code): void {
    for (let symbol = lengths.read(this); symbol !== 256; symbol = lengths.read(this)) {
      if (symbol < 256) this.#put(symbol);
      else this.#copy(symbol - 257, distances);
    }
  }

  #copy(code: number, distances: Code): void {
    if (code >= LENGTH_BASE.length) throw new RangeError("no length");
    const length = LENGTH_BASE[code] + this.bits(LENGTH_BITS[code]);
    const symbol = distances.read(this);
    const [base, bits] = distanceOf(symbol);
    const distance = base + this.bits(bits);
    if (symbol > 29 || distance > this.#written) throw new RangeError("too far");
    for (let i = 0; i < length; i++) this.#put(this.#output[this.#written - distance]);
  }
}

function fixedLengths(): Uint8Array {
  return new Uint8Array(288).fill(8).fill(9, 144, 256).fill(7, 256, 280);
}

const FIXED_LENGTHS = new Code(fixedLengths());
const FIXED_DISTANCES = new Code(new Uint8Array(30).fill(5));

/** @param length of the data @returns undefined for bytes that are not that */
export function inflate(bytes: Uint8Array, length: number): Uint8Array | undefined {
  try {
    return new Inflater(bytes, length).run();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
