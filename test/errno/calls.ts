/**
 * The calls of the table of errnos: those of call scripts, and those of `fs.kernel.linux` and a few more that only errors are
 * asked of. What goes well is "ok" here, whatever it answers.
 *
 * Does not own: scenes (table/), how they are run (run-scenes.ts).
 */
import { AT_SYMLINK_NOFOLLOW } from "../../src/base/stat-flags.ts";
import { type LinuxCalls, linuxCalls } from "../../src/node/linux/index.ts";
import { inotifyAddWatch } from "../../src/vfs/inotify.ts";
import { Wait, whileWaiting } from "../../src/vfs/waiting.ts";
import {
  AT_CWD,
  CALLS,
  type Call,
  call,
  desc,
  type HostLine,
  int,
  longs,
  type Machine,
  type Outcome,
  out,
  raw,
  text,
} from "../helpers/call-script.ts";

type Arg = string | number;

const AT_FDCWD = -100;
const LIST_BYTES = 65536;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_IOC_GETFLAGS = 0x80086601;
/** Descriptor that nobody has: the face refuses numbers below 0 before it makes a call. */
const NOT_OPEN = 9999;

function linux({ task }: Machine): LinuxCalls {
  return linuxCalls(task, Wait, whileWaiting);
}

function ok(result: number): Outcome {
  return result < 0 ? result : "ok";
}

/** What a call of the face has come to. @throws what is no error of a system call */
function answer(make: () => unknown): Outcome {
  try {
    make();
    return "ok";
  } catch (error) {
    const { errno } = error as { errno?: number };
    if (errno === undefined) throw error;
    return errno;
  }
}

function fdOf(machine: Machine, name: string): number {
  const fd = machine.fd(name);
  return fd < 0 ? NOT_OPEN : fd;
}

/** A directory by the name of its descriptor, or "cwd". */
const dir = (name: string): string => (name === "cwd" ? AT_CWD : desc(name));
const dirOf = (machine: Machine, name: string): number => (name === "cwd" ? AT_FDCWD : fdOf(machine, name));

/** Calls of extended attributes. @param way "" follows links, "l" does not, "f" takes a descriptor */
function xattrCalls(way: "" | "l" | "f"): Record<string, Call> {
  const first = { "": 188, l: 189, f: 190 }[way];
  const where = (given: string): string => (way === "f" ? desc(given) : text(given));
  const target = (machine: Machine, given: string): string & number =>
    (way === "f" ? fdOf(machine, given) : given) as string & number;
  return {
    [`${way}setxattr`]: {
      host: (given, name, value, flags = 0) =>
        call(first, [where(given), text(name), raw(Buffer.from(value)), int(value.length), int(flags)], ok),
      folio: (machine, given, name, value, flags = 0) =>
        answer(() => linux(machine)[`${way}setxattrSync`](target(machine, given), name, value, flags)),
    },
    [`${way}getxattr`]: {
      host: (given, name) => call(first + 3, [where(given), text(name), out(LIST_BYTES), int(LIST_BYTES)], ok),
      folio: (machine, given, name) => answer(() => linux(machine)[`${way}getxattrSync`](target(machine, given), name)),
    },
    [`${way}listxattr`]: {
      host: (given) => call(first + 6, [where(given), out(LIST_BYTES), int(LIST_BYTES)], ok),
      folio: (machine, given) => answer(() => linux(machine)[`${way}listxattrSync`](target(machine, given))),
    },
    [`${way}removexattr`]: {
      host: (given, name) => call(first + 9, [where(given), text(name)], ok),
      folio: (machine, given, name) =>
        answer(() => linux(machine)[`${way}removexattrSync`](target(machine, given), name)),
    },
  };
}

/** struct flock. */
function flockBytes(type: number, whence: number, start: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(32);
  bytes.writeInt16LE(type, 0);
  bytes.writeInt16LE(whence, 2);
  bytes.writeBigInt64LE(BigInt(start), 8);
  bytes.writeBigInt64LE(BigInt(length), 16);
  return bytes;
}

/** Of files that take no vectors: their first buffer. */
function vectored(machine: Machine, name: string, bytes: number, position: number, isWrite: boolean): number {
  const { task } = machine;
  const buffer = Buffer.alloc(bytes);
  const fd = machine.fd(name);
  const rc = isWrite ? task.writev(fd, [buffer], position) : task.readv(fd, [buffer], position);
  if (rc !== -95) return rc;
  return isWrite ? task.write(fd, buffer, 0, bytes, position) : task.read(fd, buffer, 0, bytes, position);
}

/** A call on the host that foliofs has as a call of `fs.kernel.linux`. */
function at(
  host: (...args: never[]) => HostLine,
  folio: (calls: LinuxCalls, machine: Machine, ...args: never[]) => unknown,
): Call {
  return {
    host: host as Call["host"],
    folio: (machine, ...args) => answer(() => folio(linux(machine), machine, ...(args as never[]))),
  };
}

