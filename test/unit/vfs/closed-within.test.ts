/** Descriptors that are closed, and tasks that end, by a store or swap device that is asked in the midst of a call on them. */
import { strict as assert } from "node:assert";
import { constants } from "node:fs";
import { promisify } from "node:util";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { storeScene } from "../../helpers/mock-scene.ts";
import { PAGE, settled } from "../../helpers/mock-store.ts";
import { MockSwap } from "../../helpers/mock-swap.ts";
import { pushAllOut } from "../../helpers/swapped-out.ts";

const DATA = Buffer.alloc(2 * PAGE, "new");

/** Calls on a descriptor, each of which asks the store. */
const CALLS: Record<string, (fs: FolioFs, fd: number) => unknown> = {
  read: (fs, fd) => fs.readSync(fd, Buffer.alloc(PAGE), 0, PAGE, 0),
  "read at the position": (fs, fd) => fs.readSync(fd, Buffer.alloc(PAGE), 0, PAGE, null),
  readv: (fs, fd) => fs.readvSync(fd, [Buffer.alloc(PAGE)], 0),
  write: (fs, fd) => fs.writeSync(fd, DATA, 0, DATA.length, 10),
  "write at the position": (fs, fd) => fs.writeSync(fd, DATA, 0, DATA.length, null),
  writev: (fs, fd) => fs.writevSync(fd, [DATA], 10),
  fsync: (fs, fd) => fs.fsyncSync(fd),
};

describe.each(Object.entries(CALLS))("%s, in the midst of which the store", (_, call) => {
  it("closes the descriptor: the file is closed when the call is over", () => {
    const { fs, store, fd: other } = storeScene(16 * PAGE, { writes: "at once" });
    const { nr_files } = fs.kernel.vmstat();
    const watcher = fs.watch("/m/file", () => {}); // tells of a write
    const fd = fs.openSync("/m/file", "r+");
    let nrAsked = 0;
    store.onAsked = () => {
      if (nrAsked++ > 0) return;
      fs.closeSync(fd);
      assert.throws(() => fs.fstatSync(fd), { code: "EBADF" });
      fs.kernel.verify?.();
    };
    const answer = call(fs, fd);
    assert.ok(nrAsked > 0);
    store.onAsked = undefined;
    fs.kernel.verify?.();
    assert.equal(fs.kernel.vmstat().nr_files, nr_files);

    const next = fs.openSync("/m/file", "r+");
    assert.equal(call(fs, next), answer);
    watcher.close();
    for (const each of [next, other]) fs.closeSync(each);
    fs.kernel.umount("/m");
    fs.kernel.verify?.();
  });

  it("ends the task: its files are closed when the call is over", () => {
    const { fs, store } = storeScene(16 * PAGE, { writes: "at once" });
    const { nr_files } = fs.kernel.vmstat();
    const task = fs.kernel.task({});
    const fd = task.openSync("/m/file", "r+");
    let nrAsked = 0;
    store.onAsked = () => {
      if (nrAsked++ === 0) fs.kernel.exit(task);
    };
    try {
      call(task, fd);
    } catch (error) {
      assert.equal((error as { code?: string }).code, "ERR_INVALID_STATE");
    }
    assert.ok(nrAsked > 0);
    fs.kernel.verify?.();
    assert.equal(fs.kernel.vmstat().nr_files, nr_files);
  });
});

describe("a store that closes the descriptor when it is asked", () => {
  it("and takes its time, has the file closed when it has answered, and the call finds its descriptor no more", async () => {
    const { fs, store } = storeScene(16 * PAGE, { isAsync: true });
    const { nr_files } = fs.kernel.vmstat();
    const fd = fs.openSync("/m/file", "r");
    store.onAsked = () => {
      store.onAsked = undefined;
      fs.closeSync(fd);
    };
    const read = promisify(fs.read)(fd, Buffer.alloc(PAGE), 0, PAGE, null);
    const refused = assert.rejects(read, { code: "EBADF" });
    fs.kernel.verify?.();
    await store.answerAll();
    await refused;
    await settled();
    assert.equal(fs.kernel.vmstat().nr_files, nr_files);
  });

  it("for direct I/O, has it closed when the call is over", () => {
    let fd = 0;
    const directIO = () => {
      fs.closeSync(fd);
      fs.kernel.verify?.();
      return PAGE;
    };
    const { fs } = storeScene(16 * PAGE, { mapping: { directIO } });
    const { nr_files } = fs.kernel.vmstat();
    fd = fs.openSync("/m/file", fs.constants.O_RDONLY | constants.O_DIRECT);
    assert.equal(fs.readSync(fd, Buffer.alloc(PAGE), 0, PAGE, null), PAGE);
    fs.kernel.verify?.();
    assert.equal(fs.kernel.vmstat().nr_files, nr_files);
  });
});

describe.each(Object.entries(CALLS).filter(([name]) => name !== "fsync"))(
  "%s, in the midst of which a swap device",
  (_, call) => {
    it("closes the descriptor", () => {
      const fs = createFsSync({ memoryLimit: 64 * 2 ** 20 });
      const device = new MockSwap(4000);
      fs.kernel.swapOn(device);
      fs.writeFileSync("/f", Buffer.alloc(16 * PAGE, 1));
      const fd = fs.openSync("/f", "r+");
      pushAllOut(fs as never);
      let nrAsked = 0;
      device.verdict = (_nr, isWrite) => {
        if (!isWrite && nrAsked++ === 0) fs.closeSync(fd);
        return "ok";
      };
      const answer = call(fs, fd);
      assert.ok(nrAsked > 0);
      fs.kernel.verify?.();
      assert.equal(fs.kernel.vmstat().nr_files, 0);
      pushAllOut(fs as never);
      const next = fs.openSync("/f", "r+");
      assert.equal(call(fs, next), answer);
    });
  },
);
