/** read(2), write(2) and their kin, lseek(2), truncate(2), fallocate(2), copy_file_range(2), fsync(2), getdents(2). */
import { EDQUOT, EIO, ENOSPC } from "../../../src/base/errno.ts";
import {
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_PUNCH_HOLE,
  O_APPEND,
  O_CREAT,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  S_IFIFO,
  SEEK_SET,
} from "../../../src/base/stat-flags.ts";
import type { SceneStep } from "../calls.ts";
import { kernel, none, type Pairs, storeFails } from "../pair.ts";
import {
  APPEND_ONLY,
  asUser,
  file,
  flagged,
  forgotten,
  IMMUTABLE,
  NO_EXECUTION,
  NO_POINTERS,
  NO_SIGNALS,
  notOpen,
  opened,
  PAGE,
  readOnly,
  stored,
  THIRTY_TWO_BITS,
  tmpfsAt,
  walkPairs,
} from "./common.ts";

type ByName = (name: string) => SceneStep;

const fifo: readonly SceneStep[] = [["mknod", "/fifo", S_IFIFO | 0o666], opened("fifo", "/fifo", O_RDWR | O_NONBLOCK)];
const directory: readonly SceneStep[] = [["mkdir", "/d"], opened("d", "/d", O_RDONLY)];
const reader: readonly SceneStep[] = [file("/f"), ["write", "f", "text"], opened("r", "/f", O_RDONLY)];
const writer: readonly SceneStep[] = [file("/f"), ["write", "f", "text"], opened("w", "/f", O_WRONLY)];
const placeOnly: readonly SceneStep[] = [file("/f"), opened("p", "/f", O_PATH)];
/** A tmpfs whose two pages are taken. */
const noRoom: readonly SceneStep[] = [
  ...tmpfsAt("size=8k"),
  opened("full", "/m/full", O_CREAT | O_RDWR),
  ["write", "full", "x".repeat(2 * PAGE)],
];
const limited: readonly SceneStep[] = [file("/f"), ["limitFileSize", 10]];
const storedAgain: readonly SceneStep[] = [...stored, ["close", "stored"], forgotten, opened("again", "/m/f", O_RDWR)];

/** Errors of reading, by whatever call. */
function reading(read: ByName): Pairs {
  return {
    EAGAIN: kernel("the descriptor is non-blocking, and a fifo has nothing yet", [...fifo, read("fifo")]),
    EBADF: kernel(
      "the descriptor is not open, or not to read",
      [read("none")],
      [...writer, read("w")],
      [...placeOnly, read("p")],
    ),
    EFAULT: NO_POINTERS,
    EINTR: NO_SIGNALS,
    EINVAL: none(
      "of objects that have no reading, timers of a wrong size, O_DIRECT that is not aligned: direct reads here take any address",
    ),
    EIO: storeFails("the store cannot read", ["readPage", "readahead"], EIO, storedAgain, read("again")),
    EISDIR: kernel("the descriptor is of a directory", [...directory, read("d")]),
  };
}

/** Errors of writing, by whatever call. */
function writing(write: ByName): Pairs {
  return {
    EAGAIN: kernel("the descriptor is non-blocking, and a fifo is full", [
      ...fifo,
      ["write", "fifo", "x".repeat(65536)],
      write("fifo"),
    ]),
    EBADF: kernel(
      "the descriptor is not open, or not to write",
      [write("none")],
      [...reader, write("r")],
      [...placeOnly, write("p")],
    ),
    EDESTADDRREQ: none("of sockets"),
    EDQUOT: storeFails("the store answers it", ["writeBegin"], EDQUOT, storedAgain, write("again")),
    EFAULT: NO_POINTERS,
    EFBIG: kernel("the position is at the limit of the task for files, or beyond what a file may have", [
      ...limited,
      ["lseek", "f", 10, SEEK_SET],
      write("f"),
    ]),
    EINTR: NO_SIGNALS,
    EINVAL: none("of objects that have no writing, O_DIRECT that is not aligned: direct writes here take any address"),
    EIO: storeFails(
      "the store cannot read what is overwritten in part",
      ["readPage", "readahead"],
      EIO,
      storedAgain,
      write("again"),
    ),
    ENOSPC: kernel("the file system has no room", [...noRoom, write("full")]),
    EPERM: none("there are no seals; who has a file open to write may go on when it becomes immutable, as on tmpfs"),
    EPIPE: kernel("nobody has the fifo open to read", [
      ["mknod", "/fifo", S_IFIFO | 0o666],
      opened("r", "/fifo", O_RDONLY | O_NONBLOCK),
      opened("w", "/fifo", O_WRONLY | O_NONBLOCK),
      ["close", "r"],
      write("w"),
    ]),
  };
}

