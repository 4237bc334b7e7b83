/** hostfs with cache=writeback: writes go by pages, and reach the host by fsync and its like, sync, umount, or in time. */
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { syncfs } from "../../../../src/vfs/generic-fsync.ts";
import { createHostfsMount, type HostfsMount, openDescriptors } from "../../../helpers/hostfs-mount.ts";

const PAGE = 4096;
const MS_REMOUNT = 32;

let setup: HostfsMount;
let fs: FolioFs;
let host: string;

beforeEach(() => {
  setup = createHostfsMount();
  fs = setup.fs;
  host = `${setup.inside}/f`;
});

afterEach(() => {
  fs.kernel.verify?.();
  setup.dispose();
});

function onHost(path = host): string {
  return nodeFs.readFileSync(path, "utf8");
}

function bytesOf(length: number, seed = 1): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 17 + seed * 101) & 0xff));
}

function device() {
  const [found] = fs.kernel.bdi;
  return found;
}

function mount(data = ""): void {
  setup.mount(`cache=writeback,ttl=100000,${data}`);
}

describe("data", () => {
  beforeEach(() => mount());

  it("is not at the host after close, and is after fsync", () => {
    const fd = fs.openSync("/mnt/f", "w");
    fs.writeSync(fd, "written");
    expect(onHost()).toBe("");
    fs.closeSync(fd);
    expect(onHost()).toBe("");
    expect(device().dirty).toBe(1);
    const again = fs.openSync("/mnt/f", "r");
    expect(fs.readFileSync(again, "utf8")).toBe("written");
    fs.fsyncSync(again);
    expect(onHost()).toBe("written");
    expect(device().dirty).toBe(0);
    fs.closeSync(again);
  });

  it.each([
    ["fdatasync", (fd: number) => fs.fdatasyncSync(fd)],
    ["sync", () => fs.kernel.sync()],
    ["syncfs", (fd: number) => fs.kernel.callFile(fd, syncfs)],
    ["syncAsync", () => fs.kernel.syncAsync()],
    [
      "fsync by promise",
      (fd: number) => new Promise<void>((done, fail) => fs.fsync(fd, (e) => (e ? fail(e) : done()))),
    ],
  ])("goes to the host by %s", async (_name, sync) => {
    const fd = fs.openSync("/mnt/f", "w");
    const bytes = bytesOf(3 * PAGE + 100);
    fs.writeSync(fd, bytes);
    await sync(fd);
    expect(nodeFs.readFileSync(host).equals(bytes)).toBe(true);
    fs.closeSync(fd);
  });

  it("goes to the host by umount, and by a remount that is no write-back", () => {
    fs.writeFileSync("/mnt/f", "one");
    fs.kernel.mount({ target: "/mnt", flags: MS_REMOUNT, data: "cache=writethrough" });
    expect(onHost()).toBe("one");
    fs.writeFileSync("/mnt/f", "two");
    expect(onHost()).toBe("two");
    fs.kernel.mount({ target: "/mnt", flags: MS_REMOUNT, data: "cache=writeback" });
    fs.writeFileSync("/mnt/f", "three");
    expect(onHost()).not.toBe("three");
    expect(fs.readFileSync("/mnt/f", "utf8")).toBe("three");
    fs.kernel.umount("/mnt");
    expect(onHost()).toBe("three");
  });

  it("goes to the host by itself when it is old", async () => {
    const vm = fs.kernel.vm;
    if (vm === undefined) throw new Error("no limits");
    vm.dirty_writeback_centisecs = 1;
    vm.dirty_expire_centisecs = 2;
    fs.writeFileSync("/mnt/f", "in time");
    for (let i = 0; i < 200 && onHost() === ""; i++) await new Promise((done) => setTimeout(done, 5));
    expect(onHost()).toBe("in time");
  });

  it("goes by as few calls as there are runs of neighbours", () => {
    const fd = fs.openSync("/mnt/f", "w");
    for (const index of [0, 1, 2, 3, 9, 10]) fs.writeSync(fd, bytesOf(PAGE, index), 0, PAGE, index * PAGE);
    const { written } = device();
    fs.fsyncSync(fd);
    expect(device().written - written).toBe(6);
    for (const index of [0, 1, 2, 3, 9, 10])
      expect(
        nodeFs
          .readFileSync(host)
          .subarray(index * PAGE, (index + 1) * PAGE)
          .equals(bytesOf(PAGE, index)),
      ).toBe(true);
    expect(nodeFs.statSync(host).size).toBe(11 * PAGE);
    fs.closeSync(fd);
  });

  it("of a part of a page keeps the rest, which is read first, by a file that is open to write alone", () => {
    const before = bytesOf(3 * PAGE);
    nodeFs.writeFileSync(host, before);
    const fd = fs.openSync("/mnt/f", nodeFs.constants.O_WRONLY);
    fs.writeSync(fd, "middle", PAGE + 10);
    expect(() => fs.readSync(fd, Buffer.alloc(1))).toThrow("EBADF");
    fs.closeSync(fd);
    const expected = Buffer.from(before);
    expected.write("middle", PAGE + 10);
    expect(fs.readFileSync("/mnt/f").equals(expected)).toBe(true);
    fs.kernel.sync();
    expect(nodeFs.readFileSync(host).equals(expected)).toBe(true);
  });

  it("is appended at the end that is ours", async () => {
    fs.writeFileSync("/mnt/f", "a");
    fs.appendFileSync("/mnt/f", "b");
    await Promise.all([fs.promises.appendFile("/mnt/f", "cc"), fs.promises.appendFile("/mnt/f", "dd")]);
    expect(fs.readFileSync("/mnt/f", "utf8")).toBe("abccdd");
    fs.kernel.sync();
    expect(onHost()).toBe("abccdd");
  });

  it("is one with several buffers", async () => {
    const fd = fs.openSync("/mnt/f", "w+");
    expect(fs.writevSync(fd, [Buffer.from("one"), Buffer.from("two")])).toBe(6);
    const handle = await fs.promises.open("/mnt/f", "r+");
    await handle.writev([Buffer.from("three"), Buffer.from("four")], 6);
    await handle.sync();
    await handle.close();
    expect(onHost()).toBe("onetwothreefour");
    fs.closeSync(fd);
  });

  it("is at the host when a write with O_SYNC returns", () => {
    const { O_CREAT, O_SYNC, O_WRONLY } = nodeFs.constants;
    const fd = fs.openSync("/mnt/f", O_CREAT | O_WRONLY | O_SYNC);
    fs.writeSync(fd, "at once");
    expect(onHost()).toBe("at once");
    fs.closeSync(fd);
  });

  it("is copied by copyFile, in and out, synchronously and by promises", async () => {
    const bytes = bytesOf(2 * PAGE + 77);
    fs.writeFileSync("/mnt/f", bytes);
    fs.copyFileSync("/mnt/f", "/mnt/g");
    fs.copyFileSync("/mnt/g", "/h");
    await fs.promises.copyFile("/h", "/mnt/i");
    await fs.promises.copyFile("/mnt/i", "/mnt/j");
    expect(nodeFs.statSync(`${setup.inside}/j`).size).toBe(0);
    fs.kernel.sync();
    for (const name of ["f", "g", "i", "j"])
      expect(nodeFs.readFileSync(`${setup.inside}/${name}`).equals(bytes), name).toBe(true);
  });

  it("holes read as zeros before and after", () => {
    const fd = fs.openSync("/mnt/f", "w+");
    fs.writeSync(fd, "start");
    fs.writeSync(fd, "end", 10 * PAGE);
    const expected = Buffer.alloc(10 * PAGE + 3);
    expected.write("start");
    expected.write("end", 10 * PAGE);
    expect(fs.readFileSync("/mnt/f").equals(expected)).toBe(true);
    fs.fsyncSync(fd);
    expect(nodeFs.readFileSync(host).equals(expected)).toBe(true);
    fs.closeSync(fd);
  });
});

