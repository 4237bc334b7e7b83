/**
 * Page indexes: trees whose leaves have the pages that say so, each once; what is promised, and what is in swap areas.
 *
 * @see assembly/mm/xarray.ts
 */
import {
  AS_SHARED,
  AS_SWAPBACKED,
  AS_UNEVICTABLE,
  CACHE_XA_NODE,
  INODE_DIRTIED_CS,
  INODE_NR_PAGES,
  INODE_SIZE,
  INODE_XA_FLAGS,
  INODE_XA_HEAD,
  KERNEL_NR_RESERVED,
  KERNEL_NR_SHADOW_NODES,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPPING,
  PAGE_SIZE,
  PG_SWAPBACKED,
  PG_UNEVICTABLE,
  XA_MARK_LENT,
  XA_NODE_COUNT,
  XA_NODE_MARK0,
  XA_NODE_PARENT,
  XA_NR_MARKS,
  XA_RESERVED,
  XA_RESERVING,
  XA_SHADOW,
  XA_SWAP,
} from "../wasm/layout.ts";
import { demand } from "./demand.ts";
import { PAGE, SHARED_PAGE } from "./frames.ts";
import { type Inodes, ownMapping, type Sums } from "./inodes.ts";
import type { Memory, Visited } from "./memory.ts";
import type { SwapAreas } from "./swap.ts";

const SLOTS = 64;
const SLOT_BITS = 6;
/** Of the root of the highest tree: its slots are those of the two highest bits of an index. */
const MAX_SHIFT = 30;
const TOP_SLOTS = 4;
const HAS_PROMISES = 128;
const MARKS = 2 ** XA_NR_MARKS - 1;
/** Words of a node that have its marks, and the four bytes behind its parent. */
const MARK_WORD = XA_NODE_MARK0 * 2;
const BYTES_WORD = XA_NODE_COUNT >> 2;
const NODE = 2;
const PFN_SHIFT = 2;

function isPage(entry: number): boolean {
  return entry !== 0 && (entry & 3) === 0;
}

function isShadow(entry: number): boolean {
  return (entry & 3) === XA_SHADOW;
}

/** Has an inode no pages, and says so? */
function isEmpty({ u32 }: Memory, at: number): boolean {
  const isNothing = u32[at + INODE_XA_HEAD] === 0 && (u32[at + INODE_XA_FLAGS] & MARKS) === 0;
  return isNothing && u32[at + INODE_NR_PAGES] === 0 && u32[at + INODE_DIRTIED_CS] === 0;
}

/** What all indexes come to. */
export class PageIndexes {
  readonly #memory: Memory;
  readonly #swap: SwapAreas;
  readonly #isTaken: Uint8Array;
  /** Of shared pages, by frame: how many have it. */
  readonly #sharers: Uint32Array;
  /** By frame of a page that is not whole inside of its file: its bytes, plus 1. */
  readonly #contents: Uint16Array;
  #nrNodes = 0;
  #nrShadowNodes = 0;
  #nrReserved = 0;

  constructor(memory: Memory, swap: SwapAreas) {
    this.#memory = memory;
    this.#swap = swap;
    this.#isTaken = memory.marks();
    this.#sharers = new Uint32Array(memory.image.end);
    this.#contents = new Uint16Array(memory.image.end);
  }

