/**
 * Writes of files whose pages come from a store: what is asked of it, what is read first, whose turn it is, and that nothing
 * shows which nobody has written.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EIO, ENOSPC } from "../../../src/base/errno.ts";
import {
  setPageDirtyNoWriteback,
  simpleCommitWrite,
  simplePrepareWrite,
  simpleReadPage,
  simpleWriteBegin,
  simpleWriteEnd,
} from "../../../src/fs/libfs-pages.ts";
import { createFsSync, type FileHandle, type FolioFs, Inode } from "../../../src/index.ts";
import { type AddressSpaceOperations, PAGE_IS_READY } from "../../../src/mm/address-space.ts";
import { PageAt } from "../../../src/mm/page.ts";
import { filemapFlushRange } from "../../../src/mm/writeback.ts";
import { RESULT_EXTRA } from "../../../src/wasm/layout.ts";
import { type MockOptions, MockStore, PAGE, settled } from "../../helpers/mock-store.ts";
import { resizable } from "../../helpers/resizable.ts";

const { O_APPEND, O_DIRECT, O_DSYNC, O_RDWR, O_SYNC } = createFsSync().constants;

interface Scene {
  fs: FolioFs;
  store: MockStore;
  data: Buffer;
  fd: number;
}

/** A store with one file of so many bytes, open; frames have held other data before. */
function scene(length: number, options: MockOptions = {}, flags: number | string = "r+", mountFlags = 0): Scene {
  const store = new MockStore({ hasReadahead: false, ...options });
  const data = Buffer.from(Uint8Array.from({ length }, (_, i) => 1 + ((i * 7 + (i >> 12) * 31) % 250)));
  store.files.set("file", data);
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [store.type] });
  fs.writeFileSync("/gone", Buffer.alloc(300 * PAGE, 0xdd));
  fs.rmSync("/gone");
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "mockfs", target: "/m", flags: mountFlags });
  const fd = fs.openSync("/m/file", flags);
  return { fs, store, data: Buffer.from(data), fd };
}

function fileOf({ fs, fd }: Scene): FileHandle {
  return fs.kernel.vfs.tasks().next().value?.file(fd) as FileHandle;
}

/** All of the file, as it is cached or in the store. */
function content(all: Scene): Buffer {
  const { size } = all.fs.fstatSync(all.fd);
  const buffer = Buffer.alloc(size + 100);
  return buffer.subarray(0, all.fs.readSync(all.fd, buffer, 0, buffer.length, 0));
}

/** A buffer after a write at a place, zeros between. */
function written(data: Buffer, position: number, bytes: Uint8Array): Buffer {
  if (bytes.length === 0) return data;
  const result = Buffer.alloc(Math.max(data.length, position + bytes.length));
  data.copy(result);
  result.set(bytes, position);
  return result;
}

function pwriteLater({ fs, fd }: Scene, bytes: Uint8Array, position: number | null): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.write(fd, bytes, 0, bytes.length, position, (error, n) => (error ? reject(error) : resolve(n))),
  );
}

/** @returns bytes written at once; 0 if none could be */
function writeNow({ fs, fd }: Scene, bytes: Buffer, position: number): number {
  try {
    return fs.writeSync(fd, bytes, 0, bytes.length, position);
  } catch (error) {
    assert.equal((error as { code: string }).code, "EAGAIN");
    return 0;
  }
}

function preadLater({ fs, fd }: Scene, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  return new Promise((resolve, reject) =>
    fs.read(fd, buffer, 0, length, position, (error, n) => (error ? reject(error) : resolve(buffer.subarray(0, n)))),
  );
}

const NEW = Buffer.alloc(16 * PAGE, "new!");

