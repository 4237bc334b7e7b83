/** Faces of others against foliofs, which stands for the kernel: the same finds nothing, memfs is found out. */
import { createFsFromVolume, Volume } from "memfs";
import { expect, it } from "vitest";
import { createFacePairing, type Progress, runCampaign } from "../../src/fuzz.ts";
import { createFsSync } from "../../src/index.ts";

function campaign(create: () => object): Promise<Progress> {
  const options = { seed: 1, profiles: ["names", "data"] as const, maxCalls: 4000, maxMs: 60_000, maxFindings: 3 };
  return runCampaign({ ...createFacePairing(create), ...options });
}

it("finds nothing where there is nothing", async () => {
  const { findings, nrCalls } = await campaign(() => createFsSync({ memoryLimit: 64 * 2 ** 20 }));
  expect(findings.map(({ program }) => [program.calls.at(-1), program.difference])).toEqual([]);
  expect(nrCalls).toBeGreaterThan(3000);
});

it("finds what differs, and shrinks it", async () => {
  const { findings } = await campaign(() => createFsFromVolume(new Volume()));
  expect(findings.length).toBeGreaterThan(0);
  for (const { program } of findings) expect(program.calls.length).toBeLessThan(30);
});
