/** Calls by an open directory are as the host's: single rules, and random scripts over a tree that changes. */
import { strict as assert } from "node:assert";
import { describe, expect, it } from "vitest";
import {
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_PATH,
  O_RDONLY,
  O_TMPFILE,
  O_WRONLY,
  S_IFIFO,
  S_IFREG,
} from "../../../src/base/stat-flags.ts";
import { createFsSync } from "../../../src/index.ts";
import { expectSame, itOnLinux, type LinuxStep } from "../../helpers/linux-script.ts";
import { seededRandom } from "../../helpers/random.ts";

const TASKS = [
  { uid: 0, gid: 0 },
  { uid: 9, gid: 9 },
];
const SEED = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
const [NOFOLLOW, REMOVEDIR, FOLLOW, EMPTY_PATH] = [0x100, 0x200, 0x400, 0x1000];

type Call = Extract<LinuxStep, { call: string }>;
const by = (task: number, call: string, ...args: Call["args"]): Call => ({ task, call, args });
const root = (call: string, ...args: Call["args"]): Call => by(0, call, ...args);
const TREE = [
  root("chmod", "ROOT", 0o777),
  ...["a", "b", "a/sub", "secret"].map((name) => root("mkdir", `ROOT/${name}`, 0o755)),
  root("chmod", "ROOT/a", 0o777),
  root("chmod", "ROOT/secret", 0o700),
  root("mknod", "ROOT/a/f", S_IFREG | 0o644, 0),
  root("symlink", "f", "ROOT/a/link"),
  by(1, "open", "own", "ROOT/a/own", O_WRONLY | O_CREAT),
  ...[0, 1].flatMap((task) => [
    by(task, "open", "a", "ROOT/a", O_RDONLY | O_DIRECTORY),
    by(task, "open", "b", "ROOT/b", O_PATH),
    by(task, "open", "f", "ROOT/a/f", O_RDONLY),
    by(task, "open", "secret", "ROOT/secret", O_PATH),
  ]),
];

