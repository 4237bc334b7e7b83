/** Watching. */
import type { Encoding, PathLike } from "./arguments.ts";
import type { Bytes, Signal } from "./platform-types.ts";
import type { BigIntStats, Stats } from "./stats.ts";

/** A pattern, of which one without a slash is matched with the last part of names; or what tells of a name. */
export type WatchIgnore = string | RegExp | ((filename: string) => boolean);

interface WatchSettings {
  /** The process goes on while it is watched. Default true. */
  persistent?: boolean | undefined;
  /** Directories are watched with all below. Default false. */
  recursive?: boolean | undefined;
  /** What is not told: one of them is enough. */
  ignore?: WatchIgnore | readonly WatchIgnore[] | undefined;
  /** Ends it. */
  signal?: Signal | undefined;
}

/** Names are text. */
export interface WatchOptions extends WatchSettings {
  encoding?: Encoding | null | undefined;
  /** Default true: what is not there is an error. */
  throwIfNoEntry?: boolean | undefined;
}

/** Names are bytes. */
export interface WatchBytesOptions extends WatchSettings {
  encoding: "buffer";
  throwIfNoEntry?: boolean | undefined;
}

export type WatchEventType = "rename" | "change";
export type WatchListener<Name> = (eventType: WatchEventType, filename: Name | null) => void;

type Listener = (...args: never[]) => void;

interface Watcher {
  on(event: string, listener: Listener): this;
  once(event: string, listener: Listener): this;
  off(event: string, listener: Listener): this;
  addListener(event: string, listener: Listener): this;
  removeListener(event: string, listener: Listener): this;
  listenerCount(event: string): number;
  ref(): this;
  unref(): this;
}

/** Emits "change" with type and name, "close", "error". */
export interface FSWatcher extends Watcher {
  close(): void;
}

/** Emits "change" with what is and what was, "stop". */
export interface StatWatcher extends Watcher {}

export interface WatchFileOptions {
  bigint?: boolean | undefined;
  /** Default true. */
  persistent?: boolean | undefined;
  /** Between two looks, ms. Default 5007. */
  interval?: number | undefined;
}

export interface WatchFace {
  watch(path: PathLike, options: WatchBytesOptions | "buffer", listener?: WatchListener<Bytes>): FSWatcher;
  watch(path: PathLike, options?: WatchOptions | Encoding | null, listener?: WatchListener<string>): FSWatcher;
  watch(path: PathLike, listener: WatchListener<string>): FSWatcher;
  watchFile(
    path: PathLike,
    options: WatchFileOptions & { bigint: true },
    listener: (current: BigIntStats, previous: BigIntStats) => void,
  ): StatWatcher;
  watchFile(
    path: PathLike,
    options: WatchFileOptions & { bigint?: false | undefined },
    listener: (current: Stats, previous: Stats) => void,
  ): StatWatcher;
  watchFile(path: PathLike, listener: (current: Stats, previous: Stats) => void): StatWatcher;
  /** @param listener left out: all */
  unwatchFile(path: PathLike, listener?: (...args: never[]) => void): void;
}

/** What the iterator of promises.watch() gives. */
export interface FileChangeInfo<Name> {
  eventType: WatchEventType;
  filename: Name | null;
}

interface QueueOptions {
  /** Events that wait to be asked for. Default 2048. */
  maxQueue?: number | undefined;
  /** What more of them are: dropped with a warning, or an error. Default "ignore". */
  overflow?: "ignore" | "error" | undefined;
}

export interface WatchPromises {
  watch(path: PathLike, options: WatchBytesOptions & QueueOptions): AsyncGenerator<FileChangeInfo<Bytes>>;
  watch(path: PathLike, options?: WatchOptions & QueueOptions): AsyncGenerator<FileChangeInfo<string>>;
}
