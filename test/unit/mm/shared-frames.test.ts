/**
 * Pages that several files share: who writes copies one page, and whatever walks from frames to files knows that there is no way back.
 *
 * Contents under random work: shared-frames-random.test.ts; what the kernel does: vfs/clone.oracle.test.ts.
 */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import type { InodeHandle } from "../../../src/base/handles.ts";
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from "../../../src/base/mman.ts";
import { createFsSync, type FolioFs, restoreFsSync } from "../../../src/index.ts";
import { pageFlags } from "../../../src/mm/page.ts";
import { memoryFailure, softOfflinePage } from "../../../src/store.ts";
import { cloneBytes } from "../../../src/vfs/clone-file-range.ts";
import { PG_LRU, PG_SHARED, PG_UNEVICTABLE } from "../../../src/wasm/layout.ts";
import { digestOf } from "../../helpers/digest.ts";
import { inodeOf } from "../../helpers/mock-scene.ts";
import { MockSwap } from "../../helpers/mock-swap.ts";
import { outcomeOf } from "../../helpers/subject.ts";
import { pushAllOut } from "../../helpers/swapped-out.ts";

const PAGE = 4096;
const MIB = 2 ** 20;
const RDWR = PROT_READ | PROT_WRITE;

function machine(limit = 64 * MIB): FolioFs {
  const fs = createFsSync({ memoryLimit: limit });
  for (const target of ["/t", "/u"]) {
    fs.mkdirSync(target);
    fs.kernel.mount({ type: "tmpfs", target, data: "size=16m" });
  }
  return fs;
}

/** Pages that each are another number, from `first` on. */
function pages(nr: number, first = 1): Buffer {
  return Buffer.concat(Array.from({ length: nr }, (_, i) => Buffer.alloc(PAGE, first + i)));
}

