/**
 * ReadStream: a file, or a range of it, as a readable stream.
 *
 * Each read has memory of its own, which goes out with the data; what a read leaves unfilled is not kept alive by a few
 * bytes of it.
 * @see Node 26 documentation of fs.ReadStream and fs.createReadStream()
 */
import { outOfRangeError } from "../errors.ts";
import { NodeBuffer } from "../platform.ts";
import { withinForm } from "../stacks.ts";
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
  type StreamOwner,
  takeTarget,
} from "./file-stream.ts";
import type { LibraryState, StreamLibrary } from "./library.ts";

const DEFAULT_HIGH_WATER_MARK_BYTES = 65536;

/** A stream that reads a file. */
export interface ReadStream extends FileStream {
  /** Last byte that is read. */
  end: number;
  bytesRead: number;
  push(chunk: Uint8Array | null): boolean;
  setEncoding(encoding: string): this;
  readonly _readableState: LibraryState;
}

export type ReadStreamClass = ((path?: unknown, options?: unknown) => ReadStream) & {
  new (path?: unknown, options?: unknown): ReadStream;
  prototype: ReadStream & Record<string, unknown>;
};

/** Memory of the last read that brought little or nothing: that of the next, which is often one at the end of a file. */
let spare: Uint8Array | undefined;

function bytesToReadInto(size: number): Uint8Array {
  if (spare?.length === size) {
    const bytes = spare;
    spare = undefined;
    return bytes;
  }
  return NodeBuffer?.allocUnsafeSlow(size) ?? new Uint8Array(size);
}

/** What was read, without memory that was not. */
function filledPart(bytes: Uint8Array, length: number): Uint8Array {
  if (length === bytes.length) return bytes;
  const part = NodeBuffer?.allocUnsafeSlow(length) ?? new Uint8Array(length);
  part.set(bytes.subarray(0, length));
  spare = bytes;
  return part;
}

/** Ends by an error as the library would: destroyed if it is to be, else told. */
function fail(stream: ReadStream, error: unknown): void {
  const state = stream._readableState;
  if (state.autoDestroy) {
    stream.destroy(error);
    return;
  }
  state.errored ??= error;
  if (state.errorEmitted) return;
  state.errorEmitted = true;
  stream.emit("error", error);
}

/** Bytes that are left of the range. */
function bytesLeft({ pos, end, bytesRead }: ReadStream): number {
  return pos === undefined ? end - bytesRead + 1 : end - pos + 1;
}

function readSome(stream: ReadStream, wanted: number): void {
  const size = Math.min(bytesLeft(stream), wanted);
  if (size <= 0) {
    stream.push(null);
    return;
  }
  const bytes = bytesToReadInto(size);
  stream[kIsPerformingIO] = true;
  stream[kFs].read(stream.fd as number, bytes, 0, size, stream.pos, (error, bytesRead) => {
    stream[kIsPerformingIO] = false;
    // Who destroyed it waits for this before the file is closed.
    if (stream.destroyed) stream.emit(kIoDone, error);
    else if (error) fail(stream, error);
    else pushRead(stream, bytes, bytesRead);
  });
}

function pushRead(stream: ReadStream, bytes: Uint8Array, bytesRead: number): void {
  if (bytesRead <= 0) {
    spare = bytes;
    stream.push(null);
    return;
  }
  if (stream.pos !== undefined) stream.pos += bytesRead;
  stream.bytesRead += bytesRead;
  stream.push(filledPart(bytes, bytesRead));
}

function checkRange(stream: ReadStream): void {
  const { start, end } = stream;
  stream.pos = undefined;
  stream.bytesRead = 0;
  stream[kIsPerformingIO] = false;
  if (start !== undefined) {
    checkPosition(start, "start");
    stream.pos = start;
  }
  if (end === Number.POSITIVE_INFINITY) return;
  checkPosition(end, "end");
  if (start !== undefined && start > end) throw outOfRangeError("start", `<= "end" (here: ${end})`, start);
}

/** The class of a face's read streams, to be called with `new` or without. */
export function readStreamClass(library: StreamLibrary, owner: StreamOwner) {
  const { Readable } = library;

  /** @throws as takeTarget(); for missing functions; ERR_OUT_OF_RANGE for the range */
  function begin(stream: ReadStream, path: unknown, given: unknown): ReadStream {
    const options = ownOptions(given);
    if (options.highWaterMark === undefined) options.highWaterMark = DEFAULT_HIGH_WATER_MARK_BYTES;
    takeTarget(stream, owner, path, options, "r");
    checkCall(stream[kFs], "read");
    if (options.autoDestroy) checkCall(stream[kFs], "close");
    stream.start = options.start as number | undefined;
    stream.end = options.end === undefined ? Number.POSITIVE_INFINITY : (options.end as number);
    checkRange(stream);
    Readable.call(stream, options);
    if (options.encoding) stream.setEncoding(options.encoding);
    holdHandle(stream, owner);
    return stream;
  }

  function ReadStream(this: unknown, path: unknown, options: unknown): ReadStream | undefined {
    const self = this instanceof ReadStream ? (this as unknown as ReadStream) : Object.create(ReadStream.prototype);
    withinForm(ReadStream, () => begin(self, path, options));
    return self;
  }
  const prototype = ReadStream.prototype as ReadStream & Record<string, unknown>;
  extendLibrary(ReadStream, Readable, "_readableState");
  // Members of classes have no names in Node either: they were given one by one.
  prototype._read = function (this: ReadStream, size: number) {
    readSome(this, size);
  };
  prototype._destroy = function (this: ReadStream, error: unknown, callback: (error?: unknown) => void) {
    afterIo(this, error, (failure) => closeFile(this, failure, callback));
  };
  prototype.close = function (this: ReadStream, callback?: unknown) {
    if (typeof callback === "function") library.finished(this, callback as (error?: unknown) => void);
    this.destroy();
  };
  definePending(prototype);

  return { ReadStream: ReadStream as unknown as ReadStreamClass, begin };
}
