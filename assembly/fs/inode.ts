// Inodes (Linux: struct inode with its i_mapping): attributes, counts, and the address space that holds the data.
//
// Who holds what: every dentry of an inode (an alias) holds one count, and so does who holds it by hand. With the last
// count it goes: at once, or, where the file system has a part in its end, by way of the slot's `evicting` list. Where it
// is known by its number (inode-hash.ts) it stays, unused (inode-lru.ts), until memory runs out.
import {
  AS_FREE_PAGE, AS_NO_ACCOUNTING, AS_NO_STORE, AS_SWAPBACKED, AS_UNEVICTABLE, CACHE_INODE, I_FREEING, I_HASHED, I_LRU, I_NEW, I_SYMLINK_BODY, I_WILL_FREE, S_IFDIR, S_IFMT,
  SB_DELETE_INODE, SB_DROP_INODE, SB_EVICT, SB_FREE_PAGE, SB_MEMORY, SB_STACKED, SB_SWAPBACKED, SHORT_SYMLINK_LEN, TOUCH_ATIME,
  TOUCH_CTIME, TOUCH_MTIME,
} from "../abi";
import { Dentry } from "./dentry";
import { isNil, kernel, nil, slot } from "../kernel";
import { unhashInode } from "./inode-hash";
import { inodeLruAdd, inodeLruRemove } from "./inode-lru";
import { kfree, kmemCacheAlloc, kmemCacheFree } from "../mm/slab";
import { SuperBlock } from "./super";
import { truncatePages } from "../mm/truncate";
import { dropStack } from "./stack";
import { dropXattrs } from "./xattr";
import { AddressSpace } from "../mm/address-space";

/** A file of any type: attributes, counts and address space. */
// @ts-ignore: decorator
@unmanaged export class Inode {
  // What stat and a lookup read, in two lines of the processor's cache:
  mode: u32; // type and permission bits
  uid: u32;
  gid: u32;
  nlink: u32;
  size: f64; // bytes
  atimeSec: f64; // seconds since the epoch
  mtimeSec: f64;
  ctimeSec: f64;
  btimeSec: f64;
  atimeNsec: u32; // 0 to 999 999 999
  mtimeNsec: u32;
  ctimeNsec: u32;
  btimeNsec: u32;
  ino: f64; // immutable
  sb: SuperBlock; // immutable
  state: u32; // I_*
  rdev: u32; // device number of a device node
  xaHead: u32; // i_data: from here on a class AddressSpace
  xaFlags: u32; // marks and AS_* flags
  nrPages: u32; // pages in the cache, and in swap areas
  wbErr: u32; // errseq of writeback
  mapping: AddressSpace; // i_mapping: where its pages are, its own or another inode's
  kind: u32; // index into the operation tables of the file system type
  generation: u32; // differs between two users of the same record
  private0: u32; // the file system's own 16 bytes
  private1: u32;
  // The rest:
  private2: u32;
  private3: u32;
  count: u32; // references; 0 = being freed
  aliases: Dentry; // list of the dentries that name it
  sbNext: Inode; // list of the super block's inodes
  sbPrev: Inode;
  rwsem: u32; // i_rwsem: operation that holds it, 0 = free
  version: u32; // changes with every change of a directory's names
  flocks: usize; // list of flock records, see flock.ts
  hashNext: Inode; // inode cache, by number: chain of its bucket
  ioNext: Inode; // list of the backing device that it is dirty on
  ioPrev: Inode;
  dirtiedCs: u32; // when it became dirty by the kernel's clock, hundredths of a second modulo 2^32; in memory alone: nrReserved()
  lruNext: Inode; // list of unused inodes
  lruPrev: Inode;
  xattrs: usize; // list of extended attributes, see xattr.ts
}

/** The address space that lies in an inode (Linux i_data). Its pages are reached by `inode.mapping`. */
// @ts-ignore: decorator
@inline export function ownMapping(inode: Inode): AddressSpace {
  return changetype<AddressSpace>(changetype<usize>(inode) + offsetof<Inode>("xaHead"));
}

