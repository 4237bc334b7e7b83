/**
 * Turns what a call gave back into plain data that can be compared across subjects.
 *
 * Masked: inode and device numbers, descriptors, times of "now", totals of the file system, the random part of
 * mkdtemp names, and the path of the subject's root. All else is kept, shape included: classes, keys and their order.
 */
import { createHash } from "node:crypto";
import nodeFs from "node:fs";
import { types } from "node:util";

export type Described = null | boolean | number | string | Described[] | { [key: string]: Described };

/** Times within this of the wall clock count as "now". */
const NOW_WINDOW_MS = 3_600_000;
const LONG_BYTES = 512;
const DIRENT_KINDS = [
  "isFile",
  "isDirectory",
  "isSymbolicLink",
  "isFIFO",
  "isSocket",
  "isBlockDevice",
  "isCharacterDevice",
] as const;
const STATS_FIELDS = ["mode", "nlink", "uid", "gid", "rdev", "blksize", "size", "blocks"] as const;
const STATS_TIMES = ["atime", "mtime", "ctime", "birthtime"] as const;
const STATFS_FIELDS = ["type", "bsize", "blocks", "bfree", "bavail", "files", "ffree"] as const;

/** Replaces the subject's root and random names, and evens out how util.inspect shows an ArrayBuffer. */
export function maskText(text: string, root: string): string {
  return text
    .replaceAll(root, "<root>")
    .replace(/tmp-(XXXXXX)*[A-Za-z0-9]{6}/g, "tmp-$1XXXXXX")
    .replace("[byteLength]", "byteLength");
}

/** A time as text: "now", or its exact value when somebody set it. */
export function describeTime(timeMs: number): string {
  return Math.abs(timeMs - Date.now()) < NOW_WINDOW_MS ? "now" : String(timeMs);
}

/** A view whose memory went elsewhere has length 0, and none can be made on its buffer. */
function isDetached(view: ArrayBufferView): boolean {
  try {
    new Uint8Array(view.buffer);
    return false;
  } catch {
    return true;
  }
}

/** All bytes of a view, whatever it says of itself; undefined where its memory has become too short. */
function bytesOf(view: ArrayBufferView): Buffer | undefined {
  const owner = view instanceof DataView ? DataView.prototype : Object.getPrototypeOf(Uint8Array.prototype);
  const get = (name: string): unknown => Reflect.get(owner, name, view);
  try {
    return Buffer.from(get("buffer") as ArrayBuffer, get("byteOffset") as number, get("byteLength") as number);
  } catch {
    return undefined;
  }
}

function describeBytes(view: ArrayBufferView, root: string): Described {
  if (isDetached(view)) return `detached ${view.constructor.name}`;

  const bytes = bytesOf(view);
  if (bytes === undefined) return `${view.constructor.name} out of bounds`;
  const kind = Buffer.isBuffer(view) ? "Buffer" : view.constructor.name;
  if (bytes.length <= LONG_BYTES) return { [kind]: maskText(bytes.toString("latin1"), root) };
  return { [kind]: `${bytes.length} bytes, sha1 ${createHash("sha1").update(bytes).digest("hex")}` };
}

function kindOf(value: Record<(typeof DIRENT_KINDS)[number], () => boolean>): string {
  return DIRENT_KINDS.filter((kind) => value[kind]()).join(",");
}

/** Each time in all its spellings; a spelling that the object lacks shows as undefined. */
function describeTimes(stats: Record<string, unknown>): Described {
  return STATS_TIMES.map((name) => {
    const date = stats[name] as Date;
    const nanoseconds = stats[`${name}Ns`] as bigint | undefined;
    const words = [
      `${name} ${typeof stats[`${name}Ms`]} ${describeTime(Number(stats[`${name}Ms`]))}`,
      `date ${date instanceof Date ? describeTime(date.getTime()) : date}`,
      `ns ${nanoseconds === undefined ? nanoseconds : describeTime(Number(nanoseconds) / 1e6)}`,
    ];
    return words.join(", ");
  });
}

