/**
 * From errno to Error: the texts of libuv, the record of a failed call, and the Error that Node would show for it.
 *
 * Layers below answer negated errno numbers; no Error exists before one of these functions is asked for it.
 * @see libuv include/uv.h UV_ERRNO_MAP; Node 26 src/api/exceptions.cc UVException()
 */
import { EAGAIN, ENOENT } from "../base/errno.ts";
import { keepShape } from "../base/shapes.ts";
import type { Path, Syscalls } from "../vfs/syscalls.ts";
import { decodeUtf8, toWellFormed } from "./encoding.ts";
import { captureStack, fromCaller, noteError, type Origin, withoutStack } from "./stacks.ts";

/** errno -> [code, message]; what libuv has no words for is added by who answers it. 95 is ENOTSUP in libuv though Linux says EOPNOTSUPP. */
export const UV_ERRORS = new Map<number, readonly [code: string, message: string]>([
  [1, ["EPERM", "operation not permitted"]],
  [2, ["ENOENT", "no such file or directory"]],
  [3, ["ESRCH", "no such process"]],
  [4, ["EINTR", "interrupted system call"]],
  [5, ["EIO", "i/o error"]],
  [6, ["ENXIO", "no such device or address"]],
  [7, ["E2BIG", "argument list too long"]],
  [8, ["ENOEXEC", "exec format error"]],
  [9, ["EBADF", "bad file descriptor"]],
  [11, ["EAGAIN", "resource temporarily unavailable"]],
  [12, ["ENOMEM", "not enough memory"]],
  [13, ["EACCES", "permission denied"]],
  [14, ["EFAULT", "bad address in system call argument"]],
  [16, ["EBUSY", "resource busy or locked"]],
  [17, ["EEXIST", "file already exists"]],
  [18, ["EXDEV", "cross-device link not permitted"]],
  [19, ["ENODEV", "no such device"]],
  [20, ["ENOTDIR", "not a directory"]],
  [21, ["EISDIR", "illegal operation on a directory"]],
  [22, ["EINVAL", "invalid argument"]],
  [23, ["ENFILE", "file table overflow"]],
  [24, ["EMFILE", "too many open files"]],
  [25, ["ENOTTY", "inappropriate ioctl for device"]],
  [26, ["ETXTBSY", "text file is busy"]],
  [27, ["EFBIG", "file too large"]],
  [28, ["ENOSPC", "no space left on device"]],
  [29, ["ESPIPE", "invalid seek"]],
  [30, ["EROFS", "read-only file system"]],
  [31, ["EMLINK", "too many links"]],
  [32, ["EPIPE", "broken pipe"]],
  [34, ["ERANGE", "result too large"]],
  [36, ["ENAMETOOLONG", "name too long"]],
  [38, ["ENOSYS", "function not implemented"]],
  [39, ["ENOTEMPTY", "directory not empty"]],
  [40, ["ELOOP", "too many symbolic links encountered"]],
  [61, ["ENODATA", "no data available"]],
  [75, ["EOVERFLOW", "value too large for defined data type"]],
  [95, ["ENOTSUP", "operation not supported on socket"]],
  [84, ["EILSEQ", "illegal byte sequence"]],
  [110, ["ETIMEDOUT", "connection timed out"]],
  // libuv has no word for it; Linux's own.
  [116, ["ESTALE", "stale file handle"]],
  [125, ["ECANCELED", "operation canceled"]],
]);

/** The code Node shows for a negated errno; unknown ones read as libuv prints them. */
export function uvCode(errno: number): string {
  return UV_ERRORS.get(-errno)?.[0] ?? `Unknown system error ${errno}`;
}

/** libuv's words for a negated errno. */
export function uvMessage(errno: number): string {
  return UV_ERRORS.get(-errno)?.[1] ?? `Unknown system error ${errno}`;
}

/** An Error as Node gives it for a failed system call. */
export interface SystemCallError extends Error {
  errno: number;
  code: string;
  syscall: string;
  path?: string;
  dest?: string;
}

/** A path as errors show it: what the kernel was given, read as UTF-8. */
export function shownPath(path: Path): string {
  return typeof path === "string" ? toWellFormed(path) : decodeUtf8(path);
}

