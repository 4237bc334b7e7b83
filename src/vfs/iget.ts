/**
 * The inode cache as file systems use it: one inode for each number of the store, however many names lead to it.
 *
 *   iget() ─► known ─► a reference
 *          └► new: I_NEW ─► readInode ─► ready
 *
 * Numbers may collide (several devices in one folder, more than 53 bits): `match` tells them apart. A store that has given
 * a number to another file removes the old inode from the hash (removeInodeHash) and asks again.
 *
 * Does not own: the hash (assembly/fs/inode-hash.ts), unused inodes (inode-lru.ts), how inodes end (evict.ts).
 *
 * @see Linux fs/inode.c iget5_locked(), ilookup5(); fs/dcache.c d_splice_alias()
 */
import { EAGAIN, EDEADLK, EIO } from "../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../base/handles.ts";
import { I_FREEING, I_NEW, INODE_ALIASES, INODE_COUNT, INODE_MODE, INODE_STATE } from "../wasm/layout.ts";
import type { Kernel } from "./kernel.ts";
import type { SuperBlock } from "./super-block.ts";

/** Tells whether an inode of the number is the one that is meant. It may be one that is just going. */
export type Match = (inode: InodeHandle) => boolean;

/**
 * The inode of a number, with a reference, as from a lookup; readInode fills one that is not known.
 *
 * @param match where numbers collide. It must know a new inode, too: by what `set` has noted
 * @param set notes which one a new inode is, before it is read
 * @returns the inode; what readInode answers; -EAGAIN with a wait token while it is being read, or an inode of the number is
 *   still on its way out; -EIO when readInode gave it no type; -EDEADLK for the inode that readInode is just asked for; -ENOMEM
 */
export function iget(
  sb: SuperBlock,
  ino: number,
  match?: Match,
  set?: (inode: InodeHandle) => void,
): InodeHandle | number {
  const { kernel } = sb;
  const { x } = kernel.core;
  kernel.evictInodes();
  const known = ilookupAny(sb, ino, match);
  if (known === 0) {
    const inode = x.inodeNewAt(sb.handle, ino, kernel.now()) as InodeHandle;
    if (inode < 0) return inode;
    set?.(inode);
    return readNew(sb, inode);
  }
  const state = stateOf(kernel, known);
  if (state & I_FREEING) return kernel.waitForEnd(known);
  if (!(state & I_NEW)) {
    x.inodeGrab(known);
    return known;
  }
  if (kernel.core.u32[(known << 3) + INODE_COUNT] !== 0) return -EDEADLK;
  x.inodeGrab(known);
  return readNew(sb, known);
}

/** The inode of a number if memory has it ready, with a reference. @returns 0 when it has not @see Linux ilookup5() */
export function ilookup(sb: SuperBlock, ino: number, match?: Match): InodeHandle {
  const { kernel } = sb;
  const known = ilookupAny(sb, ino, match);
  if (known === 0 || stateOf(kernel, known) & (I_FREEING | I_NEW)) return 0 as InodeHandle;
  kernel.core.x.inodeGrab(known);
  return known;
}

function ilookupAny({ kernel, handle }: SuperBlock, ino: number, match: Match | undefined): InodeHandle {
  const { x } = kernel.core;
  let inode = x.inodeFind(handle, ino, 0) as InodeHandle;
  while (inode !== 0 && match !== undefined && !match(inode)) inode = x.inodeFind(handle, ino, inode) as InodeHandle;
  return inode;
}

function stateOf({ core }: Kernel, inode: InodeHandle): number {
  return core.u32[(inode << 3) + INODE_STATE];
}

/**
 * Has an inode filled. One whose store has to answer first stays, unused, for whoever asks again; one that cannot be read
 * goes, without evictInode.
 */
function readNew(sb: SuperBlock, inode: InodeHandle): InodeHandle | number {
  const { kernel } = sb;
  const { core } = kernel;
  const rc = sb.type.superOps?.readInode?.(sb, inode) ?? -EIO;
  const read = rc >= 0 && core.u32[(inode << 3) + INODE_MODE] === 0 ? -EIO : rc;
  if (read < 0) {
    if (read !== -EAGAIN) core.x.inodeUnhash(inode);
    core.x.iput(inode);
    return read;
  }
  core.u32[(inode << 3) + INODE_STATE] &= ~I_NEW;
  return inode;
}

/** Makes an inode that the file system has made itself known by its number. @returns 0 or -ENOMEM @see Linux insert_inode_hash() */
export function insertInodeHash(kernel: Kernel, inode: InodeHandle): number {
  return kernel.core.x.inodeHash(inode);
}

/** Its number finds the inode no more: who uses it keeps it, and it goes with the last reference. @see Linux remove_inode_hash() */
export function removeInodeHash(kernel: Kernel, inode: InodeHandle): void {
  kernel.core.x.inodeUnhash(inode);
}

/**
 * Makes a dentry positive, as the end of a lookup; takes over the caller's reference. A directory has one name: where it
 * is known by another, that one is out of date, and goes with all names below unless something is mounted there.
 *
 * @see Linux fs/dcache.c d_splice_alias()
 */
export function dSpliceAlias(kernel: Kernel, inode: InodeHandle, dentry: DentryHandle): void {
  const { core } = kernel;
  if (core.x.isDirectory(inode)) {
    const alias = (core.u32[(inode << 3) + INODE_ALIASES] >>> 5) as DentryHandle;
    if (alias) core.x.dInvalidate(alias);
  }
  core.x.dInstantiate(dentry, inode);
}
