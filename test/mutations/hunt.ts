/**
 * Runs programs of the fuzzer on tmpfs, on the debug core, and on the host's kernel until one differs, and does not shrink it: what
 * `npm run mutations` looks for planted faults with.
 *
 * Usage: node --import tsx test/mutations/hunt.ts SECONDS. The status is 1 when something was found.
 */

import { readFileSync } from "node:fs";
import { compare, createPairing, generate, PROFILES, shownOutcomes } from "../../src/fuzz.ts";
import { liveKernels } from "../../src/vfs/kernel.ts";
import { useCoreModule } from "../../src/wasm/core-module.ts";
import { oracleProgram } from "../helpers/fuzz-program.ts";

const NR_CALLS = 200;
const LEFT_MS = 5000;

useCoreModule(new WebAssembly.Module(readFileSync("build/core-debug.wasm")), { shared: false });
const endMs = performance.now() + Number(process.argv[2]) * 1000 - LEFT_MS;
const pairing = await createPairing({ subject: "tmpfs", oracle: "tmpfs", program: oracleProgram() });
try {
  const first = Date.now() % 2 ** 31;
  for (let n = 0; performance.now() < endMs && process.exitCode === undefined; n++) {
    const profile = PROFILES[n % PROFILES.length];
    const { difference, calls } = await compare(pairing, generate(first + n, profile, NR_CALLS, pairing.abilities));
    for (const kernel of liveKernels()) kernel.verify();
    if (difference === undefined) continue;
    console.log(`seed ${first + n}, ${profile}:`, calls[difference.at], shownOutcomes(difference));
    process.exitCode = 1;
  }
} finally {
  await pairing.close();
}
