/**
 * Replay files: a program in lines of JSON, one call a line with what the oracle answered, below a line that says what it shows.
 *
 * The answers are what is right: a replay needs no oracle to be run again.
 */
import type { Call, Outcome, TaskSpec } from "./call.ts";
import type { Difference } from "./compare.ts";
import type { Detail } from "./describe.ts";
import { readJsonLines, writeJsonLines } from "./json-lines.ts";
import type { Runner } from "./oracle.ts";

export const REPLAY_VERSION = 1;

export interface ReplayHead {
  readonly replay: typeof REPLAY_VERSION;
  readonly subject: string;
  readonly oracle: string;
  /** What a person should know of it. */
  readonly about: string;
  readonly tasks: readonly TaskSpec[];
  readonly detail: Detail;
}

export interface Replay {
  readonly head: ReplayHead;
  readonly calls: readonly Call[];
  readonly outcomes: readonly Outcome[];
}

/** Times of "now" are not told in outcomes, so that a replay is as true next year. */
export function writeReplay({ head, calls, outcomes }: Replay): string {
  return writeJsonLines([head, ...calls.map((call, i) => ({ ...call, outcome: outcomes[i] ?? null }))]);
}

/** @throws Error when it is no replay */
export function readReplay(text: string): Replay {
  const [head, ...calls] = readJsonLines(text) as [ReplayHead?, ...(Call & { outcome: Outcome })[]];
  if (head?.replay !== REPLAY_VERSION) throw new Error("it is no replay of this version");
  return {
    head,
    calls: calls.map(({ task, call, args }) => ({ task, call, args })),
    outcomes: calls.map(({ outcome }) => outcome),
  };
}

/** Runs it again. @returns the first call that does not what the replay says */
export async function replayOn(runner: Runner, { calls, outcomes }: Replay): Promise<Difference | undefined> {
  const actual = await runner.run(calls, (index) => outcomes[index] === null);
  for (let at = 0; at < Math.max(calls.length, actual.length); at++) {
    if (actual[at] === outcomes[at]) continue;
    return { at, expected: outcomes[at] ?? "(no outcome)", actual: actual[at] ?? "(no outcome)" };
  }
  return undefined;
}
