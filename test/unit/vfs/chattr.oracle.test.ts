/** Append-only and immutable files and directories are as on the host's tmpfs: who may set the flags, and what they forbid. */
import { strict as assert } from "node:assert";
import { describe, expect, it } from "vitest";
import {
  O_APPEND,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  S_IFIFO,
  S_IFREG,
} from "../../../src/base/stat-flags.ts";
import { createFsSync, restoreFsSync } from "../../../src/index.ts";
import { expectSame, itOnLinux, type LinuxStep } from "../../helpers/linux-script.ts";
import { seededRandom } from "../../helpers/random.ts";

const TASKS = [
  { uid: 0, gid: 0 },
  { uid: 9, gid: 9 },
];
const SEED = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
const [IMMUTABLE, APPEND] = [0x10, 0x20];

type Call = Extract<LinuxStep, { call: string }>;
const by = (task: number, call: string, ...args: Call["args"]): Call => ({ task, call, args });
const FILES = [
  by(0, "mknod", "ROOT/f", S_IFREG | 0o666, 0),
  by(0, "mkdir", "ROOT/d", 0o777),
  by(0, "mknod", "ROOT/d/f", S_IFREG | 0o666, 0),
  by(0, "mknod", "ROOT/own", S_IFREG | 0o666, 0),
  by(0, "chown", "ROOT/own", 9, 9),
  by(0, "mknod", "ROOT/fifo", S_IFIFO | 0o666, 0),
];

describe("flags of inodes, as on the host", () => {
  itOnLinux("are root's to set", async () => {
    const steps = [...FILES];
    for (const task of [1, 0])
      for (const path of ["f", "own", "d", "fifo", "missing"])
        for (const flags of [APPEND, APPEND | IMMUTABLE, APPEND, 1 << 30, 0, 0x4000])
          steps.push(by(task, "chattr", `ROOT/${path}`, flags), by(task, "lsattr", `ROOT/${path}`));
    const outcomes = await expectSame({ tasks: TASKS, steps });
    for (const code of ["EPERM", "ENOTTY", "ENOENT", "ENOTSUP"]) expect(outcomes).toContain(code);
  });

  itOnLinux.each([0, 1, 2])("forbid what the host forbids, in random scripts (%i)", async (n) => {
    const seed = SEED + n;
    console.log(`chattr.oracle.test.ts: seed ${seed}`);
    const outcomes = await expectSame({ tasks: TASKS, steps: [...FILES, ...randomSteps(seededRandom(seed), 500)] });
    expect(outcomes).toContain("EPERM");
  });
});

function randomSteps(random: (below: number) => number, count: number): Call[] {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)];
  const paths = ["f", "d", "d/f", "own", "d/new", "new", "d/dir"].map((name) => `ROOT/${name}`);
  const step = (): Call => {
    const task = random(3) === 0 ? 1 : 0;
    const path = pick(paths);
    switch (random(16)) {
      case 0:
      case 1:
        return by(0, "chattr", path, pick([0, 0, 0, APPEND, IMMUTABLE, APPEND | IMMUTABLE]));
      case 2:
        return by(task, "open", "fd", path, pick([O_WRONLY, O_RDWR, O_WRONLY | O_APPEND, O_RDWR | O_APPEND, O_RDONLY]));
      case 3:
        return by(
          task,
          "open",
          "fd",
          path,
          pick([O_WRONLY | O_TRUNC, O_WRONLY | O_APPEND | O_CREAT, O_RDWR | O_APPEND | O_TRUNC]),
        );
      case 4:
        return by(task, "write", "fd", "text");
      case 5:
        return by(task, "ftruncate", "fd", random(5));
      case 6:
        return by(task, "truncate", path, random(5));
      case 7:
        return by(task, "unlink", path);
      case 8:
        return by(task, "rename", path, pick(paths));
      case 9:
        return by(0, "link", path, pick(paths)); // others are kept from it by fs.protected_hardlinks
      case 10:
        return by(task, "chmod", path, 0o777);
      case 11:
        return by(task, "chown", path, pick([0, 9]), 0);
      case 12:
        return by(task, "utimes", path, pick([null, null, 5]));
      case 13:
        return by(task, "mkdir", path, 0o777);
      case 14:
        return by(task, "setxattr", path, "user.a", "v", 0);
      default:
        return by(task, "symlink", "f", path);
    }
  };
  return Array.from({ length: count }, step);
}

describe("flags of inodes", () => {
  it("stay in snapshots, and are told in Node's shape", async () => {
    const fs = createFsSync({ memoryLimit: 16 * 2 ** 20 });
    fs.writeFileSync("/log", "one\n");
    await fs.kernel.linux.chattr("/log", APPEND);
    const restored = restoreFsSync(fs.kernel.snapshot());
    restored.appendFileSync("/log", "two\n");
    assert.throws(() => restored.writeFileSync("/log", ""), { code: "EPERM" });
    expect(restored.readFileSync("/log", "utf8")).toBe("one\ntwo\n");
    const fd = restored.openSync("/log", "r");
    expect(restored.kernel.linux.flsattrSync(fd)).toBe(APPEND);
    await restored.kernel.linux.fchattr(fd, 0);
    expect(await restored.kernel.linux.lsattr("/log")).toBe(0);
    assert.throws(() => restored.kernel.linux.chattrSync("/log", 1), {
      code: "ENOTSUP",
      message: "ENOTSUP: operation not supported on socket, chattr '/log'",
    });
    assert.throws(() => restored.kernel.linux.chattrSync("/log", "a" as never), { code: "ERR_INVALID_ARG_TYPE" });
  });
});
