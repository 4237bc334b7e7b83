/** Layers that are saved and loaded: all that they have changed is there again, whatever is wrong with the bytes leaves nothing behind. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from "../../../src/base/stat-flags.ts";
import type { TarEntry } from "../../../src/fs/tar/entry.ts";
import { TarWriter } from "../../../src/fs/tar/writer.ts";
import { createFsSync, type FolioFs, restoreFsSync } from "../../../src/index.ts";
import { type Layer, overlay } from "../../../src/layers.ts";
import { codeOf } from "../../helpers/code-of.ts";
import { describeTree } from "../../helpers/describe-tree.ts";
import { type Hex, type LinuxProgram, runOnFoliofs } from "../../helpers/linux-script.ts";
import { MockSwap } from "../../helpers/mock-swap.ts";
import { CLOSES, DIRS, LOWER, OVERLAY_TASKS, randomSteps, root } from "../../helpers/overlay-script.ts";
import { seededRandom } from "../../helpers/random.ts";
import { pushAllOut } from "../../helpers/swapped-out.ts";

const SEED = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
const OVER_BASE = { lower: "/base", target: "/b" };

function build(): FolioFs {
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay] });
  for (const dir of ["/base", "/base/src", "/base/old", "/base/gone", "/other", "/a", "/b"]) fs.mkdirSync(dir);
  fs.writeFileSync("/base/README", "base");
  fs.writeFileSync("/base/src/main", "main".repeat(5000));
  fs.writeFileSync("/base/old/x", "x");
  fs.writeFileSync("/base/gone/y", "y");
  fs.chownSync("/base", 7, 8);
  return fs;
}

/** A layer at /a with all that can be changed. */
function change(fs: FolioFs): Layer {
  const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
  const { linux } = fs.kernel;
  fs.appendFileSync("/a/README", " changed");
  fs.renameSync("/a/src", "/a/source");
  fs.rmSync("/a/gone", { recursive: true });
  fs.rmSync("/a/old", { recursive: true });
  fs.mkdirSync("/a/old", 0o2750);
  fs.writeFileSync("/a/old/new", "new");
  fs.linkSync("/a/old/new", "/a/linked");
  fs.symlinkSync("nowhere/\u00e9", "/a/link");
  fs.mknodSync("/a/fifo", S_IFIFO | 0o620);
  fs.linkSync("/a/fifo", "/a/old/fifo");
  fs.mknodSync("/a/socket", S_IFSOCK | 0o600);
  fs.mknodSync("/a/device", S_IFCHR | 0o640, 0x10305);
  fs.writeFileSync(Buffer.from([0x2f, 0x61, 0x2f, 0xff, 0x3d, 0x0a]), "no UTF-8");
  fs.writeFileSync(`/a/${"long".repeat(60)}`, "");
  fs.writeFileSync("/a/holes", "");
  const fd = fs.openSync("/a/holes", "r+");
  for (const at of [8192, 2 ** 31]) fs.writeSync(fd, "piece", at);
  fs.ftruncateSync(fd, 2 ** 40);
  fs.closeSync(fd);
  linux.setxattrSync("/a/README", "user.\xfc%25=", Buffer.from([0, 1, 0xff, 0x0a]));
  linux.setxattrSync("/a/README", "user.empty", Buffer.alloc(0));
  linux.setxattrSync("/a/old", "trusted.overlay.mine", Buffer.from("kept"));
  fs.chownSync("/a/linked", 2 ** 32 - 2, 3_000_000);
  fs.utimensSync("/a/README", -1_500_000_000n, 1_234_567_890_123_456_789n);
  linux.chattr("/a/holes", 0x10);
  return layer;
}

/** Without what a copy has of its own: numbers of devices and of inodes, when it was read and made. */
function look(fs: FolioFs, path: string): string[] {
  return describeTree(fs, path).map((line) =>
    line
      .slice(path.length)
      .replace(/^(.*?) \d+:\d+ (\d+ \d+ \d+:\d+ \d+ \d+\/\d+) -?\d+ (-?\d+ -?\d+) -?\d+/s, "$1 $2 $3"),
  );
}

function inodes(fs: FolioFs, path: string): number[] {
  return ["README", "source/main"].map((name) => fs.statSync(`${path}/${name}`).ino);
}

