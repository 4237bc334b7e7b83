/** Cached pages under a memory limit: what goes, what stays, what is written first, and what calls answer meanwhile. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import type { DiskNode } from "../../../src/fuzz/schedule/disk.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import type { AddressSpaceOperations } from "../../../src/mm/address-space.ts";
import { attachPagePrivate, detachPagePrivate, pageFlags } from "../../../src/mm/page.ts";
import { PG_ACTIVE, PG_REFERENCED } from "../../../src/wasm/layout.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { MockBacking, turn } from "../../helpers/mock-backing.ts";
import { inodeOf } from "../../helpers/mock-scene.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const LIMIT = 8 * 2 ** 20;
const LIMIT_PAGES = LIMIT / 4096;
const PAGE = 4096;

interface Machine {
  fs: FolioFs;
  store: FaultStore;
}

/** @param operations in place of the store's own, of pages */
function mounted(operations: AddressSpaceOperations = {}): Machine {
  const store = new FaultStore();
  const tables = store.type.tables.map((table) => ({ ...table, mapping: { ...table.mapping, ...operations } }));
  const fs = createFsSync({ memoryLimit: LIMIT, types: [{ ...store.type, tables }] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "heldfs", target: "/m" });
  return { fs, store };
}

/** A file of the store, each page of which says which it is. */
function addFile({ fs, store }: Machine, name: string, nrPages: number): DiskNode {
  fs.writeFileSync(`/m/${name}`, "");
  const node = store.at(name) as DiskNode;
  node.data = Buffer.alloc(nrPages * PAGE);
  for (let i = 0; i < nrPages; i++) node.data.writeUInt32LE(i + 1, i * PAGE);
  fs.kernel.sync();
  fs.kernel.dropCaches(3);
  return node;
}

function readPage(fs: FolioFs, fd: number, index: number): void {
  const four = Buffer.alloc(4);
  assert.equal(fs.readSync(fd, four, 0, 4, index * PAGE), 4);
  assert.equal(four.readUInt32LE(), index + 1);
}

/** Answers whatever waits, until `work` is over. */
async function answered<T>({ store }: Machine, work: Promise<T>): Promise<T> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  for (let i = 0; !isOver; i++) {
    await turn();
    if (store.waiting.length > 0) store.answer(0);
    assert.ok(i < 100_000, "nothing goes on");
  }
  return over;
}

function assertWithinLimit(fs: FolioFs): void {
  const { bytes_memory, nr_free_pages, nr_used_pages } = fs.kernel.vmstat();
  assert.ok(bytes_memory <= LIMIT);
  assert.equal(nr_used_pages + nr_free_pages, bytes_memory / PAGE);
}

