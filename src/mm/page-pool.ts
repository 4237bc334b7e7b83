/**
 * Small pieces of bytes in blocks of host memory, so that what they take is known: by units of 64 bytes, each block with pieces of one
 * size.
 *
 * @see Linux mm/zsmalloc.c
 */
const UNIT = 64;
const BLOCK_BYTES = 1 << 16;
const UNITS_PER_BLOCK = BLOCK_BYTES / UNIT;

interface Block {
  readonly bytes: Uint8Array;
  /** Units of a piece. */
  readonly units: number;
  /** Places of pieces, in units, that are free. */
  readonly free: number[];
  nrUsed: number;
}

export class PagePool {
  readonly #blocks: (Block | undefined)[] = [];
  /** Numbers of blocks with a free piece, by units of a piece. */
  readonly #open: Set<number>[] = [];
  readonly #maxBlocks: number;
  #nrBlocks = 0;

  /** @param size bytes at most, of which whole blocks of 64 KiB are used */
  constructor(size: number) {
    this.#maxBlocks = Math.floor(size / BLOCK_BYTES);
  }

  get bytes(): number {
    return this.#nrBlocks * BLOCK_BYTES;
  }

  /** Keeps a piece, up to 64 KiB. @returns where it is, for get() and free(); -1 when the pool is full */
  put(piece: Uint8Array): number {
    const units = Math.ceil(piece.length / UNIT);
    const number = this.#withFree(units);
    const block = this.#blocks[number];
    const unit = block?.free.pop();
    if (block === undefined || unit === undefined) return -1;
    if (block.free.length === 0) this.#open[units].delete(number);
    block.nrUsed++;
    block.bytes.set(piece, unit * UNIT);
    return number * UNITS_PER_BLOCK + unit;
  }

  /** The bytes of a piece, where they lie. */
  get(place: number, length: number): Uint8Array {
    const start = (place % UNITS_PER_BLOCK) * UNIT;
    return (this.#blocks[Math.floor(place / UNITS_PER_BLOCK)] as Block).bytes.subarray(start, start + length);
  }

  free(place: number): void {
    const number = Math.floor(place / UNITS_PER_BLOCK);
    const block = this.#blocks[number] as Block;
    block.free.push(place % UNITS_PER_BLOCK);
    this.#open[block.units].add(number);
    if (--block.nrUsed > 0) return;
    this.#open[block.units].delete(number);
    this.#blocks[number] = undefined;
    this.#nrBlocks--;
  }

  /** @returns number of a block with a free piece, -1 = there is none */
  #withFree(units: number): number {
    this.#open[units] ??= new Set();
    for (const number of this.#open[units]) return number;
    if (this.#nrBlocks === this.#maxBlocks) return -1;
    const free: number[] = [];
    for (let unit = UNITS_PER_BLOCK - units; unit >= 0; unit -= units) free.push(unit);
    const gap = this.#blocks.indexOf(undefined);
    const number = gap < 0 ? this.#blocks.length : gap;
    this.#blocks[number] = { bytes: new Uint8Array(BLOCK_BYTES), units, free, nrUsed: 0 };
    this.#nrBlocks++;
    this.#open[units].add(number);
    return number;
  }
}
