/** hostfs where there is no /proc, as on macOS: paths are joined, and looked at before each use. */
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const { platform } = vi.hoisted(() => {
  const { platform } = process;
  Object.defineProperty(process, "platform", { value: "darwin" });
  return { platform };
});

import { tmpdir } from "node:os";
import type { FolioFs } from "../../../../src/index.ts";
import { createHostfsMount, type HostfsMount } from "../../../helpers/hostfs-mount.ts";

Object.defineProperty(process, "platform", { value: platform });

let scene: HostfsMount;
let inside: string;
let fs: FolioFs;

beforeEach(() => {
  scene = createHostfsMount(nodeFs.realpathSync(tmpdir()));
  ({ inside, fs } = scene);
  nodeFs.mkdirSync(`${inside}/d`);
  nodeFs.writeFileSync(`${inside}/d/f`, "host");
});

afterEach(() => scene.dispose());

describe.each(["cache=none", "cache=writeback"])("hostfs without /proc, %s", (data) => {
  beforeEach(() => scene.mount(data));

  it("makes, reads and changes what is on the host", async () => {
    expect(fs.readFileSync("/mnt/d/f", "utf8")).toBe("host");
    fs.mkdirSync("/mnt/d/e");
    fs.writeFileSync("/mnt/d/e/g", "made here");
    fs.appendFileSync("/mnt/d/e/g", ", and longer");
    fs.kernel.sync();
    expect(nodeFs.readFileSync(`${inside}/d/e/g`, "utf8")).toBe("made here, and longer");
    fs.renameSync("/mnt/d/e/g", "/mnt/g");
    fs.symlinkSync("g", "/mnt/l");
    fs.truncateSync("/mnt/l", 4);
    fs.chmodSync("/mnt/l", 0o640);
    fs.utimesSync("/mnt/g", 1e9, 1e9 + 1);
    fs.rmdirSync("/mnt/d/e");
    await fs.promises.unlink("/mnt/d/f");
    fs.kernel.sync();
    expect(nodeFs.readFileSync(`${inside}/l`, "utf8")).toBe("made");
    const { mode, mtimeMs } = nodeFs.statSync(`${inside}/g`);
    expect([mode & 0o777, mtimeMs]).toEqual([0o640, 1e12 + 1000]);
    expect(nodeFs.readdirSync(inside, { recursive: true })).toEqual(["d", "g", "l"]);
    expect(fs.readdirSync("/mnt")).toEqual(["d", "g", "l"]);
  });

  it("does not leave the folder by a directory that has become a link", () => {
    const { outside } = scene;
    nodeFs.writeFileSync(`${outside}/f`, "secret");
    const within = fs.kernel.task({ cwd: "/mnt/d" });
    nodeFs.renameSync(`${inside}/d`, `${outside}/gone`);
    nodeFs.symlinkSync(outside, `${inside}/d`);
    expect(() => within.readFileSync("f")).toThrow(/ENOENT|ESTALE/);
    expect(() => within.writeFileSync("new", "")).toThrow(/ENOENT|ESTALE/);
    expect(() => within.mkdirSync("new")).toThrow(/ENOENT|ESTALE/);
    expect(nodeFs.readdirSync(outside)).toEqual(["f", "gone"]);
  });
});
