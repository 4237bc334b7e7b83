/**
 * What git writes of contents that are no text: all of them, or a delta of one to the other, compressed and as text.
 *
 * Does not own: base85, zlib.
 *
 * @see git's gitformat-pack(5), "Deltified representation"
 */
import { fromBase85, toBase85 } from "./base85.ts";
import { deflate, inflate } from "./zlib.ts";

/** Bytes of a line. */
const LINE_BYTES = 52;
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** A content, or how it comes of another one. */
export interface BinaryHunk {
  kind: "literal" | "delta";
  bytes: Uint8Array;
}

/** @returns lines, with an empty one behind */
export function formatLiteral(content: Uint8Array): string {
  const packed = deflate(content);
  let text = `literal ${content.length}\n`;
  for (let at = 0; at < packed.length; at += LINE_BYTES) {
    const piece = packed.subarray(at, at + LINE_BYTES);
    text += `${DIGITS[piece.length - 1]}${toBase85(piece)}\n`;
  }
  return `${text}\n`;
}

/** Reads lines of a hunk, from its first on, to the empty one. @returns undefined where they are wrong */
export function readBinary(lines: readonly string[], start: number): { hunk: BinaryHunk; end: number } | undefined {
  const head = /^(literal|delta) (\d+)$/.exec(lines[start] ?? "");
  if (head === null) return undefined;
  const pieces: Uint8Array[] = [];
  let end = start + 1;
  for (; lines[end]; end++) {
    const length = DIGITS.indexOf(lines[end][0]) + 1;
    const piece = length === 0 ? undefined : fromBase85(lines[end].slice(1), length);
    if (piece === undefined) return undefined;
    pieces.push(piece);
  }
  const packed = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    packed.set(piece, at);
    at += piece.length;
  }
  const bytes = inflate(packed, Number(head[2]));
  return bytes && { hunk: { kind: head[1] as BinaryHunk["kind"], bytes }, end: end + 1 };
}

/** Makes a content. @returns undefined where the delta is wrong, or for another content */
export function applyBinary({ kind, bytes }: BinaryHunk, from: Uint8Array): Uint8Array | undefined {
  return kind === "literal" ? bytes : new DeltaReader(bytes).apply(from);
}

class DeltaReader {
  readonly #delta: Uint8Array;
  #at = 0;

  constructor(delta: Uint8Array) {
    this.#delta = delta;
  }

  /** A length: seven bits a byte, the lowest first. */
  #length(): number {
    let length = 0;
    let factor = 1;
    for (;;) {
      const byte = this.#delta[this.#at++];
      length += (byte & 0x7f) * factor;
      factor *= 128;
      if (!(byte & 0x80)) return length;
    }
  }

  /** A number of those bytes that a mask says. */
  #masked(mask: number, nr: number): number {
    let value = 0;
    for (let i = 0; i < nr; i++) if (mask & (1 << i)) value += this.#delta[this.#at++] * 2 ** (8 * i);
    return value;
  }

  apply(from: Uint8Array): Uint8Array | undefined {
    if (this.#length() !== from.length) return undefined;
    const to = new Uint8Array(this.#length());
    let written = 0;
    while (this.#at < this.#delta.length) {
      const piece = this.#piece(from);
      if (piece === undefined || written + piece.length > to.length) return undefined;
      to.set(piece, written);
      written += piece.length;
    }
    return written === to.length ? to : undefined;
  }

  #piece(from: Uint8Array): Uint8Array | undefined {
    const code = this.#delta[this.#at++];
    if (code & 0x80) {
      const start = this.#masked(code, 4);
      const length = this.#masked(code >>> 4, 3) || 0x10000;
      return start + length <= from.length ? from.subarray(start, start + length) : undefined;
    }
    const piece = this.#delta.subarray(this.#at, this.#at + code);
    this.#at += code;
    return code !== 0 && piece.length === code ? piece : undefined;
  }
}
