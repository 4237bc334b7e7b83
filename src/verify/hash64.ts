/**
 * The core's hashes of names and numbers, which are of 64 bits, by halves: a BigInt for each word would cost as much as all the rest.
 *
 * @see assembly/fs/dcache.ts hashName(), assembly/fs/inode-hash.ts hashOf()
 */
const MIX_HIGH = 0x9e3779b9;
const MIX_LOW = 0x7f4a7c15;
const WORD_BYTES = 8;

/** The upper half of the product of two words. */
function mulHigh(a: number, b: number): number {
  const [a0, a1, b0, b1] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const low = a1 * b0 + ((a0 * b0) >>> 16);
  const mid = a0 * b1 + (low & 0xffff);
  return a1 * b1 + (low >>> 16) + (mid >>> 16);
}

/** A number of 64 bits that is mixed with others. */
class Hash {
  high = 0;
  low = 0;

  xor(high: number, low: number): void {
    this.high = (this.high ^ high) >>> 0;
    this.low = (this.low ^ low) >>> 0;
  }

  multiply(): void {
    const high = mulHigh(this.low, MIX_LOW) + Math.imul(this.low, MIX_HIGH) + Math.imul(this.high, MIX_LOW);
    this.low = Math.imul(this.low, MIX_LOW) >>> 0;
    this.high = high >>> 0;
  }

  mix(high: number, low: number): void {
    this.xor(high, low);
    this.multiply();
    this.xor(0, this.high);
  }
}

function wordAt(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let i = 0; i < 4 && at + i < end; i++) word |= bytes[at + i] << (i * 8);
  return word;
}

/** @param parent address of the directory @param start where the name begins in `bytes`, which goes on behind it */
export function hashOfName(seed: number, parent: number, bytes: Uint8Array, start: number, length: number): number {
  const hash = new Hash();
  hash.low = parent;
  hash.multiply();
  hash.xor(seed, 0);
  const end = start + length;
  for (let at = start; at < end; at += WORD_BYTES) hash.mix(wordAt(bytes, at + 4, end), wordAt(bytes, at, end));
  hash.multiply();
  return hash.high;
}

/** @param sb address of the super block @param high upper half of the bits of the inode's number, as an f64 */
export function hashOfNumber(sb: number, high: number, low: number): number {
  const hash = new Hash();
  hash.xor(high, low ^ sb);
  hash.multiply();
  hash.xor(hash.high >>> 29, (hash.low >>> 29) | (hash.high << 3));
  hash.multiply();
  return hash.high;
}
