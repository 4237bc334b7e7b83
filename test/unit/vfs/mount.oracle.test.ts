/** Mounts, step by step against the host's kernel. */
import { describe } from "vitest";
import {
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
  R_OK,
  S_IFCHR,
  S_IFIFO,
  W_OK,
  X_OK,
} from "../../../src/base/stat-flags.ts";
import {
  MS_BIND,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_RDONLY,
  MS_REMOUNT,
  MS_STRICTATIME,
} from "../../../src/vfs/mount-constants.ts";
import { type Step, same } from "../../helpers/call-script.ts";

const ramfs = (target: string, flags = 0, data = ""): Step => ["mount", "none", target, "ramfs", flags, data];
const bind = (source: string, target: string): Step => ["mount", source, target, "", MS_BIND, ""];
const remount = (target: string, flags: number): Step => ["mount", "none", target, "ramfs", MS_REMOUNT | flags, ""];
const touch = (name: string, path: string): Step[] => [
  ["open", name, path, O_CREAT | O_RDWR, 0o644],
  ["write", name, "data"],
  ["close", name],
];

describe("mount, umount", () => {
  same("covers what lies below, and uncovers it", [
    ["mkdir", "/m"],
    ...touch("f", "/m/under"),
    ramfs("/m"),
    ["stat", "/m/under"],
    ["statfsType", "/m"],
    ...touch("f", "/m/over"),
    ["stat", "/m/over"],
    ["umount", "/m"],
    ["stat", "/m/over"],
    ["stat", "/m/under"],
  ]);

  same("takes what there is of a mode that is too large", [
    ["mkdir", "/m"],
    ramfs("/m", 0, "mode=777777"),
    ["statfsType", "/m"],
  ]);

  same("stacks, and takes the newest away first", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ["mkdir", "/m/first"],
    ramfs("/m"),
    ["mkdir", "/m/second"],
    ["access", "/m/first", 0],
    ["umount", "/m"],
    ["access", "/m/first", 0],
    ["umount", "/m"],
    ["umount", "/m"],
  ]);

  same("stacks over the working directory", [
    ["mkdir", "/m"],
    ["chdir", "/m"],
    ramfs("."),
    ["mkdir", "/m/first"],
    ramfs("."),
    ["mkdir", "/m/second"],
    ["access", "/m/first", 0],
    ["access", "first", 0],
    ["umount", "."],
    ["umount", "/m"],
    ["access", "/m/first", 0],
    ["umount", "/m"],
    ["access", "/m/second", 0],
    ["umount", "/m"],
  ]);

  same("goes over a file by a bind alone", [
    ["mkdir", "/d"],
    ...touch("f", "/file"),
    ...touch("f", "/other"),
    ramfs("/file"),
    bind("/d", "/file"),
    bind("/file", "/d"),
    bind("/other", "/file"),
    ["truncate", "/file", 1],
    ["stat", "/other"],
    ["unlink", "/file"],
    ["rename", "/file", "/x"],
    ["rename", "/other", "/file"],
    ["umount", "/file"],
    ["stat", "/file"],
  ]);

  same("refuses what is no place and no type", [
    ["mkdir", "/m"],
    ...touch("f", "/file"),
    ["mount", "none", "/m", "nosuchfs", 0, ""],
    ramfs("/missing"),
    ["mount", "none", "/file/x", "ramfs", 0, ""],
    ["umount", "/missing"],
    ["umount", "/m"],
    ["umount", "/file"],
    ["mount", "/missing", "/m", "", MS_BIND, ""],
    ["mount", "none", "/m", "ramfs", MS_REMOUNT, ""],
    ramfs("/m", 0, "mode=9"),
    ramfs("/m", 0, "mode=0711,foo=bar,baz"),
    ["setUid", 1000],
    ["access", "/m", X_OK],
    ["access", "/m", R_OK],
  ]);

  same("is root's alone", [
    ["mkdir", "/m", 0o777],
    ["setUid", 1000],
    ramfs("/m"),
    ["umount", "/m"],
    ["setUid", 0],
    ramfs("/m"),
    ["setUid", 1000],
    ["umount", "/m"],
    remount("/m", MS_RDONLY),
    bind("/", "/m"),
  ]);

  same("does not go over a removed directory", [
    ["mkdir", "/gone"],
    ["chdir", "/gone"],
    ["rmdir", "/gone"],
    ramfs("."),
    bind("/", "."),
    ["chdir", "/"],
  ]);

  same("finds its target through symbolic links", [
    ["mkdir", "/m"],
    ["symlink", "m", "/link"],
    ramfs("/link"),
    ["mkdir", "/m/x"],
    ["umount", "/link/"],
    ["access", "/m/x", 0],
  ]);
});

