/**
 * Watchers on foliofs and on node:fs over a Linux tmpfs: the same calls, the same events.
 *
 * What fails is shrunk and printed with its seed. FOLIO_SEED starts from a given one, FOLIO_WATCH_RUNS is the number of
 * programs. Trees are watched where the process's Node is the one that is followed.
 */
import nodeFs from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadFoliofs } from "../helpers/subject-foliofs.ts";
import { isFollowedVersion } from "./versions.ts";
import { noteUncaught, type Step, steps, WatchRun } from "./watch/program.ts";

const SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.FOLIO_WATCH_RUNS ?? 150);
const MAX_STEPS = 30;

let foliofs: Awaited<ReturnType<typeof loadFoliofs>>;
let root: string;

beforeAll(async () => {
  foliofs = await loadFoliofs();
  root = nodeFs.mkdtempSync("/dev/shm/foliofs-watch-");
  console.log(`watchers: FOLIO_SEED=${SEED}`);
});
afterAll(() => nodeFs.rmSync(root, { recursive: true }));

/** Runs it in an empty directory of the same path on both. */
async function runOnBoth(program: readonly Step[]): Promise<[string[], string[]]> {
  const work = nodeFs.mkdtempSync(`${root}/w`);
  const ours = foliofs.createFsSync({ memoryLimit: 32 * 2 ** 20 });
  ours.mkdirSync(work, { recursive: true });
  try {
    return [await new WatchRun(nodeFs, work).run(program), await new WatchRun(ours, work).run(program)];
  } finally {
    nodeFs.rmSync(work, { recursive: true, force: true });
    ours.kernel.verify?.();
    ours.kernel.destroy();
  }
}

describe("watchers", () => {
  it("tell what node:fs tells on a tmpfs, whatever happens", { timeout: 600_000 }, async () => {
    const program = fc.array(steps(isFollowedVersion()), { maxLength: MAX_STEPS, size: "max" });
    const property = fc.asyncProperty(program, async (steps) => {
      const [expected, actual] = await runOnBoth(steps);
      expect(actual).toEqual(expected);
    });
    const stopNoting = noteUncaught();
    try {
      await fc.assert(property, { seed: SEED, numRuns: RUNS });
    } finally {
      stopNoting();
    }
  });
});
