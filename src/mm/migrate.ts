/**
 * Migration of pages whose file system wants to be asked: the core moves the others by itself (assembly/mm/migrate.ts).
 *
 *   lock ─► isolatePage ─► another frame, locked ─► migratePage ─► index, list and descriptor follow ─► unlock
 *                │ no          │ none                  │ no
 *                ▼             ▼                       ▼
 *              it stays     putbackPage             putbackPage
 *
 * Without migratePage the bytes are copied; a dirty page is written first, and what hangs on it has to go (releasePage).
 *
 * Does not own: which pages are to move, and where to (compaction: migrateAskedPages(); memory-failure.ts).
 *
 * @see Linux mm/migrate.c move_to_new_folio(), fallback_migrate_folio(); mm/compaction.c
 */
import { EAGAIN, EBUSY, EIO, ENOMEM } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  AS_FREE_PAGE,
  AS_NO_STORE,
  FIRST_FREE_PFN,
  INODE_XA_FLAGS,
  INODE_XA_HEAD,
  KERNEL_BLOCK,
  KERNEL_END_PFN,
  KERNEL_LRU_LISTS,
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_LIST_BYTES,
  PAGE_LIST_HEAD,
  PAGE_LIST_TAIL,
  PAGE_LRU_NEXT,
  PAGE_LRU_PREV,
  PAGE_MAPPING,
  PAGE_PRIVATE_LOW,
  PAGE_SIZE,
  PG_ACTIVE,
  PG_DIRTY,
  PG_LOCKED,
  PG_LRU,
  PG_PRIVATE,
  PG_SWAPBACKED,
  PG_UNEVICTABLE,
  PG_WAITERS,
  PG_WRITEBACK,
  XA_NODE_SHIFT,
} from "../wasm/layout.ts";
import {
  type AddressSpaceOperations,
  type CachedPage,
  MIGRATE_ASYNC,
  MIGRATE_SYNC,
  type MigrateMode,
  type PageCache,
} from "./address-space.ts";
import { callOut } from "./call-out.ts";
import { nextFree, takeFreeFrame } from "./frames.ts";
import { detachPagePrivate, fieldOf, isTruncated, NO_PAGE, PageAt, pageFlags, pagePins } from "./page.ts";
import { filemapWriteAndWaitRange } from "./writeback.ts";

const KERNEL = KERNEL_BLOCK >>> 2;
/** Flags that belong to a frame, and not to the page in it. */
const OF_FRAME = PG_LOCKED | PG_WAITERS | PG_PRIVATE;
const NODE = 2;

/** What migration needs of the kernel above. */
export interface MigrationHost extends PageCache {
  tableOf(inode: InodeHandle): { readonly mapping: AddressSpaceOperations };
}

/**
 * Compacts what the core cannot: pages with something of their file system's on them, and those of which it wants to hear,
 * go from the end of memory to the free frames at its start.
 *
 * @returns how many have moved at once
 */
export function migrateAskedPages(host: MigrationHost, mode: MigrateMode = MIGRATE_SYNC): number {
  const { core } = host;
  let moved = 0;
  let to = nextFree(core, FIRST_FREE_PFN, endOf(core));
  for (let from = endOf(core) - 1; to >= 0 && from > to; from--) {
    const page = askedPageAt(core, from);
    if (page === undefined) continue;
    if (migratePage(host, page, () => (takeFreeFrame(core, to) ? to : 0), mode) === 0) moved++;
    to = nextFree(core, FIRST_FREE_PFN, from);
  }
  return moved;
}

function endOf({ u32 }: Core): number {
  return u32[KERNEL + KERNEL_END_PFN];
}

/** The page in a frame, if its file system is to be asked before it moves, and nobody has it in hand. */
function askedPageAt(core: Core, pfn: number): PageAt | undefined {
  const flags = pageFlags(core, pfn);
  if (flags & (NO_PAGE | PG_LOCKED | PG_WRITEBACK) || isTruncated(core, pfn)) return undefined;
  const page = pageAt(core, pfn);
  const isAsked = flags & PG_PRIVATE || core.u32[(page.inode << 3) + INODE_XA_FLAGS] & AS_FREE_PAGE;
  return isAsked ? page : undefined;
}

/** The page that a frame holds. Precondition: it is cached. */
export function pageAt(core: Core, pfn: number): PageAt {
  const { u32 } = core;
  const inode = ((u32[fieldOf(pfn, PAGE_MAPPING)] - 4 * INODE_XA_HEAD) >>> 5) as InodeHandle;
  return new PageAt(core, inode, u32[fieldOf(pfn, PAGE_INDEX)], pfn);
}

