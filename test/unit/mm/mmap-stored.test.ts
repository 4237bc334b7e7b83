/** Mappings of files whose pages come from a store: faults that read, page_mkwrite, writing back, waiting. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { Shelf, shelffs } from "../../../examples/shelffs.ts";
import { EIO, ENOSPC } from "../../../src/base/errno.ts";
import {
  MAP_PRIVATE,
  MAP_SHARED,
  MS_ASYNC,
  MS_INVALIDATE,
  MS_SYNC,
  PROT_READ,
  PROT_WRITE,
} from "../../../src/base/mman.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { mmapCounts } from "../../../src/store.ts";
import { truncateSetsize } from "../../../src/vfs/setattr.ts";
import { MockBacking, turn } from "../../helpers/mock-backing.ts";
import { answering, cachedIndexes, storeScene } from "../../helpers/mock-scene.ts";
import { PAGE, settled } from "../../helpers/mock-store.ts";
import { type Random, seededRandom } from "../../helpers/random.ts";

const RW = PROT_READ | PROT_WRITE;

function bytesAt(mapping: { copy(b: Buffer, t: number, from: number): number }, at: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, mapping.copy(buffer, 0, at));
}

describe("faults of files with a store", () => {
  it("read around the page that is missing, and count one major fault", () => {
    const all = storeScene(100 * PAGE, { raPages: 8 });
    using mapping = all.fs.kernel.mmap(all.fd);
    assert.deepEqual(bytesAt(mapping, 50 * PAGE + 5, 100), all.data.subarray(50 * PAGE + 5, 50 * PAGE + 105));
    assert.equal(all.store.takeLog(), "readahead 46+8");
    assert.deepEqual(bytesAt(mapping, 47 * PAGE, PAGE), all.data.subarray(47 * PAGE, 48 * PAGE));
    assert.equal(all.store.takeLog(), "");
    assert.equal(all.fs.kernel.vmstat().pgmajfault, 1);
    assert.deepEqual(cachedIndexes(all), [46, 47, 48, 49, 50, 51, 52, 53]);
  });

  it("are waited for where pages are viewed, and where they are locked", async () => {
    const all = storeScene(4 * PAGE, { isAsync: true });
    const mapping = all.fs.kernel.mmap(all.fd);
    const view = await answering(all, mapping.readAsync(PAGE, 10));
    assert.deepEqual(Buffer.from(view.bytes), all.data.subarray(PAGE, PAGE + 10));
    view.release();
    await answering(all, mapping.mlockAsync());
    assert.deepEqual(cachedIndexes(all), [0, 1, 2, 3]);
    assert.deepEqual(bytesAt(mapping, 3 * PAGE, PAGE), all.data.subarray(3 * PAGE));
    mapping.munlock();
    mapping.munmap();
  });

  it("read the next window where the marker of the last one is met", () => {
    const all = storeScene(100 * PAGE, { raPages: 8 });
    using mapping = all.fs.kernel.mmap(all.fd);
    for (let i = 0; i < 24; i++) {
      assert.deepEqual(bytesAt(mapping, i * PAGE, PAGE), all.data.subarray(i * PAGE, (i + 1) * PAGE), `page ${i}`);
    }
    assert.equal(all.fs.kernel.vmstat().pgmajfault, 1, all.store.log.join());
    assert.ok(all.store.log.length < 6, all.store.log.join());
  });

  it("read page by page where there is no readahead, or a program jumps", () => {
    const plain = storeScene(10 * PAGE, { hasReadahead: false });
    using mapping = plain.fs.kernel.mmap(plain.fd);
    assert.deepEqual(bytesAt(mapping, PAGE, 2 * PAGE), plain.data.subarray(PAGE, 3 * PAGE));
    assert.equal(plain.store.takeLog(), "readPage 1+1, readPage 2+1");
    const random = storeScene(10 * PAGE);
    random.fs.kernel.fadviseSync(random.fd, 0, 0, 1);
    using other = random.fs.kernel.mmap(random.fd);
    bytesAt(other, 5 * PAGE, 1);
    assert.equal(random.store.takeLog(), "readahead 5+1");
  });

  it("of a store that takes time: synchronous ones are EAGAIN, and the others wait for one read", async () => {
    const all = storeScene(10 * PAGE, { isAsync: true, raPages: 4 });
    using mapping = all.fs.kernel.mmap(all.fd);
    assert.throws(() => bytesAt(mapping, 0, 1), { code: "EAGAIN", syscall: "page_fault" });
    const buffers = [Buffer.alloc(PAGE), Buffer.alloc(PAGE)];
    const waiting = [
      mapping.copyAsync(buffers[0]),
      mapping.copyAsync(buffers[1], 0, PAGE),
      all.fs.readViewAsync(all.fd, 5),
    ];
    await settled();
    assert.equal(all.store.takeLog(), "readahead 0+4");
    await all.store.answer();
    const [first, second, view] = await Promise.all(waiting);
    assert.deepEqual([first, second], [PAGE, PAGE]);
    assert.deepEqual(Buffer.concat(buffers), all.data.subarray(0, 2 * PAGE));
    using held = view as unknown as { bytes: Buffer; [Symbol.dispose](): void };
    assert.deepEqual(Buffer.from(held.bytes), all.data.subarray(5, 5 + held.bytes.length));
    assert.deepEqual(bytesAt(mapping, 3 * PAGE, PAGE), all.data.subarray(3 * PAGE, 4 * PAGE));
    assert.equal(all.fs.kernel.vmstat().pgmajfault, 1);
  });

  it("are SIGBUS where a page cannot be read, and find it when it can", async () => {
    for (const isAsync of [false, true]) {
      const all = storeScene(4 * PAGE, { isAsync, hasReadahead: false });
      all.store.verdict = (what, bytes) => (what === "readPage 1+1" ? -EIO : bytes);
      using mapping = all.fs.kernel.mmap(all.fd);
      const buffer = Buffer.alloc(3 * PAGE);
      const copied = mapping.copyAsync(buffer);
      await all.store.answerAll();
      assert.equal(await copied, PAGE);
      const failed = assert.rejects(mapping.copyAsync(buffer, 0, PAGE), { code: "EIO", signal: "SIGBUS" });
      await all.store.answerAll();
      await failed;
      all.store.verdict = undefined;
      const again = mapping.copyAsync(buffer, 0, PAGE);
      await all.store.answerAll();
      assert.equal(await again, 3 * PAGE);
      assert.deepEqual(buffer, all.data.subarray(PAGE));
    }
  });

  it("are SIGBUS when the file is cut while they wait, and end with the mapping", async () => {
    const all = storeScene(4 * PAGE, { isAsync: true });
    const mapping = all.fs.kernel.mmap(all.fd);
    const cut = assert.rejects(mapping.copyAsync(Buffer.alloc(1), 0, 2 * PAGE), { code: "EFAULT", signal: "SIGBUS" });
    await settled();
    truncateSetsize(all.kernel, all.inode, PAGE);
    await all.store.answerAll();
    await cut;
    all.fs.kernel.dropCaches(1);
    const ended = assert.rejects(mapping.copyAsync(Buffer.alloc(1), 0, 0), { code: "ERR_INVALID_STATE" });
    await settled();
    mapping.munmap();
    await all.store.answerAll();
    await ended;
  });

  it("are refused by a file system that cannot read pages, or write them", () => {
    const unread = storeScene(PAGE, { mapping: { readPage: undefined as never } });
    assert.throws(() => unread.fs.kernel.mmap(unread.fd), { code: "ENOEXEC", syscall: "mmap" });
    assert.throws(() => unread.fs.readView(unread.fd), { code: "ENOEXEC" });
    const all = storeScene(PAGE);
    const fd = all.fs.openSync("/m/file", "r+");
    assert.throws(() => all.fs.kernel.mmap(fd, { prot: RW }), { code: "EINVAL" });
    using copies = all.fs.kernel.mmap(fd, { prot: RW, flags: MAP_PRIVATE });
    copies.set(Buffer.from("own"));
    assert.equal(bytesAt(copies, 0, 3).toString(), "own");
    assert.deepEqual(all.fs.readFileSync("/m/file"), all.data);
  });
});

describe("page_mkwrite", () => {
  const writable = { mapping: { writePages: (_cache: unknown, { length }: { length: number }) => length } } as const;

  it("asks the file system once for a page, until it has been written back", async () => {
    const all = storeScene(2 * PAGE + 10, { ...writable, writes: "at once", bdi: {}, raPages: 0 });
    const fd = all.fs.openSync("/m/file", "r+");
    using mapping = all.fs.kernel.mmap(fd, { prot: RW });
    all.store.takeLog();
    mapping.set(Buffer.from("x"), 5);
    mapping.set(Buffer.from("y"), 6);
    mapping.set(Buffer.from("z"), 2 * PAGE);
    assert.equal(
      all.store.takeLog(),
      "readahead 0+1, writeBegin 0 0+4096, writeEnd 0 4096, readahead 2+1, writeBegin 2 0+10, writeEnd 2 10",
    );
    await all.fs.kernel.syncAsync();
    mapping.set(Buffer.from("z"), 7);
    assert.equal(all.store.takeLog(), "writeBegin 0 0+4096, writeEnd 0 4096");
    assert.equal(all.fs.readFileSync("/m/file").toString("latin1", 5, 8), "xyz");
    await all.fs.kernel.syncAsync();
    all.store.takeLog();
    all.fs.writeSync(fd, "w", 9); // that a write has been asked for says nothing of the mapping
    mapping.set(Buffer.from("v"), 8);
    assert.equal(all.store.takeLog(), "writeBegin 0 9+1, writeEnd 0 1, writeBegin 0 0+4096, writeEnd 0 4096");
  });

  it("waits for the file system; a synchronous call is EAGAIN, and what is refused is not written", async () => {
    const all = storeScene(2 * PAGE, { ...writable, writes: "later", bdi: {}, raPages: 0 });
    const fd = all.fs.openSync("/m/file", "r+");
    using mapping = all.fs.kernel.mmap(fd, { prot: RW });
    const set = mapping.setAsync(Buffer.from("x"));
    await settled();
    assert.throws(() => mapping.set(Buffer.from("y")), { code: "EAGAIN" });
    await all.store.answerAll();
    assert.equal(await set, 1);
    all.store.verdict = (what, answer) => (what.startsWith("writeBegin") ? -ENOSPC : answer);
    const refused = assert.rejects(mapping.writeAsync(PAGE), { code: "ENOSPC", signal: "SIGBUS" });
    await all.store.answerAll();
    await refused;
    assert.equal(mmapCounts(all.fs.kernel).nrPinned, 0);
    all.store.verdict = undefined;
    const view = mapping.writeAsync(PAGE, 10);
    await all.store.answerAll();
    using held = await view;
    held.bytes[0] = 33;
    assert.equal(all.fs.readFileSync("/m/file")[PAGE], 33);
  });
});

describe("writing back what a mapping has written", () => {
  it("msync has it written, and what is stored after that is written again", () => {
    const store = new MockBacking();
    store.files.set("f", Buffer.alloc(3 * PAGE, "a"));
    const fd = store.open("f");
    using mapping = store.fs.kernel.mmap(fd, { prot: RW });
    mapping.set(Buffer.from("one"), PAGE);
    mapping.msync(MS_ASYNC);
    mapping.msync(MS_SYNC, 0, PAGE);
    assert.equal(store.takeLog(), "");
    mapping.msync(MS_SYNC | MS_INVALIDATE);
    assert.equal(store.takeLog(), "f 1+1");
    mapping.set(Buffer.from("two"), PAGE);
    mapping.msync();
    assert.equal(store.takeLog(), "f 1+1");
    assert.equal(store.files.get("f")?.toString("latin1", PAGE, PAGE + 4), "twoa");
    mapping.msync();
    assert.equal(store.takeLog(), "");
    const other = store.open("f");
    store.verdict = () => -EIO;
    mapping.set(Buffer.from("bad"), PAGE);
    assert.throws(() => mapping.msync(), { code: "EIO", syscall: "msync" });
    store.fs.fsyncSync(fd); // it is the mapping's open file, and has been told
    assert.throws(() => store.fs.fsyncSync(other), { code: "EIO" });
  });

  it("keeps a page dirty that somebody has a view of to write to", () => {
    const store = new MockBacking();
    store.files.set("f", Buffer.alloc(PAGE, "a"));
    const fd = store.open("f");
    using mapping = store.fs.kernel.mmap(fd, { prot: RW });
    const view = mapping.write();
    view.bytes.write("one");
    mapping.msync();
    assert.equal(store.files.get("f")?.toString("latin1", 0, 4), "onea");
    assert.equal(store.fs.kernel.vmstat().nr_dirty, 1);
    view.bytes.write("two");
    mapping.msync();
    assert.equal(store.files.get("f")?.toString("latin1", 0, 4), "twoa");
    view.bytes.write("end");
    view.release();
    mapping.msync();
    assert.equal(store.files.get("f")?.toString("latin1", 0, 4), "enda");
    assert.equal(store.fs.kernel.vmstat().nr_dirty, 0);
  });

  it("loses nothing that is stored while the page is on its way", async () => {
    const store = new MockBacking({ isAsync: true });
    store.files.set("f", Buffer.alloc(PAGE, "a"));
    const fd = store.open("f");
    using mapping = store.fs.kernel.mmap(fd, { prot: RW });
    mapping.set(Buffer.from("one"));
    const sync = mapping.msyncAsync();
    await turn();
    assert.throws(() => mapping.msync(), { code: "EAGAIN", syscall: "msync" });
    mapping.set(Buffer.from("two"), 10);
    await store.answerAll();
    await sync;
    assert.equal(store.fs.kernel.vmstat().nr_dirty, 1);
    const again = mapping.msyncAsync();
    await store.answerAll();
    await again;
    assert.equal(store.files.get("f")?.toString("latin1", 0, 14), "oneaaaaaaatwoa");
  });
});

describe("mapped pages and reclaim", () => {
  it("lets mapped pages go that nobody has pinned, and finds them again", () => {
    const all = storeScene(2000 * PAGE, {});
    const { fs, data } = all;
    using mapping = fs.kernel.mmap(all.fd);
    mapping.mlock(0, 5 * PAGE);
    using view = fs.readView(all.fd, 100 * PAGE, 3 * PAGE);
    for (let i = 0; i < 2000; i++) bytesAt(mapping, i * PAGE, 1);
    fs.kernel.dropCaches(1);
    const kept = cachedIndexes(all);
    assert.deepEqual(kept, [0, 1, 2, 3, 4, 100, 101, 102].slice(0, 5 + view.length / PAGE));
    assert.deepEqual(bytesAt(mapping, 1500 * PAGE, PAGE), data.subarray(1500 * PAGE, 1501 * PAGE));
    assert.deepEqual(Buffer.from(view.bytes), data.subarray(100 * PAGE, 100 * PAGE + view.length));
  });

  it("works within little memory, with more mapped than there is", () => {
    const shelf = new Shelf();
    const fs = createFsSync({ memoryLimit: 8 * 2 ** 20, types: [shelffs(shelf)] });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "shelffs", target: "/m" });
    const size = 20 * 2 ** 20;
    const file = shelf.files.get(shelf.add("f", 0o644));
    shelf.resize(file as NonNullable<typeof file>, size);
    using mapping = fs.kernel.mmap(fs.openSync("/m/f", "r+"), { prot: RW });
    const page = Buffer.alloc(PAGE);
    for (let at = 0; at < size; at += PAGE) {
      page.writeUInt32LE(at + 1);
      assert.equal(mapping.set(page, at), PAGE);
    }
    for (let at = 0; at < size; at += PAGE) assert.equal(bytesAt(mapping, at, 4).readUInt32LE(), at + 1);
    mapping.msync();
    for (let at = 0; at < size; at += PAGE)
      assert.equal(Buffer.from(file?.data.buffer as ArrayBuffer).readUInt32LE(at), at + 1);
    assert.ok(fs.kernel.vmstat().bytes_memory <= 8 * 2 ** 20);
  });
});

// --- At random ----------------------------------------------------------------------------------------------------------

function shelfWith(data: string): { fs: FolioFs; shelf: Shelf } {
  const shelf = new Shelf();
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [shelffs(shelf)] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "shelffs", target: "/m" });
  fs.writeFileSync("/m/f", data);
  fs.kernel.sync();
  return { fs, shelf };
}

function text(shelf: Shelf): string {
  return Buffer.from([...shelf.files.values()][0].data).toString("latin1");
}

const NR_PAGES = 6;
const END = NR_PAGES * PAGE;
const at = fc.oneof(
  fc.nat(END - 1),
  fc.nat(NR_PAGES - 1).map((page) => page * PAGE),
);
const step = fc.record({
  what: fc.constantFrom("set", "set", "copy", "copy", "view", "look", "write", "cut", "msync", "fsync", "sync", "drop"),
  at,
  length: fc.oneof(fc.integer({ min: 1, max: 2 * PAGE }), fc.constantFrom(1, PAGE)),
  byte: fc.integer({ min: 1, max: 255 }),
  isLater: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What the file has, and what a shared mapping shows of it. */
