/** readdir and opendir: order, kinds, and directories that change while they are read. */
import assert from "node:assert/strict";
import type { Dir } from "node:fs";
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK } from "../../base/stat-flags.ts";
import { type Create, type It, outcomeOf, timesChangedBy } from "./suite.ts";

function rest(dir: Dir): string[] {
  const names: string[] = [];
  for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) names.push(entry.name);
  dir.closeSync();
  return names;
}

export function readdirSuite(create: Create, it: It): void {
  it("lists names sorted by bytes, without . and ..", () => {
    const { fs, root } = create();
    const names = ["b", "B", "a", "10", "9", "z", "é", "~", "-", "_", "ab", "a.", "aa", "😀", "\u{ffff}"];
    for (const name of names) fs.writeFileSync(`${root}/${name}`, "");
    const sorted = names.map((name) => Buffer.from(name)).sort(Buffer.compare);
    assert.deepEqual(fs.readdirSync(root), sorted.map(String));
  });

  it("lists many names, and all of them once", () => {
    const { fs, root } = create();
    const names = Array.from({ length: 3000 }, (_, i) => `file-${i}`);
    for (const name of names) fs.writeFileSync(`${root}/${name}`, "");
    assert.deepEqual(fs.readdirSync(root), [...names].sort());
    assert.deepEqual(rest(fs.opendirSync(root)).sort(), [...names].sort());
    assert.deepEqual(rest(fs.opendirSync(root, { bufferSize: 7 })).sort(), [...names].sort());
  });

  it("opens directories in the order of the directory: newest first", () => {
    const { fs, root } = create();
    for (const name of ["b", "a", "c"]) fs.writeFileSync(`${root}/${name}`, "");
    fs.unlinkSync(`${root}/a`);
    fs.writeFileSync(`${root}/a`, "");
    fs.renameSync(`${root}/b`, `${root}/d`);
    assert.deepEqual(rest(fs.opendirSync(root)), ["d", "a", "c"]);
  });

  it("tells the kind of each entry", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/file`, "");
    fs.mkdirSync(`${root}/dir`);
    fs.symlinkSync("dir", `${root}/link`);
    fs.mknodSync(`${root}/fifo`, S_IFIFO | 0o600, 0);
    fs.mknodSync(`${root}/sock`, S_IFSOCK | 0o600, 0);
    fs.mknodSync(`${root}/chr`, S_IFCHR | 0o600, 0x101);
    fs.mknodSync(`${root}/blk`, S_IFBLK | 0o600, 0x102);
    const kinds = fs.readdirSync(root, { withFileTypes: true }).map((entry) => {
      const tests = [
        "isFile",
        "isDirectory",
        "isSymbolicLink",
        "isFIFO",
        "isSocket",
        "isCharacterDevice",
        "isBlockDevice",
      ] as const;
      return [entry.name, tests.filter((test) => entry[test]()).join(), entry.parentPath];
    });
    assert.deepEqual(kinds, [
      ["blk", "isBlockDevice", root],
      ["chr", "isCharacterDevice", root],
      ["dir", "isDirectory", root],
      ["fifo", "isFIFO", root],
      ["file", "isFile", root],
      ["link", "isSymbolicLink", root],
      ["sock", "isSocket", root],
    ]);
  });

  it("sees no change of what a list was already taken of", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/a`, "");
    const list = fs.readdirSync(root);
    fs.writeFileSync(`${root}/b`, "");
    assert.deepEqual(list, ["a"]);
    list.push("mine");
    assert.deepEqual(fs.readdirSync(root), ["a", "b"]);
  });

  it("gives every entry once to a reader that removes what it reads", () => {
    const { fs, root } = create();
    for (let i = 0; i < 200; i++) fs.writeFileSync(`${root}/${i}`, "");
    const dir = fs.opendirSync(root, { bufferSize: 3 });
    let nrRead = 0;
    for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) {
      fs.unlinkSync(`${root}/${entry.name}`);
      nrRead += 1;
    }
    dir.closeSync();
    assert.equal(nrRead, 200);
    assert.deepEqual(fs.readdirSync(root), []);
  });

  it("gives the entries that stay once, whatever comes and goes meanwhile", () => {
    const { fs, root } = create();
    for (let i = 0; i < 100; i++) fs.writeFileSync(`${root}/stay-${i}`, "");
    const dir = fs.opendirSync(root, { bufferSize: 1 });
    const seen: string[] = [];
    for (let entry = dir.readSync(), i = 0; entry !== null; entry = dir.readSync(), i++) {
      seen.push(entry.name);
      fs.writeFileSync(`${root}/come-${i}`, "");
      if (i % 2) fs.unlinkSync(`${root}/come-${i - 1}`);
    }
    dir.closeSync();
    const stayed = seen.filter((name) => name.startsWith("stay-"));
    assert.equal(stayed.length, 100);
    assert.equal(new Set(stayed).size, 100);
  });

  it("ends for a directory that is removed while it is open", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/d/f`, "");
    const dir = fs.opendirSync(`${root}/d`);
    fs.unlinkSync(`${root}/d/f`);
    fs.rmdirSync(`${root}/d`);
    assert.equal(
      outcomeOf(() => assert.deepEqual(rest(dir), [])),
      "ok",
    );
  });

  it("refuses what is no directory", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "");
    fs.symlinkSync("f", `${root}/l`);
    for (const call of [fs.readdirSync, fs.opendirSync]) {
      assert.equal(
        outcomeOf(() => call(`${root}/f`)),
        "ENOTDIR",
      );
      assert.equal(
        outcomeOf(() => call(`${root}/l`)),
        "ENOTDIR",
      );
      assert.equal(
        outcomeOf(() => call(`${root}/missing`)),
        "ENOENT",
      );
    }
  });

  it("changes atime of the directory", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/d/f`, "");
    assert.equal(
      timesChangedBy(fs, `${root}/d`, () => fs.readdirSync(`${root}/d`)),
      "atime",
    );
  });
}
