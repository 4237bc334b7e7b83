/** Mounts as the kernel's interface shows them: types, the table, options, pseudo file systems. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { EBUSY, EEXIST, EINVAL, EIO, ENODEV, ENOSPC } from "../../../src/base/errno.ts";
import {
  createFsSync,
  type FileSystemType,
  type FolioFs,
  FS_NOUSER,
  MS_BIND,
  MS_NOATIME,
  MS_RDONLY,
  MS_REMOUNT,
  ramfs,
  type SuperBlock,
  tmpfs,
} from "../../../src/index.ts";
import { kernMount } from "../../../src/vfs/kern-mount.ts";
import { dropMount } from "../../../src/vfs/mount.ts";
import { RemoteFs, remoteDir } from "../../helpers/remote-fs.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const LIMIT = 32 * 2 ** 20;

function newFs(types: FileSystemType[] = []): FolioFs {
  return createFsSync({ memoryLimit: LIMIT, types });
}

function named(name: string, rest: Partial<FileSystemType> = {}): FileSystemType {
  return { ...ramfs, name, ...rest };
}

const messageOf = (call: () => unknown): string => {
  try {
    call();
    return "ok";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("file system types", () => {
  it("are registered and unregistered once", () => {
    const { kernel } = newFs();
    const type = named("onefs");
    kernel.registerFileSystem(type);
    assert.equal(
      outcomeOf(() => kernel.registerFileSystem(type)),
      "EEXIST",
    );
    assert.equal(kernel.vfs.registerFileSystem(named("onefs")), -EEXIST);
    assert.equal(kernel.vfs.unregisterFileSystem(named("onefs")), -EINVAL);
    kernel.unregisterFileSystem(type);
    assert.equal(
      outcomeOf(() => kernel.unregisterFileSystem(type)),
      "EINVAL",
    );
    assert.equal(
      outcomeOf(() => kernel.mount({ type: "onefs", target: "/" })),
      "ENODEV",
    );
    kernel.registerFileSystem(type);
  });

  it("have names of 1 to 31 printable characters", () => {
    const { vfs } = newFs().kernel;
    for (const name of ["", "two words", "tab\t", "naïve", "x".repeat(32)]) {
      assert.equal(vfs.registerFileSystem(named(name)), -EINVAL, name);
    }
    assert.equal(vfs.registerFileSystem(named("x".repeat(31))), 0);
    assert.equal(vfs.typeIdOf("x".repeat(31)) >= 0, true);
    assert.equal(vfs.typeIdOf("missing"), -ENODEV);
  });

  it("stay while they are mounted", () => {
    const fs = newFs();
    const type = named("busyfs");
    fs.kernel.registerFileSystem(type);
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "busyfs", target: "/m" });
    assert.equal(fs.kernel.vfs.unregisterFileSystem(type), -EBUSY);
    fs.kernel.umount("/m");
    assert.equal(fs.kernel.vfs.unregisterFileSystem(type), 0);
    assert.equal(fs.kernel.vfs.unregisterFileSystem(tmpfs), -EBUSY);
  });

  it("are as many as the table has room for", () => {
    const { vfs } = newFs().kernel;
    for (let i = 2; i < 32; i++) assert.equal(vfs.registerFileSystem(named(`fs${i}`)), 0);
    assert.equal(vfs.registerFileSystem(named("one-too-many")), -ENOSPC);
  });

  it("that users cannot mount are mounted by the kernel alone", () => {
    const pseudo = named("pseudofs", { fsFlags: ramfs.fsFlags | FS_NOUSER });
    const fs = newFs([pseudo]);
    const { vfs } = fs.kernel;
    fs.mkdirSync("/m");
    assert.equal(
      outcomeOf(() => fs.kernel.mount({ type: "pseudofs", target: "/m" })),
      "EINVAL",
    );

    const mnt = kernMount(vfs, pseudo);
    assert.ok(mnt > 0);
    assert.deepEqual(fs.readdirSync("/m"), []);
    assert.equal(vfs.unregisterFileSystem(pseudo), -EBUSY);
    vfs.verify();
    dropMount(vfs, mnt as never);
    assert.equal(vfs.unregisterFileSystem(pseudo), 0);
    assert.equal(kernMount(vfs, pseudo), -ENODEV);
  });

  it("whose fillSuper fails leave nothing behind", () => {
    const failing = named("failfs", {
      fillSuper(sb: SuperBlock, data: string) {
        if (data === "late") sb.makeRoot(0o755, 0, 0, 1);
        return data === "no-root" ? 0 : -EIO;
      },
    });
    const fs = newFs([failing]);
    fs.mkdirSync("/m");
    const before = fs.kernel.vmstat();
    for (const data of ["early", "late"]) {
      assert.equal(
        outcomeOf(() => fs.kernel.mount({ type: "failfs", target: "/m", data })),
        "EIO",
      );
    }
    assert.equal(
      outcomeOf(() => fs.kernel.mount({ type: "failfs", target: "/m", data: "no-root" })),
      "EINVAL",
    );
    const after = fs.kernel.vmstat();
    for (const name of ["nr_super_blocks", "nr_mounts", "nr_inodes", "nr_dentries"]) {
      assert.equal(after[name], before[name], name);
    }
  });

  it("hear of their end after the last inode has gone", () => {
    const log: string[] = [];
    const heard = named("heardfs", {
      superOps: { evictInode: () => void log.push("evict"), putSuper: () => void log.push("put") },
    });
    const fs = newFs([heard]);
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "heardfs", target: "/m" });
    fs.writeFileSync("/m/f", "x");
    fs.kernel.umount("/m");
    assert.deepEqual(log, ["evict", "evict", "put"]);
  });
});

describe("errors of mount and umount", () => {
  it("read as Node's", () => {
    const { kernel } = newFs();
    assert.equal(
      messageOf(() => kernel.mount({ type: "ramfs", target: "/x" })),
      "ENOENT: no such file or directory, mount '/x'",
    );
    assert.equal(
      messageOf(() => kernel.umount("/")),
      "EBUSY: resource busy or locked, umount '/'",
    );
    assert.equal(
      messageOf(() => kernel.mount({ target: "/" })),
      "ENODEV: no such device, mount '/'",
    );
    assert.equal(
      messageOf(() => kernel.mount({ target: "/", flags: MS_BIND })),
      "EINVAL: invalid argument, mount '/'",
    );
  });

  it("are EPERM when the first task is not root", () => {
    const fs = createFsSync({ uid: 1000, gid: 1000 });
    assert.equal(
      outcomeOf(() => fs.kernel.mount({ type: "ramfs", target: "/" })),
      "EPERM",
    );
    assert.equal(
      outcomeOf(() => fs.kernel.umount("/")),
      "EPERM",
    );
  });
});

describe("the mount table", () => {
  it("shows mounts as /proc/self/mountinfo does, oldest first", () => {
    const fs = newFs();
    fs.mkdirSync("/a/b", { recursive: true });
    fs.mkdirSync("/c d");
    fs.kernel.mount({ type: "ramfs", target: "/a", source: "none" });
    fs.mkdirSync("/a/x");
    fs.kernel.mount({ type: "ramfs", target: "/a/x", data: "ro,noatime,nosuid,nodev,noexec" });
    fs.kernel.mount({ source: "/a", target: "/c d", flags: MS_BIND });

    const table = fs.kernel.mounts();
    assert.deepEqual(
      table.map(({ type, source, target, options }) => [type, source, target, options]),
      [
        ["tmpfs", "rootfs", "/", `rw,relatime,size=${LIMIT / 1024}k,nr_inodes=${LIMIT / 1024},mode=755`],
        ["ramfs", "none", "/a", "rw,relatime"],
        ["ramfs", "ramfs", "/a/x", "ro,nosuid,nodev,noexec,noatime"],
        ["ramfs", "/a", "/c d", "rw,relatime"],
      ],
    );
    assert.equal(new Set(table.map(({ id }) => id)).size, 4);
    assert.deepEqual(
      table.map(({ parent }) => parent),
      [0, table[0].id, table[1].id, table[0].id],
    );
  });

  it("follows what is moved, remounted and unmounted", () => {
    const fs = newFs();
    fs.mkdirSync("/p/m", { recursive: true });
    fs.kernel.mount({ type: "ramfs", target: "/p/m", flags: MS_NOATIME });
    fs.renameSync("/p", "/q");
    const line = () => fs.kernel.mounts()[1];
    assert.deepEqual([line().target, line().options], ["/q/m", "rw,noatime"]);
    fs.kernel.mount({ target: "/q/m", flags: MS_REMOUNT | MS_RDONLY });
    assert.equal(line().options, "ro,noatime");
    fs.kernel.mount({ target: "/q/m", flags: MS_REMOUNT, data: "strictatime,nodiratime" });
    assert.equal(line().options, "rw,nodiratime,strictatime");
    fs.kernel.mount({ target: "/q/m", flags: MS_REMOUNT, data: "ro,rw,noatime,atime,relatime,nodiratime,diratime" });
    assert.equal(line().options, "rw,relatime");
    fs.kernel.umount("/q/m");
    assert.equal(fs.kernel.mounts().length, 1);
  });

  it("passes what the VFS does not know to the file system, in order", () => {
    const seen: string[] = [];
    const type = named("optfs", {
      fillSuper(sb: SuperBlock, data: string) {
        seen.push(data);
        return ramfs.fillSuper(sb, "", "none");
      },
      superOps: {
        remount(_sb: SuperBlock, data: string) {
          seen.push(data);
          return data.includes("bad") ? -EINVAL : 0;
        },
      },
    });
    const fs = newFs([type]);
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "optfs", target: "/m", data: "size=1m,ro,,mode=755,defaults,noatime,toString" });
    fs.kernel.mount({ target: "/m", flags: MS_REMOUNT, data: "rw,size=2m" });
    assert.equal(
      outcomeOf(() => fs.kernel.mount({ target: "/m", flags: MS_REMOUNT, data: "ro,bad" })),
      "EINVAL",
    );
    assert.deepEqual(seen, ["size=1m,mode=755,toString", "size=2m", "bad"]);
    fs.writeFileSync("/m/still-writable", "");
  });

  it("has names of sources of any length and kind", () => {
    const fs = newFs();
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "ramfs", target: "/m", source: "ünïcode ".repeat(100) });
    assert.equal(fs.kernel.mounts()[1].source.startsWith("ünïcode "), true);
    fs.kernel.umount("/m");
    fs.kernel.mount({ type: "ramfs", target: "/m", source: "" });
    assert.equal(fs.kernel.mounts()[1].source, "");
  });
});

describe("statfs and st_dev", () => {
  it("are those of the mount that a path lies on", () => {
    const remote = new RemoteFs(remoteDir());
    const fs = newFs([remote.type]);
    fs.mkdirSync("/m");
    fs.mkdirSync("/b");
    const under = fs.statSync("/m");
    fs.kernel.mount({ type: "ramfs", target: "/m" });
    fs.kernel.mount({ source: "/m", target: "/b", flags: MS_BIND });
    assert.notEqual(fs.statSync("/m").dev, under.dev);
    assert.equal(fs.statSync("/b").dev, fs.statSync("/m").dev);
    assert.equal(fs.statfsSync("/b").type, 0x858458f6);
    assert.equal(fs.statfsSync("/b").bsize, 4096);
    fs.kernel.umount("/b");
    fs.kernel.mount({ type: "remotefs", target: "/b" });
    assert.equal(fs.statfsSync("/b").type, 0);
  });
});

describe("memory of mounts", () => {
  it("comes back, whatever was in them", () => {
    const fs = newFs();
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "ramfs", target: "/m" });
    fs.kernel.umount("/m");
    fs.kernel.dropCaches(3);
    let before = fs.kernel.vmstat();
    for (let round = 0; round < 4; round++) {
      if (round === 1) before = fs.kernel.vmstat(); // memory has grown as far as it has to
      fs.kernel.mount({ type: "ramfs", target: "/m", source: "s".repeat(200) });
      fs.mkdirSync("/m/a/b/c", { recursive: true });
      for (let i = 0; i < 100; i++) fs.writeFileSync(`/m/a/${"n".repeat(50)}${i}`, Buffer.alloc(10_000));
      fs.symlinkSync("t".repeat(500), "/m/a/b/l");
      fs.linkSync(`/m/a/${"n".repeat(50)}0`, "/m/a/b/c/h");
      fs.kernel.umount("/m");
      fs.kernel.dropCaches(3);
    }
    const after = fs.kernel.vmstat();
    for (const name of [
      "nr_inodes",
      "nr_dentries",
      "nr_mounts",
      "nr_super_blocks",
      "nr_file_pages",
      "nr_strings",
      "nr_used_pages",
    ]) {
      assert.equal(after[name], before[name], name);
    }
  });
});
