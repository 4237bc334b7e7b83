/**
 * Writing back without being asked: what is too old, and what is too much.
 *
 *   timer ─► b_dirty, those old enough ─► b_io ─► written, some pages at a time ─┬► clean: off the lists
 *                                                                              ├► more of it: b_more_io
 *                                                                              └► not now: b_dirty, as if dirty since now
 *
 * The timer runs while something is dirty, and never keeps a process alive. It works in slices of 2 ms, between which the
 * program goes on: stores that answer at once are not waited for longer.
 *
 * Does not own: the pages of one file (writeback.ts), the numbers (vm-limits.ts).
 *
 * @see Linux fs/fs-writeback.c wb_writeback(), queue_io(), writeback_sb_inodes()
 */
import type { InodeHandle } from "../base/handles.ts";
import {
  I_DIRTY_DATASYNC,
  I_DIRTY_SYNC,
  I_FREEING,
  I_NEW,
  INODE_DIRTIED_CS,
  INODE_STATE,
  KERNEL_BLOCK,
  KERNEL_NR_DIRTY,
  XA_MARK_DIRTY,
} from "../wasm/layout.ts";
import { WB_SYNC_NONE, type WritebackControl } from "./address-space.ts";
import type { BackingDevice, Flusher } from "./backing-dev.ts";
import { evictPages, syncDevice } from "./sync-bdi.ts";
import type { VmLimits } from "./vm-limits.ts";
import { newScan, writeCachePages } from "./writeback.ts";

type Timer = { unref?(): void } | number;

/** Read once: what test runners put in their place later is theirs. */
const { setTimeout, clearTimeout } = globalThis as unknown as {
  setTimeout(callback: () => void, ms: number): Timer;
  clearTimeout(timer: Timer): void;
};
const clock = typeof performance === "undefined" ? Date.now : performance.now.bind(performance);

const SLICE_MS = 2;
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Pages of one file at a time, before the next has its turn. @see Linux MAX_WRITEBACK_PAGES, writeback_chunk_size() */
const CHUNK_PAGES = 1024;

/** What is to be written. */
export interface Work {
  /** Inodes that became dirty later stay, hundredths of a second; undefined = none do. */
  readonly olderThanCs: number | undefined;
  /** Pages that are still to be written; counts down. */
  nrPages: number;
  readonly forBackground: boolean;
  readonly isEnough: () => boolean;
}

/** Writes inodes of a device, oldest first. @returns false when there is more that could be written now */
export function writebackInodes(bdi: BackingDevice, work: Work): boolean {
  queueIo(bdi, work.olderThanCs);
  while (!bdi.io.isEmpty) {
    if (work.nrPages <= 0 || work.isEnough()) {
      giveBack(bdi);
      return false;
    }
    writeOne(bdi, bdi.io.tail, work);
  }
  return bdi.moreIo.isEmpty;
}

/** What it has not come to is as it was: perhaps too young for who comes next. */
function giveBack(bdi: BackingDevice): void {
  for (const inode of [...bdi.io.fromTail()].reverse()) {
    bdi.io.remove(inode);
    bdi.dirty.addTail(inode);
  }
}

/** Lines up for writing what is old enough, and behind it what was not written to its end. @see Linux queue_io() */
function queueIo(bdi: BackingDevice, olderThanCs: number | undefined): void {
  for (const inode of bdi.dirty.fromTail()) {
    const dirtied = bdi.core.u32[(inode << 3) + INODE_DIRTIED_CS];
    if (olderThanCs !== undefined && (olderThanCs - dirtied) >> 0 < 0) break;
    bdi.moveTo(bdi.io, inode);
  }
  for (const inode of bdi.moreIo.fromTail()) bdi.moveTo(bdi.io, inode);
}

/** @see Linux __writeback_single_inode(), requeue_inode() */
function writeOne(bdi: BackingDevice, inode: InodeHandle, work: Work): void {
  const { core, host } = bdi;
  const at = (inode << 3) + INODE_STATE;
  if (core.u32[at] & (I_FREEING | I_NEW)) {
    bdi.forget(inode);
    return;
  }
  bdi.moveTo(bdi.moreIo, inode);
  core.x.inodeGrab(inode); // held, whatever its writing does
  const nr = Math.min(CHUNK_PAGES, work.nrPages);
  const wbc: WritebackControl = {
    syncMode: WB_SYNC_NONE,
    nrToWrite: nr,
    rangeStart: 0,
    rangeEnd: Infinity,
    rangeCyclic: true,
    forBackground: work.forBackground,
    forKupdate: !work.forBackground,
    pagesSkipped: 0,
  };
  const rc = writeCyclic(bdi, inode, wbc);
  work.nrPages -= nr - wbc.nrToWrite;
  const isAttributeDirty = (core.u32[at] & (I_DIRTY_SYNC | I_DIRTY_DATASYNC)) !== 0;
  if (isAttributeDirty) host.writeInode(inode, false);
  host.takeWaitToken();
  bdi.inodeWritten(inode);
  const isMore = wbc.nrToWrite <= 0 && rc === 0 && core.x.indexMarked(inode, XA_MARK_DIRTY) === 1;
  if (!isMore) requeue(bdi, inode);
  core.x.iput(inode);
}

