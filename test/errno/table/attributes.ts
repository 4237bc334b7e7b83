/** Calls about what files are: stat(2), access(2), chmod(2), chown(2), utimensat(2), readlink(2), statfs(2), chdir(2), xattr(7), chattr(1). */
import { EIO } from "../../../src/base/errno.ts";
import { O_PATH, O_RDWR, S_IFIFO, W_OK, X_OK } from "../../../src/base/stat-flags.ts";
import type { SceneStep } from "../calls.ts";
import { attributesFail, kernel, none, type Pairs } from "../pair.ts";
import {
  APPEND_ONLY,
  asUser,
  file,
  flagged,
  IMMUTABLE,
  LONG,
  NO_EXECUTION,
  NO_POINTERS,
  NO_QUOTA,
  NO_SPARE_MEMORY,
  notOpen,
  opened,
  readOnly,
  readOnlyOpen,
  THIRTY_TWO_BITS,
  tmpfsAt,
  walkPairs,
} from "./common.ts";

const placeOnly: readonly SceneStep[] = [file("/f"), opened("p", "/f", O_PATH)];

const stat: Pairs = {
  ...walkPairs((path) => ["stat", path]),
  ENOENT: kernel(
    "the file does not exist, or a link leads nowhere",
    [["stat", "/none"]],
    [
      ["symlink", "none", "/l"],
      ["stat", "/l"],
    ],
  ),
  EOVERFLOW: THIRTY_TWO_BITS,
};

/** Errors of changing attributes by path. @param make the call, by path */
function changing(make: (path: string) => SceneStep): Pairs {
  return {
    ...walkPairs(make),
    ENOENT: kernel("the file does not exist", [make("/none")]),
    EPERM: kernel(
      "of somebody else's file, or one that is immutable or append-only",
      [file("/f"), asUser, make("/f")],
      [...flagged(IMMUTABLE), make("/f")],
      [...flagged(APPEND_ONLY), make("/f")],
    ),
    EROFS: readOnly(make("/m/f")),
  };
}

/** As changing(), by descriptor. */
function changingOpen(make: (name: string) => SceneStep): Pairs {
  return {
    EBADF: kernel("the descriptor is not open, or opened with O_PATH", [make("none")], [...placeOnly, make("p")]),
    EIO: attributesFail("the store cannot change attributes", EIO, make),
    ENOENT: none("a file that is open is there"),
    ENOMEM: NO_SPARE_MEMORY,
    EPERM: kernel(
      "of somebody else's file, or one that is immutable",
      [file("/f"), asUser, make("f")],
      [...flagged(IMMUTABLE), make("f")],
    ),
    EROFS: readOnlyOpen(make("r")),
  };
}

function byDirectory(make: (dir: string) => SceneStep, flagged: SceneStep): Pairs {
  return {
    EBADF: kernel("the path is relative, and the descriptor is not open", [make("none")]),
    EINVAL: kernel("flags that are not known", [file("/f"), flagged]),
    ENOTDIR: kernel("the path is relative, and the descriptor is of no directory", [file("/f"), make("f")]),
  };
}

const old: SceneStep = ["utimens", "/f", 1, 0, 1, 0];
const NAME = "user.name";

/** Errors of calls of extended attributes that all three ways have. @param make by path */
function xattrWalk(make: (path: string) => SceneStep): Pairs {
  return { ...walkPairs(make), ENOENT: kernel("the file does not exist", [make("/none")]) };
}
const TOO_SMALL = none("values and lists come as large as they are");

function getxattr(call: string, isOpen = false): Pairs {
  const at = isOpen ? "f" : "/f";
  return {
    E2BIG: none("values have at most 65536 bytes, and come as large as they are"),
    ENODATA: kernel(
      "there is none of the name, or the caller may not know",
      [file("/f"), [call, at, NAME]],
      [file("/f"), asUser, [call, at, "trusted.name"]],
    ),
    ENOTSUP: kernel("the file system has none of the kind", [file("/f"), [call, at, "other.name"]]),
    ERANGE: kernel(
      "the name has no bytes, or more than 255",
      [file("/f"), [call, at, ""]],
      [file("/f"), [call, at, `user.${LONG}`]],
    ),
  };
}

