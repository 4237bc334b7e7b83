/**
 * FileHandle.readableWebStream: an open file as a ReadableStream of bytes, from the file's position on.
 *
 * While it lasts, the file is not closed under it: closing the handle ends the stream first.
 * @see Node 26 documentation of filehandle.readableWebStream(); WHATWG Streams, readable byte streams
 */
import { invalidStateError } from "../errors.ts";
import type { OpenFile } from "../open-file.ts";
import { emitWarning } from "../platform.ts";
import { checkBoolean, checkObject } from "../validators.ts";
import type { HandleLike } from "./handle-calls.ts";

/** Memory of a read for which the reader has none. */
const AUTO_ALLOCATE_BYTES = 16384;

const { ReadableStream: WebStream } = globalThis as { ReadableStream?: typeof ReadableStream };

/** Files that have a stream: a second is refused, whatever has become of the first. */
const locked = new WeakSet<OpenFile>();

/** @throws ERR_INVALID_STATE for a handle that is closed, closing, or has a stream */
function lock(file: OpenFile): void {
  if (file.fd === -1) throw invalidStateError("The FileHandle is closed");
  if (file.closing !== undefined) throw invalidStateError("The FileHandle is closing");
  if (locked.has(file)) throw invalidStateError("The FileHandle is locked");
  locked.add(file);
}

/** Reads of a handle on the way into a byte stream. */
class HandleSource {
  readonly type = "bytes";
  readonly autoAllocateChunkSize = AUTO_ALLOCATE_BYTES;
  readonly #handle: HandleLike;
  readonly #file: OpenFile;
  readonly #closesHandle: boolean;
  #controller: ReadableByteStreamController | undefined;
  #isDone = false;

  constructor(handle: HandleLike, file: OpenFile, closesHandle: boolean) {
    this.#handle = handle;
    this.#file = file;
    this.#closesHandle = closesHandle;
    file.get("read", readableWebStream);
    handle.once("close", this.#onClose);
  }

  start(controller: ReadableByteStreamController): void {
    this.#controller = controller;
  }

  async pull(controller: ReadableByteStreamController): Promise<void> {
    const request = controller.byobRequest as ReadableStreamBYOBRequest;
    const view = request.view as Uint8Array;
    let bytesRead: number;
    try {
      ({ bytesRead } = (await this.#handle.read(view, 0, view.byteLength)) as { bytesRead: number });
    } catch (error) {
      await this.#end();
      throw error;
    }
    if (this.#isDone) return;
    if (bytesRead > 0) request.respond(bytesRead);
    else {
      controller.close();
      request.respond(0);
      await this.#end();
    }
  }

  cancel(): Promise<void> {
    return this.#end();
  }

  readonly #onClose = (): void => {
    if (this.#isDone) return;
    this.#controller?.close();
    // A read that waits is answered: there is no more.
    this.#controller?.byobRequest?.respond(0);
    void this.#end();
  };

  /** Lets go of the file. */
  async #end(): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#handle.off("close", this.#onClose);
    this.#file.put();
    if (this.#closesHandle) await this.#handle.close();
  }
}

/**
 * @param file what the handle stands for
 * @throws ERR_INVALID_STATE; ERR_INVALID_ARG_TYPE for the options
 */
export function readableWebStream(handle: HandleLike, file: OpenFile, options: unknown = {}): ReadableStream {
  lock(file);
  checkObject(options, "options");
  const { type = "bytes", autoClose = false } = options as { type?: unknown; autoClose?: unknown };
  checkBoolean(autoClose, "options.autoClose");
  if (type !== "bytes") {
    const warning = 'A non-"bytes" options.type has no effect. A byte-oriented stream is always created.';
    emitWarning(warning, "ExperimentalWarning");
  }
  if (WebStream === undefined)
    throw new Error("foliofs: readableWebStream() needs ReadableStream, which is missing here");
  return new WebStream(new HandleSource(handle, file, autoClose));
}
