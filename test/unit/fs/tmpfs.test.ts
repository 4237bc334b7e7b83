/** tmpfs at the face: what it shows of its options, its defaults, the root, and what it is when it is full. */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "vitest";
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, SEEK_DATA, SEEK_HOLE } from "../../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs, type FsOptions, restoreFsSync } from "../../../src/index.ts";
import { MS_REMOUNT } from "../../../src/vfs/mount-constants.ts";
import { itOnHost } from "../../helpers/call-script.ts";

const MIB = 2 ** 20;
const PAGE = 4096;
const LIMIT = 64 * MIB;

function newFs(options: FsOptions = {}): FolioFs {
  return createFsSync({ memoryLimit: LIMIT, ...options });
}

function mounted(data: string): FolioFs {
  const fs = newFs();
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "tmpfs", target: "/m", data });
  return fs;
}

const shownAt = (fs: FolioFs, target: string): string | undefined =>
  fs.kernel.mounts().find((mount) => mount.target === target)?.options;

function usage(fs: FolioFs, path: string): Record<string, number> {
  const { blocks, bfree, bavail, files, ffree } = fs.statfsSync(path);
  assert.equal(bavail, bfree);
  return { blocks, used: blocks - bfree, files, usedFiles: files - ffree };
}

/** How often `call` succeeds before it fails, which it does with ENOSPC. */
function untilFull(call: (i: number) => void): number {
  for (let i = 0; ; i++) {
    try {
      call(i);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
      return i;
    }
  }
}

/** What /proc/mounts shows on the host, but for what foliofs has no use for. */
function hostOptions(data: string): string {
  const at = mkdtempSync(join(tmpdir(), "foliofs-tmpfs-"));
  const script = 'mount -t tmpfs -o "$1" none "$2" && grep " $2 " /proc/mounts';
  const { stdout, stderr, status } = spawnSync("unshare", ["-m", "sh", "-c", script, "sh", data, at]);
  rmdirSync(at);
  assert.equal(status, 0, stderr.toString());
  const options = stdout.toString().split(" ")[3].split(",");
  return options.filter((option) => option !== "inode64").join();
}

describe("tmpfs shows the options that are not the default", () => {
  itOnHost.each([
    "size=64k,nr_inodes=20",
    "size=5000,nr_inodes=20,mode=700,uid=5,gid=6,noswap",
    "nr_blocks=3,nr_inodes=1k,mode=1777",
    "size=0,nr_inodes=0,mode=0",
    "size=1t,nr_inodes=7,mode=07",
  ])("as the host does: %s", (data) => {
    assert.equal(shownAt(mounted(data), "/m"), hostOptions(data));
  });

  it("and none that are", () => {
    assert.equal(shownAt(mounted(""), "/m"), "rw,relatime");
    assert.equal(shownAt(mounted("size=50%"), "/m"), "rw,relatime");
    assert.equal(shownAt(mounted("size=25%"), "/m"), `rw,relatime,size=${LIMIT / 4 / 1024}k`);
  });
});

describe("without options", () => {
  it("a mount has half of the memory limit, and an inode for each page of that", () => {
    const pages = LIMIT / 2 / PAGE;
    assert.deepEqual(usage(mounted(""), "/m"), { blocks: pages, used: 0, files: pages, usedFiles: 1 });
  });

  it("the root has all of it, and an inode for each KiB", () => {
    const fs = newFs();
    assert.deepEqual(usage(fs, "/"), { blocks: LIMIT / PAGE, used: 0, files: LIMIT / 1024, usedFiles: 1 });
    assert.equal(fs.kernel.mounts()[0].type, "tmpfs");
    assert.equal(fs.statSync("/").mode, 0o40755);
  });
});