/** What Stats say. Their shape (keys, prototypes) is compared once for all, in shapes.test.ts. */
function describeStats(stats: Record<string, unknown>): Described {
  const fields = STATS_FIELDS.map((key) => [key, describe(stats[key], "/")]);
  return {
    class: stats.constructor.name,
    kind: kindOf(stats as never),
    identity: `${typeof stats.dev} ${typeof stats.ino}`,
    times: describeTimes(stats),
    ...Object.fromEntries(fields),
  };
}

/** Whether entries have their parent as `path`, too: Node dropped it with version 24. */
export const DIRENT_HAS_PATH = "path" in nodeFs.readdirSync(process.cwd(), { withFileTypes: true })[0];

/** The one property that follows the Node that runs, and not Node 26. */
function describeParentAsPath(dirent: { parentPath?: unknown; path?: unknown }, root: string): Described {
  const expected = DIRENT_HAS_PATH ? dirent.parentPath : undefined;
  const isAsInNode = "path" in dirent === DIRENT_HAS_PATH && dirent.path === expected;
  return isAsInNode ? "as in this Node" : describe(dirent.path, root);
}

function describeDirent(dirent: object, root: string): Described {
  const { name, parentPath } = dirent as { name: unknown; parentPath: unknown };
  return {
    class: dirent.constructor.name,
    kind: kindOf(dirent as never),
    name: describe(name, root),
    parentPath: describe(parentPath, root),
    path: describeParentAsPath(dirent as object, root),
  };
}

function describeStatFs(statfs: Record<string, unknown>): Described {
  return { class: statfs.constructor.name, fields: STATFS_FIELDS.map((key) => `${key} ${typeof statfs[key]}`).join() };
}

/** A DOMException is no error to the engine of Node 20. */
function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof DOMException;
}

/** How a text shows an error: the two usual ways by name, any other in full. */
function wayOfShowing(text: string, { name, message, code }: Error & { code?: unknown }): string {
  if (text === `${name}: ${message}`) return "plain";
  return text === `${name} [${code}]: ${message}` ? "with its code" : text;
}

/** An error as its callers see it, without its stack: test runners rewrite that one. */
function describeError(error: Error, root: string): Described {
  const own = error as Error & Record<string, unknown>;
  const fields = Object.keys(error).map((key) => [key, describe(own[key], root)]);
  const hidden = Object.getOwnPropertyNames(error).filter((key) => !Object.keys(error).includes(key));
  return {
    class: error.constructor.name,
    name: error.name,
    message: maskText(error.message, root),
    text: maskText(wayOfShowing(String(error), error), root),
    stack: typeof error.stack,
    keys: Object.keys(error).join(),
    hidden: hidden.sort().join(),
    fields: Object.fromEntries(fields),
    ...(error.cause === undefined ? {} : { cause: describe(error.cause, root) }),
  };
}

function describeObject(value: object, root: string): Described {
  const className = value.constructor?.name ?? "null";
  if (className === "Stats" || className === "BigIntStats") return describeStats(value as never);
  if (className === "Dirent") return describeDirent(value, root);
  if (className === "StatFs") return describeStatFs(value as never);
  if (className === "FileHandle") return { class: className, fd: typeof (value as { fd: unknown }).fd };
  if (className === "Dir") return { class: className, path: describe((value as { path: unknown }).path, root) };

  const entries = Object.entries(value).map(([key, item]) => [key, describe(item, root)]);
  const disposers = (["dispose", "asyncDispose"] as const).filter((name) => Symbol[name] && Symbol[name] in value);
  return {
    class: className,
    keys: Object.keys(value).join(),
    ...Object.fromEntries(entries),
    ...(disposers.length > 0 ? { disposers } : {}),
  };
}

/** @param root the subject's root, masked wherever it shows */
export function describe(value: unknown, root: string): Described {
  if (value === undefined) return "undefined";
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0) ? value : `number ${value}`;
  if (typeof value === "string") return `'${maskText(value, root)}'`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "symbol") return String(value);
  if (isError(value)) return describeError(value, root);
  if (ArrayBuffer.isView(value)) return describeBytes(value, root);
  if (Array.isArray(value)) return value.map((item) => describe(item, root));
  return describeObject(value as object, root);
}
