/**
 * opendir and Dir: a directory read a few entries at a time.
 *
 * @see Node 26 lib/internal/fs/dir.js
 */

import { ENOENT } from "../base/errno.ts";
import { O_DIRECTORY, O_RDONLY } from "../base/stat-flags.ts";
import type { DirListing, Path, Syscalls } from "../vfs/syscalls.ts";
import { closingWhenCollected, complainOfDir } from "./collected.ts";
import { Dirent, toUvType } from "./dirent.ts";
import { argTypeError, dirClosedError, dirConcurrentError, invalidThisError, missingArgError } from "./errors.ts";
import type { NameEncoding } from "./operations/names-encoding.ts";
import { namesOf } from "./operations/readdir.ts";
import { joinPath, toPath } from "./paths.ts";
import { ASYNC_DISPOSE, DISPOSE } from "./platform.ts";
import { afterTurn, inTick, soon1, soon2 } from "./settle.ts";
import { callSiteOf, fromCaller, type Origin, withinForm } from "./stacks.ts";
import type { Operation } from "./surfaces.ts";
import { Failure, failed, SpecialFailure, uvException } from "./uv-errors.ts";
import { type Callback, type CommonOptions, checkCallback, checkUint32, toOptions } from "./validators.ts";

const DEFAULTS: CommonOptions = Object.freeze({ encoding: "utf8" });
const DEFAULT_BUFFER_ENTRIES = 32;
const NO_ENTRIES: DirListing = { names: [], types: new Uint8Array(0), rawNames: () => [] };

/** An open directory of one task: the descriptor behind a Dir, and those of the directories below that it reads next. */
class DirHandle {
  readonly #sys: Syscalls;
  readonly #fd: number;
  #isClosed = false;
  /** Directories met below, still to be read. */
  readonly below: Level[] = [];

  constructor(sys: Syscalls, fd: number) {
    this.#sys = sys;
    this.#fd = fd;
  }

