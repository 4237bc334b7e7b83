/**
 * Backing devices: what the pages of mounted file systems are written back to, with the inodes that wait for it.
 *
 *   b_dirty     inodes in the order in which they became dirty
 *   b_io        those that writeback is about to write
 *   b_more_io   those that it has not come to the end of
 *
 * The lists run through the inodes' records (ioNext, ioPrev); a device, its ends of the lists, its counters and its timer go
 * with the mount, and are never in a snapshot. An inode that is clean again may stay on a list until writeback comes by.
 *
 * Does not own: what is dirty (page-dirty.ts), who writes it (writeback.ts), when that is done unasked (flusher.ts).
 *
 * @see Linux mm/backing-dev.c, include/linux/backing-dev-defs.h struct bdi_writeback
 */
import type { InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  I_DIRTY_DATASYNC,
  I_DIRTY_PAGES,
  I_DIRTY_SYNC,
  I_FREEING,
  INODE_DIRTIED_CS,
  INODE_SB_NEXT,
  INODE_STATE,
  SUPER_BLOCK_INODES,
  XA_MARK_DIRTY,
} from "../wasm/layout.ts";
import type { AddressSpaceOperations, PageCache } from "./address-space.ts";
import { InodeList, isListed } from "./inode-list.ts";
import { addStoreNumbers, type StoreNumbers } from "./io-counters.ts";
import { nrMarked } from "./page-state.ts";
import type { VmLimits } from "./vm-limits.ts";

/** All of I_DIRTY_*. */
export const I_DIRTY = I_DIRTY_SYNC | I_DIRTY_DATASYNC | I_DIRTY_PAGES;

/** What a file system says of its device. */
export interface BackingDeviceOptions {
  /** As in `kernel.bdi`; default: the type's name and the device number. */
  readonly name?: string;
  /** Most pages to be read ahead; default 32. */
  readonly raPages?: number;
  /** Pages must not change while they are written (checksums): writers wait. @see Linux BDI_CAP_STABLE_WRITES */
  readonly stablePages?: boolean;
  /** Nobody writes dirty pages, whatever their number or age. @see Linux BDI_CAP_NO_WRITEBACK */
  readonly noWriteback?: boolean;
  /** Dirty pages do not count, and hold no writer up. @see Linux BDI_CAP_NO_ACCT_DIRTY */
  readonly noAccounting?: boolean;
  /** The file system's own, by the names that `kernel.vmstat()` gives them: those of several devices are added up. */
  readonly counters?: Readonly<Record<string, number>>;
  /** The device has come to its end, with its mount or its memory. */
  ended?(): void;
}

/** Counters of one device: pages, and calls of its store. */
export interface BackingDeviceNumbers extends Readonly<StoreNumbers> {
  readonly name: string;
  /** Wait to be written. */
  readonly dirty: number;
  /** Are being written. */
  readonly writeback: number;
  /** Became dirty since the mount. */
  readonly dirtied: number;
  /** Written since then. */
  readonly written: number;
  /** Were dirty when their file was removed. */
  readonly cancelled: number;
}

/** What a device needs of the file system above: made by superSetupBdi(). */
export interface BackingDeviceHost {
  readonly cache: PageCache;
  /** Those of all mounts. */
  devices(): Iterable<BackingDevice>;
  /** Handle of the super block. */
  readonly sb: number;
  operationsOf(inode: InodeHandle): AddressSpaceOperations;
  /** Pages of an inode that goes are cut off one by one (truncate.ts), and not by the core. */
  readonly cutsPages: boolean;
  /** Is nothing to be written at present? Who lets it go on arms the flusher. */
  isFrozen(): boolean;
  /** What a store is cutting a file for, as long as that takes: what is written meanwhile could make it long again. */
  cutOf(inode: InodeHandle): Promise<void> | undefined;
  /** Writes the attributes of a dirty inode. @returns 0 or a negated errno */
  writeInode(inode: InodeHandle, isSync: boolean): number;
  /** Milliseconds, the kernel's clock. */
  now(): number;
  /** What a store has asked to be waited for. Nobody does: it is forgotten. */
  takeWaitToken(): Promise<void> | undefined;
  /** An error that nobody is there to be told of. */
  countFailedEnd(): void;
}

