/**
 * Standard input, output and error: three character devices that end outside of the kernel, at descriptors 0, 1 and 2.
 *
 * Their inodes have no names and lie in a file system of their own that is mounted nowhere, so they are in no snapshot.
 * What is written goes to a callback at once, in one copy; what is read comes from one.
 *
 * @see Linux drivers/char/mem.c (devices without positions), null(4)
 */

import { EBADF, ENOMEM, ESPIPE } from "../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle, MountHandle } from "../base/handles.ts";
import { O_RDONLY, O_WRONLY, S_IFCHR, S_IFDIR } from "../base/stat-flags.ts";
import { bytesOf } from "../base/views.ts";
import type { FileTable } from "../vfs/file-table.ts";
import { type FileOperations, type FileSystemType, FS_NOUSER } from "../vfs/fs-type.ts";
import { Dentry, Inode } from "../vfs/inode.ts";
import { kernMount } from "../vfs/kern-mount.ts";
import type { Kernel } from "../vfs/kernel.ts";
import { mountHandles, superOf } from "../vfs/mount.ts";
import type { Reopen } from "../vfs/restore-in-place.ts";
import type { Task } from "../vfs/task.ts";
import type { Core } from "../wasm/core.ts";
import { FILE_MODE, FMODE_READ, FMODE_WRITE, INODE_RDEV } from "../wasm/layout.ts";

/** Where the three descriptors of a task lead. What is missing is as /dev/null: nothing to read, and all is swallowed. */
export interface StdioStreams {
  /** Gives up to `length` bytes of input; nothing (undefined, null, or no bytes) is the end. */
  stdin?(length: number): Uint8Array | null | undefined;
  /** Takes what is written to descriptor 1, a copy of its own. */
  stdout?(bytes: Uint8Array): void;
  /** Takes what is written to descriptor 2, a copy of its own. */
  stderr?(bytes: Uint8Array): void;
}

const DIRECTORY = 0;
const DEVICE = 1;
/** Which private word of the inode has the descriptor it stands for. */
const DESCRIPTOR = 0;
const STDERR = 2;
const STANDARD = [0, 1, STDERR];
/** Character device 5:0, /dev/tty. */
const TTY_DEV = 5 << 8;

/** What lies behind the devices of a memory, by inode. */
const streamsOf = new WeakMap<Core, Map<InodeHandle, StdioStreams>>();

function streamsBehind(kernel: Kernel, inode: Inode): StdioStreams {
  return streamsOf.get(kernel.core)?.get(inode.handle) ?? {};
}

function isOpenFor({ core }: Kernel, file: FileHandle, mode: number): boolean {
  return (core.u32[(file << 3) + FILE_MODE] & mode) !== 0;
}

const deviceOperations: FileOperations = {
  read(kernel, file, buffer, offset, length, position) {
    if (!isOpenFor(kernel, file, FMODE_READ)) return -EBADF;
    if (position >= 0) return -ESPIPE;
    const { stdin } = streamsBehind(kernel, Inode.ofFile(kernel, file));
    const bytes = length === 0 ? undefined : stdin?.(length);
    if (!bytes) return 0;
    const taken = bytesOf(bytes).subarray(0, length);
    buffer.set(taken, offset);
    return taken.length;
  },
  write(kernel, file, buffer, offset, length, position) {
    if (!isOpenFor(kernel, file, FMODE_WRITE)) return -EBADF;
    if (position >= 0) return -ESPIPE;
    const inode = Inode.ofFile(kernel, file);
    const { stdout, stderr } = streamsBehind(kernel, inode);
    const take = inode.getPrivate(DESCRIPTOR) === STDERR ? stderr : stdout;
    if (length > 0) take?.(buffer.slice(offset, offset + length));
    return length;
  },
};

/** The type: never mounted in the tree. */
export const stdio: FileSystemType = {
  name: "stdio",
  fsFlags: FS_NOUSER,
  tables: [
    { inode: {}, file: {}, mapping: {} },
    { inode: {}, file: deviceOperations, mapping: {} },
  ],
  fillSuper: (sb) => sb.makeRoot(S_IFDIR | 0o555, 0, 0, DIRECTORY),
};

/** The mount that the devices lie in, made with the first of them. @returns -ENOSPC, -ENOMEM when there is no room */
function deviceMount(kernel: Kernel): number {
  for (const mnt of mountHandles(kernel.core)) if (superOf(kernel, mnt).type === stdio) return mnt;
  const known = kernel.typeIdOf(stdio.name);
  const rc = known < 0 ? kernel.registerFileSystem(stdio) : 0;
  return rc < 0 ? rc : kernMount(kernel, stdio);
}

/** Where the standard descriptors of a table lead. */
const streamsOfTable = new WeakMap<FileTable, StdioStreams>();

/**
 * Opens descriptors 0, 1 and 2 of a task whose table begins at 0 and is empty.
 *
 * @returns 0, or a negated errno; then some may be open
 */
export function openStdio(task: Task, streams: StdioStreams): number {
  streamsOfTable.set(task.files, streams);
  return openDevices(task, STANDARD, streams);
}

/** Opens for `fresh` the standard descriptors that `table` still has, after a restore. */
export const reopenStdio: Reopen = (table, fresh) => {
  const streams = streamsOfTable.get(table);
  const open = STANDARD.filter((fd) => table.operations[fd] === deviceOperations);
  return streams === undefined || open.length === 0 ? 0 : openDevices(fresh, open, streams);
};

function openDevices(task: Task, fds: readonly number[], streams: StdioStreams): number {
  const mnt = deviceMount(task.kernel) as MountHandle;
  if (mnt < 0) return mnt;
  for (const fd of fds) {
    const file = openDevice(task, mnt, fd, streams);
    if (file < 0) return file;
    task.files.put(fd, file as FileHandle, deviceOperations);
  }
  return 0;
}

/** An open device without a name. @returns its file, or -ENOMEM */
function openDevice(task: Task, mnt: MountHandle, fd: number, streams: StdioStreams): number {
  const { kernel } = task;
  const { core } = kernel;
  task.enter();
  const dentry = core.x.simpleTmpfile(kernel.rootOf(mnt), S_IFCHR | 0o620, DEVICE, kernel.now()) as DentryHandle;
  if (dentry < 0) return -ENOMEM; // what a process has open is no part of a file system that is full
  const inode = new Inode(kernel, new Dentry(kernel, dentry).inode);
  inode.nlink = 1;
  inode.setPrivate(DESCRIPTOR, fd);
  core.u32[(inode.handle << 3) + INODE_RDEV] = TTY_DEV;
  const [flags, mode] = fd === 0 ? [O_RDONLY, FMODE_READ] : [O_WRONLY, FMODE_WRITE];
  const file = core.x.fileOpen(mnt, dentry, flags, mode);
  if (file > 0) devicesOf(core).set(inode.handle, streams);
  core.x.dput(dentry);
  return file;
}

function devicesOf(core: Core): Map<InodeHandle, StdioStreams> {
  const known = streamsOf.get(core) ?? new Map<InodeHandle, StdioStreams>();
  streamsOf.set(core, known);
  return known;
}
