/**
 * readdir: names or Dirents of a directory, in any encoding, alone or with everything below.
 */
import { EAGAIN } from "../../base/errno.ts";
import { AT_SYMLINK_NOFOLLOW, S_IFDIR, S_IFMT } from "../../base/stat-flags.ts";
import { type DirListing, type Path, STAT_MODE, type Syscalls } from "../../vfs/syscalls.ts";
import { Dirent, toUvType, UV_DIRENT_DIR, UV_DIRENT_LINK, UV_DIRENT_UNKNOWN, uvTypeOfMode } from "../dirent.ts";
import { encodeUtf8 } from "../encoding.ts";
import { joinBytes, joinPath, pathBelow, toPath } from "../paths.ts";
import { fromCaller } from "../stacks.ts";
import type { Operation } from "../surfaces.ts";
import { Failure, failed, uvException } from "../uv-errors.ts";
import { type CommonOptions, checkBoolean, checkCallback, toOptions } from "../validators.ts";
import { encodeName, isUtf8, type NameEncoding } from "./names-encoding.ts";

type Name = string | Uint8Array;

/** Checked arguments of readdir. */
export interface ReaddirRequest {
  path: Path;
  encoding: NameEncoding;
  withFileTypes: boolean;
  recursive: boolean;
}

/** Names of a listing as the caller wants them; the listing itself is shared and stays as it is. */
export function namesOf(listing: DirListing, encoding: NameEncoding): Name[] {
  if (isUtf8(encoding)) return listing.names.slice();
  return listing.rawNames().map((name) => encodeName(name, encoding));
}

/** A name's own spelling when text cannot hold it. */
function exactName(listing: DirListing, i: number): Name {
  const name = listing.names[i];
  return name.includes("\ufffd") ? listing.rawNames()[i] : name;
}

/** A name or a path of names in the caller's encoding. */
function encoded(name: Name, encoding: NameEncoding): Name {
  if (typeof name === "string" && isUtf8(encoding)) return name;
  return encodeName(typeof name === "string" ? encodeUtf8(name) : name, encoding);
}

/** A directory met on the way down: the path that it is read by, and how far that is below the one asked for. */
interface Level {
  path: Path;
  relative: Name;
}

class Readdir {
  readonly #sys: Syscalls;
  /** What the types of some entries have to wait for. */
  #unknown: Failure | undefined;

  constructor(sys: Syscalls) {
    this.#sys = sys;
  }

  run(request: ReaddirRequest): Name[] | Dirent[] | Failure {
    this.#unknown = undefined;
    const found = this.#list(request);
    return this.#unknown ?? found;
  }

  #list(request: ReaddirRequest): Name[] | Dirent[] | Failure {
    if (request.recursive) return this.#all(request);
    const listing = this.#sys.readdir(request.path);
    if (typeof listing === "number") return failed(this.#sys, listing, "scandir", request.path);
    const names = namesOf(listing, request.encoding);
    return request.withFileTypes ? this.dirents(listing, names, request.path, request.path) : names;
  }

  /** @param shownPath what the entries give as their parent */
  dirents(listing: DirListing, names: Name[], path: Path, shownPath: Path): Dirent[] {
    const dirents = new Array<Dirent>(names.length);
    for (let i = 0; i < names.length; i++) {
      const type = toUvType(listing.types[i]) || this.#lookUpType(pathBelow(path, exactName(listing, i)));
      dirents[i] = new Dirent(names[i], type, shownPath);
    }
    return dirents;
  }

  /** For file systems that do not say the type in their listings. */
  #lookUpType(path: Path): number {
    return this.#stat(path, AT_SYMLINK_NOFOLLOW, "lstat") < 0
      ? UV_DIRENT_UNKNOWN
      : uvTypeOfMode(this.#sys.statValues[STAT_MODE]);
  }

