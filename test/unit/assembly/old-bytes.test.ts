/** Ways into a file that end early, for memory runs out: what freed frames held before never shows, however the file grows. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import type { FileHandle, InodeHandle } from "../../../src/base/handles.ts";
import { FMODE_READ, FMODE_WRITE } from "../../../src/wasm/layout.ts";
import { NOW_MS, resultAddress, verify, World } from "../../helpers/core.ts";

const PAGE = 4096;
const LIMIT = 2 ** 20;
const SECRET = 0x53;
const OWN = 0x6f;

interface Stage {
  world: World;
  inode: InodeHandle;
  file: FileHandle;
  /** A file of 600 000 bytes OWN with holes. */
  source: InodeHandle;
  buffer: number;
}

/** A world whose free memory is full of what was in a deleted file. */
function stage(): Stage {
  const world = new World({ limitBytes: LIMIT });
  const { core, x } = world;
  const open = (name: string) => {
    const dentry = world.make(world.root, name, 0o100644);
    return [world.inodeOf(dentry), x.fileOpen(world.mnt, dentry, 0, FMODE_READ | FMODE_WRITE) as FileHandle] as const;
  };
  const [source, sourceFile] = open("source");
  const [inode, file] = open("file");
  const buffer = x.allocBuffer(5);
  world.write(file, new Uint8Array(LIMIT).fill(SECRET), 0);
  x.setSize(inode, 0, NOW_MS);
  for (const at of [0, 100_000, 300_000]) world.write(sourceFile, new Uint8Array(50_001).fill(OWN), at);
  x.setSize(source, 600_000, NOW_MS);
  core.u8.fill(OWN, buffer * PAGE, buffer * PAGE + 32 * PAGE);
  return { world, inode, file, source, buffer };
}

/** Each fills `inode` from byte 100 on until there is no more room. */
const WAYS: Record<string, (stage: Stage) => void> = {
  "a write": ({ world, file }) => {
    const n = world.write(file, new Uint8Array(LIMIT).fill(OWN), 100);
    assert.ok(n > 0 && n < LIMIT);
  },
  "a write in memory that others share": ({ world, file }) => {
    let pos = 100;
    for (let n = 1; n > 0; pos += Math.max(n, 0)) {
      n = world.x.writeBegin(file, pos, 70_001, NOW_MS, 0);
      if (n > 0) world.core.u8.fill(OWN, resultAddress(world.core), resultAddress(world.core) + n);
      if (n > 0) world.x.writeEnd(n);
    }
  },
  "a copy from linear memory": ({ world, inode, buffer }) => {
    let pos = 100;
    for (let n = 1; n > 0; pos += Math.max(n, 0)) n = world.x.copyFromUser(inode, pos, buffer * PAGE, 100_001);
    assert.ok(pos < LIMIT);
  },
  "a copy from another file": ({ world, inode, source }) => {
    let pos = 100;
    for (let n = 1; n > 0; pos += Math.max(n, 0)) n = world.x.copyRange(source, 0, inode, pos, 600_000);
    assert.ok(pos < LIMIT);
  },
  "an allocation": ({ world, inode }) => {
    world.x.setSize(inode, LIMIT, NOW_MS);
    assert.ok(world.x.allocateRange(inode, 100, LIMIT) < 0);
    assert.equal(world.x.allocateRange(inode, 100, 300_000), 0);
  },
};

describe("bytes of a deleted file", () => {
  it.each(Object.entries(WAYS))("do not show after %s that ends early", (_name, fill) => {
    const at = stage();
    const { world, inode, buffer } = at;
    fill(at);
    world.x.setSize(inode, LIMIT * 2, NOW_MS);
    for (let pos = 0; pos < LIMIT * 2; pos += 32 * PAGE) {
      world.x.copyToUser(inode, pos, buffer * PAGE, 32 * PAGE);
      assert.equal(world.core.u8.subarray(buffer * PAGE, buffer * PAGE + 32 * PAGE).indexOf(SECRET), -1);
    }
    verify(world.core);
    world.x.freePages(buffer, 32);
    world.dispose();
  });
});
