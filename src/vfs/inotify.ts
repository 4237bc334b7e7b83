/**
 * Watches by path, as inotify has them.
 *
 * @see Linux fs/notify/inotify/inotify_user.c inotify_add_watch()
 */
import { LOOKUP_FOLLOW, MAY_READ } from "../wasm/layout.ts";
import { Fsnotify } from "./fsnotify.ts";
import type { Listener, Mark } from "./fsnotify-mark.ts";
import { inodeOf, inodePermission, ndDentry, walk } from "./namei.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";

/** Something that is watched. */
export interface Watch {
  /** One for all who watch the same inode. */
  readonly mark: Mark;
  /** Ends the watch: the listener hears nothing more, not even of what has happened. */
  remove(): void;
}

/**
 * Watches what a path leads to, symbolic links followed.
 *
 * @param mask union of FS_*
 * @param wake as that of Fsnotify
 * @returns errors of the walk; -EACCES for what may not be read
 */
export function inotifyAddWatch(
  task: Task,
  path: Path,
  mask: number,
  listener: Listener,
  wake: (deliver: () => void) => void,
): Watch | number {
  const { kernel } = task;
  const found = walk(task, path, LOOKUP_FOLLOW);
  if (found < 0) return found;
  const inode = inodeOf(kernel.core, ndDentry(kernel.core));
  const denied = inodePermission(kernel, inode, MAY_READ);
  if (denied) return denied;
  const group = kernel.fsnotify ?? new Fsnotify(kernel, wake);
  const mark = group.mark(inode, mask);
  mark.listeners.set(listener, mask);
  return {
    mark,
    remove() {
      mark.listeners.delete(listener);
      if (mark.listeners.size === 0) group.unmark(mark);
    },
  };
}