function failureMessage(errno: number, syscall: string, path: string | undefined, dest: string | undefined): string {
  let message = `${uvCode(errno)}: ${uvMessage(errno)}, ${syscall}`;
  if (path !== undefined) message += ` '${path}'`;
  if (dest !== undefined) message += ` -> '${dest}'`;
  return message;
}

/**
 * The Error of a failed system call, as Node's bindings build it.
 *
 * @param errno negated errno
 * @param syscall libuv's word for the call, which is not always the function's name (`scandir`, `copyfile`, `utime`)
 * @param origin what was called: the stack begins at its caller. Without one the form that it passes sees to that
 */
export function uvException(
  errno: number,
  syscall: string,
  path?: Path,
  dest?: Path,
  origin?: Origin,
): SystemCallError {
  const from = path === undefined ? undefined : shownPath(path);
  const to = dest === undefined ? undefined : shownPath(dest);
  const error = withoutStack(() => new Error(failureMessage(errno, syscall, from, to))) as SystemCallError;
  if (origin !== undefined) captureStack(error, origin);
  else noteError(captureStack(error, uvException), captureStack);
  error.errno = errno;
  error.code = uvCode(errno);
  error.syscall = syscall;
  if (from !== undefined) error.path = from;
  if (to !== undefined) error.dest = to;
  return error;
}

/** What process.cwd() throws: words of its own. @see Node 26 src/node_process_methods.cc Cwd() */
export function cwdException(errno: number): SystemCallError {
  const removed = ", the current working directory was likely removed without changing the working directory";
  const reason = `process.cwd failed with error ${uvMessage(errno)}${errno === -ENOENT ? removed : ""}`;
  const error = new Error(`${uvCode(errno)}: ${reason}, uv_cwd`) as SystemCallError;
  error.errno = errno;
  error.code = uvCode(errno);
  error.syscall = "uv_cwd";
  return error;
}

/** As uvException, for the one call (writeSync) whose error Node builds in JavaScript: `code` comes last. */
export function writeException(errno: number, origin: Origin): SystemCallError {
  const error = withoutStack(() => new Error(failureMessage(errno, "write", undefined, undefined))) as SystemCallError;
  captureStack(error, origin);
  error.errno = errno;
  error.syscall = "write";
  error.code = uvCode(errno);
  return error;
}

/** What an operation leaves behind when it fails: enough to build Node's Error, or to wait and go on. */
export class Failure {
  /** Negated errno. */
  readonly errno: number;
  readonly syscall: string;
  readonly path: Path | undefined;
  readonly dest: Path | undefined;
  /** After EAGAIN from an asynchronous store: await it, then commit the same request again. */
  readonly token: Promise<void> | undefined;

  constructor(errno: number, syscall: string, path?: Path, dest?: Path, token?: Promise<void>) {
    this.errno = errno;
    this.syscall = syscall;
    this.path = path;
    this.dest = dest;
    this.token = token;
  }

  /** @param origin what was called: the stack begins at its caller */
  toError(origin: Origin): Error {
    return uvException(this.errno, this.syscall, this.path, this.dest, origin);
  }
}

keepShape(new Failure(0, ""));

/** A failure that is shown as an Error of its own kind. */
export class SpecialFailure extends Failure {
  readonly #build: (origin: Origin) => Error;

  constructor(errno: number, syscall: string, build: (origin: Origin) => Error) {
    super(errno, syscall);
    this.#build = build;
  }

  override toError(origin: Origin): Error {
    return fromCaller(this.#build(origin), origin) as Error;
  }
}

/** The failure of a system call that answered `errno`; after EAGAIN it holds what to await. */
export function failed(sys: Syscalls, errno: number, syscall: string, path?: Path, dest?: Path): Failure {
  return new Failure(errno, syscall, path, dest, errno === -EAGAIN ? sys.waitToken() : undefined);
}

/** Outcome of a call that gives nothing: undefined, or its failure. */
export function outcomeOf(sys: Syscalls, rc: number, syscall: string, path?: Path, dest?: Path): undefined | Failure {
  return rc < 0 ? failed(sys, rc, syscall, path, dest) : undefined;
}
