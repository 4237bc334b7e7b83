/**
 * The harness on itself: node:fs against node:fs gives no difference, and differences put in on purpose are found.
 *
 * Every case runs with FOLIO_DIFFERENTIAL=all, every eighth without.
 */
import { afterEach, assert, describe, expect, it } from "vitest";
import type { Subject, SubjectFs } from "../helpers/subject.ts";
import { createNodeFsSubject, freshRoot } from "../helpers/subject-node-fs.ts";
import type { Case } from "./case.ts";
import { differences } from "./compare.ts";
import { describe as describeValue } from "./describe.ts";
import { Pair, showFindings } from "./pair.ts";
import { CaseRunner } from "./run-case.ts";
import { ALL_CASES, EVERY_CASE, TABLES } from "./tables/all.ts";
import { isFollowedVersion, isSafeToAsk, readGolden, VERSION_REASONS, withPatch } from "./versions.ts";

const SAMPLE_EVERY = process.env.FOLIO_DIFFERENTIAL === "all" ? 1 : 8;

const subjects: Subject[] = [];

function nodeFsRunner(root: string): CaseRunner {
  const subject = createNodeFsSubject(root);
  subjects.push(subject);
  return new CaseRunner(subject);
}

afterEach(() => {
  for (const subject of subjects.splice(0)) subject.dispose();
});

describe("node:fs against itself", () => {
  it.each(Object.entries(TABLES))("gives the same twice: %s", { timeout: 600_000 }, async (_, cases) => {
    const sample = cases.filter(({ id }, index) => index % SAMPLE_EVERY === 0 && isSafeToAsk(id));
    const root = freshRoot();
    const first = nodeFsRunner(root);
    const outcomes = [];
    for (const test of sample) outcomes.push(await first.run(test));
    for (const subject of subjects.splice(0)) subject.dispose();

    const second = nodeFsRunner(root);
    const findings = [];
    for (const [index, test] of sample.entries()) {
      const found = differences(outcomes[index], await second.run(test));
      if (found.length > 0) findings.push({ id: test.id, differences: found });
    }
    assert(findings.length === 0, showFindings(findings));
  });
});

/** A file system that goes wrong in one way: `change` gets a copy of node:fs to spoil. */
function spoiled(change: (fs: Record<string, unknown>, right: SubjectFs) => void): CaseRunner {
  const subject = createNodeFsSubject();
  subjects.push(subject);
  const fs = Object.assign(Object.create(null), subject.fs) as Record<string, unknown>;
  for (const name of ["mknodSync"] as const) fs[name] = subject.fs[name];
  for (const key of Object.keys(Object.getPrototypeOf(subject.fs))) fs[key] = subject.fs[key as keyof SubjectFs];
  change(fs, subject.fs);
  return new CaseRunner({ ...subject, fs: fs as unknown as SubjectFs });
}

function caseOf(id: string): Case {
  const test = EVERY_CASE.find((one) => one.id === id);
  assert(test, `no case ${id}`);
  return test;
}

/** Calls `right` and changes the error that it throws. */
function withError(call: () => unknown, change: (error: NodeJS.ErrnoException) => Error): unknown {
  try {
    return call();
  } catch (error) {
    throw change(error as NodeJS.ErrnoException);
  }
}

function edited(error: NodeJS.ErrnoException, fields: Record<string, unknown>): Error {
  return Object.assign(error, fields);
}

/** Own properties in another order, all else the same. */
function reordered(error: NodeJS.ErrnoException): Error {
  const { errno, code, syscall, path } = error;
  const copy = new Error(error.message);
  return Object.assign(copy, { path, syscall, code, errno });
}

type Spoil = (fs: Record<string, unknown>, right: SubjectFs) => void;