function setxattr(call: string, isOpen = false): Pairs {
  const at = isOpen ? "f" : "/f";
  return {
    E2BIG: kernel("the value has more than 65536 bytes", [file("/f"), [call, at, NAME, "v".repeat(65537)]]),
    EDQUOT: NO_QUOTA,
    EEXIST: kernel("there is one of the name, with XATTR_CREATE", [
      file("/f"),
      [call, at, NAME, "v"],
      [call, at, NAME, "v", 1],
    ]),
    EINVAL: kernel("flags that are not known", [file("/f"), [call, at, NAME, "v", 4]]),
    ENODATA: kernel("there is none of the name, with XATTR_REPLACE", [file("/f"), [call, at, NAME, "v", 2]]),
    ENOSPC: kernel("the file system has no room for it", [
      ...tmpfsAt("nr_inodes=3"),
      ["open", "f", "/m/f", 0o102, 0o666],
      ["link", "/m/f", "/m/g"],
      [call, isOpen ? "f" : "/m/f", NAME, "v".repeat(5000)],
    ]),
    ENOTSUP: kernel("the file system has none of the kind", [file("/f"), [call, at, "other.name", "v"]]),
    EPERM: kernel(
      "the file is immutable, or a kind that is root's",
      [...flagged(IMMUTABLE), [call, at, NAME, "v"]],
      [file("/f", 0o666), asUser, [call, at, "trusted.name", "v"]],
    ),
    ERANGE: kernel(
      "the name has no bytes, or more than 255",
      [file("/f"), [call, at, "", "v"]],
      [file("/f"), [call, at, `user.${LONG}`, "v"]],
    ),
  };
}

function removexattr(call: string, isOpen = false): Pairs {
  const at = isOpen ? "f" : "/f";
  return {
    ENODATA: kernel("there is none of the name", [file("/f"), [call, at, NAME]]),
    ENOTSUP: kernel("the file system has none of the kind", [file("/f"), [call, at, "other.name"]]),
    EPERM: kernel("the file is immutable", [...flagged(IMMUTABLE), [call, at, NAME]]),
    ERANGE: kernel("the name has no bytes, or more than 255", [file("/f"), [call, at, ""]]),
  };
}

const manyNames: SceneStep[] = Array.from({ length: 270 }, (_, i) => [
  "setxattr",
  "/f",
  `user.${i}${"n".repeat(240)}`,
  "",
]);
function listxattr(call: string, isOpen = false): Pairs {
  return {
    E2BIG: kernel("the names have more than 65536 bytes together", [
      file("/f"),
      ...manyNames,
      [call, isOpen ? "f" : "/f"],
    ]),
    ENOTSUP: none("every file system answers: with an empty list where there are none"),
    ERANGE: TOO_SMALL,
  };
}

function xattrs(): Record<string, Pairs> {
  const table: Record<string, Pairs> = {};
  for (const [name, pairs, rest] of [
    ["getxattr", getxattr, [NAME]],
    ["setxattr", setxattr, [NAME, "v"]],
    ["listxattr", listxattr, []],
    ["removexattr", removexattr, [NAME]],
  ] as const) {
    for (const way of ["", "l"]) {
      const call = way + name;
      table[call] = { ...xattrWalk((path) => [call, path, ...rest]), ...pairs(call) };
      if (name === "setxattr" || name === "removexattr")
        table[call] = { ...table[call], EROFS: readOnly([call, "/m/f", ...rest]) };
    }
    const call = `f${name}`;
    table[call] = {
      EBADF: kernel(
        "the descriptor is not open, or opened with O_PATH",
        [[call, "none", ...rest]],
        [...placeOnly, [call, "p", ...rest]],
      ),
      EFAULT: NO_POINTERS,
      ...pairs(call, true),
    };
  }
  return table;
}

