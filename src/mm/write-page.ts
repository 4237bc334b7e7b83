/**
 * A page that a write has locked: found or made, pinned, let go.
 *
 *   begin ─► locked, with a pin; new ones not up to date ─► release: unlocked; what nobody can vouch for leaves the cache
 *
 * Does not own: what is done to it between (perform-write.ts).
 */
import { EAGAIN } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { type Core, RESULT } from "../wasm/core.ts";
import { INODE_SIZE, PAGE_FLAGS, PAGE_SIZE, PG_UPTODATE, PG_WRITEBACK, RESULT_EXTRA } from "../wasm/layout.ts";
import type { AddressSpaceOperations, PageCache, ReadaheadControl, WrittenPage } from "./address-space.ts";
import { fieldOf, isTruncated, PageAt, pageFlags } from "./page.ts";
import { startRead } from "./start-read.ts";
import { cutPage } from "./truncate.ts";

const EXTRA = RESULT + RESULT_EXTRA;

/** Is a frame's page as in the store, or newer? */
export function isUptodate(core: Core, pfn: number): boolean {
  return (pageFlags(core, pfn) & PG_UPTODATE) !== 0;
}

/** All of a page is as in the store, or newer. @see Linux folio_mark_uptodate() */
export function setPageUptodate({ u32 }: Core, pfn: number): void {
  u32[fieldOf(pfn, PAGE_FLAGS)] |= PG_UPTODATE;
}

/** A page that is locked for a write. */
export class LockedPage extends PageAt implements WrittenPage, ReadaheadControl {
  readonly file: FileHandle;
  readonly offset: number;
  readonly bytes: number;
  readonly #cache: PageCache;
  readonly #isNew: boolean;
  /** Bytes of it count: the file system vouches for them, if nobody does for all of the page. */
  isWritten = false;
  /** Ends the wait of those who have found the page locked. */
  #over: (() => void) | undefined;
  /** What others waited for before. */
  #writeback: Promise<void> | undefined;

  constructor(cache: PageCache, file: FileHandle, at: PageAt, offset: number, bytes: number, isNew: boolean) {
    super(cache.core, at.inode, at.index, at.pfn);
    this.#cache = cache;
    this.file = file;
    this.offset = offset;
    this.bytes = bytes;
    this.#isNew = isNew;
  }

  /** The call waits for a store, and keeps the page: others wait for the end of that. */
  suspend(): void {
    if (this.#over !== undefined) return;
    const { tokens } = this.#cache.pageReads;
    this.#writeback = tokens.get(this.pfn);
    const token = new Promise<void>((resolve) => {
      this.#over = resolve;
    });
    tokens.set(this.pfn, token);
  }

  /**
   * Lets go of the page. Where its memory has gone meanwhile, those who wait alone are told.
   *
   * @param core it was locked in @param operations hear of it when a page that was made for nothing goes
   */
  release(core: Core, operations: AddressSpaceOperations): void {
    if (core === this.#cache.core) {
      if (this.#over !== undefined) this.#giveTokenBack(core);
      if (this.#isNew && !this.isWritten && !isTruncated(core, this.pfn) && this.#isWorthless(core)) {
        cutPage(this.#cache, operations, this);
        core.x.failRead(this.pfn, 1);
      } else {
        core.x.unlockPage(this.pfn);
        core.x.putPage(this.pfn);
      }
    }
    this.#over?.();
    this.#over = undefined;
  }

  /** While the page is under writeback, too, others wait for the end of that. */
  #giveTokenBack(core: Core): void {
    const { tokens } = this.#cache.pageReads;
    if (this.#writeback !== undefined && pageFlags(core, this.pfn) & PG_WRITEBACK)
      tokens.set(this.pfn, this.#writeback);
    else tokens.delete(this.pfn);
  }

  /** A new page that nothing has come to, or that the file has not come to. */
  #isWorthless(core: Core): boolean {
    return !isUptodate(core, this.pfn) || this.position >= core.f64[(this.inode << 2) + INODE_SIZE];
  }
}

/**
 * Finds or makes a page, and locks it.
 *
 * @param offset first byte in the page that is to be overwritten @param bytes how many
 * @returns -EAGAIN when it is locked, with a token where its holder waits for a store; -ENOMEM
 */
export function lockPage(
  cache: PageCache,
  file: FileHandle,
  inode: InodeHandle,
  index: number,
  offset: number,
  bytes: number,
): LockedPage | number {
  const { core } = cache;
  let pfn = core.x.findPage(inode, index);
  const isNew = pfn === 0;
  if (isNew) {
    const started = startRead(cache, inode, index);
    if (started < 0) return started;
    pfn = core.f64[EXTRA];
  } else {
    if (core.x.tryLockPage(pfn) === 0) return waitForLock(cache, pfn);
    core.x.getPage(pfn);
  }
  return new LockedPage(cache, file, new PageAt(core, inode, index, pfn), offset, bytes, isNew);
}

function waitForLock(cache: PageCache, pfn: number): number {
  const token = cache.pageReads.tokens.get(pfn);
  if (token !== undefined) cache.setWaitToken(token);
  return -EAGAIN;
}

/** Are the bytes that the write leaves alone beyond the file, so that there is nothing to be read for it? */
export function coversPage({ f64 }: Core, { inode, position, offset, bytes }: WrittenPage): boolean {
  return offset === 0 && (bytes === PAGE_SIZE || position + bytes >= f64[(inode << 2) + INODE_SIZE]);
}
