/** Calls that make, remove and move names: mkdir(2), rmdir(2), unlink(2), link(2), symlink(2), rename(2), mknod(2), and those with `at`. */
import { EDQUOT, EIO, ENOSPC } from "../../../src/base/errno.ts";
import {
  O_DIRECTORY,
  O_RDONLY,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFREG,
} from "../../../src/base/stat-flags.ts";
import type { SceneStep } from "../calls.ts";
import { kernel, noMemory, none, type Pair, type Pairs, storeFails } from "../pair.ts";
import {
  APPEND_ONLY,
  asUser,
  file,
  flagged,
  IMMUTABLE,
  LONG,
  NO_QUOTA,
  noInodes,
  opened,
  othersDirectory,
  quota,
  readOnly,
  sticky,
  stored,
  tmpfsAt,
  USER,
  walkPairs,
} from "./common.ts";

const MOST_LINKS = none("a file has as many links as a counter of 32 bits takes: too many to make in a test");
/** A mount at /m, which may not be removed or moved. */
const busy: readonly SceneStep[] = tmpfsAt("");

/** Errors of all calls that make a name. @param make by path @param operation of the store */
function making(make: (path: string) => SceneStep, operation: string | undefined): Pairs {
  return {
    ...walkPairs(make),
    EACCES: kernel("a directory may not be searched, or that of the name not be written to", [
      ...othersDirectory,
      make("/own/x"),
    ]),
    EDQUOT: operation === undefined ? NO_QUOTA : quota([operation], make("/m/x")),
    EEXIST: kernel("the name is taken", [file("/taken"), file("/source"), make("/taken")]),
    ENAMETOOLONG: kernel("a name has more than 255 bytes", [file("/source"), make(`/${LONG}`)]),
    ENOENT: kernel(
      "a directory of the path does not exist, has been removed, or the path is empty",
      [file("/source"), make("/none/x")],
      [file("/source"), ["mkdir", "/gone"], ["chdir", "/gone"], ["rmdir", "/gone"], make("x")],
    ),
    ENOSPC: kernel("the file system has no room for it", [...noInodes, file("/source"), make("/m/x")]),
    EPERM: kernel("the directory is immutable", [...flagged(IMMUTABLE), make("/flagged/x")]),
    EROFS: readOnly(make("/m/x")),
  };
}

const mkdir: Pairs = {
  ...making((path) => ["mkdir", path], "mkdir"),
  EINVAL: none("of names that the file system does not allow: all are allowed but those with a slash or a NUL"),
  EMLINK: none("directories have no limit in file systems in memory"),
};

const rmdir: Pairs = {
  ...walkPairs((path) => ["rmdir", path]),
  EACCES: kernel("a directory may not be searched, or that of the name not be written to", [
    ...othersDirectory,
    ["rmdir", "/own/d"],
  ]),
  EBUSY: kernel("something is mounted on it", [...busy, ["rmdir", "/m"]]),
  EINVAL: kernel("the path ends with `.`", [
    ["mkdir", "/d"],
    ["rmdir", "/d/."],
  ]),
  EIO: storeFails("the store cannot remove it", ["rmdir"], EIO, stored, ["rmdir", "/m/d"]),
  EEXIST: none("Linux says ENOTEMPTY"),
  ENOENT: kernel("the directory does not exist", [["rmdir", "/none"]]),
  ENOTDIR: kernel("it is no directory", [file("/f"), ["rmdir", "/f"]]),
  ENOTEMPTY: kernel(
    "there is something in it, or the path ends with `..`",
    [
      ["mkdir", "/d"],
      ["mkdir", "/d/e"],
      ["rmdir", "/d"],
    ],
    [
      ["mkdir", "/d"],
      ["rmdir", "/d/.."],
    ],
  ),
  EPERM: kernel(
    "the directory is sticky and somebody else's, or immutable",
    [...sticky, ["rmdir", "/sticky/d"]],
    [...flagged(IMMUTABLE), ["rmdir", "/flagged/d"]],
  ),
  EROFS: readOnly(["rmdir", "/m/d"]),
};

const unlink: Pairs = {
  ...walkPairs((path) => ["unlink", path]),
  EACCES: kernel("a directory may not be searched, or that of the name not be written to", [
    ...othersDirectory,
    ["unlink", "/own/f"],
  ]),
  EBUSY: kernel("something is mounted on it", [
    file("/f"),
    file("/g"),
    ["mount", "/f", "/g", "", 4096, ""],
    ["unlink", "/g"],
  ]),
  EIO: storeFails("the store cannot remove it", ["unlink"], EIO, stored, ["unlink", "/m/f"]),
  EISDIR: kernel("it is a directory", [
    ["mkdir", "/d"],
    ["unlink", "/d"],
  ]),
  ENOENT: kernel("the name does not exist", [["unlink", "/none"]]),
  EPERM: kernel(
    "the directory is sticky and somebody else's, or append-only, or the file immutable",
    [...sticky, ["unlink", "/sticky/f"]],
    [...flagged(IMMUTABLE), ["unlink", "/f"]],
    [...flagged(APPEND_ONLY), ["unlink", "/flagged/f"]],
  ),
  EROFS: readOnly(["unlink", "/m/f"]),
};

