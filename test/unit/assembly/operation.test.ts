/** Operations in flight: what they hold and lock, and who is in whose way. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import type { DentryHandle, FileHandle, InodeHandle } from "../../../src/base/handles.ts";
import { INODE_RWSEM } from "../../../src/wasm/layout.ts";
import { verify, World, word } from "../../helpers/core.ts";

const NO_DENTRY = 0 as DentryHandle;
const NO_INODE = 0 as InodeHandle;
const NO_FILE = 0 as FileHandle;

class Scene {
  readonly world = new World({ sbFlags: 0 });
  readonly a = this.world.make(this.world.root, "a", 0o40755);
  readonly b = this.world.make(this.world.root, "b", 0o40755);
  readonly file = this.world.make(this.a, "file", 0o100644);

  begin(
    dir: DentryHandle,
    dentry: DentryHandle,
    otherDir = NO_DENTRY,
    otherDentry = NO_DENTRY,
    inode = NO_INODE,
  ): number {
    const { world } = this;
    return world.x.operationBegin(world.mnt, dir, dentry, otherDir, otherDentry, inode, NO_FILE);
  }
  inTheWay(dir: DentryHandle, dentry = NO_DENTRY, inode = NO_INODE): number {
    return this.world.x.operationInTheWay(dir, dentry, NO_DENTRY, NO_DENTRY, inode);
  }
  owner(dentry: DentryHandle): number {
    return word(this.world.core, this.world.inodeOf(dentry), INODE_RWSEM);
  }
}

describe("an operation", () => {
  it("locks its directories and what their names stand for, and lets go of all of it", () => {
    const scene = new Scene();
    const { world, a, b, file } = scene;
    const operation = scene.begin(a, file, b);
    const number = scene.owner(a);

    assert.ok(operation > 0 && number > 0);
    assert.deepEqual(
      [b, file, world.root].map((dentry) => scene.owner(dentry)),
      [number, number, 0],
    );
    assert.equal(scene.inTheWay(world.root), 0);
    assert.equal(scene.inTheWay(world.root, file), number);
    assert.equal(scene.inTheWay(world.root, NO_DENTRY, world.inodeOf(b)), number);
    verify(world.core);

    world.x.operationEnd(operation);
    assert.deepEqual(
      [a, b, file].map((dentry) => scene.owner(dentry)),
      [0, 0, 0],
    );
    verify(world.core);
    world.dispose();
  });

  it("keeps what it holds, though its name goes", () => {
    const scene = new Scene();
    const { world, a, file } = scene;
    const inode = world.inodeOf(file);
    const operation = scene.begin(a, file);
    world.x.dDelete(file);
    assert.ok(word(world.core, inode, INODE_RWSEM) > 0);
    verify(world.core);
    world.x.operationEnd(operation);
    verify(world.core);
    world.dispose();
  });

  it("may be one of many, which end in any order; the slot's end drops them", () => {
    const scene = new Scene();
    const { world, a, b, file } = scene;
    const dirs = [...Array(8).keys()].map((i) => world.make(b, `d${i}`, 0o40755));
    const operations = dirs.map((dir) => scene.begin(dir, NO_DENTRY));
    assert.equal(new Set(dirs.map((dir) => scene.owner(dir))).size, 8);
    for (const i of [3, 0, 7]) world.x.operationEnd(operations[i]);
    verify(world.core);
    scene.begin(NO_DENTRY, NO_DENTRY, NO_DENTRY, NO_DENTRY, world.inodeOf(file));
    scene.begin(a, NO_DENTRY);
    verify(world.core);
    world.x.releaseSlot();
    assert.deepEqual(
      [...dirs, a, file].map((dentry) => scene.owner(dentry)),
      Array(10).fill(0),
    );
  });

  it("is refused without memory, and holds nothing then", () => {
    const scene = new Scene();
    const { world, a } = scene;
    world.x.setFailAfter(1);
    assert.ok(scene.begin(a, NO_DENTRY) < 0);
    world.x.setFailAfter(0);
    assert.equal(scene.owner(a), 0);
    verify(world.core);
    world.dispose();
  });
});
