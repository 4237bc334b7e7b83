/**
 * Reads and writes round the page cache, of files opened with O_DIRECT: between the store and the caller's buffer.
 *
 *   read     what is dirty there is written back ─► the store reads ─► what it has left out is read from pages
 *   write    written back, and dropped from the cache ─► the store writes ─► dropped again: a reader may have come between
 *                └─ a page cannot be dropped, or the store has left something out ─► by pages, which are written and dropped
 *
 * A store may answer later. What it has done then holds, whoever has given up waiting: pages are dropped and the file has
 * grown when its promise settles; a call that is made again finds what has come of it.
 *
 * Does not own: the checks of a write, its times and its position (stored-write.ts), who may open so (vfs/open.ts).
 *
 * @see Linux mm/filemap.c generic_file_read_iter(), generic_file_direct_write(); fs/libfs.c direct_write_fallback()
 */
import { EAGAIN, EBUSY, EFAULT, EINVAL, EIO } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { O_DIRECT } from "../base/stat-flags.ts";
import { byteLengthOf, isUint8Array, partOf, setBytes } from "../base/views.ts";
import type { Core } from "../wasm/core.ts";
import { ADDRESS_SPACE_WB_ERR, FILE_FLAGS, INODE_MAPPING, INODE_SIZE, PAGE_SIZE, PG_UPTODATE } from "../wasm/layout.ts";
import type { AddressSpaceOperations, DirectControl, PageCache } from "./address-space.ts";
import { invalidateInodePages2Range, invalidateMappingPages } from "./invalidate.ts";
import { countRead, countWrite } from "./io-counters.ts";
import { inodeOfFile, pageFlags } from "./page.ts";
import type { Progress } from "./progress.ts";
import { storedRead } from "./stored-read.ts";
import { cachedPages, cutPage } from "./truncate.ts";
import { filemapWriteAndWaitRange } from "./writeback.ts";

const DEFAULT_BLOCK_BYTES = 512;

/** What is needed of the VFS while a store takes its time, since the call may be over before. */
export interface DirectHost {
  /** The store takes its time, until `over` settles. The open file stays until what is returned is called. */
  hold(control: DirectControl, over: Promise<void>): () => void;
  /** The inode's size has changed. */
  grown(inode: InodeHandle): void;
}

/** A read or write under way: from the first try of a call to its last. */
class DirectCall implements DirectControl {
  readonly file: FileHandle;
  readonly inode: InodeHandle;
  readonly isWrite: boolean;
  readonly position: number;
  readonly buffer: Uint8Array;
  /** Bytes that have gone past the cache, or why none have; undefined = the store has not been asked, or has not answered. */
  direct: number | undefined = undefined;
  /** Bytes that have gone through the cache, of a write. */
  buffered: number | undefined = undefined;

  constructor(core: Core, file: FileHandle, isWrite: boolean, position: number, buffer: Uint8Array) {
    this.file = file;
    this.inode = inodeOfFile(core, file);
    this.isWrite = isWrite;
    this.position = position;
    this.buffer = buffer;
  }

  get length(): number {
    return this.buffer.length;
  }

  /**
   * Is it the call that `other` made before? Writes are told by their bytes, since an appended one has moved the end; reads by
   * their place, since what takes a file to its end brings a new buffer each time.
   */
  isAgain(other: DirectCall): boolean {
    if (this.file !== other.file || this.isWrite !== other.isWrite || this.length !== other.length) return false;
    if (!this.isWrite) return this.position === other.position;
    return this.buffer.buffer === other.buffer.buffer && this.buffer.byteOffset === other.buffer.byteOffset;
  }
}

/** Calls that wait. */
const waiting = new WeakMap<Progress, DirectCall>();

/** Does an open file go round the cache? */
export function isDirect({ u32 }: Core, { directIO }: AddressSpaceOperations, file: FileHandle): boolean {
  return directIO !== undefined && (u32[(file << 3) + FILE_FLAGS] & O_DIRECT) !== 0;
}

/**
 * As storedRead(), for a file that isDirect().
 *
 * @returns as storedRead(); -EINVAL where position, length or buffer are not at the store's blocks
 */
