/** Reads of files whose pages come from a store: what is asked of it, and when; who waits, and who hears of its errors. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EIO } from "../../../src/base/errno.ts";
import { createFsSync, type FolioFs, Inode } from "../../../src/index.ts";
import { type MockOptions, MockStore, PAGE, settled } from "../../helpers/mock-store.ts";
import { resizable } from "../../helpers/resizable.ts";

interface Scene {
  fs: FolioFs;
  store: MockStore;
  data: Buffer;
  fd: number;
}

/** A store with one file of so many bytes, open. */
function scene(length: number, options: MockOptions = {}): Scene {
  const store = new MockStore(options);
  const data = Buffer.from(Uint8Array.from({ length }, (_, i) => 1 + ((i * 7 + (i >> 12) * 31) % 250)));
  store.files.set("file", data);
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [store.type] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "mockfs", target: "/m" });
  return { fs, store, data, fd: fs.openSync("/m/file", "r") };
}

function pread({ fs, fd }: Scene, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, fs.readSync(fd, buffer, 0, length, position));
}

function preadLater({ fs, fd }: Scene, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  return new Promise((resolve, reject) =>
    fs.read(fd, buffer, 0, length, position, (error, n) => (error ? reject(error) : resolve(buffer.subarray(0, n)))),
  );
}

describe("readahead", () => {
  it("starts with four pages and doubles, each window asked for where the one before is half read", () => {
    const all = scene(100 * PAGE);
    const asked: string[] = [];
    for (let index = 0; index < 100; index++) {
      assert.deepEqual(pread(all, index * PAGE, PAGE), all.data.subarray(index * PAGE, (index + 1) * PAGE));
      const log = all.store.takeLog();
      if (log) asked.push(`${index}: ${log}`);
    }
    assert.deepEqual(asked, [
      "0: readahead 0+4",
      "1: readahead 4+8",
      "4: readahead 12+16",
      "12: readahead 28+32",
      "28: readahead 60+32",
      "60: readahead 92+8",
    ]);
  });

  it("reads what is asked for where reads jump about", () => {
    const all = scene(100 * PAGE);
    for (const index of [50, 20, 77, 35]) pread(all, index * PAGE, 10);
    pread(all, 90 * PAGE + 100, 2 * PAGE);
    assert.equal(all.store.takeLog(), "readahead 50+1, readahead 20+1, readahead 77+1, readahead 35+1, readahead 90+3");
  });

  it("goes on at the marker that another reader has left", () => {
    const all = scene(200 * PAGE);
    pread(all, 0, PAGE);
    pread(all, PAGE, PAGE); // pages 4 to 11, marked at 4
    const other = { ...all, fd: all.fs.openSync("/m/file", "r") };
    all.store.takeLog();
    pread(other, 4 * PAGE, PAGE);
    assert.match(all.store.takeLog(), /^readahead 12\+\d+$/);
  });

  it("of no pages reads one by one", () => {
    const all = scene(3 * PAGE, { raPages: 0 });
    assert.deepEqual(pread(all, 0, 3 * PAGE), all.data);
    assert.equal(all.store.takeLog(), "readahead 0+3");
  });

  it("is not needed: readPage alone will do", () => {
    const all = scene(3 * PAGE + 5, { hasReadahead: false });
    assert.deepEqual(pread(all, 0, 4 * PAGE), all.data);
    assert.equal(all.store.takeLog(), "readPage 0+1, readPage 1+1, readPage 2+1, readPage 3+1");
    assert.deepEqual(pread(all, 100, PAGE), all.data.subarray(100, 100 + PAGE));
    assert.equal(all.store.takeLog(), "");
  });
});

