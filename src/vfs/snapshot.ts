/**
 * Snapshots: the used frames of a memory in its normal form, as bytes; and forks, which are a copy of them.
 *
 *   | header, 64 bytes | meta: JSON, UTF-8 | extents, 12 bytes each | frames |
 *
 *   header   0 magic "FOLIOFS\0"      8 format version   12 layout hash    16 length of all (f64)
 *           24 end pfn               28 nr of extents   32 bytes of meta  36 0 (5 × u32)
 *           56 checksum of all the other bytes (2 × u32)
 *   extent   first pfn, nr of frames, 1 = pages of files
 *   frames   pages of files as they are; of other frames a word of 64 bits says which of its 64-byte blocks are not all
 *            zeros, and those follow
 *
 * What is in a snapshot: all that is reachable from the in-memory mounts. What tasks hold (open files, orphans, working
 * directories, locks) and file systems with a store elsewhere are not; the latter are listed in meta.
 *
 * A snapshot is made without touching the memory itself: its metadata are copied aside and cleaned up there, and the
 * pages of files go straight from memory to the bytes.
 *
 * Does not own: which frames are in use (frames.ts), the normal form (assembly/normalize.ts).
 *
 * The checksum guards against accident, not against malice: bytes that somebody has forged can hold any memory.
 */
import type { InodeHandle, MountHandle, SuperBlockHandle } from "../base/handles.ts";
import { Core, type CoreOptions, RESULT } from "../wasm/core.ts";
import {
  BOOT_SLOT,
  KERNEL_BLOCK,
  KERNEL_MAX_PFN,
  LAYOUT_HASH,
  MNT_INTERNAL,
  MOUNT_FLAGS,
  MOUNT_ID,
  MOUNT_PARENT,
  MOUNT_SB,
  OWNER_SLOT_BYTES,
  PAGE_SIZE,
  RESULT_EXTRA,
  SB_MEMORY,
  SUPER_BLOCK_ACTIVE,
  SUPER_BLOCK_FLAGS,
  SUPER_BLOCK_INODES,
} from "../wasm/layout.ts";
import { type Extent, endPfn, usedExtents } from "./frames.ts";
import { Kernel } from "./kernel.ts";
import { mountHandles, mountTable } from "./mount.ts";
import type { Task } from "./task.ts";

const MAGIC = "FOLIOFS\0";
/** Version of the form above; another one is refused. */
export const FORMAT_VERSION = 2;
const HEADER_BYTES = 64;
const SUM_AT = 56;
const EXTENT_BYTES = 12;
const BLOCK_BYTES = 64;
const BLOCK_WORDS = BLOCK_BYTES / 4;
const MASK_BYTES = 8;

/** What a snapshot says of itself. */
export interface SnapshotMeta {
  /** Types of the file systems that are needed to restore it. */
  types: string[];
  /** Mounts that are not in it, by type and target. */
  leftOut: { type: string; target: string }[];
}

/** Something is wrong with the bytes of a snapshot. */
export class SnapshotError extends Error {
  readonly code = "ERR_INVALID_SNAPSHOT";
  constructor(message: string) {
    super(`foliofs: ${message}`);
    this.name = "SnapshotError";
  }
}

// --- Copies of a memory -------------------------------------------------------------------------------------------------

function bytesOf(core: Core, { pfn, nr }: Extent): Uint8Array {
  return core.u8.subarray(pfn * PAGE_SIZE, (pfn + nr) * PAGE_SIZE);
}

function copyFrames(from: Core, to: Core, extents: Extent[]): void {
  for (const extent of extents) to.u8.set(bytesOf(from, extent), extent.pfn * PAGE_SIZE);
  to.u8.set(from.u8.subarray(BOOT_SLOT, BOOT_SLOT + OWNER_SLOT_BYTES), BOOT_SLOT); // says what is to be released
}

/** Makes what is no part of a copy go: what the slot holds, mounts with a store elsewhere, mounts in no tree. */
function cleanUp(core: Core): void {
  core.x.releaseSlot();
  const leftOut = [...mountHandles(core)].filter((mnt) => isLeftOut(core, mnt));
  for (const mnt of leftOut) core.x.mountDetach(mnt);
  for (const mnt of leftOut) dropMount(core, mnt);
  evictAll(core);
  core.u8.fill(0, BOOT_SLOT, BOOT_SLOT + OWNER_SLOT_BYTES);
}

