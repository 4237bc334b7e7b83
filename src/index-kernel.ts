/**
 * What users see of a kernel (`fs.kernel`): file systems, mounts, tasks, snapshots. The calls of vfs/ with Node's shape
 * of errors around them.
 */
import { EINVAL } from "./base/errno.ts";
import { checkTaskOptions } from "./index-options.ts";
import { createFace, type NodeFs } from "./node/index.ts";
import { uvException } from "./node/uv-errors.ts";
import type { FileSystemType } from "./vfs/fs-type.ts";
import type { TaskOptions } from "./vfs/kernel.ts";
import { Kernel } from "./vfs/kernel.ts";
import { type MountInfo, type MountRequest, mount, mountTable, umount } from "./vfs/mount.ts";
import { forkCore, takeSnapshot } from "./vfs/snapshot.ts";
import type { Task } from "./vfs/task.ts";
import { type VmStat, vmstat } from "./vfs/vmstat.ts";

/** A face of node:fs over one task, with its kernel. */
export type FolioFs = NodeFs & { readonly kernel: FolioKernel };

/** What a face is made with by kernel.task(): who its task is, and where it stands. */
export interface FaceOptions {
  /** Whose files the task makes and may use, 0 to 2^32 - 2; default 0, root. */
  uid?: number;
  /** Group of the files it makes; default 0. */
  gid?: number;
  /** Supplementary groups. */
  groups?: readonly number[];
  /** Working directory, as the task's root sees it; default: its root. */
  cwd?: string;
  /** Root directory, as the kernel's root sees it: the task sees nothing above (chroot). */
  root?: string;
  /** Mode bits that the files it makes do not get; default 0o022. */
  umask?: number;
  /** A face whose descriptor table is to be shared. */
  files?: FolioFs;
  /** Most open descriptors (RLIMIT_NOFILE), then EMFILE; default 2^20. Not for a table that is shared. */
  maxFiles?: number;
  /** Largest file it may write, bytes (RLIMIT_FSIZE), then EFBIG; default: none. */
  fileSizeLimit?: number;
}

const faceTasks = new WeakMap<object, Task>();

/** A kernel: what `fs.kernel` is. */
export class FolioKernel {
  /** The first task's: mounts and walks of the kernel's own calls. */
  readonly #task: Task;
  readonly #module: WebAssembly.Module;
  /** The first task's face. */
  readonly fs: FolioFs;

  constructor(task: Task, module: WebAssembly.Module) {
    this.#task = task;
    this.#module = module;
    this.fs = faceOf(task, this);
  }

  /** The kernel as file systems and tools see it: the core, its records, the VFS. */
  get vfs(): Kernel {
    return this.#task.kernel;
  }

  /** Makes a type of file system mountable. @throws EINVAL for its name, EEXIST, ENOSPC */
  registerFileSystem(type: FileSystemType): void {
    check(this.vfs.registerFileSystem(type), "register_filesystem", type.name);
  }
  /** @throws EINVAL when it is not registered, EBUSY while it is mounted */
  unregisterFileSystem(type: FileSystemType): void {
    check(this.vfs.unregisterFileSystem(type), "unregister_filesystem", type.name);
  }

  /** Mounts, binds or remounts. @throws as mount(2): EPERM, ENOENT, ENODEV, EINVAL, ENOTDIR, EBUSY, ENOMEM */
  mount(request: MountRequest): void {
    check(mount(this.#task, request), "mount", String(request.target));
  }
  /** @throws as umount(2): EPERM, ENOENT, EINVAL, EBUSY */
  umount(target: string): void {
    check(umount(this.#task, target), "umount", target);
  }
  /** The mount table, oldest first. */
  mounts(): MountInfo[] {
    return mountTable(this.#task);
  }

  /** Another face over this kernel, with credentials, directories and (unless shared) descriptors of its own. */
  task(options: FaceOptions = {}): FolioFs {
    checkTaskOptions(options);
    const { files, ...rest } = options;
    const shared = files && faceTasks.get(files);
    const task = this.vfs.newTask({ ...rest, files: shared?.files });
    if (typeof task === "number") throw uvException(task, "task", options.cwd ?? options.root);
    return faceOf(task, this);
  }

  /**
   * Ends a task that task() has made: its descriptors are closed unless another face shares them, and what it held goes.
   * Every later call on the face throws.
   *
   * @throws EINVAL for the first task's face, and for one of another kernel
   */
  exit(face: FolioFs): void {
    const task = faceTasks.get(face);
    if (!task || task === this.#task || task.kernel !== this.vfs) throw uvException(-EINVAL, "exit");
    faceTasks.delete(face);
    task.exit();
  }

  /** The file system as bytes: what is reachable from its in-memory mounts. */
  snapshot(): Uint8Array {
    return takeSnapshot(this.#task, this.#module);
  }

  /** An independent copy of this kernel, with one task (`fork().fs`) and nothing open. */
  fork(): FolioKernel {
    const kernel = new Kernel(forkCore(this.vfs, this.#module));
    for (const type of this.vfs.registeredTypes()) kernel.registerFileSystem(type);
    return startTask(kernel, this.#module, this.#task.identity()).kernel;
  }

  /** Writes back all that is dirty. */
  sync(): void {
    check(this.#task.sync(), "sync");
  }
  /**
   * Drops what can be had again: 1 listings of directories (pages of in-memory files cannot), 2 unused dentries and
   * empty slabs, 3 both. The numbers are those of /proc/sys/vm/drop_caches.
   *
   * @throws EINVAL for another number
   */
  dropCaches(what: 1 | 2 | 3): void {
    if (![1, 2, 3].includes(what)) throw uvException(-EINVAL, "drop_caches");
    if (what & 1) this.vfs.dirCache.clear();
    if (what & 2) this.vfs.core.x.reclaim();
  }
  /** Counters of pages, records and events. */
  vmstat(): VmStat {
    return vmstat(this.vfs.core);
  }
  /** In the debug build: checks every invariant of memory. @throws Error that says which is broken */
  verify(): void {
    this.vfs.verify();
  }
  /** Ends the kernel and gives its memory back; every later call throws. */
  destroy(): void {
    this.vfs.destroy();
  }
  [Symbol.dispose](): void {
    this.destroy();
  }
}

function check(rc: number, syscall: string, path?: string): void {
  if (rc < 0) throw uvException(rc, syscall, path);
}

function faceOf(task: Task, kernel: FolioKernel): FolioFs {
  const face = Object.assign(createFace(task), { kernel });
  faceTasks.set(face, task);
  return face;
}

/** The first task of a kernel, and its face. @throws Error when memory ran out */
export function startTask(kernel: Kernel, module: WebAssembly.Module, options: Omit<TaskOptions, "files">): FolioFs {
  const task = kernel.newTask(options);
  if (typeof task === "number") throw uvException(task, "task", options.cwd);
  return new FolioKernel(task, module).fs;
}
