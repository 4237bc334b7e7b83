/**
 * Memory that is sound: whatever is done to it, the core finds what it relies on. Each thing is looked at when all that it refers to has
 * been found to be what it should be; no walk is longer than what it walks along.
 */
import type { FileSystemType } from "../vfs/fs-type.ts";
import type { SnapshotMeta } from "../vfs/snapshot-format.ts";
import { PAGE_SIZE } from "../wasm/layout.ts";
import { checkReferences, checkSums } from "./accounts.ts";
import type { Container } from "./container.ts";
import { checkDentries } from "./dentries.ts";
import { checkDentryHash } from "./dentry-hash.ts";
import { Image } from "./image.ts";
import { checkInodeHash } from "./inode-hash.ts";
import { checkInodes } from "./inodes.ts";
import { checkKernelBlock, readTypeNames } from "./kernel-block.ts";
import { checkLinks, checkRoots } from "./links.ts";
import { Memory } from "./memory.ts";
import { checkMounts } from "./mounts.ts";
import { PageIndexes } from "./page-index.ts";
import { checkStacks } from "./stacks.ts";
import { checkSupers } from "./supers.ts";
import { SwapAreas } from "./swap.ts";

/** @throws SnapshotError for memory that is not */
export function checkMemory(container: Container, meta: SnapshotMeta, types: readonly FileSystemType[]): void {
  const memory = new Memory(new Image(container));
  checkKernelBlock(memory);
  const supers = checkSupers(memory, readTypeNames(memory), meta.types, types);
  const mounts = checkMounts(memory);
  const { inodes, sums } = checkInodes(memory, supers);
  const dentries = checkDentries(memory, inodes, mounts);
  checkRoots(supers, dentries, inodes);
  checkLinks(memory, dentries, inodes);
  checkDentryHash(memory, dentries);
  checkInodeHash(memory, inodes);
  checkStacks({ memory, supers, mounts, dentries, inodes });
  const swap = new SwapAreas(memory, (container.bytes.length - container.swappedAt) / PAGE_SIZE);
  new PageIndexes(memory, swap).check(inodes, sums);
  swap.checkAllTaken();
  checkSums(memory, supers, sums);
  checkReferences(memory, inodes);
  memory.claims.checkAllClaimed();
  memory.frames.checkAllClaimed();
}
