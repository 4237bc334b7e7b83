import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import type { DentryHandle, FileHandle } from "../../../src/base/handles.ts";
import { DT_DIR, DT_LNK, DT_REG, S_IFDIR, S_IFLNK, S_IFREG } from "../../../src/base/stat-flags.ts";
import { FILE_DIR_COOKIE, FMODE_READ, NAME_MAX, SB_LOOKUP } from "../../../src/wasm/layout.ts";
import { anyNumber, checkModel, putBytes, World } from "../../helpers/core.ts";
import { bytesOf, FILE_TYPES, NameTree } from "../../helpers/name-tree.ts";

const BUFFER_BYTES = 4096;

const operation = fc.record({
  kind: fc.constantFrom(..."make make remove rename exchange read read rewind".split(" ")),
  name: fc.nat({ max: 60 }).map((n) => `name-${n}`),
  a: anyNumber,
  b: anyNumber,
});

/** An open directory that is read while its names come and go. */
class Scan {
  readonly tree = new NameTree(new World());
  readonly file: FileHandle;
  readonly buffer: number;
  /** Names that were there all the time since the scan began, and what it has given. */
  stayed = new Set<string>();
  given: string[] = [];

  constructor() {
    const { world } = this.tree;
    this.file = world.x.fileOpen(world.mnt, world.root, 0, FMODE_READ) as FileHandle;
    this.buffer = world.x.kmalloc(BUFFER_BYTES) >>> 0;
  }

  rewind(): void {
    const { tree } = this;
    tree.world.core.f64[(this.file << 2) + FILE_DIR_COOKIE] = Number.POSITIVE_INFINITY;
    this.stayed = new Set(tree.root.entries.map(({ name }) => name));
    this.given = [];
  }

  read(nr: number): number {
    const { tree, buffer } = this;
    const n = tree.world.x.readdirNext(this.file, buffer, BUFFER_BYTES, nr);
    assert.ok(n <= nr);
    const names: string[] = [];
    tree.unpack(buffer, BUFFER_BYTES, n, names, []);
    const present = new Set(tree.root.entries.map(({ name }) => name));
    for (const name of names) assert.ok(present.has(name), `${name} is not there`);
    this.given.push(...names);
    return n;
  }

  /** Reads to the end: what stayed was given once, nothing was given twice. */
  end(): void {
    while (this.read(7) > 0);
    for (const name of this.stayed) assert.equal(this.given.filter((given) => given === name).length, 1, name);
  }

  forget(name: string): void {
    this.stayed.delete(name);
  }

  finish(): void {
    this.end();
    this.tree.world.x.kfree(this.buffer);
    this.tree.world.dispose();
  }
}

describe("reading an open directory", () => {
  it("gives each name that stays exactly once, whatever comes and goes meanwhile", () => {
    checkModel(operation, 250, (ops) => {
      const scan = new Scan();
      const { tree } = scan;
      for (let i = 0; i < 20; i++) tree.make(tree.root, `name-${i}`, S_IFREG);
      scan.rewind();
      for (const { kind, name, a, b } of ops) {
        const one = tree.names[a % tree.names.length];
        const other = tree.names[b % tree.names.length];
        if (kind === "make") tree.make(tree.root, name, FILE_TYPES[b % FILE_TYPES.length]);
        else if (kind === "read") scan.read(1 + (a % 5));
        else if (kind === "rewind") {
          scan.end();
          scan.rewind();
        } else if (kind === "remove" && one) {
          scan.forget(one.name);
          tree.remove(one);
        } else if (kind === "rename" && one) {
          scan.forget(one.name);
          scan.forget(name);
          tree.rename(one, tree.root, name);
        } else if (kind === "exchange" && one) tree.exchange(one, other);
      }
      scan.finish();
    });
  });

  it("goes newest first", () => {
    const scan = new Scan();
    const names = Array.from({ length: 50 }, (_, i) => `f${i}`);
    for (const name of names) scan.tree.make(scan.tree.root, name, S_IFREG);
    scan.rewind();
    scan.end();
    assert.deepEqual(scan.given, names.reverse());
    scan.finish();
  });
});