describe("attributes of a file that is ours", () => {
  it.each([0, 100000])("keep size and times, whatever the host says, ttl=%i", async (ttl) => {
    nodeFs.writeFileSync(host, "old");
    nodeFs.utimesSync(host, 1, 1);
    setup.mount(`cache=writeback,ttl=${ttl}`);
    const before = Date.now();
    fs.appendFileSync("/mnt/f", " and new");
    const ours = fs.statSync("/mnt/f");
    expect(ours.size).toBe(11);
    expect(ours.mtimeMs).toBeGreaterThanOrEqual(before - 1);
    expect(ours.ctimeMs).toBeGreaterThanOrEqual(before - 1);
    expect(nodeFs.statSync(host)).toMatchObject({ size: 3, mtimeMs: 1000 });
    expect((await fs.promises.stat("/mnt/f")).size).toBe(11);
    expect(fs.readFileSync("/mnt/f", "utf8")).toBe("old and new");
    expect(fs.statSync("/mnt/f").mtimeMs).toBe(ours.mtimeMs);
  });

  it("do not go back when it is written back", () => {
    mount();
    for (let i = 0; i < 50; i++) {
      fs.appendFileSync("/mnt/f", "x");
      const ours = fs.statSync("/mnt/f", { bigint: true });
      fs.kernel.sync();
      const after = fs.statSync("/mnt/f", { bigint: true });
      expect(after.mtimeNs >= ours.mtimeNs, `mtime ${i}`).toBe(true);
      expect(after.ctimeNs >= ours.ctimeNs, `ctime ${i}`).toBe(true);
      expect(after.size).toBe(BigInt(i + 1));
    }
  });

  it("are the host's when somebody sets them there afterwards", () => {
    mount("ttl=0");
    fs.writeFileSync("/mnt/f", "text");
    fs.kernel.sync();
    nodeFs.utimesSync(host, 5, 6);
    expect(fs.statSync("/mnt/f").mtimeMs).toBe(6000);
  });

  it.each(["Sync", "promises"])("can be changed: what is written before does not undo it (%s)", async (form) => {
    mount();
    const call = async (name: "utimes" | "chmod" | "truncate", ...args: never[]): Promise<void> => {
      if (form === "Sync") (fs[`${name}Sync`] as (...all: unknown[]) => void)("/mnt/f", ...args);
      else await (fs.promises[name] as (...all: unknown[]) => Promise<void>)("/mnt/f", ...args);
    };
    fs.writeFileSync("/mnt/f", "text");
    await call("utimes", 7 as never, 8 as never);
    await call("chmod", 0o400 as never);
    fs.kernel.sync();
    expect(fs.statSync("/mnt/f").mtimeMs).toBe(8000);
    expect(nodeFs.statSync(host)).toMatchObject({ mtimeMs: 8000, mode: 0o100400 });
    expect(onHost()).toBe("text");
  });
});

