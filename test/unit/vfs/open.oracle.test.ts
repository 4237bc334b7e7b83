/** open(2), step by step against the host's kernel: sticky directories, and the access mode that allows nothing. */
import { describe } from "vitest";
import {
  O_ACCMODE,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFREG,
  S_IFSOCK,
} from "../../../src/base/stat-flags.ts";
import { MS_BIND, MS_RDONLY, MS_REMOUNT } from "../../../src/vfs/mount-constants.ts";
import { type Step, same } from "../../helpers/call-script.ts";

const user = (uid: number, gid: number): Step[] => [["setUid", 0], ["setGroups"], ["setGid", gid], ["setUid", uid]];

/** A directory with one name of each kind in it, all of `owner`, links to a file and to the same file through another directory. */
function kinds(dir: string, dirOwner: number, mode: number, owner: number): Step[] {
  const made: Step[] = [
    ["mknod", `${dir}/reg`, S_IFREG | 0o666],
    ["mknod", `${dir}/fifo`, S_IFIFO | 0o666],
    ["mknod", `${dir}/sock`, S_IFSOCK | 0o666],
    ["mknod", `${dir}/char`, S_IFCHR | 0o666, 0xfff00],
    ["mknod", `${dir}/block`, S_IFBLK | 0o666, 0xfff00],
  ];
  return [
    ["umask", 0],
    ["mkdir", dir],
    ...made,
    ["mkdir", `${dir}/sub`, 0o777],
    ...made.map(([, path]): Step => ["chown", path, owner, owner]),
    ...user(owner, owner),
    ["setUid", 0],
    ["chown", dir, dirOwner, dirOwner],
    ["chmod", dir, 0o777],
    ...user(owner, owner),
    ["symlink", "reg", `${dir}/link`],
    ["symlink", "sub", `${dir}/dirlink`],
    ["symlink", "nowhere", `${dir}/dangling`],
    ["symlink", "sock", `${dir}/socklink`],
    ["setUid", 0],
    ["setGid", 0],
    ["chmod", dir, mode],
  ];
}

const NAMES = ["reg", "fifo", "sock", "char", "block", "link", "dirlink", "sub", "socklink"];

/** Opens each name in each way; what is made is removed by nobody: the names exist. */
function openEach(dir: string): Step[] {
  return NAMES.flatMap((name): Step[] =>
    [O_CREAT, O_CREAT | O_NOFOLLOW, O_CREAT | O_EXCL, O_CREAT | O_TRUNC, O_NOFOLLOW, 0].flatMap((flags): Step[] => [
      ["open", "f", `${dir}/${name}`, flags | O_WRONLY | O_NONBLOCK, 0o666],
      ["close", "f"],
    ]),
  );
}

describe("O_CREAT of what exists in a sticky directory", () => {
  for (const mode of [0o1777, 0o1770, 0o1775, 0o1757, 0o777]) {
    for (const [dirOwner, owner] of [
      [0, 1],
      [1, 1],
      [2, 1],
      [0, 0],
      [2, 0],
    ]) {
      same(`mode ${mode.toString(8)} of ${dirOwner}, files of ${owner}, opened by 0, 1, 2 and 3`, [
        ...kinds("/s", dirOwner, mode, owner),
        ...[0, 1, 2, 3].flatMap((caller) => [...user(caller, caller), ...openEach("/s")]),
      ]);
    }
  }

  same("what counts is the directory that the last component lies in", [
    ...kinds("/s", 0, 0o1777, 1),
    ["mkdir", "/plain", 0o777],
    ["symlink", "/s/sock", "/plain/in"],
    ["symlink", "/s/./link", "/plain/in-link"],
    ["mknod", "/plain/sock", S_IFSOCK | 0o666],
    ["chown", "/plain/sock", 1, 1],
    ["symlink", "/plain/sock", "/s/out"],
    ...["/plain/in", "/plain/in-link", "/s/out", "/s/sub/../sock", "/s/../plain/sock", "/s/.", "/s/.."].map(
      (path): Step => ["open", "f", path, O_CREAT | O_WRONLY, 0o666],
    ),
  ]);

  same("is refused before permission, mode and mount are looked at, after O_EXCL and directories", [
    ...kinds("/s", 0, 0o1777, 1),
    ["chmod", "/s/sock", 0],
    ["chmod", "/s/char", 0],
    ...user(3, 3),
    ["open", "f", "/s/sock", O_CREAT | O_RDWR, 0o666],
    ["open", "f", "/s/sock", O_CREAT | O_PATH, 0o666],
    ["open", "f", "/s/sock", O_CREAT | O_DIRECTORY, 0o666],
    ["open", "f", "/s/link", O_CREAT | O_NOFOLLOW | O_PATH, 0o666],
    ["open", "f", "/s/sub", O_CREAT, 0o666],
    ["open", "f", "/s/sock", O_CREAT | O_EXCL, 0o666],
    ["setUid", 0],
    ["mount", "/s", "/s", "", MS_BIND, ""],
    ["mount", "", "/s", "", MS_BIND | MS_REMOUNT | MS_RDONLY, ""],
    ...user(3, 3),
    ["open", "f", "/s/sock", O_CREAT | O_RDWR, 0o666],
    ["open", "f", "/s/reg", O_CREAT | O_RDWR, 0o666],
    ["open", "f", "/s/reg", O_CREAT | O_TRUNC, 0o666],
    ["open", "f", "/s/new", O_CREAT | O_RDWR, 0o666],
  ]);
});

