/** lazyfs as programs see it: names, contents and attributes that are asked for when they are wanted, and no more than once. */
import { describe, expect, it } from "vitest";
import { createFsSync, MS_RDONLY, MS_REMOUNT, restoreFsSync } from "../../../../src/index.ts";
import { type LazyTree, mountLazy } from "../../../../src/lazy.ts";
import { deferred, type Plain, plainTree, turns, withTree } from "../../../helpers/lazy-tree.ts";
import { outcomeOf } from "../../../helpers/subject.ts";

const BIG = Buffer.alloc(300_000, "0123456789");

function shelf(): Plain {
  return { a: { b: { c: "deep" }, empty: {} }, big: BIG, note: "text", none: "" };
}

describe("a tree that answers at once", () => {
  it("is walked, listed and read, each question once", () => {
    const log: string[] = [];
    const { fs } = withTree(plainTree(shelf(), {}, log));

    for (let i = 0; i < 3; i++) {
      expect(fs.readdirSync("/m")).toEqual(["a", "big", "none", "note"]);
      expect(fs.readFileSync("/m/a/b/c", "utf8")).toBe("deep");
      expect(fs.readFileSync("/m/big").equals(BIG)).toBe(true);
      expect(fs.readFileSync("/m/none", "utf8")).toBe("");
      expect(fs.readdirSync("/m/a/empty")).toEqual([]);
    }

    expect(log.filter((line) => line.startsWith("list"))).toEqual(["list /", "list /a", "list /a/b", "list /a/empty"]);
    expect(log.filter((line) => line.startsWith("load"))).toEqual(["load /a/b/c 0+4", "load /big 0+300000"]);
    fs.kernel.umount("/m");
    expect(fs.readdirSync("/m")).toEqual([]);
  });

  it("has the attributes that entries say, else usual ones", () => {
    const { fs } = withTree({
      list: (path) =>
        path === "/"
          ? [
              { name: "f", type: "file", size: 5000, mode: 0o750, uid: 7, gid: 8, mtime: new Date(1234.5) },
              { name: "d", type: "directory", mtime: -1500 },
              { name: "l", type: "symlink", target: "d/../f" },
              { name: "u", type: "file" },
            ]
          : [],
      load: (_path, { length }) => new Uint8Array(length),
    });

    const f = fs.statSync("/m/f");
    expect([f.mode, f.uid, f.gid, f.size, f.blocks, f.nlink, f.mtimeMs]).toEqual([0o100750, 7, 8, 5000, 10, 1, 1234]);
    const d = fs.statSync("/m/d");
    expect([d.mode, d.uid, d.size, d.nlink, d.mtimeMs]).toEqual([0o040555, 0, 0, 1, -1500]);
    const l = fs.lstatSync("/m/l");
    expect([l.mode, l.size]).toEqual([0o120777, 6]);
    expect(fs.readlinkSync("/m/l")).toBe("d/../f");
    expect(fs.statSync("/m/l").ino).toBe(f.ino);
    expect(fs.statSync("/m/u").mode).toBe(0o100444);
    expect(fs.readdirSync("/m", { withFileTypes: true }).map((entry) => [entry.name, entry.isDirectory()])).toEqual([
      ["d", true],
      ["f", false],
      ["l", false],
      ["u", false],
    ]);
  });

  it("keeps inode numbers when names and inodes are dropped", () => {
    const { fs } = withTree(plainTree(shelf()));
    const inos = () => ["/m", "/m/a", "/m/a/b/c", "/m/big"].map((path) => fs.statSync(path).ino);
    const before = inos();
    fs.kernel.dropCaches(3);
    expect(inos()).toEqual(before);
    expect(new Set(before).size).toBe(4);
  });

  it("asks permission by the bits shown", () => {
    const { fs } = withTree({
      list: (path) =>
        path === "/"
          ? [
              { name: "mine", type: "file", size: 1, mode: 0o400, uid: 7 },
              { name: "closed", type: "directory", mode: 0o700 },
            ]
          : [],
      load: () => Uint8Array.of(65),
    });
    const [owner, other] = [fs.kernel.task({ uid: 7 }), fs.kernel.task({ uid: 8 })];
    expect(owner.readFileSync("/m/mine", "utf8")).toBe("A");
    expect(outcomeOf(() => other.readFileSync("/m/mine"))).toBe("EACCES");
    expect(outcomeOf(() => other.readdirSync("/m/closed"))).toBe("EACCES");
    expect(outcomeOf(() => other.statSync("/m/closed/x"))).toBe("EACCES");
    expect(outcomeOf(() => fs.statSync("/m/closed/x"))).toBe("ENOENT");
  });

  it("loads links that say no target", () => {
    const log: string[] = [];
    const { fs } = withTree({
      list: () => [
        { name: "l", type: "symlink" },
        { name: "f", type: "file", size: 1 },
      ],
      load: (path, { position, length }) => {
        log.push(`${path} ${position}+${length}`);
        return Buffer.from("f");
      },
    });
    expect(fs.lstatSync("/m/l").size).toBe(0);
    expect(fs.readFileSync("/m/l", "utf8")).toBe("f");
    expect(fs.readlinkSync("/m/l")).toBe("f");
    expect(fs.lstatSync("/m/l").size).toBe(1);
    expect(log).toEqual(["/l 0+4096", "/f 0+1"]);
  });

  it("hands entries back with each question", () => {
    const rows = [
      { name: "d", type: "directory" as const, id: 1 },
      { name: "f", type: "file" as const, size: 2, id: 2 },
    ];
    const asked: unknown[] = [];
    const { fs } = withTree<(typeof rows)[number] & { size?: number }>({
      list: (path, entry) => {
        asked.push([path, entry?.id]);
        return path === "/" ? rows : [];
      },
      load: (path, _range, entry) => {
        asked.push([path, entry.id]);
        return Buffer.from("ab");
      },
    });
    fs.readdirSync("/m/d");
    fs.readFileSync("/m/f");
    expect(asked).toEqual([
      ["/", undefined],
      ["/d", 1],
      ["/f", 2],
    ]);
  });

  it("is read-only, whatever is tried", () => {
    const { fs } = withTree(plainTree(shelf()));
    const tries: (() => unknown)[] = [
      () => fs.writeFileSync("/m/new", ""),
      () => fs.writeFileSync("/m/note", ""),
      () => fs.appendFileSync("/m/note", "x"),
      () => fs.truncateSync("/m/note"),
      () => fs.mkdirSync("/m/dir"),
      () => fs.mknodSync("/m/p", 0o010644),
      () => fs.symlinkSync("x", "/m/x"),
      () => fs.linkSync("/m/note", "/m/x"),
      () => fs.unlinkSync("/m/note"),
      () => fs.rmdirSync("/m/a"),
      () => fs.renameSync("/m/note", "/m/x"),
      () => fs.chmodSync("/m/note", 0o777),
      () => fs.chownSync("/m/note", 1, 1),
      () => fs.utimesSync("/m/note", 1, 1),
      () => fs.openSync("/m/note", "r+"),
      () => fs.accessSync("/m/note", fs.constants.W_OK),
    ];
    expect(tries.map((call) => outcomeOf(call))).toEqual(tries.map(() => "EROFS"));
    const handle = fs.openSync("/m/note", "r");
    expect(outcomeOf(() => fs.fchmodSync(handle, 0))).toBe("EROFS");
    expect(outcomeOf(() => fs.futimesSync(handle, 1, 1))).toBe("EROFS");
    fs.fsyncSync(handle);
    fs.closeSync(handle);
    const shown = () => fs.kernel.mounts().find(({ target }) => target === "/m")?.options;
    expect(shown()).toMatch(/^ro,/);
    fs.kernel.mount({ target: "/m", flags: MS_REMOUNT });
    expect(shown()).toMatch(/^ro,/);
    expect(outcomeOf(() => fs.unlinkSync("/m/note"))).toBe("EROFS");
    fs.kernel.mount({ target: "/m", flags: MS_REMOUNT | MS_RDONLY });
    expect(outcomeOf(() => fs.kernel.mount({ target: "/m", flags: MS_REMOUNT, data: "size=1" }))).toBe("EINVAL");
  });

  it("tells statfs what it is", () => {
    const { fs } = withTree(plainTree(shelf()));
    const { type, bsize, blocks, bfree } = fs.statfsSync("/m");
    expect([type, bsize, blocks, bfree]).toEqual([0x6c617a79, 4096, 0, 0]);
    expect(fs.kernel.fileSystems()).toContainEqual({ name: "lazyfs", nodev: true });
  });

  it("has names of any text, and nothing by names that are none", () => {
    const names = ["ä", "日本語", " ", "a\nb", "😀", "__proto__", "\ufffd", "x".repeat(255)];
    const { fs } = withTree({
      list: (path) => (path === "/" ? names.map((name) => ({ name, type: "file", size: 1 })) : []),
      load: () => Uint8Array.of(1),
    });
    expect(fs.readdirSync("/m")).toEqual([...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    for (const name of names) expect(fs.statSync(`/m/${name}`).size).toBe(1);
    expect(outcomeOf(() => fs.statSync(Buffer.from([47, 109, 47, 0xff])))).toBe("ENOENT");
    expect(outcomeOf(() => fs.statSync("/m/constructor"))).toBe("ENOENT");
  });

  it("is mounted more than once, each tree for itself", () => {
    const { fs } = withTree(plainTree({ f: "one" }));
    fs.mkdirSync("/n");
    mountLazy(fs.kernel, plainTree({ f: "two" }), { target: "/n", source: "other" });
    expect([fs.readFileSync("/m/f", "utf8"), fs.readFileSync("/n/f", "utf8")]).toEqual(["one", "two"]);
    expect(fs.kernel.mounts().map(({ source }) => source)).toContain("other");
    fs.kernel.umount("/m");
    expect(fs.readFileSync("/n/f", "utf8")).toBe("two");
  });

  it("may use the same file system to answer", () => {
    const fs = createFsSync({ memoryLimit: 32 * 2 ** 20 });
    const tree: LazyTree = {
      list: () =>
        fs.readdirSync("/base").map((name) => ({ name, type: "file", size: fs.statSync(`/base/${name}`).size })),
      load: (path, { position, length }) => fs.readFileSync(`/base${path}`).subarray(position, position + length),
    };
    fs.mkdirSync("/m");
    mountLazy(fs.kernel, tree, { target: "/m" });
    fs.mkdirSync("/base");
    fs.writeFileSync("/base/f", BIG);
    fs.writeFileSync("/base/g", "small");
    expect(fs.readFileSync("/m/f").equals(BIG)).toBe(true);
    expect(fs.readdirSync("/m")).toEqual(["f", "g"]);
    expect(fs.readFileSync("/m/g", "utf8")).toBe("small");
  });

  it("stays within the memory that there is", () => {
    const size = 24 * 2 ** 20;
    const { fs } = withTree(
      {
        list: () => [{ name: "large", type: "file", size }],
        load: (_path, { position, length }) => new Uint8Array(length).fill(position / 4096),
      },
      {},
      { memoryLimit: 8 * 2 ** 20 },
    );
    const fd = fs.openSync("/m/large", "r");
    const buffer = Buffer.alloc(65536);
    let position = 0;
    for (let n = fs.readSync(fd, buffer); n > 0; n = fs.readSync(fd, buffer)) position += n;
    expect(position).toBe(size);
    fs.closeSync(fd);
    expect(fs.kernel.usage().memory).toBeLessThanOrEqual(8 * 2 ** 20);
  });
});

describe("snapshots and forks", () => {
  it("leave it out, and say so by its type", () => {
    const { fs } = withTree(plainTree(shelf()));
    fs.writeFileSync("/kept", "yes");
    fs.readFileSync("/m/big");
    const open = fs.openSync("/m/note", "r");
    const bytes = fs.kernel.snapshot();
    expect(Buffer.from(bytes).includes("lazyfs")).toBe(true);
    for (const copy of [fs.kernel.fork().fs, restoreFsSync(bytes)]) {
      expect(copy.readFileSync("/kept", "utf8")).toBe("yes");
      expect(copy.readdirSync("/m")).toEqual([]);
      expect(copy.kernel.mounts().length).toBe(1);
    }
    fs.closeSync(open);
  });

  it("end it when the kernel goes back", () => {
    const log: string[] = [];
    const fs = createFsSync();
    fs.mkdirSync("/m");
    const bytes = fs.kernel.snapshot();
    let signal: { aborted: boolean } | undefined;
    const mount = mountLazy(
      fs.kernel,
      {
        ...plainTree(shelf(), {}, log),
        list: (_path, _entry, call) => {
          signal = call.signal;
          return [];
        },
      },
      { target: "/m" },
    );
    fs.readdirSync("/m");
    expect(signal?.aborted).toBe(false);
    fs.kernel.restore(bytes);
    expect(signal?.aborted).toBe(true);
    expect(fs.readdirSync("/m")).toEqual([]);
    mount.invalidate();
  });
});

describe("a tree that answers by promise", () => {
  it("makes synchronous calls fail with EAGAIN, and has what they wanted the next time", async () => {
    const log: string[] = [];
    const { fs } = withTree(plainTree(shelf(), { later: true }, log));
    for (const call of [
      () => fs.readdirSync("/m"),
      () => fs.statSync("/m/a/b/c"),
      () => fs.statSync("/m/a/b/c"),
      () => fs.readFileSync("/m/note", "utf8"),
    ]) {
      expect(outcomeOf(call)).toBe("EAGAIN");
      await turns();
    }
    expect(fs.readdirSync("/m")).toEqual(["a", "big", "none", "note"]);
    expect(fs.readFileSync("/m/note", "utf8")).toBe("text");
    expect(fs.statSync("/m/a/b/c").size).toBe(4);
    expect(log).toEqual(["list /", "list /a", "list /a/b", "load /note 0+4"]);
  });

  it("is waited for by promises and callbacks", async () => {
    const { fs } = withTree(plainTree(shelf(), { later: true }));
    expect(await fs.promises.readFile("/m/a/b/c", "utf8")).toBe("deep");
    expect((await fs.promises.readFile("/m/big")).equals(BIG)).toBe(true);
    expect(await fs.promises.readdir("/m", { recursive: true })).toHaveLength(7);
    const text = await new Promise((resolve, reject) =>
      fs.readFile("/m/note", "utf8", (error, data) => (error ? reject(error) : resolve(data))),
    );
    expect(text).toBe("text");
    await fs.promises.copyFile("/m/big", "/copy");
    expect(fs.readFileSync("/copy").equals(BIG)).toBe(true);
    const pieces: Buffer[] = [];
    for await (const piece of fs.createReadStream("/m/big")) pieces.push(piece as Buffer);
    expect(Buffer.concat(pieces).equals(BIG)).toBe(true);
  });

  it("is asked once, however many want the same", async () => {
    const log: string[] = [];
    const { fs } = withTree(plainTree(shelf(), { later: true }, log));
    const all = await Promise.all(Array.from({ length: 50 }, () => fs.promises.readFile("/m/a/b/c", "utf8")));
    expect(new Set(all)).toEqual(new Set(["deep"]));
    expect(log).toEqual(["list /", "list /a", "list /a/b", "load /a/b/c 0+4"]);
  });

  it("is told whether the caller may wait", async () => {
    const seen: boolean[] = [];
    const { fs } = withTree({
      list: (_path, _entry, { mayWait }) => {
        seen.push(mayWait);
        return mayWait ? Promise.resolve([]) : [{ name: "f", type: "file", size: 1 }];
      },
      load: (_path, _range, _entry, { mayWait }) => {
        seen.push(mayWait);
        return mayWait ? Promise.resolve(Uint8Array.of(65)) : Uint8Array.of(66);
      },
    });
    expect(fs.readFileSync("/m/f", "utf8")).toBe("B");
    fs.kernel.dropCaches(1);
    expect(await fs.promises.readFile("/m/f", "utf8")).toBe("A");
    expect(seen).toEqual([false, false, true]);
  });

  it("may be a mixture: files at once, listings later, entries one by one", async () => {
    const { fs } = withTree({
      list: async function* () {
        yield { name: "a", type: "file", size: 1 };
        yield { name: "b", type: "file", size: 1 };
      },
      load: () => Uint8Array.of(67),
    });
    expect(await fs.promises.readdir("/m")).toEqual(["a", "b"]);
    expect(fs.readFileSync("/m/a", "utf8")).toBe("C");
  });

  it("gives up when the caller does, and the answer is there for the next", async () => {
    const { promise, resolve } = deferred<Uint8Array>();
    let nr = 0;
    const { fs } = withTree({
      list: () => [{ name: "f", type: "file", size: 1 }],
      load: () => {
        nr++;
        return promise;
      },
    });
    const controller = new AbortController();
    const read = fs.promises.readFile("/m/f", { signal: controller.signal });
    await turns();
    controller.abort();
    await expect(read).rejects.toMatchObject({ name: "AbortError" });
    resolve(Uint8Array.of(68));
    await turns();
    expect(fs.readFileSync("/m/f", "utf8")).toBe("D");
    expect(nr).toBe(1);
  });
});

describe("the end of a mount", () => {
  it("is not while a file is open, and aborts what nobody waits for", async () => {
    const { promise } = deferred<Uint8Array>();
    let signal: { aborted: boolean } | undefined;
    const { fs } = withTree({
      list: () => [{ name: "f", type: "file", size: 9000 }],
      load: (_path, _range, _entry, call) => {
        signal = call.signal;
        return promise;
      },
    });
    const fd = fs.openSync("/m/f", "r");
    expect(outcomeOf(() => fs.readSync(fd, Buffer.alloc(1)))).toBe("EAGAIN");
    expect(outcomeOf(() => fs.kernel.umount("/m"))).toBe("EBUSY");
    fs.closeSync(fd);
    expect(signal?.aborted).toBe(false);
    await fs.kernel.umountAsync("/m");
    expect(signal?.aborted).toBe(true);
  });

  it("by force lets those fail who wait, and later calls ask again", async () => {
    const { promise } = deferred<Uint8Array>();
    const answers: (Promise<Uint8Array> | Uint8Array)[] = [promise, Uint8Array.of(69)];
    const signals: { aborted: boolean }[] = [];
    const { fs } = withTree({
      list: () => [{ name: "f", type: "file", size: 1 }],
      load: (_path, _range, _entry, { signal }) => {
        signals.push(signal);
        return answers.shift() as Uint8Array;
      },
    });
    const handle = await fs.promises.open("/m/f");
    const read = handle.read(Buffer.alloc(1), 0, 1, 0);
    const refused = expect(read).rejects.toMatchObject({ code: "EIO" });
    await turns();
    expect(outcomeOf(() => fs.kernel.umount("/m", { force: true }))).toBe("EBUSY");
    await refused;
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect((await handle.read(Buffer.alloc(1), 0, 1, 0)).buffer.toString()).toBe("E");
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await handle.close();
    fs.kernel.umount("/m");
  });

  it("comes with that of the kernel: what a tree answers then goes nowhere", async () => {
    const { promise, resolve } = deferred<Uint8Array>();
    const { fs } = withTree({ list: () => [{ name: "f", type: "file", size: 1 }], load: () => promise });
    expect(outcomeOf(() => fs.readFileSync("/m/f"))).toBe("EAGAIN");
    fs.kernel.destroy();
    resolve(Uint8Array.of(1));
    await turns();
  });
});

describe("mountLazy", () => {
  const list = () => [];
  const load = () => new Uint8Array();

  it("checks what it is given", () => {
    const fs = createFsSync();
    fs.mkdirSync("/m");
    const code = (tree: unknown, options: unknown = { target: "/m" }) =>
      outcomeOf(() => mountLazy(fs.kernel, tree as LazyTree, options as { target: string }));
    expect(code(undefined)).toBe("ERR_INVALID_ARG_TYPE");
    expect(code({ load })).toBe("ERR_INVALID_ARG_TYPE");
    expect(code({ list: 1, load })).toBe("ERR_INVALID_ARG_TYPE");
    expect(code({ list })).toBe("ERR_INVALID_ARG_VALUE");
    expect(code({ list, load, loadFile: load })).toBe("ERR_INVALID_ARG_VALUE");
    expect(code({ list, load }, null)).toBe("ERR_INVALID_ARG_TYPE");
    expect(code({ list, load }, {})).toBe("ERR_INVALID_ARG_TYPE");
    expect(code({ list, load }, { target: "/m", maxEntries: -1 })).toBe("ERR_OUT_OF_RANGE");
    expect(code({ list, load }, { target: "/m", maxFileBytes: "1" })).toBe("ERR_INVALID_ARG_TYPE");
    expect(code({ list, load }, { target: "/m", statLoads: 1 })).toBe("ERR_INVALID_ARG_TYPE");
    expect(code({ list, load }, { target: "/m", onError: 1 })).toBe("ERR_INVALID_ARG_TYPE");
    expect(code({ list, load }, { target: "/m", other: 1 })).toBe("ERR_INVALID_ARG_VALUE");
    expect(code({ list, load }, { target: "/none" })).toBe("ENOENT");
    expect(fs.kernel.mounts().length).toBe(1);
    expect(code({ list, load })).toBe("ok");
  });

  it("is for root, and the type is mounted by nothing else", () => {
    const fs = createFsSync();
    fs.mkdirSync("/m");
    const user = fs.kernel.task({ uid: 1000 });
    expect(outcomeOf(() => mountLazy(user.kernel, { list, load }, { target: "/m" }))).toBe("EPERM");
    mountLazy(fs.kernel, { list, load }, { target: "/m" });
    expect(outcomeOf(() => fs.kernel.mount({ type: "lazyfs", target: "/m" }))).toBe("EINVAL");
  });
});

it("of answers that nobody has come for, those to the last questions are kept", async () => {
  const asked: string[] = [];
  const lookup = async (path: string) => {
    asked.push(path);
    return { name: path.slice(1), type: "file" as const, size: 0 };
  };
  const { fs } = withTree({ list: () => [], lookup, load: () => new Uint8Array() });
  for (let i = 0; i < 1100; i++) expect(outcomeOf(() => fs.statSync(`/m/n${i}`))).toBe("EAGAIN");
  expect(asked.length).toBe(1100);
  await turns();
  expect(fs.statSync("/m/n1099").isFile()).toBe(true);
  expect(fs.statSync("/m/n76").isFile()).toBe(true);
  expect(asked.length).toBe(1100);
  expect(outcomeOf(() => fs.statSync("/m/n75"))).toBe("EAGAIN");
  expect(asked.at(-1)).toBe("/n75");
  await turns();
  expect(fs.statSync("/m/n75").isFile()).toBe(true);
});
