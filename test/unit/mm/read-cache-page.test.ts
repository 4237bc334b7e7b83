/** Pages that a file system reads for its own use. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { EAGAIN, EIO, ENOMEM } from "../../../src/base/errno.ts";
import type { CachedPage } from "../../../src/mm/address-space.ts";
import { PageAt, pageFlags, pagePins } from "../../../src/mm/page.ts";
import { putPage, readCachePage, readMappingPage } from "../../../src/mm/read-cache-page.ts";
import { Wait, whileWaiting } from "../../../src/vfs/waiting.ts";
import { PG_LOCKED, PG_REFERENCED, PG_UPTODATE } from "../../../src/wasm/layout.ts";
import { preadLater, type Scene, storeScene } from "../../helpers/mock-scene.ts";
import { PAGE, settled } from "../../helpers/mock-store.ts";

function readPage({ kernel, inode }: Scene, index: number): CachedPage | number {
  return readMappingPage(kernel, kernel.tableOf(inode).mapping, inode, index);
}

/** What a page holds, given back. */
function take(all: Scene, page: CachedPage | number): Buffer {
  assert.ok(page instanceof PageAt, `${page}`);
  const bytes = Buffer.from(page.views()[0]);
  putPage(all.kernel, page);
  return bytes;
}

describe("readCachePage", () => {
  it("reads a page alone, once, and gives it pinned, up to date and unlocked", () => {
    const all = storeScene(4 * PAGE);
    const page = readPage(all, 2) as CachedPage;
    assert.equal(all.store.takeLog(), "readPage 2+1");
    const { core } = all.kernel;
    assert.equal(pagePins(core, page.pfn), 2);
    const state = pageFlags(core, page.pfn) & (PG_LOCKED | PG_UPTODATE | PG_REFERENCED);
    assert.equal(state, PG_UPTODATE | PG_REFERENCED);
    all.fs.kernel.dropCaches(1); // it is in use
    assert.deepEqual(take(all, page), all.data.subarray(2 * PAGE, 3 * PAGE));
    assert.deepEqual(take(all, readPage(all, 2)), all.data.subarray(2 * PAGE, 3 * PAGE));
    assert.equal(all.store.takeLog(), "");
  });

  it("reads what lies behind the inode's size, too, by an operation of the caller's", () => {
    const all = storeScene(PAGE);
    const page = readCachePage(all.kernel, all.kernel.tableOf(all.inode).mapping, all.inode, 7, (_cache, control) => {
      for (const view of control.views()) view.fill(control.position / PAGE);
      return 100;
    });
    assert.deepEqual(take(all, page), Buffer.concat([Buffer.alloc(100, 7), Buffer.alloc(PAGE - 100)]));
  });

  it("answers what the store does, and asks anew", () => {
    const all = storeScene(PAGE);
    all.store.verdict = () => -EIO;
    assert.equal(readPage(all, 0), -EIO);
    all.store.verdict = undefined;
    assert.deepEqual(take(all, readPage(all, 0)), all.data);
    assert.equal(readMappingPage(all.kernel, {}, all.inode, 1), -EIO);
  });

  it("waits with those who read the file: one read of the store", async () => {
    const all = storeScene(PAGE, { isAsync: true });
    const wait = new Wait();
    const again = (): CachedPage | number => whileWaiting(() => readPage(all, 0), undefined, wait);
    assert.equal(again(), -EAGAIN);
    const token = all.kernel.takeWaitToken();
    const read = preadLater(all, 0, PAGE);
    await settled();
    assert.equal(all.store.takeLog(), "readPage 0+1");
    await all.store.answerAll();
    await token;
    assert.deepEqual(take(all, again()), all.data);
    assert.deepEqual(await read, all.data);
    assert.equal(all.store.takeLog(), "");
  });

  for (const mayWait of [true, false]) {
    it(`tells of a failure once: ${mayWait ? "to who has waited" : "to who asks again"}`, async () => {
      const all = storeScene(PAGE, { isAsync: true });
      const wait = new Wait();
      const again = (): CachedPage | number =>
        mayWait ? whileWaiting(() => readPage(all, 0), undefined, wait) : readPage(all, 0);
      all.store.verdict = () => -EIO;
      assert.equal(again(), -EAGAIN);
      await all.store.answerAll();
      assert.equal(again(), -EIO);
      all.store.verdict = undefined;
      assert.equal(again(), -EAGAIN);
      await all.store.answerAll();
      assert.deepEqual(take(all, again()), all.data);
    });
  }

  it("is ENOMEM where there is no room", () => {
    const all = storeScene(PAGE);
    const fill = all.fs.openSync("/fill", "a");
    try {
      for (;;) all.fs.writeSync(fill, Buffer.alloc(PAGE));
    } catch {}
    assert.equal(readPage(all, 0), -ENOMEM);
  });
});
