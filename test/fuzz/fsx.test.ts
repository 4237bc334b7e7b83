/**
 * fsx on every file system that it knows, with fresh seeds; and faults that are planted in one, which it has to find.
 *
 * FOLIO_SEED starts from a given seed, FOLIO_FSX_OPS is the number of operations on each (3 000).
 */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { FSX_MACHINES, FSX_TARGETS, type FsxMachine, type FsxOptions, runFsx, tellFsxFinding } from "../../src/fuzz.ts";
import { losesBytes, skipsTails } from "../helpers/planted-faults.ts";

const SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);
const OPS = Number(process.env.FOLIO_FSX_OPS ?? 3_000);
const LENGTH = 256 * 1024;

function optionsFor(makeMachine: () => FsxMachine, more: Partial<FsxOptions> = {}): FsxOptions {
  return {
    makeMachine,
    seed: SEED,
    maxOperations: OPS,
    maxMs: Number.MAX_SAFE_INTEGER,
    maxFindings: 3,
    length: LENGTH,
    isMapped: true,
    isDirect: true,
    ...more,
  };
}

describe("fsx", { timeout: 600_000 }, () => {
  for (const on of FSX_TARGETS) {
    it.skipIf(on === "kernel" && process.platform !== "linux")(`finds nothing on ${on}`, async () => {
      console.log(`fsx on ${on}: FOLIO_SEED=${SEED}`);
      const { findings, nrOperations } = await runFsx(optionsFor(() => FSX_MACHINES[on]({ length: LENGTH })));
      assert.deepEqual(findings.map(tellFsxFinding), []);
      assert.equal(nrOperations, OPS);
    });
  }

  const planted = { "a byte that is lost now and then": losesBytes, "a tail that is not zeroed": skipsTails };
  for (const [what, plant] of Object.entries(planted)) {
    it(`finds ${what}, and makes it short`, async () => {
      console.log(`fsx, ${what}: FOLIO_SEED=${SEED}`);
      const makeMachine = (): FsxMachine => plant(FSX_MACHINES.tmpfs({ length: LENGTH }));
      const { findings } = await runFsx(optionsFor(makeMachine, { maxOperations: 50_000, maxFindings: 1 }));
      assert.equal(findings.length, 1);
      const [{ operations }] = findings;
      assert.ok(operations.length <= 6, tellFsxFinding(findings[0]).join("\n"));
    });
  }
});
