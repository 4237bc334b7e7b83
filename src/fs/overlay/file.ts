/**
 * Open files of an overlay: each stands on one of a layer, which does what is asked; the position is the overlay's.
 *
 * One that was opened to be read, and whose file has been copied up since, goes on with the copy. Where the pages are at hand
 * (real-pages.ts) reads need no file of the layer: it is opened when something else is asked.
 *
 * @see Linux fs/overlayfs/file.c ovl_open(), ovl_real_fdget(), ovl_read_iter(), ovl_write_iter()
 */
import { EINVAL, ENXIO, EOPNOTSUPP } from "../../base/errno.ts";
import type { FileHandle, InodeHandle } from "../../base/handles.ts";
import { O_ACCMODE, O_RDWR, O_TRUNC, O_WRONLY, SEEK_DATA, SEEK_HOLE } from "../../base/stat-flags.ts";
import { dentryOfFile, inodeOfFile } from "../../mm/page.ts";
import type { FileOperations } from "../../vfs/fs-type.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { genericFileRead } from "../../vfs/read-write.ts";
import { SLOT } from "../../wasm/core.ts";
import { FILE_FLAGS, FILE_MODE, FILE_PRIVATE0, INODE_MODE, SLOT_STRIPPED } from "../../wasm/layout.ts";
import { ALL_DATA, copyUp } from "./copy-up.ts";
import { dataDentry, flagsOf, OVL_METACOPY, upperOf } from "./entry.ts";
import { copyAttributes } from "./inode.ts";
import { closeLayer, openLayer, operationsOf } from "./layer-file.ts";
import { inodeOf } from "./layer-names.ts";
import { overlayOfInode } from "./layers.ts";
import { dataFileOf } from "./lower-data.ts";
import { iterate, releaseDirectory } from "./readdir.ts";
import { takeRealPages } from "./real-pages.ts";

const NO_FILE = 0 as FileHandle;

/** Opens what has the data of an inode, in its layer. @returns the file with a reference; as dataFileOf(); -ENOMEM; what its file system answers */
function openReal(kernel: Kernel, inode: InodeHandle, flags: number, mode: number): FileHandle {
  const data = dataFileOf(kernel, inode);
  return typeof data === "number" ? (data as FileHandle) : openLayer(kernel, data.mnt, data.dentry, flags, mode);
}

/** The file of the layer behind an open one: another one where it has been copied up since. @returns or a negated errno */
function realFile(kernel: Kernel, file: FileHandle): FileHandle {
  const { core } = kernel;
  const real = core.u32[(file << 3) + FILE_PRIVATE0] as FileHandle;
  const inode = inodeOfFile(kernel.core, file);
  const data = dataDentry(core, inode);
  if (real !== NO_FILE && data !== 0 && inodeOfFile(kernel.core, real) === inodeOf(core, data)) return real;
  const opened = openReal(kernel, inode, core.u32[(file << 3) + FILE_FLAGS], core.u32[(file << 3) + FILE_MODE]);
  if (opened < 0) return opened;
  core.u32[(file << 3) + FILE_PRIVATE0] = opened;
  if (real !== NO_FILE) void closeLayer(kernel, real);
  return opened;
}

/** What has been committed since is read on from its lower layer. Where that cannot be opened yet, the next call does it. */
export function renewFile(kernel: Kernel, file: FileHandle): void {
  if (kernel.core.u32[(file << 3) + FILE_PRIVATE0] !== 0) realFile(kernel, file);
}

/** Not what is opened for neither, with both bits of O_ACCMODE. @see Linux fs/overlayfs/copy_up.c ovl_open_flags_need_copy_up() */
function needsCopyUp(flags: number): boolean {
  const access = flags & O_ACCMODE;
  return access === O_WRONLY || access === O_RDWR || (flags & O_TRUNC) !== 0;
}

/** What is about to be emptied is copied up without its data. Where data are below and are not there nothing is opened. */
function open(kernel: Kernel, inode: InodeHandle, file: FileHandle): number {
  const { core } = kernel;
  const flags = core.u32[(file << 3) + FILE_FLAGS];
  if (!needsCopyUp(flags)) {
    if (takeRealPages(kernel, inode)) return 0;
  } else {
    const dentry = dentryOfFile(core, file);
    const rc = copyUp(kernel, dentry, flags & O_TRUNC ? 0 : ALL_DATA);
    if (rc < 0) return rc;
  }
  return Math.min(0, realFile(kernel, file));
}

