/**
 * What callback and promise calls wait with: the changes that stores have been asked for, how far the call has come.
 *
 * Does not own: how a store is asked (operation.ts), who waits for tokens (node/surfaces.ts).
 */
import { EAGAIN } from "../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle, MountHandle } from "../base/handles.ts";
import type { Progress } from "../mm/progress.ts";
import type { Kernel } from "./kernel.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";

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
export class PendingChange {
  readonly task: Task;
  readonly call: Call;
  /** What the call answers; undefined until the store has. */
  result: number | undefined = undefined;
  isAbandoned = false;
  readonly isMove: boolean;
  /** Held until the change is made. */
  readonly mnt: MountHandle;
  token: Promise<void> | undefined = undefined;

  constructor(task: Task, call: Call, held: Held) {
    this.task = task;
    this.call = call;
    this.isMove = held.isMove === true;
    this.mnt = held.mnt;
  }
}

/** What a callback or promise call waits for, from its first try to its last. */
export class Wait {
  /** Changes that stores have been asked for, and that the call has not come to again. */
  #changes: PendingChange[] | undefined;

  /** What it has under way, where it moves data. */
  progress: Progress | undefined;

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
    this.progress?.kept?.end();
    this.progress?.writer?.letGo();
    if (this.#changes === undefined) return;
    for (const change of this.#changes) {
      if (change.result === undefined) change.isAbandoned = true;
      else undo(change, change.result);
    }
    this.#changes = undefined;
  }
}

/** Calls run to their end: one is enough. */
let current: Wait | undefined;

/** What the call that is being made waits with; undefined for synchronous ones. File systems find it at the kernel. */
export function currentWait(): Wait | undefined {
  return current;
}

/** Makes a call that may wait, for the first time or again. @param wait undefined = one that may not */
export function whileWaiting<Q, R>(commit: (request: Q) => R, request: Q, wait: Wait | undefined): R {
  const before = current;
  current = wait;
  const after = wait?.progress?.kept?.lend();
  try {
    return commit(request);
  } finally {
    current = before;
    after?.();
  }
}

export function undo({ call }: PendingChange, result: number): void {
  if (result >= 0) call.undo?.(result);
}

/**
 * What a call that is made again has come to, once.
 *
 * @returns -EAGAIN, with a token, while it is not known; undefined when it is still to be made
 */
export function resultOf(task: Task, name: string, a: Path | number, b?: Path | number): number | undefined {
  const { kernel } = task;
  const known = kernel.wait?.find(task, name, a, b);
  if (known === undefined) return undefined;
  if (known.result === undefined) return waitFor(kernel, known);
  kernel.wait?.take(known);
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
  /** Where it changes something, or reads round the cache: freezing waits for it. */
  readonly mnt: MountHandle;
  /** The file that is read or written round the cache. */
  readonly directInode?: InodeHandle;
  /** The hold of a call that writes: what it changes is known by itself. */
  readonly isHold?: boolean;
}

/** What waits in one kernel for a store, by the number of its operation; what has no locks by itself. */
export type PendingChanges = Map<number | object, InFlight>;

/** Waits for a change that is under way. @returns -EAGAIN, with its token */
export function waitFor(kernel: Kernel, { token }: InFlight): number {
  kernel.setWaitToken(token as Promise<void>);
  return -EAGAIN;
}
