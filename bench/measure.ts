/** Measures one row for one contender in one round: makes the subject, picks the engine, cleans up. */

import { timeBatches, timeFreshBatches } from "./batch-engine.ts";
import type { Contender, Subject } from "./contenders/contender.ts";
import { clearDeadline, startDeadline, TooSlow } from "./deadline.ts";
import type { Budget } from "./options.ts";
import { timeRepeated } from "./repeat-engine.ts";
import { type BatchTrial, type Row, type Trial, UNTOUCHED_BYTES } from "./rows/row.ts";

/** Touched and dropped before a row on untouched memory. */
/** More than both halves of it can have. */
const YOUNG_GENERATION_BYTES = 2 ** 26;
const HOST_WARM_UP_BYTES = UNTOUCHED_BYTES + 2 ** 27;

/** ns per call, or why there is no number. */
export type Outcome = { readonly ns: number } | { readonly tooSlow: true } | { readonly error: string };

/** Runs trials of a row: on new subjects of a contender, or on bare memory. */
type WithTrial = <T>(use: (trial: Trial) => T) => T;

export function measureContender(row: Row, contender: Contender, budget: Budget): Outcome {
  return measure(row, budget, (use) => {
    const subject = contender.create(needsOwnMemory(row));
    let trial: Trial | undefined;
    try {
      trial = row.setUp(subject);
      return use(trial);
    } finally {
      disposeInPeace(subject, trial);
    }
  });
}

/** True for rows on memory that nobody has touched yet, and for those on a whole system. */
export function needsOwnMemory(row: Row): boolean {
  return row.memory === "untouched" || row.section === "whole system";
}

/** Precondition: the row has a `bare` trial. */
export function measureBare(row: Row, budget: Budget): Outcome {
  return measure(row, budget, (use) => {
    const trial = (row.bare as () => Trial)();
    try {
      return use(trial);
    } finally {
      trial.close?.();
    }
  });
}

function measure(row: Row, budget: Budget, withTrial: WithTrial): Outcome {
  globalThis.gc?.();
  const withinLimit: WithTrial = (use) => {
    startDeadline(budget.limitMs); // each subject has its own: taking one down ends it
    try {
      return withTrial(use);
    } finally {
      clearDeadline();
    }
  };
  try {
    return { ns: time(row, budget, withinLimit) };
  } catch (error) {
    return error instanceof TooSlow ? { tooSlow: true } : { error: describe(error) };
  }
}

function time(row: Row, budget: Budget, withTrial: WithTrial): number {
  if (row.memory === "untouched") warmUpHost();
  if (!row.isFresh) return withTrial((trial) => timeOnOneSubject(trial, budget));
  const withFresh = (use: (trial: BatchTrial) => number): number => {
    globalThis.gc?.(); // the memory of the batch before, so that it cannot pile up
    return withTrial((trial) => use(trial as BatchTrial));
  };
  return timeFreshBatches(withFresh, budget);
}

/**
 * So that a virtual machine has got its memory from its host, V8 its young generation, and page faults of the file
 * system's own memory are all that a first touch costs. Every call makes a number for the time, so V8's page faults would
 * be as many: 520 instead of 257 for a batch of 65536 appends of 16 B.
 */
function warmUpHost(): void {
  new Uint8Array(HOST_WARM_UP_BYTES).fill(1);
  globalThis.gc?.();
  let garbage: unknown;
  for (let made = 0; made < YOUNG_GENERATION_BYTES; made += 64) garbage = [made, garbage && made];
}

function timeOnOneSubject(trial: Trial, budget: Budget): number {
  return trial.kind === "repeat" ? timeRepeated(trial, budget) : timeBatches(trial, budget);
}

/** What goes wrong while a file system is taken down must not hide what went wrong before. */
function disposeInPeace(subject: Subject, trial: Trial | undefined): void {
  clearDeadline();
  try {
    trial?.close?.();
    subject.dispose();
  } catch (error) {
    console.error(`\nA subject could not be disposed of: ${describe(error)}`);
  }
}

function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s+/g, " ").slice(0, 160);
}