/** Goes on where the last pass over the file has stopped, and then from its start. */
function writeCyclic(bdi: BackingDevice, inode: InodeHandle, wbc: WritebackControl): number {
  const { cache } = bdi.host;
  const scan = newScan(wbc);
  const start = bdi.writebackIndex.get(inode) ?? 0;
  scan.next = start;
  let rc = writeCachePages(cache, inode, wbc, scan);
  if (rc === 0 && wbc.nrToWrite > 0 && start > 0) {
    const first = { ...newScan(wbc), last: start - 1 };
    rc = writeCachePages(cache, inode, wbc, first);
    scan.next = first.next;
  }
  if (wbc.nrToWrite <= 0) bdi.writebackIndex.set(inode, scan.next);
  else bdi.writebackIndex.delete(inode);
  return rc;
}

/** What is dirty still has to wait as if it had become so now. @see Linux redirty_tail() */
function requeue(bdi: BackingDevice, inode: InodeHandle): void {
  if (!bdi.isListed(inode)) return;
  bdi.core.u32[(inode << 3) + INODE_DIRTIED_CS] = bdi.nowCs();
  bdi.moveTo(bdi.dirty, inode);
}

/** Pages that are dirty or being written, of all devices that count them. */
export function nrReclaimable({ core, host }: BackingDevice): number {
  let nr = core.u32[(KERNEL_BLOCK >>> 2) + KERNEL_NR_DIRTY];
  for (const bdi of host.devices()) if (!bdi.noAccounting) nr += bdi.nrWriteback;
  return nr;
}

/** The flusher of one device. */
export class DeviceFlusher implements Flusher {
  readonly #bdi: BackingDevice;
  readonly #limits: VmLimits;
  #timer: Timer | undefined;
  #isSoon = false;
  #isRunning = false;

  constructor(bdi: BackingDevice) {
    this.#bdi = bdi;
    this.#limits = bdi.limits;
  }

  arm(): void {
    const centisecs = this.#limits.dirty_writeback_centisecs;
    if (this.#timer !== undefined || centisecs === 0 || this.#isRunning) return;
    this.#start(Math.min(MAX_TIMER_MS, centisecs * 10));
  }

  wake(): void {
    if (this.#isSoon || this.#isRunning) return;
    this.stop();
    this.#isSoon = true;
    this.#start(0);
  }

  stop(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isSoon = false;
  }

  sync(isWait: boolean): number {
    return syncDevice(this.#bdi, isWait);
  }

  evict(inode: InodeHandle, hasName: boolean): Promise<void> | undefined {
    return evictPages(this.#bdi, inode, hasName);
  }

  #start(ms: number): void {
    this.#timer = setTimeout(() => this.#run(), ms);
    if (typeof this.#timer === "object") this.#timer.unref?.();
  }

  #run(): void {
    this.#timer = undefined;
    this.#isSoon = false;
    const bdi = this.#bdi;
    if (bdi.host.cache.core !== bdi.core || bdi.flusher !== this) return; // another memory, or no mount
    if (bdi.host.isFrozen()) return;
    this.#isRunning = true;
    const end = clock() + SLICE_MS;
    const isOver = () => clock() >= end;
    const isDone = this.#writeTooMuch(isOver) && this.#writeTooOld(isOver);
    this.#isRunning = false;
    if (!isDone) this.wake();
    else if (bdi.hasDirtyInodes) this.arm();
  }

  #isTooMuch(): boolean {
    const { core } = this.#bdi;
    return core.u32[(KERNEL_BLOCK >>> 2) + KERNEL_NR_DIRTY] > this.#limits.thresholds(core).background;
  }

  /** @see Linux wb_check_background_flush() */
  #writeTooMuch(isOver: () => boolean): boolean {
    if (!this.#isTooMuch()) return true;
    const isEnough = () => isOver() || !this.#isTooMuch();
    const before = this.#bdi.nrWritten + this.#bdi.nrWriteback;
    writebackInodes(this.#bdi, { olderThanCs: undefined, nrPages: Infinity, forBackground: true, isEnough });
    // A store that takes nothing at present is not asked again and again.
    return !this.#isTooMuch() || this.#bdi.nrWritten + this.#bdi.nrWriteback === before;
  }

  /** @see Linux wb_check_old_data_flush() */
  #writeTooOld(isOver: () => boolean): boolean {
    const { dirty_expire_centisecs, dirty_writeback_centisecs } = this.#limits;
    if (dirty_writeback_centisecs === 0) return true;
    const olderThanCs = (this.#bdi.nowCs() - dirty_expire_centisecs) >>> 0;
    return writebackInodes(this.#bdi, { olderThanCs, nrPages: Infinity, forBackground: false, isEnough: isOver });
  }
}
