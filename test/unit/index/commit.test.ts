/** layer.commit(): changes go down into what lies below, all or nothing, and every layer sees it. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../../src/base/mman.ts";
import { createFsSync, type FolioFs, MS_BIND } from "../../../src/index.ts";
import { overlay } from "../../../src/layers.ts";
import { KERNEL_BLOCK, KERNEL_FAIL_AFTER } from "../../../src/wasm/layout.ts";
import { codeOf } from "../../helpers/code-of.ts";

function build(): FolioFs {
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay] });
  for (const dir of ["/base", "/base/src", "/base/src/deep", "/base/empty", "/a", "/b", "/c"]) fs.mkdirSync(dir);
  fs.writeFileSync("/base/README", "base");
  fs.writeFileSync("/base/src/main", "main".repeat(5000));
  fs.writeFileSync("/base/src/deep/x", "x");
  fs.linkSync("/base/src/main", "/base/main2");
  fs.chownSync("/base", 7, 8);
  return fs;
}

/** All that shows of a tree but for numbers of inodes and counts of links; for files which other name is the same file. */
function look(fs: FolioFs, path: string): unknown {
  const files = new Map<string, string>();
  const { linux } = fs.kernel;
  const visit = (at: string): unknown => {
    const { mode, uid, gid, mtimeMs, ino, dev, size } = fs.lstatSync(at);
    const names = linux.llistxattrSync(at).map(String);
    const xattrs = names
      .filter((name) => !name.startsWith("trusted.overlay."))
      .map((name) => [name, String(linux.lgetxattrSync(at, name))]);
    const own = [mode.toString(8), uid, gid, mtimeMs, xattrs];
    const type = mode & 0o170000;
    if (type === 0o040000) return [...own, fs.readdirSync(at).map((name) => [name, visit(`${at}/${name}`)])];
    const first = files.get(`${dev}:${ino}`) ?? at.slice(path.length);
    files.set(`${dev}:${ino}`, first);
    const data = type === 0o120000 ? fs.readlinkSync(at) : type === 0o100000 ? fs.readFileSync(at, "latin1") : "";
    return [...own, size, first, data.slice(0, 40), data.length];
  };
  return visit(path);
}

/** Changes of every kind. */
function change(fs: FolioFs, top: string): void {
  fs.appendFileSync(`${top}/README`, ", changed");
  fs.mkdirSync(`${top}/new/sub`, { recursive: true });
  fs.writeFileSync(`${top}/new/sub/file`, "new");
  fs.linkSync(`${top}/new/sub/file`, `${top}/linked`);
  fs.symlinkSync("README", `${top}/ln`);
  fs.symlinkSync("long/".repeat(40), `${top}/new/ln`);
  fs.mknodSync(`${top}/fifo`, 0o010644);
  fs.unlinkSync(`${top}/main2`);
  fs.rmdirSync(`${top}/empty`);
  fs.renameSync(`${top}/src/deep`, `${top}/new/moved`);
  fs.writeFileSync(`${top}/new/moved/y`, "y");
  fs.renameSync(`${top}/src`, `${top}/source`);
  fs.chmodSync(`${top}/source`, 0o700);
  fs.chownSync(`${top}/new`, 5, 6);
  fs.utimesSync(`${top}/new/sub`, 1, 2);
  fs.kernel.linux.setxattrSync(`${top}/source`, "user.x", Buffer.from("v"));
  fs.kernel.linux.setxattrSync(`${top}/new/sub/file`, "user.y", Buffer.from("w"));
}

