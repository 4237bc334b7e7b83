/**
 * The core's exports, typed. What each does, and its errors, is written at its home in assembly/entry/*.ts.
 *
 * Conventions: `H` a handle, `rc` 0 or a negated errno, `HorErr` a handle or a negated errno. Unsigned results above
 * 2^31 arrive negative: only addresses and checksums can be that large, and are made unsigned where they are read.
 *
 * Does not own: the instance they belong to (core.ts).
 */
import type { DentryHandle, FileHandle, InodeHandle, MountHandle, SuperBlockHandle } from "../base/handles.ts";

type Inode = InodeHandle;
type Dentry = DentryHandle;
type File = FileHandle;
type Mount = MountHandle;

interface MemoryExports {
  boot(maxPfn: number, seed: number): number;
  allocPages(order: number): number;
  freePages(pfn: number, nr: number): void;
  allocBuffer(order: number): number;
  setFailAfter(n: number): void;
  reclaim(): number;
  compactMemory(): number;
  trimMemory(): void;
  dropDentries(): void;
  releaseSlot(): void;
  normalizeMemory(): void;
  checksumBytes(address: number, bytes: number, low: number, high: number): number;
  kmalloc(size: number): number;
  kfree(address: number): void;
}

interface TaskExports {
  credNew(uid: number, gid: number, nrGroups: number): number;
  credGroups(cred: number): number;
  credPut(cred: number): void;
  taskNew(cred: number, umask: number, mnt: Mount, dentry: Dentry): number;
  taskFree(task: number): void;
  setCurrent(task: number): void;
  taskSetCwd(task: number, mnt: Mount, dentry: Dentry): void;
  taskSetRoot(task: number, mnt: Mount, dentry: Dentry): void;
}

interface WalkExports {
  walk(len: number, base: File, flags: number): number;
  walkResume(): number;
  statPath(len: number, flags: number): number;
  statKnown(inode: number, version: number): number;
  statInode(inode: Inode): void;
  permission(inode: Inode, mask: number): number;
  mayCreate(dir: Inode): number;
  mayDelete(dir: Inode, victim: Dentry, wantDir: number): number;
  dPath(mnt: Mount, dentry: Dentry): number;
  isDirectory(inode: Inode): number;
}

interface DcacheExports {
  dAllocLast(): number;
  dAllocLastFile(): number;
  dAllocTwin(dentry: DentryHandle): number;
  dAlloc(parent: Dentry, len: number, flags: number): number;
  dLookup(parent: Dentry, len: number, flags: number): number;
  dget(dentry: Dentry): void;
  dput(dentry: Dentry): void;
  dAdd(dentry: Dentry): void;
  dAddUnlessKnown(dentry: Dentry): number;
  dInstantiate(dentry: Dentry, inode: Inode): void;
  dDrop(dentry: Dentry): void;
  dDelete(dentry: Dentry): void;
  dInvalidate(dentry: Dentry): number;
  dMove(dentry: Dentry, target: Dentry): void;
  dExchange(a: Dentry, b: Dentry): void;
  isSubdir(dentry: Dentry, ancestor: Dentry): number;
  hasChildren(dentry: Dentry): number;
  inodeNew(sb: SuperBlockHandle, mode: number, uid: number, gid: number, nowMs: number): number;
  iget(inode: Inode): void;
  iput(inode: Inode): void;
  touch(inode: Inode, which: number, nowMs: number): void;
  inodeFind(sb: SuperBlockHandle, ino: number, after: number): number;
  inodeNewAt(sb: SuperBlockHandle, ino: number, nowMs: number): number;
  inodeHash(inode: Inode): number;
  inodeUnhash(inode: Inode): void;
  inodeGrab(inode: Inode): void;
  inodeKeep(inode: Inode): void;
  evictUnused(sb: SuperBlockHandle): void;
  evictNext(): number;
  inodeFree(inode: Inode): void;
  shrinkDcache(nr: number): void;
}

interface LibfsExports {
  simpleMknod(dentry: Dentry, mode: number, rdev: number, kind: number, nowMs: number): number;
  simpleSymlink(dentry: Dentry, len: number, flags: number, kind: number, nowMs: number): number;
  simpleLink(inode: Inode, dentry: Dentry, nowMs: number): number;
  simpleUnlink(dentry: Dentry, nowMs: number): void;
  simpleRmdir(dentry: Dentry, nowMs: number): number;
  simpleRemoveTree(dentry: Dentry, nowMs: number): number;
  simpleRename(dentry: Dentry, target: Dentry, nowMs: number): number;
  mkdirPlain(length: number, mode: number): number;
  unlinkPlain(length: number, nowMs: number): number;
  linkPlain(fromLength: number, toLength: number): number;
  renamePlain(fromLength: number, toLength: number, nowMs: number): number;
  simpleExchange(a: Dentry, b: Dentry, nowMs: number): void;
  simpleTmpfile(dir: Dentry, mode: number, kind: number, nowMs: number): number;
  makeRoot(sb: SuperBlockHandle, mode: number, uid: number, gid: number, kind: number, nowMs: number): number;
}

