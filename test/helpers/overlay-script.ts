/**
 * Scripts of calls on an overlay, for linux-script.ts: two lower layers with files of every kind, and random calls on what is mounted
 * over them by two users.
 */
import {
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  S_IFCHR,
  S_IFIFO,
  S_IFREG,
} from "../../src/base/stat-flags.ts";
import { hex, type LinuxStep } from "./linux-script.ts";
import type { Random } from "./random.ts";

/** Who works on it. */
export const OVERLAY_TASKS = [
  { uid: 0, gid: 0 },
  { uid: 1000, gid: 1000 },
];

const by = (task: number, call: string, ...args: LinuxArgs): LinuxStep => ({ task, call, args });
type LinuxArgs = Extract<LinuxStep, { call: string }>["args"];
export const root = (call: string, ...args: LinuxArgs): LinuxStep => by(0, call, ...args);

export const DIRS = ["l1", "l2", "u", "w", "m", "m2"].map((name) => root("mkdir", `ROOT/${name}`, 0o777));
export const ALL = "lowerdir=ROOT/l1:ROOT/l2,upperdir=ROOT/u,workdir=ROOT/w";
export const mounted = (options = ""): LinuxStep =>
  root("overlay", options === "" ? ALL : `${ALL},${options}`, "ROOT/m");

/** Files of every kind in two lower layers, old, some with attributes, one with two names. */
export const LOWER: readonly LinuxStep[] = [
  ...["l1/d", "l1/d/e", "l2/d", "l2/d/e", "l2/only", "l1/f1", "l2/sticky"].map((path) =>
    root("mkdir", `ROOT/${path}`, 0o775),
  ),
  ...[
    "l1/a",
    "l1/d/x",
    "l1/d/e/p",
    "l2/a",
    "l2/b",
    "l2/c",
    "l2/d/x",
    "l2/d/y",
    "l2/d/e/q",
    "l2/only/z",
    "l2/own",
  ].flatMap((path) => [
    root("open", "w", `ROOT/${path}`, O_CREAT | O_RDWR, 0o664),
    root("write", "w", path.repeat(5)),
    root("close", "w"),
  ]),
  root("link", "ROOT/l2/b", "ROOT/l2/b2"),
  root("link", "ROOT/l2/b", "ROOT/l2/d/b3"),
  root("symlink", "a", "ROOT/l2/ln"),
  root("symlink", "d/e", "ROOT/l1/lnd"),
  root("mknod", "ROOT/l2/fifo", S_IFIFO | 0o640, 0),
  root("mknod", "ROOT/l2/dev", S_IFCHR | 0o600, 0x103),
  root("chown", "ROOT/l2/own", 1000, 1000),
  root("chmod", "ROOT/l2/sticky", 0o1777),
  root("setxattr", "ROOT/l2/c", hex("user.x"), "value", 0),
  root("setxattr", "ROOT/l2/only", hex("trusted.x"), "value", 0),
  ...["l1/a", "l1/d/x", "l2/b", "l2/c", "l2/own", "l2/only", "l1/d", "l2/d", "l1/d/e", "l2/d/e", "l1", "l2"].map(
    (path, i) => root("utimensat", null, `ROOT/${path}`, `${i + 1}000000005`, `${i + 2}00000000${i}`.slice(0, 18), 0),
  ),
];

const NAMES = ["a", "b", "b2", "c", "d", "e", "x", "y", "ln", "lnd", "only", "z", "own", "sticky", "fifo", "new", "f1"];
const DIRECTORIES = ["", "", "", "d/", "d/", "d/e/", "only/", "sticky/", "new/", "lnd/", "y/"];
const OPENS = [
  O_RDONLY,
  O_WRONLY,
  O_RDWR,
  O_RDWR | O_CREAT,
  O_WRONLY | O_CREAT | O_TRUNC,
  O_WRONLY | O_APPEND,
  O_RDWR | O_CREAT | O_EXCL,
  O_RDONLY | O_TRUNC,
];

/** Random calls, with remounts by `options` now and then; without remounts where they are undefined. */
export function randomSteps(random: Random, count: number, options: string | undefined): LinuxStep[] {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)];
  const path = (): string => `ROOT/m/${pick(DIRECTORIES)}${pick(NAMES)}`;
  const fd = (): string => `f${random(3)}`;
  const step = (): LinuxStep[] => {
    const task = random(4) === 0 ? 1 : 0;
    switch (random(27)) {
      case 0:
      case 1:
      case 2: {
        const name = fd();
        return [by(task, "close", name), by(task, "open", name, path(), pick(OPENS) | 0o4000, 0o666)];
      }
      case 3:
      case 4:
        return [by(task, "write", fd(), "w".repeat(1 + random(30)))];
      case 5:
        return [by(task, "read", fd(), 64)];
      case 6:
        return [by(task, "mkdir", path(), pick([0o755, 0o777, 0o2775]))];
      case 7:
      case 8:
        return [by(task, "unlink", path())];
      case 9:
        return [by(task, "rmdir", path())];
      case 10:
      case 11:
      case 12:
        return [by(task, "rename", path(), path())];
      case 13:
        return [
          by(
            task,
            "renameat2",
            null,
            path(),
            null,
            path(),
            pick([RENAME_EXCHANGE, RENAME_EXCHANGE, RENAME_NOREPLACE, 4]),
          ),
        ];
      case 14:
        return [by(0, "link", path(), path())]; // others: fs.protected_hardlinks of the host
      case 15:
        return [by(task, "symlink", pick(["a", "d/e", "nowhere"]), path())];
      case 16:
        return [by(task, "chmod", path(), pick([0o600, 0o644, 0o666, 0o4755, 0o2755, 0o777]))];
      case 17:
        return [by(task, "chown", path(), pick([-1, 0, 1000]), pick([-1, 0, 1000]))];
      case 18:
        return [by(0, "truncate", path(), random(40))];
      case 19:
        return [by(task, "utimensat", null, path(), "7000000001", pick(["8000000002", "omit"]), pick([0, 0x100]))];
      case 20:
        return [
          by(
            0,
            "setxattr",
            path(),
            hex(pick(["user.x", "trusted.y", "trusted.overlay.opaque", "user.z"])),
            "v",
            random(3),
          ),
        ];
      case 21:
        return [by(0, "removexattr", path(), hex(pick(["user.x", "trusted.x", "trusted.overlay.origin"])))];
      case 22:
        return [by(task, "mknod", path(), pick([S_IFIFO | 0o644, S_IFREG | 0o600, S_IFCHR | 0o600]), 0)];
      case 23:
        return [by(task, "ftruncate", fd(), random(40))];
      case 24:
        return [by(task, "stat", path()), by(task, "times", path())];
      case 25:
        return options === undefined || random(3) > 0 ? [] : remount(options);
      default:
        return [by(0, "tree", "ROOT/m")];
    }
  };
  return Array.from({ length: count }, step).flat();
}

/** Closes all that random calls may have opened. */
export const CLOSES = [0, 1].flatMap((task) => [0, 1, 2].map((n) => by(task, "close", `f${n}`)));

/** All is found again in the layers. */
export function remount(options: string): LinuxStep[] {
  return [...CLOSES, root("umount", "ROOT/m"), mounted(options), root("tree", "ROOT/m")];
}
