/**
 * A campaign of programs of chains, by one seed after the other, each in an order of its seed. What is wrong is shrunk: to fewer and
 * simpler calls, under whichever order shows it, then to an order with fewer turns.
 */
import { seedOfProgram } from "../campaign.ts";
import { onceASecond } from "../once-a-second.ts";
import { seededRandom } from "../random.ts";
import { SearchClock, type TimeLimit } from "../search-clock.ts";
import { shrink } from "../shrink.ts";
import type { AsyncCall } from "./async-call.ts";
import { ALL_PATHS, drawAsync, drawChoices } from "./draw-async.ts";
import { ASYNC_MACHINES, type MakeAsyncMachine } from "./machine.ts";
import { type AsyncFinding, type AsyncRun, type AsyncRunOptions, runAsync } from "./run-async.ts";

export const ASYNC_SUBJECT_NAMES: readonly string[] = Object.keys(ASYNC_MACHINES);

export interface AsyncSearchOptions extends TimeLimit {
  /** Of the first program; program n has seedOfProgram(seed, n). */
  readonly seed: number;
  /** It ends after so many calls of programs, or so many findings, or when its time is over. */
  readonly maxCalls: number;
  readonly maxFindings: number;
  /** In the place of that of ASYNC_MACHINES: for tests of the search. */
  readonly make: MakeAsyncMachine;
  readonly isShared?: boolean;
  /** Calls of stores fail now and then. */
  readonly hasFaults?: boolean;
  readonly loses?: () => (name: string) => boolean;
  readonly tell?: (so: AsyncProgress) => void;
}

export interface AsyncShown extends AsyncFinding {
  readonly seed: number;
  /** Of faults. */
  readonly faultSeed?: number;
  /** Shrunk. */
  readonly calls: readonly AsyncCall[];
  readonly choices: readonly number[];
  readonly history: readonly string[];
  readonly nrCallsFound: number;
}

export interface AsyncProgress {
  nrPrograms: number;
  nrCalls: number;
  /** How often something waited, and came in an order of the seed. */
  nrHeld: number;
  ms: number;
  readonly pairs: ReadonlySet<string>;
  readonly findings: readonly AsyncShown[];
}

/** Orders that a smaller program is tried in. */
const NR_ORDERS = 25;
const MAX_SHRINK_TRIES = 150;

export async function searchAsync(options: AsyncSearchOptions): Promise<AsyncProgress> {
  const { seed: first, maxCalls, maxFindings } = options;
  const tell = onceASecond(options.tell);
  const pairs = new Set<string>();
  const findings: AsyncShown[] = [];
  const so: AsyncProgress = { nrPrograms: 0, nrCalls: 0, nrHeld: 0, ms: 0, pairs, findings };
  const clock = new SearchClock(options);
  for (let n = 0; so.nrCalls < maxCalls && findings.length < maxFindings && !clock.isOver; n++) {
    const seed = seedOfProgram(first, n);
    const setting = { ...options, ...(options.hasFaults && { faultSeed: seed }) };
    const { calls, run } = await runSeed(setting, seed);
    so.nrPrograms++;
    so.nrCalls += run.nrCalls;
    so.nrHeld += run.nrHeld;
    for (const pair of run.pairs) pairs.add(pair);
    if (run.finding !== undefined) findings.push(await shrunk(setting, seed, calls, run, clock));
    so.ms = clock.ms;
    tell(so);
  }
  return so;
}

/** What runs of one search have in common. */
export interface AsyncSetting extends Pick<AsyncSearchOptions, "make" | "isShared" | "loses"> {
  readonly faultSeed?: number;
}

/** Runs the program of a seed, in the order of it. */
export async function runSeed(
  options: AsyncSetting,
  seed: number,
): Promise<{ calls: readonly AsyncCall[]; run: AsyncRun }> {
  const random = seededRandom(seed);
  const { calls, nrChains } = drawAsync(random);
  const run = await runAsync({ ...optionsOf(options, calls, nrChains), choose: drawChoices(random) });
  return { calls, run };
}

/** Runs calls in an order that is known; where it has no choice any more the first by name comes next. */
export function runChosen(
  options: AsyncSetting,
  calls: readonly AsyncCall[],
  choices: readonly number[],
): Promise<AsyncRun> {
  let at = 0;
  return runAsync({ ...optionsOf(options, calls, chainsOf(calls)), choose: () => choices[at++] ?? 0 });
}

function chainsOf(calls: readonly AsyncCall[]): number {
  return Math.max(0, ...calls.map(({ task }) => task)) + 1;
}

function optionsOf(
  { make, isShared, faultSeed, loses }: AsyncSetting,
  calls: readonly AsyncCall[],
  nrChains: number,
): Omit<AsyncRunOptions, "choose"> {
  return { make, isShared, faultSeed, calls, nrChains, paths: pathsOf(calls), ...(loses && { loses: loses() }) };
}

/** What can be there in the end: a name that no call has named is as it was. */
function pathsOf(calls: readonly AsyncCall[]): string[] {
  const named = calls.flatMap(({ args }) => args.filter((arg) => ALL_PATHS.includes(String(arg))).map(String));
  // What lies in a directory may lie in another by now.
  return ALL_PATHS.filter((path) => named.includes(path) || path.includes("/"));
}

async function shrunk(
  options: AsyncSetting,
  seed: number,
  all: readonly AsyncCall[],
  found: AsyncRun,
  clock: SearchClock,
): Promise<AsyncShown> {
  let best = { calls: all, run: found };
  const isOver = (): boolean => clock.isOver;
  const kind = found.finding?.kind;
  const shows = async (calls: readonly AsyncCall[], choices: readonly number[]): Promise<boolean> => {
    const run = await runChosen(options, calls, choices);
    if (run.finding?.kind !== kind) return false;
    best = { calls, run };
    return true;
  };
  const showsInSome = async (calls: readonly AsyncCall[]): Promise<boolean> => {
    if (await shows(calls, best.run.choices)) return true;
    for (let i = 0; i < NR_ORDERS && !isOver(); i++) {
      const choose = drawChoices(seededRandom(seed + i));
      const run = await runAsync({ ...optionsOf(options, calls, chainsOf(calls)), choose });
      if (run.finding?.kind !== kind) continue;
      best = { calls, run };
      return true;
    }
    return false;
  };
  await shrink(all, { shows: showsInSome, simpler: simplerAsync, maxTries: MAX_SHRINK_TRIES, isOver });
  const { calls } = best;
  await shrink(best.run.choices, {
    shows: (choices) => shows(calls, choices),
    simpler: simplerChoices,
    maxTries: MAX_SHRINK_TRIES,
    isOver,
  });
  const { run } = best;
  const finding = run.finding ?? { kind: "broken", text: "it was not found again" };
  const { choices, history } = run;
  return { ...finding, seed, faultSeed: options.faultSeed, calls, choices, history, nrCallsFound: all.length };
}

/** By the same chain: that decides what is under way beside it. */
function* simplerAsync(call: AsyncCall): Generator<AsyncCall> {
  if (call.form !== "promise") yield { ...call, form: "promise" };
  if (call.call === "open") return;
  for (const [i, arg] of call.args.entries()) {
    if (typeof arg === "string" && arg.includes("/")) yield { ...call, args: call.args.with(i, "a") };
    if (typeof arg === "number" && arg > 1) yield { ...call, args: call.args.with(i, arg >> 1) };
  }
}

function* simplerChoices(choice: number): Generator<number> {
  if (choice > 0) yield 0;
  if (choice > 1) yield choice - 1;
}
