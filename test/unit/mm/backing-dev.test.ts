/** Backing devices: which inodes are on their lists, who writes them unasked and when, and that nothing is forgotten at the end. */
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, it, vi } from "vitest";
import { EIO } from "../../../src/base/errno.ts";
import type { InodeHandle } from "../../../src/base/handles.ts";
import { BackingDevice } from "../../../src/mm/backing-dev.ts";
import { balanceDirtyPages } from "../../../src/mm/balance.ts";
import { dirtyLimits, writeBackNow } from "../../../src/vfs/super-bdi.ts";
import { INODE_IO_NEXT, INODE_IO_PREV } from "../../../src/wasm/layout.ts";
import { MockBacking, PAGE, sleep, turn } from "../../helpers/mock-backing.ts";
import { outcomeOf } from "../../helpers/subject.ts";

/** A store whose clock the test moves, and whose flusher comes by every 10 ms. */
function clocked(options: ConstructorParameters<typeof MockBacking>[0] = {}): {
  store: MockBacking;
  pass(ms: number): void;
} {
  let ms = 1e12;
  const store = new MockBacking({ ...options, fs: { now: () => ms } });
  dirtyLimits(store.kernel).dirty_writeback_centisecs = 1;
  return { store, pass: (by) => (ms += by) };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !isTrue(); i++) await sleep(5);
  assert.ok(isTrue(), "waited in vain");
}