describe("a stored write", () => {
  it("reads a page first that it leaves some bytes of, and no other", () => {
    const all = scene(4 * PAGE + 10);
    const { fs, fd, store, data } = all;
    assert.equal(fs.writeSync(fd, NEW, 0, 100, 50), 100);
    assert.equal(store.takeLog(), "readPage 0+1");
    assert.equal(fs.writeSync(fd, NEW, 0, PAGE, PAGE), PAGE);
    assert.equal(store.takeLog(), "");
    assert.equal(fs.writeSync(fd, NEW, 0, PAGE + 20, 2 * PAGE), PAGE + 20);
    assert.equal(store.takeLog(), "readPage 3+1");
    assert.equal(fs.writeSync(fd, NEW, 0, 30, 4 * PAGE), 30); // all that there is of it
    assert.equal(fs.writeSync(fd, NEW, 0, 5, 9 * PAGE + 5), 5); // beyond the end
    assert.equal(store.takeLog(), "");
    let model = data;
    for (const [at, n] of [
      [50, 100],
      [PAGE, PAGE],
      [2 * PAGE, PAGE + 20],
      [4 * PAGE, 30],
      [9 * PAGE + 5, 5],
    ])
      model = written(model, at, NEW.subarray(0, n));
    const holes = store.files.get("file") as Buffer;
    assert.equal(holes.length, 4 * PAGE + 10); // nothing is written back here
    assert.deepEqual(content(all), model);
  });

  it("tells the store of each page, in order, before and after", () => {
    const { fs, fd, store } = scene(PAGE, { writes: "at once" });
    fs.writeSync(fd, NEW, 0, 2 * PAGE, 100);
    assert.equal(
      store.takeLog(),
      `writeBegin 0 100+${PAGE - 100}, readPage 0+1, writeEnd 0 ${PAGE - 100}, writeBegin 1 0+${PAGE}, ` +
        `writeEnd 1 ${PAGE}, writeBegin 2 0+100, writeEnd 2 100`,
    );
  });

  it("waits for the store and goes on with the page at hand: each is asked for once", async () => {
    const all = scene(3 * PAGE, { isAsync: true, writes: "later" });
    const write = pwriteLater(all, NEW.subarray(0, 2 * PAGE), 100);
    await all.store.answerAll();
    assert.equal(await write, 2 * PAGE);
    assert.match(
      all.store.takeLog(),
      /^writeBegin 0 \S+, readPage 0\+1, writeEnd 0 3996, writeBegin 1 .*, writeEnd 2 100$/,
    );
    const buffer = await preadLater(all, 0, 3 * PAGE).catch(assert.fail);
    assert.deepEqual(buffer, written(all.data, 100, NEW.subarray(0, 2 * PAGE)));
  });

  it("marks the page dirty, and moves size, times and position", () => {
    const all = scene(10);
    const { fs, fd } = all;
    const before = fs.fstatSync(fd);
    fs.readSync(fd, Buffer.alloc(10));
    assert.equal(fs.writeSync(fd, "more"), 4);
    const after = fs.fstatSync(fd);
    assert.equal(after.size, 14);
    assert.ok(after.mtimeMs >= before.mtimeMs && after.ctimeMs > before.ctimeMs - 1);
    assert.equal(fs.writeSync(fd, "!"), 1);
    assert.deepEqual(content(all), Buffer.concat([all.data, Buffer.from("more!")]));
    const { core } = fs.kernel.vfs;
    const inode = Inode.ofFile(fs.kernel.vfs, fileOf(all)).handle;
    assert.equal(core.x.clearPageDirty(core.x.findPage(inode, 0)), 1);
  });

  it("appends at the end whatever the position, is EBADF by a file open for reading, and EFBIG beyond the limit", () => {
    const all = scene(10, {}, O_RDWR | O_APPEND);
    const { fs, fd, data } = all;
    assert.equal(fs.writeSync(fd, "end", 2), 3);
    assert.deepEqual(content(all), Buffer.concat([data, Buffer.from("end")]));
    const reader = fs.openSync("/m/file", "r");
    assert.throws(() => fs.writeSync(reader, "x"), { code: "EBADF" });
    assert.throws(() => fs.writeSync(reader, ""), { code: "EBADF" });
    assert.equal(fs.writeSync(fd, ""), 0);
    const small = fs.kernel.task({ fileSizeLimit: 20 });
    const limited = small.openSync("/m/file", "r+");
    assert.equal(small.writeSync(limited, Buffer.alloc(50), 0, 50, 15), 5);
    assert.throws(() => small.writeSync(limited, "x", 20), { code: "EFBIG" });
  });

  it("fails for the page that the store has no room for, after what was written before, and leaves nothing of it", async () => {
    for (const writes of ["at once", "later"] as const) {
      const all = scene(10, { writes });
      all.store.verdict = (what, answer) => (/^writeBegin 3/.test(what) ? -ENOSPC : answer);
      const whole = pwriteLater(all, NEW.subarray(0, 6 * PAGE), 0);
      await all.store.answerAll();
      assert.equal(await whole, 3 * PAGE);
      const more = assert.rejects(pwriteLater(all, NEW.subarray(0, 9), 3 * PAGE), { code: "ENOSPC" });
      await all.store.answerAll();
      await more;
      assert.equal(all.fs.fstatSync(all.fd).size, 3 * PAGE);
      const { core } = all.fs.kernel.vfs;
      assert.equal(core.x.findPage(Inode.ofFile(all.fs.kernel.vfs, fileOf(all)).handle, 3), 0);
      assert.deepEqual(content(all), NEW.subarray(0, 3 * PAGE));
      all.fs.kernel.vfs.verify();
    }
  });

  it("fails when the page cannot be read that it leaves some bytes of; synchronous calls hear of it, too, once", async () => {
    const all = scene(PAGE, { isAsync: true });
    all.store.verdict = () => -EIO;
    assert.throws(() => all.fs.writeSync(all.fd, "x", 5), { code: "EAGAIN" });
    await all.store.answerAll();
    assert.throws(() => all.fs.writeSync(all.fd, "x", 5), { code: "EIO" });
    const later = assert.rejects(pwriteLater(all, Buffer.from("x"), 5), { code: "EIO" });
    await all.store.answerAll();
    await later;
    all.store.verdict = undefined;
    assert.throws(() => all.fs.writeSync(all.fd, "x", 5), { code: "EAGAIN" });
    await all.store.answerAll();
    assert.equal(all.fs.writeSync(all.fd, "x", 5), 1);
    assert.deepEqual(content(all), written(all.data, 5, Buffer.from("x")));
  });

  it("that cannot wait is short where it has to, and holds nothing afterwards", async () => {
    const all = scene(3 * PAGE, { isAsync: true });
    assert.equal(all.fs.writeSync(all.fd, NEW, 0, 2 * PAGE + 1, 0), 2 * PAGE);
    assert.throws(() => all.fs.writeSync(all.fd, NEW, 0, 1, 2 * PAGE), { code: "EAGAIN" });
    await all.store.answerAll();
    assert.equal(all.fs.writeSync(all.fd, NEW, 0, 1, 2 * PAGE), 1);
    assert.deepEqual(content(all), written(all.data, 0, NEW.subarray(0, 2 * PAGE + 1)));
  });
});

