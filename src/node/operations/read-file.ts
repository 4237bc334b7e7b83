/**
 * readFile: a whole file as bytes or text.
 *
 * One job object per call holds the progress (opened, bytes so far), so that a call that had to wait for a store goes on
 * where it stopped. The synchronous form finds small files in one call into the VFS.
 */
import { EOPNOTSUPP } from "../../base/errno.ts";
import { keepShape } from "../../base/shapes.ts";
import { O_RDONLY, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import { partOf } from "../../base/views.ts";
import { type Path, STAT_MODE, STAT_SIZE, type Syscalls } from "../../vfs/syscalls.ts";
import {
  allocBytes,
  asBuffer,
  concatBytes,
  decodeBytes,
  decodeUtf8,
  MIN_ASCII_TEST_BYTES,
  saysUtf8,
} from "../encoding.ts";
import { argTypeError, argValueError, fileTooLargeError, unknownEncodingError } from "../errors.ts";
import { toFlags } from "../flags.ts";
import { toPath } from "../paths.ts";
import { fromCaller } from "../stacks.ts";
import type { Operation } from "../surfaces.ts";
import { Failure, failed, SpecialFailure, uvException } from "../uv-errors.ts";
import {
  type CommonOptions,
  checkBuffer,
  checkCallback,
  checkFd,
  IO_MAX_BYTES,
  isInt32,
  toOptions,
} from "../validators.ts";
import { leastOf } from "../views.ts";
import type { NameEncoding } from "./names-encoding.ts";

const DEFAULTS: CommonOptions = Object.freeze({ flag: "r" });
/** Step in which files of unknown size are read, bytes. */
const UNKNOWN_SIZE_STEP = 64 * 1024;
const DEFAULT_MODE = 0o666;
/** Up to these sizes one call finds a file's data. */
const SMALL_TEXT_BYTES = 1024 * 1024;
const SMALL_BYTES = 64 * 1024;
/**
 * Room for the bytes of a text until it is one. They are of no use afterwards, so the same room serves the next text: a
 * file of 64 KiB whose frames do not lie in one run is read in 4 to 11 instead of 34 us, most of which were page faults.
 */
const TEXT_ROOM_BYTES = 256 * 1024;
/** undefined while it is in use: whoever reads a text meanwhile has room of its own. */
let textRoom: Uint8Array | undefined;

type UserBuffer = ArrayBufferView | ((size: number) => unknown) | undefined;

/** A whole-file read under way. */
export class ReadFileJob {
  /** undefined when the caller's own descriptor is read. */
  readonly path: Path | undefined;
  readonly flags: number;
  readonly encoding: NameEncoding;
  readonly userBuffer: UserBuffer;
  readonly signal: AbortSignal | undefined;
  fd = -1;
  /** Bytes to expect; 0 when unknown, -1 before the file was looked at. */
  size = -1;
  /** Shown in failures of reads: the asynchronous forms have it, the synchronous one does not. */
  shownPath: Path | undefined = undefined;
  /** Node's own way for text, into this room: the size is a guess, and a bad descriptor is found out by the read. */
  textRoom: Uint8Array | undefined = undefined;
  /** Node's own way for promises with a buffer of the caller's: an encoding that is none shows before there is data. */
  decodesPieces = false;
  target: Uint8Array | undefined = undefined;
  filled = 0;
  /** Set while waiting for a store: lets go of the file when the call is given up. */
  abandon: (() => void) | undefined = undefined;
  pieces: Uint8Array[] = [];

  constructor(file: Path | number, flags: number, options: CommonOptions) {
    this.path = typeof file === "number" ? undefined : file;
    if (typeof file === "number") this.fd = file;
    this.flags = flags;
    this.encoding = options.encoding;
    this.userBuffer = options.buffer as UserBuffer;
    this.signal = options.signal;
  }
}

keepShape(new ReadFileJob("", 0, { encoding: null }));

/** Options of readFile, with its defaults. @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
export function toReadFileOptions(options: unknown): CommonOptions {
  const given = toOptions(options, DEFAULTS);
  const { buffer } = given;
  if (buffer !== undefined && typeof buffer !== "function" && !ArrayBuffer.isView(buffer)) {
    throw argTypeError("options.buffer", ["Buffer", "TypedArray", "DataView", "Function"], buffer);
  }
  return given;
}

function userBufferName(job: ReadFileJob): string {
  return typeof job.userBuffer === "function" ? "options.buffer().byteLength" : "options.buffer.byteLength";
}

/** The caller's own buffer, which must hold the file. */
function claimUserBuffer(job: ReadFileJob): Uint8Array {
  let buffer: unknown = job.userBuffer;
  if (typeof buffer === "function") {
    buffer = buffer(job.size);
    checkBuffer(buffer, "options.buffer()");
  }
  const view = buffer as ArrayBufferView;
  const target = asBuffer(view);
  const room = leastOf(view, target);
  if (job.size <= room) return room === target.length ? target : asBuffer(partOf(target, 0, room));
  throw argValueError(userBufferName(job), room, `is smaller than the file size of ${job.size} bytes`);
}

function special(errno: number, error: Error): SpecialFailure {
  return new SpecialFailure(errno, "read", () => error);
}

class ReadFile {
  readonly #sys: Syscalls;

  constructor(sys: Syscalls) {
    this.#sys = sys;
  }

  /** The file by its name in one call, same result as run()'s. @returns undefined when it takes more than that */
  small(job: ReadFileJob): string | Uint8Array | Failure | undefined {
    if (job.fd >= 0 || job.flags !== O_RDONLY || job.userBuffer !== undefined) return undefined;
    const path = job.path as Path;
    const found = this.find(path, job.textRoom !== undefined);
    if (found === -EOPNOTSUPP) return undefined;
    if (typeof found === "number") return failed(this.#sys, found, "open", path);
    return typeof found === "string" ? found : decoded(found, job);
  }

  /** Opens, looks, reads, closes, decodes: whatever is still to do. */
  run(job: ReadFileJob): string | Uint8Array | Failure {
    const failure = this.#open(job) ?? this.#look(job) ?? this.#readAll(job);
    if (failure?.token !== undefined) {
      job.abandon = () => void (job.path !== undefined && job.fd >= 0 && this.#sys.close(job.fd));
      return failure;
    }
    if (job.path !== undefined && job.fd >= 0) {
      const rc = this.#sys.close(job.fd);
      if (failure === undefined && rc < 0) return failed(this.#sys, rc, "close");
    }
    return failure ?? finish(job);
  }

  /** Text or bytes of a small file by its name. @returns -EOPNOTSUPP when it is no such file; what open() answers */
  find(path: Path, isText: boolean): string | Uint8Array | number {
    const size = this.#sys.findSmall(path, isText ? SMALL_TEXT_BYTES : SMALL_BYTES);
    if (size < 0) return size;
    if (isText) return size < MIN_ASCII_TEST_BYTES ? this.#sys.textFound(size) : decodeUtf8(this.#sys.bytesFound(size));
    const target = allocBytes(size);
    this.#sys.copyFound(target, size);
    return target;
  }

  #open(job: ReadFileJob): Failure | undefined {
    if (job.fd >= 0 || job.path === undefined) return undefined;
    const fd = this.#sys.open(job.path, job.flags, DEFAULT_MODE);
    if (fd < 0) return failed(this.#sys, fd, "open", job.path);
    job.fd = fd;
    return undefined;
  }

  #look(job: ReadFileJob): Failure | undefined {
    if (job.size >= 0) return undefined;
    if (job.decodesPieces && job.encoding === "buffer") return special(0, unknownEncodingError("buffer"));
    const rc = this.#sys.fstat(job.fd);
    if (rc < 0) return failed(this.#sys, rc, job.textRoom ? "read" : "fstat", job.shownPath);
    const { statValues } = this.#sys;
    const size = (statValues[STAT_MODE] & S_IFMT) === S_IFREG ? statValues[STAT_SIZE] : 0;
    if (size > IO_MAX_BYTES) return special(0, fileTooLargeError(size));
    job.size = size;
    try {
      if (job.userBuffer !== undefined) job.target = claimUserBuffer(job);
      else if (size > 0 && !job.textRoom) job.target = allocBytes(size);
    } catch (error) {
      return special(0, error as Error);
    }
    return undefined;
  }

  #readAll(job: ReadFileJob): Failure | undefined {
    if (job.target === undefined) return this.#readPieces(job, job.fd);
    const { target } = job;
    const end = job.size > 0 ? job.size : target.byteLength;
    while (job.filled < end) {
      const count = this.#sys.read(job.fd, target, job.filled, end - job.filled, -1);
      if (count < 0) return failed(this.#sys, count, "read", job.shownPath);
      if (count === 0) return undefined;
      job.filled += count;
    }
    return job.size > 0 ? undefined : this.#checkOverflow(job, target);
  }

  /** A file of unknown size must end where the caller's buffer does. */
  #checkOverflow(job: ReadFileJob, target: Uint8Array): Failure | undefined {
    const count = this.#sys.read(job.fd, new Uint8Array(1), 0, 1, -1);
    if (count < 0) return failed(this.#sys, count, "read");
    if (count === 0) return undefined;
    return special(0, argValueError(userBufferName(job), target.byteLength, "is too small to contain the entire file"));
  }

  #readPieces(job: ReadFileJob, fd: number): Failure | undefined {
    let room = job.textRoom;
    for (;;) {
      // One byte more than expected: it shows that there are no others.
      if (!room?.length) room = allocBytes(job.size > job.filled ? job.size - job.filled + 1 : UNKNOWN_SIZE_STEP);
      const count = this.#sys.read(fd, room, 0, room.length, -1);
      if (count < 0) return failed(this.#sys, count, "read", job.shownPath);
      if (count === 0) return undefined;
      job.pieces.push(room.subarray(0, count));
      room = room.subarray(count);
      job.filled += count;
    }
  }
}

function finish(job: ReadFileJob): string | Uint8Array {
  const { target = job.textRoom, filled } = job;
  // A text room that is full may not hold all.
  const whole = target && filled <= target.length ? target : concatBytes(job.pieces, filled);
  return decoded(filled < whole.length ? whole.subarray(0, filled) : whole, job);
}

function decoded(bytes: Uint8Array, { encoding }: ReadFileJob): string | Uint8Array {
  return encoding ? decodeBytes(bytes, encoding) : bytes;
}

/** readFile on the system calls of a task. */
export function readFileOperations(sys: Syscalls) {
  const reader = new ReadFile(sys);

  const readFile: Operation<ReadFileJob, string | Uint8Array> = {
    prepare(callback, file, options) {
      checkCallback(callback);
      const given = toReadFileOptions(options);
      if (isInt32(file)) return new ReadFileJob(checkFd(file), 0, given);
      // An aborted call ends before its path is looked at.
      if (given.signal?.aborted) return new ReadFileJob("", 0, given);
      const flags = toFlags(given.flag, "options.flag");
      return showingPath(new ReadFileJob(toPath(file), flags, given));
    },
    preparePromise(_callback, path, options) {
      const given = toReadFileOptions(options);
      if (given.signal?.aborted) return new ReadFileJob("", 0, given);
      const name = toPath(path);
      const job = showingPath(new ReadFileJob(name, toFlags(given.flag || "r"), given));
      job.decodesPieces = job.userBuffer !== undefined;
      return job;
    },
    commit: (job) => reader.small(job) ?? reader.run(job),
  };

  function readFileSync(file: unknown, options?: unknown): string | Uint8Array {
    let isTried = false;
    if (typeof file === "string") {
      // Fast paths: same result.
      const isText = saysUtf8(options);
      const isBytes = options === undefined || options === null;
      if (isText || isBytes) {
        const path = toPath(file, "path", readFileSync);
        const found = reader.find(path, isText);
        if (typeof found !== "number") return found;
        if (found !== -EOPNOTSUPP) throw uvException(found, "open", path, undefined, readFileSync);
        isTried = true;
      }
    }
    try {
      return readOther(file, toReadFileOptions(options), isTried);
    } catch (error) {
      throw fromCaller(error, readFileSync);
    }
  }

  function readOther(file: unknown, options: CommonOptions, isTried: boolean): string | Uint8Array {
    const { encoding } = options;
    const isText = saysUtf8(encoding) && options.buffer === undefined;
    const job = syncJob(file, options, isText);
    const outcome = (isTried ? undefined : reader.small(job)) ?? reader.run(job);
    textRoom = job.textRoom ?? textRoom;
    if (!(outcome instanceof Failure)) return outcome;
    job.abandon?.();
    throw outcome.toError(readFileSync);
  }

  return { readFile, readFileSync };
}

/** Node names the file in failures when it does all in one round trip, which it does unless there is a buffer. */
function showingPath(job: ReadFileJob): ReadFileJob {
  if (job.userBuffer === undefined) job.shownPath = job.path;
  return job;
}

function syncJob(file: unknown, options: CommonOptions, isText: boolean): ReadFileJob {
  const { flag } = options;
  if (isText) {
    const job = new ReadFileJob(isInt32(file) ? file : toPath(file), toFlags(flag), options);
    job.textRoom = textRoom ?? allocBytes(TEXT_ROOM_BYTES);
    textRoom = undefined;
    return job;
  }
  if (isInt32(file)) return new ReadFileJob(checkFd(file), 0, options);
  const flags = toFlags(flag); // before the path, in Node
  return new ReadFileJob(toPath(file), flags, options);
}
