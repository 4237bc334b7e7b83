/**
 * Files that are ours: written here, with cache=writeback, and not at the host yet.
 *
 *   becomeOurs ─► its host descriptor is kept ─► pages are dirty ─► written back ─► settle: the host's again
 *
 * As long as a file is ours, so are its size, mtime and ctime: the record's. The descriptor is what it is written back by,
 * whatever has become of its name and mode meanwhile. So there are never more such files than descriptors that may be kept:
 * who makes one more writes back the oldest.
 *
 * Does not own: which pages are dirty (mm/page-dirty.ts), how they are written (host-aops.ts), when unasked (mm/flusher.ts).
 *
 * @see Linux fs/nfs/inode.c nfs_update_inode(), for whose size and times count
 */
import { EAGAIN } from "../../base/errno.ts";
import type { InodeHandle } from "../../base/handles.ts";
import type { BackingDevice } from "../../mm/backing-dev.ts";
import { writebackInodes } from "../../mm/flusher.ts";
import { LAST_INDEX } from "../../mm/page-state.ts";
import { Inode, type InodeTime } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import {
  STAT_BLOCKS,
  STAT_CTIME_NSEC,
  STAT_CTIME_SEC,
  STAT_MTIME_NSEC,
  STAT_MTIME_SEC,
  STAT_SIZE,
} from "../../vfs/syscalls.ts";
import { INODE_RWSEM, PAGE_SIZE, XA_MARK_DIRTY, XA_MARK_WRITEBACK } from "../../wasm/layout.ts";
import { ask } from "./host-ask.ts";
import type { HostInode, HostMount } from "./host-mount.ts";
import { runNow } from "./host-steps.ts";

/** Of the times that a write changes. */
const TIMES: readonly (readonly [InodeTime, sec: number, nsec: number])[] = [
  ["mtime", STAT_MTIME_SEC, STAT_MTIME_NSEC],
  ["ctime", STAT_CTIME_SEC, STAT_CTIME_NSEC],
];

/**
 * A file is about to be written to.
 *
 * @returns 0; -EAGAIN with a token; what the host answers, who will not let it be opened
 */
export function becomeOurs(kernel: Kernel, mount: HostMount, inode: InodeHandle, state: HostInode): number {
  if (state.isOurs) return 0;
  const rc = makeRoomForOne(kernel, mount, inode) || openToWrite(kernel, mount, state);
  if (rc < 0 || state.node.isWriteOnly) return rc;
  mount.store.fds.keep(state.node.writeKey);
  state.isOurs = true;
  mount.nrOurs++;
  const record = new Inode(kernel, inode);
  for (const [which, sec, nsec] of TIMES) record.setTime(which, state.values[sec], state.values[nsec]);
  return 0;
}

function openToWrite(kernel: Kernel, { store }: HostMount, { node, serial }: HostInode): number {
  if (store.findToWrite(node) !== undefined) return 0;
  const rc = ask(kernel, `open ${serial} true`, undefined, () => store.open(node, true));
  // It may have been closed again while the call has waited.
  return rc < 0 || store.findToWrite(node) !== undefined ? rc : runNow(store.open(node, true));
}

/** A quarter of the descriptors is for all else. */
function maxOurs({ options }: HostMount): number {
  return options.maxFds - (options.maxFds >> 2);
}

/** @returns 0; -EAGAIN with a token: the call waits for what is being written */
function makeRoomForOne(kernel: Kernel, mount: HostMount, inode: InodeHandle): number {
  const bdi = kernel.bdiOf(inode);
  const max = maxOurs(mount);
  if (bdi === undefined || mount.nrOurs < max) return 0;
  writeBackAll(bdi, () => mount.nrOurs - bdi.inFlight.size <= max >> 1);
  const writes = mount.nrOurs < max || !kernel.mayWait ? undefined : bdi.writesOf();
  if (writes === undefined) return 0;
  kernel.setWaitToken(writes);
  return -EAGAIN;
}

