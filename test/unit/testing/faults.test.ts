/** Faults of a foliofs face: at its system calls, whatever makes them. */
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HeldStore } from "../../../src/fuzz/schedule/held-store.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { type Faults, injectFaults } from "../../../src/testing.ts";
import { codeOfPromise } from "../../helpers/code-of.ts";
import { outcomeOf } from "../../helpers/subject.ts";
import { toldError } from "../../helpers/told-error.ts";

let fs: FolioFs;
let faults: Faults<FolioFs>;

beforeEach(() => {
  fs = createFsSync({ memoryLimit: 32 * 2 ** 20 });
  fs.mkdirSync("/d");
  fs.writeFileSync("/d/f", "0123456789");
  faults = injectFaults(fs);
});
afterEach(() => {
  faults.restore();
  fs.kernel.destroy();
  vi.useRealTimers();
});

function names(): string {
  return faults.calls.map(({ call, outcome }) => (outcome === "ok" ? call : `${call}:${outcome}`)).join(" ");
}

describe("errors", () => {
  it("have the shape that Node gives them", () => {
    faults.failWhen("/d/f", "EACCES", { call: "open" });
    expect(toldError(() => fs.readFileSync("/d/f"))).toEqual({
      message: "EACCES: permission denied, open '/d/f'",
      code: "EACCES",
      errno: -13,
      syscall: "open",
      path: "/d/f",
      dest: undefined,
    });
    faults.failWhen("/d/g", "EXDEV", { call: "rename" });
    expect(toldError(() => fs.renameSync("/d/f", "/d/g"))).toEqual({
      message: "EXDEV: cross-device link not permitted, rename '/d/f' -> '/d/g'",
      code: "EXDEV",
      errno: -18,
      syscall: "rename",
      path: "/d/f",
      dest: "/d/g",
    });
    expect(fs.readdirSync("/d")).toEqual(["f"]);
  });

  it("begin their stacks where the program has called", () => {
    faults.failWhen("/d/f", "EIO");
    try {
      fs.readFileSync("/d/f");
      expect.unreachable();
    } catch (error) {
      expect((error as Error).stack?.split("\n")[1]).toContain("faults.test.ts");
    }
  });

  it("name the path as it was given", () => {
    fs.task.chdir("/d");
    faults.failWhen("/d/f", "EIO", { call: "stat" });
    expect(toldError(() => fs.statSync("./x/../f"))).toMatchObject({ path: "./x/../f", code: "EIO" });
    expect(faults.calls.at(-1)).toMatchObject({ path: "/d/f", isInjected: true });
  });
});

describe("failNth", () => {
  it("counts calls wherever they are made: writeFile, appendFile, promises, streams, copies", async () => {
    const rule = faults.failNth({ call: "write", errno: "ENOSPC", nth: 3 });
    fs.writeFileSync("/d/1", "one");
    await fs.promises.appendFile("/d/1", "two");
    await expect(fs.promises.writeFile("/d/2", "three")).rejects.toMatchObject({ code: "ENOSPC", syscall: "write" });
    expect(rule.fired).toBe(1);
    expect(fs.readFileSync("/d/1", "utf8")).toBe("onetwo");
    expect(fs.readFileSync("/d/2", "utf8")).toBe("");
    fs.writeFileSync("/d/2", "four"); // once alone
    faults.failNth({ call: "write", errno: "EIO" });
    const stream = fs.createWriteStream("/d/3");
    stream.end("text");
    const [error] = await once(stream, "error");
    expect(error).toMatchObject({ code: "EIO", syscall: "write" });
    faults.failNth({ call: "copy_file_range", errno: "ENOSPC" });
    expect(toldError(() => fs.copyFileSync("/d/1", "/d/4"))).toMatchObject({
      syscall: "copyfile",
      code: "ENOSPC",
      path: "/d/1",
      dest: "/d/4",
    });
    expect(fs.existsSync("/d/4")).toBe(false);
    faults.assertUsed();
  });

  it("fails several in a row, or all that follow", () => {
    faults.failNth({ call: "stat", errno: "EIO", nth: 2, times: 2 });
    const stat = (): string => outcomeOf(() => fs.statSync("/d"));
    expect([1, 2, 3, 4].map(stat)).toEqual(["ok", "EIO", "EIO", "ok"]);
    faults.failNth({ call: "stat", errno: "EACCES", times: Infinity });
    expect([1, 2, 3].map(stat)).toEqual(["EACCES", "EACCES", "EACCES"]);
  });

  it("takes several calls, and names of methods that are one call", () => {
    faults.failNth({ call: ["unlink", "rmdir"], errno: "EBUSY", path: "/d/**", times: Infinity });
    expect(outcomeOf(() => fs.unlinkSync("/d/f"))).toBe("EBUSY");
    expect(outcomeOf(() => fs.rmSync("/d", { recursive: true }))).toBe("EBUSY");
    expect(fs.existsSync("/d/f")).toBe(true);
    faults.clear();
    faults.failNth({ call: "readdirSync", errno: "EMFILE" });
    expect(toldError(() => fs.readdirSync("/d"))).toMatchObject({ code: "EMFILE", syscall: "scandir", path: "/d" });
  });
});

