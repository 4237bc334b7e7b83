/** hostfs with cache=writethrough, its default: reads by pages, and pages that are what the host's file is. */
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tryViews } from "../../../../src/fs/hostfs/host-memory.ts";
import { POSIX_FADV_WILLNEED, RWF_NOWAIT } from "../../../../src/fs/libfs-store.ts";
import type { FolioFs } from "../../../../src/index.ts";
import { failHost } from "../../../helpers/failing-host.ts";
import { createHostfsMount, type HostfsMount, openDescriptors } from "../../../helpers/hostfs-mount.ts";

const MIB = 2 ** 20;
const PAGE = 4096;

let setup: HostfsMount;
let fs: FolioFs;
let host: string;

beforeEach(() => {
  setup = createHostfsMount();
  fs = setup.fs;
  host = `${setup.inside}/f`;
});

afterEach(() => setup.dispose());

function bytesOf(length: number, seed = 1): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 17 + seed * 101) & 0xff));
}

describe("hostfs by pages", () => {
  it("is what a mount gets that says nothing", () => {
    setup.mount("");
    const shown = fs.kernel.mounts().find(({ target }) => target === "/mnt");
    expect(JSON.stringify(shown)).toContain("cache=writethrough");
  });

  it("asks the host for a page once, within ttl", () => {
    nodeFs.writeFileSync(host, "first");
    setup.mount("ttl=100000");
    for (let i = 0; i < 2; i++) expect(fs.readFileSync("/mnt/f", "utf8")).toBe("first");
    nodeFs.writeFileSync(host, "other");
    expect(fs.readFileSync("/mnt/f", "utf8")).toBe("first");
  });

  it.each([
    ["writethrough", "text", true],
    ["none", "ENOTSUP", false],
  ])("gives what is there without waiting (RWF_NOWAIT), and takes advice: cache=%s", (cache, expected, isCached) => {
    nodeFs.writeFileSync(host, "text");
    setup.mount(`cache=${cache}`);
    const fd = fs.openSync("/mnt/f", "r");
    fs.kernel.fadviseSync(fd, 0, 0, POSIX_FADV_WILLNEED);
    expect(fs.kernel.vmstat().nr_inactive_file > 0).toBe(isCached);
    const buffer = Buffer.alloc(10);
    const read = (): string => {
      try {
        return buffer.toString("utf8", 0, fs.kernel.preadv2Sync(fd, [buffer], 0, RWF_NOWAIT));
      } catch (error) {
        return (error as NodeJS.ErrnoException).code as string;
      }
    };
    expect(read()).toBe(expected);
    fs.closeSync(fd);
  });

  it("reads large files, by windows, synchronously and by promises, at any place", async () => {
    const bytes = bytesOf(5 * MIB + 123);
    nodeFs.writeFileSync(host, bytes);
    setup.mount("ttl=100000");
    expect(bytes.equals(fs.readFileSync("/mnt/f"))).toBe(true);
    fs.kernel.mount({ target: "/mnt", flags: 32, data: "cache=none" });
    fs.kernel.mount({ target: "/mnt", flags: 32, data: "cache=writethrough" });
    for (let i = 0; i < 2; i++) expect(bytes.equals(await fs.promises.readFile("/mnt/f"))).toBe(true);
    const handle = await fs.promises.open("/mnt/f", "r");
    const places = [0, 1, PAGE - 1, 3 * MIB + 77, bytes.length - 5, bytes.length, bytes.length + MIB];
    const reads = places.map((at) => handle.read(Buffer.alloc(9000), 0, 9000, at));
    for (const [i, { bytesRead, buffer }] of (await Promise.all(reads)).entries()) {
      expect(buffer.subarray(0, bytesRead).equals(bytes.subarray(places[i], places[i] + 9000)), `${places[i]}`).toBe(
        true,
      );
    }
    await handle.close();
  });

  it("counts calls of the host, whether they go by pages or past them, at once or later", async () => {
    nodeFs.writeFileSync(host, bytesOf(PAGE + 5));
    setup.mount("ttl=100000");
    const counted = (): number[] => {
      const [{ reads, readBytes, writes, writtenBytes }] = fs.kernel.bdi;
      return [reads, readBytes, writes, writtenBytes];
    };
    for (let i = 0; i < 2; i++) fs.readFileSync("/mnt/f");
    expect(counted()).toEqual([1, PAGE + 5, 0, 0]);
    const { pgcache_hit, pgcache_miss, pgcache_ahead } = fs.kernel.vmstat();
    expect([pgcache_hit, pgcache_miss, pgcache_ahead]).toEqual([2, 2, 0]);
    fs.appendFileSync("/mnt/f", "12");
    await fs.promises.appendFile("/mnt/f", "345");
    expect(counted()).toEqual([1, PAGE + 5, 2, 5]);
    fs.kernel.mount({ target: "/mnt", flags: 32, data: "cache=none" });
    const buffer = Buffer.alloc(100);
    const fd = fs.openSync("/mnt/f", "r");
    fs.readSync(fd, buffer, 0, 100, 0);
    await new Promise((resolve) => fs.read(fd, buffer, 0, 100, 7, resolve));
    fs.closeSync(fd);
    expect(counted()).toEqual([3, PAGE + 205, 2, 5]);
    fs.kernel.verify();
  });

  it("gives a synchronous call the host's bytes while a promise call reads the page in", async () => {
    const bytes = bytesOf(MIB);
    nodeFs.writeFileSync(host, bytes);
    setup.mount("ttl=100000");
    const fd = fs.openSync("/mnt/f", "r");
    const reading = fs.promises.readFile("/mnt/f");
    await Promise.resolve();
    const buffer = Buffer.alloc(100);
    expect(fs.readSync(fd, buffer, 0, 100, 5000)).toBe(100);
    expect(buffer.equals(bytes.subarray(5000, 5100))).toBe(true);
    expect(bytes.equals(await reading)).toBe(true);
    fs.closeSync(fd);
  });

  it("writes to the host at once, and into the pages that are cached", () => {
    const bytes = bytesOf(10 * PAGE);
    nodeFs.writeFileSync(host, bytes);
    setup.mount("ttl=100000");
    fs.readFileSync("/mnt/f");
    const fd = fs.openSync("/mnt/f", "r+");
    for (const [at, length] of [
      [10, 20],
      [PAGE - 7, PAGE + 14],
      [10 * PAGE - 3, 100],
      [12 * PAGE, 5],
    ]) {
      const written = bytesOf(length, at);
      fs.writeSync(fd, written, 0, length, at);
      expect(
        nodeFs
          .readFileSync(host)
          .subarray(at, at + length)
          .equals(written),
        `host at ${at}`,
      ).toBe(true);
      expect(fs.readFileSync("/mnt/f").equals(nodeFs.readFileSync(host)), `pages after ${at}`).toBe(true);
    }
    fs.closeSync(fd);
  });

  it("keeps its pages through changes of its own", () => {
    nodeFs.writeFileSync(host, "kept text");
    setup.mount("ttl=0");
    const fd = fs.openSync("/mnt/f", "r+");
    const read = () => {
      const buffer = Buffer.alloc(20);
      return buffer.toString("utf8", 0, fs.readSync(fd, buffer, 0, 20, 0));
    };
    expect(read()).toBe("kept text");
    const { pgpgin } = fs.kernel.vmstat() as { pgpgin?: number };
    fs.chmodSync("/mnt/f", 0o600);
    fs.writeSync(fd, "K", 0);
    expect(read()).toBe("Kept text");
    expect(fs.kernel.vmstat().pgpgin).toBe(pgpgin);
    expect(fs.statSync("/mnt/f").mode & 0o777).toBe(0o600);
    fs.closeSync(fd);
  });

  it.each([0, 40])("sees what the host has changed at the first open after ttl=%i", async (ttl) => {
    nodeFs.writeFileSync(host, "one and some more");
    setup.mount(`ttl=${ttl}`);
    expect(fs.readFileSync("/mnt/f", "utf8")).toBe("one and some more");
    for (const text of ["two", "three, which is longer", "four, which is longer", ""]) {
      nodeFs.writeFileSync(host, text);
      if (ttl > 0) await new Promise((resolve) => setTimeout(resolve, ttl + 5));
      expect(fs.readFileSync("/mnt/f", "utf8")).toBe(text);
      expect(await fs.promises.readFile("/mnt/f", "utf8")).toBe(text);
    }
  });

  it("sees a file grow that it has open, and shows no zeros for what it has not read", () => {
    nodeFs.writeFileSync(host, "start");
    setup.mount("ttl=0");
    const fd = fs.openSync("/mnt/f", "r");
    expect(fs.readFileSync(fd, "utf8")).toBe("start");
    nodeFs.appendFileSync(host, " and more");
    expect(fs.fstatSync(fd).size).toBe(14);
    const buffer = Buffer.alloc(20);
    expect(buffer.toString("utf8", 0, fs.readSync(fd, buffer, 0, 20, 0))).toBe("start and more");
    fs.closeSync(fd);
  });

  it("truncates on the host and in the pages; bytes that were cut do not come back", () => {
    nodeFs.writeFileSync(host, bytesOf(3 * PAGE));
    setup.mount("ttl=100000");
    fs.readFileSync("/mnt/f");
    fs.truncateSync("/mnt/f", PAGE + 100);
    fs.truncateSync("/mnt/f", 3 * PAGE);
    expect(fs.readFileSync("/mnt/f").equals(nodeFs.readFileSync(host))).toBe(true);
    expect(
      fs
        .readFileSync("/mnt/f")
        .subarray(PAGE + 100)
        .every((byte) => byte === 0),
    ).toBe(true);
  });

  it("reads by the descriptors it keeps, as few as they may be; files open and unlinked keep theirs", () => {
    for (let i = 0; i < 30; i++) nodeFs.writeFileSync(`${setup.inside}/f${i}`, bytesOf(40 * PAGE, i));
    setup.mount("maxfds=2,ttl=100000");
    const before = openDescriptors();
    const fds = Array.from({ length: 30 }, (_, i) => fs.openSync(`/mnt/f${i}`, "r"));
    for (let i = 0; i < 10; i++) fs.unlinkSync(`/mnt/f${i}`);
    expect(openDescriptors() - before).toBeLessThanOrEqual(10 + 2);
    const buffer = Buffer.alloc(PAGE);
    for (let page = 39; page >= 0; page -= 13) {
      for (const [i, fd] of fds.entries()) {
        fs.readSync(fd, buffer, 0, PAGE, page * PAGE);
        expect(buffer.equals(bytesOf(40 * PAGE, i).subarray(page * PAGE, (page + 1) * PAGE)), `${i} ${page}`).toBe(
          true,
        );
      }
    }
    for (const fd of fds) fs.closeSync(fd);
    expect(openDescriptors() - before).toBeLessThanOrEqual(2);
  });

  it("serves files that are larger than memory", () => {
    const bytes = bytesOf(MIB);
    const fd = nodeFs.openSync(host, "w");
    for (let i = 0; i < 100; i++) nodeFs.writeSync(fd, bytes);
    nodeFs.closeSync(fd);
    setup.mount("");
    const ours = fs.openSync("/mnt/f", "r");
    const buffer = Buffer.alloc(MIB);
    for (let i = 0; i < 100; i++) {
      expect(fs.readSync(ours, buffer)).toBe(MIB);
      expect(buffer.equals(bytes), `${i}`).toBe(true);
    }
    fs.closeSync(ours);
    fs.writeFileSync("/in-memory", Buffer.alloc(MIB)); // there is room left for others
  });

  it("finds that the host may read into a memory that grows, where Node says nothing of it", async () => {
    expect(await tryViews()).toBe(true);
  });
});

