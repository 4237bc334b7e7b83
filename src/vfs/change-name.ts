/**
 * Changes of names: at once where they live in memory, else by asking their store, which may take its time (operation.ts).
 *
 * Does not own: what is checked and changed (dir-ops.ts, open.ts).
 */
import type { DentryHandle } from "../base/handles.ts";
import { RENAME_EXCHANGE } from "../base/stat-flags.ts";
import type { Core } from "../wasm/core.ts";
import type { Answer } from "./fs-type.ts";
import { storeSupport } from "./store-part.ts";
import type { Task } from "./task.ts";
import { type Call, type Held, isInMemory } from "./waiting.ts";

/**
 * Makes a change of names.
 *
 * @param ask the file system's operation, called once
 * @param finish the rest of the call, when that has answered no error; see operation.ts change()
 * @returns what `finish` does, or a negated errno
 */
export function changeName(task: Task, call: Call, held: Held, ask: () => Answer, finish: () => number): number {
  const onAnswer = (answer: number): number => (answer < 0 ? answer : finish());
  return isInMemory(task.kernel, held.mnt)
    ? onAnswer(ask() as number)
    : storeSupport().change(task, call, held, ask, onAnswer);
}

/** Changes the name that a file has. @param flags RENAME_* */
export function moveName(core: Core, dentry: DentryHandle, target: DentryHandle, flags: number): void {
  if (flags & RENAME_EXCHANGE) core.x.dExchange(dentry, target);
  else core.x.dMove(dentry, target);
}
