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
import type { SoundDentry } from "./dentries.ts";
import { hashOfName } from "./hash64.ts";
import type { Memory } from "./memory.ts";

const MIN_BUCKETS = 2048;
const DIRECTORY = SEGMENT * SEGMENT;
/** Names on one chain beyond what there are on each, at 16 times as many: random ones never come to that. */
const LONG_CHAIN = 64;
const UNEVEN = 16;

/** @throws SnapshotError */
export function checkDentryHash(memory: Memory, dentries: ReadonlyMap<number, SoundDentry>): void {
  const size = { nrBuckets: memory.kernel(KERNEL_NR_BUCKETS), mask: memory.kernel(KERNEL_HASH_MASK), what: "names" };
  checkSize(size, MIN_BUCKETS, NR_HASH_DIR * DIRECTORY);
  const nrHashed = memory.kernel(KERNEL_NR_HASHED);
  const most = LONG_CHAIN + UNEVEN * Math.ceil(nrHashed / size.nrBuckets);
  const list = { cache: CACHE_DENTRY, next: DENTRY_HASH_NEXT, marks: memory.marks(), what: "names of one hash" };
  let nr = 0;
  for (const [i, segment] of segmentsOf(memory, size).entries()) {
    const at = memory.image.at(segment);
    for (let n = 0; n < SEGMENT; n++) {
      if (memory.u32[at + n] === 0) continue;
      const chain: SoundDentry[] = [];
      memory.walk(memory.u32[at + n], list, ({ address }) => {
        const dentry = dentries.get(address) as SoundDentry;
        checkHash(memory, dentry, size, i * SEGMENT + n);
        demand(chain.push(dentry) <= most, "more names are of one hash than chance would have it", address);
      });
      if (chain.length > 1) checkDifferent(memory, chain);
      nr += chain.length;
    }
  }
  let nrFlagged = 0;
  for (const { flags } of dentries.values()) if (flags & DCACHE_HASHED) nrFlagged++;
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

function checkHash(memory: Memory, dentry: SoundDentry, size: Size, bucket: number): void {
  const { address, at, flags, parent, nameAt, nameLen } = dentry;
  const hash = memory.u32[at + DENTRY_HASH];
  demand((flags & DCACHE_HASHED) !== 0, "a dentry is on a chain, but does not know", address);
  demand(
    hash === hashOfName(memory.kernel(KERNEL_HASH_SEED), parent, memory.image.u8, nameAt, nameLen),
    "a name has the hash of another",
    address,
  );
  demand(bucketOf(size, hash) === bucket, "a dentry is on the chain of another hash", address);
}

/** No name is there twice. */
function checkDifferent({ image }: Memory, chain: readonly SoundDentry[]): void {
  const seen = new Set<string>();
  for (const { address, parent, nameAt, nameLen } of chain) {
    const key = `${parent} ${String.fromCharCode(...image.u8.subarray(nameAt, nameAt + nameLen))}`;
    demand(!seen.has(key), "a name is there twice", address);
    seen.add(key);
  }
}
