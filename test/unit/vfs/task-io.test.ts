/** What tasks have read and written, as /proc/PID/io: of file systems with a store. */
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { taskIo, taskIoAccountCancelledWrite, taskIoAccountRead, taskIoAccountWrite } from "../../../src/store.ts";
import { Gate, type Hooks, RemoteFs, remoteDir, remoteFile } from "../../helpers/remote-fs.ts";

const NONE = {
  rchar: 0,
  wchar: 0,
  syscr: 0,
  syscw: 0,
  read_bytes: 0,
  write_bytes: 0,
  cancelled_write_bytes: 0,
};
let hooks: Hooks;
let fs: FolioFs;

beforeEach(() => {
  hooks = {};
  const remote = new RemoteFs(remoteDir({ file: remoteFile("0123456789") }), {
    any: (k, what) => hooks.any?.(k, what) ?? 0,
  });
  fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [remote.type] });
  fs.mkdirSync("/r");
  fs.kernel.mount({ type: "remotefs", target: "/r" });
});

describe("kernel.taskIo", () => {
  it("counts bytes and calls, ends of files and failures too", () => {
    const fd = fs.openSync("/r/file", "r+");
    const buffer = Buffer.alloc(4);
    fs.readSync(fd, buffer, 0, 4, 0);
    fs.readSync(fd, buffer, 0, 4, 8);
    fs.readSync(fd, buffer, 0, 4, 10);
    fs.writeSync(fd, buffer, 0, 3, 0);
    hooks.any = (_kernel, what) => (what.startsWith("read") || what.startsWith("write") ? -5 : 0);
    assert.throws(() => fs.readSync(fd, buffer), { code: "EIO" });
    assert.throws(() => fs.writeSync(fd, buffer), { code: "EIO" });
    assert.deepEqual(taskIo(fs.kernel), { ...NONE, rchar: 6, syscr: 4, wchar: 3, syscw: 2 });
    fs.closeSync(fd);
  });

  it("counts a call that has waited once", async () => {
    const handle = await fs.promises.open("/r/file", "r+");
    for (const kind of ["read", "write"]) {
      const gate = new Gate();
      hooks.any = (kernel, what) => (what.startsWith(kind) ? gate.pass(kernel) : 0);
      const waits = kind === "read" ? handle.read(Buffer.alloc(4), 0, 4, 0) : handle.write("abc", 0);
      await new Promise((resolve) => setTimeout(resolve, 1));
      gate.open();
      await waits;
    }
    assert.deepEqual(taskIo(fs.kernel), { ...NONE, rchar: 4, syscr: 1, wchar: 3, syscw: 1 });
    await handle.close();
  });

  it("is each task's own, does not see files in memory, and outlives a rollback", () => {
    const other = fs.kernel.task();
    fs.writeFileSync("/file", "in memory");
    fs.readFileSync("/file");
    assert.deepEqual(taskIo(fs.kernel), NONE);
    const bytes = fs.kernel.snapshot();
    const fd = other.openSync("/r/file", "r");
    other.readSync(fd, Buffer.alloc(4));
    other.closeSync(fd);
    fs.kernel.restore(bytes);
    assert.deepEqual(taskIo(fs.kernel), NONE);
    assert.deepEqual(taskIo(fs.kernel, other), { ...NONE, rchar: 4, syscr: 1 });
    assert.deepEqual(taskIo(fs.kernel.task().kernel), NONE);
    fs.kernel.verify();
  });

  it("has what a store's mover says, for the task that is served", () => {
    hooks.any = (kernel, what) => {
      if (!what.startsWith("read")) return 0;
      taskIoAccountRead(kernel, 4096);
      taskIoAccountWrite(kernel, 100);
      taskIoAccountCancelledWrite(kernel, 50);
      return 0;
    };
    const fd = fs.openSync("/r/file", "r");
    fs.readSync(fd, Buffer.alloc(1));
    const { read_bytes, write_bytes, cancelled_write_bytes } = taskIo(fs.kernel);
    assert.deepEqual([read_bytes, write_bytes, cancelled_write_bytes], [4096, 100, 50]);
  });

  it("is for root, the task itself and its user's", () => {
    const user = fs.kernel.task({ uid: 1000 });
    const same = fs.kernel.task({ uid: 1000 });
    const another = fs.kernel.task({ uid: 1001 });
    assert.deepEqual(taskIo(fs.kernel, user), NONE);
    for (const face of [user, same, another, fs]) assert.throws(() => taskIo(user.kernel, face), { code: "EPERM" });
    assert.throws(() => taskIo(fs.kernel, createFsSync({ memoryLimit: 16 * 2 ** 20 })), { code: "EINVAL" });
  });
});
