/** Reads and writes round the page cache (O_DIRECT): what the store is asked for, and what the cache has to do with it. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { afterEach, describe, it, vi } from "vitest";
import { EIO, ENOSPC } from "../../../src/base/errno.ts";
import { O_CREAT, O_DIRECT, O_RDONLY, O_RDWR, O_TRUNC } from "../../../src/base/stat-flags.ts";
import { isDirect, storedDirectWrite } from "../../../src/fs/libfs-store.ts";
import { createFsSync, type FileHandle, Inode, type Kernel } from "../../../src/index.ts";
import type { DirectControl, PageCache } from "../../../src/mm/address-space.ts";
import { pageFlags } from "../../../src/mm/page.ts";
import { ADDRESS_SPACE_WB_ERR, FILE_COUNT, INODE_MAPPING, PG_UPTODATE } from "../../../src/wasm/layout.ts";
import { cachedIndexes, fileOf, pread, type Scene, storeScene } from "../../helpers/mock-scene.ts";
import { type MockOptions, PAGE, settled } from "../../helpers/mock-store.ts";

const writeBack = vi.hoisted(() => ({ log: [] as string[], answers: [] as (number | Promise<void>)[] }));

/** Writeback logs what it is asked for, and answers what the test says. */
vi.mock("../../../src/mm/writeback.ts", async (importOriginal) => ({
  ...(await importOriginal<object>()),
  filemapWriteAndWaitRange(cache: PageCache, _inode: number, from: number, to: number): number {
    writeBack.log.push(`write back ${from}-${to}`);
    const answer = writeBack.answers.shift() ?? 0;
    if (typeof answer === "number") return answer;
    cache.setWaitToken(answer);
    return -11;
  },
}));

afterEach(() => {
  writeBack.log.length = 0;
  assert.deepEqual(writeBack.answers, []);
});

interface DirectScene extends Scene {
  /** Calls of directIO that wait for answer(). */
  pending: (() => void)[];
  answer(): Promise<void>;
  /** What directIO was asked for: "read 512+1024". */
  asked: string[];
  contents(): Buffer;
}

interface DirectOptions extends MockOptions {
  /** Bytes that directIO does; less than it is asked for, or an errno. */
  verdict?: (what: string, bytes: number) => number;
  /** directIO answers later. */
  isLate?: boolean;
  writesPages?: boolean;
}

/** A scene whose store can be read and written round the cache; the file is open so. */
function directScene(length: number, { verdict, isLate, mapping, ...options }: DirectOptions = {}): DirectScene {
  const asked: string[] = [];
  const pending: (() => void)[] = [];
  const directIO = (cache: PageCache, control: DirectControl): number | Promise<number> => {
    const what = `${control.isWrite ? "write" : "read"} ${control.position}+${control.length}`;
    asked.push(what);
    const work = (): number => {
      const bytes = verdict?.(what, control.length) ?? control.length;
      return bytes < 0 ? bytes : transfer(control, bytes);
    };
    if (!isLate) return work();
    if (!cache.mayWait) return 0; // by pages, then
    return new Promise((resolve) => pending.push(() => resolve(work())));
  };
  const all = storeScene(length, { ...options, mapping: { directIO, ...mapping } });
  const { store } = all;
  const transfer = ({ isWrite, position, buffer }: DirectControl, bytes: number): number => {
    const data = store.files.get("file") as Buffer;
    if (!isWrite) return data.copy(buffer, 0, position, position + bytes);
    const grown = Buffer.concat([data, Buffer.alloc(Math.max(0, position + bytes - data.length))]);
    grown.set(buffer.subarray(0, bytes), position);
    store.files.set("file", grown);
    return bytes;
  };
  addWrite(all);
  const fd = all.fs.openSync("/m/file", O_RDWR | O_DIRECT);
  const answer = async (): Promise<void> => {
    pending.shift()?.();
    await settled();
  };
  return {
    ...all,
    fd,
    file: fileOf(all.kernel, fd),
    pending,
    answer,
    asked,
    contents: () => store.files.get("file") as Buffer,
  };
}

