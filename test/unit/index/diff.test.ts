/** Differences of trees: by hand for every kind, on random trees and layers against a plain comparison, and without looking at what is the same. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { overlay, type TreeChange } from "../../../src/layers.ts";
import { applyChanges, listTree } from "../../helpers/apply-changes.ts";
import { codeOf } from "../../helpers/code-of.ts";
import { createHostfsMount } from "../../helpers/hostfs-mount.ts";
import { MockSwap } from "../../helpers/mock-swap.ts";
import { type Random, seededRandom } from "../../helpers/random.ts";
import { StoreFs } from "../../helpers/store-fs.ts";

const PAGE = 4096;
const MODE_DIR = 0o040755;

function build(): FolioFs {
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay] });
  for (const dir of ["/base", "/base/src", "/base/src/deep", "/a", "/b"]) fs.mkdirSync(dir);
  fs.writeFileSync("/base/README", "base");
  fs.writeFileSync("/base/src/main", "main".repeat(5000));
  fs.writeFileSync("/base/src/deep/x", "x");
  fs.symlinkSync("README", "/base/ln");
  fs.mknodSync("/base/fifo", 0o010644);
  for (const path of ["README", "src/main", "src/deep/x", "src/deep", "src", "fifo", ""])
    fs.utimesSync(`/base/${path}`, 1000, 1000);
  return fs;
}

/** Changes in short: "~ README data,times". Times of directories are left out: they change with every name. */
function short(changes: readonly TreeChange[]): string[] {
  const marks = { added: "+", removed: "-", modified: "~", renamed: ">" };
  return changes.flatMap(({ kind, path, from, mode, changed }) => {
    const told = (mode & 0o170000) === 0o040000 ? changed.filter((field) => field !== "times") : changed;
    if (kind === "modified" && told.length === 0) return [];
    return [
      [marks[kind], ...(from === undefined ? [] : [from]), path, ...(told.length ? [told.join()] : [])].join(" "),
    ];
  });
}

function finish(fs: FolioFs): void {
  fs.kernel.verify();
  fs.kernel.destroy();
}

