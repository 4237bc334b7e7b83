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
import { Wait, whileWaiting } from "../vfs/waiting.ts";
import { abortError } from "./errors.ts";
import { afterTurn, rejectSoon, resolveSoon, soon1, soon2 } from "./settle.ts";
import { callSiteOf, fromCaller, type Origin, withinForm } from "./stacks.ts";
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

type Form = (a?: unknown, b?: unknown, c?: unknown, d?: unknown, e?: unknown) => unknown;
type PromiseForm = (a?: unknown, b?: unknown, c?: unknown) => Promise<unknown>;

function valueOrThrow(outcome: unknown, form: Form): unknown {
  if (outcome instanceof Failure) throw outcome.toError(form);
  return outcome;
}

/**
 * Parameters of a form, as its `length` shows them: `1?` has one, and one that may be left out. Written out one by one,
 * since to set `length` afterwards would cost more than all else in making a face.
 */
export type Parameters = 1 | "1?" | 2 | "2?" | 3 | "3?" | 4 | 5;

type Run = (form: Form, a: unknown, b?: unknown, c?: unknown, d?: unknown, e?: unknown) => unknown;

/** A function of as many parameters that hands itself on with them: errors begin at its caller. */
function formOf(run: Run, parameters: Parameters): Form {
  switch (parameters) {
    case 1: {
      const form: Form = (a) => run(form, a);
      return form;
    }
    case "1?": {
      const form: Form = (a, b = undefined) => run(form, a, b);
      return form;
    }
    case 2: {
      const form: Form = (a, b) => run(form, a, b);
      return form;
    }
    case "2?": {
      const form: Form = (a, b, c = undefined) => run(form, a, b, c);
      return form;
    }
    case 3: {
      const form: Form = (a, b, c) => run(form, a, b, c);
      return form;
    }
    case "3?": {
      const form: Form = (a, b, c, d = undefined) => run(form, a, b, c, d);
      return form;
    }
    case 4: {
      const form: Form = (a, b, c, d) => run(form, a, b, c, d);
      return form;
    }
    default: {
      const form: Form = (a, b, c, d, e) => run(form, a, b, c, d, e);
      return form;
    }
  }
}

/** The synchronous form. */
export function deriveSync<Q>(operation: Operation<Q, unknown>, parameters: Parameters): Form {
  const { commit } = operation;
  const prepare = operation.prepareSync ?? operation.prepare;
  return formOf((form, a, b, c) => {
    try {
      const request = prepare(NO_CALLBACK, a, b, c);
      const outcome = commit(request);
      if (outcome instanceof Failure) abandon(request);
      return valueOrThrow(outcome, form);
    } catch (error) {
      throw fromCaller(error, form);
    }
  }, parameters);
}

/** A synchronous function as a form: what it throws begins at its caller. */
export function beginAtCaller(call: Form, parameters: Parameters): Form {
  return formOf((form, a, b, c, d, e) => withinForm(form, () => call(a, b, c, d, e)), parameters);
}

function signalOf(request: unknown): AbortSignal | undefined {
  return (request as { signal?: AbortSignal | undefined } | undefined)?.signal;
}

/** The body of a promise form, as `form` was called: wrong arguments reject, they do not throw. */
export function startPromise<Q>(operation: Operation<Q, unknown>) {
  const { commit } = operation;
  const prepare = operation.preparePromise ?? operation.prepare;
  return (form: Form, a: unknown, b?: unknown, c?: unknown): Promise<unknown> => {
    try {
      return commitToPromise(commit, prepare(NO_CALLBACK, a, b, c), form);
    } catch (error) {
      return rejectSoon(fromCaller(error, form));
    }
  };
}

/** The promise form. */
export function derivePromise<Q>(operation: Operation<Q, unknown>, parameters: Parameters): PromiseForm {
  return formOf(startPromise(operation), parameters) as PromiseForm;
}

/**
 * Commits a prepared request and answers the promise of its outcome.
 *
 * @param origin what was called: stacks of errors begin at its caller
 * @param wait what it has waited for before
 */
export function commitToPromise<Q, R>(
  commit: (q: Q) => R | Failure,
  request: Q,
  origin: Origin,
  wait: Wait = new Wait(),
): Promise<R> {
  const signal = signalOf(request);
  if (signal !== undefined) return commitUnlessAborted(commit, request, signal, callSiteOf(origin));
  const outcome = whileWaiting(commit, request, wait);
  if (outcome instanceof Failure && outcome.token !== undefined) {
    const site = callSiteOf(origin);
    return waitFor(outcome.token, request).then(() => commitToPromise(commit, request, site, wait));
  }
  wait.end();
  return outcome instanceof Failure ? rejectSoon(outcome.toError(origin)) : resolveSoon(outcome);
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

/** The token of a store, or the end of the wait when the caller gives up. */
function waitUnlessAborted(token: Promise<void>, request: unknown, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    const onAbort = (): void => resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    void waitFor(token, request).then(
      () => end(resolve),
      (error) => end(() => reject(error)),
    );
  });
}

