/**
 * Slabs: which addresses are those of records in use, and of which kind. What is free there is zeros, as whoever takes it next relies on.
 *
 * Each record has a number of its own, by which others keep what they know of it.
 *
 * @see assembly/mm/slab.ts
 */
import {
  CACHE_CRED,
  CACHE_DENTRY,
  CACHE_FILE,
  CACHE_INODE,
  CACHE_KMALLOC_32,
  CACHE_MOUNT,
  CACHE_SUPER_BLOCK,
  CACHE_TASK,
  CACHE_XA_NODE,
  CRED_BYTES,
  DENTRY_BYTES,
  FILE_BYTES,
  INODE_BYTES,
  KERNEL_BLOCK,
  KERNEL_CACHES,
  KMEM_CACHE_BYTES,
  KMEM_CACHE_NR_OBJECTS,
  KMEM_CACHE_NR_SLABS,
  KMEM_CACHE_OBJECT_SIZE,
  KMEM_CACHE_PER_SLAB,
  MOUNT_BYTES,
  NR_CACHES,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_LRU_NEXT,
  PAGE_LRU_PREV,
  PAGE_MAPPING,
  PAGE_PRIVATE_HIGH,
  PAGE_PRIVATE_LOW,
  PAGE_SIZE,
  PG_SLAB,
  SUPER_BLOCK_BYTES,
  TASK_BYTES,
  XA_NODE_BYTES,
} from "../wasm/layout.ts";
import { demand, refuse } from "./demand.ts";
import { type Frames, SLAB } from "./frames.ts";
import type { Image } from "./image.ts";

const MIN_BYTES = 32;
/** Most records of a slab. */
const MOST = PAGE_SIZE / MIN_BYTES;
const SIZES = new Map([
  [CACHE_INODE, INODE_BYTES],
  [CACHE_DENTRY, DENTRY_BYTES],
  [CACHE_FILE, FILE_BYTES],
  [CACHE_XA_NODE, XA_NODE_BYTES],
  [CACHE_SUPER_BLOCK, SUPER_BLOCK_BYTES],
  [CACHE_MOUNT, MOUNT_BYTES],
  [CACHE_TASK, TASK_BYTES],
  [CACHE_CRED, CRED_BYTES],
]);
/** Of no slab, or no record. */
const NONE = -1;

/** Bytes of a record with what keeps the next one aligned, by cache. */
const RECORD_BYTES = Int32Array.from({ length: NR_CACHES }, (_, cache) => {
  const bytes = SIZES.get(cache) ?? MIN_BYTES << (cache - CACHE_KMALLOC_32);
  return Math.ceil(bytes / MIN_BYTES) * MIN_BYTES;
});

function cacheAddress(cache: number): number {
  return KERNEL_BLOCK + KERNEL_CACHES + cache * KMEM_CACHE_BYTES;
}

export class Slabs {
  readonly #image: Image;
  readonly #frames: Frames;
  /** By frame: the number of its slab, and its cache. */
  readonly #numbers: Int32Array;
  readonly #caches: Int8Array;
  /** By number of a record: is it in use? */
  readonly #live: Uint8Array;
  readonly #records: Uint32Array[] = [];

  /** @throws SnapshotError */
  constructor(image: Image, frames: Frames) {
    this.#image = image;
    this.#frames = frames;
    this.#numbers = new Int32Array(image.end).fill(NONE);
    this.#caches = new Int8Array(image.end).fill(NONE);
    let nr = 0;
    for (const pfn of frames.all(SLAB)) this.#numbers[pfn] = nr++;
    this.#live = new Uint8Array(nr * MOST);
    const nrOf = this.#sort();
    for (let cache = 0; cache < NR_CACHES; cache++) this.#checkCache(cache, nrOf[cache]);
  }

  /** Numbers of records are below. */
  get nr(): number {
    return this.#live.length;
  }

