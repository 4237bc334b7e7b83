/** Extended attributes do what those of the host's tmpfs do: rules one by one, and random scripts by several users. */
import { strict as assert } from "node:assert";
import { describe, expect, it } from "vitest";
import { O_PATH, O_RDONLY, O_RDWR, S_IFCHR, S_IFIFO, S_IFREG, S_IFSOCK } from "../../../src/base/stat-flags.ts";
import { expectSame, hex, itOnLinux, type LinuxStep, runOnFoliofs } from "../../helpers/linux-script.ts";
import { type Random, seededRandom } from "../../helpers/random.ts";

const ROOT_USER = { uid: 0, gid: 0 };
const USER = { uid: 1000, gid: 1000 };
const TASKS = [ROOT_USER, USER];
const SEED = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);

const by = (task: number, call: string, ...args: LinuxArgs): LinuxStep => ({ task, call, args });
type LinuxArgs = Extract<LinuxStep, { call: string }>["args"];

/** A file of each kind, and a directory, some of them somebody else's. */
const FILES: readonly LinuxStep[] = [
  by(0, "mknod", "ROOT/f", S_IFREG | 0o644, 0),
  by(0, "mkdir", "ROOT/d", 0o755),
  by(0, "mkdir", "ROOT/sticky", 0o755),
  by(0, "chmod", "ROOT/sticky", 0o1777),
  by(0, "symlink", "f", "ROOT/link"),
  by(0, "symlink", "nowhere", "ROOT/dangling"),
  by(0, "mknod", "ROOT/fifo", S_IFIFO | 0o666, 0),
  by(0, "mknod", "ROOT/sock", S_IFSOCK | 0o666, 0),
  by(0, "mknod", "ROOT/dev", S_IFCHR | 0o666, 0x103),
  by(0, "mknod", "ROOT/own", S_IFREG | 0o600, 0),
  by(0, "chown", "ROOT/own", 1000, 1000),
  by(0, "mknod", "ROOT/readonly", S_IFREG | 0o444, 0),
  by(0, "chown", "ROOT/readonly", 1000, 1000),
];
const PATHS = ["f", "d", "sticky", "link", "dangling", "fifo", "sock", "dev", "own", "readonly", "missing", "f/x"];
const NAMES = [
  "user.a",
  "user.b",
  "user.bb",
  "trusted.a",
  "security.x",
  "security.capability",
  "system.x",
  "other",
  "user.",
  "user",
  "trusted.",
  "",
  `user.${"n".repeat(250)}`,
  `user.${"n".repeat(251)}`,
  `security.${"s".repeat(246)}`,
];