describe("a layer's diff", () => {
  it("is empty for one that has changed nothing", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    assert.deepEqual(layer.diff(), []);
    fs.readFileSync("/a/src/main");
    assert.deepEqual(layer.diff(), []);
    assert.deepEqual(fs.kernel.diff("/base", "/a"), []);
    assert.deepEqual(fs.kernel.diff("/a", "/a"), []);
    finish(fs);
  });

  it("tells what has been added and removed, with all that is in directories", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.mkdirSync("/a/new");
    fs.writeFileSync("/a/new/f", "f");
    fs.writeFileSync("/a/new-er", "f");
    fs.rmSync("/a/src", { recursive: true });
    fs.rmSync("/a/ln");
    const expected = ["- ln", "+ new", "+ new/f", "+ new-er", "- src", "- src/deep", "- src/deep/x", "- src/main"];
    assert.deepEqual(short(layer.diff()), expected);
    assert.deepEqual(short(fs.kernel.diff("/base", "/a")), expected);
    const back = expected.map((line) => (line.startsWith("+") ? "-" : "+") + line.slice(1));
    assert.deepEqual(short(fs.kernel.diff("/a", "/base")), back);
    assert.deepEqual(
      layer.diff().find(({ path }) => path === "new"),
      { path: "new", kind: "added", mode: MODE_DIR, changed: [] },
    );
    finish(fs);
  });

  it("tells each field that has changed, and nothing of what has only been copied up", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    const { mtime, atime } = fs.statSync("/base/README");
    fs.chmodSync("/a/README", 0o600);
    assert.deepEqual(short(layer.diff()), ["~ README mode"]);
    fs.chmodSync("/a/README", 0o644);
    assert.deepEqual(layer.diff(), [], "only copied up");
    fs.chownSync("/a/README", 5, 6);
    assert.deepEqual(short(layer.diff()), ["~ README owner"]);
    fs.chownSync("/a/README", 0, 0);
    fs.kernel.linux.setxattrSync("/a/README", "user.x", Buffer.from("v"));
    assert.deepEqual(short(layer.diff()), ["~ README xattr"]);
    fs.kernel.linux.removexattrSync("/a/README", "user.x");
    fs.writeFileSync("/a/README", "BASE");
    fs.utimesSync("/a/README", atime, mtime);
    assert.deepEqual(
      layer.diff().filter(({ path }) => path === "README"),
      [
        {
          path: "README",
          kind: "modified",
          mode: 0o100644,
          changed: ["data"],
          oldSize: 4,
          size: 4,
          ranges: [{ start: 0, end: 4 }],
        },
      ],
    );
    fs.writeFileSync("/a/README", "base");
    fs.utimesSync("/a/README", 7, 7);
    assert.deepEqual(short(layer.diff()), ["~ README times"]);
    fs.utimesSync("/a/README", atime, mtime);
    fs.rmSync("/a/ln");
    fs.symlinkSync("elsewhere", "/a/ln");
    fs.rmSync("/a/fifo");
    fs.mknodSync("/a/fifo", 0o020644, 0x103);
    fs.rmSync("/a/src", { recursive: true });
    fs.writeFileSync("/a/src", "file");
    fs.chmodSync("/a", 0o700);
    assert.deepEqual(short(layer.diff()), [
      "~ . mode",
      "~ fifo type,times",
      "~ ln times,target",
      "~ src type,mode,times",
      "- src/deep",
      "- src/deep/x",
      "- src/main",
    ]);
    finish(fs);
  });

  it("tells the pages that have changed, merged, and sizes", () => {
    const fs = build();
    fs.writeFileSync("/base/big", Buffer.alloc(10 * PAGE + 5, "b"));
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    const fd = fs.openSync("/a/big", "r+");
    for (const position of [0, 4 * PAGE + 1, 5 * PAGE, 10 * PAGE + 2]) fs.writeSync(fd, "X", position);
    fs.writeSync(fd, "b", 7 * PAGE); // the same as before, in a page of its own
    const of = () => layer.diff().find(({ path }) => path === "big");
    assert.deepEqual(of()?.ranges, [
      { start: 0, end: PAGE },
      { start: 4 * PAGE, end: 6 * PAGE },
      { start: 10 * PAGE, end: 10 * PAGE + 5 },
    ]);
    fs.ftruncateSync(fd, 3 * PAGE + 1);
    assert.deepEqual(
      [of()?.oldSize, of()?.size, of()?.ranges],
      [10 * PAGE + 5, 3 * PAGE + 1, [{ start: 0, end: PAGE }]],
    );
    fs.ftruncateSync(fd, 20 * PAGE);
    fs.writeSync(fd, "X", 15 * PAGE);
    assert.deepEqual(of()?.ranges, [
      { start: 0, end: PAGE },
      { start: 3 * PAGE, end: 10 * PAGE + 5 - ((10 * PAGE + 5) % PAGE) + PAGE },
      { start: 15 * PAGE, end: 16 * PAGE },
    ]);
    fs.closeSync(fd);
    finish(fs);
  });

  it("tells what has been renamed, with what has changed since", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.renameSync("/a/README", "/a/src/READ");
    assert.deepEqual(short(layer.diff()), ["> README src/READ"]);
    fs.renameSync("/a/src", "/a/source");
    assert.deepEqual(short(layer.diff()), ["> src source", "> README source/READ"]);
    fs.appendFileSync("/a/source/main", "!");
    fs.rmSync("/a/source/deep/x");
    fs.mkdirSync("/a/dir");
    fs.renameSync("/a/source/deep", "/a/dir/deep");
    fs.renameSync("/a/source/main", "/a/dir/main");
    assert.deepEqual(short(layer.diff()), [
      "+ dir",
      "> src/deep dir/deep",
      "> src/main dir/main data,times",
      "> src source",
      "> README source/READ",
      "- src/deep/x",
    ]);
    finish(fs);
  });

  it("is of the lower layers that it has", () => {
    const fs = build();
    fs.mkdirSync("/over");
    fs.mkdirSync("/over/src");
    fs.writeFileSync("/over/src/main", "over");
    const layer = fs.kernel.layer({ lower: ["/over", "/base"], target: "/a" });
    assert.deepEqual(layer.diff(), []);
    fs.rmSync("/a/src/main");
    fs.rmSync("/a/src/deep/x");
    assert.deepEqual(short(layer.diff()), ["- src/deep/x", "- src/main"]);
    fs.mkdirSync("/c");
    const above = fs.kernel.layer({ lower: "/a", target: "/c" });
    assert.deepEqual(above.diff(), []);
    assert.deepEqual(fs.kernel.diff("/a", "/c"), []);
    fs.renameSync("/c/README", "/c/moved");
    fs.writeFileSync("/c/src/main", "new");
    const expected = ["> README moved", "+ src/main"];
    assert.deepEqual(short(above.diff()), expected);
    assert.deepEqual(short(fs.kernel.diff("/a", "/c")), expected);
    above.drop();
    layer.drop();
    assert.equal(
      codeOf(() => layer.diff()),
      "EINVAL",
    );
    assert.deepEqual(
      fs.kernel.mounts().map(({ target }) => target),
      ["/"],
    );
    finish(fs);
  });

  it("is for who may see it", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.appendFileSync("/a/src/main", "!");
    fs.mkdirSync("/a/secret", 0o700);
    fs.mkdirSync("/a/hidden", 0o700);
    fs.writeFileSync("/a/hidden/f", "f");
    const user = fs.kernel.task({ uid: 1000, gid: 1000 });
    assert.equal(
      codeOf(() => user.kernel.diff("/base", "/a")),
      "EACCES",
    );
    fs.rmSync("/a/hidden", { recursive: true });
    fs.rmdirSync("/a/secret");
    assert.deepEqual(short(user.kernel.diff("/base", "/a")), ["~ src/main data,times"]);
    fs.chmodSync("/a/src/main", 0o600);
    assert.equal(
      codeOf(() => user.kernel.diff("/base", "/a")),
      "EACCES",
    );
    fs.kernel.linux.setxattrSync("/a/README", "trusted.x", Buffer.from("v"));
    fs.chmodSync("/a/src/main", 0o644);
    assert.deepEqual(short(user.kernel.diff("/base", "/a")), ["~ src/main data,times"]);
    assert.deepEqual(short(layer.diff()), ["~ README xattr", "~ src/main data,times"]);
    finish(fs);
  });
});

