/**
 * Derives the three forms of an operation (synchronous, callback, promise) from its two halves.
 *
 * **prepare** checks arguments and throws what Node throws; **commit** runs on system calls and answers a value or a
 * Failure. A request that is committed twice goes on where it stopped: after EAGAIN with a token, the callback and
 * promise forms await the token and commit again; the synchronous form throws EAGAIN.
 *
 * Does not own: when outcomes reach the caller (settle.ts); the few forms with arguments of their own kind, which are
 * written beside their operation.
 */
import { abortError } from "./errors.ts";
import { afterTurn, rejectSoon, resolveSoon, soon1, soon2 } from "./settle.ts";
import { Failure } from "./uv-errors.ts";
import { type Callback, NO_CALLBACK } from "./validators.ts";

/** First argument of every prepare: the caller's callback, to be checked where Node checks it, or NO_CALLBACK. */
export type Prepare<Q> = (callback: unknown, a?: unknown, b?: unknown, c?: unknown, d?: unknown) => Q;

/** One operation: what it asks of its arguments, and what it does. */
export interface Operation<Q, R> {
  prepare: Prepare<Q>;
  /** Argument rules of the promise form where Node's differ. */
  preparePromise?: Prepare<Q>;
  /** Argument rules of the synchronous form where Node's differ. */
  prepareSync?: Prepare<Q>;
  commit(request: Q): R | Failure;
  /** Set when undefined is a result, which callbacks then get as their second argument. */
  givesUndefined?: true;
}

type Form = (a?: unknown, b?: unknown, c?: unknown, d?: unknown) => unknown;
type PromiseForm = (a?: unknown, b?: unknown, c?: unknown) => Promise<unknown>;

function valueOrThrow(outcome: unknown): unknown {
  if (outcome instanceof Failure) throw outcome.toError();
  return outcome;
}

/**
 * Parameters of a form, as its `length` shows them: `1?` has one, and one that may be left out. Written out one by one,
 * since to set `length` afterwards would cost more than all else in making a face.
 */
export type Parameters = 1 | "1?" | 2 | 3;

/** The synchronous form. */
export function deriveSync<Q>(operation: Operation<Q, unknown>, parameters: Parameters): Form {
  const { commit } = operation;
  const prepare = operation.prepareSync ?? operation.prepare;
  switch (parameters) {
    case 1:
      return (a) => valueOrThrow(commit(prepare(NO_CALLBACK, a)));
    case "1?":
      return (a, b = undefined) => valueOrThrow(commit(prepare(NO_CALLBACK, a, b)));
    case 2:
      return (a, b) => valueOrThrow(commit(prepare(NO_CALLBACK, a, b)));
    default:
      return (a, b, c) => valueOrThrow(commit(prepare(NO_CALLBACK, a, b, c)));
  }
}

function signalOf(request: unknown): AbortSignal | undefined {
  return (request as { signal?: AbortSignal | undefined } | undefined)?.signal;
}

/** The promise form: wrong arguments reject, they do not throw. */
export function derivePromise<Q>(operation: Operation<Q, unknown>, parameters: Parameters): PromiseForm {
  const { commit } = operation;
  const prepare = operation.preparePromise ?? operation.prepare;
  function start(a: unknown, b?: unknown, c?: unknown): Promise<unknown> {
    try {
      return commitToPromise(commit, prepare(NO_CALLBACK, a, b, c));
    } catch (error) {
      return rejectSoon(error);
    }
  }
  switch (parameters) {
    case 1:
      return (a) => start(a);
    case "1?":
      return (a, b = undefined) => start(a, b);
    case 2:
      return (a, b) => start(a, b);
    default:
      return (a, b, c) => start(a, b, c);
  }
}

/** Commits a prepared request and answers the promise of its outcome. */
export function commitToPromise<Q, R>(commit: (request: Q) => R | Failure, request: Q): Promise<R> {
  const signal = signalOf(request);
  if (signal !== undefined) return commitUnlessAborted(commit, request, signal);
  const outcome = commit(request);
  if (!(outcome instanceof Failure)) return resolveSoon(outcome);
  if (outcome.token === undefined) return rejectSoon(outcome.toError());
  return waitFor(outcome.token, request).then(() => commitToPromise(commit, request));
}

/** Lets go of what a request holds open when it will not be committed again. */
function abandon(request: unknown): void {
  (request as { abandon?: () => void } | undefined)?.abandon?.();
}

