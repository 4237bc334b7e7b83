/** Faces of others against foliofs, which stands for the kernel: the same finds nothing, one that is wrong is found out. */
import { expect, it } from "vitest";
import { createFacePairing, type Progress, runCampaign } from "../../src/fuzz.ts";
import { createFsSync } from "../../src/index.ts";

async function campaign(create: () => object): Promise<Progress> {
  const options = { seed: 1, profiles: ["names", "data"] as const, maxCalls: 4000, maxMs: Infinity, maxFindings: 1 };
  const pairing = createFacePairing(create);
  try {
    return await runCampaign({ ...pairing, ...options });
  } finally {
    await pairing.close();
  }
}

/** A face that takes off the last byte of what links say. */
function broken(): object {
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20 });
  return { ...fs, symlinkSync: (target: string, path: string) => fs.symlinkSync(target.slice(0, -1), path) };
}

it("finds nothing where there is nothing", async () => {
  const { findings, nrCalls } = await campaign(() => createFsSync({ memoryLimit: 64 * 2 ** 20 }));
  expect(findings.map(({ program }) => [program.calls.at(-1), program.difference])).toEqual([]);
  expect(nrCalls).toBeGreaterThan(3000);
});

it("finds what differs, and shrinks it", async () => {
  const { findings } = await campaign(broken);
  expect(findings).toHaveLength(1);
  const calls = findings[0].program.calls.map(({ call }) => call);
  expect(calls).toContain("symlink");
  expect(calls.length).toBeLessThan(5);
});
