// The inode cache: (super block, number) → inodes, for file systems whose inodes have numbers at their store.
//
// Linear hashing as in dcache.ts, with one directory page. In-memory file systems have no part in it: the table is made
// with the first inode and goes with the last, so that a kernel without stores, and every snapshot, has none.
//
//   Kernel.inodeHash ─► directory page: 1024 addresses ─► segment: 1024 buckets ─► chain by Inode.hashNext
//
// A number may be there more than once: stores of several devices, or of more than 53 bits, tell theirs apart by
// themselves (iget() in src/vfs/iget.ts).
//
// Compare Linux fs/inode.c ilookup5(), insert_inode_hash().
import { I_HASHED, PAGE_SIZE, PG_TABLE } from "../abi";
import { Inode } from "./inode";
import { isNil, kernel, nil } from "../kernel";
import { pageAddress, pageOf, pfnOf } from "../mm/page";
import { allocPages, allocPagesNoGrow, freePage } from "../mm/page-alloc";
import { lowerFrame } from "../mm/record-frames";
import { SuperBlock } from "./super";

const SEGMENT: u32 = 1024; // buckets
const MERGES: i32 = 4; // buckets a removed inode may take away
const MAX_BUCKETS: u32 = SEGMENT << 10;
const MIX: u64 = 0x9e3779b97f4a7c15;

function hashOf(sb: SuperBlock, ino: f64): u32 {
  const h = (reinterpret<u64>(ino) ^ <u64>changetype<usize>(sb)) * MIX;
  return <u32>((h ^ (h >> 29)) * MIX >> 32);
}

/** Bucket of a hash in the table as it is. */
export function inodeBucket(sb: SuperBlock, ino: f64): u32 {
  const k = kernel();
  const hash = hashOf(sb, ino);
  const i = hash & k.inodeHashMask;
  return i < k.nrInodeBuckets ? i : i & (k.inodeHashMask >> 1);
}

/** Address of bucket `i`. */
// @ts-ignore: decorator
@inline function bucketAt(i: u32): usize {
  return <usize>load<u32>(kernel().inodeHash + (<usize>(i >> 10) << 2)) + (<usize>(i & (SEGMENT - 1)) << 2);
}

/** First inode of a bucket's chain. */
export function inodeChain(i: u32): Inode {
  return changetype<Inode>(<usize>load<u32>(bucketAt(i)));
}

// @ts-ignore: decorator
@inline function setChain(i: u32, inode: Inode): void {
  store<u32>(bucketAt(i), <u32>changetype<usize>(inode));
}

/** Finds an inode by its number. @param after the one found before, nil = start @returns nil when there is no more */
export function findInode(sb: SuperBlock, ino: f64, after: Inode): Inode {
  if (!kernel().inodeHash) return nil<Inode>();
  let inode = isNil(after) ? inodeChain(inodeBucket(sb, ino)) : after.hashNext;
  while (!isNil(inode) && (inode.ino != ino || inode.sb != sb)) inode = inode.hashNext;
  return inode;
}

/** Puts an inode on the hash. Precondition: it is not, and its number is final. @returns false when memory ran out */
export function hashInode(inode: Inode): bool {
  const k = kernel();
  if (!k.inodeHash && !makeTable()) return false;
  const i = inodeBucket(inode.sb, inode.ino);
  inode.hashNext = inodeChain(i);
  setChain(i, inode);
  inode.state |= I_HASHED;
  if (++k.nrHashedInodes > k.nrInodeBuckets) split();
  return true;
}

/** Takes an inode off the hash, if it is on it: its number finds it no more. @see Linux remove_inode_hash() */
export function unhashInode(inode: Inode): void {
  if (!(inode.state & I_HASHED)) return;
  const k = kernel();
  const i = inodeBucket(inode.sb, inode.ino);
  let entry = inodeChain(i);
  if (entry == inode) setChain(i, inode.hashNext);
  else {
    while (entry.hashNext != inode) entry = entry.hashNext;
    entry.hashNext = inode.hashNext;
  }
  inode.hashNext = nil<Inode>();
  inode.state &= ~I_HASHED;
  k.nrHashedInodes--;
  for (let n = 0; n < MERGES && k.nrHashedInodes < k.nrInodeBuckets >> 2 && k.nrInodeBuckets > SEGMENT; n++) merge();
  if (k.nrHashedInodes == 0) dropTable();
}

/** Without memory the chains just grow. */
function split(): void {
  const k = kernel();
  const added = k.nrInodeBuckets;
  if (added == MAX_BUCKETS) return;
  if ((added & (SEGMENT - 1)) == 0) {
    const segment = tablePage(allocPagesNoGrow(0)); // reclaim would take inodes off a table that is about to grow
    if (!segment) return;
    store<u32>(k.inodeHash + (<usize>(added >> 10) << 2), <u32>segment);
  }
  if (added > k.inodeHashMask) k.inodeHashMask = (k.inodeHashMask << 1) | 1;
  const from = added & (k.inodeHashMask >> 1);
  k.nrInodeBuckets = added + 1;
  move(from);
}

/** The last bucket's chain goes back to the one it was split from. */
function merge(): void {
  const k = kernel();
  const last = k.nrInodeBuckets - 1;
  const chain = inodeChain(last);
  setChain(last, nil<Inode>());
  k.nrInodeBuckets = last;
  if (last == (k.inodeHashMask >> 1) + 1) k.inodeHashMask >>= 1;
  insertAll(chain);
  if (last & (SEGMENT - 1)) return;
  const at = k.inodeHash + (<usize>(last >> 10) << 2);
  freePage(pfnOf(load<u32>(at)));
  store<u32>(at, 0);
}

/** Gives the inodes of a bucket their place anew. */
function move(i: u32): void {
  const chain = inodeChain(i);
  setChain(i, nil<Inode>());
  insertAll(chain);
}

function insertAll(chain: Inode): void {
  let inode = chain;
  while (!isNil(inode)) {
    const next = inode.hashNext;
    const i = inodeBucket(inode.sb, inode.ino);
    inode.hashNext = inodeChain(i);
    setChain(i, inode);
    inode = next;
  }
}

function makeTable(): bool {
  const k = kernel();
  const directory = tablePage(allocPages(0));
  const segment = directory ? tablePage(allocPages(0)) : 0;
  if (!segment) {
    if (directory) freePage(pfnOf(directory));
    return false;
  }
  store<u32>(directory, <u32>segment);
  k.inodeHash = directory;
  k.inodeHashMask = SEGMENT - 1;
  k.nrInodeBuckets = SEGMENT;
  return true;
}

function dropTable(): void {
  const k = kernel();
  while (k.nrInodeBuckets > SEGMENT) merge();
  freePage(pfnOf(load<u32>(k.inodeHash)));
  freePage(pfnOf(k.inodeHash));
  k.inodeHash = 0;
  k.inodeHashMask = 0;
  k.nrInodeBuckets = 0;
}

function tablePage(got: u32): usize {
  const pfn = lowerFrame(got);
  if (!pfn) return 0;
  pageOf(pfn).flags = PG_TABLE;
  pageOf(pfn).refcount = 1;
  memory.fill(pageAddress(pfn), 0, PAGE_SIZE);
  return pageAddress(pfn);
}