describe("a diff of two directories", () => {
  it("wants two directories", () => {
    const fs = build();
    const diff = (...args: unknown[]): string => codeOf(() => fs.kernel.diff(...(args as ["/a", "/b"])));
    assert.equal(diff("/base", "/missing"), "ENOENT");
    assert.equal(diff("/missing", "/base"), "ENOENT");
    assert.equal(diff("/base/README", "/base"), "ENOTDIR");
    assert.equal(diff("/base", "/base/README"), "ENOTDIR");
    assert.equal(diff("/base"), "ERR_INVALID_ARG_TYPE");
    assert.equal(diff("/base", "/a", { encoding: "hex" }), "ERR_INVALID_ARG_VALUE");
    assert.equal(diff("/base", "/a", { other: 1 }), "ERR_INVALID_ARG_VALUE");
    assert.throws(() => fs.kernel.diff("/base", "/missing"), /diff '\/missing'/);
    finish(fs);
  });

  it("gives names that are no text as bytes, where asked", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    const name = Buffer.from([0x66, 0xff, 0xc3]);
    fs.writeFileSync(Buffer.concat([Buffer.from("/a/src/"), name]), "x");
    const find = <Name extends string | Uint8Array>(changes: TreeChange<Name>[]) =>
      changes.filter(({ kind }) => kind === "added").map(({ path }) => path);
    assert.deepEqual(find(layer.diff({ encoding: "buffer" })), [Buffer.concat([Buffer.from("src/"), name])]);
    assert.deepEqual(find(layer.diff()), [`src/${name.toString()}`]);
    finish(fs);
  });

  it("tells what has been renamed into a directory from elsewhere, with what had been looked at in it", () => {
    const fs = build();
    fs.mkdirSync("/base/out");
    fs.writeFileSync("/base/out/in", "in");
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.renameSync("/a/out", "/a/src/out"); // of what is compared only one side has had it
    fs.renameSync("/a/src/deep", "/a/src/out/deep");
    const told = short(fs.kernel.diff("/base/src", "/a/src"));
    assert.deepEqual(told, ["+ out", "> deep out/deep", "+ out/in"]);
    assert.deepEqual(short(fs.kernel.diff("/a/src", "/base/src")), ["> out/deep deep", "- out", "- out/in"]);
    layer.drop();
    finish(fs);
  });

  it("compares trees that have nothing in common by what they hold", () => {
    const fs = build();
    fs.rmSync("/base/fifo");
    fs.cpSync("/base", "/b/copy", { recursive: true, preserveTimestamps: true });
    fs.appendFileSync("/b/copy/src/main", "!");
    fs.mknodSync("/base/fifo", 0o010644);
    const told = short(fs.kernel.diff("/base", "/b/copy")).filter((line) => !line.startsWith("~ ln"));
    assert.deepEqual(told, ["- fifo", "~ src/main data,times"]);
    finish(fs);
  });
});

