// verify(): who holds what. Every reference that a record holds is taken off the count it was added to; then all counts
// must be 0; then the references are put back. No memory is needed, and each count is checked exactly.
//
//   dentry.count   children (by their parent pointer), its lasting name (DCACHE_PERSISTENT), files, root and working
//                  directories of tasks, roots of mounts, mountpoints, root of a super block
//   inode.count    dentries
//   mount.count    mounts below it, files, tasks (root and working directory), its place: in the tree, as its root, or
//                  as an internal mount; a detached one (umount -l) has no place
//   cred.count     files, tasks
import {
  CACHE_CRED, CACHE_DENTRY, CACHE_FILE, CACHE_INODE, CACHE_KMALLOC_32, CACHE_MOUNT, CACHE_SUPER_BLOCK, CACHE_TASK, I_FSNOTIFY, SB_COMPLETE, SB_STACKED,
  DCACHE_PERSISTENT, FL_OFD, FMODE_FLOCK, FMODE_WRITE, I_EVICTING, I_FREEING, I_SYMLINK_BODY, MNT_DETACHED, MNT_INTERNAL, MNT_LAYER, NR_CACHES,
  NR_SLOTS, PG_SLAB, SB_FREEZE_COMPLETE, SB_FROZEN, SB_RDONLY, SB_UNFROZEN,
} from "../abi";
import { Dentry } from "../fs/dentry";
import { File } from "../fs/file";
import { FileLock } from "../fs/flock";
import { extraLinks, hostOf, Inode, isDir } from "../fs/inode";
import { isNil, kernel, nil, ownerSlot, Slot } from "../kernel";
import { Mount } from "../fs/mount";
import { Operation } from "../fs/operation";
import { pageOf, pfnOf } from "../mm/page";
import { cacheOf } from "../mm/slab";
import { STACK_HEAD_BYTES } from "../fs/stack";
import { nrBlockPages } from "../fs/stat";
import { SuperBlock } from "../fs/super";
import { Cred, Task } from "../fs/task";
import { Xattr, xattrInodes } from "../fs/xattr";
import { isObject, nextObject } from "./verify";
import { nrLentPages } from "./verify-index";
import { nrMmapRecords, verifyMmap } from "./verify-mmap";
import { verifyXattrs } from "./verify-xattr";

/** Checks lists, strings, locks and every count of references; a wrong one aborts with its description. */
export function verifyCounts(): void {
  verifySlots();
  verifySupers();
  verifyMounts();
  verifyOperations();
  verifyMmap();
  verifyLocks();
  verifyStrings();
  addReferences(-1);
  verifyAllZero();
  addReferences(1);
}

// --- Counts of references ---------------------------------------------------------------------------------------------

/** Adds `sign` to the count behind every reference that a record holds. */
function addReferences(sign: i32): void {
  for (let at = nextObject(CACHE_DENTRY, 0); at; at = nextObject(CACHE_DENTRY, at)) {
    const dentry = changetype<Dentry>(at);
    if (dentry.parent != dentry) dentry.parent.count += sign;
    if (dentry.flags & DCACHE_PERSISTENT) dentry.count += sign;
    if (!isNil(dentry.inode)) dentry.inode.count += sign;
  }
  for (let at = nextObject(CACHE_FILE, 0); at; at = nextObject(CACHE_FILE, at)) {
    const file = changetype<File>(at);
    file.dentry.count += sign;
    file.mnt.count += sign;
    file.cred.count += sign;
    if (file.mode & FMODE_WRITE) file.mnt.writers += sign;
  }
  for (let at = nextObject(CACHE_TASK, 0); at; at = nextObject(CACHE_TASK, at)) {
    const task = changetype<Task>(at);
    task.rootDentry.count += sign;
    task.cwdDentry.count += sign;
    task.rootMount.count += sign;
    task.cwdMount.count += sign;
    task.cred.count += sign;
  }
  for (let at = nextObject(CACHE_MOUNT, 0); at; at = nextObject(CACHE_MOUNT, at)) {
    const mnt = changetype<Mount>(at);
    mnt.root.count += sign;
    mnt.sb.active += sign;
    if (hasPlace(mnt)) mnt.count += sign;
    if (isNil(mnt.parent)) continue;
    mnt.mountpoint.count += sign;
    mnt.parent.count += sign;
  }
  for (let at = nextObject(CACHE_SUPER_BLOCK, 0); at; at = nextObject(CACHE_SUPER_BLOCK, at)) {
    const sb = changetype<SuperBlock>(at);
    if (!isNil(sb.root)) sb.root.count += sign;
    if (sb.frozen) sb.active += sign;
  }
  countMarks(sign);
  countStacks(sign);
  for (let operation = kernel().operations; !isNil(operation); operation = operation.next) {
    if (!isNil(operation.mnt)) operation.mnt.count += sign;
    if (!isNil(operation.dir)) operation.dir.count += sign;
    if (!isNil(operation.dentry)) operation.dentry.count += sign;
    if (!isNil(operation.otherDir)) operation.otherDir.count += sign;
    if (!isNil(operation.otherDentry)) operation.otherDentry.count += sign;
    if (!isNil(operation.inode)) operation.inode.count += sign;
    if (!isNil(operation.otherInode)) operation.otherInode.count += sign;
  }
}

