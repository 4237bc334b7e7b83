/**
 * Writing back all of a device: for sync(2) and syncfs(2), for umount, and for inodes that go.
 *
 * A call that has to wait is made again; what it has come by hangs on its Progress, so that writers do not keep it from
 * coming to an end: a file that it has written is done, and one that was clean when it began is not its business.
 *
 * @see Linux fs/fs-writeback.c sync_inodes_sb(), writeback_inodes_sb()
 */
import { EAGAIN } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import { I_FREEING, INODE_GENERATION, INODE_STATE, XA_MARK_DIRTY } from "../wasm/layout.ts";
import { WB_SYNC_ALL, WB_SYNC_NONE, type WritebackControl } from "./address-space.ts";
import type { BackingDevice } from "./backing-dev.ts";
import { nrMarked } from "./page-state.ts";
import type { Progress } from "./progress.ts";
import { filemapCheckErrors } from "./wb-err.ts";
import { newScan, type Scan, writeCachePages } from "./writeback.ts";

/** How far a call has come. */
interface SyncPass {
  /**
   * Files that had something dirty, or on its way, when it began, each with its generation, which tells an inode from the next one
   * in the same record; those that are done go.
   */
  readonly todo: Map<InodeHandle, number>;
  /** The file it is in the midst of. */
  scan: { inode: InodeHandle; scan: Scan } | undefined;
  /** Runs that had failed when it began. */
  readonly nrFailed: number;
  hasWaited: boolean;
}

const passes = new WeakMap<Progress, Map<BackingDevice, SyncPass>>();

function passOf(bdi: BackingDevice): SyncPass {
  const { progress } = bdi.host.cache;
  const known = progress === undefined ? undefined : passes.get(progress);
  const pass = known?.get(bdi) ?? newPass(bdi);
  if (progress === undefined) return pass;
  if (known === undefined) passes.set(progress, new Map([[bdi, pass]]));
  else known.set(bdi, pass);
  return pass;
}

function newPass(bdi: BackingDevice): SyncPass {
  const todo = new Map(bdi.dirtyInodes().map((inode) => [inode, generationOf(bdi, inode)]));
  for (const { inode } of bdi.inFlight) todo.set(inode, generationOf(bdi, inode)); // a store may give pages back
  return { todo, scan: undefined, nrFailed: bdi.nrFailed, hasWaited: false };
}

function generationOf(bdi: BackingDevice, inode: InodeHandle): number {
  return bdi.core.u32[(inode << 3) + INODE_GENERATION];
}

/**
 * Writes the dirty pages of all files. Goes on after an error.
 *
 * @param isWait wait for what is being written, too, and write what others have in hand
 * @returns 0; -EAGAIN with a token; why something could not be written meanwhile
 */
export function syncDevice(bdi: BackingDevice, isWait: boolean): number {
  const pass = passOf(bdi);
  const inodes = pass.todo.size === 0 ? [] : bdi.dirtyInodes(); // with many, to look again after each wait is what takes the time
  for (const inode of inodes) {
    const generation = pass.todo.get(inode);
    if (generation === undefined || generation !== generationOf(bdi, inode)) continue;
    if (bdi.core.u32[(inode << 3) + INODE_STATE] & I_FREEING) continue;
    const rc = syncInode(bdi, inode, pass, isWait);
    if (rc === -EAGAIN && isWait) return rc;
    pass.todo.delete(inode);
    pass.hasWaited = false;
  }
  if (isWait && waitForWrites(bdi, pass) < 0) return -EAGAIN;
  return bdi.nrFailed > pass.nrFailed ? bdi.lastErrno : 0;
}

function syncInode(bdi: BackingDevice, inode: InodeHandle, pass: SyncPass, isWait: boolean): number {
  const { core, host } = bdi;
  const wbc = syncControl(isWait, isWait); // what nobody waits for is no part of it yet
  const scan = pass.scan?.inode === inode ? pass.scan.scan : newScan(wbc);
  pass.scan = { inode, scan };
  core.x.inodeGrab(inode); // held, whatever its writing does
  const rc = writeCachePages(host.cache, inode, wbc, scan);
  core.x.iput(inode);
  return rc;
}

function syncControl(isWait: boolean, forSync: boolean): WritebackControl {
  return {
    syncMode: isWait ? WB_SYNC_ALL : WB_SYNC_NONE,
    nrToWrite: Infinity,
    rangeStart: 0,
    rangeEnd: Infinity,
    forSync,
    pagesSkipped: 0,
  };
}

/** Waits for all that is being written, once for what the call has begun: what others begin later is not its business. */
function waitForWrites(bdi: BackingDevice, pass: SyncPass): number {
  const { cache } = bdi.host;
  const writes = pass.hasWaited ? undefined : bdi.writesOf();
  if (writes === undefined) return 0;
  pass.hasWaited = cache.progress !== undefined;
  cache.setWaitToken(writes);
  return -EAGAIN;
}

/** Tries that an inode on its way out has with a store that is busy. */
const MAX_TRIES = 100;

/**
 * The pages of an inode that goes: written where it has a name, else dropped.
 *
 * @returns the promise of its end, where a store takes time
 */
export function evictPages(
  bdi: BackingDevice,
  inode: InodeHandle,
  hasName: boolean,
  tries = 0,
): Promise<void> | undefined {
  const { core, host } = bdi;
  const again = (): Promise<void> | undefined =>
    host.cache.core === core ? evictPages(bdi, inode, hasName, tries + 1) : undefined;
  if (hasName && !bdi.noWriteback && tries < MAX_TRIES) {
    const wbc = syncControl(true, false);
    const others = host.takeWaitToken(); // of the call before, perhaps: it may wait for this end
    const rc = writeCachePages(host.cache, inode, wbc, newScan(wbc));
    const token = rc === -EAGAIN ? host.takeWaitToken() : undefined;
    if (others !== undefined) host.cache.setWaitToken(others);
    if (token !== undefined) return token.then(again, again);
  }
  const writes = bdi.writesOf(inode);
  if (writes !== undefined) return writes.then(again);
  const nrLost = nrMarked(core, inode, XA_MARK_DIRTY);
  if (!host.cutsPages) bdi.nrCancelled += nrLost; // else each does when it is cut off
  bdi.forget(inode);
  const isFailed = filemapCheckErrors(core, inode) < 0 || (nrLost > 0 && !bdi.noWriteback);
  if (hasName && isFailed) host.countFailedEnd();
  return undefined;
}
