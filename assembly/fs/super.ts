// Super blocks (Linux: struct super_block): one mounted file system, whatever the number of its mounts.
import { CACHE_SUPER_BLOCK, ENOMEM, ENOSPC, SB_FROZEN, SB_MEMORY, SB_STACKED, SB_UNFROZEN } from "../abi";
import { dDelete, Dentry, dput } from "./dentry";
import { Inode } from "./inode";
import { isNil, kernel, nil, slot } from "../kernel";
import { dropLayers } from "./stack";
import { kfree, kmemCacheAlloc, kmemCacheFree } from "../mm/slab";

/** One mounted file system. */
// @ts-ignore: decorator
@unmanaged export class SuperBlock {
  typeId: u32; // index into the names at KERNEL_FS_TYPES; immutable
  flags: u32; // SB_*
  root: Dentry;
  magic: u32; // f_type of statfs
  maxBytes: f64; // largest file size; negative while SB_FROZEN, so that no write has to look twice
  nextIno: f64; // next inode number
  dev: u32; // st_dev; immutable
  blockSize: u32;
  active: u32; // mounts of it; one more while it is frozen
  nrInodes: u32;
  inodes: Inode; // list of all inodes
  next: SuperBlock;
  prev: SuperBlock;
  umountLock: u32; // s_umount: operation that holds it, 0 = free
  source: usize; // address of what it was mounted from, NUL-terminated, 0 = nothing was said
  sourceLength: u32;
  wbErr: u32; // errseq of syncfs
  private0: u32;
  private1: u32;
  private2: u32;
  private3: u32;
  timeGranularity: u32; // nanoseconds
  maxLinks: u32; // 0 = no limit
  nameMax: u32;
  plainKinds: u32; // a bit for each kind of directory whose unlink and rename are libfs's
  fileKind: u32; // kind of new files, plus 1, where they and directories need only simpleMknod(); 0 = the file system makes them
  frozen: u32; // SB_UNFROZEN to SB_FREEZE_COMPLETE
  writers: u32; // operations under way that a freeze waits for, by level
  faulters: u32;
  internals: u32;
  dyingNext: SuperBlock; // list of the slot's super blocks that have lost their last user
  // Limits, and what counts against them (block-accounts.ts):
  maxBlocks: u32; // pages; u32.MAX_VALUE = no limit
  usedBlocks: u32; // pages in the caches of its files, and long symbolic links
  maxInodes: u32; // 0 = no limit, and nobody counts
  extraLinks: u32; // what counts as inodes beside them, where there is a limit: links beyond the first of what is no directory, and xattrSpace
  xattrSpace: f64; // bytes that extended attributes count, where there is a limit on inodes
}

/** Makes a super block without root, mounts and inodes. @param flags SB_* @returns nil when memory ran out */
export function allocSuper(typeId: u32, flags: u32): SuperBlock {
  const sb = changetype<SuperBlock>(kmemCacheAlloc(CACHE_SUPER_BLOCK));
  if (isNil(sb)) return sb;
  const k = kernel();
  sb.typeId = typeId;
  sb.flags = flags;
  sb.maxBytes = 17592186044416; // 2^44: page indexes are 32 bits
  sb.nextIno = 1;
  sb.dev = ++k.nextDev;
  sb.blockSize = 4096;
  sb.timeGranularity = 1;
  sb.nameMax = 255;
  sb.maxBlocks = u32.MAX_VALUE;
  sb.next = k.superBlocks;
  if (!isNil(sb.next)) sb.next.prev = sb;
  k.superBlocks = sb;
  return sb;
}

/**
 * What it is that a name or an inode found no memory: where that is the store, it is full.
 *
 * @returns -ENOSPC for a file system in memory; -ENOMEM for the cache of another
 */
export function noRoom(sb: SuperBlock): i32 {
  return sb.flags & SB_MEMORY ? -ENOSPC : -ENOMEM;
}

/** Drops all names of a super block, leaves first, and its root. Precondition: nobody holds any of them. */
export function shrinkSuper(sb: SuperBlock): void {
  const root = sb.root;
  if (isNil(root)) return;
  let dentry = root;
  while (true) {
    while (!isNil(dentry.children)) dentry = dentry.children;
    if (dentry == root) break;
    const parent = dentry.parent;
    dDelete(dentry);
    dentry = parent;
  }
  sb.root = nil<Dentry>();
  dput(root);
}

/** Drops a use of a super block; the last one lines it up for its owner to shut down. */
export function putSuper(sb: SuperBlock): void {
  if (--sb.active) return;
  sb.dyingNext = slot().dying;
  slot().dying = sb;
}

/** Takes the next super block off the list of those that are to be shut down. @returns nil = there is none */
export function nextDying(): SuperBlock {
  const sb = slot().dying;
  if (isNil(sb)) return sb;
  slot().dying = sb.dyingNext;
  sb.dyingNext = nil<SuperBlock>();
  return sb;
}

/** Takes a super block off that list, if it is on it. */
function undie(sb: SuperBlock): void {
  const s = slot();
  if (s.dying == sb) s.dying = sb.dyingNext;
  else for (let at = s.dying; !isNil(at); at = at.dyingNext) if (at.dyingNext == sb) at.dyingNext = sb.dyingNext;
}

/** Thaws what was frozen, and forgets who was writing: for copies of memory, where nobody is left to do either. */
export function thawAll(): void {
  for (let sb = kernel().superBlocks; !isNil(sb); sb = sb.next) {
    if (sb.frozen) putSuper(sb);
    sb.flags &= ~SB_FROZEN;
    sb.maxBytes = abs<f64>(sb.maxBytes);
    sb.frozen = SB_UNFROZEN;
    sb.writers = 0;
    sb.faulters = 0;
    sb.internals = 0;
  }
}

/** Frees a super block. Precondition: no mount and no inode is left. */
export function freeSuper(sb: SuperBlock): void {
  if (DEBUG) assert(sb.active == 0 && isNil(sb.inodes), "freeSuper: super block is in use");
  undie(sb);
  if (isNil(sb.prev)) kernel().superBlocks = sb.next;
  else sb.prev.next = sb.next;
  if (!isNil(sb.next)) sb.next.prev = sb.prev;
  if (sb.flags & SB_STACKED) dropLayers(sb);
  if (sb.source) kfree(sb.source);
  sb.root = nil<Dentry>();
  kmemCacheFree(changetype<usize>(sb));
}
