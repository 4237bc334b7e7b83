/**
 * The end of a super block: what every file system does then, and the ways that differ.
 *
 * Does not own: who uses a super block (mount.ts, freeze.ts), when it comes to its end (reap-super.ts).
 *
 * @see Linux fs/super.c generic_shutdown_super(), kill_anon_super(), kill_litter_super(), kill_block_super()
 */
import { EAGAIN } from "../base/errno.ts";
import type { InodeHandle, SuperBlockHandle } from "../base/handles.ts";
import { SUPER_BLOCK_INODES } from "../wasm/layout.ts";
import { syncFilesystem } from "./dirty-inode.ts";
import { callEnd, countFailedEnd, endsOf, waitForIt } from "./evict.ts";
import { FS_MEMORY, FS_REQUIRES_DEV } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import type { SuperBlock } from "./super-block.ts";

/** Shuts a super block down, by its type's killSb or as its flags say, and frees it. Precondition: nobody uses it. */
export function killSuper(sb: SuperBlock): void {
  const { kernel, type } = sb;
  const kill = type.killSb ?? killerOf(type.fsFlags);
  kill(sb);
  // Of one with a killSb that has done no more than its own part.
  if (endsOf(kernel, sb.handle) === undefined && hasNames(sb)) genericShutdownSuper(sb);
  afterEnds(sb, () => freeSuper(sb)); // behind what genericShutdownSuper() waits with, which may begin another end
}

function freeSuper(sb: SuperBlock): void {
  const { kernel, handle } = sb;
  kernel.evictInodes(); // inodes that the file system itself still held
  afterEnds(sb, () => {
    kernel.dirCache.clear();
    kernel.unregisterBdi(handle);
    kernel.core.x.superFree(handle);
  });
}

function killerOf(fsFlags: number): (sb: SuperBlock) => void {
  if (fsFlags & FS_REQUIRES_DEV) return killBlockSuper;
  return fsFlags & FS_MEMORY ? killLitterSuper : killAnonSuper;
}

function hasNames(sb: SuperBlock): boolean {
  return sb.root !== 0 || sb.kernel.core.u32[(sb.handle << 3) + SUPER_BLOCK_INODES] !== 0;
}

/** What umount() has just prepared, and shuts down next: all of it is written. */
let prepared: SuperBlockHandle | 0 = 0;

/**
 * Brings a file system that is about to be unmounted as near to its end as may be: what is dirty is written, names and
 * unused inodes go.
 *
 * @returns undefined, or what a store has to answer first: then it may stay mounted. An error of writing stops nobody, but counts
 */
export function prepareShutdown(sb: SuperBlock): Promise<void> | undefined {
  const { kernel } = sb;
  const { superOps } = sb.type;
  if (!superOps?.writeInode && !superOps?.evictInode && !superOps?.readInode && !sb.bdi) return undefined;
  const rc = syncFilesystem(sb, true);
  const token = rc === -EAGAIN ? kernel.takeWaitToken() : undefined;
  if (token !== undefined) return token;
  if (rc < 0) countFailedEnd(kernel);
  kernel.core.x.superShrinkUnused(sb.handle);
  kernel.core.x.evictUnused(sb.handle);
  kernel.evictInodes();
  const ends = endsOf(kernel, sb.handle);
  if (ends === undefined) prepared = sb.handle;
  return ends;
}

/** What all have in common: what is dirty is written, names and inodes go, putSuper() is told. A store may take its time. */
export function genericShutdownSuper(sb: SuperBlock): void {
  const { kernel, handle } = sb;
  kernel.core.x.shrinkDcache(0xffffffff);
  const isWritten = prepared === handle;
  prepared = 0;
  const rc = sb.root && !isWritten ? syncFilesystem(sb, true) : 0;
  const token = rc === -EAGAIN ? kernel.takeWaitToken() : undefined;
  if (token !== undefined) {
    waitForIt(kernel, -handle as InodeHandle, handle, token, () => genericShutdownSuper(sb));
    return;
  }
  if (rc < 0) countFailedEnd(kernel);
  kernel.core.x.superShrink(handle);
  kernel.core.x.evictUnused(handle);
  kernel.evictInodes();
  afterEnds(sb, () => {
    const put = callEnd(kernel, () => sb.type.superOps?.putSuper?.(sb));
    if (put) waitForIt(kernel, -handle as InodeHandle, handle, put, () => {});
    kernel.evictInodes(); // inodes that the file system itself still held
    kernel.dirCache.clear();
  });
}

/** Goes on at once where nothing has to be waited for. */
function afterEnds(sb: SuperBlock, next: () => void): void {
  const { kernel } = sb;
  const { core } = kernel;
  const ends = endsOf(kernel, sb.handle);
  if (ends === undefined) next();
  else ends.then(() => kernel.core === core && afterEnds(sb, next));
}

/** Tells the super blocks that still wait for inodes to end: their memory is about to go, and nobody can wait. */
export function putSupersNow(kernel: Kernel): void {
  for (const sb of kernel.superBlocks()) {
    const waits = sb.root === 0 && endsOf(kernel, sb.handle) !== undefined;
    if (waits && !kernel.ends.has(-sb.handle as InodeHandle))
      callEnd(kernel, () => sb.type.superOps?.putSuper?.(sb))?.catch(() => {});
  }
}

/** For file systems without a device, whose names are only cached. */
export function killAnonSuper(sb: SuperBlock): void {
  genericShutdownSuper(sb);
}

/** For file systems whose names exist in the dcache alone: what holds them there goes first. */
export function killLitterSuper(sb: SuperBlock): void {
  genericShutdownSuper(sb); // superShrink() takes names whether something holds them or not
}

/** For file systems on a device: the source is free when the super block is gone. */
export function killBlockSuper(sb: SuperBlock): void {
  genericShutdownSuper(sb);
}
