/**
 * Random programs of the fuzzer on foliofs, and on the model, and on the host's kernel. What differs is shrunk and printed with its seed.
 *
 * FOLIO_SEED starts from a given seed, FOLIO_FUZZ_OPS is the number of calls for each pair (5 000).
 */
import { describe, expect, it } from "vitest";
import { PROFILES } from "../../src/fuzz/generate.ts";
import { hasOwnRoot } from "../../src/fuzz/host-root.ts";
import { oracleProgram } from "../helpers/fuzz-program.ts";
import { fuzz, shownFindings } from "../helpers/fuzz-run.ts";

const OPS = Number(process.env.FOLIO_FUZZ_OPS ?? 5_000);

describe.skipIf(process.platform !== "linux")(
  "random programs of the fuzzer do what the kernel does",
  { timeout: 600_000 },
  () => {
    describe.skipIf(!hasOwnRoot())("by three tasks", () => {
      for (const subject of ["tmpfs", "ramfs", "model"]) {
        it(`on ${subject}`, async () => {
          const progress = await fuzz({ subject, oracle: "tmpfs", program: oracleProgram() }, PROFILES, OPS);
          expect(shownFindings(progress)).toEqual([]);
          expect(progress.nrCalls).toBeGreaterThan(OPS / 2);
        });
      }
    });

    for (const subject of ["tmpfs", "model"]) {
      it(`on ${subject} by one task, in a folder that it is kept below`, async () => {
        const options = { subject, oracle: "tmpfs", program: oracleProgram(), isConfined: true };
        expect(shownFindings(await fuzz(options, PROFILES, OPS))).toEqual([]);
      });
    }
  },
);
