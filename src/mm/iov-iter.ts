/**
 * The bytes that a caller wants written, or the room for those it reads, in one buffer or several, and how far they have come.
 *
 * Buffers are the caller's, who may do anything to them between two looks: shrink them, give their memory away, let a view
 * tell of more than it has. So each look asks the language what there is, and nothing is copied but that.
 *
 * @see Linux struct iov_iter
 */
import { byteLengthOf, bytesOf, isUint8Array, partOf } from "../base/views.ts";
import type { Core } from "../wasm/core.ts";
import { copyWhatFits } from "./user-copy.ts";

/** A part of a buffer. */
interface Segment {
  readonly buffer: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

/** Bytes of `buffer[start...]` that are there, up to `max`. */
function present(buffer: Uint8Array, start: number, max: number): number {
  return isUint8Array(buffer) ? Math.max(0, Math.min(max, byteLengthOf(buffer) - start)) : 0;
}

/** What is left of a call's bytes. */
export class IovIter {
  readonly #segments: readonly Segment[];
  #current = 0;
  /** In the current segment. */
  #at = 0;
  /** Bytes left, of those asked for. */
  count = 0;

  constructor(segments: readonly Segment[]) {
    this.#segments = segments;
    for (const { length } of segments) this.count += length;
  }

  /** All of some buffers, as long as they are now. */
  static of(buffers: readonly ArrayBufferView[]): IovIter {
    return new IovIter(buffers.map(bytesOf).map((buffer) => ({ buffer, offset: 0, length: buffer.length })));
  }

  /** Leaves no more than `count` bytes. */
  truncate(count: number): void {
    if (count < this.count) this.count = count;
  }

  /** How many of the next `max` bytes are there, to the first that is not. */
  readable(max: number): number {
    return this.#walk(max, () => {});
  }

  /** Copies up to `max` bytes to an address. Does not go on. @returns how many there were */
  copyTo(core: Core, address: number, max: number): number {
    return this.#walk(max, (done, buffer, start, n) => core.u8.set(partOf(buffer, start, n), address + done));
  }

  /** Fills up to `max` bytes from an address, and goes on behind them. @returns how many there was room for */
  fillFrom(core: Core, address: number, max: number): number {
    const n = this.#walk(max, (done, buffer, start, room) => copyWhatFits(core, address + done, buffer, start, room));
    this.advance(n);
    return n;
  }

  #walk(max: number, visit: (done: number, buffer: Uint8Array, start: number, n: number) => void): number {
    const wanted = Math.min(max, this.count);
    let done = 0;
    let at = this.#at;
    for (let i = this.#current; done < wanted; i++) {
      const { buffer, offset, length } = this.#segments[i];
      const asked = Math.min(length - at, wanted - done);
      const n = present(buffer, offset + at, asked);
      if (n > 0) visit(done, buffer, offset + at, n);
      done += n;
      if (n < asked) break;
      at = 0;
    }
    return done;
  }

  /** `n` bytes have gone. */
  advance(n: number): void {
    this.count -= n;
    this.#at += n;
    while (this.#current < this.#segments.length && this.#at >= this.#segments[this.#current].length) {
      this.#at -= this.#segments[this.#current].length;
      this.#current++;
    }
  }
}

/** Bytes that lie where they are to be written to: of a page that a mapping writes to. */
export class BytesInPlace extends IovIter {
  constructor(count: number) {
    super([]);
    this.count = count;
  }

  override readable(max: number): number {
    return Math.min(max, this.count);
  }
  override copyTo(_core: Core, _address: number, max: number): number {
    return this.readable(max);
  }
  override advance(n: number): void {
    this.count -= n;
  }
}