describe("pages of a stored write", () => {
  it("may be under writeback: they are dirty again, and who waits for the store goes on waiting for it", async () => {
    const all = scene(PAGE, { writes: "later" });
    const { core, pageReads } = all.fs.kernel.vfs;
    content(all);
    const pfn = core.x.findPage(Inode.ofFile(all.fs.kernel.vfs, fileOf(all)).handle, 0);
    core.x.getPage(pfn);
    core.x.startPageWriteback(pfn);
    const writeback = Promise.resolve();
    pageReads.tokens.set(pfn, writeback);
    const write = pwriteLater(all, Buffer.from("x"), 5);
    await settled();
    assert.notEqual(pageReads.tokens.get(pfn), writeback);
    await all.store.answerAll();
    assert.equal(await write, 1);
    assert.equal(pageReads.tokens.get(pfn), writeback);
    assert.equal(core.x.clearPageDirty(pfn), 1);
    pageReads.tokens.delete(pfn);
    core.x.endPageWriteback(pfn);
    core.x.putPage(pfn);
  });

  it.each([false, true])(
    "under writeback are waited for where the store wants stable pages (%s)",
    async (stablePages) => {
      const asked: (() => void)[] = [];
      const stored: string[] = [];
      const writePages: AddressSpaceOperations["writePages"] = (_cache, control) =>
        new Promise((resolve) =>
          asked.push(() => {
            stored.push(Buffer.from(control.views()[0].subarray(0, 3)).toString());
            resolve(control.length);
          }),
        );
      const all = scene(0, { bdi: { stablePages }, mapping: { writePages } });
      const { vfs } = all.fs.kernel;
      const { handle } = Inode.ofFile(vfs, fileOf(all));
      all.fs.writeSync(all.fd, "old");
      filemapFlushRange(vfs, handle, 0, Infinity);
      assert.equal(asked.length, 1);
      assert.equal(writeNow(all, Buffer.from("new"), 0), stablePages ? 0 : 3);
      const write = pwriteLater(all, Buffer.from("new"), 0);
      await settled();
      assert.equal(content(all).toString(), stablePages ? "old" : "new");
      asked.shift()?.();
      assert.equal(await write, 3);
      assert.deepEqual(stored, [stablePages ? "old" : "new"]);
      assert.equal(content(all).toString(), "new");
      filemapFlushRange(vfs, handle, 0, Infinity);
      asked.shift()?.();
      await settled();
      assert.equal(stored.at(-1), "new");
      vfs.verify();
    },
  );

  it("are marked by the file system's own setPageDirty, where it has one", () => {
    const marked: number[] = [];
    const setPageDirty = (_cache: unknown, page: { index: number }) => marked.push(page.index) > 0;
    const all = scene(3 * PAGE, { mapping: { setPageDirty } });
    all.fs.writeSync(all.fd, NEW, 0, PAGE + 10, 10);
    assert.deepEqual(marked, [0, 1]);
    assert.equal(all.fs.kernel.vmstat().nr_dirty, 0);
  });

  it("for which there is no memory are ENOMEM, or make the write short", () => {
    const all = scene(0);
    const fill = all.fs.openSync("/fill", "w");
    try {
      for (;;) all.fs.writeSync(fill, Buffer.alloc(PAGE));
    } catch {}
    assert.throws(() => all.fs.writeSync(all.fd, NEW), { code: "ENOMEM" });
    assert.equal(all.fs.fstatSync(all.fd).size, 0);
    all.fs.ftruncateSync(fill, all.fs.fstatSync(fill).size - 3 * PAGE);
    const n = all.fs.writeSync(all.fd, NEW, 0, 8 * PAGE, 0);
    assert.ok(n >= PAGE && n < 8 * PAGE && n % PAGE === 0, String(n));
    all.fs.rmSync("/fill");
    all.fs.closeSync(fill);
    assert.equal(all.fs.writeSync(all.fd, NEW, 0, 8 * PAGE, 0), 8 * PAGE);
    assert.deepEqual(content(all), NEW.subarray(0, 8 * PAGE));
  });

  it("are prepared and committed by hand, too, for a file system's own use", () => {
    const all = scene(0);
    const { vfs } = all.fs.kernel;
    const { core } = vfs;
    const { handle: inode } = Inode.ofFile(vfs, fileOf(all));
    assert.equal(core.x.startRead(inode, 1, 1), 1);
    const page = new PageAt(core, inode, 1, core.result(RESULT_EXTRA));
    assert.equal(simplePrepareWrite(vfs, page, 100, 200), 0);
    page.views()[0].fill(7, 100, 200);
    assert.equal(simpleCommitWrite(vfs, page, 100, 200), 0);
    core.x.unlockPage(page.pfn);
    core.x.putPage(page.pfn);
    assert.equal(setPageDirtyNoWriteback(vfs, page), false); // it is already
    assert.deepEqual(content(all), written(Buffer.alloc(0), PAGE + 100, Buffer.alloc(100, 7)));
    assert.equal(all.fs.kernel.vmstat().nr_dirty, 1);
  });
});

