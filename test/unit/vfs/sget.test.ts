/** One super block for one source; types and what they need; the ends of super blocks; mounts in no place. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import {
  createFsSync,
  Dentry,
  type FileSystemType,
  type FolioFs,
  FS_MEMORY,
  FS_NOUSER,
  FS_REQUIRES_DEV,
  type MountHandle,
  MS_RDONLY,
  MS_SILENT,
  ramfs,
  restoreFsSync,
  type SuperBlock,
} from "../../../src/index.ts";
import {
  kernMount,
  kernUmount,
  killAnonSuper,
  killBlockSuper,
  killLitterSuper,
  ST_RDONLY,
  statfs,
} from "../../../src/store.ts";

const onDevice: FileSystemType = { ...ramfs, name: "ondevice", fsFlags: FS_MEMORY | FS_REQUIRES_DEV };

function newFs(...types: FileSystemType[]): FolioFs {
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types });
  for (const dir of ["/a", "/b", "/c"]) fs.mkdirSync(dir);
  return fs;
}

const live = (fs: FolioFs) => fs.kernel.vmstat().nr_super_blocks;

describe("types", () => {
  it("are listed in the order of registration, and say whether they need a device", () => {
    const fs = newFs(onDevice, { ...ramfs, name: "pseudo", fsFlags: FS_NOUSER });
    assert.deepEqual(fs.kernel.fileSystems(), [
      { name: "ramfs", nodev: true },
      { name: "tmpfs", nodev: true },
      { name: "ondevice", nodev: false },
      { name: "pseudo", nodev: true },
    ]);
  });
});

describe("two mounts of one source", () => {
  it("are one file system", () => {
    const fs = newFs(onDevice);
    fs.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/a", data: "mode=700" });
    fs.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/b", data: "mode=711,noexec" });
    fs.kernel.mount({ type: "ondevice", source: "/dev/y", target: "/c" });
    assert.equal(live(fs), 3);
    fs.writeFileSync("/a/file", "same");
    assert.equal(fs.readFileSync("/b/file", "utf8"), "same");
    assert.equal(fs.statSync("/a").dev, fs.statSync("/b").dev);
    assert.equal(fs.statSync("/b").mode & 0o777, 0o700);
    assert.deepEqual(fs.readdirSync("/c"), []);
    assert.deepEqual(
      fs.kernel.mounts().map(({ source, options }) => `${source} ${options}`),
      [
        "rootfs rw,relatime,size=16384k,nr_inodes=16384,mode=755",
        "/dev/x rw,relatime,mode=700",
        "/dev/x rw,noexec,relatime,mode=700",
        "/dev/y rw,relatime",
      ],
    );
    fs.kernel.umount("/a");
    assert.equal(fs.readFileSync("/b/file", "utf8"), "same");
    fs.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/a" });
    assert.equal(fs.readFileSync("/a/file", "utf8"), "same");
    fs.kernel.umount("/a");
    fs.kernel.umount("/b");
    fs.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/a" });
    assert.deepEqual(fs.readdirSync("/a"), []);
  });

  it("are EBUSY when the one is read-only and the other is not", () => {
    const fs = newFs(onDevice);
    fs.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/a" });
    assert.throws(() => fs.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/b", flags: MS_RDONLY }), {
      code: "EBUSY",
    });
    fs.kernel.mount({ type: "ondevice", source: "/dev/y", target: "/b", data: "ro" });
    assert.throws(() => fs.kernel.mount({ type: "ondevice", source: "/dev/y", target: "/c" }), { code: "EBUSY" });
    fs.kernel.mount({ type: "ondevice", source: "/dev/y", target: "/c", data: "ro" });
    assert.equal(live(fs), 3);
  });

  it("need a source", () => {
    const fs = newFs(onDevice);
    assert.throws(() => fs.kernel.mount({ type: "ondevice", target: "/a" }), { code: "EINVAL" });
    assert.throws(() => fs.kernel.mount({ type: "ondevice", source: "", target: "/a" }), { code: "EINVAL" });
    assert.equal(live(fs), 1);
  });

  it("are one as well while the first is detached, and after a snapshot", () => {
    const fs = newFs(onDevice);
    fs.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/a" });
    fs.writeFileSync("/a/file", "same");
    const fd = fs.openSync("/a/file", "r+");
    fs.kernel.umount("/a", { detach: true });
    fs.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/b" });
    fs.writeSync(fd, "SAME");
    assert.equal(fs.readFileSync("/b/file", "utf8"), "SAME");
    fs.closeSync(fd);
    const restored = restoreFsSync(fs.kernel.snapshot(), { types: [onDevice] });
    restored.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/c" });
    assert.equal(restored.readFileSync("/c/file", "utf8"), "SAME");
    restored.kernel.verify();
  });

  it("are one where a type says so", () => {
    const single: FileSystemType = { ...ramfs, name: "single", sameSource: () => true };
    const byOwner: FileSystemType = {
      ...ramfs,
      name: "byowner",
      sameSource: (sb, source) => sb.source?.[0] === source[0],
    };
    const fs = newFs(single, byOwner);
    fs.kernel.mount({ type: "single", target: "/a" });
    fs.kernel.mount({ type: "single", source: "other", target: "/b" });
    assert.equal(fs.statSync("/a").dev, fs.statSync("/b").dev);
    fs.kernel.mount({ type: "byowner", source: "x1", target: "/a" });
    fs.kernel.mount({ type: "byowner", source: "x2", target: "/b" });
    fs.kernel.mount({ type: "byowner", source: "y1", target: "/c" });
    assert.equal(fs.statSync("/a").dev, fs.statSync("/b").dev);
    assert.notEqual(fs.statSync("/a").dev, fs.statSync("/c").dev);
  });

  it("leave the other as it is when one cannot be hung anywhere", () => {
    const fs = newFs(onDevice);
    fs.writeFileSync("/file", "");
    fs.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/a" });
    assert.throws(() => fs.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/file" }), { code: "ENOTDIR" });
    fs.writeFileSync("/a/file", "");
    fs.kernel.verify();
  });
});

describe("fillSuper", () => {
  it("knows what is mounted, and whether it is to be silent", () => {
    const seen: unknown[] = [];
    const type: FileSystemType = {
      ...ramfs,
      name: "curious",
      fillSuper: (sb, data) => {
        seen.push([sb.source, sb.isSilent, data]);
        return ramfs.fillSuper(sb, data, "");
      },
    };
    const fs = newFs(type);
    const source = `/dev/${"é".repeat(200)}`;
    fs.kernel.mount({ type: "curious", source, target: "/a", data: "silent,x=1" });
    fs.kernel.mount({ type: "curious", target: "/b", flags: MS_SILENT, data: "loud" });
    fs.kernel.mount({ type: "curious", target: "/c", flags: MS_SILENT });
    assert.deepEqual(seen, [
      [source, true, "x=1"],
      [undefined, false, ""],
      [undefined, true, ""],
    ]);
    fs.kernel.verify();
  });
});

describe("the end of a super block", () => {
  /** A type whose end is logged, with or without an end of its own. */
  function logged(log: string[], own: Partial<FileSystemType> = {}): FileSystemType {
    return {
      ...ramfs,
      name: "logged",
      ...own,
      superOps: {
        ...ramfs.superOps,
        syncFs: () => {
          log.push("syncFs");
          return 0;
        },
        evictInode: () => void log.push("evictInode"),
        putSuper: () => void log.push("putSuper"),
      },
    };
  }

  it.each([
    ["kept by its flags", undefined],
    ["killAnonSuper", killAnonSuper],
    ["killLitterSuper", killLitterSuper],
    ["killBlockSuper", killBlockSuper],
    ["one that does nothing", () => {}],
  ])("is written back, then empty, then told of: %s", (_name, killSb) => {
    const log: string[] = [];
    const fs = newFs(logged(log, killSb && { killSb }));
    fs.kernel.mount({ type: "logged", source: "/dev/x", target: "/a" });
    fs.mkdirSync("/a/dir");
    fs.writeFileSync("/a/dir/file", "text");
    fs.kernel.umount("/a");
    assert.deepEqual(log, ["syncFs", "evictInode", "evictInode", "evictInode", "putSuper"]);
    assert.equal(live(fs), 1);
  });

  it("may begin with something of its own", () => {
    const log: string[] = [];
    const killSb = (sb: SuperBlock) => {
      log.push("before");
      killAnonSuper(sb);
      log.push("after");
    };
    const fs = newFs(logged(log, { killSb }));
    fs.kernel.mount({ type: "logged", target: "/a" });
    fs.kernel.umount("/a");
    assert.deepEqual(log, ["syncFs", "before", "evictInode", "putSuper", "after"]);
  });

  it("writes nothing where it is read-only", () => {
    const log: string[] = [];
    const fs = newFs(logged(log));
    fs.kernel.mount({ type: "logged", target: "/a", data: "ro" });
    fs.kernel.umount("/a");
    assert.deepEqual(log, ["evictInode", "putSuper"]);
  });
});

