import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import type { DentryHandle } from "../../../src/base/handles.ts";
import { S_IFREG } from "../../../src/base/stat-flags.ts";
import {
  DENTRY_COUNT,
  DENTRY_HASH,
  KERNEL_MAX_NEGATIVE,
  KERNEL_NR_BUCKETS,
  KERNEL_NR_HASHED,
  KERNEL_NR_NEGATIVE,
  SB_LOOKUP,
} from "../../../src/wasm/layout.ts";
import { anyNumber, checkModel, kernelWord, putBytes, verify, World, word } from "../../helpers/core.ts";
import { bytesOf, FILE_TYPES, NameTree } from "../../helpers/name-tree.ts";

/** Names that meet each other often, long ones, and ones of any bytes. */
const anyName = fc.oneof(
  { weight: 5, arbitrary: fc.nat({ max: 30 }).map((n) => `n${n}`) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 255 }).map((n) => "x".repeat(n)) },
  { weight: 1, arbitrary: fc.constantFrom(7, 8, 9, 27, 28, 29, 255).map((n) => `${"\xff".repeat(n - 1)}a`) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 40 })
      .map((codes) => String.fromCharCode(...codes.map((code) => (code === 47 ? 48 : code)))),
  },
);

const operation = fc.record({
  kind: fc.constantFrom(
    ..."make make make make link remove remove rename rename rename exchange removeTree miss hold fill clear".split(
      " ",
    ),
  ),
  name: anyName,
  a: anyNumber,
  b: anyNumber,
});

interface Operation {
  kind: string;
  name: string;
  a: number;
  b: number;
}

/** A tree, and dentries that somebody holds whatever happens to their names. */
class Tree extends NameTree {
  readonly held: DentryHandle[] = [];

  apply({ kind, name, a, b }: Operation): void {
    const directory = this.directories[a % this.directories.length];
    const one = this.names[b % this.names.length];
    const other = this.names[a % this.names.length];
    if (kind === "make") this.make(directory, name, FILE_TYPES[b % FILE_TYPES.length], a >> 3);
    else if (kind === "miss" && !this.find(directory, name)) {
      assert.equal(this.world.find(directory.dentry, bytesOf(name)), 0);
    } else if (kind === "fill" && b % 8 === 0) {
      for (let i = 0; i < 300; i++) this.make(directory, `${name.slice(0, 200)}-${i}`, S_IFREG, i);
    } else if (kind === "clear" && b % 8 === 0) {
      for (const entry of [...directory.entries]) this.remove(entry);
    }
    if (!one) return;
    if (kind === "link") this.link(one, directory, name);
    else if (kind === "remove") this.remove(one, a >> 3);
    else if (kind === "removeTree" && b % 4 === 0) this.removeTree(one);
    else if (kind === "rename") this.rename(one, directory, name, a >> 3);
    else if (kind === "exchange") this.exchange(one, other);
    else if (kind === "hold") this.hold(one.dentry, a);
  }

  hold(dentry: DentryHandle, a: number): void {
    if (this.held.length > 5) this.world.x.dput(this.held.splice(a % 5, 1)[0]);
    this.world.x.dget(dentry);
    this.held.push(dentry);
  }

  finish(): void {
    this.check();
    for (const dentry of this.held) this.world.x.dput(dentry);
    this.world.dispose();
  }
}

