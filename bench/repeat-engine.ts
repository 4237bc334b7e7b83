/** Times a call that can be repeated at will, with benchmark.js. */
import Benchmark from "benchmark";
import { checkDeadline } from "./deadline.ts";
import type { Budget } from "./options.ts";
import type { RepeatTrial } from "./rows/row.ts";
import { median } from "./stats.ts";
import { type Loop, makeLoop, sink } from "./timed-loop.ts";

/** benchmark.js spends tens of ns around each call of its function: so one call of it makes many of ours. */
const CALLS_MS = 0.2;
const MAX_CALLS = 16384;

/** @returns median time in ns per call @throws TooSlow; what the calls throw */
export function timeRepeated(trial: RepeatTrial, budget: Budget): number {
  trial.check();
  const loop = makeLoop();
  const nrCalls = callsPerRun(trial, loop, budget);
  let next = 0;
  const run = (): void => {
    sink(loop(trial.op, next, next + nrCalls));
    next = (next + nrCalls) % 2 ** 30; // stays a small integer, and the tables of the rows divide it
  };
  const { minSamples } = budget;
  const [minTime, maxTime] = [budget.minSampleMs / 1000, budget.sampleMs / 1000];
  const bench = new Benchmark("row", run, { minTime, maxTime, minSamples });
  bench.run({ async: false });
  if (bench.error) throw bench.error;
  return (median(bench.stats.sample) / nrCalls) * 1e9;
}

/** Doubles the count until it takes `CALLS_MS`: a calibration, and the first warm-up. */
function callsPerRun(trial: RepeatTrial, loop: Loop, budget: Budget): number {
  for (let nrCalls = 1; ; nrCalls *= 2) {
    const startMs = performance.now();
    sink(loop(trial.op, 0, nrCalls));
    const elapsedMs = performance.now() - startMs;
    checkDeadline((elapsedMs / nrCalls) * budget.minSamples);
    if (elapsedMs >= CALLS_MS || nrCalls === MAX_CALLS) return nrCalls;
  }
}