describe("failWhen", () => {
  it("knows by which path a descriptor was opened, and what FileHandles do", async () => {
    faults.failWhen("/d/f", "EIO", { call: "read" });
    const fd = fs.openSync("/d/f", "r");
    expect(toldError(() => fs.readSync(fd, Buffer.alloc(4)))).toMatchObject({ code: "EIO", syscall: "read" });
    fs.closeSync(fd);
    const handle = await fs.promises.open("/d/f");
    await expect(handle.read(Buffer.alloc(4))).rejects.toMatchObject({ code: "EIO" });
    await expect(handle.readFile()).rejects.toMatchObject({ code: "EIO" });
    await handle.close();
    expect(await codeOfPromise(fs.promises.readFile("/d/f", "utf8"))).toBe("EIO");
    fs.writeFileSync("/d/other", "text");
    expect(fs.readFileSync("/d/other", "utf8")).toBe("text");
  });

  it("takes globs, expressions and functions", () => {
    fs.writeFileSync("/d/a.log", "");
    faults.failWhen("/d/*.log", "EACCES", { call: "open", times: 1 });
    expect(outcomeOf(() => fs.readFileSync("/d/a.log"))).toBe("EACCES");
    faults.failWhen(/\.log$/, "EPERM", { call: "unlink" });
    expect(outcomeOf(() => fs.unlinkSync("/d/a.log"))).toBe("EPERM");
    const isLong = ({ call, length = 0 }: { call: string; length?: number }): boolean => call === "write" && length > 3;
    const rule = faults.failWhen(isLong, "EFBIG");
    fs.writeFileSync("/d/a.log", "abc");
    expect(outcomeOf(() => fs.writeFileSync("/d/a.log", "abcd"))).toBe("EFBIG");
    expect(rule.description).toBe("EFBIG for every call where isLong");
  });

  it("has existsSync say no, and access say why", async () => {
    faults.failWhen("/d/f", "EACCES", { call: "access" });
    expect(fs.existsSync("/d/f")).toBe(false);
    expect(outcomeOf(() => fs.accessSync("/d/f"))).toBe("EACCES");
    expect(await new Promise((resolve) => fs.exists("/d/f", resolve as never))).toBe(false);
  });

  it("reaches opendir, and directories that are read entry by entry", async () => {
    faults.failWhen("/d", "EMFILE", { call: "opendir", times: 1 });
    expect(toldError(() => fs.opendirSync("/d"))).toMatchObject({ code: "EMFILE", syscall: "opendir" });
    faults.failWhen("/d", "EIO", { call: "scandir" });
    const dir = await fs.promises.opendir("/d");
    await expect(dir.read()).rejects.toMatchObject({ code: "EIO" });
    await dir.close();
  });

  it("reaches cp, rm and mkdir -p inside", async () => {
    fs.mkdirSync("/from/sub", { recursive: true });
    fs.writeFileSync("/from/sub/f", "x");
    faults.failWhen("/to/sub/f", "ENOSPC");
    await expect(fs.promises.cp("/from", "/to", { recursive: true })).rejects.toMatchObject({ code: "ENOSPC" });
    faults.clear();
    faults.failWhen("/from/sub/f", "EBUSY", { call: "unlink" });
    await expect(fs.promises.rm("/from", { recursive: true })).rejects.toMatchObject({ code: "EBUSY" });
    faults.failWhen("/x/y", "EACCES", { call: "mkdir" });
    expect(toldError(() => fs.mkdirSync("/x/y/z", { recursive: true }))).toMatchObject({
      code: "EACCES",
      syscall: "mkdir",
    });
  });
});

it("closes a descriptor though close fails", () => {
  const fd = fs.openSync("/d/f", "r");
  faults.failWhen("/d/f", "EIO", { call: "close" });
  expect(toldError(() => fs.closeSync(fd))).toMatchObject({ code: "EIO", syscall: "close" });
  expect(outcomeOf(() => fs.fstatSync(fd))).toBe("EBADF");
});

it("decides once on a call that waits for a store", async () => {
  const held = new HeldStore({ hold: () => Promise.resolve(), hasSyncHalf: false });
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [held.type] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "heldfs", target: "/m" });
  fs.writeFileSync("/m/f", "0123456789");
  fs.kernel.sync();
  fs.kernel.dropCaches(3);
  held.isQuick = false;
  const waiting = injectFaults(fs);
  waiting.shortReads({ most: 4 });
  const handle = await fs.promises.open("/m/f");
  expect((await handle.read(Buffer.alloc(10), 0, 10, 0)).bytesRead).toBe(4);
  expect(waiting.calls.filter(({ call }) => call === "read")).toHaveLength(1);
  await handle.close();
  waiting.restore();
  fs.kernel.destroy();
});

