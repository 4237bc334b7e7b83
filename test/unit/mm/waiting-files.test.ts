/** Calls that wait for a store, and their open file: it stays, though its descriptor is closed; its position is theirs. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { createFsSync, type FileOperations } from "../../../src/index.ts";
import { FILE_COUNT, FILE_MODE, FMODE_POS_LOCKED } from "../../../src/wasm/layout.ts";
import { fileOf, type Scene, storeScene } from "../../helpers/mock-scene.ts";
import { type MockOptions, PAGE, settled } from "../../helpers/mock-store.ts";

const { O_DIRECT, O_RDWR, O_APPEND } = createFsSync().constants;

interface OpenScene extends Scene {
  /** How often the file system was told that a file was closed. */
  released: number;
}

/** A scene whose file is open to read and write, and whose file system hears of its end. */
function openScene(length: number, options: MockOptions = {}, flags: number | string = "r+"): OpenScene {
  const all = storeScene(length, { isAsync: true, hasReadahead: false, ...options });
  const { fs, kernel, inode } = all;
  const result = { ...all, released: 0 };
  const release: FileOperations["release"] = () => void result.released++;
  Object.assign(kernel.tableOf(inode).file, { release });
  fs.closeSync(all.fd);
  result.released = 0;
  result.fd = fs.openSync("/m/file", flags);
  result.file = fileOf(kernel, result.fd);
  return result;
}

function readLater({ fs, fd }: Scene, length: number, position: number | null): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  return new Promise((resolve, reject) =>
    fs.read(fd, buffer, 0, length, position, (error, n) => (error ? reject(error) : resolve(buffer.subarray(0, n)))),
  );
}

function writeLater({ fs, fd }: Scene, bytes: Uint8Array, position: number | null): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.write(fd, bytes, 0, bytes.length, position, (error, n) => (error ? reject(error) : resolve(n))),
  );
}

/** All of the file, as it is cached or in the store. */
async function content({ fs, store }: Scene): Promise<Buffer> {
  const reading = fs.promises.readFile("/m/file");
  await store.answerAll();
  return await reading;
}

function isPosLocked({ kernel, file }: Scene): boolean {
  return (kernel.core.u32[(file << 3) + FILE_MODE] & FMODE_POS_LOCKED) !== 0;
}

const NEW = Buffer.alloc(4 * PAGE, "new!");

