/**
 * FSWatcher: what fs.watch() answers for one file or directory.
 *
 * @see Node 26 documentation of fs.FSWatcher, lib/internal/fs/watchers.js
 */
import { ENOENT } from "../../base/errno.ts";
import type { Path } from "../../vfs/syscalls.ts";
import { soon1 } from "../settle.ts";
import { WatcherBase } from "./emitter.ts";
import { type AddWatch, FsEvent } from "./fs-event.ts";
import type { IgnoreMatcher } from "./ignore.ts";
import { watchException } from "./watch-exception.ts";

/** Checked options of a watcher. */
export interface WatcherOptions {
  isPersistent: boolean;
  encoding: string | null | undefined;
  isIgnored: IgnoreMatcher | undefined;
  throwIfNoEntry: boolean;
}

/** Emits "change" with what has happened and the name, "close", and "error". */
export class FSWatcher extends WatcherBase {
  /** undefined: not started, null: closed. */
  #event: FsEvent | null | undefined;

  /**
   * Begins to watch.
   *
   * @throws errors of the walk, EACCES, with `syscall` "watch" and `filename`; with throwIfNoEntry false not ENOENT: nothing is watched
   */
  static started(addWatch: AddWatch, path: Path, options: WatcherOptions): FSWatcher {
    const watcher = new FSWatcher();
    const { isIgnored } = options;
    const event = FsEvent.start(addWatch, path, options.isPersistent, options.encoding, (eventType, filename) => {
      if (!isIgnored?.(filename)) watcher.emit("change", eventType, filename);
    });
    if (typeof event !== "number") watcher.#event = event;
    else if (options.throwIfNoEntry || event !== -ENOENT) throw watchException(event, path);
    return watcher;
  }

  /** Does nothing, as in Node: it is there for old programs. */
  start(): void {}

  /** Stops watching; "close" comes when the call is over. */
  close(): void {
    if (!this.#event) return;
    this.#event.close();
    this.#event = null;
    soon1(() => this.emit("close"), undefined);
  }

  ref(): this {
    this.#event?.ref();
    return this;
  }
  unref(): this {
    this.#event?.unref();
    return this;
  }
}