/** An abort that comes before the outcome is delivered wins, as in Node, though the work is done by then. */
async function commitUnlessAborted<Q, R>(
  commit: (q: Q) => R | Failure,
  request: Q,
  signal: AbortSignal,
  origin: Origin,
): Promise<R> {
  const wait = new Wait();
  for (;;) {
    if (signal.aborted) {
      abandon(request);
      wait.end();
      throw abortError(signal, origin);
    }
    const outcome = whileWaiting(commit, request, wait);
    if (!(outcome instanceof Failure)) {
      wait.end();
      await new Promise<void>(afterTurn);
      if (signal.aborted) throw abortError(signal, origin);
      return outcome;
    }
    if (outcome.token === undefined) {
      wait.end();
      return rejectSoon(outcome.toError(origin));
    }
    await waitUnlessAborted(outcome.token, request, signal);
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

/**
 * Commits a prepared request and hands its outcome to `callback`, later.
 *
 * @param origin what was called: stacks of errors begin at its caller
 * @param wait what it has waited for before
 */
export function commitToCallback<Q>(
  commit: (request: Q) => unknown,
  request: Q,
  callback: Callback,
  origin: Origin,
  wait: Wait = new Wait(),
): void {
  const signal = signalOf(request);
  if (signal?.aborted) {
    abandon(request);
    wait.end();
    soon1(callback as never, abortError(signal, origin));
    return;
  }
  let outcome: unknown;
  try {
    outcome = whileWaiting(commit, request, wait);
  } catch (error) {
    // Such as an encoding that only decoding finds wrong.
    soon1(callback as never, fromCaller(error, origin));
    return;
  }
  if (outcome instanceof Failure && outcome.token !== undefined) {
    commitAgain(commit, request, callback, outcome.token, callSiteOf(origin), wait);
    return;
  }
  wait.end();
  if (outcome instanceof Failure) soon1(callback as never, outcome.toError(origin));
  else if (signal !== undefined) deliverUnlessAborted(callback, outcome, signal, callSiteOf(origin));
  else if (outcome === undefined) soon1(callback as never, null);
  else soon2(callback as never, null, outcome === NOTHING ? undefined : outcome);
}

function commitAgain<Q>(
  commit: (request: Q) => unknown,
  request: Q,
  callback: Callback,
  token: Promise<void>,
  site: Origin,
  wait: Wait,
): void {
  const signal = signalOf(request);
  const again = (): void => commitToCallback(commit, request, callback, site, wait);
  const done = signal === undefined ? waitFor(token, request) : waitUnlessAborted(token, request, signal);
  void done.then(again, (error) => soon1(callback as never, error));
}

function deliverUnlessAborted(callback: Callback, outcome: unknown, signal: AbortSignal, origin: Origin): void {
  afterTurn(() => {
    if (signal.aborted) callback(abortError(signal, origin));
    else if (outcome === undefined) callback(null);
    else callback(null, outcome === NOTHING ? undefined : outcome);
  });
}

/** Commits for a callback form that runs: what is wrong with its arguments is thrown. */
function startCallback<Q>(
  commit: (request: Q) => unknown,
  prepare: Prepare<Q>,
  form: Form,
  callback: unknown,
  a: unknown,
  b?: unknown,
  c?: unknown,
): void {
  try {
    commitToCallback(commit, prepare(callback, a, b, c), callback as Callback, form);
  } catch (error) {
    throw fromCaller(error, form);
  }
}

/** Callback form `(a, callback)`. */
export function deriveCallback1<Q>({ prepare, commit }: Operation<Q, unknown>): Form {
  const form: Form = (a, callback) => startCallback(commit, prepare, form, callback, a);
  return form;
}

/** Callback form `(a, b, callback)`. */
export function deriveCallback2<Q>({ prepare, commit }: Operation<Q, unknown>): Form {
  const form: Form = (a, b, callback) => startCallback(commit, prepare, form, callback, a, b);
  return form;
}

/** Callback form `(a, b, c, callback)`. */
export function deriveCallback3<Q>({ prepare, commit }: Operation<Q, unknown>): Form {
  const form: Form = (a, b, c, callback) => startCallback(commit, prepare, form, callback, a, b, c);
  return form;
}

function startOptional2<Q>(operation: Operation<Q, unknown>): Run {
  const { prepare } = operation;
  const commit = operation.givesUndefined ? showingUndefined(operation.commit) : operation.commit;
  return (form, a, b, callback) => {
    if (typeof b === "function") startCallback(commit, prepare, form, b, a);
    else startCallback(commit, prepare, form, callback, a, b);
  };
}

/** Callback form `(a, [b], callback)`. */
export function deriveOptional2<Q>(operation: Operation<Q, unknown>): Form {
  return formOf(startOptional2(operation), 3);
}

/** As deriveOptional2 for the operations whose options have a default in Node, which `length` does not count. */
export function deriveDefaulted2<Q>(operation: Operation<Q, unknown>): Form {
  const start = startOptional2(operation);
  const form: Form = (a, b = undefined, callback = undefined) => start(form, a, b, callback);
  return form;
}

/** Callback form `(a, b, [c], callback)`. */
export function deriveOptional3<Q>({ prepare, commit }: Operation<Q, unknown>): Form {
  const form: Form = (a, b, c, callback) => {
    if (typeof c === "function") startCallback(commit, prepare, form, c, a, b);
    else startCallback(commit, prepare, form, callback, a, b, c);
  };
  return form;
}
