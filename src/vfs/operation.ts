/**
 * Changes of names and attributes that may have to wait for a store. The store is asked once, and when it has answered the
 * change is made, whoever has given up waiting by then.
 *
 *   first try    walk, checks, locks (assembly/fs/operation.ts); the store is asked: -EAGAIN, with a token
 *   the answer   runs the rest of the call with all that is held, keeps what it answers, and lets go
 *   next try     the same system call of the same task: finds that answer, and takes it
 *
 * Who meets the lock of a change that waits has changed nothing, gets -EAGAIN with that change's token, and tries again.
 * Synchronous calls cannot wait: file systems are told (Kernel.mayWait), and answer at once or not at all.
 *
 * Part of what file systems with a store bring with them (store-support.ts).
 *
 * Does not own: what is checked and changed (dir-ops.ts, open.ts), who waits (waiting.ts).
 */
import { EIO } from "../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle, MountHandle } from "../base/handles.ts";
import { OPERATION_NUMBER } from "../wasm/layout.ts";
import { endOperation } from "./drop-file.ts";
import type { Answer } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import type { Task } from "./task.ts";
import { type Call, type Held, type InFlight, PendingChange, undo, waitFor } from "./waiting.ts";

const NO_DENTRY = 0 as DentryHandle;
const NO_FILE = 0 as FileHandle;
const NO_OPERATION = 0;

/**
 * Makes a change in a file system that is not in memory: asks it, and goes on with its answer, at once or when it comes.
 *
 * @param ask the file system's operation, called once
 * @param finish the rest of the call, given the answer: a value >= 0 or a negated errno, or why nobody has been asked (-EAGAIN,
 *   -ENOMEM). It finds all that is held as it was, but perhaps another task being served
 * @returns what `finish` does; -EAGAIN, with a token: it waits for the store, or for another change; -ENOMEM
 */
export function change(
  task: Task,
  call: Call,
  held: Held,
  ask: () => Answer,
  finish: (answer: number) => number,
): number {
  const { kernel } = task;
  const inTheWay = changeInTheWay(kernel, held);
  if (inTheWay !== undefined) return finish(waitFor(kernel, inTheWay));
  // What is answered at once needs no record, and so no memory, which there may be none of.
  const reserved = kernel.mayWait ? begin(kernel, held) : NO_OPERATION;
  if (reserved < 0) return finish(reserved);
  const answer = ask();
  if (typeof answer !== "number") {
    const operation = reserved || begin(kernel, held); // the latter for an operation that has not heeded mayWait
    if (operation < 0) return finish(operation);
    return suspend(new PendingChange(task, call, held), operation, answer, finish, held.file);
  }
  const result = finish(answer);
  if (reserved !== NO_OPERATION) kernel.core.x.operationEnd(reserved);
  return result;
}

/** What has a lock which this change would take. */
function changeInTheWay({ core, pendingChanges }: Kernel, held: Held): InFlight | undefined {
  if (pendingChanges.size === 0) return undefined;
  if (held.isMove) for (const pending of pendingChanges.values()) if (pending.isMove) return pending;
  const { dir = NO_DENTRY, dentry = NO_DENTRY, otherDir = NO_DENTRY, otherDentry = NO_DENTRY } = held;
  const number = core.x.operationInTheWay(dir, dentry, otherDir, otherDentry, held.inode ?? (0 as InodeHandle)) >>> 0;
  return pendingChanges.get(number);
}

/**
 * As a change does: names are looked up in a directory only while none of them waits to change, and the data of a file changes
 * only while no write to it waits. @returns 0 or -EAGAIN
 */
export function waitForInode(kernel: Kernel, inode: InodeHandle): number {
  const inTheWay = changeInTheWay(kernel, { mnt: 0 as MountHandle, inode });
  return inTheWay === undefined ? 0 : waitFor(kernel, inTheWay);
}

function begin({ core }: Kernel, held: Held): number {
  const { mnt, dir = NO_DENTRY, dentry = NO_DENTRY, otherDir = NO_DENTRY, otherDentry = NO_DENTRY } = held;
  const { inode = 0 as InodeHandle, file = NO_FILE } = held;
  return core.x.operationBegin(mnt, dir, dentry, otherDir, otherDentry, inode, file);
}

function suspend(
  pending: PendingChange,
  operation: number,
  answer: Exclude<Answer, number>,
  finish: (answer: number) => number,
  file: FileHandle | undefined,
): number {
  const { kernel } = pending.task;
  kernel.wait?.add(pending);
  const { core, pendingChanges } = kernel;
  const number = core.u32[(operation << 3) + OPERATION_NUMBER];
  const settle = (given: number | (() => number)): void => {
    if (pendingChanges.get(number) !== pending)
      pending.result = -EIO; // the memory it was made in has gone
    else {
      pending.result = finish(typeof given === "function" ? given() : given);
      pendingChanges.delete(number);
      endOperation(kernel, operation, file ?? NO_FILE);
      if (pending.isAbandoned) undo(pending, pending.result);
    }
  };
  pending.token = answer.then(settle, () => settle(-EIO));
  pendingChanges.set(number, pending);
  return waitFor(kernel, pending);
}
