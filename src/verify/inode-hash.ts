/** The hash of inodes that are known by their numbers; file systems that live in the dcache alone have none there. */
import {
  CACHE_INODE,
  I_HASHED,
  INODE_HASH_NEXT,
  INODE_INO,
  KERNEL_INODE_HASH,
  KERNEL_INODE_HASH_MASK,
  KERNEL_NR_HASHED_INODES,
  KERNEL_NR_INODE_BUCKETS,
} from "../wasm/layout.ts";
import { bucketOf, checkSegments, checkSize, SEGMENT } from "./buckets.ts";
import { demand } from "./demand.ts";
import { hashOfNumber } from "./hash64.ts";
import type { Inodes } from "./inodes.ts";
import type { Memory } from "./memory.ts";

const MAX_BUCKETS = SEGMENT * SEGMENT;

/** @throws SnapshotError */
export function checkInodeHash(memory: Memory, inodes: Inodes): void {
  const nrHashed = memory.kernel(KERNEL_NR_HASHED_INODES);
  const nr = checkTable(memory, inodes);
  let nrFlagged = 0;
  for (const address of inodes.all) if (inodes.state(address) & I_HASHED) nrFlagged++;
  demand(nr === nrFlagged && nr === nrHashed, "other inodes are hashed than are on the chains");
}

/** @returns how many inodes are on chains */
function checkTable(memory: Memory, inodes: Inodes): number {
  const directory = memory.kernel(KERNEL_INODE_HASH);
  const size = {
    nrBuckets: memory.kernel(KERNEL_NR_INODE_BUCKETS),
    mask: memory.kernel(KERNEL_INODE_HASH_MASK),
    what: "inodes",
  };
  if (directory === 0) {
    demand(size.nrBuckets === 0 && size.mask === 0, "the table of inodes has buckets, but is not there");
    return 0;
  }
  checkSize(size, SEGMENT, MAX_BUCKETS);
  demand(memory.kernel(KERNEL_NR_HASHED_INODES) > 0, "there is a table of inodes without any");
  const list = { cache: CACHE_INODE, next: INODE_HASH_NEXT, marks: memory.marks(), what: "inodes of one hash" };
  let nr = 0;
  for (const [i, segment] of checkSegments(memory, directory, size.nrBuckets, "inodes").entries()) {
    const at = memory.image.at(segment);
    for (let n = 0; n < SEGMENT; n++)
      memory.walk(memory.u32[at + n], list, (address, inode) => {
        demand((inodes.state(address) & I_HASHED) !== 0, "an inode is on a chain, but does not know", address);
        const ino = inode + INODE_INO * 2;
        const hash = hashOfNumber(inodes.sb(address).address, memory.u32[ino + 1], memory.u32[ino]);
        demand(bucketOf(size, hash) === i * SEGMENT + n, "an inode is on the chain of another hash", address);
        nr++;
      });
  }
  return nr;
}