describe("the flusher", () => {
  it("writes what is old enough, and nothing before", async () => {
    const { store, pass } = clocked();
    const [old, young] = [store.open("old"), store.open("young")];
    store.dirty(old, 0);
    pass(20_000);
    store.dirty(young, 0);
    await sleep(50);
    assert.equal(store.takeLog(), "");
    pass(10_001);
    await until(() => store.log.length > 0);
    await sleep(30);
    assert.equal(store.takeLog(), "old 0+1");
    assert.equal(store.controls[0].forKupdate, true);
    pass(20_000);
    await until(() => store.log.length > 0);
    assert.equal(store.takeLog(), "young 0+1");
  });

  it("counts from the first write, not from the last: who writes all the time is written, too", async () => {
    const { store, pass } = clocked();
    const fd = store.open("f");
    for (let i = 0; i < 31; i++) {
      store.dirty(fd, i);
      pass(1000);
    }
    await until(() => store.log.length > 0);
    assert.equal(store.takeLog(), "f 0+31");
  });

  it("writes old attributes as well", async () => {
    const { store, pass } = clocked();
    store.dirtyInode(store.open("f"));
    pass(30_001);
    await until(() => store.log.length > 0);
    assert.equal(store.takeLog(), "inode f");
    assert.equal(store.bdi.hasDirtyInodes, false);
  });

  it("writes what is too much, whatever its age, down to the limit", async () => {
    const { store } = clocked();
    const limits = dirtyLimits(store.kernel);
    limits.dirty_background_bytes = 8 * PAGE;
    limits.dirty_bytes = 1000 * PAGE;
    const [a, b] = [store.open("a"), store.open("b")];
    store.dirty(a, 0, 6);
    assert.equal(balanceDirtyPages(store.kernel, store.inodeOf(a)), 0);
    await sleep(30);
    assert.equal(store.takeLog(), "", "below it");
    store.dirty(b, 0, 6);
    balanceDirtyPages(store.kernel, store.inodeOf(b));
    assert.equal(store.takeLog(), "", "beside the program, not within it");
    await until(() => store.log.length > 0);
    assert.equal(store.takeLog(), "a 0+6");
    assert.equal(store.controls[0].forBackground, true);
    assert.equal(store.bdi.numbers().dirty, 6);
  });

  it("works in slices: between them the program has its turn", async () => {
    const { store, pass } = clocked();
    const fds = Array.from({ length: 30 }, (_, i) => store.open(`f${i}`));
    for (const fd of fds) store.dirty(fd, 0);
    store.onWrite = () => {
      for (const end = performance.now() + 1; performance.now() < end; );
    };
    pass(30_001);
    let mostAtOnce = 0;
    for (let before = 0; store.log.length < 30; before = store.log.length) {
      await turn();
      mostAtOnce = Math.max(mostAtOnce, store.log.length - before);
    }
    assert.ok(mostAtOnce <= 5, `${mostAtOnce} writes of 1 ms at once`);
  });

  it("is off with dirty_writeback_centisecs of 0, and does not spin with a store that fails", async () => {
    const { store, pass } = clocked();
    dirtyLimits(store.kernel).dirty_writeback_centisecs = 0;
    const fd = store.open("f");
    store.dirty(fd, 0);
    pass(100_000);
    await sleep(40);
    assert.equal(store.takeLog(), "");
    dirtyLimits(store.kernel).dirty_writeback_centisecs = 1;
    store.inodeVerdict = -EIO;
    store.dirtyInode(fd);
    await until(() => store.log.length > 0);
    await sleep(60);
    assert.equal(store.takeLog(), "f 0+1, inode f");
    store.inodeVerdict = 0;
  });

  it("leaves fake timers of a test alone, and they leave it", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { store, pass } = clocked();
      store.dirty(store.open("f"), 0);
      assert.equal(vi.getTimerCount(), 0);
      pass(30_001);
      for (const end = performance.now() + 500; store.log.length === 0 && performance.now() < end; ) await turn();
      assert.equal(store.takeLog(), "f 0+1");
    } finally {
      vi.useRealTimers();
    }
  });

  it("leaves an inode that goes, whose pages the store is writing, to its end", async () => {
    const { store, pass } = clocked({ isAsync: true });
    const other = store.open("other");
    const fd = store.open("f");
    store.dirty(fd, 0, 2, 70);
    store.dirtyInode(fd);
    store.fs.closeSync(fd);
    store.kernel.dropDentries();
    await turn();
    assert.equal(store.takeLog(), "f 0+2");
    store.dirty(other, 0);
    pass(30_001);
    await until(() => store.log.length > 0); // it has come by
    await sleep(30);
    assert.equal(store.takeLog(), "other 0+1");
    store.kernel.verify();
    await store.answerAll();
    assert.equal(store.takeLog(), "inode f");
    assert.deepEqual(store.files.get("f"), Buffer.alloc(2 * PAGE, 70));
    assert.equal(store.bdi.hasDirtyInodes, false);
    assert.equal(store.fs.kernel.vmstat().end_failed, 0);
    store.kernel.verify();
  });

  it("does nothing after umount, restore and destroy", async () => {
    const { store, pass } = clocked();
    store.dirty(store.open("f"), 0);
    assert.equal(store.fs.kernel.destroy().dirtyPages, 1);
    pass(100_000);
    await sleep(40);
    assert.equal(store.takeLog(), "");
    const other = clocked();
    const bytes = other.store.fs.kernel.snapshot();
    other.store.dirty(other.store.open("f"), 0);
    other.store.fs.kernel.restore(bytes);
    other.pass(100_000);
    await sleep(40);
    assert.deepEqual(other.store.fs.kernel.bdi, []);
    other.store.fs.kernel.verify();
  });
});