  /** Up to `nrEntries` more entries; none at the end, and of a directory that is removed. @see glibc readdir() */
  read(nrEntries: number): DirListing | Failure {
    const listing = this.#sys.getdents(this.#fd, nrEntries);
    if (listing === -ENOENT) return NO_ENTRIES;
    return typeof listing === "number" ? failed(this.#sys, listing, "scandir") : listing;
  }

  close(): Failure | undefined {
    for (const { handle } of this.below.splice(0)) handle.close();
    this.#isClosed = true;
    const rc = this.#sys.close(this.#fd);
    return rc < 0 ? failed(this.#sys, rc, "closedir") : undefined;
  }

  /** Closes what nobody can close any more. */
  abandon(): void {
    if (this.#isClosed) return;
    try {
      if (this.close() !== undefined) return;
    } catch {
      return; // its kernel or its task has ended, and the descriptor with it
    }
    complainOfDir();
  }

  openBelow(path: Path): DirHandle | Failure {
    return openDirHandle(this.#sys, path);
  }
}

function openDirHandle(sys: Syscalls, path: Path): DirHandle | Failure {
  const fd = sys.open(path, O_RDONLY | O_DIRECTORY, 0);
  return fd < 0 ? failed(sys, fd, "opendir", path) : new DirHandle(sys, fd);
}

function noText(path: Uint8Array): Failure {
  return new SpecialFailure(0, "opendir", () => argTypeError("path", "string", path));
}

interface Level {
  handle: DirHandle;
  path: Path;
}

/** An open directory, as opendir gives it. Reads and closes may be synchronous, by callback or by promise. */
export class Dir {
  readonly #handle: DirHandle;
  readonly #path: Path;
  readonly #encoding: NameEncoding;
  readonly #bufferSize: number;
  readonly #isRecursive: boolean;
  #entries: Dirent[] = [];
  #isClosed = false;
  /** While an asynchronous read is on its way: what was asked for meanwhile. */
  #queue: (() => void)[] | null = null;

  constructor(handle: unknown, path: Path, options?: unknown) {
    if (handle === undefined || handle === null) throw fromCaller(missingArgError("handle"), Dir as never);
    this.#handle = handle as DirHandle;
    this.#path = path;
    const given = toOptions(options, DEFAULTS);
    const { bufferSize = DEFAULT_BUFFER_ENTRIES } = given;
    this.#encoding = given.encoding;
    this.#isRecursive = Boolean(given.recursive);
    try {
      checkUint32(bufferSize, "options.bufferSize", 1);
    } catch (error) {
      // The caller has no way to close it.
      this.#handle.close();
      throw error;
    }
    this.#bufferSize = bufferSize;
  }

  /** As given to opendir. */
  get path(): Path {
    if (!(#path in this)) throw fromCaller(invalidThisError("Dir"), own.path);
    return this.#path;
  }

  read(callback?: unknown): Promise<Dirent | null> | undefined {
    if (callback === undefined) return this.#readPromise(own.read);
    withinForm(own.read, () => this.#readCallback(callback, own.read));
    return undefined;
  }

  #readPromise(origin: Origin): Promise<Dirent | null> {
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null, dirent: Dirent | null) => (error ? reject(error) : resolve(dirent));
      withinForm(origin, () => this.#readCallback(settle, origin));
    });
  }

  /** @param origin what was called: stacks of errors begin at its caller */
  #readCallback(callback: unknown, origin: Origin): void {
    if (this.#isClosed) throw dirClosedError();
    checkCallback(callback, "callback");
    if (this.#queue !== null) {
      const site = callSiteOf(origin);
      this.#queue.push(() => withinForm(site, () => this.#readCallback(callback, site)));
      return;
    }
    const buffered = this.#takeBuffered();
    if (buffered instanceof Failure && buffered.token !== undefined) this.#fetchFor(callback, buffered, origin);
    else if (buffered instanceof Failure) soon1(callback as never, buffered.toError(origin));
    else if (buffered !== null) soon2(callback as never, null, buffered);
    else this.#fetchFor(callback, this.#fetch(), origin);
  }

  /** Delivers what a read has come to, or waits and reads again; until then, other calls wait. */
  #fetchFor(callback: Callback, outcome: Dirent | null | Failure, origin: Origin): void {
    this.#queue ??= [];
    if (outcome instanceof Failure && outcome.token !== undefined) {
      const site = callSiteOf(origin);
      const again = (): void => this.#fetchFor(callback, this.#next(), site);
      void outcome.token.then(again, (error) => {
        this.#runQueue();
        callback(error);
      });
      return;
    }
    const error = outcome instanceof Failure ? outcome.toError(origin) : null;
    soon1(() => {
      this.#runQueue();
      if (error !== null) callback(error);
      else callback(null, outcome);
    }, undefined);
  }

  /** Makes the calls that have waited: before the event loop turns, so that none made later overtakes them. */
  #runQueue(): void {
    inTick(() => {
      const waiting = this.#queue ?? [];
      this.#queue = null;
      for (const call of waiting) call();
    }, undefined);
  }

  readSync(): Dirent | null {
    this.#checkIdle(own.readSync);
    const outcome = this.#next();
    if (outcome instanceof Failure) throw outcome.toError(own.readSync);
    return outcome;
  }

  #next(): Dirent | null | Failure {
    return this.#takeBuffered() ?? this.#fetch();
  }

  #checkIdle(origin: Origin): void {
    if (this.#isClosed) throw fromCaller(dirClosedError(), origin);
    if (this.#queue !== null) throw fromCaller(dirConcurrentError(), origin);
  }

  /** The next entry that needs no read of the directory itself; null when there is none. */
  #takeBuffered(): Dirent | null | Failure {
    const { below } = this.#handle;
    while (this.#entries.length === 0 && below.length > 0) {
      const level = below[0];
      const listing = level.handle.read(this.#bufferSize);
      if (listing instanceof Failure && listing.token !== undefined) return listing;
      below.shift();
      if (listing instanceof Failure) return listing;
      if (listing.names.length === 0) level.handle.close();
      else {
        this.#keep(level.path, listing);
        below.push(level);
      }
    }
    return this.#take();
  }

  #fetch(): Dirent | null | Failure {
    const listing = this.#handle.read(this.#bufferSize);
    if (listing instanceof Failure) return listing;
    this.#keep(this.#path, listing);
    return this.#take();
  }

  #keep(parentPath: Path, listing: DirListing): void {
    const names = namesOf(listing, this.#encoding);
    for (let i = 0; i < names.length; i++) {
      this.#entries.push(new Dirent(names[i], toUvType(listing.types[i]), parentPath));
    }
  }

  #take(): Dirent | null | Failure {
    const dirent = this.#entries[0];
    if (dirent === undefined) return null;
    const failure = this.#isRecursive && dirent.isDirectory() ? this.#openBelow(dirent) : undefined;
    if (failure?.token !== undefined) return failure; // its turn comes again
    this.#entries.shift();
    return failure ?? dirent;
  }

