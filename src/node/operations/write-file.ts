/**
 * writeFile and appendFile: a whole file from bytes or text.
 *
 * Does not own: iterables and streams as data, which only promises take (promises.ts).
 */
import { EBADF, EFAULT, EIO, EOPNOTSUPP } from "../../base/errno.ts";
import { keepShape } from "../../base/shapes.ts";
import { O_CREAT, O_TRUNC, O_WRONLY } from "../../base/stat-flags.ts";
import { byteLengthOf, bytesOf } from "../../base/views.ts";
import type { Path, Syscalls } from "../../vfs/syscalls.ts";
import { encodeText, encodeUtf8Into, saysUtf8 } from "../encoding.ts";
import { toFlags } from "../flags.ts";
import { toPath } from "../paths.ts";
import { fromCaller, type Origin } from "../stacks.ts";
import type { Operation } from "../surfaces.ts";
import { type Failure, failed, uvException, writeException } from "../uv-errors.ts";
import {
  type CommonOptions,
  checkBoolean,
  checkCallback,
  checkFd,
  checkFdArgument,
  checkString,
  isInt32,
  toFileMode,
  toOptions,
} from "../validators.ts";
import { wholeBytes } from "../views.ts";
import { MAX_SCRATCH_BYTES, returnScratch, takeScratch } from "./scratch.ts";

const DEFAULT_MODE = 0o666;
const WRITE_DEFAULTS: CommonOptions = Object.freeze({ encoding: "utf8", mode: DEFAULT_MODE, flag: "w", flush: false });
const APPEND_DEFAULTS: CommonOptions = Object.freeze({ encoding: "utf8", mode: DEFAULT_MODE, flag: "a" });
const CREATE_FLAGS = O_TRUNC | O_CREAT | O_WRONLY;
/** UTF-8 needs at most this many bytes for one UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

/** A whole-file write under way: committing again goes on behind the bytes written. */
export class WriteFileJob {
  /** undefined when the caller's own descriptor is written. */
  readonly path: Path | undefined;
  readonly flags: number;
  readonly mode: number;
  readonly bytes: Uint8Array;
  /** Of `bytes` at first: what a store has been asked for by then it answers, whatever becomes of the buffer. */
  readonly length: number;
  readonly flush: boolean;
  readonly signal: AbortSignal | undefined;
  fd = -1;
  written = 0;
  /** The asynchronous forms write even nothing to a descriptor, and so find out that it is bad. */
  writesNothing = false;
  /** Set while waiting for a store: lets go of the file when the call is given up. */
  abandon: (() => void) | undefined = undefined;

  constructor(file: Path | number, flags: number, mode: number, bytes: Uint8Array, options: CommonOptions) {
    this.path = typeof file === "number" ? undefined : file;
    if (typeof file === "number") this.fd = file;
    this.flags = flags;
    this.mode = mode;
    this.bytes = bytes;
    this.length = bytes.length;
    this.flush = options.flush === true;
    this.signal = options.signal;
  }
}

keepShape(new WriteFileJob("", 0, 0, new Uint8Array(0), { encoding: "utf8" }));

/** Options checked in Node's order: the common ones, flush, mode. */
export function toWriteFileOptions(options: unknown): CommonOptions {
  const given = toOptions(options, WRITE_DEFAULTS);
  checkBoolean(given.flush ?? false, "options.flush");
  toFileMode(given.mode, "mode", DEFAULT_MODE);
  return given;
}

/** Options of appendFile as those of the writeFile it comes down to. */
export function toAppendFileOptions(options: unknown, isFd: boolean): CommonOptions {
  const given = toOptions(options, APPEND_DEFAULTS);
  toFileMode(given.mode, "mode", DEFAULT_MODE);
  const copy = { ...given }; // asks for each option once
  copy.flag = isFd ? "a" : copy.flag || "a";
  return copy;
}

/**
 * Data as bytes.
 *
 * @param atOnce Node writes it in one round trip, and then takes a view for what it is, not for what it says it is
 * @throws ERR_INVALID_ARG_TYPE for anything but text and views
 */
export function toBytes(data: unknown, encoding: string | null | undefined, atOnce: boolean): Uint8Array {
  if (ArrayBuffer.isView(data)) return atOnce ? bytesOf(data) : wholeBytes(data);
  checkString(data, "data");
  return encodeText(data, encoding || "utf8");
}

