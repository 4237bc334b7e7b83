/** Fifos between the tasks of one kernel, as programs see them: calls that cannot wait, what ends a wait, copies of the machine. */
import { strict as assert } from "node:assert";
import { afterEach, describe, expect, it } from "vitest";
import { O_NONBLOCK, O_RDONLY, O_RDWR } from "../../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs, restoreFsSync } from "../../../src/index.ts";

const machines: FolioFs[] = [];
function machine(): FolioFs {
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20 });
  machines.push(fs);
  fs.kernel.linux.mkfifoSync("/p");
  return fs;
}
afterEach(() => {
  for (const fs of machines.splice(0)) fs.kernel.destroy();
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const open = (fs: FolioFs, flags: string | number): Promise<number> =>
  new Promise((resolve, reject) => fs.open("/p", flags, (error, fd) => (error ? reject(error) : resolve(fd))));

describe("a fifo", () => {
  it("is made with the umask", async () => {
    const fs = machine();
    await fs.kernel.linux.mkfifo("/q", 0o777);
    expect(fs.statSync("/q").mode).toBe(0o010755);
    expect(fs.statSync("/p").isFIFO()).toBe(true);
    await assert.rejects(fs.kernel.linux.mkfifo("/q"), { code: "EEXIST", syscall: "mkfifo", path: "/q" });
    assert.throws(() => fs.kernel.linux.mkfifoSync("/r", "9"), { code: "ERR_INVALID_ARG_VALUE" });
  });

  it("carries a file from one task to another", async () => {
    const fs = machine();
    const other = fs.kernel.task({ uid: 0 });
    const text = "some text, ".repeat(50_000);
    const [read] = await Promise.all([fs.promises.readFile("/p", "utf8"), other.promises.writeFile("/p", text)]);
    expect(read === text).toBe(true);
    const [, again] = await Promise.all([other.promises.writeFile("/p", "more"), fs.promises.readFile("/p", "utf8")]);
    expect(again).toBe("more");
  });

  it("is EAGAIN for a synchronous call that would have to wait, which does what it can", async () => {
    const fs = machine();
    assert.throws(() => fs.openSync("/p", "r"), { code: "EAGAIN", syscall: "open", path: "/p" });
    assert.throws(() => fs.openSync("/p", "w"), { code: "EAGAIN" });
    const [reader, writer] = await Promise.all([open(fs, "r"), open(fs, "w")]);
    assert.throws(() => fs.readSync(reader, Buffer.alloc(1)), { code: "EAGAIN" });
    expect(fs.writeSync(writer, Buffer.alloc(100_000))).toBe(65_536);
    assert.throws(() => fs.writeSync(writer, "x"), { code: "EAGAIN" });
    expect(fs.readSync(reader, Buffer.alloc(100_000))).toBe(65_536);
    assert.throws(() => fs.readSync(reader, Buffer.alloc(1), 0, 1, 0), { code: "ESPIPE" });
    assert.throws(() => fs.lseekSync(reader, 0, 0), { code: "ESPIPE" });
    fs.closeSync(writer);
    expect(fs.readSync(reader, Buffer.alloc(1))).toBe(0);
  });

  it("is written in the order of the calls that wait", async () => {
    const fs = machine();
    const fd = await open(fs, O_RDWR);
    fs.writeSync(fd, Buffer.alloc(65_536));
    const writes = ["a", "b", "c"].map((letter) => fs.promises.writeFile("/p", letter.repeat(4096)));
    await turn();
    let all = "";
    while (all.length < 65_536 + 3 * 4096) {
      const buffer = Buffer.alloc(4096);
      all += buffer.toString("latin1", 0, fs.readSync(fd, buffer));
      await turn();
    }
    await Promise.all(writes);
    expect([...all.slice(65_536)].join("")).toBe("a".repeat(4096) + "b".repeat(4096) + "c".repeat(4096));
  });
});

describe("a wait for the other end", () => {
  it("goes on with the file, whatever becomes of its name and descriptor", async () => {
    const fs = machine();
    const other = fs.kernel.task();
    const opens = open(fs, "r");
    const unlinked = open(other, "w");
    fs.unlinkSync("/p");
    const [reader, writer] = await Promise.all([opens, unlinked]);
    const buffer = Buffer.alloc(10);
    const read = new Promise<number>((resolve, reject) =>
      fs.read(reader, buffer, 0, 10, null, (error, n) => (error ? reject(error) : resolve(n))),
    );
    fs.closeSync(reader);
    fs.writeFileSync("/file", "not this");
    expect(fs.openSync("/file", "r")).toBe(reader); // the same number, another file
    other.writeSync(writer, "this");
    expect(buffer.toString("utf8", 0, await read)).toBe("this");
    assert.throws(() => other.writeSync(writer, "nobody"), { code: "EPIPE" });
  });

  it("ends with its task, and counts no more", async () => {
    const fs = machine();
    const other = fs.kernel.task();
    const opens = open(other, "r");
    fs.kernel.exit(other);
    assert.throws(() => fs.openSync("/p", O_NONBLOCK | 1), { code: "ENXIO" });
    await assert.rejects(opens, { code: "ERR_INVALID_STATE" });
    const writer = open(fs, "w");
    await turn();
    fs.openSync("/p", O_RDONLY | O_NONBLOCK);
    await writer;
  });

  it("has room above 1 MiB by root's leave alone, which others may use and make less", () => {
    const fs = machine();
    fs.chmodSync("/p", 0o666);
    const other = fs.kernel.task({ uid: 7, gid: 7 });
    const [fd, theirs] = [fs, other].map((one) => one.openSync("/p", O_RDWR));
    const [GET, SET] = [1032, 1031];
    const { fcntlSync } = other.kernel.linux;
    assert.throws(() => fcntlSync(theirs, SET, 2 ** 20 + 1), { code: "EPERM", syscall: "fcntl" });
    expect(fs.kernel.linux.fcntlSync(fd, SET, 2 ** 20 + 1)).toBe(2 ** 21);
    expect([fcntlSync(theirs, GET), fcntlSync(theirs, SET, 2 ** 21), fcntlSync(theirs, SET, 0)]).toEqual([
      2 ** 21,
      2 ** 21,
      4096,
    ]);
    for (const size of [-1, 2 ** 32, 1.5, "4096"])
      assert.throws(() => fcntlSync(theirs, SET, size as number), { code: /ERR_OUT_OF_RANGE|ERR_INVALID_ARG_TYPE/ });
  });

  it("of an open ends at once with its task, which holds nothing of the file system then", async () => {
    const fs = machine();
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "tmpfs", target: "/m" });
    fs.kernel.linux.mkfifoSync("/m/p");
    const other = fs.kernel.task();
    const opens = [other.promises.open("/m/p", "r"), other.promises.open("/m/p", "r")];
    await turn();
    assert.throws(() => fs.kernel.umount("/m"), { code: "EBUSY" });
    fs.kernel.exit(other);
    fs.kernel.verify();
    fs.kernel.umount("/m");
    await Promise.all(opens.map((one) => assert.rejects(one, { code: "ERR_INVALID_STATE" })));
  });

  it.each(["r", "w"])("of an open ends when its signal is aborted, and counts no more: %s", async (flags) => {
    const fs = machine();
    const { linux } = fs.kernel;
    const controller = new AbortController();
    const { signal } = controller;
    const opens = [1, 2].map(() => linux.openat(-100, "/p", flags, 0o666, { signal }));
    const patient = linux.openat(-100, "/p", flags, 0o666, { signal: new AbortController().signal });
    await turn();
    controller.abort();
    const over = linux.openat(-100, "/p", flags, 0o666, { signal });
    const aborted = { name: "AbortError", code: "ABORT_ERR" };
    await Promise.all([...opens, over].map((one) => assert.rejects(one, aborted))); // none may reject unheard before its turn
    const partner = await linux.openat(-100, "/p", flags === "r" ? "w" : "r");
    fs.closeSync(await patient);
    fs.kernel.verify();
    if (flags === "r") assert.throws(() => fs.writeSync(partner, "x"), { code: "EPIPE" });
    else expect(fs.readSync(partner, Buffer.alloc(1))).toBe(0);
  });

  it("ends with the machine, and with a rollback", async () => {
    const ends = [
      (fs: FolioFs) => void fs.kernel.destroy(),
      (fs: FolioFs, bytes: Uint8Array) => fs.kernel.restore(bytes),
    ];
    for (const end of ends) {
      const fs = machine();
      const bytes = fs.kernel.snapshot();
      const opens = open(fs, "w");
      const rw = fs.openSync("/p", O_RDWR);
      await opens;
      const reads = fs.promises.readFile("/p");
      await turn();
      const second = open(fs.kernel.task(), "r");
      await second;
      end(fs, bytes);
      await assert.rejects(reads, { code: /ERR_INVALID_STATE|ESTALE|EBADF/ });
      assert.throws(() => fs.readSync(rw, Buffer.alloc(1)), { code: /ERR_INVALID_STATE|ESTALE/ });
    }
  });

  it("of an open ends with EINTR in a rollback", async () => {
    const fs = machine();
    const bytes = fs.kernel.snapshot();
    const opens = open(fs, "w");
    await turn();
    fs.kernel.restore(bytes);
    await assert.rejects(opens, { code: "EINTR" });
    const [a, b] = await Promise.all([open(fs, "w"), open(fs, "r")]);
    expect(a).not.toBe(b);
  });

  it("is in no copy of the machine", async () => {
    const fs = machine();
    const rw = fs.openSync("/p", O_RDWR);
    fs.writeSync(rw, "bytes");
    await open(fs.kernel.task(), "r");
    for (const copy of [fs.kernel.fork().fs, restoreFsSync(fs.kernel.snapshot())]) {
      machines.push(copy);
      const own = copy.openSync("/p", O_RDONLY | O_NONBLOCK);
      expect(copy.readSync(own, Buffer.alloc(9))).toBe(0);
    }
    expect(fs.readSync(rw, Buffer.alloc(9))).toBe(5);
  });

  it("holds its mount, and is over when its open fails for want of a descriptor", async () => {
    const fs = machine();
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "tmpfs", target: "/m" });
    fs.kernel.linux.mkfifoSync("/m/q");
    const few = fs.kernel.task({ maxFiles: 4 });
    const opens = few.promises.open("/m/q", "r");
    assert.throws(() => fs.kernel.umount("/m"), { code: "EBUSY" });
    few.openSync("/p", O_RDWR);
    const writer = fs.openSync("/m/q", "w");
    await assert.rejects(opens, { code: "EMFILE" });
    assert.throws(() => fs.writeSync(writer, "x"), { code: "EPIPE" });
    fs.closeSync(writer);
    fs.kernel.umount("/m");
  });
});