describe("truncation of a file that is ours", () => {
  beforeEach(() => mount());

  const lengths = [0, 10, PAGE, PAGE + 1, 3 * PAGE, 5 * PAGE + 5];

  it.each(lengths)("to %i bytes, synchronously", (length) => {
    const bytes = bytesOf(3 * PAGE);
    fs.writeFileSync("/mnt/f", bytes);
    fs.truncateSync("/mnt/f", length);
    checkCut(bytes, length);
  });

  it.each(lengths)("to %i bytes, by a promise, while it is written back", async (length) => {
    const bytes = bytesOf(3 * PAGE);
    fs.writeFileSync("/mnt/f", bytes);
    const syncing = fs.kernel.syncAsync();
    await fs.promises.truncate("/mnt/f", length);
    await syncing;
    checkCut(bytes, length);
  });

  function checkCut(bytes: Buffer, length: number): void {
    const expected = Buffer.alloc(length);
    bytes.copy(expected);
    expect(fs.statSync("/mnt/f").size).toBe(length);
    expect(nodeFs.statSync(host).size).toBe(length);
    expect(fs.readFileSync("/mnt/f").equals(expected)).toBe(true);
    fs.kernel.sync();
    expect(nodeFs.readFileSync(host).equals(expected)).toBe(true);
    expect(fs.readFileSync("/mnt/f").equals(expected)).toBe(true);
  }

  it("by O_TRUNC drops what was not written", async () => {
    fs.writeFileSync("/mnt/f", bytesOf(5 * PAGE));
    fs.writeFileSync("/mnt/f", "short");
    await fs.promises.writeFile("/mnt/f", "shorter");
    expect(device().written).toBe(0);
    fs.kernel.sync();
    expect(onHost()).toBe("shorter");
  });

  it("does not bring back what a flusher has in hand meanwhile", async () => {
    for (let i = 0; i < 20; i++) {
      fs.writeFileSync("/mnt/f", bytesOf(8 * PAGE, i));
      const [cut, synced] = [fs.promises.truncate("/mnt/f", 100), fs.kernel.syncAsync()];
      await Promise.all([cut, synced]);
      expect(nodeFs.statSync(host).size).toBe(100);
      expect(nodeFs.readFileSync(host).equals(bytesOf(100, i)), `${i}`).toBe(true);
    }
  });
});

