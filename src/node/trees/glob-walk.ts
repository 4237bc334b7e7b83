/**
 * glob: all patterns at once are taken through the tree, and each directory is read once however many of them want it.
 *
 * `*` and `**` pass by names with a dot in front, and go into directories alone, not through symbolic links unless
 * `followSymlinks` says so; a link that is named is followed. What cannot be read has nothing in it.
 */
import { AT_SYMLINK_NOFOLLOW, S_IFDIR, S_IFLNK, S_IFMT } from "../../base/stat-flags.ts";
import { type DirListing, STAT_MODE, type Syscalls } from "../../vfs/syscalls.ts";
import { type Dirent, toUvType, UV_DIRENT_DIR, UV_DIRENT_LINK, uvTypeOfMode } from "../dirent.ts";
import { decodeUtf8 } from "../encoding.ts";
import { toAbsolute } from "../operations/absolute-path.ts";
import { joinPath } from "../paths.ts";
import { failed } from "../uv-errors.ts";
import type { GlobOptions } from "./glob-options.ts";
import { isGlobstar, matchesName, type PatternPart } from "./glob-pattern.ts";
import { dirname, isWithin } from "./path-text.ts";
import { must, type Steps } from "./steps.ts";

/** How far one alternative of a pattern has come. */
interface State {
  readonly parts: readonly PatternPart[];
  /** The part that comes next. */
  readonly at: number;
  /** It stands behind `**`, which has matched nothing: names come from the directory, links are not followed. */
  readonly isBehindGlobstar: boolean;
}

/** A directory to look into. */
interface Visit {
  /** As results show it. */
  readonly path: string;
  readonly states: readonly State[];
  /** Physical paths of this directory and those above, where links are followed. */
  readonly above: readonly string[];
}

interface Entry {
  readonly name: string;
  /** UV_DIRENT_* */
  readonly type: number;
  readonly path: string;
  readonly isDirectory: boolean;
  readonly physical: string | undefined;
}

/** One call of glob on the system calls of a task. */
export class GlobWalk {
  readonly #sys: Syscalls;
  readonly #options: GlobOptions;
  /** The face's own. */
  readonly #Dirent: typeof Dirent;
  readonly #stack: Visit[] = [];
  readonly #seen = new Set<string>();
  readonly #numbers = new Map<readonly PatternPart[], number>();
  readonly #found = new Set<string>();
  /** What has been found and is not taken yet. */
  #results: (string | Dirent)[] = [];
  /** Directories to visit after this one. */
  #next = new Map<string, { states: State[]; physical: string | undefined }>();