/** Inodes of an overlay hold what they stand for. */
function countStacks(sign: i32): void {
  for (let at = nextObject(CACHE_INODE, 0); at; at = nextObject(CACHE_INODE, at)) {
    const inode = changetype<Inode>(at);
    if (!(inode.sb.flags & SB_STACKED)) continue;
    countDentry(inode.private0, sign);
    countDentry(inode.private1, sign);
    verifyShown(inode);
    const more: usize = inode.private2;
    const nr: u32 = more ? load<u32>(more) : 0;
    for (let i: u32 = 0; i < nr; i++) countDentry(load<u32>(more + STACK_HEAD_BYTES + (<usize>i << 3)), sign);
  }
}

/** Pages are its own, or those of what it shows. */
function verifyShown(inode: Inode): void {
  const host = hostOf(inode.mapping);
  if (host == inode) return;
  const shown: u32 = inode.private0 ? inode.private0 : inode.private1;
  assert(shown != 0 && changetype<Dentry>(<usize>shown).inode == host, "stack: an inode has pages of another than it stands for");
}

function countDentry(address: u32, sign: i32): void {
  if (!address) return;
  assert(isObject(CACHE_DENTRY, address), "stack: an inode stands for what is no dentry");
  changetype<Dentry>(<usize>address).count += sign;
}

/** Layers are internal mounts. */
function verifyLayers(sb: SuperBlock): void {
  const layers: usize = sb.private0;
  const nr: u32 = layers ? load<u32>(layers) : 0;
  for (let i: u32 = 0; i < nr; i++) {
    const mnt = load<u32>(layers + STACK_HEAD_BYTES + (<usize>i << 2));
    if (!mnt) continue;
    assert(isObject(CACHE_MOUNT, mnt), "stack: a layer is no mount");
    assert((changetype<Mount>(<usize>mnt).flags & (MNT_INTERNAL | MNT_LAYER)) == (MNT_INTERNAL | MNT_LAYER), "stack: a layer is no internal mount");
  }
}

/** What is watched and does not live in memory is held: a directory by its name (src/vfs/fsnotify.ts). */
function countMarks(sign: i32): void {
  for (let at = nextObject(CACHE_INODE, 0); at; at = nextObject(CACHE_INODE, at)) {
    const inode = changetype<Inode>(at);
    if (!(inode.state & I_FSNOTIFY) || inode.sb.flags & SB_COMPLETE) continue;
    if (isDir(inode)) inode.aliases.count += sign;
    else inode.count += sign;
  }
}

/** A mount in the tree, and an internal one, holds the reference it was made with. */
function hasPlace(mnt: Mount): bool {
  return !isNil(mnt.parent) || kernel().rootMount == mnt || (mnt.flags & MNT_INTERNAL) != 0;
}

