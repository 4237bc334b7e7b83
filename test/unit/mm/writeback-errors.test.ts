/**
 * Errors of writeback, rule by rule of "Handling errors during writeback" (Linux Documentation/filesystems/vfs.rst): several
 * descriptors, opened before, during and after the failure.
 */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { EIO, ENOSPC } from "../../../src/base/errno.ts";
import { pageFlags } from "../../../src/mm/page.ts";
import { filemapCheckErrors } from "../../../src/mm/wb-err.ts";
import { filemapFlushRange, filemapWriteAndWaitRange } from "../../../src/mm/writeback.ts";
import { syncfs } from "../../../src/vfs/generic-fsync.ts";
import { PG_DIRTY, PG_UPTODATE } from "../../../src/wasm/layout.ts";
import { MockBacking, PAGE, turn } from "../../helpers/mock-backing.ts";
import { outcomeOf } from "../../helpers/subject.ts";

/** A store that fails, at once or later. */
function failing(isAsync: boolean, errno = EIO): MockBacking {
  const store = new MockBacking({ isAsync });
  store.verdict = () => -errno;
  return store;
}

/** Background writeback has tried, and failed. */
async function flush(store: MockBacking, fd: number): Promise<void> {
  filemapFlushRange(store.kernel, store.inodeOf(fd), 0, Infinity);
  await store.answerAll();
}

const fsync = (store: MockBacking, fd: number) => outcomeOf(() => store.fs.fsyncSync(fd));
const OK = outcomeOf(() => undefined);

for (const isAsync of [false, true]) {
  describe(`a failure of writeback, ${isAsync ? "later" : "at once"}`, () => {
    it("is told by the next fsync, once", async () => {
      const store = failing(isAsync);
      const fd = store.open("f");
      store.dirty(fd, 0);
      await flush(store, fd);
      assert.equal(fsync(store, fd), "EIO");
      assert.equal(fsync(store, fd), OK);
    });

    it("is told to each file that was open, synced by it or not, once each", async () => {
      const store = failing(isAsync);
      const fds = [store.open("f"), store.open("f"), store.open("f", "r")];
      store.dirty(fds[0], 0);
      await flush(store, fds[0]);
      assert.deepEqual(
        fds.map((fd) => fsync(store, fd)),
        ["EIO", "EIO", "EIO"],
      );
      assert.deepEqual(
        fds.map((fd) => fsync(store, fd)),
        [OK, OK, OK],
      );
    });

    it("is one for all descriptors of one open file", async () => {
      const store = failing(isAsync);
      const fd = store.open("f");
      const face = store.fs.kernel.task({ files: store.fs });
      store.dirty(fd, 0);
      await flush(store, fd);
      assert.equal(
        outcomeOf(() => face.fsyncSync(fd)),
        "EIO",
      );
      assert.equal(fsync(store, fd), OK);
    });

    it("is told to a file opened after it if nobody had seen it, and not if somebody had", async () => {
      const store = failing(isAsync);
      const before = store.open("f");
      store.dirty(before, 0);
      await flush(store, before);
      const unseen = store.open("f");
      assert.equal(fsync(store, unseen), "EIO");
      const seen = store.open("f");
      assert.equal(fsync(store, seen), OK);
      assert.equal(fsync(store, before), "EIO", "opened before: it has not been told");
      assert.equal(fsync(store, before), OK);
    });

    it("is told to a file opened while it was being written", async () => {
      const store = failing(true);
      const fd = store.open("f");
      store.dirty(fd, 0);
      filemapFlushRange(store.kernel, store.inodeOf(fd), 0, Infinity);
      const during = store.open("f");
      await store.answerAll();
      assert.equal(fsync(store, during), "EIO");
      assert.equal(fsync(store, fd), "EIO");
    });

    it("that comes again after it was told is told again", async () => {
      const store = failing(isAsync);
      const fds = [store.open("f"), store.open("f")];
      store.dirty(fds[0], 0);
      await flush(store, fds[0]);
      assert.equal(fsync(store, fds[0]), "EIO");
      store.dirty(fds[0], 0);
      await flush(store, fds[0]);
      assert.equal(fsync(store, fds[0]), "EIO");
      assert.equal(fsync(store, fds[1]), "EIO", "both are one for who has not looked meanwhile");
      assert.equal(fsync(store, fds[1]), OK);
    });

    it("is the last of several", async () => {
      const store = failing(isAsync);
      const fd = store.open("f");
      store.dirty(fd, 0);
      await flush(store, fd);
      store.verdict = () => -ENOSPC;
      store.dirty(fd, 0);
      await flush(store, fd);
      assert.equal(fsync(store, fd), "ENOSPC");
      assert.equal(fsync(store, fd), OK);
    });

    it("is not told by close, nor does a close take it from others", async () => {
      const store = failing(isAsync);
      const [fd, other] = [store.open("f"), store.open("f")];
      store.dirty(fd, 0);
      await flush(store, fd);
      store.fs.closeSync(fd);
      assert.equal(fsync(store, other), "EIO");
    });

    it("of one file is nothing to another", async () => {
      const store = failing(isAsync);
      const [fd, other] = [store.open("f"), store.open("g")];
      store.dirty(fd, 0);
      await flush(store, fd);
      assert.equal(fsync(store, other), OK);
      assert.equal(fsync(store, fd), "EIO");
    });

    it("leaves the page as it is: up to date, clean, to be read", async () => {
      const store = failing(isAsync);
      const fd = store.open("f");
      store.dirty(fd, 0, 1, 77);
      await flush(store, fd);
      const pfn = store.kernel.core.x.findPage(store.inodeOf(fd), 0);
      assert.equal(pageFlags(store.kernel.core, pfn) & (PG_UPTODATE | PG_DIRTY), PG_UPTODATE);
      assert.deepEqual(store.fs.readFileSync("/m/f"), Buffer.alloc(PAGE, 77));
      assert.equal(fsync(store, fd), "EIO", "reading tells nobody");
    });

    it("is told by the fsync that writes, too, once", async () => {
      const store = failing(isAsync);
      const [fd, other] = [store.open("f"), store.open("f")];
      store.dirty(fd, 0);
      const synced = new Promise<string>((resolve) => store.fs.fsync(fd, (error) => resolve(error?.code ?? OK)));
      await turn();
      await store.answerAll();
      assert.equal(await synced, "EIO");
      assert.equal(fsync(store, fd), OK);
      assert.equal(fsync(store, other), "EIO");
    });

    it("is told per super block by syncfs, which takes nothing from fsync", async () => {
      const store = failing(isAsync);
      const [f, g, h] = [store.open("f"), store.open("g"), store.open("h")];
      store.dirty(f, 0);
      await flush(store, f);
      const call = (fd: number) =>
        store.fs.kernel.callFile(fd, syncfs).then(
          () => OK,
          (error) => error.code,
        );
      assert.equal(await call(g), "EIO");
      assert.equal(await call(g), OK);
      assert.equal(await call(h), "EIO");
      assert.equal(await call(store.open("i")), OK, "opened after it was seen");
      assert.equal(fsync(store, f), "EIO");
    });

    it("is told to who has no file, once, apart from those who have", async () => {
      const store = failing(isAsync);
      const fd = store.open("f");
      const inode = store.inodeOf(fd);
      store.dirty(fd, 0);
      await flush(store, fd);
      assert.equal(filemapCheckErrors(store.kernel.core, inode), -EIO);
      assert.equal(filemapCheckErrors(store.kernel.core, inode), 0);
      assert.equal(fsync(store, fd), "EIO");
      store.dirty(fd, 0);
      await flush(store, fd);
      assert.equal(filemapWriteAndWaitRange(store.kernel, inode, 0, Infinity), -EIO);
      assert.equal(filemapWriteAndWaitRange(store.kernel, inode, 0, Infinity), 0);
    });
  });
}

