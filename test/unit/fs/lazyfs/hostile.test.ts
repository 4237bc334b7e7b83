/** Trees that are wrong: what makes no sense is refused, by an errno, and harms nobody. */
import { describe, expect, it } from "vitest";
import type { LazyEntry, LazyTree } from "../../../../src/lazy.ts";
import { deferred, turns, withTree } from "../../../helpers/lazy-tree.ts";
import { outcomeOf } from "../../../helpers/subject.ts";

const FILE: LazyEntry = { name: "f", type: "file", size: 5 };

function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "ok",
    (error) => error.code ?? error,
  );
}

/** A root of these entries, whatever they are. */
function listing(...entries: unknown[]): LazyTree {
  return { list: () => entries as LazyEntry[], load: (_path, { length }) => new Uint8Array(length) };
}

describe("entries that cannot be", () => {
  const circle: Record<string, unknown> = { name: "f", type: "file" };
  circle.mtime = circle;
  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a string", "f"],
    ["a promise", Promise.resolve(FILE)],
    ["no name", { type: "file" }],
    ["an empty name", { name: "", type: "file" }],
    ["a dot", { name: ".", type: "directory" }],
    ["two dots", { name: "..", type: "directory" }],
    ["a slash", { name: "a/b", type: "file" }],
    ["a NUL", { name: "a\0", type: "file" }],
    ["half a character", { name: "\ud800", type: "file" }],
    ["a name of 256 bytes", { name: "ä".repeat(128), type: "file" }],
    ["a very long name", { name: "x".repeat(2 ** 20), type: "file" }],
    ["a number as a name", { name: 1, type: "file" }],
    ["bytes as a name", { name: Buffer.from("f"), type: "file" }],
    ["no type", { name: "f" }],
    ["another type", { name: "f", type: "fifo" }],
    ["a type of Object's", { name: "f", type: "constructor" }],
    ["a negative size", { ...FILE, size: -1 }],
    ["half a byte", { ...FILE, size: 1.5 }],
    ["a size that is no number", { ...FILE, size: "5" }],
    ["NaN as a size", { ...FILE, size: Number.NaN }],
    ["no end", { ...FILE, size: Number.POSITIVE_INFINITY }],
    ["a size beyond all", { ...FILE, size: 2 ** 43 + 1 }],
    ["null as a size", { ...FILE, size: null }],
    ["a mode with a type", { ...FILE, mode: 0o100644 }],
    ["a mode that is text", { ...FILE, mode: "644" }],
    ["an owner beyond all", { ...FILE, uid: 2 ** 32 }],
    ["no owner", { ...FILE, gid: -1 }],
    ["a time that is none", { ...FILE, mtime: new Date(Number.NaN) }],
    ["a time that is text", { ...FILE, mtime: "2020" }],
    ["a time that is itself", circle],
    ["a time beyond all", { ...FILE, mtime: 1e300 }],
    ["a file that leads elsewhere", { ...FILE, target: "x" }],
    ["a link that leads nowhere", { name: "l", type: "symlink", target: "" }],
    ["a link to bytes", { name: "l", type: "symlink", target: Buffer.from("x") }],
    ["a link too long", { name: "l", type: "symlink", target: "x".repeat(4096) }],
    ["a link with a NUL", { name: "l", type: "symlink", target: "a\0b" }],
    [
      "a getter that throws",
      {
        get name() {
          throw new Error("no");
        },
      },
    ],
  ])("%s: EIO for all of the directory", async (_what, entry) => {
    const errors: string[] = [];
    const onError = (_error: unknown, path: string) => void errors.push(path);
    const { fs } = withTree(listing(FILE, entry), { onError });
    expect(outcomeOf(() => fs.readdirSync("/m"))).toBe("EIO");
    expect(outcomeOf(() => fs.statSync("/m/f"))).toBe("EIO");
    const dir = await fs.promises.opendir("/m");
    expect(await codeOf(dir.read())).toBe("EIO");
    await dir.close();
    expect(new Set(errors)).toEqual(new Set(["/"]));
    expect(fs.statSync("/m").isDirectory()).toBe(true);
  });

  it("a name that comes twice", () => {
    const { fs } = withTree(listing(FILE, { ...FILE, size: 6 }));
    expect(outcomeOf(() => fs.readdirSync("/m"))).toBe("EIO");
  });

  it("listings that are none", () => {
    for (const bad of [undefined, null, 1, "abc", {}, { [Symbol.iterator]: 1 }]) {
      const { fs } = withTree({ ...listing(), list: () => bad as unknown as LazyEntry[] });
      expect(outcomeOf(() => fs.readdirSync("/m"))).toBe("EIO");
    }
  });

  it("what changes while it is looked at counts as it was at first", () => {
    let nr = 0;
    const entry = {
      get name() {
        nr++;
        return nr === 1 ? "f" : "../..";
      },
      type: "file",
      size: 1,
    };
    const { fs } = withTree(listing(entry));
    expect(fs.readdirSync("/m")).toEqual(["f"]);
    expect(fs.readFileSync("/m/f")).toHaveLength(1);
    expect(nr).toBe(1);
  });

  it("an entry by its path that has another name", async () => {
    const tree = (name: string): LazyTree => ({ ...listing(), lookup: () => ({ name, type: "file", size: 1 }) });
    expect(outcomeOf(() => withTree(tree("g")).fs.statSync("/m/f"))).toBe("EIO");
    expect(outcomeOf(() => withTree(tree("f")).fs.statSync("/m/f"))).toBe("ok");
  });
});

