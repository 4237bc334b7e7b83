/** Pages of stored files that go: cut off, dropped, or made room for; and what the file system hears of it. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EAGAIN, EBUSY, EIO } from "../../../src/base/errno.ts";
import { simpleSetattr } from "../../../src/fs/libfs.ts";
import type { AddressSpaceOperations, CachedPage, PageCache } from "../../../src/mm/address-space.ts";
import { invalidateInodePages2Range, invalidateMappingPages } from "../../../src/mm/invalidate.ts";
import { attachPagePrivate, detachPagePrivate, PageAt, pageFlags, pagePrivate } from "../../../src/mm/page.ts";
import { LAST_PAGE, truncatePagecacheRange } from "../../../src/mm/truncate.ts";
import { Wait, whileWaiting } from "../../../src/vfs/waiting.ts";
import { PG_LOCKED } from "../../../src/wasm/layout.ts";
import { cachedIndexes, pread, preadLater, type Scene, storeScene } from "../../helpers/mock-scene.ts";
import { type MockOptions, PAGE, settled } from "../../helpers/mock-store.ts";

interface DropScene extends Scene {
  /** What the file system has heard, by page: "invalidate 3 100+3996". */
  heard: string[];
  mapping: AddressSpaceOperations;
}

interface DropOptions extends MockOptions {
  refuses?: boolean;
  launder?: (page: CachedPage) => number | Promise<number>;
}

/** A scene whose file system takes part in dropping pages. */
function dropScene(pages: number, { refuses, launder, ...options }: DropOptions = {}): DropScene {
  const heard: string[] = [];
  const isLocked = (cache: PageCache, page: CachedPage): string =>
    pageFlags(cache.core, page.pfn) & PG_LOCKED ? "" : " unlocked";
  const operations: AddressSpaceOperations = {
    invalidatePage(cache, page, offset, length) {
      const data = length === PAGE ? detachPagePrivate(cache, page) : pagePrivate(cache, page);
      heard.push(
        `invalidate ${page.index} ${offset}+${length}${data === undefined ? "" : ` (${data})`}${isLocked(cache, page)}`,
      );
    },
    releasePage(cache, page) {
      heard.push(`release ${page.index}${isLocked(cache, page)}`);
      if (!refuses) detachPagePrivate(cache, page);
      return !refuses;
    },
    freePage(cache, page) {
      const isGone = cache.core.x.findPage(page.inode, page.index) === 0;
      heard.push(`free ${page.index}${isGone ? "" : " still there"}`);
    },
    ...(launder && {
      launderPage(cache, page) {
        heard.push(`launder ${page.index}${isLocked(cache, page)}`);
        return launder(page);
      },
    }),
  };
  const scene = storeScene(pages * PAGE, { setattr: simpleSetattr, mapping: operations, ...options });
  pread(scene, 0, options.isAsync ? 0 : pages * PAGE);
  scene.store.takeLog();
  return { ...scene, heard, mapping: scene.kernel.tableOf(scene.inode).mapping };
}

function pageAt({ kernel, inode }: Scene, index: number): PageAt {
  return new PageAt(kernel.core, inode, index, kernel.core.x.findPage(inode, index));
}

