/** The bytes of a file: pages by their index, where something has been written; all else is holes, which read as 0. */

const PAGE_BYTES = 4096;
const BLOCKS_A_PAGE = PAGE_BYTES / 512;

export class SparseData {
  /** Bytes. */
  size = 0;
  readonly #pages = new Map<number, Uint8Array>();

  /** Units of 512 bytes, as stat() counts. */
  get blocks(): number {
    return this.#pages.size * BLOCKS_A_PAGE;
  }

  /** Fills `into` from byte `pos` on. @returns bytes read: fewer than it has room for at the end of the file */
  read(pos: number, into: Uint8Array): number {
    const count = Math.max(0, Math.min(into.length, this.size - pos));
    for (const { index, offset, from, to } of piecesOf(pos, count)) {
      const page = this.#pages.get(index);
      if (page === undefined) into.fill(0, from, to);
      else into.set(page.subarray(offset, offset + to - from), from);
    }
    return count;
  }

  write(pos: number, bytes: Uint8Array): void {
    for (const { index, offset, from, to } of piecesOf(pos, bytes.length)) {
      this.#makePage(index).set(bytes.subarray(from, to), offset);
    }
    this.size = Math.max(this.size, pos + bytes.length);
  }

  #makePage(index: number): Uint8Array {
    const page = this.#pages.get(index) ?? new Uint8Array(PAGE_BYTES);
    this.#pages.set(index, page);
    return page;
  }

  /** What is beyond the new end is gone: it reads as 0 when the file grows again. */
  truncate(size: number): void {
    if (size < this.size) {
      const nrKept = Math.ceil(size / PAGE_BYTES);
      for (const index of this.#pages.keys()) if (index >= nrKept) this.#pages.delete(index);
      const rest = size % PAGE_BYTES;
      if (rest > 0) this.#pages.get(nrKept - 1)?.fill(0, rest);
    }
    this.size = size;
  }
}

interface Piece {
  /** Of the page. */
  readonly index: number;
  /** In the page. */
  readonly offset: number;
  /** In the caller's bytes. */
  readonly from: number;
  readonly to: number;
}

/** A range of bytes, page by page. */
function piecesOf(pos: number, length: number): Piece[] {
  const pieces: Piece[] = [];
  for (let from = 0; from < length; ) {
    const offset = (pos + from) % PAGE_BYTES;
    const to = Math.min(length, from + PAGE_BYTES - offset);
    pieces.push({ index: Math.floor((pos + from) / PAGE_BYTES), offset, from, to });
    from = to;
  }
  return pieces;
}
