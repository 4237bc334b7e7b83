/**
 * Frames: each has one use, which its descriptor tells, and what has none is nobody's. The lists that descriptors are on.
 *
 *   frame     reserved · free · slab · table · buffer · page of a file · page of several files · broken
 *
 * Whoever refers to a table, a buffer or a page claims it, which can be done once.
 *
 * @see assembly/verify/verify.ts, which checks the same of memory that is trusted to be nearly right
 */
import { descriptor } from "../vfs/frames.ts";
import {
  BOOT_SLOT,
  FIRST_FREE_PFN,
  KERNEL_BLOCK,
  KERNEL_END_PFN,
  KERNEL_FREE_AREAS,
  KERNEL_LRU_LISTS,
  KERNEL_NR_FREE,
  KERNEL_NR_FRESH,
  KERNEL_NR_POISONED,
  KERNEL_PCP_COUNT,
  KERNEL_PCP_HEAD,
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE,
  MAX_ORDER,
  NR_LRU_LISTS,
  OWNER_SLOT_BYTES,
  PAGE_BYTES,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_LIST_BYTES,
  PAGE_LIST_COUNT,
  PAGE_LIST_HEAD,
  PAGE_LIST_TAIL,
  PAGE_LRU_NEXT,
  PAGE_LRU_PREV,
  PAGE_MAPPING,
  PAGE_PRIVATE_HIGH,
  PAGE_PRIVATE_LOW,
  PAGE_REFCOUNT,
  PAGE_SIZE,
  PG_ACTIVE,
  PG_BUDDY,
  PG_BUFFER,
  PG_DIRTY,
  PG_ERROR,
  PG_HWPOISON,
  PG_LRU,
  PG_PCP,
  PG_READAHEAD,
  PG_RECLAIM,
  PG_REFERENCED,
  PG_RESERVED,
  PG_SHARED,
  PG_SLAB,
  PG_SWAPBACKED,
  PG_TABLE,
  PG_UNEVICTABLE,
  PG_UPTODATE,
  PG_WORKINGSET,
  SECTION_DESCRIPTOR_FRAMES,
  SECTION_FRAMES,
} from "../wasm/layout.ts";
import { demand, refuse } from "./demand.ts";
import type { Image } from "./image.ts";

export const FREE = 1;
export const RESERVED = 2;
export const SLAB = 3;
export const TABLE = 4;
export const BUFFER = 5;
export const BROKEN = 6;
export const PAGE = 7;
export const SHARED_PAGE = 8;

const KINDS = PG_RESERVED | PG_BUDDY | PG_PCP | PG_SLAB | PG_TABLE | PG_BUFFER | PG_HWPOISON;
const USES = new Map([
  [PG_RESERVED, RESERVED],
  [PG_BUDDY, FREE],
  [PG_SLAB, SLAB],
  [PG_TABLE, TABLE],
  [PG_BUFFER, BUFFER],
  [PG_HWPOISON, BROKEN],
]);
/** What pages may be beside their list; nobody is at work on any. */
const AT_REST = PG_REFERENCED | PG_DIRTY | PG_RECLAIM | PG_ERROR | PG_READAHEAD | PG_WORKINGSET | PG_ACTIVE;
const OF_FILE = AT_REST | PG_UPTODATE | PG_LRU | PG_SWAPBACKED | PG_UNEVICTABLE;
const SHARED_STATE = PG_UNEVICTABLE | PG_LRU | PG_UPTODATE;
const FIRST_SLOT_FRAME = BOOT_SLOT / PAGE_SIZE;
const END_SLOT_FRAME = FIRST_SLOT_FRAME + OWNER_SLOT_BYTES / PAGE_SIZE;

/** @see assembly/mm/lru.ts lruOf() */
function listOf(flags: number): number {
  if (flags & PG_UNEVICTABLE) return LRU_UNEVICTABLE;
  if (flags & PG_SWAPBACKED) return flags & PG_ACTIVE ? LRU_ACTIVE_ANON : LRU_INACTIVE_ANON;
  return flags & PG_ACTIVE ? LRU_ACTIVE_FILE : LRU_INACTIVE_FILE;
}