/** The inode that an address space lies in (Linux mapping->host). */
// @ts-ignore: decorator
@inline export function hostOf(mapping: AddressSpace): Inode {
  return changetype<Inode>(changetype<usize>(mapping) - offsetof<Inode>("xaHead"));
}

/** True for a directory. */
// @ts-ignore: decorator
@inline export function isDir(inode: Inode): bool {
  return (inode.mode & S_IFMT) == S_IFDIR;
}

/** Makes an inode with one reference and one link, all its times at `nowMs`. @returns nil when memory ran out, or the file system may have no more */
export function allocInode(sb: SuperBlock, mode: u32, uid: u32, gid: u32, nowMs: f64): Inode {
  if (!hasInodes(sb)) return nil<Inode>();
  const inode = changetype<Inode>(kmemCacheAlloc(CACHE_INODE));
  if (isNil(inode)) return inode;
  const k = kernel();
  inode.mode = mode;
  inode.uid = uid;
  inode.gid = gid;
  inode.nlink = 1;
  inode.count = 1;
  inode.ino = sb.nextIno++;
  inode.sb = sb;
  inode.mapping = ownMapping(inode);
  inode.generation = ++k.nextGeneration;
  if (sb.flags & SB_FREE_PAGE) inode.xaFlags = AS_FREE_PAGE;
  if (sb.flags & SB_MEMORY) {
    const lists = sb.flags & SB_SWAPBACKED && k.totalSwapPages ? AS_SWAPBACKED : AS_UNEVICTABLE;
    inode.xaFlags = lists | AS_NO_STORE | AS_NO_ACCOUNTING;
  }
  touchWritten(inode, nowMs);
  inode.atimeSec = inode.btimeSec = inode.ctimeSec;
  inode.atimeNsec = inode.btimeNsec = inode.ctimeNsec;
  inode.sbNext = sb.inodes;
  if (!isNil(inode.sbNext)) inode.sbNext.sbPrev = inode;
  sb.inodes = inode;
  sb.nrInodes++;
  k.nrInodes++;
  return inode;
}

/** True if the file system may have another inode, or another link, which counts as one. @see Linux mm/shmem.c shmem_reserve_inode() */
// @ts-ignore: decorator
@inline export function hasInodes(sb: SuperBlock): bool {
  return !sb.maxInodes || sb.nrInodes + sb.extraLinks < sb.maxInodes;
}

/** Pages that are promised to a file (mm/reserve.ts). One that lives in memory is never written, and its time is free for it. */
// @ts-ignore: decorator
@inline export function nrReserved(inode: Inode): u32 {
  return inode.sb.flags & SB_MEMORY ? inode.dirtiedCs : 0;
}

/** Links that count as inodes, beside the inode itself: those beyond the first of what is no directory. */
export function extraLinks(inode: Inode): u32 {
  return inode.nlink > 1 && !isDir(inode) ? inode.nlink - 1 : 0;
}

/** Blocks of a symbolic link with a target of so many bytes: tmpfs keeps the target of a long one in a page of its own. */
export function linkBlocks(length: u32): u32 {
  return length >= SHORT_SYMLINK_LEN ? 1 : 0;
}

/** Sets the chosen times (TOUCH_*) to `nowMs`, milliseconds since the epoch, fractions included. */
export function touch(inode: Inode, which: u32, nowMs: f64): void {
  const k = kernel();
  if (nowMs != k.touchMs) setTouchTime(nowMs); // thousands of calls share a millisecond
  const sec = k.touchSec;
  const nsec = k.touchNsec;
  if (which & TOUCH_ATIME) {
    inode.atimeSec = sec;
    inode.atimeNsec = nsec;
  }
  if (which & TOUCH_MTIME) {
    inode.mtimeSec = sec;
    inode.mtimeNsec = nsec;
  }
  if (which & TOUCH_CTIME) {
    inode.ctimeSec = sec;
    inode.ctimeNsec = nsec;
  }
}

