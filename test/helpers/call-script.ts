/**
 * Scripts of system calls that run on foliofs and on the host's kernel, outcome by outcome.
 *
 * The host's half runs in one perl process in a mount namespace of its own, chrooted into an empty tmpfs, so that paths
 * and descriptors are the same on both sides and nothing stays behind. perl-base is essential on Debian. What the host
 * cannot do here (no Linux on x86-64, no root, no unshare(1)) is said by `missingForCallScripts()`.
 */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "vitest";
import type { DentryHandle, MountHandle } from "../../src/base/handles.ts";
import { S_IFMT } from "../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs, type FsOptions } from "../../src/index.ts";
import type { FileTable } from "../../src/vfs/file-table.ts";
import type { Kernel } from "../../src/vfs/kernel.ts";
import { mount, umount } from "../../src/vfs/mount.ts";
import type { TaskOptions } from "../../src/vfs/new-task.ts";
import * as sys from "../../src/vfs/syscalls.ts";
import type { Task } from "../../src/vfs/task.ts";
import { TASK_CWD_DENTRY, TASK_CWD_MOUNT } from "../../src/wasm/layout.ts";
import { Mappings } from "./call-script-mappings.ts";

/** One call: its name in CALLS, then its arguments. Descriptors go by the names that open() gave them. */
export type Step = readonly [call: keyof typeof CALLS, ...args: (string | number)[]];

/** A value >= 0, a negated errno, or what the call found, as text. */
export type Outcome = number | string;

// --- The host -----------------------------------------------------------------------------------------------------------

/** Perl's line(), which makes a call and prints what has come of it. */
export const PERL_LINE = String.raw`
  use strict; $| = 1; $SIG{XFSZ} = "IGNORE"; $SIG{PIPE} = "IGNORE";
  my %fds;
  my @vectors;
  sub at { my ($name, $offset) = @_; return exists $fds{$name} ? $fds{$name} + $offset : 0 }
  sub vector { my $buffer = "\0" x $_[0]; push @vectors, \$buffer; return pack("PQ", $buffer, $_[0]) }
  sub line {
    my ($line) = @_;
    my ($keep, $number, @words) = split / /, $line;
    my @args;
    for (@words) {
      my ($kind, $value) = split /:/, $_, 2;
      push @args, $kind eq "n" ? int($value)
        : $kind eq "s" ? pack("H*", $value) . "\0"
        : $kind eq "r" ? pack("H*", $value)
        : $kind eq "b" ? "\0" x $value
        : $kind eq "v" ? vector($value)
        : $kind eq "a" ? at(split /\+/, $value)
        : exists $fds{$value} ? $fds{$value} : -1;
    }
    my $result = syscall($number, @args);
    $result = -int($!) if $result < 0;
    $fds{$keep} = $result if $keep ne "-" && $result >= 0;
    my ($out) = map { $words[$_] =~ /^b:/ ? unpack("H*", $args[$_]) : () } 0 .. $#words;
    print $result, " ", $out // "", "\n";
  }
`;
const PERL = `${PERL_LINE} while (my $line = <STDIN>) { chomp $line; line($line) }`;

export const text = (value: string | number): string => `s:${Buffer.from(String(value)).toString("hex")}`;
export const raw = (bytes: Uint8Array): string => `r:${Buffer.from(bytes).toString("hex")}`;
export const int = (value: string | number): string => `n:${value}`;
export const out = (nrBytes: number): string => `b:${nrBytes}`;
export const desc = (name: string | number): string => `f:${name}`;
/** An address in a mapping, by the name that mmap() gave it. */
const addr = (name: string, offset: number): string => `a:${name}+${offset}`;
export const AT_CWD = int(-100);

function timespecs(...seconds: number[]): Uint8Array {
  return longs(...seconds.flatMap((second) => [second, 0]));
}

export function longs(...values: number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [i, value] of values.entries()) bytes.writeBigInt64LE(BigInt(value), i * 8);
  return bytes;
}

/** Descriptor under which the reply of a call is kept, and its line for perl. */
export interface HostLine {
  keep?: string;
  words: (string | number)[];
  show?: (result: number, bytes: Buffer) => Outcome;
}

// --- The calls ----------------------------------------------------------------------------------------------------------

type Arg = string | number;
export interface Call {
  // biome-ignore lint/suspicious/noExplicitAny: arguments are as many and of the kinds that the call wants
  host(...args: any[]): HostLine;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  folio(machine: Machine, ...args: any[]): Outcome;
}