describe("the root", () => {
  it("is a ramfs where that is asked for, without limits", () => {
    const fs = newFs({ root: "ramfs", uid: 7 });
    const [{ type, options }] = fs.kernel.mounts();
    assert.deepEqual(
      [type, options, fs.statfsSync("/").blocks, fs.statSync("/").uid],
      ["ramfs", "rw,relatime,uid=7", 0, 7],
    );
  });

  it("is nothing else", () => {
    const wrong = { code: "ERR_INVALID_ARG_VALUE", message: /'options\.root' must be/ };
    for (const root of ["hostfs", "", 5, null]) assert.throws(() => newFs({ root: root as "tmpfs" }), wrong);
  });

  it("takes empty files until its inodes are used up", () => {
    const fs = newFs({ memoryLimit: 8 * MIB });
    assert.equal(
      untilFull((i) => fs.writeFileSync(`/${i}`, "")),
      8 * 1024 - 1,
    );
    assert.equal(usage(fs, "/").usedFiles, 8 * 1024);
    fs.unlinkSync("/5");
    fs.writeFileSync("/again", "");
    assert.throws(() => fs.mkdirSync("/more"), { code: "ENOSPC" });
  });

  it("follows the memory limit that a snapshot is restored with, unless a remount has chosen", () => {
    const fs = newFs({ memoryLimit: 16 * MIB });
    fs.writeFileSync("/f", Buffer.alloc(MIB));
    const bytes = fs.kernel.snapshot();
    assert.deepEqual(usage(restoreFsSync(bytes), "/"), { blocks: 4096, used: 256, files: 16384, usedFiles: 2 });
    assert.equal(usage(restoreFsSync(bytes, { memoryLimit: 32 * MIB }), "/").blocks, 8192);
    fs.kernel.mount({ target: "/", data: "size=4m", flags: MS_REMOUNT });
    assert.equal(usage(restoreFsSync(fs.kernel.snapshot(), { memoryLimit: 32 * MIB }), "/").blocks, 1024);
  });

  it("keeps to the limit of the memory that it is rolled back into", () => {
    const fs = newFs({ memoryLimit: 16 * MIB });
    fs.kernel.restore(newFs({ memoryLimit: 8 * MIB }).kernel.snapshot());
    assert.deepEqual(usage(fs, "/"), { blocks: 4096, used: 0, files: 16384, usedFiles: 1 });
  });

  it("gives back the limits of its mounts with a snapshot and a fork", () => {
    const fs = mounted("size=16k,nr_inodes=5");
    fs.writeFileSync("/m/a", Buffer.alloc(2 * PAGE));
    fs.linkSync("/m/a", "/m/b");
    const fd = fs.openSync("/m/c", "w+");
    fs.writeSync(fd, "x");
    fs.unlinkSync("/m/c"); // an orphan stays behind
    fs.fallocateSync(fs.openSync("/m/a", "r+"), FALLOC_FL_KEEP_SIZE, 2 * PAGE, PAGE);
    assert.deepEqual(usage(fs, "/m"), { blocks: 4, used: 4, files: 5, usedFiles: 4 });
    for (const again of [restoreFsSync(fs.kernel.snapshot(), { memoryLimit: LIMIT }), fs.kernel.fork().fs]) {
      assert.deepEqual(usage(again, "/m"), { blocks: 4, used: 3, files: 5, usedFiles: 3 });
      assert.equal(
        untilFull((i) => again.appendFileSync("/m/new", Buffer.alloc(PAGE, i))),
        1,
      );
    }
  });
});

describe("a full tmpfs, in every form of writing", () => {
  const one = Buffer.alloc(PAGE, 1);
  it.each<[string, (fs: FolioFs, path: string) => void]>([
    ["writeFile of text", (fs, path) => fs.writeFileSync(path, "text")],
    ["writeFile of bytes", (fs, path) => fs.writeFileSync(path, one)],
    ["appendFile", (fs, path) => fs.appendFileSync(path, one)],
    ["copyFile", (fs, path) => fs.copyFileSync("/m/data", path)],
    ["writev", (fs, path) => void fs.writevSync(fs.openSync(path, "w"), [one, one])],
    ["write of text", (fs, path) => void fs.writeSync(fs.openSync(path, "w"), "text")],
    ["long symlink", (fs, path) => fs.symlinkSync("t".repeat(200), path)],
  ])("%s is ENOSPC", (_, write) => {
    const fs = mounted("size=16k,nr_inodes=100");
    fs.writeFileSync("/m/data", Buffer.alloc(4 * PAGE));
    assert.throws(() => write(fs, "/m/new"), { code: "ENOSPC" });
    assert.equal(usage(fs, "/m").used, 4);
    assert.equal(fs.readFileSync("/m/data").length, 4 * PAGE);
    fs.truncateSync("/m/data", 0);
    fs.rmSync("/m/new", { force: true });
    write(fs, "/m/new");
  });

  it("and is no longer when promises ask after room has come", async () => {
    const fs = mounted("size=16k,nr_inodes=100");
    fs.writeFileSync("/m/data", Buffer.alloc(4 * PAGE));
    await assert.rejects(fs.promises.writeFile("/m/new", one), { code: "ENOSPC" });
    await fs.promises.unlink("/m/data");
    await fs.promises.writeFile("/m/new", one);
    assert.equal(usage(fs, "/m").used, 1);
  });
});