describe("what is busy", () => {
  same("open files, of which ever mode", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ["open", "f", "/m/f", O_CREAT | O_RDWR, 0o644],
    ["umount", "/m"],
    ["unlink", "/m/f"],
    ["umount", "/m"],
    ["close", "f"],
    ["open", "d", "/m", O_RDONLY],
    ["umount", "/m"],
    ["close", "d"],
    ["umount", "/m"],
  ]);

  same("a working directory", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ["mkdir", "/m/d"],
    ["chdir", "/m/d"],
    ["umount", "/m"],
    ["getcwd"],
    ["chdir", "/"],
    ["umount", "/m"],
  ]);

  same("a mount below", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ["mkdir", "/m/n"],
    ramfs("/m/n"),
    ["umount", "/m"],
    ["umount", "/m/n"],
    ["umount", "/m"],
  ]);

  same("mountpoints: neither removed nor renamed nor replaced", [
    ["mkdir", "/m"],
    ["mkdir", "/n"],
    ramfs("/m"),
    ["rmdir", "/m"],
    ["unlink", "/m"],
    ["rename", "/m", "/o"],
    ["rename", "/n", "/m"],
    ["rename", "/m", "/n", 2],
    ["mkdir", "/m"],
    ["umount", "/m"],
    ["rename", "/m", "/o"],
    ["rmdir", "/o"],
  ]);

  same("a mountpoint seen through another mount", [
    ["mkdir", "/a"],
    ["mkdir", "/a/m"],
    ["mkdir", "/b"],
    bind("/a", "/b"),
    ramfs("/a/m"),
    ["mkdir", "/b/m/below"],
    ["access", "/a/m/below", 0],
    ["rmdir", "/b/m/below"],
    ["rmdir", "/b/m"],
    ["rename", "/b/m", "/b/n"],
    ["umount", "/a/m"],
    ["rmdir", "/b/m"],
    ["access", "/a/m", 0],
  ]);

  same("the parent of a mountpoint moves with it", [
    ["mkdir", "/p"],
    ["mkdir", "/p/m"],
    ramfs("/p/m"),
    ["mkdir", "/p/m/x"],
    ["rename", "/p", "/q"],
    ["access", "/q/m/x", 0],
    ["chdir", "/q/m/x"],
    ["getcwd"],
    ["chdir", "/"],
    ["umount", "/q/m"],
  ]);
});

describe("bind mounts", () => {
  same("show the same files", [
    ["mkdir", "/a"],
    ["mkdir", "/b"],
    bind("/a", "/b"),
    ...touch("f", "/a/f"),
    ["stat", "/b/f"],
    ["unlink", "/b/f"],
    ["stat", "/a/f"],
  ]);

  same("do not bring mounts below along", [
    ["mkdir", "/a"],
    ["mkdir", "/a/m"],
    ["mkdir", "/b"],
    ramfs("/a/m"),
    ["mkdir", "/a/m/x"],
    bind("/a", "/b"),
    ["access", "/b/m/x", 0],
    ["access", "/a/m/x", 0],
  ]);

  same("outlive the mount they were made from", [
    ["mkdir", "/m"],
    ["mkdir", "/b"],
    ramfs("/m"),
    ["mkdir", "/m/d"],
    ...touch("f", "/m/d/f"),
    bind("/m/d", "/b"),
    ["umount", "/m"],
    ["stat", "/b/f"],
    ["chdir", "/b"],
    ["chdir", ".."],
    ["getcwd"],
    ["umount", "/b"],
    ["access", "/b/f", 0],
  ]);

  same("of a directory that is then removed", [
    ["mkdir", "/d"],
    ["mkdir", "/b"],
    bind("/d", "/b"),
    ["rmdir", "/d"],
    ["mkdir", "/b/x"],
    ["stat", "/b"],
    ["chdir", "/b"],
    ["getcwd"],
    ["chdir", "/"],
    ["umount", "/b"],
  ]);

  same("link and rename do not cross them", [
    ["mkdir", "/a"],
    ["mkdir", "/b"],
    bind("/a", "/b"),
    ...touch("f", "/a/f"),
    ["rename", "/a/f", "/b/g"],
    ["link", "/a/f", "/b/g"],
    ["rename", "/b/f", "/b/g"],
    ["link", "/a/g", "/a/h"],
  ]);

  same("read-only by a remount of their own", [
    ["mkdir", "/a"],
    ["mkdir", "/b"],
    bind("/a", "/b"),
    ...touch("f", "/a/f"),
    ["mount", "none", "/b", "", MS_REMOUNT | MS_BIND | MS_RDONLY, ""],
    ["open", "r", "/b/f", O_RDONLY],
    ["open", "w", "/b/f", O_WRONLY],
    ["access", "/b/f", W_OK],
    ["access", "/b/f", R_OK | W_OK],
    ["access", "/b", W_OK],
    ["access", "/b/f", R_OK],
    ["truncate", "/b/f", 0],
    ["truncate", "/a/f", 1],
    ["age", "/a/f"],
    ["pread", "r", 1, 0],
    ["atime", "/a/f"],
  ]);

  same("not while a file is open for writing through them", [
    ["mkdir", "/a"],
    ["mkdir", "/b"],
    bind("/a", "/b"),
    ["open", "w", "/b/f", O_CREAT | O_WRONLY, 0o644],
    ["mount", "none", "/b", "", MS_REMOUNT | MS_BIND | MS_RDONLY, ""],
    ["mount", "none", "/a", "", MS_REMOUNT | MS_BIND | MS_RDONLY, ""],
    ["close", "w"],
    ["mount", "none", "/b", "", MS_REMOUNT | MS_BIND | MS_RDONLY, ""],
    ["mkdir", "/b/x"],
  ]);
});

