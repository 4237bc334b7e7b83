// The dentry hash: (parent, name) → dentry, for the whole kernel.
//
// Linear hashing: the table grows and shrinks by two buckets with one name, so no call ever pays for a rehash.
//
//   KERNEL_HASH_DIR: 16 addresses ─► directory page: 1024 addresses ─► segment: 1024 buckets ─► chain by hashNext
//
// Bucket i splits into i and i + 2^k when the table has i + 2^k buckets; a hash whose bucket is not there yet falls back
// to the one that will split. Load is half a name a bucket: that a name is not there an empty chain says as a rule, and no
// record is looked at. Of 100 000 new files each takes 7% less than at a load of one.
//
// Unused dentries are kept only for file systems whose lookup costs something (dentry-lru.ts). In-memory file systems are
// complete in the dcache: a miss is -ENOENT and makes none.
//
// Compare Linux fs/dcache.c, include/linux/hash.h; W. Litwin, "Linear hashing", 1980.
import {
  DCACHE_HASHED, KERNEL_BLOCK, KERNEL_HASH_DIR, NR_HASH_DIR, PAGE_SIZE, PG_TABLE,
} from "../abi";
import { Dentry, nameOf } from "./dentry";
import { isDir } from "./inode";
import { isNil, kernel, nil } from "../kernel";
import { pageAddress, pageOf, pfnOf } from "../mm/page";
import { allocPagesNoGrow, freePage } from "../mm/page-alloc";
import { lowerFrame } from "../mm/record-frames";

const BUCKETS_PER_SEGMENT: u32 = 1024;
const MIN_BUCKETS: u32 = 2048; // 1024 names: most tables never grow. 8 KiB, and 10% of making and removing a name
const MERGES: i32 = 8; // buckets a removed name may take away: a quarter of the names go while the table shrinks to nothing
const MAX_BUCKETS: u32 = NR_HASH_DIR << 20;
const SLASHES: u64 = 0x2f2f2f2f2f2f2f2f;
const ONES: u64 = 0x0101010101010101;
const HIGHS: u64 = 0x8080808080808080;
const MIX: u64 = 0x9e3779b97f4a7c15;

/** Makes an empty table, whose hashes depend on `seed`. @returns false when memory ran out */
export function initHash(seed: u32): bool {
  const k = kernel();
  k.hashSeed = seed;
  k.hashMask = MIN_BUCKETS - 1;
  for (let first: u32 = 0; first < MIN_BUCKETS; first += BUCKETS_PER_SEGMENT) if (!addSegment(first)) return false;
  k.nrBuckets = MIN_BUCKETS;
  return true;
}

// @ts-ignore: decorator
@inline function start(parent: Dentry): u64 {
  return (<u64>kernel().hashSeed << 32) ^ (<u64>changetype<usize>(parent) * MIX);
}

// @ts-ignore: decorator
@inline function mix(hash: u64, word: u64): u64 {
  const h = (hash ^ word) * MIX;
  return h ^ (h >> 32);
}

// @ts-ignore: decorator
@inline export function firstBytes(n: u32): u64 { // mask of the first n bytes of a word, n < 8
  return ((<u64>1) << (n << 3)) - 1;
}

/** High bit set in the first zero byte of a word (and perhaps in later ones). */
// @ts-ignore: decorator
@inline function zeroByte(word: u64): u64 {
  return (word - ONES) & ~word & HIGHS;
}

/** Length of the path component at `name`: up to the next slash or NUL. */
export function componentLength(name: usize): u32 {
  let at = name;
  let found: u64 = 0;
  while (true) {
    const word = load<u64>(at);
    found = zeroByte(word) | zeroByte(word ^ SLASHES);
    if (found) break;
    at += 8;
  }
  return <u32>(at - name) + <u32>(ctz<u64>(found) >> 3);
}

/** Hash of a name of known length. Up to 7 bytes beyond it are read, and ignored. */
export function hashName(parent: Dentry, name: usize, len: u32): u32 {
  return hashNameInline(parent, name, len);
}

/** As hashName(), for the walk. */
// @ts-ignore: decorator
@inline export function hashNameInline(parent: Dentry, name: usize, len: u32): u32 {
  let hash = start(parent);
  let at = name;
  let left = len;
  while (left >= 8) {
    hash = mix(hash, load<u64>(at));
    at += 8;
    left -= 8;
  }
  if (left) hash = mix(hash, load<u64>(at) & firstBytes(left));
  return <u32>((hash * MIX) >> 32); // the high half: it depends on every bit of the last word
}

/** True if two names of the same length are equal. Up to 7 bytes beyond them are read, and ignored. */
// @ts-ignore: decorator
@inline export function sameName(a: usize, b: usize, len: u32): bool {
  let i: usize = 0;
  let left = len;
  while (left >= 8) {
    if (load<u64>(a + i) != load<u64>(b + i)) return false;
    i += 8;
    left -= 8;
  }
  return left == 0 || ((load<u64>(a + i) ^ load<u64>(b + i)) & firstBytes(left)) == 0;
}

/** Address of bucket `i`. */
// @ts-ignore: decorator
@inline function bucket(i: u32): usize {
  const directory: usize = load<u32>(rootOf(i));
  const segment: usize = load<u32>(directory + (<usize>((i >> 10) & 1023) << 2));
  return segment + (<usize>(i & 1023) << 2);
}

// @ts-ignore: decorator
@inline function bucketIndex(hash: u32): u32 {
  const k = kernel();
  const i = hash & k.hashMask;
  return i < k.nrBuckets ? i : i & (k.hashMask >> 1);
}

// @ts-ignore: decorator
@inline function chainOf(at: usize): Dentry {
  return changetype<Dentry>(<usize>load<u32>(at));
}

