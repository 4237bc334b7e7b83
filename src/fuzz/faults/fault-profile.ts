/** A kind of things that go wrong: how programs of it are drawn, run, made simpler and shown. */

/** What is wrong with what a program has come to. */
export interface FaultProblem {
  readonly text: string;
  /** Alike are those of one kind: to shrink keeps it. */
  readonly kind: string;
  /** Index of the last call that is needed to show it; left out: all are. */
  readonly at?: number;
}

export interface FaultRun {
  readonly problem?: FaultProblem;
  readonly nrCalls: number;
  /** What has failed, was short, or was lost. */
  readonly nrFaults: number;
  /** Pairs of call and errno. */
  readonly pairs?: Iterable<string>;
}

/** @typeParam C a call: plain data, a line of a replay */
export interface FaultProfile<C extends object = object> {
  /** @param n number of the program in its campaign */
  draw(seed: number, n: number): readonly C[];
  /** The same seed and calls come to the same. */
  run(seed: number, calls: readonly C[]): FaultRun | Promise<FaultRun>;
  simpler(call: C): Iterable<C>;
  show(call: C): string;
}