export function call(number: number, words: (string | number)[], show?: HostLine["show"]): HostLine {
  return { words: [number, ...words], show };
}

function shown(result: number, describe: () => string): Outcome {
  return result < 0 ? result : describe();
}

function statLine(mode: number, nlink: number, uid: number, gid: number, size: number, blocks: number): string {
  return `${(mode & S_IFMT).toString(8)} ${(mode & 0o7777).toString(8)} nlink=${nlink} ${uid}:${gid} size=${size} blocks=${blocks}`;
}

function usageLine([bsize, blocks, bfree, bavail, files, ffree]: number[]): string {
  return `bsize=${bsize} blocks=${blocks} bfree=${bfree} bavail=${bavail} files=${files} ffree=${ffree}`;
}

function hostStat(result: number, s: Buffer): Outcome {
  const long = (at: number) => Number(s.readBigUInt64LE(at));
  return shown(result, () =>
    statLine(s.readUInt32LE(24), long(16), s.readUInt32LE(28), s.readUInt32LE(32), long(48), long(64)),
  );
}

function folioStat(task: Task, result: number): Outcome {
  const v = task.statValues;
  return shown(result, () =>
    statLine(
      v[sys.STAT_MODE],
      v[sys.STAT_NLINK],
      v[sys.STAT_UID],
      v[sys.STAT_GID],
      v[sys.STAT_SIZE],
      v[sys.STAT_BLOCKS],
    ),
  );
}

const OLD = 1_000_000_000;
const hostTime =
  (at: number) =>
  (result: number, s: Buffer): Outcome =>
    shown(result, () => (Number(s.readBigUInt64LE(at)) > OLD + 1000 ? "touched" : "as before"));

function folioTime(task: Task, path: string, field: number): Outcome {
  return shown(task.stat(path, 0x100), () => (task.statValues[field] > OLD + 1000 ? "touched" : "as before"));
}

function bytesShown(result: number, bytes: Buffer): Outcome {
  return shown(result, () => `${result}:${bytes.subarray(0, result).toString("latin1")}`);
}

function folioRead(task: Task, fd: number, length: number, position: number): Outcome {
  const buffer = Buffer.alloc(length);
  return bytesShown(task.read(fd, buffer, 0, length, position), buffer);
}

function viewShown(view: Uint8Array | number): Outcome {
  return typeof view === "number" ? view : Buffer.from(view).toString();
}

const STAT_BYTES = 144;
const RLIMIT_FSIZE = 1;
const RLIMIT_NOFILE = 7;

function rlimit(value: number): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(BigInt(value), 0);
  bytes.writeBigUInt64LE(BigInt(value), 8);
  return bytes;
}

function groupList(groups: Arg[]): Uint8Array {
  const bytes = Buffer.alloc(Math.max(4, groups.length * 4));
  for (const [i, group] of groups.entries()) bytes.writeUInt32LE(Number(group), i * 4);
  return bytes;
}

