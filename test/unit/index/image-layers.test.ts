/**
 * Changes as tars of image layers (OCI): what differs between two trees, applied to the first, is the second, by kernel.loadTar() and by a
 * small program that goes by the specification.
 */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../../src/base/stat-flags.ts";
import type { TarEntry } from "../../../src/fs/tar/entry.ts";
import { TarReader } from "../../../src/fs/tar/reader.ts";
import { TarWriter } from "../../../src/fs/tar/writer.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { overlay } from "../../../src/layers.ts";
import { codeOf } from "../../helpers/code-of.ts";
import { type Hex, type LinuxProgram, runOnFoliofs } from "../../helpers/linux-script.ts";
import { CLOSES, DIRS, LOWER, OVERLAY_TASKS, randomSteps, root } from "../../helpers/overlay-script.ts";
import { seededRandom } from "../../helpers/random.ts";

const SEED = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
const NR_SCRIPTS = Number(process.env.FOLIOFS_SCRIPTS ?? 4);
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const OCI = { format: "oci" } as const;

function entriesOf(tar: Uint8Array): TarEntry[] {
  const reader = new TarReader(tar);
  const entries: TarEntry[] = [];
  for (let entry = reader.next(); entry !== undefined; entry = reader.next()) entries.push(entry);
  return entries;
}

function namesOf(tar: Uint8Array): string[] {
  return entriesOf(tar).map(({ name }) => name);
}

/** All that a layer tells of a tree. */
function look({ kernel, ...fs }: FolioFs, path: string, name = ""): unknown[] {
  const stats = fs.lstatSync(path, { bigint: true });
  const type = Number(stats.mode) & S_IFMT;
  const names = kernel.linux.llistxattrSync(path) as string[];
  const xattrs = names.map((key) => [key, kernel.linux.lgetxattrSync(path, key)?.toString("latin1")]);
  const what = type === S_IFREG ? fs.readFileSync(path, "latin1") : type === S_IFLNK ? fs.readlinkSync(path) : "";
  const own = [name, Number(stats.mode), stats.uid, stats.gid, stats.rdev, stats.mtimeNs, what, xattrs.sort()];
  if (type !== S_IFDIR) return [own];
  return [
    own,
    ...fs.readdirSync(path).flatMap((each) => look({ kernel, ...fs } as FolioFs, `${path}/${each}`, `${name}/${each}`)),
  ];
}

/** Copies a tree, attributes and all. */
function copy(fs: FolioFs, from: string, to: string): void {
  for (const entry of entriesOf(fs.kernel.diff("/empty", from, OCI))) put(fs, to, entry);
  settle(fs, to, fs.kernel.diff("/empty", from, OCI));
}