/** Errors of calls with a position, beside those without. */
function positioned(make: ByName): Pairs {
  return {
    EAGAIN: none("no file with positions makes anybody wait"),
    ENXIO: none("of devices without a driver, which open refuses"),
    EOVERFLOW: THIRTY_TWO_BITS,
    EPIPE: none("a fifo has no positions: ESPIPE"),
    ESPIPE: kernel("the descriptor is of a fifo", [...fifo, make("fifo")]),
  };
}

const NEGATIVE = none("a position below 0 is the file's own, as in Node");
const VECTORS = none("Node splits what is more than 1024 buffers, and lengths are those of buffers");
const pwriteBig: Pairs = {
  EFBIG: kernel("the position is at the limit of the task for files, or beyond what a file may have", [
    ...limited,
    ["pwrite", "f", "x", 10],
  ]),
};

/** Errors of changing the length by path or descriptor. */
const truncate: Pairs = {
  ...walkPairs((path) => ["truncate", path, 0]),
  EACCES: kernel("a directory may not be searched, or the file not written to", [
    file("/f"),
    asUser,
    ["truncate", "/f", 0],
  ]),
  EFBIG: kernel("the length is more than the task's limit for files, or than a file may have", [
    ...limited,
    ["truncate", "/f", 100],
  ]),
  EINTR: NO_SIGNALS,
  EINVAL: kernel(
    "the length is below 0, or the file no regular one",
    [file("/f"), ["truncate", "/f", -1]],
    [
      ["mknod", "/fifo", S_IFIFO | 0o666],
      ["truncate", "/fifo", 0],
    ],
  ),
  EIO: storeFails("the store cannot change the length", ["setattr"], EIO, stored, ["truncate", "/m/f", 10]),
  EISDIR: kernel("it is a directory", [
    ["mkdir", "/d"],
    ["truncate", "/d", 0],
  ]),
  ENOENT: kernel("the file does not exist", [["truncate", "/none", 0]]),
  EPERM: kernel(
    "the file is immutable or append-only",
    [...flagged(IMMUTABLE), ["truncate", "/f", 0]],
    [...flagged(APPEND_ONLY), ["truncate", "/f", 0]],
  ),
  EROFS: readOnly(["truncate", "/m/f", 0]),
  ETXTBSY: NO_EXECUTION,
};

const ftruncate: Pairs = {
  EBADF: kernel("the descriptor is not open", [["ftruncate", "none", 0]], [...placeOnly, ["ftruncate", "p", 0]]),
  EFBIG: kernel("the length is more than the task's limit for files", [...limited, ["ftruncate", "f", 100]]),
  EINTR: NO_SIGNALS,
  EINVAL: kernel(
    "the length is below 0, the descriptor not to write, or of no regular file",
    [file("/f"), ["ftruncate", "f", -1]],
    [...reader, ["ftruncate", "r", 0]],
    [...fifo, ["ftruncate", "fifo", 0]],
  ),
  EIO: storeFails("the store cannot change the length", ["setattr"], EIO, stored, ["ftruncate", "stored", 10]),
  EPERM: kernel("the file has become append-only", [file("/f"), ["chattr", "f", APPEND_ONLY], ["ftruncate", "f", 0]]),
  ETXTBSY: NO_EXECUTION,
};

