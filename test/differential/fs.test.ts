/**
 * The differential test: every function of the face, in every form, on foliofs and on node:fs over a Linux tmpfs.
 *
 * The tables are in `tables/`, what is compared in `run-case.ts` and `describe.ts`, deliberate differences in
 * `deliberate.ts`, differences between Node's versions in `versions.ts`. Set FOLIO_DIFFERENTIAL=all to run every
 * case in every form, and FOLIO_REPORT=FILE to have all findings written to a file, one line of JSON each.
 */
import { appendFileSync } from "node:fs";
import { afterAll, assert, beforeAll, describe, it } from "vitest";
import { createFoliofsSubject, loadFoliofs } from "../helpers/subject-foliofs.ts";
import { createNodeFsSubject } from "../helpers/subject-node-fs.ts";
import type { Case } from "./case.ts";
import { differences, showDifference } from "./compare.ts";
import { DELIBERATE } from "./deliberate.ts";
import { type Finding, Pair, showFindings } from "./pair.ts";
import { CaseRunner } from "./run-case.ts";
import { ALL_CASES, TABLES } from "./tables/all.ts";
import { readGolden } from "./versions.ts";

/** What the test promises to cover at least. */
const MIN_CASES = 1500;

let oracle: CaseRunner;
let subject: CaseRunner;
let pair: Pair;
let nrRun = 0;

beforeAll(async () => {
  const foliofs = await loadFoliofs();
  oracle = new CaseRunner(createNodeFsSubject());
  subject = new CaseRunner(createFoliofsSubject(foliofs, oracle.subject.root));
  const needed = DELIBERATE.filter(({ cases }) => ALL_CASES.some(({ id }) => cases.test(id)));
  pair = new Pair(oracle, subject, readGolden(), needed);
});

afterAll(() => {
  oracle?.subject.dispose();
  subject?.subject.dispose();
});

function report(findings: readonly Finding[]): void {
  const file = process.env.FOLIO_REPORT;
  if (file) for (const finding of findings) appendFileSync(file, `${JSON.stringify(finding)}\n`);
}

/** Cases by function: one test each. */
function byFunction(cases: readonly Case[]): Map<string, Case[]> {
  const groups = new Map<string, Case[]>();
  for (const test of cases) groups.set(test.fn, [...(groups.get(test.fn) ?? []), test]);
  return groups;
}

describe.each(["battery", "data", "empty"] as const)("the tree %s", (name) => {
  it("looks the same on both sides before any call", () => {
    const found = differences(oracle.pristineTree(name), subject.pristineTree(name));
    assert.equal(found.map(showDifference).join("\n"), "");
  });
});

for (const [table, cases] of Object.entries(TABLES)) {
  describe(table, () => {
    it.each([...byFunction(cases)])("%s", { timeout: 600_000 }, async (_, group) => {
      const findings = await pair.runAll(group);
      nrRun += group.length;
      report(findings);
      assert(findings.length === 0, showFindings(findings));
    });
  });
}

describe("the table", () => {
  it(`has at least ${MIN_CASES} cases, each with its own id`, () => {
    assert.isAtLeast(ALL_CASES.length, MIN_CASES);
    assert.equal(new Set(ALL_CASES.map(({ id }) => id)).size, ALL_CASES.length);
  });

  it("needs every deliberate difference that it lists", () => {
    // A run of chosen tests only cannot tell.
    if (nrRun === ALL_CASES.length) assert.deepEqual(pair.unusedReasons, []);
  });
});
