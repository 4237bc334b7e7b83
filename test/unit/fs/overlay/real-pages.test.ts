/** Files of an overlay that the core serves by itself: paths that have been walked before, pages and attributes of the real inode. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs, restoreFsSync } from "../../../../src/index.ts";
import { overlay } from "../../../../src/layers.ts";

/** Walks: the second is remembered, those after it are known. */
const WALKS = 4;

const DATA = "lowerdir=/l,upperdir=/u,workdir=/w";

/** @param isApart is the lower layer another file system? Then numbers are those of a made-up device */
function build(isApart = false, data = DATA): FolioFs {
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay] });
  for (const dir of ["/l", "/u", "/w", "/m"]) fs.mkdirSync(dir);
  if (isApart) fs.kernel.mount({ type: "tmpfs", target: "/l" });
  fs.mkdirSync("/l/d");
  fs.writeFileSync("/l/d/a", "lower");
  fs.kernel.mount({ type: "overlay", target: "/m", data });
  return fs;
}

/** As a program sees a file, again and again. */
function seen(fs: FolioFs, path: string): unknown[] {
  const { dev, ino, nlink, mode, size } = fs.statSync(path);
  return [dev, ino, nlink, mode, size, fs.readFileSync(path, "latin1")];
}

function seenOften(fs: FolioFs, path: string): unknown[] {
  const first = seen(fs, path);
  for (let i = 1; i < WALKS; i++) assert.deepEqual(seen(fs, path), first);
  const fd = fs.openSync(path, "r");
  const { dev, ino, size } = fs.fstatSync(fd);
  assert.deepEqual([dev, ino, size], [first[0], first[1], first[4]]);
  fs.closeSync(fd);
  return first;
}

