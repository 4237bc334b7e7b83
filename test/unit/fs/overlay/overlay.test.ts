/** Overlays beyond what the host can be asked for: host folders and slow stores below, snapshots and forks, mappings, watches. */
import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, it } from "vitest";
import { EAGAIN, EIO, ENODATA } from "../../../../src/base/errno.ts";
import { hostfs } from "../../../../src/host.ts";
import {
  createFsSync,
  type FileSystemType,
  type FolioFs,
  type InodeOperations,
  libfs,
  ramfs,
  restoreFsSync,
} from "../../../../src/index.ts";
import { overlay } from "../../../../src/layers.ts";
import { codeOf } from "../../../helpers/code-of.ts";
import { seededRandom } from "../../../helpers/random.ts";
import { RemoteFs, remoteDir, remoteFile, remoteLink } from "../../../helpers/remote-fs.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function hostFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "foliofs-overlay-"));
  folders.push(folder);
  mkdirSync(join(folder, "d"));
  writeFileSync(join(folder, "a"), "host a");
  writeFileSync(join(folder, "d/b"), "host b".repeat(20_000));
  return folder;
}

function build(data = "lowerdir=/l1:/l2,upperdir=/u,workdir=/w"): FolioFs {
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay, hostfs] });
  for (const dir of ["/l1", "/l2", "/u", "/w", "/m", "/h"]) fs.mkdirSync(dir);
  fs.mkdirSync("/l1/d");
  fs.mkdirSync("/l2/d");
  fs.writeFileSync("/l1/a", "lower a");
  fs.writeFileSync("/l2/d/b", "lower b");
  if (data !== "") fs.kernel.mount({ type: "overlay", target: "/m", data });
  return fs;
}