// @ts-ignore: decorator
@inline function setChain(at: usize, dentry: Dentry): void {
  store<u32>(at, <u32>changetype<usize>(dentry));
}

/** Finds the dentry of `name` under `parent`. @returns nil when the hash does not know the name */
// @ts-ignore: decorator
@inline export function dLookupHash(parent: Dentry, name: usize, len: u32, hash: u32): Dentry {
  let dentry = chainOf(bucket(bucketIndex(hash)));
  while (!isNil(dentry)) {
    if (dentry.hash == hash && dentry.parent == parent && dentry.nameLen == len && sameName(nameOf(dentry), name, len)) break;
    dentry = dentry.hashNext;
  }
  return dentry;
}

/**
 * Finds the dentry of `name` under `parent`, as dLookupHash() does. @returns nil when the hash does not know the name
 */
export function dLookup(parent: Dentry, name: usize, len: u32): Dentry {
  return dLookupHash(parent, name, len, hashName(parent, name, len));
}

/**
 * Puts a dentry on the hash, which grows by a bucket when it is full. Precondition: `hash`, parent and name are set.
 */
export function hashInsert(dentry: Dentry): void {
  const k = kernel();
  const at = bucket(bucketIndex(dentry.hash));
  dentry.hashNext = chainOf(at);
  setChain(at, dentry);
  dentry.flags |= <u16>DCACHE_HASHED;
  k.nameVersion++;
  if (++k.nrHashed << 1 > k.nrBuckets) {
    splitBucket();
    splitBucket();
  }
}

/** Takes a dentry off the hash, which shrinks as names go. Precondition: it is on it. */
export function hashRemove(dentry: Dentry): void {
  const k = kernel();
  const at = bucket(bucketIndex(dentry.hash));
  let entry = chainOf(at);
  if (entry == dentry) setChain(at, dentry.hashNext);
  else {
    while (entry.hashNext != dentry) entry = entry.hashNext;
    entry.hashNext = dentry.hashNext;
  }
  dentry.hashNext = nil<Dentry>();
  dentry.flags &= ~<u16>DCACHE_HASHED;
  if (!isNil(dentry.inode) && isDir(dentry.inode)) k.pathVersion++;
  else k.goneVersion++;
  k.nrHashed--;
  for (let i = 0; i < MERGES && k.nrHashed < k.nrBuckets >> 3 && k.nrBuckets > MIN_BUCKETS; i++) mergeBucket();
}

/** Adds one bucket, with its share of the one it splits from. Without memory the chains just grow. */
function splitBucket(): void {
  const k = kernel();
  const added = k.nrBuckets;
  if (added == MAX_BUCKETS) return;
  if ((added & (BUCKETS_PER_SEGMENT - 1)) == 0 && !addSegment(added)) return;
  if (added > k.hashMask) k.hashMask = (k.hashMask << 1) | 1;
  const from = bucket(added & (k.hashMask >> 1));
  const to = bucket(added);
  k.nrBuckets = added + 1;
  let entry = chainOf(from);
  setChain(from, nil<Dentry>());
  while (!isNil(entry)) {
    const next = entry.hashNext;
    const at = (entry.hash & k.hashMask) == added ? to : from;
    entry.hashNext = chainOf(at);
    setChain(at, entry);
    entry = next;
  }
}

/** Takes the last bucket away; its chain goes back to the one it was split from. */
function mergeBucket(): void {
  const k = kernel();
  const last = k.nrBuckets - 1;
  const from = bucket(last);
  const to = bucket(last & (k.hashMask >> 1));
  let entry = chainOf(from);
  while (!isNil(entry)) {
    const next = entry.hashNext;
    entry.hashNext = chainOf(to);
    setChain(to, entry);
    entry = next;
  }
  setChain(from, nil<Dentry>());
  k.nrBuckets = last;
  if (last == (k.hashMask >> 1) + 1) k.hashMask >>= 1;
  if ((last & (BUCKETS_PER_SEGMENT - 1)) == 0) removeSegment(last);
}

/** Where the address of the directory page of bucket `i` stands. */
// @ts-ignore: decorator
@inline function rootOf(i: u32): usize {
  return KERNEL_BLOCK + KERNEL_HASH_DIR + (<usize>(i >> 20) << 2);
}

function addSegment(first: u32): bool {
  const root = rootOf(first);
  let directory: usize = load<u32>(root);
  if (!directory) {
    directory = tablePage();
    if (!directory) return false;
    store<u32>(root, <u32>directory);
  }
  const segment = tablePage();
  if (!segment) {
    dropDirectory(first);
    return false;
  }
  store<u32>(directory + (<usize>((first >> 10) & 1023) << 2), <u32>segment);
  return true;
}

function removeSegment(first: u32): void {
  const root = rootOf(first);
  const at: usize = <usize>load<u32>(root) + (<usize>((first >> 10) & 1023) << 2);
  freePage(pfnOf(load<u32>(at)));
  store<u32>(at, 0);
  dropDirectory(first);
}

/** A directory goes with its first segment. */
function dropDirectory(first: u32): void {
  if ((first & 0xfffff) != 0) return;
  const root = rootOf(first);
  freePage(pfnOf(load<u32>(root)));
  store<u32>(root, 0);
}

/** What reclaim would free are names, and the table must not shrink while it grows: it does without, until there is room. */
function tablePage(): usize {
  const pfn = lowerFrame(allocPagesNoGrow(0));
  if (!pfn) return 0;
  pageOf(pfn).flags = PG_TABLE;
  pageOf(pfn).refcount = 1;
  memory.fill(pageAddress(pfn), 0, PAGE_SIZE);
  return pageAddress(pfn);
}
