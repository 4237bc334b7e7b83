/**
 * Rules by which calls of a face fail, are cut short or wait, and the log of what has been called.
 *
 * Does not own: how a face comes to ask (task-faults.ts, face-faults.ts).
 */
import { argTypeError } from "../node/errors.ts";
import { DISPOSE } from "../node/platform.ts";
import { uvCode } from "../node/uv-errors.ts";
import type { FaultCall, LoggedCall } from "./fault-call.ts";
import {
  type Answer,
  type CallFilter,
  cuttingTo,
  FaultRule,
  FILLING_CALLS,
  FullDisk,
  failingFrom,
  filterOf,
  shownFilter,
  toBytesCount,
  toTimes,
} from "./fault-rule.ts";
import { shownWhere, type Where } from "./path-pattern.ts";

/** What comes of a call by all rules together. */
export interface Decision {
  /** Why it fails; 0 = it is made. */
  readonly errno: number;
  /** Most bytes that it moves. */
  readonly most: number;
  /** What it waits for before. */
  readonly wait: Promise<unknown> | undefined;
}

/** What delays need of the time. `globalThis` is one; what is there when a call waits is asked, so timers may be fake. */
export interface Clock {
  setTimeout(callback: () => void, ms: number): unknown;
}

/** How long a call waits: milliseconds, or until a promise settles. */
export type DelayTime = number | ((call: FaultCall) => number | Promise<unknown>);

/** Which call fails, and how. */
export interface NthOptions extends CallFilter {
  /** Code of the error: "ENOSPC". */
  errno: string;
  /** The first of the calls meant that fails, counted from 1, which is the default. */
  nth?: number;
  /** How many fail from there on: 1 unless said otherwise; Infinity = all. */
  times?: number;
}

/** A full disk. */
export interface DiskFullOptions {
  /** Bytes that go in before: 0 unless said otherwise. What is written over counts, and what is removed does not. */
  after?: number;
  path?: Where;
}

/** What is cut short. */
export interface ShortOptions extends CallFilter {
  /** Most bytes of a call, at least 1; left out: half of what it asks for. */
  most?: number;
}

/** @internal Takes the calls of a face in hand. @returns the face to be used, and what gives the calls back */
export type Install<Fs> = (faults: Faults<Fs>) => { fs: Fs; uninstall: () => void };

/** Faults of one face. */
export class Faults<Fs = unknown> {
  /** The face to give to the program. */
  readonly fs: Fs;
  /** What has been called since the start or clear(), oldest first. */
  readonly calls: LoggedCall[] = [];
  #rules: FaultRule[] = [];
  readonly #clock: Clock;
  readonly #uninstall: () => void;
  #isRestored = false;

  /** @internal */
  constructor(install: Install<Fs>, clock: Clock) {
    this.#clock = clock;
    const { fs, uninstall } = install(this);
    this.fs = fs;
    this.#uninstall = uninstall;
  }