describe("lists of dirty inodes", () => {
  it("give one up without a look at the others, wherever it is", () => {
    const nr = 1000;
    let nrReads = 0;
    const u32 = new Proxy(new Uint32Array((nr + 1) * 8 + INODE_IO_PREV + INODE_IO_NEXT), {
      get(words, key) {
        nrReads++;
        return words[key as unknown as number];
      },
    });
    const bdi = new BackingDevice({ cache: { core: { u32 } } } as never, {} as never, "test", {});
    const inodes = Array.from({ length: nr }, (_, i) => (i + 1) as InodeHandle);
    for (const inode of inodes) bdi.dirty.addHead(inode);
    nrReads = 0;
    const moved = [1, nr / 2, nr] as InodeHandle[];
    for (const inode of moved) bdi.moveTo(bdi.io, inode);
    bdi.moveTo(bdi.moreIo, moved[1]);
    bdi.forget(2 as InodeHandle);
    assert.ok(nrReads < 100, `${nrReads} words were looked at`);

    const rest = inodes.filter((inode) => inode !== 2 && !moved.includes(inode));
    assert.deepEqual(bdi.dirtyInodes(), [moved[0], moved[2], moved[1], ...rest]);
  });
});

describe("a writer above the limit", () => {
  it("writes itself, where the store answers at once", () => {
    const { store } = clocked();
    const limits = dirtyLimits(store.kernel);
    limits.dirty_bytes = 16 * PAGE;
    const [a, b] = [store.open("a"), store.open("b")];
    store.dirty(a, 0, 10);
    store.dirty(b, 0, 10);
    assert.equal(balanceDirtyPages(store.kernel, store.inodeOf(b)), 0);
    assert.equal(store.takeLog(), "a 0+10");
  });

  it("waits where it may and the store takes time, and else goes on", async () => {
    const { store } = clocked({ isAsync: true });
    dirtyLimits(store.kernel).dirty_bytes = 4 * PAGE;
    const fd = store.open("f");
    store.dirty(fd, 0, 10);
    assert.equal(balanceDirtyPages(store.kernel, store.inodeOf(fd)), 0);
    assert.equal(store.takeLog(), "f 0+10");
    let done = false;
    const balanced = store.fs.kernel
      .callFile(fd, (kernel) => balanceDirtyPages(kernel, store.inodeOf(fd)))
      .then(() => {
        done = true;
      });
    await turn();
    assert.equal(done, false);
    await store.answerAll();
    await balanced;
  });

  it("is none on a device that is not accounted for, or not written back", () => {
    for (const bdi of [{ noAccounting: true }, { noWriteback: true }]) {
      const { store } = clocked({ bdi });
      dirtyLimits(store.kernel).dirty_bytes = 4 * PAGE;
      const fd = store.open("f");
      store.dirty(fd, 0, 10);
      assert.equal(balanceDirtyPages(store.kernel, store.inodeOf(fd)), 0);
      assert.equal(store.takeLog(), "");
    }
  });
});

describe("vm", () => {
  it("has Linux's defaults, of bytes and ratio one, and refuses nonsense", () => {
    const { fs, kernel } = new MockBacking();
    const vm = dirtyLimits(kernel);
    assert.equal(fs.kernel.vm, vm);
    assert.deepEqual(
      [vm.dirty_background_ratio, vm.dirty_ratio, vm.dirty_expire_centisecs, vm.dirty_writeback_centisecs],
      [10, 20, 3000, 500],
    );
    vm.dirty_bytes = 3 * PAGE;
    assert.deepEqual([vm.dirty_bytes, vm.dirty_ratio], [3 * PAGE, 0]);
    vm.dirty_ratio = 5;
    assert.deepEqual([vm.dirty_bytes, vm.dirty_ratio], [0, 5]);
    vm.dirty_background_bytes = 1;
    assert.deepEqual([vm.dirty_background_bytes, vm.dirty_background_ratio], [1, 0]);
    for (const bytes of [1, PAGE, -1, 1.5, Number.NaN]) assert.throws(() => (vm.dirty_bytes = bytes), RangeError);
    for (const ratio of [-1, 101, 0.5]) assert.throws(() => (vm.dirty_ratio = ratio), RangeError);
    assert.throws(() => (vm.dirty_expire_centisecs = -1), RangeError);
  });

  it("is what it was after a restore", () => {
    const { fs, kernel } = new MockBacking();
    dirtyLimits(kernel).dirty_bytes = 10 * PAGE;
    fs.kernel.restore(fs.kernel.snapshot());
    assert.equal(fs.kernel.vm?.dirty_bytes, 10 * PAGE);
  });

  it("keeps the background limit below the other, and counts percents of what could be dirty", () => {
    const { kernel } = new MockBacking();
    const vm = dirtyLimits(kernel);
    vm.dirty_bytes = 10 * PAGE;
    vm.dirty_background_bytes = 20 * PAGE;
    assert.deepEqual(vm.thresholds(kernel.core), { limit: 10, background: 5 });
    vm.dirty_ratio = 50;
    vm.dirty_background_ratio = 25;
    const { limit, background } = vm.thresholds(kernel.core);
    const frames = (64 * 2 ** 20) / PAGE;
    assert.ok(limit > frames * 0.4 && limit <= frames / 2, `${limit} of ${frames}`);
    assert.ok(Math.abs(background * 2 - limit) <= 1);
  });
});

