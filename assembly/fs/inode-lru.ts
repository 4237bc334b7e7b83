// Unused inodes: known by number, named by nobody, kept for the next lookup. They go when memory runs out, oldest first,
// who has been found again is spared once; and by dropCaches(2).
//
//   iput() of the last reference ──► head ... tail ──► evictInode, or in use again (grabInode)
//
// Compare Linux fs/inode.c inode_add_lru(), prune_icache_sb(), evict_inodes().
import { I_FREEING, I_LRU, I_REFERENCED } from "../abi";
import { Inode, startEvict } from "./inode";
import { isNil, kernel, nil } from "../kernel";
import { SuperBlock } from "./super";

/** Puts an unused inode on the list. Precondition: it is not on it. */
export function inodeLruAdd(inode: Inode): void {
  const k = kernel();
  inode.lruPrev = nil<Inode>();
  inode.lruNext = k.unusedInodeHead;
  if (isNil(inode.lruNext)) k.unusedInodeTail = inode;
  else inode.lruNext.lruPrev = inode;
  k.unusedInodeHead = inode;
  inode.state |= I_LRU;
  k.nrUnusedInodes++;
}

/** Takes an inode off the list, if it is on it. */
export function inodeLruRemove(inode: Inode): void {
  if (!(inode.state & I_LRU)) return;
  const k = kernel();
  if (isNil(inode.lruPrev)) k.unusedInodeHead = inode.lruNext;
  else inode.lruPrev.lruNext = inode.lruNext;
  if (isNil(inode.lruNext)) k.unusedInodeTail = inode.lruPrev;
  else inode.lruNext.lruPrev = inode.lruPrev;
  inode.lruNext = nil<Inode>();
  inode.lruPrev = nil<Inode>();
  inode.state &= ~I_LRU;
  k.nrUnusedInodes--;
}

/** Takes a reference on an inode that has been found by its number. Precondition: it is not on its way out. */
export function grabInode(inode: Inode): void {
  if (DEBUG) assert(!(inode.state & I_FREEING), "grabInode: the inode is being freed");
  if (inode.count++) return;
  inodeLruRemove(inode);
  inode.state |= I_REFERENCED;
}

/**
 * Looks at up to `nr` of the oldest unused inodes, and evicts those that may go.
 *
 * @param withPages those with cached pages, too
 * @returns how many have gone, or may go when their turn comes again: 0 = there is nothing to be had
 */
export function shrinkInodes(nr: u32, withPages: bool): u32 {
  const k = kernel();
  let progress: u32 = 0;
  for (let left = min<u32>(nr, k.nrUnusedInodes); left && !isNil(k.unusedInodeTail); left--) {
    const oldest = k.unusedInodeTail;
    const spared = (oldest.state & I_REFERENCED) != 0 || (!withPages && oldest.nrPages != 0);
    inodeLruRemove(oldest);
    oldest.state &= ~I_REFERENCED;
    if (spared) inodeLruAdd(oldest);
    else startEvict(oldest);
    progress++;
  }
  return progress;
}

/** Evicts all unused inodes of a super block. @see Linux evict_inodes() */
export function evictUnusedOf(sb: SuperBlock): void {
  let inode = kernel().unusedInodeTail;
  while (!isNil(inode)) {
    const newer = inode.lruPrev;
    if (inode.sb == sb) {
      inodeLruRemove(inode);
      startEvict(inode);
    }
    inode = newer;
  }
}
