/**
 * A task: credentials, umask, working and root directory, descriptors; and the system calls on it.
 *
 * Each call is one line here and lives in the file of its family. All of them enter() first, so that the core knows
 * whose call it serves. Those that need memory are made again when file systems have let go of some
 * (Kernel.room()).
 *
 * Does not own: the calls' checks and errors (attr.ts, dir-ops.ts, open.ts, read-write.ts, readdir.ts), Node's shape of
 * them (node/).
 */
import { EBADF, ENOENT, ENOTDIR, EOPNOTSUPP, EPERM } from "../base/errno.ts";
import { goneObject } from "../base/gone.ts";
import type { DentryHandle, FileHandle, TaskHandle } from "../base/handles.ts";
import { TRY_AGAIN } from "../mm/address-space.ts";
import { copyToBuffer } from "../mm/user-copy.ts";
import type { Core } from "../wasm/core.ts";
import type { CoreExports } from "../wasm/exports.ts";
import {
  FILE_COUNT,
  I_DEAD,
  INODE_STATE,
  LOOKUP_DIRECTORY,
  LOOKUP_FOLLOW,
  MAY_EXEC,
  RESULT_ADDRESS,
  TASK_CWD_DENTRY,
  TASK_CWD_MOUNT,
  TASK_FILE_SIZE_LIMIT,
  TASK_UMASK,
} from "../wasm/layout.ts";
import { decodeUtf8 } from "../wasm/path-buffer.ts";
import * as attr from "./attr.ts";
import { isCapable } from "./attr.ts";
import * as dirOps from "./dir-ops.ts";
import type { FileTable } from "./file-table.ts";
import type { Kernel } from "./kernel.ts";
import { inodeOf, inodePermission, ndDentry, ndMount, walk } from "./namei.ts";
import type { Credentials } from "./new-task.ts";
import { openFile, openFileAt } from "./open.ts";
import { PathCache } from "./path-cache.ts";
import * as io from "./read-write.ts";
import * as dirs from "./readdir.ts";
import { storeSupport, storeSupportIfAny } from "./store-part.ts";
import type { DirListing, Path, Syscalls } from "./syscalls.ts";

type DirectorySetter = (core: Core) => CoreExports["taskSetCwd"];
/** What sets a directory of a task, as set_fs_root() and set_fs_pwd() do. */
export const setRoot: DirectorySetter = ({ x }) => x.taskSetRoot;
export const setCwd: DirectorySetter = ({ x }) => x.taskSetCwd;

/** A task. Its calls are described in syscalls.ts; their errors where they are made. */
export class Task implements Syscalls {
  readonly kernel: Kernel;
  /** Its record. Another one after kernel.restore(). */
  handle: TaskHandle;
  readonly files: FileTable;
  readonly paths = new PathCache();
  /** Who it is; immutable. */
  readonly credentials: Credentials;

  /** Made by Kernel.newTask(). */
  constructor(kernel: Kernel, handle: TaskHandle, files: FileTable, credentials: Credentials) {
    this.kernel = kernel;
    this.handle = handle;
    this.files = files;
    this.credentials = credentials;
    this.files.users++;
  }

  /** Makes this the task whose call the core serves. */
  enter(): void {
    const { kernel } = this;
    if (kernel.current === this) return;
    kernel.core.x.setCurrent(this.handle);
    kernel.current = this;
    kernel.takeWaitToken(); // of an earlier call, which has not waited
  }

  get statValues(): Float64Array {
    return this.kernel.core.statValues;
  }
  get statfsValues(): Float64Array {
    return this.kernel.core.statfsValues;
  }

  /** Mode bits that new files do not get. */
  umaskOf(): number {
    return this.kernel.core.u32[(this.handle << 3) + TASK_UMASK];
  }