/** The token of a store, with the request let go when the store gives up. */
function waitFor(token: Promise<void>, request: unknown): Promise<void> {
  return token.catch((error) => {
    abandon(request);
    throw error;
  });
}

/** An abort that comes before the outcome is delivered wins, as in Node, though the work is done by then. */
async function commitUnlessAborted<Q, R>(commit: (q: Q) => R | Failure, request: Q, signal: AbortSignal): Promise<R> {
  for (;;) {
    if (signal.aborted) {
      abandon(request);
      throw abortError(signal);
    }
    const outcome = commit(request);
    if (!(outcome instanceof Failure)) {
      await new Promise<void>(afterTurn);
      if (signal.aborted) throw abortError(signal);
      return outcome;
    }
    if (outcome.token === undefined) return rejectSoon(outcome.toError());
    await waitFor(outcome.token, request);
  }
}

/** A result of undefined, on its way to a callback. */
const NOTHING = Symbol("undefined");

function showingUndefined<Q>(commit: (request: Q) => unknown): (request: Q) => unknown {
  return (request) => {
    const outcome = commit(request);
    return outcome === undefined ? NOTHING : outcome;
  };
}

/** Commits a prepared request and hands its outcome to `callback`, later. */
export function commitToCallback<Q>(commit: (request: Q) => unknown, request: Q, callback: Callback): void {
  const signal = signalOf(request);
  if (signal?.aborted) {
    abandon(request);
    soon1(callback as never, abortError(signal));
    return;
  }
  let outcome: unknown;
  try {
    outcome = commit(request);
  } catch (error) {
    // Such as an encoding that only decoding finds wrong.
    soon1(callback as never, error);
    return;
  }
  if (outcome instanceof Failure) failCallback(commit, request, callback, outcome);
  else if (signal !== undefined) afterTurn(() => deliverUnlessAborted(callback, outcome, signal));
  else if (outcome === undefined) soon1(callback as never, null);
  else soon2(callback as never, null, outcome === NOTHING ? undefined : outcome);
}

function failCallback<Q>(commit: (request: Q) => unknown, request: Q, callback: Callback, failure: Failure): void {
  if (failure.token === undefined) soon1(callback as never, failure.toError());
  else {
    const again = (): void => commitToCallback(commit, request, callback);
    void waitFor(failure.token, request).then(again, (error) => soon1(callback as never, error));
  }
}

function deliverUnlessAborted(callback: Callback, outcome: unknown, signal: AbortSignal): void {
  if (signal.aborted) callback(abortError(signal));
  else if (outcome === undefined) callback(null);
  else callback(null, outcome === NOTHING ? undefined : outcome);
}

/** Callback form `(a, callback)`. */
export function deriveCallback1<Q>({ prepare, commit }: Operation<Q, unknown>): Form {
  return (a, callback) => {
    commitToCallback(commit, prepare(callback, a), callback as Callback);
  };
}

/** Callback form `(a, b, callback)`. */
export function deriveCallback2<Q>({ prepare, commit }: Operation<Q, unknown>): Form {
  return (a, b, callback) => {
    commitToCallback(commit, prepare(callback, a, b), callback as Callback);
  };
}

/** Callback form `(a, b, c, callback)`. */
export function deriveCallback3<Q>({ prepare, commit }: Operation<Q, unknown>): Form {
  return (a, b, c, callback) => {
    commitToCallback(commit, prepare(callback, a, b, c), callback as Callback);
  };
}

/** Callback form `(a, [b], callback)`. */
export function deriveOptional2<Q>(operation: Operation<Q, unknown>): Form {
  const { prepare } = operation;
  const commit = operation.givesUndefined ? showingUndefined(operation.commit) : operation.commit;
  return (a, b, callback) => {
    if (typeof b === "function") commitToCallback(commit, prepare(b, a), b as Callback);
    else commitToCallback(commit, prepare(callback, a, b), callback as Callback);
  };
}

/** As deriveOptional2 for the operations whose options have a default in Node, which `length` does not count. */
export function deriveDefaulted2<Q>(operation: Operation<Q, unknown>): Form {
  const call = deriveOptional2(operation);
  return (a, b = undefined, callback = undefined) => call(a, b, callback);
}

/** Callback form `(a, b, [c], callback)`. */
export function deriveOptional3<Q>({ prepare, commit }: Operation<Q, unknown>): Form {
  return (a, b, c, callback) => {
    if (typeof c === "function") commitToCallback(commit, prepare(c, a, b), c as Callback);
    else commitToCallback(commit, prepare(callback, a, b, c), callback as Callback);
  };
}
