/** Replays of faults: a line of JSON that says what it shows, on what and by which seed, and a call a line. */
import { readJsonLines, writeJsonLines } from "../json-lines.ts";
import type { FaultProblem } from "./fault-profile.ts";
import { type FaultSetting, faultProfile } from "./fault-profiles.ts";

export const FAULTS_VERSION = 1;

export interface FaultReplay {
  readonly head: {
    readonly faults: typeof FAULTS_VERSION;
    readonly subject: string;
    /** What a person should know of it. */
    readonly about: string;
    /** Of what goes wrong, and when. */
    readonly seed: number;
  };
  readonly calls: readonly object[];
}

export function writeFaults({ head, calls }: FaultReplay): string {
  return writeJsonLines([head, ...calls]);
}

/** @returns undefined where it is a replay of something else @throws Error when it is no replay */
export function readFaults(text: string): FaultReplay | undefined {
  const [head, ...calls] = readJsonLines(text) as [FaultReplay["head"]?, ...object[]];
  return head?.faults === FAULTS_VERSION ? { head, calls } : undefined;
}

/** A line a call, as a person reads it. @throws Error when there is no such subject */
export function showFaults({ head, calls }: FaultReplay): string[] {
  return calls.map(faultProfile(head.subject, {}).show);
}

/** Runs it again. @returns what is still wrong @throws Error when there is no such subject */
export async function replayFaults(
  { head, calls }: FaultReplay,
  setting: FaultSetting = {},
): Promise<FaultProblem | undefined> {
  return (await faultProfile(head.subject, setting).run(head.seed, calls)).problem;
}
