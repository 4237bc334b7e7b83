/** Remounts with other lower layers. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs, MS_RDONLY, MS_REMOUNT, restoreFsSync } from "../../../../src/index.ts";
import { overlay } from "../../../../src/layers.ts";
import { codeOf } from "../../../helpers/code-of.ts";
import { RemoteFs, remoteDir, remoteFile } from "../../../helpers/remote-fs.ts";

function build(): FolioFs {
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [overlay] });
  for (const dir of ["l1", "l2", "l3", "u", "w", "m", "m2"]) fs.mkdirSync(`/${dir}`);
  for (const n of [1, 2, 3]) {
    fs.mkdirSync(`/l${n}/d`);
    fs.writeFileSync(`/l${n}/a`, `a${n}`);
    fs.writeFileSync(`/l${n}/d/x${n}`, `x${n}`);
    fs.writeFileSync(`/l${n}/only${n}`, `only${n}`);
  }
  fs.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/l1,upperdir=/u,workdir=/w" });
  return fs;
}

function remount(fs: FolioFs, data: string, target = "/m", flags = 0): string {
  return codeOf(() => fs.kernel.mount({ target, data, flags: MS_REMOUNT | flags }));
}

function end(fs: FolioFs): void {
  fs.kernel.verify();
  fs.kernel.umount("/m");
  fs.kernel.verify();
  fs.kernel.destroy();
}

describe("a remount of an overlay", () => {
  it("shows other lower layers, and what has been changed", () => {
    const fs = build();
    assert.deepEqual(fs.readdirSync("/m"), ["a", "d", "only1"]);
    fs.writeFileSync("/m/d/new", "new");
    fs.statSync("/m/d/x1");
    for (let i = 0; i < 3; i++) assert.equal(fs.existsSync("/m/only2"), false);
    for (let i = 0; i < 3; i++) assert.equal(fs.existsSync("/m/only1"), true);
    assert.equal(remount(fs, "lowerdir=/l2:/l3"), "ok");
    fs.kernel.verify();
    assert.deepEqual(
      [1, 2, 3].map((n) => fs.existsSync(`/m/only${n}`)),
      [false, true, true],
    );
    assert.deepEqual(fs.readdirSync("/m"), ["a", "d", "only2", "only3"]);
    assert.deepEqual(fs.readdirSync("/m/d"), ["new", "x2", "x3"]);
    assert.equal(fs.readFileSync("/m/a", "utf8"), "a2");
    fs.appendFileSync("/m/only3", "!");
    assert.match(fs.kernel.mounts().at(-1)?.options ?? "", /lowerdir=\/l2:\/l3,upperdir=\/u,workdir=\/w/);
    assert.equal(
      codeOf(() => fs.rmdirSync("/l1")),
      "ENOTEMPTY",
    );
    fs.rmSync("/l1", { recursive: true });
    assert.equal(remount(fs, "lowerdir=/l3"), "ok");
    assert.deepEqual(fs.readdirSync("/m"), ["a", "d", "only3"]);
    assert.equal(fs.readFileSync("/m/only3", "utf8"), "only3!");
    end(fs);
  });

  it("takes nothing else that is not as it is", () => {
    const fs = build();
    for (const data of [
      "upperdir=/u2",
      "workdir=/m2",
      "index=on",
      "redirect_dir=on",
      "volatile",
      "unknown",
      "lowerdir=",
    ])
      assert.equal(remount(fs, data), "EINVAL", data);
    for (const data of ["", "upperdir=/u", "index=off,redirect_dir=off", "lowerdir=/l1,upperdir=/u,workdir=/w"])
      assert.equal(remount(fs, data), "ok", data);
    assert.equal(remount(fs, "lowerdir=/missing"), "ENOENT");
    assert.equal(remount(fs, "lowerdir=/l1/a"), "EINVAL");
    assert.equal(remount(fs, "lowerdir=/l2:/l2/d"), "ELOOP");
    assert.equal(remount(fs, "lowerdir=/u"), "ELOOP");
    assert.equal(remount(fs, "lowerdir=/m"), "ELOOP");
    const user = fs.kernel.task({ uid: 1000, gid: 1000 });
    assert.equal(
      codeOf(() => user.kernel.mount({ target: "/m", data: "lowerdir=/l2", flags: MS_REMOUNT })),
      "EPERM",
    );
    assert.deepEqual(fs.readdirSync("/m"), ["a", "d", "only1"]);
    end(fs);
  });

  it("is refused while something below the root is in use", () => {
    const fs = build();
    const fd = fs.openSync("/m/a", "r");
    assert.equal(remount(fs, "lowerdir=/l2"), "EBUSY");
    fs.closeSync(fd);
    const task = fs.kernel.task({ cwd: "/m/d" });
    assert.equal(remount(fs, "lowerdir=/l2"), "EBUSY");
    task.task.chdir("/m");
    fs.kernel.mount({ type: "tmpfs", target: "/m/d" });
    assert.equal(remount(fs, "lowerdir=/l2"), "EBUSY");
    fs.kernel.umount("/m/d");
    const dir = fs.openSync("/m", "r");
    assert.equal(remount(fs, "lowerdir=/l2"), "ok");
    assert.deepEqual(task.readdirSync("."), ["a", "d", "only2"]);
    assert.equal(fs.fstatSync(dir).isDirectory(), true);
    fs.closeSync(dir);
    task.task.chdir("/");
    end(fs);
  });

  it("without an upper layer wants two, and shows what the first is", () => {
    const fs = build();
    fs.chmodSync("/l3", 0o700);
    fs.kernel.mount({ type: "overlay", target: "/m2", data: "lowerdir=/l1:/l2", flags: MS_RDONLY });
    assert.equal(remount(fs, "lowerdir=/l3", "/m2", MS_RDONLY), "EINVAL");
    assert.equal(remount(fs, "lowerdir=/l3:/l1", "/m2"), "EROFS");
    assert.equal(remount(fs, "lowerdir=/l3:/l1", "/m2", MS_RDONLY), "ok");
    assert.equal(fs.statSync("/m2").mode & 0o777, 0o700);
    assert.deepEqual(fs.readdirSync("/m2"), ["a", "d", "only1", "only3"]);
    fs.kernel.umount("/m2");
    end(fs);
  });

  it("shows through overlays over it, and does not come to stand on itself", () => {
    const fs = build();
    for (const dir of ["u2", "w2"]) fs.mkdirSync(`/${dir}`);
    fs.kernel.mount({ type: "overlay", target: "/m2", data: "lowerdir=/m,upperdir=/u2,workdir=/w2" });
    assert.equal(fs.readFileSync("/m2/a", "utf8"), "a1");
    assert.equal(remount(fs, "lowerdir=/m2"), "ELOOP");
    const fd = fs.openSync("/m2/a", "r");
    assert.equal(remount(fs, "lowerdir=/l2"), "EBUSY");
    fs.closeSync(fd);
    assert.equal(remount(fs, "lowerdir=/l2"), "ok");
    assert.deepEqual(fs.readdirSync("/m2"), ["a", "d", "only2"]);
    assert.equal(fs.readFileSync("/m2/a", "utf8"), "a2");
    fs.kernel.umount("/m2");
    end(fs);
  });

  it("is in snapshots as long as all layers are in memory", () => {
    const fs = build();
    const remote = new RemoteFs(remoteDir({ r: remoteFile("remote") }));
    fs.kernel.registerFileSystem(remote.type);
    fs.mkdirSync("/r");
    fs.kernel.mount({ type: remote.type.name, target: "/r" });
    const nrMounts = (): number => {
      const restored = restoreFsSync(fs.kernel.snapshot(), { types: [overlay] });
      restored.kernel.verify();
      const nr = restored.kernel.mounts().length;
      restored.kernel.destroy();
      return nr;
    };
    assert.equal(nrMounts(), 2);
    assert.equal(remount(fs, "lowerdir=/l2:/r"), "ok");
    fs.kernel.verify();
    assert.equal(fs.readFileSync("/m/r", "utf8"), "remote");
    assert.equal(nrMounts(), 1);
    assert.equal(remount(fs, "lowerdir=/l2"), "ok");
    assert.equal(nrMounts(), 2);
    const fork = fs.kernel.fork();
    assert.equal(fork.fs.readFileSync("/m/a", "utf8"), "a2");
    fork.destroy();
    fs.kernel.umount("/r");
    end(fs);
  });

  it("forgets a name that cannot be looked up again", () => {
    const fs = build();
    fs.kernel.umount("/m");
    fs.linkSync("/l1/a", "/l1/h");
    fs.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/l1,upperdir=/u,workdir=/w,index=on" });
    fs.chmodSync("/m/a", 0o600);
    assert.equal(fs.statSync("/m/h").mode & 0o777, 0o600);
    const index = `/w/index/${fs.readdirSync("/w/index")[0]}`;
    fs.kernel.linux.setxattrSync(index, "trusted.overlay.metacopy", Buffer.from("?"));
    assert.equal(remount(fs, "lowerdir=/l1:/l2,index=on"), "ok");
    assert.equal(
      codeOf(() => fs.statSync("/m/h")),
      "EIO",
    );
    fs.kernel.linux.removexattrSync(index, "trusted.overlay.metacopy");
    assert.equal(fs.statSync("/m/h").mode & 0o777, 0o600);
    end(fs);
  });

  it("changes nothing when an allocation fails", () => {
    for (let n = 1; ; n++) {
      const fs = build();
      fs.kernel.vfs.core.x.setFailAfter(n);
      const code = remount(fs, "lowerdir=/l2:/l3:/l1");
      fs.kernel.vfs.core.x.setFailAfter(0);
      fs.kernel.verify();
      assert.deepEqual(fs.readdirSync("/m").length, code === "ok" ? 5 : 3);
      end(fs);
      if (code === "ok") return assert(n > 3);
      assert.equal(code, "ENOMEM");
    }
  });

  it("of a layer is what its reset and its forks stand on", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/l1", target: "/m2" });
    fs.writeFileSync("/m2/a", "changed");
    assert.equal(remount(fs, "lowerdir=/l3", "/m2"), "ok");
    assert.deepEqual(fs.readdirSync("/m2"), ["a", "d", "only3"]);
    fs.mkdirSync("/f");
    const fork = layer.fork("/f");
    layer.commit();
    assert.equal(fs.readFileSync("/l3/a", "utf8"), "changed");
    layer.reset();
    fork.reset();
    for (const target of ["/m2", "/f"]) assert.deepEqual(fs.readdirSync(target), ["a", "d", "only3"]);
    fork.drop();
    layer.drop();
    end(fs);
  });
});
