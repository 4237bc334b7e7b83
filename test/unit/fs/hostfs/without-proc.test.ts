/** hostfs where there is no /proc, as on macOS: paths are joined, and looked at before each use. */
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const { platform } = vi.hoisted(() => {
  const { platform } = process;
  Object.defineProperty(process, "platform", { value: "darwin" });
  return { platform };
});

import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostfs } from "../../../../src/fs/hostfs/hostfs.ts";
import { createFsSync, type FolioFs } from "../../../../src/index.ts";

Object.defineProperty(process, "platform", { value: platform });

let base: string;
let inside: string;
let fs: FolioFs;

beforeEach(() => {
  base = nodeFs.realpathSync(nodeFs.mkdtempSync(join(tmpdir(), "hostfs-")));
  inside = `${base}/inside`;
  nodeFs.mkdirSync(`${inside}/d`, { recursive: true });
  nodeFs.writeFileSync(`${inside}/d/f`, "host");
  fs = createFsSync({ memoryLimit: 64 * 2 ** 20 });
  fs.kernel.registerFileSystem(hostfs);
  fs.mkdirSync("/mnt");
});

afterEach(() => {
  fs.kernel.destroy();
  nodeFs.rmSync(base, { recursive: true });
});

describe.each(["cache=none", "cache=writeback"])("hostfs without /proc, %s", (data) => {
  beforeEach(() => fs.kernel.mount({ type: "hostfs", source: inside, target: "/mnt", data }));

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
    nodeFs.mkdirSync(`${base}/outside`);
    nodeFs.writeFileSync(`${base}/outside/f`, "secret");
    const within = fs.kernel.task({ cwd: "/mnt/d" });
    nodeFs.renameSync(`${inside}/d`, `${base}/gone`);
    nodeFs.symlinkSync(`${base}/outside`, `${inside}/d`);
    expect(() => within.readFileSync("f")).toThrow(/ENOENT|ESTALE/);
    expect(() => within.writeFileSync("new", "")).toThrow(/ENOENT|ESTALE/);
    expect(() => within.mkdirSync("new")).toThrow(/ENOENT|ESTALE/);
    expect(nodeFs.readdirSync(`${base}/outside`)).toEqual(["f"]);
  });
});
