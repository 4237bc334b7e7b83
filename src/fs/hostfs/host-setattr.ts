/**
 * Attributes of host files: asked for when they are no longer to be believed, and changed on the host first.
 *
 * Does not own: who may change what (vfs/setattr.ts), what of the host's attributes is shown (host-attributes.ts).
 */
import { EAGAIN } from "../../base/errno.ts";
import type { InodeHandle } from "../../base/handles.ts";
import { endRangeSync, filemapFdatawaitRange, filemapWriteAndWaitRange } from "../../mm/writeback.ts";
import {
  type Answer,
  ATTR_ATIME,
  ATTR_GID,
  ATTR_MODE,
  ATTR_MTIME,
  ATTR_SIZE,
  ATTR_UID,
  type Attributes,
  type InodeOperations,
} from "../../vfs/fs-type.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { setattrCopy, setattrPrepare, truncateSetsize } from "../../vfs/setattr.ts";
import {
  STAT_ATIME_NSEC,
  STAT_ATIME_SEC,
  STAT_CTIME_NSEC,
  STAT_CTIME_SEC,
  STAT_DEV,
  STAT_GID,
  STAT_MODE,
  STAT_MTIME_NSEC,
  STAT_MTIME_SEC,
  STAT_NLINK,
  STAT_UID,
} from "../../vfs/syscalls.ts";
import { TOUCH_CTIME, TOUCH_MTIME } from "../../wasm/layout.ts";
import { change } from "./host-ask.ts";
import { ownAttributes, settle } from "./host-dirty.ts";
import {
  expire,
  type HostInode,
  type HostMount,
  isRemoved,
  mountOf,
  refresh,
  refreshOld,
  stateOf,
} from "./host-mount.ts";
import { hasPages } from "./host-pages.ts";
import type { HostChange } from "./host-store.ts";
import { type Changed, goOnFrom, watched } from "./host-watched.ts";

/** What may have been changed of a directory since the host has it no more. */
const CHANGEABLE = [
  STAT_MODE,
  STAT_UID,
  STAT_GID,
  STAT_ATIME_SEC,
  STAT_ATIME_NSEC,
  STAT_MTIME_SEC,
  STAT_MTIME_NSEC,
  STAT_CTIME_SEC,
  STAT_CTIME_NSEC,
];

/** @param values of the host, as they were last @param record what the VFS has */
function keepChanges(values: Float64Array, record: Float64Array): void {
  values[STAT_NLINK] = 0;
  for (const at of CHANGEABLE) values[at] = record[at];
}

/** @param values as the VFS has them; as the host has, then */
function getattr(kernel: Kernel, inode: InodeHandle, values: Float64Array, isWalked: boolean): number {
  const state = stateOf(kernel, inode);
  const isGone = isRemoved(kernel, inode);
  const isKnown = isGone || (isWalked && kernel.walked.inode === inode && !state.isAtimeOld);
  const rc = isKnown ? 0 : (state.isAtimeOld ? refresh : refreshOld)(kernel, mountOf(kernel, inode), inode, state);
  if (rc < 0) return rc;
  if (isGone) keepChanges(state.values, values);
  const dev = values[STAT_DEV];
  values.set(state.values);
  values[STAT_DEV] = dev;
  if (state.isOurs || state.flushedNs !== undefined) ownAttributes(kernel, inode, state, values);
  return 0;
}

/**
 * The host first, then what is known here. The host is asked once, about the inode that the call has found: a call that waits
 * takes the answer, and walks no path again. What a truncation does to times the host does by itself.
 *
 * What is ours of a file is written back before, so that it does not undo the change. A truncation needs less: that nothing
 * is on its way.
 */
function setattr(kernel: Kernel, inode: InodeHandle, attr: Attributes): Answer {
  const refused = setattrPrepare(kernel, inode, attr);
  if (refused < 0) return refused;
  if (isRemoved(kernel, inode)) {
    setattrCopy(kernel, inode, attr);
    return 0;
  }
  const mount = mountOf(kernel, inode);
  const state = stateOf(kernel, inode);
  if (state.isOurs && bringToHost(kernel, inode, attr) === -EAGAIN) return -EAGAIN;
  const changes = hostChange(attr);
  const isWatched = state.isOurs || hasPages(kernel.core, inode);
  return change<Changed>(
    kernel,
    () => watched(mount.store, state.node, isWatched, () => mount.store.change(state.node, changes)),
    (changed) => {
      expire(state);
      if (changed.rc < 0) return changed.rc;
      if (isWatched) goOnFrom(state, changed);
      else state.seen = undefined;
      if (attr.valid & ATTR_SIZE) setSize(kernel, mount, inode, state, attr.size);
      setattrCopy(kernel, inode, attr);
      return 0;
    },
  );
}

/** What fails of it fsync tells: it is no reason not to change the file. @returns -EAGAIN with a token, or anything */
function bringToHost(kernel: Kernel, inode: InodeHandle, { valid }: Attributes): number {
  const bring = valid & ATTR_SIZE ? filemapFdatawaitRange : filemapWriteAndWaitRange;
  const rc = bring(kernel, inode, 0, Number.POSITIVE_INFINITY);
  if (rc !== -EAGAIN) endRangeSync(kernel);
  return rc;
}

function setSize(kernel: Kernel, mount: HostMount, inode: InodeHandle, state: HostInode, size: number): void {
  truncateSetsize(kernel, inode, size);
  if (!state.isOurs) return;
  kernel.core.x.touch(inode, TOUCH_MTIME | TOUCH_CTIME, kernel.now());
  settle(kernel, mount, inode, state);
}

function hostChange({ valid, mode, uid, gid, size, atimeSec, atimeNsec, mtimeSec, mtimeNsec }: Attributes): HostChange {
  const isTruncation = (valid & ATTR_SIZE) !== 0;
  const isTouch = (valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_SIZE | ATTR_ATIME | ATTR_MTIME)) === 0;
  return {
    ...(valid & ATTR_MODE && { mode }),
    ...(valid & ATTR_UID && { uid }),
    ...(valid & ATTR_GID && { gid }),
    ...(isTruncation && { size }),
    ...(!isTruncation && valid & ATTR_ATIME && { atime: nanoseconds(atimeSec, atimeNsec) }),
    ...(!isTruncation && valid & ATTR_MTIME && { mtime: nanoseconds(mtimeSec, mtimeNsec) }),
    ...(isTouch && { isTouch }),
  };
}

function nanoseconds(sec: number, nsec: number): bigint {
  return BigInt(sec) * 1_000_000_000n + BigInt(nsec);
}

export const attributeOperations: InodeOperations = { getattr, setattr };