describe("names of files that are ours", () => {
  beforeEach(() => mount());

  it("unlink drops what was not written", () => {
    fs.writeFileSync("/mnt/f", bytesOf(PAGE));
    fs.unlinkSync("/mnt/f");
    expect(device()).toMatchObject({ dirty: 0, written: 0, cancelled: 1 });
    expect(nodeFs.existsSync(host)).toBe(false);
  });

  it("unlink leaves what another name is for, also one that only the host knows", () => {
    for (const isOurs of [true, false]) {
      fs.writeFileSync("/mnt/f", `text ${isOurs}`);
      if (isOurs) fs.linkSync("/mnt/f", "/mnt/g");
      else nodeFs.linkSync(host, `${setup.inside}/g`);
      fs.unlinkSync("/mnt/f");
      fs.kernel.dropCaches(3);
      fs.kernel.sync();
      expect(onHost(`${setup.inside}/g`)).toBe(`text ${isOurs}`);
      fs.unlinkSync("/mnt/g");
    }
  });

  it("are one inode with hard links", () => {
    fs.writeFileSync("/mnt/f", "one");
    fs.linkSync("/mnt/f", "/mnt/g");
    fs.appendFileSync("/mnt/g", " two");
    expect(fs.readFileSync("/mnt/f", "utf8")).toBe("one two");
    fs.kernel.sync();
    expect(onHost(`${setup.inside}/g`)).toBe("one two");
  });

  it("rename takes it along, and what it takes the place of is dropped", () => {
    fs.mkdirSync("/mnt/d");
    fs.writeFileSync("/mnt/f", "kept");
    fs.writeFileSync("/mnt/d/g", bytesOf(PAGE));
    fs.renameSync("/mnt/f", "/mnt/d/g");
    fs.renameSync("/mnt/d", "/mnt/e");
    expect(fs.readFileSync("/mnt/e/g", "utf8")).toBe("kept");
    fs.kernel.sync();
    expect(onHost(`${setup.inside}/e/g`)).toBe("kept");
    expect(device().cancelled).toBe(1);
  });

  it("unlinked while it is open it is written by its descriptor, read, and gone with it", () => {
    const before = openDescriptors();
    const fd = fs.openSync("/mnt/f", "w+");
    fs.writeSync(fd, "nameless");
    fs.unlinkSync("/mnt/f");
    fs.fsyncSync(fd);
    fs.writeSync(fd, " more");
    fs.fsyncSync(fd);
    expect(fs.readFileSync(fd, "utf8")).toBe("");
    const buffer = Buffer.alloc(20);
    expect(buffer.toString("utf8", 0, fs.readSync(fd, buffer, 0, 20, 0))).toBe("nameless more");
    fs.closeSync(fd);
    expect(device().dirty).toBe(0);
    expect(openDescriptors()).toBeLessThanOrEqual(before);
  });

  it("are written by their descriptors though the host has moved them, and taken the right to write", () => {
    fs.writeFileSync("/mnt/f", "mine");
    nodeFs.renameSync(host, `${setup.inside}/elsewhere`);
    nodeFs.chmodSync(`${setup.inside}/elsewhere`, 0);
    fs.kernel.sync();
    expect(onHost(`${setup.inside}/elsewhere`)).toBe("mine");
  });
});

