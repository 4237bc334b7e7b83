/**
 * Writing back the dirty pages of one file: run by run of neighbours, and waiting for it.
 *
 * Who syncs (WB_SYNC_ALL) first gives all that is dirty the mark TOWRITE, and writes what has that mark: what writers make
 * dirty meanwhile is not its business, so that it comes to an end.
 *
 * Calls are made again from the start after they have waited; how far they have come hangs on their Progress.
 *
 * Does not own: one run's way to the store (write-run.ts), errors (wb-err.ts), which files are written when (flusher.ts).
 *
 * @see Linux mm/page-writeback.c write_cache_pages(), mm/filemap.c filemap_write_and_wait_range()
 */
import { EAGAIN, EINVAL, EIO, ESPIPE } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../base/stat-flags.ts";
import {
  INODE_MODE,
  INODE_SIZE,
  PAGE_SIZE,
  PG_DIRTY,
  PG_LOCKED,
  PG_WRITEBACK,
  XA_MARK_DIRTY,
  XA_MARK_TOWRITE,
  XA_MARK_WRITEBACK,
} from "../wasm/layout.ts";
import { type PageCache, WB_SYNC_ALL, WB_SYNC_NONE, type WritebackControl } from "./address-space.ts";
import type { BackingDevice } from "./backing-dev.ts";
import { inodeOfFile, pageFlags } from "./page.ts";
import { cancelDirtyPage } from "./page-dirty.ts";
import { LAST_INDEX, nextMarked } from "./page-state.ts";
import type { Progress } from "./progress.ts";
import { fileCheckAndAdvanceWbErr, filemapCheckErrors } from "./wb-err.ts";
import { writeRun } from "./write-run.ts";

/** Most pages of one call of writePages: 4 MiB. */
const MAX_RUN_PAGES = 1024;

/** Where a pass over the dirty pages of a file stands, pages. */
export interface Scan {
  next: number;
  last: number;
  /** The pages have their mark TOWRITE. */
  isTagged: boolean;
  /** The first error, which does not stop a sync. */
  rc: number;
}

/** A pass over what `wbc` says. */
export function newScan(wbc: WritebackControl): Scan {
  const last = Math.min(LAST_INDEX, Math.floor(wbc.rangeEnd / PAGE_SIZE));
  return { next: Math.floor(wbc.rangeStart / PAGE_SIZE), last, isTagged: false, rc: 0 };
}

/**
 * Writes dirty pages, in the order of the file.
 *
 * @param scan a new one, or the one with which the call had to wait
 * @returns 0; the first errno of the store; -EAGAIN with a token: WB_SYNC_ALL waits for a page that somebody has in hand, or
 *   for a cut
 */
export function writeCachePages(cache: PageCache, inode: InodeHandle, wbc: WritebackControl, scan: Scan): number {
  const bdi = cache.bdiOf(inode);
  if (bdi === undefined || bdi.noWriteback) return 0;
  const { core } = cache;
  const isSync = wbc.syncMode === WB_SYNC_ALL;
  const cut = bdi.host.cutOf(inode);
  if (cut !== undefined) {
    if (!isSync) return 0;
    cache.setWaitToken(cut);
    return -EAGAIN;
  }
  const mark = isSync ? XA_MARK_TOWRITE : XA_MARK_DIRTY;
  if (isSync && !scan.isTagged) core.x.indexTag(inode, scan.next, scan.last, XA_MARK_DIRTY, XA_MARK_TOWRITE);
  scan.isTagged = true;
  for (;;) {
    const index = nextMarked(core, inode, scan.next, scan.last, mark);
    if (index < 0) break;
    scan.next = index;
    const rc = writeNext(cache, bdi, inode, wbc, scan, mark);
    if (rc === -EAGAIN) return rc;
    scan.rc ||= rc;
    if (!isSync && (rc < 0 || wbc.nrToWrite <= 0)) break;
  }
  bdi.inodeWritten(inode);
  return scan.rc;
}

