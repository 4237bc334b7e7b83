/** Faults of faces that are not foliofs's: node:fs itself, its promises, and memfs. */
import { once } from "node:events";
import nodeFs from "node:fs";
import nodePromises from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createFsFromVolume, Volume } from "memfs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Faults, injectFaults } from "../../../src/testing.ts";
import { codeOfPromise } from "../../helpers/code-of.ts";
import { outcomeOf } from "../../helpers/subject.ts";
import { toldError } from "../../helpers/told-error.ts";

type Fs = typeof nodeFs;

const FACES: Record<string, () => { original: Fs; dir: string }> = {
  "node:fs": () => ({ original: nodeFs, dir: nodeFs.mkdtempSync(join(tmpdir(), "foliofs-faults-")) }),
  memfs() {
    const volume = Volume.fromJSON({}, "/");
    volume.mkdirSync("/dir");
    return { original: createFsFromVolume(volume) as unknown as Fs, dir: "/dir" };
  },
};

describe.each(Object.entries(FACES))("%s", (name, make) => {
  let original: Fs;
  let fs: Fs;
  let dir: string;
  let faults: Faults<Fs>;

  beforeEach(() => {
    ({ original, dir } = make());
    faults = injectFaults(original);
    ({ fs } = faults);
    original.writeFileSync(`${dir}/f`, "0123456789");
  });
  afterEach(() => {
    faults.restore();
    if (original === nodeFs) nodeFs.rmSync(dir, { recursive: true, force: true });
    vi.useRealTimers();
  });

  it("leaves the face itself alone", () => {
    faults.failWhen(`${dir}/f`, "EIO");
    expect(original.readFileSync(`${dir}/f`, "utf8")).toBe("0123456789");
    expect(outcomeOf(() => fs.readFileSync(`${dir}/f`))).toBe("EIO");
    faults.restore();
    expect(fs.readFileSync(`${dir}/f`, "utf8")).toBe("0123456789");
  });

  it("does all as the face does while there is no rule", async () => {
    fs.mkdirSync(`${dir}/a/b`, { recursive: true });
    fs.writeFileSync(`${dir}/a/b/f`, "text");
    expect(fs.readdirSync(`${dir}/a`)).toEqual(["b"]);
    expect(await fs.promises.readFile(`${dir}/a/b/f`, "utf8")).toBe("text");
    expect(await promisify(fs.readFile)(`${dir}/a/b/f`, "utf8")).toBe("text");
    const handle = await fs.promises.open(`${dir}/a/b/f`, "r+");
    expect((await handle.read(Buffer.alloc(4), 0, 4, 0)).bytesRead).toBe(4);
    await handle.close();
    expect(fs.existsSync(`${dir}/a`)).toBe(true);
    expect(await new Promise((resolve) => fs.exists(`${dir}/x`, resolve))).toBe(false);
    expect(fs.statSync(`${dir}/a`).isDirectory()).toBe(true);
    expect(outcomeOf(() => fs.statSync(`${dir}/missing`))).toBe("ENOENT");
    expect(faults.calls.at(-1)).toEqual({ call: "stat", path: `${dir}/missing`, outcome: "ENOENT", isInjected: false });
    expect(outcomeOf(() => fs.readFileSync({} as never))).toBe("ERR_INVALID_ARG_TYPE");
    fs.rmSync(`${dir}/a`, { recursive: true });
  });

  it("fails in all forms, with the errors that Node has", async () => {
    faults.failWhen(`${dir}/f`, "EACCES", { call: "open" });
    const error = {
      message: `EACCES: permission denied, open '${dir}/f'`,
      code: "EACCES",
      errno: -13,
      syscall: "open",
      path: `${dir}/f`,
    };
    expect(toldError(() => fs.openSync(`${dir}/f`, "r"))).toEqual({ ...error, dest: undefined });
    await expect(fs.promises.readFile(`${dir}/f`)).rejects.toMatchObject(error);
    expect(await new Promise((resolve) => fs.readFile(`${dir}/f`, resolve))).toMatchObject(error);
    await expect(fs.promises.open(`${dir}/f`)).rejects.toMatchObject(error);
    faults.failNth({ call: "rename", errno: "EXDEV" });
    expect(toldError(() => fs.renameSync(`${dir}/f`, `${dir}/g`))).toMatchObject({
      message: `EXDEV: cross-device link not permitted, rename '${dir}/f' -> '${dir}/g'`,
      dest: `${dir}/g`,
    });
    expect(original.readdirSync(dir)).toEqual(["f"]);
  });

  it("fails a write within writeFile, after what came before it", async () => {
    faults.failNth({ call: "write", errno: "ENOSPC", nth: 2 });
    fs.writeFileSync(`${dir}/1`, "one");
    expect(toldError(() => fs.writeFileSync(`${dir}/f`, "two"))).toMatchObject({ code: "ENOSPC", syscall: "write" });
    expect(original.readFileSync(`${dir}/f`, "utf8")).toBe("");
    const shown = faults.calls.map(({ call, outcome }) => `${call} ${outcome}`);
    expect(shown).toEqual(["open ok", "write ok", "close ok", "open ok", "write ENOSPC", "close ok"]);
    faults.failNth({ call: "open", errno: "EMFILE" });
    expect(await codeOfPromise(fs.promises.appendFile(`${dir}/new`, "x"))).toBe("EMFILE");
    expect(original.existsSync(`${dir}/new`)).toBe(false);
    faults.assertUsed();
  });

  it("has the disk full as it is: cut, then refused", async () => {
    faults.diskFull({ after: 12 });
    fs.writeFileSync(`${dir}/1`, "0123456789");
    expect(await codeOfPromise(fs.promises.writeFile(`${dir}/2`, "0123456789"))).toBe("ENOSPC");
    expect(original.readFileSync(`${dir}/2`, "utf8")).toBe("01");
    const fd = fs.openSync(`${dir}/3`, "w");
    expect(outcomeOf(() => fs.writeSync(fd, "x"))).toBe("ENOSPC");
    fs.closeSync(fd);
  });

  it("cuts reads and writes of all shapes", async () => {
    faults.shortWrites({ most: 4 });
    faults.shortReads({ most: 3 });
    const fd = fs.openSync(`${dir}/w`, "w+");
    const bytes = Buffer.from("abcdefgh");
    expect(fs.writeSync(fd, bytes)).toBe(4);
    expect(fs.writeSync(fd, "ABCDEFGH", 4)).toBe(4);
    expect(fs.writeSync(fd, bytes, 2, 6, 8)).toBe(4);
    expect(original.readFileSync(`${dir}/w`, "utf8")).toBe("abcdABCDcdef");
    const buffer = Buffer.alloc(8);
    expect(fs.readSync(fd, buffer, 0, 8, 0)).toBe(3);
    expect(fs.readSync(fd, buffer, { position: 4 })).toBe(3);
    expect(buffer.toString("utf8", 0, 3)).toBe("ABC");
    const [bytesRead] = await new Promise<[number]>((resolve) =>
      fs.read(fd, buffer, 0, 8, 0, (_error, n) => resolve([n])),
    );
    expect(bytesRead).toBe(3);
    fs.closeSync(fd);
    fs.writeFileSync(`${dir}/w`, "0123456789");
    expect(original.readFileSync(`${dir}/w`, "utf8")).toBe("0123456789");
  });

  it("reaches FileHandles, by the path that they were opened by", async () => {
    faults.failWhen(`${dir}/f`, "EIO", { call: "fsync" });
    faults.failWhen(`${dir}/f`, "ENOSPC", { call: "write" });
    const handle = await fs.promises.open(`${dir}/f`, "r+");
    expect(await codeOfPromise(handle.sync())).toBe("EIO");
    expect(await codeOfPromise(handle.write("x"))).toBe("ENOSPC");
    expect(await codeOfPromise(handle.writeFile("x"))).toBe("ENOSPC");
    expect(await handle.readFile("utf8")).toBe("0123456789");
    await handle.close();
    expect(faults.calls.at(-1)).toMatchObject({ call: "close", path: `${dir}/f`, outcome: "ok" });
  });

  it("reaches streams", async () => {
    faults.failNth({ call: "read", errno: "EIO", nth: 2 });
    const reading = fs.createReadStream(`${dir}/f`, { highWaterMark: 4 });
    const read: Buffer[] = [];
    reading.on("data", (data) => read.push(data as Buffer));
    expect((await once(reading, "error"))[0]).toMatchObject({ code: "EIO", syscall: "read" });
    expect(Buffer.concat(read).toString()).toBe("0123");
    faults.failNth({ call: "write", errno: "ENOSPC" });
    const writing = fs.createWriteStream(`${dir}/s`);
    writing.end("text");
    expect((await once(writing, "error"))[0]).toMatchObject({ code: "ENOSPC" });
  });

  it("reaches copyFile and leaves no half of a copy", () => {
    faults.failNth({ call: "copy_file_range", errno: "ENOSPC" });
    expect(toldError(() => fs.copyFileSync(`${dir}/f`, `${dir}/g`))).toMatchObject({
      syscall: "copyfile",
      path: `${dir}/f`,
      dest: `${dir}/g`,
    });
    expect(original.existsSync(`${dir}/g`)).toBe(false);
    fs.copyFileSync(`${dir}/f`, `${dir}/g`);
    expect(original.readFileSync(`${dir}/g`, "utf8")).toBe("0123456789");
  });

  it("reaches directories that are read entry by entry", async () => {
    faults.failNth({ call: "scandir", errno: "EIO", nth: 2, times: Infinity });
    const seen: string[] = [];
    const opened = await fs.promises.opendir(dir);
    const reading = (async () => {
      for await (const entry of opened) seen.push(entry.name);
    })();
    expect(await codeOfPromise(reading)).toBe("EIO");
    expect(seen).toEqual(["f"]);
    faults.failNth({ call: "opendir", errno: "EMFILE" });
    expect(toldError(() => fs.opendirSync(dir))).toMatchObject({ code: "EMFILE", syscall: "opendir", path: dir });
  });

  it("reaches what takes a path or a descriptor, and makes names", () => {
    const fd = fs.openSync(`${dir}/f`, "r+");
    faults.failNth({ call: "ftruncate", errno: "EIO" });
    expect(outcomeOf(() => fs.ftruncateSync(fd, 1))).toBe("EIO");
    fs.closeSync(fd);
    faults.failNth({ call: "ftruncate", errno: "EFBIG" });
    expect(outcomeOf(() => fs.truncateSync(`${dir}/f`, 1))).toBe("EFBIG");
    expect(original.readFileSync(`${dir}/f`, "utf8")).toBe("0123456789");
    faults.failNth({ call: "mkdir", errno: "ENOSPC" });
    expect(toldError(() => fs.mkdtempSync(`${dir}/t-`))).toMatchObject({
      message: `ENOSPC: no space left on device, mkdtemp '${dir}/t-XXXXXX'`,
      syscall: "mkdtemp",
    });
    faults.failNth({ call: "symlink", errno: "EROFS" });
    expect(toldError(() => fs.symlinkSync("f", `${dir}/s`))).toMatchObject({ path: "f", dest: `${dir}/s` });
    expect(original.readdirSync(dir)).toEqual(["f"]);
    expect(original.readdirSync(fs.mkdtempSync(`${dir}/t-`))).toEqual([]);
    faults.assertUsed();
  });

  it("notes what the face itself refuses a promise, and promisify gives the answer of exists", async () => {
    expect(await codeOfPromise(fs.promises.stat(`${dir}/missing`))).toBe("ENOENT");
    expect(faults.calls.at(-1)).toEqual({ call: "stat", path: `${dir}/missing`, outcome: "ENOENT", isInjected: false });
    expect(await promisify(fs.exists)(`${dir}/f`)).toBe(true);
    faults.failNth({ call: "access", errno: "EACCES" });
    expect(await promisify(fs.exists)(`${dir}/f`)).toBe(false);
  });

  it("answers as Node does where an error is no exception", async () => {
    faults.failWhen(`${dir}/f`, "ENOENT");
    expect(fs.existsSync(`${dir}/f`)).toBe(false);
    expect(await new Promise((resolve) => fs.exists(`${dir}/f`, resolve))).toBe(false);
    expect(fs.statSync(`${dir}/f`, { throwIfNoEntry: false })).toBeUndefined();
    expect(outcomeOf(() => fs.statSync(`${dir}/f`))).toBe("ENOENT");
  });

  it("closes a descriptor though close fails", async () => {
    faults.failNth({ call: "close", errno: "EIO", times: 2 });
    const fd = fs.openSync(`${dir}/f`, "r");
    expect(outcomeOf(() => fs.closeSync(fd))).toBe("EIO");
    expect(outcomeOf(() => original.fstatSync(fd))).toBe("EBADF");
    const handle = await fs.promises.open(`${dir}/f`, "r");
    expect(await codeOfPromise(handle.close())).toBe("EIO");
    expect(handle.fd).toBe(name === "memfs" ? handle.fd : -1);
  });

  it("waits by fake timers", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    faults.delay(1000, { call: "stat" });
    let isDone = false;
    const waiting = fs.promises.stat(dir).then(() => {
      isDone = true;
    });
    const byCallback = new Promise<unknown>((resolve) => fs.stat(dir, resolve));
    await vi.advanceTimersByTimeAsync(999);
    expect(isDone).toBe(false);
    expect(fs.statSync(dir).isDirectory()).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    await waiting;
    expect(await byCallback).toBeNull();
  });
});