describe("a stored file that is cut", () => {
  it("loses its pages behind, and what of the last one is too much is zeros: the file system hears of each", () => {
    const all = dropScene(4);
    attachPagePrivate(all.kernel, pageAt(all, 1), 11);
    attachPagePrivate(all.kernel, pageAt(all, 3), 33);
    cut(all, PAGE + 100);
    assert.deepEqual(all.heard, [
      `invalidate 1 100+${PAGE - 100} (11)`,
      `invalidate 2 0+${PAGE}`,
      "free 2",
      `invalidate 3 0+${PAGE} (33)`,
      "free 3",
    ]);
    assert.deepEqual(cachedIndexes(all), [0, 1]);
    assert.equal(pagePrivate(all.kernel, pageAt(all, 1)), 11);
    all.kernel.verify();
    cut(all, 2 * PAGE);
    const tail = pread(all, PAGE, PAGE);
    assert.deepEqual(tail.subarray(0, 100), all.data.subarray(PAGE, PAGE + 100));
    assert.ok(tail.subarray(100).every((byte) => byte === 0));
    all.heard.length = 0;
    all.fs.closeSync(all.fd);
    all.fs.kernel.dropCaches(2); // the inode goes
    assert.deepEqual(all.heard, [`invalidate 0 0+${PAGE}`, "free 0", `invalidate 1 0+${PAGE} (11)`, "free 1"]);
  });

  it("takes its pins along where the file system has no operation for it", () => {
    const all = storeScene(3 * PAGE, { setattr: simpleSetattr });
    cut(all, 3 * PAGE); // makes what a call needs
    const before = all.fs.kernel.vmstat().nr_free_pages;
    pread(all, 0, 3 * PAGE);
    attachPagePrivate(all.kernel, pageAt(all, 2), 1);
    cut(all, 0);
    assert.deepEqual(cachedIndexes(all), []);
    all.fs.kernel.dropCaches(2);
    assert.ok(all.fs.kernel.vmstat().nr_free_pages >= before);
  });

  it("is not shown what a store brings from before the cut", async () => {
    const all = storeScene(2 * PAGE, { isAsync: true, setattr: simpleSetattr });
    const read = preadLater(all, 0, 2 * PAGE);
    await settled();
    cut(all, 100);
    cut(all, PAGE);
    all.kernel.verify();
    all.store.files.set("file", Buffer.concat([all.data.subarray(0, 100), Buffer.alloc(PAGE - 100)]));
    await all.store.answerAll();
    assert.deepEqual(await read, all.store.files.get("file"));
  });

  it("gets a hole, or its bytes back from memory: as a model says", () => {
    fc.assert(
      fc.property(
        fc.nat(6 * PAGE),
        fc.array(fc.tuple(fc.nat(6 * PAGE), fc.nat(6 * PAGE)), { maxLength: 6 }),
        (size, holes) => {
          const all = storeScene(size);
          const { mapping } = all.kernel.tableOf(all.inode);
          pread(all, 0, size);
          for (const [a, b] of holes) {
            const [start, end] = [Math.min(a, b), Math.max(a, b)];
            truncatePagecacheRange(all.kernel, mapping, all.inode, start, end);
            all.data.subarray(start, end).fill(0); // the store's, too
            assert.ok(!cachedIndexes(all).some((index) => index * PAGE >= start && (index + 1) * PAGE <= end));
          }
          assert.deepEqual(pread(all, 0, size), all.data);
          all.kernel.verify();
          all.fs.kernel.destroy();
        },
      ),
      { numRuns: 60, ...(process.env.FOLIOFS_SEED && { seed: Number(process.env.FOLIOFS_SEED) }) },
    );
  });
});

describe("a page that could not be read", () => {
  it("leaves the cache with what its file system has hung on it", () => {
    const all = dropScene(8, { isAsync: true });
    const readahead = all.fs.promises.readFile("/m/file");
    const failed = assert.rejects(readahead, { code: "EIO" });
    attachPagePrivate(all.kernel, pageAt(all, 1), 11);
    all.store.verdict = () => -EIO;
    return all.store.answerAll().then(async () => {
      await failed;
      assert.deepEqual(
        all.heard.filter((line) => line.includes(" 1")),
        [`invalidate 1 0+${PAGE} (11)`, "free 1"],
      );
      assert.deepEqual(cachedIndexes(all), []);
    });
  });
});

describe("invalidateMappingPages", () => {
  it("drops clean pages that nobody has: not dirty ones, locked ones, those under writeback, or pinned", () => {
    const all = dropScene(8);
    const { x } = all.kernel.core;
    const pfn = (index: number): number => pageAt(all, index).pfn;
    x.setPageDirty(pfn(1));
    x.tryLockPage(pfn(2));
    x.startPageWriteback(pfn(3));
    x.getPage(pfn(4));
    attachPagePrivate(all.kernel, pageAt(all, 5), 55);
    assert.equal(invalidateMappingPages(all.kernel, all.mapping, all.inode, 0, 6), 3);
    assert.deepEqual(cachedIndexes(all), [1, 2, 3, 4, 7]);
    assert.deepEqual(all.heard, ["release 0", "free 0", "release 5", "free 5", "release 6", "free 6"]);
    x.clearPageDirty(pfn(1));
    x.unlockPage(pfn(2));
    x.endPageWriteback(pfn(3));
    x.putPage(pfn(4));
    assert.equal(invalidateMappingPages(all.kernel, all.mapping, all.inode, 0, LAST_PAGE), 5);
    assert.deepEqual(cachedIndexes(all), []);
    assert.deepEqual(pread(all, 0, 8 * PAGE), all.data);
  });

  it("leaves what the file system does not release", () => {
    const all = dropScene(2, { refuses: true });
    attachPagePrivate(all.kernel, pageAt(all, 1), 1);
    assert.equal(invalidateMappingPages(all.kernel, all.mapping, all.inode, 0, LAST_PAGE), 0);
    assert.deepEqual(cachedIndexes(all), [0, 1]);
  });
});

