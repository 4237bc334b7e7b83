/**
 * readFile: a whole file as bytes or text.
 *
 * One job object per call holds the progress (opened, bytes so far), so that a call that had to wait for a store goes on
 * where it stopped. Small texts are read into a scratch buffer and decoded from there.
 */
import { EBADF, EOPNOTSUPP } from "../../base/errno.ts";
import { keepShape } from "../../base/shapes.ts";
import { O_RDONLY, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import { type Path, STAT_MODE, STAT_SIZE, type Syscalls } from "../../vfs/syscalls.ts";
import {
  allocBytes,
  asBuffer,
  concatBytes,
  decodeBytes,
  decodeUtf8,
  decodeUtf8Range,
  MIN_ASCII_TEST_BYTES,
} from "../encoding.ts";
import { argTypeError, argValueError, fileTooLargeError } from "../errors.ts";
import { toFlags } from "../flags.ts";
import { toPath } from "../paths.ts";
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
import type { NameEncoding } from "./names-encoding.ts";
import { returnScratch, takeScratch } from "./scratch.ts";

const DEFAULTS: CommonOptions = Object.freeze({ flag: "r" });
/** Step in which files of unknown size are read, bytes. */
const UNKNOWN_SIZE_STEP = 64 * 1024;
const DEFAULT_MODE = 0o666;
/** Up to these sizes one call finds a file's data. */
const SMALL_TEXT_BYTES = 1024 * 1024;
const SMALL_BYTES = 64 * 1024;

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
  const target = asBuffer(buffer as ArrayBufferView);
  if (job.size <= target.byteLength) return target;
  throw argValueError(userBufferName(job), target.byteLength, `is smaller than the file size of ${job.size} bytes`);
}

function special(errno: number, error: Error): SpecialFailure {
  return new SpecialFailure(errno, "read", () => error);
}

class ReadFile {
  readonly #sys: Syscalls;

  constructor(sys: Syscalls) {
    this.#sys = sys;
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

  #open(job: ReadFileJob): Failure | undefined {
    if (job.fd >= 0 || job.path === undefined) return undefined;
    const fd = this.#sys.open(job.path, job.flags, DEFAULT_MODE);
    if (fd < 0) return failed(this.#sys, fd, "open", job.path);
    job.fd = fd;
    return undefined;
  }

  #look(job: ReadFileJob): Failure | undefined {
    if (job.size >= 0) return undefined;
    const rc = this.#sys.fstat(job.fd);
    if (rc < 0) return failed(this.#sys, rc, "fstat", job.shownPath);
    const { statValues } = this.#sys;
    const size = (statValues[STAT_MODE] & S_IFMT) === S_IFREG ? statValues[STAT_SIZE] : 0;
    if (size > IO_MAX_BYTES) return special(0, fileTooLargeError(size));
    job.size = size;
    try {
      if (job.userBuffer !== undefined) job.target = claimUserBuffer(job);
      else if (size > 0) job.target = allocBytes(size);
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
    for (;;) {
      const piece = allocBytes(UNKNOWN_SIZE_STEP);
      const count = this.#sys.read(fd, piece, 0, UNKNOWN_SIZE_STEP, -1);
      if (count < 0) return failed(this.#sys, count, "read", job.shownPath);
      if (count === 0) return undefined;
      job.pieces.push(piece.subarray(0, count));
      job.filled += count;
    }
  }
}

function finish(job: ReadFileJob): string | Uint8Array {
  const { target, filled, encoding } = job;
  const whole = target ?? concatBytes(job.pieces, filled);
  const bytes = filled < whole.length ? whole.subarray(0, filled) : whole;
  return encoding ? decodeBytes(bytes, encoding) : bytes;
}

/** Reads whole files at once, with no job to keep: the two common results of the synchronous form. */
class QuickRead {
  readonly #sys: Syscalls;

  constructor(sys: Syscalls) {
    this.#sys = sys;
  }

  /** Text of a file by its name. */
  smallText(path: Path): string {
    const found = this.#sys.findSmall(path, SMALL_TEXT_BYTES);
    // Fast paths: same result.
    if (found >= MIN_ASCII_TEST_BYTES) return decodeUtf8Range(this.#sys.bytesFound(found), found);
    if (found >= 0) return this.#sys.textFound(found);
    if (found !== -EOPNOTSUPP) throw uvException(found, "open", path);
    return this.text(undefined, path, O_RDONLY);
  }

  /** Bytes of a small file by its name. @returns undefined when it is no such file */
  smallBytes(path: Path): Uint8Array | undefined {
    const found = this.#sys.findSmall(path, SMALL_BYTES);
    if (found === -EOPNOTSUPP) return undefined;
    if (found < 0) throw uvException(found, "open", path);
    const target = allocBytes(found); // Fast path: same result.
    this.#sys.copyFound(target, found);
    return target;
  }

  /** @param fd the caller's own descriptor, or undefined to open `path` */
  text(fd: number | undefined, path: Path, flags: number): string {
    const file = fd ?? this.#open(path, flags);
    const scratch = takeScratch(0);
    let filled = 0;
    for (;;) {
      const count = file < 0 ? -EBADF : this.#sys.read(file, scratch, filled, scratch.length - filled, -1);
      if (count < 0) this.#fail(fd, file, count, "read");
      if (count === 0) break;
      filled += count;
      if (filled === scratch.length) return this.#longText(fd, file, scratch);
    }
    if (fd === undefined) this.#close(file);
    const text = decodeUtf8Range(scratch, filled);
    returnScratch(scratch);
    return text;
  }

  /** Goes on after a full scratch buffer: with the rest at once when the size is known. */
  #longText(fd: number | undefined, file: number, head: Uint8Array): string {
    const size = this.#expectedSize(fd, file);
    const restBytes = Math.max(0, size - head.length);
    const pieces = [head];
    if (restBytes > 0) {
      const rest = allocBytes(restBytes);
      const count = this.#sys.read(file, rest, 0, restBytes, -1);
      if (count < 0) this.#fail(fd, file, count, "read");
      pieces.push(rest.subarray(0, count));
    }
    const whole = this.#rest(fd, file, pieces);
    if (fd === undefined) this.#close(file);
    returnScratch(head);
    return decodeUtf8(whole);
  }

  /** Reads until nothing comes, and joins it to what was read before. */
  #rest(fd: number | undefined, file: number, pieces: Uint8Array[]): Uint8Array {
    let step = takeScratch(0);
    for (;;) {
      const count = this.#sys.read(file, step, 0, step.length, -1);
      if (count < 0) this.#fail(fd, file, count, "read");
      if (count === 0) break;
      pieces.push(step.subarray(0, count));
      step = allocBytes(UNKNOWN_SIZE_STEP);
    }
    let size = 0;
    for (const piece of pieces) size += piece.length;
    const whole = concatBytes(pieces, size);
    returnScratch(step);
    return whole;
  }

  #open(path: Path, flags: number): number {
    const fd = this.#sys.open(path, flags, DEFAULT_MODE);
    if (fd < 0) throw uvException(fd, "open", path);
    return fd;
  }

  #expectedSize(fd: number | undefined, file: number): number {
    const rc = this.#sys.fstat(file);
    if (rc < 0) this.#fail(fd, file, rc, "fstat");
    const { statValues } = this.#sys;
    const size = (statValues[STAT_MODE] & S_IFMT) === S_IFREG ? statValues[STAT_SIZE] : 0;
    if (size <= IO_MAX_BYTES) return size;
    if (fd === undefined) this.#sys.close(file);
    throw fileTooLargeError(size);
  }