/**
 * Moves a cached page to another frame.
 *
 * @param allocate gives a frame with a pin; 0 = there is none
 * @returns 0; -EBUSY: somebody has it in hand, or its file system will not have it moved; -EAGAIN: another try may help, or
 *   the file system takes its time; -ENOMEM; what migratePage answers
 */
export function migratePage(host: MigrationHost, page: PageAt, allocate: () => number, mode: MigrateMode): number {
  const { core } = host;
  const operations = host.tableOf(page.inode).mapping;
  const rc = operations.migratePage === undefined ? writeFirst(host, page, mode) : 0;
  if (rc < 0) return rc;
  const known = pageFlags(core, page.pfn) & PG_PRIVATE ? 2 : 1;
  if (pageFlags(core, page.pfn) & PG_WRITEBACK || pagePins(core, page.pfn) !== known) return -EBUSY;
  if (core.x.tryLockPage(page.pfn) === 0) return -EBUSY;
  core.x.getPage(page.pfn); // it may be cut off meanwhile
  const isIsolated = callOut(host, (cache) => operations.isolatePage?.(cache, page, mode));
  const pfn = isIsolated === false ? 0 : allocate();
  const move = new Move(host, operations, page, pfn, isIsolated === true);
  if (pfn === 0) return move.end(isIsolated === false ? -EBUSY : -ENOMEM);
  core.u32[fieldOf(pfn, PAGE_FLAGS)] = PG_LOCKED;
  return move.run(mode);
}

/** A dirty page of a file system that does not move pages itself is written first. */
function writeFirst(host: MigrationHost, { inode, position, pfn }: PageAt, mode: MigrateMode): number {
  const { core } = host;
  if (!(pageFlags(core, pfn) & PG_DIRTY) || core.u32[(inode << 3) + INODE_XA_FLAGS] & AS_NO_STORE) return 0;
  if (mode === MIGRATE_ASYNC) return -EBUSY;
  const rc = host.nested(() => filemapWriteAndWaitRange(host, inode, position, position + PAGE_SIZE - 1));
  if (rc < 0) return rc;
  return pageFlags(core, pfn) & PG_DIRTY ? -EAGAIN : 0;
}

/** A page on its way. Both frames are locked; the new one has a pin, which the cache gets. */
class Move {
  readonly #host: MigrationHost;
  readonly #operations: AddressSpaceOperations;
  readonly #from: PageAt;
  readonly #to: PageAt;
  readonly #isIsolated: boolean;

  constructor(host: MigrationHost, operations: AddressSpaceOperations, from: PageAt, pfn: number, isIsolated: boolean) {
    this.#host = host;
    this.#operations = operations;
    this.#from = from;
    this.#to = new PageAt(host.core, from.inode, from.index, pfn);
    this.#isIsolated = isIsolated;
  }

  run(mode: MigrateMode): number {
    const { migratePage } = this.#operations;
    const answer = callOut(this.#host, (cache) =>
      migratePage === undefined ? this.#copy(cache) : migratePage(cache, this.#from, this.#to, mode),
    );
    return typeof answer === "number" ? this.end(answer) : this.#wait(answer);
  }