/** Each fault with a case that must find it. */
const FAULTS: readonly (readonly [fault: string, id: string, spoil: Spoil])[] = [
  [
    "a wrong code",
    "unlink sync: of <root>/missing",
    (fs, right) => {
      fs.unlinkSync = (path: string) =>
        withError(
          () => right.unlinkSync(path),
          (error) => edited(error, { code: "EIO" }),
        );
    },
  ],
  [
    "a wrong errno",
    "unlink sync: of <root>/missing",
    (fs, right) => {
      fs.unlinkSync = (path: string) =>
        withError(
          () => right.unlinkSync(path),
          (error) => edited(error, { errno: 2 }),
        );
    },
  ],
  [
    "a wrong syscall",
    "unlink sync: of <root>/missing",
    (fs, right) => {
      fs.unlinkSync = (path: string) =>
        withError(
          () => right.unlinkSync(path),
          (error) => edited(error, { syscall: "rm" }),
        );
    },
  ],
  [
    "another path in the message",
    "unlink sync: of <root>/missing",
    (fs, right) => {
      fs.unlinkSync = (path: string) =>
        withError(
          () => right.unlinkSync(path),
          (error) => edited(error, { message: `${error.message}/` }),
        );
    },
  ],
  [
    "properties in another order",
    "unlink sync: of <root>/missing",
    (fs, right) => {
      fs.unlinkSync = (path: string) => withError(() => right.unlinkSync(path), reordered);
    },
  ],
  [
    "an error that is no error",
    "unlink sync: of <root>/missing",
    (fs) => {
      fs.unlinkSync = () => {};
    },
  ],
  [
    "a success that fails",
    "stat sync: of <root>/file",
    (fs) => {
      fs.statSync = () => {
        throw new Error("no");
      };
    },
  ],
  [
    "a size that is off by one",
    "stat sync: of <root>/file",
    (fs, right) => {
      fs.statSync = (path: string) => {
        const stats = right.statSync(path);
        stats.size += 1;
        return stats;
      };
    },
  ],
  [
    "a value of another type",
    "readFile sync: of <root>/file",
    (fs, right) => {
      const read = right.readFileSync;
      fs.readFileSync = (path: string) => new Uint8Array(read(path));
    },
  ],
  [
    "a callback that comes too early",
    "stat callback: file, {}",
    (fs, right) => {
      fs.stat = (path: string, _: object, callback: (...results: unknown[]) => void) =>
        callback(null, right.statSync(path));
    },
  ],
  [
    "a callback with one argument too many",
    "chmod callback: file, 384",
    (fs, right) => {
      fs.chmod = (path: string, mode: number, callback: (...results: unknown[]) => void) =>
        right.chmod(path, mode, (error) => callback(error, undefined));
    },
  ],
  [
    "a rename that follows the link",
    "rename sync: l-file -> missing",
    (fs, right) => {
      fs.renameSync = (from: string, to: string) => right.renameSync(right.realpathSync(from), to);
    },
  ],
  [
    "a mode that forgets the umask",
    "mkdir sync: of <root>/missing",
    (fs, right) => {
      fs.mkdirSync = (path: string) => {
        right.mkdirSync(path);
        right.chmodSync(path, 0o777);
      };
    },
  ],
  [
    "content that is written wrong",
    "writeFile sync: of <root>/file",
    (fs, right) => {
      const write = right.writeFileSync;
      fs.writeFileSync = (path: string, data: string) => write(path, data === "new text" ? "new test" : data);
    },
  ],
  [
    "a time that is not updated",
    "chmod sync: 751 of <root>/dir",
    (fs, right) => {
      fs.chmodSync = (path: string, mode: number) => {
        right.chmodSync(path, mode);
        if (mode === 0o751) right.utimesSync(path, 1, 1);
      };
    },
  ],
  [
    "a position that moves",
    "ftruncate sync: [5] of file opened r+",
    (fs, right) => {
      fs.ftruncateSync = (fd: number, length: number) => {
        right.readSync(fd, Buffer.alloc(1));
        right.ftruncateSync(fd, length);
      };
    },
  ],
  [
    "a buffer that is written beyond its length",
    "read sync: offset 0 length 1 position 0, file opened r",
    (fs, right) => {
      fs.readSync = (fd: number, buffer: Buffer, offset: number, length: number, position: number) =>
        Math.min(length, right.readSync(fd, buffer, offset, length === 1 ? 2 : length, position));
    },
  ],
  [
    "a function that is missing",
    "lchown sync: of <root>/file",
    (fs) => {
      fs.lchownSync = undefined;
    },
  ],
];

