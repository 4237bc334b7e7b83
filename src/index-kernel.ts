/**
 * What users see of a kernel (`fs.kernel`): file systems, mounts, tasks, snapshots. The calls of vfs/ with Node's shape
 * of errors around them.
 *
 * Every face has a `kernel` of its own, and what is asked there is asked by its task: what takes privilege under Linux
 * (mounts, other credentials, other roots) is EPERM for others than root. What is done to the whole machine is for root,
 * and for the first task's face, which belongs to whoever made the kernel.
 */

import { EBADF, EBUSY, EINVAL, EOPNOTSUPP, EPERM } from "./base/errno.ts";
import type { FileHandle } from "./base/handles.ts";
import { reopenStdio } from "./fs/stdio.ts";
import { fitRoot } from "./fs/tmpfs.ts";
import type { DeltaPart, SnapshotOptions } from "./index-delta.ts";
import type { DiffAsyncOptions, DiffOptions, TreeChanges } from "./index-diff.ts";
import type { Layer, LayerOptions, LayersPart, TarOptions } from "./index-layers.ts";
import type { LinuxPart } from "./index-linux.ts";
import type { MmapPart } from "./index-mmap.ts";
import {
  checkedSnapshot,
  checkFaceOptions,
  checkKnown,
  checkMountRequest,
  checkType,
  type FsOptions,
  type TaskOptions,
} from "./index-options.ts";
import type { SwapPart } from "./index-swap.ts";
import { keptOptions, type Machine, newFaceTask } from "./index-task.ts";
import type { BackingDeviceNumbers } from "./mm/backing-dev.ts";
import type { SwapDevice } from "./mm/swap-device.ts";
import type { SwapFileOptions } from "./mm/swap-file.ts";
import type { VmLimits } from "./mm/vm-limits.ts";
import { argTypeError } from "./node/errors.ts";
import type { PathLike } from "./node/face/names.ts";
import { createFace, type FaceParts } from "./node/index.ts";
import type { LinuxCalls } from "./node/linux/index.ts";
import type { Mapping, MmapOptions } from "./node/mapping.ts";
import type { NodeFs } from "./node/node-fs.ts";
import type { PageView } from "./node/page-view.ts";
import { toPath } from "./node/paths.ts";
import { beginAtCaller, commitToPromise } from "./node/surfaces.ts";
import { type FolioTask, taskFace } from "./node/task-face.ts";
import { outcomeOf, uvException } from "./node/uv-errors.ts";
import { checkBufferArray, checkFd, checkInteger, toWritePosition } from "./node/validators.ts";
import { fdget, isCapable } from "./vfs/attr.ts";
import { type FileOperations, type FileSystemType, FS_REQUIRES_DEV } from "./vfs/fs-type.ts";
import { Kernel } from "./vfs/kernel.ts";
import type { Lost } from "./vfs/lost.ts";
import { type MountInfo, type MountRequest, mount, mountTable, umount } from "./vfs/mount.ts";
import { openSnapshot, restoreCore, type SnapshotBytes } from "./vfs/restore.ts";
import { restoreInPlace } from "./vfs/restore-in-place.ts";
import { forkCore, takeSnapshot } from "./vfs/snapshot.ts";
import { storeSupport, storeSupportIfAny } from "./vfs/store-part.ts";
import type { SwapOptions } from "./vfs/swapon.ts";
import type { Path } from "./vfs/syscalls.ts";
import type { Task } from "./vfs/task.ts";
import type { Usage } from "./vfs/usage.ts";
import { type VmStat, vmstat } from "./vfs/vmstat.ts";
import { Wait, whileWaiting } from "./vfs/waiting.ts";
import { partNamed } from "./wasm/core-module.ts";

/** A face of node:fs over one task, with its task and its kernel. */
export type FolioFs = NodeFs & Views & { readonly kernel: FolioKernel; readonly task: FolioTask };

