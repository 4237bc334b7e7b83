/**
 * Work that is many calls, written once for all three forms: a generator that yields each call, and the two ways to run
 * it. Where a store has to answer first, the synchronous way fails with EAGAIN and the other waits and makes the same
 * call again.
 */
import { Wait, type whileWaiting } from "../../vfs/waiting.ts";
import { callSiteOf, fromCaller, type Origin } from "../stacks.ts";
import type { Failure } from "../uv-errors.ts";

/** whileWaiting() of the bundle that the kernel is in, which may be another than this one. */
export type Waiting = typeof whileWaiting;

/** One call: its value, or its Failure. */
export type Step = () => unknown;

/** Work in steps. What it throws may be a Failure, which its caller sees as an Error. */
export type Steps<R> = Generator<Step, R, unknown>;

/** Is it a Failure, of whichever bundle? */
function isFailure(outcome: unknown): outcome is Failure {
  return typeof (outcome as { toError?: unknown } | null | undefined)?.toError === "function";
}

/** Makes a call and answers its outcome, a Failure too. */
export function* outcomeOfStep<R>(step: () => R): Steps<R> {
  return (yield step) as R;
}

/** Makes a call, and ends the work when it fails. */
export function* must<R>(step: () => R): Steps<Exclude<R, Failure>> {
  const outcome = yield step;
  if (isFailure(outcome)) throw outcome;
  return outcome as Exclude<R, Failure>;
}

function asError(error: unknown, origin: Origin): unknown {
  return isFailure(error) ? error.toError(origin) : fromCaller(error, origin);
}

/**
 * Hands what a step throws to the work as a Failure is: it may have something open. @returns the next step
 */
function goOn<R>(steps: Steps<R>, step: Step): IteratorResult<Step, R> {
  let outcome: unknown;
  try {
    outcome = step();
  } catch (error) {
    return steps.throw(error);
  }
  return steps.next(outcome);
}

/** Does the work at once. @param form what was called: errors begin at its caller */
export function runNow<R>(steps: Steps<R>, form: Origin): R {
  try {
    let next = steps.next();
    while (!next.done) next = goOn(steps, next.value);
    return next.value;
  } catch (error) {
    throw asError(error, form);
  }
}

/** Makes a call until its outcome is known. @param wait what it has asked stores for */
async function repeat(step: Step, first: Failure, wait: Wait, waiting: Waiting): Promise<unknown> {
  let outcome: unknown = first;
  while (isFailure(outcome) && outcome.token !== undefined) {
    await outcome.token;
    outcome = waiting(step, undefined, wait);
  }
  return outcome;
}

function isPromise(outcome: unknown): outcome is PromiseLike<unknown> {
  return typeof (outcome as { then?: unknown } | null | undefined)?.then === "function";
}

/** What a step comes to: known at once, or a promise of it. */
function settle(step: Step, waiting: Waiting): unknown {
  const wait = new Wait();
  const outcome = waiting(step, undefined, wait);
  if (isFailure(outcome) && outcome.token !== undefined) {
    return repeat(step, outcome, wait, waiting).finally(() => wait.end());
  }
  wait.end();
  return outcome;
}

/** Does the work, and waits where it has to: for stores, and for steps that answer promises. */
export async function runWaiting<R>(steps: Steps<R>, form: Origin, waiting: Waiting): Promise<R> {
  const site = callSiteOf(form);
  try {
    let next = steps.next();
    while (!next.done) {
      let outcome: unknown;
      try {
        outcome = settle(next.value, waiting);
        if (isPromise(outcome)) outcome = await outcome;
      } catch (error) {
        next = steps.throw(error);
        continue;
      }
      next = steps.next(outcome);
    }
    return next.value;
  } catch (error) {
    throw asError(error, site);
  }
}
