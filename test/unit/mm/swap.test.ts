/** Swap of files in memory: what goes out comes back, by every call, whatever is done to it meanwhile. */
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { MockSwap } from "../../helpers/mock-swap.ts";
import { pushAllOut } from "../../helpers/swapped-out.ts";

const PAGE = 4096;
const MIB = 2 ** 20;
const LIMIT = 8 * MIB;

/** Bytes that say where they are: page and a salt in each word. */
function patterned(nrPages: number, salt = 1, first = 0): Buffer {
  const words = new Uint32Array((nrPages * PAGE) / 4);
  for (let i = 0; i < words.length; i++) words[i] = (first + (i >>> 10)) * 65_536 + salt;
  return Buffer.from(words.buffer);
}

function mount(fs: FolioFs, data = "size=64m"): void {
  fs.mkdirSync("/t");
  fs.kernel.mount({ type: "tmpfs", target: "/t", data });
}

describe("swap", () => {
  let fs: FolioFs;
  let device: MockSwap;

  beforeEach(() => {
    fs = createFsSync({ memoryLimit: LIMIT });
    mount(fs);
    device = new MockSwap((32 * MIB) / PAGE);
    fs.kernel.swapOn(device);
  });

  /** Has all that can be go to the area. */
  function pushOut(): void {
    pushAllOut(fs);
  }

  it("makes room after each rollback, however often allocations had failed before", () => {
    const chunk = Buffer.alloc(PAGE, 7);
    const snapshot = fs.kernel.snapshot();
    for (let time = 0; time < 3; time++) {
      fs.kernel.restore(snapshot);
      fs.kernel.swapOn(new MockSwap((32 * MIB) / PAGE));
      // Until the first allocation has failed, and no more.
      while (fs.kernel.vmstat().alloc_failed === 0) fs.appendFileSync("/t/a", chunk);
      assert.equal(fs.kernel.vmstat().alloc_failed, 1);
    }
  });

  it("keeps files twice as large as memory", () => {
    const data = patterned((16 * MIB) / PAGE);
    fs.writeFileSync("/t/a", data);
    assert.ok(device.pagesWritten > (8 * MIB) / PAGE);
    assert.equal(fs.statSync("/t/a").blocks * 512, 16 * MIB);
    fs.kernel.verify();
    assert.ok(fs.readFileSync("/t/a").equals(data));
    fs.kernel.verify();
    const writes = device.pagesWritten;
    assert.ok(fs.readFileSync("/t/a").equals(data));
    assert.ok(
      device.pagesWritten - writes < 600,
      "pages that have come back and were not changed are not written again",
    );
    assert.ok(device.nrReads < device.pagesRead / 6, "neighbours are read together");
  });

  it("gives slots back with what is removed, and takes them again", () => {
    for (let round = 0; round < 4; round++) {
      fs.writeFileSync("/t/a", patterned((24 * MIB) / PAGE, round));
      assert.ok(fs.readFileSync("/t/a").equals(patterned((24 * MIB) / PAGE, round)));
      fs.unlinkSync("/t/a");
      fs.kernel.verify();
    }
    fs.kernel.umount("/t");
    fs.kernel.swapOff(device);
    assert.ok(device.isClosed);
    fs.kernel.verify();
  });

  it("ends in ENOSPC when memory and the area are full, and goes on when something is removed", () => {
    const page = patterned(16);
    const fd = fs.openSync("/t/a", "w+");
    let size = 0;
    assert.throws(
      () => {
        for (;;) size += fs.writeSync(fd, page);
      },
      { code: "ENOSPC" },
    );
    assert.ok(size > 32 * MIB + LIMIT / 2, `only ${size}`);
    fs.kernel.verify();
    for (let at = 0; at + page.length <= size; at += page.length) {
      const got = Buffer.alloc(page.length);
      assert.equal(fs.readSync(fd, got, 0, got.length, at), got.length);
      assert.ok(got.equals(page), `at ${at}`);
    }
    fs.ftruncateSync(fd, size / 2);
    assert.equal(fs.writeSync(fd, page), page.length);
    fs.closeSync(fd);
  });

  it("brings back what swapOff() needs, or leaves the area on", () => {
    const data = patterned((16 * MIB) / PAGE);
    fs.writeFileSync("/t/a", data);
    assert.throws(() => fs.kernel.swapOff(device), { code: "ENOMEM", syscall: "swapoff" });
    fs.kernel.verify();
    assert.ok(fs.readFileSync("/t/a").equals(data));
    fs.truncateSync("/t/a", 4 * MIB);
    fs.kernel.swapOff(device);
    assert.ok(device.isClosed);
    fs.kernel.verify();
    assert.ok(fs.readFileSync("/t/a").equals(data.subarray(0, 4 * MIB)));
    assert.throws(() => fs.kernel.swapOff(device), { code: "EINVAL" });
  });

  it("copies between files where memory and the area are full", () => {
    fs.writeFileSync("/t/a", patterned(2000, 1));
    fs.writeFileSync("/t/b", patterned(2000, 2));
    const fill = fs.openSync("/t/fill", "w");
    const page = patterned(1);
    assert.throws(
      () => {
        for (;;) fs.writeSync(fill, page);
      },
      { code: "ENOSPC" },
    );
    const [from, to] = [fs.openSync("/t/a", "r"), fs.openSync("/t/b", "r+")];
    for (let at = 0; at < 2000; at += 97)
      for (let done = 0; done < 3 * PAGE; )
        done += fs.copyFileRangeSync(from, at * PAGE + done, to, at * PAGE + done, 3 * PAGE - done);
    const expected = patterned(2000, 2);
    for (let at = 0; at < 2000; at += 97) expected.set(patterned(3, 1, at), at * PAGE);
    assert.ok(fs.readFileSync("/t/b").equals(expected.subarray(0, 2000 * PAGE)));
  });

  it("is read by 2^page_cluster pages", () => {
    const data = patterned(40, 7);
    fs.writeFileSync("/t/f", data);
    const nrReads = (cluster: number): number => {
      const { vm } = fs.kernel;
      assert.ok(vm);
      vm.page_cluster = cluster;
      pushOut();
      const before = device.nrReads;
      assert.ok(fs.readFileSync("/t/f").equals(data));
      return device.nrReads - before;
    };
    assert.deepEqual([nrReads(0), nrReads(3), nrReads(5)], [40, 5, 2]);
  });

  it("is room for what fallocate() promises, which nobody else gets", () => {
    const fd = fs.openSync("/t/a", "w+");
    const size = 24 * MIB;
    fs.fallocateSync(fd, 0, 0, size);
    assert.equal(fs.fstatSync(fd).blocks * 512, size);
    assert.throws(() => fs.fallocateSync(fd, 0, size, 24 * MIB), { code: "ENOSPC" });
    const other = fs.openSync("/t/b", "w+");
    const piece = patterned(64, 3);
    let written = 0;
    assert.throws(
      () => {
        for (;;) written += fs.writeSync(other, piece);
      },
      { code: "ENOSPC" },
    );
    assert.ok(written > 12 * MIB, `only ${written} beside the promise`);
    fs.kernel.verify();
    const data = patterned(size / PAGE, 5);
    for (let at = 0; at < size; at += piece.length)
      assert.equal(fs.writeSync(fd, data, at, piece.length, at), piece.length);
    fs.kernel.verify();
    const got = Buffer.alloc(size);
    assert.equal(fs.readSync(fd, got, 0, size, 0), size);
    assert.ok(got.equals(data));
    assert.equal(fs.statSync("/t/b").size, written);
    const all = fs.readFileSync("/t/b");
    for (let at = 0; at < written; at += piece.length)
      assert.ok(all.subarray(at, at + piece.length).equals(piece.subarray(0, Math.min(piece.length, written - at))));
    fs.closeSync(fd);
    fs.closeSync(other);
  });

  it("leaves mounts with noswap alone, and others that are made meanwhile not", () => {
    fs.mkdirSync("/n");
    fs.kernel.mount({ type: "tmpfs", target: "/n", data: "size=64m,noswap" });
    assert.throws(() => fs.writeFileSync("/n/a", patterned((16 * MIB) / PAGE)), { code: "ENOSPC" });
    assert.equal(device.pagesWritten, 0);
    fs.unlinkSync("/n/a");
    fs.mkdirSync("/t2");
    fs.kernel.mount({ type: "tmpfs", target: "/t2", data: "size=64m" });
    fs.writeFileSync("/t2/a", patterned((16 * MIB) / PAGE));
    assert.ok(device.pagesWritten > 0);
  });

  describe("with a file that is out", () => {
    const NR = 40;
    const data = patterned(NR, 7);

    beforeEach(() => {
      fs.writeFileSync("/t/f", data);
      pushOut();
    });

    it("tells its size and blocks", () => {
      const { size, blocks } = fs.statSync("/t/f");
      assert.equal(size, NR * PAGE);
      assert.equal(blocks, NR * 8);
      assert.equal(device.nrReads, 0);
    });

    it.each([1, 5, PAGE, PAGE + 1, 3 * PAGE, NR * PAGE])("reads %i bytes", (n) => {
      const fd = fs.openSync("/t/f", "r");
      for (const at of [0, 1, PAGE - 1, 7 * PAGE, NR * PAGE - 3]) {
        const got = Buffer.alloc(n);
        const nr = fs.readSync(fd, got, 0, n, at);
        assert.ok(got.subarray(0, nr).equals(data.subarray(at, at + n)), `${n} at ${at}`);
      }
      fs.closeSync(fd);
    });

    it("reads at the file's position, by vectors and as text", () => {
      const fd = fs.openSync("/t/f", "r");
      const two = [Buffer.alloc(PAGE + 5), Buffer.alloc(2 * PAGE)];
      assert.equal(fs.readvSync(fd, two), 3 * PAGE + 5);
      assert.ok(Buffer.concat(two).equals(data.subarray(0, 3 * PAGE + 5)));
      const next = Buffer.alloc(11);
      fs.readSync(fd, next);
      assert.ok(next.equals(data.subarray(3 * PAGE + 5, 3 * PAGE + 16)));
      assert.equal(fs.readFileSync("/t/f", "latin1"), data.toString("latin1"));
      fs.closeSync(fd);
    });

    it.each([0, 1, PAGE - 2, PAGE, 5 * PAGE + 9, NR * PAGE - 1])("is written to at %i", (at) => {
      const fd = fs.openSync("/t/f", "r+");
      const expected = Buffer.from(data);
      for (const n of [3, PAGE, 2 * PAGE + 7]) {
        const bytes = Buffer.alloc(n, n);
        const next = Buffer.concat([expected, Buffer.alloc(Math.max(0, at + n - expected.length))]);
        assert.equal(fs.writeSync(fd, bytes, 0, n, at), n);
        next.set(bytes, at);
        pushOut();
        assert.ok(fs.readFileSync("/t/f").equals(next));
        if (next.length > expected.length) return fs.closeSync(fd);
        expected.set(bytes, at);
      }
      fs.closeSync(fd);
    });

    it("is appended to within its last page", () => {
      fs.truncateSync("/t/f", NR * PAGE - 100);
      pushOut();
      fs.appendFileSync("/t/f", "end");
      fs.appendFileSync("/t/f", Buffer.alloc(2 * PAGE, 3));
      const expected = Buffer.concat([
        data.subarray(0, NR * PAGE - 100),
        Buffer.from("end"),
        Buffer.alloc(2 * PAGE, 3),
      ]);
      pushOut();
      assert.ok(fs.readFileSync("/t/f").equals(expected));
    });

    it.each([0, 1, PAGE, 3 * PAGE + 17, NR * PAGE - 1])("is cut at %i, and grows by zeros", (size) => {
      fs.truncateSync("/t/f", size);
      fs.kernel.verify();
      pushOut();
      fs.truncateSync("/t/f", NR * PAGE);
      const expected = Buffer.alloc(NR * PAGE);
      expected.set(data.subarray(0, size));
      assert.ok(fs.readFileSync("/t/f").equals(expected));
      fs.kernel.verify();
    });

    it("zeroes what is cut of a page that has come back and not been written to", () => {
      fs.readFileSync("/t/f");
      fs.truncateSync("/t/f", 3 * PAGE + 17);
      pushOut();
      fs.truncateSync("/t/f", 4 * PAGE);
      const expected = Buffer.alloc(4 * PAGE);
      expected.set(data.subarray(0, 3 * PAGE + 17));
      assert.ok(fs.readFileSync("/t/f").equals(expected));
    });

    it("is opened with O_TRUNC, written anew", () => {
      fs.writeFileSync("/t/f", "new");
      assert.equal(fs.readFileSync("/t/f", "utf8"), "new");
      fs.kernel.verify();
    });

    it("is punched, zeroed and allocated", () => {
      const fd = fs.openSync("/t/f", "r+");
      const expected = Buffer.from(data);
      const [from, length] = [PAGE + 5, 4 * PAGE];
      fs.fallocateSync(fd, 3, from, length);
      expected.fill(0, from, from + length);
      assert.ok(fs.readFileSync("/t/f").equals(expected));
      assert.equal(fs.fstatSync(fd).blocks, (NR - 3) * 8);
      pushOut();
      fs.fallocateSync(fd, 0x10, 10 * PAGE + 5, length);
      expected.fill(0, 10 * PAGE + 5, 10 * PAGE + 5 + length);
      assert.ok(fs.readFileSync("/t/f").equals(expected));
      assert.equal(fs.fstatSync(fd).blocks, (NR - 3) * 8);
      pushOut();
      fs.fallocateSync(fd, 0, 0, NR * PAGE);
      assert.equal(fs.fstatSync(fd).blocks, NR * 8);
      assert.ok(fs.readFileSync("/t/f").equals(expected));
      fs.closeSync(fd);
      fs.kernel.verify();
    });

    it("is data to SEEK_DATA and SEEK_HOLE", () => {
      const fd = fs.openSync("/t/f", "r+");
      fs.ftruncateSync(fd, 2 * NR * PAGE);
      assert.equal(fs.lseekSync(fd, 5, 3), 5);
      assert.equal(fs.lseekSync(fd, 5, 4), NR * PAGE);
      assert.equal(device.nrReads, 0);
      fs.closeSync(fd);
    });

    it("is copied, from and to", () => {
      fs.copyFileSync("/t/f", "/t/g");
      pushOut();
      assert.ok(fs.readFileSync("/t/g").equals(data));
      pushOut();
      fs.copyFileSync("/t/f", "/g");
      assert.ok(fs.readFileSync("/g").equals(data));
    });

    it("is renamed, linked, and removed while it is open", () => {
      fs.renameSync("/t/f", "/t/g");
      fs.linkSync("/t/g", "/t/h");
      fs.unlinkSync("/t/g");
      const fd = fs.openSync("/t/h", "r");
      fs.unlinkSync("/t/h");
      const got = Buffer.alloc(NR * PAGE);
      fs.readSync(fd, got, 0, got.length, 0);
      assert.ok(got.equals(data));
      pushOut();
      fs.closeSync(fd);
      fs.kernel.verify();
    });

    it("is replaced by another, and moved to another mount", () => {
      fs.writeFileSync("/t/other", "other");
      fs.renameSync("/t/other", "/t/f");
      assert.equal(fs.readFileSync("/t/f", "utf8"), "other");
      fs.kernel.verify();
    });

    it("goes with its mount", () => {
      fs.kernel.umount("/t");
      fs.kernel.verify();
      fs.kernel.swapOff(device);
      assert.equal(device.nrReads, 0);
    });

    it("is read by promises", async () => {
      assert.ok((await fs.promises.readFile("/t/f")).equals(data));
      pushOut();
      const handle = await fs.promises.open("/t/f");
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(3 * PAGE), 0, 3 * PAGE, 5);
      assert.equal(bytesRead, 3 * PAGE);
      assert.ok(buffer.equals(data.subarray(5, 5 + 3 * PAGE)));
      await handle.close();
    });

    it("is EIO where the device fails, for that page alone", () => {
      device.verdict = (_nr, isWrite, io) =>
        !isWrite && io.slot <= 3 && io.slot + io.nrPages > 3 ? 3 - io.slot : "ok";
      const fd = fs.openSync("/t/f", "r");
      const failed: number[] = [];
      for (let at = 0; at < NR; at++) {
        const got = Buffer.alloc(PAGE);
        try {
          fs.readSync(fd, got, 0, PAGE, at * PAGE);
          assert.ok(got.equals(data.subarray(at * PAGE, (at + 1) * PAGE)));
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, "EIO");
          failed.push(at);
        }
      }
      assert.equal(failed.length, 1);
      device.verdict = () => "ok";
      assert.ok(fs.readFileSync("/t/f").equals(data));
      fs.closeSync(fd);
    });
  });
});
