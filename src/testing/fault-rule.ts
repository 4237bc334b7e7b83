/**
 * One rule: which calls it is about, and what it has come of them.
 *
 * Does not own: which rule is asked first, and what is done with its answer (faults.ts and below).
 */
import { ENOSPC } from "../base/errno.ts";
import { argTypeError, outOfRangeError } from "../node/errors.ts";
import { type CallName, type FaultCall, toCallName, toErrno } from "./fault-call.ts";
import { type Matcher, shownWhere, toMatcher, type Where } from "./path-pattern.ts";

/** What a rule does to a call: it fails, moves so many bytes at most, or waits. */
export type Answer = { readonly errno: number } | { readonly most: number } | { readonly wait: Promise<unknown> };

/** Which calls a rule is about: all, where nothing is said. */
export interface CallFilter {
  /** One or several system calls, by the names that errors have for them, or by methods that are one call. */
  call?: CallName | (string & {}) | readonly (CallName | (string & {}))[];
  path?: Where;
  /** How often it does something; then it has no effect. Default: as each rule says. */
  times?: number;
}

/** A rule that has been made. */
export class FaultRule {
  /** What it does, in words. */
  readonly description: string;
  readonly #ask: (call: FaultCall) => Answer | undefined;
  readonly #moved: ((call: FaultCall, bytes: number) => void) | undefined;
  readonly #remove: (rule: FaultRule) => void;
  #nrFired = 0;
  #nrLeft: number;

  /** @internal */
  constructor(
    description: string,
    times: number,
    ask: (call: FaultCall) => Answer | undefined,
    remove: (rule: FaultRule) => void,
    moved?: (call: FaultCall, bytes: number) => void,
  ) {
    this.description = description;
    this.#nrLeft = times;
    this.#ask = ask;
    this.#remove = remove;
    this.#moved = moved;
  }

  /** How often it has done something. */
  get fired(): number {
    return this.#nrFired;
  }

  /** Takes it away: it does nothing more. */
  remove(): void {
    this.#remove(this);
  }

  /** @internal What it does to a call, which counts. */
  ask(call: FaultCall): Answer | undefined {
    if (this.#nrLeft <= 0) return undefined;
    const answer = this.#ask(call);
    if (answer === undefined) return undefined;
    this.#nrFired++;
    this.#nrLeft--;
    return answer;
  }

  /** @internal Bytes that a call has moved. */
  moved(call: FaultCall, bytes: number): void {
    this.#moved?.(call, bytes);
  }
}

/** Times that a rule does something. @throws ERR_OUT_OF_RANGE */
export function toTimes(times: unknown, byDefault: number, argument: string): number {
  if (times === undefined) return byDefault;
  if (typeof times !== "number") throw argTypeError(argument, "number", times);
  if (times !== Infinity && !(Number.isSafeInteger(times) && times >= 1))
    throw outOfRangeError(argument, "a whole number >= 1, or Infinity", times);
  return times;
}

/** Bytes. @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
export function toBytesCount(bytes: unknown, least: number, argument: string): number {
  if (typeof bytes !== "number") throw argTypeError(argument, "number", bytes);
  if (!(bytes >= least)) throw outOfRangeError(argument, `>= ${least}`, bytes);
  return bytes;
}

/** The calls of a filter. @param only of these alone */
export function filterOf({ call, path }: CallFilter, only?: readonly CallName[]): Matcher {
  const names = call === undefined ? undefined : [call].flat().map((name) => toCallName(name, "call"));
  const isMeant = toMatcher(path, "path");
  return (one) =>
    (only === undefined || only.includes(one.call)) &&
    (names === undefined || names.includes(one.call)) &&
    isMeant(one);
}

/** A filter in words. */
export function shownFilter({ call, path }: CallFilter): string {
  return `${call === undefined ? "every call" : [call].flat().join(", ")}${shownWhere(path)}`;
}

/** The errno of each call that a filter has, from the `nth` on. */
export function failingFrom(filter: Matcher, nth: number, code: unknown): (call: FaultCall) => Answer | undefined {
  const answer = { errno: toErrno(code, "errno") };
  let nrSeen = 0;
  return (call) => (filter(call) && ++nrSeen >= nth ? answer : undefined);
}

/** At most so many bytes of what is more: `most`, or half of what is asked for. */
export function cuttingTo(filter: Matcher, most: number | undefined): (call: FaultCall) => Answer | undefined {
  return (call) => {
    const { length = 0 } = call;
    const limit = Math.min(most ?? Math.ceil(length / 2), length);
    return limit < length && filter(call) ? { most: limit } : undefined;
  };
}

/** What takes room. */
export const FILLING_CALLS = ["write", "copy_file_range", "fallocate"] as const satisfies CallName[];

/** A disk that takes `bytes` more, and then no more: what crosses the end is cut, what comes then is ENOSPC. */
export class FullDisk {
  #left: number;
  readonly #filter: Matcher;

  constructor(bytes: number, filter: Matcher) {
    this.#left = bytes;
    this.#filter = filter;
  }

  readonly ask = (call: FaultCall): Answer | undefined => {
    if (!this.#filter(call)) return undefined;
    const { length = 0 } = call;
    if (length === 0 || length <= this.#left) return undefined;
    if (this.#left > 0 && call.call !== "fallocate") return { most: this.#left };
    return { errno: ENOSPC };
  };

  readonly moved = (call: FaultCall, bytes: number): void => {
    if (this.#filter(call)) this.#left -= Math.min(this.#left, bytes);
  };
}