  /** What is done for file systems without migratePage. @see Linux fallback_migrate_folio() */
  #copy(cache: PageCache): number {
    const { releasePage } = this.#operations;
    if (pageFlags(cache.core, this.#from.pfn) & PG_PRIVATE) {
      if (releasePage === undefined) detachPagePrivate(cache, this.#from);
      else if (!releasePage(cache, this.#from)) return -EAGAIN;
    }
    migratePageCopy(this.#from, this.#to);
    return 0;
  }

  #wait(answer: Promise<number>): number {
    const { pageReads, core } = this.#host;
    const settle = (rc: number): void => {
      if (this.#host.core !== core) return; // another memory: nobody knows the page
      pageReads.tokens.delete(this.#from.pfn);
      this.end(rc);
    };
    const token = answer.then(settle, () => settle(-EIO));
    pageReads.tokens.set(this.#from.pfn, token);
    return -EAGAIN;
  }

  /** The page is where it is to be, or stays where it was. @returns rc; -EBUSY for one that was cut off meanwhile */
  end(rc: number): number {
    const { core } = this.#host;
    const isMoved = rc === 0 && !isTruncated(core, this.#from.pfn);
    if (isMoved) replacePage(core, this.#from, this.#to.pfn);
    else if (this.#isIsolated) callOut(this.#host, (cache) => this.#operations.putbackPage?.(cache, this.#from));
    if (this.#to.pfn !== 0) this.#endFrame(isMoved);
    core.x.unlockPage(this.#from.pfn);
    if (isMoved) core.x.putPage(this.#from.pfn); // the cache's pin is that of the new frame
    core.x.putPage(this.#from.pfn);
    return rc === 0 && !isMoved ? -EBUSY : rc;
  }

  /** The new frame is the cache's, or goes, with what has been hung on it. */
  #endFrame(isMoved: boolean): void {
    const { core } = this.#host;
    if (!isMoved && pageFlags(core, this.#to.pfn) & PG_PRIVATE) {
      const { invalidatePage } = this.#operations;
      if (invalidatePage === undefined) detachPagePrivate(this.#host, this.#to);
      else callOut(this.#host, (cache) => invalidatePage(cache, this.#to, 0, PAGE_SIZE));
    }
    core.x.unlockPage(this.#to.pfn);
    if (!isMoved) core.x.putPage(this.#to.pfn);
  }
}

/**
 * Copies the bytes of a page to its new frame: for migratePage of file systems, which see to what hangs on it.
 *
 * @see Linux folio_migrate_copy()
 */
export function migratePageCopy(from: CachedPage, to: CachedPage): void {
  to.views()[0].set(from.views()[0]);
}

/** The new frame takes the place of the old: in the index, whose marks stay, and on the list. */
function replacePage(core: Core, from: PageAt, to: number): void {
  const { u32 } = core;
  const source = fieldOf(from.pfn, 0);
  const target = fieldOf(to, 0);
  const flags = u32[source + PAGE_FLAGS];
  u32[slotOf(core, from)] = to << 2;
  u32[target + PAGE_FLAGS] |= flags & ~OF_FRAME;
  u32[target + PAGE_MAPPING] = u32[source + PAGE_MAPPING];
  u32[target + PAGE_INDEX] = from.index;
  if (!((flags | u32[target + PAGE_FLAGS]) & PG_PRIVATE)) {
    u32[target + PAGE_PRIVATE_LOW] = u32[source + PAGE_PRIVATE_LOW];
    u32[source + PAGE_PRIVATE_LOW] = 0;
  }
  if (flags & PG_LRU) relink(core, from.pfn, to, listOf(flags));
  u32[source + PAGE_FLAGS] = flags & (PG_LOCKED | PG_WAITERS | PG_PRIVATE);
  u32[source + PAGE_MAPPING] = 0;
}

/** Index in `u32` of the slot that a page's entry is in. */
function slotOf(core: Core, { inode, index }: PageAt): number {
  const { u32, u8 } = core;
  let slot = (inode << 3) + INODE_XA_HEAD;
  while ((u32[slot] & 3) === NODE) {
    const node = u32[slot] - NODE;
    slot = (node >>> 2) + ((index >>> u8[node + XA_NODE_SHIFT]) & 63);
  }
  return slot;
}

function listOf(flags: number): number {
  if (flags & PG_UNEVICTABLE) return LRU_UNEVICTABLE;
  if (flags & PG_SWAPBACKED) return flags & PG_ACTIVE ? LRU_ACTIVE_ANON : LRU_INACTIVE_ANON;
  return flags & PG_ACTIVE ? LRU_ACTIVE_FILE : LRU_INACTIVE_FILE;
}

function relink({ u32 }: Core, from: number, to: number, lru: number): void {
  const list = (KERNEL_BLOCK + KERNEL_LRU_LISTS + lru * PAGE_LIST_BYTES) >>> 2;
  const next = u32[fieldOf(from, PAGE_LRU_NEXT)];
  const prev = u32[fieldOf(from, PAGE_LRU_PREV)];
  u32[fieldOf(to, PAGE_LRU_NEXT)] = next;
  u32[fieldOf(to, PAGE_LRU_PREV)] = prev;
  u32[prev ? fieldOf(prev, PAGE_LRU_NEXT) : list + PAGE_LIST_HEAD] = to;
  u32[next ? fieldOf(next, PAGE_LRU_PREV) : list + PAGE_LIST_TAIL] = to;
  u32[fieldOf(from, PAGE_LRU_NEXT)] = 0;
  u32[fieldOf(from, PAGE_LRU_PREV)] = 0;
}
