/**
 * Node's SystemError, which rm and cp have, and what rm's C++ walk throws.
 *
 * @see Node 26 lib/internal/errors.js class SystemError; src/node_file.cc RmSync()
 */
import { EISDIR } from "../base/errno.ts";
import type { Path } from "../vfs/syscalls.ts";
import { decodeUtf8 } from "./encoding.ts";
import type { NodeError } from "./errors.ts";
import { inspect } from "./inspect.ts";
import { captureStack, type Origin, withoutStack } from "./stacks.ts";
import { type SystemCallError, shownPath, uvCode, uvMessage } from "./uv-errors.ts";

/** What `info` of a SystemError shows, in the order in which it shows it. */
export interface SystemErrorInfo {
  code: string;
  message: string;
  path: Path | URL;
  syscall: string;
  errno: number;
}

class SystemError extends Error {
  override toString(): string {
    return `${this.name} [${(this as unknown as NodeError).code}]: ${this.message}`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](_depth: number, options: object): string {
    return inspect(this, { ...options, getters: true, customInspect: false } as object);
  }
}

/** A path as the caller gave it, which these errors show unchanged. */
function givenPath(path: Path | URL): string {
  return ArrayBuffer.isView(path) ? decodeUtf8(path) : String(path);
}

function defineHidden(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, enumerable: false, writable: true, configurable: true });
}

/** Shows a field of `info` on the error itself; writing there writes to `info`. */
function defineShared(error: Error, info: SystemErrorInfo, name: "errno" | "syscall" | "path"): void {
  Object.defineProperty(error, name, {
    get: () => (name === "path" ? givenPath(info.path) : info[name]),
    set: (value) => {
      (info as unknown as Record<string, unknown>)[name] = value;
    },
    enumerable: true,
    configurable: true,
  });
}

/**
 * A SystemError.
 *
 * @param words what its text begins with
 * @param origin what was called: the stack begins at its caller
 */
export function systemError(code: string, words: string, info: SystemErrorInfo, origin: Origin): Error {
  const error = withoutStack(() => new SystemError()) as SystemError & NodeError;
  error.code = code;
  defineHidden(error, "name", "SystemError");
  const text = `${words}: ${info.syscall} returned ${info.code} (${info.message}) ${givenPath(info.path)}`;
  defineHidden(error, "message", text);
  Object.defineProperty(error, "info", { value: info, enumerable: true, configurable: true, writable: false });
  defineShared(error, info, "errno");
  defineShared(error, info, "syscall");
  defineShared(error, info, "path");
  // V8 writes the name into the stack when that is first read.
  defineHidden(error, "name", `SystemError [${code}]`);
  captureStack(error, origin);
  void error.stack;
  defineHidden(error, "name", "SystemError");
  return error;
}

/** ERR_FS_EISDIR: a directory was to be removed without `recursive`. @param path as the caller gave it */
export function rmIsDirectoryError(path: Path | URL, origin: Origin): Error {
  const info = { code: "EISDIR", message: "is a directory", path, syscall: "rm", errno: EISDIR };
  return systemError("ERR_FS_EISDIR", "Path is a directory", info, origin);
}

const REASONS: Record<string, string> = {
  EPERM: "Operation not permitted",
  ENOTEMPTY: "Directory not empty",
  ENOTDIR: "Not a directory",
  EACCES: "Permission denied",
  EBUSY: "Device or resource busy",
};

/**
 * What rmSync throws when the walk fails: a positive errno, and words of its own.
 *
 * For errors that Node's walk does not expect, such as ENAMETOOLONG, Node loses errno and code; here they are kept.
 */
export function rmSyncError(errno: number, path: Path, origin: Origin): Error {
  const code = uvCode(errno);
  const shown = shownPath(path);
  const message = `${code}, ${REASONS[code] ?? uvMessage(errno)}: '${shown}'`;
  const error = withoutStack(() => new Error(message)) as SystemCallError;
  captureStack(error, origin);
  error.errno = -errno;
  error.code = code;
  error.path = shown;
  error.syscall = "rm";
  return error;
}
