/** The mount tables of a task, and what findmnt(8) of the host reads in them. */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import nodeFs from "node:fs";
import { describe, it } from "vitest";
import { type FolioFs, MS_BIND, MS_RDONLY, MS_REMOUNT, MS_STRICTATIME, MS_SYNCHRONOUS } from "../../../../src/index.ts";
import { fsWithProc, missingForHostProc } from "../../../helpers/proc-mount.ts";
import { parseMountinfo, parseMounts } from "../../../helpers/proc-parsers.ts";

const mountsOf = (fs: FolioFs) => parseMounts(fs.readFileSync("/proc/mounts", "utf8"));
const mountinfoOf = (fs: FolioFs) => parseMountinfo(fs.readFileSync("/proc/self/mountinfo", "utf8"));

/** Of the root, which has all of the memory. */
const ROOT = "rw,relatime,size=65536k,nr_inodes=65536,mode=755";

function withMounts(): FolioFs {
  const fs = fsWithProc();
  for (const dir of ["/a b", "/bind", "/ro", "/sync", "/deep/er"]) fs.mkdirSync(dir, { recursive: true });
  fs.kernel.mount({ type: "ramfs", source: "two words", target: "/a b", data: "mode=700,noatime,nosuid" });
  fs.mkdirSync("/a b/dir");
  fs.kernel.mount({ source: "/a b/dir", target: "/bind", flags: MS_BIND });
  fs.kernel.mount({ source: "/a b/dir", target: "/ro", flags: MS_BIND });
  fs.kernel.mount({ target: "/ro", flags: MS_BIND | MS_REMOUNT | MS_RDONLY });
  fs.kernel.mount({ type: "ramfs", target: "/sync", flags: MS_SYNCHRONOUS | MS_STRICTATIME });
  fs.kernel.mount({ source: "/tmp", target: "/deep/er", flags: MS_BIND });
  return fs;
}

describe("mounts", () => {
  it("shows source, place, type and options", () => {
    const fs = withMounts();
    assert.deepEqual(
      mountsOf(fs).map(({ source, target, type, options }) => [source, target, type, options.join()]),
      [
        ["rootfs", "/", "tmpfs", ROOT],
        ["proc", "/proc", "proc", "rw,relatime"],
        ["two words", "/a b", "ramfs", "rw,nosuid,noatime,mode=700"],
        ["/a b/dir", "/bind", "ramfs", "rw,nosuid,noatime,mode=700"],
        ["/a b/dir", "/ro", "ramfs", "ro,noatime,mode=700"],
        ["ramfs", "/sync", "ramfs", "rw,sync"],
        ["/tmp", "/deep/er", "tmpfs", ROOT],
      ],
    );
  });

  it("shows what kernel.mounts() does", () => {
    const fs = withMounts();
    const known = fs.kernel.mounts().map(({ source, target, type }) => ({ source, target, type }));
    assert.deepEqual(
      mountsOf(fs).map(({ source, target, type }) => ({ source, target, type })),
      known,
    );
  });

  it("leaves out what is unmounted, detached or cannot be reached", () => {
    const fs = withMounts();
    fs.mkdirSync("/jail/proc", { recursive: true });
    fs.mkdirSync("/jail/m");
    fs.kernel.mount({ source: "/proc", target: "/jail/proc", flags: MS_BIND });
    fs.kernel.mount({ type: "ramfs", target: "/jail/m" });
    const jailed = fs.kernel.task({ root: "/jail" });
    const targets = (face: FolioFs) => mountsOf(face).map(({ target }) => target);
    assert.deepEqual(targets(jailed), ["/proc", "/m"]);
    const pid = jailed.readlinkSync("/proc/self");
    assert.deepEqual(
      parseMounts(fs.readFileSync(`/proc/${pid}/mounts`, "utf8")).map(({ target }) => target),
      ["/proc", "/m"],
      "by whoever it is read",
    );
    const open = fs.openSync("/sync/open", "w");
    fs.kernel.umount("/sync", { detach: true });
    fs.kernel.umount("/ro");
    assert.ok(!targets(fs).includes("/sync") && !targets(fs).includes("/ro"));
    fs.closeSync(open);
  });
});

