/** What records count is what there is: references, blocks, inodes. Everything has been found by then. */
import {
  BOGO_INODE_SIZE,
  CACHE_DENTRY,
  CACHE_INODE,
  CACHE_MOUNT,
  CACHE_SUPER_BLOCK,
  DENTRY_COUNT,
  I_LRU,
  INODE_COUNT,
  MOUNT_COUNT,
  SUPER_BLOCK_ACTIVE,
  SUPER_BLOCK_EXTRA_LINKS,
  SUPER_BLOCK_MAX_BLOCKS,
  SUPER_BLOCK_MAX_INODES,
  SUPER_BLOCK_USED_BLOCKS,
  SUPER_BLOCK_XATTR_SPACE,
} from "../wasm/layout.ts";
import { demand, refuse } from "./demand.ts";
import type { Inodes, Sums } from "./inodes.ts";
import type { Memory } from "./memory.ts";
import type { SoundSuper } from "./supers.ts";

/** Which field of a record counts who holds it. */
const COUNTS = [
  [CACHE_DENTRY, DENTRY_COUNT, "a dentry"],
  [CACHE_INODE, INODE_COUNT, "an inode"],
  [CACHE_MOUNT, MOUNT_COUNT, "a mount"],
  [CACHE_SUPER_BLOCK, SUPER_BLOCK_ACTIVE, "a super block"],
] as const;

/** @throws SnapshotError */
export function checkReferences(memory: Memory, inodes: Inodes): void {
  for (const [cache, field, what] of COUNTS) {
    for (const address of memory.slabs.records(cache)) {
      const number = memory.slabs.numberOf(cache, address, what);
      const count = memory.u32[memory.image.at(address) + field];
      if (count !== memory.references[number]) refuse(`${what} is held by others than it counts`, address);
      if (count === 0 && cache !== CACHE_DENTRY && cache !== CACHE_INODE) refuse(`${what} is held by nobody`, address);
    }
  }
  for (const address of inodes.all) {
    const isUnused = (inodes.state(address) & I_LRU) !== 0;
    const count = memory.u32[memory.image.at(address) + INODE_COUNT];
    demand((count === 0) === isUnused, "an inode is held by nobody, but on no list", address);
  }
}

/** @throws SnapshotError */
export function checkSums(
  memory: Memory,
  supers: ReadonlyMap<number, SoundSuper>,
  sums: ReadonlyMap<number, Sums>,
): void {
  const { u32, f64 } = memory;
  for (const { at, address } of supers.values()) {
    const { nrInodes, nrBlocks, nrLinks, xattrSpace } = sums.get(address) as Sums;
    const usedBlocks = u32[at + SUPER_BLOCK_USED_BLOCKS];
    demand(nrBlocks === usedBlocks, "usedBlocks is not the number of blocks of a file system's files", address);
    demand(usedBlocks <= u32[at + SUPER_BLOCK_MAX_BLOCKS], "a file system has more blocks than it may", address);
    const maxInodes = u32[at + SUPER_BLOCK_MAX_INODES];
    if (maxInodes === 0) continue;
    const extraLinks = u32[at + SUPER_BLOCK_EXTRA_LINKS];
    demand(
      f64[(at >>> 1) + SUPER_BLOCK_XATTR_SPACE] === xattrSpace,
      "xattrSpace is not what extended attributes count",
      address,
    );
    demand(
      extraLinks === nrLinks + Math.ceil(xattrSpace / BOGO_INODE_SIZE),
      "extraLinks is not the number of links beyond the first",
      address,
    );
    demand(nrInodes + extraLinks <= maxInodes, "a file system has more inodes than it may", address);
  }
}