  constructor(
    sys: Syscalls,
    options: GlobOptions,
    alternatives: readonly (readonly PatternPart[])[],
    direntClass: typeof Dirent,
  ) {
    this.#Dirent = direntClass;
    this.#sys = sys;
    this.#options = options;
    const starts = new Map<string, State[]>();
    for (const parts of alternatives) {
      if (parts.length === 0 || (parts.length === 1 && isNowhere(parts[0]))) continue;
      this.#numbers.set(parts, this.#numbers.size);
      const isAbsolute = parts[0] === "";
      const start = isAbsolute ? "/" : ".";
      const states = starts.get(start) ?? [];
      states.push({ parts, at: isAbsolute ? 1 : 0, isBehindGlobstar: false });
      starts.set(start, states);
    }
    for (const [path, states] of starts) {
      if (path === "/" || !this.#isMatchedAway(path, "")) this.#stack.push({ path, states, above: [] });
    }
  }

  get isDone(): boolean {
    return this.#stack.length === 0;
  }

  /** What has been found since it was asked last. */
  take(): (string | Dirent)[] {
    const results = this.#results;
    this.#results = [];
    return results;
  }

  /** Looks into one more directory. Precondition: !isDone */
  *visit(): Steps<void> {
    const visit = this.#stack.pop() as Visit;
    const states = this.#closure(visit);
    for (const state of states) yield* this.#takeNamed(visit, state);
    const readers = states.filter(
      ({ parts, at, isBehindGlobstar }) => typeof parts[at] !== "string" || isBehindGlobstar,
    );
    if (readers.length > 0) yield* this.#takeListed(visit, readers);
    const above = this.#options.followSymlinks ? [...visit.above] : visit.above;
    for (const [path, { states: next, physical }] of this.#next) {
      this.#stack.push({ path, states: next, above: physical === undefined ? above : [...above, physical] });
    }
    this.#next.clear();
  }

  /** The states of a visit that are new here, and those that `**` gives by matching nothing. */
  #closure({ path, states }: Visit): State[] {
    const all: State[] = [];
    const add = (state: State): void => {
      const key = `${this.#numbers.get(state.parts)} ${state.at} ${state.isBehindGlobstar} ${path}`;
      if (this.#seen.has(key)) return;
      this.#seen.add(key);
      all.push(state);
      if (isGlobstar(state.parts[state.at])) add({ ...state, at: state.at + 1, isBehindGlobstar: true });
      else if (state.parts[state.at] === "." && !isEndBehindGlobstar(state)) add({ ...state, at: state.at + 1 });
    };
    for (const state of states) add(state);
    return all;
  }

  /** What needs no listing: this directory itself, and what the next part names. */
  *#takeNamed({ path }: Visit, { parts, at, isBehindGlobstar }: State): Steps<void> {
    const part = parts[at];
    const isLast = at === parts.length - 1;
    if (at === parts.length || (isLast && part === "")) yield* this.#addPath(path);
    else if (typeof part === "string" && part !== "." && part !== "" && (!isBehindGlobstar || part === "..")) {
      const child = joinPath(path, part);
      const mode = yield* this.#modeOf(child, AT_SYMLINK_NOFOLLOW);
      if (mode === undefined) return;
      const entry = { name: part, path: child, type: uvTypeOfMode(mode), isDirectory: true, physical: undefined };
      if (this.#isExcluded(entry, path)) return;
      if (isLast) return this.#add(child, entry.type);
      const followed = (mode & S_IFMT) === S_IFLNK ? yield* this.#modeOf(child, 0) : mode;
      const isDirectory = followed !== undefined && (followed & S_IFMT) === S_IFDIR;
      if (!isDirectory && isOnlyGlobstar(parts, at + 1)) this.#add(child, entry.type);
      else if (isDirectory) this.#goOn(entry, { parts, at: at + 1, isBehindGlobstar: false });
    }
  }

  *#takeListed(visit: Visit, states: readonly State[]): Steps<void> {
    const listing = yield* this.#list(visit.path);
    for (let i = 0; i < listing.names.length; i++) {
      const entry = yield* this.#entryOf(visit, listing.names[i], toUvType(listing.types[i]));
      if (this.#isExcluded(entry, visit.path)) continue;
      for (const state of states) this.#takeEntry(entry, state);
    }
  }

  #takeEntry(entry: Entry, { parts, at }: State): void {
    const part = parts[at];
    const isLast = at === parts.length - 1;
    if (isGlobstar(part)) {
      // As in Node, a directory with a dot in front is gone through where what comes next names it.
      if (entry.name.startsWith(".") && !(at + 1 < parts.length && matchesName(parts[at + 1], entry.name))) return;
      if (entry.isDirectory) this.#goOn(entry, { parts, at, isBehindGlobstar: false });
      else if (isLast) this.#add(entry.path, entry.type);
    } else if (part !== undefined && matchesName(part, entry.name)) {
      if (isLast) this.#add(entry.path, entry.type);
      else if (entry.isDirectory) this.#goOn(entry, { parts, at: at + 1, isBehindGlobstar: false });
    }
  }

  #goOn({ path, physical }: Entry, state: State): void {
    if (this.#isMatchedAway(path, "/")) return;
    const known = this.#next.get(path);
    if (known === undefined) this.#next.set(path, { states: [state], physical });
    else known.states.push(state);
  }

  *#entryOf({ path, above }: Visit, name: string, type: number): Steps<Entry> {
    const child = joinPath(path, name);
    let isDirectory = type === UV_DIRENT_DIR;
    let physical: string | undefined;
    if (this.#options.followSymlinks && (isDirectory || type === UV_DIRENT_LINK)) {
      physical = yield* this.#physical(child);
      const mode = isDirectory ? S_IFDIR : yield* this.#modeOf(child, 0);
      isDirectory = mode !== undefined && (mode & S_IFMT) === S_IFDIR;
      // A link to a directory that holds it would never end.
      if (isDirectory && type === UV_DIRENT_LINK) isDirectory = !(yield* this.#isAbove(physical, path, above));
    }
    return { name, type, path: child, isDirectory, physical };
  }

