/** Tasks, step by step against the host's kernel: credentials, umask, directories, limits. */
import { describe } from "vitest";
import {
  O_APPEND,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_NOATIME,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
  R_OK,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
  SEEK_CUR,
  W_OK,
  X_OK,
} from "../../../src/base/stat-flags.ts";
import { MS_BIND } from "../../../src/vfs/mount-constants.ts";
import { type Step, same } from "../../helpers/call-script.ts";

const file = (name: string, path: string, mode = 0o644): Step => ["open", name, path, O_CREAT | O_RDWR, mode];
const user = (uid: number, gid: number, ...groups: number[]): Step[] => [
  ["setUid", 0],
  ["setGroups", ...groups],
  ["setGid", gid],
  ["setUid", uid],
];

describe("credentials", () => {
  const ask: Step[] = ["own", "grp", "oth", "d"].flatMap((name): Step[] =>
    [R_OK, W_OK, X_OK, R_OK | W_OK | X_OK].map((mode) => ["access", `/w/${name}`, mode]),
  );
  same("owner, group, supplementary group, others", [
    ["mkdir", "/w", 0o777],
    file("a", "/w/own"),
    file("b", "/w/grp"),
    file("c", "/w/oth"),
    ["mkdir", "/w/d"],
    ["chown", "/w/own", 1000, 1],
    ["chmod", "/w/own", 0o471],
    ["chown", "/w/grp", 1, 1000],
    ["chmod", "/w/grp", 0o724],
    ["chmod", "/w/oth", 0o771],
    ["chown", "/w/d", 1, 44],
    ["chmod", "/w/d", 0o750],
    ...ask,
    ...user(1000, 1000),
    ...ask,
    ...user(1000, 1, 44, 45),
    ...ask,
    ...user(1, 2, 1000),
    ...ask,
    ["open", "x", "/w/d/f", O_CREAT | O_RDWR, 0o644],
    ["access", "/w/d/f", 0],
  ]);

  same("who makes a file owns it; set-group-ID directories give their group", [
    ["mkdir", "/w"],
    ["chmod", "/w", 0o777],
    ["mkdir", "/w/s"],
    ["chown", "/w/s", 5, 6],
    ["chmod", "/w/s", 0o2777],
    ...user(1000, 1001, 44),
    file("a", "/w/a"),
    ["stat", "/w/a"],
    file("b", "/w/s/b", 0o2775),
    ["stat", "/w/s/b"],
    ["mkdir", "/w/s/d"],
    ["stat", "/w/s/d"],
    ["mknod", "/w/s/p", S_IFIFO | 0o666],
    ["stat", "/w/s/p"],
    ["mknod", "/w/s/c", S_IFCHR | 0o666, 1],
    ["chmod", "/w/a", 0o6755],
    ["stat", "/w/a"],
    ["chown", "/w/a", -1, 44],
    ["stat", "/w/a"],
    ["chown", "/w/a", -1, 45],
    ["chown", "/w/a", 1000, -1],
    ["chown", "/w/a", 0, -1],
    ["chmod", "/w/s", 0o777],
  ]);

  same("the sticky bit guards others' names", [
    ["mkdir", "/w"],
    ["chmod", "/w", 0o1777],
    file("a", "/w/root"),
    ...user(1000, 1000),
    file("b", "/w/mine"),
    ["unlink", "/w/root"],
    ["rename", "/w/root", "/w/x"],
    ["rename", "/w/mine", "/w/root"],
    ["rename", "/w/mine", "/w/root", 2],
    ["rename", "/w/mine", "/w/x"],
    ...user(1001, 1000),
    ["unlink", "/w/x"],
    ...user(1000, 1000),
    ["unlink", "/w/x"],
  ]);

  same("an open file keeps what it was opened for", [
    file("a", "/f", 0o600),
    ["write", "a", "data"],
    ...user(1000, 1000),
    ["pread", "a", 4, 0],
    ["pwrite", "a", "DATA", 0],
    ["fchmod", "a", 0o644],
    ["open", "b", "/f", O_RDONLY],
  ]);

  same("writes of others take set-ID bits away", [
    file("a", "/f"),
    ["chmod", "/f", 0o6777],
    ["write", "a", "x"],
    ["stat", "/f"],
    ...user(1000, 1000),
    ["write", "a", "x"],
    ["stat", "/f"],
    ["setUid", 0],
    ["chmod", "/f", 0o6777],
    ...user(1000, 1000),
    ["ftruncate", "a", 0],
    ["stat", "/f"],
  ]);

  same("fifos and sockets have no numbers; a device without one is anybody's to make", [
    ["mkdir", "/w"],
    ["chmod", "/w", 0o777],
    ["mknod", "/w/p", S_IFIFO | 0o666, 0x103],
    ["rdev", "/w/p"],
    ["mknod", "/w/s", S_IFSOCK | 0o666, 0x103],
    ["rdev", "/w/s"],
    ["mknod", "/w/c", S_IFCHR | 0o666, 0x103],
    ["rdev", "/w/c"],
    ...user(1000, 1000),
    ["mknod", "/w/whiteout", S_IFCHR | 0o666, 0],
    ["stat", "/w/whiteout"],
    ["mknod", "/w/null", S_IFCHR | 0o666, 0x103],
    ["mknod", "/w/block", S_IFBLK | 0o666, 0],
  ]);

  same("to read a directory comes before O_DIRECT, which it does not have", [
    ["mkdir", "/no", 0],
    ["open", "d", "/no", O_DIRECT],
    ...user(1000, 1000),
    ["open", "d", "/no", O_DIRECT],
    ["open", "d", "/", O_DIRECT],
    ["open", "d", "/", O_DIRECT | O_NOATIME],
  ]);
});

