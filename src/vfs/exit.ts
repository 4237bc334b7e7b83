/**
 * What a task leaves that not all tasks have: mappings, and opens that wait.
 *
 * Does not own: descriptors, and the record of the task (task.ts exit()).
 *
 * @see Linux kernel/exit.c do_exit()
 */
import { SLOT } from "../wasm/core.ts";
import { SLOT_MMAPS } from "../wasm/layout.ts";
import { exitMmap } from "./mmap.ts";
import { exitPipes } from "./pipe.ts";
import type { Task } from "./task.ts";

/** A task ends. */
export function exitTask(task: Task): void {
  if (task.kernel.core.u32[SLOT + SLOT_MMAPS]) exitMmap(task);
  exitPipes(task);
}
