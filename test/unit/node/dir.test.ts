import nodeFs, { type Dir as NodeDir } from "node:fs";
import { describe, expect, it } from "vitest";
import { EAGAIN } from "../../../src/base/errno.ts";
import { Dir } from "../../../src/node/index.ts";
import { hostFace, thrownBy } from "./host-face.ts";

function filled() {
  const face = hostFace();
  const { fs, at } = face;
  fs.mkdirSync(at("d/sub"), { recursive: true });
  for (const name of ["a", "b", "sub/c"]) fs.writeFileSync(at(`d/${name}`), "");
  return face;
}

describe("Dir", () => {
  it("reads entry by entry, then null", () => {
    const { fs, at } = filled();
    const dir = fs.opendirSync(at("d"), { bufferSize: 2 });
    const names: string[] = [];
    for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) names.push(entry.name);
    expect(names.sort()).toEqual(["a", "b", "sub"]);
    expect(dir.readSync()).toBeNull();
    expect(dir.path).toBe(at("d"));
    dir.closeSync();
    expect(thrownBy(() => dir.readSync()).code).toBe("ERR_DIR_CLOSED");
    expect(thrownBy(() => dir.closeSync()).code).toBe("ERR_DIR_CLOSED");
  });

  it("is iterated, with what is below it, and closes itself", async () => {
    const { fs, at } = filled();
    const paths: string[] = [];
    const dir = await fs.promises.opendir(at("d"), { recursive: true });
    for await (const entry of dir) paths.push(`${entry.parentPath}/${entry.name}`);
    expect(paths.sort()).toEqual(["a", "b", "sub", "sub/c"].map((name) => at(`d/${name}`)));
    await expect(dir.read()).rejects.toMatchObject({ code: "ERR_DIR_CLOSED" });
    await expect(dir.close()).rejects.toMatchObject({ code: "ERR_DIR_CLOSED" });
  });

  it("closes when the loop is left", async () => {
    const { fs, at } = filled();
    const dir = await fs.promises.opendir(at("d"));
    for await (const _entry of dir) break;
    expect(thrownBy(() => dir.closeSync()).code).toBe("ERR_DIR_CLOSED");
  });

  it("refuses synchronous work while an asynchronous read is on its way", async () => {
    const { fs, at } = filled();
    const dir = fs.opendirSync(at("d"));
    const first = dir.read();
    expect(thrownBy(() => dir.readSync()).code).toBe("ERR_DIR_CONCURRENT_OPERATION");
    expect(thrownBy(() => dir.closeSync()).code).toBe("ERR_DIR_CONCURRENT_OPERATION");
    expect((await first)?.name).toBeTypeOf("string");
    await dir.close();
  });

  it("serves reads and a close asked for at once in order", async () => {
    const { fs, at } = filled();
    const dir = fs.opendirSync(at("d"));
    const results = await Promise.all([dir.read(), dir.read(), dir.read(), dir.read()]);
    expect(results.map((entry) => entry === null)).toEqual([false, false, false, true]);
    await dir.close();
  });

  it.each([
    ["node:fs", 0],
    ["foliofs", 0],
    ["foliofs", 8],
  ])(
    "closes after who comes too late has been told: %s, a loop that has not turned for %d ms",
    async (which, busyMs) => {
      const { fs, at } = filled();
      const open = (): NodeDir =>
        which === "foliofs" ? (fs.opendirSync(at("d")) as unknown as NodeDir) : nodeFs.opendirSync("/dev/shm");
      const order: string[] = [];
      const fail = (name: string, error: NodeJS.ErrnoException): unknown => order.push(`${name} ${error.code}`);
      const note = (name: string, call: () => Promise<unknown>): unknown => {
        try {
          return call().then(
            () => order.push(name),
            (error) => fail(name, error),
          );
        } catch (error) {
          return fail(name, error as Error); // Node 20's read() throws
        }
      };

      void fs.promises.stat(at("d"));
      const start = performance.now();
      while (performance.now() - start < busyMs);
      const early = open();
      const ends = [note("close", () => early.close())];
      for (let i = 0; i < 4; i++) {
        await new Promise<void>((resolve) => early.close(() => resolve()));
        ends.push(
          note("read", () => early.read()),
          note("again", () => early.close()),
        );
      }
      const busy = open();
      ends.push(
        note("1st read", () => busy.read()),
        note("1st close", () => busy.close()),
        note("2nd close", () => busy.close()),
      );
      await Promise.all(ends);

      const late = ["read ERR_DIR_CLOSED", "again ERR_DIR_CLOSED"];
      const ofEarly = order.filter((line) => !line.includes("1st") && !line.includes("2nd"));
      expect(ofEarly).toEqual([...late, ...late, ...late, ...late, "close"]);
      expect(order.filter((line) => line.includes("1st") || line.includes("2nd"))).toEqual([
        "1st read",
        "2nd close ERR_DIR_CLOSED",
        "1st close",
      ]);
    },
  );

  it.each(["node:fs", "foliofs"])(
    "does what has waited for a read before what is asked for later: %s",
    async (which) => {
      const { fs, at } = filled();
      const dir =
        which === "foliofs" ? (fs.opendirSync(at("d")) as unknown as NodeDir) : nodeFs.opendirSync("/dev/shm");
      const ended = (end: Promise<unknown>): Promise<unknown> =>
        end.then(
          () => "closed",
          ({ code }) => code,
        );
      void fs.promises.stat(at("d"));
      void dir.read();
      const waiting = ended(dir.close());
      const start = performance.now();
      while (performance.now() - start < 8); // so long that outcomes go through the event loop
      const later = new Promise((resolve) => setImmediate(() => resolve(ended(dir.close()))));
      expect([await waiting, await later]).toEqual(["closed", "ERR_DIR_CLOSED"]);
    },
  );

  it("tells a callback that the store has given up, and serves who has waited for it", async () => {
    const { fs, sys, at } = filled();
    const dir = fs.opendirSync(at("d")) as unknown as NodeDir;
    const { getdents } = sys;
    sys.getdents = () => -EAGAIN;
    sys.waitToken = () => Promise.reject(new Error("the store is gone"));
    const failed = new Promise((resolve) => dir.read((error: unknown) => resolve(error)));
    const next = dir.read();
    sys.getdents = getdents;
    expect(await failed).toMatchObject({ message: "the store is gone" });
    expect((await next)?.name).toBeTypeOf("string");
    dir.closeSync();
  });

  it("takes callbacks", async () => {
    const { fs, at } = filled();
    const dir = await new Promise<NodeDir>((resolve, reject) => {
      fs.opendir(at("d"), (error, opened) => (error ? reject(error) : resolve(opened)));
    });
    expect(
      await new Promise((resolve) => dir.read((_error: unknown, entry: unknown) => resolve(entry))),
    ).not.toBeNull();
    expect(await new Promise((resolve) => dir.close(resolve))).toBeNull();
    expect(await new Promise((resolve) => dir.close(resolve))).toMatchObject({
      code: "ERR_DIR_CLOSED",
    });
    expect(thrownBy(() => dir.read(() => {})).code).toBe("ERR_DIR_CLOSED");
  });

  it("is disposed of, twice if need be", async () => {
    const { fs, at } = filled();
    const dir = fs.opendirSync(at("d"));
    dir[Symbol.dispose]();
    dir[Symbol.dispose]();
    await dir[Symbol.asyncDispose]();
  });

  it("checks its arguments and leaves nothing open", () => {
    const { fs, at } = filled();
    const fd = fs.openSync(at("d/a"), "r");
    fs.closeSync(fd);
    const error = thrownBy(() => fs.opendirSync(at("d"), { bufferSize: 0 }));
    expect(error.message).toContain('"options.bufferSize" is out of range. It must be >= 1 && <= 4294967295');
    const next = fs.openSync(at("d/a"), "r");
    fs.closeSync(next);
    expect(next).toBe(fd);
    expect(thrownBy(() => new Dir(undefined, "")).message).toBe('The "handle" argument must be specified');
  });

  it("reports failures as Node does", async () => {
    const { fs, at } = filled();
    expect(Object.keys(thrownBy(() => fs.opendirSync(at("none"))))).toEqual(["errno", "code", "syscall"]);
    await expect(fs.promises.opendir(at("none"))).rejects.toMatchObject({ syscall: "opendir", path: at("none") });
  });
});

