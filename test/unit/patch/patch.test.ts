/** Patches by hand: their text, what fits, what does not, and that nothing changes then. */
import { strict as assert } from "node:assert";
import { deflateSync } from "node:zlib";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { overlay } from "../../../src/layers.ts";
import { fromBase85, toBase85 } from "../../../src/patch/base85.ts";
import { blobId } from "../../../src/patch/blob-id.ts";
import { applyHunks, replacingHunk, splitLines } from "../../../src/patch/hunk.ts";
import { deflate, inflate } from "../../../src/patch/zlib.ts";
import { applyPatch, formatPatch, PatchError } from "../../../src/patch.ts";
import { gitApply, gitDiff, hasGit, readTree, type TreeFs, writeTree } from "../../helpers/host-git.ts";
import { seededRandom } from "../../helpers/random.ts";

function twoTrees(a: Record<string, string>, b: Record<string, string>): FolioFs {
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay] });
  for (const [root, files] of Object.entries({ "/a": a, "/b": b }))
    writeTree(fs as unknown as TreeFs, root, new Map(Object.entries(files).map(([path, file]) => [`/${path}`, file])));
  return fs;
}

function tree(fs: FolioFs, root: string): Record<string, string> {
  return Object.fromEntries(readTree(fs as unknown as TreeFs, root));
}

/** Applying fails with this, and has changed nothing. */
function refused(fs: FolioFs, patch: string, message: RegExp, options = {}): PatchError {
  const before = [tree(fs, "/a"), fs.readdirSync("/a", { recursive: true })];
  let caught: unknown;
  try {
    applyPatch(fs, "/a", patch, options);
  } catch (error) {
    caught = error;
  }
  assert(caught instanceof PatchError, `applied, or ${caught}`);
  assert.match(caught.message, message);
  assert.deepEqual([tree(fs, "/a"), fs.readdirSync("/a", { recursive: true })], before);
  return caught;
}

const LINES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const NINE = `${LINES.join("\n")}\n`;

