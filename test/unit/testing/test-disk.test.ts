/** The disk whose power is cut: a file system as others while there is power, and what is left after. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createFsSync, type FolioFs, type FsOptions } from "../../../src/index.ts";
import { TestDisk, type TestDiskOptions } from "../../../src/testing.ts";
import { runConformance } from "../../../src/testing-conformance.ts";
import { outcomeOf } from "../../helpers/subject.ts";

let kernels: FolioFs[] = [];

function mounted(disk: TestDisk, options?: FsOptions): FolioFs {
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [disk.type], ...options });
  kernels.push(fs);
  fs.mkdirSync("/d");
  fs.kernel.mount({ type: disk.type.name, target: "/d" });
  return fs;
}

afterEach(() => {
  for (const { kernel } of kernels) kernel.destroy();
  kernels = [];
  vi.useRealTimers();
});

/** Names and texts of all files. */
function filesOf(fs: FolioFs): Record<string, string> {
  return Object.fromEntries(
    (fs.readdirSync("/d", { recursive: true }) as string[])
      .filter((name) => fs.lstatSync(`/d/${name}`).isFile())
      .map((name) => [name, fs.readFileSync(`/d/${name}`, "utf8")]),
  );
}

function left(disk: TestDisk, options: Parameters<TestDisk["afterPowerCut"]>[0]): Record<string, string> {
  return filesOf(mounted(disk.afterPowerCut(options)));
}

const NO_BLOCKS = "all of a file is data, and blocks are not counted";
const NO_FLAGS = "renameat2 knows RENAME_NOREPLACE alone";
const NO_ATIME = "times of access are not kept";

/** Cases that the disk does not pass, and why. */
const KNOWN: Record<string, string> = {
  "makes a file without a name with O_TMPFILE": "there is no O_TMPFILE",
  "counts blocks of 512 bytes by pages in use": NO_BLOCKS,
  "holds a write at 5 GiB": "files have 256 MiB at most",
  "finds data and holes by pages, and a hole at the end of every file": NO_BLOCKS,
  "reads holes as zeros, and makes no data of them by reading": NO_BLOCKS,
  "gives the pages back": NO_BLOCKS,
  "makes 1 GiB of hole, which costs no blocks": "files have 256 MiB at most",
  "exchanges two names with RENAME_EXCHANGE, whatever they are": NO_FLAGS,
  "leaves a whiteout with RENAME_WHITEOUT: a character device 0:0 without permissions": NO_FLAGS,
  "keeps the order of names with RENAME_WHITEOUT: first the name that moved, then its whiteout": NO_FLAGS,
  "counts 20 bytes for each entry, and no blocks": "sizes of directories are tmpfs's",
  "opens directories in the order of the directory: newest first": "the order is tmpfs's",
  "on a file: read": NO_ATIME,
  "on a file: read at the end": NO_ATIME,
  "on a file: readFile": NO_ATIME,
  "moves atime once, and again only after a write or a day (relatime)": NO_ATIME,
};

it("passes the conformance suites while it has power", async () => {
  const make = () => {
    const disk = new TestDisk();
    const fs = mounted(disk);
    fs.mkdirSync("/d/work");
    return {
      fs,
      root: "/d/work",
      as: (credentials: object, call: (fs: never) => never) => call(fs.kernel.task(credentials) as never),
    };
  };
  const results = await runConformance(make, { known: KNOWN, lacks: { allocation: "it has no fallocate" } });
  const failed = results.filter(({ outcome }) => outcome === "failed");
  expect(failed.map(({ error, name }) => `${name}: ${error}`)).toEqual([]);
});

it("gives a new file one time for all four while the clock goes on, and keeps that of its birth", async () => {
  let ms = 1e12;
  const disk = new TestDisk();
  const fs = mounted(disk, { now: () => ms++ });
  fs.closeSync(fs.openSync("/d/f", "w"));
  const { atimeMs, birthtimeMs, ctimeMs, mtimeMs } = fs.statSync("/d/f");
  expect([atimeMs, ctimeMs, mtimeMs]).toEqual([birthtimeMs, birthtimeMs, birthtimeMs]);
  expect(birthtimeMs).toBeLessThan(ms);
  fs.writeFileSync("/d/f", "more");
  await fs.kernel.umountAsync("/d");
  fs.kernel.mount({ type: disk.type.name, target: "/d" });
  expect(fs.statSync("/d/f").birthtimeMs).toBe(birthtimeMs);
  expect(fs.statSync("/d/f").mtimeMs).toBeGreaterThan(birthtimeMs);
});