describe("nothing is lost", () => {
  for (const isAsync of [false, true]) {
    const when = isAsync ? "later" : "at once";

    it(`by umount, of a store that answers ${when}`, async () => {
      const store = new MockBacking({ isAsync });
      const fd = store.open("f");
      store.dirty(fd, 0, 3);
      store.dirtyInode(fd);
      store.fs.closeSync(fd);
      const unmounted = isAsync ? store.fs.kernel.umountAsync("/m") : store.fs.kernel.umount("/m");
      for (let i = 0; i < 5; i++) await store.answerAll();
      await unmounted;
      assert.deepEqual(store.files.get("f"), Buffer.alloc(3 * PAGE, 65));
      assert.equal(store.takeLog(), "f 0+3, inode f");
      assert.equal(store.kernel.bdis.size, 0);
      assert.equal(store.fs.kernel.vmstat().nr_dirty, 0);
    });

    it(`by an inode that goes for want of memory, of a store that answers ${when}`, async () => {
      const store = new MockBacking({ isAsync });
      const fd = store.open("f");
      store.dirty(fd, 0, 3);
      store.dirtyInode(fd);
      store.fs.closeSync(fd);
      store.fs.kernel.dropCaches(2);
      for (let i = 0; i < 5; i++) await store.answerAll();
      assert.deepEqual(store.files.get("f"), Buffer.alloc(3 * PAGE, 65));
      assert.equal(store.takeLog(), "f 0+3, inode f");
      assert.equal(store.bdi.hasDirtyInodes, false);
      assert.equal(store.fs.kernel.vmstat().nr_dirty, 0);
      assert.equal(store.fs.kernel.vmstat().end_failed, 0);
    });
  }

  it("but what was removed: its pages are cancelled, and what is under way is waited for", async () => {
    const store = new MockBacking({ isAsync: true });
    const [f, g] = [store.open("f"), store.open("g")];
    store.dirty(f, 0, 3);
    store.fs.unlinkSync("/m/f");
    store.fs.closeSync(f);
    assert.equal(store.takeLog(), "");
    assert.equal(store.bdi.numbers().cancelled, 3);
    assert.equal(store.fs.kernel.vmstat().nr_dirty, 0);
    store.dirty(g, 0, 2);
    assert.equal(
      outcomeOf(() => store.fs.fsyncSync(g)),
      "EAGAIN",
    );
    store.fs.unlinkSync("/m/g");
    store.fs.closeSync(g);
    store.fs.kernel.verify();
    assert.equal(store.kernel.ends.size, 1);
    await store.answerAll();
    assert.equal(store.kernel.ends.size, 0);
    assert.deepEqual(store.fs.kernel.bdi, [
      {
        name: store.bdi.name,
        dirty: 0,
        writeback: 0,
        dirtied: 5,
        written: 2,
        cancelled: 3,
        reads: 0,
        readBytes: 0,
        writes: 1,
        writtenBytes: 2 * PAGE,
      },
    ]);
  });

  it("without a count: an inode that goes and cannot be written", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    store.dirty(fd, 0);
    store.verdict = () => -EIO;
    store.fs.closeSync(fd);
    store.fs.kernel.dropCaches(2);
    assert.equal(store.fs.kernel.vmstat().end_failed, 1);
  });

  it("at the end of the process, as far as the store answers at once", () => {
    const store = new MockBacking();
    store.dirty(store.open("f"), 0, 2);
    assert.equal(writeBackNow(store.kernel), 0);
    assert.equal(store.takeLog(), "f 0+2");
    const slow = new MockBacking({ isAsync: true });
    slow.dirty(slow.open("f"), 0, 2);
    assert.equal(writeBackNow(slow.kernel), 2);
    assert.equal(slow.fs.existsSync("/m/f"), true, "nobody is left with a token");
  });

  it("by remounting read-only", () => {
    const store = new MockBacking();
    const fd = store.open("f");
    store.dirty(fd, 0);
    store.fs.closeSync(fd);
    store.fs.kernel.mount({ target: "/m", flags: 32 | 1 });
    assert.equal(store.takeLog(), "f 0+1");
  });
});