describe("dcache", () => {
  it("knows the names that were made, moved and not removed, as a tree of Maps does", () => {
    checkModel(operation, 250, (ops) => {
      const tree = new Tree(new World());
      for (const op of ops) tree.apply(op);
      tree.finish();
    });
  });

  it("grows and shrinks with the number of names", () => {
    const world = new World();
    const names = Array.from({ length: 20_000 }, (_, i) => world.make(world.root, `file-${i}`, 0o100644));
    assert.equal(kernelWord(world.core, KERNEL_NR_HASHED), 20_000);
    assert.equal(kernelWord(world.core, KERNEL_NR_BUCKETS), 40_000);
    for (let i = 0; i < 20_000; i += 97) assert.equal(world.find(world.root, `file-${i}`), names[i]);
    verify(world.core);
    names.forEach((dentry, i) => {
      if (i % 4 !== 0) world.unlink(dentry);
    });
    verify(world.core);
    for (let i = 0; i < 20_000; i += 97) assert.equal(world.find(world.root, `file-${i}`), i % 4 === 0 ? names[i] : 0);
    names.forEach((dentry, i) => {
      if (i % 4 === 0) world.unlink(dentry);
    });
    assert.equal(kernelWord(world.core, KERNEL_NR_BUCKETS), 2048);
    world.dispose();
  });

  it("tells names with the same hash apart", () => {
    const world = new World();
    const { core, x } = world;
    const byHash = new Map<number, string>();
    const twins: [string, string][] = [];
    for (let i = 0; i < 300_000 && twins.length < 3; i++) {
      const name = `${i}`;
      const dentry = x.dAlloc(world.root, putBytes(core, name), 0) as DentryHandle;
      const hash = word(core, dentry, DENTRY_HASH);
      const twin = byHash.get(hash);
      if (twin !== undefined) twins.push([twin, name]);
      byHash.set(hash, name);
      x.dput(dentry);
    }
    assert.ok(twins.length > 0);
    for (const [a, b] of twins) {
      const first = world.make(world.root, a, 0o100644);
      assert.equal(world.find(world.root, b), 0);
      const second = world.make(world.root, b, 0o100644);
      assert.equal(world.find(world.root, a), first);
      assert.equal(world.find(world.root, b), second);
      world.unlink(first);
      assert.equal(world.find(world.root, a), 0);
      assert.equal(world.find(world.root, b), second);
    }
    world.dispose();
  });

  it("lets chains grow when there is no memory for more buckets", () => {
    const world = new World();
    const first = world.make(world.root, "first", 0o100644);
    for (let i = 1; i < 1024; i++) world.make(world.root, `a${i}`, 0o100644);
    world.x.setFailAfter(2); // the dentry of another name is to be had, a new segment of the hash is not
    const link = world.hardLink(world.inodeOf(first), world.root, "link");
    world.x.setFailAfter(0);
    assert.equal(kernelWord(world.core, KERNEL_NR_BUCKETS), 2048);
    assert.equal(world.find(world.root, "link"), link);
    world.make(world.root, "next", 0o100644);
    assert.equal(kernelWord(world.core, KERNEL_NR_BUCKETS), 2050);
    assert.equal(world.find(world.root, "link"), link);
    world.dispose();
  });

  it("keeps hash and children right when a directory moves under its names", () => {
    const tree = new Tree(new World());
    const a = tree.make(tree.root, "a", 0o40000);
    const b = tree.make(tree.root, "b", 0o40000);
    assert.ok(a && b);
    tree.make(a.node as never, "inner", S_IFREG);
    tree.rename(a, b.node as never, "moved");
    tree.check();
    tree.finish();
  });
});

describe("unused negative dentries", () => {
  /** Looks a name up as the VFS does for a file system that has to be asked: a miss is remembered. */
  function miss(world: World, name: string): DentryHandle {
    const { x } = world;
    const dentry = x.dAlloc(world.root, putBytes(world.core, name), 0) as DentryHandle;
    x.dAdd(dentry);
    x.dput(dentry);
    return dentry;
  }

  it("are kept for the next lookup, up to a cap, the newest", () => {
    const world = new World({ sbFlags: SB_LOOKUP });
    const cap = kernelWord(world.core, KERNEL_MAX_NEGATIVE);
    for (let i = 0; i < cap + 100; i++) miss(world, `no-${i}`);
    assert.equal(kernelWord(world.core, KERNEL_NR_NEGATIVE), cap);
    assert.equal(world.find(world.root, "no-99"), 0);
    assert.notEqual(world.find(world.root, "no-100"), 0);
    verify(world.core);
    world.x.shrinkDcache(10);
    assert.equal(kernelWord(world.core, KERNEL_NR_NEGATIVE), cap - 10);
    world.dispose();
  });

  it("stay where they are while somebody holds them, and go when their name goes", () => {
    const world = new World({ sbFlags: SB_LOOKUP });
    const held = miss(world, "held");
    world.x.dget(held);
    world.x.shrinkDcache(1000);
    assert.equal(world.find(world.root, "held"), held);
    assert.equal(word(world.core, held, DENTRY_COUNT), 1);
    world.x.dput(held);
    assert.equal(kernelWord(world.core, KERNEL_NR_NEGATIVE), 1);
    world.x.dget(held);
    world.x.dDrop(held);
    world.x.dput(held);
    assert.equal(kernelWord(world.core, KERNEL_NR_NEGATIVE), 0);
    world.dispose();
  });

  it("become positive when the name is made", () => {
    const world = new World({ sbFlags: SB_LOOKUP });
    const dentry = miss(world, "f");
    world.x.dget(dentry);
    world.x.dInstantiate(dentry, world.x.inodeNew(world.sb, 0o100644, 0, 0, 0) as never);
    assert.equal(kernelWord(world.core, KERNEL_NR_NEGATIVE), 0);
    world.x.dput(dentry);
    assert.equal(world.find(world.root, "f"), dentry);
    world.dispose();
  });

  it("are given up when memory runs out", () => {
    const world = new World({ sbFlags: SB_LOOKUP });
    for (let i = 0; i < 100; i++) miss(world, `no-${i}`);
    world.x.reclaim();
    assert.equal(kernelWord(world.core, KERNEL_NR_NEGATIVE), 0);
    world.dispose();
  });
});
