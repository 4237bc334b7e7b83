/**
 * How hostfs asks its store: synchronous calls at once, callback and promise calls by promises, so that the event loop is
 * free. Both ways are the same steps (host-steps.ts), and both kinds of calls may be under way on one mount.
 *
 * Questions  a call that may wait gets -EAGAIN with a token, is made again, and takes the answer: once
 * Changes    answer the promise of what is done in memory when the host has agreed (ADR 24): they are made once
 *
 * A call that is made again walks its path again. So what has been asked since it began is fresh for it, however short ttl
 * is: else it would never come to an end.
 *
 * Does not own: the steps (host-store.ts), what of the answers is kept (host-mount.ts).
 */
import { EAGAIN, EIO } from "../../base/errno.ts";
import type { Progress } from "../../mm/progress.ts";
import type { Answer } from "../../vfs/fs-type.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { runLater, runNow, type Steps } from "./host-steps.ts";

/** What is known of a call that may wait. */
interface Waiting {
  /** Of performance.now(). */
  readonly startMs: number;
  readonly answers: Map<string, unknown>;
}

const waitings = new WeakMap<Progress, Waiting>();

function waitingOf(progress: Progress): Waiting {
  let waiting = waitings.get(progress);
  if (waiting === undefined) {
    waiting = { startMs: performance.now(), answers: new Map() };
    waitings.set(progress, waiting);
  }
  return waiting;
}

/** Has what was known at `ms` (of performance.now()) been asked by the call that is being made? */
export function isOfThisCall({ progress }: Kernel, ms: number): boolean {
  return progress !== undefined && ms >= waitingOf(progress).startMs;
}

/**
 * Asks the store for a value.
 *
 * @param key tells the question from every other that one call may ask
 * @param done is given the answer as soon as it has come, whether or not the call is made again. It looks by itself whether
 *   the kernel still has the memory it was asked for
 * @returns the answer; -EAGAIN with a wait token, then the call is made again
 */
export function ask<T>(
  kernel: Kernel,
  key: string,
  steps: () => Steps<T | number>,
  done?: (answer: T | number) => void,
): T | number {
  const { progress } = kernel;
  if (progress === undefined) {
    const answer = runNow(steps());
    done?.(answer);
    return answer;
  }
  const { answers } = waitingOf(progress);
  const known = answers.get(key) as T | number | undefined;
  if (known !== undefined) {
    answers.delete(key);
    return known;
  }
  const keep = (answer: T | number): void => {
    answers.set(key, answer);
    done?.(answer);
  };
  kernel.setWaitToken(runLater(steps()).then(keep, () => keep(-EIO)));
  return -EAGAIN;
}

/** Asks the store for a change of names. @param commit what it means here, given the answer unless that is an errno */
export function change<T>(kernel: Kernel, steps: () => Steps<T | number>, commit: (answer: T) => number): Answer {
  const finish = (answer: T | number): number =>
    typeof answer === "number" && answer < 0 ? answer : commit(answer as T);
  if (!kernel.mayWait) return finish(runNow(steps()));
  return runLater(steps()).then((answer) => () => finish(answer));
}
