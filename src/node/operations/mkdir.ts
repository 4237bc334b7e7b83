/**
 * mkdir, alone and with its parents, and mkdtemp.
 *
 * Does not own: removal of disposable directories (rm.ts).
 */
import { EACCES, EAGAIN, EEXIST, ENOENT, ENOMEM, ENOSPC, ENOTDIR, EPERM } from "../../base/errno.ts";
import { S_IFDIR, S_IFMT } from "../../base/stat-flags.ts";
import { type Path, STAT_MODE, type Syscalls } from "../../vfs/syscalls.ts";
import { concatBytes, encodeUtf8 } from "../encoding.ts";
import { toPath } from "../paths.ts";
import { emitWarning } from "../platform.ts";
import { fromCaller } from "../stacks.ts";
import type { Operation } from "../surfaces.ts";
import { type Failure, failed, outcomeOf, shownPath, uvException } from "../uv-errors.ts";
import { checkBoolean, checkCallback, toFileMode, toOptions } from "../validators.ts";
import { encodeName, type NameEncoding } from "./names-encoding.ts";

const DEFAULT_MODE = 0o777;
const SLASH = 0x2f;

/** Checked arguments of mkdir, and how far it has come with parents. */
export interface MkdirRequest {
  path: Path;
  mode: number;
  /** Directories still to make, innermost first; undefined when parents are not to be made. */
  pending: Path[] | undefined;
  /** Outermost directory made so far. */
  first: Path | undefined;
  /** No parent is missing any more: what is missing now cannot be made, as in a directory that has been removed. */
  hasParents: boolean;
  /** Node's two walks differ in what they report: the synchronous one the path asked for, the other where it stopped. */
  isSync: boolean;
}

/** What stands before the last slash; the whole path when there is none, as Node has it. */
function parentOf(path: Path): Path {
  const slash = typeof path === "string" ? path.lastIndexOf("/") : path.lastIndexOf(SLASH);
  if (slash < 0) return path;
  return typeof path === "string" ? path.slice(0, slash) : path.subarray(0, slash);
}

function toRequest(path: Path, mode: number, recursive: boolean, isSync: boolean): MkdirRequest {
  return { path, mode, pending: recursive ? [path] : undefined, first: undefined, hasParents: false, isSync };
}

/** Mode and recursion from what stands in the place of the options. */
function toMkdirOptions(options: unknown): { mode: number; recursive: boolean } {
  if (typeof options === "number" || typeof options === "string") {
    return { mode: toFileMode(options, "mode"), recursive: false };
  }
  const { recursive, mode } = (options || {}) as { recursive?: unknown; mode?: unknown };
  if (recursive !== undefined) checkBoolean(recursive, "options.recursive");
  return {
    mode: mode === undefined ? DEFAULT_MODE : toFileMode(mode, "options.mode"),
    recursive: recursive === true,
  };
}

/** Errors that end the climb at once: Node's, and those that say nothing of the path. */
const FINAL = new Set([-EACCES, -ENOSPC, -ENOTDIR, -EPERM, -EAGAIN, -ENOMEM]);

/** 0 when `path` is a directory already, else why it cannot become one. */
function checkExisting(sys: Syscalls, path: Path, rc: number, isParent: boolean, isSync: boolean): number {
  const found = sys.stat(path, 0);
  if (found === -EAGAIN) return found;
  if (found < 0) return rc === -EEXIST && isParent && !isSync ? -ENOTDIR : found;
  if ((sys.statValues[STAT_MODE] & S_IFMT) === S_IFDIR) return 0;
  return rc === -EEXIST && isParent ? -ENOTDIR : -EEXIST;
}

/** One step up from a directory that cannot be made yet, or back down from the last one there is. */
function climb(request: MkdirRequest, pending: Path[]): void {
  const missing = pending[pending.length - 1];
  const parent = parentOf(missing);
  request.hasParents = parent === missing;
  if (!request.hasParents) pending.push(parent);
  else if (pending.length > 1) pending.pop();
}

/**
 * Makes the innermost directory, or climbs until a parent can be made and comes back down.
 * @see Node 26 src/node_file.cc MKDirpSync()
 */
function makeAll(sys: Syscalls, request: MkdirRequest, pending: Path[]): undefined | Failure | string {
  while (pending.length > 0) {
    const next = pending[pending.length - 1];
    let rc = sys.mkdir(next, request.mode);
    if (rc === -ENOENT && !request.hasParents) {
      climb(request, pending);
      continue;
    }
    if (rc >= 0) request.first ??= next;
    else {
      if (!FINAL.has(rc)) rc = checkExisting(sys, next, rc, pending.length > 1, request.isSync);
      if (rc < 0) return failed(sys, rc, "mkdir", request.isSync ? request.path : next);
    }
    request.hasParents = true;
    pending.pop();
  }
  const { first } = request;
  return first === undefined ? undefined : shownPath(first);
}