describe("a buffer that is not what it was", () => {
  it("shrinks while the store works: what is there counts, and no more", async () => {
    for (const left of [0, 1, 3000, PAGE, PAGE + 1, 2 * PAGE]) {
      const all = scene(PAGE, { writes: "later" });
      const memory = resizable(4 * PAGE);
      const bytes = new Uint8Array(memory).fill(7);
      const write = pwriteLater(all, bytes, 2 * PAGE);
      await settled();
      memory.resize(left);
      const outcome = write.catch((error) => error.code);
      await all.store.answerAll();
      assert.equal(await outcome, left === 0 ? "EFAULT" : left);
      const size = left === 0 ? PAGE : 2 * PAGE + left;
      assert.equal(all.fs.fstatSync(all.fd).size, size);
      assert.deepEqual(content(all), written(all.data, 2 * PAGE, Buffer.alloc(left, 7)));
      Inode.ofFile(all.fs.kernel.vfs, fileOf(all)).size = 6 * PAGE; // what was behind the end is zeros
      assert.deepEqual(await preadAfter(all, size, 6 * PAGE), Buffer.alloc(6 * PAGE - size));
      all.fs.kernel.vfs.verify();
    }
  });

  it("gives its memory away while the store works: a page that was read keeps its bytes", async () => {
    const all = scene(2 * PAGE, { isAsync: true });
    const bytes = new Uint8Array(100).fill(7);
    const write = assert.rejects(pwriteLater(all, bytes, 50), { code: "EFAULT" });
    await settled();
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    await all.store.answerAll();
    await write;
    assert.deepEqual(await preadAfter(all, 0, PAGE), all.data.subarray(0, PAGE));
  });

  it("poses as a longer one, or is none", () => {
    const all = scene(PAGE);
    const sys = all.fs.kernel.vfs.tasks().next().value;
    class Posing extends Uint8Array {
      override get length(): number {
        return 3 * PAGE;
      }
      override get byteLength(): number {
        return 3 * PAGE;
      }
    }
    const posing = new Posing(10).fill(9);
    assert.equal(sys?.write(all.fd, posing, 0, 3 * PAGE, PAGE), 10);
    assert.deepEqual(content(all), written(all.data, PAGE, Buffer.alloc(10, 9)));
    const none = Object.setPrototypeOf([1, 2, 3], Uint8Array.prototype);
    assert.equal(sys?.write(all.fd, none, 0, 3, 0), -14);
    assert.equal(sys?.write(all.fd, new Uint8Array(4), 4, 4, 0), -14);
    assert.equal(all.fs.fstatSync(all.fd).size, PAGE + 10);
  });
});

async function preadAfter(all: Scene, position: number, length: number): Promise<Buffer> {
  const read = preadLater(all, position, length);
  await all.store.answerAll();
  return read;
}

describe("writev", () => {
  it("is one write: what others write comes after all of it", async () => {
    const all = scene(0, { writes: "later" }, O_RDWR | O_APPEND);
    const parts = [Buffer.alloc(PAGE, "a"), Buffer.alloc(10, "b"), Buffer.alloc(PAGE, "c")];
    const whole = new Promise<number>((resolve, reject) =>
      all.fs.writev(all.fd, parts, (error, n) => (error ? reject(error) : resolve(n))),
    );
    const other = pwriteLater(all, Buffer.from("other"), null);
    await all.store.answerAll();
    assert.equal(await whole, 2 * PAGE + 10);
    assert.equal(await other, 5);
    assert.deepEqual(await preadAfter(all, 0, 4 * PAGE), Buffer.concat([...parts, Buffer.from("other")]));
  });

  it("ends where a segment has become shorter while the store worked", async () => {
    for (const bad of [0, 1, 2]) {
      const all = scene(0, { writes: "later" });
      const memory = resizable(PAGE);
      const parts = [Buffer.alloc(PAGE, "a"), Buffer.alloc(PAGE, "b"), Buffer.alloc(PAGE, "c")];
      const views = parts.map((part, i) => (i === bad ? new Uint8Array(memory) : part));
      views[bad].set(parts[bad]);
      const write = new Promise<number>((resolve, reject) =>
        all.fs.writev(all.fd, views, 10, (error, n) => (error ? reject(error) : resolve(n))),
      );
      await settled();
      memory.resize(40);
      await all.store.answerAll();
      const expected = Buffer.concat([...parts.slice(0, bad), parts[bad].subarray(0, 40)]);
      assert.equal(await write, expected.length);
      assert.deepEqual(content(all), written(Buffer.alloc(0), 10, expected));
    }
  });

  it("passes over a segment without bytes", () => {
    const all = scene(0);
    const gone = new Uint8Array(PAGE);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    const memory = resizable(20);
    const shrunk = new Uint8Array(memory, 5, 10);
    const sys = all.fs.kernel.vfs.tasks().next().value;
    memory.resize(5);
    assert.equal(all.fs.writevSync(all.fd, [Buffer.from("abc"), gone, Buffer.from("def")]), 6); // it has no bytes
    assert.equal(sys?.writev(all.fd, [shrunk], 0), 0);
    assert.equal(content(all).toString(), "abcdef");
  });

  it("of more than one system call takes goes on with the next", () => {
    const all = scene(0);
    const parts = Array.from({ length: 2500 }, (_, i) => Buffer.from(`${i},`));
    assert.equal(all.fs.writevSync(all.fd, parts), Buffer.concat(parts).length);
    const padded = [...parts.slice(0, 1024), ...Array.from({ length: 1500 }, () => Buffer.alloc(0))];
    assert.equal(all.fs.writevSync(all.fd, padded, 0), Buffer.concat(padded).length);
    assert.deepEqual(content(all), Buffer.concat(parts));
    const into = [Buffer.alloc(7), Buffer.alloc(0), Buffer.alloc(PAGE)];
    assert.equal(all.fs.readvSync(all.fd, into, 0), 7 + PAGE);
    assert.deepEqual(Buffer.concat(into), Buffer.concat(parts).subarray(0, 7 + PAGE));
  });
});