describe("clean pages", () => {
  it("go when memory is full: 64 MiB are read within 8, and nearly all of them is cache", () => {
    const machine = mounted();
    const { fs } = machine;
    addFile(machine, "big", 8 * LIMIT_PAGES);
    const fd = fs.openSync("/m/big", "r");
    for (let i = 0; i < 8 * LIMIT_PAGES; i++) readPage(fs, fd, i);
    assertWithinLimit(fs);
    assert.ok(fs.kernel.vmstat().nr_inactive_file > LIMIT_PAGES * 0.9);
    fs.kernel.verify();
  });

  it("make room for data in memory, and for names; then it is full, and what goes makes room again", () => {
    const machine = mounted();
    const { fs } = machine;
    addFile(machine, "big", 2 * LIMIT_PAGES);
    const fd = fs.openSync("/m/big", "r");
    for (let i = 0; i < 2 * LIMIT_PAGES; i++) readPage(fs, fd, i);
    for (let i = 0; i < 1000; i++) fs.mkdirSync(`/d${i}`);
    fs.writeFileSync("/data", Buffer.alloc(6 * 2 ** 20, 1));
    assert.equal(fs.statSync("/data").size, 6 * 2 ** 20);
    assertWithinLimit(fs);
    assert.equal(
      outcomeOf(() => fs.writeFileSync("/more", Buffer.alloc(4 * 2 ** 20, 1))),
      "ENOSPC",
    );
    assert.equal(fs.kernel.vmstat().nr_file_pages - fs.kernel.vmstat().nr_unevictable, 0);
    fs.unlinkSync("/more");
    readPage(fs, fd, 7);
    fs.kernel.verify();
  });

  it("that are read twice outlast a scan", () => {
    const machine = mounted();
    const { fs, store } = machine;
    addFile(machine, "hot", 200);
    addFile(machine, "scan", 4 * LIMIT_PAGES);
    const [hot, scan] = [fs.openSync("/m/hot", "r"), fs.openSync("/m/scan", "r")];
    for (let round = 0; round < 3; round++) for (let i = 0; i < 200; i++) readPage(fs, hot, i);
    assert.equal(fs.kernel.vmstat().nr_active_file, 200);
    for (let i = 0; i < 4 * LIMIT_PAGES; i++) readPage(fs, scan, i);
    store.calls.length = 0;
    for (let i = 0; i < 200; i++) readPage(fs, hot, i);
    assert.deepEqual(store.calls, []);
    fs.kernel.verify();
  });

  it("that come back soon are active at once", () => {
    const machine = mounted();
    const { fs } = machine;
    addFile(machine, "big", LIMIT_PAGES + 200);
    const fd = fs.openSync("/m/big", "r");
    const inode = inodeOf(fs.kernel.vfs, fd);
    for (let i = 0; i < LIMIT_PAGES + 200; i++) readPage(fs, fd, i);
    const { core } = fs.kernel.vfs;
    assert.equal(core.x.findPage(inode, 0), 0);
    readPage(fs, fd, 0);
    const flags = pageFlags(core, core.x.findPage(inode, 0));
    assert.equal(flags & (PG_ACTIVE | PG_REFERENCED), PG_ACTIVE); // the read that has brought it is none more
    fs.kernel.verify();
  });

  it("stay while somebody has a pin", () => {
    const machine = mounted();
    const { fs } = machine;
    addFile(machine, "big", 2 * LIMIT_PAGES);
    const fd = fs.openSync("/m/big", "r");
    const { core } = fs.kernel.vfs;
    const inode = inodeOf(fs.kernel.vfs, fd);
    readPage(fs, fd, 0);
    const pfn = core.x.findPage(inode, 0);
    core.x.getPage(pfn);
    for (let i = 0; i < 2 * LIMIT_PAGES; i++) readPage(fs, fd, i);
    assert.equal(core.x.findPage(inode, 0), pfn);
    core.x.putPage(pfn);
    fs.kernel.verify();
  });

  it("do not push names out, nor names pages: both go in proportion", () => {
    const machine = mounted();
    const { fs, store } = machine;
    for (let i = 0; i < 4000; i++) fs.writeFileSync(`/m/n${i}`, "");
    addFile(machine, "big", 4 * LIMIT_PAGES);
    for (let i = 0; i < 4000; i++) fs.statSync(`/m/n${i}`);
    const fd = fs.openSync("/m/big", "r");
    for (let i = 0; i < 1.1 * LIMIT_PAGES; i++) readPage(fs, fd, i);
    store.calls.length = 0;
    const { nr_inactive_file, nr_unused_dentries } = fs.kernel.vmstat();
    assert.ok(nr_inactive_file > LIMIT_PAGES / 4, `${nr_inactive_file} pages`);
    assert.ok(nr_unused_dentries > 400, `${nr_unused_dentries} names`);
    for (let i = 0; i < 4 * LIMIT_PAGES; i++) readPage(fs, fd, i);
    assert.ok(fs.kernel.vmstat().nr_unused_dentries < 400);
    fs.kernel.verify();
  });
});

