/**
 * Which bytes of two files differ, page by page.
 *
 * Where both are in memory their pages are compared by frames: what is the same frame, or a hole in both, is not looked at. Files with
 * a store are read.
 *
 * Does not own: which files are compared (diff-tree.ts).
 */
import { EIO } from "../../base/errno.ts";
import type { FileHandle, InodeHandle } from "../../base/handles.ts";
import { O_RDONLY } from "../../base/stat-flags.ts";
import { TRY_AGAIN } from "../../mm/address-space.ts";
import { entriesOf } from "../../mm/page-index.ts";
import { isSwapEntry } from "../../mm/swap-in.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { type Core, RESULT } from "../../wasm/core.ts";
import { FMODE_READ, INODE_SIZE, PAGE_SIZE, RESULT_ADDRESS } from "../../wasm/layout.ts";
import { isPlain, type LayerFile } from "./copy-data.ts";
import { closeLayer, openLayer, operationsOf } from "./layer-file.ts";
import { inodeOf } from "./layer-names.ts";
import { bottomData } from "./stack-parts.ts";

const CHUNK_BYTES = 16 * PAGE_SIZE;
const NO_BYTES = new Uint8Array(0);

/** Bytes of a file: from `start` on, before `end`. */
export interface ByteRange {
  start: number;
  end: number;
}

/** How the data of two files differ. */
export interface DataChange {
  /** Bytes of the first file, and of the second. */
  readonly oldSize: number;
  readonly size: number;
  /** Pages of the second that are not as in the first, cut or filled up with zeros to the same size: sorted, apart from each other. */
  readonly ranges: readonly ByteRange[];
}

/** How far a comparison has come. */
export interface DataProgress {
  /** Bytes that are done: whole pages. */
  pos: number;
  /** Bytes of each file, as far as it has been read; those of files in memory are known by themselves. */
  oldSize: number;
  size: number;
  readonly ranges: ByteRange[];
}

export function newProgress(): DataProgress {
  return { pos: 0, oldSize: 0, size: 0, ranges: [] };
}

/**
 * Compares data of two files.
 *
 * @param progress where to begin; after -EAGAIN where to go on, if they have not changed
 * @returns undefined where they are equal; -EAGAIN of a store with a token; what a file system answers
 */
export function compareData(
  kernel: Kernel,
  a: LayerFile,
  b: LayerFile,
  progress: DataProgress,
): DataChange | undefined | number {
  const { core } = kernel;
  const from = bottomData(kernel, inodeOf(core, a.dentry));
  if (from < 0) return from;
  const to = bottomData(kernel, inodeOf(core, b.dentry));
  if (to < 0) return to;
  if (from === to) return undefined;
  const areInMemory = isPlain(kernel, from) && isPlain(kernel, to);
  const change = areInMemory
    ? new PageComparison(kernel, from, to).run(progress)
    : compareByReading(kernel, a, b, progress);
  if (typeof change === "number") return change;
  return change.oldSize === change.size && change.ranges.length === 0 ? undefined : change;
}

/** Notes that a range differs; it comes behind those before. */
function addRange(ranges: ByteRange[], start: number, end: number): void {
  const last = ranges.at(-1);
  if (last?.end === start) last.end = end;
  else ranges.push({ start, end });
}

/** Are bytes of one page as those of another, which is filled up with zeros, or cut? */
function isEqual(from: Uint8Array, to: Uint8Array): boolean {
  const both = Math.min(from.length, to.length);
  for (let i = 0; i < both; i++) if (from[i] !== to[i]) return false;
  for (let i = both; i < to.length; i++) if (to[i] !== 0) return false;
  return true;
}

// --- In memory ----------------------------------------------------------------------------------------------------------

/** Entries of two page indexes, by page; 0 = there is none. */
function* pairsOf(core: Core, a: InodeHandle, b: InodeHandle): Generator<[index: number, from: number, to: number]> {
  const [left, right] = [entriesOf(core, a), entriesOf(core, b)];
  let from = left.next();
  let to = right.next();
  while (!from.done || !to.done) {
    const [at, entry] = from.done ? [Number.POSITIVE_INFINITY, 0] : from.value;
    const [place, other] = to.done ? [Number.POSITIVE_INFINITY, 0] : to.value;
    yield [Math.min(at, place), at <= place ? entry : 0, place <= at ? other : 0];
    if (at <= place) from = left.next();
    if (place <= at) to = right.next();
  }
}

class PageComparison {
  readonly #kernel: Kernel;
  readonly #from: InodeHandle;
  readonly #to: InodeHandle;
  readonly #oldSize: number;
  readonly #size: number;

  constructor(kernel: Kernel, from: InodeHandle, to: InodeHandle) {
    this.#kernel = kernel;
    this.#from = from;
    this.#to = to;
    this.#oldSize = kernel.core.f64[(from << 2) + INODE_SIZE];
    this.#size = kernel.core.f64[(to << 2) + INODE_SIZE];
  }