/** Writes the run that begins at scan.next, which moves behind it. */
function writeNext(
  cache: PageCache,
  bdi: BackingDevice,
  inode: InodeHandle,
  wbc: WritebackControl,
  scan: Scan,
  mark: number,
): number {
  const { core } = cache;
  const operations = bdi.host.operationsOf(inode);
  const isSync = wbc.syncMode === WB_SYNC_ALL;
  const index = scan.next;
  const most = operations.writePages === undefined ? 1 : MAX_RUN_PAGES;
  const max = isSync ? most : Math.max(1, Math.min(most, wbc.nrToWrite));
  const pfns: number[] = [];
  for (let at = index; at <= scan.last && pfns.length < max; at++) {
    const pfn = core.x.indexGetMark(inode, at, mark) ? readyToWrite(cache, inode, at, isSync) : 0;
    if (pfn === -EAGAIN && pfns.length === 0) return pfn;
    if (pfn <= 0) break;
    pfns.push(pfn);
  }
  scan.next = index + Math.max(1, pfns.length);
  if (pfns.length === 0) return 0;
  const rc = writeRun(cache, bdi, operations, inode, index, pfns, wbc);
  wbc.nrToWrite -= pfns.length;
  if (rc !== -EAGAIN || !isSync) return rc;
  for (let i = 0; i < pfns.length; i++) core.x.indexSetMark(inode, index + i, XA_MARK_TOWRITE);
  scan.next = index;
  return rc;
}

/** @returns the frame of a page that can be written; 0 = it is not to be; -EAGAIN, with a token: somebody has it in hand */
function readyToWrite(cache: PageCache, inode: InodeHandle, index: number, isSync: boolean): number {
  const { core } = cache;
  const pfn = core.x.findPage(inode, index);
  const flags = pfn === 0 ? 0 : pageFlags(core, pfn);
  if (flags & (PG_LOCKED | PG_WRITEBACK) && flags & PG_DIRTY) return isSync ? waitForWrite(cache, pfn) : 0;
  if (!(flags & PG_DIRTY) || index * PAGE_SIZE >= core.f64[(inode << 2) + INODE_SIZE]) {
    core.x.indexClearMark(inode, index, XA_MARK_TOWRITE);
    if (flags & PG_DIRTY) cancelDirtyPage(cache, inode, pfn); // beyond the end: not written
    return 0;
  }
  return pfn;
}

function waitForWrite(cache: PageCache, pfn: number): number {
  const token = cache.pageReads.tokens.get(pfn);
  if (token !== undefined) cache.setWaitToken(token);
  return -EAGAIN;
}

/**
 * Waits for one page, if it is being written: before it changes, where pages must be stable, or goes.
 *
 * @returns 0; -EAGAIN with a token
 * @see Linux folio_wait_writeback()
 */
export function waitOnPageWriteback(cache: PageCache, pfn: number): number {
  return pageFlags(cache.core, pfn) & PG_WRITEBACK ? waitForWrite(cache, pfn) : 0;
}

/**
 * Before a file is cut: what is being written of what goes would make it long again.
 *
 * @param size bytes that stay
 * @returns 0; -EAGAIN with the token of one of the writes
 * @see Linux mm/truncate.c truncate_inode_pages_range(), which waits for each page
 */
export function waitForWritesBehind(cache: PageCache, inode: InodeHandle, size: number): number {
  const { core } = cache;
  const index = nextMarked(core, inode, Math.floor(size / PAGE_SIZE), LAST_INDEX, XA_MARK_WRITEBACK);
  return index < 0 ? 0 : waitOnPageWriteback(cache, core.x.findPage(inode, index));
}

/** As waitOnPageWriteback(), where the device wants pages that do not change while they are written. @see Linux folio_wait_stable() */
export function waitForStablePage(cache: PageCache, inode: InodeHandle, pfn: number): number {
  return cache.bdiOf(inode)?.stablePages ? waitOnPageWriteback(cache, pfn) : 0;
}

