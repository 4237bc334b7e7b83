/**
 * Two forms of a call that Node does not have: synchronous, and by promise, which waits where a store takes time, or a lock is held.
 */
import type { Path } from "../../vfs/syscalls.ts";
import type { Task } from "../../vfs/task.ts";
import type { Wait, whileWaiting } from "../../vfs/waiting.ts";
import { abortError } from "../errors.ts";
import type { Signal } from "../face/platform-types.ts";
import { rejectSoon, resolveSoon } from "../settle.ts";
import { callSiteOf, fromCaller, type Origin } from "../stacks.ts";
import { Failure, failed } from "../uv-errors.ts";
import { checkAbortSignal, checkFd, checkObject } from "../validators.ts";

/** How calls wait: of the kernel's own bundle, since what is being waited with is known there. */
export interface Waits {
  readonly Wait: typeof Wait;
  readonly whileWaiting: typeof whileWaiting;
}

/** The synchronous form and the promise form. */
export type Forms<Args extends unknown[], R> = readonly [(...args: Args) => R, (...args: Args) => Promise<R>];

type Commit<Q, R> = (request: Q) => R | Failure;

/** A descriptor, or a FileHandle that has it. */
export type Descriptor = number | { readonly fd: number };

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE for what is no descriptor */
export function toFd(given: unknown): number {
  return checkFd(typeof given === "object" && given !== null ? (given as { fd?: unknown }).fd : given);
}

/** What gives up a call that waits. */
export interface Abortable {
  readonly signal?: Signal | undefined;
}

/** The options of a call that may wait. @throws ERR_INVALID_ARG_TYPE */
export function toAbortable(options: unknown = {}): Abortable {
  checkObject(options, "options");
  const { signal } = options as Abortable;
  checkAbortSignal(signal, "options.signal");
  return { signal };
}

/** A token, or the end of the wait when the caller gives up. */
function unlessAborted(token: Promise<void>, signal: Signal | undefined): Promise<void> {
  if (signal === undefined) return token;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve();
    signal.addEventListener("abort", onAbort);
    token.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/**
 * @param prepare checks the arguments, and throws what Node would; a request with a signal is given up when that is aborted, by promise
 * @param commit makes the call; made again when what it has waited for has come
 * @param end the call is over, by whatever way
 */
export function formsOf<Args extends unknown[], Q, R>(
  waits: Waits,
  prepare: (...args: Args) => Q,
  commit: Commit<Q, R>,
  end: (request: Q) => void = () => {},
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
      const call = new PendingCall(waits, prepare(...args), commit, end);
      return call.make(promise);
    } catch (error) {
      return rejectSoon(fromCaller(error, promise)) as Promise<R>;
    }
  };
  return [sync, promise];
}

/** A call by promise, from its first try to its last. */
class PendingCall<Q, R> {
  readonly #waits: Waits;
  readonly #request: Q;
  readonly #commit: Commit<Q, R>;
  readonly #end: (request: Q) => void;
  readonly #wait: Wait;

  constructor(waits: Waits, request: Q, commit: Commit<Q, R>, end: (request: Q) => void) {
    this.#waits = waits;
    this.#request = request;
    this.#commit = commit;
    this.#end = end;
    this.#wait = new waits.Wait();
  }

  /** @param origin what was called: stacks of errors begin at its caller */
  make(origin: Origin): Promise<R> {
    const { signal } = (this.#request ?? {}) as Abortable;
    if (signal?.aborted) {
      this.#over();
      return rejectSoon(abortError(signal, origin)) as Promise<R>;
    }
    let outcome: R | Failure;
    try {
      outcome = this.#waits.whileWaiting(this.#commit, this.#request, this.#wait);
    } catch (error) {
      this.#over();
      throw error;
    }
    if (outcome instanceof Failure && outcome.token !== undefined) {
      const site = callSiteOf(origin);
      return unlessAborted(outcome.token, signal).then(
        () => this.make(site),
        (error) => {
          this.#over();
          throw error;
        },
      );
    }
    this.#over();
    return outcome instanceof Failure ? (rejectSoon(outcome.toError(origin)) as Promise<R>) : resolveSoon(outcome);
  }

  #over(): void {
    this.#wait.end();
    this.#end(this.#request);
  }
}

/** What a call has answered, or its failure. */
export function orFailed<R>(task: Task, answer: R | number, syscall: string, path?: Path, dest?: Path): R | Failure {
  return typeof answer === "number" && answer < 0 ? failed(task, answer, syscall, path, dest) : (answer as R);
}
