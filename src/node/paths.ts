/**
 * Paths as Node takes them (text, bytes, file: URLs) made into what the VFS takes, and the few path computations that
 * Node itself does in JavaScript (for realpath, mkdtemp and recursive listings).
 *
 * Does not own: the walk; `.` and `..` are resolved by the VFS.
 * @see Node 26 lib/internal/fs/utils.js getValidatedPath(), lib/internal/url.js fileURLToPath()
 */
import { bytesOf, isUint8Array } from "../base/views.ts";
import type { Path } from "../vfs/syscalls.ts";
import { concatBytes, encodeUtf8 } from "./encoding.ts";
import { argTypeError, argValueError, fileUrlHostError, fileUrlPathError, urlSchemeError } from "./errors.ts";
import { fromCaller, type Origin } from "./stacks.ts";

const NUL = "\0";

/**
 * A path for the VFS.
 *
 * @param name how the argument is called in errors
 * @param form what was called: the stacks of errors begin at its caller
 * @throws ERR_INVALID_ARG_TYPE for what is no path, ERR_INVALID_ARG_VALUE for NUL inside
 */
export function toPath(path: unknown, name = "path", form?: Origin): Path {
  if (typeof path === "string" && !path.includes(NUL)) return path;
  return toPathFor(form, path, name);
}

function toPathFor(form: Origin | undefined, path: unknown, name: string): Path {
  try {
    return toPathSlow(path, name);
  } catch (error) {
    throw fromCaller(error, form);
  }
}

function toPathSlow(given: unknown, name: string): Path {
  const path = isUrl(given) ? fromFileUrl(given) : given;
  if (typeof path === "string") {
    if (!path.includes(NUL)) return path;
  } else if (isUint8Array(path)) {
    const bytes = bytesOf(path);
    if (!Uint8Array.prototype.includes.call(bytes, 0)) return bytes;
  } else {
    throw argTypeError(name, ["string", "Buffer", "URL"], path);
  }
  throw argValueError(name, path, "must be a string, Uint8Array, or URL without null bytes");
}

/** The path to ask about without complaint; undefined when it can name nothing. */
export function toPathOrUndefined(path: unknown): Path | undefined {
  if (typeof path === "string" && !path.includes(NUL)) return path;
  try {
    return toPathSlow(path, "path");
  } catch {
    return undefined;
  }
}

interface UrlLike {
  href: string;
  protocol: string;
  hostname: string;
  pathname: string;
}

/** By properties, as Node does it: URL objects may come from another realm. */
export function isUrl(value: unknown): value is UrlLike {
  const url = value as { href?: unknown; protocol?: unknown; auth?: unknown; path?: unknown } | null | undefined;
  return Boolean(url?.href && url.protocol && url.auth === undefined && url.path === undefined);
}

/** @throws ERR_INVALID_URL_SCHEME, ERR_INVALID_FILE_URL_HOST, ERR_INVALID_FILE_URL_PATH, URIError */
export function fromFileUrl(url: UrlLike): string {
  if (url.protocol !== "file:") throw urlSchemeError();
  if (url.hostname !== "") throw fileUrlHostError();
  const { pathname } = url;
  if (!pathname.includes("%")) return pathname;
  if (/%2f/i.test(pathname)) throw fileUrlPathError("must not include encoded / characters", url);
  return decodeURIComponent(pathname);
}

/** What realpath makes of its argument before it looks: a URL's path, or text of anything at all. */
export function toPathText(given: unknown): string {
  const path = isUrl(given) ? fromFileUrl(given) : given;
  return toPath(typeof path === "string" ? path : `${path}`) as string;
}

/** Drops empty and `.` components and takes `..` back, as text: no look at the file system. */
function normalizeComponents(path: string): string[] {
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") kept.pop();
    else if (part !== "" && part !== ".") kept.push(part);
  }
  return kept;
}

/** As posix `path.resolve(base, path)`. Precondition: `base` is absolute. */
export function resolvePath(base: string, path: string): string {
  return `/${normalizeComponents(path.startsWith("/") ? path : `${base}/${path}`).join("/")}`;
}

/** As posix `path.join(dir, name)`. */
export function joinPath(dir: string, name: string): string {
  const path = dir === "" || name === "" ? dir + name : `${dir}/${name}`;
  const isAbsolute = path.startsWith("/");
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === ".." && kept.length > 0 && kept[kept.length - 1] !== "..") kept.pop();
    else if (part !== "" && part !== "." && !(part === ".." && isAbsolute)) kept.push(part);
  }
  if (kept.length === 0 && isAbsolute) return "/";
  return (isAbsolute ? "/" : "") + (kept.join("/") || ".") + (path.endsWith("/") ? "/" : "");
}

/** A child's path in bytes: the parent, a slash unless it ends in one, the name. */
export function joinBytes(dir: Path, name: Path): Uint8Array {
  const head = typeof dir === "string" ? encodeUtf8(dir) : dir;
  const tail = typeof name === "string" ? encodeUtf8(name) : name;
  const slash = encodeUtf8(head.length > 0 && head[head.length - 1] === 0x2f ? "" : "/");
  return concatBytes([head, slash, tail], head.length + slash.length + tail.length);
}

/**
 * A path below `dir`, as text unless one of the two is bytes. Nothing is taken out of it: what `..` leads to only the
 * walk can tell.
 */
export function pathBelow(dir: Path, name: Path): Path {
  if (typeof dir !== "string" || typeof name !== "string") return joinBytes(dir, name);
  return dir.endsWith("/") ? dir + name : `${dir}/${name}`;
}
