/**
 * What a call that moves data has under way when it has to wait for a store, so that it goes on from there (Linux: what a
 * struct kiocb keeps, and what is on the stack). It belongs to one callback or promise call.
 *
 * Does not own: which page the call waits for (page-wait.ts), how far a read has come (read-progress.ts).
 */

/** A write that its call has begun, and holds locks for (Linux struct kiocb). */
export interface Kiocb {
  /** Nobody goes on with it: it lets go of all it has, at once, or when a store has answered. */
  abandon(): void;
}

/** The open file of a call that waits (vfs/kept-file.ts). */
export interface Kept {
  /** The call is made again: its descriptor is its file's, whatever has become of it. @returns what ends that */
  lend(): (() => void) | undefined;
  /** The call is over: what it has under way is given up, and the file let go of. */
  end(): void;
}

/** That a call has begun to write to a file system, for who freezes it (vfs/writer.ts). */
export interface Writer {
  letGo(): void;
}

/** What one call has under way. */
export interface Progress {
  /** Whoever goes on with it takes it. Its call keeps its file. */
  kiocb?: Kiocb | undefined;
  kept?: Kept | undefined;
  /** A file system that is written to (vfs/writer.ts). */
  writer?: Writer | undefined;
  /** What a copy is made by: a read that goes on has put its first bytes there. */
  buffer?: Uint8Array | undefined;
  /** How often a clone has had swapped pages brought in. */
  passes?: number | undefined;
}
