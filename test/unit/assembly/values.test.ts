import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { EEXIST } from "../../../src/base/errno.ts";
import type { FileHandle, InodeHandle } from "../../../src/base/handles.ts";
import {
  FMODE_READ,
  FMODE_WRITE,
  HANDOVER_SWAP_IN,
  INODE_NR_PAGES,
  INODE_SIZE,
  KERNEL_NR_RESERVED,
  KERNEL_NR_SHADOW_NODES,
  XA_RESERVED,
  XA_SHADOW,
} from "../../../src/wasm/layout.ts";
import { double, kernelWord, NOW_MS, verify, World, word } from "../../helpers/core.ts";
import { holdSlots, swapEntry } from "../../helpers/swap-slots.ts";

const PAGE = 4096;
const SHADOW = (77 << 2) | XA_SHADOW;
const SWAP = swapEntry(99);

function openFile(options = {}) {
  const world = new World(options);
  const dentry = world.make(world.root, "f", 0o100644);
  const inode: InodeHandle = world.inodeOf(dentry);
  const file = world.x.fileOpen(world.mnt, dentry, 0, FMODE_READ | FMODE_WRITE) as FileHandle;
  return { world, x: world.x, inode, file };
}

function bytes(nrPages: number, value = 7): Uint8Array {
  return new Uint8Array(nrPages * PAGE).fill(value);
}

function finish(world: World): void {
  verify(world.core);
  world.dispose();
}

describe("a shadow in the page index", () => {
  it.each([0, 1, 2, 3, 63, 64])("is replaced by a write over it at page %i, and its neighbours stay", (index) => {
    const { world, x, inode, file } = openFile();
    world.write(file, bytes(1, 1), 4 * PAGE);
    x.indexStore(inode, index, SHADOW);

    const at = Math.max(0, index - 1) * PAGE;
    assert.equal(world.write(file, bytes(2), at), 2 * PAGE);

    assert.deepEqual(world.read(file, 2 * PAGE, at), bytes(2));
    assert.deepEqual(world.read(file, PAGE, 4 * PAGE), bytes(1, 1));
    assert.equal(word(world.core, inode, INODE_NR_PAGES), 3);
    finish(world);
  });

  it("is a hole to SEEK_DATA, SEEK_HOLE and reads", () => {
    const { world, x, inode, file } = openFile();
    x.setSize(inode, 10 * PAGE, NOW_MS);
    x.indexStore(inode, 2, SHADOW);
    world.write(file, bytes(1), 5 * PAGE);
    x.indexStore(inode, 6, SHADOW);
    assert.equal(x.seekData(inode, 0), 5 * PAGE);
    assert.equal(x.seekHole(inode, 5 * PAGE), 6 * PAGE);
    assert.equal(x.readBegin(file, 0, 10 * PAGE), 5 * PAGE, "one hole, shadow or not");
    finish(world);
  });

  it("goes with truncation and punching, and allocation fills over it", () => {
    const { world, x, inode } = openFile();
    x.setSize(inode, 300 * PAGE, NOW_MS);
    for (const index of [1, 100, 200, 250]) x.indexStore(inode, index, SHADOW);
    assert.equal(x.punchHole(inode, 100 * PAGE, 101 * PAGE), 0);
    assert.equal(x.allocateRange(inode, 200 * PAGE, 201 * PAGE), 0);
    assert.equal(x.setSize(inode, 240 * PAGE, NOW_MS), 0);
    assert.deepEqual(
      [1, 100, 250].map((index) => x.indexLoad(inode, index)),
      [SHADOW, 0, 0],
    );
    assert.equal(x.indexLoad(inode, 200) >>> 0, XA_RESERVED);
    assert.equal(word(world.core, inode, INODE_NR_PAGES), 0);
    assert.equal(kernelWord(world.core, KERNEL_NR_RESERVED), 1);
    finish(world);
  });

  it("stays when a page is to be removed that is not there, and goes when one is added", () => {
    const { world, x, inode } = openFile({ sbFlags: 0 });
    x.indexStore(inode, 3, SHADOW);
    assert.equal(x.removeFromPageCache(inode, 3), 0);
    assert.equal(x.indexLoad(inode, 3), SHADOW);
    const pfn = x.allocPages(0);
    assert.equal(x.addToPageCache(inode, 3, pfn), 0);
    assert.equal(x.findPage(inode, 3), pfn);
    finish(world);
  });

  it("is given up with its node when memory runs out, before anybody sees -ENOSPC", () => {
    const { world, x, inode, file } = openFile({ limitBytes: 2 ** 20 });
    const other = world.inodeOf(world.make(world.root, "other", 0o100644));
    let index = 0;
    while (x.indexStore(other, index, SHADOW) === 0 && index < 64 * 1500) index += 64;
    assert.equal(index, 64 * 1500, "shadows take no memory for good");
    world.write(file, bytes(1), 0);
    x.indexStore(inode, 1, SHADOW);
    const nodes = kernelWord(world.core, KERNEL_NR_SHADOW_NODES);
    assert.ok(nodes > 0);
    assert.ok(world.write(file, bytes(100), PAGE) === 100 * PAGE, "their memory is there for data");
    assert.deepEqual(world.read(file, 100 * PAGE, PAGE), bytes(100));
    finish(world);
  });
});