describe("fallocate", () => {
  /** A file of `nr` promised pages. */
  function promised(fs: FolioFs, path: string, nr: number, mode = 0): number {
    const fd = fs.openSync(path, "w+");
    fs.fallocateSync(fd, mode, 0, nr * PAGE);
    return fd;
  }

  it("of 1 GiB touches no frame of data", () => {
    const fs = newFs({ memoryLimit: 2 * 2 ** 30 });
    fs.kernel.mount({ target: "/", data: "size=2g", flags: MS_REMOUNT });
    const nr = 2 ** 30 / PAGE;
    const fd = promised(fs, "/big", nr);
    assert.equal(fs.fstatSync(fd).blocks, nr * 8);
    assert.equal(usage(fs, "/").used, nr);
    assert.ok(fs.kernel.vmstat().bytes_memory < 2 ** 27);
    assert.equal(fs.lseekSync(fd, 0, SEEK_HOLE), 0);
    fs.writeSync(fd, "x", 2 ** 29);
    assert.equal(fs.lseekSync(fd, 0, SEEK_DATA), 2 ** 29);
    assert.equal(usage(fs, "/").used, nr);
    fs.ftruncateSync(fd, 0);
    assert.equal(usage(fs, "/").used, 0);
  });

  it("keeps its frames from other files, and gives them to its own", () => {
    const fs = newFs({ memoryLimit: 16 * MIB, root: "ramfs" });
    const fd = promised(fs, "/mine", 2000);
    const other = fs.openSync("/other", "w");
    untilFull(() => assert.ok(fs.writeSync(other, Buffer.alloc(64 * 1024)) > 0));
    const data = Buffer.alloc(PAGE, 7);
    for (let i = 0; i < 2000; i++) assert.equal(fs.writeSync(fd, data, 0, PAGE, ((i * 617) % 2000) * PAGE), PAGE);
    assert.ok(fs.readFileSync("/mine").every((byte) => byte === 7));
  });

  it("is all or nothing where memory has no more", () => {
    const fs = newFs({ memoryLimit: 16 * MIB, root: "ramfs" });
    const fd = fs.openSync("/f", "w");
    assert.throws(() => fs.fallocateSync(fd, 0, 0, 32 * MIB), { code: "ENOSPC" });
    assert.deepEqual([fs.fstatSync(fd).blocks, fs.fstatSync(fd).size], [0, 0]);
  });

  it("is given back page by page by holes", () => {
    const fs = mounted("size=400k,nr_inodes=9");
    const fd = promised(fs, "/m/f", 100, FALLOC_FL_KEEP_SIZE);
    assert.deepEqual([fs.fstatSync(fd).size, usage(fs, "/m").used], [0, 100]);
    fs.fallocateSync(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 10 * PAGE, 30 * PAGE);
    assert.equal(usage(fs, "/m").used, 70);
    assert.equal(fs.writeSync(fd, Buffer.alloc(100 * PAGE), 0, 100 * PAGE, 0), 100 * PAGE);
    assert.equal(usage(fs, "/m").used, 100);
    fs.closeSync(fd);
    fs.unlinkSync("/m/f");
    assert.equal(usage(fs, "/m").used, 0);
  });
});
