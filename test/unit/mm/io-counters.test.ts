/** Counters of what goes between pages and stores: kernel.vmstat() and, by device, kernel.bdi. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EIO } from "../../../src/base/errno.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { AOP_WRITEPAGE_ACTIVATE } from "../../../src/mm/address-space.ts";
import { MockBacking } from "../../helpers/mock-backing.ts";
import { type MockOptions, MockStore, PAGE, settled } from "../../helpers/mock-store.ts";

interface Scene {
  readonly fs: FolioFs;
  readonly store: MockStore;
  readonly fd: number;
}

/** A store with a device and one file of so many bytes, open. */
function scene(bytes: number, options: MockOptions = {}): Scene {
  const store = new MockStore({ bdi: {}, ...options });
  store.files.set("file", Buffer.alloc(bytes, 7));
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [store.type] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "mockfs", target: "/m" });
  return { fs, store, fd: fs.openSync("/m/file", "r+") };
}

function pread({ fs, fd }: Scene, index: number, nrPages = 1): number {
  return fs.readSync(fd, Buffer.alloc(nrPages * PAGE), 0, nrPages * PAGE, index * PAGE);
}

/** Hits, misses, pages read ahead. */
function pages({ fs }: Pick<Scene, "fs">): number[] {
  const { pgcache_hit, pgcache_miss, pgcache_ahead } = fs.kernel.vmstat();
  return [pgcache_hit, pgcache_miss, pgcache_ahead];
}

/** Calls of the store and what they have moved. */
function calls({ fs }: Pick<Scene, "fs">): number[] {
  const [{ reads, readBytes, writes, writtenBytes }] = fs.kernel.bdi;
  return [reads, readBytes, writes, writtenBytes];
}

describe("pages of files that are read", () => {
  it("are missed, read ahead, and hit when they are read again", () => {
    const all = scene(16 * PAGE);
    pread(all, 0); // a window of four, marked at 1
    assert.deepEqual(pages(all), [0, 1, 3]);
    pread(all, 0);
    assert.deepEqual(pages(all), [1, 1, 3]);
    pread(all, 1); // the marker: eight more
    assert.deepEqual(pages(all), [2, 1, 11]);
    pread(all, 0, 16); // 12 of them are there; the marker at 4 has the others read before they are come for
    assert.deepEqual(pages(all), [18, 1, 15]);
    assert.equal(all.store.takeLog(), "readahead 0+4, readahead 4+8, readahead 12+4");
    all.fs.kernel.verify();
  });

  it("are missed, all of them, by a read that has to have them read", () => {
    const all = scene(16 * PAGE);
    pread(all, 0, 16);
    assert.deepEqual(pages(all), [0, 16, 0]);
    pread(all, 0, 16);
    assert.deepEqual(pages(all), [16, 16, 0]);
    all.fs.kernel.verify();
  });

  it("are missed one by one by a store that has readPage alone", () => {
    const all = scene(3 * PAGE, { hasReadahead: false });
    pread(all, 0, 3);
    assert.deepEqual(pages(all), [0, 3, 0]);
    assert.deepEqual(calls(all), [3, 3 * PAGE, 0, 0]);
    all.fs.kernel.verify();
  });

  it("that a call has waited for are no hits when it is made again; those of who came later are", async () => {
    const all = scene(4 * PAGE, { isAsync: true });
    const read = () =>
      new Promise<number>((resolve, reject) =>
        all.fs.read(all.fd, Buffer.alloc(PAGE), 0, PAGE, 0, (error, n) => (error ? reject(error) : resolve(n))),
      );
    const reads = [read(), read()];
    await settled();
    assert.deepEqual(pages(all), [0, 1, 3]);
    await all.store.answerAll();
    assert.deepEqual(await Promise.all(reads), [PAGE, PAGE]);
    assert.deepEqual(pages(all), [1, 1, 3]);
    all.fs.kernel.verify();
  });

  it("are each a hit or a miss, whatever is read in which order", () => {
    const ranges = fc.array(fc.tuple(fc.nat(63), fc.integer({ min: 1, max: 64 })), { maxLength: 20 });
    fc.assert(
      fc.property(ranges, fc.boolean(), (reads, hasReadahead) => {
        const all = scene(64 * PAGE, { hasReadahead });
        let nrCopied = 0;
        for (const [index, nr] of reads) nrCopied += pread(all, index, nr) / PAGE;
        const [hit, miss, ahead] = pages(all);
        assert.equal(hit + miss, nrCopied);
        assert.equal(miss + ahead, all.fs.kernel.vmstat().nr_file_pages);
        assert.equal(calls(all)[1], (miss + ahead) * PAGE);
        all.fs.kernel.verify();
        all.fs.kernel.destroy();
      }),
      { numRuns: 100, ...(process.env.FOLIOFS_SEED && { seed: Number(process.env.FOLIOFS_SEED) }) },
    );
  });
});

