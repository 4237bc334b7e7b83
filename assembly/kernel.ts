// The kernel block and the owner slot: the two places whose address is known.
//
//   0x0000  page descriptors of section 0 (the first 14 describe reserved frames)
//   0x8000  kernel block: class Kernel, then the arrays that abi.ts places (KERNEL_*)
//   0xa000  owner slot 0: class Slot, result block, link stack, last directory, path buffers A and B, scratch
//   0xe000  first frame for the allocator
//
// Everything else is found from here. There is no mutable global: a second instance over the same memory sees the same
// world. What belongs to an instance lies in its slot, whose address is the imported constant `self`.
import { KERNEL_BLOCK, KERNEL_SLOTS, KERNEL_VMSTAT, SLOT_LAST_DIR, SLOT_PATH_A, SLOT_PATH_B, SLOT_RESULT, SLOT_SCRATCH } from "./abi";
import { Dentry } from "./fs/dentry";
import { Cred, Task } from "./fs/task";
import { Inode } from "./fs/inode";
import { File } from "./fs/file";
import { PagePin, VmArea } from "./fs/mmap";
import { Mount } from "./fs/mount";
import { Operation } from "./fs/operation";
import { SuperBlock } from "./fs/super";

// @ts-ignore: decorator
@external("env", "self") declare const self: usize;
// @ts-ignore: decorator
@external("env", "now") export declare function hostNow(): f64; // milliseconds since the epoch

/** What is global: one per memory, at KERNEL_BLOCK. */
// @ts-ignore: decorator
@unmanaged export class Kernel {
  magic: u32; // LAYOUT_MAGIC once booted
  layoutVersion: u32; // LAYOUT_VERSION
  gate: u32; // lock word of the kernel-wide gate (shared build)
  zoneLock: u32; // protects the frame allocator
  dcacheLock: u32; // protects the dentry hash and the lists of unused dentries
  endPfn: u32; // frames below this are online: described and given to the allocator
  maxPfn: u32; // memory limit in frames
  nrFree: u32; // free frames, single ones included
  pcpHead: u32; // pfn, list of free single frames
  pcpCount: u32;
  failAfter: u32; // fault injection: 0 = off, n = the nth allocation from now fails, and all after it
  hashMask: u32; // 2^k - 1 with 2^k >= nrBuckets
  nrBuckets: u32;
  nrHashed: u32;
  hashSeed: u32;
  nrDentries: u32;
  nrNegative: u32;
  maxNegative: u32; // cap on unused negative dentries
  negativeHead: Dentry; // most recently used
  negativeTail: Dentry;
  nrUnused: u32; // positive dentries that nobody holds, whose names can be asked for again
  maxUnused: u32; // none: they go when memory runs out
  unusedHead: Dentry; // most recently used
  unusedTail: Dentry;
  nrInodes: u32;
  superBlocks: SuperBlock; // list
  mounts: Mount; // list
  rootMount: Mount;
  nextMountId: u32;
  nextDev: u32;
  nextGeneration: u32;
  nrFiles: u32;
  mountVersion: u32; // changes with the mount tree
  pathVersion: u32; // changes when a directory's path may lead elsewhere: names taken, mounts, permissions
  goneVersion: u32; // changes with every name taken from something else than a directory
  nameVersion: u32; // changes with every new name
  nrDirty: u32; // pages that wait to be written to a backing store
  nextCookie: f64; // directory position of the next name
  coarseMs: f64; // the clock as last read, milliseconds since the epoch
  touchMs: f64; // the time last given to an inode, milliseconds since the epoch
  touchSec: f64; // the same in seconds
  touchNsec: u32; // and nanoseconds
  inodeHash: usize; // directory page of the inode cache, 0 = there is none (inode-hash.ts)
  inodeHashMask: u32; // 2^k - 1 with 2^k >= nrInodeBuckets
  nrInodeBuckets: u32;
  nrHashedInodes: u32;
  nrUnusedInodes: u32; // inodes known by number that nobody names
  unusedInodeHead: Inode; // most recently used
  unusedInodeTail: Inode;
  operations: Operation; // list of those that wait for a store
  lastOperation: u32; // number of the newest
  nrShadowNodes: u32; // leaves of page indexes that hold nothing but shadows
  evictionAge: u32; // pages that have left the inactive lists, modulo 2^29: what shadows say
  indexVersion: u32; // changes when reclaim takes entries or nodes from page indexes
  vfsCachePressure: u32; // percent: how readily names and inodes go, beside pages (Linux sysctl_vfs_cache_pressure)
  minFree: u32; // frames that only who frees others may use (Linux min_free_kbytes); 0 until memory has its limit
  nrReserved: u32; // pages that fallocate() has promised, and that nobody has written yet
  nrFresh: u32; // free frames that have held nothing yet, as far as blocks tell: the host has not mapped them
  recordPfn: u32; // no frame below is free, nor holds a page that could move: records go here next (mm/record-frames.ts)
  compactConsidered: u32; // compactions that were not made since one was of no use (Linux compact_considered)
  compactDeferShift: u32; // 2^so many are not made after it
  compactOrderFailed: u32; // for blocks as large as the one that was not to be had, or larger: its order
  nrPoisoned: u32; // frames that are broken, and nobody's any more (Linux num_poisoned_pages)
  nrPinned: u32; // frames that views have pinned, and pages that mlock() has locked
  maxPinned: u32; // limit on those, pages (Linux RLIMIT_MEMLOCK, for all together); 0 = half of maxPfn
  nrSwapPages: u32; // free slots of swap areas that pages may go to
  totalSwapPages: u32; // slots of all swap areas
}