describe("..", () => {
  same("goes out of mounts, stacked ones too", [
    ["mkdir", "/a"],
    ["mkdir", "/a/m"],
    ["mkdir", "/a/beside"],
    ramfs("/a/m"),
    ramfs("/a/m"),
    ["mkdir", "/a/m/x"],
    ["access", "/a/m/x/../../beside", 0],
    ["chdir", "/a/m"],
    ["access", "../beside", 0],
    ["chdir", ".."],
    ["getcwd"],
    ["chdir", "beside"],
    ["access", "../m/x", 0],
  ]);

  same("rename and link across mounts", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ...touch("f", "/f"),
    ...touch("f", "/m/g"),
    ["rename", "/f", "/m/f"],
    ["rename", "/m/g", "/g"],
    ["rename", "/f", "/m/g", 2],
    ["link", "/f", "/m/f"],
    ["rename", "/f", "/m"],
    ["rename", "/m/..", "/x"],
    ["rename", "/m/g", "/m/../h"],
    ["chmod", "/m", 0o777],
    ["setUid", 1000],
    ["link", "/m/g", "/new"],
    ["link", "/m/g", "/f"],
    ["link", "/m/g", "/new/"],
    ["link", "/m", "/new"],
    ["rename", "/m/g", "/new"],
    ["rename", "/m/g", "/f"],
  ]);
});

describe("read-only", () => {
  const changes: Step[] = [
    ["open", "w", "/m/f", O_WRONLY],
    ["open", "w", "/m/f", O_CREAT | O_RDWR, 0o644],
    ["open", "r", "/m/f", O_CREAT | O_RDONLY, 0o644],
    ["open", "w", "/m/new", O_CREAT | O_RDWR, 0o644],
    ["open", "w", "/m/f", O_CREAT | O_RDWR | 0o200, 0o644],
    ["open", "t", "/m/f", O_RDONLY | 0o1000],
    ["open", "w", "/m", O_TMPFILE | O_RDWR, 0o600],
    ["open", "p", "/m/fifo", O_WRONLY | 0o4000],
    ["truncate", "/m/f", 0],
    ["truncate", "/m/d", 0],
    ["truncate", "/m/missing", 0],
    ["mkdir", "/m/x"],
    ["mkdir", "/m/d"],
    ["rmdir", "/m/d"],
    ["rmdir", "/m/missing"],
    ["unlink", "/m/f"],
    ["unlink", "/m/missing"],
    ["unlink", "/m/d"],
    ["link", "/m/f", "/m/g"],
    ["link", "/m/f", "/m/f"],
    ["symlink", "t", "/m/l"],
    ["mknod", "/m/p", S_IFIFO | 0o644],
    ["rename", "/m/f", "/m/g"],
    ["rename", "/m/missing", "/m/g"],
    ["rename", "/m/f", "/m/d", 1],
    ["chmod", "/m/f", 0o600],
    ["chown", "/m/f", 1, 1],
    ["age", "/m/f"],
    ["access", "/m/f", W_OK],
    ["access", "/m/d", W_OK],
    ["access", "/m/fifo", W_OK],
    ["access", "/m/f", R_OK],
    ["open", "d", "/m/f", O_RDONLY],
    ["fchmod", "d", 0o600],
    ["fsync", "d"],
    ["flock", "d", 2],
    ["stat", "/m/f"],
  ];
  const fill: Step[] = [...touch("f", "/m/f"), ["mkdir", "/m/d"], ["mknod", "/m/fifo", S_IFIFO | 0o666]];

  same("after a remount", [["mkdir", "/m"], ramfs("/m"), ...fill, remount("/m", MS_RDONLY), ...changes]);

  same("as a mount of a read-only bind", [
    ["mkdir", "/a"],
    ["mkdir", "/m"],
    bind("/a", "/m"),
    ...fill,
    ["mount", "none", "/m", "", MS_REMOUNT | MS_BIND | MS_RDONLY, ""],
    ...changes,
  ]);

  same("from the start, and written to after a remount", [
    ["mkdir", "/m"],
    ramfs("/m", MS_RDONLY),
    ["mkdir", "/m/x"],
    remount("/m", 0),
    ["mkdir", "/m/x"],
    remount("/m", MS_RDONLY),
    remount("/m", MS_RDONLY),
    ["rmdir", "/m/x"],
    ["umount", "/m"],
  ]);

  same("not while something is open for writing, or open and removed", [
    ["mkdir", "/m"],
    ["mkdir", "/b"],
    ramfs("/m"),
    bind("/m", "/b"),
    ["open", "w", "/b/f", O_CREAT | O_WRONLY, 0o644],
    remount("/m", MS_RDONLY),
    ["close", "w"],
    ["open", "r", "/m/f", O_RDONLY],
    remount("/m", MS_RDONLY),
    ["access", "/b/f", W_OK],
    remount("/m", 0),
    ["unlink", "/b/f"],
    remount("/m", MS_RDONLY),
    ["close", "r"],
    remount("/m", MS_RDONLY),
    ["mkdir", "/b/x"],
  ]);
});