describe("the lock of a file", () => {
  it("keeps synchronous writes and truncations out while a write waits, and lets reads in", async () => {
    const cuts: number[] = [];
    const setattr = (_kernel: unknown, _inode: unknown, attr: { size: number }) => cuts.push(attr.size) * 0;
    const all = scene(3 * PAGE, { writes: "later", setattr });
    const write = pwriteLater(all, NEW.subarray(0, 2 * PAGE), 0);
    await settled();
    assert.throws(() => all.fs.writeSync(all.fd, "x", 2 * PAGE), { code: "EAGAIN" });
    assert.throws(() => all.fs.ftruncateSync(all.fd, 0), { code: "EAGAIN" });
    assert.throws(() => all.fs.truncateSync("/m/file", 0), { code: "EAGAIN" });
    assert.throws(() => all.fs.openSync("/m/file", "w"), { code: "EAGAIN" });
    const cut = all.fs.promises.truncate("/m/file", 5);
    await settled();
    assert.deepEqual(cuts, []);
    const buffer = Buffer.alloc(PAGE);
    assert.equal(all.fs.readSync(all.fd, buffer, 0, PAGE, 2 * PAGE), PAGE);
    assert.deepEqual(buffer, all.data.subarray(2 * PAGE));
    await all.store.answerAll();
    assert.equal(await write, 2 * PAGE);
    await cut;
    assert.deepEqual(cuts, [5]);
  });

  it("is kept while another page is waited for that a read fills, and that read is the only one", async () => {
    const all = scene(2 * PAGE, { isAsync: true });
    const read = preadLater(all, 0, PAGE);
    const write = pwriteLater(all, Buffer.from("x"), 5);
    await settled();
    assert.equal(all.store.takeLog(), "readPage 0+1");
    await all.store.answerAll();
    assert.deepEqual(await read, all.data.subarray(0, PAGE));
    assert.equal(await write, 1);
    assert.deepEqual(await preadAfter(all, 0, PAGE), written(all.data, 5, Buffer.from("x")).subarray(0, PAGE));
  });

  it("and the file outlive the descriptor", async () => {
    const all = scene(PAGE, { writes: "later" });
    const write = pwriteLater(all, Buffer.from("x"), 5);
    await settled();
    all.fs.closeSync(all.fd);
    assert.throws(() => all.fs.kernel.umount("/m"), { code: "EBUSY" });
    all.fs.kernel.vfs.verify();
    await all.store.answerAll();
    assert.equal(await write, 1);
    assert.equal(all.fs.readFileSync("/m/file", "latin1")[5], "x");
    all.fs.kernel.umount("/m");
  });

  it("goes with an abort, when the store has answered", async () => {
    const all = scene(4 * PAGE, { isAsync: true, writes: "later" });
    const controller = new AbortController();
    const job = all.fs.promises.appendFile("/m/file", NEW.subarray(0, 3 * PAGE), {
      signal: controller.signal,
    } as never);
    const aborted = assert.rejects(job, { name: "AbortError" });
    await settled();
    controller.abort();
    await aborted;
    assert.throws(() => all.fs.writeSync(all.fd, "x"), { code: "EAGAIN" });
    await all.store.answerAll();
    assert.match(all.store.takeLog(), /^writeBegin 4 0\+4096, writeEnd 4 0/);
    assert.equal(all.fs.fstatSync(all.fd).size, 4 * PAGE);
    const write = pwriteLater(all, NEW.subarray(0, PAGE), 0);
    await all.store.answerAll();
    assert.equal(await write, PAGE);
    all.fs.kernel.vfs.verify();
  });

  it("is not in the way of a fork, a snapshot, or the end of the kernel", async () => {
    const all = scene(PAGE, { writes: "later" });
    const write = assert.rejects(pwriteLater(all, NEW, 0));
    await settled();
    all.fs.kernel.fork().vfs.verify();
    all.fs.kernel.snapshot();
    all.fs.kernel.vfs.verify();
    all.fs.kernel.destroy();
    await all.store.answerAll();
    await write;
  });
});

