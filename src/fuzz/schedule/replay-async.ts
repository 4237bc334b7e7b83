/**
 * Replays of schedules: a line of JSON that says what it shows and in which order what was held came, and a call a line.
 */
import { readJsonLines, writeJsonLines } from "../json-lines.ts";
import type { AsyncCall } from "./async-call.ts";
import { ASYNC_MACHINES } from "./machine.ts";
import type { AsyncRun } from "./run-async.ts";
import { runChosen } from "./search-async.ts";

export const SCHEDULE_VERSION = 1;

export interface ScheduleReplay {
  readonly head: {
    readonly schedule: typeof SCHEDULE_VERSION;
    readonly subject: string;
    /** What a person should know of it. */
    readonly about: string;
    /** Of what was held, in the order of names, which came next. */
    readonly choices: readonly number[];
    /** Which calls of the store fail. */
    readonly faultSeed?: number;
  };
  readonly calls: readonly AsyncCall[];
}

export function writeSchedule({ head, calls }: ScheduleReplay): string {
  return writeJsonLines([head, ...calls]);
}

/** @returns undefined where it is a replay of something else @throws Error when it is no replay */
export function readSchedule(text: string): ScheduleReplay | undefined {
  const [head, ...calls] = readJsonLines(text) as [ScheduleReplay["head"]?, ...AsyncCall[]];
  return head?.schedule === SCHEDULE_VERSION ? { head, calls } : undefined;
}

/** Runs it again. @throws Error when there is no such subject */
export function replaySchedule({ head, calls }: ScheduleReplay, isShared = false): Promise<AsyncRun> {
  const make = ASYNC_MACHINES[head.subject] as (typeof ASYNC_MACHINES)[string] | undefined;
  if (make === undefined) throw new Error(`there is no subject ${head.subject} whose waits are held`);
  return runChosen({ make, isShared, faultSeed: head.faultSeed }, calls, head.choices);
}