describe("a saved layer", () => {
  it("is all that it was, over the same directory, with the same numbers of inodes", () => {
    const fs = build();
    const layer = change(fs);
    const saved = layer.save();
    assert.ok(saved.length < 100_000, "holes are not saved");
    assert.deepEqual(layer.save(), saved);
    const again = fs.kernel.load(saved, OVER_BASE);
    assert.deepEqual(look(fs, "/b"), look(fs, "/a"));
    assert.deepEqual(inodes(fs, "/b"), inodes(fs, "/a"));
    assert.deepEqual(again.usage(), layer.usage());
    assert.deepEqual(again.diff(), layer.diff());
    const { linux } = fs.kernel;
    assert.deepEqual(linux.getxattrSync("/b/README", "user.\xfc%25="), Buffer.from([0, 1, 0xff, 0x0a]));
    assert.equal(linux.getxattrSync("/b/README", "user.empty")?.length, 0);
    assert.equal(linux.getxattrSync("/b/old", "trusted.overlay.mine")?.toString(), "kept");
    assert.equal(
      codeOf(() => fs.writeFileSync("/b/holes", "")),
      "EPERM",
    );
    fs.kernel.verify();
    again.drop();
    layer.drop();
    assert.deepEqual(fs.readFileSync("/base/README", "utf8"), "base");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is loaded in another kernel, over what a snapshot has brought there", () => {
    const fs = build();
    const snapshot = fs.kernel.snapshot();
    const layer = change(fs);
    const other = restoreFsSync(snapshot, { types: [overlay] });
    const loaded = other.kernel.load(layer.save(), OVER_BASE);
    assert.deepEqual(look(other, "/b"), look(fs, "/a"));
    assert.deepEqual(inodes(other, "/b"), inodes(fs, "/a"));
    assert.deepEqual(loaded.diff(), layer.diff());
    other.kernel.verify();
    other.kernel.destroy();
    fs.kernel.destroy();
  });

  it("is loaded over another directory, where what it has been copied from means nothing", () => {
    const fs = build();
    const saved = change(fs).save();
    fs.cpSync("/base", "/other", { recursive: true });
    fs.kernel.load(saved, { lower: "/other", target: "/b" });
    assert.deepEqual(fs.readdirSync("/b", "buffer"), fs.readdirSync("/a", "buffer"));
    assert.equal(fs.readFileSync("/b/source/main", "utf8"), fs.readFileSync("/a/source/main", "utf8"));
    assert.notEqual(fs.statSync("/b/README").ino, fs.statSync("/a/README").ino);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is not loaded when a byte of it has changed, or some are missing", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.writeFileSync("/a/README", "changed");
    fs.unlinkSync("/a/src/main");
    const saved = layer.save();
    assert.equal(
      codeOf(() => fs.kernel.load(layer.saveTar(), OVER_BASE)),
      "ERR_INVALID_TAR",
    );
    for (const length of [0, 1, 511, 512, 1024, saved.length - 1])
      assert.equal(
        codeOf(() => fs.kernel.load(saved.slice(0, length), OVER_BASE)),
        "ERR_INVALID_TAR",
        `${length}`,
      );
    const check = fc.property(
      fc.integer({ min: 0, max: saved.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      (at, mask) => {
        const bytes = saved.slice();
        bytes[at] ^= mask;
        const code = codeOf(() => {
          const loaded = fs.kernel.load(bytes, OVER_BASE);
          assert.deepEqual(loaded.save(), saved, "what it stands on is padding, then");
          loaded.drop();
        });
        assert.ok(code === "ok" || code === "ERR_INVALID_TAR", code);
      },
    );
    fc.assert(check, { seed: SEED, numRuns: 100 });
    assert.deepEqual(fs.readdirSync("/b"), []);
    assert.equal(
      codeOf(() => fs.kernel.umount("/b")),
      "EINVAL",
    );
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is saved out of a swap area, and loaded where most of it has to go to one", () => {
    const fs = createFsSync({ memoryLimit: 24 * 2 ** 20, types: [overlay] });
    fs.kernel.swapOn(new MockSwap(20_000));
    for (const dir of ["/base", "/a", "/b"]) fs.mkdirSync(dir);
    const limits = { lower: "/base", size: "64m" };
    const layer = fs.kernel.layer({ ...limits, target: "/a" });
    const data = (n: number): Buffer => Buffer.alloc(2 ** 20, `data ${n}`);
    for (let n = 0; n < 16; n++) fs.writeFileSync(`/a/${n}`, data(n));
    pushAllOut(fs);
    const loaded = fs.kernel.load(layer.save(), { ...limits, target: "/b" });
    layer.drop();
    for (let n = 0; n < 16; n++) assert.ok(fs.readFileSync(`/b/${n}`).equals(data(n)));
    assert.equal(loaded.usage().bytes, 16 * 2 ** 20);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is what random calls have made", { timeout: 120_000 }, async () => {
    for (let n = 0; n < 5; n++) {
      console.log(`saved-layers.test.ts: seed ${SEED + n}`);
      const LOWERS = "ROOT/l1:ROOT/l2";
      const steps = [...DIRS, ...LOWER, root("layer", LOWERS, "ROOT/m")];
      steps.push(...randomSteps(seededRandom(SEED + n), 200, undefined), ...CLOSES);
      function* program(): LinuxProgram {
        yield* steps;
        const saved = yield root("save", "ROOT/m");
        yield root("load", LOWERS, "ROOT/m2", saved as Hex);
        assert.deepEqual(yield root("save", "ROOT/m2"), saved);
      }
      const compare = (fs: FolioFs): void => assert.deepEqual(look(fs, "/root/m2"), look(fs, "/root/m"));
      await runOnFoliofs({ tasks: OVERLAY_TASKS, steps }, compare, program());
    }
  });
});

function file(name: string, more: Partial<TarEntry> = {}): TarEntry {
  const rest = { uid: 0, gid: 0, rdev: 0, mtime: { sec: 1, nsec: 0 }, link: "", xattrs: new Map() };
  return { name, mode: S_IFREG | 0o644, ...rest, size: 0, pieces: [], ...more };
}
const text = (name: string, data: string): TarEntry =>
  file(name, { size: data.length, pieces: [{ at: 0, bytes: Buffer.from(data) }] });
const directory = (name: string, more: Partial<TarEntry> = {}): TarEntry =>
  file(name, { mode: S_IFDIR | 0o755, ...more });
const hardLink = (name: string, link: string): TarEntry => file(name, { mode: 0o644, link });
const symbolicLink = (name: string, link: string): TarEntry => file(name, { mode: S_IFLNK | 0o777, link });
const whiteout = (name: string): TarEntry => file(name, { mode: S_IFCHR });
const xattr = (name: string, value = "y"): Partial<TarEntry> => ({ xattrs: new Map([[name, Buffer.from(value)]]) });

function archive(...entries: TarEntry[]): Uint8Array {
  const writer = new TarWriter({ isSparse: false });
  for (const entry of entries) writer.add(entry);
  return writer.finish();
}

function loadTar(fs: FolioFs, ...entries: TarEntry[]): Layer {
  return fs.kernel.loadTar(archive(...entries), OVER_BASE);
}

describe("a layer of a tar", () => {
  it("is what saveTar() has given, without what means something to one kernel alone", () => {
    const fs = build();
    const layer = change(fs);
    fs.writeFileSync("/a/holes2", "");
    assert.equal(
      codeOf(() => layer.saveTar()),
      "EFBIG",
      "a file of 1 TiB",
    );
    fs.kernel.linux.chattr("/a/holes", 0);
    fs.truncateSync("/a/holes", 100_000);
    fs.kernel.linux.chattr("/a/holes", 0x10);
    const tar = layer.saveTar();
    assert.ok(!Buffer.from(tar).includes("overlay.origin"));
    const loaded = fs.kernel.loadTar(tar, OVER_BASE);
    // When it was changed is now, and zeros are no hole any more.
    const plain = (path: string): string[] =>
      look(fs, path).map((line) => line.replace(/\/\d+ (-?\d+) -?\d+ .*$/s, " $1"));
    assert.deepEqual(plain("/b"), plain("/a"));
    assert.deepEqual(fs.readFileSync("/b/holes"), fs.readFileSync("/a/holes"));
    assert.equal(
      codeOf(() => fs.truncateSync("/b/holes")),
      "EPERM",
    );
    assert.equal(fs.statSync("/b/fifo").nlink, 2);
    assert.deepEqual(
      loaded
        .diff()
        .map(({ kind, path }) => `${kind} ${path}`)
        .filter((told) => told.includes("source")),
      ["renamed source"],
    );
    loaded.drop();
    const unpacked = fs.kernel.loadTar(layer.save(), OVER_BASE);
    assert.deepEqual(look(fs, "/b"), look(fs, "/a"), "what save() has given is a tar, too");
    unpacked.drop();
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("has whiteouts, opaque directories and redirects, and directories that no entry is of", () => {
    const fs = build();
    loadTar(
      fs,
      whiteout("./README"),
      directory("./old/", xattr("trusted.overlay.opaque")),
      text("./old/z", "z"),
      directory("./moved", xattr("trusted.overlay.redirect", "/src")),
      text("deep/er/file", "deep"),
      hardLink("link", "deep/er/file"),
    );
    assert.deepEqual(fs.readdirSync("/b", { recursive: true }).sort(), [
      ...["deep", "deep/er", "deep/er/file", "gone", "gone/y", "link", "moved", "moved/main", "old", "old/z", "src"],
      "src/main",
    ]);
    assert.equal(fs.statSync("/b/deep/er").mode, S_IFDIR | 0o755);
    assert.equal(fs.statSync("/b/link").nlink, 2);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("takes the last of several entries of a name, as tar does", () => {
    const fs = build();
    loadTar(
      fs,
      text("x", "first"),
      hardLink("y", "x"),
      text("./x", "second"),
      symbolicLink("s", "x"),
      text("s", "no link any more"),
      directory("d", { mode: S_IFDIR | 0o700 }),
      text("d/in", "in"),
      directory("./d/", { mode: S_IFDIR | 0o711 }),
      hardLink("y", "./y"),
    );
    assert.equal(fs.readFileSync("/b/x", "utf8"), "second");
    assert.equal(fs.readFileSync("/b/y", "utf8"), "first");
    assert.equal(fs.readFileSync("/b/s", "utf8"), "no link any more");
    assert.equal(fs.readFileSync("/b/d/in", "utf8"), "in");
    assert.equal(fs.statSync("/b/d").mode & 0o777, 0o711);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  const wrong: [string, TarEntry[], code?: string][] = [
    ["an absolute name", [text("/etc/passwd", "x")]],
    ["a name with ..", [text("a/../../b", "x")]],
    ["a name with a NUL", [text("a\0b".padEnd(120, "c"), "x")]],
    ["a long name", [text("n".repeat(256), "x")]],
    ["a path without an end", [text("d/".repeat(500_000), "x")]],
    ["a path of 4096 bytes", [text("d/".repeat(2048), "x")]],
    ["a name below a file", [text("a", "x"), text("a/b", "x")]],
    ["a name below a symbolic link", [symbolicLink("a", "/base"), text("a/README", "x")]],
    ["a name below a whiteout", [whiteout("a"), text("a/b", "x")]],
    ["a file in the place of a directory", [directory("a/"), text("a", "x")]],
    ["a directory in the place of a file", [text("a", "x"), directory("a/")]],
    ["a file in the place of all", [text("./", "x"), file(".", { mode: S_IFIFO })]],
    ["a link to nothing", [hardLink("a", "b")]],
    ["a link to what comes later", [hardLink("a", "b"), text("b", "x")]],
    ["a link to a lower file", [hardLink("a", "README")]],
    ["a link to a directory", [directory("d/"), hardLink("a", "d")]],
    ["a link out of it", [hardLink("a", "../base/README")]],
    ["a link to an absolute name", [hardLink("a", "/base/README")]],
    ["a link again, to nothing", [text("a", "x"), hardLink("a", "b")]],
    ["a symbolic link to nothing", [symbolicLink("a", "")]],
    ["a symbolic link that is too long", [symbolicLink("a", "x".repeat(4096))]],
    ["data elsewhere", [file("a", xattr("trusted.overlay.metacopy"))], "ENOTSUP"],
    ["an attribute that tmpfs has not", [file("a", xattr("system.posix_acl_access"))], "ENOTSUP"],
    ["an attribute with a long name", [file("a", xattr(`user.${"x".repeat(300)}`))], "ERANGE"],
    ["an attribute with much in it", [file("a", xattr("user.x", "x".repeat(70_000)))], "E2BIG"],
    ["a size beyond all", [file("a", { size: 2 ** 45 })], "EFBIG"],
  ];
  it.each(wrong)("is refused with %s, and nothing is left", (_name, entries, code = "ERR_INVALID_TAR") => {
    const fs = build();
    const before = fs.kernel.usage();
    const bytes = (() => {
      const writer = new TarWriter({ isSparse: true });
      for (const entry of [text("before", "x".repeat(10_000)), directory("in/"), ...entries]) writer.add(entry);
      return writer.finish();
    })();
    assert.equal(
      codeOf(() => fs.kernel.loadTar(bytes, OVER_BASE)),
      code,
    );
    assert.deepEqual(fs.readdirSync("/b"), []);
    assert.equal(
      codeOf(() => fs.kernel.umount("/b")),
      "EINVAL",
    );
    fs.kernel.verify();
    assert.deepEqual(fs.kernel.usage().data, before.data);
    fs.kernel.destroy();
  });

  it("is refused beyond its limits, and when an allocation fails, and nothing is left", () => {
    const built = build();
    const layer = change(built);
    const [saved, { bytes, inodes }] = [layer.save(), layer.usage()];
    built.kernel.destroy();
    for (let size = 4096; size < bytes; size += 4096) {
      const fs = build();
      assert.equal(
        codeOf(() => fs.kernel.load(saved, { ...OVER_BASE, size })),
        "ENOSPC",
      );
      assert.deepEqual(fs.readdirSync("/b"), []);
      fs.kernel.destroy();
    }
    for (let nr_inodes = 1; nr_inodes <= inodes; nr_inodes++) {
      const fs = build();
      const code = codeOf(() => fs.kernel.load(saved, { ...OVER_BASE, size: bytes, nr_inodes }));
      assert.equal(code, nr_inodes < inodes ? "ENOSPC" : "ok");
      fs.kernel.verify();
      fs.kernel.destroy();
    }
    for (let n = 1, code = ""; code !== "ok"; n++) {
      const fs = build();
      const { x } = fs.kernel.vfs.core;
      x.setFailAfter(n);
      code = codeOf(() => fs.kernel.load(saved, OVER_BASE));
      x.setFailAfter(0);
      fs.kernel.verify();
      assert.ok(["ok", "ENOSPC", "ENOMEM"].includes(code), code);
      if (code !== "ok") assert.deepEqual(fs.readdirSync("/b"), [], `after failure ${n}`);
      fs.kernel.destroy();
    }
  });

  it("is not of what is too deep for a path", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    const name = "d".repeat(250);
    let dir = "/a";
    for (let depth = 0; depth < 16; depth++) fs.mkdirSync((dir += `/${name}`));
    const again = fs.kernel.load(layer.save(), OVER_BASE);
    assert.deepEqual(look(fs, "/b"), look(fs, "/a"));
    again.drop();
    for (const deep of ["/a/1", "/a/2"]) fs.mkdirSync(deep);
    fs.renameSync(`/a/${name}`, `/a/1/${name}`);
    fs.renameSync("/a/1", "/a/2/1");
    fs.mkdirSync(`/a/${"e".repeat(250)}`);
    fs.renameSync("/a/2", `/a/${"e".repeat(250)}/2`);
    for (const save of [() => layer.save(), () => layer.saveTar(), () => layer.saveTar({ format: "oci" })])
      assert.equal(codeOf(save), "ENAMETOOLONG");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is for those that may mount, and wants bytes and options", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    const tar = layer.saveTar();
    const user = fs.kernel.task({ uid: 1000, gid: 1000 });
    assert.equal(
      codeOf(() => user.kernel.loadTar(tar, OVER_BASE)),
      "EPERM",
    );
    assert.equal(
      codeOf(() => user.kernel.load(layer.save(), OVER_BASE)),
      "EPERM",
    );
    assert.equal(
      codeOf(() => fs.kernel.loadTar("bytes" as never, OVER_BASE)),
      "ERR_INVALID_ARG_TYPE",
    );
    assert.equal(
      codeOf(() => fs.kernel.load(tar, {} as never)),
      "ERR_INVALID_ARG_TYPE",
    );
    assert.equal(
      codeOf(() => fs.kernel.loadTar(tar, { ...OVER_BASE, other: 1 } as never)),
      "ERR_INVALID_ARG_VALUE",
    );
    assert.equal(
      codeOf(() => fs.kernel.loadTar(tar, { lower: "/none", target: "/b" })),
      "ENOENT",
    );
    layer.drop();
    assert.equal(
      codeOf(() => layer.save()),
      "EINVAL",
    );
    assert.equal(
      codeOf(() => layer.saveTar()),
      "EINVAL",
    );
    fs.kernel.destroy();
  });
});
