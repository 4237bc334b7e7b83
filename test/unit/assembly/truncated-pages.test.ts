/** What is done to a page by somebody who has it pinned, while its file is truncated. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import {
  KERNEL_NR_DIRTY,
  PAGE_FLAGS,
  PAGE_MAPPING,
  PAGE_REFCOUNT,
  PG_DIRTY,
  PG_LOCKED,
  PG_LRU,
  PG_WRITEBACK,
} from "../../../src/wasm/layout.ts";
import { kernelWord, pageWord, verify, World } from "../../helpers/core.ts";

/** A pinned page, of a file that `before` is done to and that is truncated then. */
function truncated(before: (world: World, pfn: number) => void = () => {}) {
  const world = new World({ sbFlags: 0 });
  const { x } = world;
  const inode = world.inodeOf(world.make(world.root, "f", 0o100644));
  const pfn = x.findOrCreatePage(inode, 3);
  x.getPage(pfn);
  before(world, pfn);
  const low = world.core.u8.slice(0, 128);
  x.punchHole(inode, 0, 2 ** 44);
  assert.equal(pageWord(world.core, pfn, PAGE_MAPPING), 0);
  return { world, x, inode, pfn, flags: () => pageWord(world.core, pfn, PAGE_FLAGS), low };
}

/** Nothing was written where no address space is, and the frame goes with its pin. */
function finish({ world, x, pfn, low }: ReturnType<typeof truncated>): void {
  assert.deepEqual(world.core.u8.slice(0, 128), low);
  assert.equal(kernelWord(world.core, KERNEL_NR_DIRTY), 0);
  assert.equal(pageWord(world.core, pfn, PAGE_REFCOUNT), 1);
  x.putPage(pfn);
  verify(world.core);
  world.dispose();
}

describe("a page truncated while it is pinned", () => {
  it("is not made dirty any more", () => {
    const page = truncated();
    assert.equal(page.x.setPageDirty(page.pfn), 0);
    assert.equal(page.x.clearPageDirty(page.pfn), 0);
    finish(page);
  });

  it("is no longer counted as dirty", () => {
    const page = truncated((world, pfn) => assert.equal(world.x.setPageDirty(pfn), 1));
    assert.equal(page.flags() & PG_DIRTY, 0);
    assert.equal(page.x.clearPageDirty(page.pfn), 0);
    finish(page);
  });

  it("ends its writeback, and wakes who waits for that", () => {
    const page = truncated((world, pfn) => {
      world.x.setPageDirty(pfn);
      world.x.clearPageDirty(pfn);
      world.x.startPageWriteback(pfn);
    });
    assert.notEqual(page.flags() & PG_WRITEBACK, 0, "lives on with the pinned page");
    const sequence = page.x.waitOnPage(page.pfn);
    page.x.endPageWriteback(page.pfn);
    assert.equal(page.flags() & PG_WRITEBACK, 0);
    assert.notEqual(page.x.wakeSequence(page.pfn), sequence);
    page.x.finishWait(page.pfn);
    finish(page);
  });

  it("begins a writeback of which no index knows", () => {
    const page = truncated();
    page.x.startPageWriteback(page.pfn);
    page.x.endPageWriteback(page.pfn);
    finish(page);
  });

  it("is unlocked, and wakes who waits for that", () => {
    const page = truncated((world, pfn) => assert.equal(world.x.tryLockPage(pfn), 1));
    assert.equal(page.x.tryLockPage(page.pfn), 0);
    const sequence = page.x.waitOnPage(page.pfn);
    page.x.unlockPage(page.pfn);
    assert.equal(page.flags() & PG_LOCKED, 0);
    assert.notEqual(page.x.wakeSequence(page.pfn), sequence);
    page.x.finishWait(page.pfn);
    finish(page);
  });

  it("is on no list, whatever is noted of it", () => {
    const page = truncated();
    for (let i = 0; i < 3; i++) page.x.markPageAccessed(page.pfn);
    page.x.activatePage(page.pfn);
    page.x.deactivatePage(page.pfn);
    page.x.rotatePage(page.pfn);
    assert.equal(page.x.isolatePage(page.pfn), 0);
    assert.equal(page.flags() & PG_LRU, 0);
    finish(page);
  });

  it("is not put back on a list when it was isolated", () => {
    const page = truncated((world, pfn) => assert.equal(world.x.isolatePage(pfn), 1));
    page.x.putbackPage(page.pfn);
    assert.equal(page.flags() & PG_LRU, 0);
    finish(page);
  });

  it("keeps its lock when it is cached again, by whoever locked it", () => {
    const page = truncated((world, pfn) => world.x.tryLockPage(pfn));
    assert.equal(page.x.addToPageCache(page.inode, 9, page.pfn), 0);
    assert.notEqual(page.flags() & PG_LOCKED, 0);
    page.x.unlockPage(page.pfn);
    assert.equal(page.x.removeFromPageCache(page.inode, 9), page.pfn);
    finish(page);
  });
});
