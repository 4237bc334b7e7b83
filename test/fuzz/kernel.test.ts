/**
 * Random programs of the fuzzer on foliofs and on the host's kernel. What differs is shrunk and printed with its seed.
 *
 * FOLIO_SEED starts from a given seed, FOLIO_FUZZ_OPS is the number of calls for each pair (5 000).
 */
import { describe, expect, it } from "vitest";
import { PROFILES, type Profile } from "../../src/fuzz/generate.ts";
import { hasOwnRoot } from "../../src/fuzz/host-root.ts";
import { createPairing, type Progress, runCampaign, showCall, shownOutcomes } from "../../src/fuzz.ts";
import { oracleProgram } from "../helpers/fuzz-program.ts";

const SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);
const OPS = Number(process.env.FOLIO_FUZZ_OPS ?? 5_000);
const MAX_MS = Number.MAX_SAFE_INTEGER;

/** What a person needs to see of it. */
function shownFindings({ findings }: Progress): string[] {
  return findings.map(({ seed, profile, program: { calls, difference } }) => {
    const lines = calls.map((call, i) => `${i === difference.at ? "> " : "  "}${showCall(call)}`);
    const [theirs, ours] = shownOutcomes(difference);
    return [`seed ${seed}, ${profile}`, ...lines, `kernel:  ${theirs}`, `subject: ${ours}`].join("\n");
  });
}

async function fuzz(
  subject: string,
  oracle: string,
  profiles: readonly Profile[],
  isConfined = false,
): Promise<Progress> {
  console.log(`fuzz ${subject} against ${oracle}: FOLIO_SEED=${SEED}`);
  const pairing = await createPairing({ subject, oracle, program: oracleProgram(), isConfined });
  try {
    return await runCampaign({ ...pairing, seed: SEED, profiles, maxCalls: OPS, maxMs: MAX_MS, maxFindings: 3 });
  } finally {
    await pairing.close();
  }
}

describe.skipIf(process.platform !== "linux")(
  "random programs of the fuzzer do what the kernel does",
  { timeout: 600_000 },
  () => {
    describe.skipIf(!hasOwnRoot())("by three tasks", () => {
      for (const subject of ["tmpfs", "ramfs"]) {
        it(`on ${subject}`, async () => {
          const progress = await fuzz(subject, "tmpfs", PROFILES);
          expect(shownFindings(progress)).toEqual([]);
          expect(progress.nrCalls).toBeGreaterThan(OPS / 2);
        });
      }
    });

    it("by one task, in a folder that it is kept below", async () => {
      const progress = await fuzz("tmpfs", "tmpfs", PROFILES, true);
      expect(shownFindings(progress)).toEqual([]);
    });
  },
);
