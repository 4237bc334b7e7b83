/**
 * Runs of fsx: programs of operations by one seed after the other, each on a fresh machine, until there are enough of them. What is found
 * ends its program, and is shrunk.
 */
import { seedOfProgram } from "../campaign.ts";
import { endJob } from "../end-job.ts";
import { onceASecond } from "../once-a-second.ts";
import { seededRandom } from "../random.ts";
import { SearchClock, type TimeLimit } from "../search-clock.ts";
import { shrink } from "../shrink.ts";
import { choicesFor, type DrawOptions, drawOperation } from "./draw.ts";
import { Exerciser, type Touch } from "./exerciser.ts";
import type { Machine } from "./machine.ts";
import { type Finding, Mismatch } from "./mismatch.ts";
import { type Operation, simplerOperations } from "./operation.ts";

export interface FsxOptions extends TimeLimit {
  readonly makeMachine: () => Machine;
  /** 32 bits; program n has a seed made of it. */
  readonly seed: number;
  /** It ends after so many operations, or findings of different kinds, or when its time is over, whichever comes first. */
  readonly maxOperations: number;
  readonly maxFindings: number;
  /** Of one program; default 2 000. */
  readonly perProgram?: number;
  /** Most bytes of a file. */
  readonly length: number;
  readonly isMapped: boolean;
  readonly isDirect: boolean;
  /** Is called of each operation before it is performed. */
  readonly log?: ((operation: Operation, index: number) => void) | undefined;
  /** Called now and then. */
  readonly tell?: ((so: FsxProgress) => void) | undefined;
}

/** What a program has shown. */
export interface FsxFinding extends Finding {
  /** Of its program. */
  readonly seed: number;
  /** Operations of the program up to it. */
  readonly nrFound: number;
  /** Shrunk. */
  readonly operations: readonly Operation[];
  /** Which of them were about the bytes that are wrong. */
  readonly touching: readonly number[];
}

export interface FsxProgress {
  nrPrograms: number;
  nrOperations: number;
  ms: number;
  /** Calls that were refused for want of room. */
  nrRefused: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly findings: readonly FsxFinding[];
}

const PER_PROGRAM = 2000;
const MAX_SHRINK_TRIES = 1500;
const MAX_SHRINK_MS = 120_000;

export async function runFsx(options: FsxOptions): Promise<FsxProgress> {
  const { seed, maxOperations, maxFindings } = options;
  const tell = onceASecond(options.tell);
  const clock = new SearchClock(options);
  const counts = new Map<string, number>();
  const findings: FsxFinding[] = [];
  const so: FsxProgress = { nrPrograms: 0, nrOperations: 0, ms: 0, nrRefused: 0, counts, findings };
  while (so.nrOperations < maxOperations && findings.length < maxFindings && !clock.isOver) {
    const left = maxOperations - so.nrOperations;
    const program = runProgram(options, seedOfProgram(seed, so.nrPrograms), left);
    so.nrPrograms++;
    so.nrOperations += program.operations.length;
    so.nrRefused += program.nrRefused;
    for (const { op } of program.operations) counts.set(op, (counts.get(op) ?? 0) + 1);
    const { finding } = program;
    if (finding !== undefined && !findings.some(({ kind }) => kind === finding.kind)) {
      findings.push(await shrunk(options, program, finding, clock));
    }
    so.ms = clock.ms;
    await endJob(); // timers, and who wants to end it
    tell(so);
  }
  return so;
}

interface Program {
  readonly seed: number;
  readonly operations: Operation[];
  finding?: Finding;
  touches: readonly Touch[];
  nrRefused: number;
}

/** Draws operations as the files are when their turn comes. */
function runProgram(options: FsxOptions, seed: number, most: number): Program {
  const { perProgram = PER_PROGRAM, makeMachine, length, log } = options;
  const program: Program = { seed, operations: [], touches: [], nrRefused: 0 };
  const random = seededRandom(seed);
  const draw: DrawOptions = options;
  perform(makeMachine(), length, program, (exerciser) => {
    const choices = choicesFor(exerciser.machine, draw);
    const nr = Math.min(most, perProgram);
    for (let i = 0; i < nr; i++) {
      const operation = drawOperation(random, exerciser.sizes, choices, canBeDirect(exerciser.machine, draw));
      program.operations.push(operation);
      log?.(operation, i);
      exerciser.perform(operation);
    }
  });
  return program;
}

function canBeDirect({ abilities }: Machine, draw: DrawOptions): DrawOptions {
  return { ...draw, isDirect: draw.isDirect && abilities.direct };
}

/** Does work on a machine, and brings it to its end. */
function perform(machine: Machine, length: number, program: Program, work: (exerciser: Exerciser) => void): void {
  let exerciser: Exerciser | undefined;
  try {
    exerciser = new Exerciser(machine, { length });
    work(exerciser);
    exerciser.finish();
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    program.finding = error.finding;
  } finally {
    program.touches = exerciser?.touches ?? [];
    program.nrRefused = exerciser?.nrRefused ?? 0;
    endQuietly(exerciser);
    machine.end();
  }
}

/** After a finding there may be nothing that works. */
function endQuietly(exerciser: Exerciser | undefined): void {
  try {
    exerciser?.letGo();
    exerciser?.closeAll();
  } catch {
    // it has been told already
  }
}

/** Performs given operations. @returns what they show */
export function performAll(
  makeMachine: () => Machine,
  length: number,
  operations: readonly Operation[],
): { finding: Finding | undefined; touches: readonly Touch[] } {
  const program: Program = { seed: 0, operations: [...operations], touches: [], nrRefused: 0 };
  perform(makeMachine(), length, program, (exerciser) => {
    for (const operation of operations) exerciser.perform(operation);
  });
  return { finding: program.finding, touches: program.touches };
}

/** Fewer and simpler operations that show the same kind. */
async function shrunk(
  options: FsxOptions,
  { seed, operations }: Program,
  finding: Finding,
  clock: SearchClock,
): Promise<FsxFinding> {
  const { makeMachine, length } = options;
  const own = new SearchClock({ maxMs: MAX_SHRINK_MS });
  const isOver = (): boolean => own.isOver || clock.isOver;
  let best = { finding, operations: operations as readonly Operation[], touches: [] as readonly Touch[] };
  const shows = async (candidate: readonly Operation[]): Promise<boolean> => {
    const again = performAll(makeMachine, length, candidate);
    if (again.finding?.kind !== finding.kind) return false;
    best = { finding: again.finding, operations: candidate, touches: again.touches };
    return true;
  };
  if (await shows(operations))
    await shrink(operations, { shows, simpler: simplerOperations, maxTries: MAX_SHRINK_TRIES, isOver });
  return {
    ...best.finding,
    seed,
    nrFound: operations.length,
    operations: best.operations,
    touching: touching(best.finding, best.touches),
  };
}

/** Indexes of operations that were about the byte that is wrong. */
function touching({ place }: Finding, touches: readonly Touch[]): number[] {
  if (place === undefined) return [];
  const isAbout = ({ file, start, end }: Touch): boolean => file === place.file && start <= place.at && place.at < end;
  return [...new Set(touches.filter(isAbout).map(({ index }) => index))];
}