describe("a file of a layer in memory", () => {
  it.each([
    ["one file system", false, DATA],
    ["two", true, DATA],
    ["two, told in st_ino", true, `${DATA},xino=on`],
  ])("is as the lower one is now, and keeps its numbers when it is copied up: %s", (_, isApart, data) => {
    const fs = build(isApart, data);
    const before = seenOften(fs, "/m/d/a");
    fs.appendFileSync("/l/d/a", ", changed");
    const changed = seenOften(fs, "/m/d/a");
    assert.deepEqual(changed.slice(0, 4), before.slice(0, 4));
    assert.equal(changed[5], "lower, changed");
    fs.linkSync("/l/d/a", "/l/d/other");
    assert.equal(seenOften(fs, "/m/d/a")[2], 2);
    fs.unlinkSync("/l/d/other");
    fs.appendFileSync("/m/d/a", ", copied");
    const copied = seenOften(fs, "/m/d/a");
    assert.deepEqual(copied.slice(0, 4), before.slice(0, 4));
    assert.equal(copied[5], "lower, changed, copied");
    assert.equal(fs.readFileSync("/l/d/a", "utf8"), "lower, changed");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("that was opened before it has been copied up is read on from the copy", () => {
    const fs = build();
    seenOften(fs, "/m/d/a");
    const fd = fs.openSync("/m/d/a", "r");
    const bytes = Buffer.alloc(64);
    assert.equal(fs.readSync(fd, bytes, 0, 3, null), 3);
    fs.writeFileSync("/m/d/a", "a longer one");
    assert.equal(fs.fstatSync(fd).size, 12);
    assert.equal(fs.readSync(fd, bytes, 0, 64, null), 9);
    assert.equal(bytes.toString("latin1", 0, 9), "onger one");
    fs.unlinkSync("/m/d/a");
    assert.equal(fs.readSync(fd, bytes, 0, 64, 0), 12);
    fs.closeSync(fd);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("has its time of access in the upper layer at once, and the lower one stays as it was", () => {
    const fs = build();
    fs.writeFileSync("/m/new", "new");
    for (const path of ["/u/new", "/l/d/a"]) fs.utimesSync(path, 1, 2);
    for (let i = 0; i < WALKS; i++) fs.readFileSync("/m/new");
    for (let i = 0; i < WALKS; i++) fs.readFileSync("/m/d/a");
    assert.ok(fs.statSync("/u/new").atimeMs > 1000);
    assert.equal(fs.statSync("/m/new").atimeMs, fs.statSync("/u/new").atimeMs);
    assert.equal(fs.statSync("/l/d/a").atimeMs, 1000);
    assert.equal(fs.statSync("/m/d/a").atimeMs, 1000);
    fs.kernel.destroy();
  });

  it("lies in directories that stay what they are when they are copied up", () => {
    const fs = build(true);
    const often = (path: string): number[] => {
      const all = Array.from({ length: WALKS }, () => {
        const { dev, ino, nlink, mode } = fs.statSync(path);
        return [dev, ino, nlink, mode];
      });
      for (const each of all) assert.deepEqual(each, all[0]);
      return all[0];
    };
    fs.mkdirSync("/l/d/below");
    const before = often("/m/d");
    assert.equal(before[2], 3);
    fs.mkdirSync("/l/d/more");
    assert.equal(often("/m/d")[2], 4);
    fs.writeFileSync("/m/d/new", "new");
    assert.deepEqual(often("/m/d"), [before[0], before[1], 1, before[3]]);
    fs.mkdirSync("/m/own");
    const own = often("/m/own");
    fs.mkdirSync("/m/own/sub");
    assert.deepEqual(often("/m/own"), [own[0], own[1], 3, own[3]]);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("stays what it is in a restored kernel", () => {
    const fs = build();
    const before = seenOften(fs, "/m/d/a");
    const restored = restoreFsSync(fs.kernel.snapshot(), { types: [overlay] });
    assert.deepEqual(seenOften(restored, "/m/d/a"), before);
    restored.appendFileSync("/m/d/a", "!");
    assert.deepEqual(seenOften(restored, "/m/d/a").slice(0, 4), before.slice(0, 4));
    restored.kernel.verify();
    restored.kernel.destroy();
    fs.kernel.destroy();
  });

  it("with names that the index counts has these links", () => {
    const fs = build(false, `${DATA},index=on`);
    fs.linkSync("/l/d/a", "/l/d/other");
    const before = seenOften(fs, "/m/d/a");
    assert.deepEqual(seenOften(fs, "/m/d/other"), before);
    fs.appendFileSync("/m/d/a", "!");
    assert.deepEqual(seenOften(fs, "/m/d/other").slice(0, 4), before.slice(0, 4));
    fs.unlinkSync("/m/d/a");
    assert.equal(seenOften(fs, "/m/d/other")[2], 1);
    fs.kernel.verify();
    fs.kernel.destroy();
  });
});

const NAMES = ["a", "b", "d/a", "d/b"];

type Step =
  | {
      readonly call: "write" | "append" | "truncate" | "unlink" | "chmod";
      readonly name: string;
      readonly text: string;
    }
  | { readonly call: "link" | "rename"; readonly name: string; readonly to: string };

const name = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    call: fc.constantFrom("write", "append", "truncate", "unlink", "chmod"),
    name,
    text: fc.string({ unit: "grapheme-ascii", maxLength: 9 }),
  }) as fc.Arbitrary<Step>,
  fc.record({ call: fc.constantFrom("link", "rename"), name, to: name }) as fc.Arbitrary<Step>,
);

function run(fs: FolioFs, dir: string, made: Step): string {
  const path = `${dir}/${made.name}`;
  try {
    switch (made.call) {
      case "write":
        fs.writeFileSync(path, made.text);
        break;
      case "append":
        fs.appendFileSync(path, made.text);
        break;
      case "truncate":
        fs.truncateSync(path, made.text.length);
        break;
      case "unlink":
        fs.unlinkSync(path);
        break;
      case "chmod":
        fs.chmodSync(path, 0o600 + made.text.length);
        break;
      case "link":
        fs.linkSync(path, `${dir}/${made.to}`);
        break;
      case "rename":
        fs.renameSync(path, `${dir}/${made.to}`);
    }
    return "ok";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** Names that a directory has, each looked at more than once by path: mode, links, size, data. */
function look(fs: FolioFs, dir: string): unknown[] {
  return NAMES.map((each) => {
    const path = `${dir}/${each}`;
    return fs.existsSync(path) ? seenOften(fs, path).slice(2) : "missing";
  });
}

describe("random programs", () => {
  it("see in a layer what they see in a directory", () => {
    const seed = (Math.random() * 2 ** 31) | 0;
    console.log(`real-pages.test.ts: seed ${seed}`);
    const program = fc.array(step, { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(program, (steps) => {
        const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [overlay] });
        for (const dir of ["/base", "/plain", "/layer"]) fs.mkdirSync(dir);
        for (const dir of ["/base", "/plain"]) {
          fs.mkdirSync(`${dir}/d`);
          fs.writeFileSync(`${dir}/a`, "one");
          fs.writeFileSync(`${dir}/d/a`, "two");
        }
        fs.kernel.layer({ lower: "/base", target: "/layer" });
        for (const each of steps) {
          assert.equal(run(fs, "/layer", each), run(fs, "/plain", each));
          assert.deepEqual(look(fs, "/layer"), look(fs, "/plain"));
        }
        fs.kernel.verify?.();
        fs.kernel.destroy();
      }),
      { seed, numRuns: 60 },
    );
  });
});
