/**
 * The differential test on hostfs: a sample of the table, in every form, on a folder of the host mounted in foliofs and on
 * node:fs over a Linux tmpfs. The folder has a helper for what node:fs cannot do, which the trees need: fifos.
 *
 * FOLIO_DIFFERENTIAL=all runs the whole table; FOLIO_REPORT as in fs.test.ts.
 */
import { appendFileSync } from "node:fs";
import { afterAll, assert, beforeAll, describe, it } from "vitest";
import { loadFoliofs } from "../helpers/subject-foliofs.ts";
import { createHostfsSubject } from "../helpers/subject-hostfs.ts";
import { createNodeFsSubject } from "../helpers/subject-node-fs.ts";
import type { Case } from "./case.ts";
import { differences, showDifference } from "./compare.ts";
import { DELIBERATE, type Deliberate } from "./deliberate.ts";
import { Pair, showFindings } from "./pair.ts";
import { CaseRunner } from "./run-case.ts";
import { TABLES } from "./tables/all.ts";
import { readGolden } from "./versions.ts";

/** One case of so many is run. */
const SAMPLE = process.env.FOLIO_DIFFERENTIAL === "all" ? 1 : Number(process.env.FOLIO_SAMPLE ?? 20);

/** Where hostfs differs on purpose. */
const OF_HOSTFS: readonly Deliberate[] = [
  {
    cases: /^open .*: .*, 4259970$|O_TMPFILE/,
    reason: "O_TMPFILE is EOPNOTSUPP: a file without a name could not be opened again",
  },
  {
    cases: /utimes /,
    at: /^tree/,
    reason: "what is read from pages the host does not hear of, and moves no atime",
  },
  {
    cases: /^program: aborted (at once|in a (tick|microtask)): /,
    reason:
      "an abort ends the wait for the host wherever the call has come; Node's has asked for more by then, or for less",
  },
];

let oracle: CaseRunner;
let subject: CaseRunner;
let pair: Pair;

beforeAll(async () => {
  const foliofs = await loadFoliofs();
  oracle = new CaseRunner(createNodeFsSubject());
  const { root } = oracle.subject;
  subject = new CaseRunner(createHostfsSubject(foliofs, { base: "/dev/shm", data: "ttl=1000", isHelped: true, root }));
  pair = new Pair(oracle, subject, readGolden(), [...DELIBERATE, ...OF_HOSTFS]);
});

afterAll(() => {
  oracle?.subject.dispose();
  subject?.subject.dispose();
});

/** The same cases each time, from all over the table. */
function isInSample(_: Case, index: number): boolean {
  return index % SAMPLE === 0;
}

describe.each(["battery", "data", "empty"] as const)("the tree %s on hostfs", (name) => {
  it("looks the same on both sides before any call", () => {
    const found = differences(oracle.pristineTree(name), subject.pristineTree(name));
    assert.equal(found.map(showDifference).join("\n"), "");
  });
});

describe.each(Object.entries(TABLES))("hostfs: %s", (_name, cases) => {
  it("answers as node:fs does", { timeout: 600_000 }, async () => {
    const findings = await pair.runAll(cases.filter(isInSample));
    const file = process.env.FOLIO_REPORT;
    if (file) for (const finding of findings) appendFileSync(file, `${JSON.stringify(finding)}\n`);
    assert(findings.length === 0, showFindings(findings));
  });
});
