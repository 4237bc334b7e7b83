/**
 * Random work on a store that answers in any order, without faults, with a fault at each of its calls in turn, and with
 * several in a long run: who should be told is told, once, the store has each change once, and nothing else is lost.
 *
 * FOLIOFS_SEED is the seed, else a random one, which is printed; FOLIOFS_FAULT_TURNS how many calls fail in turn.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EACCES, EDQUOT, EIO, ENOSPC } from "../../../src/base/errno.ts";
import type { StoreFault } from "../../../src/fuzz/schedule/held-store.ts";
import { FaultRun, scriptOf, step } from "../../helpers/fault-run.ts";

const SEED = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`faults: FOLIOFS_SEED=${SEED}`);
const TURNS = Number(process.env.FOLIOFS_FAULT_TURNS ?? 500);
/** Of a run with one fault. */
const STEPS = 500;
const LONG_STEPS = 4000;
/** The long run makes more than these. */
const LONG_CALLS = 2500;
const LONG_FAULTS = 200;
/** Ends a run that hangs: the machine's speed decides nothing. */
const SLOW_MS = 600_000;
const ERRNOS = [-EIO, -ENOSPC, -EACCES, -EDQUOT];

/** Operations that may throw, or be short, where others answer an errno. */
function faultOf(nr: number, operation: string): StoreFault {
  if (operation === "writePages" && nr % 5 === 4) return nr % 2 ? "throw" : "short";
  return ERRNOS[nr % ERRNOS.length];
}

/** @param failing numbers of calls */
async function runWith(seed: number, nr: number, failing: ReadonlySet<number>): Promise<FaultRun> {
  const run = new FaultRun(scriptOf(seed, nr), seed);
  run.store.plan = (call, operation) => (failing.has(call) ? faultOf(call, operation) : undefined);
  try {
    await run.work();
    await run.end();
  } catch (error) {
    const what = run.store.failures.map((one) => `${one.nr} ${one.operation} ${one.ino} ${one.fault}`);
    throw new Error(`seed ${seed}, ${nr} steps, failed calls: ${what.join(", ") || "none"}: ${error}`, {
      cause: error,
    });
  }
  return run;
}

describe("random work of several chains of calls", () => {
  it("leaves the store with what the model has", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.nat(), async (steps, seed) => {
        const run = new FaultRun(steps, seed);
        await run.work();
        await run.end();
      }),
      { numRuns: 100, seed: SEED },
    );
  });

  it(
    "bears a fault at each call of the store in turn",
    async () => {
      const whole = await runWith(SEED, STEPS, new Set());
      const last = Math.min(TURNS, whole.store.calls.length);
      for (let call = 0; call < last; call++) await runWith(SEED, STEPS, new Set([call]));
    },
    SLOW_MS,
  );

  it("bears faults at 200 random calls of a long run", async () => {
    const numbers = new Set<number>();
    for (const nr of fc.sample(fc.nat(LONG_CALLS - 1), { seed: SEED, numRuns: LONG_CALLS }))
      if (numbers.size < LONG_FAULTS) numbers.add(nr);
    const run = await runWith(SEED + 1, LONG_STEPS, numbers);
    const { length } = run.store.failures; // of one byte there is no half
    assert.ok(length > LONG_FAULTS * 0.95, `seed ${SEED}: only ${length} failures`);
  });
});