  /** Opens a directory that is met, to be read later. */
  #openBelow(dirent: Dirent): Failure | undefined {
    const { parentPath, name } = dirent;
    // Node joins the two as text, also where that leads astray; of bytes it can make no path.
    if (typeof parentPath !== "string") return noText(parentPath);
    if (typeof name !== "string") return noText(name);
    const path = joinPath(parentPath, name);
    const handle = this.#handle.openBelow(path);
    if (handle instanceof Failure) return handle;
    this.#handle.below.push({ handle, path });
    return undefined;
  }

  close(callback?: unknown): Promise<void> | undefined {
    if (callback === undefined) return this.#closePromise(own.close);
    withinForm(own.close, () => checkCallback(callback, "callback"));
    this.#closeCallback(callback as Callback, own.close);
    return undefined;
  }

  #closeCallback(callback: Callback, origin: Origin): void {
    if (this.#isClosed) inTick(callback as never, fromCaller(dirClosedError(), origin));
    else if (this.#queue !== null) {
      const site = callSiteOf(origin);
      this.#queue.push(() => this.#closeCallback(callback, site));
    } else {
      const failure = this.#closeAll();
      const error = failure === undefined ? null : failure.toError(origin);
      // As in Node, who asks for more before the event loop turns comes too late, and is told so first.
      afterTurn(() => callback(error));
    }
  }

  #closePromise(origin: Origin): Promise<void> {
    if (this.#isClosed) return Promise.reject(fromCaller(dirClosedError(), origin));
    return new Promise((resolve, reject) => {
      this.#closeCallback((error) => (error ? reject(error) : resolve()), origin);
    });
  }

  closeSync(): void {
    this.#closeFor(own.closeSync);
  }

  #closeFor(origin: Origin): void {
    this.#checkIdle(origin);
    const failure = this.#closeAll();
    if (failure !== undefined) throw failure.toError(origin);
  }

  #closeAll(): Failure | undefined {
    this.#isClosed = true;
    return this.#handle.close();
  }

  async *entries(): AsyncGenerator<Dirent, void, undefined> {
    try {
      for (;;) {
        const dirent = await this.#readPromise(own.entries);
        if (dirent === null) return;
        yield dirent;
      }
    } finally {
      await this.#closePromise(own.entries);
    }
  }

  [DISPOSE](): void {
    if (!this.#isClosed) this.#closeFor(own.dispose);
  }

  async [ASYNC_DISPOSE](): Promise<void> {
    if (!this.#isClosed) await this.#closePromise(own.asyncDispose);
  }

  declare [Symbol.asyncIterator]: () => AsyncGenerator<Dirent, void, undefined>;
}

/** The methods themselves, which errors leave out of their stacks, whatever the prototype has by then. */
const own = {
  read: Dir.prototype.read,
  readSync: Dir.prototype.readSync,
  close: Dir.prototype.close,
  closeSync: Dir.prototype.closeSync,
  entries: Dir.prototype.entries,
  dispose: Dir.prototype[DISPOSE],
  asyncDispose: Dir.prototype[ASYNC_DISPOSE],
  path: Object.getOwnPropertyDescriptor(Dir.prototype, "path")?.get as () => Path,
};

Object.defineProperty(Dir.prototype, Symbol.asyncIterator, {
  value: Dir.prototype.entries,
  enumerable: false,
  writable: true,
  configurable: true,
});

interface OpendirRequest {
  path: Path;
  options: CommonOptions;
}

/** opendir on the system calls of a task. */
export function dirOperations(sys: Syscalls) {
  const closeLater = closingWhenCollected((handle: DirHandle) => handle.abandon());

  function newDir(handle: DirHandle, path: Path, options: CommonOptions): Dir {
    const dir = new Dir(handle, path, options);
    closeLater(dir, handle);
    return dir;
  }

  const opendir: Operation<OpendirRequest, Dir> = {
    prepare(callback, path, options) {
      checkCallback(callback, "callback");
      const name = toPath(path);
      return { path: name, options: toOptions(options, DEFAULTS) };
    },
    commit({ path, options }) {
      const handle = openDirHandle(sys, path);
      return handle instanceof Failure ? handle : newDir(handle, path, options);
    },
  };

  function openNow(path: unknown, options: unknown): Dir {
    const name = toPath(path);
    const given = toOptions(options, DEFAULTS);
    const handle = openDirHandle(sys, name);
    // Node leaves the path out of this one.
    if (handle instanceof Failure) throw uvException(handle.errno, "opendir", undefined, undefined, opendirSync);
    return newDir(handle, name, given);
  }

  function opendirSync(path: unknown, options?: unknown): Dir {
    return withinForm(opendirSync, () => openNow(path, options));
  }

  return { opendir, opendirSync };
}