  /** Largest file it may write, bytes (RLIMIT_FSIZE). */
  get fileSizeLimit(): number {
    return this.kernel.core.f64[(this.handle << 2) + TASK_FILE_SIZE_LIMIT];
  }
  set fileSizeLimit(bytes: number) {
    this.kernel.core.f64[(this.handle << 2) + TASK_FILE_SIZE_LIMIT] = bytes;
  }

  /** True while relative paths start at the host's working directory (following-task.ts). */
  get followsHost(): boolean {
    return false;
  }
  /** A path as calls take it: the path itself, since the core walks relative ones from the working directory. */
  fromCwd(path: Path): Path {
    return path;
  }

  /** The file of a descriptor, 0 = none. */
  file(fd: number): FileHandle {
    return this.files.files[fd] ?? (0 as FileHandle);
  }

  holdTime(): void {
    this.kernel.holdTime(true);
  }
  releaseTime(): void {
    this.kernel.holdTime(false);
  }
  open(path: Path, flags: number, mode: number): number {
    const rc = this.kernel.room(openFile(this, path, flags, mode));
    return rc === TRY_AGAIN ? this.open(path, flags, mode) : rc;
  }

  openat(dir: number, path: Path, flags: number): number {
    return openFileAt(this, dir, path, flags);
  }

  /**
   * Closes a descriptor, at once; a store may take its time to hear of it (release): then there is a wait token.
   *
   * @returns 0 or -EBADF
   */
  close(fd: number): number {
    const { kernel } = this;
    const operations = this.files.operations[fd];
    const file = this.files.remove(fd);
    if (!file) return operations === undefined ? -EBADF : 0; // 0: the file has gone, its descriptor goes now
    kernel.locks?.closing(this.files, file);
    kernel.fsnotify?.closing(file);
    if (operations?.release && kernel.core.u32[(file << 3) + FILE_COUNT] === 1) {
      if (storeSupport().releaseFile(kernel, file, operations)) return 0;
    }
    kernel.core.x.filePut(file);
    kernel.evictInodes();
    return 0;
  }

