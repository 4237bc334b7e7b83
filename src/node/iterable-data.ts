/**
 * Data for writeFile that comes in pieces: iterables, async iterables and streams, which only promises take.
 */
import { encodeText } from "./encoding.ts";
import { abortError } from "./errors.ts";
import type { CommonOptions } from "./validators.ts";
import { wholeBytes } from "./views.ts";

type Pieces = Iterable<unknown> | AsyncIterable<unknown>;

/** Whether `data` is to be walked: text and views are taken whole. */
export function isIterableData(data: unknown): data is Pieces {
  if (data === null || typeof data !== "object" || ArrayBuffer.isView(data)) return false;
  return Symbol.asyncIterator in data || Symbol.iterator in data;
}

/** Writes piece by piece, and looks for an abort between them. @param write must take all bytes before it settles */
export async function writePieces(
  data: Pieces,
  { signal, encoding }: CommonOptions,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  throwIfAborted(signal);
  for await (const piece of data) {
    throwIfAborted(signal);
    const bytes = ArrayBuffer.isView(piece) ? wholeBytes(piece) : encodeText(piece as string, encoding || "utf8");
    if (bytes.length > 0) await write(bytes);
    throwIfAborted(signal);
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}