describe("access times", () => {
  const read: Step[] = [
    ["age", "/m/f"],
    ["open", "r", "/m/f", O_RDONLY],
    ["read", "r", 1],
    ["close", "r"],
    ["atime", "/m/f"],
    ["read", "r", 1],
    ["age", "/m/l"],
    ["readlink", "/m/l"],
    ["atime", "/m/l"],
    ["age", "/m/l"],
    ["access", "/m/l", 0],
    ["atime", "/m/l"],
    ["age", "/m/f"],
    ["open", "r", "/m/f", O_RDONLY | 0o1000000],
    ["read", "r", 1],
    ["close", "r"],
    ["atime", "/m/f"],
    ["age", "/m/f"],
    ["open", "r", "/m/f", O_RDONLY],
    ["pread", "r", 1, 100],
    ["close", "r"],
    ["atime", "/m/f"],
  ];
  const made: Step[] = [...touch("f", "/m/f"), ["symlink", "f", "/m/l"]];
  const modes: [string, number][] = [
    ["relatime, the default", 0],
    ["noatime", MS_NOATIME],
    ["nodiratime", MS_NODIRATIME],
    ["strictatime", MS_STRICTATIME],
    ["strictatime before noatime", MS_STRICTATIME | MS_NOATIME],
  ];
  for (const [name, flags] of modes) {
    same(`${name}, by mount`, [["mkdir", "/m"], ramfs("/m", flags), ...made, ...read]);
    same(`${name}, by remount`, [["mkdir", "/m"], ramfs("/m"), ...made, remount("/m", flags), ...read]);
  }

  same("a remount that says nothing of them leaves them", [
    ["mkdir", "/m"],
    ramfs("/m", MS_NOATIME),
    ...made,
    remount("/m", MS_NODEV),
    ...read,
    remount("/m", MS_STRICTATIME),
    ...read,
    remount("/m", MS_NODEV),
    ...read,
  ]);

  same("each mount of one file system has its own", [
    ["mkdir", "/a"],
    ["mkdir", "/m"],
    ramfs("/a", MS_NOATIME),
    ...touch("f", "/a/f"),
    ["symlink", "f", "/a/l"],
    bind("/a", "/m"),
    ...read,
    ["mount", "none", "/m", "", MS_REMOUNT | MS_BIND | MS_STRICTATIME, ""],
    ...read,
    ["age", "/a/f"],
    ["open", "r", "/a/f", O_RDONLY],
    ["read", "r", 1],
    ["atime", "/a/f"],
  ]);
});

describe("nodev, noexec", () => {
  same("devices are not opened on a nodev mount", [
    ["mkdir", "/m"],
    ramfs("/m", MS_NODEV),
    ["mknod", "/m/dev", S_IFCHR | 0o666, 0xffff],
    ["open", "d", "/m/dev", O_RDONLY],
    remount("/m", 0),
    ["open", "d", "/m/dev", O_RDONLY],
    ["mount", "none", "/m", "", MS_REMOUNT | MS_BIND | MS_NODEV, ""],
    ["open", "d", "/m/dev", O_RDONLY],
  ]);

  same("files are not executable on a noexec mount", [
    ["mkdir", "/m"],
    ["mkdir", "/b"],
    ramfs("/m"),
    bind("/m", "/b"),
    ["open", "f", "/m/f", O_CREAT | O_RDWR, 0o755],
    ["mkdir", "/m/d"],
    ["mount", "none", "/b", "", MS_REMOUNT | MS_BIND | MS_NOEXEC, ""],
    ["access", "/m/f", X_OK],
    ["access", "/b/f", X_OK],
    ["access", "/b/f", R_OK],
    ["access", "/b/d", X_OK],
  ]);
});