describe("after a cut", () => {
  let disk: TestDisk;
  let fs: FolioFs;

  function begin(options?: TestDiskOptions): void {
    disk = new TestDisk(options);
    fs = mounted(disk);
  }
  beforeEach(() => begin());

  it("has all, nothing, or some of what was not flushed", () => {
    fs.writeFileSync("/d/a", "one");
    fs.mkdirSync("/d/sub");
    fs.writeFileSync("/d/sub/b", "two");
    expect(left(disk, { keeps: "nothing" })).toEqual({});
    expect(left(disk, { keeps: "all" })).toEqual({ a: "one", "sub/b": "two" });
    const ends = new Set(Array.from({ length: 40 }, (_, seed) => JSON.stringify(left(disk, { seed }))));
    expect(ends.size).toBeGreaterThan(3);
    expect(left(disk, { seed: 7 })).toEqual(left(disk, { seed: 7 }));
    expect(filesOf(fs)).toEqual({ a: "one", "sub/b": "two" }); // it goes on
  });

  it("has what was synced, however that was done", async () => {
    fs.writeFileSync("/d/a", "one", { flush: true });
    expect(left(disk, { keeps: "nothing" })).toEqual({ a: "one" });
    fs.writeFileSync("/d/b", "two");
    fs.kernel.sync();
    expect(left(disk, { keeps: "nothing" })).toEqual({ a: "one", b: "two" });
    fs.unlinkSync("/d/a");
    expect(left(disk, { keeps: "nothing" })).toEqual({ a: "one", b: "two" });
    await fs.kernel.umountAsync("/d");
    expect(disk.pending).toBe(0);
    fs.kernel.mount({ type: "testdisk", target: "/d" });
    expect(filesOf(fs)).toEqual({ b: "two" });
  });

  it("has names in order with a journal, which any fsync brings, and not their data", () => {
    fs.writeFileSync("/d/a", "data");
    fs.writeFileSync("/d/b", "other", { flush: true });
    expect(left(disk, { keeps: "nothing" })).toEqual({ a: "", b: "other" });
    fs.renameSync("/d/a", "/d/c");
    fs.renameSync("/d/b", "/d/e");
    for (let seed = 0; seed < 30; seed++) {
      const names = Object.keys(left(disk, { seed })).join();
      expect(["a,b", "b,c", "c,e"]).toContain(names);
    }
  });

  it("has a name without a journal only when its directory was synced", () => {
    begin({ journal: false });
    const fd = fs.openSync("/d/a", "w");
    fs.writeSync(fd, "data");
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    expect(left(disk, { keeps: "nothing" })).toEqual({});
    const dir = fs.openSync("/d", "r");
    fs.fsyncSync(dir);
    fs.closeSync(dir);
    expect(left(disk, { keeps: "nothing" })).toEqual({ a: "data" });
    fs.renameSync("/d/a", "/d/b");
    fs.writeFileSync("/d/c", "");
    const ends = new Set(Array.from({ length: 40 }, (_, seed) => Object.keys(left(disk, { seed })).join()));
    expect([...ends].sort()).toEqual(["a", "a,c", "b", "b,c"]);
  });

  it("has writes by sectors", () => {
    begin({ sectorBytes: 4 });
    fs.writeFileSync("/d/a", "............", { flush: true });
    const fd = fs.openSync("/d/a", "r+");
    fs.writeSync(fd, "abcdefgh", 2);
    fs.closeSync(fd);
    const ends = new Set(Array.from({ length: 60 }, (_, seed) => left(disk, { seed }).a));
    const [first, middle, last] = [
      ["..", "ab"],
      ["....", "cdef"],
      ["..", "gh"],
    ];
    const all = first.flatMap((a) => middle.flatMap((b) => last.map((c) => `..${a}${b}${c}..`)));
    expect([...ends].sort()).toEqual(all.sort());
  });

  it("has nothing of what a lying disk was told to flush", () => {
    disk.ignoresFlush = true;
    fs.writeFileSync("/d/a", "one", { flush: true });
    fs.kernel.sync();
    expect(left(disk, { keeps: "nothing" })).toEqual({});
  });

  it("counts links, and has no files that nobody names", () => {
    fs.writeFileSync("/d/a", "x");
    fs.linkSync("/d/a", "/d/b");
    fs.mkdirSync("/d/s/t", { recursive: true });
    fs.kernel.sync();
    const fd = fs.openSync("/d/a", "r");
    fs.unlinkSync("/d/a");
    fs.unlinkSync("/d/b");
    fs.kernel.sync();
    const after = mounted(disk.afterPowerCut());
    expect(after.readdirSync("/d")).toEqual(["s"]);
    expect([after.statSync("/d").nlink, after.statSync("/d/s").nlink]).toEqual([3, 3]);
    expect(fs.readSync(fd, Buffer.alloc(1))).toBe(1);
    fs.closeSync(fd);
  });
});