function isReserved(pfn: number): boolean {
  return pfn < FIRST_FREE_PFN || (pfn & (SECTION_FRAMES - 1)) < SECTION_DESCRIPTOR_FRAMES;
}

export class Frames {
  readonly #image: Image;
  readonly #uses: Uint8Array;
  readonly #claimed: Uint8Array;
  #nrTables = 0;
  #nrPages = 0;
  /** Free blocks by order, and pages by the list that they belong on. */
  readonly #nrBlocks = new Uint32Array(MAX_ORDER + 1);
  readonly #nrListed = new Uint32Array(NR_LRU_LISTS);

  /** Checks all descriptors and lists. @throws SnapshotError */
  constructor(image: Image) {
    this.#image = image;
    this.#uses = new Uint8Array(image.end);
    this.#claimed = new Uint8Array(image.end);
    this.#checkDescriptors();
    for (let order = 0; order <= MAX_ORDER; order++) this.#checkFreeList(order);
    for (let list = 0; list < NR_LRU_LISTS; list++) this.#checkLruList(list);
  }

  /** What a frame is used for, 0 = there is no such frame. */
  use(pfn: number): number {
    return this.#uses[pfn] ?? 0;
  }

  /** Index in `u32` of the descriptor of a frame. */
  descriptor(pfn: number): number {
    return this.#image.at(descriptor(pfn) * 4);
  }

