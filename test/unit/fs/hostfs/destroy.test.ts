/** A kernel that is destroyed or rolled back with host folders mounted lets go of their descriptors. */
import nodeFs from "node:fs";
import { expect, it } from "vitest";
import { createHostfsMount, openDescriptors } from "../../../helpers/hostfs-mount.ts";

it.each(["none", "writethrough", "writeback"])("destroy() closes what is open on the host, cache=%s", (cache) => {
  const before = openDescriptors();
  const { fs, inside, mount, dispose } = createHostfsMount();
  mount(`cache=${cache}`);
  fs.mkdirSync("/mnt/dir");
  fs.writeFileSync("/mnt/dir/file", "text");
  fs.openSync("/mnt/dir/file", "r");
  expect(openDescriptors()).toBeGreaterThan(before);
  fs.kernel.destroy();
  expect(openDescriptors()).toBe(before);
  expect(nodeFs.existsSync(`${inside}/dir/file`)).toBe(true);
  dispose();
});

it("restore() closes what is open on the host, and the folder can be mounted again", () => {
  const before = openDescriptors();
  const { fs, mount, dispose } = createHostfsMount();
  const bytes = fs.kernel.snapshot();
  mount("cache=writeback");
  fs.writeFileSync("/mnt/file", "text");
  fs.kernel.sync();
  fs.kernel.restore(bytes);
  expect(openDescriptors()).toBe(before);
  mount("");
  expect(fs.readFileSync("/mnt/file", "utf8")).toBe("text");
  dispose();
});

it("an umount closes each descriptor once", () => {
  const { fs, mount, dispose } = createHostfsMount();
  mount("cache=writeback");
  fs.writeFileSync("/mnt/file", "text");
  const before = openDescriptors();
  fs.kernel.umount("/mnt");
  const fd = nodeFs.openSync("/dev/null", "r");
  fs.kernel.destroy();
  expect(() => nodeFs.fstatSync(fd)).not.toThrow();
  nodeFs.closeSync(fd);
  expect(openDescriptors()).toBeLessThan(before);
  dispose();
});