describe("what lies in stores and swap areas", () => {
  it("is read where it has to be", () => {
    const { fs, inside, mount, dispose } = createHostfsMount("/dev/shm", { types: [overlay] });
    try {
      const bytes = Buffer.alloc(50 * PAGE + 7, "host");
      nodeFs.writeFileSync(`${inside}/big`, bytes);
      nodeFs.writeFileSync(`${inside}/same`, "same");
      nodeFs.utimesSync(`${inside}/same`, 1000, 1000);
      nodeFs.mkdirSync(`${inside}/dir`);
      mount("ro");
      for (const dir of ["/a", "/copy"]) fs.mkdirSync(dir);
      const layer = fs.kernel.layer({ lower: "/mnt", target: "/a" });
      assert.deepEqual(layer.diff(), []);
      fs.writeFileSync("/a/same", "same");
      fs.utimesSync("/a/same", 1000, 1000);
      const fd = fs.openSync("/a/big", "r+");
      fs.writeSync(fd, "X", 20 * PAGE);
      fs.closeSync(fd);
      fs.renameSync("/a/dir", "/a/moved");
      const expected = ["~ big data,times", "> dir moved"];
      assert.deepEqual(short(layer.diff()), expected);
      assert.deepEqual(short(fs.kernel.diff("/mnt", "/a")), expected);
      const big = layer.diff().find(({ path }) => path === "big");
      assert.deepEqual(big?.ranges, [{ start: 20 * PAGE, end: 21 * PAGE }]);
      fs.writeFileSync("/copy/big", bytes);
      fs.appendFileSync("/copy/big", "more");
      const found = fs.kernel.diff("/mnt", "/copy").find(({ path }) => path === "big");
      assert.deepEqual(found?.ranges, [{ start: 50 * PAGE, end: 50 * PAGE + 11 }]);
      fs.kernel.verify();
    } finally {
      dispose();
    }
  });

  it("is EAGAIN where a store takes time", async () => {
    const store = new StoreFs();
    for (let i = 0; i < 5; i++) store.add(`f${i}`);
    const fs = createFsSync({ types: [overlay, store.type] });
    for (const dir of ["/lower", "/a"]) fs.mkdirSync(dir);
    fs.kernel.mount({ type: "storefs", target: "/lower" });
    const layer = fs.kernel.layer({ lower: "/lower", target: "/a" });
    fs.unlinkSync("/a/f1");
    fs.kernel.dropCaches(3);
    store.slow.add("lookup");
    assert.equal(
      codeOf(() => layer.diff()),
      "EAGAIN",
    );
    fs.kernel.verify();
    await store.settleAll();
    store.slow.clear();
    assert.deepEqual(short(layer.diff()), ["- f1"]);
    finish(fs);
  });

  it("is brought in", () => {
    const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [overlay] });
    for (const dir of ["/t", "/u"]) {
      fs.mkdirSync(dir);
      fs.kernel.mount({ type: "tmpfs", target: dir, data: "size=64m" });
    }
    const device = new MockSwap(9000);
    fs.kernel.swapOn(device);
    const bytes = Buffer.alloc(200 * PAGE, "swap");
    for (const dir of ["/t/a", "/t/b"]) {
      fs.mkdirSync(dir);
      fs.writeFileSync(`${dir}/f`, bytes);
      bytes[100 * PAGE + 3]++;
    }
    fs.writeFileSync("/u/fill", Buffer.alloc(15 * 2 ** 20, 1));
    fs.unlinkSync("/u/fill");
    assert(device.pagesWritten > 200);
    const found = fs.kernel.diff("/t/a", "/t/b").find(({ path }) => path === "f");
    assert.deepEqual(found?.ranges, [{ start: 100 * PAGE, end: 101 * PAGE }]);
    finish(fs);
  });
});

