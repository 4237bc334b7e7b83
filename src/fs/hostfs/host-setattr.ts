/**
 * Attributes of host files: asked for when they are no longer to be believed, and changed on the host first.
 *
 * Does not own: who may change what (vfs/setattr.ts), what of the host's attributes is shown (host-attributes.ts).
 */
import { EAGAIN, EIO } from "../../base/errno.ts";
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
import { askOnce, makeOnce } from "./host-ask.ts";
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
import { runLater, runNow, type Steps } from "./host-steps.ts";
import type { HostChange } from "./host-store.ts";
import { type Changed, goOnFrom, watched } from "./host-watched.ts";

/** A change, and whose it was. */
interface ChangedInode extends Changed {
  readonly state: HostInode;
}

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
 * The host first, then what is known here, as soon as it has answered: a call that begins anew finds both done. What a
 * truncation does to times the host does by itself.
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
  const { core } = kernel;
  const changes = hostChange(attr);
  const isWatched = state.isOurs || hasPages(core, inode);
  function* ask(): Steps<ChangedInode> {
    const changed = yield* watched(mount.store, state.node, isWatched, () => mount.store.change(state.node, changes));
    return { ...changed, state };
  }
  const done = (answer: ChangedInode | number): void => {
    expire(state);
    const isKnown = kernel.core === core && mount.inodes.get(inode) === state;
    if (!isKnown || typeof answer === "number" || answer.rc < 0) return;
    if (isWatched) goOnFrom(state, answer);
    else state.seen = undefined;
    if (attr.valid & ATTR_SIZE) setSize(kernel, mount, inode, state, attr.size);
    setattrCopy(kernel, inode, attr);
  };
  // "Now" is another time each try.
  const key = `change ${mount.serial} ${state.node.key} ${attr.valid} ${attr.mode} ${attr.uid} ${attr.gid} ${attr.size}`;
  if (attr.valid & ATTR_SIZE && mount.options.cache === "writeback")
    return makeOnce<Answer>(kernel, key, (keep) => cut(kernel, state, ask, done, keep));
  const answer = askOnce<ChangedInode>(kernel, key, ask, done);
  if (typeof answer === "number") return answer;
  if (answer.state !== state) expire(state); // it was dropped and read again while the host was asked
  return answer.rc;
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

/** Cuts a file that may have dirty pages: its lock keeps writers away until that is done, and `cutting` who writes back. */
function cut(
  kernel: Kernel,
  state: HostInode,
  ask: () => Steps<ChangedInode>,
  done: (answer: ChangedInode) => void,
  keep: (answer: number) => void,
): Answer {
  if (!kernel.mayWait) {
    const answer = runNow(ask());
    done(answer);
    return answer.rc;
  }
  let end = (): void => {};
  state.cutting = new Promise<void>((resolve) => {
    end = () => {
      state.cutting = undefined;
      resolve();
    };
  });
  const commit = (answer: ChangedInode) => (): number => {
    keep(answer.rc);
    done(answer);
    end();
    return answer.rc;
  };
  return runLater(ask()).then(commit, () => {
    end();
    return -EIO;
  });
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