describe("rules of a disk", () => {
  it("are for what the kernel asks, by paths from its root", () => {
    const disk = new TestDisk();
    const fs = mounted(disk);
    disk.faults.failWhen("/sub/**", "EIO", { call: "write" });
    disk.faults.failNth({ call: "rename", errno: "ENOSPC" });
    fs.mkdirSync("/d/sub");
    expect(outcomeOf(() => fs.writeFileSync("/d/sub/f", "x"))).toBe("EIO");
    expect(outcomeOf(() => fs.renameSync("/d/sub/f", "/d/f"))).toBe("ENOSPC");
    fs.renameSync("/d/sub/f", "/d/f");
    fs.writeFileSync("/d/f", "x");
    disk.faults.failWhen("/f", "EIO", { call: "read" });
    expect(outcomeOf(() => fs.readFileSync("/d/f"))).toBe("EIO");
    disk.faults.clear();
    disk.faults.diskFull({ after: 3 });
    expect(outcomeOf(() => fs.writeFileSync("/d/f", "12345"))).toBe("ENOSPC");
    expect(fs.readFileSync("/d/f", "utf8")).toBe("123");
  });

  it("wait as a store does: promises for it, synchronous calls not at all", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const disk = new TestDisk();
    const fs = mounted(disk);
    fs.writeFileSync("/d/f", "text");
    disk.faults.delay(100);
    expect(outcomeOf(() => fs.readFileSync("/d/f"))).toBe("EAGAIN");
    expect(outcomeOf(() => fs.mkdirSync("/d/sub"))).toBe("EAGAIN");
    const done: string[] = [];
    const work = (async () => {
      await fs.promises.mkdir("/d/sub");
      done.push("mkdir");
      await fs.promises.writeFile("/d/sub/g", "more");
      done.push(await fs.promises.readFile("/d/sub/g", "utf8"));
      await fs.promises.rename("/d/f", "/d/h");
      done.push((await fs.promises.readdir("/d")).join());
    })();
    await vi.advanceTimersByTimeAsync(99);
    expect(done).toEqual([]);
    let isOver = false;
    void work.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await vi.advanceTimersByTimeAsync(100);
      await new Promise(setImmediate); // outcomes may come by the event loop
    }
    await work;
    expect(done).toEqual(["mkdir", "more", "h,sub"]);
    disk.faults.clear();
  });
});

it("is the same by a shell's calls as a tree in memory, and whole after any cut", () => {
  const name = fc.constantFrom("a", "b", "s/a", "s/b", "s");
  const call = fc.oneof(
    fc.tuple(fc.constant("writeFileSync" as const), name, fc.string({ maxLength: 9 })),
    fc.tuple(fc.constant("mkdirSync" as const), name),
    fc.tuple(fc.constant("renameSync" as const), name, name),
    fc.tuple(fc.constant("linkSync" as const), name, name),
    fc.tuple(fc.constant("unlinkSync" as const), name),
    fc.tuple(fc.constant("rmdirSync" as const), name),
    fc.tuple(fc.constant("truncateSync" as const), name, fc.nat(20)),
    fc.tuple(fc.constant("fsync" as const), name),
  );
  fc.assert(
    fc.property(fc.array(call, { maxLength: 25 }), fc.boolean(), fc.integer(), (calls, journal, seed) => {
      const disk = new TestDisk({ journal, sectorBytes: 3 });
      const fs = mounted(disk);
      const oracle = createFsSync({ memoryLimit: 16 * 2 ** 20 });
      kernels.push(oracle);
      oracle.mkdirSync("/d");
      for (const [method, ...args] of calls) {
        const run = (face: FolioFs): string =>
          outcomeOf(() => {
            const [path, other] = args.map((arg, i) =>
              typeof arg === "string" && !(method === "writeFileSync" && i > 0) ? `/d/${arg}` : arg,
            );
            if (method !== "fsync") return (face[method] as (...all: unknown[]) => void)(path, other);
            const fd = face.openSync(path as string, "r");
            face.fsyncSync(fd);
            face.closeSync(fd);
          });
        expect(run(fs)).toBe(run(oracle));
      }
      expect(filesOf(fs)).toEqual(filesOf(oracle));
      const after = mounted(disk.afterPowerCut({ seed }));
      filesOf(after); // can be read
      for (const entry of after.readdirSync("/d", { recursive: true }) as string[])
        expect(after.lstatSync(`/d/${entry}`).nlink).toBeGreaterThan(0);
      after.rmSync("/d/s", { recursive: true, force: true });
      after.writeFileSync("/d/new", "x");
      expect(filesOf(mounted(disk.afterPowerCut({ keeps: "all" })))).toEqual(filesOf(fs));
      for (const { kernel } of kernels.splice(0)) kernel.destroy();
    }),
    { numRuns: 40 },
  );
});

it("is one disk wherever it is mounted", () => {
  const disk = new TestDisk();
  const fs = mounted(disk);
  fs.mkdirSync("/e");
  fs.kernel.mount({ type: disk.type.name, target: "/e" });
  fs.writeFileSync("/d/f", "one");
  expect(fs.readFileSync("/e/f", "utf8")).toBe("one");
  expect(fs.statSync("/e/f").ino).toBe(fs.statSync("/d/f").ino);
});

it("refuses what is no option", () => {
  expect(outcomeOf(() => new TestDisk({ sectorBytes: 0 }))).toBe("ERR_OUT_OF_RANGE");
  expect(outcomeOf(() => new TestDisk({ name: 5 as never }))).toBe("ERR_INVALID_ARG_TYPE");
  expect(outcomeOf(() => new TestDisk({ journal: 1 as never }))).toBe("ERR_INVALID_ARG_TYPE");
  expect(outcomeOf(() => new TestDisk().afterPowerCut({ seed: "x" as never }))).toBe("ERR_INVALID_ARG_TYPE");
});
