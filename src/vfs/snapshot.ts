/**
 * Snapshots: the used frames of a memory in its normal form, as bytes (snapshot-format.ts); and forks, which are a copy
 * of them.
 *
 * What is in a snapshot: all that is reachable from the in-memory mounts. What tasks hold (open files, orphans, working
 * directories, locks) and file systems with a store elsewhere are not; the latter are listed in meta.
 *
 * A snapshot is made without touching the memory itself: its metadata are copied aside and cleaned up there, and the
 * pages of files go straight from memory to the bytes.
 *
 * Does not own: which frames are in use (frames.ts), the normal form (assembly/normalize.ts), the way back (restore.ts).
 */

import type { InodeHandle, MountHandle, SuperBlockHandle } from "../base/handles.ts";

import { utf8Encoder } from "../base/utf8.ts";
import { Core } from "../wasm/core.ts";

import {
  BOOT_SLOT,
  LAYOUT_HASH,
  MNT_DETACHED,
  MNT_INTERNAL,
  MNT_LAYER,
  MOUNT_FLAGS,
  MOUNT_ID,
  MOUNT_PARENT,
  MOUNT_SB,
  OWNER_SLOT_BYTES,
  PAGE_SIZE,
  SB_MEMORY,
  SUPER_BLOCK_ACTIVE,
  SUPER_BLOCK_FLAGS,
  SUPER_BLOCK_INODES,
} from "../wasm/layout.ts";
import { type Extent, endPfn, usedExtents } from "./frames.ts";
import type { Kernel } from "./kernel.ts";
import { mountHandles, mountTable } from "./mount.ts";
import {
  BLOCK_BYTES,
  bytesOf,
  checksumOf,
  EXTENT_BYTES,
  FORMAT_VERSION,
  HEADER_BYTES,
  type KeptOptions,
  MAGIC,
  MASK_BYTES,
  type SnapshotMeta,
  SUM_AT,
  viewOf,
} from "./snapshot-format.ts";
import { storeSupport, storeSupportIfAny } from "./store-part.ts";
import type { Task } from "./task.ts";

const BLOCK_WORDS = BLOCK_BYTES / 4;

// --- Copies of a memory -------------------------------------------------------------------------------------------------

/** Copies frames to where they were. */
export function copyFrames(from: Core, to: Core, extents: Extent[]): void {
  for (const extent of extents) to.u8.set(bytesOf(from, extent), extent.pfn * PAGE_SIZE);
  to.u8.set(from.u8.subarray(BOOT_SLOT, BOOT_SLOT + OWNER_SLOT_BYTES), BOOT_SLOT); // says what is to be released
}

/** Makes what is no part of a copy go: what the slot holds, mounts with a store elsewhere, mounts in no tree. */
function cleanUp(core: Core): void {
  core.x.releaseSlot();
  storeSupportIfAny()?.dropMarks(core);
  core.x.thawSupers();
  killDying(core);
  const leftOut = [...mountHandles(core)].filter((mnt) => isLeftOut(core, mnt));
  for (const mnt of leftOut) core.x.mountDetach(mnt);
  for (const mnt of leftOut) core.x.mountPut(mnt);
  killDying(core);
  dropEnding(core);
  evictAll(core);
  storeSupportIfAny()?.dropPagePins(core);
  core.u8.fill(0, BOOT_SLOT, BOOT_SLOT + OWNER_SLOT_BYTES);
}

/** Super blocks without mounts wait for their stores' last word. */
function dropEnding(core: Core): void {
  let next: SuperBlockHandle;
  for (let sb = core.x.superFirst() as SuperBlockHandle; sb; sb = next) {
    next = core.x.superNext(sb) as SuperBlockHandle;
    if (core.u32[(sb << 3) + SUPER_BLOCK_ACTIVE] === 0) killSuper(core, sb);
  }
}

/** Nobody but memory itself has a part in the inodes of a copy. */
function evictAll(core: Core): void {
  for (let inode = core.x.evictNext(); inode !== 0; inode = core.x.evictNext()) core.x.inodeFree(inode as InodeHandle);
}

function superOf(core: Core, mnt: MountHandle): SuperBlockHandle {
  return (core.u32[(mnt << 3) + MOUNT_SB] >>> 5) as SuperBlockHandle;
}

/** True for a mount of no memory file system, one below such a mount, and one in no tree: no snapshot has it. */
export function isLeftOut(core: Core, start: MountHandle): boolean {
  if (core.u32[(start << 3) + MOUNT_FLAGS] & MNT_LAYER) return false; // it goes with its overlay
  for (let mnt = start; mnt; mnt = (core.u32[(mnt << 3) + MOUNT_PARENT] >>> 5) as MountHandle) {
    if (core.u32[(mnt << 3) + MOUNT_FLAGS] & (MNT_INTERNAL | MNT_DETACHED)) return true;
    if (!(core.u32[(superOf(core, mnt) << 3) + SUPER_BLOCK_FLAGS] & SB_MEMORY)) return true;
  }
  return false;
}

/** Drops the super blocks that nobody uses any more. */
function killDying(core: Core): void {
  for (let sb = core.x.superDying(); sb !== 0; sb = core.x.superDying()) killSuper(core, sb as SuperBlockHandle);
}

function killSuper(core: Core, sb: SuperBlockHandle): void {
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

/**
 * Another core over a copy of a kernel's memory, with nothing open.
 *
 * @returns -EAGAIN when pages are in a swap area whose device takes time; -EIO when one cannot be read
 */
export function forkCore(kernel: Kernel, module: WebAssembly.Module): Core | number {
  const { core } = kernel;
  const copy = new Core(module, { ...core.options, initialBytes: endPfn(core) * PAGE_SIZE });
  copyFrames(core, copy, usedExtents(core));
  cleanUp(copy);
  return storeSupportIfAny()?.copySwapped(core, copy) || copy;
}

// --- Writing --------------------------------------------------------------------------------------------------------------

/** The bytes of a snapshot of the kernel that `task` belongs to. @param options what it is to be restored with @returns as forkCore() */
export function takeSnapshot(task: Task, module: WebAssembly.Module, options: KeptOptions): Uint8Array | number {
  const { core } = task.kernel;
  const meta = utf8Encoder.encode(JSON.stringify(metaOf(task, options)));
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
  const end = writeFrames(undefined, framesAt, extents, core, aside);
  const swapped = storeSupportIfAny()?.swappedBytes(aside) ?? 0;
  const bytes = new Uint8Array(end + swapped);
  const rc = swapped && storeSupport().readSwapped(core, aside, bytes.subarray(end));
  if (rc) return rc;
  writeFrames(bytes, framesAt, extents, core, aside);
  writeHead(bytes, meta, extents, endPfn(aside));
  const [low, high] = checksumOf(module, core.shared, bytes);
  const view = viewOf(bytes);
  view.setUint32(SUM_AT, low, true);
  view.setUint32(SUM_AT + 4, high, true);
  return bytes;
}

function metaOf(task: Task, options: KeptOptions): SnapshotMeta {
  const { kernel } = task;
  const { core } = kernel;
  const inMemory = [...kernel.superBlocks()].filter(({ flags }) => flags & SB_MEMORY);
  const leftOut = new Set<number>();
  for (const mnt of mountHandles(core)) {
    if (isLeftOut(core, mnt) && !(core.u32[(mnt << 3) + MOUNT_FLAGS] & (MNT_INTERNAL | MNT_DETACHED)))
      leftOut.add(core.u32[(mnt << 3) + MOUNT_ID]);
  }
  return {
    options,
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
