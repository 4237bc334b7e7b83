/** What many rows of the table have in common: reasons why a pair cannot come up, files to begin with, the errors of a walk. */
import { EDQUOT, EIO } from "../../../src/base/errno.ts";
import { O_CREAT, O_RDONLY, O_RDWR } from "../../../src/base/stat-flags.ts";
import type { SceneStep } from "../calls.ts";
import { kernel, noMemory, none, type Pair, type Pairs, storeFails } from "../pair.ts";

export const RW = O_CREAT | O_RDWR;
export const LONG = "n".repeat(256);
export const LONG_PATH = "a/".repeat(2048);
export const MS_RDONLY = 1;
export const MS_REMOUNT = 32;
export const USER = 1000;
export const PAGE = 4096;
export const IMMUTABLE = 0x10;
export const APPEND_ONLY = 0x20;

export const NO_POINTERS = none(
  "no call takes an address: what is neither text nor a buffer is ERR_INVALID_ARG_TYPE, before any call is made",
);
export const NO_SIGNALS = none("there are no signals that could end a call");
export const NO_QUOTA = none("there are no quotas, and the store of the tests has no such call");
export const NO_EXECUTION = none("nothing is executed, and no swap area lies on a file of a file system here");
export const NO_LEASES = none("there are no leases and no mandatory locks");
export const NO_BLOCK_DEVICES = none("there are no drivers of block devices");
export const NO_SPARE_MEMORY = none("the call allocates nothing");
export const NO_NETWORK = none("of network file systems");
export const THIRTY_TWO_BITS = none("of programs with 32 bit offsets");
export const UNLIMITED_FILES = none("open files of the whole machine are limited by memory alone, which is ENOMEM");

/** An open file, by its path without the slash. */
export function file(path: string, mode = 0o644): SceneStep {
  return ["open", path.slice(1), path, RW, mode];
}

export function opened(name: string, path: string, flags: number): SceneStep {
  return ["open", name, path, flags];
}

export const asUser: SceneStep = ["setUid", USER];

/** A tmpfs at /m. */
export function tmpfsAt(data: string, flags = 0): SceneStep[] {
  return [
    ["mkdir", "/m"],
    ["mount", "none", "/m", "tmpfs", flags, data],
  ];
}

/** /m with a file f, an empty directory d and a link l to f, read-only from here on. */
const readOnlyMount: readonly SceneStep[] = [
  ...tmpfsAt("mode=777"),
  ["open", "rw", "/m/f", RW, 0o666],
  ["close", "rw"],
  ["mkdir", "/m/d"],
  ["symlink", "f", "/m/l"],
  ["mount", "none", "/m", "", MS_REMOUNT | MS_RDONLY, ""],
];

/** A tmpfs at /m that can take no more inodes. */
export const noInodes: readonly SceneStep[] = tmpfsAt("nr_inodes=1,mode=777");

/** A store at /m, with a file f of three pages and a directory d. Calls of the store go well until the call of the pair. */
export const stored: readonly SceneStep[] = [
  ["mkdir", "/m"],
  ["mount", "none", "/m", "heldfs", 0, ""],
  ["open", "stored", "/m/f", RW, 0o644],
  ["write", "stored", "x".repeat(3 * PAGE)],
  ["fsync", "stored"],
  ["mkdir", "/m/d"],
];
/** Forgets what is cached of the store: it is asked again. */
export const forgotten: SceneStep = ["dropCaches"];

type ByPath = (path: string) => SceneStep;

/** Steps that make a directory nobody but root may search. */
const closedDirectory: readonly SceneStep[] = [["mkdir", "/closed", 0o700], file("/closed/f", 0o666), asUser];

/** Errors of walking to a path. @param make the call, by path */
export function walkPairs(make: ByPath): Pairs {
  return {
    EACCES: kernel("a directory of the path may not be searched", [...closedDirectory, make("/closed/f")]),
    EFAULT: NO_POINTERS,
    EIO: storeFails(
      "the store cannot look up a name of the path",
      ["lookup"],
      EIO,
      [...stored, forgotten],
      make("/m/d/x"),
    ),
    ELOOP: kernel("the path leads through too many symbolic links", [["symlink", "loop", "/loop"], make("/loop/x")]),
    ENAMETOOLONG: kernel(
      "a name has more than 255 bytes, or the path more than 4095",
      [make(`/${LONG}/x`)],
      [make(`/${LONG_PATH}`)],
    ),
    ENOENT: kernel("a directory of the path does not exist, or the path is empty", [make("/none/x")], [make("")]),
    ENOMEM: noMemory(
      "memory is short for a name of the path, which a store is asked for",
      [...stored, forgotten],
      make("/m/d/x"),
    ),
    ENOTDIR: kernel("what the path leads through is no directory", [file("/f"), make("/f/x")]),
  };
}

/** Errors that all calls by descriptor have. @param make the call, by descriptor */
export function notOpen(make: ByPath): Pair {
  return kernel("the descriptor is not open", [make("none")]);
}

/** Where a mount is read-only. @param make the call, by path below /m */
export function readOnly(...make: SceneStep[]): Pair {
  return kernel("the file system is read-only", ...make.map((step) => [...readOnlyMount, step]));
}

/** As readOnly(), of a file that had been opened to read. @param make the call, by "r" */
export function readOnlyOpen(make: SceneStep): Pair {
  return kernel("the file system is read-only", [
    ...tmpfsAt(""),
    file("/m/f"),
    ["close", "m/f"],
    opened("r", "/m/f", O_RDONLY),
    ["mount", "none", "/m", "", MS_REMOUNT | MS_RDONLY, ""],
    make,
  ]);
}

/** A directory that others may not write to. */
export const othersDirectory: readonly SceneStep[] = [
  ["mkdir", "/own", 0o755],
  file("/own/f", 0o644),
  ["mkdir", "/own/d"],
  asUser,
];

/** A sticky directory with a file and a directory of root's. */
export const sticky: readonly SceneStep[] = [
  ["mkdir", "/sticky"],
  ["chmod", "/sticky", 0o1777],
  file("/sticky/f"),
  ["mkdir", "/sticky/d"],
  asUser,
];

export function quota(operations: readonly string[], call: SceneStep, setUp: readonly SceneStep[] = stored): Pair {
  return storeFails("the store answers it", operations, EDQUOT, setUp, call);
}

/** A directory and a file in it that are immutable or append-only. */
export function flagged(flags: number): readonly SceneStep[] {
  return [
    file("/f"),
    ["write", "f", "text"],
    ["chattr", "f", flags],
    ["mkdir", "/flagged"],
    file("/flagged/f"),
    ["mkdir", "/flagged/d"],
    opened("dir", "/flagged", 0),
    ["chattr", "dir", flags],
  ];
}
