/**
 * The native realpath: what the C library makes of single calls, which shows where a walk in one go would differ.
 *
 * It reads one component after the other as a link, below the physical path found so far. `.` and `..` are taken off
 * that path as text, so a directory needs no search permission to be left again; it only has to be one. A relative path
 * begins with the path of the working directory, not in it.
 *
 * @see glibc stdlib/canonicalize.c realpath_stk()
 */
import { EACCES, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR } from "../../base/errno.ts";
import type { Path, Syscalls } from "../../vfs/syscalls.ts";
import { concatBytes, encodeUtf8 } from "../encoding.ts";
import { joinBytes } from "../paths.ts";

const SLASH = 0x2f;
const DOT = 0x2e;
/** Links followed before ELOOP. */
const MAX_LINKS = 40;
const ROOT = Uint8Array.of(SLASH);

/** Where the component ends that starts at `start`. */
function componentEnd(path: Uint8Array, start: number): number {
  const slash = path.indexOf(SLASH, start);
  return slash < 0 ? path.length : slash;
}

function skipSlashes(path: Uint8Array, start: number): number {
  let at = start;
  while (path[at] === SLASH) at++;
  return at;
}

function isDots(path: Uint8Array, start: number, end: number): boolean {
  return end - start <= 2 && path[start] === DOT && path[end - 1] === DOT;
}

/** Whether what follows a component can only follow a directory, though no name is looked up in it. */
function wantsDirectory(path: Uint8Array, end: number): boolean {
  let at = end;
  while (at < path.length) {
    at = skipSlashes(path, at);
    const next = componentEnd(path, at);
    if (next === at) return true;
    if (!isDots(path, at, next)) return false;
    if (next - at === 2 || next === path.length) return true;
    at = next;
  }
  return false;
}

function parentOf(physical: Uint8Array): Uint8Array {
  const slash = physical.lastIndexOf(SLASH);
  return slash > 0 ? physical.subarray(0, slash) : ROOT;
}

class NativeWalk {
  readonly #sys: Syscalls;
  #physical: Uint8Array;
  #rest: Uint8Array;
  #nrLinks = 0;

  /** @param start physical path of where `path` begins, which is taken for what it is: only text is taken off it */
  constructor(sys: Syscalls, start: Uint8Array, path: Path) {
    this.#sys = sys;
    this.#physical = start;
    this.#rest = typeof path === "string" ? encodeUtf8(path) : path;
  }

  run(): Uint8Array | number {
    for (let start = skipSlashes(this.#rest, 0); start < this.#rest.length; start = skipSlashes(this.#rest, 0)) {
      const end = componentEnd(this.#rest, start);
      const rc = isDots(this.#rest, start, end) ? this.#skipDots(end - start, end) : this.#step(start, end);
      if (rc < 0) return rc;
    }
    return this.#physical;
  }

  #skipDots(length: number, end: number): number {
    if (length === 2) this.#physical = parentOf(this.#physical);
    this.#rest = this.#rest.subarray(end);
    return 0;
  }

  #step(start: number, end: number): number {
    const child = joinBytes(this.#physical, this.#rest.subarray(start, end));
    const target = this.#sys.readlink(child);
    if (typeof target !== "number") return this.#follow(target, end);
    const rc = wantsDirectory(this.#rest, end)
      ? this.#sys.stat(joinBytes(child, ""), 0)
      : target === -EINVAL
        ? 0
        : target;
    this.#physical = child;
    this.#rest = this.#rest.subarray(end);
    return rc;
  }

  /** @param target a view that the next call overwrites */
  #follow(target: Uint8Array, end: number): number {
    if (++this.#nrLinks > MAX_LINKS) return -ELOOP;
    const rest = this.#rest.subarray(end);
    this.#rest = concatBytes([target, rest], target.length + rest.length);
    if (target[0] === SLASH) this.#physical = ROOT;
    return 0;
  }
}

/**
 * The physical path of `path`.
 *
 * @returns bytes, a view valid until the next call; -ENOENT for no path, or no working directory to start from; -EACCES;
 *   -ENOTDIR; -ELOOP; -ENAMETOOLONG; what else reading links answers
 */
export function nativeRealpath(sys: Syscalls, path: Path): Uint8Array | number {
  if (path.length === 0) return -ENOENT;
  const isAbsolute = path[0] === "/" || path[0] === SLASH;
  const base = isAbsolute ? ROOT : sys.getcwd();
  if (typeof base === "number") return base;
  const start = base.slice(); // the next call writes over it
  // Fast path: same result, but where one call is refused more than many, or of what a link of /proc leads to has been removed.
  const found = sys.realpath(isAbsolute ? path : joinBytes(start, path));
  if (found !== -EACCES && found !== -ENAMETOOLONG && found !== -ENOTDIR) return found;
  return new NativeWalk(sys, start, path).run();
}
