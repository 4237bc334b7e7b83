/**
 * A swap device in host memory that compresses pages, by a library that the program brings: one of LZ4's class, which is done with a
 * page in some microseconds.
 *
 * A page of one word throughout takes no more than that word. Pages that do not shrink are refused, and so are all when the pool is full:
 * they go to another area, if there is one of a lower priority, or stay in memory.
 *
 * @see Linux mm/zswap.c
 */
import { PAGE_SIZE } from "../wasm/layout.ts";
import { PagePool } from "./page-pool.ts";
import type { SwapDevice, SwapIo } from "./swap-device.ts";

/** What compressedSwap() is made with. */
export interface CompressedSwapOptions {
  /** Most bytes of host memory that pages may take, compressed: 64 KiB at least. */
  size: number;
  /** Slots. Left out: four times as many as pages would fit as they are. */
  nrPages?: number;
  /** Compresses a page. What it answers may be its own buffer: it is copied. */
  compress(page: Uint8Array): Uint8Array;
  /** Undoes that: 4096 bytes. */
  decompress(bytes: Uint8Array): Uint8Array;
}

/** Places that are none: nothing is there; a page of one word, which `words` has. */
const NOTHING = -1;
const SAME_FILLED = -2;
/** A page that takes more than this has not shrunk by as much as the pool counts. */
const MAX_LENGTH = PAGE_SIZE - 64;
const DEFAULT_RATIO = 4;
/** The least that a pool can have: a block. */
export const MIN_POOL_BYTES = 65536;
/** Bytes that the tables take for a slot. */
const TABLE_BYTES = 8;

class CompressedSwap implements SwapDevice {
  readonly nrPages: number;
  readonly name = "zswap";
  readonly #options: CompressedSwapOptions;
  readonly #pool: PagePool;
  /** Where each slot's bytes are, and how many; of a page of one word the word. */
  readonly #places: Int32Array;
  readonly #words: Uint32Array;

  constructor(options: CompressedSwapOptions, nrPages: number) {
    this.#options = options;
    this.nrPages = nrPages;
    this.#pool = new PagePool(options.size);
    this.#places = new Int32Array(nrPages).fill(NOTHING);
    this.#words = new Uint32Array(nrPages);
  }

  get hostBytes(): number {
    return this.#pool.bytes + this.nrPages * TABLE_BYTES;
  }

  writePages(io: SwapIo): number {
    let done = 0;
    for (const page of pagesOf(io)) {
      if (!this.#write(io.slot + done, page)) break;
      done++;
    }
    return done;
  }

  readPages(io: SwapIo): number {
    let done = 0;
    for (const page of pagesOf(io)) {
      if (!this.#read(io.slot + done, page)) break;
      done++;
    }
    return done;
  }

  discardPages(slot: number, nrPages: number): void {
    for (let i = slot; i < slot + nrPages; i++) {
      if (this.#places[i] >= 0) this.#pool.free(this.#places[i]);
      this.#places[i] = NOTHING;
    }
  }

  /** @returns whether the page is kept */
  #write(slot: number, page: Uint8Array): boolean {
    this.discardPages(slot, 1);
    const word = wordOf(page);
    if (word !== undefined) {
      this.#places[slot] = SAME_FILLED;
      this.#words[slot] = word;
      return true;
    }
    const bytes = this.#options.compress(page.buffer instanceof ArrayBuffer ? page : page.slice()); // libraries want no shared memory
    if (bytes.length > MAX_LENGTH) return false;
    const place = this.#pool.put(bytes);
    if (place < 0) return false;
    this.#places[slot] = place;
    this.#words[slot] = bytes.length;
    return true;
  }

  /** @returns whether the page is as it was */
  #read(slot: number, page: Uint8Array): boolean {
    const place = this.#places[slot];
    if (place === NOTHING) return false;
    if (place === SAME_FILLED) fillWith(page, this.#words[slot]);
    else {
      const bytes = this.#decompressed(this.#pool.get(place, this.#words[slot]));
      if (bytes?.length !== PAGE_SIZE) return false;
      page.set(bytes);
    }
    return true;
  }

  #decompressed(bytes: Uint8Array): Uint8Array | undefined {
    try {
      return this.#options.decompress(bytes);
    } catch {
      return undefined;
    }
  }
}

function* pagesOf(io: SwapIo): Generator<Uint8Array> {
  for (const view of io.views())
    for (let at = 0; at < view.length; at += PAGE_SIZE) yield view.subarray(at, at + PAGE_SIZE);
}

/** Makes a page of one word. It may lie anywhere: in the bytes of a snapshot nothing is aligned. */
function fillWith(page: Uint8Array, word: number): void {
  page.set(new Uint8Array(Uint32Array.of(word).buffer));
  for (let nr = 4; nr < PAGE_SIZE; nr *= 2) page.copyWithin(nr, 0, nr);
}

/** The word that a page is full of, if it is of one alone. */
function wordOf(page: Uint8Array): number | undefined {
  const words = new Uint32Array(page.buffer, page.byteOffset, page.length / 4);
  const [first] = words;
  if (words[words.length - 1] !== first) return undefined;
  for (let i = 1; i < words.length; i++) if (words[i] !== first) return undefined;
  return first;
}

/** Makes a swap device that compresses. Precondition: what index-swap.ts checks. */
export function compressedSwap(options: CompressedSwapOptions): SwapDevice {
  return new CompressedSwap(options, options.nrPages ?? Math.floor((DEFAULT_RATIO * options.size) / PAGE_SIZE));
}