  /** Looks at an entry; that a store must answer first is no answer. */
  #stat(path: Path, flags: number, syscall: string): number {
    const rc = this.#sys.stat(path, flags);
    if (rc === -EAGAIN) this.#unknown ??= failed(this.#sys, rc, syscall, path);
    return rc;
  }

  /** Level by level; links to directories are followed, as Node does. */
  #all(request: ReaddirRequest): Name[] | Dirent[] | Failure {
    const found: (Name | Dirent)[] = [];
    const levels: Level[] = [{ path: request.path, relative: "" }];
    for (let next = 0; next < levels.length; next++) {
      const level = levels[next];
      const listing = this.#sys.readdir(level.path);
      if (typeof listing === "number") return failed(this.#sys, listing, "scandir", level.path);
      if (request.withFileTypes) this.#collectDirents(request, listing, level, found);
      else collectNames(request, listing, level, found);
      for (let i = 0; i < listing.names.length; i++) {
        const name = exactName(listing, i);
        const path = pathBelow(level.path, name);
        if (this.#isDirectory(listing.types[i], path)) levels.push({ path, relative: relativeName(level, name) });
      }
    }
    return found as Name[] | Dirent[];
  }

  #collectDirents({ path, encoding }: ReaddirRequest, listing: DirListing, level: Level, found: unknown[]): void {
    const names = namesOf(listing, encoding);
    const shown = level.relative === "" ? path : shownParent(path, encoded(level.relative, encoding));
    for (const dirent of this.dirents(listing, names, level.path, shown)) found.push(dirent);
  }

  #isDirectory(direntType: number, path: Path): boolean {
    const type = toUvType(direntType);
    if (type === UV_DIRENT_DIR) return true;
    if (type !== UV_DIRENT_LINK && type !== UV_DIRENT_UNKNOWN) return false;
    return this.#stat(path, 0, "stat") >= 0 && (this.#sys.statValues[STAT_MODE] & S_IFMT) === S_IFDIR;
  }
}

function relativeName({ relative }: Level, name: Name): Name {
  return relative === "" ? name : pathBelow(relative, name);
}

function collectNames({ encoding }: ReaddirRequest, listing: DirListing, level: Level, found: unknown[]): void {
  for (let i = 0; i < listing.names.length; i++) {
    const name = isUtf8(encoding) ? listing.names[i] : exactName(listing, i);
    found.push(encoded(relativeName(level, name), encoding));
  }
}

/** What entries further down give as their parent: here Node does resolve `..` as text, and joins what is encoded. */
function shownParent(path: Path, relative: Name): Path {
  return typeof path === "string" && typeof relative === "string"
    ? joinPath(path, relative)
    : joinBytes(path, relative);
}

function toRequest(path: Path, options: CommonOptions): ReaddirRequest {
  const { encoding, withFileTypes, recursive } = options;
  return { path, encoding, withFileTypes: Boolean(withFileTypes), recursive: Boolean(recursive) };
}

/** readdir on the system calls of a task. */
export function readdirOperations(sys: Syscalls) {
  const reader = new Readdir(sys);

  const readdir: Operation<ReaddirRequest, Name[] | Dirent[]> = {
    prepare(callback, path, options) {
      checkCallback(callback);
      const given = toOptions(options);
      const name = toPath(path);
      const { recursive } = given;
      if (recursive !== undefined && recursive !== null) checkBoolean(recursive, "options.recursive");
      return toRequest(name, given);
    },
    preparePromise(_callback, path, options) {
      const given = toOptions(options);
      return toRequest(toPath(path), given);
    },
    commit: (request) => reader.run(request),
  };

  function readdirSync(path: unknown, options?: unknown): Name[] | Dirent[] {
    if (options !== undefined) return readdirWithOptions(path, options);
    const name = toPath(path, "path", readdirSync);
    const listing = sys.readdir(name);
    if (typeof listing === "number") throw uvException(listing, "scandir", name, undefined, readdirSync);
    return listing.names.slice();
  }

  function readdirWithOptions(path: unknown, options: unknown): Name[] | Dirent[] {
    const outcome = reader.run(toSyncRequest(path, options));
    if (outcome instanceof Failure) throw outcome.toError(readdirSync);
    return outcome;
  }

  function toSyncRequest(path: unknown, options: unknown): ReaddirRequest {
    try {
      return readdir.prepare(noCallback, path, options);
    } catch (error) {
      throw fromCaller(error, readdirSync);
    }
  }

  return { readdir, readdirSync };
}

function noCallback(): void {}
