/**
 * Several layers over one base with limits: random work in them, open files, commits, forks, resets and drops, memory that runs out at any
 * allocation. After each step all trees are what the model (helpers/commit-model.ts) says.
 *
 * FOLIOFS_SEED is the seed, else a random one; fast-check prints it, and the shortest program that fails. FOLIOFS_COMMIT_RUNS and
 * FOLIOFS_COMMIT_STEPS are how many programs there are, and how many steps they have at most.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { it } from "vitest";
import { CommitModel, type CommitStep, KINDS } from "../../helpers/commit-model.ts";

const SEED = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = Number(process.env.FOLIOFS_COMMIT_RUNS ?? 25);
const STEPS = Number(process.env.FOLIOFS_COMMIT_STEPS ?? 60);

const step = fc.tuple(
  fc.constantFrom(...KINDS),
  fc.array(fc.nat(1000), { minLength: 10, maxLength: 10 }),
  fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 60 }) }),
);

it("layers and their commits are what a model says", { timeout: 600_000 }, () => {
  console.log(`commit.random.test.ts: FOLIOFS_SEED=${SEED}`);
  const counts = new Map<string, number>();
  const program = fc.array(step, { maxLength: STEPS, size: "max" });
  fc.assert(
    fc.property(program, (steps) => {
      const model = new CommitModel();
      model.step(["layer", 0, 0, 0], 0);
      model.step(["layer", 1, 1, 1], 0);
      for (const [kind, choices, failAfter] of steps) model.step([kind, ...choices] as CommitStep, failAfter);
      const left = model.end();
      assert(left <= 2, `${left} pages are left`);
      for (const [what, nr] of model.counts) counts.set(what, (counts.get(what) ?? 0) + nr);
    }),
    { seed: SEED, numRuns: RUNS },
  );
  if (process.env.FOLIOFS_COMMIT_RUNS) console.log(Object.fromEntries([...counts].sort()));
});