/** Every call once for the host, by its number on x86-64, and once for foliofs. */
export const CALLS = {
  mount: {
    host: (source, target, type, flags, data) =>
      call(165, [text(source), text(target), text(type), int(flags), text(data)]),
    folio: ({ task }, source, target, type, flags, data) => mount(task, { source, target, type, flags, data }),
  },
  umount: {
    host: (target) => call(166, [text(target), int(0)]),
    folio: ({ task }, target) => umount(task, target),
  },
  umount2: {
    host: (target, flags) => call(166, [text(target), int(flags)]),
    folio: ({ task }, target, flags) => umount(task, target, flags),
  },
  open: {
    host: (name, path, flags, mode = 0) => ({ keep: name, ...call(257, [AT_CWD, text(path), int(flags), int(mode)]) }),
    folio: (machine, name, path, flags, mode = 0) => machine.keep(name, machine.task.open(path, flags, mode)),
  },
  close: {
    host: (name) => call(3, [desc(name)]),
    folio: (machine, name) => machine.task.close(machine.fd(name)),
  },
  read: {
    host: (name, length) => call(0, [desc(name), out(length), int(length)], bytesShown),
    folio: (machine, name, length) => folioRead(machine.task, machine.fd(name), length, -1),
  },
  pread: {
    host: (name, length, position) => call(17, [desc(name), out(length), int(length), int(position)], bytesShown),
    folio: (machine, name, length, position) => folioRead(machine.task, machine.fd(name), length, position),
  },
  write: {
    host: (name, data) => call(1, [desc(name), text(data), int(data.length)]),
    folio: (machine, name, data) => machine.task.write(machine.fd(name), Buffer.from(data), 0, data.length, -1),
  },
  pwrite: {
    host: (name, data, position) => call(18, [desc(name), text(data), int(data.length), int(position)]),
    folio: (machine, name, data, position) =>
      machine.task.write(machine.fd(name), Buffer.from(data), 0, data.length, position),
  },
  lseek: {
    host: (name, offset, whence) => call(8, [desc(name), int(offset), int(whence)]),
    folio: (machine, name, offset, whence) => machine.task.lseek(machine.fd(name), offset, whence),
  },
  truncate: {
    host: (path, length) => call(76, [text(path), int(length)]),
    folio: ({ task }, path, length) => task.truncate(path, length),
  },
  ftruncate: {
    host: (name, length) => call(77, [desc(name), int(length)]),
    folio: (machine, name, length) => machine.task.ftruncate(machine.fd(name), length),
  },
  fallocate: {
    host: (name, mode, offset, length) => call(285, [desc(name), int(mode), int(offset), int(length)]),
    folio: (machine, name, mode, offset, length) => machine.task.fallocate(machine.fd(name), mode, offset, length),
  },
  copyRange: {
    host: (from, to, length) => call(326, [desc(from), int(0), desc(to), int(0), int(length), int(0)]),
    folio: (machine, from, to, length) => machine.task.copyFileRange(machine.fd(from), -1, machine.fd(to), -1, length),
  },
  flock: {
    host: (name, operation) => call(73, [desc(name), int(operation)]),
    folio: (machine, name, operation) => machine.task.flock(machine.fd(name), operation),
  },
  fsync: {
    host: (name) => call(74, [desc(name)]),
    folio: (machine, name) => machine.task.fsync(machine.fd(name)),
  },
  stat: {
    host: (path) => call(262, [AT_CWD, text(path), out(STAT_BYTES), int(0)], hostStat),
    folio: ({ task }, path) => folioStat(task, task.stat(path, 0)),
  },
  fstat: {
    host: (name) => call(5, [desc(name), out(STAT_BYTES)], hostStat),
    folio: (machine, name) => folioStat(machine.task, machine.task.fstat(machine.fd(name))),
  },
  /** Makes both times of a path old, so that `atime` can tell whether it has been read since. */
  age: {
    host: (path) => call(280, [AT_CWD, text(path), raw(timespecs(OLD, OLD)), int(0x100)]),
    folio: ({ task }, path) => task.utimens(path, OLD, 0, OLD, 0, 0x100),
  },
  /** As age, but with an access time behind the modification, which relatime then leaves alone. */
  ageRead: {
    host: (path) => call(280, [AT_CWD, text(path), raw(timespecs(OLD + 500, OLD)), int(0x100)]),
    folio: ({ task }, path) => task.utimens(path, OLD + 500, 0, OLD, 0, 0x100),
  },
  atime: {
    host: (path) => call(262, [AT_CWD, text(path), out(STAT_BYTES), int(0x100)], hostTime(72)),
    folio: ({ task }, path) => folioTime(task, path, sys.STAT_ATIME_SEC),
  },
  mtime: {
    host: (path) => call(262, [AT_CWD, text(path), out(STAT_BYTES), int(0x100)], hostTime(88)),
    folio: ({ task }, path) => folioTime(task, path, sys.STAT_MTIME_SEC),
  },
  /** Seconds and nanoseconds of the access and of the modification time. */
  utimens: {
    host: (path, ...times) => call(280, [AT_CWD, text(path), raw(longs(...times)), int(0)]),
    folio: ({ task }, path, aSec, aNsec, mSec, mNsec) => task.utimens(path, aSec, aNsec, mSec, mNsec, 0),
  },
  futimens: {
    host: (name, ...times) => call(280, [desc(name), int(0), raw(longs(...times)), int(0)]),
    folio: (machine, name, aSec, aNsec, mSec, mNsec) =>
      machine.task.futimens(machine.fd(name), aSec, aNsec, mSec, mNsec),
  },
  rdev: {
    host: (path) =>
      call(262, [AT_CWD, text(path), out(STAT_BYTES), int(0x100)], (result, s) =>
        shown(result, () => `rdev=${Number(s.readBigUInt64LE(40))}`),
      ),
    folio: ({ task }, path) => shown(task.stat(path, 0x100), () => `rdev=${task.statValues[sys.STAT_RDEV]}`),
  },
  access: {
    host: (path, mode) => call(439, [AT_CWD, text(path), int(mode), int(0x200)]), // faccessat2, AT_EACCESS
    folio: ({ task }, path, mode) => task.access(path, mode),
  },
  statfsType: {
    host: (path) =>
      call(137, [text(path), out(120)], (result, s) => shown(result, () => s.readUInt32LE(0).toString(16))),
    folio: ({ task }, path) => shown(task.statfs(path), () => task.statfsValues[sys.STATFS_TYPE].toString(16)),
  },
  /** What there may be, and what is left. */
  statfs: {
    host: (path) =>
      call(137, [text(path), out(120)], (result, s) =>
        shown(result, () => usageLine([1, 2, 3, 4, 5, 6].map((i) => Number(s.readBigUInt64LE(i * 8))))),
      ),
    folio: ({ task }, path) => shown(task.statfs(path), () => usageLine([...task.statfsValues.slice(1, 7)])),
  },
  /** Longest name, and the flags that both know: ST_VALID is for statfs(2) alone. */
  statfsFlags: {
    host: (path) =>
      call(137, [text(path), out(120)], (result, s) =>
        shown(result, () => `${Number(s.readBigInt64LE(64))} ${Number(s.readBigInt64LE(80)) & ~0x20}`),
      ),
    folio: ({ task }, path) =>
      shown(task.statfs(path), () => `${task.statfsValues[sys.STATFS_NAMELEN]} ${task.statfsValues[sys.STATFS_FLAGS]}`),
  },
  mkdir: {
    host: (path, mode = 0o755) => call(83, [text(path), int(mode)]),
    folio: ({ task }, path, mode = 0o755) => task.mkdir(path, mode),
  },
  rmdir: {
    host: (path) => call(84, [text(path)]),
    folio: ({ task }, path) => task.rmdir(path),
  },
  unlink: {
    host: (path) => call(87, [text(path)]),
    folio: ({ task }, path) => task.unlink(path),
  },
  link: {
    host: (existing, path) => call(86, [text(existing), text(path)]),
    folio: ({ task }, existing, path) => task.link(existing, path),
  },
  symlink: {
    host: (target, path) => call(88, [text(target), text(path)]),
    folio: ({ task }, target, path) => task.symlink(target, path),
  },
  rename: {
    host: (from, to, flags = 0) => call(316, [AT_CWD, text(from), AT_CWD, text(to), int(flags)]),
    folio: ({ task }, from, to, flags = 0) => task.renameat2(from, to, flags),
  },
  mknod: {
    host: (path, mode, dev = 0) => call(133, [text(path), int(mode), int(dev)]),
    folio: ({ task }, path, mode, dev = 0) => task.mknod(path, mode, dev),
  },
  readlink: {
    host: (path) =>
      call(89, [text(path), out(4096), int(4096)], (n, bytes) => shown(n, () => bytes.subarray(0, n).toString())),
    folio: ({ task }, path) => viewShown(task.readlink(path)),
  },
  chmod: {
    host: (path, mode) => call(90, [text(path), int(mode)]),
    folio: ({ task }, path, mode) => task.chmod(path, mode, 0),
  },
  fchmod: {
    host: (name, mode) => call(91, [desc(name), int(mode)]),
    folio: (machine, name, mode) => machine.task.fchmod(machine.fd(name), mode),
  },
  chown: {
    host: (path, uid, gid) => call(92, [text(path), int(uid), int(gid)]),
    folio: ({ task }, path, uid, gid) => task.chown(path, uid, gid, 0),
  },
  chdir: {
    host: (path) => call(80, [text(path)]),
    folio: (machine, path) => machine.changeDirectory(path),
  },
  chroot: {
    host: (path) => call(161, [text(path)]),
    folio: ({ task }, path) => task.chroot(path),
  },
  getcwd: {
    host: () => call(79, [out(4096), int(4096)], (n, bytes) => hostCwd(n, bytes)),
    folio: ({ task }) => viewShown(task.getcwd()),
  },
  umask: {
    host: (mask) => call(95, [int(mask)]),
    folio: ({ task }, mask) => task.umask(mask),
  },
  limitFileSize: {
    host: (bytes) => call(302, [int(0), int(RLIMIT_FSIZE), raw(rlimit(bytes)), int(0)]),
    folio: (machine, bytes) => machine.become({ fileSizeLimit: bytes }),
  },
  limitFiles: {
    host: (nr) => call(302, [int(0), int(RLIMIT_NOFILE), raw(rlimit(nr)), int(0)]),
    folio: (machine, nr) => machine.limitFiles(nr),
  },
  /** The groups must be set by root: before becoming somebody else. */
  setGroups: {
    host: (...groups) => call(116, [int(groups.length), raw(groupList(groups))]),
    folio: (machine, ...groups) => machine.become({ groups }),
  },
  setGid: {
    host: (gid) => call(119, [int(-1), int(gid), int(-1)]),
    folio: (machine, gid) => machine.become({ gid }),
  },
  setUid: {
    host: (uid) => call(117, [int(-1), int(uid), int(-1)]),
    folio: (machine, uid) => machine.become({ uid }),
  },
  /**
   * Mappings are looked at as by any call that copies from or to user memory: what would be a signal is EFAULT. What goes in or
   * comes out lies in a scratch file of its own.
   */
  mmap: {
    host: (name, fd, length, prot, flags, offset = 0) => ({
      keep: name,
      ...call(9, [int(0), int(length), int(prot), int(flags), desc(fd), int(offset)], (result) =>
        shown(result, () => "mapped"),
      ),
    }),
    folio: (machine, name, fd, length, prot, flags, offset = 0) =>
      machine.mappings.map(name, machine.task, machine.fd(fd), { offset, length, prot, flags }),
  },
  munmap: {
    host: (name, length) => call(11, [addr(name, 0), int(length)]),
    folio: ({ mappings }, name) => mappings.unmap(name),
  },
  msync: {
    host: (name, at, length, flags) => call(26, [addr(name, at), int(length), int(flags)]),
    folio: ({ mappings }, name, at, length, flags) => mappings.msync(name, at, length, flags),
  },
  mlock: {
    host: (name, at, length) => call(149, [addr(name, at), int(length)]),
    folio: ({ mappings }, name, at, length) => mappings.mlock(name, at, length),
  },
  munlock: {
    host: (name, at, length) => call(150, [addr(name, at), int(length)]),
    folio: ({ mappings }, name, at, length) => mappings.munlock(name, at, length),
  },
  makeScratch: {
    host: () => ({ keep: "scratch", ...call(319, [text("scratch"), int(0)], (fd) => shown(fd, () => "made")) }),
    folio: ({ task }) => shown(task.open("/", 0, 0), () => "made"), // a descriptor, as the host's
  },
  fillScratch: {
    host: (data) => call(18, [desc("scratch"), text(data), int(data.length), int(0)]),
    folio: ({ mappings }, data) => mappings.fill(data),
  },
  showScratch: {
    host: (length) => call(17, [desc("scratch"), out(length), int(length), int(0)], bytesShown),
    folio: ({ mappings }, length) => mappings.show(length),
  },
  /** Out of a mapping, into the scratch file. */
  load: {
    host: (name, at, length) => call(18, [desc("scratch"), addr(name, at), int(length), int(0)]),
    folio: ({ mappings }, name, at, length) => mappings.copy(name, at, length, false),
  },
  /** Into a mapping, from the scratch file. */
  store: {
    host: (name, at, length) => call(17, [desc("scratch"), addr(name, at), int(length), int(0)]),
    folio: ({ mappings }, name, at, length) => mappings.copy(name, at, length, true),
  },
} satisfies Record<string, Call>;