describe("access mode 3", () => {
  /** All that can be done through a descriptor. */
  const use = (name: string): Step[] => [
    ["read", name, 4],
    ["pread", name, 4, 0],
    ["write", name, "x"],
    ["pwrite", name, "x", 0],
    ["lseek", name, 2, 0],
    ["lseek", name, 0, 2],
    ["lseek", name, 0, 3],
    ["ftruncate", name, 1],
    ["ftruncate", name, -1],
    ["fallocate", name, 0, 0, 10],
    ["fsync", name],
    ["fstat", name],
    ["flock", name, 1],
    ["flock", name, 2],
    ["flock", name, 8],
    ["flock", name, 3],
    ["fchmod", name, 0o640],
    ["futimens", name, 5, 0, 6, 0],
    ["open", "r", "/f", O_RDWR],
    ["copyRange", name, "r", 2],
    ["copyRange", "r", name, 2],
    ["close", "r"],
    ["fstat", name],
    ["close", name],
  ];
  const f: Step[] = [
    ["open", "w", "/f", O_CREAT | O_RDWR, 0o666],
    ["write", "w", "content"],
    ["close", "w"],
    ["mkdir", "/d"],
  ];

  for (const [what, flags] of Object.entries({
    alone: 0,
    O_CREAT,
    O_TRUNC,
    O_APPEND,
    "O_CREAT | O_TRUNC": O_CREAT | O_TRUNC,
    O_PATH,
    O_NOFOLLOW,
    O_DIRECTORY,
  })) {
    same(`of a file, ${what}`, [...f, ["open", "a", "/f", O_ACCMODE | flags, 0o666], ...use("a")]);
  }

  same("of what is new", [
    ...f,
    ["open", "a", "/new", O_ACCMODE | O_CREAT | O_EXCL, 0o600],
    ...use("a"),
    ["open", "a", "/new", O_ACCMODE | O_CREAT | O_EXCL, 0o600],
    ["open", "a", "/newer", O_ACCMODE | O_CREAT, 0],
    ...use("a"),
    ["stat", "/newer"],
  ]);

  same("of a file without a name", [
    ...f,
    ["open", "a", "/", O_ACCMODE | O_TMPFILE, 0o600],
    ...use("a"),
    ["open", "a", "/d", O_ACCMODE | O_TMPFILE | O_EXCL, 0],
    ...use("a"),
    ["open", "a", "/f", O_ACCMODE | O_TMPFILE, 0o600],
    ["open", "a", "/missing", O_ACCMODE | O_TMPFILE, 0o600],
    ["open", "a", "/", O_RDONLY | O_TMPFILE, 0o600],
    ["open", "a", "/", O_WRONLY | O_TMPFILE | O_CREAT, 0o600],
    ["open", "a", "/", O_WRONLY | O_TMPFILE | O_TRUNC, 0o600],
    ["open", "a", "/", (O_TMPFILE & ~O_DIRECTORY) | O_ACCMODE, 0o600],
    ["symlink", "d", "/l"],
    ["open", "b", "/l", O_ACCMODE | O_TMPFILE, 0o600],
    ["open", "b", "/l", O_RDWR | O_TMPFILE | O_NOFOLLOW, 0o600],
    ["open", "b", "/l/", O_RDWR | O_TMPFILE | O_NOFOLLOW, 0o600],
    ["open", "a", "/", O_PATH | O_TMPFILE | O_ACCMODE, 0o600],
    ["fstat", "a"],
  ]);

  same("of what is no file", [
    ["mkdir", "/d"],
    ["symlink", "d", "/l"],
    ["mknod", "/sock", S_IFSOCK | 0o666],
    ["mknod", "/fifo", S_IFIFO | 0o666],
    ["mknod", "/char", S_IFCHR | 0o666, 0xfff00],
    ...["/d", "/l", "/sock", "/fifo", "/char", "/d/missing"].flatMap((path): Step[] =>
      [0, O_DIRECTORY, O_NOFOLLOW, O_TRUNC, O_APPEND, O_PATH].flatMap((flags): Step[] => [
        ["open", "a", path, O_ACCMODE | flags],
        ["fstat", "a"],
        ["close", "a"],
      ]),
    ),
  ]);

  same("asks for both permissions", [
    ["umask", 0],
    ...[0o600, 0o606, 0o604, 0o602, 0o601].map((mode): Step => ["mknod", `/f${mode}`, S_IFREG | mode]),
    ...user(5, 5),
    ...[0o600, 0o606, 0o604, 0o602, 0o601].flatMap((mode): Step[] => [
      ["open", "a", `/f${mode}`, O_ACCMODE],
      ["read", "a", 1],
      ["close", "a"],
      ["open", "a", `/f${mode}`, O_ACCMODE | O_TRUNC],
      ["close", "a"],
    ]),
  ]);

  same("writes nothing: a mount that is read-only lets it be, and becomes so with it open", [
    ["mkdir", "/m"],
    ["mount", "none", "/m", "ramfs", 0, "mode=777"],
    ["open", "w", "/m/f", O_CREAT | O_RDWR, 0o666],
    ["close", "w"],
    ["open", "a", "/m/f", O_ACCMODE],
    ["mount", "", "/m", "", MS_BIND | MS_REMOUNT | MS_RDONLY, ""],
    ["open", "b", "/m/f", O_ACCMODE],
    ["read", "b", 1],
    ["open", "c", "/m/f", O_ACCMODE | O_TRUNC],
    ["open", "c", "/m/f", O_ACCMODE | O_CREAT],
    ["fstat", "c"],
    ["open", "c", "/m/new", O_ACCMODE | O_CREAT, 0o666],
    ["open", "c", "/m", O_ACCMODE | O_TMPFILE, 0o666],
    ["open", "c", "/m/f", O_RDWR],
    ["open", "c", "/m/f", O_WRONLY | O_TRUNC],
    ...user(5, 5),
    ["open", "c", "/m/f", O_RDWR],
    ["open", "c", "/m/f", O_ACCMODE],
    ["open", "c", "/m/f", O_WRONLY | O_TRUNC],
    ["open", "c", "/m/f", O_RDONLY | O_TRUNC],
    ["setUid", 0],
    ["mount", "", "/m", "", MS_REMOUNT | MS_RDONLY, ""],
    ["open", "c", "/m/f", O_ACCMODE],
    ["open", "c", "/m/f", O_RDWR],
    ...user(5, 5),
    ["open", "c", "/m/f", O_ACCMODE],
    ["open", "c", "/m/f", O_RDWR],
  ]);
});

describe("flock", () => {
  same("wants a descriptor open for reading or writing, except to unlock, and knows its operation first", [
    ["open", "n", "/f", O_CREAT | O_ACCMODE, 0o600],
    ["open", "p", "/f", O_PATH],
    ...["n", "p", "none"].flatMap((name): Step[] => [0, 1, 2, 3, 5, 6, 8, 12].map((op): Step => ["flock", name, op])),
  ]);
});
