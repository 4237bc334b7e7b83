/**
 * The stream library that streams over files stand on: `node:stream`, or a polyfill of it. Nothing is imported here:
 * entries hand it in.
 */

/** What a stream is to us, reading or writing; the library has the rest. */
export interface LibraryStream {
  readonly destroyed: boolean;
  readonly closed: boolean;
  readonly errored: unknown;
  on(event: string | symbol, listener: (...args: never[]) => void): this;
  once(event: string | symbol, listener: (...args: never[]) => void): this;
  emit(event: string | symbol, ...args: unknown[]): boolean;
  destroy(error?: unknown): this;
}

/** State that the library keeps for a stream, as far as it has no other door. */
export interface LibraryState {
  autoDestroy: boolean;
  errored: unknown;
  errorEmitted: boolean;
}

/** A class that can be called on an object made by another. */
export interface LibraryClass {
  new (options?: object): LibraryStream;
  readonly prototype: LibraryStream & { [method: string]: unknown };
  call(self: object, options: object): void;
}

/** What is used of `node:stream`, or of a library that is like it (readable-stream 4). */
export interface StreamLibrary {
  readonly Readable: LibraryClass;
  readonly Writable: LibraryClass;
  /** Calls `done` when the stream has ended, failed, or closed early. */
  finished(stream: object, done: (error?: unknown) => void): unknown;
}
