/**
 * What a file system does for the pages of its files: reads them from where they are kept.
 *
 * Operations get the page cache of a kernel and an inode, not the VFS. They answer a value or a negated errno, or the
 * promise of one: then callback and promise calls wait for it; synchronous calls get EAGAIN, and find the pages cached
 * when they are made again.
 *
 * @see Linux struct address_space_operations
 */
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import type { Progress } from "./progress.ts";

/** What the page cache needs of a kernel. */
export interface PageCache {
  readonly core: Core;
  readonly pageReads: PageReads;
  /** May the call that is being made wait? */
  readonly mayWait: boolean;
  /** What it waits for, before -EAGAIN is answered. */
  setWaitToken(token: Promise<void>): void;
  /** How far the call had come when it had to wait; none for calls that cannot. */
  readonly progress: Progress | undefined;
  /** Does work in the midst of a call that is no part of it: calls which that makes cannot wait, nor go on as this one. */
  nested<R>(work: () => R): R;
}

/** Reads of pages that are under way: who waits for a page waits for its read. Lost with the process, as its reads are. */
export interface PageReads {
  /** By the number of each frame that is being filled. */
  readonly tokens: Map<number, Promise<void>>;
  /** Why pages could not be read for synchronous calls, which ask again: by inode and page. */
  readonly failures: Map<string, number>;
}

/** A window of pages that are to be filled from the store: locked, and nobody else's until the operation has answered. */
export interface ReadaheadControl {
  readonly inode: InodeHandle;
  /** The file that is read, 0 = for the file system itself. */
  readonly file: FileHandle;
  /** First byte in the file: a multiple of the page size. */
  readonly position: number;
  /** Bytes to be filled: whole pages, of which the last may lie beyond the end of the file. */
  readonly length: number;
  /** The frames, in the order of the file, as few arrays as may be. Memory may grow while a store waits: ask anew. */
  views(): Uint8Array[];
}

/** @see Linux struct address_space_operations */
export interface AddressSpaceOperations {
  /**
   * Fills one page (Linux read_folio): where readahead is missing, or has not filled it.
   *
   * @returns bytes filled; what is left of the page becomes zeros. A negated errno fails the reads that wait for the page
   */
  readPage?(cache: PageCache, control: ReadaheadControl): number | Promise<number>;
  /**
   * Fills a window of pages.
   *
   * @returns bytes filled from its start. Pages that it has not come to are read one by one when they are needed, and so
   *   are all when it answers an errno: nobody hears of that
   */
  readahead?(cache: PageCache, control: ReadaheadControl): number | Promise<number>;
  /** Most pages to be read ahead of what is asked for, 0 = none; else 32. */
  readonly raPages?: number;

  // --- Writes ---------------------------------------------------------------------------------------------------------

  /**
   * Bytes of a page are about to be overwritten: what the file system needs for them it has now, space above all. The page
   * is locked until writeEnd has been called; then nobody else writes to the file. Missing: nothing is needed.
   *
   * @returns 0: what stays of a page that is not up to date is read first (readPage), or zeros beyond the end of the file;
   *   PAGE_IS_READY: the file system has seen to that; a negated errno, and nothing stays behind of what it had begun
   * @see Linux write_begin
   */
  writeBegin?(cache: PageCache, page: WrittenPage): number | Promise<number>;
  /**
   * The bytes have been copied, `copied` of them from the first on: fewer when the caller's buffer had become shorter, none
   * when the write was given up. Called once for each writeBegin that has not failed. Size, marks and lock follow.
   *
   * @param copied 0 also where the page is not up to date, and so would not be with fewer than all bytes
   * @returns how many of them count, or a negated errno. Missing: all do
   * @see Linux write_end
   */
  writeEnd?(cache: PageCache, page: WrittenPage, copied: number): number;
  /**
   * Marks a page dirty. Missing: as filemap_dirty_folio(), in its index too, and its inode.
   *
   * @returns true if it was clean
   * @see Linux dirty_folio (set_page_dirty)
   */
  setPageDirty?(cache: PageCache, page: CachedPage): boolean;
  /**
   * Are these bytes of a page as in the store, or newer, though the page as a whole is not? For file systems whose blocks are
   * smaller than pages. Asked by reads; else the page is read.
   *
   * @see Linux is_partially_uptodate
   */
  isPartiallyUptodate?(cache: PageCache, page: CachedPage, offset: number, length: number): boolean;
}

/** What writeBegin answers when the file system has seen to what stays of the page. */
export const PAGE_IS_READY = 1;

/** A page that is being written to. */
export interface WrittenPage extends CachedPage {
  readonly file: FileHandle;
  /** First byte in the page that is overwritten. */
  readonly offset: number;
  /** How many are. */
  readonly bytes: number;
}

/** A page of a file that an operation is about: locked, and at its place as long as the operation has it. */
export interface CachedPage {
  readonly inode: InodeHandle;
  /** In the file, pages. */
  readonly index: number;
  /** Its frame. */
  readonly pfn: number;
  /** First byte in the file. */
  readonly position: number;
  /** Bytes. */
  readonly length: number;
  /** The frame. Memory may grow while a store waits: ask anew. */
  views(): Uint8Array[];
}