/** What writes back without being asked: flusher.ts. */
export interface Flusher {
  /** Comes by when the oldest may be old enough. */
  arm(): void;
  /** Comes by soon: too much is dirty. */
  wake(): void;
  stop(): void;
  /** Writes all dirty pages (sync-bdi.ts). */
  sync(isWait: boolean): number;
  /** Writes or drops the pages of an inode that goes (sync-bdi.ts). */
  evict(inode: InodeHandle, hasName: boolean): Promise<void> | undefined;
}

/** What a store is writing. */
export interface WriteInFlight {
  readonly inode: InodeHandle;
  readonly over: Promise<void>;
}

/** @see Linux struct backing_dev_info, struct bdi_writeback */
export class BackingDevice {
  readonly host: BackingDeviceHost;
  readonly core: Core;
  readonly limits: VmLimits;
  readonly name: string;
  readonly raPages: number | undefined;
  readonly stablePages: boolean;
  readonly noWriteback: boolean;
  readonly noAccounting: boolean;
  readonly counters: Readonly<Record<string, number>>;
  readonly #ended: (() => void) | undefined;
  readonly dirty: InodeList;
  readonly io: InodeList;
  readonly moreIo: InodeList;
  readonly inFlight = new Set<WriteInFlight>();
  /** Where the next cyclic writeback of an inode begins, pages: a hint. */
  readonly writebackIndex = new Map<InodeHandle, number>();
  nrDirtied = 0;
  nrWriteback = 0;
  nrWritten = 0;
  nrCancelled = 0;
  readonly store: StoreNumbers = { reads: 0, readBytes: 0, writes: 0, writtenBytes: 0 };
  /** Runs that could not be written, and why the last could not. */
  nrFailed = 0;
  lastErrno = 0;
  flusher: Flusher | undefined = undefined;

  constructor(host: BackingDeviceHost, limits: VmLimits, name: string, options: BackingDeviceOptions) {
    const { core } = host.cache;
    this.host = host;
    this.core = core;
    this.limits = limits;
    this.name = name;
    this.raPages = options.raPages;
    this.stablePages = options.stablePages === true;
    this.noWriteback = options.noWriteback === true;
    this.noAccounting = options.noAccounting === true;
    this.counters = options.counters ?? {};
    this.#ended = options.ended;
    this.dirty = new InodeList(core);
    this.io = new InodeList(core);
    this.moreIo = new InodeList(core);
  }

  /** An inode has been marked: it goes on b_dirty with its time, unless it is on a list already, or on its way out. */
  inodeDirtied(inode: InodeHandle): void {
    const at = inode << 3;
    if (this.noWriteback || this.core.u32[at + INODE_STATE] & I_FREEING) return;
    if (!isListed(this.core, inode)) {
      this.core.u32[at + INODE_DIRTIED_CS] = this.nowCs();
      this.dirty.addHead(inode);
    }
    this.flusher?.arm();
  }

  /** Takes an inode off its list. */
  forget(inode: InodeHandle): void {
    this.writebackIndex.delete(inode);
    if (isListed(this.core, inode)) this.#listOf(inode).remove(inode);
  }

  /** Moves an inode to a list, from wherever it is. */
  moveTo(list: InodeList, inode: InodeHandle): void {
    if (isListed(this.core, inode)) this.#listOf(inode).remove(inode);
    list.addHead(inode);
  }

  /** The inode's pages and attributes may be clean now: then it goes from its list. */
  inodeWritten(inode: InodeHandle): void {
    const at = (inode << 3) + INODE_STATE;
    if (this.core.x.indexMarked(inode, XA_MARK_DIRTY) === 0) this.core.u32[at] &= ~I_DIRTY_PAGES;
    if (!(this.core.u32[at] & I_DIRTY)) this.forget(inode);
  }