it("does not take an EAGAIN of its own for a wait", async () => {
  faults.failWhen("/d/f", "EAGAIN");
  expect(await codeOfPromise(fs.promises.readFile("/d/f"))).toBe("EAGAIN");
  expect(fs.existsSync("/d/f")).toBe(false);
});

describe("what is moved in part", () => {
  it("is cut where the disk is full, then refused", () => {
    const rule = faults.diskFull({ after: 15 });
    fs.writeFileSync("/d/a", "0123456789");
    expect(toldError(() => fs.writeFileSync("/d/b", "0123456789"))).toMatchObject({ code: "ENOSPC", syscall: "write" });
    expect(fs.readFileSync("/d/b", "utf8")).toBe("01234");
    expect(outcomeOf(() => fs.appendFileSync("/d/a", "x"))).toBe("ENOSPC");
    const fd = fs.openSync("/d/c", "w");
    expect(outcomeOf(() => fs.writeSync(fd, "x"))).toBe("ENOSPC");
    expect(fs.writeSync(fd, "")).toBe(0);
    expect(outcomeOf(() => fs.fallocateSync(fd, 0, 0, 10))).toBe("ENOSPC");
    rule.remove();
    expect(fs.writeSync(fd, "x")).toBe(1);
    fs.closeSync(fd);
  });

  it("is cut by a write that the program makes itself", async () => {
    faults.diskFull({ after: 4, path: "/d/**" });
    const fd = fs.openSync("/d/a", "w");
    expect(fs.writeSync(fd, Buffer.from("abcdef"))).toBe(4);
    fs.closeSync(fd);
    fs.writeFileSync("/elsewhere", "abcdef");
    const handle = await fs.promises.open("/d/b", "w");
    await expect(handle.write("abc")).rejects.toMatchObject({ code: "ENOSPC" });
    await handle.close();
  });

  it("is a short write or read, which whole files go on with", () => {
    const [writes, reads] = [faults.shortWrites({ most: 3 }), faults.shortReads({ most: 4 })];
    const fd = fs.openSync("/d/a", "w+");
    expect(fs.writeSync(fd, "0123456789")).toBe(3);
    fs.closeSync(fd);
    fs.writeFileSync("/d/a", "0123456789");
    expect(writes.fired).toBe(4);
    expect(fs.readFileSync("/d/a", "utf8")).toBe("0123456789");
    expect(reads.fired).toBeGreaterThan(1);
    const [one, two] = [Buffer.alloc(3), Buffer.alloc(3)];
    const again = fs.openSync("/d/a", "r");
    expect(fs.readvSync(again, [one, two])).toBe(6); // a call for each
    fs.closeSync(again);
  });

  it("is half of it where nothing is said", () => {
    faults.shortReads({ times: 1 });
    const fd = fs.openSync("/d/f", "r");
    expect(fs.readSync(fd, Buffer.alloc(10))).toBe(5);
    expect(fs.readSync(fd, Buffer.alloc(10))).toBe(5);
    fs.closeSync(fd);
  });
});