/** Reads without a copy. In browsers they need `import "foliofs/store"`. */
export interface Views {
  /**
   * Gives a view of bytes of an open file, straight onto the page cache: as many as lie in one run of frames, none behind the end. To be
   * released.
   *
   * @param position bytes from the start, 0 when left out @param length most bytes
   * @throws EBADF; EISDIR; ENODEV for what has no pages; EAGAIN where a store takes time; ENOSPC; ENOMEM when too many pages are
   *   pinned; what the store answers
   */
  readView(fd: Descriptor, position?: number, length?: number): PageView;
  /** As readView(), and waits for stores. */
  readViewAsync(fd: Descriptor, position?: number, length?: number): Promise<PageView>;
}

/**
 * What a face is made with by kernel.task(): who its task is, and where it stands. What is not said of credentials and
 * limits is as with the task that makes it; to ask for more takes privilege.
 */
export interface FaceOptions extends TaskOptions {
  /** Root directory, as the maker sees it: the task sees nothing above (chroot). */
  root?: string;
  /** A face of the same kernel whose descriptor table is to be shared. */
  files?: FolioFs;
}

/** A type of file system: `nodev` is true where it needs no device. */
export interface FileSystemInfo {
  name: string;
  nodev: boolean;
}

/** How to unmount: flags of umount2(2) by name. */
export interface UmountOptions {
  /** Lazily: out of the tree at once, with all that is mounted below; it ends with its last user (MNT_DETACH). */
  detach?: boolean;
  /** The file system is asked to give up on what it waits for (MNT_FORCE). */
  force?: boolean;
  /** Only if nobody has walked into it since this was tried last; the first time it is EAGAIN (MNT_EXPIRE). */
  expire?: boolean;
  /** A symbolic link at the end is not followed (UMOUNT_NOFOLLOW). */
  noFollow?: boolean;
}

/** A descriptor, or a FileHandle that has it. */
export type Descriptor = number | { readonly fd: number };

/** What a call gets beside the kernel and the file. */
type Tail<Call> = Call extends (kernel: Kernel, file: FileHandle, ...args: infer Args) => number ? Args : never;
type FileCall = (kernel: Kernel, file: FileHandle, ...args: unknown[]) => number;

/** RWF_HIPRI, RWF_DSYNC, RWF_SYNC, RWF_APPEND and RWF_NOAPPEND. */
const RWF_WITHOUT_EFFECT = 0x37;

function fdOf(fd: Descriptor): number {
  return checkFd(typeof fd === "object" ? fd.fd : fd);
}

const faceTasks = new WeakMap<object, Task>();

/** A kernel, as one task may use it: what `fs.kernel` is. */
export class FolioKernel {
  readonly #task: Task;
  readonly #machine: Machine;
  /** The task's own face. */
  readonly fs: FolioFs;