describe("times", () => {
  const [NOW, OMIT] = [0x3fffffff, 0x3ffffffe];
  const tries = (path: string, name: string): Step[] =>
    [OMIT, NOW, 5, 1e9, -1].flatMap((aNsec): Step[] =>
      [OMIT, NOW, 1e9].flatMap((mNsec): Step[] => [
        ["utimens", path, 1, aNsec, 2, mNsec],
        ["futimens", name, 1, aNsec, 2, mNsec],
      ]),
    );
  same("to be left alone need no file; wrong ones are found out after it", [
    file("f", "/f"),
    ["mkdir", "/no", 0o700],
    ...tries("/missing", "none"),
    ...tries("/f/x", "f"),
    ...user(1000, 1000),
    ...tries("/f", "f"),
    ...tries("/no/x", "none"),
  ]);
});

describe("umask", () => {
  same("counts for whatever is made", [
    ["umask", 0o027],
    file("a", "/a", 0o666),
    ["stat", "/a"],
    ["mkdir", "/d", 0o1777],
    ["stat", "/d"],
    ["mknod", "/p", S_IFIFO | 0o666],
    ["stat", "/p"],
    ["symlink", "x", "/l"],
    ["umask", 0o7777],
    ["umask", 0],
    file("b", "/b", 0o4777),
    ["stat", "/b"],
    ["open", "t", "/d", O_TMPFILE | O_RDWR, 0o666],
    ["fstat", "t"],
  ]);
});

describe("the working directory", () => {
  same("that has been removed", [
    ["mkdir", "/d"],
    ["mkdir", "/e"],
    ["chdir", "/d"],
    ["rmdir", "/d"],
    ["getcwd"],
    file("a", "f"),
    ["mkdir", "x"],
    ["symlink", "t", "l"],
    ["mknod", "p", S_IFIFO | 0o644],
    ["link", "/e", "l"],
    ["rename", "/e", "e"],
    ["open", "d", ".", O_RDONLY],
    ["stat", "."],
    ["access", "..", 0],
    ["access", "../e", 0],
    ["rmdir", "."],
    ["open", "t", ".", O_TMPFILE | O_RDWR, 0o600],
    ["mkdir", "/d"],
    file("a", "f"),
    ["getcwd"],
    ["chdir", ".."],
    ["getcwd"],
  ]);

  same("that has been moved", [
    ["mkdir", "/a"],
    ["mkdir", "/a/b"],
    ["mkdir", "/c"],
    ["chdir", "/a/b"],
    ["rename", "/a/b", "/c/d"],
    ["getcwd"],
    file("f", "here"),
    ["access", "/c/d/here", 0],
    ["access", "../d/here", 0],
  ]);

  same("is a directory that may be searched", [
    ["mkdir", "/d", 0o700],
    file("f", "/f"),
    ["symlink", "d", "/l"],
    ["chdir", "/f"],
    ["chdir", "/missing"],
    ["chdir", "/l"],
    ["getcwd"],
    ["chdir", ""],
    ["chdir", "/"],
    ...user(1000, 1000),
    ["chdir", "/d"],
  ]);
});

