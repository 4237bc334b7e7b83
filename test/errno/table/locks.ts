/** flock(2), fcntl(2): locks of ranges, sizes of pipes. */
import {
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  S_IFIFO,
} from "../../../src/base/stat-flags.ts";
import type { LinuxStep } from "../../helpers/linux-script.ts";
import type { SceneStep } from "../calls.ts";
import { kernel, noMemory, none, type Pairs, tasks } from "../pair.ts";
import { asUser, file, NO_POINTERS, NO_SIGNALS, opened } from "./common.ts";

const F_SETLK = 6;
const F_OFD_SETLK = 37;
const F_SETPIPE_SZ = 1031;
const [F_RDLCK, F_WRLCK] = [0, 1];

const twice: readonly SceneStep[] = [file("/f"), opened("again", "/f", O_RDWR)];
const fifo: readonly SceneStep[] = [["mknod", "/fifo", S_IFIFO | 0o666], opened("fifo", "/fifo", O_RDWR)];
const USERS = [
  { uid: 0, gid: 0 },
  { uid: 0, gid: 0 },
];
const by = (task: number, call: string, ...args: (string | number)[]): LinuxStep => ({ task, call, args });
const lock = (task: number, start: number): LinuxStep => by(task, "fcntl", "f", "F_SETLKW", F_WRLCK, 0, start, 1);

export const LOCKS: Record<string, Pairs> = {
  flock: {
    EBADF: kernel(
      "the descriptor is not open, or opened with O_PATH",
      [["flock", "none", LOCK_SH]],
      [file("/f"), opened("p", "/f", O_PATH), ["flock", "p", LOCK_SH]],
    ),
    EINTR: NO_SIGNALS,
    EINVAL: kernel("the operation is none", [file("/f"), ["flock", "f", LOCK_NB]]),
    ENOLCK: none("memory for locks is told of as ENOMEM"),
    ENOMEM: noMemory("memory is short for the lock", [file("/f")], ["flock", "f", LOCK_EX]),
    EWOULDBLOCK: kernel("somebody else has the lock", [
      ...twice,
      ["flock", "f", LOCK_EX],
      ["flock", "again", LOCK_EX | LOCK_NB],
    ]),
  },
  "fcntl, locks": {
    EACCES: none("Linux answers EAGAIN"),
    EBUSY: none("of other commands"),
    EMFILE: none("of other commands"),
    ENOTDIR: none("of other commands"),
    EPERM: none("of other commands"),
    EAGAIN: kernel("somebody else has a lock in the range", [
      ...twice,
      ["fcntlLock", "f", F_OFD_SETLK, F_WRLCK, 0, 0, 10],
      ["fcntlLock", "again", F_SETLK, F_WRLCK, 0, 5, 1],
    ]),
    EBADF: kernel(
      "the descriptor is not open, or not for what is locked",
      [["fcntlLock", "none", F_SETLK, F_RDLCK, 0, 0, 1]],
      [file("/f"), opened("r", "/f", O_RDONLY), ["fcntlLock", "r", F_SETLK, F_WRLCK, 0, 0, 1]],
      [file("/f"), opened("w", "/f", O_WRONLY), ["fcntlLock", "w", F_SETLK, F_RDLCK, 0, 0, 1]],
    ),
    EDEADLK: tasks("whoever has the lock waits for the caller", {
      tasks: USERS,
      steps: [
        by(0, "open", "f", "ROOT/f", 0o102),
        by(1, "open", "f", "ROOT/f", 2),
        lock(0, 0),
        lock(1, 1),
        { ...lock(0, 1), later: true },
        lock(1, 0),
      ],
    }),
    EFAULT: NO_POINTERS,
    EINTR: NO_SIGNALS,
    EINVAL: kernel(
      "the type, whence or range is none",
      [file("/f"), ["fcntlLock", "f", F_SETLK, 9, 0, 0, 1]],
      [file("/f"), ["fcntlLock", "f", F_SETLK, F_RDLCK, 0, -1, 1]],
    ),
    ENOLCK: none("there is no limit of locks but memory, and no network file system"),
    ENOMEM: noMemory("memory is short for the lock", [file("/f")], ["fcntlLock", "f", F_OFD_SETLK, F_WRLCK, 0, 0, 10]),
    EOVERFLOW: none("starts and lengths are safe integers: what would overflow 2^63 is ERR_OUT_OF_RANGE"),
  },
  "fcntl, pipes": {
    EBADF: kernel(
      "the descriptor is not open, or of no pipe",
      [["fcntlPipe", "none", F_SETPIPE_SZ, 4096]],
      [file("/f"), ["fcntlPipe", "f", F_SETPIPE_SZ, 4096]],
    ),
    EBUSY: kernel("what is in the pipe needs more", [
      ...fifo,
      ["write", "fifo", "x".repeat(9000)],
      ["fcntlPipe", "fifo", F_SETPIPE_SZ, 4096],
    ]),
    EINVAL: kernel("the size is above 2 GiB", [...fifo, ["fcntlPipe", "fifo", F_SETPIPE_SZ, 2 ** 31 + 1]]),
    EPERM: kernel("the size is above 1 MiB, and the caller not root", [
      ...fifo,
      asUser,
      ["fcntlPipe", "fifo", F_SETPIPE_SZ, 2 ** 21],
    ]),
  },
};