/** Nobody but memory itself has a part in the inodes of a copy. */
function evictAll(core: Core): void {
  for (let inode = core.x.evictNext(); inode !== 0; inode = core.x.evictNext()) core.x.inodeFree(inode as InodeHandle);
}

function superOf(core: Core, mnt: MountHandle): SuperBlockHandle {
  return (core.u32[(mnt << 3) + MOUNT_SB] >>> 5) as SuperBlockHandle;
}

/** True for a mount of no memory file system, one below such a mount, and one in no tree. */
function isLeftOut(core: Core, start: MountHandle): boolean {
  for (let mnt = start; mnt; mnt = (core.u32[(mnt << 3) + MOUNT_PARENT] >>> 5) as MountHandle) {
    if (core.u32[(mnt << 3) + MOUNT_FLAGS] & MNT_INTERNAL) return true;
    if (!(core.u32[(superOf(core, mnt) << 3) + SUPER_BLOCK_FLAGS] & SB_MEMORY)) return true;
  }
  return false;
}

function dropMount(core: Core, mnt: MountHandle): void {
  const sb = superOf(core, mnt);
  core.x.mountPut(mnt);
  if (core.u32[(sb << 3) + SUPER_BLOCK_ACTIVE] !== 0) return;
  core.x.shrinkDcache(0xffffffff);
  core.x.superShrink(sb);
  evictAll(core);
  // What is left is held by the file system's own tables, which no copy has.
  for (let inode = firstInode(core, sb); inode !== 0; inode = firstInode(core, sb)) core.x.inodeFree(inode);
  core.x.superFree(sb);
}

function firstInode(core: Core, sb: SuperBlockHandle): InodeHandle {
  return (core.u32[(sb << 3) + SUPER_BLOCK_INODES] >>> 5) as InodeHandle;
}

/** Another core over a copy of a kernel's memory, with nothing open. */
export function forkCore(kernel: Kernel, module: WebAssembly.Module): Core {
  const { core } = kernel;
  const copy = new Core(module, { ...core.options, initialBytes: endPfn(core) * PAGE_SIZE });
  copyFrames(core, copy, usedExtents(core));
  cleanUp(copy);
  return copy;
}

// --- Writing --------------------------------------------------------------------------------------------------------------

/** The bytes of a snapshot of the kernel that `task` belongs to. */
export function takeSnapshot(task: Task, module: WebAssembly.Module): Uint8Array {
  const { core } = task.kernel;
  const meta = new TextEncoder().encode(JSON.stringify(metaOf(task)));
  const aside = new Core(module, { ...core.options, preallocate: false, initialBytes: endPfn(core) * PAGE_SIZE });
  copyFrames(
    core,
    aside,
    usedExtents(core).filter((extent) => !extent.isData),
  );
  cleanUp(aside);
  aside.x.normalizeMemory();
  const extents = usedExtents(aside);
  const framesAt = HEADER_BYTES + meta.length + extents.length * EXTENT_BYTES;
  const bytes = new Uint8Array(writeFrames(undefined, framesAt, extents, core, aside));
  writeFrames(bytes, framesAt, extents, core, aside);
  writeHead(bytes, meta, extents, endPfn(aside));
  const [low, high] = checksumOf(module, core.shared, bytes);
  const view = viewOf(bytes);
  view.setUint32(SUM_AT, low, true);
  view.setUint32(SUM_AT + 4, high, true);
  return bytes;
}

function metaOf(task: Task): SnapshotMeta {
  const { kernel } = task;
  const { core } = kernel;
  const inMemory = [...kernel.superBlocks()].filter(({ flags }) => flags & SB_MEMORY);
  const leftOut = new Set<number>();
  for (const mnt of mountHandles(core)) {
    if (isLeftOut(core, mnt) && !(core.u32[(mnt << 3) + MOUNT_FLAGS] & MNT_INTERNAL))
      leftOut.add(core.u32[(mnt << 3) + MOUNT_ID]);
  }
  return {
    types: [...new Set(inMemory.map(({ type }) => type.name))].sort(),
    leftOut: mountTable(task)
      .filter(({ id }) => leftOut.has(id))
      .map(({ type, target }) => ({ type, target })),
  };
}

