/** Swap areas: files of the host, priorities, devices that take time, that fail, that are full; and copies of what is in them. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, it } from "vitest";
import { createFsSync, type FolioFs, restoreFsSync } from "../../../src/index.ts";
import { pageFlags } from "../../../src/mm/page.ts";
import { PG_WRITEBACK } from "../../../src/wasm/layout.ts";
import { inodeOf } from "../../helpers/mock-scene.ts";
import { MockSwap } from "../../helpers/mock-swap.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const PAGE = 4096;
const MIB = 2 ** 20;
const LIMIT = 8 * MIB;

function patterned(nrPages: number, salt = 1): Buffer {
  const words = new Uint32Array((nrPages * PAGE) / 4);
  for (let i = 0; i < words.length; i++) words[i] = (i >>> 10) * 65_536 + salt;
  return Buffer.from(words.buffer);
}

function machine(): FolioFs {
  const fs = createFsSync({ memoryLimit: LIMIT });
  fs.mkdirSync("/t");
  fs.kernel.mount({ type: "tmpfs", target: "/t", data: "size=256m,mode=777" });
  return fs;
}

const DATA = patterned((12 * MIB) / PAGE);

describe("what can be a swap area", () => {
  it("is refused by Node's errors where arguments are wrong, by promises too, and nothing is made", async () => {
    const fs = machine();
    const dir = nodeFs.mkdtempSync(join(tmpdir(), "foliofs-swap-"));
    const file = join(dir, "swap");
    const functions = { readPages() {}, writePages() {} };
    for (const wrong of [
      undefined,
      null,
      5,
      file,
      [],
      {},
      { file: 7 },
      { file: Buffer.from(file) },
      { file, size: "1m" },
      { nrPages: "5", ...functions },
      { nrPages: 5, readPages() {} },
    ]) {
      const code = "ERR_INVALID_ARG_TYPE";
      assert.throws(() => fs.kernel.swapOn(wrong as never), { name: "TypeError", code });
      assert.throws(() => fs.kernel.swapOff(wrong as never), { name: "TypeError", code });
      await assert.rejects(() => fs.kernel.swapOffAsync(wrong as never), { name: "TypeError", code });
    }
    for (const wrong of [
      { file, siez: MIB },
      { file: `${file}\0`, size: MIB },
    ])
      assert.throws(() => fs.kernel.swapOn(wrong as never), { code: "ERR_INVALID_ARG_VALUE" });
    for (const size of [8192.5, Number.NaN])
      assert.throws(() => fs.kernel.swapOn({ file, size }), { name: "RangeError", code: "ERR_OUT_OF_RANGE" });
    const on = (options: unknown) => () => fs.kernel.swapOn({ file, size: MIB }, options as never);
    for (const options of [null, 5, { priority: "5" }]) assert.throws(on(options), { code: "ERR_INVALID_ARG_TYPE" });
    for (const priority of [-1, 1.5, 32768]) assert.throws(on({ priority }), { code: "ERR_OUT_OF_RANGE" });
    assert.throws(on({ prioritiy: 1 }), { code: "ERR_INVALID_ARG_VALUE" });
    for (const size of [-1, 0, 100, 2 ** 34 + PAGE])
      assert.throws(() => fs.kernel.swapOn({ file, size }), { code: "EINVAL", syscall: "swapon" });
    assert.deepEqual(nodeFs.readdirSync(dir), []);
    nodeFs.rmSync(dir, { recursive: true });
    fs.kernel.destroy();
  });

  it("is no area of two kernels, under whatever name: it is EBUSY until the first lets go of it", () => {
    const [first, second] = [machine(), machine()];
    const dir = nodeFs.mkdtempSync(join(tmpdir(), "foliofs-swap-"));
    const file = join(dir, "swap");
    first.kernel.swapOn({ file, size: 16 * MIB });
    first.writeFileSync("/t/a", DATA);
    nodeFs.linkSync(file, join(dir, "link"));
    for (const name of [file, join(dir, "link"), `${dir}/../${dir.split("/").at(-1)}/swap`]) {
      // A smaller size would cut off pages of the first.
      assert.throws(() => second.kernel.swapOn({ file: name, size: MIB }), { code: "EBUSY", syscall: "swapon" });
      assert.throws(() => first.kernel.swapOn({ file: name }), { code: "EBUSY" });
    }
    assert.equal(nodeFs.statSync(file).size, 16 * MIB);
    assert.ok(first.readFileSync("/t/a").equals(DATA));
    const device = new MockSwap(100);
    first.kernel.swapOn(device);
    assert.throws(() => second.kernel.swapOn(device), { code: "EBUSY" });
    first.kernel.swapOff(device);
    device.isClosed = false;
    second.kernel.swapOn(device);
    first.kernel.destroy();
    second.kernel.swapOn({ file });
    second.writeFileSync("/t/a", DATA);
    assert.ok(second.readFileSync("/t/a").equals(DATA));
    second.kernel.destroy();
    nodeFs.rmSync(dir, { recursive: true });
  });

  it("is EINVAL for what cannot be one, EBUSY for one that is on, EPERM for more than 8 and for others than root", () => {
    const fs = machine();
    const device = new MockSwap(100);
    for (const nrPages of [0, -1])
      assert.throws(() => fs.kernel.swapOn({ nrPages, readPages: () => 0, writePages: () => 0 }), {
        code: "EINVAL",
        syscall: "swapon",
      });
    assert.throws(() => fs.kernel.swapOff(device), { code: "EINVAL", syscall: "swapoff" });
    const user = fs.kernel.task({ uid: 1000, gid: 1000 });
    assert.throws(() => user.kernel.swapOn(device), { code: "EPERM" });
    fs.kernel.swapOn(device);
    assert.throws(() => fs.kernel.swapOn(device), { code: "EBUSY" });
    assert.throws(() => user.kernel.swapOff(device), { code: "EPERM" });
    for (let i = 1; i < 8; i++) fs.kernel.swapOn(new MockSwap(10));
    assert.throws(() => fs.kernel.swapOn(new MockSwap(10)), { code: "EPERM" });
    fs.kernel.swapOff(device);
    device.isClosed = false;
    fs.kernel.swapOn(device);
    assert.throws(() => fs.kernel.swapOn(new MockSwap(2 ** 22 + 1)), { code: "EPERM" });
    fs.kernel.destroy();
    assert.ok(device.isClosed);
  });

  it("fails for want of memory for its map, and nothing has changed", () => {
    const fs = machine();
    assert.throws(() => fs.kernel.swapOn(new MockSwap(2 ** 22 + 1)), { code: "EINVAL" });
    const fill = Buffer.alloc(64 * 1024);
    const fd = fs.openSync("/fill", "w");
    assert.throws(
      () => {
        for (;;) fs.writeSync(fd, fill);
      },
      { code: "ENOSPC" },
    );
    const device = new MockSwap(2 ** 22);
    assert.throws(() => fs.kernel.swapOn(device), { code: "ENOMEM" });
    fs.kernel.verify();
    fs.kernel.swapOn(new MockSwap(1000)); // of the reserve, since it makes room
    fs.kernel.verify();
    fs.writeSync(fd, fill);
  });

  it("is filled by priority, and equal ones in turn", () => {
    const fs = machine();
    const [low, high, equal] = [new MockSwap(4000), new MockSwap(300), new MockSwap(300)];
    fs.kernel.swapOn(low);
    fs.kernel.swapOn(high, { priority: 7 });
    fs.kernel.swapOn(equal, { priority: 7 });
    fs.writeFileSync("/t/a", patterned((8 * MIB + 512 * 1024) / PAGE));
    assert.equal(low.pagesWritten, 0);
    assert.ok(high.pagesWritten > 0 && equal.pagesWritten > 0);
    fs.writeFileSync("/t/a", DATA);
    assert.ok(low.pagesWritten > 0);
    assert.ok(fs.readFileSync("/t/a").equals(DATA));
    fs.kernel.verify();
    fs.kernel.swapOff(high); // goes to the others
    assert.ok(fs.readFileSync("/t/a").equals(DATA));
  });

  it("takes what another has refused, or could not write", () => {
    const fs = machine();
    const [picky, other] = [new MockSwap(4000), new MockSwap(4000)];
    picky.verdict = (nr, isWrite, io) => (!isWrite || nr % 3 === 0 ? "ok" : nr % 3 === 1 ? "throw" : io.nrPages >> 1);
    fs.kernel.swapOn(picky, { priority: 2 });
    fs.kernel.swapOn(other, { priority: 1 });
    fs.writeFileSync("/t/a", DATA);
    fs.kernel.verify();
    assert.ok(picky.pagesWritten > 0 && other.pagesWritten > 0);
    assert.ok(fs.readFileSync("/t/a").equals(DATA));
    fs.kernel.verify();
  });

  it("is ENOSPC where no area takes anything, and nothing is lost", () => {
    const fs = machine();
    const device = new MockSwap(4000);
    fs.kernel.swapOn(device);
    const half = patterned((6 * MIB) / PAGE);
    fs.writeFileSync("/t/a", half);
    device.verdict = () => "throw";
    assert.equal(
      outcomeOf(() => fs.writeFileSync("/t/b", half)),
      "ENOSPC",
    );
    fs.unlinkSync("/t/b");
    fs.kernel.verify();
    assert.ok(fs.readFileSync("/t/a").equals(half));
    device.verdict = () => "ok";
    fs.writeFileSync("/t/b", half);
    assert.ok(fs.readFileSync("/t/a").equals(half));
    assert.ok(fs.readFileSync("/t/b").equals(half));
  });
});

describe("a file of the host", () => {
  let dir: string;
  beforeEach(() => {
    dir = nodeFs.mkdtempSync(join(tmpdir(), "foliofs-swap-"));
  });
  afterEach(() => nodeFs.rmSync(dir, { recursive: true, force: true }));

  it("is made as large as it is to be, or is as large as it is", () => {
    const fs = machine();
    const file = join(dir, "swap");
    assert.throws(() => fs.kernel.swapOn({ file }), { code: "ENOENT", syscall: "swapon" });
    assert.throws(() => fs.kernel.swapOn({ file: dir }), { code: "EISDIR" });
    assert.throws(() => fs.kernel.swapOn({ file, size: 100 }), { code: "EINVAL" });
    fs.kernel.swapOn({ file, size: 16 * MIB });
    assert.equal(nodeFs.statSync(file).size, 16 * MIB);
    assert.equal(nodeFs.statSync(file).mode & 0o777, 0o600);
    assert.throws(() => fs.kernel.swapOn({ file }), { code: "EBUSY" });
    fs.writeFileSync("/t/a", DATA);
    assert.ok(nodeFs.statSync(file).blocks > 1000);
    assert.ok(fs.readFileSync("/t/a").equals(DATA));
    fs.unlinkSync("/t/a");
    fs.kernel.swapOff({ file });
    fs.kernel.swapOn({ file });
    fs.writeFileSync("/t/a", DATA);
    assert.ok(fs.readFileSync("/t/a").equals(DATA));
    fs.kernel.destroy();
  });

  it("leaves no descriptor open", () => {
    const nrOpen = (): number =>
      nodeFs.readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return nodeFs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(dir);
        } catch {
          return false;
        }
      }).length;
    const fs = machine();
    fs.kernel.swapOn({ file: join(dir, "a"), size: MIB });
    fs.kernel.swapOn({ file: join(dir, "b"), size: MIB });
    assert.equal(nrOpen(), 2);
    fs.kernel.swapOff({ file: join(dir, "a") });
    assert.equal(nrOpen(), 1);
    const bytes = fs.kernel.snapshot();
    fs.kernel.restore(bytes);
    assert.equal(nrOpen(), 0);
    fs.kernel.swapOn({ file: join(dir, "b"), size: MIB });
    fs.kernel.destroy();
    assert.equal(nrOpen(), 0);
  });
});

describe("a device that takes time", () => {
  /** Answers the device until `work` is over. */
  async function answered<T>(device: MockSwap, work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = work.finally(() => {
      isOver = true;
    });
    over.catch(() => {});
    for (let i = 0; !isOver; i++) {
      await new Promise(setImmediate);
      device.answer();
      assert.ok(i < 200_000, "nothing goes on");
    }
    return over;
  }

  function slow(): { fs: FolioFs; device: MockSwap } {
    const fs = machine();
    const device = new MockSwap(8000);
    device.isAsync = true;
    fs.kernel.swapOn(device);
    return { fs, device };
  }

  /** `/t/a` is on its way out, and the device has not answered. */
  function swappingOut(): { fs: FolioFs; device: MockSwap; data: Buffer } {
    const { fs, device } = slow();
    const data = patterned((7 * MIB) / PAGE);
    fs.writeFileSync("/t/a", data);
    assert.throws(() => fs.writeFileSync("/t/b", data), { code: "EAGAIN" });
    assert.ok(device.waiting.length > 0);
    return { fs, device, data };
  }

  it("is waited for by promises, in both directions", async () => {
    const { fs, device } = slow();
    await answered(device, fs.promises.writeFile("/t/a", DATA));
    fs.kernel.verify();
    assert.ok((await answered(device, fs.promises.readFile("/t/a"))).equals(DATA));
    fs.kernel.verify();
    const handle = await fs.promises.open("/t/a", "r+");
    const { bytesRead, buffer } = await answered(device, handle.read(Buffer.alloc(100_000), 0, 100_000, 3));
    assert.equal(bytesRead, 100_000);
    assert.ok(buffer.equals(DATA.subarray(3, 100_003)));
    await answered(device, handle.truncate(PAGE + 5));
    assert.ok((await answered(device, fs.promises.readFile("/t/a"))).equals(DATA.subarray(0, PAGE + 5)));
    await answered(device, handle.close());
  });

  /** Answers all that waits. */
  async function drain(device: MockSwap): Promise<void> {
    while (device.waiting.length > 0) {
      device.answer();
      await new Promise(setImmediate);
    }
  }

  it("is EAGAIN for synchronous calls that need it, and there the next time", async () => {
    const { fs, device } = slow();
    await answered(device, fs.promises.writeFile("/t/a", DATA));
    await drain(device);
    const fd = fs.openSync("/t/a", "r");
    const got = Buffer.alloc(PAGE);
    assert.throws(() => fs.readSync(fd, got, 0, PAGE, 5 * PAGE), { code: "EAGAIN" });
    assert.equal(device.waiting.length, 1);
    assert.throws(() => fs.readSync(fd, got, 0, PAGE, 5 * PAGE), { code: "EAGAIN" });
    assert.equal(device.waiting.length, 1, "asked once");
    device.answer();
    await new Promise(setImmediate);
    assert.equal(fs.readSync(fd, got, 0, PAGE, 5 * PAGE), PAGE);
    assert.ok(got.equals(DATA.subarray(5 * PAGE, 6 * PAGE)));
    fs.closeSync(fd);
  });

  it("is waited for by copies, appends and vectors", async () => {
    const { fs, device } = slow();
    await answered(device, fs.promises.writeFile("/t/a", DATA));
    await answered(device, fs.promises.copyFile("/t/a", "/t/b"));
    await answered(device, fs.promises.appendFile("/t/a", DATA.subarray(0, 3 * MIB)));
    const expected = Buffer.concat([DATA, DATA.subarray(0, 3 * MIB)]);
    assert.ok((await answered(device, fs.promises.readFile("/t/b"))).equals(DATA));
    assert.ok((await answered(device, fs.promises.readFile("/t/a"))).equals(expected));
    const handle = await fs.promises.open("/t/b", "r+");
    const parts = [Buffer.alloc(3 * PAGE, 1), Buffer.alloc(5 * PAGE + 1, 2)];
    assert.equal((await answered(device, handle.writev(parts, 7))).bytesWritten, 8 * PAGE + 1);
    const got = [Buffer.alloc(2 * PAGE), Buffer.alloc(6 * PAGE + 8)];
    assert.equal((await answered(device, handle.readv(got, 0))).bytesRead, 8 * PAGE + 8);
    assert.ok(Buffer.concat(got).equals(Buffer.concat([DATA.subarray(0, 7), ...parts])));
    await answered(device, handle.close());
    fs.kernel.verify();
  });

  it("moves the position of the file once", async () => {
    const { fs, device } = slow();
    await answered(device, fs.promises.writeFile("/t/a", DATA));
    const handle = await fs.promises.open("/t/a", "r");
    for (let at = 0; at < 30 * PAGE; at += 10_000) {
      const { bytesRead, buffer } = await answered(device, handle.read(Buffer.alloc(10_000), 0, 10_000, null));
      assert.equal(bytesRead, 10_000);
      assert.ok(buffer.equals(DATA.subarray(at, at + 10_000)), `at ${at}`);
    }
    await handle.close();
  });

  it("does not matter to a page that is written to while it is written out", async () => {
    const { fs, device } = slow();
    const fd = fs.openSync("/t/a", "w+");
    const expected = patterned((7 * MIB) / PAGE);
    fs.writeSync(fd, expected, 0, expected.length, 0);
    assert.throws(() => fs.writeFileSync("/t/b", expected), { code: "EAGAIN" });
    assert.ok(device.waiting.length > 0);
    for (let at = 0; at < expected.length; at += PAGE) {
      expected[at + 7] = 99;
      fs.writeSync(fd, Buffer.from([99]), 0, 1, at + 7);
    }
    fs.kernel.verify();
    while (device.waiting.length > 0) {
      device.answer();
      await new Promise(setImmediate);
      fs.kernel.verify();
    }
    assert.ok((await answered(device, fs.promises.readFile("/t/a"))).equals(expected));
    fs.closeSync(fd);
  });

  it("does not matter to a file that is removed while its pages are written or read", async () => {
    const { fs, device } = swappingOut();
    fs.unlinkSync("/t/a");
    fs.kernel.verify();
    await answered(device, fs.promises.writeFile("/t/b", DATA));
    const reads = [0, 1, 2].map(() => fs.promises.readFile("/t/b"));
    assert.ok(device.waiting.length > 0);
    fs.truncateSync("/t/b", 0);
    fs.kernel.verify();
    for (const got of await answered(device, Promise.all(reads))) assert.ok(got.equals(DATA.subarray(0, got.length)));
    await drain(device);
    fs.kernel.verify();
    await fs.kernel.swapOffAsync(device);
    fs.kernel.verify();
  });

  it("may refuse pages of a file that is gone by then", async () => {
    const { fs, device } = slow();
    const data = patterned((7 * MIB) / PAGE);
    const before = fs.kernel.vmstat().nr_inodes;
    device.verdict = () => 0;
    fs.writeFileSync("/t/a", data);
    assert.throws(() => fs.writeFileSync("/t/b", data), { code: "EAGAIN" });
    assert.ok(device.waiting.length > 0);
    fs.unlinkSync("/t/a");
    fs.rmSync("/t/b", { force: true });
    fs.kernel.verify();
    await drain(device);
    fs.kernel.verify();
    assert.equal(fs.kernel.vmstat().nr_inodes, before);
    device.verdict = () => "ok";
    await answered(device, fs.promises.writeFile("/t/c", DATA));
    assert.ok((await answered(device, fs.promises.readFile("/t/c"))).equals(DATA));
    fs.kernel.verify();
  });

  it("has pages that somebody has pinned meanwhile, and they stay in memory, too", async () => {
    const { fs, device, data } = swappingOut();
    const { core } = fs.kernel.vfs;
    const fd = fs.openSync("/t/a", "r");
    const inode = inodeOf(fs.kernel.vfs, fd);
    const pfns: number[] = [];
    for (let index = 0; index * PAGE < data.length; index++) {
      const pfn = core.x.findPage(inode, index);
      if (pfn !== 0 && pageFlags(core, pfn) & PG_WRITEBACK) pfns.push(pfn);
    }
    assert.ok(pfns.length > 0);
    for (const pfn of pfns) core.x.getPage(pfn);
    await drain(device);
    for (const pfn of pfns) {
      assert.equal(pageFlags(core, pfn) & PG_WRITEBACK, 0);
      core.x.putPage(pfn);
    }
    fs.kernel.verify();
    assert.ok((await answered(device, fs.promises.readFile("/t/a"))).equals(data));
    fs.closeSync(fd);
  });

  it("is emptied by swapOffAsync(), and by swapOff() not at once", async () => {
    const { fs, device } = slow();
    await answered(device, fs.promises.writeFile("/t/a", DATA));
    await answered(device, fs.promises.truncate("/t/a", 5 * MIB));
    assert.throws(() => fs.kernel.swapOff(device), { code: "EAGAIN" });
    await answered(device, fs.kernel.swapOffAsync(device));
    assert.ok(device.isClosed);
    fs.kernel.verify();
    assert.ok(fs.readFileSync("/t/a").equals(DATA.subarray(0, 5 * MIB)));
  });

  it("is off before it has answered: what it takes only a part of stays in memory", async () => {
    const { fs, device } = slow();
    const data = patterned((7 * MIB) / PAGE);
    fs.writeFileSync("/t/a", data);
    device.verdict = (_nr, isWrite, io) => (isWrite ? io.nrPages >> 2 : "ok");
    assert.throws(() => fs.writeFileSync("/t/b", data), { code: "EAGAIN" });
    fs.unlinkSync("/t/b");
    const nrWrites = device.nrWrites;
    assert.ok(device.waiting.length > 0);
    await answered(device, fs.kernel.swapOffAsync(device));
    assert.equal(device.nrWrites, nrWrites, "it is asked for nothing more");
    assert.ok(device.pagesWritten > 0);
    assert.equal(device.isClosed, true);
    fs.kernel.verify();
    assert.ok(fs.readFileSync("/t/a").equals(data));
  });

  it("is EIO for who waits for a page that it cannot read", async () => {
    const { fs, device } = slow();
    await answered(device, fs.promises.writeFile("/t/a", DATA));
    device.verdict = (_nr, isWrite) => (isWrite ? "ok" : "throw");
    await assert.rejects(answered(device, fs.promises.readFile("/t/a")), { code: "EIO" });
    fs.kernel.verify();
    device.verdict = () => "ok";
    assert.ok((await answered(device, fs.promises.readFile("/t/a"))).equals(DATA));
  });

  it("is read anew to be emptied, where it had failed for somebody who has not asked again", async () => {
    const { fs, device } = slow();
    await answered(device, fs.promises.writeFile("/t/a", DATA));
    await answered(device, fs.promises.truncate("/t/a", 5 * MIB));
    await drain(device);
    const fd = fs.openSync("/t/a", "r");
    device.verdict = () => "throw";
    for (const page of [5, 100]) {
      assert.throws(() => fs.readSync(fd, Buffer.alloc(PAGE), 0, PAGE, page * PAGE), { code: "EAGAIN" });
      await drain(device);
    }
    await assert.rejects(answered(device, fs.kernel.swapOffAsync(device)), { code: "EIO" });
    await drain(device); // it had asked for several
    device.verdict = () => "ok";
    await answered(device, fs.kernel.swapOffAsync(device));
    fs.kernel.verify();
    assert.ok(fs.readFileSync("/t/a").equals(DATA.subarray(0, 5 * MIB)));
    fs.closeSync(fd);
  });

  it("is waited for by an ftruncate whose descriptor is closed meanwhile", async () => {
    const { fs, device } = slow();
    await answered(device, fs.promises.writeFile("/t/a", DATA));
    await drain(device);
    const { nr_files } = fs.kernel.vmstat();
    const fd = fs.openSync("/t/a", "r+");
    const cut = promisify(fs.ftruncate)(fd, 5 * MIB + 10);
    assert.ok(device.waiting.length > 0);
    fs.closeSync(fd);
    await answered(device, cut);
    assert.equal(fs.kernel.vmstat().nr_files, nr_files);
    fs.kernel.verify();
    assert.ok((await answered(device, fs.promises.readFile("/t/a"))).equals(DATA.subarray(0, 5 * MIB + 10)));
  });

  it("is forgotten when the kernel ends", async () => {
    const { fs, device } = slow();
    await answered(device, fs.promises.writeFile("/t/a", DATA));
    const fd = fs.openSync("/t/a", "r");
    assert.throws(() => fs.readSync(fd, Buffer.alloc(10), 0, 10, 0), { code: "EAGAIN" });
    fs.kernel.destroy();
    device.answer();
    await new Promise(setImmediate);
  });

  it("has no part in copies that are taken while it writes", async () => {
    const { fs, device, data } = swappingOut();
    const bytes = fs.kernel.snapshot();
    const fork = fs.kernel.fork().fs;
    const restored = restoreFsSync(bytes);
    for (const copy of [fork, restored]) {
      copy.kernel.verify();
      assert.ok(copy.readFileSync("/t/a").equals(data));
    }
    await drain(device);
    fs.kernel.verify();
  });

  it("lets nobody take a copy that would lack its pages", async () => {
    const { fs, device } = slow();
    await answered(device, fs.promises.writeFile("/t/a", DATA));
    assert.throws(() => fs.kernel.snapshot(), { code: "EAGAIN", syscall: "snapshot" });
    assert.throws(() => fs.kernel.fork(), { code: "EAGAIN", syscall: "fork" });
  });
});

