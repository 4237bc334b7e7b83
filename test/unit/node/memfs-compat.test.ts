import vm from "node:vm";
import { memfs } from "memfs";
import { describe, expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";
import { hostFace } from "./host-face.ts";

describe("fromJSON and toJSON", () => {
  it("fill a folder and print it", () => {
    const { fs, at } = hostFace();
    fs.fromJSON({ "./a/b.txt": "text", "c.bin": Buffer.from([1]) as never, "empty/dir": null }, at("root"));
    const expected = {
      [at("root/a/b.txt")]: "text",
      [at("root/c.bin")]: "\x01",
      [at("root/empty/dir")]: null,
    };
    expect(fs.toJSON(at("root"))).toEqual(expected);
    expect(fs.toJSON([at("root/a"), at("none")])).toEqual({ [at("root/a/b.txt")]: "text" });
    expect(fs.toJSON(at("root"), { kept: "x" }, true)).toEqual({
      kept: "x",
      "a/b.txt": "text",
      "c.bin": "\x01",
      "empty/dir": null,
    });
    expect(fs.toJSON(at("root/a"), {}, true, true)["b.txt"]).toEqual(Buffer.from("text"));
  });

  it("show an empty root and empty folders as memfs does", () => {
    const shown = (vol: JsonVolume): unknown[] => {
      vol.fromJSON(null as never);
      const seen = [vol.toJSON(), vol.toJSON("/"), vol.toJSON("/", {}, true)];
      vol.fromJSON({ "/a/b": null });
      seen.push(vol.toJSON(), vol.toJSON("/a/b"), vol.toJSON("/a/b", {}, true), vol.toJSON("/a", {}, true));
      vol.reset();
      return [...seen, vol.toJSON()];
    };
    const theirs = shown(memfs().vol as unknown as JsonVolume);
    expect(theirs).toHaveLength(8);
    expect(shown(createFsSync())).toEqual(theirs);
  });
});

const SMALL = { memoryLimit: 16 * 2 ** 20 };

describe("fromJSON", () => {
  it("takes bytes of any kind and any realm", () => {
    const fs = createFsSync(SMALL);
    const [bytes, buffer, view] = vm.runInNewContext(
      "const b = Uint8Array.of(1, 2, 3); [b, b.buffer, new DataView(b.buffer, 1)]",
    );
    const big = new BigUint64Array([1n]);
    fs.fromJSON({
      "/bytes": bytes,
      "/buffer": buffer,
      "/view": view,
      "/big": big,
      "/shared": new SharedArrayBuffer(2),
    });
    expect(fs.toJSON("/", {}, true, true)).toEqual({
      big: Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]),
      buffer: Buffer.from([1, 2, 3]),
      bytes: Buffer.from([1, 2, 3]),
      shared: Buffer.from([0, 0]),
      view: Buffer.from([2, 3]),
    });
  });

  it("makes directories of objects", () => {
    const fs = createFsSync(SMALL);
    const foreign = vm.runInNewContext('({ "d.txt": "4" })');
    fs.fromJSON({ src: { "a.js": "1", lib: { "b.js": "2" }, empty: {}, none: null, "../c": "3", foreign } }, "/app");
    expect(fs.toJSON("/app", {}, true)).toEqual({
      c: "3",
      "src/a.js": "1",
      "src/empty": null,
      "src/foreign/d.txt": "4",
      "src/lib/b.js": "2",
      "src/none": null,
    });
  });

  it.each<[string, unknown, string]>([
    ["a number", 1, "type number (1)"],
    ["undefined", undefined, "undefined"],
    ["a function", () => {}, "function"],
    ["an array", ["a"], "an instance of Array"],
    ["a Date", new Date(0), "an instance of Date"],
    ["a Map", new Map(), "an instance of Map"],
    ["a symbol", Symbol("s"), "type symbol (Symbol(s))"],
  ])("refuses %s by name, and makes nothing", (_kind, value, received) => {
    const fs = createFsSync(SMALL);
    expect(() => fs.fromJSON({ "/first": "1", "/dir": { inner: value as never } })).toThrow(
      expect.objectContaining({
        code: "ERR_INVALID_ARG_TYPE",
        message: expect.stringMatching(/^The "json\["\/dir"\]\["inner"\]" .*/),
      }),
    );
    expect(() => fs.fromJSON({ "/f": value as never })).toThrow(received);
    expect(fs.readdirSync("/")).toEqual([]);
  });

  it("refuses names with a NUL, objects within themselves, and what is no object", () => {
    const fs = createFsSync(SMALL);
    const ring: Record<string, never> = {};
    ring.ring = ring as never;
    expect(() => fs.fromJSON({ "/a": "", "b\0": "" })).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }),
    );
    expect(() => fs.fromJSON({ "/a": "", ring })).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }));
    for (const json of ["{}", 5, [], new Map()]) {
      expect(() => fs.fromJSON(json as never)).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" }));
    }
    expect(fs.readdirSync("/")).toEqual([]);
  });

  it("asks for the working directory where it is needed only", () => {
    const fs = createFsSync(SMALL);
    fs.mkdirSync("/gone");
    const task = fs.kernel.task({ cwd: "/gone" });
    fs.rmdirSync("/gone");
    task.fromJSON({ "/a/b": "absolute" });
    task.fromJSON({ c: "relative" }, "/a");
    for (const call of [
      () => task.fromJSON({ c: "" }),
      () => task.fromJSON({ c: "" }, "a"),
      () => task.toJSON("a"),
      () => task.toJSON(["/a", "."]),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: "ENOENT", syscall: "uv_cwd" }));
    }
    expect(task.toJSON()).toEqual({ "/a/b": "absolute", "/a/c": "relative" });
    expect(task.toJSON("/a", {}, true)).toEqual({ b: "absolute", c: "relative" });
  });
});