function writeHead(bytes: Uint8Array, meta: Uint8Array, extents: Extent[], end: number): void {
  const view = viewOf(bytes);
  for (let i = 0; i < MAGIC.length; i++) bytes[i] = MAGIC.charCodeAt(i);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, LAYOUT_HASH, true);
  view.setFloat64(16, bytes.length, true);
  view.setUint32(24, end, true);
  view.setUint32(28, extents.length, true);
  view.setUint32(32, meta.length, true);
  bytes.set(meta, HEADER_BYTES);
  let at = HEADER_BYTES + meta.length;
  for (const { pfn, nr, isData } of extents) {
    view.setUint32(at, pfn, true);
    view.setUint32(at + 4, nr, true);
    view.setUint32(at + 8, isData ? 1 : 0, true);
    at += EXTENT_BYTES;
  }
}

/** Writes frames from `start` on: pages of files from `data`, all else from `rest`. @param bytes as in writeSparse() */
function writeFrames(bytes: Uint8Array | undefined, start: number, extents: Extent[], data: Core, rest: Core): number {
  let at = start;
  for (const extent of extents) {
    if (extent.isData) {
      const pages = bytesOf(data, extent);
      bytes?.set(pages, at);
      at += pages.length;
    } else at = writeSparse(rest, extent, bytes, at);
  }
  return at;
}

type Checksum = [low: number, high: number];

/** Cores that have no kernel in them and only sum: bytes are checked before anything is built from them. */
const summers = new WeakMap<WebAssembly.Module, Core>();
const SUMMER_BYTES = 1 << 20;
const PIECE_AT = 1 << 16;
const PIECE_BYTES = 1 << 18;
/** What the checksum takes at a time; the last piece is filled up with zeros. */
const SUM_BYTES = 32;

function summerOf(module: WebAssembly.Module, shared: boolean): Core {
  let summer = summers.get(module);
  if (!summer) {
    summer = new Core(module, { memoryLimit: SUMMER_BYTES, shared, preallocate: false, now: Date.now });
    summers.set(module, summer);
  }
  return summer;
}

/** The checksum of a snapshot, whatever stands in the place of it. */
function checksumOf(module: WebAssembly.Module, shared: boolean, bytes: Uint8Array): Checksum {
  const { u8, x, f64 } = summerOf(module, shared);
  let [low, high] = [0, 0];
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, at + PIECE_BYTES);
    const padded = Math.ceil(piece.length / SUM_BYTES) * SUM_BYTES;
    u8.set(piece, PIECE_AT);
    u8.fill(0, PIECE_AT + piece.length, PIECE_AT + padded);
    if (at === 0) u8.fill(0, PIECE_AT + SUM_AT, PIECE_AT + HEADER_BYTES);
    low = x.checksumBytes(PIECE_AT, padded, low, high) >>> 0;
    high = f64[RESULT + RESULT_EXTRA];
  }
  return [low, high];
}

function isZero(core: Core, word: number): boolean {
  const { u32 } = core;
  for (let i = word; i < word + BLOCK_WORDS; i++) if (u32[i] !== 0) return false;
  return true;
}

/** Writes frames that are mostly zeros from `start` on. @param bytes undefined = only measures @returns where they end */
function writeSparse(core: Core, { pfn, nr }: Extent, bytes: Uint8Array | undefined, start: number): number {
  let at = start;
  for (let frame = pfn; frame < pfn + nr; frame++) {
    const mask = at;
    at += MASK_BYTES;
    for (let block = 0; block < PAGE_SIZE / BLOCK_BYTES; block++) {
      const from = frame * PAGE_SIZE + block * BLOCK_BYTES;
      if (isZero(core, from / 4)) continue;
      if (bytes) {
        bytes[mask + (block >>> 3)] |= 1 << (block & 7);
        bytes.set(core.u8.subarray(from, from + BLOCK_BYTES), at);
      }
      at += BLOCK_BYTES;
    }
  }
  return at;
}

// --- Reading --------------------------------------------------------------------------------------------------------------

