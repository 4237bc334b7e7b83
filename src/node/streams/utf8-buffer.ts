/** What a Utf8Stream has yet to write: pieces of text or bytes, joined as long as one write takes them. */
import { concatBytes, decodeUtf8, encodeUtf8 } from "../encoding.ts";

export type Piece = string | Uint8Array;

/** A queue of pieces. Lengths are those of text, or bytes of buffers. */
export class Utf8Buffer {
  readonly #maxWrite: number;
  #pieces: Piece[] = [];
  /** Being written, or left of it. */
  #current: Piece = "";
  #length = 0;

  constructor(maxWrite: number) {
    this.#maxWrite = maxWrite;
  }

  /** Length of all that waits, with what is being written. */
  get length(): number {
    return this.#length;
  }

  /** Length of what is being written. */
  get currentLength(): number {
    return this.#current.length;
  }

  push(data: Piece): void {
    const last = this.#pieces.at(-1);
    this.#length += data.length;
    if (last === undefined || last.length + data.length > this.#maxWrite) this.#pieces.push(data);
    else this.#pieces[this.#pieces.length - 1] = joined(last, data);
  }

  /** The piece that is to be written next: what is left of the last, or a new one; empty when nothing waits. */
  take(): Piece {
    if (this.#current.length === 0) this.#current = this.#pieces.shift() ?? "";
    return this.#current;
  }

  /** Drops what has been written of the piece taken last. @param bytes its first so many bytes */
  drop(bytes: number): void {
    const before = this.#current.length;
    this.#current = withoutBytes(this.#current, bytes);
    this.#length -= before - this.#current.length;
  }

  /**
   * Takes all that waits out of the queue, in order.
   *
   * @param isWriting whether the piece taken last is under way, and stays
   */
  takeAll(isWriting: boolean): Piece[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    if (!isWriting && this.#current.length > 0) {
      pieces.unshift(this.#current);
      this.#current = "";
    }
    this.#length = this.#current.length;
    return pieces;
  }

  /** Puts pieces before all others. */
  putBack(pieces: readonly Piece[]): void {
    this.#pieces = [...pieces, ...this.#pieces];
    for (const { length } of pieces) this.#length += length;
  }

  clear(): void {
    this.#pieces = [];
    this.#current = "";
    this.#length = 0;
  }
}

function joined(first: Piece, second: Piece): Piece {
  if (typeof first === "string") return first + (second as string);
  return concatBytes([first, second as Uint8Array], first.length + second.length);
}

/** A piece without its first bytes. One that ends within a character is written whole again, as in Node. */
export function withoutBytes(piece: Piece, bytes: number): Piece {
  if (typeof piece !== "string") return piece.subarray(bytes);
  const all = encodeUtf8(piece);
  return bytes >= all.length ? "" : piece.slice(decodeUtf8(all.subarray(0, bytes)).length);
}