describe("a swap entry in the page index", () => {
  function swapped() {
    const opened = openFile();
    opened.world.write(opened.file, bytes(2), 0);
    opened.x.setSize(opened.inode, 10 * PAGE, NOW_MS);
    opened.x.indexStore(opened.inode, 2, SWAP);
    holdSlots(opened.world, opened.inode, [SWAP], 0);
    return opened;
  }

  /** Checks memory, and that the slot is free when the file is empty. */
  function finishSwapped(world: World, inode: InodeHandle): void {
    verify(world.core);
    assert.equal(world.x.setSize(inode, 0, NOW_MS), 0);
    verify(world.core);
    holdSlots(world, inode, [], 0);
    finish(world);
  }

  it("is data to SEEK_DATA and SEEK_HOLE", () => {
    const { world, x, inode } = swapped();
    x.punchHole(inode, 0, PAGE * 2);
    assert.equal(x.seekData(inode, 0), 2 * PAGE);
    assert.equal(x.seekHole(inode, 2 * PAGE), 3 * PAGE);
    finishSwapped(world, inode);
  });

  it("ends a read and a write before it; those that begin at it are handed over and change nothing", () => {
    const { world, x, inode, file } = swapped();
    assert.equal(x.readBegin(file, 0, 10 * PAGE), 2 * PAGE);
    assert.equal(x.readBegin(file, 2 * PAGE, 1), -HANDOVER_SWAP_IN);
    assert.equal(x.writeBegin(file, 2 * PAGE + 5, 3, NOW_MS, 0), -HANDOVER_SWAP_IN);
    assert.equal(x.writeBegin(file, 2 * PAGE, 2 * PAGE, NOW_MS, 0), -HANDOVER_SWAP_IN);
    const other = world.inodeOf(world.make(world.root, "g", 0o100644));
    assert.equal(x.copyRange(inode, 2 * PAGE, other, 0, PAGE), -HANDOVER_SWAP_IN);
    assert.equal(x.copyRange(inode, 0, other, 0, 5 * PAGE), 2 * PAGE);
    x.punchHole(inode, 0, 2 * PAGE);
    assert.equal(x.readBegin(file, 0, 10 * PAGE), 2 * PAGE, "a hole ends there, too");
    assert.equal(x.writeBegin(file, 0, 3 * PAGE, NOW_MS, 0), 2 * PAGE);
    assert.equal(x.indexLoad(inode, 2), SWAP);
    finishSwapped(world, inode);
  });

  it("moves no position when a read is handed over", () => {
    const { world, x, inode, file } = swapped();
    assert.equal(x.readBegin(file, -1, 10 * PAGE), 2 * PAGE);
    assert.equal(x.readBegin(file, -1, PAGE), -HANDOVER_SWAP_IN);
    assert.equal(world.core.filePos(file), 2 * PAGE);
    finishSwapped(world, inode);
  });

  it("goes whole; what would cut it is handed over", () => {
    const { world, x, inode } = swapped();
    assert.equal(x.setSize(inode, 2 * PAGE + 9, NOW_MS), -HANDOVER_SWAP_IN);
    assert.equal(double(world.core, inode, INODE_SIZE), 10 * PAGE);
    assert.equal(x.punchHole(inode, PAGE, 2 * PAGE + 9), -HANDOVER_SWAP_IN);
    assert.equal(x.zeroRange(inode, 2 * PAGE + 9, 4 * PAGE), -HANDOVER_SWAP_IN);
    assert.equal(x.punchHole(inode, 2 * PAGE, 3 * PAGE), 0);
    assert.equal(x.indexLoad(inode, 2), 0);
    finishSwapped(world, inode);
  });

  it("goes when all of it is zeroed", () => {
    const { world, x, inode } = swapped();
    assert.equal(x.zeroRange(inode, PAGE, 4 * PAGE), 0);
    assert.equal(x.indexLoad(inode, 2), 0);
    assert.equal(word(world.core, inode, INODE_NR_PAGES), 2);
    finishSwapped(world, inode);
  });

  it("is kept by allocation, and in the way of another page", () => {
    const { world, x, inode } = swapped();
    assert.equal(x.allocateRange(inode, 0, 10 * PAGE), 0);
    assert.equal(x.indexLoad(inode, 2), SWAP);
    assert.equal(word(world.core, inode, INODE_NR_PAGES), 3);
    assert.equal(kernelWord(world.core, KERNEL_NR_RESERVED), 7);
    const pfn = x.allocPages(0);
    assert.equal(x.addToPageCache(inode, 2, pfn), -EEXIST);
    assert.equal(x.findOrCreatePage(inode, 2), 0);
    x.freePages(pfn, 1);
    finishSwapped(world, inode);
  });
});