function verifyAllZero(): void {
  for (let at = nextObject(CACHE_DENTRY, 0); at; at = nextObject(CACHE_DENTRY, at)) {
    const count = <i32>changetype<Dentry>(at).count;
    assert(count <= 0, "counts: a dentry has a reference that nobody holds");
    assert(count == 0, "counts: a dentry is held more often than it counts");
  }
  for (let at = nextObject(CACHE_INODE, 0); at; at = nextObject(CACHE_INODE, at)) {
    const count = <i32>changetype<Inode>(at).count;
    assert(count <= 0, "counts: an inode has a reference that nobody holds");
    assert(count == 0, "counts: an inode is held more often than it counts");
  }
  for (let at = nextObject(CACHE_MOUNT, 0); at; at = nextObject(CACHE_MOUNT, at)) {
    const mnt = changetype<Mount>(at);
    assert(<i32>mnt.count <= 0, "counts: a mount has a reference that nobody holds");
    assert(mnt.count == 0, "counts: a mount is held more often than it counts");
    assert(mnt.writers == 0, "counts: writers of a mount are not its files open for writing");
  }
  for (let at = nextObject(CACHE_CRED, 0); at; at = nextObject(CACHE_CRED, at)) {
    const count = <i32>changetype<Cred>(at).count;
    assert(count <= 0, "counts: credentials have a reference that nobody holds");
    assert(count == 0, "counts: credentials are held more often than they count");
  }
  for (let at = nextObject(CACHE_SUPER_BLOCK, 0); at; at = nextObject(CACHE_SUPER_BLOCK, at)) {
    assert(changetype<SuperBlock>(at).active == 0, "counts: active of a super block is not the number of its mounts, and of who has frozen it");
  }
}

// --- Lists ------------------------------------------------------------------------------------------------------------

/** Open files and tasks are on the lists of their slots. */
function verifySlots(): void {
  let nrFiles: u32 = 0;
  let nrSpare: u32 = 0;
  let nrTasks: u32 = 0;
  let nrEvicting: u32 = 0;
  for (let i: u32 = 0; i < NR_SLOTS; i++) {
    const slot = ownerSlot(i);
    if (isNil(slot)) continue;
    if (!isNil(slot.spareFile)) nrSpare++;
    assert(slot.number == i, "slot: wrong number");
    nrFiles += verifyFiles(slot, i);
    nrTasks += verifyTasks(slot, i);
    nrEvicting += verifyEvicting(slot);
    verifyDying(slot);
    assert(isNil(slot.current) || isObject(CACHE_TASK, changetype<usize>(slot.current)), "slot: current is no task");
  }
  assert(nrFiles == kernel().nrFiles && nrFiles + nrSpare == cacheOf(CACHE_FILE).nrObjects, "files: nrFiles is not the number of files");
  assert(nrTasks == cacheOf(CACHE_TASK).nrObjects, "tasks: a task is on no slot's list");
  let nrFreeing: u32 = 0;
  for (let at = nextObject(CACHE_INODE, 0); at; at = nextObject(CACHE_INODE, at)) if ((changetype<Inode>(at).state & (I_FREEING | I_EVICTING)) == I_FREEING) nrFreeing++;
  assert(nrEvicting == nrFreeing, "slot: other inodes wait for evictInode than are being freed");
}

/** Inodes that wait for evictInode since memory ran out; a call that frees some on purpose waits for it. */
function verifyEvicting(slot: Slot): u32 {
  let nr: u32 = 0;
  for (let inode: Inode = slot.evicting; !isNil(inode); inode = changetype<Inode>(inode.aliases)) {
    assert(isObject(CACHE_INODE, changetype<usize>(inode)), "slot: the list of those that wait for evictInode leads astray");
    assert(inode.count == 0 && (inode.state & I_FREEING) != 0, "slot: an inode waits for evictInode, but is in use");
    nr++;
    assert(nr <= kernel().nrInodes, "slot: the list of those that wait for evictInode is a ring");
  }
  return nr;
}

function verifyFiles(slot: Slot, number: u32): u32 {
  let nr: u32 = 0;
  for (let file: File = slot.files; !isNil(file); file = file.next) {
    assert(isObject(CACHE_FILE, changetype<usize>(file)), "file: the slot's list leads astray");
    assert((isNil(file.prev) ? slot.files : file.prev.next) == file, "file: previous file points elsewhere");
    assert(file.owner == number && file.count > 0, "file: not the slot's, or held by nobody");
    assert(isObject(CACHE_DENTRY, changetype<usize>(file.dentry)) && file.dentry.inode == file.inode, "file: not its dentry's inode");
    assert(isObject(CACHE_MOUNT, changetype<usize>(file.mnt)) && isObject(CACHE_CRED, changetype<usize>(file.cred)), "file: mount or credentials are none");
    assert(file.mnt.sb == file.inode.sb, "file: mount of another file system");
    nr++;
    assert(nr <= kernel().nrFiles, "file: the slot's list is a ring");
  }
  return nr;
}