describe("memory", () => {
  it("that runs out is ENOMEM, and nothing is held", () => {
    const fs = createFsSync({ memoryLimit: 8 * 2 ** 20, types: [overlay] });
    for (const dir of ["/base", "/a", "/t"]) fs.mkdirSync(dir);
    fs.kernel.mount({ type: "tmpfs", target: "/t", data: "size=16m" });
    for (let i = 0; i < 300; i++) {
      fs.mkdirSync(`/base/d${i}`);
      fs.writeFileSync(`/base/d${i}/f`, "f");
    }
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    for (let i = 0; i < 300; i++) fs.writeFileSync(`/a/d${i}/f`, "g");
    for (let i = 0; i < 300; i += 2) fs.renameSync(`/a/d${i}`, `/a/e${i}`);
    const expected = layer.diff();
    const codes = new Set<string>();
    const fd = fs.openSync("/t/fill", "w");
    for (let spare = 0; spare < 8; spare++) {
      fs.kernel.dropCaches(3);
      while (codeOf(() => fs.writeSync(fd, Buffer.alloc(PAGE, 1))) === "ok");
      fs.ftruncateSync(fd, fs.fstatSync(fd).size - spare * PAGE);
      for (const diff of [() => layer.diff(), () => fs.kernel.diff("/base", "/a")])
        codes.add(codeOf(() => assert.deepEqual(diff(), expected)));
      fs.kernel.verify();
    }
    fs.closeSync(fd);
    for (const code of codes) assert(["ok", "ENOMEM"].includes(code), code);
    fs.unlinkSync("/t/fill");
    assert.deepEqual(layer.diff(), expected);
    layer.drop();
    finish(fs);
  });
});

describe("names that are looked at", () => {
  it("are those that the layers have changed, whatever lies below", () => {
    const NR = 20_000;
    const store = new StoreFs();
    for (let i = 0; i < NR; i++) store.add(`f${i}`);
    const dir = store.add("dir", { mode: MODE_DIR });
    for (let i = 0; i < 1000; i++) store.add(`g${i}`, {}, dir);
    const outer = store.add("outer", { mode: MODE_DIR });
    const inner = store.add("inner", { mode: MODE_DIR }, outer);
    for (let i = 0; i < 1000; i++) store.add(`h${i}`, {}, inner);
    const fs = createFsSync({ memoryLimit: 128 * 2 ** 20, types: [overlay, store.type] });
    for (const path of ["/lower", "/a", "/b"]) fs.mkdirSync(path);
    fs.kernel.mount({ type: "storefs", target: "/lower" });
    const a = fs.kernel.layer({ lower: "/lower", target: "/a" });
    fs.kernel.layer({ lower: "/lower", target: "/b" });
    for (let i = 0; i < 10; i++) fs.unlinkSync(`/a/f${i * 700}`);
    for (let i = 0; i < 10; i++) fs.writeFileSync(`/a/new${i}`, "new");
    fs.mkdirSync("/a/fresh");
    fs.renameSync("/a/dir", "/a/fresh/moved"); // into a new directory
    fs.unlinkSync("/a/fresh/moved/g7");
    fs.renameSync("/a/outer/inner", "/a/inner"); // out of one that is removed
    fs.rmdirSync("/a/outer");
    fs.unlinkSync("/b/f3");
    const asked = (diff: () => TreeChange[]): [number, number] => {
      fs.kernel.dropCaches(3);
      store.takeLog();
      const nr = short(diff()).length;
      assert(!store.log.some((line) => /readdir|iterate/.test(line)), "no listing");
      return [nr, store.log.length];
    };
    const pairs = [
      ["/a", "/b"],
      ["/b", "/a"],
      ["/lower", "/a"],
      ["/a", "/lower"],
    ];
    for (const diff of [
      () => a.diff(),
      ...pairs.map(
        ([from, to]) =>
          () =>
            fs.kernel.diff(from, to),
      ),
    ]) {
      const [nr, calls] = asked(diff);
      assert(nr >= 25 && nr <= 26, `${nr} changes`);
      assert(calls > 0 && calls < 200, `${calls} calls for ${nr} changes`);
    }
    finish(fs);
  });
});

const NAMES = ["a", "b", "c", "d", "e", "\xff"];

/** Paths of up to three names. */
function randomPath(random: Random, root: string): Buffer {
  const depth = 1 + random(3);
  const names = Array.from({ length: depth }, () => NAMES[random(NAMES.length)]);
  return Buffer.from([root, ...names].join("/"), "latin1");
}

