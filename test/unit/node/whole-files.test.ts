import * as nodeFs from "node:fs";
import { describe, expect, it } from "vitest";
import { hostFace, thrownBy } from "./host-face.ts";

const TEXTS: [name: string, text: string][] = [
  ["nothing", ""],
  ["ASCII", "hello"],
  ["two, three and four bytes", "é€😀"],
  ["a lone surrogate", "\ud800x"],
  ["as much as the scratch buffer holds", "x".repeat(64 * 1024)],
  ["more than the scratch buffer", "aé€".repeat(50_000)],
  ["more than any scratch buffer", "xyé€".repeat(300_000)],
];

describe("readFile and writeFile", () => {
  for (const [name, text] of TEXTS) {
    it(`keep ${name}`, async () => {
      const { fs, at } = hostFace();
      const expected = Buffer.from(text);
      fs.writeFileSync(at("f"), text);
      expect(fs.readFileSync(at("f")).equals(expected)).toBe(true);
      expect(fs.readFileSync(at("f"), "utf8")).toBe(expected.toString());
      await fs.promises.writeFile(at("g"), text);
      expect((await fs.promises.readFile(at("g"))).equals(expected)).toBe(true);
      expect(await fs.promises.readFile(at("g"), "utf8")).toBe(expected.toString());
    });
  }

  for (const encoding of [
    "utf8",
    "utf16le",
    "ucs2",
    "latin1",
    "binary",
    "ascii",
    "hex",
    "base64",
    "base64url",
  ] as const) {
    it(`speak ${encoding}`, () => {
      const { fs, at } = hostFace();
      const text = Buffer.from("some data").toString(encoding);
      fs.writeFileSync(at("f"), text, encoding);
      expect(fs.readFileSync(at("f")).equals(Buffer.from(text, encoding))).toBe(true);
      expect(fs.readFileSync(at("f"), encoding)).toBe(text);
      expect(fs.readFileSync(at("f"), encoding.toUpperCase() as "utf8")).toBe(text);
    });
  }

  it("refuse files that no buffer holds", async () => {
    const { fs, at } = hostFace();
    fs.closeSync(fs.openSync(at("f"), "w"));
    fs.truncateSync(at("f"), 2 ** 31);
    const told = { code: "ERR_FS_FILE_TOO_LARGE", message: "File size (2147483648) is greater than 2 GiB" };
    expect(thrownBy(() => fs.readFileSync(at("f")))).toMatchObject(told);
    await expect(fs.promises.readFile(at("f"))).rejects.toMatchObject(told);
  });

  it("fill a buffer with a file that does not say its size, where all of it fits", async () => {
    const { fs } = hostFace();
    const text = nodeFs.readFileSync("/proc/version", "utf8");
    const { length } = text;
    const into = (buffer: Buffer): object => ({ buffer, encoding: "utf8" });
    expect(fs.readFileSync("/proc/version", into(Buffer.alloc(length)))).toBe(text);
    for (const options of [into(Buffer.alloc(length - 1)), { buffer: () => Buffer.alloc(length - 1) }]) {
      await expect(fs.promises.readFile("/proc/version", options)).rejects.toMatchObject({
        code: "ERR_INVALID_ARG_VALUE",
        message: expect.stringMatching(/is too small to contain the entire file/),
      });
    }
  });

  it("read files that do not say their size, to their end", async () => {
    const { fs } = hostFace();
    const text = fs.readFileSync("/proc/self/status", "utf8");
    expect(text).toContain("Name:");
    expect(fs.readFileSync("/proc/self/status").toString()).toContain("Name:");
    expect(await fs.promises.readFile("/proc/self/status", "latin1")).toContain("Name:");
  });

  it("read and write a descriptor from where it stands, and leave it open", () => {
    const { fs, at } = hostFace();
    fs.writeFileSync(at("f"), "head tail");
    const fd = fs.openSync(at("f"), "r+");
    fs.readSync(fd, Buffer.alloc(5));
    expect(fs.readFileSync(fd, "utf8")).toBe("tail");
    expect(fs.readFileSync(fd, "utf8")).toBe("");
    fs.writeFileSync(fd, "!");
    fs.appendFileSync(fd, "?");
    fs.closeSync(fd);
    expect(fs.readFileSync(at("f"), "utf8")).toBe("head tail!?");
  });

  it("fill a buffer of the caller", () => {
    const { fs, at } = hostFace();
    fs.writeFileSync(at("f"), "abc");
    const buffer = Buffer.alloc(8);
    const read = fs.readFileSync as unknown as (path: string, options: object) => Buffer;
    const filled = read(at("f"), { buffer });
    expect([filled.toString(), filled.buffer === buffer.buffer]).toEqual(["abc", true]);
    expect(read(at("f"), { buffer: (size: number) => new Uint8Array(size), encoding: "utf8" })).toBe("abc");
    const error = thrownBy(() => read(at("f"), { buffer: Buffer.alloc(2) }));
    expect(error.message).toBe(
      "The property 'options.buffer.byteLength' is smaller than the file size of 3 bytes. Received 2",
    );
  });

  it("append, create exclusively, set the mode", () => {
    const { fs, at } = hostFace();
    fs.appendFileSync(at("f"), "a", { mode: 0o600 });
    fs.appendFileSync(at("f"), Buffer.from("b"));
    expect(fs.readFileSync(at("f"), "utf8")).toBe("ab");
    expect(fs.statSync(at("f")).mode & 0o777).toBe(0o600);
    expect(thrownBy(() => fs.writeFileSync(at("f"), "x", { flag: "wx" })).code).toBe("EEXIST");
  });

  it("take iterables as promises", async () => {
    const { fs, at } = hostFace();
    await fs.promises.writeFile(at("f"), ["a", Buffer.from("b")] as never);
    await fs.promises.appendFile(
      at("f"),
      (async function* () {
        yield "c";
        yield "d";
      })() as never,
    );
    expect(fs.readFileSync(at("f"), "utf8")).toBe("abcd");
    await expect(fs.promises.writeFile(at("g"), [3] as never)).rejects.toMatchObject({ code: "ERR_INVALID_ARG_TYPE" });
  });
});