class WriteFile {
  readonly #sys: Syscalls;

  constructor(sys: Syscalls) {
    this.#sys = sys;
  }

  /** Opens, writes, flushes, closes: whatever is still to do. */
  run(job: WriteFileJob): undefined | Failure {
    const failure = this.#open(job) ?? this.#write(job) ?? this.#flush(job);
    if (failure?.token !== undefined) {
      job.abandon = () => void (job.path !== undefined && job.fd >= 0 && this.#sys.close(job.fd));
      return failure;
    }
    if (job.path !== undefined && job.fd >= 0) {
      const rc = this.#sys.close(job.fd);
      if (failure === undefined && rc < 0) return failed(this.#sys, rc, "close");
    }
    return failure;
  }

  #open(job: WriteFileJob): undefined | Failure {
    if (job.fd >= 0 || job.path === undefined) return undefined;
    const fd = this.#sys.open(job.path, job.flags, job.mode);
    if (fd < 0) return failed(this.#sys, fd, "open", job.path);
    job.fd = fd;
    return undefined;
  }

  #write(job: WriteFileJob): undefined | Failure {
    const { bytes } = job;
    while (job.written < job.length || job.writesNothing) {
      const count = this.#sys.write(job.fd, bytes, job.written, job.length - job.written, -1);
      // A store that takes nothing and gives no reason must not hold us for ever.
      if (count < 0) return failed(this.#sys, count, "write");
      if (count === 0 && job.length > 0) return failed(this.#sys, -EIO, "write");
      job.written += count;
      job.writesNothing = false;
    }
    return undefined;
  }

  #flush(job: WriteFileJob): undefined | Failure {
    if (!job.flush) return undefined;
    const rc = this.#sys.fsync(job.fd);
    return rc < 0 ? failed(this.#sys, rc, "fsync") : undefined;
  }
}

/** The job of the callback form, which takes descriptors as well. */
function writeJob(file: unknown, data: unknown, options: CommonOptions): WriteFileJob {
  const bytes = toBytes(data, options.encoding, !isInt32(file) && options.flush !== true);
  if (!isInt32(file)) return writeJobByPath(file, bytes, options);
  const job = new WriteFileJob(checkFdArgument(file), 0, 0, bytes, options);
  job.writesNothing = bytes.length === 0;
  return job;
}

function writeJobByPath(file: unknown, bytes: Uint8Array, options: CommonOptions): WriteFileJob {
  if (options.signal?.aborted) return new WriteFileJob("", 0, 0, bytes, options);
  const mode = toFileMode(options.mode, "mode", DEFAULT_MODE);
  if (options.flush === true) {
    const flags = toFlags(options.flag || "w");
    return new WriteFileJob(toPath(file), flags, mode, bytes, options);
  }
  const path = toPath(file);
  return new WriteFileJob(path, toFlags(options.flag || "w", "options.flag"), mode, bytes, options);
}

/** writeFile and appendFile on the system calls of a task. */
export function writeFileOperations(sys: Syscalls) {
  const writer = new WriteFile(sys);

  const writeFile: Operation<WriteFileJob, void> = {
    prepare(callback, file, data, options) {
      checkCallback(callback);
      return writeJob(file, data, toWriteFileOptions(options));
    },
    preparePromise(_callback, file, data, options) {
      const given = toWriteFileOptions(options);
      return writeJobByPath(file, toBytes(data, given.encoding, given.flush !== true), given);
    },
    commit: (job) => writer.run(job),
  };

  const appendFile: Operation<WriteFileJob, void> = {
    prepare(callback, file, data, options) {
      checkCallback(callback);
      return writeJob(file, data, toWriteFileOptions(toAppendFileOptions(options, isInt32(file))));
    },
    commit: (job) => writer.run(job),
  };

  /**
   * Writes the first `length` bytes, or as many as there are, and closes; on failure closes and throws.
   *
   * @param isText Node's native path for text has its own error shape
   */
  function writeAndClose(
    fd: number,
    isOwn: boolean,
    bytes: Uint8Array,
    length: number,
    isText: boolean,
    form: Origin,
  ): void {
    let written = 0;
    while (written < length) {
      const count = sys.write(fd, bytes, written, length - written, -1);
      if (count <= 0) {
        if (count === -EFAULT && written >= byteLengthOf(bytes)) break;
        if (isOwn) sys.close(fd);
        const errno = count === 0 ? -EIO : count;
        throw isText ? uvException(errno, "write", undefined, undefined, form) : writeException(errno, form);
      }
      written += count;
    }
    if (isOwn) sys.close(fd);
  }

  function writeTextSync(file: unknown, text: string, flags: number, mode: number, form: Origin): void {
    const isFd = isInt32(file);
    const path = isFd ? "" : toPath(file);
    const fd = isFd ? file : sys.open(path, flags, mode);
    if (fd < 0) {
      if (!isFd) throw uvException(fd, "open", path, undefined, form);
      if (text === "") return; // nobody asks about a descriptor that nothing is written to
      throw uvException(-EBADF, "write", undefined, undefined, form);
    }
    const rc = sys.writeText(fd, text);
    if (rc === -EOPNOTSUPP) writeEncoded(fd, !isFd, text, form);
    else {
      if (!isFd) sys.close(fd);
      if (rc < 0) throw uvException(rc, "write", undefined, undefined, form);
    }
  }

  function writeEncoded(fd: number, isOwn: boolean, text: string, form: Origin): void {
    const maxBytes = text.length * MAX_BYTES_PER_UNIT;
    if (maxBytes > MAX_SCRATCH_BYTES) {
      const bytes = encodeText(text, "utf8");
      writeAndClose(fd, isOwn, bytes, bytes.length, true, form);
    } else {
      const scratch = takeScratch(maxBytes);
      const length = encodeUtf8Into(text, scratch);
      writeAndClose(fd, isOwn, scratch, length, true, form);
      returnScratch(scratch);
    }
  }

  function writeBytesSync(path: Path, bytes: Uint8Array): void {
    const fd = sys.open(path, CREATE_FLAGS, DEFAULT_MODE);
    if (fd < 0) throw uvException(fd, "open", path, undefined, writeFileSync);
    writeAndClose(fd, true, bytes, bytes.byteLength, false, writeFileSync);
  }

  function writeFileSync(file: unknown, data: unknown, options?: unknown): void {
    const isPlain = options === undefined && typeof file === "string";
    sys.holdTime();
    try {
      // Fast paths: same result.
      if (isPlain && typeof data === "string") writeTextSync(file, data, CREATE_FLAGS, DEFAULT_MODE, writeFileSync);
      else if (isPlain && data instanceof Uint8Array && ArrayBuffer.isView(data)) writeBytesSync(toPath(file), data);
      else writeOther(file, data, toWriteFileOptions(options), writeFileSync);
    } catch (error) {
      throw fromCaller(error, writeFileSync);
    } finally {
      sys.releaseTime();
    }
  }

  function writeOther(file: unknown, data: unknown, options: CommonOptions, form: Origin): void {
    const isUtf8 = saysUtf8(options.encoding);
    const flag = options.flag || "w";
    if (typeof data === "string" && isUtf8 && options.flush !== true) {
      const path = isInt32(file) ? file : toPath(file);
      writeTextSync(path, data, toFlags(flag), toFileMode(options.mode, "mode", DEFAULT_MODE), form);
      return;
    }
    const bytes = toBytes(data, options.encoding, false);
    const job = toSyncJob(file, flag, bytes, options);
    const outcome = writer.run(job);
    if (outcome === undefined) return;
    job.abandon?.();
    throw outcome.syscall === "write" ? writeException(outcome.errno, form) : outcome.toError(form);
  }

  function toSyncJob(file: unknown, flag: unknown, bytes: Uint8Array, options: CommonOptions): WriteFileJob {
    if (isInt32(file)) {
      if (bytes.length > 0 || options.flush === true) checkFd(file);
      return new WriteFileJob(file, 0, 0, bytes, options);
    }
    const flags = toFlags(flag);
    const mode = toFileMode(options.mode, "mode", DEFAULT_MODE);
    return new WriteFileJob(toPath(file), flags, mode, bytes, options);
  }

  function appendFileSync(file: unknown, data: unknown, options?: unknown): void {
    try {
      writeOther(file, data, toWriteFileOptions(toAppendFileOptions(options, isInt32(file))), appendFileSync);
    } catch (error) {
      throw fromCaller(error, appendFileSync);
    }
  }

  return { writeFile, appendFile, writeFileSync, appendFileSync };
}
