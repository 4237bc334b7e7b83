// verify(): the dentry hash, the lists of children, aliases and unused dentries, and each dentry's own state.
import {
  CACHE_DENTRY, CACHE_INODE, DCACHE_CHILD, DCACHE_HASHED, DCACHE_LRU, DCACHE_MOUNTED, DCACHE_PERSISTENT,
  DENTRY_NAME, DNAME_INLINE_LEN, I_DEAD, KERNEL_BLOCK, KERNEL_HASH_DIR, LOOKUP_DIRECTORY, NAME_MAX, SB_COMPLETE, SB_MEMORY,
} from "../abi";
import { dLookup, hashName } from "../fs/dcache";
import { Dentry, nameOf } from "../fs/dentry";
import { DentryList, listOf, negativeList, unusedList } from "../fs/dentry-lru";
import { File } from "../fs/file";
import { Inode, isDir } from "../fs/inode";
import { isNil, kernel, lastDir, nil, scratch, Slot, slot } from "../kernel";
import { Mount } from "../fs/mount";
import { pathWalk } from "../fs/namei";
import { cacheOf } from "../mm/slab";
import { isKmalloced, isObject, isZero, nextObject } from "./verify";

/** Checks the dentries: all of the hash, of the lists they are on, and of their state; a broken one aborts. */
export function verifyDcache(): void {
  const k = kernel();
  assert(cacheOf(CACHE_DENTRY).nrObjects == k.nrDentries, "dcache: nrDentries is not the number of dentries");
  assert(cacheOf(CACHE_INODE).nrObjects == k.nrInodes, "inodes: nrInodes is not the number of inodes");
  verifyBuckets();
  verifyUnused(negativeList());
  verifyUnused(unusedList());
  let nrHashed: u32 = 0;
  let nrListed: u32 = 0;
  for (let at = nextObject(CACHE_DENTRY, 0); at; at = nextObject(CACHE_DENTRY, at)) {
    const dentry = changetype<Dentry>(at);
    if (dentry.flags & DCACHE_HASHED) nrHashed++;
    if (dentry.flags & DCACHE_LRU) nrListed++;
    verifyDentry(dentry);
  }
  assert(nrHashed == k.nrHashed, "dcache: nrHashed is not the number of hashed dentries");
  assert(nrListed == k.nrNegative + k.nrUnused, "dcache: other dentries are on the unused and negative lists than are flagged");
  for (let at = nextObject(CACHE_INODE, 0); at; at = nextObject(CACHE_INODE, at)) verifyInode(changetype<Inode>(at));
  verifyLastDir();
}

// --- Lists from their heads -------------------------------------------------------------------------------------------

/** Every chain holds dentries of its bucket only, all of them flagged. */
function verifyBuckets(): void {
  const k = kernel();
  assert(k.nrBuckets <= k.hashMask + 1 && k.nrBuckets > k.hashMask >> 1, "hash: mask and number of buckets disagree");
  let nr: u32 = 0;
  for (let i: u32 = 0; i < k.nrBuckets; i++) {
    for (let dentry = bucketHead(i); !isNil(dentry); dentry = dentry.hashNext) {
      assert(isObject(CACHE_DENTRY, changetype<usize>(dentry)), "hash: a chain leads to no dentry");
      assert((dentry.flags & DCACHE_HASHED) != 0, "hash: a dentry on a chain is not flagged");
      assert(bucketOf(dentry.hash) == i, "hash: a dentry in another's bucket");
      nr++;
      assert(nr <= k.nrHashed, "hash: more dentries on the chains than counted, or a ring");
    }
  }
  assert(nr == k.nrHashed, "hash: fewer dentries on the chains than counted");
}

function bucketOf(hash: u32): u32 {
  const k = kernel();
  const i = hash & k.hashMask;
  return i < k.nrBuckets ? i : i & (k.hashMask >> 1);
}

function bucketHead(i: u32): Dentry {
  const directory: usize = load<u32>(KERNEL_BLOCK + KERNEL_HASH_DIR + (<usize>(i >> 20) << 2));
  const segment: usize = load<u32>(directory + (<usize>((i >> 10) & 1023) << 2));
  return changetype<Dentry>(<usize>load<u32>(segment + (<usize>(i & 1023) << 2)));
}

