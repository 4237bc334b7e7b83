/**
 * Work that is many calls, written once for all three forms: a generator that yields each call, and the two ways to run
 * it. Where a store has to answer first, the synchronous way fails with EAGAIN and the other waits and makes the same
 * call again.
 */
import { Wait, whileWaiting } from "../../vfs/waiting.ts";
import { callSiteOf, fromCaller, type Origin } from "../stacks.ts";
import { Failure } from "../uv-errors.ts";

/** One call: its value, or its Failure. */
export type Step = () => unknown;

/** Work in steps. What it throws may be a Failure, which its caller sees as an Error. */
export type Steps<R> = Generator<Step, R, unknown>;

/** Makes a call and answers its outcome, a Failure too. */
export function* outcomeOfStep<R>(step: () => R): Steps<R> {
  return (yield step) as R;
}

/** Makes a call, and ends the work when it fails. */
export function* must<R>(step: () => R): Steps<Exclude<R, Failure>> {
  const outcome = yield step;
  if (outcome instanceof Failure) throw outcome;
  return outcome as Exclude<R, Failure>;
}

function asError(error: unknown, origin: Origin): unknown {
  return error instanceof Failure ? error.toError(origin) : fromCaller(error, origin);
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
async function repeat(step: Step, first: Failure, wait: Wait): Promise<unknown> {
  let outcome: unknown = first;
  while (outcome instanceof Failure && outcome.token !== undefined) {
    await outcome.token;
    outcome = whileWaiting(step, undefined, wait);
  }
  return outcome;
}

function isPromise(outcome: unknown): outcome is PromiseLike<unknown> {
  return typeof (outcome as { then?: unknown } | null | undefined)?.then === "function";
}

/** What a step comes to: known at once, or a promise of it. */
function settle(step: Step): unknown {
  const wait = new Wait();
  const outcome = whileWaiting(step, undefined, wait);
  if (outcome instanceof Failure && outcome.token !== undefined) {
    return repeat(step, outcome, wait).finally(() => wait.end());
  }
  wait.end();
  return outcome;
}

/** Does the work, and waits where it has to: for stores, and for steps that answer promises. */
export async function runWaiting<R>(steps: Steps<R>, form: Origin): Promise<R> {
  const site = callSiteOf(form);
  try {
    let next = steps.next();
    while (!next.done) {
      let outcome: unknown;
      try {
        outcome = settle(next.value);
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