/** Applies a layer by the specification: first all that is gone, then what is there. */
function apply(fs: FolioFs, to: string, tar: Uint8Array): void {
  for (const { name } of entriesOf(tar)) {
    const [dir, base] = [name.replace(/[^/]*$/, ""), name.replace(/^.*\//, "")];
    if (base === ".wh..wh..opq")
      for (const each of fs.existsSync(`${to}/${dir}`) ? fs.readdirSync(`${to}/${dir}`) : [])
        fs.rmSync(`${to}/${dir}${each}`, { recursive: true });
    else if (base.startsWith(".wh.")) fs.rmSync(`${to}/${dir}${base.slice(4)}`, { recursive: true, force: true });
  }
  for (const entry of entriesOf(tar)) if (!/(^|\/)\.wh\./.test(entry.name)) put(fs, to, entry);
  settle(fs, to, tar);
}

function put(fs: FolioFs, to: string, entry: TarEntry): void {
  const path = `${to}/${entry.name}`.replace(/\/+$/, "");
  const type = entry.mode & S_IFMT;
  const known = fs.lstatSync(path, { throwIfNoEntry: false });
  if (known && !(type === S_IFDIR && known.isDirectory())) fs.rmSync(path, { recursive: true });
  if (type === 0) fs.linkSync(`${to}/${entry.link}`, path);
  else if (type === S_IFDIR) fs.mkdirSync(path, { recursive: true });
  else if (type === S_IFLNK) fs.symlinkSync(entry.link, path);
  else fs.mknodSync(path, entry.mode, entry.rdev);
  for (const { at, bytes } of entry.pieces) {
    const fd = fs.openSync(path, "r+");
    fs.writeSync(fd, bytes, 0, bytes.length, at);
    fs.closeSync(fd);
  }
}

/** Attributes, what is in directories before these. */
function settle({ kernel, ...fs }: FolioFs, to: string, tar: Uint8Array): void {
  for (const { name, mode, uid, gid, mtime, xattrs } of entriesOf(tar).reverse()) {
    const path = `${to}/${name}`.replace(/\/+$/, "");
    if (/(^|\/)\.wh\./.test(name) || (mode & S_IFMT) === 0) continue;
    fs.lchownSync(path, uid, gid);
    if ((mode & S_IFMT) !== S_IFLNK) fs.chmodSync(path, mode & 0o7777);
    for (const old of kernel.linux.llistxattrSync(path) as string[]) kernel.linux.lremovexattrSync(path, old);
    for (const [key, value] of xattrs) kernel.linux.lsetxattrSync(path, key, value);
    kernel.linux.utimensatSync(
      AT_FDCWD,
      path,
      "now",
      BigInt(mtime.sec) * 10n ** 9n + BigInt(mtime.nsec),
      AT_SYMLINK_NOFOLLOW,
    );
  }
}

describe("what random calls have changed", () => {
  it("is the same applied to a copy, and as a layer over what was", {
    timeout: 60_000 + NR_SCRIPTS * 10_000,
  }, async () => {
    for (let n = 0; n < NR_SCRIPTS; n++) {
      console.log(`image-layers.test.ts: seed ${SEED + n}`);
      const lowers = "ROOT/l1:ROOT/l2";
      const random = seededRandom(SEED + n);
      const steps = [
        ...DIRS,
        ...LOWER,
        root("layer", lowers, "ROOT/m"),
        ...randomSteps(random, 150, undefined),
        ...CLOSES,
      ];
      function* program(): LinuxProgram {
        yield* steps;
        const tar = yield root("saveTar", "ROOT/m", "oci");
        yield root("loadTar", lowers, "ROOT/m2", tar as Hex, "oci");
      }
      const compare = (fs: FolioFs): void => {
        const seen = look(fs, "/root/m");
        assert.deepEqual(look(fs, "/root/m2"), seen);
        for (const dir of ["/empty", "/below", "/copy"]) fs.mkdirSync(dir);
        fs.kernel.mount({ type: "overlay", target: "/below", data: "lowerdir=/root/l1:/root/l2" });
        copy(fs, "/below", "/copy");
        assert.deepEqual(look(fs, "/copy"), look(fs, "/below"));
        // By what layers have, and name by name.
        for (const from of ["/below", "/copy"]) {
          const to = `/of${from.replace("/", "-")}`;
          fs.mkdirSync(to);
          copy(fs, "/below", to);
          apply(fs, to, fs.kernel.diff(from, "/root/m", OCI));
          assert.deepEqual(look(fs, to), seen);
        }
      };
      await runOnFoliofs({ tasks: OVERLAY_TASKS, steps }, compare, program());
    }
  });
});

function build(): FolioFs {
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay] });
  for (const dir of ["/base", "/base/src", "/base/old", "/other", "/a", "/b"]) fs.mkdirSync(dir);
  fs.writeFileSync("/base/src/main", "main");
  fs.writeFileSync("/base/old/x", "x");
  fs.writeFileSync("/base/README", "base");
  fs.chmodSync("/base/src", 0o2750);
  fs.chownSync("/base/src", 7, 8);
  fs.kernel.linux.setxattrSync("/base/src", "user.x", Buffer.from("src"));
  fs.utimensSync("/base/src", 5n, 6n);
  return fs;
}

function file(name: string, data = "", more: Partial<TarEntry> = {}): TarEntry {
  const rest = { uid: 0, gid: 0, rdev: 0, mtime: { sec: 1, nsec: 0 }, link: "", xattrs: new Map() };
  const pieces = data === "" ? [] : [{ at: 0, bytes: Buffer.from(data) }];
  return { name, mode: S_IFREG | 0o644, ...rest, size: data.length, pieces, ...more };
}

const directory = (name: string): TarEntry => file(name, "", { mode: S_IFDIR | 0o755 });

function archive(...entries: TarEntry[]): Uint8Array {
  const writer = new TarWriter({ isSparse: false });
  for (const entry of entries) writer.add(entry);
  return writer.finish();
}

function loaded(fs: FolioFs, ...entries: TarEntry[]): string[] {
  fs.kernel.loadTar(archive(...entries), { lower: "/base", target: "/b", ...OCI });
  return (fs.readdirSync("/b", { recursive: true }) as string[]).sort();
}