describe("descriptors", () => {
  it.each([1, 2, 16])("are never more than maxfds=%i, however many files are ours", async (maxFds) => {
    const before = openDescriptors();
    mount(`maxfds=${maxFds}`);
    const texts = new Map<string, string>();
    for (let i = 0; i < 60; i++) {
      const name = `f${i}`;
      texts.set(name, `text of ${i}`);
      if (i % 3 === 0) await fs.promises.writeFile(`/mnt/${name}`, `text of ${i}`);
      else fs.writeFileSync(`/mnt/${name}`, `text of ${i}`);
      expect(openDescriptors() - before).toBeLessThanOrEqual(maxFds + 2); // the folder's own, and one that is being opened
    }
    for (let i = 0; i < 60; i += 7) {
      fs.appendFileSync(`/mnt/f${i}`, "!");
      texts.set(`f${i}`, `text of ${i}!`);
    }
    fs.kernel.sync();
    for (const [name, text] of texts) expect(onHost(`${setup.inside}/${name}`)).toBe(text);
  });

  it("go on for many promise calls at once", async () => {
    mount("maxfds=8");
    const names = Array.from({ length: 100 }, (_, i) => `f${i}`);
    await Promise.all(names.map((name) => fs.promises.writeFile(`/mnt/${name}`, name.repeat(2000))));
    await fs.kernel.syncAsync();
    for (const name of names) expect(onHost(`${setup.inside}/${name}`)).toBe(name.repeat(2000));
    fs.kernel.umount("/mnt");
  });
});

describe("changes on the host's side", () => {
  it("while a file is ours: ours wins, it is counted, and clean pages are dropped", () => {
    nodeFs.writeFileSync(host, Buffer.alloc(4 * PAGE, "a"));
    setup.mount("cache=writeback,ttl=0");
    expect(fs.kernel.vmstat().hostfs_dirty_conflicts).toBe(0);
    fs.readFileSync("/mnt/f");
    const fd = fs.openSync("/mnt/f", "r+");
    fs.writeSync(fd, Buffer.alloc(PAGE, "b"), 0, PAGE, PAGE);
    nodeFs.writeFileSync(host, Buffer.alloc(4 * PAGE, "c"));
    const expected = Buffer.alloc(4 * PAGE, "c").fill("b", PAGE, 2 * PAGE);
    expect(fs.statSync("/mnt/f").size).toBe(4 * PAGE);
    expect(fs.kernel.vmstat().hostfs_dirty_conflicts).toBe(1);
    expect(fs.readFileSync("/mnt/f").equals(expected)).toBe(true);
    fs.fsyncSync(fd);
    expect(nodeFs.readFileSync(host).equals(expected)).toBe(true);
    expect(fs.kernel.vmstat().hostfs_dirty_conflicts).toBe(1);
    fs.closeSync(fd);
  });

  it("that nobody has looked at are found when it is written back", () => {
    nodeFs.writeFileSync(host, Buffer.alloc(2 * PAGE, "a"));
    mount();
    fs.readFileSync("/mnt/f");
    const fd = fs.openSync("/mnt/f", "r+");
    fs.writeSync(fd, "b");
    nodeFs.writeFileSync(host, Buffer.alloc(2 * PAGE, "c"));
    fs.fsyncSync(fd);
    expect(fs.kernel.vmstat().hostfs_dirty_conflicts).toBe(1);
    expect(fs.readFileSync("/mnt/f").subarray(PAGE).equals(Buffer.alloc(PAGE, "c"))).toBe(true);
    fs.closeSync(fd);
  });

  it("do not make a file that is ours smaller", () => {
    setup.mount("cache=writeback,ttl=0");
    fs.writeFileSync("/mnt/f", "long text");
    nodeFs.truncateSync(host, 0);
    nodeFs.appendFileSync(host, "x");
    expect(fs.statSync("/mnt/f").size).toBe(9);
    fs.kernel.sync();
    expect(onHost()).toBe("long text");
  });

  it("make it larger, and nothing of what is behind is lost", () => {
    setup.mount("cache=writeback,ttl=0");
    fs.writeFileSync("/mnt/f", "ours");
    nodeFs.writeFileSync(host, "x".repeat(3 * PAGE));
    expect(fs.statSync("/mnt/f").size).toBe(3 * PAGE);
    fs.kernel.sync();
    expect(
      fs
        .readFileSync("/mnt/f")
        .subarray(PAGE)
        .equals(Buffer.alloc(2 * PAGE, "x")),
    ).toBe(true);
    expect(onHost().startsWith("ours")).toBe(true);
    expect(onHost()).toBe(fs.readFileSync("/mnt/f", "utf8"));
  });

  it("our own writing back is no such change", async () => {
    setup.mount("cache=writeback,ttl=0");
    for (let i = 0; i < 20; i++) {
      fs.appendFileSync("/mnt/f", "x".repeat(3000));
      const syncing = fs.kernel.syncAsync();
      fs.statSync("/mnt/f");
      await fs.promises.stat("/mnt/f");
      fs.appendFileSync("/mnt/g", "y");
      await syncing;
      fs.chmodSync("/mnt/f", 0o600 + (i & 1));
    }
    fs.kernel.sync();
    expect(fs.kernel.vmstat().hostfs_dirty_conflicts).toBe(0);
    expect(onHost().length).toBe(60000);
  });

  it("our own new names, modes and sizes are none, in whatever order", () => {
    setup.mount("cache=writeback,ttl=100000");
    fs.writeFileSync("/mnt/f", "x".repeat(9000));
    fs.kernel.sync();
    const fd = fs.openSync("/mnt/f", "r+");
    fs.readFileSync(fd);
    fs.renameSync("/mnt/f", "/mnt/g");
    fs.ftruncateSync(fd, 5000); // no walk to its name, which would ask for its attributes
    fs.writeSync(fd, "y", 4999);
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    expect(fs.kernel.vmstat().hostfs_dirty_conflicts).toBe(0);
    fs.appendFileSync("/mnt/g", "y");
    fs.kernel.sync();
    fs.chmodSync("/mnt/g", 0o600);
    fs.linkSync("/mnt/g", "/mnt/f");
    fs.truncateSync("/mnt/g", 10);
    fs.kernel.dropCaches(1);
    fs.truncateSync("/mnt/f", 5);
    fs.appendFileSync("/mnt/f", "z");
    fs.kernel.sync();
    expect(fs.kernel.vmstat().hostfs_dirty_conflicts).toBe(0);
    expect(onHost()).toBe("xxxxxz");
  });

  it("of a clean file are seen as with writethrough", () => {
    setup.mount("cache=writeback,ttl=0");
    fs.writeFileSync("/mnt/f", "one");
    fs.kernel.sync();
    nodeFs.writeFileSync(host, "other");
    expect(fs.readFileSync("/mnt/f", "utf8")).toBe("other");
    expect(fs.kernel.vmstat().hostfs_dirty_conflicts).toBe(0);
  });
});

