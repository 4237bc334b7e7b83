/**
 * What a call is about that takes a path or a descriptor.
 */
import type { InodeHandle, MountHandle } from "../base/handles.ts";
import { LOOKUP_FOLLOW } from "../wasm/layout.ts";
import { fdget, inodeOfFile, mountOfFile } from "./attr.ts";
import { inodeOf, ndDentry, ndMount, standAt, walk } from "./namei.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";

/** A path, its last symbolic link followed or not, or an open file. */
export interface FileTarget {
  readonly path?: Path;
  readonly fd?: number;
  readonly follow: boolean;
}

/** The file, and the mount that it was reached by. */
export interface FoundTarget {
  readonly inode: InodeHandle;
  readonly mnt: MountHandle;
}

/** @returns a negated errno: those of the walk; -EBADF, for a descriptor of O_PATH, too */
export function findTarget(task: Task, { path, fd = -1, follow }: FileTarget): FoundTarget | number {
  const { core } = task.kernel;
  if (path !== undefined) {
    const rc = walk(task, path, follow ? LOOKUP_FOLLOW : 0);
    return rc < 0 ? rc : { inode: inodeOf(core, ndDentry(core)), mnt: ndMount(core) };
  }
  task.enter();
  const file = fdget(task, fd);
  if (!file) return task.files.missing(fd);
  standAt(core, file);
  return { inode: inodeOfFile(core, file), mnt: mountOfFile(core, file) };
}
