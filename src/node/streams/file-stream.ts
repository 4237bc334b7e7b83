/**
 * What read and write streams over files have in common: what they are opened on, how they open and close, and whom they
 * call for it.
 *
 * A stream calls the functions of an object: the `fs` of its options, the calls of a FileHandle, or else the face itself,
 * looked up at each call, so that what a program has put in place there is called.
 *
 * Does not own: buffering, back pressure and the order of events, which are the library's (library.ts).
 * @see Node 26 documentation of fs.createReadStream() and fs.createWriteStream()
 */
import { argTypeError, methodNotImplementedError } from "../errors.ts";
import type { OpenFile } from "../open-file.ts";
import { fromFileUrl, isUrl, toPath } from "../paths.ts";
import { type CommonOptions, checkCallback, checkFdArgument, checkInteger, toOptions } from "../validators.ts";
import { type HandleLike, handleCalls } from "./handle-calls.ts";
import type { LibraryState, LibraryStream } from "./library.ts";

type Done = (error?: unknown) => void;
type IoDone = (error: { code?: string } | null, bytes: number, data: never) => void;

/** What a stream calls. Which of these must be there is told by its kind and its options. */
export interface StreamCalls {
  open(path: unknown, flags: unknown, mode: unknown, callback: (error: unknown, fd: number) => void): void;
  close(fd: number, callback: Done): void;
  fsync(fd: number, callback: Done): void;
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: unknown, callback: IoDone): void;
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: unknown, callback: IoDone): void;
  writev(fd: number, buffers: Uint8Array[], position: unknown, callback: IoDone): void;
}

/** Options of both kinds. Those of the library pass through. */
export interface StreamOptions extends CommonOptions {
  fd?: unknown;
  fs?: StreamCalls;
  flags?: unknown;
  start?: unknown;
  end?: unknown;
  autoClose?: unknown;
  autoDestroy?: unknown;
  highWaterMark?: unknown;
}

// The descriptions are Node's, since util.inspect shows them.
export const kFs = Symbol("kFs");
const kHandle = Symbol("kHandle");
export const kIsPerformingIO = Symbol("kIsPerformingIO");
/** Emitted when a call that a destroyed stream had under way has come back. */
export const kIoDone = Symbol("kIoDone");

/** A stream over a file. */
export interface FileStream extends LibraryStream {
  fd: number | null;
  path?: unknown;
  flags?: unknown;
  mode?: unknown;
  start?: number | undefined;
  /** Position of the next byte in the file; undefined = the file's own. */
  pos?: number | undefined;
  /** Put there by programs that open the file themselves. */
  open?: unknown;
  [kFs]: StreamCalls;
  [kHandle]?: HandleLike;
  [kIsPerformingIO]: boolean;
}

/** What streams of a face belong to. */
export interface StreamOwner {
  /** The face, as the program has it. */
  readonly face: () => StreamCalls;
  /** The open file of a FileHandle; undefined for what is none. */
  readonly fileOf: (value: unknown) => OpenFile | undefined;
}

/**
 * Options as they are given, in an object of the stream's own.
 *
 * @throws ERR_INVALID_ARG_TYPE for what are no options, ERR_INVALID_ARG_VALUE for no encoding
 */
export function ownOptions(options: unknown): StreamOptions {
  const given = toOptions(options);
  const own: StreamOptions = {};
  for (const key in given) own[key] = given[key]; // with what options inherit
  return own;
}