describe("extended attributes, as on the host", () => {
  itOnLinux("are refused by the kind of name, of file and of user", async () => {
    const steps = [...FILES];
    for (const task of [0, 1]) {
      for (const path of PATHS) {
        for (const name of NAMES) {
          for (const call of ["setxattr", "lsetxattr"]) steps.push(by(task, call, `ROOT/${path}`, hex(name), "v", 0));
          for (const call of ["getxattr", "lgetxattr"]) steps.push(by(task, call, `ROOT/${path}`, hex(name)));
        }
        steps.push(by(task, "listxattr", `ROOT/${path}`), by(task, "llistxattr", `ROOT/${path}`));
        for (const name of NAMES) steps.push(by(task, "removexattr", `ROOT/${path}`, hex(name)));
      }
    }
    const outcomes = await expectSame({ tasks: TASKS, steps });
    const codes = new Set(outcomes.filter((outcome) => typeof outcome === "string"));
    for (const code of ["EPERM", "EACCES", "ENOENT", "ENOTDIR", "ENODATA", "ENOTSUP", "EINVAL", "ERANGE"])
      assert(codes.has(code), `${code} has not come up`);
  });

  itOnLinux("are set anew or replaced by flags, and checked in the kernel's order", async () => {
    const big = "x".repeat(65536);
    const steps = [...FILES];
    for (const flags of [0, 1, 2, 3, 4, -1]) {
      steps.push(
        by(0, "setxattr", "ROOT/f", hex("user.a"), "1", flags),
        by(0, "setxattr", "ROOT/f", hex("user.a"), "2", flags),
        by(0, "getxattr", "ROOT/f", hex("user.a")),
        by(0, "setxattr", "ROOT/missing", hex(""), `${big}x`, flags),
        by(0, "setxattr", "ROOT/missing", hex("user.a"), `${big}x`, flags),
        by(0, "setxattr", "ROOT/f", hex("user.a"), `${big}x`, flags),
        by(0, "setxattr", "ROOT/f", hex("other"), "", flags),
        by(0, "removexattr", "ROOT/f", hex("user.a")),
      );
    }
    steps.push(
      by(0, "setxattr", "ROOT/f", hex("user.big"), big, 0),
      by(0, "getxattr", "ROOT/f", hex("user.big")),
      by(0, "setxattr", "ROOT/f", hex("user.empty"), "", 0),
      by(0, "getxattr", "ROOT/f", hex("user.empty")),
      by(0, "listxattr", "ROOT/f"),
    );
    await expectSame({ tasks: TASKS, steps });
  });

  itOnLinux("go by descriptor, not by one of O_PATH", async () => {
    const steps = [...FILES, by(1, "open", "r", "ROOT/f", O_RDONLY), by(0, "open", "w", "ROOT/f", O_RDWR)];
    steps.push(by(0, "open", "p", "ROOT/f", O_PATH), by(0, "open", "d", "ROOT/d", O_RDONLY));
    for (const [task, fd] of [
      [1, "r"],
      [0, "w"],
      [0, "p"],
      [0, "d"],
    ] as const) {
      steps.push(
        by(task, "fsetxattr", fd, hex("user.a"), "1", 0),
        by(task, "fgetxattr", fd, hex("user.a")),
        by(task, "flistxattr", fd),
        by(task, "fremovexattr", fd, hex("user.a")),
        by(task, "fremovexattr", fd, hex("user.a")),
      );
    }
    await expectSame({ tasks: TASKS, steps });
  });

  itOnLinux("of security.capability have to be such", async () => {
    const values = [
      "",
      "0000000200000000",
      `01000002${"00".repeat(16)}`,
      `00000003${"00".repeat(16)}`,
      "00",
      `00000001${"00".repeat(8)}`,
    ];
    const steps = [...FILES];
    for (const task of [1, 0])
      for (const value of values)
        for (const path of ["f", "own"])
          steps.push(by(task, "setxattr", `ROOT/${path}`, hex("security.capability"), { hex: value }, 0));
    steps.push(by(1, "removexattr", "ROOT/own", hex("security.capability")));
    await expectSame({ tasks: TASKS, steps });
  });

  itOnLinux("count where inodes are limited", async () => {
    const steps = [...FILES];
    for (let i = 0; i < 12; i++) steps.push(by(0, "setxattr", "ROOT/f", hex(`user.${i}`), "v".repeat(900 + i), 0));
    for (let i = 0; i < 4; i++) steps.push(by(0, "mknod", `ROOT/new${i}`, S_IFREG | 0o600, 0));
    steps.push(by(0, "setxattr", "ROOT/f", hex("user.1"), "", 2), by(0, "setxattr", "ROOT/f", hex("trusted.1"), "", 0));
    for (let i = 4; i < 8; i++) steps.push(by(0, "mknod", `ROOT/new${i}`, S_IFREG | 0o600, 0));
    steps.push(by(0, "unlink", "ROOT/f"));
    for (let i = 8; i < 30; i++) steps.push(by(0, "mknod", `ROOT/new${i}`, S_IFREG | 0o600, 0));
    const outcomes = await expectSame({ tasks: TASKS, mount: "mode=755,nr_inodes=22", steps });
    assert(outcomes.includes("ENOSPC"));
  });

  itOnLinux("are not listed beyond 64 KiB", async () => {
    const steps = [...FILES];
    for (let i = 0; i < 300; i++) steps.push(by(0, "setxattr", "ROOT/f", hex(`user.${i}${"n".repeat(240)}`), "", 0));
    steps.push(by(0, "listxattr", "ROOT/f"));
    const outcomes = await expectSame({ tasks: TASKS, steps });
    expect(outcomes.at(-1)).toBe("E2BIG");
  });

  it.each([0, 1, 2])("hold against random scripts (%i)", async (n) => {
    const seed = SEED + n;
    console.log(`xattr.oracle.test.ts: seed ${seed}`);
    const steps = [...FILES, ...randomSteps(seededRandom(seed), 500)];
    const script = { tasks: TASKS, mount: "mode=755,nr_inodes=40", steps };
    await runOnFoliofs(script);
  });

  itOnLinux.each([0, 1, 2])("do as the host's in random scripts (%i)", async (n) => {
    const seed = SEED + n;
    console.log(`xattr.oracle.test.ts: seed ${seed}`);
    const steps = [...FILES, ...randomSteps(seededRandom(seed), 800)];
    await expectSame({ tasks: TASKS, mount: "mode=755,nr_inodes=40", steps });
  });
});

function randomSteps(random: Random, count: number): LinuxStep[] {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)];
  const paths = ["f", "f", "own", "own", "d", "sticky", "link", "readonly", "fifo", "new"];
  const names = ["user.a", "user.b", "user.aa", "trusted.t", "security.s", "user.ä", "system.x"];
  const step = (): LinuxStep => {
    const task = random(2);
    const path = `ROOT/${pick(paths)}`;
    const name = hex(pick(names));
    const way = pick(["", "l"]);
    const value = "v".repeat(pick([0, 1, 15, 16, 17, 100, 900, 3000, 9000]));
    switch (random(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return by(task, `${way}setxattr`, path, name, value, random(3));
      case 4:
      case 5:
        return by(task, `${way}removexattr`, path, name);
      case 6:
        return by(task, `${way}listxattr`, path);
      case 7:
        return by(0, pick(["mknod", "unlink"]), "ROOT/new", S_IFREG | 0o666, 0);
      case 8:
        return by(0, "chmod", path, pick([0o600, 0o644, 0o666, 0o1777]));
      default:
        return by(task, `${way}getxattr`, path, name);
    }
  };
  return Array.from({ length: count }, step);
}