const BEYOND: Record<string, Call> = {
  ...xattrCalls(""),
  ...xattrCalls("l"),
  ...xattrCalls("f"),
  lstat: {
    host: (path) => call(262, [AT_CWD, text(path), out(144), int(AT_SYMLINK_NOFOLLOW)], ok),
    folio: ({ task }, path) => ok(task.stat(path, AT_SYMLINK_NOFOLLOW)),
  },
  /** All that is cached of stores, on foliofs alone. */
  dropCaches: {
    host: () => {
      throw new Error("dropCaches is a call of foliofs");
    },
    folio: ({ fs }) => answer(() => fs.kernel.dropCaches(3)),
  },
  fdatasync: {
    host: (name) => call(75, [desc(name)]),
    folio: (machine, name) => machine.task.fdatasync(machine.fd(name)),
  },
  lchown: {
    host: (path, uid, gid) => call(94, [text(path), int(uid), int(gid)]),
    folio: ({ task }, path, uid, gid) => task.chown(path, uid, gid, AT_SYMLINK_NOFOLLOW),
  },
  fchown: {
    host: (name, uid, gid) => call(93, [desc(name), int(uid), int(gid)]),
    folio: (machine, name, uid, gid) => machine.task.fchown(machine.fd(name), uid, gid),
  },
  readv: {
    host: (name, bytes) => call(19, [desc(name), `v:${bytes}`, int(1)], ok),
    folio: (machine, name, bytes) => ok(vectored(machine, name, bytes, -1, false)),
  },
  writev: {
    host: (name, bytes) => call(20, [desc(name), `v:${bytes}`, int(1)], ok),
    folio: (machine, name, bytes) => ok(vectored(machine, name, bytes, -1, true)),
  },
  preadv: {
    host: (name, bytes, position) => call(295, [desc(name), `v:${bytes}`, int(1), int(position), int(0)], ok),
    folio: (machine, name, bytes, position) => ok(vectored(machine, name, bytes, position, false)),
  },
  pwritev: {
    host: (name, bytes, position) => call(296, [desc(name), `v:${bytes}`, int(1), int(position), int(0)], ok),
    folio: (machine, name, bytes, position) => ok(vectored(machine, name, bytes, position, true)),
  },
  copyRangeAt: {
    host: (from, inPos, to, outPos, length) =>
      call(326, [desc(from), raw(longs(inPos)), desc(to), raw(longs(outPos)), int(length), int(0)]),
    folio: (machine, from, inPos, to, outPos, length) =>
      machine.task.copyFileRange(machine.fd(from), inPos, machine.fd(to), outPos, length),
  },
  getdents: {
    host: (name) => call(217, [desc(name), out(LIST_BYTES), int(LIST_BYTES)], ok),
    folio: (machine, name) => {
      const listing = machine.task.getdents(machine.fd(name), 100);
      return typeof listing === "number" ? listing : "ok";
    },
  },
  fcntlLock: {
    host: (name, command, type, whence, start, length) =>
      call(72, [desc(name), int(command), raw(flockBytes(type, whence, start, length))], ok),
    folio: (machine, name, command, type, whence, start, length) =>
      answer(() => linux(machine).fcntlSync(fdOf(machine, name), command, { type, whence, start, length })),
  },
  fcntlPipe: {
    host: (name, command, size) => call(72, [desc(name), int(command), int(size)], ok),
    folio: (machine, name, command, size) => answer(() => linux(machine).fcntlSync(fdOf(machine, name), command, size)),
  },
  chattr: {
    host: (name, flags) => call(16, [desc(name), int(FS_IOC_SETFLAGS), raw(longs(flags))], ok),
    folio: (machine, name, flags) => answer(() => linux(machine).fchattrSync(fdOf(machine, name), flags)),
  },
  lsattr: {
    host: (name) => call(16, [desc(name), int(FS_IOC_GETFLAGS), out(8)], ok),
    folio: (machine, name) => answer(() => linux(machine).flsattrSync(fdOf(machine, name))),
  },
  inotifyInit: {
    host: () => ({ keep: "inotify", ...call(294, [int(0o4000)], ok) }),
    folio: (machine) => ok(machine.keep("inotify", machine.task.open("/", 0, 0))), // a descriptor, as the host's
  },
  inotifyAddWatch: {
    host: (path, mask) => call(254, [desc("inotify"), text(path), int(mask)], ok),
    folio: ({ task }, path, mask) => {
      const watch = inotifyAddWatch(
        task,
        path,
        mask,
        () => {},
        () => {},
      );
      return typeof watch === "number" ? watch : "ok";
    },
  },

  openat: {
    host: (name, from, path, flags, mode = 0) => ({
      keep: name,
      ...call(257, [dir(from), text(path), int(flags), int(mode)], ok),
    }),
    folio: (machine, name, from, path, flags, mode = 0) =>
      answer(() => machine.keep(name, linux(machine).openatSync(dirOf(machine, from), path, flags, mode))),
  },
  mkdirat: at(
    (from: string, path: string) => call(258, [dir(from), text(path), int(0o755)], ok),
    (calls, machine, from: string, path: string) => calls.mkdiratSync(dirOf(machine, from), path, 0o755),
  ),
  mknodat: at(
    (from: string, path: string, mode: number, dev = 0) => call(259, [dir(from), text(path), int(mode), int(dev)], ok),
    (calls, machine, from: string, path: string, mode: number, dev = 0) =>
      calls.mknodatSync(dirOf(machine, from), path, mode, dev),
  ),
  unlinkat: at(
    (from: string, path: string, flags = 0) => call(263, [dir(from), text(path), int(flags)], ok),
    (calls, machine, from: string, path: string, flags = 0) => calls.unlinkatSync(dirOf(machine, from), path, flags),
  ),
  renameat2: at(
    (from: string, old: string, to: string, path: string, flags = 0) =>
      call(316, [dir(from), text(old), dir(to), text(path), int(flags)], ok),
    (calls, machine, from: string, old: string, to: string, path: string, flags = 0) =>
      calls.renameat2Sync(dirOf(machine, from), old, dirOf(machine, to), path, flags),
  ),
  linkat: at(
    (from: string, old: string, to: string, path: string, flags = 0) =>
      call(265, [dir(from), text(old), dir(to), text(path), int(flags)], ok),
    (calls, machine, from: string, old: string, to: string, path: string, flags = 0) =>
      calls.linkatSync(dirOf(machine, from), old, dirOf(machine, to), path, flags),
  ),
  symlinkat: at(
    (target: string, from: string, path: string) => call(266, [text(target), dir(from), text(path)], ok),
    (calls, machine, target: string, from: string, path: string) =>
      calls.symlinkatSync(target, dirOf(machine, from), path),
  ),
  readlinkat: at(
    (from: string, path: string) => call(267, [dir(from), text(path), out(4096), int(4096)], ok),
    (calls, machine, from: string, path: string) => calls.readlinkatSync(dirOf(machine, from), path),
  ),
  fstatat: at(
    (from: string, path: string, flags = 0) => call(262, [dir(from), text(path), out(144), int(flags)], ok),
    (calls, machine, from: string, path: string, flags = 0) => calls.fstatatSync(dirOf(machine, from), path, flags),
  ),
  fchmodat: at(
    (from: string, path: string, mode: number, flags = 0) =>
      call(452, [dir(from), text(path), int(mode), int(flags)], ok), // fchmodat2
    (calls, machine, from: string, path: string, mode: number, flags = 0) =>
      calls.fchmodatSync(dirOf(machine, from), path, mode, flags),
  ),
  fchownat: at(
    (from: string, path: string, uid: number, gid: number, flags = 0) =>
      call(260, [dir(from), text(path), int(uid), int(gid), int(flags)], ok),
    (calls, machine, from: string, path: string, uid: number, gid: number, flags = 0) =>
      calls.fchownatSync(dirOf(machine, from), path, uid, gid, flags),
  ),
  utimensat: at(
    (from: string, path: string, seconds: number, flags = 0) =>
      call(280, [dir(from), text(path), raw(longs(seconds, 0, seconds, 0)), int(flags)], ok),
    (calls, machine, from: string, path: string, seconds: number, flags = 0) => {
      const ns = BigInt(seconds) * 10n ** 9n;
      return calls.utimensatSync(dirOf(machine, from), path, ns, ns, flags);
    },
  ),
  /** As utimensat() with UTIME_NOW for both. */
  utimensatNow: at(
    (from: string, path: string) =>
      call(280, [dir(from), text(path), raw(longs(0, 0x3fffffff, 0, 0x3fffffff)), int(0)], ok),
    (calls, machine, from: string, path: string) => calls.utimensatSync(dirOf(machine, from), path, "now", "now"),
  ),
  faccessat: at(
    (from: string, path: string, mode: number) => call(439, [dir(from), text(path), int(mode), int(0x200)], ok),
    (calls, machine, from: string, path: string, mode: number) => calls.faccessatSync(dirOf(machine, from), path, mode),
  ),
};

/** A call of a scene: its name, then its arguments; descriptors go by the names that open() gave them. */
export type SceneStep = readonly [call: string, ...args: Arg[]];

/** @throws Error for a name that is none */
export function callNamed(name: string): Call {
  const found = BEYOND[name] ?? (CALLS as Record<string, Call>)[name];
  if (found === undefined) throw new Error(`no call ${name}`);
  return found;
}