export function directRead(
  cache: PageCache,
  operations: AddressSpaceOperations,
  host: DirectHost,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const { core } = cache;
  const refused = core.x.readCheck(file);
  if (refused < 0 || length === 0) return refused;
  const start = position < 0 ? core.filePos(file) : position;
  const view = viewOf(buffer, offset, length);
  if (view === undefined) return -EFAULT;
  const call = callOf(cache, new DirectCall(core, file, false, start, view));
  const answer = call.direct ?? readDirectly(cache, operations, host, call);
  if (answer < 0) return end(cache, answer);
  const direct = Math.min(answer, length, Math.max(0, sizeOf(core, call.inode) - start));
  if (call.buffer !== view) setBytes(view, partOf(call.buffer, 0, direct), 0);
  const done = readRest(cache, operations, call, view, direct);
  if (done > 0 && position < 0) core.setFilePos(file, start + done);
  return done;
}

function readDirectly(
  cache: PageCache,
  operations: AddressSpaceOperations,
  host: DirectHost,
  call: DirectCall,
): number {
  if (!isAligned(operations, call)) return -EINVAL;
  if (call.position >= sizeOf(cache.core, call.inode)) return 0;
  const rc = filemapWriteAndWaitRange(cache, call.inode, call.position, call.position + call.length - 1);
  return rc < 0 ? rc : ask(cache, operations, host, call, (bytes) => bytes);
}

/** Reads by pages what the store has left out, up to the end of the file. @returns bytes in all, or as storedRead() */
function readRest(
  cache: PageCache,
  operations: AddressSpaceOperations,
  call: DirectCall,
  view: Uint8Array,
  direct: number,
): number {
  const { file, position, length } = call;
  if (direct === length || position + direct >= sizeOf(cache.core, call.inode)) return end(cache, direct);
  const rest = storedRead(cache, operations, file, view, direct, length - direct, position + direct);
  if (rest === -EAGAIN && keep(cache, call, direct)) return rest;
  return end(cache, rest < 0 ? direct || rest : direct + rest);
}

/**
 * Writes round the cache, and what cannot go that way through it. Preconditions: the file isDirect(), what a write is
 * checked for has been, and set-ID bits and times have been seen to.
 *
 * @param position bytes from the start
 * @param writeBuffered writes bytes of the same buffer by pages
 * @returns bytes written; -EINVAL where position, length or buffer are not at the store's blocks; -EFAULT; -EAGAIN with a
 *   token; what the store answers
 */
export function directWrite(
  cache: PageCache,
  operations: AddressSpaceOperations,
  host: DirectHost,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
  writeBuffered: (offset: number, length: number, position: number) => number,
): number {
  const view = viewOf(buffer, offset, length);
  if (view === undefined) return -EFAULT;
  const call = callOf(cache, new DirectCall(cache.core, file, true, position, view));
  const direct = call.direct ?? writeDirectly(cache, operations, host, call);
  if (direct < 0 || direct === length) return end(cache, direct);
  const at = call.position + direct;
  const buffered = call.buffered ?? writeBuffered(offset + direct, length - direct, at);
  if (buffered === -EAGAIN && keep(cache, call, direct)) return buffered;
  if (buffered <= 0) return end(cache, direct || buffered);
  const last = at + buffered - 1;
  const rc = filemapWriteAndWaitRange(cache, call.inode, at, last);
  if (rc === -EAGAIN && keep(cache, call, direct, buffered)) return rc;
  if (rc < 0) return end(cache, direct || rc);
  invalidateMappingPages(cache, operations, call.inode, pageOf(at), pageOf(last));
  return end(cache, direct + buffered);
}

/** @returns bytes, fewer where the rest is to go through the cache; else as directWrite() */
function writeDirectly(
  cache: PageCache,
  operations: AddressSpaceOperations,
  host: DirectHost,
  call: DirectCall,
): number {
  if (!isAligned(operations, call)) return -EINVAL;
  const { inode, position, length } = call;
  const last = position + length - 1;
  const rc =
    filemapWriteAndWaitRange(cache, inode, position, last) ||
    invalidateInodePages2Range(cache, operations, inode, pageOf(position), pageOf(last));
  if (rc < 0) return rc === -EBUSY ? 0 : rc;
  return ask(cache, operations, host, call, (bytes) => endWrite(cache, operations, host, call, bytes));
}

