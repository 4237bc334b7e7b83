/**
 * Paths made absolute as text, which Node does where it has to know or to keep them: in realpath, and for directories
 * that are removed later.
 *
 * All other relative paths are walked by the VFS from where the task stands, whatever has become of that directory.
 */
import type { Syscalls } from "../../vfs/syscalls.ts";
import { decodeUtf8 } from "../encoding.ts";
import { argTypeError } from "../errors.ts";
import { resolvePath } from "../paths.ts";
import { cwdException } from "../uv-errors.ts";

/** The task's working directory. @throws what process.cwd() throws, ENOENT when the directory has been removed */
export function workingDirectory(sys: Syscalls): string {
  const cwd = sys.getcwd();
  if (typeof cwd === "number") throw cwdException(cwd);
  return decodeUtf8(cwd);
}

/** A path from the root, without `.` and `..`, as `path.resolve(path)` makes it. @throws as workingDirectory() */
export function toAbsolute(sys: Syscalls, path: string): string {
  return resolvePath(path.startsWith("/") ? "/" : workingDirectory(sys), path);
}

/** As `path.resolve(cwd, path)`. @throws ERR_INVALID_ARG_TYPE for what is no text */
export function resolveFrom(cwd: string, path: unknown): string {
  if (typeof path !== "string") throw argTypeError("paths[1]", "string", path);
  return resolvePath(cwd, path);
}
