/**
 * Ends: the last that happens to inodes, open files and super blocks. A store may need time for one; the end is asked for
 * once, and its promise says when it is over (ADR 27).
 *
 *   inode: lined up ─► dropInode? ─► pages and writeInode, if dirty ─► evictInode ─► freed
 *
 * An inode that waits for its end stays (I_FREEING), and is found by its number: who asks for it waits, too. Nobody is
 * there to be told of an error: it is counted (vmstat end_failed). Nor to wait for a store that has no answer yet and no
 * promise of one: an inode that is dirty then stays, unused, and is written by who syncs.
 *
 * Does not own: what is lined up (assembly/fs/inode.ts), the end of a super block (shutdown-super.ts).
 *
 * @see Linux fs/inode.c evict(), fs/file_table.c __fput()
 */
import { EAGAIN } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { SLOT } from "../wasm/core.ts";
import {
  I_EVICTING,
  I_HASHED,
  I_WILL_FREE,
  INODE_NLINK,
  INODE_SB,
  INODE_STATE,
  KERNEL_BLOCK,
  KERNEL_VMSTAT,
  SLOT_EVICTING,
  VM_END_FAILED,
} from "../wasm/layout.ts";
import { I_DIRTY_INODE, inodeWrite, writeInodeNow } from "./dirty-inode.ts";
import type { Kernel } from "./kernel.ts";

const FAILED = ((KERNEL_BLOCK + KERNEL_VMSTAT) >>> 3) + VM_END_FAILED;

/** What waits for its end, by record. */
export type Ends = Map<InodeHandle | FileHandle, { sb: number; over: Promise<void> }>;

/** Ends the inodes that are lined up. @returns how many have gone */
export function evictInodes(kernel: Kernel): number {
  const { core } = kernel;
  let nr = 0;
  while (core.u32[SLOT + SLOT_EVICTING] !== 0) {
    const inode = core.x.evictNext() as InodeHandle;
    if (!isDropped(kernel, inode)) core.x.inodeKeep(inode);
    else if (endInode(kernel, inode)) nr++;
  }
  return nr;
}

/** What dropInode says, where it is to be asked. */
function isDropped(kernel: Kernel, inode: InodeHandle): boolean {
  const { core } = kernel;
  if (!(core.u32[(inode << 3) + INODE_STATE] & I_WILL_FREE)) return true;
  core.u32[(inode << 3) + INODE_STATE] &= ~I_WILL_FREE;
  return kernel.typeOf(inode).superOps?.dropInode?.(kernel, inode) !== false;
}

/** @returns false when its store takes time */
function endInode(kernel: Kernel, inode: InodeHandle): boolean {
  const { core } = kernel;
  const rest = (): Promise<void> | undefined => {
    if (kernel.core !== core) return undefined;
    return writeLast(kernel, inode) ?? callEvictInode(kernel, inode);
  };
  const pages = kernel.bdiOf(inode)?.evict(inode, core.u32[(inode << 3) + INODE_NLINK] > 0);
  const write = inodeWrite(kernel, inode); // it might come to the store after ours (Linux inode_wait_for_writeback())
  const first = pages && write ? Promise.all([pages, write.catch(() => {})]) : (pages ?? write?.catch(() => {}));
  const end = first ? first.then(rest) : rest();
  if (end === undefined) return leave(kernel, inode);
  kernel.core.u32[(inode << 3) + INODE_STATE] |= I_EVICTING;
  waitForIt(kernel, inode, kernel.core.u32[(inode << 3) + INODE_SB] >>> 5, end, () => leave(kernel, inode));
  return false;
}

/** @returns false for an inode that stays */
function leave(kernel: Kernel, inode: InodeHandle): boolean {
  const { u32, x } = kernel.core;
  const isLeft = !stays(kernel, inode);
  u32[(inode << 3) + INODE_STATE] &= ~I_EVICTING;
  if (isLeft) x.inodeFree(inode);
  else {
    x.inodeKeep(inode);
    kernel.bdiOf(inode)?.inodeDirtied(inode);
  }
  return isLeft;
}

