/**
 * Random trees of text, links and binary files, and random changes of them: our patch applied by git, and git's by us, give the changed tree.
 * fast-check prints the seed of a failure.
 */
import { strict as assert } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import "../../../src/layers.ts";
import { applyPatch, formatPatch } from "../../../src/patch.ts";
import { type GitTree, gitApply, gitDiff, hasGit, readTree, type TreeFs, writeTree } from "../../helpers/host-git.ts";

const NAMES = [
  "a",
  "b",
  "c.txt",
  "dir",
  "sub",
  "sp ace",
  'qu"ote\\',
  "ünï",
  "new\nline",
  "tab\tbed",
  "-dash",
  " lead",
  "a b/",
];
const SIMPLE = NAMES.filter((name) => !name.includes("/"));
const LINES = [
  "",
  "one",
  "two",
  "three",
  "  indented",
  "-minus",
  "+plus",
  "@@ -1 +1 @@",
  "--- a/a",
  "end\r",
  "ünï",
  "\\ No newline",
];

const name = fc.oneof({ weight: 6, arbitrary: fc.constantFrom("a", "b", "dir") }, fc.constantFrom(...SIMPLE));
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const text = fc
  .tuple(fc.array(fc.constantFrom(...LINES), { maxLength: 30 }), fc.boolean())
  .map(([lines, ends]) => Buffer.from(lines.join("\n") + (ends && lines.length > 0 ? "\n" : "")));
const binary = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const large = fc
  .nat(9)
  .map((n) => Buffer.from(Array.from({ length: 4000 }, (_, i) => `${(i * n) % 97} line`).join("\n")));
const content = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 2, arbitrary: binary },
  { weight: 1, arbitrary: large },
);

type Step = (fs: FolioFs, root: string) => unknown;

function edit(old: Buffer, at: number, nr: number, put: string[]): string {
  const lines = old.toString("latin1").split("\n");
  lines.splice(at % (lines.length + 1), nr, ...put.map((line) => Buffer.from(line).toString("latin1")));
  return lines.join("\n");
}

/** One of all names that there are, so that most steps do something. */
function pick(fs: FolioFs, root: string, n: number): string {
  const all = (fs.readdirSync(root, { recursive: true }) as string[]).sort();
  return all.length === 0 ? root : `${root}/${all[n % all.length]}`;
}

const making: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(path, content).map(
      ([p, bytes]): Step =>
        (fs, root) => {
          fs.mkdirSync(`${root}/${p}`.replace(/\/[^/]*$/, ""), { recursive: true });
          fs.writeFileSync(`${root}/${p}`, bytes);
        },
    ),
  },
  fc.tuple(path, path).map(
    ([p, target]): Step =>
      (fs, root) =>
        fs.symlinkSync(target, `${root}/${p}`),
  ),
  fc.tuple(fc.nat(), fc.constantFrom(0o644, 0o755)).map(
    ([n, mode]): Step =>
      (fs, root) => {
        const at = pick(fs, root, n);
        if (fs.lstatSync(at).isFile()) fs.chmodSync(at, mode);
      },
  ),
);
const changing: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: making },
  {
    weight: 5,
    arbitrary: fc.tuple(fc.nat(), fc.nat(), fc.nat(3), fc.array(fc.constantFrom(...LINES), { maxLength: 3 })).map(
      ([n, at, nr, put]): Step =>
        (fs, root) => {
          const file = pick(fs, root, n);
          fs.writeFileSync(file, Buffer.from(edit(fs.readFileSync(file) as Buffer, at, nr, put), "latin1"));
        },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.nat().map(
      (n): Step =>
        (fs, root) =>
          fs.rmSync(pick(fs, root, n), { recursive: true }),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat(), path).map(
      ([n, q]): Step =>
        (fs, root) =>
          fs.renameSync(pick(fs, root, n), `${root}/${q}`),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(), name, content).map(
      ([n, q, bytes]): Step =>
        (fs, root) =>
          fs.writeFileSync(`${pick(fs, root, n)}/${q}`, bytes),
    ),
  },
  fc.tuple(fc.nat(), content).map(
    ([n, bytes]): Step =>
      (fs, root) => {
        const at = pick(fs, root, n);
        fs.rmSync(at, { recursive: true });
        fs.writeFileSync(at, bytes);
      },
  ),
);

