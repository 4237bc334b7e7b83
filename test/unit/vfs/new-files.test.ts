/**
 * New files are made by the core in one crossing where that takes no more than libfs, and by the VFS otherwise: with O_EXCL
 * always, which serves as the reference here. (What both ought to do the conformance suites compare with the kernel.)
 */
import { constants } from "node:fs";
import { describe, expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";

const { O_CREAT, O_EXCL, O_RDWR, O_TRUNC, O_WRONLY } = constants;
const SMALL = { memoryLimit: 16 * 2 ** 20 };

function attempt(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

describe("new files, by the core and by the VFS", () => {
  for (const uid of [0, 1000]) {
    for (const [dirMode, gid] of [
      [0o777, 0],
      [0o2777, 50],
      [0o2777, 1000],
      [0o555, 0],
    ]) {
      it(`have the same owner and mode: of user ${uid}, in a directory ${dirMode.toString(8)} of group ${gid}`, () => {
        const fs = createFsSync(SMALL);
        fs.mkdirSync("/d");
        fs.chownSync("/d", 0, gid);
        fs.chmodSync("/d", dirMode);
        const task = fs.kernel.task({ uid, gid: uid, umask: 0o022 });
        for (const mode of [0o666, 0o2777, 0o2770, 0o4711, 0o7777, 0]) {
          const made = (name: string, flags: number) =>
            attempt(() => {
              task.closeSync(task.openSync(name, O_CREAT | O_WRONLY | flags, mode));
              const { mode: got, uid: owner, gid: group, nlink, size } = fs.statSync(name);
              return { got: got.toString(8), owner, group, nlink, size };
            });
          expect(made(`/d/core-${mode}`, 0)).toEqual(made(`/d/vfs-${mode}`, O_EXCL));
        }
        fs.kernel.verify();
      });
    }
  }

  it("and directories: mkdir by the core has owner, mode and links of inode_init_owner()", () => {
    const fs = createFsSync(SMALL);
    fs.mkdirSync("/d");
    fs.chownSync("/d", 0, 50);
    fs.chmodSync("/d", 0o2777);
    const task = fs.kernel.task({ uid: 1000, gid: 1000, umask: 0o027 });
    for (const mode of [0o777, 0o1777, 0o7777, 0]) {
      task.mkdirSync(`/d/${mode}`, mode);
      const { mode: got, uid, gid, nlink, size } = fs.statSync(`/d/${mode}`);
      expect([got & 0o7777, uid, gid, nlink, size]).toEqual([(mode & 0o1750) | 0o2000, 1000, 50, 2, 40]);
    }
    expect(fs.statSync("/d").nlink).toBe(6);
    expect(attempt(() => task.mkdirSync("/d/0"))).toBe("EEXIST");
    expect(attempt(() => task.mkdirSync("/none/x"))).toBe("ENOENT");
    expect(attempt(() => task.mkdirSync(`/d/${"x".repeat(256)}`))).toBe("ENAMETOOLONG");
    task.mkdirSync("/d/slashes///");
    expect(fs.readdirSync("/d")).toContain("slashes");
    fs.kernel.verify();
  });

  it("fail alike on a mount that is read-only", () => {
    const fs = createFsSync(SMALL);
    fs.mkdirSync("/ro");
    fs.kernel.mount({ type: "ramfs", target: "/ro", data: "ro" });
    for (const flags of [0, O_EXCL]) {
      expect(attempt(() => fs.openSync("/ro/x", O_CREAT | O_WRONLY | flags))).toBe("EROFS");
    }
  });

  it("are not truncated, and can be read and written", () => {
    const fs = createFsSync({ ...SMALL, now: () => 5000 });
    const fd = fs.openSync("/f", O_CREAT | O_RDWR | O_TRUNC);
    expect(fs.writeSync(fd, "text")).toBe(4);
    expect(fs.readFileSync("/f", "utf8")).toBe("text");
    expect(fs.statSync("/f").mtimeMs).toBe(5000);
    fs.closeSync(fs.openSync("/f", O_CREAT | O_RDWR | O_TRUNC));
    expect(fs.statSync("/f").size).toBe(0);
  });

  it("get the name they were given, whatever calls the clock makes meanwhile", () => {
    let during = (): void => {};
    const now = (): number => {
      during();
      return 5000;
    };
    const fs = createFsSync({ ...SMALL, now });
    during = () => void fs.existsSync("/some/other/name");
    fs.writeFileSync("/mine", "");
    during = () => {};
    expect(fs.readdirSync("/")).toEqual(["mine"]);
    fs.kernel.verify();
  });

  it("never have times that go back, as all times", () => {
    let now = 5000;
    const fs = createFsSync({ ...SMALL, now: () => now });
    fs.writeFileSync("/a", "x");
    now = 4999;
    fs.closeSync(fs.openSync("/b", "w"));
    expect(fs.statSync("/b").mtimeMs).toBe(5000);
  });
});
