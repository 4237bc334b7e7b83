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
 * Does not own: what is checked and changed (dir-ops.ts, open.ts), who waits for tokens (node/surfaces.ts).
 */
import { EAGAIN, EIO } from "../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle, MountHandle, SuperBlockHandle } from "../base/handles.ts";
import { Progress } from "../mm/progress.ts";
import { MOUNT_SB, OPERATION_NUMBER, SB_MEMORY, SUPER_BLOCK_FLAGS } from "../wasm/layout.ts";
import type { Answer } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";

const NO_DENTRY = 0 as DentryHandle;
const NO_OPERATION = 0;

/** What a change is about: its operation holds all of it, and locks the directories and what the names stand for. */
export interface Held {
  mnt: MountHandle;
  /** Directory of `dentry`. */
  dir?: DentryHandle;
  dentry?: DentryHandle;
  /** Where a rename takes the name. */
  otherDir?: DentryHandle;
  otherDentry?: DentryHandle;
  /** What changes, where `dentry` does not stand for it. */
  inode?: InodeHandle;
  file?: FileHandle;
  /** A directory gets another parent. One at a time, or two that wait could come to lie in each other. */
  isMove?: boolean;
}

/** The system call that makes a change: what tells that it is tried again. */
export interface Call {
  readonly name: string;
  readonly a: Path | number;
  readonly b?: Path | number;
  /** Takes back what the call has answered when nobody has waited for it: a descriptor. */
  readonly undo?: (result: number) => void;
}

/** A change that a store has been asked for. */
class PendingChange {
  readonly task: Task;
  readonly call: Call;
  /** What the call answers; undefined until the store has. */
  result: number | undefined = undefined;
  isAbandoned = false;
  readonly isMove: boolean;
  token: Promise<void> | undefined = undefined;

  constructor(task: Task, call: Call, held: Held) {
    this.task = task;
    this.call = call;
    this.isMove = held.isMove === true;
  }
}

/** What a callback or promise call waits for, from its first try to its last. */
export class Wait {
  /** Changes that stores have been asked for, and that the call has not come to again. */
  #changes: PendingChange[] | undefined;

  #progress: Progress | undefined;

  /** How far it has come. */
  get progress(): Progress {
    this.#progress ??= new Progress();
    return this.#progress;
  }

  /** @internal */
  add(change: PendingChange): void {
    this.#changes ??= [];
    this.#changes.push(change);
  }

  /** @internal */
  find(task: Task, name: string, a: Path | number, b: Path | number | undefined): PendingChange | undefined {
    return this.#changes?.find(
      ({ task: own, call }) => own === task && call.name === name && isSame(call.a, a) && isSame(call.b, b),
    );
  }

  /** @internal */
  take(change: PendingChange): void {
    this.#changes = this.#changes?.filter((other) => other !== change);
  }

  /** The call is over, or nobody waits for it any more. What it has asked for is done all the same, but nobody keeps a descriptor of it. */
  end(): void {
    this.#progress?.kiocb?.abandon();
    if (this.#changes === undefined) return;
    for (const change of this.#changes) {
      if (change.result === undefined) change.isAbandoned = true;
      else undo(change, change.result);
    }
    this.#changes = undefined;
  }
}

/** What the call that is being made waits with; undefined for synchronous ones. Calls run to their end: one is enough. */
let current: Wait | undefined;

/** How far the call that is being made has come, if it may wait. */
export function currentProgress(): Progress | undefined {
  return current?.progress;
}

/** True while a callback or promise form makes its call: it waits for the token of an -EAGAIN. */
export function mayWait(): boolean {
  return current !== undefined;
}

/** Makes a call that may wait, for the first time or again. @param wait undefined = one that may not */
export function whileWaiting<Q, R>(commit: (request: Q) => R, request: Q, wait: Wait | undefined): R {
  const before = current;
  current = wait;
  try {
    return commit(request);
  } finally {
    current = before;
  }
}

