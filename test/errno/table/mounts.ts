/** mount(2), umount2(2), inotify_add_watch(2). */
import { kernel, noMemory, none, type Pair, type Pairs } from "../pair.ts";
import { asUser, file, MS_RDONLY, MS_REMOUNT, NO_POINTERS, tmpfsAt, walkPairs } from "./common.ts";

const [MS_BIND, MNT_FORCE, MNT_DETACH, MNT_EXPIRE] = [4096, 1, 2, 4];
const IN_ACCESS = 1;
const NO_SOURCES = none("types with a device bring their own errors");

/** The host needs an instance before. */
function watchWalk(): Pairs {
  const init = (pair: Pair): Pair =>
    pair.by === "kernel" ? { ...pair, scenes: pair.scenes.map((steps) => [["inotifyInit"] as const, ...steps]) } : pair;
  const walk = walkPairs((path) => ["inotifyAddWatch", path, IN_ACCESS]);
  return Object.fromEntries(Object.entries(walk).map(([errno, pair]) => [errno, init(pair)]));
}

export const MOUNTS: Record<string, Pairs> = {
  mount: {
    ...walkPairs((path) => ["mount", "none", path, "tmpfs", 0, ""]),
    EBUSY: kernel("a file is open to write in what is to be read-only", [
      ...tmpfsAt(""),
      file("/m/f"),
      ["mount", "none", "/m", "", MS_REMOUNT | MS_RDONLY, ""],
    ]),
    EINVAL: kernel(
      "what is remounted is no mount, options of the file system are none",
      [
        ["mkdir", "/d"],
        ["mount", "none", "/d", "", MS_REMOUNT, ""],
      ],
      [
        ["mkdir", "/d"],
        ["mount", "none", "/d", "tmpfs", 0, "size=wrong"],
      ],
    ),
    EMFILE: NO_SOURCES,
    ENODEV: kernel("the type is not known", [
      ["mkdir", "/d"],
      ["mount", "none", "/d", "nosuchfs", 0, ""],
    ]),
    ENOENT: kernel(
      "the target or source does not exist",
      [["mount", "none", "/none", "tmpfs", 0, ""]],
      [
        ["mkdir", "/d"],
        ["mount", "/none", "/d", "", MS_BIND, ""],
      ],
    ),
    ENOMEM: noMemory("memory is short for the mount", [["mkdir", "/d"]], ["mount", "none", "/d", "tmpfs", 0, ""]),
    ENOTBLK: NO_SOURCES,
    ENOTDIR: kernel(
      "the target is no directory, or what is bound is one and the target none",
      [file("/f"), ["mount", "none", "/f", "tmpfs", 0, ""]],
      [file("/f"), ["mkdir", "/d"], ["mount", "/d", "/f", "", MS_BIND, ""]],
    ),
    ENXIO: NO_SOURCES,
    EPERM: kernel("the caller is not root", [["mkdir", "/d"], asUser, ["mount", "none", "/d", "tmpfs", 0, ""]]),
    EROFS: NO_SOURCES,
  },
  umount2: {
    ...walkPairs((path) => ["umount2", path, 0]),
    EAGAIN: kernel("MNT_EXPIRE has marked it", [...tmpfsAt(""), ["umount2", "/m", MNT_EXPIRE]]),
    EBUSY: kernel("it is in use", [...tmpfsAt(""), file("/m/f"), ["umount2", "/m", 0]]),
    EINVAL: kernel(
      "nothing is mounted there, flags that are not known or do not go together",
      [
        ["mkdir", "/d"],
        ["umount2", "/d", 0],
      ],
      [...tmpfsAt(""), ["umount2", "/m", 0x100]],
      [...tmpfsAt(""), ["umount2", "/m", MNT_EXPIRE | MNT_DETACH]],
      [...tmpfsAt(""), ["umount2", "/m", MNT_EXPIRE | MNT_FORCE]],
    ),
    ENOENT: kernel("the target does not exist", [["umount2", "/none", 0]]),
    EPERM: kernel("the caller is not root", [...tmpfsAt(""), asUser, ["umount2", "/m", 0]]),
  },
  inotify_add_watch: {
    ...watchWalk(),
    EACCES: kernel("the file may not be read", [
      ["inotifyInit"],
      file("/f", 0o600),
      asUser,
      ["inotifyAddWatch", "/f", IN_ACCESS],
    ]),
    EBADF: none("watches have no descriptor"),
    EEXIST: none("a flag that foliofs does not have (IN_MASK_CREATE)"),
    EINVAL: none("the mask is made by fs.watch(), and never empty"),
    EFAULT: NO_POINTERS,
    ENOENT: kernel("the file does not exist", [["inotifyInit"], ["inotifyAddWatch", "/none", IN_ACCESS]]),
    ENOSPC: none("there is no limit of watches"),
  },
};
