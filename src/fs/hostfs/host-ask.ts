/**
 * How hostfs asks its store: synchronous calls at once, callback and promise calls by promises, so that the event loop is
 * free. Both ways are the same steps (host-steps.ts), and both kinds of calls may be under way on one mount.
 *
 * Questions  a call that may wait gets -EAGAIN with a token and is made again. It finds the answer then, and each time that
 *            it is made again after that, unless something of ours has changed what it is about since it was asked
 * Effects    likewise, and whatever comes between: some calls begin anew each time (copyFile), and find all done that they
 *            have done. So the key of an effect says where it is made, and not by which descriptor
 * Changes    of names and attributes answer the promise of what is done in memory when the host has agreed (ADR 24): who waits
 *            for one walks no path again
 *
 * A call that is made again walks its path again. So what has been asked since it began is fresh for it, however short ttl
 * is: else it would never come to an end.
 *
 * Does not own: the steps (host-store.ts), what of the answers is kept (host-mount.ts).
 */
import { EAGAIN, EIO } from "../../base/errno.ts";
import type { FileHandle } from "../../base/handles.ts";
import type { Progress } from "../../mm/progress.ts";
import type { Answer } from "../../vfs/fs-type.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { runLater, runNow, type Steps } from "./host-steps.ts";
import { moment } from "./moment.ts";

/** What a question is about. */
export interface Subject {
  /** Of moment(): when something of ours has changed it. */
  changedAt: number;
}

interface Kept {
  readonly answer: unknown;
  /** Of moment(). */
  readonly askedAt: number;
}

/** What is known of a call that may wait. */
interface Waiting {
  /** Of performance.now(). */
  readonly startMs: number;
  readonly answers: Map<string, Kept>;
  /** Parts of files at their positions that effects under way are for. */
  readonly taken: Map<FileHandle, { readonly start: number; readonly end: number }>;
}

const waitings = new WeakMap<Progress, Waiting>();

function waitingOf(progress: Progress): Waiting {
  let waiting = waitings.get(progress);
  if (waiting === undefined) {
    waiting = { startMs: performance.now(), answers: new Map(), taken: new Map() };
    waitings.set(progress, waiting);
  }
  return waiting;
}

/** Has what was known at `ms` (of performance.now()) been asked by the call that is being made? */
export function isOfThisCall({ progress }: Kernel, ms: number): boolean {
  return progress !== undefined && ms >= waitingOf(progress).startMs;
}

/**
 * Asks the store a question.
 *
 * @param key tells it from every other that one call may ask; synchronous calls need none
 * @param about what it is about, where we change that; undefined = the answer holds for the whole call
 * @returns the answer; -EAGAIN with a wait token, then the call is made again
 */
export function ask<T>(
  kernel: Kernel,
  key: string | (() => string),
  about: Subject | undefined,
  steps: () => Steps<T | number>,
): T | number {
  const { progress } = kernel;
  if (progress === undefined) return runNow(steps());
  const name = typeof key === "string" ? key : key();
  const kept = waitingOf(progress).answers.get(name);
  if (kept && (about === undefined || about.changedAt < kept.askedAt)) return kept.answer as T | number;
  return waitFor(kernel, progress, name, steps);
}

/**
 * Asks the store for an effect: once in a call. Parameters and answer as of ask().
 *
 * @param done is given the answer as soon as it has come, whether or not the call is made again. It looks by itself whether
 *   the kernel still has the memory it was asked for
 */
export function askOnce<T>(
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
  const kept = waitingOf(progress).answers.get(key);
  return kept ? (kept.answer as T | number) : waitFor(kernel, progress, key, steps, done);
}

/** Has askOnce() an answer for this call already? */
export function isAnswered({ progress }: Kernel, key: string): boolean {
  return progress !== undefined && waitingOf(progress).answers.has(key);
}

/** As askOnce(), but the answer is given once: it is about a buffer that is the call's for this time. */
export function takeOnce<T>(kernel: Kernel, key: string, steps: () => Steps<T | number>): T | number {
  const answer = askOnce(kernel, key, steps);
  const { progress } = kernel;
  if (progress !== undefined && answer !== -EAGAIN) waitingOf(progress).answers.delete(key);
  return answer;
}

/**
 * Where an effect at the position of an open file is made: a call that is made again finds it where it was at first, though
 * the position has been taken, and may have been moved on by others.
 *
 * @param length bytes that are taken
 */
export function takePosition(kernel: Kernel, file: FileHandle, length: number): number {
  const { core, progress } = kernel;
  const known = takenPosition(kernel, file);
  if (known !== undefined) return known;
  const at = core.filePos(file);
  if (progress === undefined) return at;
  waitingOf(progress).taken.set(file, { start: at, end: at + length });
  core.setFilePos(file, at + length);
  return at;
}

/** What takePosition() has answered this call; undefined = it has not, or the file has been opened anew. */
export function takenPosition({ core, progress }: Kernel, file: FileHandle): number | undefined {
  const known = progress && waitingOf(progress).taken.get(file);
  return known && core.filePos(file) >= known.end ? known.start : undefined;
}

/** The effect has been made up to `end`. */
export function leavePosition({ core, progress }: Kernel, file: FileHandle, end: number): void {
  const taken = progress && waitingOf(progress).taken;
  const known = taken?.get(file);
  taken?.delete(file);
  if (!known || core.filePos(file) === known.end) core.setFilePos(file, end);
}

function waitFor<T>(
  kernel: Kernel,
  progress: Progress,
  key: string,
  steps: () => Steps<T | number>,
  done?: (answer: T | number) => void,
): number {
  const { answers } = waitingOf(progress);
  const askedAt = moment();
  const keep = (answer: T | number): void => {
    answers.set(key, { answer, askedAt });
    done?.(answer);
  };
  kernel.setWaitToken(runLater(steps()).then(keep, () => keep(-EIO)));
  return -EAGAIN;
}

/** Asks the store for a change of names or attributes. @param commit what it means here, given the answer unless that is an errno */
export function change<T>(kernel: Kernel, steps: () => Steps<T | number>, commit: (answer: T) => number): Answer {
  const finish = (answer: T | number): number =>
    typeof answer === "number" && answer < 0 ? answer : commit(answer as T);
  if (!kernel.mayWait) return finish(runNow(steps()));
  return runLater(steps()).then((answer) => () => finish(answer));
}
