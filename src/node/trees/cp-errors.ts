/**
 * What stands in the way of cp: Node's SystemErrors with ERR_FS_CP_*, and the plain errors by which cpSync says the same of
 * its two arguments.
 *
 * @see Node 26 documentation, errors: ERR_FS_CP_DIR_TO_NON_DIR and its neighbours
 */
import { EEXIST, EINVAL, EISDIR, ENOTDIR } from "../../base/errno.ts";
import { bindingError } from "../errors.ts";
import { systemError } from "../system-errors.ts";
import { SpecialFailure, uvCode } from "../uv-errors.ts";

const WORDS = {
  ERR_FS_CP_DIR_TO_NON_DIR: "Cannot overwrite non-directory with directory",
  ERR_FS_CP_EEXIST: "Target already exists",
  ERR_FS_CP_EINVAL: "Invalid src or dest",
  ERR_FS_CP_FIFO_PIPE: "Cannot copy a FIFO pipe",
  ERR_FS_CP_NON_DIR_TO_DIR: "Cannot overwrite directory with non-directory",
  ERR_FS_CP_SOCKET: "Cannot copy a socket file",
  ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY: "Cannot overwrite symlink in subdirectory of self",
  ERR_FS_CP_UNKNOWN: "Cannot copy an unknown file type",
  ERR_FS_EISDIR: "Path is a directory",
} as const;

type Code = keyof typeof WORDS;

function failure(code: Code, errno: number, message: string, path: string): SpecialFailure {
  const build = (origin: Parameters<typeof systemError>[3]): Error =>
    systemError(code, WORDS[code], { message, path, syscall: "cp", errno, code: uvCode(-errno) }, origin);
  return new SpecialFailure(-errno, "cp", build);
}

/** As the synchronous form says it of its arguments. */
function plainFailure(code: Code, message: string): SpecialFailure {
  return new SpecialFailure(0, "cp", (origin) => bindingError(Error, code, message, origin));
}

/** What may be wrong, in one of the two ways of saying it. */
export interface CpFailures {
  dirToNonDir(src: string, dest: string): SpecialFailure;
  nonDirToDir(src: string, dest: string): SpecialFailure;
  same(dest: string): SpecialFailure;
  toSubdirectory(src: string, dest: string): SpecialFailure;
  isDirectory(src: string): SpecialFailure;
  fifo(dest: string): SpecialFailure;
  socket(dest: string): SpecialFailure;
  unknown(dest: string): SpecialFailure;
  /** A link is to be replaced, and its target lies below the new one. @param target, @param oldTarget from the root */
  linkToSubdirectory(dest: string, target: string, oldTarget: string): SpecialFailure;
  /** The same the other way round. */
  linkOverParent(dest: string, target: string, oldTarget: string): SpecialFailure;
}

export const systemFailures: CpFailures = {
  dirToNonDir: (src, dest) =>
    failure("ERR_FS_CP_DIR_TO_NON_DIR", EISDIR, `cannot overwrite non-directory ${dest} with directory ${src}`, dest),
  nonDirToDir: (src, dest) =>
    failure("ERR_FS_CP_NON_DIR_TO_DIR", ENOTDIR, `cannot overwrite directory ${dest} with non-directory ${src}`, dest),
  same: (dest) => failure("ERR_FS_CP_EINVAL", EINVAL, "src and dest cannot be the same", dest),
  toSubdirectory: (src, dest) =>
    failure("ERR_FS_CP_EINVAL", EINVAL, `cannot copy ${src} to a subdirectory of self ${dest}`, dest),
  isDirectory: (src) => failure("ERR_FS_EISDIR", EISDIR, `${src} is a directory (not copied)`, src),
  fifo: (dest) => failure("ERR_FS_CP_FIFO_PIPE", EINVAL, `cannot copy a FIFO pipe: ${dest}`, dest),
  socket: (dest) => failure("ERR_FS_CP_SOCKET", EINVAL, `cannot copy a socket file: ${dest}`, dest),
  unknown: (dest) => failure("ERR_FS_CP_UNKNOWN", EINVAL, `cannot copy an unknown file type: ${dest}`, dest),
  linkToSubdirectory: (dest, target, oldTarget) =>
    failure("ERR_FS_CP_EINVAL", EINVAL, `cannot copy ${target} to a subdirectory of self ${oldTarget}`, dest),
  linkOverParent: (dest, target, oldTarget) =>
    failure("ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY", EINVAL, `cannot overwrite ${oldTarget} with ${target}`, dest),
};

function withSlash(path: string): string {
  return path.endsWith("/") ? path : `${path}/`;
}

export const plainFailures: CpFailures = {
  dirToNonDir: (src, dest) =>
    plainFailure("ERR_FS_CP_DIR_TO_NON_DIR", `Cannot overwrite non-directory ${dest} with directory ${src}`),
  nonDirToDir: (src, dest) =>
    plainFailure("ERR_FS_CP_NON_DIR_TO_DIR", `Cannot overwrite directory ${dest} with non-directory ${src}`),
  same: (dest) => plainFailure("ERR_FS_CP_EINVAL", `src and dest cannot be the same ${dest}`),
  toSubdirectory: (src, dest) =>
    plainFailure("ERR_FS_CP_EINVAL", `Cannot copy ${withSlash(src)} to a subdirectory of self ${dest}`),
  isDirectory: (src) =>
    plainFailure("ERR_FS_EISDIR", `Recursive option not enabled, cannot copy a directory: ${withSlash(src)}`),
  fifo: (dest) => plainFailure("ERR_FS_CP_FIFO_PIPE", `Cannot copy a FIFO pipe: ${dest}`),
  socket: (dest) => plainFailure("ERR_FS_CP_SOCKET", `Cannot copy a socket file: ${dest}`),
  unknown: (dest) => plainFailure("ERR_FS_CP_UNKNOWN", `Cannot copy an unknown file type: ${dest}`),
  linkToSubdirectory: (_dest, target, oldTarget) =>
    plainFailure("ERR_FS_CP_EINVAL", `Cannot copy ${target} to a subdirectory of self ${oldTarget}`),
  linkOverParent: (_dest, target, oldTarget) =>
    plainFailure("ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY", `cannot overwrite ${oldTarget} with ${target}`),
};

/** @param dest as it is shown */
export function existsFailure(dest: string): SpecialFailure {
  return failure("ERR_FS_CP_EEXIST", EEXIST, `${dest} already exists`, dest);
}