/** A list of unused dentries: the negative or the positive ones. */
function verifyUnused(list: DentryList): void {
  assert(list.count <= list.max, "negative list: longer than its cap");
  let nr: u32 = 0;
  for (let dentry = list.head; !isNil(dentry); dentry = dentry.lruNext) {
    assert(isObject(CACHE_DENTRY, changetype<usize>(dentry)), "unused or negative list: leads to no dentry");
    assert((dentry.flags & DCACHE_LRU) != 0, "unused or negative list: a dentry on it is not flagged");
    assert(listOf(dentry) == list, "unused or negative list: a dentry of the other");
    nr++;
    assert(nr <= list.count, "unused or negative list: longer than its count, or a ring");
  }
  assert(nr == list.count, "unused or negative list: shorter than its count");
}

// --- Dentries ---------------------------------------------------------------------------------------------------------

function verifyDentry(dentry: Dentry): void {
  const flags = dentry.flags;
  const parent = dentry.parent;
  assert(isObject(CACHE_DENTRY, changetype<usize>(parent)), "dentry: parent is none");
  verifyName(dentry);
  assert(((flags & DCACHE_HASHED) != 0) == ((flags & DCACHE_CHILD) != 0), "dentry: hashed but no child, or the other way round");
  assert(parent != dentry || !(flags & DCACHE_HASHED), "dentry: a root with a name");
  assert(dentry.count > 0 || flags & DCACHE_HASHED, "dentry: neither held nor to be found");
  assert(!(flags & DCACHE_PERSISTENT) || (flags & DCACHE_HASHED && !isNil(dentry.inode)), "dentry: persistent, but not a name of an inode");
  if (flags & DCACHE_HASHED) {
    assert(dentry.hash == hashName(parent, nameOf(dentry), dentry.nameLen), "dentry: wrong hash");
    assert(dLookup(parent, nameOf(dentry), dentry.nameLen) == dentry, "dentry: not found by its name, or a name twice");
  } else assert(isNil(dentry.hashNext), "dentry: not hashed, but linked in a chain");
  if (flags & DCACHE_CHILD) verifySiblings(dentry, parent);
  else assert(isNil(dentry.siblingNext) && isNil(dentry.siblingPrev), "dentry: no child, but linked as one");
  verifyChildren(dentry);
  if (isNil(dentry.inode)) assert(isNil(dentry.aliasNext) && isNil(dentry.aliasPrev), "dentry: negative, but an alias");
  else verifyPositive(dentry, parent);
  verifyUse(dentry);
  assert(((flags & DCACHE_MOUNTED) != 0) == isMountpoint(dentry), "dentry: mountpoint flag is wrong");
}

/** Long names lie outside, short ones inside; unused bytes inside are zeros. */
function verifyName(dentry: Dentry): void {
  const len: u32 = dentry.nameLen;
  assert(len <= NAME_MAX, "dentry: name too long");
  assert((dentry.longName != 0) == (len > DNAME_INLINE_LEN), "dentry: name in the wrong place");
  if (dentry.longName) assert(isKmalloced(dentry.longName), "dentry: long name lies nowhere");
  const name = nameOf(dentry);
  for (let i: u32 = 0; i < len; i++) assert(load<u8>(name + i) != 0 && load<u8>(name + i) != 0x2f, "dentry: NUL or slash in a name");
  const used = dentry.longName ? 0 : len;
  assert(isZero(changetype<usize>(dentry) + DENTRY_NAME + used, DNAME_INLINE_LEN - used), "dentry: bytes behind the name");
}

/** Neighbours point back, and cookies descend. */
function verifySiblings(dentry: Dentry, parent: Dentry): void {
  const next = dentry.siblingNext;
  const prev = dentry.siblingPrev;
  assert((isNil(prev) ? parent.children : prev.siblingNext) == dentry, "dentry: previous sibling points elsewhere");
  assert(dentry.cookie > 0 && dentry.cookie < kernel().nextCookie, "dentry: cookie was never given");
  if (isNil(next)) return;
  assert(next.siblingPrev == dentry && next.parent == parent, "dentry: next sibling points elsewhere");
  assert(next.cookie < dentry.cookie, "dentry: cookies do not descend");
}

