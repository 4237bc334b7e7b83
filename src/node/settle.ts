/**
 * When results reach the caller of a callback or promise form.
 *
 * The work is done inside the call; only its outcome is put off. A callback never runs before the call returns, and what
 * it throws is an uncaught exception. A promise settles in a microtask. Microtasks and ticks alone would starve timers
 * and sockets, so once the event loop has not turned for 5 ms, the next outcome goes through it; as does every one that
 * may still be aborted.
 */
import { immediate, nextTick, timeout } from "./platform.ts";

const MAX_MS_WITHOUT_TURN = 5;

const { performance: clock } = globalThis;
const now: () => number = clock === undefined ? Date.now : clock.now.bind(clock);

/** Runs `task` in a later turn of the event loop. */
export const afterTurn: (task: () => void) => void = immediate ?? messageChannelScheduler();

/** Browsers have no setImmediate, and their setTimeout waits 4 ms when nested. */
function messageChannelScheduler(): (task: () => void) => void {
  if (typeof MessageChannel === "undefined") return (task) => void timeout(task, 0);
  const tasks: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => tasks.shift()?.();
  return (task) => {
    tasks.push(task);
    port2.postMessage(null);
  };
}

const microtask = globalThis.queueMicrotask;

let isWatching = false;
let turnStart = 0;

function onTurn(): void {
  isWatching = false;
}

/** Whether the event loop has waited long enough for this outcome to go through it. */
function isTurnDue(): boolean {
  if (!isWatching) {
    isWatching = true;
    turnStart = now();
    afterTurn(onTurn);
    return false;
  }
  return now() - turnStart > MAX_MS_WITHOUT_TURN;
}

/** A promise of `value`. */
export function resolveSoon<T>(value: T): Promise<T> {
  if (!isTurnDue()) return Promise.resolve(value);
  return new Promise((resolve) => afterTurn(() => resolve(value)));
}

/** A promise that fails with `error`. */
export function rejectSoon(error: unknown): Promise<never> {
  if (!isTurnDue()) return Promise.reject(error);
  return new Promise((_resolve, reject) => afterTurn(() => reject(error)));
}

type Task = (a?: unknown, b?: unknown, c?: unknown) => void;

/** Runs `task(a)` after the current call has returned, and before the event loop turns. */
export function inTick(task: Task, a: unknown): void {
  if (nextTick !== undefined) nextTick(task, a);
  else microtask(() => task(a));
}

/** Runs `task(a)` after the current call has returned. */
export function soon1(task: Task, a: unknown): void {
  if (isTurnDue()) afterTurn(() => task(a));
  else inTick(task, a);
}

/** Runs `task(a, b)` after the current call has returned. */
export function soon2(task: Task, a: unknown, b: unknown): void {
  if (isTurnDue()) afterTurn(() => task(a, b));
  else if (nextTick !== undefined) nextTick(task, a, b);
  else microtask(() => task(a, b));
}

/** Runs `task(a, b, c)` after the current call has returned. */
export function soon3(task: Task, a: unknown, b: unknown, c: unknown): void {
  if (isTurnDue()) afterTurn(() => task(a, b, c));
  else if (nextTick !== undefined) nextTick(task, a, b, c);
  else microtask(() => task(a, b, c));
}
