/**
 * Runs programs of calls that are under way at the same time, on a store some of whose answers never come, on the debug core, until
 * something is wrong, and does not shrink it: what `npm run mutations` looks for planted faults with that show only then.
 *
 * Usage: node --import tsx test/mutations/hunt-answers.ts SECONDS. The status is 1 when something was found.
 */

import { readFileSync } from "node:fs";
import { seedOfMissingAnswers } from "../../src/fuzz/schedule/fault-plan.ts";
import { ASYNC_MACHINES } from "../../src/fuzz/schedule/machine.ts";
import { runSeed } from "../../src/fuzz/schedule/search-async.ts";
import { useCoreModule } from "../../src/wasm/core-module.ts";

const LEFT_MS = 5000;

useCoreModule(new WebAssembly.Module(readFileSync("build/core-debug.wasm")), { shared: false });
const endMs = performance.now() + Number(process.argv[2]) * 1000 - LEFT_MS;
const first = Date.now() % 2 ** 31;
for (let n = 0; performance.now() < endMs && process.exitCode === undefined; n++) {
  const faultSeed = seedOfMissingAnswers(first + n);
  const { run } = await runSeed({ make: ASYNC_MACHINES.store, faultSeed }, first + n);
  if (run.finding === undefined) continue;
  console.log(`seed ${first + n}, of faults ${faultSeed}:`, run.finding);
  process.exitCode = 1;
}