const linkTo = (path: string): SceneStep => ["link", "/source", path];
const link: Pairs = {
  ...making(linkTo, undefined),
  EACCES: kernel("a directory may not be searched, or that of the name not be written to", [
    ["mkdir", "/own", 0o755],
    file("/source"),
    ["chown", "/source", USER, USER],
    asUser,
    linkTo("/own/x"),
  ]),
  EDQUOT: quota(["link"], ["link", "/m/f", "/m/x"]),
  EIO: storeFails("the store cannot make it", ["link"], EIO, stored, ["link", "/m/f", "/m/x"]),
  ELOOP: kernel("a path leads through too many symbolic links", [
    ["symlink", "loop", "/loop"],
    ["link", "/loop/x", "/y"],
  ]),
  EMLINK: MOST_LINKS,
  ENOENT: kernel(
    "the file or a directory does not exist",
    [["link", "/none", "/x"]],
    [file("/source"), linkTo("/none/x")],
  ),
  ENOMEM: noMemory(
    "memory is short for a name of the path, which a store is asked for",
    [...stored, ["dropCaches"]],
    ["link", "/m/d/x", "/m/y"],
  ),
  ENOSPC: kernel("the file system has no room for it", [
    ...tmpfsAt("nr_inodes=2"),
    file("/m/source"),
    ["link", "/m/source", "/m/x"],
  ]),
  ENOTDIR: kernel("what a path leads through is no directory", [file("/source"), file("/f"), linkTo("/f/x")]),
  EPERM: kernel(
    "it is a directory, or immutable",
    [
      ["mkdir", "/d"],
      ["link", "/d", "/x"],
    ],
    [...flagged(IMMUTABLE), ["link", "/f", "/x"]],
  ),
  EROFS: readOnly(["link", "/m/f", "/m/x"]),
  EXDEV: kernel("the two paths are of different mounts", [...tmpfsAt(""), file("/source"), linkTo("/m/x")]),
};

const symlink: Pairs = {
  ...making((path) => ["symlink", "target", path], undefined),
  ENAMETOOLONG: kernel(
    "a name has more than 255 bytes, or the target more than 4095",
    [["symlink", "target", `/${LONG}`]],
    [["symlink", "t".repeat(4096), "/x"]],
  ),
};

const mknod: Pairs = {
  ...making((path) => ["mknod", path, S_IFREG | 0o644], undefined),
  EINVAL: kernel("the type is none that can be made", [["mknod", "/x", S_IFLNK | 0o644]]),
  EPERM: kernel(
    "of a directory, a device by others than root",
    [["mknod", "/x", S_IFDIR | 0o755]],
    [["mkdir", "/open"], ["chmod", "/open", 0o777], asUser, ["mknod", "/open/x", S_IFCHR | 0o644, 0x103]],
    [["mkdir", "/open"], ["chmod", "/open", 0o777], asUser, ["mknod", "/open/x", S_IFBLK | 0o644, 0x103]],
  ),
};

const renameFrom = (path: string): SceneStep => ["rename", path, "/renamed"];
const rename: Pairs = {
  ...walkPairs(renameFrom),
  EACCES: kernel(
    "a directory may not be searched or written to, or one that moves not be written to",
    [...othersDirectory, ["rename", "/own/f", "/own/x"]],
    [
      ["mkdir", "/open"],
      ["chmod", "/open", 0o777],
      ["mkdir", "/open/to"],
      ["chmod", "/open/to", 0o777],
      ["mkdir", "/open/d", 0o755],
      asUser,
      ["rename", "/open/d", "/open/to/d"],
    ],
  ),
  EBUSY: kernel(
    "something is mounted on one, or the path ends with `.` or `..`",
    [...busy, ["rename", "/m", "/x"]],
    [
      ["mkdir", "/d"],
      ["rename", "/d/.", "/x"],
    ],
  ),
  EDQUOT: storeFails("the store answers it", ["rename"], EDQUOT, stored, ["rename", "/m/f", "/m/x"]),
  EINVAL: kernel(
    "a directory would lie below itself, or flags do not go together",
    [
      ["mkdir", "/d"],
      ["rename", "/d", "/d/x"],
    ],
    [file("/f"), file("/g"), ["rename", "/f", "/g", RENAME_EXCHANGE | RENAME_NOREPLACE]],
  ),
  EIO: storeFails("the store cannot move it", ["rename"], EIO, stored, ["rename", "/m/f", "/m/x"]),
  EISDIR: kernel("what is no directory would take the place of one", [
    file("/f"),
    ["mkdir", "/d"],
    ["rename", "/f", "/d"],
  ]),
  EMLINK: none("directories have no limit in file systems in memory"),
  ENOENT: kernel(
    "the name or a directory does not exist",
    [renameFrom("/none")],
    [file("/f"), ["rename", "/f", "/none/x"]],
  ),
  ENOSPC: storeFails("the store has no room for the name", ["rename"], ENOSPC, stored, ["rename", "/m/f", "/m/x"]),
  ENOTDIR: kernel("a directory would take the place of what is none", [
    file("/f"),
    ["mkdir", "/d"],
    ["rename", "/d", "/f"],
  ]),
  ENOTEMPTY: kernel("there is something in the directory that would be replaced", [
    ["mkdir", "/d"],
    ["mkdir", "/e"],
    ["mkdir", "/e/x"],
    ["rename", "/d", "/e"],
  ]),
  EEXIST: kernel("the new name is taken, with RENAME_NOREPLACE", [
    file("/f"),
    file("/g"),
    ["rename", "/f", "/g", RENAME_NOREPLACE],
  ]),
  EPERM: kernel(
    "a directory is sticky and somebody else's, or something immutable",
    [...sticky, ["rename", "/sticky/f", "/sticky/x"]],
    [...flagged(IMMUTABLE), ["rename", "/f", "/x"]],
  ),
  EROFS: readOnly(["rename", "/m/f", "/m/x"]),
  EXDEV: kernel("the two paths are of different mounts", [...tmpfsAt(""), file("/f"), ["rename", "/f", "/m/x"]]),
};