/** Works through steps, with whatever success, and leaves no directory empty, which patches cannot tell. */
function work(fs: FolioFs, root: string, steps: readonly Step[]): void {
  for (const step of steps) {
    try {
      step(fs, root);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno === undefined) throw error;
    }
  }
  dropEmpty(fs, root);
}

function dropEmpty(fs: FolioFs, dir: string): void {
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    dropEmpty(fs, `${dir}/${entry.name}`);
    if (fs.readdirSync(`${dir}/${entry.name}`).length === 0) fs.rmdirSync(`${dir}/${entry.name}`);
  }
}

function tree(fs: FolioFs, root: string): GitTree {
  return readTree(fs as unknown as TreeFs, root);
}

/** What git makes of it, or says. */
function appliedByGit(from: GitTree, patch: string | Buffer, flags: readonly string[]): GitTree | string {
  try {
    return gitApply(from, patch, ...flags);
  } catch (error) {
    return String((error as { stderr?: Buffer }).stderr ?? error);
  }
}

/**
 * Git applies our patch, or goes wrong as it does with its own: without context it takes a line for an equal one that is the last and has
 * no newline, and it walks by a link to itself that is in the place of a directory.
 */
function appliesByGit(from: GitTree, to: GitTree, patch: string, own: Buffer, flags: readonly string[]): void {
  const applied = appliedByGit(from, patch, flags);
  if (!isDeepStrictEqual(applied, to)) assert.deepEqual(applied, appliedByGit(from, own, ["-p2", ...flags]));
}

function copyOf(fs: FolioFs, from: GitTree, root: string): void {
  fs.rmSync(root, { recursive: true, force: true });
  writeTree(fs as unknown as TreeFs, root, from);
}

const scene = fc.tuple(
  fc.array(making, { minLength: 2, maxLength: 15 }),
  fc.array(changing, { minLength: 1, maxLength: 12 }),
  fc.constantFrom(0, 1, 3, 10),
);
const RUNS = Number(process.env.FOLIOFS_PATCH_RUNS ?? 45);
const TIMEOUT_MS = 600_000;

describe("random trees and changes", () => {
  const eachScene = (numRuns: number, check: (fs: FolioFs, a: GitTree, b: GitTree, context: number) => void): void => {
    fc.assert(
      fc.property(scene, ([make, change, context]) => {
        let time = 0;
        const now = (): number => time++; // each change shows in the times of its directory
        const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, now });
        for (const dir of ["/a", "/b", "/t"]) fs.mkdirSync(dir);
        work(fs, "/a", make);
        fs.kernel.layer({ lower: "/a", target: "/b" });
        work(fs, "/b", change);
        check(fs, tree(fs, "/a"), tree(fs, "/b"), context);
        fs.kernel.verify();
        fs.kernel.destroy();
      }),
      { numRuns },
    );
  };

  it("become each other by our patches, there and back", { timeout: TIMEOUT_MS }, () => {
    eachScene(RUNS * 3, (fs, a, b, context) => {
      const patch = formatPatch(fs, "/a", "/b", { context });
      copyOf(fs, a, "/t");
      applyPatch(fs, "/t", patch);
      assert.deepEqual(tree(fs, "/t"), b);
      applyPatch(fs, "/t", patch, { reverse: true });
      assert.deepEqual(tree(fs, "/t"), a);
      assert.deepEqual(formatPatch(fs, "/t", "/a"), "");
    });
  });

  it.skipIf(!hasGit)("become each other by our patches in git's hands", { timeout: TIMEOUT_MS }, () => {
    eachScene(RUNS, (fs, a, b, context) => {
      const patch = formatPatch(fs, "/a", "/b", { context });
      if (patch === "") return;
      const own = gitDiff(a, b, "--binary", `-U${context}`);
      const flags = context === 0 ? ["--unidiff-zero"] : [];
      appliesByGit(a, b, patch, own, flags);
      appliesByGit(b, a, patch, own, ["--reverse", ...flags]);
    });
  });

  it.skipIf(!hasGit)("become each other by git's patches in our hands", { timeout: TIMEOUT_MS }, () => {
    eachScene(Math.ceil(RUNS / 3), (fs, a, b, context) => {
      for (const flags of [[], ["-M", "-C", "--find-copies-harder"], ["--full-index", "-B"]]) {
        const patch = gitDiff(a, b, "--binary", `-U${context}`, ...flags);
        copyOf(fs, a, "/t");
        applyPatch(fs, "/t", patch, { strip: 2 });
        assert.deepEqual(tree(fs, "/t"), b);
      }
    });
  });
});