interface Head {
  end: number;
  extents: Extent[];
  meta: SnapshotMeta;
  framesAt: number;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Are the bytes those of a snapshot, all of them and as they were? @throws SnapshotError that says what is wrong */
function checkBytes(bytes: Uint8Array, module: WebAssembly.Module, shared: boolean): void {
  const view = viewOf(bytes);
  if (bytes.length < HEADER_BYTES || [...MAGIC].some((c, i) => bytes[i] !== c.charCodeAt(0))) {
    throw new SnapshotError("these bytes are no snapshot");
  }
  const version = view.getUint32(8, true);
  if (version !== FORMAT_VERSION) {
    throw new SnapshotError(
      `this snapshot has format version ${version}, this foliofs reads version ${FORMAT_VERSION}`,
    );
  }
  if (view.getUint32(12, true) !== LAYOUT_HASH) {
    throw new SnapshotError("this snapshot was made by a foliofs with another memory layout");
  }
  if (view.getFloat64(16, true) !== bytes.length) {
    throw new SnapshotError(`this snapshot should have ${view.getFloat64(16, true)} bytes and has ${bytes.length}`);
  }
  const [low, high] = checksumOf(module, shared, bytes);
  if (low !== view.getUint32(SUM_AT, true) || high !== view.getUint32(SUM_AT + 4, true)) {
    throw new SnapshotError("this snapshot is damaged: its checksum differs");
  }
}

/** What stands before the frames. Precondition: checkBytes(). */
export function readHead(bytes: Uint8Array): Head {
  const view = viewOf(bytes);
  const nrExtents = view.getUint32(28, true);
  const metaEnd = HEADER_BYTES + view.getUint32(32, true);
  return {
    end: view.getUint32(24, true),
    extents: readExtents(view, metaEnd, nrExtents),
    meta: JSON.parse(new TextDecoder().decode(bytes.subarray(HEADER_BYTES, metaEnd))),
    framesAt: metaEnd + nrExtents * EXTENT_BYTES,
  };
}

function readExtents(view: DataView, start: number, nr: number): Extent[] {
  return Array.from({ length: nr }, (_, i) => {
    const at = start + i * EXTENT_BYTES;
    return {
      pfn: view.getUint32(at, true),
      nr: view.getUint32(at + 4, true),
      isData: view.getUint32(at + 8, true) === 1,
    };
  });
}

/**
 * A kernel from a snapshot, without tasks and types.
 *
 * @param types names of the file system types that will be registered with it
 * @throws SnapshotError when the bytes are no whole snapshot of this layout, need other types, or do not fit in the
 *   memory limit; all of it is found before anything is built
 */
export function restoreCore(
  bytes: Uint8Array,
  module: WebAssembly.Module,
  options: CoreOptions,
  types: readonly string[],
): Kernel {
  checkBytes(bytes, module, options.shared);
  const head = readHead(bytes);
  const needed = Math.ceil((head.end * PAGE_SIZE) / 65536) * 65536;
  if (needed > options.memoryLimit) {
    throw new SnapshotError(
      `this snapshot needs a memoryLimit of ${needed} bytes at least, not ${options.memoryLimit}`,
    );
  }
  const missing = head.meta.types.filter((name) => !types.includes(name));
  if (missing.length > 0) {
    throw new SnapshotError(
      `this snapshot needs the file system types ${missing.join(", ")}: pass them as options.types`,
    );
  }
  const core = new Core(module, { ...options, initialBytes: needed });
  readFrames(core, bytes, head);
  core.u32[(KERNEL_BLOCK >>> 2) + KERNEL_MAX_PFN] = Math.floor(options.memoryLimit / PAGE_SIZE);
  return new Kernel(core);
}

/** Puts the frames where they belong. Precondition: the checksum is right. */
function readFrames(core: Core, bytes: Uint8Array, { extents, framesAt }: Head): void {
  let at = framesAt;
  for (const extent of extents) {
    if (extent.isData) {
      const pages = bytesOf(core, extent);
      pages.set(bytes.subarray(at, at + pages.length));
      at += pages.length;
    } else at = readSparse(core, extent, bytes, at);
  }
}

function readSparse(core: Core, { pfn, nr }: Extent, bytes: Uint8Array, start: number): number {
  let at = start;
  for (let frame = pfn; frame < pfn + nr; frame++) {
    const mask = at;
    at += MASK_BYTES;
    for (let block = 0; block < PAGE_SIZE / BLOCK_BYTES; block++) {
      if (!(bytes[mask + (block >>> 3)] & (1 << (block & 7)))) continue;
      core.u8.set(bytes.subarray(at, at + BLOCK_BYTES), frame * PAGE_SIZE + block * BLOCK_BYTES);
      at += BLOCK_BYTES;
    }
  }
  return at;
}
