/**
 * Open files of layers: what an overlay's own stand on, and copies are made by.
 *
 * They are opened by the private mount of their layer, whoever the caller is, and do not note accesses: that is the overlay's to do.
 *
 * @see Linux fs/overlayfs/file.c ovl_open_realfile()
 */
import type { DentryHandle, FileHandle, MountHandle } from "../../base/handles.ts";
import { O_CREAT, O_EXCL, O_TRUNC } from "../../base/stat-flags.ts";
import { inodeOfFile } from "../../mm/page.ts";
import type { FileOperations } from "../../vfs/fs-type.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { FILE_COUNT, FMODE_NOATIME } from "../../wasm/layout.ts";
import { inodeOf } from "./layer-names.ts";

export function operationsOf(kernel: Kernel, file: FileHandle): FileOperations {
  return kernel.tableOf(inodeOfFile(kernel.core, file)).file;
}

/** Opens a file of a layer. @returns it with a reference; -ENOMEM; what its file system answers */
export function openLayer(
  kernel: Kernel,
  mnt: MountHandle,
  dentry: DentryHandle,
  flags: number,
  mode: number,
): FileHandle {
  const { core } = kernel;
  const file = core.x.fileOpen(mnt, dentry, flags & ~(O_CREAT | O_EXCL | O_TRUNC), mode | FMODE_NOATIME) as FileHandle;
  if (file < 0) return file;
  const inode = inodeOf(core, dentry);
  const rc = kernel.tableOf(inode).file.open?.(kernel, inode, file) ?? 0;
  if (rc >= 0) return file;
  core.x.filePut(file);
  return rc as FileHandle;
}

/** Closes a file of a layer, unless a mapping has it too. */
export function closeLayer(kernel: Kernel, file: FileHandle): void | Promise<void> {
  const { core } = kernel;
  const isLast = core.u32[(file << 3) + FILE_COUNT] === 1;
  const over = isLast ? operationsOf(kernel, file).release?.(kernel, inodeOfFile(kernel.core, file), file) : undefined;
  if (over === undefined) {
    core.x.filePut(file);
    return undefined;
  }
  return over.then(() => {
    if (kernel.core === core) core.x.filePut(file);
  });
}
