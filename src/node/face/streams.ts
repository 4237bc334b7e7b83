/**
 * Streams over files, where a program has no types of Node. What is declared is what a stream over a file is used by; the
 * library that it stands on has more.
 */
import type { Encoding, Mode, OpenMode, PathLike } from "./arguments.ts";
import type { Bytes, PlatformReadableStream, Signal } from "./platform-types.ts";

type Listener = (...args: never[]) => void;

/** Events of both kinds, with what they bring. */
interface CommonEvents {
  close: () => void;
  error: (error: Error) => void;
  open: (fd: number) => void;
  ready: () => void;
}

interface ReadEvents extends CommonEvents {
  data: (chunk: string | Bytes) => void;
  end: () => void;
  pause: () => void;
  readable: () => void;
  resume: () => void;
}

interface WriteEvents extends CommonEvents {
  drain: () => void;
  finish: () => void;
  pipe: (source: object) => void;
  unpipe: (source: object) => void;
}

/** What streams of both kinds have. */
interface FileStream<Events> {
  readonly path: string | Bytes;
  /** Whether the file is not open yet, or no more. */
  readonly pending: boolean;
  readonly closed: boolean;
  readonly destroyed: boolean;
  readonly errored: Error | null;
  close(callback?: (error?: Error | null) => void): void;
  destroy(error?: Error): this;
  addListener<Name extends keyof Events>(event: Name, listener: Events[Name]): this;
  on<Name extends keyof Events>(event: Name, listener: Events[Name]): this;
  once<Name extends keyof Events>(event: Name, listener: Events[Name]): this;
  off<Name extends keyof Events>(event: Name, listener: Events[Name]): this;
  removeListener<Name extends keyof Events>(event: Name, listener: Events[Name]): this;
  removeAllListeners(event?: keyof Events): this;
  listenerCount(event: keyof Events): number;
  emit<Name extends keyof Events>(
    event: Name,
    ...args: Events[Name] extends (...args: infer Args) => void ? Args : never
  ): boolean;
}

/** A file that is read as a stream. */
export interface ReadStream extends FileStream<ReadEvents> {
  readonly bytesRead: number;
  readonly readable: boolean;
  readonly readableEnded: boolean;
  readonly readableFlowing: boolean | null;
  readonly readableHighWaterMark: number;
  readonly readableLength: number;
  read(size?: number): string | Bytes | null;
  setEncoding(encoding: Encoding): this;
  pause(): this;
  resume(): this;
  isPaused(): boolean;
  pipe<Target extends { write(chunk: never): unknown; end(): unknown }>(
    destination: Target,
    options?: { end?: boolean | undefined },
  ): Target;
  unpipe(destination?: object): this;
  [Symbol.asyncIterator](): AsyncIterableIterator<string | Bytes>;
}

type Written = (error?: Error | null) => void;

/** A file that is written as a stream. */
export interface WriteStream extends FileStream<WriteEvents> {
  readonly bytesWritten: number;
  readonly writable: boolean;
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  readonly writableHighWaterMark: number;
  readonly writableLength: number;
  readonly writableNeedDrain: boolean;
  write(chunk: string | Uint8Array, callback?: Written): boolean;
  write(chunk: string | Uint8Array, encoding: Encoding, callback?: Written): boolean;
  end(callback?: () => void): this;
  end(chunk: string | Uint8Array, callback?: () => void): this;
  end(chunk: string | Uint8Array, encoding: Encoding, callback?: () => void): this;
  cork(): void;
  uncork(): void;
  setDefaultEncoding(encoding: Encoding): this;
}

interface CommonOptions {
  /** Default true: the file is closed when the stream has ended or failed. */
  autoClose?: boolean | undefined;
  emitClose?: boolean | undefined;
  encoding?: Encoding | null | undefined;
  /** Bytes. */
  highWaterMark?: number | undefined;
  signal?: Signal | null | undefined;
  /** Where in the file to begin, bytes. */
  start?: number | undefined;
}

/** What says which file, where it is not a handle's own. */
interface FileOptions {
  fd?: number | { readonly fd: number } | undefined;
  flags?: OpenMode | undefined;
  /** Functions to be called instead of the face's. */
  fs?: object | null | undefined;
  mode?: Mode | undefined;
}

interface ReadRange extends CommonOptions {
  /** The last byte that is read. */
  end?: number | undefined;
}

interface Flushing extends CommonOptions {
  /** Whether the file is flushed before it is closed. */
  flush?: boolean | undefined;
}

export interface ReadStreamOptions extends ReadRange, FileOptions {}
export interface WriteStreamOptions extends Flushing, FileOptions {}

/** Lines of a file, without what ends them. */
export interface LineReader extends AsyncIterable<string> {
  on(event: "line", listener: (line: string) => void): this;
  on(event: "close" | "pause" | "resume", listener: () => void): this;
  pause(): this;
  resume(): this;
  close(): void;
}

/** What a FileHandle makes streams by. */
export interface HandleStreams {
  createReadStream(options?: ReadRange): ReadStream;
  createWriteStream(options?: Flushing): WriteStream;
  readLines(options?: ReadRange): LineReader;
  /** A stream of the platform's, of bytes. */
  readableWebStream(options?: { autoClose?: boolean | undefined }): PlatformReadableStream;
}

/** Text that is written line by line, at once or when enough has come together. */
export interface Utf8Stream {
  readonly file: string | null;
  readonly fd: number;
  write(text: string | Uint8Array): boolean;
  flush(callback?: (error?: Error | null) => void): void;
  flushSync(): void;
  end(): void;
  destroy(): void;
  reopen(file?: PathLike): void;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "close" | "drain" | "finish" | "ready", listener: () => void): this;
  on(event: "write", listener: (count: number) => void): this;
  on(event: string, listener: Listener): this;
}

type StreamClass<Instance, Options> = (new (
  path: PathLike,
  options?: Options | Encoding,
) => Instance) & {
  readonly prototype: Instance;
};

export interface StreamFace {
  /** With `fd`, `path` is not looked at. */
  createReadStream(path: PathLike, options?: ReadStreamOptions | Encoding): ReadStream;
  createWriteStream(path: PathLike, options?: WriteStreamOptions | Encoding): WriteStream;
  readonly ReadStream: StreamClass<ReadStream, ReadStreamOptions>;
  readonly WriteStream: StreamClass<WriteStream, WriteStreamOptions>;
  readonly FileReadStream: StreamClass<ReadStream, ReadStreamOptions>;
  readonly FileWriteStream: StreamClass<WriteStream, WriteStreamOptions>;
  readonly Utf8Stream: new (options?: object) => Utf8Stream;
}
