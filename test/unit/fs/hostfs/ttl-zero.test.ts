/** hostfs with ttl=0: what the host has changed is seen by the next call, however little a walk asks. */
import nodeFs from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createHostfsMount, type HostfsMount } from "../../../helpers/hostfs-mount.ts";

let scene: HostfsMount;

beforeEach(() => {
  scene = createHostfsMount();
  nodeFs.mkdirSync(`${scene.inside}/dir`);
  nodeFs.writeFileSync(`${scene.inside}/dir/file`, "old");
  scene.mount("ttl=0");
  expect(scene.fs.readFileSync("/mnt/dir/file", "utf8")).toBe("old");
});

afterEach(() => {
  scene.fs.kernel.verify();
  scene.dispose();
});

it("sees a file that has another directory in its way now", () => {
  const { fs, inside } = scene;
  const { ino } = fs.statSync("/mnt/dir");
  nodeFs.renameSync(`${inside}/dir`, `${inside}/aside`);
  nodeFs.mkdirSync(`${inside}/dir`);
  nodeFs.writeFileSync(`${inside}/dir/file`, "newer");
  expect(fs.readFileSync("/mnt/dir/file", "utf8")).toBe("newer");
  expect(fs.readFileSync("/mnt/aside/file", "utf8")).toBe("old");
  expect(fs.statSync("/mnt/aside").ino).toBe(ino);
});

it("does not take a link that leads to the same file for the directory that was there", () => {
  const { fs, inside, outside } = scene;
  nodeFs.renameSync(`${inside}/dir`, `${outside}/dir`);
  nodeFs.symlinkSync(`${outside}/dir`, `${inside}/dir`);
  expect(fs.lstatSync("/mnt/dir").isSymbolicLink()).toBe(true);
  expect(() => fs.readFileSync("/mnt/dir/file")).toThrow("ENOENT");
});

it("tells names of one file apart", () => {
  const { fs, inside } = scene;
  nodeFs.linkSync(`${inside}/dir/file`, `${inside}/other`);
  expect(fs.statSync("/mnt/other").ino).toBe(fs.statSync("/mnt/dir/file").ino);
  nodeFs.unlinkSync(`${inside}/dir/file`);
  expect(fs.existsSync("/mnt/dir/file")).toBe(false);
  expect(fs.statSync("/mnt/other").nlink).toBe(1);
  expect(fs.existsSync("/mnt/dir/file")).toBe(false);
});

it("asks for the attributes of an open file each time, whoever has walked to it before", () => {
  const { fs, inside } = scene;
  const fd = fs.openSync("/mnt/dir/file", "r");
  fs.accessSync("/mnt/dir/file");
  nodeFs.appendFileSync(`${inside}/dir/file`, " and more");
  expect(fs.fstatSync(fd).size).toBe(12);
  fs.closeSync(fd);
});

it("asks for a file that is the root of a mount itself, to which no walk in it leads", () => {
  const { fs, inside } = scene;
  fs.writeFileSync("/place", "");
  fs.kernel.mount({ type: "", source: "/mnt/dir/file", target: "/place", flags: 4096 }); // MS_BIND
  fs.accessSync("/mnt/dir/file");
  nodeFs.writeFileSync(`${inside}/dir/file`, "new, and longer");
  expect(fs.statSync("/place").size).toBe(15);
  fs.accessSync("/mnt/dir/file");
  nodeFs.writeFileSync(`${inside}/dir/file`, "another");
  expect(fs.readFileSync("/place", "utf8")).toBe("another");
  fs.kernel.umount("/place");
});

it("finds names that are no text", () => {
  const { fs, inside } = scene;
  const name = Buffer.from([0xff, 0x41]);
  nodeFs.writeFileSync(Buffer.concat([Buffer.from(`${inside}/`), name]), "bytes");
  const path = Buffer.concat([Buffer.from("/mnt/"), name]);
  for (let i = 0; i < 3; i++) expect(fs.readFileSync(path, "utf8")).toBe("bytes");
});
