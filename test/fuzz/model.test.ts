/**
 * Random programs of the fuzzer on foliofs and on the model: on any system, for anybody. What differs is shrunk and printed with its seed.
 *
 * FOLIO_SEED starts from a given seed, FOLIO_FUZZ_OPS is the number of calls for each pair and profile (3 000).
 */
import { describe, expect, it } from "vitest";
import { PROFILES } from "../../src/fuzz/generate.ts";
import { fuzz, shownFindings } from "../helpers/fuzz-run.ts";

const OPS = Number(process.env.FOLIO_FUZZ_OPS ?? 3_000);

describe("random programs of the fuzzer do what the model does", { timeout: 600_000 }, () => {
  for (const subject of ["tmpfs", "ramfs"]) {
    for (const profile of PROFILES) {
      it(`on ${subject}: ${profile}`, async () => {
        const progress = await fuzz({ subject, oracle: "model" }, [profile], OPS);
        expect(shownFindings(progress)).toEqual([]);
        expect(progress.nrCalls).toBeGreaterThan(OPS / 2);
      });
    }
  }
});