  /** @throws SnapshotError */
  check(inodes: Inodes, sums: ReadonlyMap<number, Sums>): void {
    const memory = this.#memory;
    for (const address of inodes.all) {
      const sb = inodes.sb(address);
      const at = memory.image.at(address);
      // Fast path: same result. Nothing is what most inodes have that are no files.
      if (sb.isStacked || isEmpty(memory, at)) continue;
      const nr = new PageIndex(this, memory, { address, at }).check();
      (sums.get(sb.address) as Sums).nrBlocks += nr;
    }
    demand(this.#nrNodes === memory.slabs.records(CACHE_XA_NODE).length, "a node of an index belongs to none");
    demand(
      this.#nrShadowNodes === memory.kernel(KERNEL_NR_SHADOW_NODES),
      "nrShadowNodes is not the number of leaves of shadows",
    );
    demand(this.#nrReserved === memory.kernel(KERNEL_NR_RESERVED), "nrReserved is not the number of promised pages");
    for (const pfn of memory.frames.all(SHARED_PAGE)) {
      const nr = memory.u32[memory.frames.descriptor(pfn) + PAGE_INDEX];
      demand(this.#sharers[pfn] === nr, "a shared page is of other files than it counts", pfn * PAGE_SIZE);
    }
  }

  /** @returns index of its first word */
  takeNode(address: number): number {
    const number = this.#memory.slabs.numberOf(CACHE_XA_NODE, address, "a node of an index");
    demand(this.#isTaken[number] === 0, "a node is in two indexes, or twice in one", address);
    this.#isTaken[number] = 1;
    this.#nrNodes++;
    return this.#memory.image.at(address);
  }

  takeSwapEntry(entry: number, inode: number): void {
    this.#swap.take(entry, inode);
  }

  /** Bytes of a page up to the last one that is not zero: looked at once, whoever has it. */
  contentBytes(pfn: number): number {
    if (this.#contents[pfn] === 0) this.#contents[pfn] = 1 + this.#memory.image.contentBytes(pfn);
    return this.#contents[pfn] - 1;
  }

  share(pfn: number): void {
    this.#sharers[pfn]++;
  }

  count(nrReserved: number): void {
    this.#nrReserved += nrReserved;
  }

  countShadowNode(): void {
    this.#nrShadowNodes++;
  }
}

/** The index of one inode. */
class PageIndex {
  readonly #all: PageIndexes;
  readonly #memory: Memory;
  readonly #inode: Visited;
  readonly #flags: number;
  readonly #size: number;
  #nrPages = 0;
  #nrReserved = 0;
  #nrLent = 0;

  constructor(all: PageIndexes, memory: Memory, inode: Visited) {
    this.#all = all;
    this.#memory = memory;
    this.#inode = inode;
    this.#flags = memory.u32[inode.at + INODE_XA_FLAGS];
    this.#size = memory.f64[(inode.at >>> 1) + INODE_SIZE];
  }

  /** @returns pages that count as blocks */
  check(): number {
    const { u32 } = this.#memory;
    const { at, address } = this.#inode;
    const head = u32[at + INODE_XA_HEAD];
    const marks = this.#flags & MARKS;
    if ((head & 3) === NODE) {
      demand(marks === 0, "an index has marks beside its tree", address);
      this.#checkRoot(head - NODE);
    } else {
      demand(marks === 0 || (head !== 0 && !isShadow(head)), "an index has marks on nothing", address);
      if (head !== 0) this.#checkEntry(0, head, marks);
    }
    demand(this.#nrPages === u32[at + INODE_NR_PAGES], "nrPages is not the number of a file's pages", address);
    demand(this.#nrReserved === u32[at + INODE_DIRTIED_CS], "a file counts other promised pages than it has", address);
    this.#all.count(this.#nrReserved);
    return this.#nrPages + this.#nrReserved - this.#nrLent;
  }

  #checkRoot(address: number): void {
    const { u32 } = this.#memory;
    const at = this.#all.takeNode(address);
    const { shift, count } = bytesOf(u32[at + BYTES_WORD]);
    demand(
      u32[at + XA_NODE_PARENT] === 0 && shift <= MAX_SHIFT && shift % SLOT_BITS === 0,
      "the root of an index is none",
      address,
    );
    demand(count > 1 || u32[at] === 0, "the root of an index leads to its first slot alone", address);
    this.#checkNode(address, at, 0);
  }

  /** @param base first index of its range */
  #checkNode(address: number, at: number, base: number): void {
    const { u32 } = this.#memory;
    const { shift, count, nrShadows } = bytesOf(u32[at + BYTES_WORD]);
    let nr = 0;
    let nrFound = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      const entry = u32[at + slot];
      const marks = this.#marksOf(at, slot);
      if (entry === 0) {
        demand(marks === 0, "an index has a mark on nothing", address);
        continue;
      }
      nr++;
      if (isShadow(entry)) nrFound++;
      demand(shift < MAX_SHIFT || slot < TOP_SLOTS, "an index has an entry beyond the largest one", address);
      const index = base + slot * 2 ** shift;
      if (shift > 0) this.#checkBelow(address, { entry, shift, slot, marks }, index);
      else {
        demand(
          entry !== XA_RESERVED || (nrShadows & HAS_PROMISES) !== 0,
          "a leaf does not know of a promised page",
          address,
        );
        this.#checkEntry(index, entry, marks);
      }
    }
    demand(nr === count && nr > 0, "a node of an index counts its slots otherwise", address);
    demand(nrFound === (nrShadows & ~HAS_PROMISES), "a node of an index counts its shadows otherwise", address);
    if (shift === 0 && nrShadows !== 0 && nrShadows === count) this.#all.countShadowNode();
  }

  #checkBelow(
    above: number,
    place: { entry: number; shift: number; slot: number; marks: number },
    index: number,
  ): void {
    const { u32 } = this.#memory;
    const { entry, shift, slot, marks } = place;
    demand((entry & 3) === NODE, "an index has something else than a node above its leaves", above);
    const address = entry - NODE;
    const at = this.#all.takeNode(address);
    const own = bytesOf(u32[at + BYTES_WORD]);
    const isPlaced = u32[at + XA_NODE_PARENT] === above && own.offset === slot && own.shift === shift - SLOT_BITS;
    demand(isPlaced, "a node of an index does not know its place", address);
    this.#checkNode(address, at, index);
    let below = 0;
    for (let mark = 0; mark < XA_NR_MARKS; mark++)
      if (u32[at + MARK_WORD + mark * 2] | u32[at + MARK_WORD + mark * 2 + 1]) below |= 1 << mark;
    demand(marks === below, "marks of an index are not those below", address);
  }

  /** Marks of a slot, a bit each. */
  #marksOf(at: number, slot: number): number {
    let marks = 0;
    for (let mark = 0; mark < XA_NR_MARKS; mark++) {
      const word = this.#memory.u32[at + MARK_WORD + mark * 2 + (slot >>> 5)];
      marks |= ((word >>> (slot & 31)) & 1) << mark;
    }
    return marks;
  }

  /** Nothing in memory is dirty or on its way: a mark says that a page is lent. */
  #checkEntry(index: number, entry: number, marks: number): void {
    const { address } = this.#inode;
    demand((entry & 3) !== NODE, "an index has a node among its pages", address);
    demand((marks & ~(1 << XA_MARK_LENT)) === 0, "a page in memory is to be written", address);
    if (isPage(entry)) this.#checkPage(index, entry >>> PFN_SHIFT, marks !== 0);
    else if ((entry & 3) === XA_SWAP) {
      demand(
        marks === 0 && (this.#flags & AS_SWAPBACKED) !== 0,
        "a page is in a swap area that may not be there",
        address,
      );
      this.#all.takeSwapEntry(entry, address);
      this.#nrPages++;
    } else {
      demand(marks === 0 && entry !== XA_RESERVING, "a hole is marked, or being promised", address);
      if (entry === XA_RESERVED) this.#nrReserved++;
    }
  }

  #checkPage(index: number, pfn: number, isLent: boolean): void {
    const { u32, frames } = this.#memory;
    const { address } = this.#inode;
    this.#nrPages++;
    if (frames.use(pfn) === SHARED_PAGE) {
      demand((this.#flags & AS_SHARED) !== 0, "a file does not know that it has shared pages", address);
      if (isLent) this.#nrLent++;
      this.#all.share(pfn);
    } else {
      demand(!isLent, "a page is lent, but its file's own", address);
      frames.claim(pfn, PAGE, "a page", address);
      const at = frames.descriptor(pfn);
      const isOwn = u32[at + PAGE_MAPPING] === ownMapping(address) && u32[at + PAGE_INDEX] === index;
      demand(isOwn, "a page says that it is another", pfn * PAGE_SIZE);
      const flags = u32[at + PAGE_FLAGS];
      const isSame =
        ((flags & PG_UNEVICTABLE) !== 0) === ((this.#flags & AS_UNEVICTABLE) !== 0) &&
        ((flags & PG_SWAPBACKED) !== 0) === ((this.#flags & AS_SWAPBACKED) !== 0);
      demand(isSame, "a page is of another class than its file", pfn * PAGE_SIZE);
    }
    const used = Math.min(Math.max(this.#size - index * PAGE_SIZE, 0), PAGE_SIZE);
    const isInside = used === PAGE_SIZE || this.#all.contentBytes(pfn) <= used;
    demand(isInside, "bytes behind the end of a file are not zeros", pfn * PAGE_SIZE);
  }
}

/** The four bytes of a node that are no addresses. */
function bytesOf(word: number): { shift: number; offset: number; count: number; nrShadows: number } {
  return { shift: word & 0xff, offset: (word >>> 8) & 0xff, count: (word >>> 16) & 0xff, nrShadows: word >>> 24 };
}