describe("dirty pages", () => {
  /** All of memory may be dirty: nobody writes before it is full. */
  function allMayBeDirty({ fs }: { fs: FolioFs }): void {
    const { vm } = fs.kernel;
    assert.ok(vm);
    vm.dirty_background_ratio = 99;
    vm.dirty_ratio = 100;
    vm.dirty_writeback_centisecs = 0;
  }

  it("are written when memory is full, many in a call", () => {
    const machine = mounted();
    const { fs, store } = machine;
    allMayBeDirty(machine);
    const bytes = Buffer.alloc(3 * LIMIT, 7);
    for (let i = 0; i < 3; i++) fs.writeFileSync(`/m/f${i}`, bytes.subarray(0, LIMIT));
    assertWithinLimit(fs);
    fs.kernel.sync();
    for (let i = 0; i < 3; i++) assert.ok(store.at(`f${i}`)?.data.equals(bytes.subarray(0, LIMIT)));
    const writes = store.calls.filter((call) => call.startsWith("writePages")).length;
    assert.ok(writes < 200, `${writes} calls for ${3 * LIMIT_PAGES} pages`);
    fs.kernel.verify();
  });

  it("make room for data in memory", () => {
    const machine = mounted();
    const { fs } = machine;
    allMayBeDirty(machine);
    fs.writeFileSync("/m/f", Buffer.alloc(7 * 2 ** 20, 1));
    fs.writeFileSync("/data", Buffer.alloc(6 * 2 ** 20, 2));
    assertWithinLimit(fs);
    fs.kernel.sync();
    fs.kernel.verify();
  });

  it("of a store that takes time are waited for by promise calls", async () => {
    const machine = mounted();
    const { fs, store } = machine;
    allMayBeDirty(machine);
    const bytes = Buffer.alloc(LIMIT, 3);
    await answered(machine, Promise.all([1, 2, 3].map((i) => fs.promises.writeFile(`/m/f${i}`, bytes))));
    assertWithinLimit(fs);
    fs.kernel.verify();
    await answered(machine, fs.kernel.syncAsync());
    for (let i = 1; i <= 3; i++) assert.ok(store.at(`f${i}`)?.data.equals(bytes));
    fs.kernel.verify();
  });

  it("of a store that only takes time: a synchronous call is EAGAIN until it has written, and nothing is half done", async () => {
    const machine = new MockBacking({ isAsync: true, fs: { memoryLimit: LIMIT } });
    const { fs } = machine;
    const fd = machine.open("f");
    allMayBeDirty({ fs });
    const nr = fs.kernel.vmstat().nr_limit_pages - fs.kernel.vmstat().nr_used_pages - 300;
    machine.dirty(fd, 0, nr);
    const write = (): string => outcomeOf(() => fs.writeFileSync("/data", Buffer.alloc(4 * 2 ** 20, 2)));
    assert.equal(write(), "EAGAIN");
    assert.ok(machine.pending.length > 0);
    fs.kernel.verify();
    await machine.answerAll();
    assert.equal(write(), "ok");
    fs.closeSync(fd);
    fs.kernel.verify();
  });
});

describe("file systems that are asked", () => {
  it("hear of each page that goes (freePage)", () => {
    const freed: number[] = [];
    const machine = mounted({ freePage: (_cache, { index }) => void freed.push(index) });
    const { fs } = machine;
    addFile(machine, "big", 2 * LIMIT_PAGES);
    freed.length = 0;
    const fd = fs.openSync("/m/big", "r");
    for (let i = 0; i < 2 * LIMIT_PAGES; i++) readPage(fs, fd, i);
    assertWithinLimit(fs);
    const { nr_inactive_file, nr_active_file } = fs.kernel.vmstat();
    const nrRead = 2 * LIMIT_PAGES - freed.length;
    assert.equal(nr_inactive_file + nr_active_file, nrRead);
    assert.equal(new Set(freed).size, freed.length);
    fs.kernel.verify();
  });

  it("take back what they have hung on a page, or keep it (releasePage)", () => {
    const kept = new Set([3, 5]);
    const machine = mounted({
      readahead: () => 0,
      readPage: (cache, page) => {
        attachPagePrivate(cache, page as never, 1);
        const index = page.position / PAGE;
        const [view] = page.views();
        view.fill(0);
        new DataView(view.buffer, view.byteOffset).setUint32(0, index + 1, true);
        return PAGE;
      },
      releasePage: (cache, page) => {
        if (kept.has(page.index)) return false;
        detachPagePrivate(cache, page);
        return true;
      },
      invalidatePage: (cache, page) => detachPagePrivate(cache, page),
    });
    const { fs } = machine;
    addFile(machine, "big", 2 * LIMIT_PAGES);
    const fd = fs.openSync("/m/big", "r");
    for (let i = 0; i < 2 * LIMIT_PAGES; i++) readPage(fs, fd, i);
    assertWithinLimit(fs);
    const { core } = fs.kernel.vfs;
    const inode = inodeOf(fs.kernel.vfs, fd);
    assert.deepEqual(
      [2, 3, 4, 5, 6].filter((index) => core.x.findPage(inode, index) !== 0),
      [...kept],
    );
    fs.closeSync(fd);
    fs.kernel.verify();
  });
});