  /** Number of the record at an address. @returns -1 for what is no record in use of the cache */
  number(cache: number, address: number): number {
    const pfn = address >>> 12;
    if (this.#caches[pfn] !== cache) return NONE;
    const size = RECORD_BYTES[cache];
    const offset = address & (PAGE_SIZE - 1);
    if (offset % size !== 0) return NONE;
    const number = this.#numbers[pfn] * MOST + offset / size;
    return offset / size < MOST && this.#live[number] === 1 ? number : NONE;
  }

  /** @throws SnapshotError for what is no record in use of the cache @returns its number */
  numberOf(cache: number, address: number, what: string): number {
    const number = this.number(cache, address);
    if (number === NONE) refuse(`${what} is none`, address);
    return number;
  }

  /** Addresses of the records in use of a cache, ascending. */
  records(cache: number): Uint32Array {
    return this.#records[cache];
  }

  /** The cache that kmalloc() has taken an address from, and how many bytes it has there; undefined where it has not. */
  kmalloced(address: number): { number: number; bytes: number } | undefined {
    const cache = this.#caches[address >>> 12] ?? NONE;
    if (cache < CACHE_KMALLOC_32) return undefined;
    const number = this.number(cache, address);
    return number === NONE ? undefined : { number, bytes: RECORD_BYTES[cache] };
  }

  /** Which cache each slab is of. @returns slabs by cache */
  #sort(): number[][] {
    const slabs = Array.from({ length: NR_CACHES }, (): number[] => []);
    for (const pfn of this.#frames.all(SLAB)) {
      const mapping = this.#image.u32[this.#frames.descriptor(pfn) + PAGE_MAPPING];
      const cache = (mapping - cacheAddress(0)) / KMEM_CACHE_BYTES;
      demand(Number.isInteger(cache) && cache >= 0 && cache < NR_CACHES, "a slab is of no cache", pfn * PAGE_SIZE);
      this.#caches[pfn] = cache;
      slabs[cache].push(pfn);
    }
    return slabs;
  }

  #checkCache(cache: number, slabs: readonly number[]): void {
    const { u32 } = this.#image;
    const size = RECORD_BYTES[cache];
    const address = cacheAddress(cache);
    const at = this.#image.at(address);
    const perSlab = Math.floor(PAGE_SIZE / size);
    demand(
      u32[at + KMEM_CACHE_OBJECT_SIZE] === size && u32[at + KMEM_CACHE_PER_SLAB] === perSlab,
      "a cache has records of another size",
      address,
    );
    const records: number[] = [];
    let nrPartial = 0;
    for (const pfn of slabs) {
      const nr = this.#checkSlab(pfn, size, perSlab, records);
      if (nr < perSlab) nrPartial++;
      else this.#checkUnlinked(pfn);
    }
    demand(u32[at + KMEM_CACHE_NR_SLABS] === slabs.length, "a cache has another number of slabs", address);
    demand(u32[at + KMEM_CACHE_NR_OBJECTS] === records.length, "a cache has another number of records", address);
    const belongs = (page: number): boolean =>
      u32[page + PAGE_FLAGS] === PG_SLAB && u32[page + PAGE_MAPPING] === address && u32[page + PAGE_INDEX] < perSlab;
    this.#frames.checkList(address, belongs, nrPartial, "slabs");
    this.#records[cache] = new Uint32Array(records);
  }

  #checkUnlinked(pfn: number): void {
    const { u32 } = this.#image;
    const at = this.#frames.descriptor(pfn);
    demand(!u32[at + PAGE_LRU_NEXT] && !u32[at + PAGE_LRU_PREV], "a full slab is on a list", pfn * PAGE_SIZE);
  }

  /** @param records addresses of those in use are added @returns how many there are */
  #checkSlab(pfn: number, size: number, perSlab: number, records: number[]): number {
    const { u32 } = this.#image;
    const base = pfn * PAGE_SIZE;
    const at = this.#frames.descriptor(pfn);
    const nrGiven = u32[at + PAGE_PRIVATE_HIGH];
    demand(nrGiven <= perSlab && u32[at + PAGE_INDEX] > 0, "a slab is empty, or has more records than it may", base);
    const first = this.#numbers[pfn] * MOST;
    this.#live.fill(1, first, first + nrGiven);
    let nrFree = 0;
    for (let object = u32[at + PAGE_PRIVATE_LOW]; object !== 0; ) {
      const i = (object - base) / size;
      demand(
        Number.isInteger(i) && i >= 0 && i < nrGiven && this.#live[first + i] === 1,
        "a list of free records leads astray",
        base,
      );
      demand(this.#image.isZero(object + 4, size - 4), "a free record is not zeros", object);
      this.#live[first + i] = 0;
      nrFree++;
      object = this.#image.word(object);
    }
    demand(u32[at + PAGE_INDEX] + nrFree === nrGiven, "a slab counts its records otherwise", base);
    demand(
      this.#image.isZero(base + nrGiven * size, PAGE_SIZE - nrGiven * size),
      "bytes behind the last record are not zeros",
      base,
    );
    for (let i = 0; i < nrGiven; i++) if (this.#live[first + i]) records.push(base + i * size);
    return u32[at + PAGE_INDEX];
  }
}