function undo({ call }: PendingChange, result: number): void {
  if (result >= 0) call.undo?.(result);
}

/**
 * What a call that is made again has come to, once.
 *
 * @returns -EAGAIN, with a token, while it is not known; undefined when it is still to be made
 */
export function resultOf(task: Task, name: string, a: Path | number, b?: Path | number): number | undefined {
  const known = current?.find(task, name, a, b);
  if (known === undefined) return undefined;
  if (known.result === undefined) return waitFor(task.kernel, known);
  current?.take(known);
  return known.result;
}

function isSame(a: Path | number | undefined, b: Path | number | undefined): boolean {
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** What has locks, and waits for a store: others wait for its token. */
export interface InFlight {
  readonly token: Promise<void> | undefined;
  readonly isMove: boolean;
}

/** What waits in one kernel for a store, by the number of its operation. */
export type PendingChanges = Map<number, InFlight>;

/** Does a mount's file system live in memory? Then it never waits, and has nobody to ask. */
export function isInMemory({ core: { u32 } }: Kernel, mnt: MountHandle): boolean {
  const sb = (u32[(mnt << 3) + MOUNT_SB] >>> 5) as SuperBlockHandle;
  return (u32[(sb << 3) + SUPER_BLOCK_FLAGS] & SB_MEMORY) !== 0;
}

/**
 * Makes a change in a file system that is not in memory: asks it, and goes on with its answer, at once or when it comes.
 *
 * @param ask the file system's operation, called once
 * @param finish the rest of the call, given the answer: a value >= 0 or a negated errno. It finds all that is held as it
 *   was, but perhaps another task being served
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
  if (inTheWay !== undefined) return waitFor(kernel, inTheWay);
  // What is answered at once needs no record, and so no memory, which there may be none of.
  const reserved = mayWait() ? begin(kernel, held) : NO_OPERATION;
  if (reserved < 0) return reserved;
  const answer = ask();
  if (typeof answer !== "number") {
    const operation = reserved || begin(kernel, held); // the latter for an operation that has not heeded mayWait
    if (operation < 0) return operation;
    return suspend(new PendingChange(task, call, held), operation, answer, finish);
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
  const inTheWay =
    kernel.pendingChanges.size === 0 ? undefined : changeInTheWay(kernel, { mnt: 0 as MountHandle, inode });
  return inTheWay === undefined ? 0 : waitFor(kernel, inTheWay);
}

function waitFor(kernel: Kernel, { token }: InFlight): number {
  kernel.setWaitToken(token as Promise<void>);
  return -EAGAIN;
}

function begin({ core }: Kernel, held: Held): number {
  const { mnt, dir = NO_DENTRY, dentry = NO_DENTRY, otherDir = NO_DENTRY, otherDentry = NO_DENTRY } = held;
  const { inode = 0 as InodeHandle, file = 0 as FileHandle } = held;
  return core.x.operationBegin(mnt, dir, dentry, otherDir, otherDentry, inode, file);
}

function suspend(
  pending: PendingChange,
  operation: number,
  answer: Exclude<Answer, number>,
  finish: (answer: number) => number,
): number {
  const { kernel } = pending.task;
  current?.add(pending);
  const { core, pendingChanges } = kernel;
  const number = core.u32[(operation << 3) + OPERATION_NUMBER];
  const settle = (given: number | (() => number)): void => {
    if (pendingChanges.get(number) !== pending)
      pending.result = -EIO; // the memory it was made in has gone
    else {
      pending.result = finish(typeof given === "function" ? given() : given);
      pendingChanges.delete(number);
      core.x.operationEnd(operation);
      kernel.evictInodes();
      if (pending.isAbandoned) undo(pending, pending.result);
    }
  };
  pending.token = answer.then(settle, () => settle(-EIO));
  pendingChanges.set(number, pending);
  return waitFor(kernel, pending);
}
