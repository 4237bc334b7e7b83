/**
 * What administrators and file systems with a store do to a kernel beside what `fs.kernel` has: freezing by path, mounts in no
 * place, the accounts of tasks. Functions of an entry of their own (store.ts), since programs in memory need none of it.
 *
 * All of it is for root, and for the first task's face: they ask kernel.taskOf() for the task.
 *
 * Does not own: what is done (vfs/).
 */
import type { MountHandle } from "./base/handles.ts";
import type { FolioFs, FolioKernel } from "./index-kernel.ts";
import { limitPinned, nrPinned } from "./mm/gup.ts";
import { type MmCounts, mmCounts } from "./mm/memory.ts";
import * as failure from "./mm/memory-failure.ts";
import type { SwapDevice } from "./mm/swap-device.ts";
import { swapIfAny } from "./mm/swap-state.ts";
import { toPath } from "./node/paths.ts";
import { uvException } from "./node/uv-errors.ts";
import { checkInteger } from "./node/validators.ts";
import type { FileSystemType } from "./vfs/fs-type.ts";
import * as byPath from "./vfs/fsfreeze.ts";
import * as mounts from "./vfs/kern-mount.ts";
import type { Path } from "./vfs/syscalls.ts";
import * as accounts from "./vfs/task-io.ts";
import { PAGE_SIZE } from "./wasm/layout.ts";

/** What statfs(2) tells of a file system, sizes in blocks of `bsize` (`bfree`, ...) bytes. */
export interface StatFsInfo {
  type: number;
  bsize: number;
  frsize: number;
  blocks: number;
  bfree: number;
  bavail: number;
  files: number;
  ffree: number;
  /** Two numbers that together differ from those of all other file systems. */
  fsid: [number, number];
  /** Longest name, bytes. */
  namelen: number;
  /** Union of ST_*: how it is mounted where the path has come to it. */
  flags: number;
}

function statfsInfo(values: Float64Array): StatFsInfo {
  const [type, bsize, blocks, bfree, bavail, files, ffree, namelen, fsid0, fsid1, frsize, flags] = values;
  return { type, bsize, frsize, blocks, bfree, bavail, files, ffree, fsid: [fsid0, fsid1], namelen, flags };
}

function check(rc: number, syscall: string, path?: Path): void {
  if (rc < 0) throw uvException(rc, syscall, path);
}

/**
 * Holds a file system still: what is dirty is written, and who would change it waits until thaw(): callback and promise
 * calls do, synchronous ones throw EAGAIN. `path` is any on it.
 *
 * @throws ENOENT ...; EPERM; EOPNOTSUPP where its type has no freezeFs, as ramfs; EBUSY when it is frozen; EAGAIN while
 *   calls are under way, or its store is asynchronous; what freezeFs() answers
 */
export function freeze(kernel: FolioKernel, path: Path): void {
  const checked = toPath(path, "path");
  const task = kernel.taskOf();
  check(byPath.freeze(task, task.fromCwd(checked)), "fsfreeze", checked);
}

/** As freeze(), but waits for calls that are under way, and for the store. New ones are held up at once. */
export async function freezeAsync(kernel: FolioKernel, path: Path): Promise<void> {
  const checked = toPath(path, "path");
  const task = kernel.taskOf();
  check(await byPath.freezeAsync(task, task.fromCwd(checked)), "fsfreeze", checked);
}

/** Lets all who wait go on. @throws ENOENT ...; EPERM; EINVAL when it is not frozen; what unfreezeFs() answers */
export function thaw(kernel: FolioKernel, path: Path): void {
  const checked = toPath(path, "path");
  const task = kernel.taskOf();
  check(byPath.thaw(task, task.fromCwd(checked)), "fsthaw", checked);
}

/**
 * Mounts a registered type in no place, those too that users cannot mount: for file systems and tools, which reach it by
 * kernel.vfs.rootOf(). No snapshot has it.
 *
 * @throws EPERM, ENODEV, EINVAL, ENOMEM, what the file system answers
 */