describe("filemap_write_and_wait_range", () => {
  /** Page 0 fails at once, page 9 is under way. */
  function halfFailed(errno: number): { store: MockBacking; fd: number } {
    const store = new MockBacking({ isAsync: true });
    const fd = store.open("f");
    store.dirty(fd, 9);
    filemapFlushRange(store.kernel, store.inodeOf(fd), 0, Infinity);
    store.isAsync = false;
    store.verdict = (what, bytes) => (what === "f 0+1" ? -errno : bytes);
    store.dirty(fd, 0);
    return { store, fd };
  }

  it("does not wait for the rest when the store is broken", () => {
    const { store, fd } = halfFailed(EIO);
    assert.equal(fsync(store, fd), "EIO");
    assert.equal(store.pending.length, 1);
  });

  it("waits for the rest when there was no room", async () => {
    const { store, fd } = halfFailed(ENOSPC);
    assert.equal(fsync(store, fd), "EAGAIN");
    await store.answerAll();
    assert.equal(fsync(store, fd), "ENOSPC");
    assert.equal(fsync(store, fd), OK);
  });

  it("goes on behind a page that could not be written", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    for (const index of [0, 2, 4]) store.dirty(fd, index);
    store.verdict = (what, bytes) => (what === "f 2+1" ? -EIO : bytes);
    assert.equal(fsync(store, fd), "EIO");
    assert.equal(store.takeLog(), "f 0+1, f 2+1, f 4+1");
  });

  it("takes a store that writes nothing, or throws, for broken", async () => {
    for (const isAsync of [false, true]) {
      for (const verdict of [() => 0, () => assert.fail("broken")]) {
        const store = new MockBacking({ isAsync });
        const fd = store.open("f");
        store.dirty(fd, 0);
        store.verdict = verdict;
        await flush(store, fd);
        assert.equal(fsync(store, fd), "EIO");
      }
    }
  });
});