/** What storedWrite() will be: the position, direct I/O, and by pages straight to the store, which has no pages of its own. */
function addWrite({ kernel, inode, store }: Scene): void {
  const table = kernel.tableOf(inode);
  const write = (
    cache: Kernel,
    file: FileHandle,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number => {
    assert.ok(isDirect(cache.core, table.mapping, file));
    const at = position < 0 ? cache.core.filePos(file) : position;
    const byPages = (from: number, bytes: number, place: number): number => {
      store.log.push(`pages ${place}+${bytes}`);
      const data = store.files.get("file") as Buffer;
      const grown = Buffer.concat([data, Buffer.alloc(Math.max(0, place + bytes - data.length))]);
      grown.set(buffer.subarray(from, from + bytes), place);
      store.files.set("file", grown);
      const grownInode = new Inode(cache, inode);
      grownInode.size = Math.max(grownInode.size, place + bytes);
      return bytes;
    };
    const n = storedDirectWrite(cache, table.mapping, file, buffer, offset, length, at, byPages);
    if (n > 0 && position < 0) cache.core.setFilePos(file, at + n);
    return n;
  };
  Object.assign(table.file, { write });
}

function aligned(length: number, fill = 0): Buffer {
  return Buffer.alloc(length, fill); // memory of its own, from its first byte on
}

function pwrite({ fs, fd }: Scene, data: Buffer, position: number | null = null): number {
  return fs.writeSync(fd, data, 0, data.length, position);
}

function later<T>(call: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
}

function wbErr({ kernel, inode }: Scene): number {
  const { u32 } = kernel.core;
  return u32[(u32[(inode << 3) + INODE_MAPPING] >>> 2) + ADDRESS_SPACE_WB_ERR];
}

describe("O_DIRECT", () => {
  it("is EINVAL at open where the store has no directIO, and nothing is truncated", () => {
    const all = storeScene(PAGE);
    assert.throws(() => all.fs.openSync("/m/file", O_RDONLY | O_DIRECT), { code: "EINVAL" });
    assert.throws(() => all.fs.openSync("/m/file", O_RDWR | O_DIRECT | O_TRUNC), { code: "EINVAL" });
    assert.equal(all.fs.statSync("/m/file").size, PAGE);
    assert.throws(() => all.fs.openSync("/m/none", O_RDONLY | O_DIRECT), { code: "ENOENT" });
    assert.equal(all.fs.openSync("/m/file", "r"), all.fd + 1);
  });

  it("makes no difference in memory, as on tmpfs", () => {
    const fs = createFsSync();
    const fd = fs.openSync("/file", O_RDWR | O_CREAT | O_DIRECT, 0o644);
    assert.equal(fs.writeSync(fd, "abc", 1), 3);
    assert.equal(fs.readSync(fd, Buffer.alloc(10), 0, 10, 2), 2);
  });
});

describe("a direct read", () => {
  it("goes from the store to the buffer, past the cache, and ends where the file does", () => {
    const all = directScene(3 * PAGE + 100);
    const buffer = aligned(2 * PAGE);
    assert.equal(all.fs.readSync(all.fd, buffer, 0, 2 * PAGE, PAGE), 2 * PAGE);
    assert.deepEqual(buffer, all.data.subarray(PAGE, 3 * PAGE));
    assert.equal(all.fs.readSync(all.fd, buffer, 0, 2 * PAGE, 3 * PAGE), 100);
    assert.deepEqual(buffer.subarray(0, 100), all.data.subarray(3 * PAGE));
    assert.equal(all.fs.readSync(all.fd, buffer, 0, 512, 4 * PAGE), 0);
    assert.deepEqual(all.asked, [`read ${PAGE}+${2 * PAGE}`, `read ${3 * PAGE}+${2 * PAGE}`]);
    assert.deepEqual(cachedIndexes(all), []);
    assert.deepEqual(writeBack.log, [`write back ${PAGE}-${3 * PAGE - 1}`, `write back ${3 * PAGE}-${5 * PAGE - 1}`]);
    assert.equal(all.store.takeLog(), "");
  });

  it("ends where the file does here, whatever the store has", () => {
    const all = directScene(2 * PAGE);
    new Inode(all.kernel, all.inode).size = 700;
    assert.equal(all.fs.readSync(all.fd, aligned(PAGE), 0, PAGE, 0), 700);
    assert.equal(all.fs.readSync(all.fd, aligned(PAGE), 0, PAGE, 512), 188);
    assert.equal(all.fs.readSync(all.fd, aligned(PAGE), 0, PAGE, 1024), 0);
  });

  it("moves the file's position", () => {
    const all = directScene(PAGE);
    const buffer = aligned(3072);
    assert.deepEqual(
      [0, 1, 2].map(() => all.fs.readSync(all.fd, buffer)),
      [3072, 1024, 0],
    );
  });

  it("is EINVAL off the store's blocks: position, length, place in memory", () => {
    for (const [logicalBlockSize, fits] of [
      [undefined, 512],
      [4096, 4096],
    ] as const) {
      const all = directScene(4 * PAGE, { mapping: logicalBlockSize === undefined ? {} : { logicalBlockSize } });
      const buffer = aligned(3 * PAGE);
      const read = (offset: number, length: number, position: number): number =>
        all.fs.readSync(all.fd, buffer, offset, length, position);
      for (const off of [1, 256, fits / 2]) {
        assert.throws(() => read(off, fits, 0), { code: "EINVAL" });
        assert.throws(() => read(0, fits + off, 0), { code: "EINVAL" });
        assert.throws(() => read(0, fits, off), { code: "EINVAL" });
        assert.throws(() => pwrite(all, buffer.subarray(off, off + fits), 0), { code: "EINVAL" });
      }
      assert.equal(read(fits, fits, fits), fits);
      assert.equal(read(0, 0, 1), 0);
      assert.equal(all.asked.length, 1);
    }
  });

  it("writes back what is dirty first, and answers what goes wrong with that", () => {
    const all = directScene(PAGE);
    writeBack.answers.push(-ENOSPC);
    assert.throws(() => all.fs.readSync(all.fd, aligned(PAGE), 0, PAGE, 0), { code: "ENOSPC" });
    assert.deepEqual(all.asked, []);
  });

  it("takes from pages what the store leaves out: holes, or all", () => {
    const all = directScene(4 * PAGE, { verdict: (_what, bytes) => Math.min(bytes, 512) });
    const buffer = aligned(3 * PAGE);
    assert.equal(all.fs.readSync(all.fd, buffer, 0, 3 * PAGE, 0), 3 * PAGE);
    assert.deepEqual(buffer, all.data.subarray(0, 3 * PAGE));
    const none = directScene(PAGE, { isLate: true }); // a synchronous call
    assert.equal(none.fs.readSync(none.fd, buffer, 0, PAGE, 0), PAGE);
    assert.deepEqual(buffer.subarray(0, PAGE), none.data);
  });

  it("answers what the store does", () => {
    const all = directScene(PAGE, { verdict: () => -EIO });
    assert.throws(() => all.fs.readSync(all.fd, aligned(PAGE), 0, PAGE, 0), { code: "EIO" });
  });

  it("waits for a store that takes its time, and is asked for once; also where pages are needed after", async () => {
    const all = directScene(4 * PAGE, {
      isLate: true,
      isAsync: true,
      verdict: (what, bytes) => (what.startsWith("read 0") ? 512 : bytes),
    });
    const [first, second] = [aligned(PAGE), aligned(PAGE)];
    const reads = [
      later<number>((done) => all.fs.read(all.fd, first, 0, PAGE, 0, done)),
      later<number>((done) => all.fs.read(all.fd, second, 0, PAGE, 2 * PAGE, done)),
    ];
    await settled();
    assert.deepEqual(all.asked, [`read 0+${PAGE}`, `read ${2 * PAGE}+${PAGE}`]);
    all.kernel.verify();
    await all.answer();
    await all.answer();
    await all.store.answerAll(); // the rest of the first, by pages
    assert.deepEqual(await Promise.all(reads), [PAGE, PAGE]);
    assert.deepEqual(first, all.data.subarray(0, PAGE));
    assert.deepEqual(second, all.data.subarray(2 * PAGE, 3 * PAGE));
    assert.equal(all.asked.length, 2);
    assert.equal(all.kernel.core.u32[(all.file << 3) + FILE_COUNT], 1);
  });

  it("hears of what a store rejects", async () => {
    const directIO = (): Promise<number> => Promise.reject(new Error("broken"));
    const all = directScene(PAGE, { mapping: { directIO } });
    await assert.rejects(
      later((done) => all.fs.read(all.fd, aligned(PAGE), 0, PAGE, 0, done)),
      { code: "EIO" },
    );
  });
});

describe("a direct write", () => {
  it("has what is cached there written back and dropped, before and after, and nothing else", () => {
    const all = directScene(8 * PAGE);
    const reader = { ...all, fd: all.fs.openSync("/m/file", "r") };
    pread(reader, 0, 8 * PAGE);
    assert.equal(pwrite(all, aligned(PAGE + 512, 7), 2 * PAGE), PAGE + 512);
    assert.deepEqual(writeBack.log, [`write back ${2 * PAGE}-${3 * PAGE + 511}`]);
    assert.deepEqual(cachedIndexes(all), [0, 1, 4, 5, 6, 7]);
    all.data.fill(7, 2 * PAGE, 3 * PAGE + 512);
    assert.deepEqual(all.contents(), all.data);
    assert.deepEqual(pread(reader, 0, 8 * PAGE), all.data);
  });

  it("makes the file longer, and moves the file's position", () => {
    const all = directScene(PAGE);
    assert.equal(pwrite(all, aligned(2 * PAGE, 1)), 2 * PAGE);
    assert.equal(pwrite(all, aligned(512, 2)), 512);
    assert.equal(all.fs.fstatSync(all.fd).size, 2 * PAGE + 512);
    assert.deepEqual(all.contents(), Buffer.concat([Buffer.alloc(2 * PAGE, 1), Buffer.alloc(512, 2)]));
  });

  it("goes by pages where one cannot be dropped, and for what the store leaves out; these are dropped then", () => {
    const all = directScene(4 * PAGE, { verdict: (_what, bytes) => Math.min(bytes, PAGE) });
    assert.equal(pwrite(all, aligned(3 * PAGE, 5), 0), 3 * PAGE);
    assert.equal(all.store.takeLog(), `pages ${PAGE}+${2 * PAGE}`);
    assert.deepEqual(writeBack.log, [`write back 0-${3 * PAGE - 1}`, `write back ${PAGE}-${3 * PAGE - 1}`]);
    const reader = { ...all, fd: all.fs.openSync("/m/file", "r") };
    pread(reader, 0, PAGE);
    const { x } = all.kernel.core;
    x.setPageDirty(x.findPage(all.inode, 0)); // nobody can write it
    all.store.takeLog();
    assert.equal(pwrite(all, aligned(PAGE, 6), 0), PAGE);
    assert.equal(all.store.takeLog(), `pages 0+${PAGE}`);
    assert.equal(all.asked.length, 1);
    x.clearPageDirty(x.findPage(all.inode, 0));
  });

  it("of the same bytes twice is two writes", async () => {
    const all = directScene(PAGE, { isLate: true });
    const bytes = aligned(512, 8);
    const written = later<number>((done) => all.fs.writev(all.fd, [bytes, bytes], 0, done));
    for (let i = 0; i < 3; i++) await all.answer();
    assert.equal(await written, 1024);
    assert.deepEqual(all.asked, ["write 0+512", "write 512+512"]);
  });

  it("is in the errors of the file where a page comes back and cannot be dropped after", () => {
    const all = directScene(4 * PAGE, {
      verdict: (_what, bytes) => {
        const { x } = all.kernel.core;
        x.setPageDirty(x.findOrCreatePage(all.inode, 1)); // somebody maps it, say
        return bytes;
      },
    });
    assert.equal(wbErr(all), 0);
    assert.equal(pwrite(all, aligned(2 * PAGE), PAGE), 2 * PAGE);
    assert.equal(all.kernel.core.x.errseqCheck(wbErr(all), 0), -EIO);
    all.kernel.core.x.clearPageDirty(all.kernel.core.x.findPage(all.inode, 1));
  });

  it("answers what the store does, and what goes wrong with writing back", () => {
    const all = directScene(PAGE, { verdict: () => -ENOSPC });
    assert.throws(() => pwrite(all, aligned(PAGE), 0), { code: "ENOSPC" });
    assert.equal(all.fs.fstatSync(all.fd).size, PAGE);
    writeBack.answers.push(-EIO);
    assert.throws(() => pwrite(all, aligned(PAGE), 0), { code: "EIO" });
    assert.equal(all.asked.length, 1);
  });

  it("waits for writeback, for the store, and for the pages after it: each is asked for once", async () => {
    const all = directScene(PAGE, { isLate: true, verdict: (_what, bytes) => Math.min(bytes, PAGE) });
    let release = (): void => {};
    let releaseLast = (): void => {};
    writeBack.answers.push(new Promise<void>((resolve) => (release = resolve)), 0);
    writeBack.answers.push(new Promise<void>((resolve) => (releaseLast = resolve)), 0);
    const written = later<number>((done) => all.fs.write(all.fd, aligned(2 * PAGE, 9), 0, 2 * PAGE, null, done));
    await settled();
    assert.deepEqual(all.asked, []);
    release();
    await settled();
    assert.deepEqual(all.asked, [`write 0+${2 * PAGE}`]);
    await all.answer();
    assert.equal(all.store.takeLog(), `pages ${PAGE}+${PAGE}`);
    releaseLast();
    assert.equal(await written, 2 * PAGE);
    assert.equal(all.store.takeLog(), "");
    assert.deepEqual(all.contents(), Buffer.alloc(2 * PAGE, 9));
    assert.equal(all.fs.readSync(all.fd, aligned(512)), 0); // the position has moved, once
  });

  it("is seen by those who read meanwhile, when it is over", async () => {
    const all = directScene(4 * PAGE, { isLate: true, isAsync: true });
    const written = later<number>((done) => all.fs.write(all.fd, aligned(2 * PAGE, 3), 0, 2 * PAGE, 0, done));
    await settled();
    const before = all.fs.promises.readFile("/m/file"); // the pages come, from before
    await all.store.answerAll();
    assert.deepEqual(await before, all.data);
    all.fs.kernel.dropCaches(1);
    const racing = all.fs.promises.readFile("/m/file"); // these are under way when the write is over
    await settled();
    const { core } = all.kernel;
    assert.ok(!(pageFlags(core, core.x.findPage(all.inode, 0)) & PG_UPTODATE));
    await all.answer();
    assert.equal(await written, 2 * PAGE);
    all.kernel.verify();
    await all.store.answerAll();
    all.data.fill(3, 0, 2 * PAGE);
    assert.deepEqual((await racing).subarray(2 * PAGE), all.data.subarray(2 * PAGE));
    const after = all.fs.promises.readFile("/m/file");
    await all.store.answerAll();
    assert.deepEqual(await after, all.data);
  });

  it("counts when its descriptor is closed, and the file is held so long", async () => {
    const all = directScene(PAGE, { isLate: true });
    const call = later((done) => all.fs.write(all.fd, aligned(2 * PAGE, 4), 0, 2 * PAGE, 0, done));
    const written = assert.rejects(call, { code: "EBADF" }); // it is made again, and its descriptor is gone
    await settled();
    let released = 0;
    Object.assign(all.kernel.tableOf(all.inode).file, { release: () => void released++ });
    const other = all.fs.openSync("/m/file", "r");
    all.fs.closeSync(all.fd);
    assert.throws(() => all.fs.kernel.umount("/m"), { code: "EBUSY" });
    assert.equal(released, 0);
    all.kernel.verify();
    await all.answer();
    await written;
    assert.equal(released, 1);
    assert.equal(all.fs.fstatSync(other).size, 2 * PAGE);
    assert.deepEqual(all.contents(), Buffer.alloc(2 * PAGE, 4));
    all.kernel.verify();
  });

  it("is not in the way of a fork, or of the end of the kernel", async () => {
    const all = directScene(PAGE, { isLate: true });
    const written = assert.rejects(later((done) => all.fs.write(all.fd, aligned(PAGE), 0, PAGE, 0, done)));
    await settled();
    all.fs.kernel.fork().vfs.verify();
    all.fs.kernel.destroy();
    await all.answer();
    await written;
  });
});

describe("direct and buffered reads and writes of one file", () => {
  it("show the same bytes, at once and later: as a model says", async () => {
    const step = fc.record({
      isWrite: fc.boolean(),
      block: fc.nat(40),
      blocks: fc.integer({ min: 1, max: 20 }),
      short: fc.option(fc.nat(10 * 512)),
      isDirectRead: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.nat(10 * PAGE),
        fc.array(step, { maxLength: 15 }),
        async (isLate, size, steps) => {
          let short: number | null = null;
          const all = directScene(size, { isLate, verdict: (_what, bytes) => Math.min(bytes, short ?? bytes) });
          const reader = all.fs.openSync("/m/file", "r");
          let model: Buffer = Buffer.from(all.data);
          let fill = 0;
          const settle = async <T>(promise: Promise<T>): Promise<T> => {
            for (let i = 0; i < 4; i++) await all.answer();
            return promise;
          };
          for (const { isWrite, block, blocks, isDirectRead, ...limit } of steps) {
            short = limit.short === null ? null : limit.short - (limit.short % 512);
            const [position, length] = [block * 512, blocks * 512];
            const buffer = aligned(length, ++fill);
            if (isWrite) {
              const n = await settle(later<number>((done) => all.fs.write(all.fd, buffer, 0, length, position, done)));
              assert.equal(n, length);
              const grown = Buffer.concat([model, Buffer.alloc(Math.max(0, position + length - model.length))]);
              buffer.copy(grown, position);
              model = grown;
            }
            const fd = isDirectRead ? all.fd : reader;
            const n = await settle(later<number>((done) => all.fs.read(fd, buffer, 0, length, position, done)));
            assert.deepEqual(buffer.subarray(0, n), model.subarray(position, position + length));
          }
          assert.deepEqual(all.contents(), model);
          all.kernel.verify();
          all.fs.kernel.destroy();
          writeBack.log.length = 0;
        },
      ),
      { numRuns: 60, ...(process.env.FOLIOFS_SEED && { seed: Number(process.env.FOLIOFS_SEED) }) },
    );
  });
});