function endWrite(
  cache: PageCache,
  operations: AddressSpaceOperations,
  host: DirectHost,
  { inode, position, length }: DirectCall,
  answer: number,
): number {
  const { core } = cache;
  if (answer <= 0) return answer;
  const bytes = Math.min(answer, length);
  const last = pageOf(position + bytes - 1);
  if (!dropStale(cache, operations, inode, pageOf(position), last)) noteStale(core, inode);
  if (position + bytes > sizeOf(core, inode)) {
    core.f64[(inode << 2) + INODE_SIZE] = position + bytes;
    host.grown(inode);
  }
  return bytes;
}

/** Drops what readers have cached meanwhile; pages that are still being read may be from before. @returns false when one stays */
function dropStale(
  cache: PageCache,
  operations: AddressSpaceOperations,
  inode: InodeHandle,
  first: number,
  last: number,
): boolean {
  for (const page of cachedPages(cache, inode, first, last)) {
    if (!(pageFlags(cache.core, page.pfn) & PG_UPTODATE)) cutPage(cache, operations, page);
  }
  return invalidateInodePages2Range(cache, operations, inode, first, last) === 0;
}

/** Cache and store differ: fsync tells of it. @see Linux dio_warn_stale_pagecache() */
function noteStale({ u32, x }: Core, inode: InodeHandle): void {
  const at = (u32[(inode << 3) + INODE_MAPPING] >>> 2) + ADDRESS_SPACE_WB_ERR;
  u32[at] = x.errseqSet(u32[at], EIO);
}

/** Asks the store. @param complete what follows its answer, now or later @returns what that answers; -EAGAIN with a token */
function ask(
  cache: PageCache,
  { directIO }: AddressSpaceOperations,
  host: DirectHost,
  call: DirectCall,
  complete: (answer: number) => number,
): number {
  const count = call.isWrite ? countWrite : countRead;
  const answer = count(cache, call, directIO?.(cache, call) ?? 0);
  if (typeof answer === "number") return complete(answer);
  const { core } = cache;
  const settle = (later: number): void => {
    call.direct = cache.core === core ? complete(later) : -EIO; // another memory: nobody knows the file
    drop();
  };
  const over = answer.then(settle, () => settle(-EIO));
  const drop = host.hold(call, over);
  if (cache.progress !== undefined) waiting.set(cache.progress, call);
  cache.setWaitToken(over);
  return -EAGAIN;
}

/** The call that is being made: for the first time, or again. */
function callOf({ progress }: PageCache, call: DirectCall): DirectCall {
  const known = progress && waiting.get(progress);
  return known?.isAgain(call) ? known : call;
}

/** Keeps what has been done, for the next try. @returns false where there is none: the call cannot wait */
function keep({ progress }: PageCache, call: DirectCall, direct: number, buffered?: number): boolean {
  call.direct = direct;
  call.buffered = buffered;
  if (progress !== undefined) waiting.set(progress, call);
  return progress !== undefined;
}

/** The call is over, unless it waits. */
function end({ progress }: PageCache, rc: number): number {
  if (progress !== undefined && rc !== -EAGAIN) waiting.delete(progress);
  return rc;
}

function isAligned({ logicalBlockSize = DEFAULT_BLOCK_BYTES }: AddressSpaceOperations, call: DirectCall): boolean {
  const { position, length, buffer } = call;
  return [position, length, buffer.byteOffset].every((place) => place % logicalBlockSize === 0);
}

/** The caller's bytes, if it has as many. */
function viewOf(buffer: Uint8Array, offset: number, length: number): Uint8Array | undefined {
  return isUint8Array(buffer) && byteLengthOf(buffer) >= offset + length ? partOf(buffer, offset, length) : undefined;
}

function sizeOf({ f64 }: Core, inode: InodeHandle): number {
  return f64[(inode << 2) + INODE_SIZE];
}

function pageOf(position: number): number {
  return Math.floor(position / PAGE_SIZE);
}