describe("abort signals", () => {
  it("stop before anything is done", async () => {
    const { fs, at } = hostFace();
    const signal = AbortSignal.abort(new Error("why"));
    await expect(fs.promises.writeFile(at("f"), "x", { signal })).rejects.toMatchObject({
      name: "AbortError",
      code: "ABORT_ERR",
      cause: { message: "why" },
    });
    expect(fs.existsSync(at("f"))).toBe(false);
  });

  it("win when they come before the result", async () => {
    const { fs, at } = hostFace();
    fs.writeFileSync(at("f"), "x");
    const controller = new AbortController();
    const text = fs.promises.readFile(at("f"), { signal: controller.signal });
    controller.abort();
    await expect(text).rejects.toMatchObject({ name: "AbortError" });
    const late = new AbortController();
    const error = new Promise((resolve) => fs.readFile(at("f"), { signal: late.signal }, (e) => resolve(e?.name)));
    late.abort();
    expect(await error).toBe("AbortError");
  });

  /** Every form that takes a signal, with the name of its error for `done`. */
  const CALLS: Record<string, (fs: typeof nodeFs, path: string, signal: AbortSignal) => Promise<unknown>> = {
    "readFile callback": (fs, path, signal) => new Promise((done) => fs.readFile(path, { signal }, done)),
    "writeFile callback": (fs, path, signal) => new Promise((done) => fs.writeFile(path, "new", { signal }, done)),
    "appendFile callback": (fs, path, signal) =>
      new Promise((done) => fs.appendFile(path, "new", { signal } as object, done)),
    "readFile promise": (fs, path, signal) => fs.promises.readFile(path, { signal }),
    "writeFile promise": (fs, path, signal) => fs.promises.writeFile(path, "new", { signal }),
    "readFile after an await": async (fs, path, signal) => {
      await undefined;
      return fs.promises.readFile(path, { signal });
    },
    "writeFile after an await": async (fs, path, signal) => {
      await undefined;
      return fs.promises.writeFile(path, "new", { signal });
    },
  };
  const MOMENTS: Record<string, (task: () => void) => void> = {
    "the next tick": (task) => process.nextTick(task),
    "a microtask": (task) => queueMicrotask(task),
    "a tick of a tick": (task) => process.nextTick(() => process.nextTick(task)),
  };
  for (const [callName, call] of Object.entries(CALLS)) {
    for (const [moment, soon] of Object.entries(MOMENTS)) {
      it(`stop a ${callName} in ${moment}, as on node:fs`, async () => {
        const { fs, at } = hostFace();
        for (const face of [fs as unknown as typeof nodeFs, nodeFs]) {
          face.writeFileSync(at("f"), "old");
          const controller = new AbortController();
          const outcome = call(face, at("f"), controller.signal).then(
            (error) => (error as Error | null)?.name,
            (error) => error.name,
          );
          soon(() => controller.abort());
          expect(await outcome).toBe("AbortError");
        }
      });
    }
  }
});