describe("contents that cannot be", () => {
  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["text", "12345"],
    ["an array", [1, 2, 3, 4, 5]],
    ["a buffer without a view", new ArrayBuffer(5)],
    ["words", new Uint16Array(5)],
    ["a view", new DataView(new ArrayBuffer(5))],
    ["too many bytes", new Uint8Array(6)],
    ["too few", new Uint8Array(4)],
    ["none", new Uint8Array(0)],
    ["a length that lies", Object.defineProperty(new Uint8Array(9), "length", { value: 5 })],
    ["what only looks like bytes", Object.setPrototypeOf({ length: 5 }, Uint8Array.prototype)],
    ["a number", -2],
  ])("%s: EIO, at once and by promise", async (_what, bytes) => {
    for (const said of [bytes, Promise.resolve(bytes)]) {
      const errors: unknown[] = [];
      const { fs } = withTree(
        { list: () => [FILE], load: () => said as Uint8Array },
        { onError: (error) => void errors.push(error) },
      );
      expect(await codeOf(fs.promises.readFile("/m/f"))).toBe("EIO");
      expect(errors.length).toBeGreaterThan(0);
      expect(fs.statSync("/m/f").size).toBe(5);
    }
  });

  it("bytes whose memory has gone", async () => {
    const { fs } = withTree({
      list: () => [FILE],
      load: () => {
        const bytes = new Uint8Array(5);
        structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
        return bytes;
      },
    });
    expect(await codeOf(fs.promises.readFile("/m/f"))).toBe("EIO");
  });

  it("links to what is no path", () => {
    for (const target of ["", "a\0b", "x".repeat(4096)]) {
      const { fs } = withTree({ list: () => [{ name: "l", type: "symlink" }], load: () => Buffer.from(target) });
      expect(outcomeOf(() => fs.readlinkSync("/m/l"))).toBe("EIO");
      expect(outcomeOf(() => fs.statSync("/m/l"))).toBe("EIO");
    }
  });

  it("bytes that are changed later do not change here", () => {
    const bytes = Buffer.from("12345");
    const { fs } = withTree({ list: () => [FILE], load: () => bytes });
    expect(fs.readFileSync("/m/f", "utf8")).toBe("12345");
    bytes.fill("x");
    expect(fs.readFileSync("/m/f", "utf8")).toBe("12345");
  });

  it("an error is that of its pages alone, and for once", () => {
    let fails = true;
    const { fs } = withTree({
      list: () => [{ name: "f", type: "file", size: 8192 }],
      load: (_path, { position, length }) => {
        if (fails && position + length > 4096) throw Object.assign(new Error(), { code: "EACCES" });
        return new Uint8Array(length).fill(65);
      },
    });
    const fd = fs.openSync("/m/f", "r");
    const buffer = Buffer.alloc(8192);
    expect(fs.readSync(fd, buffer, 0, 8192, 0)).toBe(4096);
    expect(outcomeOf(() => fs.readSync(fd, buffer, 0, 1, 4096))).toBe("EACCES");
    fails = false;
    expect(fs.readSync(fd, buffer, 0, 8192, 0)).toBe(8192);
    fs.closeSync(fd);
  });
});

