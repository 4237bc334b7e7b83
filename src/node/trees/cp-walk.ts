/**
 * cp: a file, a link or a tree copied, one entry at a time, in the order of the directory.
 *
 * Of a tree that changes meanwhile each directory is read once, before what is in it is copied.
 * @see Node 26 documentation, fs.cp(); POSIX cp
 */
import { ENOENT } from "../../base/errno.ts";
import {
  AT_SYMLINK_NOFOLLOW,
  O_DIRECTORY,
  O_RDONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from "../../base/stat-flags.ts";
import { type DirListing, type Path, STAT_DEV, STAT_INO, STAT_MODE, type Syscalls } from "../../vfs/syscalls.ts";
import { toAbsolute, workingDirectory } from "../operations/absolute-path.ts";
import { CopyJob } from "../operations/copy-file.ts";
import type { Operations } from "../operations/index.ts";
import { joinPath, resolvePath } from "../paths.ts";
import type { Stats } from "../stats.ts";
import { type Failure, failed } from "../uv-errors.ts";
import { NO_CALLBACK } from "../validators.ts";
import { type CpFailures, existsFailure, plainFailures, systemFailures } from "./cp-errors.ts";
import type { CpOptions } from "./cp-options.ts";
import { dirname, isWithin } from "./path-text.ts";
import { alike, pathFrom, shownPath, toRawPath } from "./raw-path.ts";
import { must, outcomeOfStep, type Steps } from "./steps.ts";

const PERMISSIONS = 0o7777;
const SLASH = 0x2f;
/** As many entries of a directory as are read at once: all. */
const ALL_ENTRIES = 2 ** 31 - 1;

/** What cp asks of an inode. */
interface Found {
  mode: number;
  dev: number;
  ino: number;
}

/** A directory that is being filled. */
interface Directory {
  readonly src: Path;
  readonly dest: Path;
  /** What the new one gets; undefined for one that was there before. */
  readonly mode: number | undefined;
  readonly names: readonly Path[];
  /** Index of the name that comes next. */
  next: number;
}

/** The names of entries; as bytes where they are no text. */
function namesOf(listing: DirListing): readonly Path[] {
  return listing.names.some((name) => name.includes("\ufffd")) ? listing.rawNames().map(toRawPath) : listing.names;
}

function isBelow(directory: Path, path: Path): boolean {
  const [one, other] = alike(directory, path);
  return isWithin(one, other);
}

function isSamePath(one: Path, other: Path): boolean {
  const [a, b] = alike(one, other);
  return a === b;
}

function isDirectory(found: Found): boolean {
  return (found.mode & S_IFMT) === S_IFDIR;
}

function isSame(one: Found, other: Found): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/** One call of cp on the system calls of a task. */
export class TreeCopy {
  readonly #sys: Syscalls;
  readonly #ops: Operations;
  readonly #options: CpOptions;
  /** How the names are looked at: links themselves, or what they lead to. */
  readonly #statFlags: number;
  /** How it is told what links would do to each other. */
  #failures: CpFailures = systemFailures;

  constructor(sys: Syscalls, ops: Operations, options: CpOptions) {
    this.#sys = sys;
    this.#ops = ops;
    this.#options = options;
    this.#statFlags = options.dereference ? 0 : AT_SYMLINK_NOFOLLOW;
  }

  /** As callback and promise forms do it: errors are SystemErrors, links are looked at themselves. */
  *copy(src: Path, dest: Path): Steps<void> {
    if (!(yield* this.#isWanted(src, dest))) return;
    const { from, to } = yield* this.#look(src, dest);
    if (isDirectory(from)) this.#checkWithin(src, dest, systemFailures);
    yield* this.#checkParents(src, from, dest);
    yield* this.#makeParent(dest);
    yield* this.#copyEntry(src, dest, from, to);
  }

  /**
   * As cpSync does it: what is wrong with its two arguments is told by plain errors, and before anything is made; links
   * count as what they lead to.
   */
  *copyAtOnce(src: Path, dest: Path): Steps<void> {
    if (!(yield* this.#isWanted(src, dest))) return;
    yield* this.#checkArguments(src, dest);
    yield* this.#makeParent(dest);
    const from = yield* this.#stat(src, this.#statFlags);
    const to = yield* this.#statOrNothing(dest, this.#statFlags);
    yield* this.#copyEntry(src, dest, from, to);
  }

  /** The filter's answer. Asked outside of the step: what it does is no part of this call. */
  *#isWanted(src: Path, dest: Path): Steps<boolean> {
    const { filter } = this.#options;
    if (filter === undefined) return true;
    const answer = filter(shownPath(src), shownPath(dest));
    return Boolean(yield* outcomeOfStep(() => answer));
  }

  *#checkArguments(src: Path, dest: Path): Steps<void> {
    const failures = plainFailures;
    this.#failures = this.#options.filter === undefined ? failures : systemFailures;
    const from = yield* this.#followed(src);
    const to = yield* this.#statOrNothing(dest, this.#statFlags);
    if (to !== undefined) {
      if (isSame(from, yield* this.#followed(dest))) throw failures.same(shownPath(dest));
      checkTypes(src, dest, from, to, failures);
    }
    if (isDirectory(from)) {
      this.#checkWithin(src, dest, failures);
      const itself = yield* this.#stat(src, this.#statFlags);
      if (isDirectory(itself)) yield* this.#checkParents(src, from, dest, failures);
      if (!this.#options.recursive) throw failures.isDirectory(shownPath(src));
    }
    checkKind(from, shownPath(dest), failures);
  }

  /** What a path leads to; of a link that leads nowhere, the link, unless links are to be followed. */
  *#followed(path: Path): Steps<Found> {
    if (!this.#options.dereference) {
      const followed = yield* outcomeOfStep(() => this.#statNow(path, 0, "stat"));
      if (!("errno" in followed)) return followed;
      if (followed.token !== undefined) throw followed;
    }
    return yield* this.#stat(path, this.#statFlags);
  }

  #statNow(path: Path, flags: number, syscall: string): Found | Failure {
    const rc = this.#sys.stat(path, flags);
    if (rc < 0) return failed(this.#sys, rc, syscall, path);
    const { statValues } = this.#sys;
    return { mode: statValues[STAT_MODE], dev: statValues[STAT_DEV], ino: statValues[STAT_INO] };
  }

  #stat(path: Path, flags: number): Steps<Found> {
    return must(() => this.#statNow(path, flags, flags === 0 ? "stat" : "lstat")) as Steps<Found>;
  }

  *#statOrNothing(path: Path, flags: number): Steps<Found | undefined> {
    const found = yield* outcomeOfStep(() => this.#statNow(path, flags, flags === 0 ? "stat" : "lstat"));
    if (!("errno" in found)) return found;
    if (found.errno === -ENOENT) return undefined;
    throw found;
  }

  /** What is at both ends, and whether the one may come in the place of the other. */
  *#look(src: Path, dest: Path): Steps<{ from: Found; to: Found | undefined }> {
    const from = yield* this.#stat(src, this.#statFlags);
    const to = yield* this.#statOrNothing(dest, this.#statFlags);
    if (to !== undefined) checkTypes(src, dest, from, to, systemFailures);
    return { from, to };
  }

  #checkWithin(src: Path, dest: Path, failures: CpFailures): void {
    if (isBelow(this.#absolute(src), this.#absolute(dest)))
      throw failures.toSubdirectory(shownPath(src), shownPath(dest));
  }

  /** A directory may not be copied into itself, by whatever name: those above `dest` are looked at, as far as they are there. */
  *#checkParents(src: Path, from: Found, dest: Path, failures = systemFailures): Steps<void> {
    const end = this.#parentOf(src);
    for (let at = dest; ; ) {
      const parent = this.#parentOf(at);
      if (isSamePath(parent, end) || parent === "/") break;
      const found = yield* this.#statOrNothing(parent, 0);
      if (found === undefined) break;
      if (isSame(from, found))
        throw failures.toSubdirectory(shownPath(src), shownPath(failures === systemFailures ? at : dest));
      at = parent;
    }
    if (isDirectory(from)) yield* this.#checkPhysical(src, dest, failures);
  }

  /** Through a link to below itself a directory would be copied until names are too long: Node does that. */
  *#checkPhysical(src: Path, dest: Path, failures: CpFailures): Steps<void> {
    let parent = this.#parentOf(dest);
    while ((yield* this.#statOrNothing(parent, 0)) === undefined) parent = pathFrom(dirname, parent);
    if (isBelow(yield* this.#physical(src), yield* this.#physical(parent)))
      throw failures.toSubdirectory(shownPath(src), shownPath(dest));
  }

  #physical(path: Path): Steps<Path> {
    return must(() => {
      const found = this.#sys.realpath(path);
      return typeof found === "number" ? failed(this.#sys, found, "realpath", path) : toRawPath(found);
    }) as Steps<Path>;
  }

  #absolute(path: Path): Path {
    if (typeof path === "string") return toAbsolute(this.#sys, path);
    return pathFrom(resolvePath, path[0] === SLASH ? "/" : workingDirectory(this.#sys), path);
  }

  /** Directory of a path, from the root. */
  #parentOf(path: Path): Path {
    return pathFrom(dirname, this.#absolute(path));
  }

  *#makeParent(dest: Path): Steps<void> {
    const parent = pathFrom(dirname, dest);
    if ((yield* this.#statOrNothing(parent, 0)) !== undefined) return;
    const request = this.#ops.mkdir.prepare(NO_CALLBACK, parent, { recursive: true });
    yield* must(() => this.#ops.mkdir.commit(request));
  }

  /** Copies what there is, with all below it. Directories under way are a list: a tree may be deeper than the stack. */
  *#copyEntry(src: Path, dest: Path, from: Found, to: Found | undefined): Steps<void> {
    const first = yield* this.#copyOne(src, dest, from, to);
    const open = first === undefined ? [] : [first];
    while (open.length > 0) {
      const directory = open[open.length - 1];
      if (directory.next === directory.names.length) {
        open.pop();
        yield* this.#leave(directory);
        continue;
      }
      const name = directory.names[directory.next++];
      const below = yield* this.#copyBelow(pathFrom(joinPath, directory.src, name), this.#destBelow(directory, name));
      if (below !== undefined) open.push(below);
    }
  }

  /** Copies a file or a link, or makes a directory. @returns the directory, which is to be filled */
  *#copyOne(src: Path, dest: Path, from: Found, to: Found | undefined): Steps<Directory | undefined> {
    if (isDirectory(from)) {
      if (!this.#options.recursive) throw systemFailures.isDirectory(shownPath(src));
      return yield* this.#enter(src, dest, from, to);
    }
    if ((from.mode & S_IFMT) === S_IFLNK) yield* this.#copyLink(src, dest, to);
    else {
      checkKind(from, shownPath(dest), systemFailures);
      yield* this.#copyFile(src, dest, to);
    }
    return undefined;
  }

  *#copyFile(src: Path, dest: Path, to: Found | undefined): Steps<void> {
    const { force, errorOnExist, mode, preserveTimestamps } = this.#options;
    if (to !== undefined) {
      if (!force) {
        if (errorOnExist) throw existsFailure(shownPath(dest));
        return;
      }
      yield* this.#call("unlink", dest, () => this.#sys.unlink(dest));
    }
    const job = new CopyJob(src, dest, mode);
    yield* must(() => this.#ops.copyFile.commit(job));
    if (preserveTimestamps) yield* this.#copyTimes(src, dest);
  }

  /** Read again, since copying has moved the time of access; to the millisecond, as Dates are. */
  *#copyTimes(src: Path, dest: Path): Steps<void> {
    const stat = this.#ops.stat.prepare(NO_CALLBACK, src);
    const { atime, mtime } = (yield* must(() => this.#ops.stat.commit(stat))) as Stats;
    const utimes = this.#ops.utimes.prepare(NO_CALLBACK, dest, atime, mtime);
    yield* must(() => this.#ops.utimes.commit(utimes));
  }

  *#enter(src: Path, dest: Path, from: Found, to: Found | undefined): Steps<Directory> {
    const { force, errorOnExist } = this.#options;
    if (to !== undefined && errorOnExist && !force) throw existsFailure(shownPath(dest));
    if (to === undefined) yield* this.#call("mkdir", dest, () => this.#sys.mkdir(dest, 0o777));
    const mode = to === undefined ? from.mode & PERMISSIONS : undefined;
    return { src, dest, mode, names: yield* this.#namesIn(src), next: 0 };
  }

  /** Mode and times come last, for a directory that may not be written to has to be filled first. */
  *#leave({ src, dest, mode }: Directory): Steps<void> {
    if (mode !== undefined) yield* this.#call("chmod", dest, () => this.#sys.chmod(dest, mode, 0));
    if (this.#options.preserveTimestamps) yield* this.#copyTimes(src, dest);
  }

  /** Node leaves a new directory to its native code, where it can, which writes paths as they come: `./a/b`. */
  #destBelow({ dest, mode }: Directory, name: Path): Path {
    const { filter, dereference } = this.#options;
    const isPlain = mode !== undefined && filter === undefined && !dereference;
    return pathFrom(isPlain ? (at, to) => `${at.replace(/\/$/, "")}/${to}` : joinPath, dest, name);
  }

  *#copyBelow(src: Path, dest: Path): Steps<Directory | undefined> {
    if (!(yield* this.#isWanted(src, dest))) return undefined;
    const { from, to } = yield* this.#look(src, dest);
    return yield* this.#copyOne(src, dest, from, to);
  }

  *#namesIn(path: Path): Steps<readonly Path[]> {
    const sys = this.#sys;
    const fd = yield* this.#call("opendir", path, () => sys.open(path, O_RDONLY | O_DIRECTORY, 0));
    try {
      const names: Path[] = [];
      for (;;) {
        const listing = yield* must(() => {
          const found = sys.getdents(fd, ALL_ENTRIES);
          return typeof found === "number" ? failed(sys, found, "scandir", path) : found;
        });
        if (listing.names.length === 0) return names;
        names.push(...namesOf(listing));
      }
    } finally {
      sys.close(fd);
    }
  }

  *#copyLink(src: Path, dest: Path, to: Found | undefined): Steps<void> {
    const target = yield* this.#targetOf(src, this.#options.verbatimSymlinks);
    if (to !== undefined) yield* this.#removeLink(src, dest, target);
    yield* this.#call("symlink", target, () => this.#sys.symlink(target, dest), dest);
  }

  /** Where a link leads; not verbatim: from the root. */
  *#targetOf(path: Path, isVerbatim: boolean): Steps<Path> {
    const target = yield* must(() => {
      const found = this.#sys.readlink(path);
      return typeof found === "number" ? failed(this.#sys, found, "readlink", path) : toRawPath(found);
    });
    if (isVerbatim) return target;
    return pathFrom((at, to) => resolvePath(dirname(at), to), this.#absolute(path), target);
  }

  /** Makes room for a link. What is no link stays, and making the new one then says so. */
  *#removeLink(src: Path, dest: Path, target: Path): Steps<void> {
    const found = yield* this.#stat(dest, AT_SYMLINK_NOFOLLOW);
    if ((found.mode & S_IFMT) !== S_IFLNK) return;
    const oldTarget = yield* this.#targetOf(dest, false);
    if (isDirectory(yield* this.#stat(src, 0))) {
      const [path, oldPath] = [this.#absolute(target), this.#absolute(oldTarget)];
      const shown = [shownPath(dest), shownPath(target), shownPath(oldTarget)] as const;
      if (isBelow(path, oldPath)) throw this.#failures.linkToSubdirectory(...shown);
      if (isBelow(oldPath, path)) throw this.#failures.linkOverParent(...shown);
    }
    yield* this.#call("unlink", dest, () => this.#sys.unlink(dest));
  }

  #call(syscall: string, path: Path, call: () => number, dest?: Path): Steps<number> {
    return must(() => {
      const rc = call();
      return rc < 0 ? failed(this.#sys, rc, syscall, path, dest) : rc;
    }) as Steps<number>;
  }
}

/** @throws when `from` may not come in the place of `to` */
function checkTypes(src: Path, dest: Path, from: Found, to: Found, failures: CpFailures): void {
  const shown = [shownPath(src), shownPath(dest)] as const;
  if (isSame(from, to)) throw failures.same(shown[1]);
  if (isDirectory(from) && !isDirectory(to)) throw failures.dirToNonDir(...shown);
  if (!isDirectory(from) && isDirectory(to)) throw failures.nonDirToDir(...shown);
}

/** @throws for what is neither file nor device, directory or link */
function checkKind({ mode }: Found, dest: string, failures: CpFailures): void {
  switch (mode & S_IFMT) {
    case S_IFSOCK:
      throw failures.socket(dest);
    case S_IFIFO:
      throw failures.fifo(dest);
    case S_IFDIR:
    case S_IFLNK:
    case S_IFREG:
    case S_IFBLK:
    case S_IFCHR:
      return;
    default:
      throw failures.unknown(dest);
  }
}