/** One step of random work on a tree; it may fail. */
function randomStep(fs: FolioFs, random: Random, root: string): void {
  const path = (): Buffer => randomPath(random, root);
  const steps: (() => unknown)[] = [
    () => fs.writeFileSync(path(), Buffer.alloc(random(4 * PAGE), String(random(10)))),
    () => fs.appendFileSync(path(), "more".repeat(random(2000))),
    () => fs.truncateSync(path(), random(5 * PAGE)),
    () => {
      const fd = fs.openSync(path(), "r+");
      codeOf(() => fs.writeSync(fd, random(2) ? "X" : "\0", random(6 * PAGE)));
      fs.closeSync(fd);
    },
    () => fs.mkdirSync(path()),
    () => fs.mkdirSync(path()),
    () => fs.rmSync(path(), { recursive: random(2) === 0 }),
    () => fs.renameSync(path(), path()),
    () => fs.renameSync(path(), path()),
    () => fs.renameSync(path(), path()),
    () => fs.linkSync(path(), path()),
    () => fs.symlinkSync(`to${random(3)}`, path()),
    () => fs.mknodSync(path(), random(2) ? 0o010644 : 0o020600, 0x100 + random(3)),
    () => fs.chmodSync(path(), random(2) ? 0o755 : 0o700),
    () => fs.lchownSync(path(), random(2), random(2)),
    () => fs.lutimesSync(path(), 5, random(3)),
    () => fs.kernel.linux.setxattrSync(path(), "user.x", Buffer.from(String(random(3)))),
    () => fs.kernel.linux.lsetxattrSync(path(), "trusted.y", Buffer.from(String(random(3)))),
  ];
  codeOf(steps[random(steps.length)]);
}

function work(fs: FolioFs, random: Random, root: string, nr: number): void {
  for (let i = 0; i < nr; i++) randomStep(fs, random, root);
}

function checkDiff(
  fs: FolioFs,
  from: string,
  to: string,
  told = fs.kernel.diff(from, to, { encoding: "buffer" }),
): void {
  const [a, b] = [listTree(fs, from), listTree(fs, to)];
  const made = applyChanges(told, a, b);
  assert.deepEqual(new Map([...made].sort()), new Map([...b].sort()), `${from} to ${to}`);
  if (!told.some(({ kind }) => kind === "renamed")) checkNames(told, a, b);
}

/** Without renames, names on one side alone are the only ones that are added and removed. */
function checkNames(told: readonly TreeChange<Uint8Array>[], a: Map<string, unknown>, b: Map<string, unknown>): void {
  const of = (kind: string): string[] =>
    told.filter((change) => change.kind === kind).map(({ path }) => Buffer.from(path).toString("latin1"));
  const missing = (keys: Iterable<string>, other: Map<string, unknown>): string[] =>
    [...keys].filter((key) => !other.has(key)).sort();
  assert.deepEqual(of("added").sort(), missing(b.keys(), a));
  assert.deepEqual(of("removed").sort(), missing(a.keys(), b));
}

describe("random trees", () => {
  it("differ by what makes the one of the other", () => {
    const seed = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
    console.log(`diff.test.ts: seed ${seed}`);
    const random = seededRandom(seed);
    for (let round = 0; round < 12; round++) {
      const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay] });
      for (const dir of ["/base", "/over", "/plain", "/a", "/b", "/c", "/d"]) fs.mkdirSync(dir);
      for (const dir of ["/base", "/over", "/plain"]) work(fs, random, dir, 80);
      const lower = random(2) ? ["/over", "/base"] : "/base";
      const layers = ["/a", "/b"].map((target) => fs.kernel.layer({ lower, target }));
      const nr = 1 + random(40);
      for (const target of ["/a", "/b", "/a"]) work(fs, random, target, nr);
      layers.push(layers[0].fork("/d"));
      work(fs, random, "/d", random(10));
      checkDiff(fs, "/a", "/d");
      checkDiff(fs, "/a", "/b");
      checkDiff(fs, "/b", "/a");
      checkDiff(fs, "/base", "/a");
      checkDiff(fs, "/a", "/base");
      checkDiff(fs, "/plain", "/b");
      checkDiff(fs, "/base", "/plain");
      fs.kernel.verify();
      const above = fs.kernel.layer({ lower: "/a", target: "/c" });
      work(fs, random, "/c", nr);
      checkDiff(fs, "/a", "/c");
      checkDiff(fs, "/a", "/c", above.diff({ encoding: "buffer" }));
      if (lower === "/base") checkDiff(fs, "/base", "/b", layers[1].diff({ encoding: "buffer" }));
      checkDiff(fs, "/b", "/c");
      above.drop();
      for (const layer of layers) layer.drop();
      finish(fs);
    }
  });
});