export const ATTRIBUTES: Record<string, Pairs> = {
  stat,
  lstat: {
    ...walkPairs((path) => ["lstat", path]),
    ENOENT: kernel("the file does not exist", [["lstat", "/none"]]),
    EOVERFLOW: THIRTY_TWO_BITS,
  },
  fstat: {
    EBADF: notOpen((name) => ["fstat", name]),
    EFAULT: NO_POINTERS,
    ENOMEM: NO_SPARE_MEMORY,
    EOVERFLOW: THIRTY_TWO_BITS,
  },
  fstatat: {
    ...byDirectory((dir) => ["fstatat", dir, "x"], ["fstatat", "cwd", "f", 2]),
    ENOENT: kernel("the file does not exist", [["fstatat", "cwd", "none"]]),
  },
  access: {
    ...walkPairs((path) => ["access", path, 0]),
    EACCES: kernel(
      "a directory may not be searched, or the file not be used so",
      [file("/f", 0o644), asUser, ["access", "/f", W_OK]],
      [file("/f", 0o644), ["access", "/f", X_OK]],
    ),
    EINVAL: kernel("the mode is none", [file("/f"), ["access", "/f", 8]]),
    ENOENT: kernel("the file does not exist", [["access", "/none", 0]]),
    EPERM: kernel("an immutable file is asked whether it may be written to", [
      ...flagged(IMMUTABLE),
      ["access", "/f", W_OK],
    ]),
    EROFS: readOnly(["access", "/m/f", W_OK]),
    ETXTBSY: NO_EXECUTION,
  },
  faccessat: {
    EBADF: kernel("the path is relative, and the descriptor is not open", [["faccessat", "none", "f", 0]]),
    EINVAL: kernel("the mode is none", [file("/f"), ["faccessat", "cwd", "f", 8]]),
    ENOTDIR: kernel("the path is relative, and the descriptor is of no directory", [
      file("/f"),
      ["faccessat", "f", "x", 0],
    ]),
  },
  chmod: changing((path) => ["chmod", path, 0o600]),
  fchmod: changingOpen((name) => ["fchmod", name, 0o600]),
  fchmodat: {
    ...byDirectory((dir) => ["fchmodat", dir, "x", 0o600], ["fchmodat", "cwd", "f", 0o600, 2]),
    ENOTSUP: kernel("of a symbolic link itself, which has no mode", [
      ["symlink", "f", "/l"],
      ["fchmodat", "cwd", "l", 0o600, 0x100],
    ]),
  },
  chown: changing((path) => ["chown", path, 1, 1]),
  lchown: changing((path) => ["lchown", path, 1, 1]),
  fchown: { ...changingOpen((name) => ["fchown", name, 1, 1]), EDQUOT: NO_QUOTA, ENOSPC: none("owners take no room") },
  fchownat: byDirectory((dir) => ["fchownat", dir, "x", 1, 1], ["fchownat", "cwd", "f", 1, 1, 2]),
  utimensat: {
    ...walkPairs((path) => ["utimensat", "cwd", path, 1]),
    EACCES: kernel("both times are to be now, the file is somebody else's and may not be written to", [
      file("/f", 0o644),
      asUser,
      ["utimensatNow", "cwd", "f"],
    ]),
    EBADF: kernel("the path is relative, and the descriptor is not open", [["utimensat", "none", "f", 1]]),
    EINVAL: kernel(
      "flags that are not known, or nanoseconds out of range",
      [file("/f"), ["utimensat", "cwd", "f", 1, 2]],
      [file("/f"), ["utimens", "/f", 1, 10 ** 9, 1, 0]],
    ),
    ENOENT: kernel("the file does not exist", [["utimensat", "cwd", "none", 1]]),
    ENOTDIR: kernel("the path is relative, and the descriptor is of no directory", [
      file("/f"),
      ["utimensat", "f", "x", 1],
    ]),
    EPERM: kernel(
      "of somebody else's file, or one that is immutable",
      [file("/f"), asUser, old],
      [...flagged(IMMUTABLE), old],
    ),
    EROFS: readOnly(["utimensat", "cwd", "/m/f", 1]),
    ESRCH: none("of paths in /proc to processes that have ended"),
  },
  futimens: {
    EBADF: notOpen((name) => ["futimens", name, 1, 0, 1, 0]),
    EINVAL: kernel("nanoseconds out of range", [file("/f"), ["futimens", "f", 1, 10 ** 9, 1, 0]]),
    EPERM: kernel("of somebody else's file", [file("/f"), asUser, ["futimens", "f", 1, 0, 1, 0]]),
    EROFS: readOnlyOpen(["futimens", "r", 1, 0, 1, 0]),
  },
  readlink: {
    ...walkPairs((path) => ["readlink", path]),
    EINVAL: kernel("it is no symbolic link", [file("/f"), ["readlink", "/f"]]),
    ENOENT: kernel("it does not exist", [["readlink", "/none"]]),
  },
  readlinkat: {
    EBADF: kernel("the path is relative, and the descriptor is not open", [["readlinkat", "none", "l"]]),
    EINVAL: kernel("it is no symbolic link", [file("/f"), ["readlinkat", "cwd", "f"]]),
    ENOENT: kernel("it does not exist", [["readlinkat", "cwd", "none"]]),
    ENOTDIR: kernel("the path is relative, and the descriptor is of no directory", [
      file("/f"),
      ["readlinkat", "f", "x"],
    ]),
  },
  statfs: {
    ...walkPairs((path) => ["statfs", path]),
    EBADF: none("of fstatfs, which there is none of"),
    EINTR: none("there are no signals that could end a call"),
    ENOENT: kernel("the file does not exist", [["statfs", "/none"]]),
    ENOSYS: none("every file system answers; one of a kind of its own without statfs is told by test/unit/vfs"),
    EOVERFLOW: THIRTY_TWO_BITS,
  },
  chdir: {
    ...walkPairs((path) => ["chdir", path]),
    EBADF: none("of fchdir, which there is none of"),
    ENOENT: kernel("the directory does not exist", [["chdir", "/none"]]),
    ENOTDIR: kernel("it is no directory", [file("/f"), ["chdir", "/f"]]),
  },
  chroot: {
    ...walkPairs((path) => ["chroot", path]),
    ENOENT: kernel("the directory does not exist", [["chroot", "/none"]]),
    ENOTDIR: kernel("it is no directory", [file("/f"), ["chroot", "/f"]]),
    EPERM: kernel("the caller is not root", [["mkdir", "/d"], asUser, ["chroot", "/d"]]),
  },
  getcwd: {
    EACCES: none("the kernel asks for no permission on the way up"),
    EFAULT: NO_POINTERS,
    EINVAL: none("the path comes as large as it is"),
    ENAMETOOLONG: none(
      "a path of more than 4095 bytes is ENAMETOOLONG here and ERANGE for the host's buffer of as many",
    ),
    ENOENT: kernel("the directory has been removed", [["mkdir", "/d"], ["chdir", "/d"], ["rmdir", "/d"], ["getcwd"]]),
    ENOMEM: NO_SPARE_MEMORY,
    ERANGE: TOO_SMALL,
  },
  ...xattrs(),
  /** ioctl_iflags(2), by descriptor. */
  chattr: {
    EBADF: notOpen((name) => ["chattr", name, 0]),
    EACCES: none("the owner is told EPERM: root alone may, here"),
    EINVAL: none("flags that are not known are EOPNOTSUPP"),
    ENOTTY: kernel("of what has no flags: a fifo", [
      ["mknod", "/fifo", S_IFIFO | 0o666],
      opened("fifo", "/fifo", O_RDWR),
      ["chattr", "fifo", IMMUTABLE],
    ]),
    EOPNOTSUPP: kernel("flags that are not known", [file("/f"), ["chattr", "f", 0x8000]]),
    EPERM: kernel("the caller is not root", [file("/f"), asUser, ["chattr", "f", IMMUTABLE]]),
    EROFS: readOnlyOpen(["chattr", "r", IMMUTABLE]),
  },
  lsattr: {
    EBADF: notOpen((name) => ["lsattr", name]),
    ENOTTY: kernel("of what has no flags: a fifo", [
      ["mknod", "/fifo", S_IFIFO | 0o666],
      opened("fifo", "/fifo", O_RDWR),
      ["lsattr", "fifo"],
    ]),
  },
};