function verifyTasks(slot: Slot, number: u32): u32 {
  let nr: u32 = 0;
  for (let task: Task = slot.tasks; !isNil(task); task = task.next) {
    assert(isObject(CACHE_TASK, changetype<usize>(task)), "task: the slot's list leads astray");
    assert((isNil(task.prev) ? slot.tasks : task.prev.next) == task, "task: previous task points elsewhere");
    assert(task.owner == number, "task: not the slot's");
    assert(isObject(CACHE_CRED, changetype<usize>(task.cred)), "task: credentials are none");
    verifyPlace(task.rootMount, task.rootDentry);
    verifyPlace(task.cwdMount, task.cwdDentry);
    nr++;
    assert(nr <= cacheOf(CACHE_TASK).nrObjects, "task: the slot's list is a ring");
  }
  return nr;
}

/** A directory seen through a mount. */
function verifyPlace(mnt: Mount, dentry: Dentry): void {
  assert(isObject(CACHE_MOUNT, changetype<usize>(mnt)) && isObject(CACHE_DENTRY, changetype<usize>(dentry)), "place: mount or dentry are none");
  assert(!isNil(dentry.inode) && dentry.inode.sb == mnt.sb, "place: dentry of another file system than its mount");
}

function verifySupers(): void {
  let nr: u32 = 0;
  let nrInodes: u32 = 0;
  for (let sb: SuperBlock = kernel().superBlocks; !isNil(sb); sb = sb.next) {
    assert(isObject(CACHE_SUPER_BLOCK, changetype<usize>(sb)), "super block: the list leads astray");
    assert((isNil(sb.prev) ? kernel().superBlocks : sb.prev.next) == sb, "super block: previous one points elsewhere");
    nrInodes += verifyInodesOf(sb);
    nr++;
    assert(nr <= cacheOf(CACHE_SUPER_BLOCK).nrObjects, "super block: the list is a ring");
    verifyFreeze(sb);
    if (sb.flags & SB_STACKED) verifyLayers(sb);
  }
  assert(nr == cacheOf(CACHE_SUPER_BLOCK).nrObjects, "super block: one is not on the list");
  assert(nrInodes == kernel().nrInodes, "inodes: one is on no super block's list");
}

/** Who is frozen has told writers so, unless it is read-only and has none; and is frozen whole, or on the way. */
function verifyFreeze(sb: SuperBlock): void {
  assert(sb.frozen <= SB_FREEZE_COMPLETE, "super block: frozen further than there is");
  if (sb.flags & SB_FROZEN) assert(sb.frozen != SB_UNFROZEN, "super block: writers wait, but nobody has frozen it");
  else assert(sb.frozen == SB_UNFROZEN || (sb.flags & SB_RDONLY) != 0, "super block: frozen, but writers do not know");
  assert((sb.maxBytes < 0) == ((sb.flags & SB_FROZEN) != 0), "super block: writers are told otherwise than the flag says");
}

/** Super blocks that wait to be shut down have no user left. */
function verifyDying(slot: Slot): void {
  let nr: u32 = 0;
  for (let sb: SuperBlock = slot.dying; !isNil(sb); sb = sb.dyingNext) {
    assert(isObject(CACHE_SUPER_BLOCK, changetype<usize>(sb)) && sb.active == 0, "slot: a super block is to be shut down, but is in use");
    nr++;
    assert(nr <= cacheOf(CACHE_SUPER_BLOCK).nrObjects, "slot: the list of super blocks to be shut down is a ring");
  }
}

