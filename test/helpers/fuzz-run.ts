/** Campaigns of the fuzzer in tests: seeds are printed, and what is found as a person needs to see it. */
import type { Profile } from "../../src/fuzz/generate.ts";
import {
  createPairing,
  type PairingOptions,
  type Progress,
  runCampaign,
  showCall,
  shownOutcomes,
} from "../../src/fuzz.ts";

/** FOLIO_SEED starts from a given seed. */
const SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);
const MAX_MS = Number.MAX_SAFE_INTEGER;
const MAX_FINDINGS = 3;

export function shownFindings({ findings }: Progress): string[] {
  return findings.map(({ seed, profile, program: { calls, difference } }) => {
    const lines = calls.map((call, i) => `${i === difference.at ? "> " : "  "}${showCall(call)}`);
    const [theirs, ours] = shownOutcomes(difference);
    return [`seed ${seed}, ${profile}`, ...lines, `oracle:  ${theirs}`, `subject: ${ours}`].join("\n");
  });
}

export async function fuzz(options: PairingOptions, profiles: readonly Profile[], maxCalls: number): Promise<Progress> {
  console.log(`fuzz ${options.subject} against ${options.oracle}, ${profiles}: FOLIO_SEED=${SEED}`);
  const pairing = await createPairing(options);
  try {
    return await runCampaign({ ...pairing, seed: SEED, profiles, maxCalls, maxMs: MAX_MS, maxFindings: MAX_FINDINGS });
  } finally {
    await pairing.close();
  }
}