  /** Does a directory hold the one that is read, as far as the walk has come from the start, or by links? */
  *#isAbove(physical: string | undefined, path: string, above: readonly string[]): Steps<boolean> {
    if (physical === undefined || above.includes(physical)) return true;
    const [start, here] = [yield* this.#physical("."), yield* this.#physical(path)];
    return start !== undefined && here !== undefined && isWithin(start, physical) && isWithin(physical, here);
  }

  #isExcluded({ name, type, path }: Entry, parentPath: string): boolean {
    const { exclude, withFileTypes } = this.#options;
    if (exclude !== undefined)
      return Boolean(exclude(withFileTypes ? new this.#Dirent(name, type, this.#fromCwd(parentPath)) : name));
    return this.#isMatchedAway(path, "");
  }

  /** @param end "/" asks for what is in a directory: `a/**` leaves out all of that, but not the name */
  #isMatchedAway(path: string, end: "" | "/"): boolean {
    const { excluded } = this.#options;
    if (excluded.length === 0) return false;
    const full = toAbsolute(this.#sys, this.#fromCwd(path)) + end;
    return excluded.some((matcher) => matcher.match(full));
  }

  *#addPath(path: string): Steps<void> {
    if (this.#found.has(path) || (path === "." && this.#isMatchedAway(path, "/"))) return;
    const mode = yield* this.#modeOf(path, AT_SYMLINK_NOFOLLOW);
    if (mode !== undefined) this.#add(path, uvTypeOfMode(mode));
  }

  #add(path: string, type: number): void {
    if (this.#found.has(path)) return;
    this.#found.add(path);
    this.#results.push(this.#options.withFileTypes ? this.#direntOf(path, type) : path);
  }

  #direntOf(path: string, type: number): Dirent {
    const full = this.#fromCwd(path);
    return new this.#Dirent(full.slice(full.lastIndexOf("/") + 1) || full, type, dirname(full));
  }

  /** A path as the task walks it. */
  #fromCwd(path: string): string {
    return path.startsWith("/") ? path : joinPath(this.#options.cwd, path);
  }

  /** undefined = there is nothing. */
  #modeOf(path: string, flags: number): Steps<number | undefined> {
    const sys = this.#sys;
    return must(() => {
      const rc = sys.stat(this.#fromCwd(path), flags);
      if (rc >= 0) return sys.statValues[STAT_MODE];
      return this.#unlessWaiting(rc, "stat", path);
    }) as Steps<number | undefined>;
  }

  #physical(path: string): Steps<string | undefined> {
    return must(() => {
      const found = this.#sys.realpath(this.#fromCwd(path));
      return typeof found === "number" ? this.#unlessWaiting(found, "realpath", path) : decodeUtf8(found);
    }) as Steps<string | undefined>;
  }

  *#list(path: string): Steps<DirListing> {
    const listing = yield* must(() => {
      const found = this.#sys.readdir(this.#fromCwd(path));
      return typeof found === "number" ? this.#unlessWaiting(found, "scandir", path) : found;
    });
    return listing ?? { names: [], types: new Uint8Array(0), rawNames: () => [] };
  }

  /** A store that has to answer first is waited for; what fails is as if it were not there. */
  #unlessWaiting(rc: number, syscall: string, path: string) {
    const failure = failed(this.#sys, rc, syscall, path);
    return failure.token === undefined ? undefined : failure;
  }
}

/** `**` with a dot as its last part matches nothing in Node. */
function isEndBehindGlobstar({ parts, at, isBehindGlobstar }: State): boolean {
  return isBehindGlobstar && at === parts.length - 1;
}

/** Is all that comes next a `**`? Then a name that is no directory matches too. */
function isOnlyGlobstar(parts: readonly PatternPart[], at: number): boolean {
  return at === parts.length - 1 && isGlobstar(parts[at]);
}

/** Patterns that are one of these match nothing in Node. */
function isNowhere(part: PatternPart): boolean {
  return part === "" || part === "." || part === "..";
}