describe("over a folder of the host", () => {
  it("copies up what changes, and the host is never written to", async () => {
    const folder = hostFolder();
    const fs = build("");
    fs.kernel.mount({ type: "hostfs", source: folder, target: "/h" });
    fs.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/h,upperdir=/u,workdir=/w" });
    assert.deepEqual(fs.readdirSync("/m"), ["a", "d"]);
    assert.equal(fs.readFileSync("/m/a", "utf8"), "host a");
    fs.appendFileSync("/m/d/b", "!");
    assert.equal(fs.statSync("/m/d/b").size, 120_001);
    assert.equal(fs.readFileSync("/m/d/b", "utf8"), `${"host b".repeat(20_000)}!`);
    await fs.promises.writeFile("/m/new", "new");
    await fs.promises.unlink("/m/a");
    assert.deepEqual(await fs.promises.readdir("/m"), ["d", "new"]);
    fs.rmSync("/m/d", { recursive: true });
    assert.deepEqual(fs.readdirSync("/m"), ["new"]);
    assert.deepEqual(readdirSync(folder), ["a", "d"]);
    assert.equal(readFileSync(join(folder, "d/b"), "utf8").length, 120_000);
    fs.kernel.verify();
    fs.kernel.umount("/m");
    fs.kernel.umount("/h");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("cannot have its upper layer there", () => {
    const fs = build("");
    fs.kernel.mount({ type: "hostfs", source: hostFolder(), target: "/h" });
    fs.mkdirSync("/h/u");
    fs.mkdirSync("/h/w");
    const data = "lowerdir=/l1,upperdir=/h/u,workdir=/h/w";
    assert.equal(
      codeOf(() => fs.kernel.mount({ type: "overlay", target: "/m", data })),
      "EINVAL",
    );
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is in no snapshot, and leaves what lies in memory free there", () => {
    const fs = build("");
    fs.kernel.mount({ type: "hostfs", source: hostFolder(), target: "/h" });
    const data = "lowerdir=/h:/l1,upperdir=/u,workdir=/w";
    fs.kernel.mount({ type: "overlay", target: "/m", data });
    fs.writeFileSync("/m/a", "changed");
    const restored = restoreFsSync(fs.kernel.snapshot(), { types: [overlay] });
    restored.kernel.verify();
    assert.equal(restored.kernel.mounts().length, 1);
    assert.equal(restored.readFileSync("/u/a", "utf8"), "changed");
    restored.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/l1,upperdir=/u,workdir=/w" });
    assert.equal(restored.readFileSync("/m/a", "utf8"), "changed");
    restored.kernel.verify();
    restored.kernel.destroy();
    fs.kernel.destroy();
  });
});

describe("over a store that takes time", () => {
  it("waits in promise calls, and is EAGAIN in synchronous ones; copies that wait leave nothing behind", async () => {
    const tree = remoteDir({
      a: remoteFile("remote a"),
      d: remoteDir({ b: remoteFile("remote b"), l: remoteLink("b") }),
    });
    const remote = new RemoteFs(tree);
    const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay, remote.type] });
    for (const dir of ["/r", "/u", "/w", "/m"]) fs.mkdirSync(dir);
    fs.kernel.mount({ type: remote.type.name, target: "/r" });
    fs.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/r,upperdir=/u,workdir=/w" });
    const asked = new Set<string>();
    remote.hooks.any = (kernel, what) => {
      if (asked.delete(what)) return 0;
      asked.add(what);
      kernel.setWaitToken(Promise.resolve());
      return -EAGAIN;
    };
    const { promises } = fs;
    assert.equal(
      codeOf(() => fs.readFileSync("/m/a")),
      "EAGAIN",
    );
    assert.deepEqual(await promises.readdir("/m"), ["a", "d"]);
    assert.deepEqual(await promises.readdir("/m/d"), ["b", "l"]);
    assert.equal(await promises.readFile("/m/a", "utf8"), "remote a");
    assert.equal(await promises.readFile("/m/d/l", "utf8"), "remote b");
    await promises.appendFile("/m/d/b", "!");
    assert.equal(await promises.readFile("/m/d/b", "utf8"), "remote b!");
    await promises.rename("/m/a", "/m/d/c");
    assert.deepEqual(await promises.readdir("/m/d"), ["b", "c", "l"]);
    await promises.unlink("/m/d/l");
    await promises.chmod("/m/d", 0o700);
    await promises.rm("/m/d", { recursive: true });
    assert.deepEqual(await promises.readdir("/m"), []);
    assert.deepEqual(fs.readdirSync("/w/work"), []);
    assert.deepEqual([...(tree.children?.keys() ?? [])], ["a", "d"]);
    delete remote.hooks.any;
    fs.kernel.verify();
    fs.kernel.umount("/m");
    fs.kernel.umount("/r");
    fs.kernel.verify();
    fs.kernel.destroy();
  });
});

describe("over a type with operations of its own", () => {
  /** A kernel with such a type at /r below an overlay at /m. */
  function over(type: FileSystemType): FolioFs {
    const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay, type] });
    for (const dir of ["/r", "/u", "/w", "/m"]) fs.mkdirSync(dir);
    fs.kernel.mount({ type: type.name, target: "/r" });
    fs.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/r,upperdir=/u,workdir=/w" });
    return fs;
  }

  it("passes on that a file cannot be opened there, and waits for none to be closed", async () => {
    const { type } = new RemoteFs(remoteDir({ a: remoteFile("remote a") }));
    let rc = -EIO;
    let close = (): void => {};
    let nrReleased = 0;
    const release = (): Promise<void> => {
      nrReleased++;
      return new Promise((resolve) => {
        close = resolve;
      });
    };
    const tables = type.tables.map((table) => ({ ...table, file: { ...table.file, open: () => rc, release } }));
    const fs = over({ ...type, tables });
    const nrFiles = fs.kernel.vmstat().nr_files;
    assert.equal(
      codeOf(() => fs.readFileSync("/m/a")),
      "EIO",
    );
    assert.deepEqual([nrReleased, fs.kernel.vmstat().nr_files], [0, nrFiles]);
    rc = 0;
    assert.equal(fs.readFileSync("/m/a", "utf8"), "remote a");
    assert.equal(nrReleased, 1);
    close();
    await new Promise(setImmediate);
    assert.equal(fs.kernel.vmstat().nr_files, nrFiles);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("copies what attributes are there, and nothing where one cannot be read", () => {
    const { type } = new RemoteFs(remoteDir({ a: remoteFile("remote a") }));
    const values: Record<string, Uint8Array | number> = { "user.x": Buffer.from("x"), "user.gone": -ENODATA };
    const listxattr = () => Object.keys(values).map((name) => Buffer.from(name));
    const tables = type.tables.map((table) => ({ ...table, inode: { ...table.inode, listxattr } }));
    const get = (_kernel: unknown, _inode: unknown, name: Uint8Array) => values[String(Buffer.from(name))] ?? -ENODATA;
    const fs = over({ ...type, tables, xattrs: [{ prefix: "user.", get }] });
    values["user.bad"] = -EIO;
    assert.equal(
      codeOf(() => fs.chmodSync("/m/a", 0o600)),
      "EIO",
    );
    assert.deepEqual(fs.readdirSync("/u"), []);
    delete values["user.bad"];
    fs.chmodSync("/m/a", 0o600);
    assert.deepEqual(
      fs.kernel.linux
        .listxattrSync("/u/a")
        .map(String)
        .filter((name) => name.startsWith("user.")),
      ["user.x"],
    );
    fs.kernel.verify();
    fs.kernel.destroy();
  });
});