/** Of a directory outside of the root, the kernel says "(unreachable)/..."; libc makes that ENOENT, and so do we. */
function hostCwd(n: number, bytes: Buffer): Outcome {
  const path = bytes.subarray(0, Math.max(0, n - 1)).toString();
  return shown(n, () => path)
    .toString()
    .startsWith("(unreachable)")
    ? -2
    : shown(n, () => path);
}

// --- Running ------------------------------------------------------------------------------------------------------------

/** A kernel of foliofs with one task, which takes on credentials and limits as a script says. */
export class Machine {
  readonly fs: FolioFs;
  readonly kernel: Kernel;
  task: Task;
  readonly mappings = new Mappings();
  readonly #fds = new Map<string, number>();
  #options: TaskOptions = {};

  constructor(options: FsOptions = {}) {
    this.fs = createFsSync({ memoryLimit: 64 * 2 ** 20, ...options });
    this.kernel = this.fs.kernel.vfs;
    this.task = this.kernel.newTask({ umask: 0o022 }) as Task;
  }

  keep(name: string, fd: number): number {
    if (fd >= 0) this.#fds.set(name, fd);
    return fd;
  }

  fd(name: string): number {
    return this.#fds.get(name) ?? -1;
  }

  changeDirectory(path: string): number {
    return this.task.chdir(path);
  }

