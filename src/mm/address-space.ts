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
import type { BackingDevice } from "./backing-dev.ts";
import type { Progress } from "./progress.ts";

/** What the page cache needs of a kernel. */
export interface PageCache {
  /** The kernel it belongs to, for file systems to know it by. */
  readonly owner: object;
  readonly core: Core;
  readonly pageReads: PageReads;
  /** May the call that is being made wait? */
  readonly mayWait: boolean;
  /** What it waits for, before -EAGAIN is answered. */
  setWaitToken(token: Promise<void>): void;
  /** How far the call had come when it had to wait; none for calls that cannot. */
  readonly progress: Progress | undefined;
  /** What the pages of an inode are written back to; none where the file system has not set one up. */
  bdiOf(inode: InodeHandle): BackingDevice | undefined;
  /** Makes room where a call has failed for want of memory. @returns TRY_AGAIN; -EAGAIN with a token; else rc */
  room(rc: number): number;
  /** Does work in the midst of a call that is no part of it: calls which that makes cannot wait, nor go on as this one. */
  nested<R>(work: () => R): R;
}

/** Reads of pages that are under way: who waits for a page waits for its read. Lost with the process, as its reads are. */
export interface PageReads {
  /** By the number of each frame that is being filled, or written before it goes (launderPage). */
  readonly tokens: Map<number, Promise<void>>;
  /** Why pages could not be read for synchronous calls, which ask again: by inode and page. */
  readonly failures: Map<string, number>;
}

/** Answer within the engine: there is memory now, call again. Not an errno, nor a handover (assembly/abi.ts). */
export const TRY_AGAIN = -10000;

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
   * @returns bytes filled; what is left of the page becomes zeros. A negated errno fails the reads that wait for the page;
   *   AOP_TRUNCATED_PAGE has them look for it anew
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

  // --- Writeback ---------------------------------------------------------------------------------------------------

  /**
   * Writes one dirty page: where writePages is missing. As writePages; AOP_WRITEPAGE_ACTIVATE says that it cannot be written
   * now: it stays dirty, and reclaim is to leave it alone for a while.
   *
   * @see Linux writepage
   */
  writePage?(cache: PageCache, control: WriteControl, wbc: WritebackControl): number | Promise<number>;
  /**
   * Writes a run of dirty pages that follow each other in the file. They are clean and under writeback until this has answered;
   * what is written to them meanwhile makes them dirty again. A page that cannot be written now is given to
   * redirtyPageForWritepage(). A call that may not wait (cache.mayWait) is answered at once, if the store can.
   *
   * @returns bytes written from its start: it is called again for the rest. A negated errno: that is how the run ends, noted
   *   for all who have the file open; -EAGAIN, at once alone, leaves the pages dirty, for another try
   * @see Linux writepages
   */
  writePages?(cache: PageCache, control: WriteControl, wbc: WritebackControl): number | Promise<number>;

  // --- Memory: reclaim, broken frames, compaction; and swap, which does not call its two yet -------------------------------

  /**
   * Should reclaim wait for this page? For file systems that keep what is dirty, or on its way, by marks of their own.
   *
   * @param state as the page is marked; to be changed where that says too much or too little
   * @see Linux is_dirty_writeback
   */
  isDirtyWriteback?(cache: PageCache, page: CachedPage, state: DirtyState): void;
  /**
   * The frame of a page is broken, and nobody will use it again: the page is locked, its bytes are lost, and for a dirty one who
   * has the file open will be told. Missing: the page is cut off (genericErrorRemovePage()), so that its readers have it read anew.
   *
   * @returns 0 when the page has left the cache, or a negated errno
   * @see Linux error_remove_folio (error_remove_page)
   */
  errorRemovePage?(cache: PageCache, page: CachedPage): number;
  /**
   * Moves a page to another frame: its bytes (migratePageCopy()), and what hangs on it. Both are locked and nobody else has a
   * pin; `to` takes the place of `from` in the cache, with its marks and flags, when this has answered. Missing: a dirty page
   * is written first, what hangs on it is released, and the bytes are copied.
   *
   * @param mode MIGRATE_ASYNC: at once, or not
   * @returns 0; -EAGAIN, for another try; a negated errno, and the page stays where it is
   * @see Linux migrate_folio (migratepage)
   */
  migratePage?(cache: PageCache, from: CachedPage, to: CachedPage, mode: MigrateMode): number | Promise<number>;
  /**
   * A page is about to move: the file system takes it out of lists of its own. It is locked.
   *
   * @returns false: it cannot be moved now
   * @see Linux isolate_page
   */
  isolatePage?(cache: PageCache, page: CachedPage, mode: MigrateMode): boolean;
  /** Undoes isolatePage() for a page that was not moved. It is locked. @see Linux putback_page */
  putbackPage?(cache: PageCache, page: CachedPage): void;
  /**
   * A file is about to become a swap area: what writing to it may need is had now, since there will be no memory for it, and
   * its blocks stay where they are until swapDeactivate. Missing: the file cannot be one.
   *
   * @returns how many runs have been added, 0 = its pages go by directIO; a negated errno
   * @see Linux swap_activate
   */
  swapActivate?(cache: PageCache, swap: SwapControl): number | Promise<number>;
  /** The file is no swap area any more; also where swapon has failed after swapActivate. @see Linux swap_deactivate */
  swapDeactivate?(cache: PageCache, file: FileHandle): void | Promise<void>;
}

