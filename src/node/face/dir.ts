/** Entries of directories, and open directories. */
import type { Callback, DoneCallback } from "./callback.ts";
import type { FileKind } from "./stats.ts";

export interface Dirent<Name extends string | Uint8Array = string> extends FileKind {
  name: Name;
  parentPath: string;
}

/** A directory that is read entry by entry. */
export interface Dir extends AsyncIterable<Dirent> {
  readonly path: string;
  close(): Promise<void>;
  close(callback: DoneCallback): void;
  closeSync(): void;
  /** @returns null at the end */
  read(): Promise<Dirent | null>;
  read(callback: Callback<Dirent | null>): void;
  readSync(): Dirent | null;
  [Symbol.asyncIterator](): AsyncGenerator<Dirent, undefined, undefined>;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}