/** What belongs to one instance. */
// @ts-ignore: decorator
@unmanaged export class Slot {
  number: u32;
  flags: u32; // SLOT_*
  current: Task; // the task whose call is being served
  files: File; // list of open files this slot holds
  tasks: Task; // list
  evicting: Inode; // list of inodes waiting for evictInode
  xaIndex: u32; // index of the entry that xaFind() found
  // Path walk (Linux struct nameidata)
  ndFlags: u32;
  ndMount: Mount;
  ndDentry: Dentry; // where the walk stands; the result at its end, 0 = missing
  ndParent: Dentry; // directory of the last component
  ndParentMount: Mount;
  ndNext: usize; // address of the next byte of the path
  ndDepth: u32; // saved positions on the link stack
  ndLinks: u32; // symbolic links followed
  ndLast: usize; // last component: address
  ndLastLen: u32;
  ndLastType: u32;
  ndTrailing: u32; // 1 = slashes follow the last component
  ndHash: u32; // of the last component looked up
  ndPath: usize; // address of the path, 0 = it is relative
  ndRepeats: u32; // 1 = as long as the versions stay, the same walk ends in the same way and leaves no trace
  // What TypeScript answered to a handover; consumed when the walk goes on
  ndPermitted: Inode;
  ndSupplied: Dentry;
  ndCandidate: Dentry; // the dentry that revalidate is asked about
  ndRevalidated: Dentry;
  ndLinkBody: usize;
  dying: SuperBlock; // super blocks that have lost their last user: to be shut down
  spareFile: File; // for the next open, all zeros; nil = there is none
  // The piece of a read or write under way (Linux struct kiocb)
  ioFile: File;
  ioPos: f64;
  ioAdvance: u32; // 1 = the file's own position moves
  readCount: u32; // reads so far; every 256th looks at the clock
  dirNext: Dentry; // directory packing: the next entry
  ndLinkInode: Inode; // whose link body ndLinkBody is
  // Where the walk to the last name of an absolute path stood, with the bytes before the name at SLOT_LAST_DIR
  lastDirLen: u32; // bytes, 0 = nowhere yet
  lastDirVersion: u32; // pathVersion for which it is true
  lastDirMount: Mount;
  lastDirDentry: Dentry;
  mmaps: VmArea; // list of mappings this slot holds
  pins: PagePin; // list of frames of this slot that views have pinned
  stripped: Inode; // which has lost set-ID bits to a write of late: who watches it is to be told
}

/** The kernel block. */
// @ts-ignore: decorator
@inline export function kernel(): Kernel {
  return changetype<Kernel>(KERNEL_BLOCK);
}

/** This instance's owner slot. */
// @ts-ignore: decorator
@inline export function slot(): Slot {
  return changetype<Slot>(self);
}

/** Owner slot of a number, nil = there is none. */
export function ownerSlot(number: u32): Slot {
  return changetype<Slot>(<usize>load<u32>(KERNEL_BLOCK + KERNEL_SLOTS + (<usize>number << 2)));
}

/** The task whose call is being served. */
// @ts-ignore: decorator
@inline export function current(): Task {
  return slot().current;
}

/** Credentials of the task whose call is being served. */
// @ts-ignore: decorator
@inline export function currentCred(): Cred {
  return slot().current.cred;
}

/** Address of path buffer A: PATH_MAX bytes, and 16 for a terminator. */
// @ts-ignore: decorator
@inline export function pathA(): usize {
  return self + SLOT_PATH_A;
}

/** Address of path buffer B: PATH_MAX bytes, and 16 for a terminator. */
// @ts-ignore: decorator
@inline export function pathB(): usize {
  return self + SLOT_PATH_B;
}

/** Address of the slot's scratch area, SLOT_SCRATCH_BYTES bytes. */
// @ts-ignore: decorator
@inline export function scratch(): usize {
  return self + SLOT_SCRATCH;
}

/** Address of the path of the slot's last directory, SLOT_LAST_DIR_BYTES bytes and 8 more. */
// @ts-ignore: decorator
@inline export function lastDir(): usize {
  return self + SLOT_LAST_DIR;
}

/** Leaves a number for JavaScript in the result block. */
// @ts-ignore: decorator
@inline export function setResult(index: u32, value: f64): void {
  store<f64>(self + SLOT_RESULT + (<usize>index << 3), value);
}

/** Counts an event (VM_*). */
export function countEvent(event: u32): void {
  const at: usize = KERNEL_BLOCK + KERNEL_VMSTAT + (<usize>event << 3);
  store<f64>(at, load<f64>(at) + 1);
}

/** Counts an event several times. */
export function countEvents(event: u32, nr: u32): void {
  const at: usize = KERNEL_BLOCK + KERNEL_VMSTAT + (<usize>event << 3);
  store<f64>(at, load<f64>(at) + <f64>nr);
}

/** Handle of a record: its address >> 5; 0 for nil. */
// @ts-ignore: decorator
@inline export function handle<T>(record: T): i32 {
  return <i32>(changetype<usize>(record) >> 5);
}

/** Record of a handle; nil for 0. */
// @ts-ignore: decorator
@inline export function deref<T>(h: u32): T {
  return changetype<T>(<usize>h << 5);
}

/** No record: address 0. */
// @ts-ignore: decorator
@inline export function nil<T>(): T {
  return changetype<T>(0);
}

/** True for no record. */
// @ts-ignore: decorator
@inline export function isNil<T>(record: T): bool {
  return changetype<usize>(record) == 0;
}
