/**
 * Utf8Stream: a log writer. Text waits in memory until there is enough of it, and goes out in writes of limited length;
 * all of it can be flushed at once, and the file can be opened anew (after a rotation) without losing any.
 *
 * Does not own: its options (utf8-options.ts), its queue (utf8-buffer.ts).
 * @see Node 26 documentation of fs.Utf8Stream; the package sonic-boom, whose behaviour it has
 */
import { argTypeError, invalidStateError, operationFailedError } from "../errors.ts";
import { DISPOSE, nextTick, timeout } from "../platform.ts";
import { captureStack, withinForm } from "../stacks.ts";
import { checkBuffer, checkCallback } from "../validators.ts";
import type { LibraryStream } from "./library.ts";
import { type Piece, Utf8Buffer, withoutBytes } from "./utf8-buffer.ts";
import { toUtf8Options, type Utf8Options } from "./utf8-options.ts";

type Done = (error?: Error | null) => void;

/** The functions that it calls. */
export interface Utf8Calls {
  write(fd: number, data: Piece, encoding: string, callback: (error: Error | null, bytes: number) => void): void;
  writeSync(fd: number, data: Piece, encoding?: string): number;
  fsync(fd: number, callback: Done): void;
  fsyncSync(fd: number): void;
  close(fd: number, callback: Done): void;
  open(
    path: string,
    flags: string,
    mode: number | undefined,
    callback: (error: Error | null, fd: number) => void,
  ): void;
  openSync(path: string, flags: string, mode: number | undefined): number;
  mkdir(path: string, options: object, callback: Done): void;
  mkdirSync(path: string, options: object): void;
}

/** How long to wait before what was busy is tried again, ms. */
const BUSY_MS = 100;
const NO_FD = -1;
const LAST_STANDARD_FD = 2;

const soon = nextTick ?? globalThis.queueMicrotask;
const { clearInterval, setInterval } = globalThis;

function isBusy(error: unknown): boolean {
  return ["EAGAIN", "EBUSY"].includes((error as { code?: string }).code as string);
}

/** Sleeps where a thread may. */
function sleep(ms: number): void {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  } catch {
    // A page's main thread does not sleep: it tries again at once.
  }
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0)) || (path.startsWith("/") ? "/" : ".");
}

interface Emitter extends Pick<LibraryStream, "on" | "once" | "emit"> {
  off(event: string, listener: (...args: never[]) => void): this;
  prependOnceListener(event: string, listener: (...args: never[]) => void): this;
}

/** A Utf8Stream, as programs see it. */
export interface Utf8Stream {
  write(data: unknown): boolean;
  flush(callback?: Done): void;
  flushSync(): void;
  reopen(file?: string): void;
  end(): void;
  destroy(): void;
}

/**
 * The class of a face.
 *
 * @param Emitter the class of emitters that the stream library stands on
 * @param face whose functions are called unless the options have others
 */
