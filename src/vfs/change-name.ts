/**
 * Changes of names: how a file system is asked for one, what becomes of names when it has answered, and who watches is told.
 *
 * Does not own: what is checked before (dir-ops.ts, open.ts), who watches (fsnotify.ts).
 */
import type { DentryHandle, MountHandle, SuperBlockHandle } from "../base/handles.ts";
import { RENAME_EXCHANGE } from "../base/stat-flags.ts";
import type { Core } from "../wasm/core.ts";
import { MOUNT_SB, SB_MEMORY, SUPER_BLOCK_FLAGS } from "../wasm/layout.ts";
import type { Answer } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import { storeSupport } from "./store-part.ts";
import type { Task } from "./task.ts";
import type { Call, Held } from "./waiting.ts";

/** Does a mount's file system live in memory? Then it never waits, and has nobody to ask. */
function isInMemory({ core: { u32 } }: Kernel, mnt: MountHandle): boolean {
  const sb = (u32[(mnt << 3) + MOUNT_SB] >>> 5) as SuperBlockHandle;
  return (u32[(sb << 3) + SUPER_BLOCK_FLAGS] & SB_MEMORY) !== 0;
}

/**
 * Makes a change of names: at once in memory, else as the store does it (operation.ts change()).
 *
 * @param ask asks the file system @param finish takes its answer @returns what `finish` does; -EAGAIN; -ENOMEM
 */
export function makeChange(
  task: Task,
  call: Call,
  held: Held,
  ask: () => Answer,
  finish: (answer: number) => number,
): number {
  return isInMemory(task.kernel, held.mnt)
    ? finish(ask() as number)
    : storeSupport().change(task, call, held, ask, finish);
}

/** A name has been made. @param answer of the file system, which is passed on: 0 or a negated errno */
export function nameMade(kernel: Kernel, dentry: DentryHandle, answer: number): number {
  if (answer >= 0) kernel.fsnotify?.created(dentry);
  return answer;
}

/** Drops a name. @param answer as nameMade() */
export function dropName(kernel: Kernel, dentry: DentryHandle, answer: number): number {
  if (answer < 0) return answer;
  if (kernel.fsnotify) kernel.fsnotify.dropName(dentry);
  else kernel.core.x.dDelete(dentry);
  return 0;
}

/** Moves a name, or swaps two. @param flags RENAME_* @param answer as nameMade() */
export function moveName(
  kernel: Kernel,
  dentry: DentryHandle,
  target: DentryHandle,
  flags: number,
  answer: number,
): number {
  if (answer < 0) return answer;
  if (kernel.fsnotify) kernel.fsnotify.moveName(dentry, target, flags);
  else moveDentry(kernel.core, dentry, target, flags);
  return 0;
}

/** As moveName(), whoever watches. */
export function moveDentry(core: Core, dentry: DentryHandle, target: DentryHandle, flags: number): void {
  if (flags & RENAME_EXCHANGE) core.x.dExchange(dentry, target);
  else core.x.dMove(dentry, target);
}