class Model {
  data = Buffer.alloc(3 * PAGE + 100, "m");

  get pages(): number {
    return Math.ceil(this.data.length / PAGE) * PAGE;
  }

  resize(size: number): void {
    const data = Buffer.alloc(size);
    this.data.copy(data);
    this.data = data;
  }

  /** Bytes of a mapping that can be come to. */
  within(start: number, length: number): number {
    return Math.max(0, Math.min(length, this.pages - start));
  }
}

async function run(steps: readonly Step[]): Promise<void> {
  const model = new Model();
  const { fs, shelf } = shelfWith(model.data.toString("latin1"));
  const fd = fs.openSync("/m/f", "r+");
  const mapping = fs.kernel.mmap(fd, { prot: RW, flags: MAP_SHARED, length: END });
  for (const { what, at: start, length, byte, isLater } of steps) {
    const n = Math.min(length, END - start);
    const bytes = Buffer.alloc(n, byte);
    const reachable = model.within(start, n);
    if (what === "set") {
      const set = isLater ? mapping.setAsync(bytes, start) : (async () => mapping.set(bytes, start))();
      if (reachable === 0) await assert.rejects(set, { code: "EFAULT", signal: "SIGBUS" });
      else assert.equal(await set, reachable);
      model.data.fill(byte, Math.min(start, model.data.length), Math.min(start + n, model.data.length));
    } else if (what === "copy") {
      const copy = isLater
        ? mapping.copyAsync(bytes, 0, start, start + n)
        : (async () => mapping.copy(bytes, 0, start, start + n))();
      if (reachable === 0) await assert.rejects(copy, { code: "EFAULT", signal: "SIGBUS" });
      else assert.equal(await copy, reachable);
      const expected = Buffer.alloc(reachable);
      model.data.subarray(start).copy(expected);
      assert.deepEqual(bytes.subarray(0, reachable), expected);
    } else if (what === "view" && reachable > 0) {
      using view = isLater ? await mapping.writeAsync(start, n) : mapping.write(start, n);
      view.bytes.fill(byte);
      model.data.fill(byte, Math.min(start, model.data.length), Math.min(start + view.length, model.data.length));
    } else if (what === "look") {
      using view = isLater ? await fs.readViewAsync(fd, start, n) : fs.readView(fd, start, n);
      assert.deepEqual(Buffer.from(view.bytes), model.data.subarray(start, start + view.length));
    } else if (what === "write") {
      if (start + n > model.data.length) model.resize(start + n);
      model.data.fill(byte, start, start + n);
      if (isLater) await new Promise((resolve) => fs.write(fd, bytes, 0, n, start, resolve));
      else fs.writeSync(fd, bytes, 0, n, start);
    } else if (what === "cut") {
      model.resize(start);
      if (isLater) await fs.promises.truncate("/m/f", start);
      else fs.ftruncateSync(fd, start);
    } else if (what === "msync") {
      if (isLater) await mapping.msyncAsync();
      else mapping.msync();
      assert.equal(Buffer.compare(Buffer.from(text(shelf), "latin1"), model.data), 0, "what msync() has had written");
    } else if (what === "fsync") fs.fsyncSync(fd);
    else if (what === "sync") await fs.kernel.syncAsync();
    else if (what === "drop") fs.kernel.dropCaches(1);
    fs.kernel.verify();
    // What promises have had read or written beside what they waited for would be EAGAIN to a synchronous call.
    while (fs.kernel.vfs.pageReads.tokens.size > 0) await turn();
  }
  mapping.munmap();
  assert.deepEqual(fs.readFileSync("/m/f"), model.data);
  fs.closeSync(fd);
  await fs.kernel.umountAsync("/m");
  assert.equal(text(shelf), model.data.toString("latin1"));
  fs.kernel.destroy();
}