export function utf8StreamClass(
  EventEmitter: new () => LibraryStream,
  face: () => object,
): new (
  options?: unknown,
) => Utf8Stream {
  const Parent = EventEmitter as unknown as new () => Emitter;

  class Utf8Stream extends Parent {
    readonly #options: Utf8Options;
    readonly #buffer: Utf8Buffer;
    readonly #timer: unknown;
    #fd = NO_FD;
    #file: string | null = null;
    #isOpening = false;
    #isWriting = false;
    #isReopening = false;
    #isEnding = false;
    #isDestroyed = false;
    #isDrainDue = false;

    constructor(options: unknown = {}) {
      super();
      this.#options = withinForm(Utf8Stream as never, () => toUtf8Options(options));
      const { target, maxWrite, periodicFlush } = this.#options;
      this.#buffer = new Utf8Buffer(maxWrite);
      if (typeof target === "string") this.#open(target);
      else {
        this.#fd = target;
        soon(() => this.emit("ready"));
      }
      if (periodicFlush > 0) {
        const timer: { unref?: () => void } = setInterval(() => this.flush(), periodicFlush) as never;
        timer.unref?.();
        this.#timer = timer;
      }
    }

    /** Writes text, or bytes where the content mode says so. @returns whether the caller may go on without waiting */
    write(data: unknown): boolean {
      this.#checkAlive(this.write);
      this.#checkData(data);
      const { maxLength, minLength, highWaterMark } = this.#options;
      if (maxLength > 0 && this.#buffer.length + data.length > maxLength) this.emit("drop", data);
      else {
        this.#buffer.push(data);
        if (!this.#isWriting && this.#buffer.length >= minLength) this.#writeNext();
      }
      return this.#buffer.length < highWaterMark;
    }

    /** Writes what waits. @param callback called when it is written and flushed */
    flush(callback?: unknown): void {
      if (callback !== undefined) withinForm(this.flush, () => checkCallback(callback, "cb"));
      const done = callback as Done | undefined;
      if (this.#isDestroyed) {
        done?.(destroyedError());
        return;
      }
      if (this.#options.minLength <= 0) {
        done?.();
        return;
      }
      if (done !== undefined) this.#afterDrain(done);
      if (!this.#isWriting) this.#writeNext();
    }

    /** Writes what waits, at once. @throws what the writes fail with */
    flushSync(): void {
      this.#checkAlive(this.flushSync);
      if (this.#fd < 0) throw captureStack(invalidStateError("Invalid file descriptor"), this.flushSync);
      const pieces = this.#buffer.takeAll(this.#isWriting);
      try {
        while (pieces.length > 0) this.#writeOrWait(pieces);
      } finally {
        this.#buffer.putBack(pieces);
      }
      try {
        this.#call("fsyncSync")(this.#fd);
      } catch {
        // Not every file can be flushed.
      }
    }

    /** Opens the file anew, or another one. What is written meanwhile goes there. */
    reopen(file?: string): void {
      this.#checkAlive(this.reopen);
      if (this.#isOpening) {
        this.once("ready", () => this.reopen(file));
        return;
      }
      if (this.#isEnding) return;
      if (this.#file === null) throw captureStack(operationFailedError(NOT_A_FILE), this.reopen);
      if (file) this.#file = file;
      this.#isReopening = true;
      if (this.#isWriting) return;
      const before = this.#fd;
      this.once("ready", () => {
        if (before === this.#fd) return;
        this.#call("close")(before, (error) => {
          if (error) this.emit("error", error);
        });
      });
      this.#open(this.#file);
    }

    /** Writes what waits and closes. */
    end(): void {
      this.#checkAlive(this.end);
      if (this.#isEnding) return;
      if (this.#isOpening) {
        this.once("ready", () => this.end());
        return;
      }
      this.#isEnding = true;
      if (this.#isWriting) return;
      if (this.#buffer.length > 0 && this.#fd >= 0) this.#writeNext();
      else this.#close();
    }

    /** Closes, and drops what waits. */
    destroy(): void {
      if (!this.#isDestroyed) this.#close();
    }

    get mode(): number | undefined {
      return this.#options.mode;
    }

    get file(): string | null {
      return this.#file;
    }

    get fd(): number {
      return this.#fd;
    }

    get minLength(): number {
      return this.#options.minLength;
    }

    get maxLength(): number {
      return this.#options.maxLength;
    }

    get writing(): boolean {
      return this.#isWriting;
    }

    get sync(): boolean {
      return this.#options.sync;
    }

    get fsync(): boolean {
      return this.#options.fsync;
    }

    get append(): boolean {
      return this.#options.append;
    }

    get periodicFlush(): number {
      return this.#options.periodicFlush;
    }

    get contentMode(): string {
      return this.#options.contentMode;
    }

    get mkdir(): boolean {
      return this.#options.mkdir;
    }

    [DISPOSE](): void {
      this.destroy();
    }

    #call<Name extends keyof Utf8Calls>(name: Name): Utf8Calls[Name] {
      return this.#options.calls[name] ?? ((face() as Utf8Calls)[name] as Utf8Calls[Name]);
    }

    #checkAlive(form: (...args: never[]) => unknown): void {
      if (this.#isDestroyed) throw captureStack(destroyedError(), form);
    }

    #checkData(data: unknown): asserts data is Piece {
      withinForm(this.write, () => {
        if (this.#options.contentMode === "buffer") checkBuffer(data, "data");
        else if (typeof data !== "string") throw argTypeError("data", "string", data);
      });
    }

    #open(path: string): void {
      const { sync, append, mkdir, mode } = this.#options;
      const flags = append ? "a" : "w";
      this.#isOpening = true;
      this.#isWriting = true;
      if (!sync) {
        const open = (): void => this.#call("open")(path, flags, mode, (error, fd) => this.#onOpen(error, fd, path));
        if (mkdir) this.#call("mkdir")(folderOf(path), { recursive: true }, (error) => this.#ifNo(error, open));
        else open();
        return;
      }
      try {
        if (mkdir) this.#call("mkdirSync")(folderOf(path), { recursive: true });
        this.#onOpen(null, this.#call("openSync")(path, flags, mode), path);
      } catch (error) {
        this.#onOpen(error as Error, NO_FD, path);
        throw error;
      }
    }

    #ifNo(error: Error | null | undefined, goOn: () => void): void {
      if (error) this.#onOpen(error, NO_FD, "");
      else goOn();
    }

    #onOpen(error: Error | null, fd: number, path: string): void {
      const wasReopening = this.#isReopening;
      this.#isOpening = false;
      this.#isWriting = false;
      this.#isReopening = false;
      if (error) {
        if (!this.#options.sync) this.emit("error", error);
        return;
      }
      this.#fd = fd;
      this.#file = path;
      if (this.#options.sync) soon(() => this.emit("ready"));
      else this.emit("ready");
      if (wasReopening) soon(() => this.emit("drain"));
      if (this.#isDestroyed || this.#isWriting) return;
      if (this.#buffer.length > this.#options.minLength) this.#writeNext();
    }

    #writeNext(): void {
      this.#isWriting = true;
      const piece = this.#buffer.take();
      const fd = this.#fd;
      if (!this.#options.sync) {
        const onWritten = (error: Error | null, bytes: number): void => this.#onWritten(error, bytes);
        const write = this.#call("write") as (...args: unknown[]) => void;
        if (typeof piece === "string") write(fd, piece, "utf8", onWritten);
        else write(fd, piece, onWritten);
        return;
      }
      let bytes: number;
      try {
        bytes = this.#writeNow(piece);
      } catch (error) {
        this.#onWritten(error as Error, 0);
        return;
      }
      this.#onWritten(null, bytes);
    }

    /** Writes of the first piece of some, within flushSync(), and drops what is written. */
    #writeOrWait(pieces: Piece[]): void {
      try {
        const left = withoutBytes(pieces[0], this.#writeNow(pieces[0]));
        if (left.length > 0) pieces[0] = left;
        else pieces.shift();
      } catch (error) {
        if (!this.#isToRetry(error as Error, pieces[0].length)) throw error;
        sleep(BUSY_MS);
      }
    }

    #writeNow(piece: Piece): number {
      const write = this.#call("writeSync");
      return typeof piece === "string" ? write(this.#fd, piece, "utf8") : write(this.#fd, piece);
    }

    #isToRetry(error: Error, length: number): boolean {
      return isBusy(error) && this.#options.retryEAGAIN(error, length, this.#buffer.length - length);
    }

    #onWritten(error: Error | null, bytes: number): void {
      if (error && this.#isToRetry(error, this.#buffer.currentLength)) {
        if (!this.#options.sync) {
          timeout(() => this.#writeNext(), BUSY_MS);
          return;
        }
        sleep(BUSY_MS);
      } else if (error) {
        this.#isWriting = false;
        this.emit("error", error);
        return;
      }
      this.emit("write", error ? 0 : bytes);
      this.#buffer.drop(error ? 0 : bytes);
      if (this.#buffer.currentLength > 0) this.#writeNext();
      else this.#onPieceWritten();
    }

    #onPieceWritten(): void {
      const { fsync, minLength, sync } = this.#options;
      if (fsync) this.#call("fsyncSync")(this.#fd);
      const { length } = this.#buffer;
      if (this.#isReopening) {
        this.#isWriting = false;
        this.#isReopening = false;
        this.reopen();
      } else if (length > 0 && (length > minLength || this.#isEnding)) this.#writeNext();
      else if (this.#isEnding) {
        this.#isWriting = false;
        this.#close();
      } else {
        this.#isWriting = false;
        if (sync) this.#drainSoon();
        else this.emit("drain");
      }
    }

    /** Synchronous writes would emit within write(). */
    #drainSoon(): void {
      if (this.#isDrainDue) return;
      this.#isDrainDue = true;
      soon(() => {
        this.#isDrainDue = false;
        if (!this.#isDestroyed) this.emit("drain");
      });
    }

    #afterDrain(done: Done): void {
      const onDrain = (): void => {
        this.off("error", onError as never);
        if (this.#isDestroyed || this.#options.fsync) done();
        else this.#call("fsync")(this.#fd, (error) => done(error && !isUnflushable(error) ? error : null));
      };
      const onError = (error: Error): void => {
        this.off("drain", onDrain);
        done(error);
      };
      this.prependOnceListener("drain", onDrain);
      this.once("error", onError as never);
    }

    #close(): void {
      if (this.#fd === NO_FD) {
        this.once("ready", () => this.#close());
        return;
      }
      clearInterval(this.#timer as never);
      this.#isDestroyed = true;
      this.#buffer.clear();
      const fd = this.#fd;
      this.#call("fsync")(fd, () => {
        if (fd > 0 && fd <= LAST_STANDARD_FD) this.#onClose();
        else this.#call("close")(fd, (error) => this.#onClose(error));
      });
    }

    #onClose(error?: Error | null): void {
      if (error) {
        this.emit("error", error);
        return;
      }
      if (this.#isEnding && !this.#isWriting) this.emit("finish");
      this.emit("close");
    }
  }

  return Utf8Stream;
}

const NOT_A_FILE = "Unable to reopen a file descriptor, you must pass a file to SonicBoom";

function destroyedError(): Error {
  return invalidStateError("Utf8Stream is destroyed");
}

/** What pipes and sockets say. */
function isUnflushable(error: Error): boolean {
  return ["EBADF", "EINVAL"].includes((error as { code?: string }).code as string);
}