const fallocate: Pairs = {
  EBADF: kernel(
    "the descriptor is not open, or not to write",
    [["fallocate", "none", 0, 0, 1]],
    [...reader, ["fallocate", "r", 0, 0, 1]],
  ),
  EFBIG: kernel("the range ends beyond what a file may have, or the task's limit for files", [
    ...limited,
    ["fallocate", "f", 0, 0, 100],
  ]),
  EINTR: NO_SIGNALS,
  EINVAL: kernel(
    "the offset is below 0, or the length not above it",
    [file("/f"), ["fallocate", "f", 0, -1, 1]],
    [file("/f"), ["fallocate", "f", 0, 0, 0]],
  ),
  EIO: none("only of stores that have fallocate of their own, which answer what they will"),
  ENODEV: none(
    "of what is neither a regular file nor a directory, and open to write: a fifo, which is ESPIPE; devices have it not",
  ),
  ENOSPC: kernel("the file system has no room", [...noRoom, ["fallocate", "full", 0, 2 * PAGE, PAGE]]),
  ENOSYS: none("Linux has the call on all machines that it is compared on"),
  EOPNOTSUPP: kernel(
    "the mode is not known, or the file system has it not",
    [file("/f"), ["fallocate", "f", 0x800, 0, 1]],
    [file("/f"), ["fallocate", "f", FALLOC_FL_PUNCH_HOLE, 0, 1]],
    [file("/f"), ["fallocate", "f", FALLOC_FL_COLLAPSE_RANGE, 0, PAGE]],
  ),
  EPERM: kernel("the file has become immutable, or is append-only and the mode more than to allocate", [
    file("/f"),
    ["chattr", "f", IMMUTABLE],
    ["fallocate", "f", 0, 0, 1],
  ]),
  ESPIPE: kernel("the descriptor is of a fifo", [...fifo, ["fallocate", "fifo", 0, 0, 1]]),
  ETXTBSY: NO_EXECUTION,
};

const two: readonly SceneStep[] = [...reader, file("/g")];
const copyFileRange: Pairs = {
  EBADF: kernel(
    "a descriptor is not open, the first not to read, or the second not to write, or to append",
    [...two, ["copyRange", "none", "g", 1]],
    [...two, ["copyRange", "g", "r", 1]],
    [...two, opened("a", "/g", O_WRONLY | O_APPEND), ["copyRange", "r", "a", 1]],
  ),
  EFBIG: kernel("the second position is at the task's limit for files", [
    ...two,
    ["limitFileSize", 10],
    ["copyRangeAt", "r", 0, "g", 10, 1],
  ]),
  EINVAL: kernel(
    "the ranges of one file overlap, or one is no regular file",
    [...two, opened("again", "/f", O_RDWR), ["copyRangeAt", "r", 0, "again", 1, 3]],
    [...two, ...fifo, ["copyRange", "fifo", "g", 1]],
  ),
  EIO: storeFails(
    "the store cannot read",
    ["readPage", "readahead"],
    EIO,
    [...storedAgain, file("/g")],
    ["copyRange", "again", "g", 10],
  ),
  EISDIR: kernel("a descriptor is of a directory", [...two, ...directory, ["copyRange", "d", "g", 1]]),
  ENOMEM: none("what is copied goes through memory of the file system: ENOSPC"),
  ENOSPC: kernel("the second file system has no room", [
    ...noRoom,
    opened("source", "/m/full", O_RDONLY),
    ["copyRangeAt", "source", 0, "full", 2 * PAGE, 10],
  ]),
  EOPNOTSUPP: none("of file systems whose files cannot be copied between: all can here"),
  EOVERFLOW: none("positions and lengths are safe integers, whose sum does not overflow"),
  EPERM: kernel("the second file has become immutable", [
    ...two,
    ["chattr", "g", IMMUTABLE],
    ["copyRange", "r", "g", 1],
  ]),
  ETXTBSY: NO_EXECUTION,
  EXDEV: none("files of two file systems are copied, too, as by Linux 5.3 to 5.18: copyFile stands on the call"),
};

