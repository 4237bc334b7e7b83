/**
 * System calls that node:fs does not have, made on the host through perl's `syscall`.
 *
 * perl-base is essential on Debian, so it is there wherever the tests run. A descriptor reaches the child by
 * inheritance, so it is the same open file description: lseek in the child moves the parent's position.
 */
import { spawnSync } from "node:child_process";
import { getSystemErrorName } from "node:util";
import type { BeyondNode, Credentials } from "./subject.ts";

/** Numbers of the calls by architecture. @see Linux arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h */
const NUMBERS: Record<string, Record<string, number>> = {
  x64: { lseek: 8, flock: 73, mknodat: 259, fallocate: 285, renameat2: 316, copy_file_range: 326 },
  arm64: { lseek: 62, flock: 32, mknodat: 33, fallocate: 47, renameat2: 276, copy_file_range: 285 },
};
const AT_FDCWD = -100;
/** The first descriptor a child inherits beside its standard three. */
const CHILD_FD = 3;

const PERL = `
  my @args = map { my ($kind, $value) = split /:/, $_, 2; $kind eq "n" ? int($value) : pack("H*", $value) } @ARGV;
  my $number = shift @args;
  my $result = syscall($number, @args);
  print $result < 0 ? -int($!) : $result;
`;

type Argument = number | string | Uint8Array;

function encode(argument: Argument): string {
  if (typeof argument === "number") return `n:${argument}`;
  return `s:${Buffer.concat([Buffer.from(argument as string), Buffer.alloc(1)]).toString("hex")}`;
}

function failure(syscall: string, errno: number): Error {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${code}: ${syscall}`), { errno: -errno, code, syscall });
}

/** Makes one system call. @param fds descriptors that the child gets as 3, 4, ... @returns its value or a negated errno */
function tryHostCall(syscall: string, args: readonly Argument[], fds: readonly number[] = []): number {
  const number = NUMBERS[process.arch]?.[syscall];
  if (number === undefined) throw new Error(`no number for ${syscall} on ${process.arch}`);

  const stdio = ["ignore", "pipe", "inherit", ...fds] as const;
  const child = spawnSync("perl", ["-e", PERL, `n:${number}`, ...args.map(encode)], { stdio: [...stdio] });
  if (child.error) throw child.error;
  return Number(child.stdout.toString());
}

/** As tryHostCall(). @throws an Error with `code` */
function hostCall(syscall: string, args: readonly Argument[], fds: readonly number[] = []): number {
  const result = tryHostCall(syscall, args, fds);
  if (result < 0) throw failure(syscall, -result);
  return result;
}

/**
 * Makes one system call on descriptors.
 *
 * @param args in its order; what stands for a descriptor is its place in `fds`
 * @returns its value or a negated errno
 */
export function hostCallOn(syscall: string, fds: readonly number[], args: readonly Argument[]): number {
  const places = syscall === "renameat2" ? [0, 2] : [0];
  const given = args.map((argument, i) => (places.includes(i) ? CHILD_FD + (argument as number) : argument));
  return tryHostCall(syscall, given, fds);
}

export const hostCalls: BeyondNode = {
  mknodSync: (path, mode, dev = 0) => void hostCall("mknodat", [AT_FDCWD, path, mode, dev]),
  lseekSync: (fd, offset, whence) => hostCall("lseek", [CHILD_FD, offset, whence], [fd]),
  fallocateSync: (fd, mode, offset, length) => void hostCall("fallocate", [CHILD_FD, mode, offset, length], [fd]),
  renameat2Sync: (from, to, flags) => void hostCall("renameat2", [AT_FDCWD, from, AT_FDCWD, to, flags]),
  copyFileRangeSync: (fdIn, _positionIn, fdOut, _positionOut, length) =>
    hostCall("copy_file_range", [CHILD_FD, 0, CHILD_FD + 1, 0, length, 0], [fdIn, fdOut]),
  flockSync: (fd, operation) => void hostCall("flock", [CHILD_FD, operation], [fd]),
};

/** Becomes the user for good, then touches each file: perl's utime makes "now" of undef, as touch(1) does. */
const TOUCH = `
  my ($uid, $groups, @paths) = @ARGV;
  $) = $groups;
  $( = (split / /, $groups)[0];
  $< = $> = $uid;
  print join ",", map { utime(undef, undef, $_) ? 0 : int($!) } @paths;
`;

/** Sets the times of files to the time of day as somebody else. @returns a code or "ok" for each path */
export function touchAs({ uid, gid, groups = [] }: Credentials, paths: readonly string[]): string[] {
  // The first of perl's list is the effective group, the rest are the supplementary ones.
  const list = [gid, ...(groups.length > 0 ? groups : [gid])].join(" ");
  const child = spawnSync("perl", ["-e", TOUCH, String(uid), list, ...paths], { stdio: ["ignore", "pipe", "inherit"] });
  if (child.error) throw child.error;
  return child.stdout
    .toString()
    .split(",")
    .map((errno) => (errno === "0" ? "ok" : getSystemErrorName(-Number(errno))));
}