function verifyChildren(dentry: Dentry): void {
  const first = dentry.children;
  if (isNil(first)) return;
  assert(isObject(CACHE_DENTRY, changetype<usize>(first)), "dentry: first child is no dentry");
  assert(first.parent == dentry && isNil(first.siblingPrev) && (first.flags & DCACHE_CHILD) != 0, "dentry: first child points elsewhere");
  assert(!isNil(dentry.inode) && isDir(dentry.inode), "dentry: children, but no directory");
}

/** Who is held by nobody is on a list; a lasting name never is. */
function verifyUse(dentry: Dentry): void {
  const prev = dentry.lruPrev;
  const next = dentry.lruNext;
  if (!(dentry.flags & DCACHE_LRU)) {
    assert(dentry.count > 0, "dentry: unused, but not on the list of those");
    assert(isNil(next) && isNil(prev), "dentry: left in a chain that was sorted");
    return;
  }
  assert(!(dentry.flags & DCACHE_PERSISTENT), "dentry: persistent, but on the list of unused ones");
  assert((isNil(prev) ? listOf(dentry).head : prev.lruNext) == dentry, "unused or negative list: previous dentry points elsewhere");
  assert((isNil(next) ? listOf(dentry).tail : next.lruPrev) == dentry, "unused or negative list: next dentry points elsewhere");
}

function verifyPositive(dentry: Dentry, parent: Dentry): void {
  const inode = dentry.inode;
  assert(isObject(CACHE_INODE, changetype<usize>(inode)), "dentry: its inode is none");
  assert(!isNil(parent.inode) && parent.inode.sb == inode.sb, "dentry: of another file system than its parent");
  const prev = dentry.aliasPrev;
  assert((isNil(prev) ? inode.aliases : prev.aliasNext) == dentry, "dentry: previous alias points elsewhere");
  const next = dentry.aliasNext;
  if (!isNil(next)) assert(next.aliasPrev == dentry && next.inode == inode, "dentry: next alias points elsewhere");
}

function isMountpoint(dentry: Dentry): bool {
  for (let mnt: Mount = kernel().mounts; !isNil(mnt); mnt = mnt.next) if (mnt.mountpoint == dentry) return true;
  return false;
}

// --- The walk's memory -------------------------------------------------------------------------------------------------

/** While the slot's last directory counts as true, its path leads there. */
function verifyLastDir(): void {
  const s = slot();
  const path = lastDir();
  if (!s.lastDirLen || isNil(s.current) || s.lastDirVersion != kernel().pathVersion) return;
  memory.copy(scratch(), changetype<usize>(s), offsetof<Slot>());
  store<u64>(path + s.lastDirLen, 0);
  s.lastDirLen = 0; // walk all of it
  const rc = pathWalk(path, nil<File>(), LOOKUP_DIRECTORY);
  const dentry = s.ndDentry;
  const mnt = s.ndMount;
  memory.copy(changetype<usize>(s), scratch(), offsetof<Slot>());
  assert(rc > 0 && dentry == s.lastDirDentry && mnt == s.lastDirMount, "walk: the last directory's path leads elsewhere");
}

// --- Inodes -----------------------------------------------------------------------------------------------------------

/** Names, link count and death of inodes whose file systems live in the dcache alone. */
function verifyInode(inode: Inode): void {
  const memory = SB_MEMORY | SB_COMPLETE;
  if (inode.count == 0 || (inode.sb.flags & memory) != memory) return; // its aliases are the list of those to be evicted
  let nrNames: u32 = 0;
  for (let alias = inode.aliases; !isNil(alias); alias = alias.aliasNext) if (alias.flags & DCACHE_PERSISTENT) nrNames++;
  if (!isDir(inode)) assert(inode.nlink == nrNames, "inode: nlink is not the number of its names");
  else {
    assert(nrNames <= 1, "inode: a directory with two names");
    assert(((inode.state & I_DEAD) != 0) == (inode.nlink == 0), "inode: a directory without links, but not dead, or the other way round");
    assert(inode.nlink != 0 || nrNames == 0, "inode: a dead directory with a name");
  }
}
