/**
 * FSWatcher for whole trees: what fs.watch() with `recursive` answers. On Linux Node builds it of one watch for each
 * directory, and says what has happened by looking at what is there when it hears of it. So does this, since programs are
 * written for what Node says: of an entry that is new, or gone, "rename"; of a file that is still there, "change", even if
 * it was replaced; of a directory that is still there nothing, and "rename" for each that is new in it.
 *
 * @see Node 26 documentation of fs.watch(), lib/internal/fs/recursive_watch.js
 */

import type { Syscalls } from "../../vfs/syscalls.ts";
import type { Dirent } from "../dirent.ts";
import { argTypeError } from "../errors.ts";
import { toAbsolute } from "../operations/absolute-path.ts";
import type { Operations } from "../operations/index.ts";
import { pathBelow } from "../paths.ts";
import type { Stats } from "../stats.ts";
import type { SystemCallError } from "../uv-errors.ts";
import { WatcherBase } from "./emitter.ts";
import type { AddWatch } from "./fs-event.ts";
import { FSWatcher as PlainWatcher, type WatcherOptions } from "./fs-watcher.ts";

/** What a tree watcher stands on. */
export interface TreeCalls {
  readonly sys: Syscalls;
  readonly ops: Operations;
  readonly addWatch: AddWatch;
}

/** An entry that has been told of, or was there from the start. */
interface Entry {
  readonly path: string;
  readonly isLink: boolean;
  watcher: PlainWatcher | undefined;
  readonly children: Map<string, Entry>;
}

type Kind = Pick<Dirent, "isDirectory" | "isSymbolicLink">;

const MAY_MISS = { throwIfNoEntry: false };

function isMissing(error: unknown): boolean {
  return (error as SystemCallError | undefined)?.code === "ENOENT";
}

/** Emits what FSWatcher does; names are paths below the directory that is watched. */
export class FSWatcher extends WatcherBase {
  readonly #calls: TreeCalls;
  readonly #options: WatcherOptions;
  #root!: Entry;
  #isClosed = false;

  constructor(calls: TreeCalls, options: WatcherOptions) {
    super();
    this.#calls = calls;
    this.#options = options;
  }

