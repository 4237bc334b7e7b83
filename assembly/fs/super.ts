// Super blocks (Linux: struct super_block): one mounted file system, whatever the number of its mounts.
import { CACHE_SUPER_BLOCK, ENOMEM, ENOSPC, SB_MEMORY } from "../abi";
import { dDrop, Dentry, dget, dput } from "./dentry";
import { Inode } from "./inode";
import { isNil, kernel, nil } from "../kernel";
import { kfree, kmemCacheAlloc, kmemCacheFree } from "../mm/slab";

/** One mounted file system. */
// @ts-ignore: decorator
@unmanaged export class SuperBlock {
  typeId: u32; // index into the names at KERNEL_FS_TYPES; immutable
  flags: u32; // SB_*
  root: Dentry;
  magic: u32; // f_type of statfs
  maxBytes: f64; // largest file size
  nextIno: f64; // next inode number
  dev: u32; // st_dev; immutable
  blockSize: u32;
  active: u32; // mounts of it
  nrInodes: u32;
  inodes: Inode; // list of all inodes
  next: SuperBlock;
  prev: SuperBlock;
  umountLock: u32; // s_umount: operation that holds it, 0 = free
  options: usize; // address of the mount options as given, NUL-terminated, 0 = none
  optionsLength: u32;
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
    dget(dentry);
    dDrop(dentry);
    dput(dentry);
    dentry = parent;
  }
  sb.root = nil<Dentry>();
  dput(root);
}

/** Frees a super block. Precondition: no mount and no inode is left. */
export function freeSuper(sb: SuperBlock): void {
  if (DEBUG) assert(sb.active == 0 && isNil(sb.inodes), "freeSuper: super block is in use");
  if (isNil(sb.prev)) kernel().superBlocks = sb.next;
  else sb.prev.next = sb.next;
  if (!isNil(sb.next)) sb.next.prev = sb.prev;
  if (sb.options) kfree(sb.options);
  sb.root = nil<Dentry>();
  kmemCacheFree(changetype<usize>(sb));
}
