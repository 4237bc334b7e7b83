/** Writing back the pages of a file: what the store is asked for, in which pieces, and when it comes to an end. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EAGAIN, EINVAL } from "../../../src/base/errno.ts";
import { AOP_WRITEPAGE_ACTIVATE, WB_SYNC_ALL } from "../../../src/mm/address-space.ts";
import { pageFlags } from "../../../src/mm/page.ts";
import { cancelDirtyPage, redirtyPageForWritepage, setPageDirty } from "../../../src/mm/page-dirty.ts";
import {
  filemapFlushRange,
  filemapWriteAndWaitRange,
  SYNC_FILE_RANGE_WAIT_AFTER,
  SYNC_FILE_RANGE_WAIT_BEFORE,
  SYNC_FILE_RANGE_WRITE,
  syncFileRange,
  waitForStablePage,
} from "../../../src/mm/writeback.ts";
import { syncfs } from "../../../src/vfs/generic-fsync.ts";
import { AS_NO_ACCOUNTING, PG_DIRTY, PG_UPTODATE, PG_WRITEBACK } from "../../../src/wasm/layout.ts";
import { MockBacking, PAGE, turn } from "../../helpers/mock-backing.ts";

const EVERYTHING = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

function frameOf(store: MockBacking, fd: number, index: number): number {
  return store.kernel.core.x.findPage(store.inodeOf(fd), index);
}

describe("neighbours", () => {
  it("that are dirty, 64 of them, are one call of the store", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    store.dirty(fd, 0, 64);
    store.fs.fsyncSync(fd);
    assert.equal(store.takeLog(), "f 0+64");
    assert.deepEqual(store.files.get("f"), Buffer.alloc(64 * PAGE, 65));
  });

  it("with clean pages or holes between them are a call each, whatever the order they became dirty in", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    for (const index of [70, 3, 2, 9, 68, 1, 8, 69]) store.dirty(fd, index);
    store.fs.fsyncSync(fd);
    assert.equal(store.takeLog(), "f 1+3, f 8+2, f 68+3");
    store.dirty(fd, 2);
    store.fs.fdatasyncSync(fd);
    assert.equal(store.takeLog(), "f 2+1");
  });

  it("of every length are taken as written when the store says so: no count of bytes is an answer of another kind", () => {
    const store = new MockBacking({ fs: { memoryLimit: 128 * 2 ** 20 } });
    const fd = store.open("f");
    for (let nr = 1; nr <= 1024; nr++) {
      store.dirty(fd, 0, nr);
      store.fs.fsyncSync(fd);
      assert.equal(store.bdi.numbers().dirty, 0, `${nr} pages`);
    }
  });

  it("are written one by one by a store that has writePage alone", () => {
    const store = new MockBacking({ isByPage: true });
    const fd = store.open("f");
    store.dirty(fd, 0, 3);
    store.fs.fsyncSync(fd);
    assert.equal(store.takeLog(), "f 0+1, f 1+1, f 2+1");
  });

  it("reach the store with all their bytes, whatever is dirty, and however little it takes at a time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 30 }),
        fc.nat(PAGE - 1),
        fc.boolean(),
        fc.nat(3),
        async (indexes, tail, isAsync, every) => {
          const store = new MockBacking({ isAsync });
          const fd = store.open("f");
          const last = Math.max(...indexes);
          const size = last * PAGE + 1 + tail;
          for (const index of indexes) store.dirty(fd, index, 1, 1 + index, size);
          let call = 0;
          // Short answers now and then: the rest is asked for.
          store.verdict = (_what, bytes) => (every && call++ % (every + 1) === 0 ? Math.ceil(bytes / 2) : bytes);
          const model = Buffer.alloc(size);
          for (const index of indexes) model.fill(1 + index, index * PAGE, Math.min(size, (index + 1) * PAGE));
          const synced = store.fs.kernel.syncAsync();
          await store.answerAll();
          for (let i = 0; i < 40; i++) await store.answerAll();
          await synced;
          assert.deepEqual(store.files.get("f"), model);
          assert.equal(store.bdi.numbers().dirty + store.bdi.nrWriteback, 0);
          store.fs.kernel.verify();
          store.fs.kernel.destroy();
        },
      ),
      { numRuns: 40, ...(process.env.FOLIOFS_SEED && { seed: Number(process.env.FOLIOFS_SEED) }) },
    );
  });
});

describe("the end of a file", () => {
  it("ends the last page, of which zeros are what is behind", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    store.dirty(fd, 0, 2, 66, PAGE + 10);
    store.fs.fsyncSync(fd);
    assert.deepEqual(store.files.get("f"), Buffer.alloc(PAGE + 10, 66));
    const frame = frameOf(store, fd, 1) * PAGE;
    assert.ok(store.kernel.core.u8.subarray(frame + 10, frame + PAGE).every((byte) => byte === 0));
  });

  it("is where writing stops: pages behind it are clean, and not written", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    store.dirty(fd, 0, 4, 66, PAGE);
    store.fs.fsyncSync(fd);
    assert.equal(store.takeLog(), "f 0+1");
    assert.equal(store.bdi.numbers().dirty, 0);
    assert.equal(store.bdi.numbers().cancelled, 3);
  });
});

describe("a sync ends while writers go on", () => {
  it("behind it: a file that grows by each page that is written", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    store.dirty(fd, 0, 3);
    let next = 3;
    store.onWrite = () => {
      if (next < 1000) store.dirty(fd, next++);
    };
    store.fs.fsyncSync(fd);
    assert.equal(store.takeLog(), "f 0+3");
    assert.equal(store.bdi.numbers().dirty, 1);
    store.onWrite = undefined;
  });

  it("and begins no page anew that becomes dirty while it waits", async () => {
    const store = new MockBacking({ isAsync: true });
    const fd = store.open("f");
    store.dirty(fd, 0, 3);
    store.dirty(fd, 9);
    let done = false;
    const synced = store.fs.promises.open("/m/f", "r+").then(async (handle) => {
      await handle.sync();
      done = true;
      await handle.close();
    });
    await turn();
    await turn();
    assert.equal(store.takeLog(), "f 0+3, f 9+1");
    store.dirty(fd, 1); // it is under writeback, and dirty again
    store.dirty(fd, 20);
    await store.answer();
    await store.answer();
    await turn();
    await turn();
    assert.equal(done, true);
    await synced;
    assert.equal(store.takeLog(), "");
    assert.equal(store.bdi.numbers().dirty, 2);
    store.fs.kernel.verify();
  });

  it("nor any that becomes dirty ahead of it, while it waits for a page in somebody's hand", async () => {
    const store = new MockBacking({ isAsync: true });
    const fd = store.open("f");
    store.dirty(fd, 5);
    filemapFlushRange(store.kernel, store.inodeOf(fd), 0, Infinity);
    store.dirty(fd, 5, 1, 70);
    store.dirty(fd, 0);
    store.takeLog();
    const synced = new Promise<void>((resolve, reject) =>
      store.fs.fsync(fd, (error) => (error ? reject(error) : resolve())),
    );
    assert.equal(store.takeLog(), "f 0+1");
    store.dirty(fd, 8);
    await store.answerAll();
    await synced;
    assert.equal(store.takeLog(), "f 5+1");
    assert.equal(store.files.get("f")?.[5 * PAGE], 70);
    assert.equal(store.bdi.numbers().dirty, 1);
  });

  it("of all files, too, though each write makes another file dirty", async () => {
    const store = new MockBacking({ isAsync: true });
    const fds = Array.from({ length: 5 }, (_, i) => store.open(`f${i}`));
    for (const fd of fds) store.dirty(fd, 0);
    let writes = 0;
    store.onWrite = () => store.dirty(fds[writes++ % 5], writes);
    let done = false;
    const synced = store.fs.kernel.syncAsync().then(() => {
      done = true;
    });
    for (let i = 0; i < 30 && !done; i++) await store.answer();
    await synced;
    assert.ok(writes <= 10, `${writes} writes`);
    store.onWrite = undefined;
  });
});

describe("a page that somebody has in hand", () => {
  it("is waited for by who syncs, and left alone by who does not", async () => {
    const store = new MockBacking({ isAsync: true });
    const fd = store.open("f");
    store.dirty(fd, 0, 2);
    const { kernel } = store;
    const inode = store.inodeOf(fd);
    assert.equal(filemapFlushRange(kernel, inode, 0, Infinity), 0);
    assert.equal(store.takeLog(), "f 0+2");
    store.dirty(fd, 0, 1, 70);
    filemapFlushRange(kernel, inode, 0, Infinity);
    assert.equal(store.takeLog(), "", "under writeback");
    assert.equal(filemapWriteAndWaitRange(kernel, inode, 0, Infinity), -EAGAIN);
    assert.equal(store.takeLog(), "");
    const token = kernel.takeWaitToken();
    await store.answerAll();
    await token;
    assert.equal(filemapWriteAndWaitRange(kernel, inode, 0, Infinity), -EAGAIN);
    assert.equal(store.takeLog(), "f 0+1");
    await store.answerAll();
    assert.equal(filemapWriteAndWaitRange(kernel, inode, 0, Infinity), 0);
    assert.equal(store.files.get("f")?.[0], 70);
  });

  it("because it is locked is as well", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    store.dirty(fd, 0, 3);
    const { kernel } = store;
    const inode = store.inodeOf(fd);
    const pfn = frameOf(store, fd, 1);
    kernel.core.x.tryLockPage(pfn);
    filemapFlushRange(kernel, inode, 0, Infinity);
    assert.equal(store.takeLog(), "f 0+1, f 2+1");
    assert.equal(filemapWriteAndWaitRange(kernel, inode, 0, Infinity), -EAGAIN);
    kernel.core.x.unlockPage(pfn);
    assert.equal(filemapWriteAndWaitRange(kernel, inode, 0, Infinity), 0);
    assert.equal(store.takeLog(), "f 1+1");
  });

  it("may change meanwhile, unless the store wants stable pages", async () => {
    for (const stablePages of [false, true]) {
      const store = new MockBacking({ isAsync: true, bdi: { stablePages } });
      const fd = store.open("f");
      store.dirty(fd, 0);
      const inode = store.inodeOf(fd);
      filemapFlushRange(store.kernel, inode, 0, Infinity);
      assert.equal(waitForStablePage(store.kernel, inode, frameOf(store, fd, 0)), stablePages ? -EAGAIN : 0);
      await store.answerAll();
      assert.equal(waitForStablePage(store.kernel, inode, frameOf(store, fd, 0)), 0);
    }
  });
});

describe("a page that cannot be written now", () => {
  it("stays dirty: AOP_WRITEPAGE_ACTIVATE", () => {
    const store = new MockBacking({ isByPage: true });
    const fd = store.open("f");
    store.dirty(fd, 0, 2);
    store.verdict = (what, bytes) => (what === "f 0+1" ? AOP_WRITEPAGE_ACTIVATE : bytes);
    store.fs.fsyncSync(fd);
    assert.deepEqual([pageFlags(store.kernel.core, frameOf(store, fd, 0)) & (PG_DIRTY | PG_WRITEBACK)], [PG_DIRTY]);
    assert.equal(store.bdi.numbers().dirty, 1);
    assert.equal(store.bdi.numbers().written, 1);
    store.verdict = undefined;
    store.fs.fsyncSync(fd);
    assert.equal(store.bdi.numbers().dirty, 0);
  });

  it("and is given back by redirtyPageForWritepage() counts as neither written nor newly dirty", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    store.dirty(fd, 0, 4);
    store.verdict = (_what, bytes, control, wbc) => {
      for (const pfn of control.pfns) redirtyPageForWritepage(store.kernel, wbc, control.inode, pfn);
      return bytes;
    };
    filemapFlushRange(store.kernel, store.inodeOf(fd), 0, Infinity);
    assert.deepEqual(store.bdi.numbers(), {
      name: store.bdi.name,
      dirty: 4,
      writeback: 0,
      dirtied: 4,
      written: 0,
      cancelled: 0,
      reads: 0,
      readBytes: 0,
      writes: 1,
      writtenBytes: 4 * PAGE,
    });
    store.verdict = undefined;
    store.fs.kernel.sync();
    assert.equal(store.bdi.numbers().written, 4);
  });

  it("since the store is busy is EAGAIN for who syncs, and written when it is asked for again", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    store.dirty(fd, 0, 4);
    store.verdict = () => -EAGAIN;
    assert.throws(() => store.fs.fsyncSync(fd), { code: "EAGAIN" });
    assert.equal(store.bdi.numbers().dirty, 4);
    store.verdict = undefined;
    store.fs.fsyncSync(fd);
    assert.deepEqual(store.files.get("f"), Buffer.alloc(4 * PAGE, 65));
  });
});

describe("sync_file_range", () => {
  it("writes the range and nothing else, and no attributes", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    store.dirty(fd, 0, 8);
    store.dirtyInode(fd);
    const file = store.fileOf(fd);
    assert.equal(syncFileRange(store.kernel, file, 2 * PAGE, 3 * PAGE, EVERYTHING), 0);
    assert.equal(store.takeLog(), "f 2+3");
    assert.equal(syncFileRange(store.kernel, file, 6 * PAGE, 0, SYNC_FILE_RANGE_WRITE), 0);
    assert.equal(store.takeLog(), "f 6+2");
    assert.equal(syncFileRange(store.kernel, file, 0, 0, 8), -EINVAL);
    assert.equal(syncFileRange(store.kernel, file, -1, 0, 0), -EINVAL);
  });

  it("waits where its flags say so", async () => {
    const store = new MockBacking({ isAsync: true });
    const fd = store.open("f");
    store.dirty(fd, 0, 2);
    const { kernel } = store;
    const file = store.fileOf(fd);
    assert.equal(syncFileRange(kernel, file, 0, 0, SYNC_FILE_RANGE_WRITE), 0);
    assert.equal(syncFileRange(kernel, file, 0, 0, SYNC_FILE_RANGE_WRITE), 0);
    assert.equal(syncFileRange(kernel, file, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE), -EAGAIN);
    let done = false;
    const waited = store.fs.kernel
      .callFile(fd, (k, f) => syncFileRange(k, f, 0, 0, EVERYTHING))
      .then(() => {
        done = true;
      });
    await turn();
    assert.equal(done, false);
    await store.answerAll();
    await waited;
    assert.equal(store.takeLog(), "f 0+2");
    await assert.rejects(store.fs.kernel.callFile(999, syncfs), { code: "EBADF" });
  });
});

describe("counters", () => {
  it("of a device and in all say what is dirty, on its way, written and cancelled", async () => {
    const store = new MockBacking({ isAsync: true, bdi: { name: "disk" } });
    const fd = store.open("f");
    store.dirty(fd, 0, 5);
    cancelDirtyPage(store.kernel, store.inodeOf(fd), frameOf(store, fd, 4));
    assert.equal(store.fs.kernel.vmstat().nr_dirty, 4);
    filemapFlushRange(store.kernel, store.inodeOf(fd), 0, Infinity);
    const stat = store.fs.kernel.vmstat();
    assert.deepEqual([stat.nr_dirty, stat.nr_writeback, stat.nr_dirtied, stat.nr_written], [0, 4, 5, 0]);
    await store.answerAll();
    assert.deepEqual(store.fs.kernel.bdi, [
      {
        name: "disk",
        dirty: 0,
        writeback: 0,
        dirtied: 5,
        written: 4,
        cancelled: 1,
        reads: 0,
        readBytes: 0,
        writes: 1,
        writtenBytes: 4 * PAGE,
      },
    ]);
  });

  it("know nothing of a class without accounting, nor lists", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    const inode = store.inodeOf(fd);
    store.kernel.core.x.setMappingClass(inode, AS_NO_ACCOUNTING);
    const pfn = store.kernel.core.x.findOrCreatePage(inode, 0);
    assert.equal(setPageDirty(store.kernel, inode, pfn), true);
    assert.equal(setPageDirty(store.kernel, inode, pfn), false);
    assert.equal(store.bdi.hasDirtyInodes, false);
    assert.equal(store.bdi.nrDirtied, 0);
  });
});

describe("fsync", () => {
  it("writes pages first, then the inode, and fdatasync leaves times alone", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    store.dirty(fd, 0);
    store.dirtyInode(fd);
    store.fs.fdatasyncSync(fd);
    assert.equal(store.takeLog(), "f 0+1");
    store.fs.fsyncSync(fd);
    assert.equal(store.takeLog(), "inode f");
    assert.equal(store.controls[0].syncMode, WB_SYNC_ALL);
    assert.equal(store.bdi.hasDirtyInodes, false);
  });

  it("of a store that takes time is EAGAIN, or waits, by callback and by promise", async () => {
    const store = new MockBacking({ isAsync: true });
    const fd = store.open("f");
    store.dirty(fd, 0);
    assert.throws(() => store.fs.fsyncSync(fd), { code: "EAGAIN" });
    const called = new Promise<void>((resolve, reject) =>
      store.fs.fsync(fd, (error) => (error ? reject(error) : resolve())),
    );
    await store.answerAll();
    await called;
    store.fs.fsyncSync(fd);
    assert.equal(store.takeLog(), "f 0+1");
    assert.ok(pageFlags(store.kernel.core, frameOf(store, fd, 0)) & PG_UPTODATE);
  });
});
