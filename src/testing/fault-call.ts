/**
 * The calls that rules are about: system calls by the names that `syscall` of Node's errors has for them.
 *
 * Does not own: which of them a method of a face makes (task-faults.ts, face-methods.ts).
 */
import { argValueError } from "../node/errors.ts";
import { UV_ERRORS } from "../node/uv-errors.ts";

/** All calls that a rule can name. */
export const CALL_NAMES = [
  "access",
  "chdir",
  "chmod",
  "chown",
  "close",
  "copy_file_range",
  "fallocate",
  "fchmod",
  "fchown",
  "fdatasync",
  "ficlone",
  "flock",
  "fstat",
  "fsync",
  "ftruncate",
  "futime",
  "lchown",
  "link",
  "lseek",
  "lstat",
  "lutime",
  "mkdir",
  "mknod",
  "open",
  "read",
  "readlink",
  "realpath",
  "rename",
  "rmdir",
  "scandir",
  "stat",
  "statfs",
  "symlink",
  "sync",
  "unlink",
  "utime",
  "write",
] as const;

/** A system call by name. */
export type CallName = (typeof CALL_NAMES)[number];

/** Methods of node:fs that are one call by another name. */
const OTHER_NAMES: Readonly<Record<string, CallName>> = {
  exists: "access",
  futimes: "futime",
  getdents: "scandir",
  lutimes: "lutime",
  mkdtemp: "mkdir",
  opendir: "open",
  readdir: "scandir",
  readv: "read",
  utimes: "utime",
  writev: "write",
};

/** Methods of node:fs that are several calls. */
const COMPOSED: Readonly<Record<string, string>> = {
  appendFile: "open, write and close",
  copyFile: "open, fstat, ftruncate, fchmod, copy_file_range and close",
  copyfile: "open, fstat, ftruncate, fchmod, copy_file_range and close",
  cp: "lstat, mkdir, open, copy_file_range and others",
  glob: "scandir and lstat",
  readFile: "open, fstat, read and close",
  rm: "lstat, unlink, scandir and rmdir",
  truncate: "open, ftruncate and close",
  writeFile: "open, write, fsync (flush) and close",
};

/** A call that is about to be made. */
export interface FaultCall {
  readonly call: CallName;
  /** Absolute path, with `.` and `..` taken out as text; of a call on a descriptor the one that it was opened by, where that is known. */
  readonly path?: string;
  /** Second path: of rename, link and copies. */
  readonly dest?: string;
  readonly fd?: number;
  /** Bytes that are asked for: of reads, writes and copies, where that is known beforehand. */
  readonly length?: number;
}

/** A call that has been made, or has been refused. */
export interface LoggedCall extends FaultCall {
  /** "ok", or the code of its error. */
  readonly outcome: string;
  /** Bytes moved, of reads, writes and copies; the descriptor, of open. */
  readonly result?: number;
  /** Whether a rule has had a part in the outcome. */
  readonly isInjected: boolean;
}

/** A call by one of its names. @throws ERR_INVALID_ARG_VALUE for what is no call, with what to name instead */
export function toCallName(name: unknown, argument: string): CallName {
  if (CALL_NAMES.includes(name as CallName)) return name as CallName;
  const text = String(name);
  const plain = text.replace(/Sync$/, "");
  const other = CALL_NAMES.find((one) => one === plain) ?? (Object.hasOwn(OTHER_NAMES, plain) && OTHER_NAMES[plain]);
  if (other) return other;
  const reason = Object.hasOwn(COMPOSED, plain)
    ? `is made of ${COMPOSED[plain]}: name one of them`
    : "is no system call";
  throw argValueError(argument, name, reason);
}

const NUMBERS = new Map([...UV_ERRORS].map(([errno, [code]]) => [code, errno]));
NUMBERS.set("EOPNOTSUPP", 95);

/** The number of an error code. @throws ERR_INVALID_ARG_VALUE for what is no code of a system call */
export function toErrno(code: unknown, argument: string): number {
  const errno = NUMBERS.get(code as string);
  if (errno === undefined) throw argValueError(argument, code, "is no error code of a system call, such as ENOSPC");
  return errno;
}