/** @throws ERR_INVALID_ARG_TYPE for what is no function */
export function checkCall(calls: Partial<StreamCalls>, name: keyof StreamCalls): void {
  checkCallback(calls[name], `options.fs.${name}`);
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE for what is no position in a file, bytes */
export function checkPosition(position: unknown, name: string): asserts position is number {
  checkInteger(position, name, 0);
}

/**
 * Notes what the stream is over: an open file, or a path and how to open it.
 *
 * @param flags when the options name none
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE for a descriptor; ERR_METHOD_NOT_IMPLEMENTED for a FileHandle with other
 *   functions; as toPath()
 */
export function takeTarget(
  stream: FileStream,
  owner: StreamOwner,
  path: unknown,
  options: StreamOptions,
  flags: string,
): void {
  if (options.fd !== undefined && options.fd !== null) {
    stream.fd = checkFdArgument(takeOpenFile(stream, owner, options));
  } else {
    stream.fd = null;
    stream[kFs] = options.fs || owner.face();
    checkCall(stream[kFs], "open");
    stream.path = isUrl(path) ? fromFileUrl(path) : path;
    stream.flags = options.flags === undefined ? flags : options.flags;
    stream.mode = options.mode === undefined ? 0o666 : options.mode;
    toPath(stream.path);
  }
  options.autoDestroy = options.autoClose === undefined ? true : options.autoClose;
}

/** @returns what is to be a descriptor */
function takeOpenFile(stream: FileStream, owner: StreamOwner, options: StreamOptions): unknown {
  const { fd } = options;
  if (typeof fd === "number") {
    stream[kFs] = options.fs || owner.face();
    return fd;
  }
  const file = owner.fileOf(fd);
  if (file === undefined) throw argTypeError("options.fd", ["number", "FileHandle"], fd);
  if (options.fs) throw methodNotImplementedError("FileHandle with fs");
  const handle = fd as HandleLike;
  stream[kHandle] = handle;
  stream[kFs] = handleCalls(handle, file);
  return handle.fd;
}

/**
 * Holds the handle that a stream is over, and closes the stream with it. The last step of making one: Node takes its
 * reference first, and a handle whose stream is then refused can never be closed.
 */
export function holdHandle(stream: FileStream, owner: StreamOwner): void {
  const handle = stream[kHandle];
  if (handle === undefined) return;
  (owner.fileOf(handle) as OpenFile).get("open", holdHandle);
  handle.on("close", (stream as unknown as { close(): void }).close.bind(stream));
}

/** Opens what is not open yet, and says so. The library waits for `callback` with all else. */
function openFile(stream: FileStream, callback: Done): void {
  if (typeof stream.fd === "number") callback();
  else if (typeof stream.open === "function") openByProgram(stream, callback);
  else {
    stream[kFs].open(stream.path, stream.flags, stream.mode, (error, fd) => {
      if (error) {
        callback(error);
        return;
      }
      stream.fd = fd;
      callback();
      stream.emit("open", fd);
      stream.emit("ready");
    });
  }
}

/** Programs that have an `open` of their own set `fd` and emit `open`, or emit `error`: as long as it takes, we listen. */
function openByProgram(stream: FileStream, callback: Done): void {
  const { emit } = stream;
  stream.emit = (event, ...args) => {
    if (event === "open" || event === "error") stream.emit = emit;
    if (event === "error") {
      callback(args[0]);
      return true;
    }
    if (event === "open") callback();
    return emit.call(stream, event, ...args);
  };
  (stream.open as () => void)();
}

/** Runs `end` once no call is under way. @param error what the stream was destroyed by */
export function afterIo(stream: FileStream, error: unknown, end: (error: unknown) => void): void {
  if (stream[kIsPerformingIO]) stream.once(kIoDone, ((late: unknown) => end(error || late)) as never);
  else end(error);
}

/** Closes the descriptor, if the stream has one. @param error what the stream ends by */
export function closeFile(stream: FileStream, error: unknown, callback: Done): void {
  const { fd } = stream;
  if (typeof fd !== "number") {
    callback(error);
    return;
  }
  stream[kFs].close(fd, (failure) => callback(failure || error));
  stream.fd = null;
}

/** Accessors of both kinds. @param state the library's name for its state */
function defineAccessors(prototype: object, state: "_readableState" | "_writableState"): void {
  type Holder = { [name in typeof state]: LibraryState };
  Object.defineProperty(prototype, "autoClose", {
    get(this: Holder) {
      return this[state].autoDestroy;
    },
    set(this: Holder, value: boolean) {
      this[state].autoDestroy = value;
    },
  });
}

/** Has a class of streams over files stand on one of the library's. @param state the library's name for its state */
export function extendLibrary(
  Class: { prototype: object },
  Base: { prototype: object },
  state: "_readableState" | "_writableState",
): void {
  Object.setPrototypeOf(Class.prototype, Base.prototype);
  Object.setPrototypeOf(Class, Base);
  defineAccessors(Class.prototype, state);
  Object.assign(Class.prototype, {
    _construct(this: FileStream, callback: Done) {
      openFile(this, callback);
    },
  });
}

/** `pending`: whether the file is not open yet, or no more. */
export function definePending(prototype: object): void {
  Object.defineProperty(prototype, "pending", {
    get(this: FileStream) {
      return this.fd === null;
    },
    configurable: true,
  });
}