describe("the position of an open file", () => {
  it("is one reader's at a time: those that wait get bytes that follow each other", async () => {
    const all = openScene(4 * PAGE);
    const reads = [100, 1.5 * PAGE, 50, PAGE].map((length) => readLater(all, length, null));
    assert.ok(isPosLocked(all));
    await all.store.answerAll();
    assert.deepEqual(Buffer.concat(await Promise.all(reads)), all.data.subarray(0, 150 + 2.5 * PAGE));
    assert.ok(!isPosLocked(all));
    all.kernel.verify();
  });

  it("is one writer's at a time", async () => {
    const all = openScene(4 * PAGE);
    const writes = [1000, 500, PAGE].map((length, i) => writeLater(all, Buffer.alloc(length, i + 1), null));
    const read = readLater(all, 10, null);
    await all.store.answerAll();
    assert.deepEqual(await Promise.all(writes), [1000, 500, PAGE]);
    assert.deepEqual(await read, all.data.subarray(1500 + PAGE, 1510 + PAGE));
    const expected = Buffer.from(all.data);
    expected
      .fill(1, 0, 1000)
      .fill(2, 1000, 1500)
      .fill(3, 1500, 1500 + PAGE);
    assert.deepEqual(await content(all), expected);
    all.kernel.verify();
  });

  it("is EAGAIN for synchronous calls meanwhile, and none of theirs who name a place", async () => {
    const all = openScene(4 * PAGE);
    const { fs, fd } = all;
    const first = readLater(all, 10, null);
    assert.throws(() => fs.readSync(fd, Buffer.alloc(10)), { code: "EAGAIN" });
    assert.throws(() => fs.writeSync(fd, NEW, 0, PAGE, null), { code: "EAGAIN" });
    assert.throws(() => fs.writevSync(fd, [NEW]), { code: "EAGAIN" });
    assert.throws(() => fs.readvSync(fd, [Buffer.alloc(10), Buffer.alloc(10)]), { code: "EAGAIN" });
    assert.throws(() => fs.lseekSync(fd, 0, 1), { code: "EAGAIN" });
    assert.equal(fs.writeSync(fd, NEW, 0, PAGE, 3 * PAGE), PAGE);
    assert.equal(fs.readSync(fd, Buffer.alloc(10), 0, 10, 3 * PAGE), 10);
    await all.store.answerAll();
    assert.deepEqual(await first, all.data.subarray(0, 10));
    assert.equal(fs.lseekSync(fd, 0, 1), 10);
  });

  it("is another one for each open file", async () => {
    const all = openScene(4 * PAGE);
    const other = { ...all, fd: all.fs.openSync("/m/file", "r") };
    const reads = [readLater(all, 10, null), readLater(other, 10, null)];
    await all.store.answer();
    assert.deepEqual(await Promise.all(reads), [all.data.subarray(0, 10), all.data.subarray(0, 10)]);
  });

  it("is free again after an abort, an error, and the end of what waits for a lock", async () => {
    const all = openScene(4 * PAGE);
    const { fs, fd, store } = all;
    const aborter = new AbortController();
    const reading = fs.promises.readFile("/m/file", { signal: aborter.signal });
    await settled();
    aborter.abort();
    await assert.rejects(reading, { name: "AbortError" });
    await store.answerAll();
    store.verdict = () => -5;
    fs.kernel.dropCaches(1);
    const read = assert.rejects(readLater(all, 10, null), { code: "EIO" });
    await store.answerAll();
    await read;
    assert.ok(!isPosLocked(all));
    store.verdict = undefined;
    fs.kernel.dropCaches(1);
    const holder = writeLater(all, NEW.subarray(0, 10), 0);
    const waiting = writeLater(all, NEW.subarray(0, PAGE), null); // for the first one's lock
    assert.throws(() => fs.readSync(fd, Buffer.alloc(10)), { code: "EAGAIN" });
    await store.answerAll();
    assert.deepEqual(await Promise.all([holder, waiting]), [10, PAGE]);
    assert.equal(fs.lseekSync(fd, 0, 1), PAGE);
    all.kernel.verify();
  });

  it("moves as by calls one after the other, whatever waits for how long", async () => {
    const step = fc.record({
      kind: fc.constantFrom("read", "readv", "write", "writev"),
      length: fc.integer({ min: 1, max: 3 * PAGE }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), fc.array(fc.nat(3)), async (steps, picks) => {
        const all = openScene(40 * PAGE, { writes: "later" });
        const { fs, fd, store } = all;
        let pos = 0;
        const model = Buffer.from(all.data);
        const calls = steps.map(({ kind, length }, i) => {
          const at = pos;
          pos += length;
          const bytes = Buffer.alloc(length, 251 + (i % 4));
          const halves = [bytes.subarray(0, length >> 1), bytes.subarray(length >> 1)];
          const isRead = kind.startsWith("read");
          if (!isRead) model.set(bytes, at);
          const expected = Buffer.from(model.subarray(at, at + length));
          return new Promise<void>((resolve, reject) => {
            const done = (error: unknown, n: number): void => {
              try {
                if (error) throw error;
                assert.equal(n, length);
                if (isRead) assert.deepEqual(bytes, expected);
                resolve();
              } catch (failure) {
                reject(failure);
              }
            };
            if (kind === "read") fs.read(fd, bytes, 0, length, null, done);
            else if (kind === "readv") fs.readv(fd, halves, null, done);
            else if (kind === "write") fs.write(fd, bytes, 0, length, null, done);
            else fs.writev(fd, halves, null, done);
          });
        });
        const all2 = Promise.all(calls);
        all2.catch(() => {});
        for (let i = 0; store.pending.length > 0; i++) {
          await store.answer((picks[i % Math.max(1, picks.length)] ?? 0) % store.pending.length);
        }
        await all2;
        assert.equal(fs.lseekSync(fd, 0, 1), pos);
        all.kernel.verify();
      }),
      { numRuns: 40 },
    );
  });
});