/** Attributes that the store does not have yet, of an inode with a name. */
function isUnwritten({ core: { u32 } }: Kernel, inode: InodeHandle): boolean {
  return (u32[(inode << 3) + INODE_STATE] & I_DIRTY_INODE && u32[(inode << 3) + INODE_NLINK]) !== 0;
}

/** What could not be written yet, but can be later. */
function stays(kernel: Kernel, inode: InodeHandle): boolean {
  const isKnown = kernel.core.u32[(inode << 3) + INODE_STATE] & I_HASHED && kernel.sbOf(inode).root;
  return isKnown !== 0 && isUnwritten(kernel, inode);
}

function callEvictInode(kernel: Kernel, inode: InodeHandle): Promise<void> | undefined {
  if (stays(kernel, inode)) return undefined;
  return callEnd(kernel, () => {
    const { pages, superOps } = kernel.typeOf(inode);
    pages?.truncate(kernel, inode, 0);
    return superOps?.evictInode?.(kernel, inode);
  });
}

/** Writes a dirty inode that has a name, and ends it then. @returns undefined when it is written, or cannot be */
function writeLast(kernel: Kernel, inode: InodeHandle): Promise<void> | undefined {
  const { core } = kernel;
  if (!isUnwritten(kernel, inode)) return undefined;
  const lose = (): void => {
    core.u32[(inode << 3) + INODE_STATE] &= ~I_DIRTY_INODE;
    countFailedEnd(kernel);
  };
  const others = kernel.takeWaitToken(); // of the call before, perhaps: it may wait for this end
  const rc = writeInodeNow(kernel, inode, true);
  const token = rc === -EAGAIN ? kernel.takeWaitToken() : undefined;
  if (others !== undefined) kernel.setWaitToken(others);
  if (token === undefined) {
    if (rc < 0 && !(rc === -EAGAIN && stays(kernel, inode))) lose();
    return undefined;
  }
  const goOn = (): Promise<void> | undefined => {
    if (kernel.core !== core) return undefined;
    return writeLast(kernel, inode) ?? callEvictInode(kernel, inode);
  };
  const giveUp = (): Promise<void> | undefined => {
    if (kernel.core !== core) return undefined;
    lose();
    return callEvictInode(kernel, inode);
  };
  return token.then(goOn, giveUp);
}

/** Nobody is there to be told. */
export function countFailedEnd(kernel: Kernel): void {
  kernel.core.f64[FAILED]++;
}

/** Calls what ends something; what it throws is an error like any other. @returns the promise of a store that takes time */
export function callEnd(kernel: Kernel, end: () => void | Promise<void>): Promise<void> | undefined {
  try {
    return end() ?? undefined;
  } catch {
    countFailedEnd(kernel);
    return undefined;
  }
}

/**
 * Notes an end that takes time. A kernel that has been rolled back or destroyed meanwhile has nothing left to free.
 *
 * @param sb handle of the super block that is busy until then
 * @param free what is done when it is over, well or not
 */
export function waitForIt(
  kernel: Kernel,
  record: InodeHandle | FileHandle,
  sb: number,
  end: Promise<void>,
  free: () => void,
): Promise<void> {
  const { core } = kernel;
  const over = end
    .catch(() => {
      if (kernel.core === core) countFailedEnd(kernel);
    })
    .then(() => {
      if (kernel.core !== core) return;
      kernel.ends.delete(record);
      free();
      kernel.evictInodes();
    });
  kernel.ends.set(record, { sb, over });
  return over;
}

/** All that a super block waits for. @returns undefined when that is nothing */
export function endsOf(kernel: Kernel, sb: number): Promise<void> | undefined {
  const ends = [...kernel.ends.values()].filter((end) => end.sb === sb);
  return ends.length === 0 ? undefined : Promise.all(ends.map(({ over }) => over)).then(() => undefined);
}