describe("mountinfo", () => {
  it("shows ids, parents, devices, roots and both kinds of options", () => {
    const fs = withMounts();
    const infos = mountinfoOf(fs);
    const at = (path: string) => infos.find(({ target }) => target === path) ?? assert.fail(path);
    assert.deepEqual(
      infos.map(({ root }) => root),
      ["/", "/", "/", "/dir", "/dir", "/", "/tmp"],
    );
    assert.equal(at("/").parent, at("/").id);
    for (const { target, parent } of infos.slice(1)) assert.equal(parent, at("/").id, target);
    assert.equal(at("/bind").dev, at("/a b").dev);
    assert.equal(new Set(infos.map(({ dev }) => dev)).size, 4);
    for (const { target, dev } of infos) assert.equal(dev, `0:${fs.statSync(target).dev}`, target);
    const options = (path: string) => [at(path).options.join(), at(path).superOptions.join()];
    assert.deepEqual(options("/ro"), ["ro,noatime", "rw,mode=700"]);
    assert.deepEqual(options("/sync"), ["rw", "rw,sync"]);
  });

  it("shows stacked mounts one over the other", () => {
    const fs = fsWithProc();
    fs.kernel.mount({ type: "ramfs", target: "/tmp" });
    fs.kernel.mount({ type: "ramfs", target: "/tmp" });
    const [below, above] = mountinfoOf(fs).slice(-2);
    assert.equal(above.parent, below.id);
    assert.equal(above.target, "/tmp");
  });

  it("shows the root of a bind that has been removed", () => {
    const fs = fsWithProc();
    fs.mkdirSync("/from");
    fs.mkdirSync("/to");
    fs.kernel.mount({ source: "/from", target: "/to", flags: MS_BIND });
    fs.rmdirSync("/from");
    assert.equal(mountinfoOf(fs).at(-1)?.root, "/from//deleted");
  });

  it("decodes devices as stat(2) encodes them", () => {
    const fs = fsWithProc();
    for (let i = 0; i < 300; i++) {
      fs.kernel.mount({ type: "ramfs", target: "/tmp" });
      if (i < 299) fs.kernel.umount("/tmp");
    }
    const { dev } = fs.statSync("/tmp");
    assert.ok(dev > 256);
    assert.equal(mountinfoOf(fs).at(-1)?.dev, `${(dev >> 8) & 0xfff}:${dev & 0xff}`);
  });
});

describe("of the host", () => {
  const missing = missingForHostProc();

  it.skipIf(missing !== undefined)("is read as ours is", () => {
    const host = (path: string) => nodeFs.readFileSync(path, "utf8");
    const [lines, infos] = [parseMounts(host("/proc/mounts")), parseMountinfo(host("/proc/self/mountinfo"))];
    assert.deepEqual(
      lines.map(({ target }) => target),
      infos.map(({ target }) => target),
    );
    assert.ok(infos.some(({ target, type }) => target === "/proc" && type === "proc"));
  });

  /** What findmnt(8) says of a table that lies in a file. */
  function findmnt(file: string, columns: string): Record<string, unknown>[] {
    const { stdout, stderr, status } = spawnSync("findmnt", ["-J", "--list", "-F", file, "-o", columns], {
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout).filesystems;
  }

  const noFindmnt = spawnSync("findmnt", ["--version"]).error !== undefined;

  it.skipIf(noFindmnt)("findmnt reads both tables as they are meant", () => {
    const fs = withMounts();
    const folder = nodeFs.mkdtempSync("/tmp/foliofs-findmnt-");
    try {
      nodeFs.writeFileSync(`${folder}/mounts`, fs.readFileSync("/proc/self/mounts"));
      nodeFs.writeFileSync(`${folder}/mountinfo`, fs.readFileSync("/proc/self/mountinfo"));
      const known = fs.kernel.mounts().map(({ target, type }) => ({ target, fstype: type }));
      assert.deepEqual(findmnt(`${folder}/mounts`, "TARGET,FSTYPE"), known);
      const infos = findmnt(`${folder}/mountinfo`, "TARGET,SOURCE,FSROOT,ID,PARENT,MAJ:MIN,VFS-OPTIONS,FS-OPTIONS");
      const expected = mountinfoOf(fs).map(({ target, source, root, id, parent, dev, options, superOptions }) => ({
        target,
        source: root === "/" ? source : `${source}[${root}]`,
        fsroot: root,
        id,
        parent,
        "maj:min": dev,
        "vfs-options": options.join(),
        "fs-options": superOptions.join(),
      }));
      assert.deepEqual(
        infos.map((info) => ({ ...info, "maj:min": String(info["maj:min"]).trim() })),
        expected,
      );
    } finally {
      nodeFs.rmSync(folder, { recursive: true });
    }
  });
});
