/** Campaigns of programs with faults, by one seed after the other: allocations that fail, and cuts of power. What is wrong is shrunk. */
import { type Call, ROOT_TASK, showCall, type TaskSpec } from "../call.ts";
import { seedOfProgram } from "../campaign.ts";
import { type Abilities, generate, type Profile } from "../generate.ts";
import { onceASecond } from "../once-a-second.ts";
import { shrink } from "../shrink.ts";
import { simplerCalls } from "../simpler.ts";
import { type AllocationOptions, type AllocationRun, runAllocations } from "./allocations.ts";
import { type CutCall, type CutOptions, runCut } from "./power-cut.ts";
import { TWIN_SUBJECT_NAMES, type TwinSubject } from "./twin.ts";

/** A file system in memory, whose allocations fail; or `power`, a store whose power is cut. */
export const FAULT_SUBJECT_NAMES: readonly string[] = [...TWIN_SUBJECT_NAMES, "power"];

export interface FaultSearchOptions {
  readonly subject: string;
  readonly seed: number;
  readonly profiles: readonly Profile[];
  /** It ends after so many calls, milliseconds or findings. */
  readonly maxCalls: number;
  readonly maxMs: number;
  readonly maxFindings: number;
  readonly isShared?: boolean;
  readonly planted?: AllocationOptions["planted"];
  readonly makeDisk?: CutOptions["makeDisk"];
  readonly tell?: (so: FaultProgress) => void;
}

export interface FaultFinding {
  readonly seed: number;
  readonly text: string;
  /** Shrunk, a line each. */
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

/** Root and a user: permissions are not what is looked for. */
const TASKS: readonly TaskSpec[] = [ROOT_TASK, { uid: 1000, gid: 1000, groups: [] }];
const ABILITIES: Abilities = {
  tasks: TASKS,
  linksOfOthers: true,
  hasTaskState: true,
  isNode26: true,
  tmpfile: true,
  watches: false,
  deeds: false,
};
const CALLS_A_PROGRAM = 40;
const MAX_SHRINK_TRIES = 300;

interface Ran {
  readonly nrCalls: number;
  readonly nrFaults: number;
  readonly pairs?: ReadonlySet<string>;
  readonly finding?: FaultFinding;
}

/** @throws Error when there is no such subject */
export async function searchFaults(options: FaultSearchOptions): Promise<FaultProgress> {
  const { subject, seed: first, maxCalls, maxMs, maxFindings } = options;
  const tell = onceASecond(options.tell);
  if (!FAULT_SUBJECT_NAMES.includes(subject)) throw new Error(`there is no subject ${subject} with faults`);
  const pairs = new Set<string>();
  const findings: FaultFinding[] = [];
  const so: FaultProgress = { nrPrograms: 0, nrCalls: 0, nrFaults: 0, ms: 0, pairs, findings };
  const start = performance.now();
  for (let n = 0; so.nrCalls < maxCalls && so.ms < maxMs && findings.length < maxFindings; n++) {
    const seed = seedOfProgram(first, n);
    const ran = subject === "power" ? await cut(options, seed) : await allocate(options, seed, n);
    so.nrPrograms++;
    so.nrCalls += ran.nrCalls;
    so.nrFaults += ran.nrFaults;
    for (const pair of ran.pairs ?? []) pairs.add(pair);
    if (ran.finding !== undefined) findings.push(ran.finding);
    so.ms = performance.now() - start;
    tell(so);
  }
  return so;
}

async function allocate(options: FaultSearchOptions, seed: number, n: number): Promise<Ran> {
  const { profiles, planted, isShared } = options;
  const calls = generate(seed, profiles[n % profiles.length], CALLS_A_PROGRAM, ABILITIES);
  const on = { subject: options.subject as TwinSubject, tasks: TASKS, isShared, planted };
  const run = runAllocations(on, calls);
  const so = { nrCalls: run.nrTries, nrFaults: run.nrFailed, pairs: run.pairs };
  return run.finding === undefined ? so : { ...so, finding: await shrunkAllocations(on, seed, calls, run) };
}

async function shrunkAllocations(
  on: AllocationOptions,
  seed: number,
  all: readonly Call[],
  found: AllocationRun,
): Promise<FaultFinding> {
  let best = { calls: all, run: found };
  const call = all[found.finding?.at ?? 0]?.call;
  const shows = async (calls: readonly Call[]): Promise<boolean> => {
    const run = runAllocations(on, calls);
    if (run.finding === undefined || calls[run.finding.at]?.call !== call) return false;
    best = { calls: calls.slice(0, run.finding.at + 1), run };
    return true;
  };
  await shrink(all, { shows, simpler: simplerCalls, maxTries: MAX_SHRINK_TRIES });
  const { at = 0, nth = 0, text = "" } = best.run.finding ?? {};
  return { seed, text: `allocation ${nth} of call ${at}: ${text}`, lines: best.calls.map(showCall) };
}

async function cut({ isShared, makeDisk }: FaultSearchOptions, seed: number): Promise<Ran> {
  const run = await runCut(seed, { isShared, makeDisk });
  const so = { nrCalls: run.nrOver, nrFaults: run.nrOld };
  if (run.finding === undefined) return so;
  let best = { calls: run.calls, text: run.finding };
  const shows = async (program: readonly CutCall[]): Promise<boolean> => {
    const { finding } = await runCut(seed, { isShared, makeDisk, program });
    if (finding !== undefined) best = { calls: program, text: finding };
    return finding !== undefined;
  };
  await shrink(run.calls, { shows, simpler: () => [], maxTries: MAX_SHRINK_TRIES });
  return { ...so, finding: { seed, text: best.text, lines: best.calls.map((call) => JSON.stringify(call)) } };
}