  #close(file: number): void {
    const rc = this.#sys.close(file);
    if (rc < 0) throw uvException(rc, "close");
  }

  #fail(fd: number | undefined, file: number, rc: number, syscall: string): never {
    if (fd === undefined) this.#sys.close(file);
    throw uvException(rc, syscall);
  }
}

/** readFile on the system calls of a task. */
export function readFileOperations(sys: Syscalls) {
  const reader = new ReadFile(sys);
  const quick = new QuickRead(sys);

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
      return showingPath(new ReadFileJob(name, toFlags(given.flag || "r"), given));
    },
    commit: (job) => reader.run(job),
  };

  function readFileSync(file: unknown, options?: unknown): string | Uint8Array {
    if (typeof file === "string") {
      // Fast path: same result.
      if (options === "utf8" || options === "utf-8") return quick.smallText(toPath(file));
      const bytes = options === undefined || options === null ? quick.smallBytes(toPath(file)) : undefined;
      if (bytes !== undefined) return bytes;
    }
    return readOther(file, toReadFileOptions(options));
  }

  function readOther(file: unknown, options: CommonOptions): string | Uint8Array {
    const { encoding, flag } = options;
    if ((encoding === "utf8" || encoding === "utf-8") && options.buffer === undefined) {
      if (isInt32(file)) return quick.text(file, "", toFlags(flag));
      const path = toPath(file);
      const flags = toFlags(flag);
      return flags === O_RDONLY ? quick.smallText(path) : quick.text(undefined, path, flags);
    }
    const job = isInt32(file) ? new ReadFileJob(checkFd(file), 0, options) : readFileJobByPath(file, flag, options);
    const outcome = reader.run(job);
    if (!(outcome instanceof Failure)) return outcome;
    job.abandon?.();
    throw outcome.toError();
  }

  return { readFile, readFileSync };
}

/** Node names the file in failures when it does all in one round trip, which it does unless there is a buffer. */
function showingPath(job: ReadFileJob): ReadFileJob {
  if (job.userBuffer === undefined) job.shownPath = job.path;
  return job;
}

/** Node checks the flags before the path here. */
function readFileJobByPath(file: unknown, flag: unknown, options: CommonOptions): ReadFileJob {
  const flags = toFlags(flag);
  return new ReadFileJob(toPath(file), flags, options);
}
