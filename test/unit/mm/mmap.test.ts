/** Mappings of files in memory, and views of their pages, as programs have them: kernel.mmap(), fs.readView(). */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import {
  MAP_LOCKED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../../../src/base/mman.ts";
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from "../../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs, restoreFsSync, stat } from "../../../src/index.ts";
import { proc } from "../../../src/proc.ts";
import { mmapCounts, setMaxPinned } from "../../../src/store.ts";

const PAGE = 4096;
const RW = PROT_READ | PROT_WRITE;

function fsWith(size: number, options: Parameters<typeof createFsSync>[0] = {}): { fs: FolioFs; fd: number } {
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, ...options });
  fs.writeFileSync("/file", Buffer.alloc(size, "a"));
  return { fs, fd: fs.openSync("/file", "r+") };
}

function bytesAt(mapping: { copy(b: Buffer, t: number, from: number): number }, at: number, length: number): string {
  const buffer = Buffer.alloc(length);
  return buffer.toString("latin1", 0, mapping.copy(buffer, 0, at));
}

describe("kernel.mmap", () => {
  it("maps all of a file to be read and shared, if nothing else is said", () => {
    const { fs, fd } = fsWith(PAGE + 10);
    using mapping = fs.kernel.mmap(fd);
    assert.deepEqual(
      [mapping.offset, mapping.length, mapping.prot, mapping.flags],
      [0, PAGE + 10, PROT_READ, MAP_SHARED],
    );
    assert.equal(bytesAt(mapping, PAGE + 8, 100), "aa");
    assert.throws(() => mapping.set(Buffer.from("b")), { code: "EFAULT", signal: "SIGSEGV", syscall: "page_fault" });
    assert.throws(() => mapping.write(), { code: "EFAULT", signal: "SIGSEGV" });
    using none = fs.kernel.mmap(fd, { prot: PROT_NONE });
    assert.throws(() => bytesAt(none, 0, 1), { code: "EFAULT", signal: "SIGSEGV" });
    assert.throws(() => none.read(), { code: "EFAULT", signal: "SIGSEGV" });
  });

  it("takes a FileHandle, and refuses what are no arguments before all else", async () => {
    const { fs, fd } = fsWith(PAGE);
    const handle = await fs.promises.open("/file", "r+");
    using mapping = fs.kernel.mmap(handle, { prot: RW });
    assert.equal(mapping.set(Buffer.from("handle")), 6);
    await handle.close();
    for (const options of [
      { offset: -1 },
      { offset: 0.5 },
      { length: -1 },
      { prot: 8 },
      { prot: "r" },
      { flags: -1 },
    ]) {
      assert.throws(() => fs.kernel.mmap(fd, options as never), /ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)/);
    }
    assert.throws(() => fs.kernel.mmap("x" as never), { code: "ERR_INVALID_ARG_TYPE" });
    assert.throws(() => fs.kernel.mmap(fd, null as never), { code: "ERR_INVALID_ARG_TYPE" });
    for (const [at, from, end] of [
      [11, 0, 1],
      [0, PAGE + 1, PAGE + 1],
      [0, 1, 0],
    ]) {
      assert.throws(() => mapping.copy(Buffer.alloc(10), at, from, end), { code: "ERR_OUT_OF_RANGE" });
    }
    assert.throws(() => mapping.set(Buffer.alloc(10), PAGE - 9), { code: "ERR_OUT_OF_RANGE" });
    assert.throws(() => mapping.set("text" as never), { code: "ERR_INVALID_ARG_TYPE" });
    assert.throws(() => mapping.read(PAGE), { code: "ERR_OUT_OF_RANGE" });
    assert.throws(() => mapping.read(0, PAGE + 1), { code: "ERR_OUT_OF_RANGE" });
    assert.throws(() => mapping.mlock(0, -1), { code: "ERR_OUT_OF_RANGE" });
  });

  it("has limits: 4 GiB a mapping, 2^32 pages a file, noexec mounts", () => {
    const { fs, fd } = fsWith(PAGE);
    const { kernel } = fs;
    assert.throws(() => kernel.mmap(fd, { length: 2 ** 32 + 1 }), { code: "ENOMEM", syscall: "mmap" });
    assert.throws(() => kernel.mmap(fd, { offset: 2 ** 44, length: PAGE }), { code: "EOVERFLOW" });
    using far = kernel.mmap(fd, { offset: 2 ** 44 - PAGE, length: PAGE });
    assert.throws(() => bytesAt(far, 0, 1), { code: "EFAULT", signal: "SIGBUS" });
    using large = kernel.mmap(fd, { length: 2 ** 32 });
    assert.equal(bytesAt(large, 0, 2 * PAGE).length, PAGE);
    fs.mkdirSync("/m");
    kernel.mount({ type: "tmpfs", target: "/m", flags: 8 });
    fs.writeFileSync("/m/file", "x");
    const noexec = fs.openSync("/m/file", "r");
    assert.throws(() => kernel.mmap(noexec, { prot: PROT_EXEC }), { code: "EPERM" });
    kernel.mmap(noexec).munmap();
    fs.closeSync(noexec);
    kernel.umount("/m");
  });

  it("is refused by what has no pages: ENODEV, and EBADF for what is no descriptor or only a place", () => {
    const fs = createFsSync({ stdio: { stdin: () => null }, types: [proc] });
    fs.mkdirSync("/proc");
    fs.kernel.mount({ type: "proc", target: "/proc" });
    for (const fd of [0, fs.openSync("/proc/meminfo", "r"), fs.openSync("/proc", "r")]) {
      assert.throws(() => fs.kernel.mmap(fd, { length: 1 }), { code: "ENODEV", syscall: "mmap" });
      assert.throws(() => fs.readView(fd), { code: /^(ENODEV|EISDIR)$/, syscall: "read" });
    }
    const place = fs.openSync("/proc/meminfo", stat.O_PATH);
    assert.throws(() => fs.kernel.mmap(place, { length: 1 }), { code: "EBADF" });
    assert.throws(() => fs.readView(place), { code: "EBADF" });
    assert.throws(() => fs.kernel.mmap(99, { length: 1 }), { code: "EBADF" });
  });

  it("outlives close and unlink, and keeps its mount busy", () => {
    const { fs } = fsWith(0);
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "tmpfs", target: "/m" });
    fs.writeFileSync("/m/file", "data");
    const fd = fs.openSync("/m/file", "r+");
    const mapping = fs.kernel.mmap(fd, { prot: RW });
    fs.closeSync(fd);
    fs.unlinkSync("/m/file");
    mapping.set(Buffer.from("D"));
    assert.equal(bytesAt(mapping, 0, 4), "Data");
    assert.throws(() => fs.kernel.umount("/m"), { code: "EBUSY" });
    mapping.munmap();
    mapping.munmap();
    fs.kernel.umount("/m");
    assert.throws(() => bytesAt(mapping, 0, 4), { code: "ERR_INVALID_STATE" });
  });

  it("goes on when its mount is out of the tree, which ends with it", () => {
    const { fs } = fsWith(0);
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "tmpfs", target: "/m" });
    fs.writeFileSync("/m/file", "data");
    const fd = fs.openSync("/m/file", "r+");
    const mapping = fs.kernel.mmap(fd, { prot: RW });
    fs.closeSync(fd);
    const before = fs.kernel.vmstat().nr_super_blocks;
    fs.kernel.umount("/m", { detach: true });
    assert.equal(mapping.set(Buffer.from("D")), 1);
    assert.equal(fs.kernel.vmstat().nr_super_blocks, before);
    mapping.munmap();
    assert.equal(fs.kernel.vmstat().nr_super_blocks, before - 1);
  });

  it("is its task's: it ends with the task", () => {
    const { fs } = fsWith(PAGE);
    const task = fs.kernel.task();
    const mapping = task.kernel.mmap(task.openSync("/file", "r"), { flags: MAP_PRIVATE, prot: RW });
    mapping.set(Buffer.from("own"));
    assert.equal(mmapCounts(fs.kernel).nrAnon, 1);
    fs.kernel.exit(task);
    assert.deepEqual(mmapCounts(fs.kernel), { nrMapped: 0, nrAnon: 0, nrMlock: 0, nrPageTables: 0, nrPinned: 0 });
    assert.throws(() => bytesAt(mapping, 0, 1), { code: "ERR_INVALID_STATE" });
    mapping.munmap();
  });

  it("counts a fault for each page that it comes to, and none for those around it that were there", () => {
    const { fs, fd } = fsWith(64 * PAGE);
    const faults = (): number => fs.kernel.vmstat().pgfault;
    using shared = fs.kernel.mmap(fd, { prot: RW });
    const start = faults();
    bytesAt(shared, 5 * PAGE, 3 * PAGE);
    assert.equal(faults() - start, 1);
    bytesAt(shared, 15 * PAGE, 2 * PAGE); // the next 16
    assert.equal(faults() - start, 2);
    shared.set(Buffer.from("w"), 5 * PAGE); // to be written to
    shared.set(Buffer.from("w"), 5 * PAGE + 1);
    assert.equal(faults() - start, 3);
    using priv = fs.kernel.mmap(fd, { prot: RW, flags: MAP_PRIVATE });
    priv.set(Buffer.from("w"), 0);
    priv.set(Buffer.from("w"), 0);
    assert.equal(bytesAt(priv, 0, 2), "wa");
    assert.equal(faults() - start, 4);
    assert.equal(fs.kernel.vmstat().pgmajfault, 0);
    assert.deepEqual(mmapCounts(fs.kernel), { nrMapped: 32, nrAnon: 1, nrMlock: 0, nrPageTables: 4, nrPinned: 0 });
  });

  it("drops what a shared mapping stores behind the end of its file, and keeps it in a private one", () => {
    const { fs, fd } = fsWith(10);
    using shared = fs.kernel.mmap(fd, { prot: RW, length: PAGE });
    using priv = fs.kernel.mmap(fd, { prot: RW, length: PAGE, flags: MAP_PRIVATE });
    assert.equal(shared.set(Buffer.from("0123456789abc"), 4), 13);
    assert.equal(priv.set(Buffer.from("xyz"), 100), 3);
    fs.ftruncateSync(fd, 200);
    assert.equal(bytesAt(shared, 0, 20), `aaaa012345${"\0".repeat(10)}`);
    assert.equal(bytesAt(priv, 98, 7), "\0\0xyz\0\0");
    const view = shared.write(150);
    assert.equal(view.length, 50);
    view.release();
  });

  it("is in no snapshot, no fork, and gone after a rollback", () => {
    const { fs, fd } = fsWith(3 * PAGE);
    const before = fs.kernel.snapshot();
    using shared = fs.kernel.mmap(fd, { prot: RW });
    using priv = fs.kernel.mmap(fd, { prot: RW, flags: MAP_PRIVATE });
    priv.set(Buffer.from("private"));
    shared.mlock(0, PAGE);
    const view = shared.write(2 * PAGE);
    const empty = fs.readView(fd, 10 * PAGE);
    assert.equal(empty.length, 0);
    const fork = fs.kernel.fork();
    assert.deepEqual(mmapCounts(fork), { nrMapped: 0, nrAnon: 0, nrMlock: 0, nrPageTables: 0, nrPinned: 0 });
    fork.verify();
    fork.fs.writeFileSync("/file", "fork");
    assert.equal(view.bytes.toString("latin1", 0, 1), "a");
    fork.destroy();
    const bytes = fs.kernel.snapshot();
    const copy = restoreFsSync(bytes);
    copy.kernel.verify();
    assert.deepEqual(copy.readFileSync("/file"), fs.readFileSync("/file"));
    copy.kernel.destroy();
    assert.ok(Math.abs(bytes.length - before.length) < 1000, "a snapshot has what a mapping holds");
    fs.kernel.restore(before);
    assert.throws(() => view.bytes, { code: "ERR_INVALID_STATE" });
    assert.throws(() => bytesAt(shared, 0, 1), { code: "ESTALE" });
    view.release();
    assert.deepEqual(mmapCounts(fs.kernel), { nrMapped: 0, nrAnon: 0, nrMlock: 0, nrPageTables: 0, nrPinned: 0 });
    fs.kernel.verify();
  });

  it("has its errors when memory runs out, and changes nothing then", () => {
    const { fs, fd } = fsWith(4 * PAGE, { memoryLimit: 8 * 2 ** 20 });
    const mapping = fs.kernel.mmap(fd, { prot: RW, flags: MAP_PRIVATE, length: 4 * 2 ** 20 });
    fs.ftruncateSync(fd, 4 * 2 ** 20);
    const page = Buffer.alloc(PAGE, "p");
    let nr = 0;
    assert.throws(
      () => {
        for (; nr < 1024; nr++) mapping.set(page, nr * PAGE);
      },
      { code: /ENOMEM|ENOSPC/ },
    );
    assert.ok(nr > 500, `${nr} pages`);
    fs.kernel.verify();
    for (let i = 0; i < nr; i++) assert.equal(bytesAt(mapping, i * PAGE, 1), "p");
    assert.throws(() => fs.writeFileSync("/more", Buffer.alloc(2 ** 20)), { code: "ENOSPC" });
    mapping.munmap();
    fs.ftruncateSync(fd, 0);
    fs.writeFileSync("/more", Buffer.alloc(2 ** 20));
  });

  it("fails cleanly at each allocation", () => {
    for (let n = 1; ; n++) {
      const { fs, fd } = fsWith(2 * PAGE);
      fs.ftruncateSync(fd, 6 * PAGE);
      fs.kernel.vfs.core.x.setFailAfter(n);
      try {
        const shared = fs.kernel.mmap(fd, { prot: RW });
        const priv = fs.kernel.mmap(fd, { prot: RW, flags: MAP_PRIVATE });
        shared.set(Buffer.alloc(2 * PAGE, "s"), 3 * PAGE);
        priv.set(Buffer.alloc(2 * PAGE, "p"), 3 * PAGE);
        priv.mlock(0, PAGE);
        fs.readView(fd, 0).release();
        fs.kernel.vfs.core.x.setFailAfter(0);
        assert.ok(n > 6, "an allocation was not made to fail");
        return;
      } catch (error) {
        assert.match((error as { code: string }).code, /^(ENOMEM|ENOSPC|EAGAIN)$/);
      }
      fs.kernel.vfs.core.x.setFailAfter(0);
      fs.kernel.verify();
      fs.kernel.destroy();
    }
  });
});