  /** Rules that are in force, in the order in which they are asked: that in which they have been made. */
  get rules(): readonly FaultRule[] {
    return [...this.#rules];
  }

  /**
   * Fails one call, or several in a row, of those that the filter means.
   *
   * @throws ERR_INVALID_ARG_VALUE for unknown calls and codes; ERR_OUT_OF_RANGE for `nth` and `times`
   */
  failNth(options: NthOptions): FaultRule {
    const nth = toTimes(options.nth, 1, "nth");
    const times = toTimes(options.times, 1, "times");
    const ask = failingFrom(filterOf(options), nth, options.errno);
    return this.#add(`${options.errno} for ${shownFilter(options)}, from number ${nth} on`, times, ask);
  }

  /** Fails all calls about a path, or as many as `times` says. @throws as failNth() */
  failWhen(where: Where, errno: string, options: Pick<CallFilter, "call" | "times"> = {}): FaultRule {
    const filter = { call: options.call, path: where };
    const times = toTimes(options.times, Infinity, "times");
    return this.#add(`${errno} for ${shownFilter(filter)}`, times, failingFrom(filterOf(filter), 1, errno));
  }

  /**
   * Has callback and promise calls wait before they are made. Synchronous ones are made at once.
   *
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE; ERR_INVALID_ARG_VALUE for unknown calls
   */
  delay(time: DelayTime, options: CallFilter = {}): FaultRule {
    if (typeof time !== "function") toBytesCount(time, 0, "time");
    const filter = filterOf(options);
    const shown = typeof time === "number" ? `${time} ms` : "a wait";
    return this.#add(`${shown} before ${shownFilter(options)}`, toTimes(options.times, Infinity, "times"), (call) =>
      filter(call) ? { wait: this.#waitOf(time, call) } : undefined,
    );
  }

  /**
   * Has the disk full after so many bytes: the write that crosses the end is cut short, those after it are ENOSPC, as are copies and
   * fallocate. To make room, remove the rule.
   *
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
   */
  diskFull(options: DiskFullOptions = {}): FaultRule {
    const bytes = toBytesCount(options.after ?? 0, 0, "after");
    const disk = new FullDisk(bytes, filterOf({ path: options.path }, FILLING_CALLS));
    return this.#add(`disk full after ${bytes} bytes${shownWhere(options.path)}`, Infinity, disk.ask, disk.moved);
  }

  /** Cuts writes short. @throws as failNth(); ERR_OUT_OF_RANGE for `most` */
  shortWrites(options: ShortOptions = {}): FaultRule {
    return this.#short("write", options);
  }

  /** Cuts reads short, as pipes and network file systems do. @throws as shortWrites() */
  shortReads(options: ShortOptions = {}): FaultRule {
    return this.#short("read", options);
  }

  /** Rules that have never done anything: mostly a mistake of the test. */
  unused(): FaultRule[] {
    return this.#rules.filter(({ fired }) => fired === 0);
  }

  /** @throws Error that names the rules that have never done anything */
  assertUsed(): void {
    const unused = this.unused().map(({ description }) => `\n  ${description}`);
    if (unused.length > 0) throw new Error(`foliofs: rules that have never done anything:${unused.join("")}`);
  }

  /** Takes all rules away, and empties the log. */
  clear(): void {
    this.#rules = [];
    this.calls.length = 0;
  }

  /** Ends it all: calls are as they were before. The log stays. */
  restore(): void {
    this.#rules = [];
    if (this.#isRestored) return;
    this.#isRestored = true;
    this.#uninstall();
  }
  [DISPOSE](): void {
    this.restore();
  }

  /** @internal What is to come of a call, which counts with this. */
  decide(call: FaultCall): Decision {
    let errno = 0;
    let most = Infinity;
    const waits: Promise<unknown>[] = [];
    for (const rule of this.#rules) {
      const answer = rule.ask(call);
      if (answer === undefined) continue;
      if ("wait" in answer) waits.push(answer.wait);
      else if ("most" in answer) most = Math.min(most, answer.most);
      else {
        errno = answer.errno;
        break;
      }
    }
    return { errno, most, wait: waits.length > 0 ? Promise.all(waits) : undefined };
  }

  /** @internal What has come of a call. @param result what it has answered, a negated errno if it has failed */
  note(call: FaultCall, result: number, isInjected: boolean): void {
    const hasResult = call.length !== undefined || (call.call === "open" && result > 0);
    this.calls.push(
      result < 0
        ? { ...call, outcome: uvCode(result), isInjected }
        : { ...call, outcome: "ok", ...(hasResult && { result }), isInjected },
    );
    if (result > 0 && call.length !== undefined) for (const rule of this.#rules) rule.moved(call, result);
  }

  #add(
    description: string,
    times: number,
    ask: (call: FaultCall) => Answer | undefined,
    moved?: (call: FaultCall, bytes: number) => void,
  ): FaultRule {
    const remove = (rule: FaultRule): void => {
      this.#rules = this.#rules.filter((other) => other !== rule);
    };
    const rule = new FaultRule(description, times, ask, remove, moved);
    this.#rules.push(rule);
    return rule;
  }

  #short(call: "write" | "read", options: ShortOptions): FaultRule {
    const most = options.most === undefined ? undefined : toBytesCount(options.most, 1, "most");
    const filter = filterOf(options, [call]);
    const description = `short ${call}s${most === undefined ? "" : ` of ${most} bytes`}${shownWhere(options.path)}`;
    return this.#add(description, toTimes(options.times, Infinity, "times"), cuttingTo(filter, most));
  }

  #waitOf(time: DelayTime, call: FaultCall): Promise<unknown> {
    const asked = typeof time === "function" ? time(call) : time;
    if (typeof asked !== "number") return Promise.resolve(asked);
    return new Promise<void>((resolve) => this.#clock.setTimeout(resolve, asked));
  }
}

/** @throws ERR_INVALID_ARG_TYPE */
export function checkClock(clock: unknown): asserts clock is Clock {
  if (typeof (clock as Clock | undefined)?.setTimeout !== "function")
    throw argTypeError("options.clock", "Clock", clock);
}
