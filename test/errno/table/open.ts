/** open(2), creat(2), openat(2), close(2). */
import {
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
} from "../../../src/base/stat-flags.ts";
import { kernel, noMemory, none, type Pairs } from "../pair.ts";
import {
  APPEND_ONLY,
  asUser,
  file,
  flagged,
  IMMUTABLE,
  NO_BLOCK_DEVICES,
  NO_EXECUTION,
  NO_LEASES,
  NO_SIGNALS,
  noInodes,
  notOpen,
  opened,
  quota,
  RW,
  readOnly,
  THIRTY_TWO_BITS,
  UNLIMITED_FILES,
  walkPairs,
} from "./common.ts";

const walk = walkPairs((path) => opened("x", path, O_RDONLY));

const open: Pairs = {
  ...walk,
  EACCES: kernel(
    "a directory may not be searched, the file not read or written, or the directory not be written to",
    [file("/f", 0o600), asUser, opened("x", "/f", O_RDONLY)],
    [file("/f", 0o644), asUser, opened("x", "/f", O_RDWR)],
    [["mkdir", "/own", 0o755], asUser, opened("x", "/own/x", RW)],
    [
      ["mkdir", "/m"],
      ["mount", "none", "/m", "tmpfs", 4, ""],
      ["mknod", "/m/null", S_IFCHR | 0o666, 0x103],
      opened("x", "/m/null", 0),
    ],
  ),
  EWOULDBLOCK: NO_LEASES,
  EBUSY: NO_BLOCK_DEVICES,
  EDQUOT: quota(["create"], opened("x", "/m/x", RW)),
  EEXIST: kernel(
    "the name is taken, with O_CREAT and O_EXCL",
    [file("/f"), opened("x", "/f", RW | O_EXCL)],
    [["symlink", "none", "/l"], opened("x", "/l", RW | O_EXCL)],
  ),
  EFBIG: THIRTY_TWO_BITS,
  EINTR: NO_SIGNALS,
  EINVAL: kernel(
    "flags that do not go together",
    [opened("x", "/", O_TMPFILE | O_RDONLY)],
    [opened("x", "/", O_TMPFILE | O_CREAT | O_RDWR)],
  ),
  EISDIR: kernel(
    "a directory is opened to be written to, or to be made",
    [["mkdir", "/d"], opened("x", "/d", O_RDWR)],
    [["mkdir", "/d"], opened("x", "/d", O_CREAT)],
    [opened("x", "/new/", RW)],
  ),
  ELOOP: kernel(
    "too many symbolic links, or one at the end with O_NOFOLLOW",
    [["symlink", "loop", "/loop"], opened("x", "/loop", O_RDONLY)],
    [file("/f"), ["symlink", "f", "/l"], opened("x", "/l", O_NOFOLLOW)],
  ),
  EMFILE: kernel("the task has as many descriptors as it may", [
    file("/f"),
    ["limitFiles", 0],
    opened("x", "/f", O_RDONLY),
  ]),
  ENFILE: UNLIMITED_FILES,
  ENODEV: none("of devices whose driver has gone"),
  ENOENT: kernel(
    "the file or a directory of the path does not exist",
    [opened("x", "/none", O_RDONLY)],
    [opened("x", "/none/x", RW)],
    [["symlink", "none", "/l"], opened("x", "/l", O_RDONLY)],
  ),
  ENOMEM: noMemory("memory is short for an open file", [file("/f")], opened("x", "/f", O_RDONLY)),
  ENOSPC: kernel("the file system has no room for a new file", [...noInodes, opened("x", "/m/x", RW)]),
  ENOTDIR: kernel(
    "what the path leads through is no directory, or the file is none with O_DIRECTORY",
    [file("/f"), opened("x", "/f/x", O_RDONLY)],
    [file("/f"), opened("x", "/f", O_DIRECTORY)],
  ),
  ENXIO: kernel(
    "a fifo that nobody reads with O_WRONLY and O_NONBLOCK, a socket, a device without a driver",
    [["mknod", "/fifo", S_IFIFO | 0o666], opened("x", "/fifo", O_WRONLY | O_NONBLOCK)],
    [["mknod", "/socket", S_IFSOCK | 0o666], opened("x", "/socket", O_RDWR)],
    [["mknod", "/device", S_IFCHR | 0o666, 0xf001], opened("x", "/device", O_RDONLY)],
  ),
  EOPNOTSUPP: kernel("the file system has no files without a name", [
    ["mkdir", "/proc"],
    ["mount", "none", "/proc", "proc", 0, ""],
    opened("x", "/proc", O_TMPFILE | O_RDWR),
  ]),
  EOVERFLOW: THIRTY_TWO_BITS,
  EPERM: kernel(
    "O_NOATIME of somebody else's file; a file that is immutable, or to be written to otherwise than at its end",
    [file("/f", 0o666), asUser, opened("x", "/f", O_RDONLY | O_NOATIME)],
    [...flagged(IMMUTABLE), opened("x", "/f", O_RDWR)],
    [...flagged(APPEND_ONLY), opened("x", "/f", O_RDWR)],
  ),
  EROFS: readOnly(opened("x", "/m/f", O_RDWR), opened("x", "/m/x", RW), opened("x", "/m/f", O_TRUNC)),
  ETXTBSY: NO_EXECUTION,
};

export const OPEN: Record<string, Pairs> = {
  open,
  openat: {
    EBADF: kernel("the path is relative, and the descriptor is not open", [["openat", "x", "none", "f", O_RDONLY]]),
    ENOTDIR: kernel("the path is relative, and the descriptor is of no directory", [
      file("/f"),
      ["openat", "x", "f", "f", O_RDONLY],
    ]),
    EINVAL: kernel("flags that do not go together", [["openat", "x", "cwd", ".", O_TMPFILE | O_RDONLY]]),
  },
  close: {
    EBADF: notOpen((name) => ["close", name]),
    EDQUOT: none("close tells of no failure of writing: fsync does"),
    EINTR: NO_SIGNALS,
    EIO: none("close tells of no failure of writing: fsync does"),
    ENOSPC: none("close tells of no failure of writing: fsync does"),
  },
};
