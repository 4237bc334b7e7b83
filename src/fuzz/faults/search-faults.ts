/** Campaigns of programs with faults, by one seed after the other. What is wrong is shrunk. */
import { seedOfProgram } from "../campaign.ts";
import { endJob } from "../end-job.ts";
import { onceASecond } from "../once-a-second.ts";
import { SearchClock, type TimeLimit } from "../search-clock.ts";
import { shrink } from "../shrink.ts";
import type { FaultProblem, FaultProfile } from "./fault-profile.ts";
import { type FaultSetting, faultProfile } from "./fault-profiles.ts";

export interface FaultSearchOptions extends FaultSetting, TimeLimit {
  readonly subject: string;
  readonly seed: number;
  /** It ends after so many calls or findings, or when its time is over. */
  readonly maxCalls: number;
  readonly maxFindings: number;
  readonly tell?: (so: FaultProgress) => void;
}

export interface FaultFinding {
  readonly seed: number;
  readonly text: string;
  /** Shrunk. */
  readonly calls: readonly object[];
  /** A line a call. */
  readonly lines: readonly string[];
}

export interface FaultProgress {
  nrPrograms: number;
  nrCalls: number;
  /** Calls that have failed or were short; blocks that were not the last that had been written. */
  nrFaults: number;
  ms: number;
  readonly pairs: ReadonlySet<string>;
  readonly findings: readonly FaultFinding[];
}

const MAX_SHRINK_TRIES = 300;

/** @throws Error when there is no such subject */
export async function searchFaults(options: FaultSearchOptions): Promise<FaultProgress> {
  const { subject, seed: first, maxCalls, maxFindings } = options;
  const profile = faultProfile(subject, options);
  const tell = onceASecond(options.tell);
  const pairs = new Set<string>();
  const findings: FaultFinding[] = [];
  const so: FaultProgress = { nrPrograms: 0, nrCalls: 0, nrFaults: 0, ms: 0, pairs, findings };
  const clock = new SearchClock(options);
  for (let n = 0; so.nrCalls < maxCalls && findings.length < maxFindings && !clock.isOver; n++) {
    const seed = seedOfProgram(first, n);
    const calls = profile.draw(seed, n);
    const run = await profile.run(seed, calls);
    so.nrPrograms++;
    so.nrCalls += run.nrCalls;
    so.nrFaults += run.nrFaults;
    for (const pair of run.pairs ?? []) pairs.add(pair);
    if (run.problem !== undefined) findings.push(await shrunk(profile, seed, calls, run.problem, clock));
    so.ms = clock.ms;
    tell(so);
    await endJob();
  }
  return so;
}

async function shrunk(
  profile: FaultProfile,
  seed: number,
  all: readonly object[],
  found: FaultProblem,
  clock: SearchClock,
): Promise<FaultFinding> {
  let best = { calls: all, text: found.text };
  const shows = async (calls: readonly object[]): Promise<boolean> => {
    const { problem } = await profile.run(seed, calls);
    if (problem?.kind !== found.kind) return false;
    const { at = calls.length, text } = problem;
    best = { calls: calls.slice(0, at + 1), text };
    return true;
  };
  await shrink(all, { shows, simpler: profile.simpler, maxTries: MAX_SHRINK_TRIES, isOver: () => clock.isOver });
  return { seed, ...best, lines: best.calls.map(profile.show) };
}
