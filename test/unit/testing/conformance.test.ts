/** The suites as users have them: who is skipped, known and found out, in every runner's way. */
import nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";
import {
  type ConformanceSubject,
  conformance,
  conformanceCases,
  type Expectations,
  runConformance,
} from "../../../src/testing-conformance.ts";

function create(): ConformanceSubject {
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20 });
  fs.mkdirSync("/work");
  return {
    fs,
    root: "/work",
    as: (credentials, call) => call(fs.kernel.task(credentials) as unknown as typeof nodeFs),
    dispose: () => fs.kernel.destroy(),
  };
}

async function outcomes(
  make: () => ConformanceSubject,
  expected: Expectations = {},
): Promise<Record<string, string[]>> {
  const results = await runConformance(make, expected);
  const found: Record<string, string[]> = {};
  for (const { outcome, name } of results) (found[outcome] ??= []).push(name);
  return found;
}

describe("foliofs passes", () => conformance(create, { describe, it }));

it("skips nothing of foliofs but what takes a kernel", async () => {
  const results = await runConformance(create);
  const skipped = results.filter(({ outcome }) => outcome === "skipped");
  expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  expect(results).toHaveLength(conformanceCases().length);
  expect(new Set(skipped.map(({ reason }) => reason))).toEqual(
    new Set([
      "the host's memory is not this test's alone",
      "node:fs cannot set RLIMIT_FSIZE",
      "tmpfs has no FALLOC_FL_ZERO_RANGE",
      expect.stringMatching(/^the largest file of tmpfs/),
    ]),
  );
});

it("skips what a face does not have: node:fs has no lseek", async () => {
  const dir = nodeFs.mkdtempSync(join(tmpdir(), "foliofs-conformance-"));
  const suites = ["lseek and fallocate", "mknod and umask", "truncate"];
  const make = (): ConformanceSubject => {
    const root = nodeFs.mkdtempSync(`${dir}/case-`);
    nodeFs.chmodSync(root, 0o755);
    return { fs: nodeFs, root, dispose: () => nodeFs.rmSync(root, { recursive: true, force: true }) };
  };
  const results = await runConformance(make, { suites });
  nodeFs.rmSync(dir, { recursive: true });
  expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  const reasons = results.map(({ name, reason }) => [name, reason]);
  expect(reasons).toContainEqual(["makes a fifo", "it has no mknodSync()"]);
  expect(reasons).toContainEqual([
    "takes the bits of the umask off whatever makes a file",
    "the subject has no as(): other users are not known",
  ]);
  expect(results.some(({ outcome, suite }) => suite === "truncate" && outcome === "passed")).toBe(true);
});

it("skips what a face is said to lack, inside of outcomes too", async () => {
  const found = await outcomes(create, {
    lacks: { links: "no links here", users: "one user" },
    suites: ["link and unlink"],
  });
  expect(found.failed).toBeUndefined();
  expect(found.skipped.length).toBeGreaterThan(5);
});

/** A face that gets one thing wrong. */
function broken(): ConformanceSubject {
  const subject = create();
  const { unlinkSync, ...rest } = subject.fs as typeof nodeFs;
  const fs = {
    ...rest,
    unlinkSync: (path: string) => nodeFs.existsSync(path) || unlinkSync(path),
    truncateSync: () => {},
  };
  return { ...subject, fs };
}

it("finds out what is wrong, unless it is known", async () => {
  const suites = ["truncate"];
  const { failed } = await outcomes(broken, { suites });
  expect(failed.length).toBeGreaterThan(1);
  const known = Object.fromEntries(failed.map((name) => [name, "truncate does nothing"]));
  const found = await outcomes(broken, { suites, known });
  expect(found.failed).toBeUndefined();
  expect(found.known).toEqual(failed);
  const mended = await runConformance(create, { suites, known });
  const [first] = mended.filter(({ outcome }) => outcome === "failed");
  expect(String(first.error)).toBe("Error: it passes now; `known` says: truncate does nothing");
  const skipped = await outcomes(broken, { suites, skipped: known });
  expect(skipped.skipped).toEqual(expect.arrayContaining(failed));
});

it("disposes of every subject, and waits for them", async () => {
  let nrOpen = 0;
  let nrMade = 0;
  const make = async (): Promise<ConformanceSubject> => {
    nrOpen++;
    nrMade++;
    const subject = create();
    return {
      ...subject,
      async dispose() {
        await subject.dispose?.();
        nrOpen--;
      },
    };
  };
  const results = await runConformance(make, { suites: ["stat"] });
  expect([nrOpen, nrMade]).toEqual([0, results.length]);
});

it("refuses names that there are not", async () => {
  const wrong: Expectations[] = [
    { lacks: { wings: "x" } as never },
    { known: { "no such case": "x" } },
    { skipped: { "no such case": "x" } },
    { suites: ["no such suite"] },
  ];
  for (const expected of wrong)
    await expect(runConformance(create, expected)).rejects.toMatchObject({ code: "ERR_INVALID_ARG_VALUE" });
  expect(() => conformance(create, { it } as never)).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" }));
});

it("defines tests that no runner takes for such with a callback, and that skip as each does", async () => {
  const tests: { name: string; run: (...args: unknown[]) => Promise<void> }[] = [];
  const runner = {
    describe: (_name: string, define: () => void) => define(),
    it: (name: string, run: (...args: unknown[]) => Promise<void>) => tests.push({ name, run }),
  };
  conformance(create, runner, { suites: ["limits"] });
  expect(tests.map(({ run }) => run.length)).toEqual(tests.map(() => 0));
  const reasons: string[] = [];
  const context = { skip: (reason: string) => reasons.push(reason) }; // as node:test's, which goes on
  for (const { run } of tests) await run(context);
  expect(reasons).toHaveLength(tests.length);
  for (const { run } of tests) await run(); // as jest's, which has none
});