describe("calls by a directory, as on the host", () => {
  itOnLinux("take what is no directory, no descriptor, no path", async () => {
    const steps = [...TREE];
    for (const dir of ["a", "f", "none", null, "secret"]) {
      for (const path of ["x", "", "ROOT/a/y", "../a/z", "f/x", "missing/x"]) {
        if (dir === null && path.startsWith("..")) continue; // out of the scene
        for (const task of [1, 0]) {
          steps.push(by(task, "openat", "fd", dir, path, O_WRONLY | O_CREAT), by(task, "mkdirat", dir, path, 0o755));
          steps.push(
            by(task, "fstatat", dir, path, 0),
            by(task, "faccessat", dir, path, 4, 0),
            by(task, "fchmodat", dir, path, 0o600, 0),
          );
          steps.push(
            by(task, "symlinkat", "to", dir, path),
            by(task, "linkat", "a", "f", dir, path, 0),
            by(task, "linkat", dir, path, "a", "l", 0),
          );
          steps.push(by(task, "renameat2", "a", "gone", dir, path, 0), by(task, "renameat2", dir, path, "a", "w", 0));
          steps.push(
            by(task, "unlinkat", dir, path, 0),
            by(task, "unlinkat", "a", "w", REMOVEDIR),
            by(task, "unlinkat", "a", "w", 0),
          );
        }
      }
    }
    const outcomes = await expectSame({ tasks: TASKS, steps });
    for (const code of ["EBADF", "ENOTDIR", "ENOENT", "EACCES", "EEXIST"]) expect(outcomes).toContain(code);
  });

  itOnLinux("take flags", async () => {
    const steps = [...TREE];
    for (const flags of [0, NOFOLLOW, FOLLOW, EMPTY_PATH, REMOVEDIR, 1 << 20]) {
      for (const path of ["link", "f", ""]) {
        steps.push(
          root("linkat", "a", path, "b", `l${flags}${path}`, flags),
          root("fstatat", "b", `l${flags}${path}`, NOFOLLOW),
        );
        if ([0, NOFOLLOW].includes(flags))
          steps.push(root("fchmodat", "a", path, 0o611, flags), root("fchownat", "a", path, 3, 4, flags));
        steps.push(root("unlinkat", "b", `l${flags}${path}`, flags));
      }
    }
    steps.push(root("linkat", "f", "", "b", "of f", EMPTY_PATH), by(1, "linkat", "own", "", "a", "of own", EMPTY_PATH));
    steps.push(
      root("openat", "tmp", "b", ".", O_TMPFILE | O_WRONLY, 0o600),
      root("linkat", "tmp", "", "b", "tmp", EMPTY_PATH),
    );
    steps.push(root("fstatat", "b", "tmp", 0), root("openat", "own", "b", ".", O_TMPFILE | O_WRONLY | O_EXCL, 0o600));
    steps.push(
      root("linkat", "own", "", "b", "own", EMPTY_PATH),
      root("readlinkat", "a", "link"),
      root("readlinkat", "a", "f"),
    );
    steps.push(
      root("mknodat", "b", "p", S_IFIFO | 0o600, 0),
      root("renameat2", "b", "p", "a", "p", 1),
      root("renameat2", "a", "p", "b", "tmp", 2),
    );
    steps.push(
      root("renameat2", "a", "p", "b", "tmp", 1),
      root("renameat2", "a", "p", "b", "tmp", 8),
      root("stat", "ROOT/b/tmp"),
    );
    await expectSame({ tasks: TASKS, steps });
  });

  itOnLinux("set times: to what is given, to now, or not at all", async () => {
    const TIMES = ["1000000005", "-5", "now", "omit"];
    const steps = [...TREE];
    for (const flags of [0, NOFOLLOW, EMPTY_PATH, NOFOLLOW | EMPTY_PATH, FOLLOW, REMOVEDIR, 1]) {
      for (const path of ["f", "link", "", "none", "f/", "sub/..", "f/x"]) {
        for (const atime of TIMES) {
          const mtime = TIMES[(TIMES.indexOf(atime) + path.length) % TIMES.length];
          steps.push(root("utimensat", "a", "f", "7", "8", 0), root("utimensat", "a", path, atime, mtime, flags));
          for (const where of ["ROOT/a/f", "ROOT/a/link", "ROOT/a"]) steps.push(root("times", where));
        }
      }
    }
    for (const dir of ["none", "f", null]) {
      for (const flags of [0, EMPTY_PATH, 1])
        for (const path of ["a/f", "", "ROOT/a/f"])
          for (const times of [
            ["1", "2"],
            ["omit", "omit"],
            ["now", "now"],
          ])
            steps.push(root("utimensat", dir, path, times[0], times[1], flags), root("times", "ROOT/a/f"));
    }
    steps.push(
      root("openat", "own", "a", "f", O_RDONLY),
      root("fchmodat", "a", "f", 0o666, 0),
      root("fchmodat", "a", ".", 0o777, 0),
    );
    for (const [atime, mtime] of [
      ["1", "2"],
      ["now", "omit"],
      ["now", "now"],
      ["omit", "omit"],
    ])
      steps.push(by(1, "utimensat", null, "a/f", atime, mtime, 0), root("times", "ROOT/a/f"));
    await expectSame({ tasks: TASKS, steps });
  });

  itOnLinux("go with a directory wherever it is, and find nothing in one that is gone", async () => {
    const steps = [...TREE, root("open", "sub", "ROOT/a/sub", O_PATH)];
    steps.push(
      root("rename", "ROOT/a/sub", "ROOT/b/moved"),
      root("openat", "n", "sub", "n", O_WRONLY | O_CREAT),
      root("stat", "ROOT/b/moved/n"),
    );
    steps.push(
      root("fstatat", "sub", "../moved/n", 0),
      root("renameat2", "sub", "n", "a", "n", 0),
      root("unlinkat", "b", "moved", REMOVEDIR),
    );
    for (const path of ["n", ".", "..", "../b"]) steps.push(root("fstatat", "sub", path, 0));
    steps.push(
      root("mkdirat", "sub", "n", 0o755),
      root("openat", "n", "sub", "n", O_WRONLY | O_CREAT),
      root("linkat", "a", "f", "sub", "n", 0),
    );
    await expectSame({ tasks: TASKS, steps });
  });

  itOnLinux.each([0, 1, 2])("do as the host's in random scripts (%i)", async (n) => {
    const seed = SEED + n;
    console.log(`at.oracle.test.ts: seed ${seed}`);
    await expectSame({ tasks: TASKS, steps: [...TREE, ...randomSteps(seededRandom(seed), 500)] });
  });
});

