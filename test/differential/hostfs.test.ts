/**
 * The differential test on hostfs: a sample of the table, in every form, on a folder of the host mounted in foliofs and on
 * node:fs over a Linux tmpfs. The folder has a helper for what node:fs cannot do, which the trees need: fifos. After each
 * case all is brought to the host, and looked at there.
 *
 * FOLIO_DIFFERENTIAL=all runs the whole table; FOLIO_REPORT as in fs.test.ts.
 */
import nodeFs, { appendFileSync } from "node:fs";
import { basename } from "node:path";
import { afterAll, assert, beforeAll, describe, it } from "vitest";
import type { Subject } from "../helpers/subject.ts";
import { loadFoliofs } from "../helpers/subject-foliofs.ts";
import { createHostfsSubject } from "../helpers/subject-hostfs.ts";
import { createNodeFsSubject } from "../helpers/subject-node-fs.ts";
import type { Case } from "./case.ts";
import { differences, showDifference } from "./compare.ts";
import { DELIBERATE, type Deliberate } from "./deliberate.ts";
import { type Finding, Pair, showFindings } from "./pair.ts";
import { CaseRunner } from "./run-case.ts";
import { TABLES } from "./tables/all.ts";
import { changes, type Dump, dumpTree } from "./tree.ts";
import { readGolden } from "./versions.ts";

/** One case of so many is run. */
const SAMPLE = process.env.FOLIO_DIFFERENTIAL === "all" ? 1 : Number(process.env.FOLIO_SAMPLE ?? 20);

/** Where hostfs differs on purpose. */
const OF_HOSTFS: readonly Deliberate[] = [
  {
    cases: /^open .*O_RDONLY.O_NONBLOCK of <root>.fifo$/,
    reason: "fifos of the host are inodes only: nothing opens them",
  },
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
    at: /^(outcome|after|tree)\b/,
    reason:
      "an abort ends the wait for the host wherever the call has come; Node's has asked for more by then, or for less",
  },
];

const SETUPS: Readonly<Record<string, string>> = {
  "by pages": "ttl=1000",
  "cache=writeback": "ttl=1000,cache=writeback",
};

/** The same cases each time, from all over the table. */
function isInSample(_: Case, index: number): boolean {
  return index % SAMPLE === 0;
}

/** A call that is given up goes on at the host: who changes its file next, as who looks at it there, waits for that. */
async function endOfAborted({ subject }: CaseRunner, { id }: Case): Promise<void> {
  if (!id.startsWith("program: aborted")) return;
  for (const name of subject.fs.readdirSync(subject.root)) {
    const path = `${subject.root}/${name}`;
    const { mode } = await subject.fs.promises.lstat(path);
    await subject.fs.promises.chmod(path, mode & 0o7777);
  }
}

/** What others see on the host, when all is there. */
function differencesOnHost({ subject }: CaseRunner, folder: string): string[] {
  (subject.fs as unknown as { kernel: { sync(): void } }).kernel.sync();
  const onHost = { ...subject, fs: nodeFs, root: `${folder}/${basename(subject.root)}` } as unknown as Subject;
  return changes(comparable(dumpTree(subject)), comparable(dumpTree(onHost)));
}

/** Without access times, which who looks moves, and targets of links, which name the root as it is here. */
function comparable(dump: Dump): Dump {
  return new Map([...dump].map(([name, line]) => [name, line.replace(/atime=\S+| -> .*/g, "")]));
}

describe.each(Object.entries(SETUPS))("hostfs, %s", (_setup, data) => {
  let oracle: CaseRunner;
  let subject: CaseRunner;
  let pair: Pair;
  let folder: string;

  beforeAll(async () => {
    const foliofs = await loadFoliofs();
    oracle = new CaseRunner(createNodeFsSubject());
    const { root } = oracle.subject;
    const hostfs = createHostfsSubject(foliofs, { base: "/dev/shm", data, isHelped: true, root });
    folder = hostfs.folder;
    subject = new CaseRunner(hostfs);
    pair = new Pair(oracle, subject, readGolden(), [...DELIBERATE, ...OF_HOSTFS]);
  });

  afterAll(() => {
    oracle?.subject.dispose();
    subject?.subject.dispose();
  });

  describe.each(["battery", "data", "empty"] as const)("the tree %s", (name) => {
    it("looks the same on both sides before any call", () => {
      const found = differences(oracle.pristineTree(name), subject.pristineTree(name));
      assert.equal(found.map(showDifference).join("\n"), "");
    });
  });

  it.each(Object.entries(TABLES))("answers as node:fs does: %s", { timeout: 600_000 }, async (_name, cases) => {
    const findings: Finding[] = [];
    for (const test of cases.filter(isInSample)) {
      findings.push(...(await pair.runAll([test])));
      await endOfAborted(subject, test);
      assert.equal(differencesOnHost(subject, folder).join("\n"), "", `on the host after: ${test.id}`);
    }
    const file = process.env.FOLIO_REPORT;
    if (file) for (const finding of findings) appendFileSync(file, `${JSON.stringify(finding)}\n`);
    assert(findings.length === 0, showFindings(findings));
  });
});