function release(kernel: Kernel, _inode: InodeHandle, file: FileHandle): void | Promise<void> {
  const real = kernel.core.u32[(file << 3) + FILE_PRIVATE0] as FileHandle;
  kernel.core.u32[(file << 3) + FILE_PRIVATE0] = 0;
  return real === NO_FILE ? undefined : closeLayer(kernel, real);
}

function read(
  kernel: Kernel,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const { core } = kernel;
  if (takeRealPages(kernel, inodeOfFile(core, file)))
    return genericFileRead(kernel, file, buffer, offset, length, position);
  const real = realFile(kernel, file);
  if (real < 0) return real;
  const pos = position < 0 ? core.filePos(file) : position;
  const n = operationsOf(kernel, real).read?.(kernel, real, buffer, offset, length, pos) ?? -EINVAL;
  if (n < 0) return n;
  if (position < 0 && n > 0) core.setFilePos(file, pos + n);
  core.x.accessed(file);
  return n;
}

function write(
  kernel: Kernel,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const { core } = kernel;
  const real = realFile(kernel, file);
  if (real < 0) return real;
  if (position < 0) core.setFilePos(real, core.filePos(file));
  const n = operationsOf(kernel, real).write?.(kernel, real, buffer, offset, length, position) ?? -EINVAL;
  if (position < 0 && n > 0) core.setFilePos(file, core.filePos(real));
  if (n > 0) written(kernel, inodeOfFile(core, file));
  return n;
}

/** What the upper file is now. Set-ID bits that it has lost, this one has: who watches it is told. */
function written(kernel: Kernel, inode: InodeHandle): void {
  const { u32 } = kernel.core;
  const mode = u32[(inode << 3) + INODE_MODE];
  copyAttributes(kernel, inode);
  if (u32[(inode << 3) + INODE_MODE] !== mode) u32[SLOT + SLOT_STRIPPED] = inode << 5;
}

/** Lower files are not written, and so not synced; a copy without data lies in memory. @see Linux ovl_fsync() */
function fsync(kernel: Kernel, file: FileHandle, dataOnly: boolean, start?: number, end?: number): number {
  const inode = inodeOfFile(kernel.core, file);
  const isWritten = upperOf(kernel.core, inode) && !(flagsOf(kernel.core, inode) & OVL_METACOPY);
  if (!isWritten || overlayOfInode(kernel, inode).options.volatile) return 0;
  const real = realFile(kernel, file);
  return real < 0 ? real : (operationsOf(kernel, real).fsync?.(kernel, real, dataOnly, start, end) ?? -EINVAL);
}

function llseek(kernel: Kernel, file: FileHandle, offset: number, whence: number): number {
  const { x } = kernel.core;
  const real = realFile(kernel, file);
  if (real < 0) return real;
  const own = operationsOf(kernel, real).llseek;
  if (own) return own(kernel, real, offset, whence);
  if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return -EINVAL;
  if (offset < 0) return -ENXIO;
  const inode = inodeOfFile(kernel.core, real);
  return whence === SEEK_DATA ? x.seekData(inode, offset) : x.seekHole(inode, offset);
}

function fallocate(kernel: Kernel, file: FileHandle, mode: number, offset: number, length: number): number {
  const real = realFile(kernel, file);
  if (real < 0) return real;
  const rc = operationsOf(kernel, real).fallocate?.(kernel, real, mode, offset, length) ?? -EOPNOTSUPP;
  if (rc === 0) written(kernel, inodeOfFile(kernel.core, file));
  return rc;
}

function fadvise(kernel: Kernel, file: FileHandle, offset: number, length: number, advice: number): number {
  const real = realFile(kernel, file);
  return real < 0 ? real : (operationsOf(kernel, real).fadvise?.(kernel, real, offset, length, advice) ?? 0);
}

/** Regular files. */
export const fileOperations: FileOperations = Object.freeze<FileOperations>({
  open,
  release,
  read,
  write,
  fsync,
  llseek,
  fallocate,
  fadvise,
  realFile,
});

/** Directories: nothing of them waits to be written. */
export const directoryOperations: FileOperations = Object.freeze<FileOperations>({
  iterate,
  release: releaseDirectory,
  fsync: () => 0,
});
