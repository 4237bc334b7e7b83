/**
 * System calls of Linux that Node does not have, by one task: what `fs.kernel.linux` is.
 */
import type { Task } from "../../vfs/task.ts";
import { type AtCalls, atCalls } from "./at.ts";
import { type ChattrCalls, chattrCalls } from "./chattr.ts";
import { type CloneCalls, cloneCalls } from "./clone.ts";
import type { Waits } from "./forms.ts";
import { type LockCalls, lockCalls } from "./locks.ts";
import { type FifoCalls, fifoCalls } from "./mkfifo.ts";
import { type XattrCalls, xattrCalls } from "./xattr.ts";

/** Calls of Linux beyond Node's, each by promise and, with Sync at the end of its name, at once. Its functions need no `this`. */
export type LinuxCalls = XattrCalls & LockCalls & FifoCalls & ChattrCalls & CloneCalls & AtCalls;

const made = new WeakMap<Task, LinuxCalls>();

/** The calls of a task, the same each time. @param Wait and whileWaiting, of the kernel's own bundle */
export function linuxCalls(task: Task, Wait: Waits["Wait"], whileWaiting: Waits["whileWaiting"]): LinuxCalls {
  const known = made.get(task);
  if (known !== undefined) return known;
  const waits: Waits = { Wait, whileWaiting };
  const calls: LinuxCalls = Object.freeze({
    ...xattrCalls(task, waits),
    ...lockCalls(task, waits),
    ...fifoCalls(task, waits),
    ...chattrCalls(task, waits),
    ...cloneCalls(task, waits),
    ...atCalls(task, waits),
  });
  made.set(task, calls);
  return calls;
}