describe("a call that waits keeps its file", () => {
  it("which is closed meanwhile, and let go of after", async () => {
    const all = openScene(4 * PAGE);
    const { fs, fd, store } = all;
    const calls = [readLater(all, 10, 5), readLater(all, PAGE, null), writeLater(all, NEW.subarray(0, 10), PAGE)];
    await settled();
    fs.closeSync(fd);
    assert.equal(all.released, 0);
    assert.throws(() => fs.fstatSync(fd), { code: "EBADF" });
    await store.answerAll();
    assert.deepEqual(await calls[0], all.data.subarray(5, 15));
    assert.deepEqual(await calls[1], all.data.subarray(0, PAGE));
    assert.equal(await calls[2], 10);
    assert.equal(all.released, 1);
    assert.deepEqual((await content(all)).subarray(PAGE, PAGE + 10), NEW.subarray(0, 10));
    fs.kernel.umount("/m");
    all.kernel.verify();
  });

  it("though its descriptor is another file's by then", async () => {
    const all = openScene(2 * PAGE);
    const { fs, fd, store } = all;
    fs.writeFileSync("/other", "other");
    const read = readLater(all, 10, null);
    const write = writeLater(all, NEW.subarray(0, 10), PAGE);
    fs.closeSync(fd);
    assert.equal(fs.openSync("/other", "r+"), fd);
    await store.answerAll();
    assert.deepEqual(await read, all.data.subarray(0, 10));
    assert.equal(await write, 10);
    assert.equal(fs.readFileSync("/other", "utf8"), "other");
    assert.equal(fs.lseekSync(fd, 0, 1), 0);
    assert.equal(fs.openSync("/other", "r"), fd + 1);
    fs.closeSync(fd);
    assert.equal(fs.openSync("/other", "r"), fd);
    all.kernel.verify();
  });

  it("and its descriptor is free again for the next", async () => {
    const all = openScene(PAGE);
    const { fs, fd, store } = all;
    const read = readLater(all, 10, null);
    fs.closeSync(fd);
    await store.answerAll();
    await read;
    fs.writeFileSync("/other", "other");
    assert.equal(fs.openSync("/other", "r"), fd);
  });

  it("in vectors, appends and direct I/O too", async () => {
    const pending: (() => void)[] = [];
    const directIO = (): Promise<number> => new Promise((resolve) => pending.push(() => resolve(512)));
    for (const flags of [O_RDWR, O_RDWR | O_APPEND, O_RDWR | O_DIRECT]) {
      const all = openScene(PAGE, { mapping: { directIO }, writes: "later" }, flags);
      const { fs, fd, store } = all;
      const bytes = Buffer.alloc(512, 1);
      const buffers = [Buffer.alloc(256), Buffer.alloc(256)];
      const calls = [
        new Promise((resolve) => fs.read(fd, Buffer.alloc(512), 0, 512, 0, (error, n) => resolve(error ?? n))),
        new Promise((resolve) => fs.write(fd, bytes, 0, 512, 0, (error, n) => resolve(error ?? n))),
      ];
      if (!(flags & O_DIRECT))
        calls.push(new Promise((resolve) => fs.readv(fd, buffers, 0, (error, n) => resolve(error ?? n))));
      await settled();
      fs.closeSync(fd);
      while (pending.length + store.pending.length > 0) {
        pending.shift()?.();
        await store.answerAll();
      }
      assert.deepEqual(
        await Promise.all(calls),
        calls.map(() => 512),
      );
      assert.equal(all.released, 1);
      all.kernel.verify();
    }
  });

  it("until it is given up", async () => {
    const all = openScene(PAGE, { writes: "later" });
    const { fs, fd, store } = all;
    const aborter = new AbortController();
    const { signal } = aborter;
    const writing = new Promise<void>((resolve, reject) =>
      fs.writeFile(fd, NEW, { signal }, (error) => (error ? reject(error) : resolve())),
    );
    await settled();
    fs.closeSync(fd);
    aborter.abort();
    await assert.rejects(writing, { name: "AbortError" });
    await store.answerAll();
    assert.equal(all.released, 1);
    fs.kernel.umount("/m");
    all.kernel.verify();
  });

  it("of each task's own descriptors", async () => {
    const all = openScene(2 * PAGE);
    const { fs, store } = all;
    const user = fs.kernel.task({ uid: 1000 });
    fs.chmodSync("/m/file", 0o666);
    const files = [fs.openSync("/m/file", "r"), user.openSync("/m/file", "r")];
    const reads = [fs, user].map((face, i) => readLater({ ...all, fs: face, fd: files[i] }, 10, null));
    user.closeSync(files[1]);
    fs.closeSync(files[0]);
    user.mkdirSync("/m", { recursive: true });
    await store.answerAll();
    for (const read of reads) assert.deepEqual(await read, all.data.subarray(0, 10));
    assert.equal(all.released, 2);
    all.kernel.verify();
  });

  it("whichever descriptors are closed: those of a copy under way as well", async () => {
    for (let turn = 0; turn < 6; turn++) {
      const all = openScene(4 * PAGE, { writes: "later" });
      const { fs, fd, store } = all;
      const copying = fs.promises.copyFile("/m/file", "/copy").catch((error) => error.code);
      const over = fs.promises.copyFile("/copy", "/m/file").catch((error) => error.code);
      for (let i = 0; i < turn && store.pending.length > 0; i++) await store.answer();
      await settled();
      for (let other = 3; other < 12; other++) {
        if (other === fd) continue;
        try {
          fs.closeSync(other);
        } catch {}
      }
      all.kernel.verify();
      await store.answerAll();
      assert.match(String(await copying), /^(undefined|EBADF)$/);
      assert.match(String(await over), /^(undefined|EBADF|ENOENT)$/);
      fs.closeSync(fd);
      fs.kernel.umount("/m");
      all.kernel.verify();
    }
  });

  it("and not one reference more", async () => {
    const all = openScene(2 * PAGE);
    const { fs, fd, kernel, file, store } = all;
    const calls = [readLater(all, 10, null), readLater(all, 10, PAGE), writeLater(all, NEW.subarray(0, 5), 0)];
    await store.answerAll();
    await Promise.all(calls);
    assert.equal(kernel.core.u32[(file << 3) + FILE_COUNT], 1);
    fs.closeSync(fd);
    assert.equal(all.released, 1);
  });
});