describe("a write after which the host fails", () => {
  it.each(["none", "writethrough"])(
    "is told as written where the file cannot be looked at: append, cache=%s",
    (cache) => {
      nodeFs.writeFileSync(host, "old");
      setup.mount(`cache=${cache},ttl=100000`);
      expect(fs.readFileSync("/mnt/f", "utf8")).toBe("old");
      const fd = fs.openSync("/mnt/f", "a");
      let isWritten = false;
      const failing = failHost((name) => {
        const isFault = isWritten && name === "fstat";
        isWritten = name === "writev";
        return isFault ? "EIO" : undefined;
      });
      try {
        expect(fs.writeSync(fd, " new")).toBe(4);
      } finally {
        failing.restore();
      }
      expect(fs.readFileSync("/mnt/f", "utf8")).toBe("old new");
      expect(nodeFs.readFileSync(host, "utf8")).toBe("old new");
    },
  );

  it.each(["a", "r+"])("is read as the host has it, if it could not be synced: %s", (flags) => {
    nodeFs.writeFileSync(host, "old");
    setup.mount("ttl=100000");
    expect(fs.readFileSync("/mnt/f", "utf8")).toBe("old");
    const { O_SYNC, O_APPEND, O_WRONLY } = nodeFs.constants;
    const fd = fs.openSync("/mnt/f", O_SYNC | O_WRONLY | (flags === "a" ? O_APPEND : 0));
    const failing = failHost((name) => (name === "fsync" ? "EIO" : undefined));
    try {
      expect(() => fs.writeSync(fd, "new")).toThrow("EIO");
    } finally {
      failing.restore();
    }
    expect(fs.readFileSync("/mnt/f", "utf8")).toBe(nodeFs.readFileSync(host, "utf8"));
  });
});