describe("mounts in no place", () => {
  it("are made of what users cannot mount, and end with their last file", () => {
    const ends: string[] = [];
    const pseudo: FileSystemType = {
      ...ramfs,
      name: "pseudo",
      fsFlags: FS_MEMORY | FS_NOUSER,
      superOps: { ...ramfs.superOps, putSuper: () => void ends.push("put") },
    };
    const fs = newFs(pseudo);
    assert.throws(() => fs.kernel.mount({ type: "pseudo", target: "/a" }), { code: "EINVAL" });
    const mnt = kernMount(fs.kernel, pseudo, "mode=700");
    const { vfs } = fs.kernel;
    assert.equal(new Dentry(vfs, vfs.rootOf(mnt)).name.length, 0);
    assert.equal(fs.kernel.mounts().length, 1);
    assert.throws(() => fs.kernel.unregisterFileSystem(pseudo), { code: "EBUSY" });
    fs.kernel.verify();
    kernUmount(fs.kernel, mnt);
    assert.deepEqual(ends, ["put"]);
    assert.throws(() => kernUmount(fs.kernel, mnt), { code: "EINVAL" });
    fs.kernel.unregisterFileSystem(pseudo);
    assert.throws(() => kernMount(fs.kernel, pseudo), { code: "ENODEV" });
  });

  it("are not what is in the tree, and only for the machine's master", () => {
    const fs = newFs();
    const root = fs.kernel.vfs.rootMount as MountHandle;
    assert.throws(() => kernUmount(fs.kernel, root), { code: "EINVAL" });
    assert.throws(() => kernUmount(fs.kernel, 12345 as MountHandle), { code: "EINVAL" });
    const user = fs.kernel.task({ uid: 1000 });
    assert.throws(() => kernMount(user.kernel, ramfs), { code: "EPERM" });
    assert.throws(() => kernUmount(user.kernel, root), { code: "EPERM" });
  });
});