describe("the comparison", () => {
  it("passes a file system that is not spoiled", async () => {
    const pair = new Pair(
      nodeFsRunner(freshRoot()),
      spoiled(() => {}),
    );
    const cases = [...new Set(FAULTS.map(([, id]) => caseOf(id)))];
    const findings = await pair.runAll(cases);
    assert(findings.length === 0, showFindings(findings));
  });

  it.each(FAULTS)("finds %s", async (_, id, spoil) => {
    const pair = new Pair(nodeFsRunner(freshRoot()), spoiled(spoil));
    const found = await pair.run(caseOf(id));
    assert.isNotEmpty(found);
  });

  it("takes a reason only for the cases and places that it names, and tells which it never needed", async () => {
    const reasons = [
      { cases: /^unlink/, at: /message$/, reason: "used" },
      { cases: /^chmod/, reason: "not used" },
    ];
    const [, id, spoil] = FAULTS[3];
    const pair = new Pair(nodeFsRunner(freshRoot()), spoiled(spoil), new Map(), reasons);
    const found = await pair.run(caseOf(id));
    expect(found.map(({ at }) => at)).not.toContain("outcome.value.message");
    expect(pair.unusedReasons).toEqual(["not used"]);
  });

  it.each([
    ["numbers", 1, 2],
    ["zeros", 0, -0],
    ["not-a-number", Number.NaN, null],
    ["undefined and null", undefined, null],
    ["numbers and bigints", 1, 1n],
    ["strings and Buffers", "a", Buffer.from("a")],
    ["bytes", Buffer.from([1]), Buffer.from([2])],
    ["long bytes", Buffer.alloc(9999), Buffer.alloc(9999, 1)],
    ["lengths of arrays", [1], [1, 1]],
    ["orders of arrays", ["a", "b"], ["b", "a"]],
    ["keys", { a: 1 }, { b: 1 }],
    ["orders of keys", { a: 1, b: 1 }, { b: 1, a: 1 }],
    ["classes of errors", new TypeError("x"), new RangeError("x")],
    ["names of errors", new Error("x"), Object.assign(new Error("x"), { name: "Other" })],
    ["causes", new Error("x"), new Error("x", { cause: 1 })],
  ])("tells apart %s", (_, left, right) => {
    const found = differences(describeValue(left, "/root"), describeValue(right, "/root"));
    assert.isNotEmpty(found);
  });
});

describe("the golden file of Node 26", () => {
  const golden = readGolden();

  it("has a reason for every line, and a line for every reason", () => {
    const ids = [...golden.keys()];
    const unexplained = ids.filter((id) => !VERSION_REASONS.some(({ cases }) => cases.test(id)));
    const unused = VERSION_REASONS.filter(({ cases }) => !ids.some((id) => cases.test(id)));
    expect({ unexplained, unused }).toEqual({ unexplained: [], unused: [] });
  });

  it("is right about Node 26, or changes what an older Node gives", { timeout: 600_000 }, async () => {
    const runner = nodeFsRunner(freshRoot());
    const cases = ALL_CASES.filter(({ id }) => golden.has(id) && isSafeToAsk(id)).filter((_, index) => index % 5 === 0);
    for (const test of cases) {
      const outcome = await runner.run(test);
      const isEqual = differences(outcome, withPatch(outcome, golden.get(test.id) ?? {})).length === 0;
      assert.equal(isEqual, isFollowedVersion(), test.id);
    }
  });
});