describe("operations that read and write themselves", () => {
  it("write to a file of the same kernel: each write's bytes go where they belong", () => {
    for (const other of ["/plain", "/m/other"]) {
      const all = scene(PAGE, { writes: "at once" });
      all.store.files.set("other", Buffer.alloc(0));
      if (other === "/plain") all.fs.writeFileSync(other, "");
      const journal = all.fs.openSync(other, "r+");
      const user = all.fs.kernel.task({ uid: 1000, gid: 1000 });
      let depth = 0;
      let expected = "";
      all.store.onAsked = (what) => {
        if (depth > 0) return;
        depth++;
        const line = `${what};`.padEnd(PAGE + 100, ".");
        expected += line;
        assert.equal(all.fs.writeSync(journal, line), line.length);
        assert.equal(all.fs.readFileSync(other, "latin1"), expected);
        user.statSync("/");
        depth--;
      };
      assert.equal(all.fs.writeSync(all.fd, NEW, 0, 3 * PAGE, 100), 3 * PAGE);
      all.store.onAsked = undefined;
      assert.deepEqual(content(all), written(all.data, 100, NEW.subarray(0, 3 * PAGE)));
      assert.match(expected, /^writeBegin 0.*readPage.*writeEnd 3/);
    }
  });

  it("make synchronous calls of their own within a promise call: these cannot wait, and hold nothing afterwards", async () => {
    const all = scene(PAGE, { isAsync: true, writes: "later" });
    all.store.files.set("other", Buffer.alloc(PAGE, "o"));
    const other = all.fs.openSync("/m/other", "r+");
    const seen: unknown[] = [];
    all.store.onAsked = (what) => {
      if (!what.startsWith("readPage") || seen.length > 0) return;
      seen.push(what);
      try {
        all.fs.writeSync(other, "x", 5);
      } catch (error) {
        seen.push((error as { code: string }).code);
      }
    };
    const write = pwriteLater(all, Buffer.from("new"), 5);
    await all.store.answerAll();
    assert.equal(await write, 3);
    assert.deepEqual(seen, ["readPage 0+1", "EAGAIN"]);
    assert.deepEqual(await preadAfter(all, 0, PAGE), written(all.data, 5, Buffer.from("new")));
    assert.equal(all.fs.kernel.vfs.pendingChanges.size, 0);
    assert.equal(all.fs.kernel.vfs.pageReads.tokens.size, 0);
  });

  it("read within a read that waits, which goes on from where it was", async () => {
    const all = scene(64 * PAGE, { isAsync: true, hasReadahead: true });
    all.store.files.set("other", Buffer.alloc(64 * PAGE, "o"));
    const other = all.fs.openSync("/m/other", "r");
    let depth = 0;
    const codes = new Set<string>();
    all.store.onAsked = () => {
      if (depth++ === 0) {
        try {
          all.fs.readSync(other, Buffer.alloc(32 * PAGE), 0, 32 * PAGE, 0);
        } catch (error) {
          codes.add((error as { code: string }).code);
        }
      }
      depth--;
    };
    const read = preadLater(all, 0, 64 * PAGE);
    await all.store.answerAll();
    assert.deepEqual(await read, all.data);
    assert.deepEqual([...codes], ["EAGAIN"]);
    all.store.onAsked = undefined;
    assert.deepEqual(all.fs.readSync(other, Buffer.alloc(PAGE), 0, PAGE, 0), PAGE);
  });

  it("make promise calls of their own, and are gone on with when these are over", async () => {
    const all = scene(PAGE, { isAsync: true });
    all.store.files.set("other", Buffer.alloc(0));
    const file = await all.fs.promises.open("/m/file", "r+");
    const isNested = new Set<number>();
    Object.assign(all.store.type.tables[0].mapping, {
      writeBegin: async (_cache: unknown, page: { index: number; inode: number }) => {
        if (page.inode !== Inode.ofFile(all.fs.kernel.vfs, fileOf(all)).handle) return 0;
        isNested.add(page.index);
        await all.fs.promises.appendFile("/m/other", `page ${page.index}, `);
        return 0;
      },
    });
    const write = file.writev([NEW.subarray(0, PAGE), NEW.subarray(0, PAGE)], 7);
    while (all.store.pending.length > 0 || isNested.size < 3) await all.store.answerAll();
    assert.equal((await write).bytesWritten, 2 * PAGE);
    assert.equal(all.fs.readFileSync("/m/other", "utf8"), "page 0, page 1, page 2, ");
    assert.deepEqual(await preadAfter(all, 0, 4 * PAGE), written(all.data, 7, NEW.subarray(0, 2 * PAGE)));
    await file.close();
  });

  it("cannot write to the file that is being written", () => {
    const all = scene(PAGE, { writes: "at once" });
    const errors: string[] = [];
    all.store.onAsked = () => {
      try {
        all.fs.writeSync(all.fd, "x", 0);
      } catch (error) {
        errors.push((error as { code: string }).code);
      }
    };
    assert.equal(all.fs.writeSync(all.fd, NEW, 0, PAGE, 0), PAGE);
    assert.deepEqual(errors, ["EAGAIN", "EAGAIN"]);
  });

  it("throw: the call does, and lets go", () => {
    const all = scene(PAGE, { writes: "at once" });
    all.store.onAsked = () => {
      throw new TypeError("a mistake");
    };
    assert.throws(() => all.fs.writeSync(all.fd, "x", 5), TypeError);
    all.store.onAsked = undefined;
    assert.equal(all.fs.writeSync(all.fd, "x", 5), 1);
  });
});

