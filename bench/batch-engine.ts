/** Times calls that create or remove: batches of a fixed count, with the clean-up between them outside the timing. */
import { Pace } from "./deadline.ts";
import type { Budget } from "./options.ts";
import type { BatchTrial } from "./rows/row.ts";
import { median } from "./stats.ts";
import { type Loop, makeLoop, sink } from "./timed-loop.ts";

/** The clock is looked at this often in a batch. */
const PIECES = 32;
const MAX_BATCHES = 1000;

/** Runs batches of one trial over and over; the first one warms up and is checked. @returns median ns per call */
export function timeBatches(trial: BatchTrial, budget: Budget): number {
  const loop = makeLoop();
  runBatch(trial, loop);
  trial.check();
  return collect(budget, trial.maxBatches ?? MAX_BATCHES, () => {
    trial.reset();
    return runBatch(trial, loop);
  });
}

/**
 * Runs every batch on a trial of its own, from the first one on.
 *
 * @param withTrial makes a subject and a trial, hands it over, and disposes of both
 */
export function timeFreshBatches(withTrial: (use: (trial: BatchTrial) => number) => number, budget: Budget): number {
  const loop = makeLoop();
  let isChecked = false;
  return collect(budget, MAX_BATCHES, () =>
    withTrial((trial) => {
      const ns = runBatch(trial, loop);
      if (!isChecked) trial.check();
      isChecked = true;
      return ns;
    }),
  );
}

/** Takes samples until there are enough of them, or until the time is up; at least one. */
function collect(budget: Budget, maxBatches: number, sample: () => number): number {
  const startMs = performance.now();
  const samples: number[] = [];
  do {
    samples.push(sample());
  } while (samples.length < maxBatches && wantsMore(samples, startMs, budget));
  return median(samples);
}

function wantsMore(samples: readonly number[], startMs: number, budget: Budget): boolean {
  const elapsedMs = performance.now() - startMs;
  const nextMs = elapsedMs / samples.length;
  return samples.length < budget.minSamples
    ? elapsedMs + nextMs < budget.maxWallMs
    : elapsedMs + nextMs < budget.sampleMs;
}

/** @returns ns per call @throws TooSlow as soon as the rest will not fit */
function runBatch({ op, nrOps }: BatchTrial, loop: Loop): number {
  const pace = new Pace(nrOps);
  const step = Math.ceil(nrOps / PIECES);
  let totalMs = 0;
  for (let done = 0; done < nrOps; done += step) {
    const to = Math.min(nrOps, done + step);
    const startMs = performance.now();
    sink(loop(op, done, to));
    const elapsedMs = performance.now() - startMs;
    totalMs += elapsedMs;
    pace.advance(to - done, elapsedMs);
  }
  return (totalMs / nrOps) * 1e6;
}
