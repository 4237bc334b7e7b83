/**
 * Data for writeFile that comes in pieces, which only promises take: iterables, async iterables, streams, and what is cut
 * so that an abort can come between.
 *
 * Between pieces the event loop turns for those who have a signal: else nobody could abort.
 */
import { isBytes } from "../base/views.ts";
import { encodeText } from "./encoding.ts";
import { abortError, fdError } from "./errors.ts";
import type { Operations } from "./operations/index.ts";
import { WriteFileJob } from "./operations/write-file.ts";
import { afterTurn } from "./settle.ts";
import { callSiteOf, captureStack, type Origin, withinForm } from "./stacks.ts";
import { commitToPromise } from "./surfaces.ts";
import { type CommonOptions, NO_CALLBACK } from "./validators.ts";
import { wholeBytes } from "./views.ts";

/** Node looks for an abort as often. */
const MAX_PIECE_BYTES = 512 * 1024;

type Pieces = Iterable<unknown> | AsyncIterable<unknown>;

/** Whether `data` is to be walked: text and views are taken whole. */
export function isIterableData(data: unknown): data is Pieces {
  if (data === null || typeof data !== "object" || isBytes(data)) return false;
  return Symbol.asyncIterator in data || Symbol.iterator in data;
}

function throwIfAborted(signal: AbortSignal | undefined, origin: Origin): void {
  if (signal?.aborted) throw abortError(signal, origin);
}

/** The next turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise(afterTurn);
}

/** Writes to an open file, as one promise form was told to. */
class PieceWriter {
  readonly #ops: Operations;
  readonly #fd: number;
  readonly #signal: AbortSignal | undefined;
  readonly #origin: Origin;

  constructor(ops: Operations, fd: number, signal: AbortSignal | undefined, origin: Origin) {
    this.#ops = ops;
    this.#fd = fd;
    this.#signal = signal;
    this.#origin = origin;
  }

  /** Looks for an abort before each part, not after the last. */
  async writeAll(bytes: Uint8Array): Promise<void> {
    throwIfAborted(this.#signal, this.#origin);
    if (this.#signal === undefined) return this.#write(bytes);
    for (let start = 0; start < bytes.length; start += MAX_PIECE_BYTES) {
      throwIfAborted(this.#signal, this.#origin);
      await this.#write(bytes.subarray(start, start + MAX_PIECE_BYTES));
      await turn();
    }
  }

  async writePieces(data: Pieces, encoding: string): Promise<void> {
    throwIfAborted(this.#signal, this.#origin);
    for await (const piece of data) {
      throwIfAborted(this.#signal, this.#origin);
      const bytes = isBytes(piece) ? wholeBytes(piece) : encodeText(piece as string, encoding);
      if (bytes.length > 0) await this.writeAll(bytes);
      throwIfAborted(this.#signal, this.#origin);
    }
  }

  #write(bytes: Uint8Array): Promise<void> {
    if (this.#fd >= 0) {
      return commitToPromise(this.#ops.writeFile.commit, new WriteFileJob(this.#fd, 0, 0, bytes, {}), this.#origin);
    }
    // That of a closed handle.
    return bytes.length === 0 ? Promise.resolve() : Promise.reject(captureStack(fdError(this.#fd), this.#origin));
  }
}

/** Writes bytes, or data piece by piece, to a descriptor of the caller's. @param origin what was called */
export function writeToFd(
  ops: Operations,
  fd: number,
  data: Uint8Array | Pieces,
  { signal, encoding }: CommonOptions,
  origin: Origin,
): Promise<void> {
  const site = signal === undefined && isBytes(data) ? origin : callSiteOf(origin);
  const writer = new PieceWriter(ops, fd, signal, site);
  return isBytes(data) ? writer.writeAll(data) : writer.writePieces(data, encoding || "utf8");
}

/** Whether Node opens the file, and looks for an abort, before it writes: short data goes in one step. */
export function isWrittenInSteps(bytes: Uint8Array, { signal, flush }: CommonOptions): boolean {
  return signal !== undefined && (flush === true || bytes.length > MAX_PIECE_BYTES);
}

/** Opens, writes piece by piece, flushes, closes. @param form what was called, and still runs */
export async function writeInSteps(
  ops: Operations,
  path: unknown,
  data: Uint8Array | Pieces,
  options: CommonOptions,
  form: Origin,
): Promise<void> {
  const { signal, flag, mode, flush } = options;
  const origin = callSiteOf(form);
  throwIfAborted(signal, origin);
  const prepare = ops.open.preparePromise ?? ops.open.prepare;
  const request = withinForm(form, () => prepare(NO_CALLBACK, path, flag || "w", mode));
  const fd = await commitToPromise(ops.open.commit, request, origin);
  try {
    if (signal !== undefined) await turn();
    await writeToFd(ops, fd, data, options, origin);
    if (flush) await commitToPromise(ops.fsync.commit, fd, origin);
  } finally {
    await commitToPromise(ops.close.commit, { fd, isClosed: false }, origin);
  }
}
