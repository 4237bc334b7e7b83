/** The hash of names: each that can be found is on its chain once, and chains are no longer than chance makes them. */
import {
  CACHE_DENTRY,
  DCACHE_HASHED,
  DENTRY_HASH,
  DENTRY_HASH_NEXT,
  KERNEL_BLOCK,
  KERNEL_HASH_DIR,
  KERNEL_HASH_MASK,
  KERNEL_HASH_SEED,
  KERNEL_NR_BUCKETS,
  KERNEL_NR_HASHED,
  NR_HASH_DIR,
} from "../wasm/layout.ts";
import { bucketOf, checkSegments, checkSize, SEGMENT, type Size } from "./buckets.ts";
import { demand } from "./demand.ts";
import type { Dentries } from "./dentries.ts";
import { hashOfName } from "./hash64.ts";
import type { Memory } from "./memory.ts";

const MIN_BUCKETS = 2048;
const DIRECTORY = SEGMENT * SEGMENT;
/** Names on one chain beyond what there are on each, at 16 times as many: random ones never come to that. */
const LONG_CHAIN = 64;
const UNEVEN = 16;
/** Up to here each is compared with each. */
const SHORT_CHAIN = 8;

/** @throws SnapshotError */
export function checkDentryHash(memory: Memory, dentries: Dentries): void {
  const size = { nrBuckets: memory.kernel(KERNEL_NR_BUCKETS), mask: memory.kernel(KERNEL_HASH_MASK), what: "names" };
  checkSize(size, MIN_BUCKETS, NR_HASH_DIR * DIRECTORY);
  const nrHashed = memory.kernel(KERNEL_NR_HASHED);
  const most = LONG_CHAIN + UNEVEN * Math.ceil(nrHashed / size.nrBuckets);
  const list = { cache: CACHE_DENTRY, next: DENTRY_HASH_NEXT, marks: memory.marks(), what: "names of one hash" };
  const chain: number[] = [];
  let nr = 0;
  for (const [i, segment] of segmentsOf(memory, size).entries()) {
    const at = memory.image.at(segment);
    for (let n = 0; n < SEGMENT; n++) {
      if (memory.u32[at + n] === 0) continue;
      chain.length = 0;
      memory.walk(memory.u32[at + n], list, (address) => {
        checkHash(memory, dentries, address, size, i * SEGMENT + n);
        demand(chain.push(address) <= most, "more names are of one hash than chance would have it", address);
      });
      checkDifferent(memory, dentries, chain);
      nr += chain.length;
    }
  }
  let nrFlagged = 0;
  for (const address of dentries.all) if (dentries.flags(address) & DCACHE_HASHED) nrFlagged++;
  demand(nr === nrFlagged && nr === nrHashed, "other names are hashed than are on the chains");
}

function segmentsOf(memory: Memory, { nrBuckets, what }: Size): number[] {
  const segments: number[] = [];
  for (let i = 0; i < NR_HASH_DIR; i++) {
    const directory = memory.image.word(KERNEL_BLOCK + KERNEL_HASH_DIR + i * 4);
    const nr = Math.min(nrBuckets - i * DIRECTORY, DIRECTORY);
    demand((directory !== 0) === nr > 0, "a directory of the table of names is missing, or left over");
    if (directory !== 0) segments.push(...checkSegments(memory, directory, nr, what));
  }
  return segments;
}

function checkHash(memory: Memory, dentries: Dentries, address: number, size: Size, bucket: number): void {
  demand((dentries.flags(address) & DCACHE_HASHED) !== 0, "a dentry is on a chain, but does not know", address);
  const seed = memory.kernel(KERNEL_HASH_SEED);
  const [start, length] = [dentries.nameAt(address), dentries.nameLength(address)];
  const hash = hashOfName(seed, dentries.parent(address), memory.image.u8, start, length);
  demand(hash === hashAt(memory, address), "a name has the hash of another", address);
  demand(bucketOf(size, hash) === bucket, "a dentry is on the chain of another hash", address);
}

function hashAt({ u32, image }: Memory, address: number): number {
  return u32[image.at(address) + DENTRY_HASH];
}

/** No name is there twice. */
function checkDifferent(memory: Memory, dentries: Dentries, chain: readonly number[]): void {
  // Fast path: same result. Names whose hashes differ do, and in short chains nearly all do.
  if (chain.length <= SHORT_CHAIN && haveDifferentHashes(memory, chain)) return;
  const seen = new Set<string>();
  for (const address of chain) {
    const start = dentries.nameAt(address);
    const name = memory.image.u8.subarray(start, start + dentries.nameLength(address));
    const key = `${dentries.parent(address)} ${String.fromCharCode(...name)}`;
    demand(!seen.has(key), "a name is there twice", address);
    seen.add(key);
  }
}

function haveDifferentHashes(memory: Memory, chain: readonly number[]): boolean {
  for (let i = 1; i < chain.length; i++)
    for (let j = 0; j < i; j++) if (hashAt(memory, chain[i]) === hashAt(memory, chain[j])) return false;
  return true;
}