/**
 * Begins to write what is dirty of bytes [from, to]; nobody waits.
 *
 * @returns 0, or the errno that the store has answered at once
 * @see Linux __filemap_fdatawrite_range(), WB_SYNC_NONE; filemap_flush()
 */
export function filemapFlushRange(cache: PageCache, inode: InodeHandle, from: number, to: number): number {
  const wbc = control(WB_SYNC_NONE, from, to);
  const rc = writeCachePages(cache, inode, wbc, newScan(wbc));
  return rc === -EAGAIN ? 0 : rc;
}

function control(syncMode: typeof WB_SYNC_NONE | typeof WB_SYNC_ALL, from: number, to: number): WritebackControl {
  return { syncMode, nrToWrite: Infinity, rangeStart: from, rangeEnd: to, pagesSkipped: 0 };
}

const WRITING = 0;
const WAITING = 1;
const DONE = 2;

/** How far a call has come with writing a range, and waiting for it. */
interface RangeSync {
  readonly inode: InodeHandle;
  readonly from: number;
  readonly to: number;
  readonly wbc: WritebackControl;
  readonly scan: Scan;
  phase: typeof WRITING | typeof WAITING | typeof DONE;
  /** Next page whose writeback it waits for. */
  waitIndex: number;
}

const syncs = new WeakMap<Progress, RangeSync>();

function resume(cache: PageCache, inode: InodeHandle, from: number, to: number): RangeSync {
  const before = cache.progress === undefined ? undefined : syncs.get(cache.progress);
  if (before !== undefined && before.inode === inode && before.from === from && before.to === to) return before;
  const wbc = control(WB_SYNC_ALL, from, to);
  const scan = newScan(wbc);
  const sync: RangeSync = { inode, from, to, wbc, scan, phase: WRITING, waitIndex: scan.next };
  if (cache.progress !== undefined) syncs.set(cache.progress, sync);
  return sync;
}

/** The call is over with its range. */
export function endRangeSync({ progress }: PageCache): void {
  if (progress !== undefined) syncs.delete(progress);
}

/**
 * Writes a range, and waits until it has been: -EIO stops, since the store is broken; want of room does not.
 *
 * @returns 0 or the errno that the store has answered at once; -EAGAIN with a token
 */
function writeAndWait(cache: PageCache, inode: InodeHandle, from: number, to: number): number {
  const sync = resume(cache, inode, from, to);
  if (sync.phase === WRITING) {
    const rc = writeCachePages(cache, inode, sync.wbc, sync.scan);
    if (rc === -EAGAIN) return rc;
    sync.phase = rc === -EIO ? DONE : WAITING;
  }
  if (sync.phase === WAITING) {
    const rc = waitForRange(cache, sync);
    if (rc < 0) return rc;
    sync.phase = DONE;
  }
  return sync.scan.rc;
}

/** Waits for each page of the range that is being written, once. */
function waitForRange(cache: PageCache, sync: RangeSync): number {
  const { core } = cache;
  const { inode, scan } = sync;
  for (;;) {
    const index = nextMarked(core, inode, sync.waitIndex, scan.last, XA_MARK_WRITEBACK);
    if (index < 0) return 0;
    sync.waitIndex = index + 1;
    const rc = waitOnPageWriteback(cache, core.x.findPage(inode, index));
    if (rc < 0) return rc;
  }
}

/**
 * Waits for what is being written of bytes [from, to]; a call that is made again waits anew for what has begun since.
 *
 * @returns 0; -EAGAIN with a token
 */
export function filemapFdatawaitRange(cache: PageCache, inode: InodeHandle, from: number, to: number): number {
  const sync = resume(cache, inode, from, to);
  return waitForRange(cache, sync);
}

/**
 * Writes back what is dirty of bytes [from, to], and waits for it: for callers without an open file.
 *
 * @param to Infinity = all
 * @returns 0; -EAGAIN with a token; -EIO or -ENOSPC, of what has failed since somebody without a file asked last
 * @see Linux filemap_write_and_wait_range()
 */
