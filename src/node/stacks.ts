/**
 * Where stacks of errors begin: at the line that called the face, with none of ours in between.
 *
 * Each form of a call is the place that it can be told from: V8 leaves out what stands above a given function. An error
 * that comes when that function has long returned (after a wait, or by an abort) gets the stack that was noted when it
 * was called.
 *
 * Does not own: the errors themselves (errors.ts, uv-errors.ts).
 */
type AnyFunction = (...args: never[]) => unknown;
type CaptureStackTrace = (error: object, below: unknown) => void;

const captureStackTrace = (Error as { captureStackTrace?: CaptureStackTrace }).captureStackTrace;

/** A stack that was noted at the call, for what may fail later. */
class CallSite {
  declare stack?: string;
}

/** What an error comes from: the form that was called, if it is still running; else the place where it was called. */
export type Origin = AnyFunction | CallSite;

/** Notes where `origin` is called from. Precondition: a form is on the stack. */
export function callSiteOf(origin: Origin): CallSite {
  if (origin instanceof CallSite) return origin;
  const site = new CallSite();
  captureStackTrace?.(site, origin);
  return site;
}

/**
 * Makes an error whose stack is captured afterwards: the walk up the stack is most of what an error costs, and is saved
 * where V8 lets itself be told so.
 */
export function withoutStack<T>(make: () => T): T {
  if (captureStackTrace === undefined || !Object.getOwnPropertyDescriptor(Error, "stackTraceLimit")?.writable) {
    return make();
  }
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function framesOf({ stack }: CallSite): string {
  const end = typeof stack === "string" ? stack.indexOf("\n") : -1;
  return end < 0 ? "" : (stack as string).slice(end);
}

/** Gives `error` the stack of what called `origin`. @param below a function on the stack, or a call site */
export function captureStack<E extends Error>(error: E, origin: Origin): E {
  if (captureStackTrace === undefined) return error;
  if (origin instanceof CallSite) {
    const value = Error.prototype.toString.call(error) + framesOf(origin);
    Object.defineProperty(error, "stack", { value, writable: true, configurable: true });
  } else captureStackTrace(error, origin);
  return error;
}

type Capture = (error: never, origin: Origin) => unknown;

const Weak = WeakRef;

/** The error made last, and how its stack is captured: it may still be on its way out of the face. Held weakly: its
 * frames hold whatever was called, up to whole file systems. */
let fresh: WeakRef<Error> | undefined;
let captureFresh: Capture | undefined;

/** Remembers an error of ours that has yet to pass the form that was called. */
export function noteError<E extends Error>(error: E, capture: (error: E, origin: Origin) => unknown): E {
  fresh = new Weak(error);
  captureFresh = capture as Capture;
  return error;
}

/**
 * What a form throws: an error of ours begins at the form's caller; one of the user's own (thrown by a getter of the
 * options, say) stays as it is.
 */
export function fromCaller(error: unknown, origin: Origin | undefined): unknown {
  if (origin === undefined || fresh === undefined || fresh.deref() !== error) return error;
  captureFresh?.(error as never, origin);
  fresh = undefined;
  return error;
}

/**
 * Runs the body of a form of the less busy kind: what it throws begins at the form's caller. Busy ones have a try
 * statement of their own in a function apart, for a function with a closure in it pays for that in every call.
 */
export function withinForm<T>(form: Origin, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw fromCaller(error, form);
  }
}