function randomSteps(random: (below: number) => number, count: number): Call[] {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)];
  const dir = (): string => pick(["a", "a", "b", "c", "c", "f"]);
  const path = (): string => pick(["f", "x", "y", "sub", "sub/x", "../b/x", "../a", "link", ".", "x/", "ROOT/b/y"]);
  const step = (): Call => {
    const task = random(4) === 0 ? 1 : 0;
    switch (random(12)) {
      case 0:
        return by(task, "openat", "c", dir(), path(), pick([O_RDONLY | O_DIRECTORY, O_PATH]));
      case 1:
        return by(task, "openat", "w", dir(), path(), O_WRONLY | O_CREAT, 0o666);
      case 2:
        return by(task, "mkdirat", dir(), path(), 0o777);
      case 3:
        return by(task, "unlinkat", dir(), path(), pick([0, REMOVEDIR]));
      case 4:
      case 5:
        return by(task, "renameat2", dir(), path(), dir(), path(), pick([0, 0, 1, 2]));
      case 6:
        return root("linkat", dir(), path(), dir(), path(), pick([0, FOLLOW])); // others are kept from it by fs.protected_hardlinks
      case 7:
        return by(task, "symlinkat", pick(["f", "x", "../b"]), dir(), path());
      case 8:
        return by(task, "readlinkat", dir(), path());
      case 9:
        return by(task, "fchmodat", dir(), path(), pick([0o777, 0o700, 0o755]), 0);
      case 10:
        return by(task, "mknodat", dir(), path(), S_IFREG | 0o666, 0);
      default:
        return by(task, "fstatat", dir(), path(), pick([0, NOFOLLOW]));
    }
  };
  return Array.from({ length: count }, step);
}

describe("calls by a directory", () => {
  it("have Node's shape, in both forms, and leave the working directory", async () => {
    using kernel = createFsSync({ memoryLimit: 16 * 2 ** 20 }).kernel;
    const { fs, linux } = kernel;
    fs.mkdirSync("/d");
    fs.mkdirSync("/elsewhere");
    fs.task.chdir("/elsewhere");
    const dir = await fs.promises.open("/d");
    const fd = await linux.openat(dir, "file", "w");
    fs.writeSync(fd, "text");
    fs.closeSync(fd);
    expect(fs.readFileSync("/d/file", "utf8")).toBe("text");
    expect(fs.existsSync("file")).toBe(false);
    expect(fs.task.cwd()).toBe("/elsewhere");
    expect((await linux.fstatat(dir, "file", 0, { bigint: true })).size).toBe(4n);
    expect(linux.fstatatSync(dir, "", EMPTY_PATH).isDirectory()).toBe(true);
    await linux.renameat2(dir, "file", -100, "moved");
    expect(fs.readdirSync("/elsewhere")).toEqual(["moved"]);
    const shape = {
      code: "ENOENT",
      syscall: "unlinkat",
      path: "file",
      message: "ENOENT: no such file or directory, unlinkat 'file'",
    };
    await assert.rejects(linux.unlinkat(dir, "file"), shape);
    assert.throws(() => linux.unlinkatSync(dir, "file"), shape);
    assert.throws(() => linux.linkatSync(dir, "x", dir, "y"), { code: "ENOENT", path: "x", dest: "y" });
    for (const call of [
      () => linux.openatSync("d" as never, "x"),
      () => linux.openatSync(dir, 1 as never),
      () => linux.openatSync(-1, "x"),
    ])
      assert.throws(call, { code: /ERR_INVALID_ARG_TYPE|ERR_OUT_OF_RANGE/ });
    await dir.close();
  });
});
