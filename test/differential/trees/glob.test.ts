/**
 * glob, globSync and promises.glob against those of Node 26, by hand and at random.
 *
 * Two things are not as in Node. A function as `exclude` leaves out what it says of every entry, as Node's documentation has
 * it; Node's own asks about some and not about others. And of several patterns none takes from the matches of another.
 */
import { assert, describe, it } from "vitest";
import { seededRandom } from "../../helpers/random.ts";
import { GLOB_CASES, randomGlob } from "./glob-cases.ts";
import { askOracle, oracleNode } from "./oracle.ts";
import type { Outcome, TreeCase } from "./scene.ts";
import { foliofsStage, runOnFoliofs, titleOf } from "./stage.ts";

const SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);
const NR_RANDOM = 500;

/**
 * Whether `own` is what Node finds by each pattern alone. By several at once, of which one has `**`, it passes over some of
 * what they match.
 */
function isUnion(own: Outcome, test: TreeCase): boolean {
  const [patterns] = test.args;
  if (!Array.isArray(patterns) || patterns.length < 2 || !patterns.join().includes("**")) return false;
  const alone = patterns.map((pattern): TreeCase => ({ ...test, args: [pattern] }));
  const outcomes = askOracle(oracleNode as string, alone);
  const matches = outcomes.flatMap((outcome) => (outcome?.value ?? []) as string[]);
  return JSON.stringify(own.value) === JSON.stringify([...new Set(matches)].sort());
}

async function compare(cases: readonly TreeCase[]): Promise<string[]> {
  const expected = askOracle(oracleNode as string, cases);
  const stage = foliofsStage();
  const found: string[] = [];
  for (const [i, test] of cases.entries()) {
    const own = await runOnFoliofs(stage, test);
    if (JSON.stringify(own) !== JSON.stringify(expected[i]) && !isUnion(own, test)) {
      found.push(`${titleOf(test)}\n own ${JSON.stringify(own)}\nnode ${JSON.stringify(expected[i])}`);
    }
  }
  return found;
}

describe("glob on foliofs alone", () => {
  const TREE = [
    ["d", "a"],
    ["d", "a/b"],
    ["f", "a/b/c", ""],
    ["f", "b", ""],
    ["f", "c", ""],
  ] as const;

  it.each([
    ["*", ["a", "c"]],
    ["**/*", ["a", "c"]],
    ["a/*", []],
    ["a/b/c", []],
    ["{a,b,c}", ["a", "c"]],
  ])("leaves out of %s what a function says", async (pattern, expected) => {
    for (const form of ["sync", "callback", "promise"] as const) {
      for (const options of [{}, { withFileTypes: true }]) {
        const test: TreeCase = { tree: TREE, call: "glob", form, args: [pattern], options, filter: "is b" };
        const { value } = await runOnFoliofs(foliofsStage(), test);
        assert.deepEqual(
          (value as string[]).map((match) => match.replace(/^R \| (\w).*$/, "$1")),
          expected,
        );
      }
    }
  });

  it("yields as it goes: what is found first need not wait for the rest", async () => {
    const { face } = foliofsStage();
    face.mkdirSync("/w/deep", { recursive: true });
    face.writeFileSync("/w/deep/late", "");
    face.writeFileSync("/w/early", "");
    const matches = face.promises.glob("**/*", { cwd: "/w" });
    assert.equal((await matches.next()).value, "deep");
    await matches.next();
    face.writeFileSync("/w/deep/later", "");
    const rest = [];
    for await (const match of matches) rest.push(match);
    assert.deepEqual(rest, ["deep/late", "deep/later"]);
  });
});

describe.skipIf(oracleNode === undefined)("glob as Node 26 has it", () => {
  it("in the cases of the table", async () => {
    const found = await compare(GLOB_CASES);
    assert(found.length === 0, `${found.length} of ${GLOB_CASES.length} differ\n${found.join("\n")}`);
  }, 300_000);

  it(`at random, seed ${SEED}`, async () => {
    const random = seededRandom(SEED);
    const found = await compare(Array.from({ length: NR_RANDOM }, () => randomGlob(random)));
    assert(found.length === 0, `FOLIO_SEED=${SEED}: ${found.length} of ${NR_RANDOM} differ\n${found.join("\n")}`);
  }, 300_000);
});
