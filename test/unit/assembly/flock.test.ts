import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EAGAIN } from "../../../src/base/errno.ts";
import type { FileHandle } from "../../../src/base/handles.ts";
import { FMODE_READ, INODE_FLOCKS } from "../../../src/wasm/layout.ts";
import { anyNumber, checkModel, verify, World, word } from "../../helpers/core.ts";

const SHARED = 0;
const EXCLUSIVE = 1;
const UNLOCK = 2;

const operation = fc.record({
  how: fc.constantFrom(SHARED, SHARED, EXCLUSIVE, UNLOCK, "close" as const),
  which: anyNumber,
});

describe("flock", () => {
  it("is shared by many or held by one, and goes with the file", () => {
    checkModel(operation, 200, (ops) => {
      const world = new World();
      const dentry = world.make(world.root, "f", 0o100644);
      const open = (): FileHandle => world.x.fileOpen(world.mnt, dentry, 0, FMODE_READ) as FileHandle;
      const files = Array.from({ length: 5 }, open);
      const locks = new Map<FileHandle, number>();
      for (const { how, which } of ops) {
        const i = which % files.length;
        const file = files[i];
        if (how === "close") {
          world.x.filePut(file);
          locks.delete(file);
          files[i] = open();
          continue;
        }
        const others = [...locks].filter(([holder]) => holder !== file);
        const isInTheWay = how !== UNLOCK && others.some(([, held]) => held === EXCLUSIVE || how === EXCLUSIVE);
        assert.equal(world.x.flock(file, how), isInTheWay ? -EAGAIN : 0);
        if (isInTheWay || how === UNLOCK)
          locks.delete(file); // a conversion drops the old lock first, as in Linux
        else locks.set(file, how);
      }
      verify(world.core);
      assert.equal(word(world.core, world.inodeOf(dentry), INODE_FLOCKS) !== 0, locks.size > 0);
      world.dispose();
    });
  });
});