describe("a patch", () => {
  it("is what git writes", () => {
    const fs = twoTrees(
      { f: `644 ${NINE}`, gone: "644 x\n", mode: "644 m\n", "sp ace": "644 a", link: "link old" },
      {
        f: `644 ${NINE.replace("five", "FIVE")}`,
        "new\n": "755 n\n",
        mode: "755 m\n",
        "sp ace": "644 b",
        link: "link new",
      },
    );
    assert.equal(
      formatPatch(fs, "/a", "/b"),
      [
        "diff --git a/f b/f",
        `index ${blobId(Buffer.from(NINE))}..${blobId(Buffer.from(NINE.replace("five", "FIVE")))} 100644`,
        "--- a/f",
        "+++ b/f",
        "@@ -2,7 +2,7 @@",
        " two",
        " three",
        " four",
        "-five",
        "+FIVE",
        " six",
        " seven",
        " eight",
        "diff --git a/gone b/gone",
        "deleted file mode 100644",
        "index 587be6b4c3f93f93c489c0111bba5596147a26cb..0000000000000000000000000000000000000000",
        "--- a/gone",
        "+++ /dev/null",
        "@@ -1 +0,0 @@",
        "-x",
        "diff --git a/link b/link",
        "index 489b24a4d1d1168c1afd02db8a5b9aab7ae2e8bb..3e5126c4e76d12a9c3e3e0fa4a5e3a83e4a3d2c6 120000".replace(
          /index .*/,
          `index ${blobId(Buffer.from("old"))}..${blobId(Buffer.from("new"))} 120000`,
        ),
        "--- a/link",
        "+++ b/link",
        "@@ -1 +1 @@",
        "-old",
        "\\ No newline at end of file",
        "+new",
        "\\ No newline at end of file",
        "diff --git a/mode b/mode",
        "old mode 100644",
        "new mode 100755",
        'diff --git "a/new\\n" "b/new\\n"',
        "new file mode 100755",
        `index ${"0".repeat(40)}..${blobId(Buffer.from("n\n"))}`,
        "--- /dev/null",
        '+++ "b/new\\n"',
        "@@ -0,0 +1 @@",
        "+n",
        "diff --git a/sp ace b/sp ace",
        `index ${blobId(Buffer.from("a"))}..${blobId(Buffer.from("b"))} 100644`,
        "--- a/sp ace\t",
        "+++ b/sp ace\t",
        "@@ -1 +1 @@",
        "-a",
        "\\ No newline at end of file",
        "+b",
        "\\ No newline at end of file",
        "",
      ].join("\n"),
    );
    assert.equal(formatPatch(fs, "/a", "/a"), "");
    fs.kernel.destroy();
  });

  it("tells of renamed files and of all that is in renamed directories", () => {
    const fs = twoTrees({ "dir/x": "644 x\n", "dir/deep/y": `644 ${NINE}`, z: "644 z\n" }, {});
    fs.mkdirSync("/l");
    fs.kernel.layer({ lower: "/a", target: "/l" });
    fs.renameSync("/l/dir", "/l/other");
    fs.writeFileSync("/l/other/deep/y", NINE.replace("nine", "NINE"));
    fs.renameSync("/l/z", "/l/other/z");
    const patch = formatPatch(fs, "/a", "/l");
    const heads = patch.split("\n").filter((line) => /^(diff|rename|similarity|new|deleted)/.test(line));
    assert.deepEqual(heads, [
      ...["diff --git a/dir/x b/other/x", "similarity index 100%", "rename from dir/x", "rename to other/x"],
      ...[
        "diff --git a/dir/deep/y b/other/deep/y",
        "similarity index 91%",
        "rename from dir/deep/y",
        "rename to other/deep/y",
      ],
      ...["diff --git a/z b/other/z", "similarity index 100%", "rename from z", "rename to other/z"],
    ]);
    assert.deepEqual(applyPatch(fs, "/a", patch), [
      { kind: "renamed", path: "other/x", from: "dir/x" },
      { kind: "renamed", path: "other/deep/y", from: "dir/deep/y" },
      { kind: "renamed", path: "other/z", from: "z" },
    ]);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("tells of what a renamed directory has taken along, though there is something new beside it", () => {
    const fs = twoTrees({ "dir/deep/deeper/x": "644 x\n", "dir/deep/z": "644 z\n", "dir/f": "644 f\n" }, {});
    fs.mkdirSync("/l");
    fs.kernel.layer({ lower: "/a", target: "/l" });
    fs.renameSync("/l/dir", "/l/other");
    fs.writeFileSync("/l/other/deep/new", "new\n");
    fs.rmSync("/l/other/f");
    fs.mkdirSync("/l/other/f");
    fs.writeFileSync("/l/other/f/y", "y\n");
    const now = new Date(5000); // a directory in which something is new has another time
    fs.utimesSync("/l/other/deep", now, now);
    const patch = formatPatch(fs, "/a", "/l");
    const expected = tree(fs, "/l");
    applyPatch(fs, "/a", patch);
    assert.deepEqual(tree(fs, "/a"), expected);
    assert.deepEqual(Object.keys(tree(fs, "/a")), [
      "/other/deep/deeper/x",
      "/other/deep/new",
      "/other/deep/z",
      "/other/f/y",
    ]);
    fs.kernel.destroy();
  });

  it("has binary files whole, or says only that they differ", () => {
    const fs = twoTrees(
      { f: "644 \0a", latin: "644 \xe9\n", same: "644 \0" },
      { f: "644 \0b", latin: "644 \xe8\n", same: "644 \0" },
    );
    const patch = formatPatch(fs, "/a", "/b");
    assert.equal(patch.match(/^GIT binary patch$/gm)?.length, 2);
    const short = formatPatch(fs, "/a", "/b", { binary: false });
    assert.match(short, /^Binary files a\/f and b\/f differ$/m);
    assert.equal(refused(fs, short, /^foliofs: f: is binary, and the patch does not have its content/).path, "f");
    const again = patch.replace(/(literal \d+\n.)./, "$1~");
    assert.equal(refused(fs, again, /damaged binary patch/).code, "ERR_INVALID_PATCH");
    applyPatch(fs, "/a", patch);
    assert.deepEqual(tree(fs, "/a"), tree(fs, "/b"));
    refused(fs, patch, /^foliofs: f: has another content than what the patch is of/);
    applyPatch(fs, "/a", patch, { reverse: true });
    fs.kernel.destroy();
  });

  it("has what git makes of large binary files: deltas, and many lines", () => {
    const random = seededRandom(16);
    const bytes = Buffer.from(Array.from({ length: 70_000 }, () => random(256)));
    const other = Buffer.concat([bytes.subarray(300, 50_000), Buffer.from("between\0"), bytes.subarray(100)]);
    const fs = twoTrees({ f: `644 ${bytes.toString("latin1")}` }, { f: `644 ${other.toString("latin1")}` });
    const [a, b] = ["/a", "/b"].map((root) => readTree(fs as unknown as TreeFs, root));
    if (hasGit) {
      assert.deepEqual(gitApply(a, formatPatch(fs, "/a", "/b")), b);
      const patch = gitDiff(a, b, "--binary");
      assert.match(String(patch), /^delta \d+$/m);
      applyPatch(fs, "/a", patch, { strip: 2 });
      assert.deepEqual(tree(fs, "/a"), tree(fs, "/b"));
      applyPatch(fs, "/a", patch, { strip: 2, reverse: true });
    }
    applyPatch(fs, "/a", formatPatch(fs, "/a", "/b"));
    assert.deepEqual(tree(fs, "/a"), tree(fs, "/b"));
    fs.kernel.destroy();
  });

  it("is found quickly, though not the smallest, of files that have little in common", () => {
    const lines = (from: number): string => Array.from({ length: 6000 }, (_, i) => `${from + i * 7}\n`).join("");
    const fs = twoTrees({ f: `644 same\n${lines(0)}end` }, { f: `644 same\n${lines(1)}end` });
    const start = performance.now();
    const patch = formatPatch(fs, "/a", "/b");
    assert(performance.now() - start < 30_000);
    applyPatch(fs, "/a", patch);
    assert.deepEqual(tree(fs, "/a"), tree(fs, "/b"));
    fs.kernel.destroy();
  });

  it("says nothing of what it cannot tell", () => {
    const fs = twoTrees({ f: "644 f" }, { f: "644 f" });
    fs.mkdirSync("/b/empty");
    fs.mknodSync("/b/fifo", 0o010644);
    fs.chownSync("/b/f", 5, 5);
    fs.chmodSync("/b/f", 0o600);
    fs.utimesSync("/b/f", 1, 1);
    assert.equal(formatPatch(fs, "/a", "/b"), "");
    assert.deepEqual(applyPatch(fs, "/a", ""), []);
    fs.kernel.destroy();
  });
});

describe("a patch that is applied", () => {
  const hunk = `--- a/f\n+++ b/f\n@@ -2,3 +2,3 @@\n two\n-three\n+THREE\n four\n`;

  it("finds lines that have moved, nearest first", () => {
    const fs = twoTrees({ f: `644 ${"before\n".repeat(5)}${NINE}` }, {});
    assert.deepEqual(applyPatch(fs, "/a", hunk), [{ kind: "modified", path: "f" }]);
    assert.equal(fs.readFileSync("/a/f", "utf8"), `${"before\n".repeat(5)}${NINE.replace("three", "THREE")}`);
    fs.kernel.destroy();
  });

  it("keeps mode and owner, takes plain diffs, bytes, and text around", () => {
    const fs = twoTrees({ f: `644 ${NINE}` }, {});
    fs.chmodSync("/a/f", 0o640);
    fs.chownSync("/a/f", 7, 8);
    const mail = `From: someone\n\ntext\n---\n f | 2 +-\n\n${hunk}-- \n2.39\n`;
    applyPatch(fs, "/a", Buffer.from(mail), { check: true });
    assert.equal(fs.readFileSync("/a/f", "utf8"), NINE);
    applyPatch(fs, "/a", Buffer.from(mail));
    const { mode, uid, gid } = fs.statSync("/a/f");
    assert.deepEqual([mode & 0o7777, uid, gid], [0o640, 7, 8]);
    applyPatch(fs, "/a", "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n");
    assert.equal(fs.statSync("/a/f").mode & 0o7777, 0o750);
    applyPatch(fs, "/", "--- /dev/null\n+++ a/x/y/z\n@@ -0,0 +1 @@\n+new\n", { strip: 0 });
    assert.equal(fs.readFileSync("/a/x/y/z", "utf8"), "new\n");
    applyPatch(fs, "/a", "--- x/y/z\n+++ /dev/null\n@@ -1 +0,0 @@\n-new\n", { strip: 0 });
    assert.deepEqual(fs.readdirSync("/a"), ["f"], "directories that have become empty go");
    fs.kernel.destroy();
  });

  it("swaps names, copies, and puts files and directories in each other's place", () => {
    const fs = twoTrees({ f: "644 f\n", g: "644 g\n", "d/x": "644 x\n" }, {});
    const renames = (from: string, to: string): string =>
      `diff --git a/${from} b/${to}\nsimilarity index 100%\nrename from ${from}\nrename to ${to}\n`;
    applyPatch(fs, "/a", renames("f", "g") + renames("g", "f"));
    assert.deepEqual(tree(fs, "/a"), { "/d/x": "644 x\n", "/f": "644 g\n", "/g": "644 f\n" });
    applyPatch(fs, "/a", renames("d/x", "d") + renames("f", "f/y"));
    assert.deepEqual(tree(fs, "/a"), { "/d": "644 x\n", "/f/y": "644 g\n", "/g": "644 f\n" });
    applyPatch(fs, "/a", renames("g", "h").replaceAll("rename", "copy"));
    assert.deepEqual(tree(fs, "/a"), { "/d": "644 x\n", "/f/y": "644 g\n", "/g": "644 f\n", "/h": "644 f\n" });
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is refused as a whole where a part does not fit, with file and hunk", () => {
    const fs = twoTrees({ f: `644 ${NINE}`, g: "644 g\n", link: "link g", "d/x": "644 x\n" }, {});
    const good = hunk.replaceAll("/f", "/g").replace(/@@.*/s, "@@ -1 +1 @@\n-g\n+G\n");
    const second = `${hunk}@@ -8,2 +8,2 @@\n-EIGHT\n+8\n nine\n`;
    const error = refused(fs, good + second, /^foliofs: f: hunk 2: does not fit$/);
    assert.deepEqual([error.code, error.path, error.hunk], ["ERR_PATCH_CONFLICT", "f", 2]);
    const added = (path: string): string => `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`;
    refused(fs, good + added("f"), /f: is there already/);
    refused(fs, good + added("d"), /d: is a directory that is not empty/);
    refused(fs, good + added("f/x"), /f\/x: there is no place for it: f is no directory/);
    refused(fs, good + added("link/x"), /link\/x: there is no place for it/);
    refused(fs, good + hunk.replaceAll("/f", "/missing"), /missing: there is no such file/);
    refused(fs, good + hunk.replaceAll("/f", "/d"), /d: is a directory/);
    refused(
      fs,
      "diff --git a/f b/f\nindex 0000000..1111111 120000\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n+x\n",
      /f: is a file of another type/,
    );
    refused(fs, "--- a/f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n", /f: (hunk 1|has more in it)/);
    fs.kernel.destroy();
  });

  it("never leaves the directory", () => {
    const fs = twoTrees({ f: "644 f" }, { g: "644 g" });
    fs.symlinkSync("/b", "/a/out");
    const added = (path: string): string => `--- /dev/null\n+++ ${path}\n@@ -0,0 +1 @@\n+x\n`;
    for (const path of ["b/../b/x", "b/x/../../y", "b//x", "b/./x", "b/", "b", '"b/\\056./x"', '"b/x\\000y"'])
      assert.equal(refused(fs, added(path), /no path below the directory/).code, "ERR_INVALID_PATCH", path);
    refused(fs, added("b/out/x"), /no place for it: out is no directory/);
    refused(
      fs,
      "--- a/out/g\n+++ b/out/g\n@@ -1 +1 @@\n-g\n\\ No newline at end of file\n+x\n",
      /behind a symbolic link/,
    );
    assert.deepEqual(fs.readdirSync("/b"), ["g"]);
    // A link that gives way to a directory: what it leads to stays.
    const link =
      "diff --git a/out b/out\ndeleted file mode 120000\n--- a/out\n+++ /dev/null\n@@ -1 +0,0 @@\n-/b\n\\ No newline at end of file\n";
    applyPatch(fs, "/a", link + added("b/out/g"));
    assert.deepEqual([fs.readFileSync("/b/g", "utf8"), fs.readFileSync("/a/out/g", "utf8")], ["g", "x\n"]);
    fs.kernel.destroy();
  });

  it("is refused where it cannot be read", () => {
    const fs = twoTrees({ f: `644 ${NINE}` }, {});
    const cases: [string, RegExp][] = [
      [hunk.replace("@@ -2,3", "@@ -2,4"), /line 8 of the patch: a hunk with fewer lines/],
      [hunk.replace(" two", "?two"), /line 4 of the patch: a hunk with fewer lines/],
      [hunk.replace("+2,3", "+2,2"), /other lines than it says/],
      [hunk.slice(0, -7), /fewer lines/],
      [hunk.replace(/^.*\n.*\n/, ""), /a hunk of no file/],
      ["--- /dev/null\n+++ /dev/null\n@@ -0,0 +1 @@\n+x\n", /no name of a file/],
      ["diff --git a/x b/y\nindex 1..2\n", /no name of a file/],
      ["diff --git a/f b/f\nnew file mode 10\n", /no mode/],
      ["diff --git a/f b/x\nrename from f\nrename to x\n--- a/f\n+++ b/g\n@@ -1 +1 @@\n-f\n+x\n", /something else/],
      ["diff --git a/f b/f\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n", /something else/],
    ];
    for (const [patch, message] of cases) assert.equal(refused(fs, patch, message).code, "ERR_INVALID_PATCH", patch);
    fs.kernel.destroy();
  });

  it("is taken back where the file system fails half-way", () => {
    const fs = twoTrees({ "d/f": `644 ${NINE}`, g: "644 g\n", "k/x": "644 x\n" }, {});
    const patch =
      `--- a/d/f\n+++ /dev/null\n@@ -1,9 +0,0 @@\n${LINES.map((line) => `-${line}\n`).join("")}` +
      "--- a/g\n+++ b/g\n@@ -1 +1 @@\n-g\n+G\n--- /dev/null\n+++ b/d/f/new\n@@ -0,0 +1 @@\n+x\n" +
      "diff --git a/k/x b/e/y\nsimilarity index 100%\nrename from k/x\nrename to e/y\n";
    const before = [tree(fs, "/a"), fs.readdirSync("/a", { recursive: true })];
    const { renameSync, writeFileSync, mkdirSync } = fs;
    let nr = 0;
    let failing = 0;
    const failingAt = <F extends (...args: never[]) => unknown>(call: F): F =>
      ((...args: Parameters<F>) => {
        if (++nr === failing) throw Object.assign(new Error("EIO"), { code: "EIO", errno: -5 });
        return call(...args);
      }) as unknown as F;
    const face = Object.assign(Object.create(fs), {
      renameSync: failingAt(renameSync),
      writeFileSync: failingAt(writeFileSync),
      mkdirSync: failingAt(mkdirSync),
    }) as FolioFs;
    for (failing = 1; ; failing++) {
      nr = 0;
      try {
        applyPatch(face, "/a", patch);
        break;
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "EIO");
        assert.deepEqual([tree(fs, "/a"), fs.readdirSync("/a", { recursive: true })], before, `failure ${failing}`);
      }
    }
    assert(failing > 8);
    assert.deepEqual(tree(fs, "/a"), { "/d/f/new": "644 x\n", "/e/y": "644 x\n", "/g": "644 G\n" });
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("changes a file twice, and takes a mode from what it has made", () => {
    const fs = twoTrees({ f: "644 one\n" }, {});
    const step = (from: string, to: string): string => `--- a/f\n+++ b/f\n@@ -1 +1 @@\n-${from}\n+${to}\n`;
    applyPatch(
      fs,
      "/a",
      `${step("one", "two")}diff --git a/f b/f\nold mode 100644\nnew mode 100755\n${step("two", "three")}`,
    );
    assert.deepEqual(tree(fs, "/a"), { "/f": "755 three\n" });
    refused(fs, step("three", "four") + step("three", "five"), /f: hunk 1/);
    fs.kernel.destroy();
  });

  it("is refused at what is no file, and by what the file system says of a path", () => {
    const fs = twoTrees({ f: "644 f\n" }, {});
    const change = (path: string): string => `--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-f\n+F\n`;
    fs.mkdirSync("/c");
    fs.kernel.linux.mkfifoSync("/c/fifo");
    assert.throws(() => applyPatch(fs, "/c", change("fifo")), /fifo: is no regular file/);
    assert.throws(() => applyPatch(fs, "/c", change("n".repeat(256))), { code: "ENAMETOOLONG" });
    const copy = "diff --git a/g b/f\nsimilarity index 100%\ncopy from g\ncopy to f\n";
    refused(fs, copy, /f: cannot be taken back: the patch does not say what it was/, { reverse: true });
    fs.kernel.destroy();
  });

  it("gives files to who applies it where they may not be another's", () => {
    const fs = twoTrees({ f: "644 f\n" }, {});
    fs.chmodSync("/a", 0o777);
    fs.chownSync("/a/f", 5, 5);
    const own = fs.kernel.task({ uid: 7, gid: 7 });
    applyPatch(own, "/a", "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-f\n+F\n");
    assert.deepEqual([fs.statSync("/a/f").uid, tree(fs, "/a")], [7, { "/f": "644 F\n" }]);
    fs.kernel.destroy();
  });

  it("is refused without space, and with wrong arguments", () => {
    const fs = twoTrees({ f: "644 f\n" }, {});
    fs.mkdirSync("/small");
    fs.kernel.mount({ type: "tmpfs", target: "/small", data: "size=8k,nr_inodes=10" });
    fs.writeFileSync("/small/f", "f\n");
    const lines = Array.from({ length: 5000 }, (_, i) => `+${i}\n`).join("");
    const patch = `--- a/f\n+++ b/f\n@@ -1 +1 @@\n-f\n+F\n--- /dev/null\n+++ b/g\n@@ -0,0 +1,5000 @@\n${lines}`;
    assert.throws(() => applyPatch(fs, "/small", patch), { code: "ENOSPC" });
    assert.deepEqual(tree(fs, "/small"), { "/f": "644 f\n" });
    assert.deepEqual(fs.readdirSync("/small"), ["f"]);
    assert.throws(() => applyPatch(fs, "/missing", patch), { code: "ENOENT" });
    assert.throws(() => applyPatch(fs, "/a", 5 as never), { code: "ERR_INVALID_ARG_TYPE" });
    assert.throws(() => applyPatch(fs, "/a", "", { strip: -1 }), { code: "ERR_OUT_OF_RANGE" });
    assert.throws(() => applyPatch(fs, "/a", "", { fuzz: 1 } as never), { code: "ERR_INVALID_ARG_VALUE" });
    assert.throws(() => formatPatch(fs, "/a", "/missing"), { code: "ENOENT" });
    assert.throws(() => formatPatch(fs, "/a", "/a", { context: 1.5 }), { code: "ERR_OUT_OF_RANGE" });
    assert.throws(() => formatPatch(fs, "/a", "/a", { lines: 1 } as never), { code: "ERR_INVALID_ARG_VALUE" });
    fs.kernel.destroy();
  });
});

describe("what patches are made of", () => {
  it("SHA-1, base85 and zlib are those of others", () => {
    assert.equal(blobId(Buffer.alloc(0)), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    assert.equal(blobId(Buffer.from("what is up, doc?")), "bd9dbf5aae1a3862dd1526723246b20206e5fc37");
    const random = seededRandom(85);
    for (const length of [0, 1, 3, 4, 5, 55, 56, 63, 64, 65, 1000, 70_000]) {
      const noise = Buffer.from(Array.from({ length }, () => random(256)));
      const dull = Buffer.from(Array.from({ length }, (_, i) => (i * i) % 7));
      for (const bytes of [noise, dull]) {
        assert.deepEqual(Buffer.from(fromBase85(toBase85(bytes), length) ?? []), bytes);
        for (const level of [0, 1, 9])
          assert.deepEqual(Buffer.from(inflate(deflateSync(bytes, { level }), length) ?? []), bytes);
        assert.deepEqual(Buffer.from(inflate(deflate(bytes), length) ?? []), bytes);
        assert.equal(inflate(deflateSync(bytes), length + 1), undefined);
        if (length > 0) assert.equal(inflate(deflateSync(bytes).subarray(0, -5), length), undefined);
      }
    }
    assert.equal(fromBase85("~~~~~", 4), undefined);
    assert.equal(fromBase85("0000 ", 4), undefined);
  });

  it("a hunk that replaces all between", () => {
    const [from, to] = ["a\nb\nc\nd\ne\n", "a\nb\nX\nd\ne"];
    for (const [old, now] of [
      [from, to],
      [to, from],
      ["", to],
      [from, ""],
      [from, from + to],
    ])
      for (const context of [0, 1, 9])
        assert.equal(applyHunks(old, replacingHunk(splitLines(old), splitLines(now), context)), now);
    assert.deepEqual(replacingHunk(splitLines(from), splitLines(from), 3), []);
  });
});