  constructor(task: Task, machine: Machine) {
    this.#task = task;
    this.#machine = machine;
    const readViewAsync: Views["readViewAsync"] = (...args) =>
      part<MmapPart>("mmap").readViewAsync(task, args, this.#later, readViewAsync);
    const parts = { streams: partNamed("streams"), face: partNamed("face") } as FaceParts;
    this.fs = Object.assign(createFace(task, parts), {
      kernel: this,
      task: taskFace(task),
      readView: beginAtCaller((...args) => part<MmapPart>("mmap").readView(task, args), 3),
      readViewAsync,
    }) as FolioFs;
    faceTasks.set(this.fs, task);
  }

  /**
   * System calls of Linux that Node does not have, by this task (docs/linux.md). In browsers they need
   * `import "foliofs/store"`.
   */
  get linux(): LinuxCalls {
    return part<LinuxPart>("linux").linuxCalls(this.#task, Wait, whileWaiting);
  }

  /** The kernel as file systems and tools see it: the core, its records, the VFS. @throws EPERM */
  get vfs(): Kernel {
    this.#checkMaster("vfs");
    return this.#task.kernel;
  }

  /**
   * The task behind a face, as file systems and tools see it (foliofs/store works on it). @param face left out: this one
   *
   * @throws EPERM; EINVAL for a face of another kernel
   */
  taskOf(face: FolioFs = this.fs): Task {
    this.#checkMaster("task");
    const task = faceTasks.get(face);
    if (task?.kernel !== this.#task.kernel) throw uvException(-EINVAL, "task");
    return task;
  }

  /** Makes a type of file system mountable. @throws EPERM, EINVAL for its name, EEXIST, ENOSPC */
  registerFileSystem(type: FileSystemType): void {
    this.#checkMaster("register_filesystem");
    check(this.#task.kernel.registerFileSystem(type), "register_filesystem", type.name);
  }
  /** @throws EPERM, EINVAL when it is not registered, EBUSY while it is mounted */
  unregisterFileSystem(type: FileSystemType): void {
    this.#checkMaster("unregister_filesystem");
    check(this.#task.kernel.unregisterFileSystem(type), "unregister_filesystem", type.name);
  }

  /** Mounts, binds or remounts. @throws as mount(2): EPERM, ENOENT, ENODEV, EINVAL, ENOTDIR, EBUSY, ENOMEM */
  mount(request: MountRequest): void {
    checkMountRequest(request);
    const target = toPath(request.target, "request.target");
    const source = request.source === undefined ? undefined : (this.#task.fromCwd(request.source) as string);
    const asked = request.type === undefined ? { ...request, source } : request;
    check(mount(this.#task, { ...asked, target: this.#task.fromCwd(target) }), "mount", target);
  }
  /** Types of file systems, in the order in which they were registered (/proc/filesystems). */
  fileSystems(): FileSystemInfo[] {
    const types = this.#task.kernel.registeredTypes();
    return types.map(({ name, fsFlags }) => ({ name, nodev: (fsFlags & FS_REQUIRES_DEV) === 0 }));
  }
  /** @throws as umount(2): ENOENT, EPERM, EINVAL, EBUSY; EAGAIN, when `expire` has marked it */
  umount(target: Path, options?: UmountOptions): void {
    this.umount2(target, umountFlags(options));
  }
  /** @param flags union of MNT_FORCE, MNT_DETACH, MNT_EXPIRE, UMOUNT_NOFOLLOW @throws as umount(); EINVAL */
  umount2(target: Path, flags: number): void {
    const path = toPath(target, "target");
    check(umount(this.#task, this.#task.fromCwd(path), flags), "umount", path);
  }
  /** As umount(), and waits for stores that take their time to write, to close files and to end inodes. */
  async umountAsync(target: Path, options?: UmountOptions): Promise<void> {
    const flags = umountFlags(options);
    const path = toPath(target, "target");
    const { kernel } = this.#task;
    const tryIt = (): number => umount(this.#task, this.#task.fromCwd(path), flags);
    let rc = tryIt();
    let token = kernel.takeWaitToken();
    while (rc === -EBUSY && token !== undefined) {
      await token;
      rc = tryIt();
      token = kernel.takeWaitToken();
    }
    check(rc, "umount", path);
    await token; // putSuper, and the root's end
  }
  /**
   * Mounts a layer: a tree that shows other directories, and keeps what is changed in it apart, within limits
   * (docs/overlay.md). It needs `import "foliofs/layers"`.
   *
   * @throws as mount(2): EPERM, ENOENT, ENOTDIR, EINVAL, ELOOP, ENOSPC, ENOMEM
   */
  layer(options: LayerOptions): Layer {
    return part<LayersPart>("layers").layer(this.#task, options);
  }
  /**
   * Mounts a layer that layer.save() has saved. Numbers of inodes are as they were where the lower directories are the same, in this
   * kernel or one that it comes from; over others what it shows is what its changes make of them.
   *
   * @throws as layer(); ERR_INVALID_TAR for bytes that are damaged, or of something else: then there is no layer; ENOSPC beyond the limits
   */
  load(bytes: Uint8Array, options: LayerOptions): Layer {
    return part<LayersPart>("layers").load(this.#task, bytes, options);
  }
  /**
   * Mounts a layer from a tar: one that layer.saveTar() has given, or GNU tar with `--xattrs --xattrs-include='*'`, of an upper directory
   * of the kernel's overlayfs; with `format: "oci"` the tar of a layer of a container image.
   *
   * @throws as load(); ENOTSUP for files whose data is elsewhere (metacopy), and attributes that tmpfs does not have; EPERM for a device
   *   0:0 in an image layer
   */
  loadTar(bytes: Uint8Array, options: LayerOptions & TarOptions): Layer {
    return part<LayersPart>("layers").loadTar(this.#task, bytes, options);
  }
  /**
   * Tells how a directory differs from another one, both with all that is in them (docs/overlay.md). Mount points are what lies below
   * the mount. It needs `import "foliofs/layers"`.
   *
   * @param a the old one @param b the new one
   * @returns changes, sorted by path, parents first; true of one moment. With `format: "oci"` they are the tar of a layer of a container image,
   *   that applied to `a` gives `b`
   * @throws errors of the walks, ENOTDIR; EACCES for what the task may not list, or read where it has to be read; EAGAIN where a store
   *   takes time; ENOMEM; what a store answers
   */
  diff<Options extends DiffOptions = DiffOptions>(a: PathLike, b: PathLike, options?: Options): TreeChanges<Options> {
    return part<LayersPart>("layers").diff(this.#task, a, b, options);
  }
  /**
   * As diff(), and waits for stores that take time. What changes meanwhile is seen; in the end all names and attributes are of one moment.
   *
   * @throws as diff(), but EAGAIN where nobody will answer, or what is answered does not stay in memory until the end
   */
  async diffAsync<Options extends DiffAsyncOptions = DiffAsyncOptions>(
    a: PathLike,
    b: PathLike,
    options?: Options,
  ): Promise<TreeChanges<Options>> {
    return part<LayersPart>("layers").diffAsync(this.#task, a, b, options);
  }
  /** The mount table, oldest first, as the task sees it. */
  mounts(): MountInfo[] {
    return mountTable(this.#task);
  }

  /**
   * Another face over this kernel, with credentials, directories and (unless shared) descriptors of its own.
   *
   * @throws EPERM for credentials, limits or a root that the task may not give; ENOENT, ENOTDIR, EACCES for its directories
   */
  task(options: FaceOptions = {}): FolioFs {
    checkFaceOptions(options);
    const { files, ...rest } = options;
    const shared = files === undefined ? undefined : faceTasks.get(files);
    if (files !== undefined && shared?.kernel !== this.#task.kernel)
      throw argTypeError("options.files", "face of this kernel", files);
    const task = newFaceTask(this.#task.kernel, { ...rest, table: shared?.files }, this.#task);
    return new FolioKernel(task, this.#machine).fs;
  }

  /**
   * Ends a task that task() has made: its descriptors are closed unless another face shares them, and what it held goes.
   * Every later call on the face throws ERR_INVALID_STATE.
   *
   * @throws EINVAL for the first task's face, and for one of another kernel; EPERM for another user's
   */
  exit(face: FolioFs): void {
    const task = faceTasks.get(face);
    if (!task || task === this.#machine.first || task.kernel !== this.#task.kernel) throw uvException(-EINVAL, "exit");
    if (!this.#isMaster() && task.credentials.uid !== this.#task.credentials.uid) throw uvException(-EPERM, "exit");
    faceTasks.delete(face);
    task.exit();
  }

  /**
   * The file system as bytes: what is reachable from its in-memory mounts, with what of it is in swap areas. With `since`, what of these
   * bytes an older snapshot does not have: restored with it, they are the same. That needs `import "foliofs/store"` in browsers.
   *
   * @throws EPERM; EAGAIN when that is on a device that takes time; EIO when it cannot be read; ERR_INVALID_SNAPSHOT for `since`
   */
  snapshot(options?: SnapshotOptions): Uint8Array {
    this.#checkMaster("snapshot");
    const bytes = orThrow(takeSnapshot(this.#task, this.#machine.module, keptOptions(this.#machine)), "snapshot");
    return options ? part<DeltaPart>("delta").snapshotSince(bytes, options, this.#machine) : bytes;
  }

  /**
   * Rolls back: all is again as it was when snapshot() gave the bytes. Faces and tasks live on. Descriptors that were
   * open answer ESTALE until they are closed; who stands in a directory that is no more stands in a removed one; mounts
   * with a store elsewhere are unmounted. Not to be called from within a call, as by the clock or a file system.
   *
   * @param bytes as restoreFsSync() takes them
   * @param options `verify` checks them before: verifySnapshot of `foliofs/verify`
   * @throws EPERM; ERR_INVALID_SNAPSHOT as restoreFsSync(), with nothing changed; ENOMEM, the same
   */
  restore(bytes: SnapshotBytes, options?: Pick<FsOptions, "verify">): void {
    this.#checkMaster("restore");
    const { kernel } = this.#task;
    const { module } = this.#machine;
    const core = kernel.core.options;
    const types = kernel.registeredTypes();
    const given = checkedSnapshot(bytes, { ...options, memoryLimit: core.memoryLimit, types });
    const restored = restoreCore(openSnapshot(given, module, core.shared), module, core, types);
    const rc = restoreInPlace(kernel, restored, reopenStdio);
    if (rc < 0) {
      restored.destroy();
      throw uvException(rc, "restore");
    }
    fitRoot(kernel);
  }

  /** An independent copy of this kernel, with one task (`fork().fs`) like this one and nothing open. @throws as snapshot() */
  fork(): FolioKernel {
    this.#checkMaster("fork");
    const { kernel } = this.#task;
    const copy = new Kernel(orThrow(forkCore(kernel, this.#machine.module), "fork"));
    for (const type of kernel.registeredTypes()) copy.registerFileSystem(type);
    const options = keptOptions({ ...this.#machine, first: this.#task });
    return startTask(copy, this.#machine.module, options, { keepsCwd: true }).kernel;
  }

  /**
   * Says what will be done with bytes of an open file: nothing changes but when they are read and dropped. What has no
   * store takes any advice.
   *
   * @param length bytes, 0 = to the end
   * @param advice POSIX_FADV_* (foliofs/store)
   * @throws as posix_fadvise(2): EBADF, EINVAL
   */
  fadviseSync(fd: Descriptor, offset: number, length: number, advice: number): void {
    checkInteger(offset, "offset");
    checkInteger(length, "length");
    this.#onFile("fadvise", fd, length >= 0 && advice >= 0 && advice < 6 ? 0 : -EINVAL, 0, offset, length, advice);
  }
  async fadvise(fd: Descriptor, offset: number, length: number, advice: number): Promise<void> {
    this.fadviseSync(fd, offset, length, advice);
  }

  /**
   * As readvSync(), with flags. Of those RWF_NOWAIT does something for reads: they are of what is there, and begin nothing.
   *
   * @param flags RWF_* (foliofs/store)
   * @throws as preadv2(2): EBADF; EOPNOTSUPP for flags that the file system does not have; EAGAIN
   */
  preadv2Sync(fd: Descriptor, buffers: readonly ArrayBufferView[], position: number | null, flags: number): number {
    const number = fdOf(fd);
    if (flags & ~RWF_WITHOUT_EFFECT) {
      checkBufferArray(buffers);
      const refused = this.#task.readvNothing(number);
      return this.#onFile("preadv2", number, refused, -EOPNOTSUPP, buffers, toWritePosition(position), flags);
    }
    return this.fs.readvSync(number, buffers as NodeJS.ArrayBufferView[], position as number);
  }

  /**
   * Where a block of an open file lies in its store, as ioctl(2) FIBMAP tells it. @returns 0 = nowhere
   *
   * @throws EBADF; EPERM; EINVAL where the file system does not say, and for what is no block
   */
  bmap(fd: Descriptor, block: number): number {
    return this.#onFile("bmap", fd, isCapable(this.#task) ? 0 : -EPERM, -EINVAL, block);
  }

  /**
   * Maps a part of an open file. In browsers it needs `import "foliofs/store"`.
   *
   * @throws in this order EINVAL (offset), EBADF, EINVAL (length), ENOMEM, EOVERFLOW, EAGAIN (MAP_LOCKED), EINVAL (neither shared nor
   *   private), EOPNOTSUPP (flags), EACCES, EPERM, ENODEV (what cannot be mapped), ENOEXEC (what has no readPage), ENOMEM
   * @see mmap(2)
   */
  mmap(fd: Descriptor, options: MmapOptions = {}): Mapping {
    return part<MmapPart>("mmap").mmap(this.#task, fd, options, this.#later);
  }

  /** Writes back all that is dirty. */
  sync(): void {
    check(this.#task.sync(), "sync");
  }
  /** As sync(), and waits for stores that take their time. */
  syncAsync(): Promise<void> {
    return this.#later(() => this.#task.sync(), "sync");
  }
  /**
   * Makes a call of `foliofs/store` (syncfs, syncFileRange) on an open file, and makes it again when its store has answered.
   *
   * @throws EPERM; rejects with EBADF, and what the call answers
   */
  callFile(fd: number, call: (kernel: Kernel, file: FileHandle) => number): Promise<void> {
    const { vfs } = this;
    return this.#later(() => {
      this.#task.enter();
      const file = this.#task.file(fd);
      return file ? call(vfs, file) : -EBADF;
    }, call.name);
  }
  readonly #later = (call: () => number, syscall: string): Promise<void> =>
    commitToPromise(() => outcomeOf(this.#task, call(), syscall), undefined, this.#later);
  /**
   * Drops what can be had again: 1 listings of directories, and clean pages of files with a store, 2 unused dentries with their
   * inodes, and empty slabs, 3 both. The numbers are those of /proc/sys/vm/drop_caches.
   *
   * @throws EPERM; EINVAL for another number
   */
  dropCaches(what: 1 | 2 | 3): void {
    this.#checkMaster("drop_caches");
    if (![1, 2, 3].includes(what)) throw uvException(-EINVAL, "drop_caches");
    this.#task.kernel.dropCaches(what);
  }
  /**
   * Moves cached pages together, to the start of memory, so that large blocks come free (/proc/sys/vm/compact_memory).
   *
   * @returns how many have moved @throws EPERM
   */
  compact(): number {
    this.#checkMaster("compact_memory");
    const { kernel } = this.#task;
    return storeSupportIfAny()?.compact(kernel) ?? kernel.core.x.compactMemory();
  }
  /**
   * Gives the host back what memory is not in use, after kernel.compact(): as much as its size and 64 KiB allow. Descriptors,
   * tasks and mounts live on; two memories exist for a moment. `dropCaches(3)` before gives more. Needs `foliofs/store` in
   * browsers, as usage() does. Not to be called from within a call, as by the clock or a file system.
   *
   * @returns bytes by which memory has become smaller; it grows again as before
   * @throws EPERM; ENOTSUP with `preallocate: true`; EBUSY while pages are pinned or under way, and while another thread
   *   uses the memory; ENOMEM, with nothing changed
   */
  shrink(): number {
    this.#checkMaster("shrink");
    const rc = storeSupport().shrink(this.#task.kernel, this.#machine.module);
    check(rc, "shrink");
    return rc;
  }
  /** What memory is used for, in bytes: by kind, and by file system. @throws EPERM */
  usage(): Usage {
    this.#checkMaster("usage");
    return storeSupport().usage(this.#task);
  }
  /**
   * Turns a swap area on: pages of tmpfs without `noswap` go there when memory runs out. Node brings what it needs, in browsers
   * `foliofs/store` does.
   *
   * @param device or a file of the host, in Node
   * @throws ERR_INVALID_ARG_TYPE ... for what is no device; as swapon(2): EPERM; EINVAL for one without a page, or of more than 16 GiB;
   *   EBUSY for one that is on, of whatever kernel; EPERM for more than 8; ENOENT ... of the file; ENOMEM
   */
  swapOn(device: SwapDevice | SwapFileOptions, options?: SwapOptions): void {
    part<SwapPart>("swap").swapOn(this.#task, device, options);
  }
  /**
   * Brings back all that is in a swap area and turns it off, or fails and leaves it on.
   *
   * @param device as it was given to swapOn()
   * @throws as swapoff(2): EPERM; EINVAL for what is no area; ENOMEM; EIO; EAGAIN, of a device that takes time: see swapOffAsync()
   */
  swapOff(device: SwapDevice | SwapFileOptions): void {
    part<SwapPart>("swap").swapOff(this.#task, device);
  }
  /** As swapOff(), and waits for a device that takes time. */
  swapOffAsync(device: SwapDevice | SwapFileOptions): Promise<void> {
    return part<SwapPart>("swap").swapOffAsync(this.#task, device, this.#later);
  }
  /** Counters of pages, records and events. */
  vmstat(): VmStat {
    return vmstat(this.#task.kernel);
  }
  /** Counters of the devices that files are written back to, in pages. */
  get bdi(): BackingDeviceNumbers[] {
    return [...this.#task.kernel.bdis.values()].map((bdi) => bdi.numbers());
  }
  /** How much may be dirty, and for how long; undefined until something with a device is mounted. @throws EPERM */
  get vm(): VmLimits | undefined {
    return this.vfs.vm;
  }
  /** In the debug build: checks every invariant of memory. @throws Error that says which is broken */
  verify(): void {
    this.#task.kernel.verify();
  }
  /**
   * Ends the kernel and gives its memory back; every later call throws ERR_INVALID_STATE.
   *
   * @returns what stores had not been told of, which is lost. What is in memory alone is not counted
   * @throws EPERM
   */
  destroy(): Lost {
    this.#checkMaster("destroy");
    return this.#task.kernel.destroy();
  }
  [Symbol.dispose](): void {
    this.destroy();
  }

  /** Makes a call on an open file. @param refused why not, 0 = it may be made @param missing what it answers where there is none */
  #onFile<Name extends "bmap" | "fadvise" | "preadv2">(
    name: Name,
    fd: Descriptor,
    refused: number,
    missing: number,
    ...args: Tail<Required<FileOperations>[Name]>
  ): number {
    const task = this.#task;
    const number = fdOf(fd);
    const file = fdget(task, number);
    task.enter();
    const call = task.files.operations[number]?.[name] as FileCall | undefined;
    const rc = file ? refused || (call?.(task.kernel, file, ...args) ?? missing) : task.files.missing(number);
    check(rc, name);
    return rc;
  }

  /** True for those who may do to the machine as they like. */
  #isMaster(): boolean {
    return this.#task === this.#machine.first || isCapable(this.#task);
  }
  #checkMaster(syscall: string): void {
    if (!this.#isMaster()) throw uvException(-EPERM, syscall);
  }
}

function part<Part extends MmapPart | SwapPart | LinuxPart | LayersPart | DeltaPart>(
  name: "mmap" | "swap" | "linux" | "layers" | "delta",
): Part {
  storeSupport(); // names the entry that has it
  const found = partNamed(name);
  if (found === undefined) throw new Error(`foliofs: this needs import "foliofs/${name}"`); // layers: all others come together
  return found as Part;
}

function umountFlags(options: UmountOptions | undefined): number {
  if (options === undefined) return 0;
  const { umountOptions } = storeSupport();
  checkKnown(options, Object.keys(umountOptions));
  let flags = 0;
  for (const [name, value] of Object.entries(options)) {
    checkType(`options.${name}`, value, "boolean");
    if (value) flags |= umountOptions[name as keyof UmountOptions];
  }
  return flags;
}

function check(rc: number, syscall: string, path?: Path): void {
  if (rc < 0) throw uvException(rc, syscall, path);
}

function orThrow<T extends object>(result: T | number, syscall: string): T {
  if (typeof result === "number") throw uvException(result, syscall);
  return result;
}

/** The first task of a kernel, and its face. @param how what newFaceTask() does with its working directory */
export function startTask(
  kernel: Kernel,
  module: WebAssembly.Module,
  options: TaskOptions & Machine["kept"],
  how: { makesCwd?: boolean; keepsCwd?: boolean },
): FolioFs {
  const { memoryLimit, preallocate } = options;
  const first = newFaceTask(kernel, { ...options, root: undefined, ...how }, undefined);
  return new FolioKernel(first, { module, kept: { memoryLimit, preallocate }, first }).fs;
}