  /** The list that an inode is to be taken off: only at its ends does it matter which it is on, and nobody has to look for them. */
  #listOf(inode: InodeHandle): InodeList {
    if (this.io.hasEnd(inode)) return this.io;
    return this.moreIo.hasEnd(inode) ? this.moreIo : this.dirty;
  }

  isListed(inode: InodeHandle): boolean {
    return isListed(this.core, inode);
  }

  /** Is there anything on the lists? */
  get hasDirtyInodes(): boolean {
    return !(this.dirty.isEmpty && this.io.isEmpty && this.moreIo.isEmpty);
  }

  /** Inodes on the lists, oldest first, b_io before the others: as they are now. */
  dirtyInodes(): InodeHandle[] {
    return [...this.io.fromTail(), ...this.moreIo.fromTail(), ...this.dirty.fromTail()];
  }

  /** Hundredths of a second, modulo 2^32, as in an inode's dirtiedCs. */
  nowCs(): number {
    return Math.floor(this.host.now() / 10) >>> 0;
  }

  /** All that a store is writing now, of one inode or of all. @returns undefined when that is nothing */
  writesOf(inode?: InodeHandle): Promise<void> | undefined {
    const writes = [...this.inFlight].filter((write) => inode === undefined || write.inode === inode);
    return writes.length === 0 ? undefined : Promise.all(writes.map(({ over }) => over)).then(() => undefined);
  }

  numbers(): BackingDeviceNumbers {
    const { name, nrWriteback: writeback, nrDirtied: dirtied, nrWritten: written, nrCancelled: cancelled } = this;
    let dirty = 0;
    for (const inode of this.#inodes()) dirty += nrMarked(this.core, inode, XA_MARK_DIRTY);
    return { name, dirty, writeback, dirtied, written, cancelled, ...this.store };
  }

  /** Adds its counters to those of the kernel. */
  addTo(stat: Record<string, number>): void {
    stat.nr_writeback += this.nrWriteback;
    stat.nr_dirtied += this.nrDirtied;
    stat.nr_written += this.nrWritten;
    stat.nr_cancelled = (stat.nr_cancelled ?? 0) + this.nrCancelled;
    for (const [name, n] of Object.entries(this.counters)) stat[name] = (stat[name] ?? 0) + n;
    addStoreNumbers(this.core, this.store, stat);
  }

  /** Writes all dirty pages. @returns as syncDevice() */
  sync(isWait: boolean): number {
    return this.flusher?.sync(isWait) ?? 0;
  }

  /** The pages of an inode that goes are written, if it has a name. @returns the promise of that, where it takes time */
  evict(inode: InodeHandle, hasName: boolean): Promise<void> | undefined {
    return this.flusher?.evict(inode, hasName);
  }

  /** The end of the device: nobody writes any more. */
  unregister(): void {
    this.flusher?.stop();
    this.flusher = undefined;
    this.#ended?.();
  }

  /** @throws Error for a list that is broken, and an inode with dirty pages that is on none */
  verify(): void {
    const listed = new Set<InodeHandle>();
    for (const list of [this.dirty, this.io, this.moreIo]) list.verify(listed);
    for (const inode of this.#inodes()) {
      const state = this.core.u32[(inode << 3) + INODE_STATE];
      if (state & I_FREEING || this.noWriteback) continue;
      const isDirty = this.core.x.indexMarked(inode, XA_MARK_DIRTY) === 1;
      if (isDirty && !(state & I_DIRTY_PAGES)) throw new Error("bdi: dirty pages of an inode that is not");
      if ((isDirty || state & I_DIRTY) && !listed.has(inode)) throw new Error("bdi: a dirty inode is on no list");
    }
    let nr = 0;
    for (const inode of this.#inodes()) nr += nrMarked(this.core, inode, XA_MARK_DIRTY);
    if (nr > this.nrDirtied && !this.noAccounting) throw new Error("bdi: more is dirty than ever became so");
  }

  *#inodes(): Generator<InodeHandle> {
    const { u32 } = this.core;
    let inode = (u32[(this.host.sb << 3) + SUPER_BLOCK_INODES] >>> 5) as InodeHandle;
    while (inode !== 0) {
      yield inode;
      inode = (this.core.u32[(inode << 3) + INODE_SB_NEXT] >>> 5) as InodeHandle;
    }
  }
}