describe("chroot", () => {
  same("is where .. and absolute links end", [
    ["mkdir", "/jail"],
    ["mkdir", "/jail/d"],
    file("o", "/outside"),
    file("i", "/jail/inside"),
    ["symlink", "/outside", "/jail/out"],
    ["symlink", "/inside", "/jail/in"],
    ["symlink", "../../../inside", "/jail/d/up"],
    ["chroot", "/jail"],
    ["chdir", "/"],
    ["access", "/outside", 0],
    ["access", "/out", 0],
    ["access", "/in", 0],
    ["access", "/d/up", 0],
    ["access", "/../../inside", 0],
    ["access", "../inside", 0],
    ["chdir", ".."],
    ["getcwd"],
    ["chdir", "d"],
    ["getcwd"],
    ["rename", "/..", "/x"],
    ["rmdir", "/"],
    ["rmdir", "/.."],
  ]);

  same("into a mount, and out of sight of what is above", [
    ["mkdir", "/m"],
    ["mount", "none", "/m", "ramfs", 0, ""],
    ["mkdir", "/m/r"],
    ["mkdir", "/m/r/b"],
    ["mkdir", "/m/x"],
    ["mount", "/m/x", "/m/r/b", "", MS_BIND, ""],
    ["chroot", "/m/r"],
    ["chdir", "/"],
    ["mkdir", "/b/made"],
    ["chdir", "/b/made"],
    ["getcwd"],
    ["chdir", "../../.."],
    ["getcwd"],
    ["umount", "/"],
    ["umount", "/b"],
    ["access", "/b/made", 0],
  ]);
});

describe("the size limit of files", () => {
  same("cuts writes short, then EFBIG", [
    ["limitFileSize", 10],
    file("f", "/f"),
    ["write", "f", "0123456"],
    ["write", "f", "789abc"],
    ["write", "f", "d"],
    ["pwrite", "f", "xy", 9],
    ["pwrite", "f", "x", 10],
    ["pwrite", "f", "", 10],
    ["fstat", "f"],
    ["open", "a", "/f", O_WRONLY | O_APPEND],
    ["write", "a", "x"],
    ["truncate", "/f", 11],
    ["truncate", "/f", 10],
    ["ftruncate", "f", 5],
    ["ftruncate", "f", 12],
    ["write", "a", "123456789"],
    ["fstat", "f"],
    ["fallocate", "f", 0, 0, 11],
    ["fallocate", "f", 1, 0, 20],
    ["fallocate", "f", 3, 0, 20],
    ["fstat", "f"],
  ]);

  same("does not shrink what is larger", [
    file("f", "/f"),
    ["pwrite", "f", "end", 5000],
    ["limitFileSize", 100],
    ["pwrite", "f", "x", 50],
    ["pwrite", "f", "x", 5000],
    ["ftruncate", "f", 4000],
    ["ftruncate", "f", 4001],
    ["fallocate", "f", 0, 0, 3000],
    ["fstat", "f"],
  ]);

  same("holds for copies", [
    file("f", "/f"),
    ["write", "f", "0123456789"],
    ["limitFileSize", 6],
    file("g", "/g"),
    ["lseek", "f", 0, 0],
    ["copyRange", "f", "g", 10],
    ["copyRange", "f", "g", 10],
    ["fstat", "g"],
    ["lseek", "f", 0, SEEK_CUR],
  ]);
});

describe("the number of descriptors", () => {
  same("ends in EMFILE, whatever is opened", [
    ["mkdir", "/d"],
    ["limitFiles", 5],
    file("a", "/a"),
    file("b", "/b"),
    file("c", "/c"),
    ["open", "d", "/missing", O_RDONLY],
    ["open", "d", "/d", O_RDONLY | O_DIRECTORY],
    ["open", "d", "/d", O_TMPFILE | O_RDWR, 0o600],
    ["open", "d", "/d", O_TMPFILE | O_RDONLY, 0o600],
    ["open", "d", "/d", O_PATH],
    ["open", "d", "/d", O_CREAT | O_DIRECTORY],
    ["open", "d", "", O_RDONLY],
    ["open", "d", "x".repeat(4096), O_RDONLY],
    ["open", "d", "", O_CREAT | O_RDWR, 0o600],
    ["access", "/c", 0],
    ["close", "a"],
    file("c", "/c"),
    ["fstat", "c"],
  ]);
});