/** What isDirtyWriteback says of a page. */
export interface DirtyState {
  isDirty: boolean;
  isWriteback: boolean;
}

/** How much a migration may wait: not at all, not for writeback, for all. @see Linux enum migrate_mode */
export const MIGRATE_ASYNC = 0;
export const MIGRATE_SYNC_LIGHT = 1;
export const MIGRATE_SYNC = 2;
export type MigrateMode = typeof MIGRATE_ASYNC | typeof MIGRATE_SYNC_LIGHT | typeof MIGRATE_SYNC;

/** A file on its way to be a swap area. */
export interface SwapControl {
  readonly inode: InodeHandle;
  readonly file: FileHandle;
  /** Pages of the area, from the start of the file. */
  readonly nrPages: number;
  /** Pages that lie behind each other in the store, from `block` on, in pages as well. @see Linux add_swap_extent() */
  addExtent(index: number, nrPages: number, block: number): void;
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

/**
 * What writePage answers instead of bytes when it will not write the page now: more than any run has, since Linux's 0x80000 is
 * 128 pages.
 *
 * @see Linux AOP_WRITEPAGE_ACTIVATE
 */
export const AOP_WRITEPAGE_ACTIVATE = 2 ** 32;
/**
 * What readPage answers instead of bytes when it has lost the page: it may have been truncated meanwhile. Whoever wanted it
 * looks for it anew, as often as readPage says so.
 *
 * @see Linux AOP_TRUNCATED_PAGE
 */
export const AOP_TRUNCATED_PAGE = 2 ** 32 + 1;

/** Pages that are to be written: neighbours in the file, up to its end. */
export interface WriteControl {
  readonly inode: InodeHandle;
  /** Index of the first page. */
  readonly index: number;
  readonly nrPages: number;
  /** Frame of each page. */
  readonly pfns: readonly number[];
  /** First byte in the file. */
  readonly position: number;
  /** Bytes: the last page ends where the file does. */
  readonly length: number;
  /** The bytes, as few arrays as may be. Memory may grow while a store waits: ask anew. */
  views(): Uint8Array[];
}

/** Write what can be had without waiting. */
export const WB_SYNC_NONE = 0;
/** Write all of it: pages that somebody else has in hand are waited for. */
export const WB_SYNC_ALL = 1;

/** How much is to be written, and what for. @see Linux struct writeback_control */
export interface WritebackControl {
  readonly syncMode: typeof WB_SYNC_NONE | typeof WB_SYNC_ALL;
  /** Pages that are still to be written, for WB_SYNC_NONE; counts down. */
  nrToWrite: number;
  /** First byte. */
  readonly rangeStart: number;
  /** Last byte; Infinity = all. */
  readonly rangeEnd: number;
  /** Go on where the last writeback of the file has stopped, and round. */
  readonly rangeCyclic?: boolean;
  /** For the page reclaim that wants its memory. */
  readonly forReclaim?: boolean;
  /** Because more is dirty than vm.dirty_background_bytes or _ratio. */
  readonly forBackground?: boolean;
  /** Because it is older than vm.dirty_expire_centisecs. */
  readonly forKupdate?: boolean;
  /** For sync(2) and its like. */
  readonly forSync?: boolean;
  /** Pages that were not written, and are dirty again. */
  pagesSkipped: number;
}
