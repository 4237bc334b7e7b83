// Entry points: super blocks and mounts.
import { ENOMEM } from "../abi";
import { Dentry } from "../fs/dentry";
import { shrinkUnusedOf } from "../fs/dentry-lru";
import { deref, handle, isNil, kernel, slot } from "../kernel";
import { allocMount, attachMount, detachMount, lookupMount, mntget, mntput, Mount } from "../fs/mount";
import { allocSuper, freeSuper, nextDying, putSuper, shrinkSuper, SuperBlock, thawAll } from "../fs/super";
import { kmalloc as alloc, kfree as free } from "../mm/slab";
import { followMounts } from "../fs/namei";

/** Makes a super block of a type (its place in KERNEL_FS_TYPES). @param flags SB_* @returns handle or -ENOMEM */
export function superNew(typeId: u32, flags: u32): i32 {
  const sb = allocSuper(typeId, flags);
  return isNil(sb) ? -ENOMEM : handle<SuperBlock>(sb);
}

/** Frees a super block. Precondition: no mount and no inode of it is left. */
export function superFree(sb: u32): void {
  freeSuper(deref<SuperBlock>(sb));
}

/** Makes a mount outside of any tree. @returns handle, with one reference; -ENOMEM */
export function mountNew(sb: u32, root: u32, flags: u32): i32 {
  const mnt = allocMount(deref<SuperBlock>(sb), deref<Dentry>(root), flags);
  return isNil(mnt) ? -ENOMEM : handle<Mount>(mnt);
}

/** Hangs a mount over a dentry of `parent`. Precondition: it is in no tree. */
export function mountAttach(mnt: u32, parent: u32, mountpoint: u32): void {
  attachMount(deref<Mount>(mnt), deref<Mount>(parent), deref<Dentry>(mountpoint));
}

/** Takes a mount out of its tree, if it is in one; the reference on it stays with the caller. */
export function mountDetach(mnt: u32): void {
  detachMount(deref<Mount>(mnt));
}

/** Takes a reference on a mount. */
export function mountGet(mnt: u32): void {
  mntget(deref<Mount>(mnt));
}

/** Drops a reference; with the last one the mount goes, and its super block may be next of superDying(). */
export function mountPut(mnt: u32): void {
  mntput(deref<Mount>(mnt));
}

/** Makes a mount the root of the tree. */
export function setRootMount(mnt: u32): void {
  kernel().rootMount = deref<Mount>(mnt);
}

/** Finds the newest mount over a dentry of `parent`. @returns handle, 0 = none */
export function mountLookup(parent: u32, dentry: u32): u32 {
  return handle<Mount>(lookupMount(deref<Mount>(parent), deref<Dentry>(dentry)));
}

/** Goes down through what is mounted on the walk's result. @returns handle of the dentry; the mount is in the slot */
export function walkFollowMounts(): u32 {
  const s = slot();
  s.ndDentry = followMounts(s.ndDentry);
  return handle<Dentry>(s.ndDentry);
}

/** Takes `size` (1 to KMALLOC_MAX) bytes of memory, zeroed. @returns its address, 0 when memory ran out */
export function kmalloc(size: u32): u32 {
  return <u32>alloc(size);
}

/** Gives back what kmalloc() gave. @param address not 0 */
export function kfree(address: u32): void {
  free(address);
}

/** First super block of the list. @returns handle, 0 = none */
export function superFirst(): u32 {
  return handle<SuperBlock>(kernel().superBlocks);
}

/** Next super block of the list, older. @returns handle, 0 = that was the last */
export function superNext(sb: u32): u32 {
  return handle<SuperBlock>(deref<SuperBlock>(sb).next);
}

/** First mount, newest. @returns handle, 0 = none */
export function mountFirst(): u32 {
  return handle<Mount>(kernel().mounts);
}

/** Next mount of the list, older. @returns handle, 0 = that was the last */
export function mountNext(mnt: u32): u32 {
  return handle<Mount>(deref<Mount>(mnt).next);
}

/** Drops the unused names of a super block: those that can be asked for again. */
export function superShrinkUnused(sb: u32): void {
  shrinkUnusedOf(deref<SuperBlock>(sb));
}

/** Drops a use of a super block that is no mount; the last one makes it the next of superDying(). */
export function superPut(sb: u32): void {
  putSuper(deref<SuperBlock>(sb));
}

/** Takes a super block without users off the list of those that are to be shut down. @returns handle, 0 = none is left */
export function superDying(): u32 {
  return handle<SuperBlock>(nextDying());
}

/** Thaws all super blocks, in a copy of memory. */
export function thawSupers(): void {
  thawAll();
}

/** Drops all names of a super block that no mount shows any more, its root included. */
export function superShrink(sb: u32): void {
  const s = deref<SuperBlock>(sb);
  shrinkUnusedOf(s); // those in removed directories, to which nothing leads from the root
  shrinkSuper(s);
}