describe("dropCaches(1)", () => {
  it("drops clean pages of files with a store, and those alone", () => {
    const all = dropScene(4);
    all.kernel.core.x.setPageDirty(pageAt(all, 2).pfn);
    all.fs.writeFileSync("/memory", "stays");
    all.fs.kernel.dropCaches(1);
    assert.deepEqual(cachedIndexes(all), [2]);
    assert.equal(all.fs.readFileSync("/memory", "utf8"), "stays");
    assert.deepEqual(pread(all, 0, 4 * PAGE), all.data);
    assert.equal(all.store.takeLog(), "readahead 0+2, readahead 3+1");
    all.kernel.core.x.clearPageDirty(pageAt(all, 2).pfn);
  });
});

describe("invalidateInodePages2Range", () => {
  const drop = (all: DropScene, last = LAST_PAGE): number =>
    invalidateInodePages2Range(all.kernel, all.mapping, all.inode, 0, last);

  it("drops all pages, and has dirty ones written first", () => {
    const all = dropScene(4, { launder: () => 0 });
    all.kernel.core.x.setPageDirty(pageAt(all, 1).pfn);
    all.kernel.core.x.getPage(pageAt(all, 2).pfn);
    all.kernel.core.x.putPage(pageAt(all, 2).pfn);
    assert.equal(drop(all, 2), 0);
    assert.deepEqual(cachedIndexes(all), [3]);
    assert.deepEqual(all.heard, ["release 0", "free 0", "launder 1", "release 1", "free 1", "release 2", "free 2"]);
  });

  it("is EBUSY for dirty pages that cannot be written here, for those not released, and locked ones; the others go", () => {
    const all = dropScene(4);
    const { x } = all.kernel.core;
    x.setPageDirty(pageAt(all, 1).pfn);
    assert.equal(drop(all), -EBUSY);
    assert.deepEqual(cachedIndexes(all), [1]);
    x.clearPageDirty(pageAt(all, 1).pfn);
    x.tryLockPage(pageAt(all, 1).pfn);
    assert.equal(drop(all), -EBUSY);
    x.unlockPage(pageAt(all, 1).pfn);
    assert.equal(drop(all), 0);
    const other = dropScene(2, { refuses: true });
    assert.equal(drop(other), -EBUSY);
  });

  it("answers what launderPage does, and the page is dirty still", () => {
    const all = dropScene(3, { launder: () => -EIO });
    all.kernel.core.x.setPageDirty(pageAt(all, 1).pfn);
    assert.equal(drop(all), -EIO);
    assert.deepEqual(cachedIndexes(all), [1]);
    assert.equal(all.kernel.core.x.clearPageDirty(pageAt(all, 1).pfn), 1);
  });

  for (const rc of [0, -EIO]) {
    it(`waits for a store that writes later: ${rc}`, async () => {
      let answer: (rc: number) => void = () => {};
      const all = dropScene(2, { launder: () => new Promise<number>((resolve) => (answer = resolve)) });
      all.kernel.core.x.setPageDirty(pageAt(all, 1).pfn);
      const wait = new Wait();
      const again = (): number => whileWaiting(() => drop(all), undefined, wait);
      assert.equal(again(), -EAGAIN);
      assert.ok(all.kernel.takeWaitToken());
      assert.equal(again(), -EAGAIN); // it is being written
      assert.ok(pageFlags(all.kernel.core, pageAt(all, 1).pfn) & PG_LOCKED);
      all.kernel.verify();
      const token = all.kernel.takeWaitToken();
      answer(rc);
      await token;
      assert.equal(again(), rc);
      assert.deepEqual(
        all.heard.filter((line) => line.startsWith("launder")),
        ["launder 1"],
      );
      assert.deepEqual(cachedIndexes(all), rc ? [1] : []);
      if (rc) all.kernel.core.x.clearPageDirty(pageAt(all, 1).pfn);
    });
  }

  it("waits for pages that are being read, also for synchronous calls, which ask again", async () => {
    const all = dropScene(4, { isAsync: true });
    const read = preadLater(all, 0, PAGE);
    await settled();
    assert.equal(drop(all), -EAGAIN);
    await all.store.answerAll();
    assert.deepEqual(await read, all.data.subarray(0, PAGE));
    await all.store.answerAll();
    assert.equal(drop(all), 0);
    assert.deepEqual(cachedIndexes(all), []);
  });
});

function cut({ fs }: Scene, size: number): void {
  fs.truncateSync("/m/file", size);
}