describe("statfs", () => {
  it("tells more than Node does", () => {
    const fs = newFs();
    fs.kernel.mount({ type: "ramfs", target: "/a", data: "ro" });
    const { dev } = fs.statSync("/a");
    const found = statfs(fs.kernel, "/a");
    assert.deepEqual(found, {
      type: 0x858458f6,
      bsize: 4096,
      frsize: 4096,
      blocks: 0,
      bfree: 0,
      bavail: 0,
      files: 0,
      ffree: 0,
      fsid: [dev, 0],
      namelen: 255,
      flags: ST_RDONLY | 4096,
    });
    assert.notDeepEqual(statfs(fs.kernel, "/").fsid, found.fsid);
    assert.equal("namelen" in fs.statfsSync("/a"), false);
    assert.throws(() => statfs(fs.kernel, "/missing"), { code: "ENOENT", path: "/missing", syscall: "statfs" });
  });

  it("has what a file system says of itself, and is ENOSYS where it says nothing", () => {
    const telling: FileSystemType = {
      ...ramfs,
      name: "telling",
      superOps: {
        statfs: (_sb, values) => {
          values.set([1, 512, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
          return 0;
        },
      },
    };
    const fs = newFs(telling, { ...ramfs, name: "silent", superOps: {} });
    fs.kernel.mount({ type: "telling", target: "/a" });
    const { flags, ...rest } = statfs(fs.kernel, "/a");
    assert.deepEqual([flags, ...Object.values(rest)], [4096, 1, 512, 10, 2, 3, 4, 5, 6, [8, 9], 7]);
    fs.kernel.mount({ type: "silent", target: "/b" });
    assert.throws(() => fs.statfsSync("/b"), { code: "ENOSYS" });
  });
});

describe("options in the mount table", () => {
  it("are those of a ramfs that are not the default", () => {
    const fs = newFs();
    fs.kernel.mount({ type: "ramfs", target: "/a", data: "mode=1777,uid=5,noexec,gid=7,foo" });
    fs.kernel.mount({ type: "ramfs", target: "/b", data: "mode=755,uid=0" });
    fs.chmodSync("/b", 0o700);
    const options = () => fs.kernel.mounts().map((mnt) => mnt.options);
    assert.deepEqual(options().slice(1), ["rw,noexec,relatime,mode=1777,uid=5,gid=7", "rw,relatime"]);
    fs.kernel.mount({ target: "/a", data: "remount,mode=700", flags: 32 });
    assert.equal(options()[1], "rw,relatime,mode=1777,uid=5,gid=7");
    assert.throws(() => fs.kernel.mount({ target: "/a", data: "uid=x", flags: 32 }), { code: "EINVAL" });
  });
});