/** As touch() of what a write changes, for where it counts: three calls less gain a write 4 of 75 ns. */
// @ts-ignore: decorator
@inline export function touchWritten(inode: Inode, nowMs: f64): void {
  const k = kernel();
  if (nowMs != k.touchMs) setTouchTime(nowMs);
  inode.mtimeSec = k.touchSec;
  inode.mtimeNsec = k.touchNsec;
  inode.ctimeSec = k.touchSec;
  inode.ctimeNsec = k.touchNsec;
}

function setTouchTime(nowMs: f64): void {
  const k = kernel();
  k.coarseMs = nowMs;
  k.touchMs = nowMs;
  k.touchSec = Math.floor(nowMs / 1000);
  k.touchNsec = <u32>((nowMs - k.touchSec * 1000) * 1e6);
}

/** Takes a reference. */
// @ts-ignore: decorator
@inline export function iget(inode: Inode): void {
  inode.count++;
}

/** Drops a reference; with the last one the inode goes, or is kept where it is known by number. */
export function iput(inode: Inode): void {
  if (--inode.count) return;
  if (inode.sb.flags & SB_EVICT) iputFinal(inode);
  else freeInode(inode);
}

/** @see Linux iput_final(), generic_drop_inode() */
function iputFinal(inode: Inode): void {
  const flags = inode.sb.flags;
  if (flags & SB_DROP_INODE && !(inode.state & I_NEW)) {
    inode.state |= I_WILL_FREE;
    startEvict(inode);
  } else if (inode.nlink && !(flags & SB_DELETE_INODE)) keepInode(inode);
  else startEvict(inode);
}

/** Keeps an inode that nobody refers to any more, if its number finds it and its file system is mounted. */
export function keepInode(inode: Inode): void {
  if (inode.state & I_HASHED && !isNil(inode.sb.root)) inodeLruAdd(inode);
  else startEvict(inode);
}

/** Lines an inode up for its end; what was never read has none. Precondition: nothing refers to it, and no list has it. */
export function startEvict(inode: Inode): void {
  if (!(inode.sb.flags & SB_EVICT) || inode.state & I_NEW) {
    freeInode(inode);
    return;
  }
  inode.state |= I_FREEING;
  inode.aliases = changetype<Dentry>(slot().evicting); // no alias is left: the field links the list
  slot().evicting = inode;
}

/** Frees an inode with all it holds. Precondition: nothing refers to it. */
export function freeInode(inode: Inode): void {
  if (DEBUG) assert(!inode.flocks, "freeInode: an open file would hold it");
  const sb = inode.sb;
  if (sb.flags & SB_STACKED) dropStack(inode);
  if (inode.xaHead) truncatePages(ownMapping(inode), 0);
  if (inode.state & (I_HASHED | I_LRU)) {
    unhashInode(inode);
    inodeLruRemove(inode);
  }
  if (inode.state & I_SYMLINK_BODY) {
    sb.usedBlocks -= linkBlocks(<u32>inode.size);
    kfree(<usize>inode.private0);
  }
  if (sb.maxInodes) sb.extraLinks -= extraLinks(inode);
  if (inode.xattrs) dropXattrs(inode);
  if (isNil(inode.sbPrev)) sb.inodes = inode.sbNext;
  else inode.sbPrev.sbNext = inode.sbNext;
  if (!isNil(inode.sbNext)) inode.sbNext.sbPrev = inode.sbPrev;
  sb.nrInodes--;
  kernel().nrInodes--;
  kmemCacheFree(changetype<usize>(inode));
}

/** Takes the next inode off the list of those that wait for evictInode. */
export function nextEvicting(): Inode {
  const inode = slot().evicting;
  if (isNil(inode)) return inode;
  slot().evicting = changetype<Inode>(inode.aliases);
  inode.aliases = nil<Dentry>();
  return inode;
}