describe("file systems with blocks smaller than pages", () => {
  /** A file of two pages of blocks of 512 bytes, each of which is read where it has not been written. */
  function blockwise(): Scene {
    const blocks = new Map<number, Set<number>>();
    const block = (page: { index: number }) => blocks.get(page.index) ?? new Set();
    const range = (offset: number, length: number) =>
      Array.from({ length: Math.ceil(length / 512) }, (_, i) => (offset >> 9) + i);
    const all = scene(2 * PAGE, {
      mapping: {
        writeBegin: () => PAGE_IS_READY,
        writeEnd: (_cache, page, copied) => {
          blocks.set(page.index, new Set([...block(page), ...range(page.offset, copied)]));
          return copied;
        },
        isPartiallyUptodate: (_cache, page, offset, length) =>
          range(offset - (offset % 512), length + (offset % 512)).every((i) => block(page).has(i)),
        readPage: (_cache, control) => {
          const [view] = control.views();
          const index = control.position / PAGE;
          for (let i = 0; i < 8; i++)
            if (!block({ index }).has(i))
              view.set(all.data.subarray(control.position + i * 512, control.position + i * 512 + 512), i * 512);
          all.store.log.push(`read ${index}`);
          return PAGE;
        },
      },
    });
    return all;
  }

  it("vouch for what they have written of a page, and have the rest read when it is asked for", () => {
    const all = blockwise();
    all.fs.writeSync(all.fd, NEW, 0, 1024, 512);
    const buffer = Buffer.alloc(1000);
    assert.equal(all.fs.readSync(all.fd, buffer, 0, 1000, 520), 1000);
    assert.deepEqual(buffer, NEW.subarray(8, 1008));
    assert.equal(all.store.takeLog(), "");
    assert.deepEqual(content(all), written(all.data, 512, NEW.subarray(0, 1024)));
    assert.equal(all.store.takeLog(), "read 0, read 1");
  });

  it("have the rest read when it is mapped", () => {
    const all = blockwise();
    all.fs.writeSync(all.fd, NEW, 0, 1024, 512);
    using mapping = all.fs.kernel.mmap(all.fd);
    const buffer = Buffer.alloc(PAGE);
    assert.equal(mapping.copy(buffer), PAGE);
    assert.deepEqual(buffer, written(all.data, 512, NEW.subarray(0, 1024)).subarray(0, PAGE));
    assert.equal(all.store.takeLog(), "read 0");
    assert.equal(all.fs.kernel.vmstat().pgmajfault, 1);
  });

  it("and those without a store take libfs's operations", () => {
    const mapping = { readPage: simpleReadPage, writeBegin: simpleWriteBegin, writeEnd: simpleWriteEnd };
    const all = scene(0, { mapping });
    all.fs.writeSync(all.fd, NEW, 0, 100, 50);
    all.fs.writeSync(all.fd, NEW, 0, PAGE, 2 * PAGE + 7);
    const model = written(written(Buffer.alloc(0), 50, NEW.subarray(0, 100)), 2 * PAGE + 7, NEW.subarray(0, PAGE));
    assert.deepEqual(content(all), model);
    assert.equal(all.store.takeLog(), "");
  });
});

describe("O_SYNC and its kin", () => {
  it("have the file's fsync called for what was written, and hear of its errors", () => {
    for (const [flags, expected] of [
      [O_RDWR, ""],
      [O_RDWR | O_DSYNC, "fdatasync 10-14"],
      [O_RDWR | O_SYNC, "fsync 10-14"],
    ] as const) {
      const { fs, fd, store } = scene(PAGE, {}, flags);
      fs.writeSync(fd, "12345", 10);
      assert.equal(store.takeLog().replace(/^readPage 0\+1(, )?/, ""), expected);
      store.verdict = () => -EIO;
      if (flags !== O_RDWR) assert.throws(() => fs.writeSync(fd, "12345", 10), { code: "EIO" });
      fs.closeSync(fd);
    }
  });

  it("mean all files of a mount with sync", () => {
    const MS_SYNCHRONOUS = 16;
    const { fs, fd, store } = scene(PAGE, {}, "r+", MS_SYNCHRONOUS);
    fs.writevSync(fd, [Buffer.alloc(PAGE), Buffer.alloc(PAGE)], 0);
    assert.equal(store.takeLog(), `fdatasync 0-${2 * PAGE - 1}`);
  });
});

