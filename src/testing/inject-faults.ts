/** Faults for any face of node:fs: a foliofs one by its system calls, others by their methods. */
import type { Task } from "../vfs/task.ts";
import { wrapFace } from "./face-faults.ts";
import { type Clock, checkClock, Faults } from "./faults.ts";
import { hookTask } from "./task-faults.ts";

/** How faults are made. */
export interface InjectOptions {
  /** What delays are made with. `globalThis` unless said otherwise: fake timers work. */
  clock?: Clock;
  /** The kernel of a foliofs face that may look into the task: for faces of users, which may not. */
  kernel?: { taskOf(face: never): unknown };
}

interface WithKernel {
  readonly kernel?: { taskOf?(face: unknown): Task };
}

/**
 * Puts a face of node:fs under faults, of which there are none at first.
 *
 * A foliofs face is taken in hand itself: `faults.fs` is that face, and rules act on the system calls that its methods make. Any other
 * face (node:fs, memfs) stays as it is: `faults.fs` is a new one around it, and rules act on its methods (docs/testing.md).
 *
 * @throws ERR_INVALID_STATE when the face has faults already; EPERM for a user's foliofs face without `options.kernel`
 */
export function injectFaults<Fs extends object>(fs: Fs, options: InjectOptions = {}): Faults<Fs> {
  const clock = options.clock ?? { setTimeout: (callback, ms) => globalThis.setTimeout(callback, ms) };
  checkClock(clock);
  const kernel = (options.kernel as WithKernel["kernel"]) ?? (fs as WithKernel).kernel;
  if (typeof kernel?.taskOf !== "function") return new Faults((faults) => wrapFace(fs, faults), clock);
  const task = kernel.taskOf(fs);
  return new Faults((faults) => ({ fs, uninstall: hookTask(task, faults as Faults) }), clock);
}