it("takes node:fs/promises", async () => {
  const dir = nodeFs.mkdtempSync(join(tmpdir(), "foliofs-faults-"));
  const faults = injectFaults(nodePromises);
  faults.failNth({ call: "write", errno: "ENOSPC" });
  expect(await codeOfPromise(faults.fs.writeFile(`${dir}/f`, "x"))).toBe("ENOSPC");
  expect(nodeFs.readFileSync(`${dir}/f`, "utf8")).toBe("");
  await faults.fs.writeFile(`${dir}/f`, "x");
  expect(nodeFs.readFileSync(`${dir}/f`, "utf8")).toBe("x");
  nodeFs.rmSync(dir, { recursive: true });
});

it("cuts a read whose buffer is among its options, and a write of a string of several bytes a character", async () => {
  const dir = nodeFs.mkdtempSync(join(tmpdir(), "foliofs-faults-"));
  const faults = injectFaults(nodePromises);
  faults.shortReads({ most: 3 });
  faults.shortWrites({ most: 4 });
  const handle = await faults.fs.open(`${dir}/f`, "w+");
  expect((await handle.write("☃☃", 0)).bytesWritten).toBe(4);
  const buffer = Buffer.alloc(8);
  expect((await handle.read({ buffer, position: 0 })).bytesRead).toBe(3);
  expect(buffer.toString("utf8", 0, 3)).toBe("☃");
  await handle.close();
  nodeFs.rmSync(dir, { recursive: true });
});

it("takes a memfs volume", () => {
  const volume = Volume.fromJSON({ "/f": "text" });
  const faults = injectFaults(volume);
  faults.failWhen("/f", "EIO", { call: "read" });
  expect(outcomeOf(() => faults.fs.readFileSync("/f"))).toBe("EIO");
  faults.fs.writeFileSync("/g", "x");
  expect(faults.fs.toJSON()).toEqual({ "/f": "text", "/g": "x" });
});