describe("toJSON", () => {
  it("names what it cannot show", () => {
    const fs = createFsSync(SMALL);
    fs.mkdirSync("/d");
    fs.writeFileSync("/d/\ufffd", "a name of its own");
    expect(fs.toJSON()).toEqual({ "/d/\ufffd": "a name of its own" });
    fs.writeFileSync(Buffer.from([...Buffer.from("/d/x"), 0xff]), "");
    expect(() => fs.toJSON()).toThrow(
      expect.objectContaining({ code: "EILSEQ", message: "EILSEQ: illegal byte sequence, toJSON '/d/x\ufffd'" }),
    );
    fs.mkdirSync(Buffer.from([0x2f, 0xfe]));
    expect(() => fs.toJSON(Buffer.from([0x2f, 0xfe]))).toThrow(expect.objectContaining({ code: "EILSEQ" }));
  });

  it("goes as deep as paths do, and says where they end", () => {
    const fs = createFsSync(SMALL);
    const name = "n".repeat(250);
    fs.mkdirSync("/top");
    fs.task.chdir("/top");
    for (let i = 0; i < 15; i++) {
      fs.mkdirSync(name);
      fs.task.chdir(name);
    }
    fs.writeFileSync("f", "deep");
    expect(Object.values(fs.toJSON())).toEqual(["deep"]);
    for (let i = 0; i < 3; i++) {
      fs.mkdirSync(name);
      fs.task.chdir(name);
    }
    fs.writeFileSync("f", "deeper");
    expect(() => fs.toJSON()).toThrow(
      expect.objectContaining({ code: "ENAMETOOLONG", path: expect.stringMatching(name) }),
    );
  });

  it("says what it may not read", () => {
    const fs = createFsSync(SMALL);
    fs.fromJSON({ "/open/a": "1", "/closed/b": "2" });
    fs.chmodSync("/closed", 0o711);
    const user = fs.kernel.task({ uid: 5, gid: 5 });
    expect(user.toJSON("/open")).toEqual({ "/open/a": "1" });
    expect(() => user.toJSON()).toThrow(expect.objectContaining({ code: "EACCES", path: "/closed" }));
    expect(() => user.toJSON("/closed/b")).not.toThrow();
    fs.chmodSync("/closed", 0o700);
    expect(() => user.toJSON("/closed/b")).toThrow(expect.objectContaining({ code: "EACCES" }));
    fs.chmodSync("/closed", 0o755);
    fs.chmodSync("/closed/b", 0o600);
    expect(() => user.toJSON()).toThrow(expect.objectContaining({ code: "EACCES" }));
  });
});

interface JsonVolume {
  fromJSON(json: Record<string, null>): void;
  toJSON(paths?: string, json?: object, isRelative?: boolean): object;
  reset(): void;
}
