import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { ENOMEM, ENOSPC, EOPNOTSUPP } from "../../../src/base/errno.ts";
import {
  AS_NO_ACCOUNTING,
  AS_NO_STORE,
  AS_SWAPBACKED,
  AS_UNEVICTABLE,
  KERNEL_BLOCK,
  KERNEL_LRU_LISTS,
  KERNEL_NR_DIRTY,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE,
  XA_MARK_DIRTY,
} from "../../../src/wasm/layout.ts";
import { kernelWord, verify, World } from "../../helpers/core.ts";

const PAGE = 4096;
const MEMORY = AS_NO_STORE | AS_NO_ACCOUNTING | AS_UNEVICTABLE;

/** A file of 100 pages that a write has made. */
function written(options = {}, nrPages = 100) {
  const world = new World(options);
  const { x } = world;
  const inode = world.inodeOf(world.make(world.root, "f", 0o100644));
  const buffer = x.allocBuffer(5);
  for (let at = 0; at < nrPages; at += 25) x.copyFromUser(inode, at * PAGE, buffer * PAGE, 25 * PAGE);
  x.freePages(buffer, 32);
  return { world, x, inode };
}

function listed(world: World, lru: number): number {
  return world.core.u32[((KERNEL_BLOCK + KERNEL_LRU_LISTS) >>> 2) + lru * 4 + 2];
}

describe("class of an address space", () => {
  it("moves its pages to its lists, those that are isolated when they are put back", () => {
    const { world, x, inode } = written();
    assert.equal(listed(world, LRU_UNEVICTABLE), 100);
    const isolated = x.findPage(inode, 50);
    x.isolatePage(isolated);
    x.setMappingClass(inode, AS_NO_STORE | AS_NO_ACCOUNTING | AS_SWAPBACKED);
    assert.equal(listed(world, LRU_UNEVICTABLE), 0);
    assert.equal(listed(world, LRU_INACTIVE_ANON), 99);
    x.putbackPage(isolated);
    assert.equal(listed(world, LRU_INACTIVE_ANON), 100);
    verify(world.core);
    x.setMappingClass(inode, MEMORY);
    assert.equal(listed(world, LRU_UNEVICTABLE), 100);
    verify(world.core);
    world.dispose();
  });

  it("says whether dirty pages are marked and counted", () => {
    const { world, x, inode } = written({ sbFlags: 0 });
    assert.equal(listed(world, LRU_INACTIVE_FILE), 100);
    assert.equal(kernelWord(world.core, KERNEL_NR_DIRTY), 100);
    x.clearPageDirty(x.findPage(inode, 7));
    x.setMappingClass(inode, AS_NO_ACCOUNTING);
    assert.equal(kernelWord(world.core, KERNEL_NR_DIRTY), 0);
    assert.equal(x.indexMarked(inode, XA_MARK_DIRTY), 0);
    verify(world.core);
    x.setMappingClass(inode, 0);
    assert.equal(kernelWord(world.core, KERNEL_NR_DIRTY), 99);
    assert.equal(x.indexGetMark(inode, 7, XA_MARK_DIRTY), 0);
    verify(world.core);
    world.dispose();
  });

  it("says what it is that there is no room: a store of its own is full, a cache has no memory", () => {
    for (const [flags, errno] of [[MEMORY, ENOSPC] as const, [0, ENOMEM] as const]) {
      const { world, x, inode } = written({ limitBytes: 2 ** 20, sbFlags: 0 }, 25);
      x.setMappingClass(inode, flags);
      assert.equal(x.allocateRange(inode, 0, 2 ** 21), -EOPNOTSUPP);
      const buffer = x.allocBuffer(0);
      let at = 25 * PAGE;
      let n = PAGE;
      while (n === PAGE) {
        n = x.copyFromUser(inode, at, buffer * PAGE, PAGE);
        at += PAGE;
      }
      assert.equal(n, -errno);
      x.freePages(buffer, 1);
      verify(world.core);
      world.dispose();
    }
  });
});
