/**
 * The three calls that users of memfs reach for first: fill a file system from an object, print it as one, empty it.
 *
 * @see memfs Volume#fromJSON, toJSON, reset
 */
import { EBUSY, ENOENT } from "../base/errno.ts";
import { S_IFDIR, S_IFMT, S_IFREG } from "../base/stat-flags.ts";
import { STAT_MODE, type Syscalls } from "../vfs/syscalls.ts";
import { decodeUtf8, encodeUtf8 } from "./encoding.ts";
import type { Operations } from "./operations/index.ts";
import { resolvePath, toPathText } from "./paths.ts";
import { NodeBuffer } from "./platform.ts";
import { uvException } from "./uv-errors.ts";

/** Path to contents; null is an empty directory. */
export type DirectoryJson<Contents = string | Uint8Array | null> = Record<string, Contents>;

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** As posix `path.relative` for two absolute paths. */
function relativePath(from: string, to: string): string {
  const source = from.split("/").filter(Boolean);
  const target = to.split("/").filter(Boolean);
  let shared = 0;
  while (shared < source.length && source[shared] === target[shared]) shared++;
  return [...source.slice(shared).map(() => ".."), ...target.slice(shared)].join("/");
}

/** fromJSON, toJSON and reset on the system calls of a task. */
export function memfsOperations(sys: Syscalls, ops: Operations) {
  /** @param cwd what relative paths start at; by default the task's working directory */
  function fromJSON(json: DirectoryJson, cwd?: string): void {
    const base = ops.toAbsolute(cwd ?? ".");
    for (const [name, data] of Object.entries(json ?? {})) {
      const path = resolvePath(base, name);
      const isFile = typeof data === "string" || data instanceof Uint8Array;
      ops.mkdirSync(isFile ? parentOf(path) : path, { recursive: true });
      if (isFile) ops.writeFileSync(path, data);
    }
  }

  function typeOf(path: string, flags: number): number {
    const rc = sys.stat(path, flags);
    return rc < 0 ? 0 : sys.statValues[STAT_MODE] & S_IFMT;
  }

  function contents(path: string, isBytes: boolean): string | Uint8Array {
    const bytes = ops.readFileSync(path) as Uint8Array;
    return isBytes ? bytes : decodeUtf8(bytes);
  }

  /** Adds what is at `path` to `json`; links and special files are left out, as in memfs. */
  function collect(path: string, json: DirectoryJson, root: string, isBytes: boolean): void {
    const shown = root === "" ? path : relativePath(root, path);
    const type = typeOf(path, 0x100);
    if (type === S_IFREG) json[shown] = contents(path, isBytes);
    if (type !== S_IFDIR) return;
    const names = ops.readdirSync(path) as string[];
    if (names.length === 0 && shown !== "" && shown !== "/") json[shown] = null;
    for (const name of names) collect(resolvePath(path, name), json, root, isBytes);
  }

  /**
   * Files as path to text, empty directories as path to null.
   *
   * @param paths where to look; by default everywhere. What does not exist is left out
   * @param json object to add to
   * @param isRelative whether paths in the result start at the path they were found under
   * @param asBuffer bytes instead of text
   */
  function toJSON(paths?: unknown, json: DirectoryJson = {}, isRelative = false, asBuffer = false): DirectoryJson {
    const roots = paths === undefined || paths === null ? ["/"] : Array.isArray(paths) ? paths : [paths];
    for (const root of roots) {
      const path = ops.toAbsolute(toPathText(NodeBuffer?.isBuffer(root) ? decodeUtf8(root as Uint8Array) : root));
      const physical = sys.realpath(path);
      if (typeof physical === "number") continue;
      const start = decodeUtf8(physical);
      collect(start, json, isRelative ? start : "", asBuffer);
    }
    return json;
  }

  /** Removes everything below the root; what is mounted there stays. */
  function reset(): void {
    const listing = sys.readdir(encodeUtf8("/"));
    if (typeof listing === "number") throw uvException(listing, "scandir", "/");
    for (const name of listing.rawNames()) {
      const failure = ops.removeTree(new Uint8Array([0x2f, ...name]));
      if (failure !== undefined && failure.errno !== -EBUSY && failure.errno !== -ENOENT) throw failure.toError();
    }
  }

  return { fromJSON, toJSON, reset };
}