describe("mkdir -p", () => {
  it("answers the first directory made", async () => {
    const { fs, at } = hostFace();
    expect(fs.mkdirSync(at("a/b/c"), { recursive: true })).toBe(at("a"));
    expect(fs.mkdirSync(at("a/b/c"), { recursive: true })).toBeUndefined();
    expect(await fs.promises.mkdir(at("a/x/y"), { recursive: true })).toBe(at("a/x"));
    expect(fs.mkdirSync(Buffer.from(at("q/r")), { recursive: true })).toBe(at("q"));
  });

  it("stops at files", () => {
    const { fs, at } = hostFace();
    fs.writeFileSync(at("f"), "");
    expect(thrownBy(() => fs.mkdirSync(at("f"), { recursive: true })).code).toBe("EEXIST");
    expect(thrownBy(() => fs.mkdirSync(at("f/x/y"), { recursive: true })).code).toBe("ENOTDIR");
  });
});

describe("copyFile", () => {
  it("copies bytes and mode, and refuses what it must", () => {
    const { fs, at } = hostFace();
    fs.writeFileSync(at("f"), "data", { mode: 0o640 });
    fs.copyFileSync(at("f"), at("g"));
    expect(fs.readFileSync(at("g"), "utf8")).toBe("data");
    expect(fs.statSync(at("g")).mode & 0o777).toBe(0o640);
    const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = fs.constants;
    expect(thrownBy(() => fs.copyFileSync(at("f"), at("g"), COPYFILE_EXCL)).code).toBe("EEXIST");
    expect(thrownBy(() => fs.copyFileSync(at("f"), at("h"), COPYFILE_FICLONE_FORCE)).code).toBe("ENOTSUP");
    expect(fs.existsSync(at("h"))).toBe(false);
    fs.copyFileSync(at("f"), at("f"));
    expect(fs.readFileSync(at("f"), "utf8")).toBe("data");
  });
});

describe("rm", () => {
  it("removes trees, with names that are not UTF-8, and leaves what links point to", async () => {
    const { fs, at } = hostFace();
    fs.mkdirSync(at("t/a/b"), { recursive: true });
    fs.writeFileSync(Buffer.concat([Buffer.from(at("t/a/")), Buffer.from([0xff])]), "x");
    fs.mkdirSync(at("kept"));
    fs.writeFileSync(at("kept/f"), "");
    fs.symlinkSync(at("kept"), at("t/link"));
    fs.rmSync(at("t"), { recursive: true });
    expect(fs.existsSync(at("t"))).toBe(false);
    expect(fs.existsSync(at("kept/f"))).toBe(true);
    fs.mkdirSync(Buffer.concat([Buffer.from(at("kept/")), Buffer.from([0xfe])]));
    fs.writeFileSync(Buffer.concat([Buffer.from(at("kept/")), Buffer.from([0xfe, 0x2f, 0xff])]), "x");
    await fs.promises.rm(at("kept"), { recursive: true });
    await fs.promises.rm(at("kept"), { force: true });
    await expect(fs.promises.rm(at("kept"))).rejects.toMatchObject({ code: "ENOENT", syscall: "lstat" });
  });
});