describe("mappings of a store at random", () => {
  const seed = Number(process.env.FOLIO_SEED ?? Date.now() % 1_000_000);
  it(`are what a model says, from seed ${seed}`, async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), run), {
      seed,
      numRuns: Number(process.env.FOLIO_SCRIPTS ?? 60),
    });
  });
});

describe("mappings of a store, by several programs at once", () => {
  const NR_CHAINS = 6;
  const BYTES = 2 * 2 ** 20;
  const seed = Number(process.env.FOLIO_SEED ?? Date.now() % 1_000_000);

  /** One after the other, on bytes that are the chain's own: by its mapping, by writes and by reads, all of which wait. */
  async function chain(fs: FolioFs, fd: number, data: Buffer, start: number, random: Random): Promise<void> {
    const mapping = fs.kernel.mmap(fd, { prot: RW, offset: start, length: BYTES });
    for (let n = 0; n < 120; n++) {
      const from = random(BYTES - 3 * PAGE);
      const bytes = Buffer.alloc(1 + random(3 * PAGE), 1 + random(255));
      const own = data.subarray(start + from, start + from + bytes.length);
      switch (random(6)) {
        case 0:
        case 1:
          assert.equal(await mapping.setAsync(bytes, from), bytes.length);
          own.set(bytes);
          break;
        case 2: {
          using view = await mapping.writeAsync(from, bytes.length);
          bytes.copy(view.bytes);
          data.set(bytes.subarray(0, view.length), start + from);
          break;
        }
        case 3:
          await new Promise((resolve) => fs.write(fd, bytes, 0, bytes.length, start + from, resolve));
          own.set(bytes);
          break;
        case 4:
          await mapping.msyncAsync(MS_SYNC, Math.floor(from / PAGE) * PAGE, 4 * PAGE);
          break;
        default:
          assert.equal(await mapping.copyAsync(bytes, 0, from), bytes.length);
          assert.equal(Buffer.compare(bytes, own), 0, "what a mapping shows");
      }
    }
    mapping.munmap();
  }

  it(`keep what each has stored, within little memory, from seed ${seed}`, async () => {
    const shelf = new Shelf();
    const fs = createFsSync({ memoryLimit: 8 * 2 ** 20, types: [shelffs(shelf)] });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "shelffs", target: "/m" });
    const file = shelf.files.get(shelf.add("f", 0o644)) as NonNullable<ReturnType<typeof shelf.files.get>>;
    shelf.resize(file, NR_CHAINS * BYTES);
    const data = Buffer.alloc(NR_CHAINS * BYTES);
    const fd = fs.openSync("/m/f", "r+");
    const chains = Array.from({ length: NR_CHAINS }, (_, i) => chain(fs, fd, data, i * BYTES, seededRandom(seed + i)));
    await Promise.all(chains);
    fs.closeSync(fd);
    assert.ok(fs.kernel.vmstat().bytes_memory <= 8 * 2 ** 20);
    assert.deepEqual(mmapCounts(fs.kernel), { nrMapped: 0, nrAnon: 0, nrMlock: 0, nrPageTables: 0, nrPinned: 0 });
    await fs.kernel.umountAsync("/m");
    assert.equal(Buffer.compare(Buffer.from(file.data), data), 0, "what the store has");
  });
});
