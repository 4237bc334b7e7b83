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
}

/** Reads of pages that are under way: who waits for a page waits for its read. Lost with the process, as its reads are. */
export interface PageReads {
  /** By the number of each frame that is being filled, or written before it goes (launderPage). */
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

  /**
   * Bytes [offset, offset + length) of a page are cut off, or all of it goes: what the file system has hung on it for them is
   * to go. Called for pages with PG_PRIVATE, and where it is there for all. Missing: what hangs on a whole page is dropped.
   *
   * @see Linux invalidate_folio (invalidatepage)
   */
  invalidatePage?(cache: PageCache, page: CachedPage, offset: number, length: number): void;
  /**
   * May a clean page go? Then what the file system has hung on it is gone when this returns. Called as invalidatePage.
   * Missing: it may.
   *
   * @see Linux release_folio (releasepage)
   */
  releasePage?(cache: PageCache, page: CachedPage): boolean;
  /** A page has left the cache, and its frame is about to be somebody else's. @see Linux free_folio (freepage) */
  freePage?(cache: PageCache, page: CachedPage): void;
  /**
   * Writes a dirty page that is to leave the cache. It is locked until this has answered, and clean; after an error it is
   * dirty again, and stays. Missing: dirty pages stay.
   *
   * @returns 0 or a negated errno, or the promise of one
   * @see Linux launder_folio (launder_page)
   */
  launderPage?(cache: PageCache, page: CachedPage): number | Promise<number>;
  /** The block of the store where a block of the file lies. @returns 0 = nowhere; a negated errno @see Linux bmap */
  bmap?(cache: PageCache, inode: InodeHandle, block: number): number;
  /**
   * Reads or writes between the store and a buffer, for files opened with O_DIRECT; without it they cannot be. What is cached
   * of these bytes has been written back, and for a write dropped. A call that may not wait (cache.mayWait) is answered at once.
   *
   * @returns bytes, fewer for holes and for what it cannot do: the rest goes through the cache; a negated errno
   * @see Linux direct_IO
   */
  directIO?(cache: PageCache, control: DirectControl): number | Promise<number>;
  /** What positions, lengths and buffers of directIO are multiples of, bytes; else 512. */
  readonly logicalBlockSize?: number;
}

/** What directIO is to do. */
export interface DirectControl {
  readonly inode: InodeHandle;
  readonly file: FileHandle;
  readonly isWrite: boolean;
  /** First byte in the file. */
  readonly position: number;
  /** Bytes; a read may go beyond the end of the file. */
  readonly length: number;
  /** The caller's, as long as that. It may lose its memory while a store waits. */
  readonly buffer: Uint8Array;
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