function withFile<T>(fs: FolioFs, path: string, use: (fd: number) => T): T {
  const fd = fs.openSync(path, "r+");
  try {
    return use(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function clone(fs: FolioFs, from: string, to: string): void {
  fs.copyFileSync(from, to, fs.constants.COPYFILE_FICLONE_FORCE);
}

/** A file of so many pages, and a clone of it. */
function cloned(fs: FolioFs, nr: number): Buffer {
  const bytes = pages(nr);
  fs.writeFileSync("/t/a", bytes);
  clone(fs, "/t/a", "/t/b");
  return bytes;
}

function inodeAt(fs: FolioFs, path: string): InodeHandle {
  return withFile(fs, path, (fd) => inodeOf(fs.kernel.vfs, fd));
}

function framesOf(fs: FolioFs, path: string, nr: number): number[] {
  const inode = inodeAt(fs, path);
  return Array.from({ length: nr }, (_, i) => fs.kernel.vfs.core.x.findPage(inode, i));
}

function nrShared(fs: FolioFs): number {
  return fs.kernel.usage().shared / PAGE;
}

function nrData(fs: FolioFs): number {
  return fs.kernel.usage().data / PAGE;
}

function same(fs: FolioFs, path: string, bytes: Buffer): void {
  assert.ok(fs.readFileSync(path).equals(bytes), path);
}

function changed(bytes: Buffer, at: number, text: string): Buffer {
  const after = Buffer.from(bytes);
  after.write(text, at);
  return after;
}

function mountOf(fs: FolioFs, target: string) {
  const found = fs.kernel.usage().mounts.find((mount) => mount.target === target);
  assert.ok(found);
  return found;
}

describe("a clone", () => {
  it("takes no data, counts in full, and is told apart by usage()", () => {
    const fs = machine();
    const before = nrData(fs);
    const bytes = cloned(fs, 100);
    assert.equal(nrData(fs) - before, 100);
    assert.equal(nrShared(fs), 100);
    assert.deepEqual(framesOf(fs, "/t/a", 100), framesOf(fs, "/t/b", 100));
    for (const path of ["/t/a", "/t/b"]) assert.equal(fs.statSync(path).blocks, 800);
    const { data, shared, charged } = mountOf(fs, "/t");
    assert.deepEqual([data, shared, charged], [0, 200 * PAGE, 200 * PAGE]);
    clone(fs, "/t/b", "/t/c");
    assert.equal(nrData(fs) - before, 100);
    for (const path of ["/t/a", "/t/b", "/t/c"]) same(fs, path, bytes);
    for (const path of ["/t/a", "/t/b", "/t/c"]) fs.unlinkSync(path);
    assert.equal(nrData(fs), before);
    assert.equal(mountOf(fs, "/t").charged, 0);
  });

  it.each([
    ["write", (fs: FolioFs, fd: number) => fs.writeSync(fd, "new", 3 * PAGE + 5)],
    [
      "mapping",
      (fs: FolioFs, fd: number) => {
        const mapping = fs.kernel.mmap(fd, { prot: RDWR, flags: MAP_SHARED });
        mapping.set(Buffer.from("new"), 3 * PAGE + 5);
        mapping.munmap();
      },
    ],
    [
      "copyFileRange",
      (fs: FolioFs, fd: number) => {
        fs.writeFileSync("/t/source", "new");
        fs.copyFileRangeSync(fs.openSync("/t/source", "r"), 0, fd, 3 * PAGE + 5, 3);
      },
    ],
    [
      "view that is written to",
      (fs: FolioFs, fd: number) => {
        const mapping = fs.kernel.mmap(fd, { prot: RDWR, flags: MAP_SHARED });
        const view = mapping.write(3 * PAGE + 5, 3);
        view.bytes.set(Buffer.from("new"));
        view.release();
        mapping.munmap();
      },
    ],
  ])("gets a copy of one page by a %s, on either side", (_, write) => {
    for (const path of ["/t/a", "/t/b"]) {
      const fs = machine();
      const bytes = cloned(fs, 10);
      const other = path === "/t/a" ? "/t/b" : "/t/a";
      withFile(fs, path, (fd) => write(fs, fd));
      const expected = changed(bytes, 3 * PAGE + 5, "new");
      expected[3 * PAGE + 8] = bytes[3 * PAGE + 8];
      const got = fs.readFileSync(path);
      assert.equal(got.subarray(3 * PAGE + 5, 3 * PAGE + 8).toString(), "new");
      assert.ok(got.equals(expected));
      same(fs, other, bytes);
      const [a, b] = [framesOf(fs, "/t/a", 10), framesOf(fs, "/t/b", 10)];
      assert.deepEqual(
        a.map((pfn, i) => pfn !== b[i]),
        a.map((_pfn, i) => i === 3),
      );
      assert.equal(nrShared(fs), 10, "the one that is left has not been told");
      fs.kernel.verify();
    }
  });

  it.each([
    ["truncate", (fs: FolioFs, fd: number) => fs.ftruncateSync(fd, 3 * PAGE + 5), 3 * PAGE + 5, 1],
    ["punch", (fs: FolioFs, fd: number) => fs.fallocateSync(fd, 3, 3 * PAGE + 5, 2 * PAGE), 10 * PAGE, 2],
    ["zero", (fs: FolioFs, fd: number) => fs.fallocateSync(fd, 0x11, 3 * PAGE + 5, 3 * PAGE), 10 * PAGE, 2],
  ])("gets copies of pages that are cut by a %s, and lets go of whole ones", (name, cut, size, copies) => {
    const fs = machine();
    const bytes = cloned(fs, 10);
    const before = nrData(fs);
    withFile(fs, "/t/b", (fd) => cut(fs, fd));
    same(fs, "/t/a", bytes);
    const expected = Buffer.from(bytes.subarray(0, size));
    expected.fill(0, 3 * PAGE + 5, { truncate: size, punch: 5 * PAGE + 5, zero: 6 * PAGE + 5 }[name]);
    same(fs, "/t/b", expected);
    assert.equal(nrData(fs) - before, copies);
    fs.kernel.verify();
  });

  it("whose other side has gone is written to in place", () => {
    const fs = machine();
    cloned(fs, 10);
    const before = framesOf(fs, "/t/b", 10);
    fs.unlinkSync("/t/a");
    assert.equal(nrShared(fs), 10);
    fs.writeFileSync("/t/b", "x", { flag: "r+" });
    assert.deepEqual(framesOf(fs, "/t/b", 10), before);
    assert.equal(nrShared(fs), 9);
  });

  it("that is overwritten whole is not copied first, and lies in few pieces", () => {
    const fs = machine();
    const bytes = cloned(fs, 64);
    withFile(fs, "/t/b", (fd) => assert.equal(fs.writeSync(fd, pages(64, 100), 0, 64 * PAGE, 0), 64 * PAGE));
    same(fs, "/t/b", pages(64, 100));
    same(fs, "/t/a", bytes);
    fs.kernel.verify();
  });

  it("of a clone's part over itself, and over what shares with it", () => {
    const fs = machine();
    const bytes = cloned(fs, 12);
    const { ficlonerangeSync } = fs.kernel.linux;
    withFile(fs, "/t/b", (fd) => ficlonerangeSync(fd, fd, { srcOffset: 0, srcLength: 4 * PAGE, destOffset: 6 * PAGE }));
    withFile(fs, "/t/a", (a) => withFile(fs, "/t/b", (b) => ficlonerangeSync(b, a, { srcLength: 2 * PAGE })));
    bytes.copy(bytes, 6 * PAGE, 0, 4 * PAGE);
    same(fs, "/t/b", bytes);
    assert.equal(fs.statSync("/t/b").blocks, 96);
    fs.kernel.verify();
  });

  it("is refused where files have a store, and in promise form waits for nothing", async () => {
    const fs = machine();
    cloned(fs, 3);
    await fs.promises.copyFile("/t/a", "/t/c", fs.constants.COPYFILE_FICLONE_FORCE);
    same(fs, "/t/c", pages(3));
    const file = await fs.promises.open("/t/a", "r");
    const to = await fs.promises.open("/t/d", "w+");
    await fs.kernel.linux.ficlone(to, file);
    await file.close();
    await to.close();
    same(fs, "/t/d", pages(3));
    const code = outcomeOf(() => clone(fs, "/t/a", "/u/a"));
    assert.equal(code, "EXDEV");
    fs.copyFileSync("/t/a", "/u/a", fs.constants.COPYFILE_FICLONE);
    same(fs, "/u/a", pages(3));
  });

  it("works on ramfs, by cp, and counts against the file system's size", () => {
    const fs = createFsSync();
    fs.mkdirSync("/r");
    fs.kernel.mount({ type: "ramfs", target: "/r" });
    fs.writeFileSync("/r/a", pages(5));
    fs.cpSync("/r/a", "/r/b", { mode: fs.constants.COPYFILE_FICLONE_FORCE });
    same(fs, "/r/b", pages(5));
    assert.equal(nrShared(fs), 5);
    const small = machine();
    small.writeFileSync("/t/a", Buffer.alloc(9 * MIB, 1));
    assert.equal(
      outcomeOf(() => clone(small, "/t/a", "/t/b")),
      "ENOSPC",
    );
    assert.equal(small.existsSync("/t/b"), false);
    assert.equal(nrShared(small), 0);
    assert.equal(mountOf(small, "/t").charged, 9 * MIB);
  });
});

describe("shared pages and", () => {
  it("views: what is pinned is copied, and what is shared is the file's own before it is pinned", () => {
    const fs = machine();
    const bytes = cloned(fs, 4);
    const fd = fs.openSync("/t/a", "r+");
    const view = fs.readView(fd, 0, 2 * PAGE);
    fs.writeSync(fd, "seen", 0);
    assert.equal(Buffer.from(view.bytes.subarray(0, 4)).toString(), "seen");
    clone(fs, "/t/a", "/t/c");
    assert.notEqual(framesOf(fs, "/t/a", 1)[0], framesOf(fs, "/t/c", 1)[0]);
    fs.writeSync(fd, "still", 0);
    assert.equal(Buffer.from(view.bytes.subarray(0, 5)).toString(), "still");
    view.release();
    same(fs, "/t/c", changed(bytes, 0, "seen"));
    same(fs, "/t/b", bytes);
    fs.kernel.verify();
  });

  it("mappings: stores after a clone are no stores to the other file; locked pages stay the file's", () => {
    const fs = machine();
    const bytes = pages(4);
    fs.writeFileSync("/t/a", bytes);
    const fd = fs.openSync("/t/a", "r+");
    const mapping = fs.kernel.mmap(fd, { prot: RDWR, flags: MAP_SHARED });
    mapping.set(Buffer.from("one"), 0);
    clone(fs, "/t/a", "/t/b");
    mapping.set(Buffer.from("two"), 0);
    mapping.mlock(PAGE, PAGE);
    clone(fs, "/t/a", "/t/c");
    mapping.set(Buffer.from("three"), PAGE);
    same(fs, "/t/b", changed(bytes, 0, "one"));
    same(fs, "/t/c", changed(bytes, 0, "two"));
    const own = fs.kernel.mmap(fd, { prot: RDWR, flags: MAP_PRIVATE });
    own.set(Buffer.from("mine"), 2 * PAGE);
    own.munmap();
    mapping.munmap();
    same(fs, "/t/a", changed(changed(bytes, 0, "two"), PAGE, "three"));
    fs.kernel.verify();
  });

  it("lists: they are unevictable, and nobody's in particular", () => {
    const fs = machine();
    cloned(fs, 1);
    const [pfn] = framesOf(fs, "/t/a", 1);
    const flags = PG_SHARED | PG_UNEVICTABLE | PG_LRU;
    assert.equal(pageFlags(fs.kernel.vfs.core, pfn) & flags, flags);
    assert.equal(
      outcomeOf(() => softOfflinePage(fs.kernel, pfn)),
      "EBUSY",
    );
    assert.equal(
      outcomeOf(() => memoryFailure(fs.kernel, pfn)),
      "EBUSY",
    );
    fs.kernel.dropCaches(3);
    same(fs, "/t/a", pages(1));
  });

  it("compaction and shrink(): they move, and all files follow", () => {
    const fs = machine();
    fs.writeFileSync("/t/large", Buffer.alloc(8 * MIB, 1));
    const bytes = cloned(fs, 100);
    fs.symlinkSync("b", "/t/link");
    withFile(fs, "/t/b", (fd) => fs.writeSync(fd, "own", 5 * PAGE));
    const before = framesOf(fs, "/t/a", 100);
    const pinned = fs.readView(fs.openSync("/t/b", "r"), 5 * PAGE, 1);
    fs.unlinkSync("/t/large");
    assert.ok(fs.kernel.compact() >= 99);
    const after = framesOf(fs, "/t/a", 100);
    assert.ok(after.every((pfn, i) => pfn < before[i]));
    pinned.release();
    fs.kernel.verify();
    assert.ok(fs.kernel.shrink() > 0);
    assert.ok(fs.kernel.vfs.core.arrayBuffer.byteLength < 2 * MIB);
    same(fs, "/t/a", bytes);
    same(fs, "/t/b", changed(bytes, 5 * PAGE, "own"));
    assert.equal(nrShared(fs), 100);
  });

  it("snapshots and forks: each is stored once, and shared after", () => {
    const fs = machine();
    const bytes = cloned(fs, 200);
    const one = fs.kernel.snapshot().length;
    for (const path of ["/t/c", "/t/d", "/t/e"]) clone(fs, "/t/a", path);
    const all = fs.kernel.snapshot();
    assert.ok(all.length - one < 50 * PAGE, `${all.length - one} bytes for three clones`);
    assert.deepEqual(fs.kernel.snapshot(), all);
    for (const copy of [restoreFsSync(all), fs.kernel.fork().fs as FolioFs]) {
      assert.equal(nrShared(copy), 200);
      copy.writeFileSync("/t/b", "own", { flag: "r+" });
      same(copy, "/t/b", changed(bytes, 0, "own"));
      same(copy, "/t/e", bytes);
      copy.kernel.verify();
      copy.kernel.destroy();
    }
    same(fs, "/t/b", bytes);
    fs.writeFileSync("/t/a", "gone");
    fs.kernel.restore(all);
    same(fs, "/t/a", bytes);
    assert.equal(nrShared(fs), 200);
  });

  it("swap: they stay, what is swapped comes back to be shared, and the last holder's can go again", () => {
    const fs = machine(16 * MIB);
    const device = new MockSwap(9000);
    fs.kernel.swapOn(device);
    const bytes = cloned(fs, 300);
    pushAllOut(fs);
    assert.equal(device.pagesWritten, 0);
    fs.writeFileSync("/t/c", bytes);
    pushAllOut(fs);
    assert.equal(device.pagesWritten, 300);
    clone(fs, "/t/c", "/t/d");
    assert.equal(device.pagesRead, 300);
    for (const path of ["/t/a", "/t/b", "/t/c", "/t/d"]) same(fs, path, bytes);
    fs.unlinkSync("/t/b");
    fs.unlinkSync("/t/d");
    const kept = Buffer.alloc(14 * MIB, 5);
    fs.writeFileSync("/u/fill", kept); // there is room for it only if the others go
    assert.ok(device.pagesWritten > 300);
    same(fs, "/u/fill", kept);
    same(fs, "/t/a", bytes);
    same(fs, "/t/c", bytes);
    fs.unlinkSync("/u/fill");
    fs.kernel.swapOff(device);
    same(fs, "/t/a", bytes);
    fs.kernel.verify();
  });

  it("swap: pages that one file alone has left go where nothing else can", () => {
    const fs = createFsSync({ memoryLimit: 16 * MIB });
    fs.mkdirSync("/t");
    fs.kernel.mount({ type: "tmpfs", target: "/t", data: "size=64m,nr_inodes=0" });
    const device = new MockSwap(9000);
    fs.kernel.swapOn(device);
    const bytes = cloned(fs, 3500);
    fs.unlinkSync("/t/a");
    pushAllOut(fs);
    assert.equal(device.pagesWritten, 0);
    assert.equal(nrShared(fs), 3500);
    for (let i = 0; i < 20_000; i++) fs.mkdirSync(`/t/${i}`); // names take memory, and cannot be swapped
    assert.ok(device.pagesWritten > 0);
    assert.equal(nrShared(fs), 0);
    same(fs, "/t/b", bytes);
    fs.kernel.verify();
  });

  it("swap: what does not fit in memory at once is ENOSPC, and copyFile copies it", () => {
    const fs = createFsSync({ memoryLimit: 8 * MIB });
    fs.mkdirSync("/t");
    fs.kernel.mount({ type: "tmpfs", target: "/t", data: "size=64m" });
    const device = new MockSwap(12_000);
    fs.kernel.swapOn(device);
    const bytes = Buffer.alloc(12 * MIB, 7);
    fs.writeFileSync("/t/a", bytes);
    const outcome = outcomeOf(() => clone(fs, "/t/a", "/t/b"));
    assert.match(outcome, /ENOSPC|ENOMEM/);
    assert.equal(fs.existsSync("/t/b"), false);
    fs.copyFileSync("/t/a", "/t/b", fs.constants.COPYFILE_FICLONE);
    same(fs, "/t/b", bytes);
    fs.kernel.verify();
  });

  it("swap devices that take time: a promise waits, a synchronous call is told so", async () => {
    const fs = machine(16 * MIB);
    const device = new MockSwap(9000);
    fs.kernel.swapOn(device);
    const bytes = pages(100);
    fs.writeFileSync("/t/a", bytes);
    pushAllOut(fs);
    device.isAsync = true;
    assert.equal(
      outcomeOf(() => clone(fs, "/t/a", "/t/b")),
      "EAGAIN",
    );
    const done = fs.promises.copyFile("/t/a", "/t/b", fs.constants.COPYFILE_FICLONE_FORCE);
    let isDone = false;
    void done.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      device.answer();
      await new Promise(setImmediate);
    }
    await done;
    device.isAsync = false;
    same(fs, "/t/b", bytes);
    fs.kernel.verify();
  });

  it("fallocate: what is promised gives way to a clone, and holes of the source are holes", () => {
    const fs = machine();
    fs.writeFileSync("/t/a", pages(2));
    fs.truncateSync("/t/a", 6 * PAGE);
    withFile(fs, "/t/a", (fd) => fs.writeSync(fd, "end", 5 * PAGE));
    fs.writeFileSync("/t/b", "");
    withFile(fs, "/t/b", (fd) => fs.fallocateSync(fd, 0, 0, 10 * PAGE));
    assert.equal(mountOf(fs, "/t").charged, 13 * PAGE);
    withFile(fs, "/t/a", (a) => withFile(fs, "/t/b", (b) => fs.kernel.linux.ficloneSync(b, a)));
    assert.equal(fs.statSync("/t/b").blocks, 7 * 8); // three pages, and four that are promised behind them
    assert.equal(fs.kernel.usage().promised, 4 * PAGE);
    withFile(fs, "/t/b", (fd) => assert.equal(fs.lseekSync(fd, 0, 4), 2 * PAGE));
    fs.kernel.verify();
  });
});

describe("pages that another file system lends", () => {
  /** What overlay does. */
  function lend(fs: FolioFs, from: string, to: string): number {
    fs.writeFileSync(to, "");
    const { size } = fs.statSync(from);
    const [source, sink] = [inodeAt(fs, from), inodeAt(fs, to)];
    return cloneBytes(fs.kernel.vfs, { from: source, posIn: 0, to: sink, posOut: 0, length: size, charge: "none" });
  }

  it("are blocks of the file, and of its file system when they are written to", () => {
    const fs = machine();
    const bytes = pages(10);
    fs.writeFileSync("/t/a", bytes);
    assert.equal(lend(fs, "/t/a", "/u/a"), 0);
    same(fs, "/u/a", bytes);
    assert.equal(fs.statSync("/u/a").blocks, 80);
    assert.deepEqual([mountOf(fs, "/t").charged, mountOf(fs, "/u").charged], [10 * PAGE, 0]);
    fs.writeFileSync("/u/a", "own", { flag: "r+" });
    assert.equal(mountOf(fs, "/u").charged, PAGE);
    same(fs, "/t/a", bytes);
    clone(fs, "/u/a", "/u/b"); // within a file system in full
    assert.equal(mountOf(fs, "/u").charged, 11 * PAGE);
    fs.unlinkSync("/t/a");
    fs.truncateSync("/u/a", 5 * PAGE + 1);
    assert.equal(mountOf(fs, "/u").charged, 12 * PAGE); // the cut page is the file's own now
    fs.unlinkSync("/u/a");
    fs.unlinkSync("/u/b");
    assert.deepEqual([mountOf(fs, "/t").charged, mountOf(fs, "/u").charged], [0, 0]);
    fs.kernel.verify();
  });

  it("cost nothing where a file system is full, until they are written to: ENOSPC, and nothing changes", () => {
    const fs = machine();
    fs.writeFileSync("/t/a", pages(10));
    fs.writeFileSync("/u/fill", Buffer.alloc(16 * MIB, 1));
    assert.equal(lend(fs, "/t/a", "/u/a"), 0);
    const write = (): string => outcomeOf(() => fs.writeFileSync("/u/a", "own", { flag: "r+" }));
    assert.equal(write(), "ENOSPC");
    assert.equal(
      outcomeOf(() => fs.truncateSync("/u/a", 5)),
      "ENOSPC",
    );
    same(fs, "/u/a", pages(10));
    fs.truncateSync("/u/fill", 15 * MIB);
    assert.equal(write(), "ok");
    same(fs, "/t/a", pages(10));
    fs.kernel.verify();
  });

  it("are in snapshots, and stay lent", () => {
    const fs = machine();
    fs.writeFileSync("/t/a", pages(10));
    lend(fs, "/t/a", "/u/a");
    const copy = restoreFsSync(fs.kernel.snapshot());
    assert.equal(mountOf(copy, "/u").charged, 0);
    copy.unlinkSync("/t/a");
    copy.writeFileSync("/u/a", "own", { flag: "r+" });
    assert.equal(mountOf(copy, "/u").charged, PAGE);
    copy.kernel.verify();
  });
});

describe("when memory runs out at any allocation", () => {
  const CALLS: [string, (fs: FolioFs, fd: number, other: number) => unknown][] = [
    ["a clone into an empty file", (fs, _, other) => fs.kernel.linux.ficloneSync(other, fs.openSync("/t/a", "r"))],
    [
      "a clone far behind, with a page that is pinned",
      (fs, _, other) => fs.kernel.linux.ficlonerangeSync(other, fs.openSync("/t/pinned", "r"), { destOffset: 2 ** 30 }),
    ],
    ["a write to a shared page", (fs, fd) => fs.writeSync(fd, "new", 3)],
    ["a write to several", (fs, fd) => fs.writeSync(fd, pages(3, 50), 0, PAGE, PAGE)],
    ["a truncation", (fs, fd) => fs.ftruncateSync(fd, 3)],
    ["a punch", (fs, fd) => fs.fallocateSync(fd, 3, 3, 3 * PAGE)],
  ];
  it.each(CALLS)("%s leaves all as before, or does it", (_, call) => {
    let nrFailed = 0;
    for (let n = 1; ; n++) {
      const fs = machine();
      cloned(fs, 5);
      fs.writeFileSync("/t/empty", "");
      fs.writeFileSync("/t/pinned", pages(70));
      const view = fs.readView(fs.openSync("/t/pinned", "r"), 0, 2 * PAGE);
      const [fd, other] = ["/t/b", "/t/empty"].map((path) => fs.openSync(path, "r+"));
      fs.openSync("/t/a", "r");
      const { core } = fs.kernel.vfs;
      const contents = (): unknown[] =>
        ["/t/a", "/t/b", "/t/empty", "/t/pinned"].map((path) => [
          fs.statSync(path).size > MIB ? fs.statSync(path).size : fs.readFileSync(path).toString("latin1"),
          fs.statSync(path).blocks,
        ]);
      const before = contents();
      const charged = mountOf(fs, "/t").charged;
      core.x.setFailAfter(n);
      const outcome = outcomeOf(() => call(fs, fd, other));
      core.x.setFailAfter(0);
      fs.kernel.verify();
      if (outcome === "ok") {
        view.release();
        fs.kernel.destroy();
        break;
      }
      nrFailed++;
      assert.match(outcome, /ENOSPC|ENOMEM/);
      assert.deepEqual(contents(), before);
      assert.equal(mountOf(fs, "/t").charged, charged);
      view.release();
      fs.kernel.destroy();
    }
    assert.ok(nrFailed > 0);
  });

  it("and a clone that fails leaves memory as it was, to the bit", () => {
    const fs = machine();
    fs.writeFileSync("/t/a", pages(70));
    fs.writeFileSync("/t/b", "");
    const { vfs } = fs.kernel;
    const [from, to] = [inodeAt(fs, "/t/a"), inodeAt(fs, "/t/b")];
    const digest = (): string => digestOf(vfs.core);
    const before = digest();
    vfs.core.x.setFailAfter(1);
    assert.ok(cloneBytes(vfs, { from, posIn: 0, to, posOut: 2 ** 30, length: 70 * PAGE, charge: "none" }) < 0);
    vfs.core.x.setFailAfter(0);
    assert.equal(digest(), before);
  });
});
