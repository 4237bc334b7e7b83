/**
 * Memory as a snapshot has it, without a core: frames of records as they lie there, close together in one array; pages of files stay
 * where they are in the bytes.
 *
 * Numbers are read by the index of a word: `image.u32[image.at(address) + INODE_MODE]`, with the indexes of wasm/layout.ts.
 */
import { BLOCK_BYTES, MASK_BYTES } from "../vfs/snapshot-format.ts";
import { PAGE_SIZE } from "../wasm/layout.ts";
import type { Container } from "./container.ts";
import { refuse } from "./demand.ts";

const FRAME_WORDS = PAGE_SIZE / 4;
/** Blocks of a frame, each of which is there or is zeros. */
const BLOCKS = PAGE_SIZE / BLOCK_BYTES;
/** Of frames that are not there. */
const NOWHERE = -1;

export class Image {
  /** Number of frames. */
  readonly end: number;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  /** By frame, its place among those of records. */
  readonly #places: Int32Array;
  /** By frame of a page, where its bytes are. */
  readonly #starts: Float64Array;
  readonly #bytes: Uint8Array;

  constructor({ bytes, end, extents, starts }: Container) {
    this.end = end;
    this.#bytes = bytes;
    this.#places = new Int32Array(end).fill(NOWHERE);
    this.#starts = new Float64Array(end);
    const nr = extents.reduce((sum, extent) => sum + (extent.isData ? 0 : extent.nr), 0);
    this.u8 = new Uint8Array(nr * PAGE_SIZE);
    this.u32 = new Uint32Array(this.u8.buffer);
    this.f64 = new Float64Array(this.u8.buffer);
    let place = 0;
    for (const [i, { pfn, nr: nrFrames, isData }] of extents.entries()) {
      let at = starts[i];
      for (let frame = pfn; frame < pfn + nrFrames; frame++) {
        if (isData) {
          this.#starts[frame] = at;
          at += PAGE_SIZE;
          continue;
        }
        this.#places[frame] = place;
        at = this.#expand(at, place++ * PAGE_SIZE);
      }
    }
  }

  /** Blocks that follow each other are copied as one. @returns where the frame's bytes end */
  #expand(mask: number, to: number): number {
    const bytes = this.#bytes;
    const isThere = (block: number): boolean => (bytes[mask + (block >>> 3)] & (1 << (block & 7))) !== 0;
    let at = mask + MASK_BYTES;
    for (let block = 0, end = 0; block < BLOCKS; block = end + 1) {
      for (end = block; end < BLOCKS && isThere(end); ) end++;
      if (end === block) continue;
      const length = (end - block) * BLOCK_BYTES;
      this.u8.set(bytes.subarray(at, at + length), to + block * BLOCK_BYTES);
      at += length;
    }
    return at;
  }

  /** Is it a frame of records? */
  hasRecords(pfn: number): boolean {
    return this.#places[pfn] >= 0;
  }

  /** Is it a page of a file? */
  hasData(pfn: number): boolean {
    return this.#starts[pfn] !== 0;
  }

  /** Index in `u32` of an address of a record; what it is a part of does not end with the frame. @throws SnapshotError */
  at(address: number): number {
    const place = this.#places[address >>> 12];
    if (!(place >= 0)) refuse("a record lies where none is", address);
    return place * FRAME_WORDS + ((address & (PAGE_SIZE - 1)) >>> 2);
  }

  /** The word at an address. */
  word(address: number): number {
    return this.u32[this.at(address)];
  }

  /** Index in `u8` of an address. */
  byteAt(address: number): number {
    return this.at(address) * 4 + (address & 3);
  }

  /** Bytes at an address, all in one frame. A view. */
  bytesAt(address: number, length: number): Uint8Array {
    const at = this.byteAt(address);
    return this.u8.subarray(at, at + length);
  }

  /** Bytes that may go on in the frames that follow. A copy, where they do. */
  bytesFrom(address: number, length: number): Uint8Array {
    const offset = address & (PAGE_SIZE - 1);
    if (offset + length <= PAGE_SIZE) return this.bytesAt(address, length);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const n = Math.min(length - done, PAGE_SIZE - ((address + done) & (PAGE_SIZE - 1)));
      bytes.set(this.bytesAt(address + done, n), done);
      done += n;
    }
    return bytes;
  }

  /** Are words zeros? @param bytes a multiple of 4, all in one frame */
  isZero(address: number, bytes: number): boolean {
    if (bytes === 0) return true;
    const start = this.at(address);
    for (let i = start; i < start + (bytes >>> 2); i++) if (this.u32[i] !== 0) return false;
    return true;
  }

  /** Bytes of a page up to the last one that is not zero. */
  contentBytes(pfn: number): number {
    const start = this.#starts[pfn];
    let length = PAGE_SIZE;
    while (length > 0 && this.#bytes[start + length - 1] === 0) length--;
    return length;
  }
}
