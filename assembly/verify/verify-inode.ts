// verify(): the inode cache: its hash, the list of unused inodes, and each inode's state.
import {
  CACHE_INODE, I_DIRTY_DATASYNC, I_DIRTY_PAGES, I_DIRTY_SYNC, I_EVICTING, I_FREEING, I_HASHED, I_LRU, I_NEW, I_WILL_FREE, SB_MEMORY,
} from "../abi";
import { Inode } from "../fs/inode";
import { findInode, inodeBucket, inodeChain } from "../fs/inode-hash";
import { isNil, kernel, nil } from "../kernel";
import { isObject, nextObject } from "./verify";

const DIRTY: u32 = I_DIRTY_SYNC | I_DIRTY_DATASYNC | I_DIRTY_PAGES;

/** Checks what inodes are known by number, unused, dirty and on their way out; a broken one aborts. */
export function verifyInodeCache(): void {
  const k = kernel();
  verifyChains();
  verifyUnusedInodes();
  let nrHashed: u32 = 0;
  let nrUnused: u32 = 0;
  for (let at = nextObject(CACHE_INODE, 0); at; at = nextObject(CACHE_INODE, at)) {
    const inode = changetype<Inode>(at);
    if (inode.state & I_HASHED) nrHashed++;
    if (inode.state & I_LRU) nrUnused++;
    verifyState(inode);
  }
  assert(nrHashed == k.nrHashedInodes, "inode cache: other inodes are flagged than are on the hash");
  assert(nrUnused == k.nrUnusedInodes, "unused inodes: others are flagged than are on the list");
}

function verifyChains(): void {
  const k = kernel();
  if (!k.inodeHash) {
    assert(!k.nrHashedInodes && !k.nrInodeBuckets && !k.inodeHashMask, "inode cache: no table, but inodes or buckets");
    return;
  }
  assert(k.nrHashedInodes > 0, "inode cache: a table without inodes");
  assert(k.nrInodeBuckets <= k.inodeHashMask + 1 && k.nrInodeBuckets > k.inodeHashMask >> 1, "inode cache: mask and number of buckets disagree");
  let nr: u32 = 0;
  for (let i: u32 = 0; i < k.nrInodeBuckets; i++) {
    for (let inode = inodeChain(i); !isNil(inode); inode = inode.hashNext) {
      assert(isObject(CACHE_INODE, changetype<usize>(inode)), "inode cache: a chain leads to no inode");
      assert((inode.state & I_HASHED) != 0, "inode cache: an inode on a chain is not flagged");
      assert(inodeBucket(inode.sb, inode.ino) == i, "inode cache: an inode in another's bucket");
      nr++;
      assert(nr <= k.nrHashedInodes, "inode cache: more inodes on the chains than counted, or a ring");
    }
  }
  assert(nr == k.nrHashedInodes, "inode cache: fewer inodes on the chains than counted");
}

function verifyUnusedInodes(): void {
  const k = kernel();
  let nr: u32 = 0;
  let prev = nil<Inode>();
  for (let inode = k.unusedInodeHead; !isNil(inode); inode = inode.lruNext) {
    assert(isObject(CACHE_INODE, changetype<usize>(inode)), "unused inodes: the list leads astray");
    assert((inode.state & I_LRU) != 0 && inode.lruPrev == prev, "unused inodes: not flagged, or the one before points elsewhere");
    prev = inode;
    nr++;
    assert(nr <= k.nrUnusedInodes, "unused inodes: more than counted, or a ring");
  }
  assert(nr == k.nrUnusedInodes && k.unusedInodeTail == prev, "unused inodes: fewer than counted, or another tail");
}

function verifyState(inode: Inode): void {
  const state = inode.state;
  assert(inode.count > 0 || (state & (I_LRU | I_FREEING)) != 0, "inode: used by nobody, and on no list");
  if (state & I_HASHED) assert(isFound(inode), "inode: its number does not find it");
  else assert(isNil(inode.hashNext), "inode: not hashed, but linked in a chain");
  if (state & I_LRU) assert(inode.count == 0 && (state & I_HASHED) != 0 && !(state & I_FREEING), "unused inodes: one in use, going, or without a number");
  else assert(isNil(inode.lruNext) && isNil(inode.lruPrev), "inode: in use, but linked as an unused one");
  if (state & I_NEW) assert((state & I_HASHED) != 0 && !(state & I_FREEING), "inode: being read, but not to be found, or going");
  if (state & (I_EVICTING | I_WILL_FREE)) assert((state & I_FREEING) != 0, "inode: at its end, but not being freed");
  if (state & DIRTY) assert(!(inode.sb.flags & SB_MEMORY), "inode: dirty, though there is no store");
}

function isFound(inode: Inode): bool {
  let found = findInode(inode.sb, inode.ino, nil<Inode>());
  while (!isNil(found) && found != inode) found = findInode(inode.sb, inode.ino, found);
  return found == inode;
}
