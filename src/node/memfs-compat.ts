/**
 * The three calls that users of memfs reach for first: fill a file system from an object, print it as one, empty it.
 *
 * @see memfs Volume#fromJSON, toJSON, reset
 */

import { EBUSY, EILSEQ, ENOENT, ENOTDIR } from "../base/errno.ts";
import { AT_SYMLINK_NOFOLLOW, S_IFDIR, S_IFMT, S_IFREG } from "../base/stat-flags.ts";
import { bytesOf, isUint8Array } from "../base/views.ts";
import { type DirListing, STAT_MODE, type Syscalls } from "../vfs/syscalls.ts";
import { decodeUtf8, encodeUtf8 } from "./encoding.ts";
import { argTypeError, argValueError } from "./errors.ts";
import type { DirectoryJson, NestedDirectoryJson } from "./face/directory-json.ts";
import type { Operations } from "./operations/index.ts";
import { resolvePath, toPathText } from "./paths.ts";
import { uvException } from "./uv-errors.ts";

/** A path to be made, with its contents; null is a directory. */
type Entry = [path: string, contents: string | Uint8Array | null];

const CONTENTS = ["string", "Buffer", "TypedArray", "DataView", "ArrayBuffer", "Object", "null"];

/** An object as written in braces, in whatever realm. */
function isPlainObject(value: unknown): value is NestedDirectoryJson {
  if (value === null || typeof value !== "object") return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function toBytes(value: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(value)) return bytesOf(value);
  const tag = Object.prototype.toString.call(value);
  return tag === "[object ArrayBuffer]" || tag === "[object SharedArrayBuffer]"
    ? new Uint8Array(value as ArrayBuffer)
    : undefined;
}

/**
 * Everything that an object asks for, checked before the first name is made.
 *
 * @param shown how the object is called in errors
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, naming the entry
 */
function entriesOf(json: NestedDirectoryJson, base: () => string, shown: string, above: object[] = []): Entry[] {
  if (above.includes(json)) throw argValueError(shown, json, "must not contain itself");
  return Object.entries(json).flatMap(([name, value]): Entry[] => {
    const called = `${shown}[${JSON.stringify(name)}]`;
    if (name.includes("\0")) throw argValueError(called, value, "must have a name without null bytes");
    const path = resolvePath(name.startsWith("/") ? "/" : base(), name);
    if (typeof value === "string" || value === null) return [[path, value]];
    const bytes = toBytes(value);
    if (bytes !== undefined) return [[path, bytes]];
    if (!isPlainObject(value)) throw argTypeError(called, CONTENTS, value);
    return [[path, null], ...entriesOf(value, () => path, called, [...above, json])];
  });
}

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

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** A path as text. @throws EILSEQ when it is no UTF-8 */
function textOf(path: Uint8Array): string {
  const text = decodeUtf8(path);
  if (!isSame(encodeUtf8(text), path)) throw uvException(-EILSEQ, "toJSON", text);
  return text;
}

const REPLACEMENT = "\ufffd";

/** The first name that is no UTF-8, as it is shown; undefined when all are. */
function notUtf8(listing: DirListing): string | undefined {
  if (!listing.names.some((name) => name.includes(REPLACEMENT))) return undefined;
  const raw = listing.rawNames();
  return listing.names.find((name, i) => !isSame(encodeUtf8(name), raw[i]));
}

/** fromJSON, toJSON and reset on the system calls of a task. */
export function memfsOperations(sys: Syscalls, ops: Operations) {
  /**
   * Makes files, and the directories above them.
   *
   * @param cwd what relative paths start at; by default the task's working directory
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for what is neither text, bytes, null nor a plain object: then
   *   nothing is made
   */
  function fromJSON(json: NestedDirectoryJson | null, cwd?: string): void {
    if (json === null || json === undefined) return;
    if (!isPlainObject(json)) throw argTypeError("json", "Object", json);
    let base: string | undefined;
    const entries = entriesOf(json, () => (base ??= ops.toAbsolute(cwd ?? ".")), "json");
    for (const [path, contents] of entries) {
      ops.mkdirSync(contents === null ? path : parentOf(path), { recursive: true });
      if (contents !== null) ops.writeFileSync(path, contents);
    }
  }

  function contents(path: string, isBytes: boolean): string | Uint8Array {
    const bytes = ops.readFileSync(path) as Uint8Array;
    return isBytes ? bytes : decodeUtf8(bytes);
  }

  /** Names of a directory, as text. @throws EILSEQ when one is no UTF-8: no path of the result could name it */
  function namesIn(path: string): readonly string[] {
    const listing = sys.readdir(path);
    if (typeof listing === "number") throw uvException(listing, "scandir", path);
    const wrong = notUtf8(listing);
    if (wrong !== undefined) throw uvException(-EILSEQ, "toJSON", resolvePath(path, wrong));
    return listing.names;
  }

  /** Adds what is at `path` to `json`; links and special files are left out, as in memfs. */
  function collect(path: string, json: DirectoryJson, root: string, isBytes: boolean): void {
    const shown = root === "" ? path : relativePath(root, path);
    const rc = sys.stat(path, AT_SYMLINK_NOFOLLOW);
    if (rc < 0) throw uvException(rc, "lstat", path);
    const type = sys.statValues[STAT_MODE] & S_IFMT;
    if (type === S_IFREG) json[shown] = contents(path, isBytes);
    if (type !== S_IFDIR) return;
    const names = namesIn(path);
    if (names.length === 0 && shown !== "" && shown !== "/") json[shown] = null;
    for (const name of names) collect(resolvePath(path, name), json, root, isBytes);
  }

  /** Where to start: the physical path, undefined for what does not exist. @throws EILSEQ; what realpath finds else */
  function startOf(given: unknown): string | undefined {
    const path = ops.toAbsolute(isUint8Array(given) ? textOf(given) : toPathText(given));
    const physical = sys.realpath(path);
    if (physical === -ENOENT || physical === -ENOTDIR) return undefined;
    if (typeof physical === "number") throw uvException(physical, "realpath", path);
    return textOf(physical);
  }

  /**
   * Files as path to text, empty directories as path to null.
   *
   * @param paths where to look; by default everywhere. What does not exist is left out
   * @param json object to add to
   * @param isRelative whether paths in the result start at the path they were found under
   * @param asBuffer bytes instead of text
   * @throws EILSEQ for a name that is no UTF-8, ENAMETOOLONG for a path beyond PATH_MAX, EACCES: nothing is passed over
   */
  function toJSON(paths?: unknown, json: DirectoryJson = {}, isRelative = false, asBuffer = false): DirectoryJson {
    const roots = paths === undefined || paths === null ? ["/"] : Array.isArray(paths) ? paths : [paths];
    for (const root of roots) {
      const start = startOf(root);
      if (start !== undefined) collect(start, json, isRelative ? start : "", asBuffer);
    }
    return json;
  }

  /** Removes everything below the root; what is mounted there stays. */
  function reset(): void {
    const listing = sys.readdir(encodeUtf8("/"));
    if (typeof listing === "number") throw uvException(listing, "scandir", "/", undefined, reset);
    for (const name of listing.rawNames()) {
      const failure = ops.removeTree(new Uint8Array([0x2f, ...name]));
      if (failure !== undefined && failure.errno !== -EBUSY && failure.errno !== -ENOENT) throw failure.toError(reset);
    }
  }

  return { fromJSON, toJSON, reset };
}
