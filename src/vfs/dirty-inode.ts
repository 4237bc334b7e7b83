/**
 * Inodes whose attributes the store does not have yet: marked, and written by fsync, sync, umount and before they go.
 *
 * Does not own: dirty pages, and when a flusher comes by itself (writeback).
 *
 * @see Linux fs/fs-writeback.c __mark_inode_dirty(), write_inode_now(); fs/sync.c sync_filesystem()
 */
import { EAGAIN } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import type { Progress } from "../mm/progress.ts";
import {
  I_DIRTY_DATASYNC,
  I_DIRTY_PAGES,
  I_DIRTY_SYNC,
  I_FREEING,
  INODE_GENERATION,
  INODE_SB_NEXT,
  INODE_STATE,
  SB_RDONLY,
  SUPER_BLOCK_INODES,
} from "../wasm/layout.ts";
import type { Kernel } from "./kernel.ts";
import type { SuperBlock } from "./super-block.ts";

/** What writeInode writes: attributes. Pages have a writeback of their own. */
export const I_DIRTY_INODE = I_DIRTY_SYNC | I_DIRTY_DATASYNC;
/** All of I_DIRTY_*. */
export const I_DIRTY = I_DIRTY_INODE | I_DIRTY_PAGES;

/**
 * Marks an inode: its file system hears of changed attributes (dirtyInode), and is asked to write them later (writeInode),
 * if it can.
 *
 * @param flags union of I_DIRTY_SYNC (times, owner, mode), I_DIRTY_DATASYNC (what fdatasync needs: sizes), I_DIRTY_PAGES
 */
export function markInodeDirty(kernel: Kernel, inode: InodeHandle, flags: number): void {
  const { superOps } = kernel.typeOf(inode);
  if (superOps?.dirtyInode && flags & I_DIRTY_INODE) superOps.dirtyInode(kernel, inode, flags & I_DIRTY_INODE);
  if (!superOps?.writeInode) return;
  kernel.core.u32[(inode << 3) + INODE_STATE] |= flags;
  kernel.bdiOf(inode)?.inodeDirtied(inode);
}

/** A call that waits for its writing of an inode. */
interface InodeWrite {
  readonly progress: Progress;
  readonly over: Promise<void>;
}

/** By inode and generation. */
const writes = new WeakMap<Kernel, Map<string, InodeWrite>>();

function keyOf(kernel: Kernel, inode: InodeHandle): string {
  return `${inode} ${kernel.core.u32[(inode << 3) + INODE_GENERATION]}`;
}

/** Others wait until the store has answered, and look then whether there is anything left to be written. */
function noteWrite(kernel: Kernel, inode: InodeHandle): void {
  const { progress } = kernel;
  const over = progress && kernel.takeWaitToken();
  if (!over) return;
  kernel.setWaitToken(over);
  const ofKernel = writes.get(kernel) ?? new Map<string, InodeWrite>();
  const key = keyOf(kernel, inode);
  const write = { progress, over };
  writes.set(kernel, ofKernel.set(key, write));
  const end = (): void => {
    if (ofKernel.get(key) === write) ofKernel.delete(key);
  };
  over.then(end, end);
}

/** When the writing of an inode that is under way will be over: who ends the inode has to wait for it. */
export function inodeWrite(kernel: Kernel, inode: InodeHandle): Promise<void> | undefined {
  return writes.get(kernel)?.get(keyOf(kernel, inode))?.over;
}

/**
 * Has the attributes of an inode written if they are dirty. What becomes dirty meanwhile stays so, and so does what could
 * not be written. Calls that may wait write an inode one after the other.
 *
 * @returns 0, or what writeInode answers
 * @see Linux writeback_single_inode(), I_SYNC
 */
export function writeInodeNow(kernel: Kernel, inode: InodeHandle, sync: boolean): number {
  const { core, progress } = kernel;
  const dirty = core.u32[(inode << 3) + INODE_STATE] & I_DIRTY_INODE;
  if (dirty === 0) return 0;
  const other = progress && writes.get(kernel)?.get(keyOf(kernel, inode));
  if (other && other.progress !== progress) {
    kernel.setWaitToken(other.over);
    return -EAGAIN;
  }
  core.u32[(inode << 3) + INODE_STATE] &= ~dirty;
  const rc = kernel.typeOf(inode).superOps?.writeInode?.(kernel, inode, { sync }) ?? 0;
  if (rc < 0) core.u32[(inode << 3) + INODE_STATE] |= dirty;
  if (rc === -EAGAIN) noteWrite(kernel, inode);
  return rc;
}

/**
 * Writes what is dirty in a file system: pages, inodes, then what it has itself to write (syncFs). Goes on after an error.
 *
 * @returns 0; -EAGAIN with a wait token when the store must answer first: called again, it goes on; the first other error
 */
export function syncFilesystem(sb: SuperBlock, wait: boolean): number {
  if (sb.flags & SB_RDONLY) return 0; // all was written when it became so
  const pages = sb.bdi?.sync(wait) ?? 0;
  const rest = pages === -EAGAIN ? pages : syncBehindPages(sb, wait);
  return rest === -EAGAIN ? rest : pages || rest;
}

/** As syncFilesystem(), of a super block whose pages have been written. */
export function syncBehindPages(sb: SuperBlock, wait: boolean): number {
  const inodes = writeInodes(sb, wait);
  if (inodes === -EAGAIN) return inodes;
  const own = sb.type.superOps?.syncFs?.(sb, wait) ?? 0;
  return own === -EAGAIN ? own : inodes || Math.min(own, 0);
}

/** How far a call has come with the inodes of a super block. */
interface InodePass {
  /** Inodes that have been written, or could not be: what becomes dirty later is not its business. */
  readonly tried: Set<string>;
  /** The first error. */
  rc: number;
}

/** By super block. They last as long as their calls: who syncs several file systems goes through all of them again after each wait. */
const passes = new WeakMap<Progress, Map<number, InodePass>>();

function passOf({ handle, kernel }: SuperBlock): InodePass {
  const { progress } = kernel;
  const ofCall = (progress && passes.get(progress)) ?? new Map<number, InodePass>();
  const pass = ofCall.get(handle) ?? { tried: new Set<string>(), rc: 0 };
  if (progress) passes.set(progress, ofCall.set(handle, pass));
  return pass;
}

/** As syncFilesystem(), of the inodes alone. */
export function writeInodes(sb: SuperBlock, wait: boolean): number {
  if (!sb.type.superOps?.writeInode) return 0;
  const { core } = sb.kernel;
  const pass = passOf(sb);
  let inode = (core.u32[(sb.handle << 3) + SUPER_BLOCK_INODES] >>> 5) as InodeHandle;
  while (inode !== 0) {
    const at = inode << 3;
    const state = core.u32[at + INODE_STATE];
    const isDirty = (state & I_DIRTY_INODE) !== 0 && !(state & I_FREEING);
    const key = isDirty ? keyOf(sb.kernel, inode) : ""; // most are clean
    const isWanted = isDirty && !pass.tried.has(key);
    if (isWanted) core.x.inodeGrab(inode); // held, whatever its writing does
    const written = isWanted ? writeInodeNow(sb.kernel, inode, wait) : 0;
    const next = (core.u32[at + INODE_SB_NEXT] >>> 5) as InodeHandle;
    if (isWanted) core.x.iput(inode);
    if (written === -EAGAIN) return written;
    if (isWanted) pass.tried.add(key);
    pass.rc ||= Math.min(written, 0);
    inode = next;
  }
  return pass.rc;
}