  /** Goes on as a task with other options, with the same descriptors, working directory and umask. */
  become(options: TaskOptions): number {
    this.#options = { ...this.#options, ...options };
    const before = this.task;
    const files: FileTable = before.files;
    const next = this.kernel.newTask({ ...this.#options, umask: before.umaskOf(), files });
    if (typeof next === "number") return next;
    // Not by chdir(), which asks whether the new user may go there.
    const { u32, x } = this.kernel.core;
    const at = before.handle << 3;
    x.taskSetCwd(
      next.handle,
      (u32[at + TASK_CWD_MOUNT] >>> 5) as MountHandle,
      (u32[at + TASK_CWD_DENTRY] >>> 5) as DentryHandle,
    );
    this.task = next;
    return 0;
  }

  limitFiles(nr: number): number {
    Object.assign(this.task.files, { maxFiles: nr });
    return 0;
  }
}

/** Why scripts cannot run on this host; undefined when they can. */
export function missingForCallScripts(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64")
    return "the numbers of the calls are those of Linux on x86-64";
  if (process.getuid?.() !== 0) return "mounting on the host needs root";
  const probe = spawnSync("unshare", ["-m", "perl", "-e", "exit 0"]);
  return probe.status === 0 ? undefined : `no mount namespace here: ${probe.stderr?.toString().trim() || probe.error}`;
}

function hostLine([name, ...args]: Step): HostLine {
  return (CALLS[name] as Call).host(...args);
}

/** Runs a script on the host's kernel. */
function runOnHost(steps: readonly Step[]): Outcome[] {
  const base = mkdtempSync(join(tmpdir(), "foliofs-script-"));
  const setUp: Step[] = [
    ["mount", "none", base, "tmpfs", 0, "mode=755"],
    ["chroot", base],
    ["chdir", "/"],
    ["umask", 0o022],
  ];
  const lines = [...setUp, ...steps].map(hostLine);
  const input = lines.map(({ keep, words }) => `${[keep ?? "-", ...words].join(" ")}\n`).join("");
  const child = spawnSync("unshare", ["-m", "perl", "-e", PERL], { input, maxBuffer: 2 ** 26 });
  rmdirSync(base);
  const replies = child.stdout.toString().trimEnd().split("\n");
  if (child.status !== 0 || replies.length !== lines.length) throw new Error(`perl: ${child.stderr}`);
  const outcomes = replies.map((reply, i) => {
    const [result, hex = ""] = reply.split(" ");
    return lines[i].show?.(Number(result), Buffer.from(hex, "hex")) ?? Number(result);
  });
  setUp.forEach((step, i) => {
    if (Number(outcomes[i]) < 0) throw new Error(`the host refuses ${step.join(" ")}: ${outcomes[i]}`);
  });
  return outcomes.slice(setUp.length);
}

/** Runs a script on a fresh foliofs. */
function runOnFoliofs(steps: readonly Step[]): Outcome[] {
  const machine = new Machine();
  const outcomes = steps.map(([name, ...args]) => (CALLS[name] as Call).folio(machine, ...args));
  machine.kernel.verify();
  return outcomes;
}

/** Long data by its length. */
function brief(arg: string | number): string {
  const said = String(arg);
  return said.length > 100 ? `${said.slice(0, 10)}...(${said.length})` : said;
}

/** Outcomes beside their steps, one a line: what two runs are compared by. */
function transcript(steps: readonly Step[], outcomes: readonly Outcome[]): string {
  return steps.map((step, i) => `${step.map(brief).join(" ")} = ${outcomes[i]}`).join("\n");
}

const missing = missingForCallScripts();
if (missing) console.warn(`call scripts: skipped, ${missing}`);

/** `it()`, skipped where the host cannot run scripts. */
export const itOnHost = it.skipIf(missing !== undefined);

/** Runs the steps on both, and compares every outcome. @returns the outcomes */
export function expectSame(steps: readonly Step[]): Outcome[] {
  const outcomes = runOnFoliofs(steps);
  assert.equal(transcript(steps, outcomes), transcript(steps, runOnHost(steps)));
  return outcomes;
}

/** A test that the steps have the same outcomes on both. */
export function same(name: string, steps: readonly Step[]): void {
  itOnHost(name, () => expectSame(steps));
}
