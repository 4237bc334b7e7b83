/** renameat2() with RENAME_WHITEOUT, step by step against the host's tmpfs. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { ENOSPC } from "../../../src/base/errno.ts";
import {
  O_CREAT,
  O_NONBLOCK,
  O_RDWR,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  S_IFCHR,
  S_IFSOCK,
} from "../../../src/base/stat-flags.ts";
import { createFsSync } from "../../../src/index.ts";
import { MS_BIND, MS_RDONLY, MS_REMOUNT } from "../../../src/vfs/mount-constants.ts";
import type { Task } from "../../../src/vfs/task.ts";
import { type Step, same } from "../../helpers/call-script.ts";

const LONG = "long".repeat(50);
const user = (uid: number, gid: number): Step[] => [["setUid", 0], ["setGroups"], ["setGid", gid], ["setUid", uid]];
const whiteout = (from: string, to: string, flags = 0): Step => ["rename", from, to, RENAME_WHITEOUT | flags];
const look = (...paths: string[]): Step[] =>
  paths.flatMap((path): Step[] => [
    ["stat", path],
    ["rdev", path],
  ]);
const aged = (...paths: string[]): Step[] => paths.map((path): Step => ["age", path]);
const times = (...paths: string[]): Step[] =>
  paths.flatMap((path): Step[] => [
    ["mtime", path],
    ["atime", path],
  ]);

/** Files and directories, full and empty, a link and a fifo, in two directories. */
const TREE: readonly Step[] = [
  ...["/d", "/d/empty", "/d/full", "/d/full/sub", "/e", "/e/empty", "/e/full", "/e/full/sub"].map(
    (path): Step => ["mkdir", path],
  ),
  ...["/d/f", "/d/g", "/e/f", `/d/${LONG}`].flatMap((path): Step[] => [
    ["open", "f", path, O_CREAT | O_RDWR, 0o644],
    ["write", "f", path],
    ["close", "f"],
  ]),
  ["link", "/d/f", "/d/hard"],
  ["link", "/d/f", "/e/hard"],
  ["symlink", "f", "/d/l"],
  ["mknod", "/d/p", S_IFSOCK | 0o600],
];
const NAMES = ["f", "g", "hard", "l", "p", "empty", "full", "missing", LONG, "f/", "empty/", ".", "full/.."];
const TARGETS = [
  "/d/new",
  "/d/g",
  "/d/hard",
  "/d/empty",
  "/e/new",
  "/e/f",
  "/e/hard",
  "/e/empty",
  "/e/full",
  "/d/f",
  "/e/new/",
];

describe("RENAME_WHITEOUT leaves a character device 0:0 under the old name", () => {
  for (const name of NAMES) {
    for (const to of [...TARGETS, `/d/${name}/x`]) {
      same(`/d/${name.slice(0, 10)} to ${to.slice(0, 20)}`, [
        ...TREE,
        ...aged(to, `/d/${name}`, "/d", "/e"),
        whiteout(`/d/${name}`, to),
        ...look(`/d/${name}`, to, "/d", "/e", "/d/f", "/e/f"),
        ...times(`/d/${name}`, to, "/d", "/e"),
        ["readlink", `/d/${name}`],
        ["open", "r", `/d/${name}`, O_RDWR | O_NONBLOCK],
        ["close", "r"],
        ["unlink", `/d/${name}`],
        ["rmdir", `/d/${name}`],
        ...look("/d", "/e"),
      ]);
    }
  }

  same("with the other flags", [
    ...TREE,
    whiteout("/d/f", "/d/g", RENAME_EXCHANGE),
    whiteout("/d/f", "/d/g", RENAME_EXCHANGE | RENAME_NOREPLACE),
    whiteout("/d/missing", "/d/missing", RENAME_EXCHANGE),
    whiteout("/d/f", "/d/g", 8),
    whiteout("/d/f", "/d/g", RENAME_NOREPLACE),
    whiteout("/d/f", "/d/new", RENAME_NOREPLACE),
    ...look("/d/f", "/d/new", "/d/g"),
    whiteout("/d/f", "/d/g"),
    whiteout("/d/f", "/d/h"),
    whiteout("/d/g", "/d/f"),
    ...look("/d/f", "/d/new", "/d/g", "/d/h", "/d"),
    ["rename", "/d/new", "/d/f", 0],
    ...look("/d/f", "/d"),
  ]);

  same("of others than root, too, who own what they leave; in set-group-ID directories it has their group", [
    ["umask", 0],
    ["mkdir", "/w", 0o777],
    ["mkdir", "/g", 0o777],
    ["chown", "/g", 7, 8],
    ["chmod", "/g", 0o2777],
    ["mkdir", "/s", 0o777],
    ["chmod", "/s", 0o1777],
    ["mkdir", "/no", 0o755],
    ...["/w/f", "/g/f", "/s/f", "/no/f"].map((path): Step => ["mknod", path, 0o100666]),
    ...user(5, 6),
    whiteout("/w/f", "/w/new"),
    whiteout("/g/f", "/g/new"),
    whiteout("/s/f", "/s/new"),
    whiteout("/no/f", "/w/newer"),
    whiteout("/w/new", "/no/new"),
    ...look("/w/f", "/w/new", "/g/f", "/s/f", "/no/f"),
    ["mknod", "/w/dev", S_IFCHR | 0o666, 1],
  ]);

  same("neither on a read-only mount nor across mounts", [
    ["mkdir", "/m"],
    ["mkdir", "/n"],
    ["mount", "/m", "/m", "", MS_BIND, ""],
    ["mknod", "/m/f", 0o100644],
    whiteout("/m/f", "/n/f"),
    ["mount", "", "/m", "", MS_BIND | MS_REMOUNT | MS_RDONLY, ""],
    whiteout("/m/f", "/m/g"),
    whiteout("/m/missing", "/m/g"),
    ["stat", "/m/f"],
  ]);
});

describe("RENAME_WHITEOUT when memory runs out", () => {
  it("is ENOSPC at any allocation, and nothing has changed", () => {
    const { kernel } = createFsSync({ memoryLimit: 2 ** 24 });
    const task = kernel.vfs.newTask({}) as Task;
    task.mknod(`/${LONG}`, 0o100644, 0);
    const { x } = kernel.vfs.core;
    let failures = 0;
    for (let n = 1; n < 100; n++) {
      const before = kernel.fs.readdirSync("/");
      x.setFailAfter(n);
      const rc = task.renameat2(`/${LONG}`, `/${LONG}-too`, RENAME_WHITEOUT);
      x.setFailAfter(0);
      kernel.verify();
      if (rc === 0) break;
      failures++;
      assert.equal(rc, -ENOSPC);
      assert.deepEqual(kernel.fs.readdirSync("/"), before);
    }
    assert.ok(failures > 0 && failures < 99);
    assert.deepEqual(kernel.fs.readdirSync("/"), [LONG, `${LONG}-too`]);
  });
});