it("asks an upper layer that changes attributes itself", () => {
  const seen: number[] = [];
  const setattr: InodeOperations["setattr"] = (kernel, inode, attr) => {
    seen.push(attr.mode & 0o7777);
    return attr.mode & 0o1000 ? -EIO : libfs.simpleSetattr(kernel, inode, attr);
  };
  const tables = ramfs.tables.map((table) => ({ ...table, inode: { ...table.inode, setattr } }));
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [overlay, { ...ramfs, name: "askfs", tables }] });
  for (const dir of ["/l", "/r", "/m"]) fs.mkdirSync(dir);
  fs.writeFileSync("/l/a", "lower a");
  fs.kernel.mount({ type: "askfs", target: "/r" });
  for (const dir of ["/r/u", "/r/w"]) fs.mkdirSync(dir);
  fs.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/l,upperdir=/r/u,workdir=/r/w" });
  fs.appendFileSync("/m/a", "!");
  seen.length = 0;
  fs.chmodSync("/m/a", 0o600);
  assert.equal(
    codeOf(() => fs.chmodSync("/m/a", 0o1600)),
    "EIO",
  );
  assert.deepEqual(seen, [0o600, 0o1600]);
  assert.equal(fs.statSync("/m/a").mode & 0o7777, 0o600);
  fs.kernel.verify();
  fs.kernel.destroy();
});

it.each<[string, (fs: FolioFs) => void]>([
  ["a file", (fs) => fs.writeFileSync("/m/a", "new")],
  ["a directory", (fs) => fs.mkdirSync("/m/a")],
  ["a symbolic link", (fs) => fs.symlinkSync("d", "/m/a")],
  ["a link", (fs) => fs.linkSync("/m/own", "/m/a")],
])("makes nothing of %s for which the upper layer refuses to move a whiteout away", (_name, make) => {
  let refusal = 0;
  const rename: InodeOperations["rename"] = (...args) => refusal || (libfs.simpleRename(...args) as number);
  const tables = ramfs.tables.map((table) => ({ ...table, inode: { ...table.inode, rename } }));
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [overlay, { ...ramfs, name: "askfs", tables }] });
  for (const dir of ["/l", "/l/d", "/r", "/m"]) fs.mkdirSync(dir);
  fs.writeFileSync("/l/a", "lower a");
  fs.kernel.mount({ type: "askfs", target: "/r" });
  for (const dir of ["/r/u", "/r/w"]) fs.mkdirSync(dir);
  fs.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/l,upperdir=/r/u,workdir=/r/w" });
  fs.writeFileSync("/m/own", "own");
  fs.unlinkSync("/m/a");
  const nrInodes = fs.kernel.vmstat().nr_inodes;
  refusal = -EIO;
  assert.equal(
    codeOf(() => make(fs)),
    "EIO",
  );
  assert.deepEqual([fs.readdirSync("/m"), fs.readdirSync("/r/w/work")], [["d", "own"], []]);
  assert.equal(fs.statSync("/m/own").nlink, 1);
  assert.equal(fs.kernel.vmstat().nr_inodes, nrInodes);
  fs.kernel.verify();
  refusal = 0;
  make(fs);
  assert.deepEqual(fs.readdirSync("/m"), ["a", "d", "own"]);
  fs.kernel.umount("/m");
  fs.kernel.umount("/r");
  fs.kernel.verify();
  fs.kernel.destroy();
});