describe("what a tree throws", () => {
  it.each([
    [Object.assign(new Error(), { code: "ENOENT" }), "ENOENT"],
    [{ code: "EACCES" }, "EACCES"],
    [{ code: "ETIMEDOUT" }, "EIO"],
    [{ code: "EAGAIN" }, "EIO"],
    [{ code: "constructor" }, "EIO"],
    [{ code: 2 }, "EIO"],
    [new Error("no"), "EIO"],
    ["text", "EIO"],
    [undefined, "EIO"],
    [null, "EIO"],
  ])("%o is %s", async (error, code) => {
    const throwing = (): never => {
      throw error;
    };
    for (const call of [throwing, () => Promise.reject(error)]) {
      const list = withTree({ ...listing(), list: call as LazyTree["list"] }).fs;
      expect(await codeOf(list.promises.readdir("/m"))).toBe(code);
      expect(await codeOf(list.promises.stat("/m/x"))).toBe(code);
      const load = withTree({ list: () => [FILE], load: call as LazyTree["load"] }).fs;
      expect(await codeOf(load.promises.readFile("/m/f"))).toBe(code);
      const lookup = withTree({ ...listing(), lookup: call as LazyTree["lookup"] }).fs;
      expect(await codeOf(lookup.promises.stat("/m/x"))).toBe(code);
    }
    expect(outcomeOf(() => withTree({ ...listing(), list: throwing }).fs.readdirSync("/m"))).toBe(code);
  });

  it("in the middle of a listing, and what is thrown by who is told of it", async () => {
    const error = Object.assign(new Error(), { code: "EPERM" });
    let returned = 0;
    const onError = (): never => {
      throw new Error("not again");
    };
    const { fs } = withTree(
      {
        ...listing(),
        *list() {
          try {
            yield FILE;
            throw error;
          } finally {
            returned++;
          }
        },
      },
      { onError },
    );
    expect(outcomeOf(() => fs.readdirSync("/m"))).toBe("EPERM");
    expect(returned).toBe(1);
  });

  it("ends a listing that is found wrong", () => {
    let returned = 0;
    const { fs } = withTree({
      ...listing(),
      *list() {
        try {
          yield { name: "/", type: "file" };
          yield FILE;
        } finally {
          returned++;
        }
      },
    });
    expect(outcomeOf(() => fs.readdirSync("/m"))).toBe("EIO");
    expect(returned).toBe(1);
  });

  it("thenables that are odd", async () => {
    const odd = (then: unknown): LazyTree => ({ ...listing(), list: () => ({ then }) as unknown as LazyEntry[] });
    const throwing = (): never => {
      throw Object.assign(new Error(), { code: "EPERM" });
    };
    expect(await codeOf(withTree(odd(throwing)).fs.promises.readdir("/m"))).toBe("EPERM");
    const twice = (yes: (value: unknown) => void, no: (error: unknown) => void): void => {
      yes([FILE]);
      no(new Error());
      yes(1);
    };
    expect(await withTree(odd(twice)).fs.promises.readdir("/m")).toEqual(["f"]);
  });
});

describe("answers that come too late", () => {
  it("harm nobody who has the memory by then", async () => {
    const answers = [deferred<Uint8Array>(), deferred<Uint8Array>()];
    let nr = 0;
    const { fs, mount } = withTree({
      list: () => [{ name: "f", type: "file", size: 4096 }],
      load: () => (answers[nr++] as (typeof answers)[number]).promise,
    });
    const read = fs.promises.readFile("/m/f");
    await turns();
    mount.invalidate();
    answers[0]?.resolve(new Uint8Array(4096).fill(1));
    await turns();
    answers[1]?.resolve(new Uint8Array(4096).fill(2));
    expect((await read).every((byte) => byte === 2)).toBe(true);
    expect(nr).toBe(2);
  });

  it("nor after the mount", async () => {
    const { promise, resolve } = deferred<Uint8Array>();
    const { fs } = withTree({ list: () => [FILE], load: () => promise });
    expect(outcomeOf(() => fs.readFileSync("/m/f"))).toBe("EAGAIN");
    await fs.kernel.umountAsync("/m");
    const data = Buffer.alloc(2 ** 20, 7);
    fs.writeFileSync("/mine", data);
    resolve(new Uint8Array(5).fill(1));
    await turns();
    expect(fs.readFileSync("/mine").equals(data)).toBe(true);
  });
});
