/**
 * The differential test on an overlay where all that is there before a call is in a lower layer: the permission matrix against
 * node:fs over a tmpfs, and a sample of the table, in every form, against node:fs over an overlay of the host.
 *
 * FOLIO_DIFFERENTIAL=all runs the whole table; FOLIO_REPORT as in fs.test.ts.
 */
import { appendFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, assert, beforeAll, describe, it } from "vitest";
import * as foliofs from "../../src/index.ts";
import { IS_DEBUG } from "../helpers/core.ts";
import type { Subject } from "../helpers/subject.ts";
import { createNodeFsSubject } from "../helpers/subject-node-fs.ts";
import { createNodeOverlaySubject, missingForOverlays } from "../helpers/subject-node-overlay.ts";
import { createOverlaySubject } from "../helpers/subject-overlay.ts";
import { differences, showDifference } from "./compare.ts";
import { DELIBERATE, type Deliberate } from "./deliberate.ts";
import { Pair, showFindings } from "./pair.ts";
import { byOperation, PermissionPair } from "./permissions/compare.ts";
import { HARDLINK_CASES } from "./permissions/hardlinks.ts";
import { MODE_BIT_CASES } from "./permissions/mode-bits.ts";
import { SPECIAL_BIT_CASES } from "./permissions/special-bits.ts";
import { STICKY_OPEN_CASES } from "./permissions/sticky-opens.ts";
import { dataOperation } from "./random/data.ts";
import { namesOperation } from "./random/names.ts";
import { tryFor } from "./random/pair.ts";
import { type Operation, SINK } from "./random/program.ts";
import { CaseRunner } from "./run-case.ts";
import { TABLES } from "./tables/all.ts";
import { isFollowedVersion, readGolden } from "./versions.ts";

/** Links stay links: as they do on a file system. */
const AS_ONE = { lowers: 1, isRootBelow: false, options: "redirect_dir=on,index=on" };
/** Without waiting for who else has a copy of a mount (subject-node-overlay.ts). */
const AS_ON_HOST = { lowers: 1, isRootBelow: false, options: "redirect_dir=on" };

/** Directories with parts in several layers have one link. */
function withoutDirectoryLinks(seen: string): string {
  return seen.replace(/^(.* 4\d{4} \S+) nlink \d+$/gm, "$1");
}

/** All of them with one core, of which others differ in nothing that asks for a permission: a part of them there. */
const PERMISSION_SAMPLE = IS_DEBUG || process.env.FOLIO_DIFFERENTIAL === "all" ? 1 : 7;

describe("permissions", () => {
  let oracle: Subject;
  let subject: Subject;
  let pair: PermissionPair;

  beforeAll(() => {
    oracle = createNodeFsSubject();
    subject = createOverlaySubject(foliofs, { ...AS_ONE, root: oracle.root });
    pair = new PermissionPair(oracle, subject, withoutDirectoryLinks);
  });

  afterAll(() => {
    oracle?.dispose();
    subject?.dispose();
  });

  describe.each(
    Object.entries({
      "mode bits": MODE_BIT_CASES,
      "sticky, set-id, ownership and umask": SPECIAL_BIT_CASES,
      "opening what is there in a sticky directory": STICKY_OPEN_CASES,
      "hard links to files of others": HARDLINK_CASES,
    }),
  )("%s", (_what, all) => {
    const sample = all.filter((_, index) => index % PERMISSION_SAMPLE === 0);
    it.each([...byOperation(sample)])("%s", (_operation, cases) => pair.compareAll(cases));
  });
});

/** One case of so many is run. */
const SAMPLE = process.env.FOLIO_DIFFERENTIAL === "all" ? 1 : Number(process.env.FOLIO_SAMPLE ?? 120);

/** Where an overlay of ours differs from the host's on purpose. */
const OF_OVERLAY: readonly Deliberate[] = [];

/** What Node 26 says where the Node that runs this does not: of a tmpfs, which is no oracle of an overlay's trees. */
const golden = readGolden();

const TOTAL_MS = Number(process.env.FOLIO_RANDOM_MS ?? 4_000);
const FIRST_SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);

/** A copy of a file with holes has the same ones, where the host's overlay fills those up that are near to data. */
function withoutBlocks(line: string): string {
  return line.replace(/"?blocks"?[=:]("[^"]*"|[^ ,}]+)/g, "");
}

/**
 * Now and then all goes to a lower layer. Files are not copied: to copy one of several names onto itself node:fs on the host's overlay
 * never comes to an end, since it opens one to be written that has parted from the other.
 */
function withSinks(all: fc.Arbitrary<Operation>): fc.Arbitrary<Operation> {
  const operation = all.filter(({ call }) => call !== "copyFileSync");
  const sink = fc.constant({ call: SINK, paths: [], args: [] });
  return fc.oneof({ weight: 10, arbitrary: operation }, { weight: 1, arbitrary: sink });
}

describe.skipIf(missingForOverlays())("random programs", () => {
  let oracle: Subject;
  let subject: Subject;

  beforeAll(() => {
    oracle = createNodeOverlaySubject(AS_ON_HOST);
    subject = createOverlaySubject(foliofs, { ...AS_ON_HOST, root: oracle.root });
    console.log(`random programs on overlays: FOLIO_SEED=${FIRST_SEED}`);
  });

  afterAll(() => {
    oracle?.dispose();
    subject?.dispose();
  });

  const tryAll = (milliseconds: number, operation: fc.Arbitrary<Operation>): void =>
    tryFor({ oracle, subject, comparable: withoutBlocks }, milliseconds, withSinks(operation), 40, FIRST_SEED);

  it(
    "name, link, move and remove alike",
    () => tryAll(TOTAL_MS * 0.5, namesOperation({ asOthers: false })),
    TOTAL_MS * 20,
  );
  it(
    "are allowed and forbidden the same",
    () => tryAll(TOTAL_MS * 0.2, namesOperation({ asOthers: true })),
    TOTAL_MS * 20,
  );
  it("read and write alike", () => tryAll(TOTAL_MS * 0.3, dataOperation()), TOTAL_MS * 20);
});

describe.skipIf(missingForOverlays())("the table", () => {
  let oracle: CaseRunner;
  let subject: CaseRunner;
  let pair: Pair;

  beforeAll(() => {
    oracle = new CaseRunner(createNodeOverlaySubject(AS_ONE));
    subject = new CaseRunner(createOverlaySubject(foliofs, { ...AS_ONE, root: oracle.subject.root }));
    pair = new Pair(oracle, subject, golden, [...DELIBERATE, ...OF_OVERLAY]);
  });

  afterAll(() => {
    oracle?.subject.dispose();
    subject?.subject.dispose();
  });

  it.each(["battery", "data", "empty"] as const)("looks the same on both sides before any call: %s", (name) => {
    const found = differences(oracle.pristineTree(name), subject.pristineTree(name));
    assert.equal(found.map(showDifference).join("\n"), "");
  });

  it.each(Object.entries(TABLES))("answers as node:fs does: %s", { timeout: 600_000 }, async (_name, cases) => {
    const sample = cases.filter((_, index) => index % SAMPLE === 0);
    const findings = await pair.runAll(sample.filter(({ id }) => isFollowedVersion() || !golden.has(id)));
    const file = process.env.FOLIO_REPORT;
    if (file) for (const finding of findings) appendFileSync(file, `${JSON.stringify(finding)}\n`);
    assert(findings.length === 0, showFindings(findings));
  });
});