interface FileExports {
  fileOpen(mnt: Mount, dentry: Dentry, flags: number, mode: number): number;
  openPath(len: number, lookup: number, flags: number, mode: number, access: number, perm: number): number;
  openKnown(
    mnt: number,
    dentry: number,
    inode: number,
    version: number,
    flags: number,
    mode: number,
    access: number,
  ): number;
  readPath(len: number, max: number): number;
  readKnown(mnt: number, inode: number, version: number, max: number): number;
  fileGet(file: File): void;
  filePut(file: File): void;
  readBegin(file: File, pos: number, len: number): number;
  readNext(file: File, pos: number, len: number, advance: number): number;
  readInode(inode: Inode, pos: number, len: number): number;
  writeBegin(file: File, pos: number, len: number, nowMs: number, early: number): number;
  mayWrite(file: File): number;
  writeNext(len: number): number;
  writeEnd(n: number): void;
  accessed(file: File): void;
  inodeAccessed(inode: Inode, mntFlags: number): void;
  setSize(inode: Inode, size: number, nowMs: number): number;
  truncate(inode: Inode, size: number, nowMs: number): number;
  punchHole(inode: Inode, start: number, end: number): number;
  zeroRange(inode: Inode, start: number, end: number): number;
  allocateRange(inode: Inode, start: number, end: number): number;
  seekData(inode: Inode, pos: number): number;
  seekHole(inode: Inode, pos: number): number;
  ownPage(inode: Inode, index: number): number;
  copyRange(from: Inode, posFrom: number, to: Inode, posTo: number, len: number): number;
  copyFromUser(inode: Inode, pos: number, src: number, len: number): number;
  copyToUser(inode: Inode, pos: number, dst: number, len: number): number;
  fileRemovePrivileges(inode: Inode): void;
  privilegesToKill(inode: Inode): number;
  flock(file: File, how: number): number;
  readdirSorted(dentry: Dentry): number;
  readdirEnd(dentry: Dentry): void;
  packNames(buffer: number, bytes: number): number;
  readdirNext(file: File, buffer: number, bytes: number, nr: number): number;
}

interface MountExports {
  superNew(typeId: number, flags: number): number;
  superFree(sb: SuperBlockHandle): void;
  superShrinkUnused(sb: SuperBlockHandle): void;
  mountNew(sb: SuperBlockHandle, root: Dentry, flags: number): number;
  mountAttach(mnt: Mount, parent: Mount, mountpoint: Dentry): void;
  mountDetach(mnt: Mount): void;
  mountGet(mnt: Mount): void;
  mountPut(mnt: Mount): void;
  setRootMount(mnt: Mount): void;
  mountLookup(parent: Mount, dentry: Dentry): number;
  walkFollowMounts(): number;
  superFirst(): number;
  superNext(sb: SuperBlockHandle): number;
  superShrink(sb: SuperBlockHandle): void;
  superPut(sb: SuperBlockHandle): void;
  superDying(): number;
  thawSupers(): void;
  mountFirst(): number;
  mountNext(mnt: Mount): number;
}

interface OperationExports {
  operationInTheWay(dir: Dentry, dentry: Dentry, otherDir: Dentry, otherDentry: Dentry, inode: Inode): number;
  operationBegin(
    mnt: Mount,
    dir: Dentry,
    dentry: Dentry,
    otherDir: Dentry,
    otherDentry: Dentry,
    inode: Inode,
    file: File,
  ): number;
  operationEnd(operation: number): void;
}

interface PageCacheExports {
  findPage(inode: Inode, index: number): number;
  findOrCreatePage(inode: Inode, index: number): number;
  addToPageCache(inode: Inode, index: number, pfn: number): number;
  setMappingClass(inode: Inode, flags: number): void;
  removeFromPageCache(inode: Inode, index: number): number;
  putPage(pfn: number): void;
  getPage(pfn: number): void;
  setPageDirty(pfn: number): number;
  clearPageDirty(pfn: number): number;
  startPageWriteback(pfn: number): void;
  findPages(inode: Inode, start: number, last: number, mark: number, to: number, nr: number): number;
  indexLoad(inode: Inode, index: number): number;
  indexStore(inode: Inode, index: number, entry: number): number;
  indexErase(inode: Inode, index: number): number;
  indexSetMark(inode: Inode, index: number, mark: number): void;
  indexClearMark(inode: Inode, index: number, mark: number): void;
  indexGetMark(inode: Inode, index: number, mark: number): number;
  indexMarked(inode: Inode, mark: number): number;
  indexFind(inode: Inode, start: number, last: number, mark: number): number;
  indexTag(inode: Inode, start: number, last: number, from: number, mark: number): number;
  markPageAccessed(pfn: number): void;
  activatePage(pfn: number): void;
  deactivatePage(pfn: number): void;
  isolatePage(pfn: number): number;
  putbackPage(pfn: number): void;
  rotatePage(pfn: number): void;
  tryLockPage(pfn: number): number;
  unlockPage(pfn: number): void;
  endPageWriteback(pfn: number): void;
  waitOnPage(pfn: number): number;
  finishWait(pfn: number): void;
  wakeSequence(pfn: number): number;
  errseqSet(value: number, errno: number): number;
  errseqSample(value: number): number;
  errseqCheck(value: number, since: number): number;
  errseqMarkSeen(value: number): number;
}

interface ReadaheadExports {
  readCheck(file: File): number;
  readyRun(inode: Inode, index: number, nr: number, again: number): number;
  startRead(inode: Inode, index: number, nr: number): number;
  endRead(pfn: number, nr: number): void;
  failRead(pfn: number, nr: number): void;
  setReadahead(pfn: number): void;
  lockedPage(inode: Inode, index: number): number;
}

interface DebugExports {
  /** 1 in the debug build. */
  isDebug(): number;
  /** Walks all of memory and checks every invariant. @returns 0; a broken one aborts with its description */
  verify?(): number;
}

/** All exports of the core. */
export interface CoreExports
  extends MemoryExports,
    TaskExports,
    WalkExports,
    DcacheExports,
    LibfsExports,
    FileExports,
    MountExports,
    OperationExports,
    PageCacheExports,
    ReadaheadExports,
    DebugExports {}