describe("calls of the store", () => {
  it("that read count what they have brought, at once or later, and nothing where they fail", async () => {
    for (const isAsync of [false, true]) {
      const all = scene(2 * PAGE + 5, { isAsync });
      const read = all.fs.promises.readFile("/m/file");
      await settled();
      assert.equal(calls(all)[1], isAsync ? 0 : 2 * PAGE + 5);
      await all.store.answerAll();
      assert.equal((await read).length, 2 * PAGE + 5);
      assert.deepEqual(calls(all), [1, 2 * PAGE + 5, 0, 0]);
      assert.equal(all.fs.kernel.vmstat().pgpgin, 8);
      all.fs.kernel.verify();
    }
    const broken = scene(PAGE);
    broken.store.verdict = () => -EIO;
    assert.throws(() => pread(broken, 0), { code: "EIO" });
    assert.deepEqual(calls(broken), [2, 0, 0, 0]); // readahead, then readPage
    broken.fs.kernel.verify();
  });

  it("count what a write has to know of a page", () => {
    const all = scene(PAGE);
    all.fs.writeSync(all.fd, Buffer.from("x"), 0, 1, 5);
    assert.deepEqual(calls(all), [1, PAGE, 0, 0]);
    all.fs.kernel.verify();
  });

  it("that write count what the store has taken, of each call", () => {
    const store = new MockBacking({});
    const fd = store.open("f");
    store.dirty(fd, 0, 4);
    store.verdict = (_what, bytes) => Math.min(bytes, 3 * PAGE);
    store.fs.fsyncSync(fd);
    assert.deepEqual(calls(store), [0, 0, 2, 4 * PAGE]);
    assert.equal(store.fs.kernel.vmstat().pgpgout, 16);
    store.dirty(fd, 0);
    store.verdict = () => -EIO;
    assert.throws(() => store.fs.fsyncSync(fd), { code: "EIO" });
    assert.deepEqual(calls(store), [0, 0, 3, 4 * PAGE]);
    store.fs.kernel.verify();
  });

  it("that put a page off have written nothing", () => {
    const store = new MockBacking({ isByPage: true });
    const fd = store.open("f");
    store.dirty(fd, 0);
    store.verdict = () => AOP_WRITEPAGE_ACTIVATE;
    store.fs.fsyncSync(fd);
    assert.deepEqual(calls(store), [0, 0, 1, 0]);
    store.fs.kernel.verify();
  });

  it("of several devices are added up", () => {
    const all = scene(PAGE);
    all.fs.mkdirSync("/n");
    all.fs.kernel.mount({ type: "mockfs", target: "/n" });
    for (const path of ["/m/file", "/n/file"]) all.fs.readFileSync(path);
    assert.deepEqual(
      all.fs.kernel.bdi.map(({ reads }) => reads),
      [1, 1],
    );
    const { store_reads, store_writes, pgpgin, pgpgout } = all.fs.kernel.vmstat();
    assert.deepEqual([store_reads, store_writes, pgpgin, pgpgout], [2, 0, 8, 0]);
  });
});

it("counters of stores are not there without a device", () => {
  const { kernel } = createFsSync();
  assert.deepEqual(
    Object.keys(kernel.vmstat()).filter((name) => /^(store_|pgcache_|pgpg)/.test(name)),
    [],
  );
});