  /** @throws errors of stat(), with `filename`; of what is below, errors of the watch; ENOENT not with throwIfNoEntry false */
  watch(given: unknown): this {
    if (typeof given !== "string") throw argTypeError("paths[0]", "string", given);
    const path = toAbsolute(this.#calls.sys, given);
    this.#root = newEntry(path, false);
    try {
      if (this.#stat(path).isDirectory()) this.#scan(this.#root, true);
      else this.#watchFile();
    } catch (error) {
      if (!this.#options.throwIfNoEntry && isMissing(error)) return this;
      this.close();
      throw Object.assign(error as Error, { filename: path });
    }
    return this;
  }

  /** Stops watching, with "close". */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    forget(this.#root);
    this.emit("close");
  }

  ref(): void {
    for (const { watcher } of allBelow(this.#root)) watcher?.ref();
  }
  unref(): void {
    for (const { watcher } of allBelow(this.#root)) watcher?.unref();
  }

  // --- Arming -------------------------------------------------------------------------------------------------------

  /** Watches an entry unless it is. @returns false for one that has gone */
  #arm(entry: Entry, onEvent: (filename: string) => void): boolean {
    if (this.#isClosed) return false;
    if (entry.watcher !== undefined) return true;
    const { isPersistent, throwIfNoEntry } = this.#options;
    const options = { isPersistent, encoding: undefined, isIgnored: undefined, throwIfNoEntry: true };
    try {
      entry.watcher = PlainWatcher.started(this.#calls.addWatch, entry.path, options);
    } catch (error) {
      if (isMissing(error) && (entry !== this.#root || !throwIfNoEntry)) return false;
      throw error;
    }
    entry.watcher.addListener("change", (_type, filename) => this.#hear(() => onEvent(filename as string)));
    return true;
  }

  /** What goes wrong when it is looked what has happened is an "error", and so thrown only where nobody listens for that. */
  #hear(look: () => void): void {
    if (this.#isClosed) return;
    try {
      look();
    } catch (error) {
      this.emit("error", error);
    }
  }

  #watchFile(): void {
    const root = this.#root;
    const name = root.path.slice(root.path.lastIndexOf("/") + 1);
    const onEvent = (): void => {
      if (this.#isThere(root.path)) this.emit("change", "change", name);
      else this.#tellGone(root, () => forget(root));
    };
    if (!this.#arm(root, onEvent)) forget(root);
  }

  /** Watches a directory, and what is in it that is not known. @param isInitial nothing is told of it @returns false for one that has gone */
  #scan(folder: Entry, isInitial: boolean): boolean {
    if (!this.#arm(folder, (filename) => this.#onFolderEvent(folder, filename))) return false;
    let entries: (Kind & { name: string })[];
    try {
      entries = this.#calls.ops.readdirSync(folder.path, { withFileTypes: true }) as never;
    } catch (error) {
      return this.#onUnread(folder, error as SystemCallError, isInitial);
    }
    for (const entry of entries) {
      if (this.#isClosed) break;
      if (!folder.children.has(entry.name) && !this.#isIgnored(folder, entry.name))
        this.#add(folder, entry.name, entry, isInitial);
    }
    return true;
  }

  /** What cannot be listed: gone meanwhile, or an error that is told. */
  #onUnread(folder: Entry, error: SystemCallError, isInitial: boolean): boolean {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") {
      this.emit("error", error);
      return true;
    }
    const isRoot = folder === this.#root;
    if (isRoot && isInitial && (error.code !== "ENOENT" || this.#options.throwIfNoEntry)) throw error;
    if (!isInitial && !this.#isClosed) this.#tell("rename", folder.path);
    return false;
  }

  /** An entry that is new, or found at the start. */
  #add(folder: Entry, name: string, kind: Kind, isInitial: boolean): void {
    const entry = newEntry(pathBelow(folder.path, name) as string, kind.isSymbolicLink());
    folder.children.set(name, entry);
    if (!isInitial) this.#tell("rename", entry.path);
    let isThere = true;
    if (entry.isLink)
      isThere = this.#arm(entry, () => this.#tell("rename", entry.path)); // what it leads to
    else if (kind.isDirectory()) isThere = this.#scan(entry, isInitial);
    if (!isThere) this.#forgetChild(folder, name, entry);
  }

  #forgetChild(folder: Entry, name: string, entry: Entry): void {
    forget(entry);
    if (folder.children.get(name) === entry) folder.children.delete(name);
  }

  // --- Events -------------------------------------------------------------------------------------------------------

  /** Something has happened to a name in a directory; or to the directory itself, which is told by its own name. */
  #onFolderEvent(folder: Entry, filename: string): void {
    const known = folder.children.get(filename);
    if (known !== undefined) this.#onKnown(folder, filename, known);
    else if (filename !== "" && !this.#isIgnored(folder, filename)) this.#onUnknown(folder, filename);
  }

  #onUnknown(folder: Entry, filename: string): void {
    const path = pathBelow(folder.path, filename) as string;
    const kind = this.#calls.ops.lstatSync(path, MAY_MISS as never) as Stats | undefined;
    if (kind !== undefined) this.#add(folder, filename, kind, false);
    else if (folder === this.#root && !this.#isThere(folder.path)) this.#tellGone(folder, () => forget(folder));
  }

  #onKnown(folder: Entry, filename: string, entry: Entry): void {
    const stats = this.#calls.ops.statSync(entry.path, MAY_MISS as never) as Stats | undefined;
    if (stats === undefined) this.#tellGone(entry, () => this.#forgetChild(folder, filename, entry));
    else if (entry.isLink) this.#tell("rename", entry.path);
    else if (!stats.isDirectory()) this.#tell("change", entry.path);
    else if (!this.#scan(entry, false)) this.#forgetChild(folder, filename, entry);
  }

  #tellGone(entry: Entry, thenForget: () => void): void {
    this.#tell("rename", entry.path);
    thenForget();
  }

  #tell(eventType: string, path: string): void {
    this.emit("change", eventType, this.#below(path));
  }

  /** A path as it is told: from the root on. */
  #below(path: string): string {
    const { path: root } = this.#root;
    return path.slice(root === "/" ? 1 : root.length + 1);
  }

  #isIgnored(folder: Entry, name: string): boolean {
    return this.#options.isIgnored?.(this.#below(pathBelow(folder.path, name) as string)) === true;
  }

  #stat(path: string): Stats {
    return this.#calls.ops.statSync(path, undefined as never) as Stats;
  }
  #isThere(path: string): boolean {
    return this.#calls.ops.statSync(path, MAY_MISS as never) !== undefined;
  }
}

function newEntry(path: string, isLink: boolean): Entry {
  return { path, isLink, watcher: undefined, children: new Map() };
}

function* allBelow(entry: Entry): Generator<Entry> {
  yield entry;
  for (const child of entry.children.values()) yield* allBelow(child);
}

/** Stops watching an entry and all below it. */
function forget(entry: Entry): void {
  for (const one of allBelow(entry)) {
    one.watcher?.close();
    one.watcher = undefined;
  }
  entry.children.clear();
}