describe("readFile of a file whose size is not known", () => {
  it("has all its bytes, though it waits at each page", async () => {
    const all = openScene(5 * PAGE + 3);
    const { fs, fd, store } = all;
    const text = fs.promises.readFile("/m/file", "latin1");
    await store.answerAll();
    assert.equal(await text, all.data.toString("latin1"));
    fs.kernel.dropCaches(1);
    const bytes = new Promise<Buffer>((resolve, reject) =>
      fs.readFile(fd, (error, data) => (error ? reject(error) : resolve(data as Buffer))),
    );
    await store.answerAll();
    assert.deepEqual(await bytes, all.data);
  });
});

describe("a change of a file that waits for its store", () => {
  it("keeps the file, which is let go of after", async () => {
    let answer = (): void => {};
    const setattr: MockOptions["setattr"] = () => new Promise((resolve) => (answer = () => resolve(() => 0)));
    const all = openScene(PAGE, { setattr });
    const { fs, fd } = all;
    const cut = new Promise<void>((resolve, reject) =>
      fs.ftruncate(fd, 10, (error) => (error ? reject(error) : resolve())),
    );
    fs.closeSync(fd);
    assert.equal(all.released, 0);
    answer();
    await cut;
    assert.equal(all.released, 1);
    fs.kernel.umount("/m");
    all.kernel.verify();
  });
});