describe("delay", () => {
  it("has callbacks and promises wait by the timers that are there", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    faults.delay(1000, { call: "open", path: "/d/f" });
    let text: string | undefined;
    const reading = fs.promises.readFile("/d/f", "utf8").then((data) => {
      text = data;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(text).toBeUndefined();
    fs.writeFileSync("/d/g", "not waited for");
    await vi.advanceTimersByTimeAsync(1);
    await reading;
    expect(text).toBe("0123456789");
    expect(names()).toBe("open write close open fstat read close");
  });

  it("waits for what a function says, then fails by a rule made before", async () => {
    let open = (): void => {};
    faults.delay(
      () =>
        new Promise<void>((resolve) => {
          open = resolve;
        }),
      { call: "write" },
    );
    const rule = faults.failNth({ call: "write", errno: "EIO" });
    const failed = codeOfPromise(fs.promises.writeFile("/d/g", "text"));
    await Promise.resolve();
    expect(rule.fired).toBe(1);
    open();
    expect(await failed).toBe("EIO");
    expect(fs.readFileSync("/d/g", "utf8")).toBe("");
  });

  it("does not keep synchronous calls", () => {
    faults.delay(60_000);
    expect(fs.readFileSync("/d/f", "utf8")).toBe("0123456789");
  });

  it("takes a clock", async () => {
    faults.restore();
    const waits: number[] = [];
    const clock = {
      setTimeout: (callback: () => void, ms: number) => {
        waits.push(ms);
        queueMicrotask(callback);
      },
    };
    faults = injectFaults(fs, { clock });
    faults.delay(5, { call: "stat" });
    await fs.promises.stat("/d");
    expect(waits).toEqual([5]);
    expect(faults.calls).toEqual([{ call: "stat", path: "/d", outcome: "ok", isInjected: false }]);
  });
});

it("logs what was called, and what came of it", () => {
  faults.failNth({ call: "fsync", errno: "EIO" });
  const fd = fs.openSync("/d/f", "r+");
  fs.writeSync(fd, "abc");
  outcomeOf(() => fs.fsyncSync(fd));
  outcomeOf(() => fs.statSync("/missing"));
  expect(faults.calls).toEqual([
    { call: "open", path: "/d/f", outcome: "ok", result: fd, isInjected: false },
    { call: "write", path: "/d/f", fd, length: 3, outcome: "ok", result: 3, isInjected: false },
    { call: "fsync", path: "/d/f", fd, outcome: "EIO", isInjected: true },
    { call: "stat", path: "/missing", outcome: "ENOENT", isInjected: false },
  ]);
  fs.closeSync(fd);
});

it("tells of rules that have never done anything", () => {
  const used = faults.failNth({ call: "stat", errno: "EIO" });
  const unused = faults.failWhen("/nowhere", "EIO");
  outcomeOf(() => fs.statSync("/d"));
  expect(faults.unused()).toEqual([unused]);
  expect(faults.rules).toEqual([used, unused]);
  expect(() => faults.assertUsed()).toThrow("never done anything:\n  EIO for every call on /nowhere");
  unused.remove();
  faults.assertUsed();
});

it("refuses what is no call, no code and no count", () => {
  expect(toldError(() => faults.failNth({ call: "writ", errno: "EIO" }))).toMatchObject({
    code: "ERR_INVALID_ARG_VALUE",
  });
  expect(() => faults.failNth({ call: "writeFile", errno: "EIO" })).toThrow("made of open, write, fsync");
  expect(toldError(() => faults.failNth({ errno: "EWRONG" }))).toMatchObject({ code: "ERR_INVALID_ARG_VALUE" });
  expect(toldError(() => faults.failNth({ errno: "EIO", nth: 0 }))).toMatchObject({ code: "ERR_OUT_OF_RANGE" });
  expect(toldError(() => faults.failWhen("/d", "EIO", { times: 1.5 }))).toMatchObject({ code: "ERR_OUT_OF_RANGE" });
  expect(toldError(() => faults.delay(-1))).toMatchObject({ code: "ERR_OUT_OF_RANGE" });
  expect(toldError(() => faults.shortReads({ most: 0 }))).toMatchObject({ code: "ERR_OUT_OF_RANGE" });
  expect(toldError(() => injectFaults(fs))).toMatchObject({ code: "ERR_INVALID_STATE" });
  expect(faults.rules).toEqual([]);
});

it("leaves nothing behind", () => {
  const task = fs.kernel.taskOf(fs);
  faults.failWhen("/d/f", "EIO");
  expect(Object.hasOwn(task, "open")).toBe(true);
  faults.restore();
  faults.restore();
  expect(Object.keys(task).filter((name) => typeof (task as never)[name] === "function")).toEqual([]);
  expect(fs.readFileSync("/d/f", "utf8")).toBe("0123456789");
  faults = injectFaults(fs);
  faults[Symbol.dispose]();
  expect(fs.readFileSync("/d/f", "utf8")).toBe("0123456789");
});

it("is of one face, and of users' by the kernel's leave", () => {
  const other = fs.kernel.task();
  const user = fs.kernel.task({ uid: 1000, gid: 1000 });
  faults.failWhen("/d/f", "EIO");
  expect(other.readFileSync("/d/f", "utf8")).toBe("0123456789");
  expect(toldError(() => injectFaults(user))).toMatchObject({ code: "EPERM" });
  const ofUser = injectFaults(user, { kernel: fs.kernel });
  ofUser.failWhen("/d/f", "ENOMEM", { call: "open" });
  expect(outcomeOf(() => user.readFileSync("/d/f"))).toBe("ENOMEM");
  ofUser.restore();
  expect(user.readFileSync("/d/f", "utf8")).toBe("0123456789");
});

it("follows the host's working directory", () => {
  const following = createFsSync({ cwd: true, memoryLimit: 16 * 2 ** 20 });
  const cwd = following.task.cwd();
  following.mkdirSync(cwd, { recursive: true });
  const ofIt = injectFaults(following);
  ofIt.failWhen(`${cwd}/x`, "EACCES");
  expect(toldError(() => following.writeFileSync("x", ""))).toMatchObject({ code: "EACCES", path: "x" });
  following.kernel.destroy();
});