describe("copies", () => {
  let fs: FolioFs;
  let device: MockSwap;
  beforeEach(() => {
    fs = machine();
    device = new MockSwap(8000);
    fs.kernel.swapOn(device);
    fs.writeFileSync("/t/a", DATA);
    fs.writeFileSync("/t/b", "small");
    fs.readSync(fs.openSync("/t/a", "r"), Buffer.alloc(20 * PAGE), 0, 20 * PAGE, 0); // some in the swap cache
  });

  it("snapshots have what is in areas, and are restored with it", () => {
    const pages = device.pagesRead;
    const bytes = fs.kernel.snapshot();
    assert.ok(bytes.length > DATA.length);
    assert.ok(device.pagesRead > pages);
    fs.kernel.verify();
    fs.writeFileSync("/t/a", patterned(DATA.length / PAGE, 5));
    const copy = restoreFsSync(bytes);
    copy.kernel.verify();
    assert.ok(copy.readFileSync("/t/a").equals(DATA));
    copy.kernel.verify();
    assert.equal(copy.readFileSync("/t/b", "utf8"), "small");
    assert.throws(() => copy.writeFileSync("/t/c", DATA), { code: "ENOSPC" });
    copy.unlinkSync("/t/c");
    copy.kernel.swapOn(new MockSwap(8000));
    copy.writeFileSync("/t/c", DATA);
    assert.ok(copy.readFileSync("/t/c").equals(DATA));
    assert.ok(copy.readFileSync("/t/a").equals(DATA));
    const again = restoreFsSync(copy.kernel.snapshot());
    assert.ok(again.readFileSync("/t/a").equals(DATA));
    assert.ok(again.readFileSync("/t/c").equals(DATA));
  });

  it("a kernel is rolled back to it", () => {
    const bytes = fs.kernel.snapshot();
    fs.writeFileSync("/t/a", patterned(DATA.length / PAGE, 5));
    fs.kernel.restore(bytes);
    assert.ok(device.isClosed);
    fs.kernel.verify();
    assert.ok(fs.readFileSync("/t/a").equals(DATA));
  });

  it("a fork has it, whatever becomes of the first", () => {
    const fork = fs.kernel.fork().fs;
    fork.kernel.verify();
    fs.writeFileSync("/t/a", patterned(DATA.length / PAGE, 5));
    assert.ok(fork.readFileSync("/t/a").equals(DATA));
    fork.truncateSync("/t/a", 100);
    fork.kernel.verify();
    assert.ok(fs.readFileSync("/t/a").equals(patterned(DATA.length / PAGE, 5)));
    fs.kernel.verify();
  });

  it("are EIO, not something else, when a page cannot be read", () => {
    device.verdict = () => "throw";
    assert.throws(() => fs.kernel.snapshot(), { code: "EIO", syscall: "snapshot" });
    assert.throws(() => fs.kernel.fork(), { code: "EIO", syscall: "fork" });
    fs.kernel.verify();
  });

  it("of files that are all in memory have no areas", () => {
    fs.unlinkSync("/t/a");
    const copy = restoreFsSync(fs.kernel.snapshot());
    copy.kernel.verify();
    assert.equal(copy.kernel.vmstat().nr_inactive_anon, 0);
    assert.equal(copy.readFileSync("/t/b", "utf8"), "small");
  });
});
