/** What a tree says is believed until it is said that it has changed. */
import { describe, expect, it } from "vitest";
import { mountLazy } from "../../../../src/lazy.ts";
import { deferred, type Plain, plainTree, turns, withTree } from "../../../helpers/lazy-tree.ts";
import { outcomeOf } from "../../../helpers/subject.ts";

function scene(later = false) {
  const root: Plain = { a: { b: "one", c: "see" }, d: "dee" };
  const log: string[] = [];
  return { root, log, ...withTree(plainTree(root, { later }, log)) };
}

describe("a change of the tree", () => {
  it("is not seen until it is said", () => {
    const { root, fs, mount } = scene();
    const seen = () => [fs.readdirSync("/m"), fs.readdirSync("/m/a"), fs.readFileSync("/m/a/b", "utf8")];
    const before = seen();
    expect(fs.existsSync("/m/new")).toBe(false);
    root.a = { b: "other", e: "" };
    root.new = "new";
    delete root.d;
    expect(seen()).toEqual(before);
    expect(fs.existsSync("/m/new")).toBe(false);
    expect(fs.existsSync("/m/d")).toBe(true);
    mount.invalidate();
    expect(seen()).toEqual([["a", "new"], ["b", "e"], "other"]);
    expect(fs.readFileSync("/m/new", "utf8")).toBe("new");
    expect(fs.existsSync("/m/d")).toBe(false);
    expect(fs.existsSync("/m/a/c")).toBe(false);
  });

  it("is that of a path and what is below", () => {
    const { root, log, fs, mount } = scene();
    for (const path of ["/m/a/b", "/m/a/c", "/m/d"]) fs.readFileSync(path);
    root.a = { b: "two", c: "two" };
    root.d = "two";
    log.length = 0;
    mount.invalidate("/a/b");
    expect(["/m/a/b", "/m/a/c", "/m/d"].map((path) => fs.readFileSync(path, "utf8"))).toEqual(["two", "see", "dee"]);
    expect(log).toEqual(["list /a", "load /a/b 0+3"]);
    mount.invalidate("//a/");
    expect(["/m/a/b", "/m/a/c", "/m/d"].map((path) => fs.readFileSync(path, "utf8"))).toEqual(["two", "two", "dee"]);
    mount.invalidate("/d");
    expect(fs.readFileSync("/m/d", "utf8")).toBe("two");
    mount.invalidate("/nothing/there");
  });

  it("of a name that was missing", () => {
    const { root, fs, mount } = scene();
    expect(outcomeOf(() => fs.statSync("/m/a/x"))).toBe("ENOENT");
    (root.a as Plain).x = "x";
    mount.invalidate("/a/x");
    expect(fs.readFileSync("/m/a/x", "utf8")).toBe("x");
  });

  it("of what a path is: files become directories, and who has one open has it no more", () => {
    const { root, fs, mount } = scene();
    const fd = fs.openSync("/m/d", "r");
    const dir = fs.openSync("/m/a", "r");
    root.d = { inner: "inner" };
    root.a = "file";
    mount.invalidate();
    expect(fs.readFileSync("/m/d/inner", "utf8")).toBe("inner");
    expect(fs.readFileSync("/m/a", "utf8")).toBe("file");
    expect(outcomeOf(() => fs.readSync(fd, Buffer.alloc(1)))).toBe("ESTALE");
    expect(outcomeOf(() => fs.fstatSync(fd))).toBe("ESTALE");
    expect(outcomeOf(() => fs.fstatSync(dir))).toBe("ESTALE");
    fs.closeSync(fd);
    fs.closeSync(dir);
    root.d = "again";
    delete root.a;
    mount.invalidate();
    expect(fs.readFileSync("/m/d", "utf8")).toBe("again");
    expect(fs.readdirSync("/m")).toEqual(["d"]);
  });

  it("is seen by who has the file open, with its size", () => {
    const { root, fs, mount } = scene();
    const fd = fs.openSync("/m/d", "r");
    const buffer = Buffer.alloc(20);
    expect(fs.readSync(fd, buffer, 0, 20, 0)).toBe(3);
    root.d = "longer than before";
    mount.invalidate("/d");
    expect(fs.readSync(fd, buffer, 0, 20, 0)).toBe(18);
    expect(buffer.toString("utf8", 0, 18)).toBe("longer than before");
    root.d = "";
    mount.invalidate("/d");
    expect(fs.fstatSync(fd).size).toBe(0);
    expect(fs.readSync(fd, buffer, 0, 20, 0)).toBe(0);
    delete root.d;
    mount.invalidate("/d");
    expect(outcomeOf(() => fs.readSync(fd, buffer))).toBe("ESTALE");
    fs.closeSync(fd);
  });

  it("is seen from a working directory", () => {
    const { root, fs, mount } = scene();
    const task = fs.kernel.task({ cwd: "/m/a" });
    expect(task.readFileSync("b", "utf8")).toBe("one");
    root.a = { b: "two" };
    mount.invalidate();
    expect(task.readFileSync("b", "utf8")).toBe("two");
    expect(task.readdirSync(".")).toEqual(["b"]);
    delete root.a;
    mount.invalidate();
    expect(outcomeOf(() => task.readdirSync("."))).toBe("ESTALE");
  });

  it("is noticed without a word where the listing is asked anew, and says so", () => {
    const root: Plain = { a: { b: "one" }, d: { e: "" } };
    const { fs } = withTree(plainTree(root), { maxEntries: 2 });
    expect(fs.readFileSync("/m/a/b", "utf8")).toBe("one");
    root.a = { b: "longer" };
    fs.readdirSync("/m/d"); // the listing of a goes
    fs.kernel.dropCaches(2);
    expect(fs.readFileSync("/m/a/b", "utf8")).toBe("longer");
  });

  it("keeps what is mounted on a name", () => {
    const { root, fs, mount } = scene();
    fs.statSync("/m/a");
    fs.kernel.mount({ type: "tmpfs", target: "/m/a" });
    fs.writeFileSync("/m/a/mine", "mine");
    delete root.a;
    mount.invalidate();
    expect(fs.readFileSync("/m/a/mine", "utf8")).toBe("mine");
    fs.kernel.umount("/m/a");
    expect(outcomeOf(() => fs.readdirSync("/m/a"))).toBe("ESTALE");
    mount.invalidate();
    expect(outcomeOf(() => fs.readdirSync("/m/a"))).toBe("ENOENT");
  });

  it("is waited for by calls that may", async () => {
    const { root, fs, mount } = scene(true);
    const handle = await fs.promises.open("/m/a/b");
    root.a = { b: "two two" };
    mount.invalidate();
    expect((await handle.stat()).size).toBe(7);
    mount.invalidate();
    expect(await handle.readFile("utf8")).toBe("two two");
    await handle.close();
  });

  it("while a listing is on its way has that asked again", async () => {
    const answers = [
      deferred<{ name: string; type: "directory" }[]>(),
      deferred<{ name: string; type: "directory" }[]>(),
    ];
    let nr = 0;
    const { fs, mount } = withTree({
      list: () => (answers[nr++] as (typeof answers)[number]).promise,
      load: () => new Uint8Array(),
    });
    const names = fs.promises.readdir("/m");
    const stat = fs.promises.stat("/m/new");
    await turns();
    mount.invalidate();
    answers[0]?.resolve([{ name: "old", type: "directory" }]);
    await turns();
    answers[1]?.resolve([{ name: "new", type: "directory" }]);
    expect(await names).toEqual(["new"]);
    expect((await stat).isDirectory()).toBe(true);
    expect(fs.existsSync("/m/old")).toBe(false);
    expect(nr).toBe(2);
  });

  it("may be said by the tree itself while it is asked", () => {
    let mount: { invalidate(path?: string): void } | undefined;
    const { fs, mount: made } = withTree({
      list: () => {
        mount?.invalidate();
        return [{ name: "f", type: "file", size: 3 }];
      },
      load: () => {
        mount?.invalidate("/f");
        mount = undefined;
        return Buffer.from("abc");
      },
    });
    mount = made;
    expect(fs.readdirSync("/m")).toEqual(["f"]);
    expect(fs.readFileSync("/m/f", "utf8")).toBe("abc");
  });

  it("is refused for what is no path, and does nothing when the mount is over", () => {
    const { fs, mount } = scene();
    for (const path of ["", "a", "/a/../b", "/./a", "/a\0"]) {
      expect(outcomeOf(() => mount.invalidate(path))).toBe("ERR_INVALID_ARG_VALUE");
    }
    expect(outcomeOf(() => mount.invalidate(1 as unknown as string))).toBe("ERR_INVALID_ARG_TYPE");
    fs.readdirSync("/m/a");
    fs.kernel.umount("/m");
    mount.invalidate();
    const second = mountLazy(fs.kernel, plainTree({ x: "" }), { target: "/m" });
    mount.invalidate();
    expect(fs.readdirSync("/m")).toEqual(["x"]);
    second.invalidate();
    fs.kernel.destroy();
    second.invalidate();
  });
});
