/**
 * The end of a super block that no mount shows any more: names go, what is dirty is written, inodes go, putSuper. A store
 * may take its time for inodes and for putSuper (evict.ts): the record stays until all is over.
 *
 * Does not own: when it comes to that (mount.ts).
 *
 * @see Linux fs/super.c generic_shutdown_super()
 */
import { EAGAIN } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import { callEnd, countFailedEnd, endsOf, waitForIt } from "./evict.ts";
import type { Kernel } from "./kernel.ts";
import { storeSupportIfAny } from "./store-part.ts";
import type { SuperBlock } from "./super-block.ts";

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
  const rc = storeSupportIfAny()?.syncFilesystem(sb, true) ?? 0;
  const token = rc === -EAGAIN ? kernel.takeWaitToken() : undefined;
  if (token !== undefined) return token;
  if (rc < 0) countFailedEnd(kernel);
  kernel.core.x.superShrinkUnused(sb.handle);
  kernel.core.x.evictUnused(sb.handle);
  kernel.evictInodes();
  return endsOf(kernel, sb.handle);
}

/** Shuts a super block down and frees it, when its ends are over. Precondition: no mount is left. */
export function shutdownSuper(sb: SuperBlock): void {
  const { kernel, handle } = sb;
  const { core } = kernel;
  core.x.shrinkDcache(0xffffffff);
  core.x.superShrink(handle);
  core.x.evictUnused(handle);
  kernel.evictInodes();
  afterEnds(sb, () => {
    const put = callEnd(kernel, () => sb.type.superOps?.putSuper?.(sb));
    if (put) waitForIt(kernel, -handle as InodeHandle, handle, put, () => freeSuper(sb));
    else freeSuper(sb);
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

function freeSuper(sb: SuperBlock): void {
  const { kernel, handle } = sb;
  kernel.evictInodes(); // inodes that the file system itself still held
  afterEnds(sb, () => {
    kernel.dirCache.clear();
    kernel.unregisterBdi(handle);
    kernel.core.x.superFree(handle);
  });
}
