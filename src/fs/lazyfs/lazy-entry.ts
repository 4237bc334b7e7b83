/**
 * Entries as trees give them, looked at once: what is wrong is refused as a whole, and what a getter says later does not count.
 */
import { S_IFDIR, S_IFLNK, S_IFREG } from "../../base/stat-flags.ts";
import { utf8Encoder } from "../../base/utf8.ts";
import { NAME_MAX, PATH_MAX } from "../../wasm/layout.ts";
import { BadAnswer } from "./lazy-errno.ts";
import type { LazyEntry } from "./lazy-tree.ts";

/** Largest file: positions beyond can be told from the size of a file that is not known. */
export const MAX_FILE_BYTES = 2 ** 43;
const MAX_MODE = 0o7777;
const MAX_ID = 0xfffffffe;
const MAX_DATE_MS = 864e13;

const TYPES: Readonly<Record<string, readonly [type: number, mode: number]>> = {
  file: [S_IFREG, 0o444],
  directory: [S_IFDIR, 0o555],
  symlink: [S_IFLNK, 0o777],
};

/** An entry that has been checked. */
export interface Entry {
  readonly name: string;
  /** Type and permission bits. */
  readonly mode: number;
  /** Bytes; undefined = not known. */
  readonly size: number | undefined;
  /** Milliseconds since the epoch; undefined = not known. */
  readonly mtimeMs: number | undefined;
  readonly uid: number;
  readonly gid: number;
  /** Of a symbolic link; undefined = to be loaded. */
  readonly target: Uint8Array | undefined;
  /** The tree's own object. */
  readonly given: LazyEntry | undefined;
}

/** The root of a mount. */
export const ROOT_ENTRY: Entry = {
  name: "",
  mode: S_IFDIR | 0o555,
  size: undefined,
  mtimeMs: undefined,
  uid: 0,
  gid: 0,
  target: undefined,
  given: undefined,
};

/** Is it a name that a directory may have? */
function isName(name: unknown): name is string {
  if (typeof name !== "string" || name === "" || name === "." || name === "..") return false;
  if (name.length > NAME_MAX || /[/\0\p{Cs}]/u.test(name)) return false;
  return utf8Encoder.encode(name).length <= NAME_MAX;
}

function integer(what: string, value: unknown, max: number, missing: number): number {
  if (value === undefined) return missing;
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max) return value as number;
  throw new BadAnswer(`${what} is ${String(value)}`);
}

function time(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const ms = typeof value === "number" ? value : Date.prototype.getTime.call(value);
  if (Math.abs(ms) <= MAX_DATE_MS) return ms;
  throw new BadAnswer(`mtime of ${name} is ${String(value)}`);
}

/** Where a symbolic link leads. @throws BadAnswer for what no link can have */
export function checkTarget(name: string, target: unknown): Uint8Array {
  const bytes = typeof target === "string" ? utf8Encoder.encode(target) : (target as Uint8Array);
  if (bytes.length > 0 && bytes.length < PATH_MAX && !bytes.includes(0)) return bytes;
  throw new BadAnswer(`${name} is a symbolic link to what is no path`);
}

/** Looks an entry over. @throws BadAnswer; what a getter of the tree's throws */
export function checkEntry(given: unknown): Entry {
  if (typeof given !== "object" || given === null) throw new BadAnswer(`${String(given)} is no entry`);
  const { name, type, mode, size, mtime, uid, gid, target } = given as LazyEntry;
  if (!isName(name)) throw new BadAnswer(`${JSON.stringify(name)} is no name`);
  if (typeof type !== "string" || !Object.hasOwn(TYPES, type)) {
    throw new BadAnswer(`type of ${name} is ${String(type)}`);
  }
  const [typeBits, usualMode] = TYPES[type];
  const isLink = typeBits === S_IFLNK;
  if (target !== undefined && (!isLink || typeof target !== "string")) {
    throw new BadAnswer(`target of ${name} is ${String(target)}`);
  }
  const bytes = size === undefined ? undefined : integer(`size of ${name}`, size, MAX_FILE_BYTES, 0);
  return {
    name,
    mode: typeBits | integer(`mode of ${name}`, mode, MAX_MODE, usualMode),
    size: typeBits === S_IFREG ? bytes : undefined,
    mtimeMs: time(name, mtime),
    uid: integer(`uid of ${name}`, uid, MAX_ID, 0),
    gid: integer(`gid of ${name}`, gid, MAX_ID, 0),
    target: target === undefined ? undefined : checkTarget(name, target),
    given: given as LazyEntry,
  };
}
