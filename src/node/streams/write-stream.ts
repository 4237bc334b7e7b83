/**
 * WriteStream: a file that is written as a writable stream.
 *
 * @see Node 26 documentation of fs.WriteStream and fs.createWriteStream()
 */
import { argTypeError, emptyWritesError, streamDestroyedError } from "../errors.ts";
import { nextTick } from "../platform.ts";
import { withinForm } from "../stacks.ts";
import { checkBoolean } from "../validators.ts";
import {
  afterIo,
  checkCall,
  checkPosition,
  closeFile,
  definePending,
  extendLibrary,
  type FileStream,
  holdHandle,
  kFs,
  kIoDone,
  kIsPerformingIO,
  ownOptions,
  type StreamCalls,
  type StreamOptions,
  type StreamOwner,
  takeTarget,
} from "./file-stream.ts";
import type { LibraryState, StreamLibrary } from "./library.ts";

/** Writes in a row that may bring nothing. */
const MAX_EMPTY_WRITES = 5;

/** A stream that writes a file. */
export interface WriteStream extends FileStream {
  bytesWritten: number;
  /** Whether the file is flushed before it is closed. */
  flush: boolean;
  autoClose: boolean;
  end(): this;
  setDefaultEncoding(encoding: string): this;
  readonly _writableState: LibraryState;
}

export type WriteStreamClass = ((path?: unknown, options?: unknown) => WriteStream) & {
  new (path?: unknown, options?: unknown): WriteStream;
  prototype: WriteStream & Record<string, unknown>;
};

type Done = (error?: unknown) => void;
type Chunk = { readonly chunk: Uint8Array };

/** One function of the two is enough. With `writev` alone Node fails at the first chunk that comes by itself; not so here. */
function takeWriteCalls(stream: WriteStream, { autoDestroy, flush }: StreamOptions): void {
  const calls: Partial<StreamCalls> = stream[kFs];
  if (!calls.write && !calls.writev) throw argTypeError("options.fs.write", "function", calls.write);
  if (calls.write) checkCall(calls, "write");
  if (calls.writev) checkCall(calls, "writev");
  if (autoDestroy) checkCall(calls, "close");
  stream.flush = (flush ?? false) as boolean;
  checkBoolean(stream.flush, "options.flush");
  if (stream.flush) checkCall(calls, "fsync");
  if (!calls.writev) (stream as { _writev?: null })._writev = null;
}

function writerOf(calls: Partial<StreamCalls>): "write" | "writev" {
  return calls.write ? "write" : "writev";
}

/** Writes of one chunk, or of several at once, until all bytes are there. */
class WholeWrite {
  readonly #stream: WriteStream;
  readonly #name: "write" | "writev";
  readonly #done: Done;
  #buffers: Uint8Array[];
  #left: number;
  #pos: number | undefined;
  #emptyWrites = 0;

  constructor(stream: WriteStream, name: "write" | "writev", buffers: Uint8Array[], size: number, done: Done) {
    this.#stream = stream;
    this.#name = name;
    this.#buffers = buffers;
    this.#left = size;
    this.#pos = stream.pos;
    this.#done = done;
  }