describe("names of a directory, sorted", () => {
  const anyName = fc
    .array(fc.oneof(fc.integer({ min: 1, max: 255 }), fc.constantFrom(97, 98, 255)), { minLength: 1, maxLength: 24 })
    .map((codes) => String.fromCharCode(...codes.map((code) => (code === 47 ? 48 : code))));

  it("come in the order of their bytes, with their types", () => {
    checkModel(fc.record({ name: anyName, type: fc.constantFrom(S_IFREG, S_IFDIR, S_IFLNK) }), 500, (files) => {
      const tree = new NameTree(new World());
      for (const { name, type } of files) tree.make(tree.root, name, type);
      const sorted = [...tree.root.entries].sort((a, b) => Buffer.compare(bytesOf(a.name), bytesOf(b.name)));
      const { names, types } = tree.sortedNames(tree.root.dentry, 2048);
      assert.deepEqual(
        names,
        sorted.map(({ name }) => name),
      );
      const dt: Record<number, number> = { [S_IFREG]: DT_REG, [S_IFDIR]: DT_DIR, [S_IFLNK]: DT_LNK };
      assert.deepEqual(
        types,
        sorted.map(({ node }) => dt[node.type]),
      );
      tree.world.dispose();
    });
  });

  it("come in portions when the buffer is small, and one at a time when it holds no more", () => {
    const tree = new NameTree(new World());
    for (let i = 0; i < 200; i++) tree.make(tree.root, `${(i * 7919) % 1000}-${"y".repeat(i)}`, S_IFREG);
    const all = tree.sortedNames(tree.root.dentry, 2 ** 17);
    assert.deepEqual(tree.sortedNames(tree.root.dentry, NAME_MAX + 18), all);
    tree.world.dispose();
  });

  it("are sorted whether they were made in order, against it, or shuffled", () => {
    for (const key of [(i: number) => i, (i: number) => 5000 - i, (i: number) => (i * 7919) % 5003]) {
      const tree = new NameTree(new World());
      const { world } = tree;
      const made = Array.from({ length: 5000 }, (_, i) => `f${key(i)}`);
      for (const name of made) world.make(world.root, name, 0o100644);
      assert.deepEqual(tree.sortedNames(world.root, 65536).names, made.sort());
      world.dispose();
    }
  });

  it("are sorted in directories of tens of thousands, and when there is no memory to sort in", () => {
    const tree = new NameTree(new World());
    const { world } = tree;
    const made = Array.from({ length: 64_000 }, (_, i) => `file-${(i * 7919) % 64_007}`);
    for (const name of made) world.make(world.root, name, 0o100644);
    const sorted = [...made].sort();
    assert.deepEqual(tree.sortedNames(world.root, 65536).names, sorted);
    for (const name of made.splice(5000)) world.unlink(world.find(world.root, name));
    const buffer = world.x.kmalloc(65536) >>> 0;
    const names: string[] = [];
    world.x.setFailAfter(1);
    world.x.readdirSorted(world.root);
    world.x.setFailAfter(0);
    for (let n = world.x.packNames(buffer, 65536); n > 0; n = world.x.packNames(buffer, 65536)) {
      tree.unpack(buffer, 65536, n, names, []);
    }
    world.x.kfree(buffer);
    assert.deepEqual(names, made.sort());
    world.dispose();
  });

  it("leave out what is negative", () => {
    const tree = new NameTree(new World({ sbFlags: SB_LOOKUP }));
    const { world } = tree;
    tree.make(tree.root, "a", S_IFREG);
    const negative = world.x.dAlloc(world.root, putBytes(world.core, "b"), 0) as DentryHandle;
    world.x.dAdd(negative);
    world.x.dput(negative);
    tree.make(tree.root, "c", S_IFREG);
    assert.deepEqual(tree.sortedNames(world.root, 4096).names, ["a", "c"]);
    world.dispose();
  });
});