/** Errors of the descriptor of a call with `at`. @param make by the descriptor */
function byDirectory(make: (dir: string) => SceneStep): Pairs {
  return {
    EBADF: kernel("the path is relative, and the descriptor is not open", [make("none")]),
    ENOTDIR: kernel("the path is relative, and the descriptor is of no directory", [file("/f"), make("f")]),
  };
}

function wrongFlags(call: SceneStep): Pair {
  return kernel("flags that are not known", [file("/f"), call]);
}

const inDirectory: readonly SceneStep[] = [["mkdir", "/d"], opened("dir", "/d", O_RDONLY | O_DIRECTORY)];

export const NAMES: Record<string, Pairs> = {
  mkdir,
  rmdir,
  unlink,
  link,
  symlink,
  mknod,
  rename,
  mkdirat: {
    ...byDirectory((dir) => ["mkdirat", dir, "x"]),
    EEXIST: kernel("the name is taken", [...inDirectory, ["mkdirat", "dir", "x"], ["mkdirat", "dir", "x"]]),
    ENOENT: kernel("the directory has been removed", [...inDirectory, ["rmdir", "/d"], ["mkdirat", "dir", "x"]]),
  },
  mknodat: {
    ...byDirectory((dir) => ["mknodat", dir, "x", S_IFREG | 0o644]),
    ENOENT: kernel("the directory has been removed", [
      ...inDirectory,
      ["rmdir", "/d"],
      ["mknodat", "dir", "x", S_IFREG | 0o644],
    ]),
  },
  symlinkat: {
    ...byDirectory((dir) => ["symlinkat", "target", dir, "x"]),
    ENOENT: kernel(
      "the directory has been removed, or the target is empty",
      [...inDirectory, ["rmdir", "/d"], ["symlinkat", "t", "dir", "x"]],
      [["symlinkat", "", "cwd", "x"]],
    ),
  },
  unlinkat: {
    ...byDirectory((dir) => ["unlinkat", dir, "x"]),
    EINVAL: wrongFlags(["unlinkat", "cwd", "f", 0x400]),
    EISDIR: kernel("it is a directory, without AT_REMOVEDIR", [
      ["mkdir", "/d"],
      ["unlinkat", "cwd", "d"],
    ]),
    ENOTDIR: kernel(
      "it is no directory, with AT_REMOVEDIR; the descriptor is of no directory",
      [file("/f"), ["unlinkat", "cwd", "f", 0x200]],
      [file("/f"), ["unlinkat", "f", "x"]],
    ),
  },
  linkat: {
    ...byDirectory((dir) => ["linkat", dir, "x", "cwd", "y"]),
    EINVAL: wrongFlags(["linkat", "cwd", "f", "cwd", "x", 1]),
    ENOENT: kernel("AT_EMPTY_PATH of a file without links, that was not made without a name", [
      file("/f"),
      ["unlink", "/f"],
      ["linkat", "f", "", "cwd", "x", 0x1000],
    ]),
    EPERM: kernel("AT_EMPTY_PATH of a directory", [...inDirectory, ["linkat", "dir", "", "cwd", "x", 0x1000]]),
  },
  renameat2: {
    ...byDirectory((dir) => ["renameat2", dir, "x", "cwd", "y"]),
    EEXIST: kernel("the new name is taken, with RENAME_NOREPLACE", [
      file("/f"),
      file("/g"),
      ["renameat2", "cwd", "f", "cwd", "g", RENAME_NOREPLACE],
    ]),
    EINVAL: wrongFlags(["renameat2", "cwd", "f", "cwd", "x", 8]),
    ENOENT: kernel("the new name does not exist, with RENAME_EXCHANGE", [
      file("/f"),
      ["renameat2", "cwd", "f", "cwd", "x", RENAME_EXCHANGE],
    ]),
    EPERM: none("RENAME_WHITEOUT needs no capability beyond those of the directories since Linux 5.8"),
  },
};