describe("in memory alone", () => {
  it("is in snapshots and forks, open files and working directories apart, and its layers with it", () => {
    const fs = build();
    fs.mkdirSync("/m/d/new");
    fs.kernel.mount({ type: "tmpfs", target: "/m/d/new" });
    const fd = fs.openSync("/m/a", "r+");
    fs.writeSync(fd, "UPPER");
    const fork = fs.kernel.fork();
    fork.verify();
    assert.equal(fork.fs.readFileSync("/m/a", "utf8"), "UPPER a");
    fork.fs.writeFileSync("/m/d/new/x", "x");
    fork.fs.unlinkSync("/m/a");
    fork.verify();
    assert.equal(fs.readFileSync("/m/a", "utf8"), "UPPER a");
    for (const target of ["/m/d/new", "/m"]) fork.umount(target);
    fork.verify();
    assert.equal(fork.vfs.core.x.superNext(fork.vfs.core.x.superFirst() as never), 0);
    const bytes = fs.kernel.snapshot();
    fs.writeFileSync("/m/later", "");
    fs.kernel.restore(bytes);
    assert.deepEqual(fs.readdirSync("/m"), ["a", "d"]);
    fs.writeFileSync("/m/d/b", "changed");
    assert.equal(fs.readFileSync("/l2/d/b", "utf8"), "lower b");
    fs.kernel.verify();
    fs.kernel.destroy();
    fork.destroy();
  });

  it("outlives umounts of its layers, and their directories are in use no more when it has gone", () => {
    const fs = build("");
    fs.kernel.mount({ type: "tmpfs", target: "/h" });
    for (const dir of ["/h/l", "/h/u", "/h/w"]) fs.mkdirSync(dir);
    fs.writeFileSync("/h/l/x", "x");
    const data = "lowerdir=/h/l,upperdir=/h/u,workdir=/h/w";
    fs.kernel.mount({ type: "overlay", target: "/m", data });
    assert.equal(
      codeOf(() => fs.kernel.mount({ type: "overlay", target: "/l1", data })),
      "EBUSY",
    );
    fs.kernel.umount("/h");
    fs.appendFileSync("/m/x", "y");
    assert.equal(fs.readFileSync("/m/x", "utf8"), "xy");
    fs.kernel.verify();
    fs.kernel.umount("/m");
    fs.kernel.verify();
    const fresh = build();
    fresh.kernel.umount("/m");
    fresh.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/l1:/l2,upperdir=/u,workdir=/w" });
    fresh.kernel.destroy();
    fs.kernel.destroy();
  });

  it.each(["umount", "detach", "fork", "snapshot"])("ends with what is known below a removed directory: %s", (how) => {
    const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [overlay] });
    for (const dir of ["/base/d", "/top"]) fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync("/base/d/f", "below");
    fs.kernel.layer({ lower: "/base", target: "/top" });
    fs.statSync("/top/d/f");
    fs.unlinkSync("/base/d/f"); // the overlay is not told, and knows the name still
    fs.rmdirSync("/top/d");
    const kernel =
      how === "fork"
        ? fs.kernel.fork()
        : how === "snapshot"
          ? restoreFsSync(fs.kernel.snapshot(), { types: [overlay] }).kernel
          : fs.kernel;
    kernel.umount("/top", { detach: how === "detach" });
    kernel.verify();
    assert.deepEqual(
      kernel.mounts().map(({ target }) => target),
      ["/"],
    );
  });

  it("gives all memory back, whatever has been done to it", () => {
    const seed = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
    console.log(`overlay.test.ts: seed ${seed}`);
    const random = seededRandom(seed);
    const fs = build("");
    const before = fs.kernel.vmstat();
    const pick = (): string => `/m/${["a", "d/b", "d", "new", "d/x", "e"][random(6)]}`;
    for (let round = 0; round < 6; round++) {
      fs.kernel.mount({
        type: "overlay",
        target: "/m",
        data: "lowerdir=/l1:/l2,upperdir=/u,workdir=/w,redirect_dir=on",
      });
      for (let i = 0; i < 60; i++) {
        const call = [
          () => fs.writeFileSync(pick(), "data"),
          () => fs.rmSync(pick(), { recursive: true }),
          () => fs.renameSync(pick(), pick()),
          () => fs.mkdirSync(pick()),
          () => fs.linkSync(pick(), pick()),
          () => fs.readdirSync(pick()),
          () => fs.kernel.dropCaches(2),
        ][random(7)];
        codeOf(call);
      }
      fs.kernel.verify();
      fs.kernel.umount("/m");
      for (const dir of ["/u", "/w"]) {
        fs.rmSync(dir, { recursive: true });
        fs.mkdirSync(dir);
      }
      fs.kernel.verify();
    }
    fs.kernel.dropCaches(3);
    const after = fs.kernel.vmstat();
    for (const name of ["nr_inodes", "nr_dentries", "nr_file_pages"] as const)
      assert.equal((after as never)[name], (before as never)[name], name);
    fs.kernel.destroy();
  });

  it("is mapped as the file of its layer, and the mapping outlives the copy", () => {
    const fs = build();
    const fd = fs.openSync("/m/a", "r+");
    const mapping = fs.kernel.mmap(fd, { prot: 3, flags: 1 });
    mapping.set(Buffer.from("MAPPED"), 0);
    assert.equal(fs.readFileSync("/m/a", "utf8"), "MAPPEDa");
    const view = fs.readView(fd);
    assert.equal(Buffer.from(view.bytes).toString(), "MAPPEDa");
    view.release();
    fs.closeSync(fd);
    fs.unlinkSync("/m/a");
    mapping.munmap();
    fs.kernel.umount("/m");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("has flags of chattr, which the upper layer keeps", () => {
    const fs = build();
    const { linux } = fs.kernel;
    linux.chattrSync("/m/a", 0x10);
    assert.equal(
      codeOf(() => fs.writeFileSync("/m/a", "")),
      "EPERM",
    );
    fs.kernel.dropCaches(2);
    assert.equal(linux.lsattrSync("/m/a"), 0x10);
    assert.equal(linux.lsattrSync("/u/a"), 0x10);
    assert.equal(linux.lsattrSync("/l1/a"), 0);
    linux.chattrSync("/m/a", 0);
    fs.writeFileSync("/m/a", "changed");
    fs.kernel.destroy();
  });

  it("is watched, and what is watched stays known", async () => {
    const fs = build();
    const told: string[] = [];
    const watcher = fs.watch("/m/d", (event, name) => told.push(`${event} ${name}`));
    fs.kernel.dropCaches(2);
    fs.writeFileSync("/m/d/b", "changed");
    fs.writeFileSync("/m/d/new", "");
    fs.unlinkSync("/m/d/b");
    const isTold = (): boolean => ["change b", "rename new", "rename b"].every((event) => told.includes(event));
    for (let turn = 0; turn < 1000 && !isTold(); turn++) await new Promise((resolve) => setTimeout(resolve, 5));
    watcher.close();
    assert(isTold(), told.join());
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("breaks nothing when its layers and work directory are changed directly", () => {
    const seed = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
    console.log(`overlay.test.ts: seed ${seed}`);
    const random = seededRandom(seed);
    const pick = <T>(list: readonly T[]): T => list[random(list.length)];
    const roots = ["/m", "/m", "/m", "/l1", "/u", "/w/work", "/w", "/w/index"];
    const path = (): string => pick(roots) + pick(["/a", "/d", "/d/b", "/h", "/n", "/d/n", "/n/x", ""]);
    for (let round = 0; round < 5; round++) {
      const fs = build("");
      fs.linkSync("/l1/a", "/l1/h");
      const options = "index=on,redirect_dir=on";
      fs.kernel.mount({ type: "overlay", target: "/m", data: `lowerdir=/l1,upperdir=/u,workdir=/w,${options}` });
      const { linux } = fs.kernel;
      const fds: number[] = [];
      const names = ["opaque", "redirect", "origin", "nlink"];
      const calls = [
        () => fs.writeFileSync(path(), "data"),
        () => fs.rmSync(path(), { recursive: true }),
        () => fs.renameSync(path(), path()),
        () => fs.renameat2Sync(path(), path(), 2),
        () => fs.mkdirSync(path()),
        () => fs.linkSync(path(), path()),
        () => fs.readdirSync(path()),
        () => fs.readFileSync(path()),
        () => fs.chmodSync(path(), 0o755),
        () => fs.mknodSync(path(), 0o020000, 0),
        () => fds.push(fs.openSync(path(), "r+")),
        () => fds.length > 0 && fs.writeSync(pick(fds), "x"),
        () => fds.length > 0 && fs.readSync(pick(fds), Buffer.alloc(4)),
        () => fs.kernel.dropCaches(2),
        () =>
          linux.setxattrSync(
            path(),
            `trusted.overlay.${pick(names)}`,
            Buffer.from(pick(["y", "/d", "a", "U+7", "//"])),
          ),
      ];
      for (let i = 0; i < 120; i++) {
        assert.match(codeOf(pick(calls)), /^(ok|E[A-Z]+)$/);
        if (i % 10 === 0) fs.kernel.verify();
      }
      for (const fd of fds) fs.closeSync(fd);
      fs.kernel.fork().destroy();
      fs.kernel.umount("/m");
      fs.kernel.verify();
      fs.kernel.destroy();
    }
  });
});

describe("a layer that is changed directly", () => {
  it("refuses a name that has come there meanwhile", () => {
    const fs = build();
    assert.equal(fs.existsSync("/m/new"), false);
    fs.writeFileSync("/u/new", "direct");
    assert.equal(
      codeOf(() => fs.mkdirSync("/m/new")),
      "EEXIST",
    );
    assert.equal(fs.readFileSync("/u/new", "utf8"), "direct");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("keeps what has a name in the work directory that it would take", () => {
    const fs = build();
    const names = Array.from({ length: 5000 }, (_, i) => `#${(i + 1).toString(16)}`);
    for (const name of names) fs.writeFileSync(`/w/work/${name}`, name);
    fs.rmSync("/m/a");
    fs.writeFileSync("/m/a", "again");
    fs.appendFileSync("/m/d/b", "!");
    assert.equal(fs.readFileSync("/m/a", "utf8"), "again");
    assert.equal(fs.readFileSync("/m/d/b", "utf8"), "lower b!");
    for (const name of names) assert.equal(fs.readFileSync(`/w/work/${name}`, "utf8"), name);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("shows no file whose entry in the index makes no sense", () => {
    const fs = build("");
    fs.linkSync("/l1/a", "/l1/h");
    fs.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/l1,upperdir=/u,workdir=/w,index=on" });
    fs.chmodSync("/m/a", 0o600);
    const [name] = fs.readdirSync("/w/index");
    fs.kernel.linux.setxattrSync(`/w/index/${name}`, "trusted.overlay.metacopy", Buffer.from("?"));
    fs.kernel.dropCaches(2);
    assert.equal(
      codeOf(() => fs.statSync("/m/h")),
      "EIO",
    );
    fs.kernel.linux.removexattrSync(`/w/index/${name}`, "trusted.overlay.metacopy");
    assert.equal(fs.statSync("/m/h").mode & 0o777, 0o600);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("refuses to hide, or to copy up, what has come to be in the upper layer meanwhile", () => {
    const fs = build();
    fs.statSync("/m/a");
    fs.writeFileSync("/u/a", "direct");
    for (const call of [() => fs.chmodSync("/m/a", 0o600), () => fs.unlinkSync("/m/a")]) {
      assert.match(codeOf(call), /^(EEXIST|ESTALE)$/);
    }
    assert.equal(fs.readFileSync("/u/a", "utf8"), "direct");
    assert.deepEqual(fs.readdirSync("/w/work"), []);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("cannot be mounted with a file in the place of the work directory", () => {
    const fs = build("");
    fs.writeFileSync("/w/work", "");
    const data = "lowerdir=/l1,upperdir=/u,workdir=/w";
    assert.equal(
      codeOf(() => fs.kernel.mount({ type: "overlay", target: "/m", data })),
      "EINVAL",
    );
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("moves a new directory over a whiteout, of which nothing is left where no layer has the old name", () => {
    const fs = build();
    fs.unlinkSync("/m/a");
    fs.mkdirSync("/m/new");
    fs.writeFileSync("/m/new/in", "in");
    fs.renameSync("/m/new", "/m/a");
    assert.deepEqual([fs.readdirSync("/m"), fs.readdirSync("/u")], [["a", "d"], ["a"]]);
    assert.equal(fs.readFileSync("/m/a/in", "utf8"), "in");
    fs.kernel.umount("/m");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it.each([
    ["as it is", 1],
    ["when somebody has taken it out before", 0],
  ])("gives up a file's place in the index with its last name, %s", (_how, nr) => {
    const fs = build("");
    fs.linkSync("/l1/a", "/l1/h");
    fs.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/l1,upperdir=/u,workdir=/w,index=on" });
    fs.chmodSync("/m/a", 0o600);
    fs.statSync("/m/h");
    const [name] = fs.readdirSync("/w/index");
    fs.unlinkSync("/m/a");
    assert.equal(fs.statSync("/m/h").nlink, 1);
    assert.deepEqual(fs.readdirSync("/w/index"), [name]);
    if (nr === 0) fs.unlinkSync(`/w/index/${name}`);
    fs.unlinkSync("/m/h");
    assert.deepEqual([fs.readdirSync("/m"), fs.readdirSync("/w/index")], [["d"], []]);
    fs.kernel.umount("/m");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("copies up no file of two names with a file in the place of the index", () => {
    const fs = build("");
    fs.linkSync("/l1/a", "/l1/h");
    fs.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/l1,upperdir=/u,workdir=/w,index=on" });
    fs.rmSync("/w/index", { recursive: true, force: true });
    fs.writeFileSync("/w/index", "");
    assert.equal(
      codeOf(() => fs.chmodSync("/m/h", 0o600)),
      "ESTALE",
    );
    assert.deepEqual([fs.readdirSync("/u"), fs.readFileSync("/m/h", "utf8")], [[], "lower a"]);
    fs.kernel.verify();
    fs.kernel.destroy();
  });
});

it("gives what takes the place of a lower name the group of a directory with its bit", () => {
  const fs = build();
  fs.mkdirSync("/l2/d/sub");
  fs.chownSync("/m/d", 5, 6);
  fs.chmodSync("/m/d", 0o2775);
  fs.rmSync("/m/d/b");
  fs.rmdirSync("/m/d/sub");
  fs.writeFileSync("/m/d/b", "new");
  fs.mkdirSync("/m/d/sub");
  assert.equal(fs.statSync("/m/d/b").gid, 6);
  assert.equal(fs.statSync("/m/d/b").mode & 0o7000, 0);
  assert.equal(fs.statSync("/m/d/sub").gid, 6);
  assert.equal(fs.statSync("/m/d/sub").mode & 0o7000, 0o2000);
  fs.kernel.verify();
  fs.kernel.destroy();
});
