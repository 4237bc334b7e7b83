/**
 * realpath: Node's own walk in JavaScript, which shows in its errors (`lstat` of the prefix that fails), and both kinds
 * as operations.
 *
 * Does not own: the native walk (native-realpath.ts).
 *
 * @see Node 26 lib/fs.js realpathSync()
 */
import { AT_SYMLINK_NOFOLLOW, S_IFIFO, S_IFLNK, S_IFMT, S_IFSOCK } from "../../base/stat-flags.ts";
import { type Path, STAT_DEV, STAT_INO, STAT_MODE, type Syscalls } from "../../vfs/syscalls.ts";
import { decodeUtf8, encodeUtf8 } from "../encoding.ts";
import { resolvePath, toPath, toPathText } from "../paths.ts";
import type { Operation } from "../surfaces.ts";
import { Failure, failed } from "../uv-errors.ts";
import { checkCallback, toOptions } from "../validators.ts";
import { toAbsolute, workingDirectory } from "./absolute-path.ts";
import { encodeName, isUtf8, type NameEncoding } from "./names-encoding.ts";
import { nativeRealpath } from "./native-realpath.ts";

/** Checked arguments of realpath; the encoding is the result's. */
export interface RealpathRequest {
  path: Path;
  encoding: NameEncoding;
}

/**
 * Links of a walk of which one that has been read needs no second look. Node's takes none at all, and goes round for ever where a link
 * has another name at which it leads to itself.
 */
const MAX_UNSEEN = 40;

/** One walk: resolves links from the left, and starts over from the root after each. */
class RealpathWalk {
  readonly #sys: Syscalls;
  readonly #plain = new Set<string>();
  readonly #targets = new Map<string, string>();
  #path: string;
  #nrLinks = 0;
  /** Length of the part of the path that is known to be physical. */
  #pos = 1;
  /** Node's walk ends behind a link to a pipe or socket. */
  #isAtPipe = false;

  constructor(sys: Syscalls, path: string) {
    this.#sys = sys;
    this.#path = path;
  }

  run(): string | Failure {
    while (this.#pos < this.#path.length) {
      const slash = this.#path.indexOf("/", this.#pos);
      const end = slash < 0 ? this.#path.length : slash;
      const previous = this.#path.slice(0, this.#pos);
      const base = this.#path.slice(0, end);
      this.#pos = slash < 0 ? end : end + 1;
      if (this.#plain.has(base)) {
        if (this.#isAtPipe) break;
        continue;
      }
      const failure = this.#step(base, previous);
      if (failure !== undefined) return failure;
    }
    return this.#path;
  }

  #step(base: string, previous: string): Failure | undefined {
    const rc = this.#sys.stat(base, AT_SYMLINK_NOFOLLOW);
    if (rc < 0) return failed(this.#sys, rc, "lstat", base);
    const { statValues } = this.#sys;
    if ((statValues[STAT_MODE] & S_IFMT) !== S_IFLNK) {
      this.#plain.add(base);
      return undefined;
    }
    const id = `${statValues[STAT_DEV]}:${statValues[STAT_INO]}`;
    const known = ++this.#nrLinks > MAX_UNSEEN ? undefined : this.#targets.get(id);
    const target = known ?? this.#readTarget(base, id);
    if (typeof target !== "string") return target;
    this.#path = resolvePath("/", `${resolvePath(previous, target)}/${this.#path.slice(this.#pos)}`);
    this.#pos = 1;
    return undefined;
  }

  #readTarget(base: string, id: string): string | Failure {
    const rc = this.#sys.stat(base, 0);
    if (rc < 0) return failed(this.#sys, rc, "stat", base);
    const type = this.#sys.statValues[STAT_MODE] & S_IFMT;
    this.#isAtPipe = type === S_IFIFO || type === S_IFSOCK;
    const bytes = this.#sys.readlink(base);
    if (typeof bytes === "number") return failed(this.#sys, bytes, "readlink", base);
    const target = decodeUtf8(bytes);
    this.#targets.set(id, target);
    return target;
  }
}

function encodeText(path: string, encoding: NameEncoding): string | Uint8Array {
  return isUtf8(encoding) ? path : encodeName(encodeUtf8(path), encoding);
}

/** Both kinds of realpath on the system calls of a task. */
export function realpathOperations(sys: Syscalls) {
  const realpath: Operation<RealpathRequest, string | Uint8Array> = {
    prepare(callback, path, options) {
      checkCallback(callback);
      const { encoding } = toOptions(options);
      return { path: toAbsolute(sys, toPathText(path)), encoding };
    },
    commit({ path, encoding }) {
      const resolved = new RealpathWalk(sys, path as string).run();
      return resolved instanceof Failure ? resolved : encodeText(resolved, encoding);
    },
  };

  const realpathNative: Operation<RealpathRequest, string | Uint8Array> = {
    prepare(callback, path, options) {
      checkCallback(callback);
      const { encoding } = toOptions(options);
      return { path: toPath(path), encoding };
    },
    commit({ path, encoding }) {
      const resolved = nativeRealpath(sys, path);
      return typeof resolved === "number" ? failed(sys, resolved, "realpath", path) : encodeName(resolved, encoding);
    },
  };

  return {
    realpath,
    realpathNative,
    toAbsolute: (path: string) => toAbsolute(sys, path),
    workingDirectory: () => workingDirectory(sys),
  };
}