function verifyInodesOf(sb: SuperBlock): u32 {
  let nr: u32 = 0;
  let nrBlocks: u32 = 0;
  let nrLinks: u32 = 0;
  let space: f64 = 0;
  for (let inode: Inode = sb.inodes; !isNil(inode); inode = inode.sbNext) {
    assert(isObject(CACHE_INODE, changetype<usize>(inode)) && inode.sb == sb, "inode: on another super block's list");
    assert((isNil(inode.sbPrev) ? sb.inodes : inode.sbPrev.sbNext) == inode, "inode: previous inode points elsewhere");
    nr++;
    nrBlocks += nrBlockPages(inode) - nrLentPages(inode);
    nrLinks += extraLinks(inode);
    space += verifyXattrs(inode);
    assert(nr <= sb.nrInodes, "super block: its list of inodes is longer than counted, or a ring");
  }
  assert(nr == sb.nrInodes, "super block: its list of inodes is shorter than counted");
  assert(nrBlocks == sb.usedBlocks, "super block: usedBlocks is not the number of its files' blocks");
  assert(sb.usedBlocks <= sb.maxBlocks, "super block: more blocks than it may have");
  if (sb.maxInodes) {
    assert(space == sb.xattrSpace, "super block: xattrSpace is not what its files' extended attributes count");
    assert(nrLinks + xattrInodes(sb) == sb.extraLinks, "super block: extraLinks is not its files' links beyond the first, and their xattrs");
    assert(nr + sb.extraLinks <= sb.maxInodes, "super block: more inodes than it may have");
  }
  return nr;
}

function verifyMounts(): void {
  let nr: u32 = 0;
  for (let mnt: Mount = kernel().mounts; !isNil(mnt); mnt = mnt.next) {
    assert(isObject(CACHE_MOUNT, changetype<usize>(mnt)), "mount: the list leads astray");
    assert((isNil(mnt.prev) ? kernel().mounts : mnt.prev.next) == mnt, "mount: previous one points elsewhere");
    assert(mnt.root.inode.sb == mnt.sb, "mount: root of another file system");
    verifyMountPlace(mnt);
    nr++;
    assert(nr <= cacheOf(CACHE_MOUNT).nrObjects, "mount: the list is a ring");
  }
  assert(nr == cacheOf(CACHE_MOUNT).nrObjects, "mount: one is not on the list");
}

function verifyMountPlace(mnt: Mount): void {
  const parent = mnt.parent;
  for (let child = mnt.children; !isNil(child); child = child.childNext) assert(child.parent == mnt, "mount: child of another");
  if (isNil(parent)) {
    assert(!(mnt.flags & MNT_DETACHED) || isNil(mnt.children), "mount: out of the tree, but with mounts below");
    assert(isNil(mnt.mountpoint) && isNil(mnt.childNext) && isNil(mnt.childPrev), "mount: in no tree, but linked");
    return;
  }
  assert(isObject(CACHE_MOUNT, changetype<usize>(parent)), "mount: parent is none");
  assert((isNil(mnt.childPrev) ? parent.children : mnt.childPrev.childNext) == mnt, "mount: previous child points elsewhere");
  assert(isNil(mnt.childNext) || mnt.childNext.childPrev == mnt, "mount: next child points elsewhere");
  verifyPlace(parent, mnt.mountpoint);
}

/** Locks belong to open files of their inode, which know; none is in the way of another. */
function verifyLocks(): void {
  for (let at = nextObject(CACHE_INODE, 0); at; at = nextObject(CACHE_INODE, at)) {
    for (let lock = changetype<FileLock>(changetype<Inode>(at).flocks); !isNil(lock); lock = lock.next) {
      assert(isObject(CACHE_FILE, changetype<usize>(lock.file)) && lock.file.inode == changetype<Inode>(at), "flock: held by no file of the inode");
      assert((lock.file.mode & FMODE_FLOCK) != 0, "flock: its file does not know");
      assert((lock.owner || lock.exclusive <= 1) && (lock.owner ? lock.start <= lock.end : lock.end == 0), "flock: of no type, or a range that ends before it begins");
      for (let other = lock.next; !isNil(other); other = other.next) {
        if ((lock.owner == 0) != (other.owner == 0)) continue;
        if (lock.owner) verifyRanges(lock, other);
        else assert(other.file != lock.file && !(lock.exclusive | other.exclusive), "flock: one file with two locks, or an exclusive lock beside another");
      }
    }
  }
}

