/**
 * foliofs/memfs beside memfs itself: the examples of its documentation, and the same calls on both.
 */
import * as memfsItself from "memfs";
import { describe, expect, it } from "vitest";
import * as door from "../../../src/memfs.ts";

const { createFsFromVolume, fs, memfs, vol, Volume } = door;

/** The two libraries, as what they have in common. */
const both = { "foliofs/memfs": door, memfs: memfsItself as unknown as typeof door };

describe("the examples of memfs's README and docs", () => {
  it("quick start", () => {
    fs.writeFileSync("/hello.txt", "Hello, World!");
    expect(fs.readFileSync("/hello.txt", "utf-8")).toBe("Hello, World!");
    fs.mkdirSync("/mydir");
    expect(fs.readdirSync("/")).toEqual(["hello.txt", "mydir"]);
    expect(vol.toJSON()).toEqual({ "/hello.txt": "Hello, World!", "/mydir": null });
    vol.reset();
    expect(vol.toJSON()).toEqual({});
  });

  it("isolated instances, seeded, with a working directory", () => {
    const seeded = memfs({ "/app": { "index.js": "console.log(1)", "package.json": '{"name": "app"}' } });
    expect(seeded.fs.readdirSync("/app")).toEqual(["index.js", "package.json"]);
    expect(memfs().vol.toJSON()).toEqual({});

    const repo = memfs({ "./README.md": "# Hi" }, "/repo");
    expect(repo.fs.readFileSync("/repo/README.md", "utf8")).toBe("# Hi");
    expect(repo.fs.readFileSync("README.md", "utf8")).toBe("# Hi");
  });

  it("fs and vol", () => {
    vol.writeFileSync("/foo", "bar");
    expect((vol as unknown as { F_OK: unknown }).F_OK).toBeUndefined();
    const { readFileSync, writeFileSync } = fs;
    expect(fs.constants.O_RDONLY).toBe(0);
    writeFileSync("/foo2", readFileSync("/foo"));
    expect(door.readFileSync("/foo2", "utf8")).toBe("bar");
    expect([door.F_OK, typeof door.ReadStream]).toEqual([0, "function"]);
    vol.reset();
  });

  it("Volume and createFsFromVolume", () => {
    const volume = new Volume();
    createFsFromVolume(volume).writeFileSync("/foo", "bar");
    expect(volume.readFileSync("/foo", "utf8")).toBe("bar");
    expect(volume).toBeInstanceOf(Volume);
  });

  it("promises", async () => {
    const one = memfs();
    await one.fs.promises.writeFile("/note.txt", "hi");
    expect(await one.vol.promises.readFile("/note.txt", "utf8")).toBe("hi");
    const handle = await one.fs.promises.open("/note.txt", "r");
    expect((await handle.read(Buffer.alloc(2), 0, 2, 0)).bytesRead).toBe(2);
    await handle.close();
  });

  it("directories", async () => {
    const one = memfs({ "/d": { a: "", b: "" } });
    const dir = await one.fs.promises.opendir("/d");
    const entries = [];
    for await (const entry of dir) entries.push([entry.name, entry.parentPath, entry.isFile()]);
    expect(entries.sort()).toEqual([
      ["a", "/d", true],
      ["b", "/d", true],
    ]);
  });

  it("relative paths, from a directory made in the volume", () => {
    const volume = new Volume();
    volume.mkdirSync(process.cwd(), { recursive: true });
    volume.writeFileSync("./file", "here");
    expect(volume.readFileSync(`${process.cwd()}/file`, "utf8")).toBe("here");
  });

  it("building from JSON, flat and nested, and merging", () => {
    const files = { "./README.md": "1", "./src/index.js": "2", "./node_modules/debug/index.js": "3" };
    const flat = Volume.fromJSON(files, "/app");
    expect(flat.readFileSync("/app/README.md", "utf8")).toBe("1");
    expect(flat.readFileSync("/app/src/index.js", "utf8")).toBe("2");

    const nested = Volume.fromNestedJSON({ "/app": { "index.js": "...", src: { util: { "log.ts": "x" } } } });
    expect(nested.readFileSync("/app/src/util/log.ts", "utf8")).toBe("x");

    const merged = new Volume();
    merged.fromJSON({ "/a.txt": "A" });
    merged.fromJSON({ "/b.txt": "B" });
    expect(merged.toJSON()).toEqual({ "/a.txt": "A", "/b.txt": "B" });
  });

  it("toJSON of a part, reset, toTree", () => {
    const volume = Volume.fromJSON({ "/dir/a": "b", "/dir2/a": "b", "/dir2/c": "d" });
    expect(volume.toJSON("/dir2")).toEqual({ "/dir2/a": "b", "/dir2/c": "d" });
    volume.reset();
    expect(volume.toJSON()).toEqual({});

    const printed = memfs({ "/src": { "index.ts": "...", util: { "print.ts": "..." } } });
    expect(printed.vol.toTree()).toBe(
      ["/", "└─ src/", "   ├─ util/", "   │  └─ print.ts", "   └─ index.ts"].join("\n"),
    );
  });
});