  /** Frames of a use, ascending. */
  *all(use: number): Generator<number> {
    for (let pfn = 0; pfn < this.#uses.length; pfn++) if (this.#uses[pfn] === use) yield pfn;
  }

  /** Somebody refers to a frame, and nobody else. @throws SnapshotError when it is of another use, or somebody else's */
  claim(pfn: number, use: number, what: string, address: number): void {
    if (this.use(pfn) !== use) refuse(`${what} is in no frame of its kind`, address);
    if (this.#claimed[pfn] !== 0) refuse(`${what} is in a frame that somebody else has`, address);
    this.#claimed[pfn] = 1;
  }

  /** Tables and pages that nobody refers to are none. @throws SnapshotError */
  checkAllClaimed(): void {
    let nr = 0;
    for (const [pfn, use] of this.#uses.entries()) if ((use === TABLE || use === PAGE) && this.#claimed[pfn]) nr++;
    demand(nr === this.#nrTables + this.#nrPages, "a page or a table belongs to nobody");
  }

  #kernel(field: number): number {
    return this.#image.word(KERNEL_BLOCK + field * 4);
  }

  #checkDescriptors(): void {
    const { end } = this.#image;
    demand(end > FIRST_FREE_PFN, "it has no memory to speak of");
    for (let pfn = 0; pfn < end; pfn += SECTION_FRAMES) this.#checkSection(pfn);
    demand(this.#kernel(KERNEL_END_PFN) === end, "its memory does not end where it says");
    let nrFree = 0;
    let nrFresh = 0;
    let nrBroken = 0;
    for (let pfn = 0; pfn < end; ) {
      const use = this.#checkFrame(pfn);
      if (use !== FREE) {
        this.#uses[pfn] = use;
        if (use === BROKEN) nrBroken++;
        else if (use === TABLE) this.#nrTables++;
        else if (use === PAGE) this.#nrPages++;
        pfn++;
        continue;
      }
      const nr = this.#checkFreeBlock(pfn);
      nrFree += nr;
      if (this.#image.u32[this.descriptor(pfn) + PAGE_PRIVATE_HIGH]) nrFresh += nr;
      pfn += nr;
    }
    demand(nrFree === this.#kernel(KERNEL_NR_FREE), "nrFree is not the number of free frames");
    demand(nrFresh === this.#kernel(KERNEL_NR_FRESH), "nrFresh is not the number of fresh frames");
    demand(nrBroken === this.#kernel(KERNEL_NR_POISONED), "nrPoisoned is not the number of broken frames");
    demand(!this.#kernel(KERNEL_PCP_HEAD) && !this.#kernel(KERNEL_PCP_COUNT), "single frames have not been given back");
  }

  /** Its descriptors are there, and those of frames beyond memory are zeros: memory that comes later is fresh. */
  #checkSection(section: number): void {
    const { end } = this.#image;
    for (let i = 0; i < SECTION_DESCRIPTOR_FRAMES; i++)
      demand(this.#image.hasRecords(section + i), "a section has no descriptors", section * PAGE_SIZE);
    if (section === 0)
      for (let pfn = SECTION_DESCRIPTOR_FRAMES; pfn < FIRST_SLOT_FRAME; pfn++)
        demand(this.#image.hasRecords(pfn), "there is no kernel block");
    for (let pfn = Math.max(end, section); pfn < section + SECTION_FRAMES; pfn++)
      demand(this.#image.isZero(descriptor(pfn) * 4, PAGE_BYTES), "a frame beyond memory is in use", pfn * PAGE_SIZE);
  }

  /** @returns what it is used for; its bytes are there if they should be */
  #checkFrame(pfn: number): number {
    const { u32 } = this.#image;
    const address = pfn * PAGE_SIZE;
    const at = this.descriptor(pfn);
    const flags = u32[at + PAGE_FLAGS];
    const kind = flags & KINDS;
    const use = kind ? (USES.get(flags) ?? 0) : flags & PG_SHARED ? SHARED_PAGE : PAGE;
    demand(use !== 0, "a frame is of no use, or of several", address);
    demand(
      (use === RESERVED) === isReserved(pfn),
      "a frame is reserved where it should not be, or not where it should",
      address,
    );
    if (use === RESERVED)
      demand(this.#image.isZero(descriptor(pfn) * 4 + 4, PAGE_BYTES - 4), "a reserved frame is used", address);
    else if (kind) {
      demand(use === SLAB || u32[at + PAGE_MAPPING] === 0, "a frame has a mapping, but is no page", address);
      const isHeld = use === SLAB || use === TABLE || use === BUFFER;
      demand(
        isHeld ? u32[at + PAGE_REFCOUNT] >= 1 : u32[at + PAGE_REFCOUNT] === 0,
        "pins of a frame do not match its use",
        address,
      );
    } else {
      this.#checkPage(at, flags, address);
      this.#nrListed[listOf(flags)]++;
    }
    const isSlot = pfn >= FIRST_SLOT_FRAME && pfn < END_SLOT_FRAME;
    const isPage = use === PAGE || use === SHARED_PAGE;
    demand(this.#image.hasData(pfn) === isPage, "a frame is stored as what it is not", address);
    demand(
      this.#image.hasRecords(pfn) === (!isPage && use !== FREE && !isSlot),
      "a frame is stored that should not be, or not stored",
      address,
    );
    return use;
  }

  #checkPage(at: number, flags: number, address: number): void {
    const { u32 } = this.#image;
    if (flags & PG_SHARED) {
      demand(
        (flags & ~(AT_REST | SHARED_STATE)) === PG_SHARED,
        "a shared page is in a state that there is none of",
        address,
      );
      demand(
        (flags & SHARED_STATE) === SHARED_STATE && !(flags & PG_ACTIVE),
        "a shared page is evictable, or active",
        address,
      );
      demand(u32[at + PAGE_MAPPING] === 0, "a shared page has a mapping", address);
      demand(
        u32[at + PAGE_INDEX] > 0 && u32[at + PAGE_REFCOUNT] === u32[at + PAGE_INDEX],
        "a shared page has not the pins of its files",
        address,
      );
      demand(
        !u32[at + PAGE_PRIVATE_LOW] && !u32[at + PAGE_PRIVATE_HIGH],
        "a shared page has something of its own",
        address,
      );
      return;
    }
    demand((flags & ~OF_FILE) === 0, "somebody is at work on a page", address);
    demand(u32[at + PAGE_MAPPING] !== 0, "a page is of no file", address);
    demand((flags & PG_LRU) !== 0 && (flags & PG_UPTODATE) !== 0, "a page is on no list, or not up to date", address);
    demand(
      !(flags & PG_UNEVICTABLE) || !(flags & (PG_ACTIVE | PG_SWAPBACKED)),
      "a page is unevictable and something else",
      address,
    );
    demand(u32[at + PAGE_REFCOUNT] === 1, "a page is pinned", address);
    demand(!u32[at + PAGE_PRIVATE_LOW] && !u32[at + PAGE_PRIVATE_HIGH], "a page has something of its own", address);
  }

  /** @returns how many frames it has */
  #checkFreeBlock(pfn: number): number {
    const { u32, end } = this.#image;
    const at = this.descriptor(pfn);
    const address = pfn * PAGE_SIZE;
    const order = u32[at + PAGE_PRIVATE_LOW];
    demand(
      order <= MAX_ORDER && u32[at + PAGE_PRIVATE_HIGH] <= 1 && u32[at + PAGE_INDEX] === 0,
      "a free block is of no size",
      address,
    );
    const nr = 1 << order;
    demand(pfn % nr === 0 && pfn + nr <= end, "a free block is not aligned, or leads beyond memory", address);
    for (let i = pfn + 1; i < pfn + nr; i++) {
      demand(!this.#image.hasRecords(i) && !this.#image.hasData(i), "a free frame is stored", i * PAGE_SIZE);
      demand(this.#image.isZero(descriptor(i) * 4, PAGE_BYTES), "a frame of a free block is in use", i * PAGE_SIZE);
    }
    const buddy = pfn ^ nr;
    const isMerged =
      order === MAX_ORDER ||
      buddy >= end ||
      u32[this.descriptor(buddy) + PAGE_FLAGS] !== PG_BUDDY ||
      u32[this.descriptor(buddy) + PAGE_PRIVATE_LOW] !== order;
    demand(isMerged, "two free buddies are not one", address);
    this.#uses.fill(FREE, pfn, pfn + nr);
    this.#nrBlocks[order]++;
    return nr;
  }

  #checkFreeList(order: number): void {
    const { u32 } = this.#image;
    const address = KERNEL_BLOCK + KERNEL_FREE_AREAS + order * PAGE_LIST_BYTES;
    const belongs = (at: number): boolean => u32[at + PAGE_FLAGS] === PG_BUDDY && u32[at + PAGE_PRIVATE_LOW] === order;
    this.checkList(address, belongs, this.#nrBlocks[order], "free blocks");
  }

  #checkLruList(list: number): void {
    const { u32 } = this.#image;
    const address = KERNEL_BLOCK + KERNEL_LRU_LISTS + list * PAGE_LIST_BYTES;
    const belongs = (at: number): boolean =>
      (u32[at + PAGE_FLAGS] & PG_LRU) !== 0 && listOf(u32[at + PAGE_FLAGS]) === list;
    this.checkList(address, belongs, this.#nrListed[list], "pages");
  }

  /**
   * A list has all frames that belong on it, each once.
   *
   * @param address of its head @param nrThere how many belong on it @param what it is a list of @throws SnapshotError
   */
  checkList(address: number, belongs: (descriptor: number) => boolean, nrThere: number, what: string): void {
    const { u32, end } = this.#image;
    const head = this.#image.at(address);
    let nr = 0;
    let prev = 0;
    for (let pfn = u32[head + PAGE_LIST_HEAD]; pfn !== 0; ) {
      if (pfn >= end) refuse(`a list of ${what} leads astray`, address);
      const at = this.descriptor(pfn);
      if (!belongs(at)) refuse(`a list of ${what} has what does not belong on it`, address);
      if (u32[at + PAGE_LRU_PREV] !== prev || ++nr > nrThere) refuse(`a list of ${what} is none`, address);
      prev = pfn;
      pfn = u32[at + PAGE_LRU_NEXT];
    }
    demand(
      nr === nrThere && u32[head + PAGE_LIST_COUNT] === nr,
      `a list of ${what} misses some, or counts otherwise`,
      address,
    );
    demand(u32[head + PAGE_LIST_TAIL] === prev, `a list of ${what} has another end`, address);
  }
}