export function kernMount(kernel: FolioKernel, type: FileSystemType, data = "", source?: string): MountHandle {
  const mnt = mounts.kernMount(kernel.vfs, type, data, source);
  check(mnt, "kern_mount", type.name);
  return mnt as MountHandle;
}

/** Ends what kernMount() has made. @throws EPERM, EINVAL for another mount */
export function kernUmount(kernel: FolioKernel, mnt: MountHandle): void {
  check(mounts.kernUmount(kernel.vfs, mnt), "kern_unmount");
}

/**
 * What a task has read from and written to file systems with a store, as /proc/PID/io; files in memory are not counted.
 *
 * @param face whose task; left out: the kernel's own @throws EPERM; EINVAL for a face of another kernel
 */
export function taskIo(kernel: FolioKernel, face?: FolioFs): accounts.TaskIo {
  return accounts.taskIo(kernel.taskOf(face));
}

/**
 * A frame of memory is broken, and its bytes are lost: it is never used again. A clean page is read anew from its store; of a
 * dirty one every open file of it is told EIO, by fsync.
 *
 * @param pfn its number, as CachedPage.pfn @throws EPERM; EINVAL: no such frame; EBUSY: records, or data in memory alone
 *   (softOfflinePage), or a page that is pinned; EAGAIN while a store has the page in hand; what errorRemovePage answers
 */
export function memoryFailure(kernel: FolioKernel, pfn: number): void {
  check(failure.memoryFailure(kernel.vfs, pfn), "memory_failure");
}

/** A frame is not to be used any more: the page in it moves. @throws as memoryFailure(); ENOMEM; what migratePage answers */
export function softOfflinePage(kernel: FolioKernel, pfn: number): void {
  check(failure.softOfflinePage(kernel.vfs, pfn), "soft_offline_page");
}

/** Numbers of the file system that a path lies on; what Node's statfs does not show among them. @throws ENOENT ...; ENOSYS */
export function statfs(kernel: FolioKernel, path: Path): StatFsInfo {
  const checked = toPath(path, "path");
  const task = kernel.taskOf();
  check(task.statfs(task.fromCwd(checked)), "statfs", checked);
  return statfsInfo(task.statfsValues);
}

/**
 * Sets how much views may pin and mlock() lock, of all tasks together (RLIMIT_MEMLOCK). What is pinned stays.
 *
 * @param bytes rounded down to pages of 4096, at least one; until this is called it is half of the memory limit
 * @throws EPERM; ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
 */
export function setMaxPinned(kernel: FolioKernel, bytes: number): void {
  checkInteger(bytes, "bytes", PAGE_SIZE);
  limitPinned(kernel.vfs.core, Math.min(Math.floor(bytes / PAGE_SIZE), 2 ** 32 - 1));
}

/** Pages that mappings have, and that views have pinned: see MmCounts. Walks all page tables. @throws EPERM */
export function mmapCounts(kernel: FolioKernel): MmCounts & { nrPinned: number } {
  const { core } = kernel.vfs;
  return { ...mmCounts(core), nrPinned: nrPinned(core) };
}

/** A swap area that is on. */
export interface SwapInfo {
  /** Path of the file, or what its device calls itself. */
  name: string;
  /** To turn it off by, if it was not given to swapOn() but came with a snapshot or fork. */
  device: SwapDevice;
  priority: number;
  /** Bytes it has, and of those that are in use. */
  size: number;
  used: number;
  /** Bytes of host memory that its pages take. */
  hostBytes: number;
}

/** Swap areas that are on, the highest priority first (/proc/swaps). @throws EPERM */
export function swaps(kernel: FolioKernel): SwapInfo[] {
  const areas = swapIfAny(kernel.vfs.core)?.areas ?? [];
  return areas.map(({ name, device, priority, nrSlots, nrUsed }) => {
    const { hostBytes = 0 } = device;
    return { name, device, priority, size: nrSlots * PAGE_SIZE, used: nrUsed * PAGE_SIZE, hostBytes };
  });
}
