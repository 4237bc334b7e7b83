/**
 * Freezing and thawing by a path, as fsfreeze(8) does.
 *
 * Does not own: what it does (freeze.ts).
 *
 * @see Linux fs/ioctl.c ioctl_fsfreeze(), ioctl_fsthaw()
 */
import { EOPNOTSUPP, EPERM } from "../base/errno.ts";
import { LOOKUP_FOLLOW } from "../wasm/layout.ts";
import { isCapable } from "./attr.ts";
import { freezeSuper, freezeSuperAsync, thawSuper } from "./freeze.ts";
import { inodeOf, ndDentry, walk } from "./namei.ts";
import type { SuperBlock } from "./super-block.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";

/** The file system that a path lies on, for root. @returns errors of the walk; -EPERM */
function superAt(task: Task, path: Path): SuperBlock | number {
  const { core } = task.kernel;
  const found = walk(task, path, LOOKUP_FOLLOW);
  if (found < 0) return found;
  return isCapable(task) ? task.kernel.sbOf(inodeOf(core, ndDentry(core))) : -EPERM;
}

/** As superAt(), of one that can be frozen. @returns also -EOPNOTSUPP */
function freezableAt(task: Task, path: Path): SuperBlock | number {
  const sb = superAt(task, path);
  return typeof sb === "number" || sb.type.superOps?.freezeFs ? sb : -EOPNOTSUPP;
}

/** Freezes at once. @returns 0; errors of the walk; -EPERM; -EOPNOTSUPP without a freezeFs; as freezeSuper() */
export function freeze(task: Task, path: Path): number {
  const sb = freezableAt(task, path);
  return typeof sb === "number" ? sb : freezeSuper(sb);
}

/** As freeze(), once those who write are through. */
export async function freezeAsync(task: Task, path: Path): Promise<number> {
  const sb = freezableAt(task, path);
  return typeof sb === "number" ? sb : freezeSuperAsync(sb);
}

/** @returns 0; errors of the walk; -EPERM; as thawSuper() */
export function thaw(task: Task, path: Path): number {
  const sb = superAt(task, path);
  return typeof sb === "number" ? sb : thawSuper(sb);
}
