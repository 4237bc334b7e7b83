/**
 * Attributes of host files: asked for when they are no longer to be believed, and changed on the host first.
 *
 * Does not own: who may change what (vfs/setattr.ts), what of the host's attributes is shown (host-attributes.ts).
 */
import type { BigIntStats } from "node:fs";
import type { InodeHandle } from "../../base/handles.ts";
import {
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
import { STAT_DEV, STAT_NLINK } from "../../vfs/syscalls.ts";
import { askOnce } from "./host-ask.ts";
import { expire, isRemoved, isSame, mountOf, refresh, refreshOld, stateOf } from "./host-mount.ts";
import { hasPages } from "./host-pages.ts";
import type { HostNode } from "./host-root.ts";
import type { Steps } from "./host-steps.ts";
import type { HostChange, HostStore } from "./host-store.ts";

function getattr(kernel: Kernel, inode: InodeHandle, values: Float64Array, isWalked: boolean): number {
  const state = stateOf(kernel, inode);
  const isGone = isRemoved(kernel, inode);
  const isKnown = isGone || (isWalked && kernel.walked.inode === inode && !state.isAtimeOld);
  const rc = isKnown ? 0 : (state.isAtimeOld ? refresh : refreshOld)(kernel, mountOf(kernel, inode), inode, state);
  if (rc < 0) return rc;
  if (isGone) state.values[STAT_NLINK] = 0;
  const dev = values[STAT_DEV];
  values.set(state.values);
  values[STAT_DEV] = dev;
  return 0;
}

/** A change of ours, between two looks at the file: nobody else has changed it if it was what we know. */
export interface Changed {
  readonly rc: number;
  readonly before: BigIntStats | undefined;
  readonly after: BigIntStats | undefined;
}

/** Makes a change. @param isWatched whether pages of the file are cached, which are to stay right */
export function* watched(
  store: HostStore,
  node: HostNode,
  isWatched: boolean,
  work: () => Steps<number>,
): Steps<Changed> {
  const before = isWatched ? yield* store.stat(node) : 0;
  const rc = yield* work();
  const after = isWatched ? yield* store.stat(node) : 0;
  return { rc, before: statsOf(before), after: statsOf(after) };
}

function statsOf(answer: BigIntStats | number): BigIntStats | undefined {
  return typeof answer === "number" ? undefined : answer;
}

/** The change has been ours alone: what is known of the file goes on from here. */
export function goOnFrom(state: { seen: BigIntStats | undefined }, { before, after }: Changed): void {
  if (before !== undefined && after !== undefined && isSame(state.seen, before)) state.seen = after;
}

/**
 * The host first, then what is known here, as soon as it has answered: a call that begins anew finds both done. What a
 * truncation does to times the host does by itself.
 */
function setattr(kernel: Kernel, inode: InodeHandle, attr: Attributes): number {
  const refused = setattrPrepare(kernel, inode, attr);
  if (refused < 0) return refused;
  if (isRemoved(kernel, inode)) {
    setattrCopy(kernel, inode, attr);
    return 0;
  }
  const mount = mountOf(kernel, inode);
  const state = stateOf(kernel, inode);
  const { core } = kernel;
  const changes = hostChange(attr);
  const isWatched = hasPages(core, inode);
  const done = (answer: Changed | number): void => {
    expire(state);
    const isOurs = kernel.core === core && mount.inodes.get(inode) === state;
    if (!isOurs || typeof answer === "number" || answer.rc < 0) return;
    goOnFrom(state, answer);
    if (attr.valid & ATTR_SIZE) truncateSetsize(kernel, inode, attr.size);
    setattrCopy(kernel, inode, attr);
  };
  const answer = askOnce<Changed>(
    kernel,
    `change ${inode} ${attr.valid} ${attr.mode} ${attr.uid} ${attr.gid} ${attr.size}`, // "now" is another time each try
    () => watched(mount.store, state.node, isWatched, () => mount.store.change(state.node, changes)),
    done,
  );
  return typeof answer === "number" ? answer : answer.rc;
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
