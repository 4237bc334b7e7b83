/** A row of bench/async.ts: work that each contender does in turn. */
import type { Contender } from "./contender.ts";

export interface Row {
  readonly name: string;
  /** How many calls a run makes, where the time of one is what is told. */
  nrCalls?(contender: Contender): number;
  /** Makes what is needed in the contender's directory, which is empty. */
  prepare(contender: Contender): void;
  /** @throws when it has not done all of it */
  run(contender: Contender): unknown;
}

/** @throws when a result is not what it has to be */
export function check(actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`${actual}, not ${expected}`);
}