describe("a stored read", () => {
  for (const isAsync of [false, true]) {
    it(`gives the file's bytes, wherever and however much is asked for, ${isAsync ? "later" : "at once"}`, async () => {
      const range = fc.tuple(fc.nat(40 * PAGE), fc.oneof(fc.nat(10), fc.nat(3 * PAGE), fc.nat(40 * PAGE)));
      await fc.assert(
        fc.asyncProperty(fc.nat(30 * PAGE), fc.array(range, { maxLength: 12 }), async (size, ranges) => {
          const all = scene(size, { isAsync });
          const reads = ranges.map(async ([position, length]) => {
            const got = isAsync ? await preadLater(all, position, length) : pread(all, position, length);
            assert.deepEqual(got, all.data.subarray(position, position + length));
          });
          await all.store.answerAll();
          await Promise.all(reads);
          all.fs.kernel.vfs.verify();
          all.fs.kernel.destroy();
        }),
        { numRuns: 60, ...(process.env.FOLIOFS_SEED && { seed: Number(process.env.FOLIOFS_SEED) }) },
      );
    });
  }

  it("moves the file's position by what it has read, and readFile reads to the end", async () => {
    const all = scene(9 * PAGE + 7, { isAsync: true });
    const whole = all.fs.promises.readFile("/m/file");
    await all.store.answerAll();
    assert.deepEqual(await whole, all.data);
    const buffer = Buffer.alloc(5 * PAGE);
    assert.equal(all.fs.readSync(all.fd, buffer), 5 * PAGE);
    assert.equal(all.fs.readSync(all.fd, buffer), 4 * PAGE + 7);
    assert.equal(all.fs.readSync(all.fd, buffer), 0);
  });

  it("of many who want one page is one read of the store", async () => {
    const all = scene(PAGE, { isAsync: true });
    const reads = Array.from({ length: 20 }, () => preadLater(all, 0, PAGE));
    await settled();
    assert.equal(all.store.takeLog(), "readahead 0+1");
    await all.store.answerAll();
    for (const got of await Promise.all(reads)) assert.deepEqual(got, all.data);
    assert.equal(all.store.takeLog(), "");
  });

  it("that cannot wait is EAGAIN, or what is there; the pages are on their way then", async () => {
    const all = scene(64 * PAGE, { isAsync: true });
    assert.throws(() => pread(all, 0, PAGE), { code: "EAGAIN" });
    assert.throws(() => pread(all, 0, PAGE), { code: "EAGAIN" });
    assert.equal(all.store.takeLog(), "readahead 0+4");
    await all.store.answerAll();
    assert.equal(pread(all, 0, 20 * PAGE).length, 4 * PAGE);
    await all.store.answerAll();
    assert.ok(pread(all, 0, 20 * PAGE).length > 4 * PAGE);
  });

  it("goes on from where it had come to when it had to wait", async () => {
    const all = scene(256 * PAGE, { isAsync: true });
    const read = preadLater(all, 0, 256 * PAGE);
    await all.store.answerAll();
    assert.deepEqual(await read, all.data);
    assert.ok(all.store.log.length <= 9, all.store.takeLog()); // 256 pages by 32
  });

  it("fails for the page that the store cannot read, and for no other", async () => {
    for (const isAsync of [false, true]) {
      const all = scene(8 * PAGE, { isAsync });
      all.store.verdict = (what, bytes) => (/^readahead|readPage 5/.test(what) ? -EIO : bytes);
      const [first, whole, bad] = [
        [4 * PAGE, PAGE],
        [0, 8 * PAGE],
        [5 * PAGE, PAGE],
      ].map(([position, length]) => preadLater(all, position, length));
      const failed = assert.rejects(bad, { code: "EIO" });
      await all.store.answerAll();
      assert.deepEqual(await first, all.data.subarray(4 * PAGE, 5 * PAGE));
      assert.equal((await whole).length, 5 * PAGE); // as on Linux: what was read before counts
      await failed;
      all.store.verdict = undefined;
      const again = preadLater(all, 5 * PAGE, PAGE);
      await all.store.answerAll();
      assert.deepEqual(await again, all.data.subarray(5 * PAGE, 6 * PAGE));
    }
  });

  it("tells synchronous calls of the error, too, once", async () => {
    const all = scene(PAGE, { isAsync: true, hasReadahead: false });
    all.store.verdict = () => -EIO;
    assert.throws(() => pread(all, 0, 1), { code: "EAGAIN" });
    await all.store.answerAll();
    assert.throws(() => pread(all, 0, 1), { code: "EIO" });
    assert.throws(() => pread(all, 0, 1), { code: "EAGAIN" });
    all.store.verdict = undefined;
    await all.store.answerAll();
    assert.deepEqual(pread(all, 0, 1), all.data.subarray(0, 1));
  });

  it("goes on page by page where readahead was short, and takes a short page for whole", () => {
    const all = scene(8 * PAGE);
    all.store.verdict = (what, bytes) =>
      what === "readahead 0+8" ? 2 * PAGE + 100 : what.startsWith("readahead") ? 0 : Math.min(bytes, 10);
    const got = pread(all, 0, 4 * PAGE);
    assert.deepEqual(got.subarray(0, 2 * PAGE), all.data.subarray(0, 2 * PAGE));
    assert.deepEqual(got.subarray(2 * PAGE, 2 * PAGE + 10), all.data.subarray(2 * PAGE, 2 * PAGE + 10));
    assert.ok(got.subarray(2 * PAGE + 10, 3 * PAGE).every((byte) => byte === 0)); // never what the store left behind
  });

  it("shows zeros behind the end, whatever the store has left there", () => {
    const all = scene(PAGE + 10);
    pread(all, 0, 2 * PAGE);
    Inode.ofFile(all.fs.kernel.vfs, all.fs.kernel.vfs.current?.file(all.fd) as never).size = 2 * PAGE;
    assert.ok(pread(all, PAGE + 10, PAGE).every((byte) => byte === 0));
  });

  it("of a file that is cut while it is read gives what is left of it", async () => {
    const all = scene(16 * PAGE, { isAsync: true });
    const read = preadLater(all, 0, 16 * PAGE);
    await settled();
    const inode = Inode.ofFile(all.fs.kernel.vfs, all.fs.kernel.vfs.tasks().next().value?.file(all.fd) as never);
    all.fs.kernel.vfs.core.x.truncate(inode.handle, 100, 0);
    all.fs.writeFileSync("/other", Buffer.alloc(64 * PAGE, "other")); // its frames are not those that the store fills
    all.fs.kernel.vfs.verify();
    await all.store.answerAll();
    assert.deepEqual(await read, all.data.subarray(0, 100));
    assert.deepEqual(all.fs.readFileSync("/other"), Buffer.alloc(64 * PAGE, "other"));
    all.fs.kernel.vfs.verify();
  });

  it("is not in the way of a fork, a snapshot, or the end of the kernel", async () => {
    const all = scene(16 * PAGE, { isAsync: true });
    const read = assert.rejects(preadLater(all, 0, 16 * PAGE));
    await settled();
    all.fs.kernel.fork().vfs.verify();
    all.fs.kernel.snapshot();
    all.fs.kernel.dropCaches(3);
    all.fs.kernel.vfs.verify();
    all.fs.kernel.destroy();
    await all.store.answerAll();
    await read;
  });

  it.each([true, false])(
    "of a store that throws is EIO, and another one is made anew (with readahead: %s)",
    async (hasReadahead) => {
      const all = scene(16 * PAGE, { hasReadahead });
      const { fs, store, data } = all;
      store.onAsked = () => {
        throw new Error("broken");
      };
      assert.throws(() => pread(all, 0, PAGE), { code: "EIO" });
      await assert.rejects(preadLater(all, PAGE, PAGE), { code: "EIO" });
      fs.kernel.vfs.verify();
      store.onAsked = undefined;
      assert.deepEqual(pread(all, 0, PAGE), data.subarray(0, PAGE));
      assert.deepEqual(await preadLater(all, PAGE, PAGE), data.subarray(PAGE, 2 * PAGE));
    },
  );

  it("of what memory has no room for is ENOMEM", () => {
    const all = scene(16 * PAGE);
    all.fs.writeFileSync("/fill", "");
    const fill = all.fs.openSync("/fill", "a");
    try {
      for (;;) all.fs.writeSync(fill, Buffer.alloc(PAGE));
    } catch {}
    assert.throws(() => pread(all, 0, PAGE), { code: "ENOMEM" });
    all.fs.ftruncateSync(fill, 0);
    assert.deepEqual(pread(all, 0, PAGE), all.data.subarray(0, PAGE));
  });
});

it("a read into a buffer that has become shorter meanwhile fills what is left of it", async () => {
  const all = scene(2 * PAGE, { isAsync: true });
  const memory = resizable(PAGE);
  const reading = new Promise((resolve, reject) =>
    all.fs.read(all.fd, new Uint8Array(memory), 0, PAGE, 0, (error, n) => (error ? reject(error) : resolve(n))),
  );
  memory.resize(100);
  await all.store.answerAll();
  assert.equal(await reading, 100);
  assert.deepEqual(Buffer.from(memory), all.data.subarray(0, 100));
});
