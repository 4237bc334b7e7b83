/**
 * Times the ways of doing one small thing and prints them side by side: the runner of every file in this folder.
 *
 * Each case brings its own loop, so that the engine's cost of about 20 ns a call is spread over `CALLS_PER_RUN` and
 * no case shares inline caches with another. Does not own: the questions.
 *
 * Flags on the command line: `--json` prints one line of JSON a group instead of text, `--long` measures four times as long.
 */
import Benchmark from "benchmark";

/** Calls of the thing measured in one call of `run`. */
export const CALLS_PER_RUN = 1000;

/** One way of doing it. */
export interface Case {
  readonly name: string;
  /** Does the thing `nrCalls` times. @returns a sum over what came out, so that nothing is optimised away */
  run(nrCalls: number): number;
}

const isLong = process.argv.includes("--long");
const wantsJson = process.argv.includes("--json");
const MIN_SECONDS = 0.02;
const MAX_SECONDS = isLong ? 0.4 : 0.1;

let sink = 0;

/**
 * Measures every case twice, in turns, and prints the better median of each in ns per call.
 *
 * @param question what the group asks; printed above it
 */
export function compare(question: string, cases: readonly Case[]): void {
  const nsPerCall = new Map<string, number>();
  for (let round = 0; round < 2; round++) {
    for (const each of cases) {
      const ns = measure(each);
      nsPerCall.set(each.name, Math.min(ns, nsPerCall.get(each.name) ?? Number.POSITIVE_INFINITY));
    }
  }
  print(question, nsPerCall);
}

/** Median over benchmark.js's samples, in ns per call. */
function measure(each: Case): number {
  const run = (): void => {
    sink += each.run(CALLS_PER_RUN);
  };
  const bench = new Benchmark(each.name, run, { minTime: MIN_SECONDS, maxTime: MAX_SECONDS });
  bench.run({ async: false });
  if (bench.error) throw bench.error;
  const samples = [...bench.stats.sample].sort((a, b) => a - b);
  return (samples[samples.length >> 1] / CALLS_PER_RUN) * 1e9;
}

function print(question: string, nsPerCall: Map<string, number>): void {
  if (wantsJson) {
    console.log(JSON.stringify({ question, node: process.version, nsPerCall: Object.fromEntries(nsPerCall) }));
    return;
  }
  const best = Math.min(...nsPerCall.values());
  console.log(`\n${question} (Node ${process.version.slice(1)}, ns per call)`);
  for (const [name, ns] of nsPerCall) {
    const mark = ns <= best * 1.05 ? "  <- best" : "";
    console.log(`  ${name.padEnd(48)}${ns.toFixed(1).padStart(10)}${mark}`);
  }
}

process.on("exit", () => {
  if (!Number.isFinite(sink)) console.log("a case summed up something that is no number");
});