export function filemapWriteAndWaitRange(cache: PageCache, inode: InodeHandle, from: number, to: number): number {
  const rc = writeAndWait(cache, inode, from, to);
  if (rc === -EAGAIN) return rc;
  endRangeSync(cache);
  const noted = filemapCheckErrors(cache.core, inode);
  return rc || noted;
}

/**
 * As filemapWriteAndWaitRange(), for an open file, which hears of each failure once. Until endRangeSync() a call that is made
 * again does not write anew.
 *
 * @returns 0; -EAGAIN with a token; what has failed since the file was told last
 * @see Linux file_write_and_wait_range()
 */
export function fileWriteAndWaitRange(cache: PageCache, file: FileHandle, from: number, to: number): number {
  const rc = writeAndWait(cache, inodeOfFile(cache.core, file), from, to);
  if (rc === -EAGAIN) return rc;
  const noted = fileCheckAndAdvanceWbErr(cache.core, file);
  return rc || noted;
}

export const SYNC_FILE_RANGE_WAIT_BEFORE = 1;
export const SYNC_FILE_RANGE_WRITE = 2;
export const SYNC_FILE_RANGE_WAIT_AFTER = 4;

/**
 * sync_file_range(2): writes bytes of a file, without its attributes.
 *
 * @param offset bytes, at least 0 @param length bytes, 0 = to the end
 * @param flags union of SYNC_FILE_RANGE_*
 * @returns 0; -EINVAL; -ESPIPE; -EAGAIN with a token; what has failed since the file was told last
 */
export function syncFileRange(
  cache: PageCache,
  file: FileHandle,
  offset: number,
  length: number,
  flags: number,
): number {
  const { core } = cache;
  const isAll = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  if (flags & ~isAll || offset < 0 || length < 0 || !Number.isSafeInteger(offset + length)) return -EINVAL;
  const inode = inodeOfFile(core, file);
  const type = core.u32[(inode << 3) + INODE_MODE] & S_IFMT;
  if (type !== S_IFREG && type !== S_IFDIR && type !== S_IFLNK) return -ESPIPE;
  const to = length === 0 ? Infinity : offset + length - 1;
  const rc = syncPhases(cache, inode, offset, to, flags);
  if (rc === -EAGAIN) return rc;
  endRangeSync(cache);
  const waits = flags & (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER);
  return waits ? fileCheckAndAdvanceWbErr(core, file) || rc : rc;
}

/** Before, write, after: each once. */
function syncPhases(cache: PageCache, inode: InodeHandle, from: number, to: number, flags: number): number {
  const sync = resume(cache, inode, from, to);
  if (sync.phase === WRITING) {
    const waited = flags & SYNC_FILE_RANGE_WAIT_BEFORE ? waitForRange(cache, sync) : 0;
    if (waited < 0) return waited;
    // Where all three are asked for the data is to be safe, and pages that somebody has in hand are waited for.
    const isSafe = (flags & 7) === 7;
    const rc = flags & SYNC_FILE_RANGE_WRITE ? writeForRange(cache, sync, isSafe) : 0;
    if (rc === -EAGAIN) return rc;
    sync.phase = flags & SYNC_FILE_RANGE_WAIT_AFTER && rc === 0 ? WAITING : DONE;
    sync.waitIndex = Math.floor(from / PAGE_SIZE);
  }
  if (sync.phase === WAITING) {
    const rc = waitForRange(cache, sync);
    if (rc < 0) return rc;
    sync.phase = DONE;
  }
  return sync.scan.rc;
}

function writeForRange(cache: PageCache, sync: RangeSync, isSafe: boolean): number {
  if (isSafe) return writeCachePages(cache, sync.inode, sync.wbc, sync.scan);
  sync.scan.rc = filemapFlushRange(cache, sync.inode, sync.from, sync.to);
  return sync.scan.rc;
}
