/**
 * Two forms of a call that Node does not have: synchronous, and by promise, which waits where a store takes time.
 */

import type { Path } from "../../vfs/syscalls.ts";
import type { Task } from "../../vfs/task.ts";
import { rejectSoon } from "../settle.ts";
import { fromCaller } from "../stacks.ts";
import { commitToPromise } from "../surfaces.ts";
import { Failure, failed } from "../uv-errors.ts";

/** The synchronous form and the promise form. */
export type Forms<Args extends unknown[], R> = readonly [(...args: Args) => R, (...args: Args) => Promise<R>];

/**
 * @param prepare checks the arguments, and throws what Node would
 * @param commit makes the call; made again when what it has waited for has come
 */
export function formsOf<Args extends unknown[], Q, R>(
  prepare: (...args: Args) => Q,
  commit: (request: Q) => R | Failure,
): Forms<Args, R> {
  const sync = (...args: Args): R => {
    try {
      const outcome = commit(prepare(...args));
      if (outcome instanceof Failure) throw outcome.toError(sync);
      return outcome;
    } catch (error) {
      throw fromCaller(error, sync);
    }
  };
  const promise = (...args: Args): Promise<R> => {
    try {
      return commitToPromise(commit, prepare(...args), promise);
    } catch (error) {
      return rejectSoon(fromCaller(error, promise)) as Promise<R>;
    }
  };
  return [sync, promise];
}

/** What a call has answered, or its failure. */
export function orFailed<R>(task: Task, answer: R | number, syscall: string, path?: Path, dest?: Path): R | Failure {
  return typeof answer === "number" && answer < 0 ? failed(task, answer, syscall, path, dest) : (answer as R);
}