describe("foliofs/memfs and memfs", () => {
  const SEED = {
    "./README.md": "1",
    "./src/index.js": "2",
    "./node_modules": { lodash: { "index.js": "x" } },
    empty: {},
    "/abs/file": "3",
    nothing: null,
    bytes: Buffer.from([1, 2, 255]),
  };

  /** The same on both libraries: what it gives is the same, but for the order of names. */
  function same(what: string, use: (library: typeof door) => unknown): void {
    it(what, async () => {
      expect(await use(both["foliofs/memfs"])).toEqual(await use(both.memfs));
    });
  }

  const seeded = ({ memfs: make }: typeof door) => make(SEED as never, "/app").vol;

  same("export the same, but for what foliofs has more", (library) =>
    ["vol", "fs", "Volume", "createFsFromVolume", "memfs", "default"].map((name) => name in library),
  );
  same("toJSON()", (library) => seeded(library).toJSON());
  same("toJSON() of paths, relative", (library) => seeded(library).toJSON(["/app/src", "/abs"], undefined, true));
  same("toJSON() of a file, and of nothing", (library) => [
    seeded(library).toJSON("/app/README.md"),
    seeded(library).toJSON("/none"),
  ]);
  same("toJSON() into an object, as bytes", (library) => seeded(library).toJSON("/app/bytes", { a: "b" }, false, true));
  same("toTree()", (library) => seeded(library).toTree());
  same("toTree() with options", (library) => [
    seeded(library).toTree({ dir: "/app", tab: "..", depth: 1 }),
    seeded(library).toTree({ dir: "/app/empty" }),
    library.memfs({}).vol.toTree(),
  ]);
  same("links in toTree() and toJSON()", (library) => {
    const volume = seeded(library);
    volume.symlinkSync("/app/src", "/link");
    volume.symlinkSync("/abs/file", "/link2");
    return [volume.toTree(), volume.toJSON(), volume.toJSON("/link")];
  });
  same("mountSync() and reset()", (library) => {
    const volume = seeded(library);
    volume.mountSync("/m", { "a/b": "q" });
    const mounted = volume.toJSON("/m");
    volume.reset();
    return [mounted, volume.toJSON(), volume.existsSync("/")];
  });
  same("working directories", (library) => [
    library.memfs({ a: "1" }, { cwd: "/q" }).vol.toJSON(),
    library.memfs({ a: "1" }, "/w").fs.readFileSync("a", "utf8"),
    library.memfs({ a: "1" }, { process: { cwd: () => "/p" } as never }).vol.toJSON(),
    library.Volume.fromJSON({ "./a": "1" }).toJSON(),
    new library.Volume().toJSON(),
    library.memfs({}, "/app").vol.toJSON(),
  ]);
  describe("relative paths are told from the process's directory as text, whether it is there or not", () => {
    const outcome = (call: () => unknown): unknown => {
      try {
        return call();
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    const CALLS: Readonly<Record<string, (volume: InstanceType<typeof Volume>) => unknown>> = {
      "fromJSON(), read": (volume) => {
        volume.fromJSON({ "./a": "1", "../b": "2", "c/d": "3" });
        return ["a", "./a", "../b", "./../b", "c/../a", "c/d", "./c/./d", "b"].map((path) =>
          outcome(() => volume.readFileSync(path, "utf8")),
        );
      },
      "what is not there": (volume) => {
        const calls = [
          () => volume.readFileSync("a"),
          () => volume.writeFileSync("a", "1"),
          () => volume.mkdirSync("a"),
          () => volume.readdirSync("."),
          () => volume.readdirSync("../.."),
          () => volume.existsSync("../../.."),
          () => volume.rmdirSync("none"),
        ];
        return [calls.map(outcome), volume.toJSON()];
      },
      "made with all above": (volume) => {
        volume.mkdirSync("x/y", { recursive: true });
        volume.writeFileSync("x/y/z", "1");
        volume.writeFileSync(Buffer.from("./x/q"), "2");
        volume.renameSync("x/q", "x/r");
        volume.symlinkSync("y/z", "x/link");
        return [volume.readFileSync("x/link", "utf8"), volume.toJSON("x"), volume.toJSON(["./x/y"], {}, true)];
      },
      "of a volume with files for another directory": (volume) => {
        volume.fromJSON({ "./a": "1", "/abs": "2" }, "/app");
        return [
          outcome(() => volume.readFileSync("a", "utf8")),
          volume.readFileSync("/app/a", "utf8"),
          volume.toJSON(),
        ];
      },
      "removed, and made again": (volume) => {
        volume.fromJSON({ "./a": "1" });
        volume.reset();
        const gone = outcome(() => volume.readFileSync("a"));
        volume.fromJSON({ "./a": "2" });
        return [gone, volume.readFileSync("a", "utf8"), volume.realpathSync("a")];
      },
    };
    for (const [name, use] of Object.entries(CALLS)) {
      same(name, (library) => use(new library.Volume()));
      same(`${name}, by fs`, (library) => {
        const volume = new library.Volume();
        const { promises: _, ...calls } = library.createFsFromVolume(volume);
        return use(Object.assign(Object.create(volume), calls));
      });
      same(`${name}, Volume.fromJSON()`, (library) => use(library.Volume.fromJSON({}, "/other")));
      same(`${name}, where the process moves`, (library) => {
        let cwd = "/one/two";
        const { vol: volume } = library.memfs({}, { process: { cwd: () => cwd } as never });
        const before = use(volume);
        cwd = "/three";
        return [before, outcome(() => volume.readFileSync("a", "utf8")), outcome(() => use(volume))];
      });
    }
    same("by promise and callback", async (library) => {
      const { fs: own, vol: volume } = library.memfs({ a: "1" }, "/w");
      const callback = new Promise((resolve, reject) =>
        own.readFile("a", "utf8", (error: unknown, text: unknown) => (error ? reject(error) : resolve(text))),
      );
      await own.promises.mkdir("x/y", { recursive: true });
      await new Promise((resolve) => volume.mkdir("../z/y", { recursive: true }, resolve));
      return Promise.all([volume.toJSON(), own.promises.readFile("a", "utf8"), callback, volume.promises.readdir(".")]);
    });
  });
  same("a volume that is emptied and filled again keeps its directory", (library) => {
    const { vol: volume } = library.memfs({ a: "1" }, "/w");
    volume.reset();
    volume.fromJSON({ b: "2" });
    return [volume.toJSON(), volume.readFileSync("b", "utf8")];
  });
  same("realpath.native, of a volume and of its object", (library) => {
    const volume = library.Volume.fromJSON({ "/app/file": "text" });
    volume.symlinkSync("/app", "/link");
    const { realpathSync } = library.createFsFromVolume(volume);
    return [volume.realpathSync("/link/file"), String(realpathSync("/link/file"))];
  });
  it("realpath.native works where it is bound to a volume", () => {
    const volume = Volume.fromJSON({ "/app/file": "text" });
    volume.symlinkSync("/app", "/link");
    expect(volume.realpathSync.native.call(volume, "/link/file")).toBe("/app/file");
    expect(createFsFromVolume(volume).realpathSync.native("/link/file")).toBe("/app/file");
  });
  it("relative directories begin at the root where that is the working directory", () => {
    const { vol: own } = memfs({}, "/");
    own.mkdirSync("a/b", { recursive: true });
    expect(own.toJSON()).toEqual({ "/a/b": null });
  });
  same("an object of a volume calls what the volume overrides", (library) => {
    class Shouting extends library.Volume {}
    const volume = new Shouting();
    const original = volume.readFileSync as (...args: unknown[]) => unknown;
    volume.readFileSync = function (this: typeof volume, ...args: unknown[]) {
      return String(original.apply(this, args)).toUpperCase();
    } as never;
    const { writeFileSync, readFileSync, __vol } = library.createFsFromVolume(volume);
    writeFileSync("/a", "quiet");
    return [readFileSync("/a", "utf8"), __vol === volume];
  });
  same("codes of errors", (library) =>
    [
      () => library.memfs().fs.readFileSync("/none"),
      () => seeded(library).toTree({ dir: "/none" }),
      () => seeded(library).mkdirSync("/app/src"),
      () => seeded(library).readFileSync("/app"),
    ].map((call) => {
      try {
        return call();
      } catch (error) {
        return (error as { code?: string }).code;
      }
    }),
  );
});