it("a file stays ours while it is written to, though all so far has been written back", () => {
  mount();
  const { vm } = fs.kernel;
  if (vm === undefined) throw new Error("no limits");
  vm.dirty_background_bytes = PAGE;
  vm.dirty_bytes = 2 * PAGE;
  for (const length of [3, 4, 5, 17].map((pages) => pages * PAGE + 1)) {
    fs.writeFileSync("/mnt/f", bytesOf(length));
    expect(fs.statSync("/mnt/f").size).toBe(length);
    expect(fs.readFileSync("/mnt/f").equals(bytesOf(length)), `${length}`).toBe(true);
    fs.kernel.sync();
    expect(nodeFs.readFileSync(host).equals(bytesOf(length)), `${length} on the host`).toBe(true);
  }
});

it("files larger than memory are written and read", () => {
  mount();
  const bytes = bytesOf(2 ** 20);
  const fd = fs.openSync("/mnt/f", "w+");
  for (let i = 0; i < 100; i++) fs.writeSync(fd, bytes);
  fs.fsyncSync(fd);
  expect(nodeFs.statSync(host).size).toBe(100 * 2 ** 20);
  const buffer = Buffer.alloc(2 ** 20);
  for (let i = 0; i < 100; i += 9) {
    expect(fs.readSync(fd, buffer, 0, buffer.length, i * buffer.length)).toBe(buffer.length);
    expect(buffer.equals(bytes), `${i}`).toBe(true);
  }
  fs.closeSync(fd);
  fs.writeFileSync("/in-memory", Buffer.alloc(2 ** 20)); // there is room left for others
});