describe("mlock", () => {
  it("pins pages until munlock or munmap, counts against the limit, and changes nothing where it fails", () => {
    const { fs, fd } = fsWith(8 * PAGE);
    setMaxPinned(fs.kernel, 4 * PAGE);
    const mapping = fs.kernel.mmap(fd, { prot: RW });
    mapping.mlock(0, 3 * PAGE);
    assert.equal(mmapCounts(fs.kernel).nrMlock, 3);
    mapping.mlock(PAGE, 3 * PAGE);
    assert.throws(() => mapping.mlock(), { code: "ENOMEM", syscall: "mlock" });
    assert.equal(mmapCounts(fs.kernel).nrMlock, 4);
    assert.throws(() => fs.kernel.mmap(fd, { flags: MAP_SHARED | MAP_LOCKED }), { code: "EAGAIN" });
    assert.throws(() => fs.readView(fd), { code: "ENOMEM" });
    mapping.munlock(0, 2 * PAGE);
    using locked = fs.kernel.mmap(fd, { flags: MAP_SHARED | MAP_LOCKED, length: 2 * PAGE, offset: 4 * PAGE });
    assert.equal(mmapCounts(fs.kernel).nrMlock, 4);
    assert.throws(() => mapping.mlock(0, 9 * PAGE), { code: "ENOMEM" });
    fs.ftruncateSync(fd, 3 * PAGE); // what is cut is not pinned any more, and still counts
    assert.equal(mmapCounts(fs.kernel).nrMlock, 1);
    assert.equal(mmapCounts(fs.kernel).nrPinned, 4);
    fs.ftruncateSync(fd, 8 * PAGE);
    assert.equal(bytesAt(locked, 0, 1), "\0");
    assert.equal(mmapCounts(fs.kernel).nrMlock, 2); // what comes there is locked
    mapping.munmap();
    locked.munmap();
    assert.deepEqual(mmapCounts(fs.kernel), { nrMapped: 0, nrAnon: 0, nrMlock: 0, nrPageTables: 0, nrPinned: 0 });
  });

  for (const root of ["tmpfs", "ramfs"] as const) {
    it(`keeps frames that a hole or a clone takes out of the file, until they are touched or let go (${root})`, () => {
      const { fs, fd } = fsWith(8 * PAGE, { root });
      const mapping = fs.kernel.mmap(fd, { prot: RW });
      mapping.mlock();
      fs.fallocateSync(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2 * PAGE);
      fs.kernel.linux.ficlonerangeSync(fd, fd, { srcOffset: 6 * PAGE, srcLength: 2 * PAGE, destOffset: 2 * PAGE });
      fs.kernel.verify?.();
      assert.equal(mmapCounts(fs.kernel).nrMlock, 4);
      assert.equal(mmapCounts(fs.kernel).nrPinned, 8);
      assert.equal(bytesAt(mapping, PAGE - 1, 2), "\0\0");
      assert.equal(bytesAt(mapping, 3 * PAGE, 2), "aa");
      assert.equal(mmapCounts(fs.kernel).nrMlock, 7); // one of the clone has not been come to
      fs.kernel.verify?.();
      mapping.munmap();
      fs.kernel.verify?.(); // no frame is left behind
      assert.equal(mmapCounts(fs.kernel).nrPinned, 0);
    });
  }

  it("brings back what has been cut of the pages that are locked already, and counts them once", () => {
    const { fs, fd } = fsWith(3 * PAGE);
    setMaxPinned(fs.kernel, 3 * PAGE);
    const mapping = fs.kernel.mmap(fd, { prot: RW });
    mapping.mlock();
    fs.ftruncateSync(fd, PAGE);
    assert.throws(() => mapping.mlock(), { code: "ENOMEM" }); // there is nothing to lock behind the end
    fs.ftruncateSync(fd, 3 * PAGE);
    assert.equal(mmapCounts(fs.kernel).nrMlock, 1);
    mapping.mlock();
    assert.equal(mmapCounts(fs.kernel).nrMlock, 3);
    assert.equal(mmapCounts(fs.kernel).nrPinned, 3);
    fs.kernel.verify?.();
    mapping.munmap();
    assert.equal(mmapCounts(fs.kernel).nrPinned, 0);
  });

  it("has copies of the pages of a private mapping that may be written to", () => {
    const { fs, fd } = fsWith(2 * PAGE);
    using mapping = fs.kernel.mmap(fd, { prot: RW, flags: MAP_PRIVATE });
    mapping.mlock();
    fs.writeSync(fd, "changed", 0);
    assert.equal(bytesAt(mapping, 0, 4), "aaaa");
    assert.deepEqual(mmapCounts(fs.kernel), { nrMapped: 0, nrAnon: 2, nrMlock: 2, nrPageTables: 2, nrPinned: 2 });
  });
});