/** Writes back files, the oldest first. @param isEnough asked before each */
export function writeBackAll(bdi: BackingDevice, isEnough = () => false): void {
  writebackInodes(bdi, { olderThanCs: undefined, nrPages: Number.POSITIVE_INFINITY, forBackground: true, isEnough });
}

/** A write is about to be made to a file that is ours, which it stays until endWrite(), however much is written back by then. */
export function beginWrite(state: HostInode): void {
  state.isInWrite = true;
}

/** A write has been made, or waits: it keeps the lock of the file then, which is ours until that is free. */
export function endWrite(kernel: Kernel, mount: HostMount, inode: InodeHandle, state: HostInode): void {
  const { core, pendingChanges } = kernel;
  const token = pendingChanges.get(core.u32[(inode << 3) + INODE_RWSEM])?.token;
  const free = (): void => {
    const isKnown = kernel.core === core && mount.inodes.get(inode) === state;
    if (isKnown && state.lockedUntil === token) endWrite(kernel, mount, inode, state);
  };
  if (token !== undefined && token !== state.lockedUntil) token.then(free, free);
  state.lockedUntil = token;
  state.isInWrite = false;
  settle(kernel, mount, inode, state);
}

/** A file is the host's again, if the host has all of it. */
export function settle({ core }: Kernel, mount: HostMount, inode: InodeHandle, state: HostInode): void {
  if (!state.isOurs || state.isInWrite || state.lockedUntil !== undefined || state.nrWrites > 0) return;
  if (core.x.indexMarked(inode, XA_MARK_DIRTY) !== 0) return;
  giveUp(mount, state);
  endHold(mount, state);
}

/** A file is ours no more. */
export function giveUp(mount: HostMount, state: HostInode): void {
  if (!state.isOurs) return;
  state.isOurs = false;
  mount.nrOurs--;
  mount.store.fds.letGo(state.node.writeKey);
}

/** Descriptors of a file that has lost a name are kept as long as somebody needs them. */
export function endHold({ store }: HostMount, state: HostInode): void {
  if (state.opens > 0 || state.isOurs || !state.isHeld) return;
  state.isHeld = false;
  store.drop(state.node);
}

/** Brings attributes of the host up to what is ours, or was when it was written back. @param values STAT_* */
export function ownAttributes(kernel: Kernel, handle: InodeHandle, state: HostInode, values: Float64Array): void {
  const inode = new Inode(kernel, handle);
  if (state.isOurs) {
    values[STAT_BLOCKS] = blocksOf(kernel, handle, values);
    values[STAT_SIZE] = inode.size;
  }
  // Written back, and the host's clock may be behind: no time goes back.
  else if (state.flushedNs !== state.seen?.mtimeNs) return;
  for (const [which, secAt, nsecAt] of TIMES) {
    const { sec, nsec } = inode.getTime(which);
    const isLater = sec > values[secAt] || (sec === values[secAt] && nsec > values[nsecAt]);
    if (!state.isOurs && !isLater) continue;
    values[secAt] = sec;
    values[nsecAt] = nsec;
  }
}

const BLOCKS_PER_PAGE = PAGE_SIZE / 512;

/** With those that the host will need, as where blocks are allocated late. @param values of the host */
function blocksOf({ core: { x } }: Kernel, inode: InodeHandle, values: Float64Array): number {
  /** Pages from `first` on: to tag them with the mark that they have is to count them. */
  const count = (first: number): number =>
    x.indexTag(inode, first, LAST_INDEX, XA_MARK_DIRTY, XA_MARK_DIRTY) +
    x.indexTag(inode, first, LAST_INDEX, XA_MARK_WRITEBACK, XA_MARK_WRITEBACK);
  const behind = count(Math.ceil(values[STAT_SIZE] / PAGE_SIZE));
  return Math.max(values[STAT_BLOCKS] + behind * BLOCKS_PER_PAGE, count(0) * BLOCKS_PER_PAGE);
}
