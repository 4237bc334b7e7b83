/**
 * cp, cpSync and promises.cp against those of Node 26, by hand and at random.
 *
 * Callback and promise forms are Node's in all that can be seen. Node 26's cpSync is made of C++ that differs from its own
 * other forms: it loses what is in the way of a name of another kind, passes over fifos, takes every link for a directory where
 * links are followed, and ends the process where a link leads nowhere. Here all forms copy alike: cpSync equals Node's cpSync;
 * where that differs from Node's promise form it equals the latter, or refuses and has changed nothing.
 */
import { dirname } from "node:path";
import { assert, describe, it } from "vitest";
import { seededRandom } from "../../helpers/random.ts";
import { isFollowedVersion } from "../versions.ts";
import { CP_CASES, LINK_CASES, SOCKET_CASES } from "./cp-cases.ts";
import { hostStage } from "./host-stage.ts";
import { askOracle, oracleNode, ROOT } from "./oracle.ts";
import { randomCp } from "./random-cp.ts";
import { type Outcome, runCase, type TreeCase } from "./scene.ts";
import { foliofsStage, runOnFoliofs, titleOf } from "./stage.ts";

const SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);
const NR_RANDOM = 300;

/** cpSync's own errors for its arguments and their kinds are held against Node's word by word. */
function isSaidAlike(own: Outcome, node: Outcome): boolean {
  return JSON.stringify(own) === JSON.stringify(node);
}

/** An outcome without the words of cp's own errors: what is there afterwards, and by what it failed. */
function effectOf({ error, tree, asked }: Outcome): string {
  const isOwn = String(error?.code).startsWith("ERR_");
  return JSON.stringify([isOwn ? error?.code : error?.message, tree, asked]);
}

/** Where neither end can be looked at, which of them Node names is chance: it looks at both at once. */
function isChance(own: Outcome, node: Outcome): boolean {
  const isLook = ({ error, isAsBefore }: Outcome): boolean =>
    isAsBefore &&
    /^E(NOENT|NOTDIR|LOOP|NAMETOOLONG)$/.test(String(error?.code)) &&
    /^l?stat$/.test(String(error?.syscall));
  return isLook(own) && isLook(node) && own.error?.path !== node.error?.path;
}

/** @returns what differs; undefined when nothing does */
function difference(own: Outcome, node: Outcome | undefined, promise: Outcome, { form }: TreeCase): unknown {
  if (node !== undefined && (isSaidAlike(own, node) || isChance(own, node))) return undefined;
  if (form !== "sync") return { own, node };
  const isOdd = node === undefined || effectOf(node) !== effectOf(promise);
  const isRefused = own.error !== undefined && own.isAsBefore;
  return isOdd && (isRefused || effectOf(own) === effectOf(promise)) ? undefined : { own, node, promise };
}

/** Node copies a directory into itself where a link leads there, until names are too long: it is not asked then. */
function isEndless({ error }: Outcome): boolean {
  return /ENAMETOOLONG|ELOOP|subdirectory of self/.test(String(error?.message));
}

async function compare(given: readonly TreeCase[], isAsked = (_own: Outcome): boolean => true): Promise<string[]> {
  const stage = foliofsStage();
  const outcomes: Outcome[] = [];
  for (const test of given) outcomes.push(await runOnFoliofs(stage, test));
  const cases = given.filter((_, i) => isAsked(outcomes[i]));
  const own = outcomes.filter(isAsked);
  const asPromises = cases.map((test): TreeCase => ({ ...test, form: "promise" }));
  const expected = askOracle(oracleNode as string, [...cases, ...asPromises]);
  const found: string[] = [];
  for (const [i, test] of cases.entries()) {
    const differs = difference(own[i], expected[i], expected[cases.length + i] as Outcome, test);
    if (differs !== undefined) found.push(`${titleOf(test)}\n${JSON.stringify(differs, null, 1)}`);
  }
  return found;
}

describe("cp on foliofs alone", () => {
  const TREE = [
    ["d", "a"],
    ["d", "a/b"],
    ["f", "a/f", "f"],
    ["l", "l", "a/b"],
  ] as const;

  it.each(["sync", "callback", "promise"] as const)(
    "does not copy a directory into itself by a link: %s",
    async (form) => {
      const stage = foliofsStage();
      for (const dest of ["l/new", "l/new/deep", "R/l/new"]) {
        const args = ["a", dest];
        const { error, isAsBefore } = await runOnFoliofs(stage, {
          tree: TREE,
          call: "cp",
          form,
          args,
          options: { recursive: true },
        });
        assert.equal(error?.code, "ERR_FS_CP_EINVAL");
        assert(isAsBefore);
      }
    },
  );
});

describe("cp of a tree as deep as paths go", () => {
  it.each(["sync", "callback", "promise"] as const)("copies it: %s", async (form) => {
    const { fs } = foliofsStage();
    const path = "/d".repeat(2000);
    fs.mkdirSync(`/a${path}`, { recursive: true });
    if (form === "sync") fs.cpSync("/a", "/b", { recursive: true });
    else if (form === "promise") await fs.promises.cp("/a", "/b", { recursive: true });
    else await new Promise((resolve) => fs.cp("/a", "/b", { recursive: true }, resolve));
    assert(fs.statSync(`/b${path}`).isDirectory());
  });
});

/** Older Nodes go into directories that are there, where they were to fail of what is. */
function isAnyNodes({ options }: TreeCase): boolean {
  return isFollowedVersion() || options?.errorOnExist !== true;
}

describe.each([
  ["links over links", LINK_CASES],
  ["sockets", SOCKET_CASES],
])("cp of %s as the running Node has it", (_of, cases) => {
  it.each(["callback", "promise"] as const)("%s", { timeout: 300_000 }, async (form) => {
    const [own, host] = [foliofsStage(), hostStage(ROOT, () => {})]; // paths are from the root
    const found: string[] = [];
    for (const test of cases.filter((one) => one.form === form && isAnyNodes(one))) {
      const outcome = await runOnFoliofs(own, test);
      const expected = JSON.parse(JSON.stringify(await runCase(host, test))) as Outcome;
      if (!isSaidAlike(outcome, expected))
        found.push(`${titleOf(test)}\n own ${JSON.stringify(outcome)}\nnode ${JSON.stringify(expected)}`);
    }
    host.clear(dirname(ROOT));
    assert(found.length === 0, `${found.length} differ\n${found.slice(0, 10).join("\n")}`);
  });
});

describe.skipIf(oracleNode === undefined)("cp as Node 26 has it", () => {
  it("in the cases of the table", async () => {
    const found = await compare(CP_CASES);
    assert(found.length === 0, `${found.length} of ${CP_CASES.length} differ\n${found.join("\n")}`);
  }, 300_000);

  it(`at random, seed ${SEED}`, async () => {
    const random = seededRandom(SEED);
    const found = await compare(
      Array.from({ length: NR_RANDOM }, () => randomCp(random)),
      (own) => !isEndless(own),
    );
    assert(found.length === 0, `FOLIO_SEED=${SEED}: ${found.length} of ${NR_RANDOM} differ\n${found.join("\n")}`);
  }, 300_000);
});
