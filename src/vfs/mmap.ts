/**
 * mmap(2) and its kin: who may map what, what a mapping holds, and its end.
 *
 *   mmap() ─► VmArea: a record in memory with a reference to the open file (mm/vm-area.ts) ─► munmap(), exit, or the kernel's end
 *
 * A mapping outlives close() and unlink(), and keeps its mount busy. It is its task's, and no snapshot has it.
 *
 * Part of what file systems with a store bring with them, also where files in memory are mapped.
 *
 * Does not own: pages (mm/memory.ts), what programs see of a mapping (node/mapping.ts).
 *
 * @see Linux mm/mmap.c do_mmap(), mm/msync.c, mm/mlock.c
 */
import {
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  EFAULT,
  EINVAL,
  EIO,
  EISDIR,
  ENODEV,
  ENOMEM,
  ENOSPC,
  EOPNOTSUPP,
  EOVERFLOW,
  EPERM,
} from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import {
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MAP_TYPE,
  MS_ASYNC,
  MS_INVALIDATE,
  MS_SYNC,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from "../base/mman.ts";
import { S_IFREG } from "../base/stat-flags.ts";
import { TRY_AGAIN } from "../mm/address-space.ts";
import { accountLocked } from "../mm/gup.ts";
import { dropArea, handleMmFault, lockEntry, unlockEntry, unmapMappingRange } from "../mm/memory.ts";
import { LAST_INDEX } from "../mm/page-state.ts";
import { isShared } from "../mm/shared-frames.ts";
import { MAX_AREA_PAGES, VmArea, vmAreas } from "../mm/vm-area.ts";
import type { VmFault, VmOperations } from "../mm/vm-operations.ts";
import { RESULT } from "../wasm/core.ts";
import {
  FILE_MODE,
  FMODE_READ,
  FMODE_WRITE,
  I_APPEND,
  INODE_SIZE,
  INODE_STATE,
  MNT_NOEXEC,
  MOUNT_FLAGS,
  PAGE_SIZE,
  PTE_LOCKED,
  RESULT_EXTRA,
  SB_FILE,
  SB_NOEXEC,
  TOUCH_CTIME,
  TOUCH_MTIME,
  VM_EXEC,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  XA_SWAP,
} from "../wasm/layout.ts";
import { fdget, hasNoStore, inodeOfFile, mountOfFile, typeOf } from "./attr.ts";
import { dropFile, holdFile } from "./drop-file.ts";
import type { Kernel } from "./kernel.ts";
import { fileOperationsOf } from "./special-file.ts";
import type { Task } from "./task.ts";
import { wantWriteInode } from "./want-write.ts";

/** What mmap() is asked for. */
export interface MmapRequest {
  /** First byte in the file: a multiple of the page size. */
  readonly offset: number;
  /** Bytes, at least 1; undefined = as many as the file has from there on. */
  readonly length: number | undefined;
  /** Union of PROT_*. */
  readonly prot: number;
  /** MAP_SHARED, MAP_PRIVATE or MAP_SHARED_VALIDATE, and MAP_LOCKED, MAP_POPULATE, MAP_NORESERVE. */
  readonly flags: number;
}

/** A mapping, and what its file system does for its pages. */
export interface Mapped {
  readonly area: VmArea;
  readonly operations: VmOperations;
  /** Bytes. */
  readonly length: number;
}

const KNOWN_FLAGS = MAP_TYPE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE;

/**
 * Maps a part of an open file. MAP_FIXED, MAP_ANONYMOUS and others that speak of addresses have no meaning here: EOPNOTSUPP.
 *
 * @returns the mapping; in this order -EINVAL (offset is no multiple of the page size), -EBADF, -EINVAL (no length), -ENOMEM
 *   (longer than 4 GiB), -EOVERFLOW (it ends behind the last page that a file may have), -EAGAIN (MAP_LOCKED: more than may be locked),
 *   -EINVAL (neither shared nor private), -EOPNOTSUPP (flags), -EACCES (the descriptor's access mode, or an append-only file), -EPERM (PROT_EXEC
 *   on a noexec mount), -ENODEV (what cannot be mapped), what the file system answers (-ENOEXEC where it cannot read pages), -ENOMEM
 * @see POSIX.1-2024 mmap(); Linux mm/mmap.c do_mmap()
 */
export function mmap(task: Task, fd: number, request: MmapRequest): Mapped | number {
  const { kernel } = task;
  const { offset, prot, flags } = request;
  task.enter();
  if (offset % PAGE_SIZE !== 0 || offset < 0) return -EINVAL;
  const opened = fdget(task, fd);
  if (!opened) return task.files.missing(fd);
  const file = mappedFile(task, fd, opened);
  if (file < 0) return file;
  const inode = inodeOfFile(kernel.core, file);
  const length = request.length ?? kernel.core.f64[(inode << 2) + INODE_SIZE] - offset;
  if (length <= 0) return -EINVAL;
  const nrPages = Math.ceil(length / PAGE_SIZE);
  const pgoff = offset / PAGE_SIZE;
  if (nrPages > MAX_AREA_PAGES) return -ENOMEM;
  if (pgoff + nrPages - 1 > LAST_INDEX) return -EOVERFLOW;
  const refused = (flags & MAP_LOCKED && mayLock(kernel, nrPages)) || mayMap(kernel, opened, prot, flags);
  if (refused < 0) return refused;
  const operations = vmOperations(
    task,
    fd,
    file,
    file === opened,
    (flags & MAP_TYPE) !== MAP_PRIVATE && (prot & PROT_WRITE) !== 0,
  );
  if (typeof operations === "number") return operations;
  const made = { file, inode, task: task.handle, flags: areaFlags(prot, flags), pgoff, nrPages };
  const area = create(kernel, made);
  if (area === undefined) return -ENOMEM;
  holdFile(kernel, file);
  kernel.core.x.accessed(opened);
  const mapped = { area, operations, length };
  if (flags & (MAP_LOCKED | MAP_POPULATE)) populate(kernel, mapped, (flags & MAP_LOCKED) !== 0);
  return mapped;
}

/** Brings pages in, as far as that can be done at once: nobody is told where it ends. @see Linux mm_populate() */
function populate(kernel: Kernel, mapped: Mapped, isLocked: boolean): void {
  const { area } = mapped;
  const isWrite = (area.flags & (VM_SHARED | VM_WRITE)) === VM_WRITE;
  for (let i = 0; i < area.nrPages; i++) {
    const rc = isLocked ? lockPage(kernel, mapped, i, isWrite) : faultPage(kernel, mapped, i, isWrite);
    if (rc < 0) return;
  }
}

function create(kernel: Kernel, made: Parameters<typeof VmArea.create>[1]): VmArea | undefined {
  const area = VmArea.create(kernel.core, made);
  return area === undefined && kernel.room(-ENOMEM) === TRY_AGAIN ? create(kernel, made) : area;
}

function areaFlags(prot: number, flags: number): number {
  const shared = (flags & MAP_TYPE) === MAP_PRIVATE ? 0 : VM_SHARED;
  const read = prot & PROT_READ ? VM_READ : 0;
  const write = prot & PROT_WRITE ? VM_WRITE : 0;
  return shared | read | write | (prot & PROT_EXEC ? VM_EXEC : 0);
}

/** @returns 0; -EAGAIN */
function mayLock({ core }: Kernel, nrPages: number): number {
  if (accountLocked(core, nrPages) < 0) return -EAGAIN;
  accountLocked(core, -nrPages);
  return 0;
}

/** What the open file lets its descriptors be mapped for. */
function mayMap(kernel: Kernel, file: FileHandle, prot: number, flags: number): number {
  const { core } = kernel;
  const type = flags & MAP_TYPE;
  if (type !== MAP_SHARED && type !== MAP_PRIVATE && type !== MAP_SHARED_VALIDATE) return -EINVAL;
  if (flags & ~KNOWN_FLAGS) return -EOPNOTSUPP;
  const mode = core.u32[(file << 3) + FILE_MODE];
  const inode = inodeOfFile(core, file);
  if (type !== MAP_PRIVATE) {
    if (prot & PROT_WRITE && !(mode & FMODE_WRITE)) return -EACCES;
    if (mode & FMODE_WRITE && core.u32[(inode << 3) + INODE_STATE] & I_APPEND) return -EACCES;
  }
  if (!(mode & FMODE_READ)) return -EACCES;
  const isNoExec =
    (core.u32[(mountOfFile(core, file) << 3) + MOUNT_FLAGS] & MNT_NOEXEC) !== 0 ||
    (sbFlags(kernel, inode) & SB_NOEXEC) !== 0;
  return prot & PROT_EXEC && isNoExec ? -EPERM : 0;
}

function sbFlags(kernel: Kernel, inode: InodeHandle): number {
  return kernel.sbOf(inode).flags;
}

/** The file whose pages an open file has: another's, where it stands on one. @returns or a negated errno */
function mappedFile(task: Task, fd: number, file: FileHandle): FileHandle {
  return (task.files.operations[fd]?.realFile?.(task.kernel, file) ?? file) as FileHandle;
}

/** How pages of an open file are come to: as its file system says, or as memory does. */
function vmOperations(
  task: Task,
  fd: number,
  file: FileHandle,
  isOpened: boolean,
  isWritten: boolean,
): VmOperations | number {
  const { kernel } = task;
  const operations = isOpened ? task.files.operations[fd] : fileOperationsOf(kernel, inodeOfFile(kernel.core, file));
  if (operations?.mmap !== undefined) return operations.mmap(kernel, file, isWritten);
  const inode = inodeOfFile(kernel.core, file);
  const isRegular = operations?.read !== undefined && typeOf(kernel.core, inode) === S_IFREG;
  // Read by the core: to compare the operation with genericFileRead() would be to ask which entry it is from.
  const isPlain = hasNoStore(kernel.core, inode) && !(sbFlags(kernel, inode) & SB_FILE);
  return isRegular && isPlain ? shmemVmOperations : -ENODEV;
}

// --- Files in memory ----------------------------------------------------------------------------------------------------

/** A hole gets a page of zeros, also where it is read, and that counts against the limits of its file system. @see Linux mm/shmem.c shmem_fault() */
function shmemFault(kernel: Kernel, { file, inode, index }: VmFault): number {
  const { core } = kernel;
  const { x } = core;
  for (let isBack = false; ; ) {
    const pfn = x.findPage(inode, index);
    if (pfn !== 0) return pfn;
    const isSwapped = (x.indexLoad(inode, index) & XA_SWAP) === XA_SWAP;
    if (isSwapped && isBack) return -EIO;
    isBack = isSwapped;
    const rc = isSwapped ? swapIn(kernel, file, index) : addZeros(kernel, inode, index);
    if (rc < 0) return rc;
  }
}

/** Reads know how pages come back from a swap area. */
function swapIn(kernel: Kernel, file: FileHandle, index: number): number {
  const { read } = kernel.tableOf(inodeOfFile(kernel.core, file)).file;
  return Math.min(0, read?.(kernel, file, new Uint8Array(1), 0, 1, index * PAGE_SIZE) ?? -EFAULT);
}

function addZeros(kernel: Kernel, inode: InodeHandle, index: number): number {
  const { core } = kernel;
  if (core.x.startRead(inode, index, 1) === 1) {
    const pfn = core.f64[RESULT + RESULT_EXTRA];
    core.u8.fill(0, pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
    core.x.endRead(pfn, 1);
    core.x.setPageDirty(pfn); // as all pages that lie in memory alone
    return 0;
  }
  const rc = kernel.room(-ENOSPC);
  return rc === TRY_AGAIN ? 0 : rc;
}

/**
 * Makes a page of a file in memory one that no other file has: it is about to be written to, or pinned.
 *
 * @returns its frame; 0 = there is none; -ENOSPC; -EAGAIN with a token
 */
export function ownPage(kernel: Kernel, inode: InodeHandle, index: number): number {
  for (;;) {
    const pfn = kernel.core.x.ownPage(inode, index);
    const room = pfn < 0 ? kernel.room(pfn) : pfn;
    if (room !== TRY_AGAIN) return room;
  }
}

/** Times change where a mapping comes to write to a page, as on Linux, which does that for all file systems. @see Linux fault_dirty_shared_page() */
const shmemVmOperations: VmOperations = {
  fault: (cache, fault) => shmemFault(cache.owner as Kernel, fault),
  pageMkwrite: (cache, { inode, index }) => {
    const kernel = cache.owner as Kernel;
    const own = ownPage(kernel, inode, index);
    if (own < 0) return own;
    kernel.core.x.touch(inode, TOUCH_MTIME | TOUCH_CTIME, kernel.now());
    return 0;
  },
  mapPages: true,
};

// --- What is done to a mapping ------------------------------------------------------------------------------------------

/**
 * Finds the page of a mapping for a load or a store, which its protection allows.
 *
 * @returns its frame; -EAGAIN with a token, also for a store while the file system is frozen; as VmOperations
 */
export function faultPage(kernel: Kernel, { area, operations }: Mapped, i: number, isWrite: boolean): number {
  const frozen = isWrite && area.flags & VM_SHARED ? wantWriteInode(kernel, area.inode) : 0;
  return frozen || handleMmFault(kernel, operations, area, i, isWrite);
}

/** Ends a mapping. What has views of its pages keeps these. */
export function munmap(kernel: Kernel, area: VmArea): void {
  const { file } = area;
  dropArea(area);
  dropFile(kernel, file);
}

/**
 * Writes back what has been written to a part of a mapping.
 *
 * @param first and `end`: bytes of the mapping
 * @returns 0; -EINVAL (flags that are not known, or both MS_ASYNC and MS_SYNC; `first` is no multiple of the page size); -ENOMEM (not all
 *   of it is mapped); -EBUSY (MS_INVALIDATE of locked pages); -EAGAIN with a token; as fsync()
 * @see POSIX.1-2024 msync(); Linux mm/msync.c
 */
export function msync(kernel: Kernel, { area }: Mapped, first: number, end: number, flags: number): number {
  if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || (flags & MS_ASYNC && flags & MS_SYNC)) return -EINVAL;
  if (first % PAGE_SIZE !== 0 || first < 0) return -EINVAL;
  if (end > area.nrPages * PAGE_SIZE) return -ENOMEM;
  if (end <= first) return 0;
  if (flags & MS_INVALIDATE && hasLocked(area, first, end)) return -EBUSY;
  if (!(flags & MS_SYNC) || !(area.flags & VM_SHARED)) return 0;
  const { fsync } = kernel.tableOf(area.inode).file;
  const start = area.pgoff * PAGE_SIZE;
  const last = start + Math.ceil(end / PAGE_SIZE) * PAGE_SIZE - 1;
  return fsync?.(kernel, area.file, true, start + first, last) ?? -EINVAL;
}

function pagesOf(first: number, end: number): [first: number, last: number] {
  return [Math.floor(first / PAGE_SIZE), Math.ceil(end / PAGE_SIZE) - 1];
}

function hasLocked(area: VmArea, first: number, end: number): boolean {
  for (const i of area.entries(...pagesOf(first, end))) if (area.pte(i) & PTE_LOCKED) return true;
  return false;
}

/**
 * Brings pages of a mapping into memory, and keeps them there. Of a private mapping that may be written to they are copies.
 * What fails changes nothing (Linux leaves pages locked).
 *
 * @param first and `end`: bytes of the mapping
 * @param from page to go on with; where it stops is in `progress`
 * @returns 0; -ENOMEM (not all of it is mapped, or not within the file; no room in its file system; more than may be locked); -EAGAIN with a token, or without (no
 *   memory); what the store answers
 * @see POSIX.1-2024 mlock(); Linux mm/mlock.c
 */
export function mlock(kernel: Kernel, mapped: Mapped, first: number, end: number): number {
  const { area } = mapped;
  if (first < 0 || end > area.nrPages * PAGE_SIZE) return -ENOMEM;
  if (end <= first) return 0;
  const [from, last] = pagesOf(first, end);
  const isWrite = (area.flags & (VM_SHARED | VM_WRITE)) === VM_WRITE;
  const fresh: number[] = [];
  for (let i = from; i <= last; i++) {
    const isLocked = (area.pte(i) & PTE_LOCKED) !== 0;
    const rc = lockPage(kernel, mapped, i, isWrite);
    if (rc < 0) {
      for (const page of fresh) unlock(area, page);
      return rc;
    }
    if (!isLocked) fresh.push(i);
  }
  return 0;
}

/** Brings a page in and locks it: one that is locked may have been cut since. */
function lockPage(kernel: Kernel, mapped: Mapped, i: number, isWrite: boolean): number {
  const { area } = mapped;
  const found = faultPinnable(kernel, mapped, i, isWrite);
  if (found < 0) return mlockErrno(found);
  if (area.pte(i) & PTE_LOCKED) return 0;
  const counted = accountLocked(kernel.core, 1);
  if (counted < 0) return counted;
  const rc = lockEntry(area, i);
  if (rc < 0) accountLocked(kernel.core, -1);
  return mlockErrno(rc);
}

/** As faultPage(), for who pins the frame: it is to stay the file's when somebody writes. @see Linux FAULT_FLAG_UNSHARE */
export function faultPinnable(kernel: Kernel, mapped: Mapped, i: number, isWrite: boolean): number {
  const { area } = mapped;
  const found = faultPage(kernel, mapped, i, isWrite);
  if (found < 0 || !isShared(kernel.core, found)) return found;
  const own = ownPage(kernel, area.inode, area.pgoff + i);
  return own < 0 ? own : faultPage(kernel, mapped, i, isWrite);
}

/** What has no room in its file system is a fault that is a signal elsewhere. @see Linux mm/mlock.c __mlock_posix_error_return() */
function mlockErrno(rc: number): number {
  return rc === -EFAULT || rc === -ENOSPC ? -ENOMEM : rc === -ENOMEM ? -EAGAIN : rc;
}

function unlock(area: VmArea, i: number): void {
  unlockEntry(area, i);
  accountLocked(area.core, -1);
}

/** Undoes mlock(). @returns 0; -ENOMEM (not all of it is mapped) */
export function munlock({ area }: Mapped, first: number, end: number): number {
  if (first < 0 || end > area.nrPages * PAGE_SIZE) return -ENOMEM;
  if (end <= first) return 0;
  for (const i of area.entries(...pagesOf(first, end))) if (area.pte(i) & PTE_LOCKED) unlock(area, i);
  return 0;
}

// --- What happens to files, tasks and copies of memory --------------------------------------------------------------------

/** The size of a file has been set: private copies of what lies behind its end go, and pages that were locked there. */
export function truncated(kernel: Kernel, inode: InodeHandle): void {
  const { core } = kernel;
  unmapMappingRange(core, inode, Math.ceil(core.f64[(inode << 2) + INODE_SIZE] / PAGE_SIZE), LAST_INDEX);
}

/** A task ends, and its mappings with it. @see Linux mm/mmap.c exit_mmap() */
export function exitMmap({ kernel, handle }: Task): void {
  for (const area of vmAreas(kernel.core)) if (area.task === handle) munmap(kernel, area);
}

/**
 * May an open file be looked at by its pages, and how?
 *
 * @returns -EBADF (it cannot be read); -EISDIR; as mmap()
 */
export function viewable(task: Task, fd: number): { file: FileHandle; operations: VmOperations } | number {
  const { core } = task.kernel;
  task.enter();
  const opened = fdget(task, fd);
  if (!opened) return task.files.missing(fd);
  if (!(core.u32[(opened << 3) + FILE_MODE] & FMODE_READ)) return -EBADF;
  if (core.x.isDirectory(inodeOfFile(core, opened))) return -EISDIR;
  const file = mappedFile(task, fd, opened);
  if (file < 0) return file;
  const operations = vmOperations(task, fd, file, file === opened, false);
  return typeof operations === "number" ? operations : { file, operations };
}