describe("a commit", () => {
  it("makes of what is below what the layer shows, which has nothing of its own then", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a", size: "1m", nr_inodes: 100 });
    change(fs, "/a");
    const { ino } = fs.statSync("/base/src/main");
    const before = look(fs, "/a");
    layer.commit();
    fs.kernel.verify();
    assert.deepEqual(look(fs, "/base"), before);
    assert.deepEqual(look(fs, "/a"), before);
    assert.deepEqual(layer.usage(), { bytes: 0, inodes: 0, maxBytes: 2 ** 20, maxInodes: 100 });
    assert.equal(fs.statSync("/base/source/main").ino, ino, "what has not changed is what it was");
    assert.deepEqual(layer.diff(), []);
    layer.commit();
    assert.deepEqual(look(fs, "/base"), before);
    fs.kernel.verify();
    layer.drop();
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("moves directories around each other, and into each other", () => {
    const fs = build();
    for (const path of ["p/q/r", "s/t"]) fs.mkdirSync(`/base/${path}`, { recursive: true });
    for (const path of ["p/1", "p/q/2", "p/q/r/3", "s/4", "s/t/5"]) fs.writeFileSync(`/base/${path}`, path);
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.renameat2Sync("/a/p", "/a/s", 2);
    fs.renameSync("/a/s/q", "/a/out");
    fs.renameSync("/a/s", "/a/out/r/in");
    fs.renameSync("/a/p/t", "/a/s");
    fs.rmSync("/a/p", { recursive: true });
    fs.writeFileSync("/a/p", "a file now");
    fs.unlinkSync("/a/README");
    fs.mkdirSync("/a/README");
    fs.rmSync("/a/src", { recursive: true });
    fs.mkdirSync("/a/src/deep", { recursive: true });
    const before = look(fs, "/a");
    layer.commit();
    fs.kernel.verify();
    assert.deepEqual(look(fs, "/base"), before);
    assert.deepEqual(look(fs, "/a"), before);
    fs.kernel.destroy();
  });

  it("shows in other layers where they have changed nothing", () => {
    const fs = build();
    const a = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.kernel.layer({ lower: "/base", target: "/b" });
    for (const name of ["README", "src/main", "empty"]) fs.statSync(`/b/${name}`);
    for (let i = 0; i < 3; i++) assert.equal(fs.existsSync("/b/new"), false);
    fs.writeFileSync("/b/src/deep/x", "b's");
    const fd = fs.openSync("/b/README", "r");
    const task = fs.kernel.task({ root: "/b", cwd: "/src/deep" });
    assert.equal(task.readFileSync("x", "utf8"), "b's");
    fs.chmodSync("/a", 0o711);
    fs.writeFileSync("/a/README", "a's");
    fs.writeFileSync("/a/src/deep/x", "a's");
    fs.writeFileSync("/a/src/deep/z", "z");
    fs.mkdirSync("/a/new");
    fs.rmdirSync("/a/empty");
    a.commit();
    fs.kernel.verify();
    assert.equal(fs.readFileSync("/b/README", "utf8"), "a's");
    assert.equal(fs.readFileSync(fd, "utf8"), "base", "who has it open keeps it");
    assert.equal(
      codeOf(() => fs.fchmodSync(fd, 0o600)),
      "ESTALE",
    );
    assert.equal(fs.statSync("/b").mode & 0o777, 0o711);
    assert.equal(task.readFileSync("x", "utf8"), "b's");
    assert.deepEqual(task.readdirSync("."), ["x", "z"]);
    assert.equal(fs.existsSync("/b/new"), true);
    assert.equal(fs.existsSync("/b/empty"), false);
    assert.deepEqual(fs.readdirSync("/b"), ["README", "main2", "new", "src"]);
    assert.equal(fs.readFileSync("/a/README", "utf8"), "a's");
    fs.closeSync(fd);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("leaves what another layer has moved or hidden to that", () => {
    const fs = build();
    const a = fs.kernel.layer({ lower: "/base", target: "/a" });
    const b = fs.kernel.layer({ lower: "/base", target: "/b" });
    fs.renameSync("/b/src", "/b/mine");
    fs.unlinkSync("/b/README");
    fs.renameSync("/a/src", "/a/yours");
    fs.writeFileSync("/a/yours/deep/x", "a's");
    a.commit();
    fs.kernel.verify();
    assert.deepEqual(fs.readdirSync("/b"), ["empty", "main2", "mine", "yours"]);
    assert.deepEqual(fs.readdirSync("/b/mine"), [], "its lower part has gone elsewhere");
    assert.equal(fs.readFileSync("/b/yours/deep/x", "utf8"), "a's");
    const before = look(fs, "/b");
    b.commit();
    fs.kernel.verify();
    assert.deepEqual(look(fs, "/base"), before);
    assert.deepEqual(fs.readdirSync("/a"), ["empty", "main2", "mine", "yours"]);
    fs.kernel.destroy();
  });

  it("leaves open files usable, and those that are written to in the layer, too", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.writeFileSync("/a/README", "changed");
    fs.mkdirSync("/a/new");
    fs.writeFileSync("/a/new/log", "one,");
    fs.writeFileSync("/a/new/other", "other");
    const reads = fs.openSync("/a/README", "r");
    const writes = fs.openSync("/a/new/log", "a");
    const gone = fs.openSync("/a/gone", "w+");
    fs.writeSync(gone, "gone");
    fs.unlinkSync("/a/gone");
    const before = look(fs, "/a");
    layer.commit();
    fs.kernel.verify();
    assert.deepEqual(look(fs, "/a"), before);
    assert.deepEqual(look(fs, "/base"), before);
    assert.equal(fs.readFileSync(reads, "utf8"), "changed");
    assert.deepEqual(
      layer.diff().filter(({ changed }) => changed[0] !== "times"),
      [],
    );
    fs.writeSync(writes, "two");
    assert.equal(fs.readFileSync("/a/new/log", "utf8"), "one,two");
    assert.equal(fs.readFileSync("/base/new/log", "utf8"), "one,");
    const buffer = Buffer.alloc(4);
    fs.readSync(gone, buffer, 0, 4, 0);
    assert.equal(buffer.toString(), "gone");
    for (const fd of [reads, writes, gone]) fs.closeSync(fd);
    fs.kernel.verify();
    layer.commit();
    assert.equal(fs.readFileSync("/base/new/log", "utf8"), "one,two");
    assert.deepEqual([layer.usage().bytes, layer.usage().inodes], [0, 0]);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("keeps a file that is mapped, whose mapping goes on", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    const fd = fs.openSync("/a/README", "r+");
    const mapping = fs.kernel.mmap(fd, { prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED });
    fs.closeSync(fd);
    layer.commit();
    fs.kernel.verify();
    mapping.set(Buffer.from("BASE"), 0);
    assert.equal(fs.readFileSync("/a/README", "utf8"), "BASE");
    assert.equal(fs.readFileSync("/base/README", "utf8"), "base");
    mapping.munmap();
    layer.commit();
    assert.equal(fs.readFileSync("/base/README", "utf8"), "BASE");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("needs a right to it, and a directory in memory that may be written to", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.writeFileSync("/a/README", "changed");
    const user = fs.kernel.task({ uid: 1000, gid: 1000 });
    fs.chmodSync("/base", 0o777);
    assert.equal(
      codeOf(() => user.kernel.layer({ lower: "/base", target: "/b" })),
      "EPERM",
    );
    fs.kernel.mount({ type: "bind", source: "/base", target: "/b", flags: 4096 });
    fs.kernel.mount({ type: "none", target: "/b", flags: 4096 | 32 | 1 });
    const onReadOnly = fs.kernel.layer({ lower: "/b", target: "/c" });
    fs.writeFileSync("/c/README", "c");
    assert.equal(
      codeOf(() => onReadOnly.commit()),
      "EROFS",
    );
    const fork = onReadOnly.fork("/base/empty");
    assert.equal(
      codeOf(() => fork.commit()),
      "EROFS",
    );
    fork.drop();
    onReadOnly.drop();
    const over = fs.kernel.layer({ lower: "/a", target: "/c" });
    assert.equal(
      codeOf(() => over.commit()),
      "EROFS",
    );
    over.drop();
    layer.drop();
    assert.equal(
      codeOf(() => layer.commit()),
      "EINVAL",
    );
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is refused where something is mounted on what would go, or move", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.kernel.mount({ type: "tmpfs", target: "/base/src/deep" });
    fs.renameSync("/a/src/deep", "/a/deep");
    const before = [look(fs, "/a"), look(fs, "/base")];
    assert.equal(
      codeOf(() => layer.commit()),
      "EBUSY",
    );
    fs.rmSync("/a/src", { recursive: true });
    fs.rmSync("/a/deep", { recursive: true });
    assert.equal(
      codeOf(() => layer.commit()),
      "EBUSY",
    );
    assert.deepEqual(look(fs, "/base"), before[1]);
    fs.kernel.verify();
    fs.kernel.umount("/base/src/deep");
    layer.commit();
    assert.deepEqual(fs.readdirSync("/base"), ["README", "empty", "main2"]);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is refused where something is mounted on a file that another would replace", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.kernel.mount({ source: "/base/main2", target: "/base/README", flags: MS_BIND });
    fs.unlinkSync("/a/README");
    fs.writeFileSync("/a/README", "another");
    assert.equal(
      codeOf(() => layer.commit()),
      "EBUSY",
    );
    fs.kernel.verify();
    fs.kernel.umount("/base/README");
    assert.equal(fs.readFileSync("/base/README", "utf8"), "base");
    layer.commit();
    assert.equal(fs.readFileSync("/base/README", "utf8"), "another");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("brings extended attributes of the top directory", () => {
    const fs = build();
    const { linux } = fs.kernel;
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    linux.setxattrSync("/base", "user.old", Buffer.from("w"));
    linux.setxattrSync("/a", "user.x", Buffer.from("v"));
    layer.commit();
    assert.deepEqual(linux.listxattrSync("/base").map(String).sort(), ["user.old", "user.x"]); // its own stays
    for (const path of ["/base", "/a"]) assert.equal(String(linux.getxattrSync(path, "user.x")), "v");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("hides what lies below the directory that it writes to", () => {
    const fs = build();
    for (const dir of ["/below", "/below/src", "/below/both", "/below/moves", "/base/both"]) fs.mkdirSync(dir);
    for (const path of ["/below/old", "/below/src/below", "/below/both/1", "/below/moves/2", "/base/both/3"])
      fs.writeFileSync(path, path);
    fs.writeFileSync("/below/README", "below");
    const layer = fs.kernel.layer({ lower: ["/base", "/below"], target: "/a" });
    fs.kernel.layer({ lower: ["/base", "/below"], target: "/b" });
    fs.unlinkSync("/a/old");
    fs.unlinkSync("/a/README");
    fs.rmSync("/a/src", { recursive: true });
    fs.mkdirSync("/a/src");
    fs.writeFileSync("/a/src/mine", "mine");
    fs.renameSync("/a/both", "/a/empty/both");
    fs.renameSync("/a/moves", "/a/moved");
    fs.writeFileSync("/a/moved/4", "4");
    const before = look(fs, "/a");
    layer.commit();
    fs.kernel.verify();
    assert.deepEqual(look(fs, "/a"), before);
    assert.deepEqual(look(fs, "/b"), before);
    assert.deepEqual(fs.readdirSync("/a/empty/both"), ["1", "3"]);
    assert.deepEqual(fs.readdirSync("/a/moved"), ["2", "4"]);
    fs.writeFileSync("/a/old", "again");
    fs.rmSync("/a/moved", { recursive: true });
    fs.mkdirSync("/a/both");
    const after = look(fs, "/a");
    layer.commit();
    fs.kernel.verify();
    assert.deepEqual(look(fs, "/b"), after);
    fs.kernel.destroy();
  });

  it("counts what will be there: no more than the limits, and all of them", () => {
    const fs = build();
    fs.mkdirSync("/t");
    fs.kernel.mount({ type: "tmpfs", target: "/t", data: "size=64k,nr_inodes=8" });
    fs.mkdirSync("/t/base");
    fs.writeFileSync("/t/base/big", Buffer.alloc(56 * 1024, "b"));
    fs.writeFileSync("/t/base/small", "s");
    const layer = fs.kernel.layer({ lower: "/t/base", target: "/a" });
    fs.appendFileSync("/a/big", "!");
    const fd = fs.openSync("/t/base/small", "r");
    layer.commit();
    fs.kernel.verify();
    assert.equal(fs.statfsSync("/t").bfree, 0);
    assert.equal(fs.readFileSync("/t/base/big").length, 56 * 1024 + 1);
    fs.writeFileSync("/a/more", "more");
    fs.unlinkSync("/a/small");
    const before = look(fs, "/t/base");
    assert.equal(
      codeOf(() => layer.commit()),
      "ENOSPC",
      "small is still open",
    );
    assert.deepEqual(look(fs, "/t/base"), before);
    fs.kernel.verify();
    fs.closeSync(fd);
    layer.commit();
    assert.deepEqual(fs.readdirSync("/t/base"), ["big", "more"]);
    for (let i = 0; i < 6; i++) fs.mkdirSync(`/a/${i}`);
    assert.equal(
      codeOf(() => layer.commit()),
      "ENOSPC",
    );
    fs.rmdirSync("/a/0");
    fs.rmdirSync("/a/1");
    layer.commit();
    assert.equal(fs.statfsSync("/t").ffree, 0);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("shares pages on its way down, and gives them back", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.writeFileSync("/a/big", Buffer.alloc(2 ** 20, "big"));
    const before = fs.kernel.usage().data;
    layer.commit();
    assert.equal(fs.kernel.usage().data, before);
    fs.unlinkSync("/base/big");
    assert.equal(fs.kernel.usage().data, before - 2 ** 20);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("changes nothing when an allocation fails", () => {
    for (let n = 1; ; n++) {
      const fs = build();
      const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
      fs.kernel.layer({ lower: "/base", target: "/b" });
      change(fs, "/a");
      const task = fs.kernel.task({ root: "/b", cwd: "/src" });
      const before = look(fs, "/a");
      const below = look(fs, "/base");
      fs.kernel.vfs.core.x.setFailAfter(n);
      const code = codeOf(() => layer.commit());
      fs.kernel.vfs.core.x.setFailAfter(0);
      fs.kernel.verify();
      assert.deepEqual(look(fs, "/a"), before);
      assert.deepEqual(look(fs, "/base"), code === "ok" ? before : below);
      assert.deepEqual(look(fs, "/b"), code === "ok" ? before : below);
      task.kernel.verify();
      fs.kernel.destroy();
      if (code === "ok") {
        assert(n > 10);
        return;
      }
      assert(code === "ENOSPC" || code === "ENOMEM", code);
    }
  });

  it("has another layer forget a name that somebody stands in, when there is no memory to note what it shows", () => {
    let nrForgotten = 0;
    for (let n = 1; ; n++) {
      const fs = build();
      fs.mkdirSync("/more/src", { recursive: true });
      fs.writeFileSync("/more/src/other", "other");
      const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
      fs.kernel.mount({ type: "tmpfs", target: "/c" });
      for (const dir of ["/c/u", "/c/w"]) fs.mkdirSync(dir);
      fs.kernel.mount({ type: "overlay", target: "/b", data: "lowerdir=/base:/more,upperdir=/c/u,workdir=/c/w" });
      fs.writeFileSync("/a/README", "changed");
      const task = fs.kernel.task({ cwd: "/b/src" });
      const { core } = fs.kernel.vfs;
      core.x.setFailAfter(n);
      const code = codeOf(() => layer.commit());
      const isUsedUp = core.u32[(KERNEL_BLOCK >>> 2) + KERNEL_FAIL_AFTER] <= 1;
      core.x.setFailAfter(0);
      fs.kernel.verify();
      if (code === "ok" && codeOf(() => task.task.cwd()) === "ENOENT") nrForgotten++;
      assert.equal(fs.readFileSync("/b/README", "utf8"), code === "ok" ? "changed" : "base");
      for (const names of [task.readdirSync("."), fs.readdirSync("/b/src")])
        assert.deepEqual(names, ["deep", "main", "other"]);
      task.kernel.exit(task);
      layer.drop();
      for (const target of ["/b", "/c"]) fs.kernel.umount(target); // nothing is held any more
      fs.kernel.verify();
      fs.kernel.destroy();
      if (!isUsedUp) break;
    }
    assert.ok(nrForgotten > 0);
  });

  it("has another layer forget a name that makes no sense any more; who has it open keeps it", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    for (const dir of ["/u", "/w"]) fs.mkdirSync(dir);
    fs.kernel.mount({ type: "overlay", target: "/b", data: "lowerdir=/base,upperdir=/u,workdir=/w" });
    fs.writeFileSync("/b/README", "own");
    const fd = fs.openSync("/b/README", "r");
    fs.kernel.linux.setxattrSync("/u/README", "trusted.overlay.metacopy", Buffer.from("?"));
    assert.equal(fs.statSync("/b/README").size, 3); // it is known
    fs.writeFileSync("/a/other", "other");
    layer.commit();
    assert.equal(
      codeOf(() => fs.statSync("/b/README")),
      "EIO",
    );
    assert.equal(fs.readFileSync(fd, "utf8"), "own");
    fs.kernel.linux.removexattrSync("/u/README", "trusted.overlay.metacopy");
    assert.equal(fs.readFileSync("/b/README", "utf8"), "own");
    fs.closeSync(fd);
    fs.kernel.umount("/b");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is told to who watches what is below", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    const events: string[] = [];
    const watcher = fs.watch("/base", (event, name) => events.push(`${event} ${name}`));
    fs.writeFileSync("/a/README", "changed");
    fs.rmdirSync("/a/empty");
    fs.renameSync("/a/src", "/a/source");
    layer.commit();
    fs.kernel.verify();
    return new Promise<void>((resolve) => setTimeout(resolve, 0)).then(() => {
      watcher.close();
      assert.deepEqual(new Set(events), new Set(["rename README", "rename empty", "rename src", "rename source"]));
      fs.kernel.destroy();
    });
  });

  it("is in forks and snapshots of the kernel as it is", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    change(fs, "/a");
    layer.commit();
    const before = look(fs, "/a");
    const fork = fs.kernel.fork();
    assert.deepEqual(look(fork.fs as FolioFs, "/a"), before);
    fork.verify();
    fork.destroy();
    fs.kernel.destroy();
  });
});
