/**
 * What a FileHandle stands for: its descriptor, and who still needs it. Calls under way hold references, and the
 * descriptor is closed when the last one is let go.
 *
 * It is apart from the handle, so that it can be closed when the handle has been collected, and so that a Proxy of a
 * handle, or an object that inherits from one, shares it.
 */
import type { Path } from "../vfs/syscalls.ts";
import { complainOfHandle } from "./collected.ts";
import type { Operations } from "./operations/index.ts";
import { soon1 } from "./settle.ts";
import { callSiteOf, captureStack, type Origin } from "./stacks.ts";
import { commitToPromise } from "./surfaces.ts";
import { shownPath } from "./uv-errors.ts";

interface Deferred {
  resolve(): void;
  reject(error: unknown): void;
  origin: Origin;
}

interface ClosedError extends Error {
  code: string;
  syscall: string;
}

function closedError(syscall: string, origin: Origin): ClosedError {
  const error = new Error("file closed") as ClosedError;
  error.code = "EBADF";
  error.syscall = syscall;
  return captureStack(error, origin);
}

function ignore(): void {}

/** An open descriptor with a count of references. */
export class OpenFile {
  readonly #ops: Operations;
  readonly #path: Path;
  #fd: number;
  /** Calls under way, and the handle itself until it is closed. */
  #refs = 1;
  #closing: Promise<void> | undefined;
  #afterLast: Deferred | undefined;

  /** @param fd taken over: closed with the handle */
  constructor(ops: Operations, fd: number, path: Path) {
    this.#ops = ops;
    this.#fd = fd;
    this.#path = path;
  }

  /** The operations of the task that the descriptor belongs to. */
  get ops(): Operations {
    return this.#ops;
  }

  /** The descriptor; -1 once closed. */
  get fd(): number {
    return this.#fd;
  }

  /** Node gives the id of an async resource; there is none here. */
  getAsyncId(): number {
    return 0;
  }

  /** Takes a reference for a call. @throws EBADF when the file is closed */
  get(syscall: string, origin: Origin): void {
    if (this.#fd === -1) throw closedError(syscall, origin);
    this.#refs++;
  }

  /** Lets a reference go: a close that waits for the last one can go on. */
  put(): void {
    if (--this.#refs > 0) return;
    const { resolve, reject, origin } = this.#afterLast as Deferred;
    // Whoever let go last is told first: streams that close with the handle.
    this.#closeNow(origin).then(() => soon1(resolve, undefined), reject);
  }

  /** Closes when the calls under way are done. @returns the same promise to all who close meanwhile */
  close(origin: Origin): Promise<void> {
    this.#refs--;
    this.#closing = this.#refs === 0 ? this.#closeNow(origin) : this.#closeAfterCalls(origin);
    const done = (): void => {
      this.#closing = undefined;
    };
    this.#closing.then(done, done);
    return this.#closing;
  }

  /** A close under way. */
  get closing(): Promise<void> | undefined {
    return this.#closing;
  }

  #closeNow(origin: Origin): Promise<void> {
    const fd = this.#fd;
    this.#fd = -1;
    return commitToPromise(this.#ops.close.commit, { fd, isClosed: false }, origin);
  }

  #closeAfterCalls(origin: Origin): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#afterLast = { resolve, reject, origin: callSiteOf(origin) };
    });
  }

  /** Closes what nobody can close any more. @throws ERR_INVALID_STATE where Node does */
  abandon(): void {
    const fd = this.#fd;
    if (fd === -1 || this.#closing !== undefined) return;
    if (--this.#refs > 0) this.#afterLast = { resolve: ignore, reject: ignore, origin: this.abandon };
    else if (!this.#isClosedNow()) return;
    complainOfHandle(fd, shownPath(this.#path));
  }

  /** Closes at once. @returns false when its kernel or its task has ended, and the descriptor with it */
  #isClosedNow(): boolean {
    try {
      const request = { fd: this.#fd, isClosed: false };
      return this.#ops.close.commit(request) === undefined || request.isClosed;
    } catch {
      return false;
    } finally {
      this.#fd = -1;
    }
  }
}
