/** devtmpfs: devices that do what those of the host do, wherever their nodes are. */
import { strict as assert } from "node:assert";
import { afterEach, describe, expect, it } from "vitest";
import { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, S_IFBLK, S_IFCHR } from "../../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs, restoreFsSync } from "../../../src/index.ts";
import { devtmpfs } from "../../../src/store.ts";
import { MS_NODEV, MS_REMOUNT } from "../../../src/vfs/mount-constants.ts";
import { expectSame, itOnLinux, type LinuxStep } from "../../helpers/linux-script.ts";

const machines: FolioFs[] = [];
function machine(): FolioFs {
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [devtmpfs] });
  machines.push(fs);
  fs.mkdirSync("/dev");
  fs.kernel.mount({ type: "devtmpfs", target: "/dev" });
  return fs;
}
afterEach(() => {
  for (const fs of machines.splice(0)) fs.kernel.destroy();
});

describe("devtmpfs", () => {
  it("has nodes of the devices of memory, for everybody", () => {
    const fs = machine();
    expect(fs.readdirSync("/dev")).toEqual(["full", "null", "random", "urandom", "zero"]);
    for (const [name, minor] of Object.entries({ null: 3, zero: 5, full: 7, random: 8, urandom: 9 })) {
      const { mode, rdev, uid, nlink } = fs.statSync(`/dev/${name}`);
      expect([mode, rdev, uid, nlink]).toEqual([S_IFCHR | 0o666, 0x100 | minor, 0, 1]);
    }
    expect(fs.statSync("/dev").mode & 0o7777).toBe(0o755);
    expect(fs.kernel.mounts().at(-1)).toMatchObject({ type: "devtmpfs", target: "/dev" });
  });

  it("takes what is written to null, and gives random bytes", async () => {
    const fs = machine();
    fs.writeFileSync("/dev/null", "gone");
    await fs.promises.appendFile("/dev/null", "gone");
    expect(await fs.promises.readFile("/dev/null", "utf8")).toBe("");
    for (const name of ["random", "urandom"]) {
      const fd = fs.openSync(`/dev/${name}`, "r+");
      const [a, b] = [Buffer.alloc(200_000), Buffer.alloc(200_000)];
      expect([fs.readSync(fd, a), fs.readSync(fd, b), fs.writeSync(fd, "seed")]).toEqual([200_000, 200_000, 4]);
      for (const at of [0, 65_536, 131_072, 199_000]) {
        const end = at + 1000;
        expect(a.subarray(at, end).equals(b.subarray(at, end)) || a.subarray(at, end).every((byte) => byte === 0)).toBe(
          false,
        );
      }
      fs.closeSync(fd);
    }
  });

  it("stays in snapshots, and works where the type is known", () => {
    const fs = machine();
    const bytes = fs.kernel.snapshot();
    const restored = restoreFsSync(bytes, { types: [devtmpfs] });
    machines.push(restored);
    restored.writeFileSync("/dev/null", "gone");
    assert.throws(() => restored.writeFileSync("/dev/full", "x"), { code: "ENOSPC" });
    fs.kernel.umount("/dev");
    fs.kernel.unregisterFileSystem(devtmpfs);
    fs.mknodSync("/null", S_IFCHR | 0o666, 0x103);
    assert.throws(() => fs.openSync("/null", "r"), { code: "ENXIO" });
  });

  it("opens no device on a nodev mount", () => {
    const fs = machine();
    fs.kernel.mount({ target: "/dev", flags: MS_REMOUNT | MS_NODEV });
    assert.throws(() => fs.openSync("/dev/null", "r"), { code: "EACCES" });
  });

  itOnLinux("has devices that answer as the host's", async () => {
    const by = (call: string, ...args: Extract<LinuxStep, { call: string }>["args"]): LinuxStep => ({
      task: 0,
      call,
      args,
    });
    const steps: LinuxStep[] = [];
    for (const [name, minor] of Object.entries({ null: 3, zero: 5, full: 7, other: 200 })) {
      steps.push(by("mknod", `ROOT/${name}`, S_IFCHR | 0o600, 0x100 | minor));
      for (const flags of [O_RDONLY, O_WRONLY | O_TRUNC, O_RDWR | O_CREAT]) {
        steps.push(by("open", "fd", `ROOT/${name}`, flags), by("read", "fd", 20), by("write", "fd", "some"));
        steps.push(by("write", "fd", ""), by("close", "fd"));
      }
    }
    steps.push(by("mknod", "ROOT/block", S_IFBLK | 0o600, 0xfff00), by("open", "b", "ROOT/block", O_RDONLY));
    const outcomes = await expectSame({ tasks: [{ uid: 0, gid: 0 }], steps });
    for (const code of ["ENOSPC", "EBADF", "ENXIO"]) expect(outcomes).toContain(code);
  });
});