describe("fs.readView", () => {
  it("is the file's own bytes, which a write changes and a cut leaves alone", () => {
    const { fs, fd } = fsWith(3 * PAGE);
    const view = fs.readView(fd, 10, PAGE);
    assert.equal(view.length, PAGE);
    fs.writeSync(fd, "written", 10);
    assert.equal(view.bytes.toString("latin1", 0, 8), "writtena");
    fs.unlinkSync("/file");
    fs.closeSync(fd);
    fs.kernel.verify();
    fs.writeFileSync("/other", Buffer.alloc(8 * PAGE, "o"));
    assert.equal(view.bytes.toString("latin1", 0, 8), "writtena");
    view.release();
    view.release();
    assert.throws(() => view.bytes, { code: "ERR_INVALID_STATE" });
    assert.equal(mmapCounts(fs.kernel).nrPinned, 0);
  });

  it("outlives its file system", () => {
    const { fs } = fsWith(0);
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "tmpfs", target: "/m" });
    fs.writeFileSync("/m/file", "of a file system that is no more");
    const fd = fs.openSync("/m/file", "r");
    const view = fs.readView(fd);
    fs.closeSync(fd);
    fs.kernel.umount("/m");
    fs.kernel.verify();
    for (let i = 0; i < 50; i++) fs.writeFileSync(`/other${i}`, Buffer.alloc(2 * PAGE, "o"));
    assert.equal(view.bytes.toString(), "of a file system that is no more");
    view.release();
    fs.kernel.verify();
  });

  it("ends with the file and with the run of frames; behind the end there is nothing", () => {
    const { fs, fd } = fsWith(PAGE + 5);
    let at = 0;
    const parts: string[] = [];
    for (;;) {
      using view = fs.readView(fd, at);
      if (view.length === 0) break;
      parts.push(Buffer.from(view.bytes).toString("latin1"));
      at += view.length;
    }
    assert.equal(parts.join(""), "a".repeat(PAGE + 5));
    assert.equal(fs.readView(fd, 100, 0).length, 0);
    fs.ftruncateSync(fd, 10 * PAGE);
    using hole = fs.readView(fd, 5 * PAGE, 3);
    assert.deepEqual([...hole.bytes], [0, 0, 0]);
  });

  it("is renewed when memory has grown", () => {
    const { fs, fd } = fsWith(PAGE, { memoryLimit: 64 * 2 ** 20 });
    using view = fs.readView(fd);
    const before = view.bytes;
    assert.equal(view.bytes, before);
    fs.writeFileSync("/large", Buffer.alloc(32 * 2 ** 20));
    assert.equal(view.bytes[0], 97);
    assert.equal(view.bytes.length, PAGE);
  });

  it("lasts with memory that does not grow", () => {
    const { fs, fd } = fsWith(PAGE, { preallocate: true });
    using view = fs.readView(fd);
    const { bytes } = view;
    fs.writeFileSync("/large", Buffer.alloc(16 * 2 ** 20));
    fs.writeSync(fd, "new", 0);
    assert.equal(bytes.toString("latin1", 0, 4), "newa");
  });

  it("has the errors of a read", () => {
    const { fs } = fsWith(PAGE);
    fs.mkdirSync("/d");
    assert.throws(() => fs.readView(99), { code: "EBADF", syscall: "read" });
    assert.throws(() => fs.readView(fs.openSync("/file", "w")), { code: "EBADF" });
    assert.throws(() => fs.readView(fs.openSync("/d", "r")), { code: "EISDIR" });
    assert.throws(() => fs.readView(3, -1), { code: "ERR_OUT_OF_RANGE" });
    assert.throws(() => fs.readView(3, 0, 0.5), { code: "ERR_OUT_OF_RANGE" });
  });

  it("ends in ENOMEM when too much is pinned, and works again when something is let go", () => {
    const { fs, fd } = fsWith(PAGE, { memoryLimit: 8 * 2 ** 20 });
    const views = [];
    const error = (() => {
      for (;;) {
        try {
          views.push(fs.readView(fd));
        } catch (caught) {
          return caught as { code: string };
        }
      }
    })();
    assert.equal(error.code, "ENOMEM");
    assert.equal(views.length, 1024, "half of the memory");
    fs.writeFileSync("/works", "all the same");
    fs.kernel.verify();
    views.pop()?.release();
    views.push(fs.readView(fd));
    for (const view of views) view.release();
    assert.equal(mmapCounts(fs.kernel).nrPinned, 0);
  });

  it("has no more than may be pinned, and of what is to be written to no more than a page unless it is asked for", () => {
    const { fs, fd } = fsWith(64 * PAGE);
    setMaxPinned(fs.kernel, 5 * PAGE + 1);
    const view = fs.readView(fd, 100);
    assert.equal(view.length, 5 * PAGE - 100);
    view.release();
    using mapping = fs.kernel.mmap(fd, { prot: RW });
    const read = mapping.read(PAGE);
    assert.equal(read.length, 5 * PAGE);
    read.release();
    const page = mapping.write(PAGE + 100);
    assert.equal(page.length, PAGE - 100);
    const rest = mapping.write(3 * PAGE, 10 * PAGE);
    assert.equal(rest.length, 4 * PAGE);
    assert.throws(() => mapping.write(), { code: "ENOMEM" });
    page.release();
    rest.release();
  });

  it("is not moved by compaction", () => {
    const { fs } = fsWith(PAGE);
    for (let i = 0; i < 64; i++) fs.writeFileSync(`/f${i}`, Buffer.alloc(16 * PAGE, i));
    const fd = fs.openSync("/f63", "r");
    using view = fs.readView(fd);
    for (let i = 0; i < 60; i++) fs.unlinkSync(`/f${i}`);
    assert.ok(fs.kernel.compact() > 0);
    assert.equal(view.bytes[0], 63);
    fs.writeSync(fs.openSync("/f63", "r+"), "!", 0);
    assert.equal(view.bytes[0], 33);
  });
});