function mkdirOperation(sys: Syscalls): Operation<MkdirRequest, string | undefined> {
  return {
    prepare(callback, path, options) {
      const { mode, recursive } = toMkdirOptions(options);
      checkCallback(callback);
      return toRequest(toPath(path), mode, recursive, false);
    },
    preparePromise(_callback, path, options) {
      const isMode = typeof options === "number" || typeof options === "string";
      const given = (isMode ? { mode: options } : options || {}) as { recursive?: unknown; mode?: unknown };
      const name = toPath(path);
      const { recursive = false, mode } = given;
      checkBoolean(recursive, "options.recursive");
      return toRequest(name, toFileMode(mode, "mode", DEFAULT_MODE), recursive, false);
    },
    commit(request) {
      if (request.pending !== undefined) return makeAll(sys, request, request.pending);
      return outcomeOf(sys, sys.mkdir(request.path, request.mode), "mkdir", request.path);
    },
  };
}

const { random } = Math;
const RANDOM_CHARACTERS = 6;
const ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/** As many names as glibc's mkdtemp tries. */
const MAX_ATTEMPTS = 62 ** 3;

function randomName(): string {
  let name = "";
  for (let i = 0; i < RANDOM_CHARACTERS; i++) name += ALPHABET[Math.floor(random() * ALPHABET.length)];
  return name;
}

function append(prefix: Path, suffix: string): Path {
  if (typeof prefix === "string") return prefix + suffix;
  return concatBytes([prefix, encodeUtf8(suffix)], prefix.length + suffix.length);
}

let hasWarnedOfTemplate = false;

function warnOfTemplate(prefix: Path): void {
  const endsInX = typeof prefix === "string" ? prefix.endsWith("X") : prefix[prefix.length - 1] === 0x58;
  if (!endsInX || hasWarnedOfTemplate) return;
  hasWarnedOfTemplate = true;
  emitWarning("mkdtemp() templates ending with X are not portable. For details see: https://nodejs.org/api/fs.html");
}

export interface MkdtempRequest {
  prefix: Path;
  encoding: NameEncoding;
  /** What is tried behind the prefix: the same again, when the call had to wait for it. */
  suffix: string;
}

function mkdtempOperation(sys: Syscalls): Operation<MkdtempRequest, string | Uint8Array> {
  return {
    prepare(callback, prefix, options) {
      checkCallback(callback);
      const { encoding } = toOptions(options);
      const start = toPath(prefix, "prefix");
      warnOfTemplate(start);
      return { prefix: start, encoding, suffix: randomName() };
    },
    commit(request) {
      const { prefix, encoding } = request;
      let rc = -EEXIST;
      for (let attempt = 0; rc === -EEXIST && attempt < MAX_ATTEMPTS; attempt++) {
        const path = append(prefix, request.suffix);
        rc = sys.mkdir(path, 0o700);
        if (rc === -EEXIST) request.suffix = randomName();
        if (rc >= 0) return encodeName(typeof path === "string" ? encodeUtf8(path) : path, encoding);
      }
      return failed(sys, rc, "mkdtemp", append(prefix, "XXXXXX"));
    },
  };
}

/** mkdir and mkdtemp on the system calls of a task. */
export function mkdirOperations(sys: Syscalls) {
  const mkdir = mkdirOperation(sys);

  function mkdirSync(path: unknown, options?: unknown): string | undefined {
    if (options !== undefined) return mkdirWithOptions(path, options);
    const name = toPath(path, "path", mkdirSync);
    const rc = sys.mkdir(name, DEFAULT_MODE);
    if (rc < 0) throw uvException(rc, "mkdir", name, undefined, mkdirSync);
    return undefined;
  }

  function mkdirWithOptions(path: unknown, options: unknown): string | undefined {
    const outcome = mkdir.commit(toSyncRequest(path, options));
    if (typeof outcome === "object") throw outcome.toError(mkdirSync);
    return outcome;
  }

  function toSyncRequest(path: unknown, options: unknown): MkdirRequest {
    try {
      const { mode, recursive } = toMkdirOptions(options);
      return toRequest(toPath(path), mode, recursive, true);
    } catch (error) {
      throw fromCaller(error, mkdirSync);
    }
  }

  return { mkdir, mkdirSync, mkdtemp: mkdtempOperation(sys) };
}