  run(progress: DataProgress): DataChange | number {
    const { ranges } = progress;
    for (const [index, from, to] of pairsOf(this.#kernel.core, this.#from, this.#to)) {
      const start = index * PAGE_SIZE;
      if (start >= this.#size) break;
      if (start < progress.pos) continue;
      progress.pos = start;
      const isSame = this.#isSamePage(start, from, to);
      if (typeof isSame === "number") return isSame;
      if (!isSame) addRange(ranges, start, Math.min(start + PAGE_SIZE, this.#size));
    }
    return { oldSize: this.#oldSize, size: this.#size, ranges };
  }

  #isSamePage(start: number, from: number, to: number): boolean | number {
    const oldLength = Math.min(PAGE_SIZE, Math.max(0, this.#oldSize - start));
    const length = Math.min(PAGE_SIZE, this.#size - start);
    if (from === to && oldLength >= length) return true;
    const isMoving = isSwapEntry(from) || isSwapEntry(to);
    const page = isMoving ? this.#readPage(this.#from, start, oldLength) : this.#pageOf(from, oldLength);
    if (typeof page === "number") return page;
    const other = isMoving ? this.#readPage(this.#to, start, length) : this.#pageOf(to, length);
    return typeof other === "number" ? other : isEqual(page, other);
  }

  /** What a frame holds: a view, to be used at once. A hole has zeros, which need not be there. */
  #pageOf(entry: number, length: number): Uint8Array {
    const { u8 } = this.#kernel.core;
    if (entry !== 0 && (entry & 3) === 0)
      return u8.subarray((entry >>> 2) * PAGE_SIZE, (entry >>> 2) * PAGE_SIZE + length);
    return new Uint8Array(length);
  }

  /** A copy of a page that may have to be brought in from a swap area. @returns or -EAGAIN of a device that takes time; -EIO, -ENOMEM */
  #readPage(inode: InodeHandle, start: number, length: number): Uint8Array | number {
    const { core } = this.#kernel;
    const page = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const n = core.x.readInode(inode, start + done, length - done);
      const rc = n < 0 ? this.#kernel.room(n) : n === 0 ? -EIO : 0;
      if (rc < 0 && rc !== TRY_AGAIN) return rc;
      if (n <= 0) continue;
      const at = core.f64[RESULT + RESULT_ADDRESS];
      page.set(core.u8.subarray(at, at + n), done);
      done += n;
    }
    return page;
  }
}

// --- By reading ---------------------------------------------------------------------------------------------------------

function compareByReading(kernel: Kernel, a: LayerFile, b: LayerFile, progress: DataProgress): DataChange | number {
  const left = openLayer(kernel, a.mnt, a.dentry, O_RDONLY, FMODE_READ);
  if (left < 0) return left;
  const right = openLayer(kernel, b.mnt, b.dentry, O_RDONLY, FMODE_READ);
  const change = right < 0 ? right : compareOpen(kernel, left, right, progress);
  void closeLayer(kernel, left);
  if (right > 0) void closeLayer(kernel, right);
  return change;
}

/** Reads both to their ends, whatever sizes they say. */
function compareOpen(kernel: Kernel, left: FileHandle, right: FileHandle, progress: DataProgress): DataChange | number {
  const { ranges } = progress;
  const buffers = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)];
  for (; ; progress.pos += CHUNK_BYTES) {
    const { pos, oldSize, size } = progress;
    const from = oldSize === pos ? readFully(kernel, left, buffers[0], pos) : NO_BYTES;
    if (typeof from === "number") return from;
    const to = size === pos ? readFully(kernel, right, buffers[1], pos) : NO_BYTES;
    if (typeof to === "number") return to;
    if (from.length === 0 && to.length === 0) return { oldSize, size, ranges };
    for (let at = 0; at < to.length; at += PAGE_SIZE) {
      const end = Math.min(at + PAGE_SIZE, to.length);
      if (!isEqual(from.subarray(at, at + PAGE_SIZE), to.subarray(at, end))) addRange(ranges, pos + at, pos + end);
    }
    progress.oldSize += from.length;
    progress.size += to.length;
  }
}

/** Fills a buffer, or as much of it as there is. @returns what has been read; a negated errno */
function readFully(kernel: Kernel, file: FileHandle, buffer: Uint8Array, pos: number): Uint8Array | number {
  const { read } = operationsOf(kernel, file);
  for (let done = 0; done < buffer.length; ) {
    const n = read?.(kernel, file, buffer, done, buffer.length - done, pos + done) ?? -EIO;
    if (n < 0) return n;
    if (n === 0) return buffer.subarray(0, done);
    done += n;
  }
  return buffer;
}
