/**
 * What a lazyfs mount is made of: functions that list directories and give contents when somebody asks.
 *
 * Contents are answered as arrays of the tree's own, and copied: a view of the kernel's memory, to be filled in place, would save
 * that copy, but it goes stale whenever memory grows, and whoever kept one could write into files of others at any time. What a
 * tree does wrong or late must not be able to do harm.
 *
 * Does not own: what is made of the answers (the files beside this one), docs/lazyfs.md.
 */

/** What an entry of a directory is. */
export type LazyType = "file" | "directory" | "symlink";

/** An entry of a directory. May be an object of the tree's own with more in it: it is handed back with each question about it. */
export interface LazyEntry {
  /** 1 to 255 bytes as UTF-8, without slashes and NULs; neither "." nor "..". */
  readonly name: string;
  readonly type: LazyType;
  /** Permission bits, 0 to 0o7777; default 0o444, 0o555 for directories, 0o777 for symbolic links. */
  readonly mode?: number | undefined;
  /** Bytes of a file, 0 to 2^43. Left out: it is not known before the file has been read to its end, and shown as 0. */
  readonly size?: number | undefined;
  /** When it was changed last: a date, or milliseconds since the epoch. Default: the time of the mount. */
  readonly mtime?: Date | number | undefined;
  /** Owner; default 0. */
  readonly uid?: number | undefined;
  /** Group; default 0. */
  readonly gid?: number | undefined;
  /** Where a symbolic link leads, 1 to 4095 bytes. Left out: it is loaded as if it were the content of a file. */
  readonly target?: string | undefined;
}

/** Bytes that are wanted of a file. */
export interface LazyRange {
  /** First byte; a multiple of 4096. */
  readonly position: number;
  /** How many, at least 1. They end where the file does if its size is known, else they may lie behind the end. */
  readonly length: number;
}

/** An AbortSignal, as far as it is used. */
export interface LazySignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Who asks. */
export interface LazyCall {
  /** May the caller wait? Else a promise makes it fail with EAGAIN; what comes of the promise is there for the next call. */
  readonly mayWait: boolean;
  /** Aborted when the mount ends, or is unmounted by force: nobody wants the answer any more. */
  readonly signal: LazySignal;
}

/** Entries of a directory in any order, each name once. */
export type LazyListing<Entry extends LazyEntry = LazyEntry> = Iterable<Entry> | AsyncIterable<Entry>;

/**
 * A tree. Its functions answer at once or by promise. What they throw is the errno of the call that waits where its `code` names
 * one ("ENOENT", "EACCES" ...; not "EAGAIN"), else EIO.
 *
 * Paths begin with a slash, at the root of the mount. `entry` is what the tree has said of that file or directory; undefined =
 * the root.
 */
export interface LazyTree<Entry extends LazyEntry = LazyEntry> {
  /** What is in a directory. An iterable is read as far as it is needed, and ended by its return(). */
  list(path: string, entry: Entry | undefined, call: LazyCall): LazyListing<Entry> | PromiseLike<LazyListing<Entry>>;
  /**
   * Bytes of a file: all of the range, no more. Fewer only where the size is not known and the file ends there. The array is
   * copied before anybody else is called.
   */
  load?(path: string, range: LazyRange, entry: Entry, call: LazyCall): Uint8Array | PromiseLike<Uint8Array>;
  /** All bytes of a file, for stores that have no ranges. In the place of load(). */
  loadFile?(path: string, entry: Entry, call: LazyCall): Uint8Array | PromiseLike<Uint8Array>;
  /**
   * One entry by its path, undefined = there is none: for directories that are long to list. Missing: it is looked for in what list()
   * gives.
   */
  lookup?(
    path: string,
    directory: Entry | undefined,
    call: LazyCall,
  ): Entry | undefined | PromiseLike<Entry | undefined>;
}

/** How much a mount keeps outside of the kernel's memory, and whom it tells. */
export interface LazyLimits {
  /** Entries of listings that are kept, of all directories together; longer listings are read anew each time. Default 2^18. */
  readonly maxEntries?: number | undefined;
  /** Bytes of contents from loadFile() that are kept until they have been read to the end; the latest is, whatever its size. Default 16 MiB. */
  readonly maxFileBytes?: number | undefined;
  /** stat() of a file of unknown size loads it, so that its size is true: for programs that trust it (copyFile, tar). Default: false. */
  readonly statLoads?: boolean | undefined;
  /** Is told of all that makes calls fail: what the tree has thrown, and what is wrong with what it has answered. */
  onError?(error: unknown, path: string): void;
}
