/** hostfs as mounted: names, attributes and data of a real folder, cache=none. */
import { spawnSync } from "node:child_process";
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FolioFs, MS_RDONLY, MS_REMOUNT } from "../../../../src/index.ts";
import { createHostfsMount, type HostfsMount, openDescriptors } from "../../../helpers/hostfs-mount.ts";

let scene: HostfsMount;
let inside: string;
let fs: FolioFs;
let mount: HostfsMount["mount"];

beforeEach(() => {
  scene = createHostfsMount();
  ({ inside, fs, mount } = scene);
});

afterEach(() => scene.dispose());

describe("the folder itself", () => {
  it("is given times, an owner and a mode as all that is in it", async () => {
    mount("");
    const isRoot = process.getuid?.() === 0;
    fs.utimesSync("/mnt", 1e9 + 0.25, 1.5e9 + 0.125);
    fs.chmodSync("/mnt", 0o710);
    if (isRoot) fs.lchownSync("/mnt", 12, 34);
    const { atimeMs, mtimeMs, mode, uid, gid } = nodeFs.statSync(inside);
    expect([atimeMs, mtimeMs, mode & 0o777]).toEqual([1e12 + 250, 1.5e12 + 125, 0o710]);
    if (isRoot) expect([uid, gid]).toEqual([12, 34]);

    await fs.promises.lutimes("/mnt", 2e9, 2e9 + 1);
    expect(nodeFs.statSync(inside).mtimeMs).toBe(2e12 + 1000);
    fs.kernel.verify();
  });
});

