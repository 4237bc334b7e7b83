/** AOP_TRUNCATED_PAGE of readPage: the page was lost while it was being read, and is looked for anew by all who wanted it. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { storedWrite } from "../../../src/fs/stored-write.ts";
import { AOP_TRUNCATED_PAGE, type CachedPage } from "../../../src/mm/address-space.ts";
import { putPage, readMappingPage } from "../../../src/mm/read-cache-page.ts";
import { truncatePagecacheRange } from "../../../src/mm/truncate.ts";
import { pread, preadLater, type Scene, storeScene } from "../../helpers/mock-scene.ts";
import { type MockOptions, PAGE, settled } from "../../helpers/mock-store.ts";

/** A scene whose frames hold what another file has left, and whose first reads of single pages are in vain. */
function scene(pages: number, nrTruncated: number, options: MockOptions = {}): Scene {
  const all = storeScene(pages * PAGE, { hasReadahead: false, ...options });
  all.fs.writeFileSync("/gone", Buffer.alloc(64 * PAGE, 0xdd));
  all.fs.rmSync("/gone");
  let left = nrTruncated;
  all.store.verdict = (what, bytes) => (what.startsWith("readPage") && left-- > 0 ? AOP_TRUNCATED_PAGE : bytes);
  return all;
}

function writer(all: Scene): number {
  return all.fs.openSync("/m/file", "r+");
}

describe("a page that was truncated while readPage had it", () => {
  it("is read again by a reader, who sees nothing of the first try", () => {
    const all = scene(3, 2);
    assert.deepEqual(pread(all, 0, 2 * PAGE), all.data.subarray(0, 2 * PAGE));
    assert.equal(all.store.takeLog(), "readPage 0+1, readPage 0+1, readPage 0+1, readPage 1+1");
    all.kernel.verify();
  });

  it("is read again, too, when the file system has cut it off itself", () => {
    const all = scene(2, 1);
    const { mapping } = all.kernel.tableOf(all.inode);
    all.store.onAsked = () => {
      all.store.onAsked = undefined;
      truncatePagecacheRange(all.kernel, mapping, all.inode, 0, Number.POSITIVE_INFINITY);
    };
    assert.deepEqual(pread(all, 0, PAGE), all.data.subarray(0, PAGE));
    assert.equal(all.store.takeLog(), "readPage 0+1, readPage 0+1");
    all.kernel.verify();
  });

  it("is read again after readahead was in vain", () => {
    const all = scene(3, 1, { hasReadahead: true });
    const { verdict } = all.store;
    all.store.verdict = (what, bytes) => (what.startsWith("readahead") ? -5 : (verdict?.(what, bytes) ?? bytes));
    assert.deepEqual(pread(all, 2 * PAGE, PAGE), all.data.subarray(2 * PAGE));
    assert.equal(all.store.takeLog(), "readahead 2+1, readPage 2+1, readahead 2+1, readPage 2+1");
    all.kernel.verify();
  });

  it("is read again by calls that have waited, once for all of them", async () => {
    const all = scene(1, 1, { isAsync: true });
    const reads = [preadLater(all, 0, 10), preadLater(all, 5, 10)];
    await all.store.answerAll();
    assert.deepEqual(await Promise.all(reads), [all.data.subarray(0, 10), all.data.subarray(5, 15)]);
    assert.equal(all.store.takeLog(), "readPage 0+1, readPage 0+1");
    all.kernel.verify();
  });

  it("is read again when a synchronous call asks again", async () => {
    const all = scene(1, 1, { isAsync: true });
    for (let i = 0; i < 2; i++) {
      assert.throws(() => pread(all, 0, PAGE), { code: "EAGAIN" });
      await all.store.answerAll();
    }
    assert.deepEqual(pread(all, 0, PAGE), all.data);
    assert.equal(all.store.takeLog(), "readPage 0+1, readPage 0+1");
    all.kernel.verify();
  });

  it("is read again for a file system that reads its own", () => {
    const all = scene(2, 1);
    const page = readMappingPage(all.kernel, all.kernel.tableOf(all.inode).mapping, all.inode, 1) as CachedPage;
    assert.deepEqual(Buffer.from(page.views()[0]), all.data.subarray(PAGE));
    putPage(all.kernel, page);
    assert.equal(all.store.takeLog(), "readPage 1+1, readPage 1+1");
    all.kernel.verify();
  });

  it("has a write that needs the rest of it begin anew at that page", () => {
    const all = scene(2, 1, { writes: "at once" });
    const fd = writer(all);
    all.fs.writeSync(fd, Buffer.from("new"), 0, 3, PAGE + 10);
    assert.equal(
      all.store.takeLog(),
      "writeBegin 1 10+3, readPage 1+1, writeEnd 1 0, writeBegin 1 10+3, readPage 1+1, writeEnd 1 3",
    );
    const expected = Buffer.from(all.data);
    expected.write("new", PAGE + 10);
    assert.deepEqual(pread(all, 0, 2 * PAGE), expected);
    all.fs.closeSync(fd);
    all.kernel.verify();
  });

  it("leaves nothing behind of a synchronous write that could not wait for it", async () => {
    const all = scene(1, 1, { isAsync: true });
    const fd = writer(all);
    assert.throws(() => all.fs.writeSync(fd, Buffer.from("new"), 0, 3, 10), { code: "EAGAIN" });
    await all.store.answerAll();
    assert.equal(all.kernel.core.x.findPage(all.inode, 0), 0);
    const read = preadLater(all, 0, PAGE);
    await all.store.answerAll();
    assert.deepEqual(await read, all.data);
    all.fs.closeSync(fd);
    all.kernel.verify();
  });

  it("is read again where the file system vouched for a part of it", async () => {
    const all = scene(1, 0, { mapping: { isPartiallyUptodate: (_cache, _page, at, length) => at + length <= 100 } });
    const { mapping } = all.kernel.tableOf(all.inode);
    mapping.writeBegin = () => 1; // nothing is read
    const fd = writer(all);
    const file = all.kernel.tasks().next().value?.file(fd);
    assert.ok(file);
    assert.equal(storedWrite(all.kernel, mapping, file, Buffer.alloc(100, 1), 0, 100, 0), 100);
    let left = 2;
    mapping.readPage = (_cache, control) => {
      if (left-- > 0) return AOP_TRUNCATED_PAGE;
      const [view] = control.views();
      view.fill(2, 100);
      return PAGE;
    };
    const expected = Buffer.concat([Buffer.alloc(100, 1), Buffer.alloc(PAGE - 100, 2)]);
    assert.deepEqual(pread(all, 0, PAGE), expected);
    assert.equal(left, -1);
    await settled();
    all.fs.closeSync(fd);
    all.kernel.verify();
  });
});
