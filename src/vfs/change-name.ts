/**
 * What becomes of names when their file system has answered, and who watches is told of it.
 *
 * Does not own: what is checked before (dir-ops.ts, open.ts), who watches (fsnotify.ts).
 */
import type { DentryHandle } from "../base/handles.ts";
import { RENAME_EXCHANGE } from "../base/stat-flags.ts";
import type { Core } from "../wasm/core.ts";
import type { Kernel } from "./kernel.ts";

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
