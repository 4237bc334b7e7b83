/** Reads that are of what is there (RWF_NOWAIT), and waits that somebody ends (AbortSignal). */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";
import { RWF_APPEND, RWF_HIPRI, RWF_NOWAIT } from "../../../src/mm/preadv2.ts";
import { cachedIndexes, pread, preadLater, type Scene, storeScene } from "../../helpers/mock-scene.ts";
import { PAGE, settled } from "../../helpers/mock-store.ts";

function nowait({ fs, fd }: Scene, position: number | null, ...lengths: number[]): Buffer {
  const buffers = lengths.map((length) => Buffer.alloc(length));
  const n = fs.kernel.preadv2Sync(fd, buffers, position, RWF_NOWAIT);
  return Buffer.concat(buffers).subarray(0, n);
}

describe("preadv2 with RWF_NOWAIT", () => {
  for (const isAsync of [false, true]) {
    it(`is EAGAIN where nothing is, short where some is, and asks for nothing: ${isAsync ? "later" : "at once"}`, async () => {
      const all = storeScene(100 * PAGE, { isAsync });
      const read = async (position: number, length: number): Promise<void> => {
        const done = preadLater(all, position, length);
        await all.store.answerAll();
        await done;
        all.store.takeLog();
      };
      assert.throws(() => nowait(all, 0, PAGE), { code: "EAGAIN", syscall: "preadv2" });
      await read(50 * PAGE, 2 * PAGE); // in the middle, so that nothing is read ahead
      assert.throws(() => nowait(all, 49 * PAGE, PAGE), { code: "EAGAIN" });
      assert.deepEqual(nowait(all, 50 * PAGE + 10, 3 * PAGE), all.data.subarray(50 * PAGE + 10, 52 * PAGE));
      assert.deepEqual(nowait(all, 50 * PAGE, 100, PAGE, 3 * PAGE), all.data.subarray(50 * PAGE, 52 * PAGE));
      assert.deepEqual(nowait(all, 200 * PAGE, 10), Buffer.alloc(0)); // the end needs no store
      assert.equal(all.store.takeLog(), "");
      assert.deepEqual(cachedIndexes(all), [50, 51]);
    });
  }

  it("is EAGAIN while the page is on its way", async () => {
    const all = storeScene(PAGE, { isAsync: true });
    const read = preadLater(all, 0, PAGE);
    await settled();
    assert.throws(() => nowait(all, 0, 1), { code: "EAGAIN" });
    await all.store.answerAll();
    assert.deepEqual(nowait(all, 0, PAGE), await read);
  });

  it("leaves the page that asks for the next window to a reader who can wait, as Linux does", () => {
    const all = storeScene(100 * PAGE);
    pread(all, 0, PAGE); // pages 0 to 3, of which 1 asks
    all.store.takeLog();
    assert.deepEqual(nowait(all, 0, 3 * PAGE), all.data.subarray(0, PAGE));
    assert.throws(() => nowait(all, PAGE, PAGE), { code: "EAGAIN" });
    assert.equal(all.store.takeLog(), "");
    pread(all, PAGE, 1);
    assert.equal(all.store.takeLog(), "readahead 4+8");
    assert.deepEqual(nowait(all, 0, 3 * PAGE), all.data.subarray(0, 3 * PAGE));
  });

  it("moves the file's own position by what it has read", () => {
    const all = storeScene(4 * PAGE);
    pread(all, 0, 4 * PAGE);
    assert.deepEqual(nowait(all, null, PAGE, 10), all.data.subarray(0, PAGE + 10));
    assert.deepEqual(nowait(all, null, 10), all.data.subarray(PAGE + 10, PAGE + 20));
  });

  it("is EBADF, ENOTSUP in memory and for flags that nobody knows, as on tmpfs", () => {
    const all = storeScene(PAGE);
    pread(all, 0, PAGE);
    const { kernel } = all.fs;
    const buffers = [Buffer.alloc(10)];
    assert.throws(() => kernel.preadv2Sync(99, buffers, 0, RWF_NOWAIT), { code: "EBADF" });
    assert.throws(() => kernel.preadv2Sync(all.fs.openSync("/w", "w"), buffers, 0, RWF_NOWAIT), { code: "EBADF" });
    assert.throws(() => kernel.preadv2Sync(all.fd, buffers, 0, 1 << 20), { code: "ENOTSUP" });
    assert.throws(() => kernel.preadv2Sync(all.fd, "no" as never, 0, RWF_NOWAIT), { code: "ERR_INVALID_ARG_TYPE" });
    assert.equal(kernel.preadv2Sync(all.fd, buffers, 0, RWF_HIPRI | RWF_APPEND), 10);
    const memory = createFsSync();
    memory.writeFileSync("/file", "0123456789");
    const fd = memory.openSync("/file", "r");
    assert.throws(() => memory.kernel.preadv2Sync(fd, buffers, 0, RWF_NOWAIT), { code: "ENOTSUP" });
    assert.throws(() => memory.kernel.preadv2Sync(fd, buffers, 0, 1 << 20), { code: "ENOTSUP" });
    assert.equal(memory.kernel.preadv2Sync(fd, buffers, 5, 0), 5);
    assert.equal(memory.kernel.preadv2Sync(fd, buffers, 5, RWF_HIPRI), 5);
  });
});

describe("an AbortSignal", () => {
  it("ends the wait of readFile by path, by descriptor and by callback; the pages come all the same", async () => {
    const all = storeScene(8 * PAGE, { isAsync: true });
    const before = all.kernel.core.x.findPage(all.inode, 0);
    assert.equal(before, 0);
    const controller = new AbortController();
    const { signal } = controller;
    const handle = await all.fs.promises.open("/m/file");
    const reads = [
      all.fs.promises.readFile("/m/file", { signal }),
      handle.readFile({ signal }),
      new Promise((resolve, reject) =>
        all.fs.readFile("/m/file", { signal }, (error, data) => (error ? reject(error) : resolve(data))),
      ),
    ].map((read) => assert.rejects(read, { name: "AbortError", code: "ABORT_ERR" }));
    await settled();
    assert.ok(all.store.pending.length > 0);
    controller.abort();
    await Promise.all(reads); // before the store has answered
    all.kernel.verify();
    assert.deepEqual(cachedIndexes(all), [0, 1, 2, 3, 4, 5, 6, 7]); // locked, being read
    await all.store.answerAll();
    all.kernel.verify();
    assert.deepEqual(pread(all, 0, 8 * PAGE), all.data);
    assert.equal(all.store.takeLog(), "readahead 0+8");
    await handle.close();
  });

  it("leaves no descriptor open and nothing pinned", async () => {
    const all = storeScene(8 * PAGE, { isAsync: true });
    const controller = new AbortController();
    const read = assert.rejects(all.fs.promises.readFile("/m/file", { signal: controller.signal }), {
      name: "AbortError",
    });
    await settled();
    controller.abort();
    await read;
    await all.store.answerAll();
    all.fs.kernel.dropCaches(1);
    assert.deepEqual(cachedIndexes(all), []);
    const next = all.fs.openSync("/m/file", "r");
    assert.equal(next, all.fd + 1);
  });

  it("of one reader does not end the wait of others", async () => {
    const all = storeScene(8 * PAGE, { isAsync: true });
    const controller = new AbortController();
    const given = assert.rejects(all.fs.promises.readFile("/m/file", { signal: controller.signal }), {
      name: "AbortError",
    });
    const kept = all.fs.promises.readFile("/m/file");
    await settled();
    controller.abort();
    await given;
    await all.store.answerAll();
    assert.deepEqual(await kept, all.data);
  });
});