/** Two locks on ranges, of which `a` is the first on the list. */
function verifyRanges(a: FileLock, b: FileLock): void {
  const isSameOwner = a.owner == b.owner && (a.owner != FL_OFD || a.file == b.file);
  if (isSameOwner) assert(a.end < b.start && (((a.exclusive ^ b.exclusive) & 1) != 0 || a.end + 1 < b.start), "record lock: ranges of one owner overlap, are not sorted, or could be one");
  else assert(a.end < b.start || b.end < a.start || !((a.exclusive | b.exclusive) & 1), "record lock: one is in the way of another");
}

/** Operations are on a list, and have their locks; nobody else has any. */
function verifyOperations(): void {
  let nr: u32 = 0;
  for (let operation = kernel().operations; !isNil(operation); operation = operation.next) {
    assert((isNil(operation.prev) ? kernel().operations : operation.prev.next) == operation, "operation: previous one points elsewhere");
    assert(operation.number != 0 && !isNil(ownerSlot(operation.owner)), "operation: of no slot, or without a number");
    assert(isObject(CACHE_MOUNT, changetype<usize>(operation.mnt)), "operation: its mount is none");
    verifyLock(operation, isNil(operation.dir) ? nil<Inode>() : operation.dir.inode);
    verifyLock(operation, isNil(operation.otherDir) ? nil<Inode>() : operation.otherDir.inode);
    verifyLock(operation, operation.inode);
    verifyLock(operation, operation.otherInode);
    assert(++nr <= kernel().lastOperation, "operation: the list is a ring");
  }
  for (let at = nextObject(CACHE_INODE, 0); at; at = nextObject(CACHE_INODE, at)) {
    const number = changetype<Inode>(at).rwsem;
    assert(number == 0 || isOperation(number), "inode: locked by no operation");
  }
}

function verifyLock(operation: Operation, inode: Inode): void {
  assert(isNil(inode) || (isObject(CACHE_INODE, changetype<usize>(inode)) && inode.rwsem == operation.number), "operation: another has its lock");
}

function isOperation(number: u32): bool {
  for (let operation = kernel().operations; !isNil(operation); operation = operation.next) if (operation.number == number) return true;
  return false;
}

// --- Strings ----------------------------------------------------------------------------------------------------------

/** Everything that kmalloc() has given (in slabs) hangs on some record, once. */
function verifyStrings(): void {
  let nr: u32 = 0;
  for (let id: u32 = CACHE_KMALLOC_32; id < NR_CACHES; id++) nr += cacheOf(id).nrObjects;
  for (let at = nextObject(CACHE_DENTRY, 0); at; at = nextObject(CACHE_DENTRY, at)) nr -= isString(changetype<Dentry>(at).longName);
  for (let at = nextObject(CACHE_INODE, 0); at; at = nextObject(CACHE_INODE, at)) {
    const inode = changetype<Inode>(at);
    if (inode.state & I_SYMLINK_BODY) nr -= isString(inode.private0);
    if (inode.sb.flags & SB_STACKED) nr -= isString(inode.private2);
    for (let lock = changetype<FileLock>(inode.flocks); !isNil(lock); lock = lock.next) nr -= isString(changetype<usize>(lock));
    for (let xattr = changetype<Xattr>(inode.xattrs); !isNil(xattr); xattr = xattr.next) nr -= isString(changetype<usize>(xattr));
  }
  for (let at = nextObject(CACHE_CRED, 0); at; at = nextObject(CACHE_CRED, at)) nr -= isString(changetype<Cred>(at).groups);
  for (let at = nextObject(CACHE_MOUNT, 0); at; at = nextObject(CACHE_MOUNT, at)) nr -= isString(changetype<Mount>(at).source);
  for (let at = nextObject(CACHE_SUPER_BLOCK, 0); at; at = nextObject(CACHE_SUPER_BLOCK, at)) {
    nr -= isString(changetype<SuperBlock>(at).source);
    if (changetype<SuperBlock>(at).flags & SB_STACKED) nr -= isString(changetype<SuperBlock>(at).private0);
  }
  for (let operation = kernel().operations; !isNil(operation); operation = operation.next) nr -= isString(changetype<usize>(operation));
  nr -= nrMmapRecords();
  assert(nr == 0, "kmalloc: memory in use that no record refers to, or the other way round");
}

/** 1 if kmalloc() took it from a slab. */
function isString(address: usize): u32 {
  return address && pageOf(pfnOf(address)).flags & PG_SLAB ? 1 : 0;
}
