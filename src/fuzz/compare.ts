/** Runs a program on an oracle and a subject, and finds the first call on which they differ. */
import type { Call, Outcome } from "./call.ts";
import { codeOf } from "./describe.ts";
import { type Known, reasonOf } from "./known.ts";
import type { Runner } from "./oracle.ts";

export interface Difference {
  /** Index of the call; one more than the last where the subject was found broken at the end. */
  readonly at: number;
  readonly expected: string;
  readonly actual: string;
}

export interface Compared {
  readonly calls: readonly Call[];
  readonly expected: readonly Outcome[];
  /** undefined = they do the same, or differ for a reason. */
  readonly difference?: Difference;
  /** Why the program was not followed to its end. */
  readonly reason?: string;
  /** Calls whose outcomes were compared. */
  readonly nrCompared: number;
}

export interface Pair {
  readonly oracle: Runner;
  readonly subject: Runner;
  readonly known: readonly Known[];
}

/** @param expected what the oracle has answered */
export async function compareWith(
  { oracle, subject, known }: Pair,
  calls: readonly Call[],
  expected: readonly Outcome[],
): Promise<Compared> {
  const actual = await subject.run(calls, (index) => expected[index] === null);
  for (let at = 0; at < Math.max(expected.length, actual.length); at++) {
    const [theirs, ours] = [expected[at] ?? "(no outcome)", actual[at] ?? "(no outcome)"];
    if (expected[at] === actual[at] || expected[at] === null) continue;
    const meeting = { call: calls[at], calls, expected: theirs, actual: ours };
    const reason = at < calls.length ? reasonOf(known, subject.name, oracle.name, meeting) : undefined;
    const told = reason === undefined ? { difference: { at, expected: theirs, actual: ours } } : { reason };
    return { calls, expected, nrCompared: at, ...told };
  }
  return { calls, expected, nrCompared: expected.length };
}

export async function compare(pair: Pair, calls: readonly Call[]): Promise<Compared> {
  return compareWith(pair, calls, await pair.oracle.run(calls));
}

/** What two findings have in common that are most likely one fault: the call, and what it came to on either side. */
export function kindOf(calls: readonly Call[], { at, expected, actual }: Difference): string {
  return [calls[at]?.call ?? "end", ...[expected, actual].map(kindOfOutcome)].join(" ");
}

function kindOfOutcome(outcome: string): string {
  return codeOf(outcome) === undefined ? "done" : outcome;
}

/** The two outcomes; of trees the first line that differs. */
export function shownOutcomes({ expected, actual }: Difference): readonly [string, string] {
  const [theirs, ours] = [expected.split("\n"), actual.split("\n")];
  if (theirs.length === 1 && ours.length === 1) return [expected, actual];
  const at = theirs.findIndex((line, i) => line !== ours[i]);
  return at < 0 ? ["(nothing)", ours[theirs.length]] : [theirs[at], ours[at] ?? "(nothing)"];
}