describe("a process", () => {
  const run = (script: string): { out: string; ms: number } => {
    const start = performance.now();
    const helper = fileURLToPath(new URL("../../helpers/mock-backing.ts", import.meta.url));
    const core = fileURLToPath(new URL("../../../src/wasm/core-module.ts", import.meta.url));
    const wasm = fileURLToPath(new URL("../../../build/core-release.wasm", import.meta.url));
    const bdi = fileURLToPath(new URL("../../../src/vfs/super-bdi.ts", import.meta.url));
    const head = `
      import { readFileSync } from "node:fs";
      const { useCoreModule } = await import(${JSON.stringify(core)});
      useCoreModule(new WebAssembly.Module(readFileSync(${JSON.stringify(wasm)})), { shared: false });
      const { MockBacking } = await import(${JSON.stringify(helper)});
      const { dirtyLimits, writeBackNow } = await import(${JSON.stringify(bdi)});
      const store = new MockBacking();
    `;
    const out = execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", head + script], {
      encoding: "utf8",
      timeout: 50_000,
      cwd: fileURLToPath(new URL("../../..", import.meta.url)),
    });
    return { out, ms: performance.now() - start };
  };

  it("is not kept alive by its flusher, though much is dirty", () => {
    const { out } = run(`
      store.dirty(store.open("f"), 0, 5);
      process.on("exit", () => console.log(store.log.join() || "nothing", process.uptime() < 30));
      setTimeout(() => {}, 50);
    `);
    assert.equal(out.trim(), "nothing true");
  });

  it("is not kept alive by one that comes by once an hour either", () => {
    const { out } = run(`
      dirtyLimits(store.kernel).dirty_writeback_centisecs = 360000;
      store.dirty(store.open("f"), 0, 5);
      process.on("exit", (code) => console.log(code, store.bdi.numbers().dirty));
    `);
    assert.equal(out.trim(), "0 5");
  });

  it("that ends loses nothing which writeBackNow() is called for", () => {
    const { out } = run(`
      store.dirty(store.open("f"), 0, 5);
      process.on("exit", () => console.log(writeBackNow(store.kernel), store.log.join()));
    `);
    assert.equal(out.trim(), "0 f 0+5");
  });
});

describe("a large file", () => {
  it("takes turns with others, and goes on where it had stopped", async () => {
    const { store, pass } = clocked();
    const [large, small] = [store.open("large"), store.open("small")];
    store.dirty(large, 0, 2500);
    store.dirty(small, 0);
    pass(30_001);
    await until(() => store.log.length >= 4);
    assert.equal(store.takeLog(), "large 0+1024, small 0+1, large 1024+1024, large 2048+452");
    assert.equal(store.bdi.hasDirtyInodes, false);
  });
});