describe("the tar of an image layer", () => {
  it("has whiteouts of what is gone, and moved directories whole", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.unlinkSync("/a/README");
    fs.renameSync("/a/src", "/a/moved");
    fs.mkdirSync("/a/src");
    fs.rmSync("/a/old", { recursive: true });
    fs.mkdirSync("/a/old");
    fs.writeFileSync("/a/old/new", "new");
    fs.linkSync("/a/old/new", "/a/hard");
    const tar = layer.saveTar(OCI);
    assert.deepEqual(namesOf(tar), [
      ...["./", ".wh.README", "src/", "src/.wh..wh..opq", "old/", "old/.wh..wh..opq", "old/new", "hard"],
      ...["moved/", "moved/main"],
    ]);
    assert.equal(entriesOf(tar).find(({ name }) => name === "hard")?.link, "old/new");
    assert.deepEqual(layer.diff(OCI), tar);
    assert.deepEqual(fs.kernel.diff("/base", "/a", OCI), tar);
    assert.deepEqual(namesOf(fs.kernel.diff("/base", "/base", OCI)), []);
    fs.kernel.loadTar(tar, { lower: "/base", target: "/b", ...OCI });
    assert.deepEqual(look(fs, "/b"), look(fs, "/a"));
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("tells all that is in a directory which hides those below, what is as it was with it", () => {
    const fs = build();
    fs.mkdirSync("/base/old/d");
    fs.writeFileSync("/base/old/d/y", "y");
    const before = fs.statSync("/base/old/x", { bigint: true });
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.rmSync("/a/old", { recursive: true });
    fs.mkdirSync("/a/old");
    fs.writeFileSync("/a/old/x", "x");
    fs.utimensSync("/a/old/x", before.atimeNs, before.mtimeNs);
    fs.mkdirSync("/a/old/d");
    const tar = layer.saveTar(OCI);
    assert(!layer.diff().some(({ path }) => path === "old/x"));
    assert.deepEqual(namesOf(tar), ["./", "old/", "old/.wh..wh..opq", "old/d/", "old/x"]);
    assert.deepEqual(namesOf(fs.kernel.diff("/a", "/base", OCI)), ["./", "old/", "old/d/", "old/d/y"]);
    fs.kernel.loadTar(tar, { lower: "/base", target: "/b", ...OCI });
    assert.deepEqual(look(fs, "/b"), look(fs, "/a"));
    fs.kernel.destroy();
  });

  it("tells a file in the place of a directory, and the other way round", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.rmSync("/a/old", { recursive: true });
    fs.writeFileSync("/a/old", "a file");
    fs.unlinkSync("/a/README");
    fs.mkdirSync("/a/README");
    const tar = layer.saveTar(OCI);
    assert.deepEqual(namesOf(tar), ["./", "README/", "old"]);
    fs.kernel.loadTar(tar, { lower: "/base", target: "/b", ...OCI });
    assert.deepEqual(look(fs, "/b"), look(fs, "/a"));
    fs.kernel.destroy();
  });

  it("is about lower layers alone, wherever its whiteouts stand", () => {
    const all = ["README", "new", "old", "old/y", "src", "src/main"];
    const old = [directory("old/"), file("old/y", "y")];
    for (const entries of [
      [...old, file("old/.wh..wh..opq"), file("new")],
      [file("old/.wh..wh..opq"), ...old, file("new"), file(".wh.new")],
      [file(".wh.new"), file("new"), ...old, file(".wh.old")],
      [file(".wh.old"), ...old, file("new"), file(".wh..wh.plnk"), file(".wh..wh.orph")],
      [file(".wh.old"), file("old/y", "y"), file("new")],
      [file(".wh.x"), file("old/.wh.x"), file("old/y"), file("new"), file("src/.wh.none")],
    ]) {
      const fs = build();
      assert.deepEqual(loaded(fs, ...entries), all, entries.map(({ name }) => name).join());
      fs.kernel.verify();
      fs.kernel.destroy();
    }
  });

  it("leaves directories that it has no entry of as they are below", () => {
    const fs = build();
    assert.deepEqual(loaded(fs, file("src/deep/new", "new"), file("README", "changed")), [
      ...["README", "old", "old/x", "src", "src/deep", "src/deep/new", "src/main"],
    ]);
    const { mode, uid, gid, mtimeNs } = fs.statSync("/b/src", { bigint: true });
    assert.deepEqual([Number(mode), Number(uid), Number(gid), mtimeNs], [S_IFDIR | 0o2750, 7, 8, 6n]);
    assert.equal(fs.kernel.linux.getxattrSync("/b/src", "user.x")?.toString(), "src");
    assert.equal(fs.statSync("/b/src/deep").mode, S_IFDIR | 0o755);
    assert.equal(fs.readFileSync("/b/README", "utf8"), "changed");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("keeps attributes of programs that look like the overlay's own", () => {
    const fs = build();
    const xattrs = new Map([["trusted.overlay.opaque", Buffer.from("y")]]);
    loaded(fs, file("src", "", { mode: S_IFDIR | 0o755, xattrs }));
    assert.deepEqual(fs.readdirSync("/b/src"), ["main"]);
    assert.equal(fs.kernel.linux.getxattrSync("/b/src", "trusted.overlay.opaque")?.toString(), "y");
    const tar = fs.kernel.diff("/base", "/b", OCI);
    assert.deepEqual([...(entriesOf(tar).at(-1)?.xattrs.keys() ?? [])], ["trusted.overlay.opaque"]);
    fs.kernel.destroy();
  });

  it("is refused where it cannot be", () => {
    const fs = build();
    const code = (...entries: TarEntry[]): string => {
      const options = { lower: "/base", target: "/b", ...OCI };
      const told = codeOf(() => fs.kernel.loadTar(archive(file("before", "x"), ...entries), options));
      assert.deepEqual(fs.readdirSync("/b"), []);
      fs.kernel.verify();
      return told;
    };
    assert.equal(code(file(".wh.")), "ERR_INVALID_TAR");
    assert.equal(code(file(".wh...")), "ERR_INVALID_TAR");
    assert.equal(code(file("a/../.wh.x")), "ERR_INVALID_TAR");
    assert.equal(code(file("before/.wh.x")), "ERR_INVALID_TAR");
    assert.equal(code(file(".wh.x"), file("y", "", { mode: 0o644, link: "x" })), "ERR_INVALID_TAR");
    assert.equal(code(file("device", "", { mode: S_IFCHR | 0o600 })), "EPERM");
    assert.equal(code(file("README", "", { mode: 0o644, link: "src/main" })), "ERR_INVALID_TAR");
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.writeFileSync("/a/.wh.x", "");
    assert.equal(
      codeOf(() => layer.saveTar(OCI)),
      "EINVAL",
    );
    fs.unlinkSync("/a/.wh.x");
    fs.truncateSync("/a/README", 2 ** 41);
    assert.equal(
      codeOf(() => layer.saveTar(OCI)),
      "EFBIG",
    );
    assert.equal(
      codeOf(() => layer.diff(OCI)),
      "EFBIG",
    );
    assert.equal(
      codeOf(() => layer.saveTar({ format: "zip" } as never)),
      "ERR_INVALID_ARG_VALUE",
    );
    assert.equal(
      codeOf(() => layer.diff({ format: "overlay" } as never)),
      "ERR_INVALID_ARG_VALUE",
    );
    assert.equal(
      codeOf(() => fs.kernel.loadTar(archive(), { lower: "/base", target: "/b", format: "x" } as never)),
      "ERR_INVALID_ARG_VALUE",
    );
    assert.equal(
      codeOf(() => fs.kernel.load(archive(), { lower: "/base", target: "/b", ...OCI } as never)),
      "ERR_INVALID_ARG_VALUE",
    );
    fs.kernel.destroy();
  });

  it("has what the task may read, without trusted attributes for others than root", () => {
    const fs = build();
    fs.writeFileSync("/other/secret", "secret", { mode: 0o600 });
    const user = fs.kernel.task({ uid: 1000, gid: 1000 });
    assert.equal(
      codeOf(() => user.kernel.diff("/base", "/other", OCI)),
      "EACCES",
    );
    fs.chmodSync("/other/secret", 0o644);
    fs.kernel.linux.setxattrSync("/other/secret", "trusted.x", Buffer.from("x"));
    fs.kernel.linux.setxattrSync("/other/secret", "user.x", Buffer.from("x"));
    fs.chmodSync("/base/src", 0o755);
    const xattrsOf = (tar: Uint8Array): string[] => [...(entriesOf(tar).at(-1)?.xattrs.keys() ?? [])];
    assert.deepEqual(xattrsOf(user.kernel.diff("/base", "/other", OCI)), ["user.x"]);
    assert.deepEqual(xattrsOf(fs.kernel.diff("/base", "/other", OCI)).sort(), ["trusted.x", "user.x"]);
    fs.kernel.destroy();
  });
});