const dirty: readonly SceneStep[] = [...stored, ["write", "stored", "more"]];
function syncing(sync: ByName): Pairs {
  return {
    EBADF: kernel("the descriptor is not open", [sync("none")], [...placeOnly, sync("p")]),
    EDQUOT: storeFails("the store answers it", ["writePages"], EDQUOT, dirty, sync("stored")),
    EINTR: NO_SIGNALS,
    EINVAL: kernel("the file is of a kind that has no data to sync", [...fifo, sync("fifo")]),
    EIO: storeFails("the store cannot write", ["writePages"], EIO, dirty, sync("stored")),
    ENOSPC: storeFails("the store has no room", ["writePages"], ENOSPC, dirty, sync("stored")),
    EROFS: kernel("the file is of a kind that has no data to sync", [...fifo, sync("fifo")]),
  };
}
const FSYNC_EROFS = none("files of one kind answer one of the two: EINVAL");

export const DATA: Record<string, Pairs> = {
  read: reading((name) => ["read", name, 10]),
  readv: { ...reading((name) => ["readv", name, 10]), EINVAL: VECTORS },
  pread: {
    ...reading((name) => ["pread", name, 10, 0]),
    ...positioned((name) => ["pread", name, 10, 0]),
    EINVAL: NEGATIVE,
  },
  preadv: {
    ...reading((name) => ["preadv", name, 10, 0]),
    ...positioned((name) => ["preadv", name, 10, 0]),
    EINVAL: NEGATIVE,
  },
  write: writing((name) => ["write", name, "data"]),
  writev: { ...writing((name) => ["writev", name, 10]), EINVAL: VECTORS },
  pwrite: {
    ...writing((name) => ["pwrite", name, "data", 2 * PAGE]),
    ...positioned((name) => ["pwrite", name, "data", 0]),
    ...pwriteBig,
    EINVAL: NEGATIVE,
  },
  pwritev: {
    ...writing((name) => ["pwritev", name, 10, 2 * PAGE]),
    ...positioned((name) => ["pwritev", name, 10, 0]),
    ...pwriteBig,
    EINVAL: NEGATIVE,
  },
  lseek: {
    EBADF: kernel(
      "the descriptor is not open",
      [["lseek", "none", 0, SEEK_SET]],
      [...placeOnly, ["lseek", "p", 0, SEEK_SET]],
    ),
    EINVAL: kernel(
      "the position would be below 0, or whence is none",
      [file("/f"), ["lseek", "f", -1, SEEK_SET]],
      [file("/f"), ["lseek", "f", 0, 9]],
    ),
    ENXIO: kernel(
      "SEEK_DATA or SEEK_HOLE from the end on",
      [file("/f"), ["lseek", "f", 1, 3]],
      [file("/f"), ["lseek", "f", 1, 4]],
    ),
    EOVERFLOW: THIRTY_TWO_BITS,
    ESPIPE: kernel("the descriptor is of a fifo", [...fifo, ["lseek", "fifo", 0, SEEK_SET]]),
  },
  truncate,
  ftruncate,
  fallocate,
  copy_file_range: copyFileRange,
  fsync: { ...syncing((name) => ["fsync", name]), EROFS: FSYNC_EROFS },
  fdatasync: { ...syncing((name) => ["fdatasync", name]), EROFS: FSYNC_EROFS },
  getdents: {
    EBADF: notOpen((name) => ["getdents", name]),
    EFAULT: NO_POINTERS,
    EINVAL: none("the listing has as much room as it needs"),
    EIO: storeFails(
      "the store cannot list the directory",
      ["iterate"],
      EIO,
      [...stored, opened("d", "/m/d", O_RDONLY)],
      ["getdents", "d"],
    ),
    ENOENT: kernel("the directory has been removed", [...directory, ["rmdir", "/d"], ["getdents", "d"]]),
    ENOTDIR: kernel("the descriptor is of no directory", [file("/f"), ["getdents", "f"]]),
  },
};