describe("readdir", () => {
  it("gives names, bytes and entries", async () => {
    const { fs, at } = filled();
    expect(fs.readdirSync(at("d"))).toEqual(["a", "b", "sub"]);
    expect(fs.readdirSync(at("d"), "buffer").map(String)).toEqual(["a", "b", "sub"]);
    expect(fs.readdirSync(at("d"), "hex")).toEqual(["61", "62", "737562"]);
    const entries = await fs.promises.readdir(at("d"), { withFileTypes: true });
    expect(entries.map((entry) => [entry.name, entry.isDirectory(), entry.parentPath])).toEqual([
      ["a", false, at("d")],
      ["b", false, at("d")],
      ["sub", true, at("d")],
    ]);
  });

  it("keeps the caller's copy apart from later ones", () => {
    const { fs, at } = filled();
    fs.readdirSync(at("d")).push("mine");
    expect(fs.readdirSync(at("d"))).toEqual(["a", "b", "sub"]);
  });

  it("goes down, through links to directories too", () => {
    const { fs, at } = filled();
    fs.symlinkSync(at("d/sub"), at("d/to-sub"));
    expect(fs.readdirSync(at("d"), { recursive: true })).toEqual(["a", "b", "sub", "to-sub", "sub/c", "to-sub/c"]);
    const entries = fs.readdirSync(at("d"), { recursive: true, withFileTypes: true });
    expect(entries.filter((entry) => entry.name === "c").map((entry) => entry.parentPath)).toEqual([
      at("d/sub"),
      at("d/to-sub"),
    ]);
  });

  it("goes down through names that are not UTF-8", () => {
    const { fs, at } = hostFace();
    const name = Buffer.concat([Buffer.from(`${at("")}/`), Buffer.from([0xff])]);
    fs.mkdirSync(name);
    fs.writeFileSync(Buffer.concat([name, Buffer.from("/x")]), "");
    const listed = fs.readdirSync(at(""), { recursive: true, encoding: "buffer" } as never) as unknown as Buffer[];
    expect(listed.map((entry) => entry.toString("latin1"))).toEqual(["\xff", "\xff/x"]);
  });
});
