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
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { overlay } from "../../../src/layers.ts";
import { CommitModel, type CommitStep, KINDS } from "../../helpers/commit-model.ts";

const SEED = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = Number(process.env.FOLIOFS_COMMIT_RUNS ?? 25);
const STEPS = Number(process.env.FOLIOFS_COMMIT_STEPS ?? 60);

const step = fc.tuple(
  fc.constantFrom(...KINDS),
  fc.array(fc.noBias(fc.nat(1_000_000)), { minLength: 16, maxLength: 16 }),
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.noBias(fc.integer({ min: 1, max: 60 })) },
  ),
);

it("layers and their commits are what a model says", { timeout: 600_000 }, () => {
  console.log(`commit.random.test.ts: FOLIOFS_SEED=${SEED}`);
  const counts = new Map<string, number>();
  const program = fc.array(step, { maxLength: STEPS, size: "max" });
  fc.assert(
    fc.property(program, (steps) => {
      const model = new CommitModel();
      model.step(["layer", 0, 0, 0], 0);
      model.step(["layer", 1, 1, 1, 1], 0);
      for (const [kind, choices, failAfter] of steps) model.step([kind, ...choices] as CommitStep, failAfter);
      const left = model.end();
      assert(left <= 2, `${left} pages are left`);
      for (const [what, nr] of model.counts) counts.set(what, (counts.get(what) ?? 0) + nr);
    }),
    { seed: SEED, numRuns: RUNS },
  );
  if (process.env.FOLIOFS_COMMIT_RUNS) console.log(Object.fromEntries([...counts].sort()));
});

/** What a tree shows, times with it. */
function look(fs: FolioFs, path: string): unknown {
  const { mode, mtimeMs } = fs.lstatSync(path);
  if ((mode & 0o170000) !== 0o040000) return [mode, mtimeMs, fs.readFileSync(path, "latin1")];
  return [mode, mtimeMs, fs.readdirSync(path).map((name) => [name, look(fs, `${path}/${name}`)])];
}

/** Two lower directories, several commits to the first: what it has to hide of the second it hides. */
it("layers over several directories show the same after a commit, and so do new ones", { timeout: 600_000 }, () => {
  const names = ["a", "b", "c", "a/a", "a/b", "b/a", "b/c", "a/a/a", "a/b/c", "c/a"];
  const name = fc.constantFrom(...names);
  const kind = fc.constantFrom("create", "mkdir", "rm", "rename", "rename", "rename", "exchange", "chmod", "commit");
  fc.assert(
    fc.property(fc.array(fc.tuple(kind, name, name), { maxLength: STEPS, size: "max" }), (steps) => {
      const fs = createFsSync({ memoryLimit: 24 * 2 ** 20, types: [overlay] });
      for (const dir of ["/base", "/below", "/x", "/y"]) fs.mkdirSync(dir);
      for (const dir of ["/base/a/a", "/below/a/a", "/below/a/b", "/below/b/c"]) fs.mkdirSync(dir, { recursive: true });
      for (const file of ["/base/a/a/a", "/base/c", "/below/a/a/a", "/below/a/b/c", "/below/b/a", "/below/c"])
        fs.writeFileSync(file, file);
      const lower = ["/base", "/below"];
      const layer = fs.kernel.layer({ lower, target: "/x", metacopy: steps.length % 2 > 0 });
      const fresh = fs.kernel.layer({ lower, target: "/y" });
      const calls: Readonly<Record<string, (a: string, b: string) => void>> = {
        create: (a) => fs.writeFileSync(a, a, { flag: "wx" }),
        mkdir: (a) => fs.mkdirSync(a),
        rm: (a) => fs.rmSync(a, { recursive: true }),
        rename: (a, b) => fs.renameSync(a, b),
        exchange: (a, b) => fs.renameat2Sync(a, b, 2),
        chmod: (a) => fs.chmodSync(a, 0o700),
      };
      for (const [what, a, b] of [...steps, ["commit", "", ""] as const]) {
        if (what === "commit") {
          const before = look(fs, "/x");
          layer.commit();
          fs.kernel.verify();
          assert.deepEqual(look(fs, "/x"), before);
          assert.deepEqual(look(fs, "/y"), before);
          assert.deepEqual([layer.usage().bytes, layer.usage().inodes], [0, 0]);
          continue;
        }
        try {
          calls[what](`/x/${a}`, `/x/${b}`);
        } catch (error) {
          assert.match((error as NodeJS.ErrnoException).code ?? "", /^E[A-Z]+$/);
        }
      }
      layer.drop();
      fresh.drop();
      fs.kernel.verify();
      fs.kernel.destroy();
    }),
    { seed: SEED, numRuns: RUNS },
  );
});