describe("many writers", () => {
  it("that append interleave by whole writes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3 * PAGE }), { minLength: 2, maxLength: 8 }),
        async (sizes) => {
          const all = scene(100, { isAsync: true, writes: "later" }, O_RDWR | O_APPEND);
          const writes = sizes.map((size, i) => pwriteLater(all, Buffer.alloc(size, i + 1), null));
          await all.store.answerAll();
          assert.deepEqual(await Promise.all(writes), sizes);
          const got = await preadAfter(all, 100, 30 * PAGE);
          assert.deepEqual(got, Buffer.concat(sizes.map((size, i) => Buffer.alloc(size, i + 1))));
          all.fs.kernel.vfs.verify();
          all.fs.kernel.destroy();
        },
      ),
      { numRuns: 30, ...(process.env.FOLIOFS_SEED && { seed: Number(process.env.FOLIOFS_SEED) }) },
    );
  });

  it("by synchronous calls leave what a model has", () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 3 * PAGE }));
    const call = fc.tuple(fc.constantFrom("write", "writev", "append", "read"), fc.nat(10 * PAGE), size);
    const options = fc.constantFrom<MockOptions>({}, { writes: "at once" }, { hasReadahead: true, writes: "at once" });
    fc.assert(
      fc.property(fc.nat(6 * PAGE), options, fc.array(call, { maxLength: 20 }), (length, how, calls) => {
        const all = scene(length, how);
        const appender = all.fs.openSync("/m/file", "a");
        let model = all.data;
        for (const [i, [what, at, n]] of calls.entries()) {
          const bytes = Buffer.alloc(n, i + 1);
          if (what === "read") {
            const buffer = Buffer.alloc(n);
            const got = all.fs.readSync(all.fd, buffer, 0, n, at);
            assert.deepEqual(buffer.subarray(0, got), model.subarray(at, at + n));
          } else if (what === "append") {
            all.fs.writeSync(appender, bytes);
            model = written(model, model.length, bytes);
          } else {
            if (what === "write") all.fs.writeSync(all.fd, bytes, 0, n, at);
            else all.fs.writevSync(all.fd, [bytes.subarray(0, n >> 2), bytes.subarray(n >> 2)], at);
            model = written(model, at, bytes);
          }
        }
        assert.deepEqual(content(all), model);
        all.fs.kernel.vfs.verify();
        all.fs.kernel.destroy();
      }),
      { numRuns: 60, ...(process.env.FOLIOFS_SEED && { seed: Number(process.env.FOLIOFS_SEED) }) },
    );
  });

  it("leave what a model has, each write as a whole, whenever the store answers", async () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 3 * PAGE }));
    const chain = fc.array(fc.tuple(fc.constantFrom("write", "writev", "read", "writeSync"), fc.nat(10 * PAGE), size), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(6 * PAGE),
        fc.array(chain, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
        async (length, chains, schedule) => {
          const all = scene(length, { isAsync: true, writes: "later" });
          let model = all.data;
          let byte = 0;
          let running = chains.length;
          const writev = (bytes: Buffer, at: number) =>
            new Promise<number>((resolve, reject) => {
              const cut = bytes.length >> 1;
              const parts = [bytes.subarray(0, cut), bytes.subarray(cut)];
              all.fs.writev(all.fd, parts, at, (error, n) => (error ? reject(error) : resolve(n)));
            });
          const run = async (calls: (typeof chains)[number]): Promise<void> => {
            for (const [what, at, n] of calls) {
              if (what === "read") {
                await preadLater(all, at, n);
                continue;
              }
              const bytes = Buffer.alloc(n, ++byte);
              if (what === "writeSync") {
                model = written(model, at, bytes.subarray(0, writeNow(all, bytes, at)));
                continue;
              }
              const put = what === "write" ? pwriteLater(all, bytes, at) : writev(bytes, at);
              assert.equal(await put, n);
              model = written(model, at, bytes); // the lock's order is that in which they end
            }
          };
          const all_ = Promise.all(chains.map((calls) => run(calls).finally(() => running--)));
          for (let i = 0; running > 0; i++) {
            await settled();
            const { pending } = all.store;
            if (pending.length > 0) await all.store.answer(schedule[i % schedule.length] % pending.length);
          }
          await all_;
          assert.deepEqual(await preadAfter(all, 0, 20 * PAGE), model);
          assert.equal(all.fs.kernel.vfs.pendingChanges.size, 0);
          assert.equal(all.fs.kernel.vfs.pageReads.tokens.size, 0);
          all.fs.kernel.vfs.verify();
          all.fs.kernel.destroy();
        },
      ),
      { numRuns: 60, ...(process.env.FOLIOFS_SEED && { seed: Number(process.env.FOLIOFS_SEED) }) },
    );
  });

  it("are kept by a write round the cache, too: it goes to the store at once, then what is left to be synced", () => {
    const asked: string[] = [];
    const directIO: AddressSpaceOperations["directIO"] = (_cache, { isWrite, position, length }) => {
      asked.push(`${isWrite ? "write" : "read"} ${position}+${length}`);
      return length;
    };
    for (const [flags, log] of [
      [O_RDWR | O_DIRECT, ""],
      [O_RDWR | O_DIRECT | O_DSYNC, "fdatasync 512-1023"],
      [O_RDWR | O_DIRECT | O_SYNC, "fsync 512-1023"],
    ] as const) {
      const all = scene(PAGE, { writes: "at once", mapping: { directIO } }, flags);
      assert.equal(all.fs.writeSync(all.fd, new Uint8Array(512), 0, 512, 512), 512);
      assert.deepEqual(asked.splice(0), ["write 512+512"]);
      assert.equal(all.store.takeLog(), log);
      assert.throws(() => all.fs.writeSync(all.fd, new Uint8Array(100), 0, 100, 0), { code: "EINVAL" });
      all.fs.kernel.vfs.verify();
    }
  });
});