describe("hostfs, cache=none", () => {
  it("shows what the host has, and the host what is made here", () => {
    nodeFs.mkdirSync(`${inside}/d`);
    nodeFs.writeFileSync(`${inside}/d/f`, "host");
    nodeFs.symlinkSync("d/f", `${inside}/l`);
    mount("cache=none");
    expect(fs.readdirSync("/mnt")).toEqual(["d", "l"]);
    expect(fs.readFileSync("/mnt/l", "utf8")).toBe("host");
    expect(fs.readlinkSync("/mnt/l")).toBe("d/f");

    fs.mkdirSync("/mnt/e", 0o750);
    fs.writeFileSync("/mnt/e/new", "here", { mode: 0o640 });
    fs.appendFileSync("/mnt/e/new", " and there");
    fs.linkSync("/mnt/e/new", "/mnt/hard");
    fs.symlinkSync("/nowhere", "/mnt/e/s");
    fs.renameSync("/mnt/e/new", "/mnt/d/f");
    expect(nodeFs.readFileSync(`${inside}/d/f`, "utf8")).toBe("here and there");
    expect(nodeFs.statSync(`${inside}/e`).mode & 0o777).toBe(0o750);
    expect(nodeFs.readlinkSync(`${inside}/e/s`)).toBe("/nowhere");
    expect(fs.statSync("/mnt/hard").ino).toBe(fs.statSync("/mnt/d/f").ino);
    expect(fs.statSync("/mnt/hard").nlink).toBe(2);
    fs.unlinkSync("/mnt/hard");
    expect(() => fs.rmdirSync("/mnt/e")).toThrow("ENOTEMPTY");
    fs.unlinkSync("/mnt/e/s");
    fs.rmdirSync("/mnt/e");
    expect(nodeFs.readdirSync(inside)).toEqual(["d", "l"]);
    expect(fs.existsSync("/mnt/e")).toBe(false);
  });

  it("gives attributes to the nanosecond, but for the device", () => {
    nodeFs.writeFileSync(`${inside}/f`, "x");
    mount("cache=none");
    const ours = fs.statSync("/mnt/f", { bigint: true }) as unknown as Record<string, bigint>;
    const hosts = nodeFs.statSync(`${inside}/f`, { bigint: true }) as unknown as Record<string, bigint>;
    const names = Object.keys(ours).filter((name) => name !== "dev");
    expect(names).toContain("ctimeNs");
    for (const name of names) expect(ours[name], name).toBe(hosts[name]);
  });

  it("sees changes of the host at once with ttl=0", () => {
    nodeFs.writeFileSync(`${inside}/f`, "one");
    mount("ttl=0,cache=none");
    expect(fs.readFileSync("/mnt/f", "utf8")).toBe("one");
    nodeFs.writeFileSync(`${inside}/f`, "longer");
    expect(fs.readFileSync("/mnt/f", "utf8")).toBe("longer");
    nodeFs.rmSync(`${inside}/f`);
    expect(fs.existsSync("/mnt/f")).toBe(false);
    nodeFs.mkdirSync(`${inside}/f`);
    expect(fs.statSync("/mnt/f").isDirectory()).toBe(true);
  });

  it("believes attributes within ttl, and not after it", async () => {
    nodeFs.writeFileSync(`${inside}/f`, "one");
    mount("ttl=300,cache=none");
    expect(fs.statSync("/mnt/f").size).toBe(3);
    nodeFs.writeFileSync(`${inside}/f`, "longer");
    expect(fs.statSync("/mnt/f").size).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect(fs.statSync("/mnt/f").size).toBe(6);
  });

  it("masks modes and gives all to one owner", () => {
    nodeFs.mkdirSync(`${inside}/d`);
    nodeFs.writeFileSync(`${inside}/f`, "", { mode: 0o666 });
    mount("uid=7,gid=8,dmode=0777,dmask=027,fmask=0133,cache=none");
    const [d, f] = [fs.statSync("/mnt/d"), fs.statSync("/mnt/f")];
    expect([d.mode & 0o7777, d.uid, d.gid]).toEqual([0o750, 7, 8]);
    expect(f.mode & 0o7777).toBe(0o644);
  });

  it("keeps a file that is open when it is removed or replaced, whatever the limit", () => {
    mount("maxfds=1,cache=none");
    const fds = ["a", "b", "c"].map((name) => {
      fs.writeFileSync(`/mnt/${name}`, name);
      return fs.openSync(`/mnt/${name}`, "r+");
    });
    fs.unlinkSync("/mnt/a");
    fs.renameSync("/mnt/c", "/mnt/b");
    fs.writeFileSync("/mnt/x", "evicts");
    expect(fds.map((fd) => fs.readFileSync(fd, "utf8"))).toEqual(["a", "b", "c"]);
    expect(fs.fstatSync(fds[0]).nlink).toBe(0);
    fs.writeSync(fds[0], "more", 1);
    expect(fs.fstatSync(fds[0]).size).toBe(5);
    for (const fd of fds) fs.closeSync(fd);
  });

  it("lets go of a file that keeps another name, once it is closed", () => {
    mount("maxfds=2,cache=none");
    const before = openDescriptors();
    for (let i = 0; i < 10; i++) {
      fs.writeFileSync(`/mnt/a${i}`, `${i}`);
      fs.linkSync(`/mnt/a${i}`, `/mnt/b${i}`);
      const fd = fs.openSync(`/mnt/a${i}`, "r+");
      fs.unlinkSync(`/mnt/a${i}`);
      expect(fs.readFileSync(fd, "utf8")).toBe(`${i}`);
      fs.closeSync(fd);
      expect(fs.readFileSync(`/mnt/b${i}`, "utf8")).toBe(`${i}`);
    }
    expect(openDescriptors() - before).toBeLessThanOrEqual(2);
  });

  it("finds a file by the name it has left, after another of its names is gone", () => {
    mount("maxfds=1,cache=none");
    fs.writeFileSync("/mnt/a", "data");
    fs.linkSync("/mnt/a", "/mnt/b");
    const fd = fs.openSync("/mnt/a", "r");
    fs.unlinkSync("/mnt/a");
    fs.writeFileSync("/mnt/x", "evicts");
    expect(fs.statSync("/mnt/b").nlink).toBe(1);
    expect(fs.readFileSync("/mnt/b", "utf8")).toBe("data");
    expect(fs.readFileSync(fd, "utf8")).toBe("data");
    fs.closeSync(fd);
  });

  it("syncs files and directories, and shows an open directory that is gone", () => {
    mount("maxfds=1,ttl=0,cache=none");
    fs.mkdirSync("/mnt/d");
    fs.writeFileSync("/mnt/f", "x");
    const before = openDescriptors();
    const [dir, file] = [fs.openSync("/mnt/d", "r"), fs.openSync("/mnt/f", "r")];
    for (const fd of [dir, file]) {
      fs.fsyncSync(fd);
      fs.fdatasyncSync(fd);
    }
    fs.rmdirSync("/mnt/d");
    expect(fs.fstatSync(dir).isDirectory()).toBe(true);
    expect(fs.fstatSync(dir).nlink).toBe(0);
    for (const fd of [dir, file]) fs.closeSync(fd);
    expect(openDescriptors()).toBeLessThanOrEqual(before);
  });

  it("closes all host descriptors at umount", () => {
    const before = openDescriptors();
    mount("cache=none");
    fs.mkdirSync("/mnt/d");
    fs.writeFileSync("/mnt/d/f", "");
    expect(openDescriptors()).toBeGreaterThan(before);
    fs.kernel.umount("/mnt");
    expect(openDescriptors()).toBe(before);
  });

  it("refuses to write where it is read-only, and options that it does not know", () => {
    nodeFs.writeFileSync(`${inside}/f`, "x");
    for (const data of ["cache=all", "cache=none,size=1"]) expect(() => mount(data)).toThrow("EINVAL");
    mount("ttl=5,cache=none", MS_RDONLY);
    expect(() => fs.writeFileSync("/mnt/g", "")).toThrow("EROFS");
    expect(() => fs.unlinkSync("/mnt/f")).toThrow("EROFS");
    expect(nodeFs.readdirSync(inside)).toEqual(["f"]);
    fs.kernel.mount({ target: "/mnt", flags: MS_REMOUNT | MS_RDONLY, data: "maxfds=9" });
    const shown = fs.kernel.mounts().find(({ target }) => target === "/mnt");
    expect(JSON.stringify(shown)).toContain("ttl=5,maxfds=9,cache=none");
  });

  it("changes attributes on the host, and here as it has them", () => {
    nodeFs.writeFileSync(`${inside}/f`, "a longer text");
    nodeFs.symlinkSync("f", `${inside}/l`);
    mount("ttl=100000,cache=none");
    fs.chmodSync("/mnt/l", 0o4751);
    fs.chownSync("/mnt/f", 12, 34);
    fs.lchownSync("/mnt/l", 56, 78);
    fs.utimesSync("/mnt/f", 1e9 + 0.25, 1.5e9 + 0.125);
    const host = nodeFs.statSync(`${inside}/f`);
    expect([host.mode & 0o7777, host.uid, host.gid]).toEqual([fs.statSync("/mnt/f").mode & 0o7777, 12, 34]);
    expect([host.atimeMs, host.mtimeMs]).toEqual([1e12 + 250, 1.5e12 + 125]);
    expect(fs.statSync("/mnt/f").mtimeMs).toBe(1.5e12 + 125);
    expect([nodeFs.lstatSync(`${inside}/l`).uid, fs.lstatSync("/mnt/l").gid]).toEqual([56, 78]);

    fs.truncateSync("/mnt/f", 5);
    expect(nodeFs.readFileSync(`${inside}/f`, "utf8")).toBe("a lon");
    expect(fs.statSync("/mnt/f").size).toBe(5);
    fs.writeFileSync("/mnt/f", "new");
    expect(nodeFs.readFileSync(`${inside}/f`, "utf8")).toBe("new");
    const fd = fs.openSync("/mnt/f", "r+");
    fs.ftruncateSync(fd, 8);
    fs.fchmodSync(fd, 0o600);
    fs.closeSync(fd);
    expect([...nodeFs.readFileSync(`${inside}/f`)]).toEqual([...Buffer.from("new"), 0, 0, 0, 0, 0]);
    expect(nodeFs.statSync(`${inside}/f`).mode & 0o7777).toBe(0o600);
  });

  it("refuses changes as the rules of permission say, before the host hears of them", () => {
    nodeFs.writeFileSync(`${inside}/f`, "root's");
    mount("cache=none");
    const other = fs.kernel.task({ uid: 1, gid: 1 });
    expect(() => other.chmodSync("/mnt/f", 0)).toThrow("EPERM");
    expect(() => other.chownSync("/mnt/f", 1, 1)).toThrow("EPERM");
    expect(() => other.truncateSync("/mnt/f", 0)).toThrow("EACCES");
    expect(nodeFs.readFileSync(`${inside}/f`, "utf8")).toBe("root's");
  });

  it("makes no special file, opens none, and swaps no names", () => {
    spawnSync("mkfifo", [`${inside}/pipe`]);
    nodeFs.writeFileSync(`${inside}/f`, "");
    mount("cache=none");
    expect(fs.statSync("/mnt/pipe").isFIFO()).toBe(true);
    expect(() => fs.openSync("/mnt/pipe", "r")).toThrow("ENXIO");
    expect(() => fs.mknodSync("/mnt/p", 0o010644)).toThrow("ENOTSUP"); // Node's word for EOPNOTSUPP
    expect(() => fs.renameat2Sync("/mnt/pipe", "/mnt/f", 2)).toThrow("ENOTSUP");
  });
});
