/**
 * Opening what is neither a regular file nor a directory.
 *
 * Does not own: checks before (open.ts mayOpen()), fifos (pipe.ts).
 *
 * @see Linux fs/open.c do_dentry_open(), fs/char_dev.c chrdev_open()
 */
import { ENXIO } from "../base/errno.ts";
import type { DentryHandle, FileHandle, MountHandle } from "../base/handles.ts";
import { inodeOf } from "./namei.ts";
import { fmode } from "./open.ts";
import { openPipe, pipeOperations } from "./pipe.ts";
import { specialOperations } from "./special-file.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";

/**
 * Opens a special file that mayOpen() has nothing against.
 *
 * @returns a descriptor; -ENXIO for sockets, and devices that there are not; those of openPipe(); -ENOMEM; -EMFILE
 */
export function openSpecial(task: Task, path: Path, mnt: MountHandle, dentry: DentryHandle, flags: number): number {
  const { core } = task.kernel;
  const operations = specialOperations(task.kernel, inodeOf(core, dentry));
  if (operations === undefined) return -ENXIO;
  if (operations === pipeOperations) return openPipe(task, path, mnt, dentry, flags);
  const file = core.x.fileOpen(mnt, dentry, flags, fmode(flags)) as FileHandle;
  if (file < 0) return file;
  const fd = task.files.add(file, operations);
  if (fd < 0) core.x.filePut(file);
  return fd;
}