  go(): void {
    const calls: StreamCalls = this.#stream[kFs];
    const fd = this.#stream.fd as number;
    const onDone = (error: { code?: string } | null, bytes: number): void => this.#goOn(error, bytes);
    if (this.#name === "writev") calls.writev(fd, this.#buffers, this.#pos, onDone);
    else calls.write(fd, this.#buffers[0], 0, this.#left, this.#pos, onDone);
  }

  #goOn(error: { code?: string } | null, bytesWritten: number): void {
    const isBusy = error?.code === "EAGAIN";
    const bytes = isBusy ? 0 : bytesWritten;
    if (this.#stream.destroyed || (error && !isBusy)) {
      this.#done(isBusy || !error ? streamDestroyedError(this.#name) : error);
      return;
    }
    this.#stream.bytesWritten += bytes;
    this.#emptyWrites = bytes ? 0 : this.#emptyWrites + 1;
    this.#left -= bytes;
    if (this.#pos !== undefined) this.#pos += bytes;
    if (this.#emptyWrites > MAX_EMPTY_WRITES) this.#done(emptyWritesError());
    else if (this.#left > 0) {
      this.#buffers = withoutFirst(this.#buffers, bytes);
      this.go();
    } else this.#done();
  }
}

/** What is left of buffers when `count` bytes are gone. */
function withoutFirst(buffers: Uint8Array[], count: number): Uint8Array[] {
  let gone = 0;
  let rest = count;
  while (rest > 0 && rest >= buffers[gone].length) rest -= buffers[gone++].length;
  const left = buffers.slice(gone);
  if (rest > 0) left[0] = left[0].subarray(rest);
  return left;
}

function writeAll(
  stream: WriteStream,
  name: "write" | "writev",
  buffers: Uint8Array[],
  size: number,
  done: Done,
): void {
  stream[kIsPerformingIO] = true;
  const end: Done = (error) => {
    stream[kIsPerformingIO] = false;
    done(error);
    if (stream.destroyed) stream.emit(kIoDone, error);
  };
  new WholeWrite(stream, name, buffers, size, end).go();
  if (stream.pos !== undefined) stream.pos += size;
}

function endFile(stream: WriteStream, error: unknown, callback: Done): void {
  if (!stream.flush || typeof stream.fd !== "number") closeFile(stream, error, callback);
  else stream[kFs].fsync(stream.fd, (failure) => closeFile(stream, error || failure, callback));
}

/** The class of a face's write streams, to be called with `new` or without. */
export function writeStreamClass({ Writable }: StreamLibrary, owner: StreamOwner) {
  /** @throws as takeTarget(); for missing functions; ERR_INVALID_ARG_TYPE for `flush`; for `start` */
  function begin(stream: WriteStream, path: unknown, given: unknown): WriteStream {
    const options = ownOptions(given);
    options.decodeStrings = true;
    takeTarget(stream, owner, path, options, "w");
    takeWriteCalls(stream, options);
    stream.start = options.start as number | undefined;
    stream.pos = undefined;
    stream.bytesWritten = 0;
    stream[kIsPerformingIO] = false;
    if (stream.start !== undefined) {
      checkPosition(stream.start, "start");
      stream.pos = stream.start;
    }
    Writable.call(stream, options);
    if (options.encoding) stream.setDefaultEncoding(options.encoding);
    holdHandle(stream, owner);
    return stream;
  }

  function WriteStream(this: unknown, path: unknown, options: unknown): WriteStream | undefined {
    const self = this instanceof WriteStream ? (this as unknown as WriteStream) : Object.create(WriteStream.prototype);
    withinForm(WriteStream, () => begin(self, path, options));
    return self;
  }
  const prototype = WriteStream.prototype as WriteStream & Record<string, unknown>;
  extendLibrary(WriteStream, Writable, "_writableState");
  // Members of classes have no names in Node either: they were given one by one.
  prototype._write = function (this: WriteStream, chunk: Uint8Array, _encoding: string, done: Done) {
    writeAll(this, writerOf(this[kFs]), [chunk], chunk.length, done);
  };
  prototype._writev = function (this: WriteStream, chunks: Chunk[], done: Done) {
    const buffers = chunks.map(({ chunk }) => chunk);
    const size = buffers.reduce((sum, { length }) => sum + length, 0);
    writeAll(this, "writev", buffers, size, done);
  };
  prototype._destroy = function (this: WriteStream, error: unknown, callback: Done) {
    afterIo(this, error, (failure) => endFile(this, failure, callback));
  };
  prototype.close = function (this: WriteStream, callback?: unknown) {
    if (typeof callback === "function") {
      if (this.closed) {
        (nextTick ?? queueMicrotask)(callback as () => void);
        return;
      }
      this.on("close", callback as () => void);
    }
    // Else nobody would: a finished stream is destroyed only by autoClose.
    if (!this.autoClose) this.on("finish", this.destroy as () => void);
    this.end();
  };
  prototype.destroySoon = Writable.prototype.end;
  definePending(prototype);

  return { WriteStream: WriteStream as unknown as WriteStreamClass, begin };
}