  stat(path: Path, flags: number): number {
    return attr.stat(this, path, flags);
  }
  fstat(fd: number): number {
    return attr.fstat(this, fd);
  }
  access(path: Path, mode: number): number {
    return attr.access(this, path, mode);
  }
  exists(path: Path): boolean | undefined {
    return attr.exists(this, path);
  }
  chmod(path: Path, mode: number, flags: number): number {
    return attr.chmod(this, path, mode, flags);
  }
  fchmod(fd: number, mode: number): number {
    return attr.fchmod(this, fd, mode);
  }
  chown(path: Path, uid: number, gid: number, flags: number): number {
    return attr.chown(this, path, uid, gid, flags);
  }
  fchown(fd: number, uid: number, gid: number): number {
    return attr.fchown(this, fd, uid, gid);
  }
  utimens(path: Path, atimeSec: number, atimeNsec: number, mtimeSec: number, mtimeNsec: number, flags: number): number {
    return attr.utimens(this, path, atimeSec, atimeNsec, mtimeSec, mtimeNsec, flags);
  }
  futimens(fd: number, atimeSec: number, atimeNsec: number, mtimeSec: number, mtimeNsec: number): number {
    return attr.futimens(this, fd, atimeSec, atimeNsec, mtimeSec, mtimeNsec);
  }
  statfs(path: Path): number {
    return attr.statfs(this, path);
  }

  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    return io.read(this, fd, buffer, offset, length, position);
  }
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number, before?: number): number {
    return io.write(this, fd, buffer, offset, length, position, before);
  }
  readv(fd: number, buffers: readonly ArrayBufferView[], position: number): number {
    return io.vector(this, "readv", fd, buffers, position);
  }
  writev(fd: number, buffers: readonly ArrayBufferView[], position: number): number {
    return io.vector(this, "writev", fd, buffers, position);
  }
  readvNothing(fd: number): number {
    return io.readvNothing(this, fd);
  }
  writevNothing(fd: number): number {
    return io.writevNothing(this, fd);
  }
  writeText(fd: number, text: string): number {
    return io.writeText(this, fd, text);
  }
  findSmall(path: Path, max: number): number {
    return io.findSmall(this, path, max);
  }
  copyFound(buffer: Uint8Array, length: number): void {
    const { core } = this.kernel;
    copyToBuffer(core, core.result(RESULT_ADDRESS), buffer, 0, length);
  }
  bytesFound(length: number): Uint8Array {
    const { core } = this.kernel;
    return new Uint8Array(core.arrayBuffer, core.result(RESULT_ADDRESS), length);
  }
  textFound(length: number): string {
    const { core } = this.kernel;
    return decodeUtf8(core, core.result(RESULT_ADDRESS), length);
  }
  lseek(fd: number, offset: number, whence: number): number {
    return io.lseek(this, fd, offset, whence);
  }
  truncate(path: Path, length: number): number {
    return io.truncate(this, path, length);
  }
  ftruncate(fd: number, length: number): number {
    return io.ftruncate(this, fd, length);
  }
  fallocate(fd: number, mode: number, offset: number, length: number): number {
    const rc = this.kernel.room(io.fallocate(this, fd, mode, offset, length));
    return rc === TRY_AGAIN ? this.fallocate(fd, mode, offset, length) : rc;
  }
  copyFileRange(fdIn: number, positionIn: number, fdOut: number, positionOut: number, length: number): number {
    const n = this.kernel.room(io.copyFileRange(this, fdIn, positionIn, fdOut, positionOut, length));
    return n === TRY_AGAIN ? this.copyFileRange(fdIn, positionIn, fdOut, positionOut, length) : n;
  }
  cloneFileRange(fdIn: number, positionIn: number, fdOut: number, positionOut: number, length: number): number {
    return storeSupportIfAny()?.cloneFileRange(this, fdIn, positionIn, fdOut, positionOut, length) ?? -EOPNOTSUPP;
  }
  fsync(fd: number): number {
    return io.fsync(this, fd, false);
  }
  fdatasync(fd: number): number {
    return io.fsync(this, fd, true);
  }
  sync(): number {
    this.enter();
    return io.sync(this.kernel);
  }
  flock(fd: number, operation: number): number {
    const rc = this.kernel.room(io.flock(this, fd, operation));
    return rc === TRY_AGAIN ? this.flock(fd, operation) : rc;
  }

  mkdir(path: Path, mode: number): number {
    const rc = this.kernel.room(dirOps.mkdir(this, path, mode));
    return rc === TRY_AGAIN ? this.mkdir(path, mode) : rc;
  }
  rmdir(path: Path): number {
    return dirOps.rmdir(this, path);
  }
  unlink(path: Path): number {
    return dirOps.unlink(this, path);
  }
  unlinkat(dir: number, path: Path, flags: number): number {
    return dirOps.unlinkat(this, dir, path, flags);
  }
  removeTree(path: Path): number {
    return dirOps.removeTree(this, path);
  }
  link(existing: Path, path: Path): number {
    const rc = this.kernel.room(dirOps.link(this, existing, path));
    return rc === TRY_AGAIN ? this.link(existing, path) : rc;
  }
  symlink(target: Path, path: Path): number {
    const rc = this.kernel.room(dirOps.symlink(this, target, path));
    return rc === TRY_AGAIN ? this.symlink(target, path) : rc;
  }
  rename(from: Path, to: Path): number {
    const rc = this.kernel.room(dirOps.rename(this, from, to, 0));
    return rc === TRY_AGAIN ? this.rename(from, to) : rc;
  }
  renameat2(from: Path, to: Path, flags: number): number {
    const rc = this.kernel.room(dirOps.rename(this, from, to, flags));
    return rc === TRY_AGAIN ? this.renameat2(from, to, flags) : rc;
  }
  mknod(path: Path, mode: number, dev: number): number {
    const rc = this.kernel.room(dirOps.mknod(this, path, mode, dev));
    return rc === TRY_AGAIN ? this.mknod(path, mode, dev) : rc;
  }
  readlink(path: Path): Uint8Array | number {
    return dirs.readlink(this, path);
  }
  readdir(path: Path): DirListing | number {
    return dirs.readdir(this, path);
  }
  getdents(fd: number, nrEntries: number): DirListing | number {
    return dirs.getdents(this, fd, nrEntries);
  }

  /**
   * The physical path of what a path names. @returns errors of the walk; -ENOENT, -ENAMETOOLONG (assembly/fs/d-path.ts)
   */
  realpath(path: Path): Uint8Array | number {
    const found = walk(this, path, LOOKUP_FOLLOW);
    return found < 0
      ? found
      : this.#pathOf(this.kernel.core.x.dPath(ndMount(this.kernel.core), ndDentry(this.kernel.core)));
  }

  /**
   * Path of the working directory. @returns -ENOENT when it has been removed or lies outside of the root; -ENAMETOOLONG
   */
  getcwd(): Uint8Array | number {
    this.enter();
    const { u32, x } = this.kernel.core;
    const mnt = (u32[(this.handle << 3) + TASK_CWD_MOUNT] >>> 5) as never;
    const dentry = (u32[(this.handle << 3) + TASK_CWD_DENTRY] >>> 5) as DentryHandle;
    if (u32[(inodeOf(this.kernel.core, dentry) << 3) + INODE_STATE] & I_DEAD) return -ENOENT;
    return this.#pathOf(x.dPath(mnt, dentry));
  }

  #pathOf(length: number): Uint8Array | number {
    if (length < 0) return length;
    const at = this.kernel.core.result(RESULT_ADDRESS);
    return this.kernel.core.u8.subarray(at, at + length);
  }

  /** Changes the working directory. @returns 0, errors of the walk, -ENOTDIR, -EACCES */
  chdir(path: Path): number {
    return this.#changeDirectory(path, setCwd);
  }
  /** Changes the root, and leaves the working directory where it is. @returns as chdir(); -EPERM for others than root */
  chroot(path: Path): number {
    return this.#changeDirectory(path, setRoot, () => (isCapable(this) ? 0 : -EPERM));
  }
  /** Changes the root and the working directory to it, whoever the task is: while it is set up. @returns as chdir() */
  changeRoot(path: Path): number {
    return this.#changeDirectory(path, setRoot) || this.#changeDirectory("/", setCwd);
  }

  #changeDirectory(path: Path, setter: DirectorySetter, mayChange = () => 0): number {
    const { core } = this.kernel;
    const found = walk(this, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
    if (found < 0) return found;
    const dentry = ndDentry(core);
    if (!core.x.isDirectory(inodeOf(core, dentry))) return -ENOTDIR;
    const denied = inodePermission(this.kernel, inodeOf(core, dentry), MAY_EXEC) || mayChange();
    if (denied) return denied;
    setter(core)(this.handle, ndMount(core), dentry);
    this.kernel.evictInodes();
    this.paths.clear();
    return 0;
  }

  /** Changes the mask: of `mask` the permission bits count. @returns the one before */
  umask(mask: number): number {
    const { u32 } = this.kernel.core;
    const at = (this.handle << 3) + TASK_UMASK;
    const before = this.umaskOf();
    u32[at] = mask & 0o777;
    return before;
  }

  waitToken(): Promise<void> | undefined {
    return this.kernel.takeWaitToken();
  }

  /** Ends the task: its descriptors are closed unless another task shares them. */
  exit(): void {
    const { kernel, files } = this;
    storeSupportIfAny()?.exitTask(this);
    if (--files.users === 0) for (let fd = 0; fd < files.files.length; fd++) this.close(fd);
    kernel.core.x.taskFree(this.handle);
    if (kernel.current === this) kernel.current = undefined;
    kernel.evictInodes();
    (this as { kernel: Kernel }).kernel = noKernel;
  }
}

/** What a task that has ended stands on. */
const noKernel = goneObject<Kernel>("task has ended");
