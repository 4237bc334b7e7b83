/**
 * Programs during whose every call each allocation of memory fails in turn: a call is done, or it answers ENOMEM or ENOSPC and nothing has
 * changed. A twin on which nothing fails says what that is.
 *
 * A call that has failed is made again, so that what it may have left behind in positions and descriptors shows, too.
 */
import type { Call, TaskSpec } from "../call.ts";
import { codeOf } from "../describe.ts";
import { Twin, type TwinSubject } from "./twin.ts";

export interface AllocationFinding {
  /** Index of the call. */
  readonly at: number;
  /** Which allocation had failed; 0 = none, the call was made after one that had failed. */
  readonly nth: number;
  readonly text: string;
}

export interface AllocationRun {
  readonly finding?: AllocationFinding;
  /** Calls that were made, those that failed included. */
  nrTries: number;
  /** How many of them have failed for want of memory, or were short. */
  nrFailed: number;
  /** Pairs of call and errno. */
  readonly pairs: ReadonlySet<string>;
}

const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
/** What a call that cannot have memory answers. */
const NO_MEMORY = ["ENOMEM", "ENOSPC"];
/** Of one call. */
const MAX_TRIES = 200;
const MS_A_CALL = 10_000;
const MS_A_TRY = 1;
/** Calls of the face that are several system calls: those before the one that fails have been made. Any error is "no" to exists. */
const NOT_FAILED = new Set(["writeFile", "appendFile", "copyFile", "mkdirs", "exists"]);

export interface AllocationOptions {
  readonly subject: TwinSubject;
  readonly tasks: readonly TaskSpec[];
  readonly isShared?: boolean;
  /** Changes what the one on which allocations fail answers: for tests of what finds that. */
  readonly planted?: (twin: Twin, call: Call, nth: number) => void;
}

class Found extends Error {
  readonly finding: AllocationFinding;
  constructor(finding: AllocationFinding) {
    super(finding.text);
    this.finding = finding;
  }
}

export function runAllocations(options: AllocationOptions, calls: readonly Call[]): AllocationRun {
  const run = new Run(options);
  const so = { nrTries: 0, nrFailed: 0, pairs: run.pairs };
  try {
    for (const [at, call] of calls.entries()) run.take(call, at);
    run.compareEnds(calls.length);
  } catch (error) {
    if (!(error instanceof Found)) throw error;
    return { ...so, nrTries: run.nrTries, nrFailed: run.nrFailed, finding: error.finding };
  } finally {
    run.end();
  }
  return { ...so, nrTries: run.nrTries, nrFailed: run.nrFailed };
}

class Run {
  nrTries = 0;
  nrFailed = 0;
  readonly pairs = new Set<string>();
  readonly #failing: Twin;
  readonly #other: Twin;
  readonly #options: AllocationOptions;
  #clock: number;

  constructor(options: AllocationOptions) {
    const { subject, tasks, isShared } = options;
    this.#options = options;
    [this.#failing, this.#other] = [0, 1].map(() => new Twin(subject, tasks, isShared)) as [Twin, Twin];
    this.#clock = this.#other.clock;
  }

  take(call: Call, at: number): void {
    this.#clock += MS_A_CALL;
    for (const twin of [this.#failing, this.#other]) twin.clock = this.#clock;
    if (call.call === "tree") this.#compareTrees(at, 0);
    else if (NOT_FAILED.has(call.call) || this.#isMadeFirst(call))
      this.#compare(call, at, 0, this.#failing.perform(call));
    else this.#takeFailing(call, at);
  }

  /**
   * An overlay makes a file, or copies one that is to be cut without its bytes, before it opens that: where there is no memory for the
   * open file it has been made, or cut, all the same.
   *
   * @see Linux fs/overlayfs/file.c ovl_open()
   */
  #isMadeFirst({ call, args }: Call): boolean {
    return this.#options.subject === "overlay" && call === "open" && (Number(args[2]) & (O_CREAT | O_TRUNC)) !== 0;
  }

  #takeFailing(call: Call, at: number): void {
    for (let nth = 1; ; nth++) {
      if (nth > MAX_TRIES) throw new Found({ at, nth, text: `${call.call} fails for want of memory again and again` });
      this.#failing.clock += MS_A_TRY; // a time that has been touched shows
      const outcome = this.#failing.performFailing(call, nth);
      this.nrTries++;
      this.#options.planted?.(this.#failing, call, nth);
      this.#verify(at, nth);
      const code = codeOf(outcome ?? "");
      if (code === undefined || !NO_MEMORY.includes(code)) {
        this.#other.clock = this.#failing.clock;
        this.#compare(call, at, nth, outcome);
        return;
      }
      this.nrFailed++;
      this.pairs.add(`${call.call} ${code}`);
      this.#compareTrees(at, nth);
    }
  }

  /** All is removed, and nothing is held. */
  compareEnds(at: number): void {
    const [ours, theirs] = [this.#failing, this.#other].map((twin) => twin.counts());
    if (ours !== theirs) throw new Found({ at, nth: 0, text: `at the end there are ${ours}, not ${theirs}` });
    this.#verify(at, 0);
  }

  end(): void {
    this.#failing.end();
    this.#other.end();
  }

  #verify(at: number, nth: number): void {
    try {
      this.#failing.verify();
    } catch (error) {
      throw new Found({ at, nth, text: `memory is broken: ${(error as Error).message}` });
    }
  }

  #compareTrees(at: number, nth: number): void {
    const [ours, theirs] = [this.#failing.tree().split("\n"), this.#other.tree().split("\n")];
    const line = [...ours, ...theirs].findIndex((_, i) => ours[i] !== theirs[i]);
    if (line < 0) return;
    throw new Found({ at, nth, text: `there is ${ours[line] ?? "nothing"}, not ${theirs[line] ?? "nothing"}` });
  }

  /** @param outcome of a call that was not refused for want of memory, or has made a part of what it should */
  #compare(call: Call, at: number, nth: number, outcome: string | null): void {
    const whole = shortened(call, outcome);
    if (whole !== call) this.nrFailed++;
    const expected = this.#other.perform(whole);
    if (expected === outcome) return;
    throw new Found({ at, nth, text: `${call.call} answers ${outcome}, and where no allocation fails ${expected}` });
  }
}

/** The call that does what a short write has done. */
function shortened(call: Call, outcome: string | null): Call {
  const n = Number(outcome);
  if (outcome === null || !/^\d+$/.test(outcome)) return call;
  if (call.call === "write") {
    const [slot, length, ...rest] = call.args;
    return n < Number(length) ? { ...call, args: [slot, n, ...rest] } : call;
  }
  if (call.call !== "writev") return call;
  const [slot, one, two, ...rest] = call.args;
  if (n >= Number(one) + Number(two)) return call;
  const first = Math.min(Number(one), n);
  return { ...call, args: [slot, first, n - first, ...rest] };
}
