/**
 * What a private mapping should be: pages that have been stored to are its own, and see nothing of the file from then on, unless
 * it is cut before them. All others are the file's.
 *
 * @see POSIX.1-2024 mmap(); Linux unmap_mapping_range() with even_cows
 */
import type { FileModel } from "./file-model.ts";

export const PAGE = 4096;

export class PrivatePages {
  readonly #copies = new Map<number, Buffer>();

  /** Stores bytes. @param at in the file */
  write(model: FileModel, at: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const index = Math.floor((at + done) / PAGE);
      const offset = at + done - index * PAGE;
      const piece = bytes.subarray(done, done + PAGE - offset);
      this.#own(model, index).set(piece, offset);
      done += piece.length;
    }
  }

  /** Pages become the mapping's own without a store. @param at in the file */
  copy(model: FileModel, at: number, length: number): void {
    for (let index = Math.floor(at / PAGE); index * PAGE < at + length; index++) this.#own(model, index);
  }

  /** Bytes as they are seen, as far as the file has them. */
  bytes(model: FileModel, at: number, length: number): Buffer {
    const seen = Buffer.from(model.bytes(at, length));
    for (const [index, copy] of this.#copies) {
      const from = Math.max(at, index * PAGE);
      const to = Math.min(at + seen.length, (index + 1) * PAGE);
      if (from < to) seen.set(copy.subarray(from - index * PAGE, to - index * PAGE), from - at);
    }
    return seen;
  }

  /** The file has been cut. */
  truncate(size: number): void {
    const first = Math.ceil(size / PAGE);
    for (const index of this.#copies.keys()) if (index >= first) this.#copies.delete(index);
  }

  /** The page as it is at its first store; behind the end of the file it is zeros. */
  #own(model: FileModel, index: number): Buffer {
    const known = this.#copies.get(index);
    if (known !== undefined) return known;
    const copy = Buffer.alloc(PAGE);
    copy.set(model.bytes(index * PAGE, PAGE));
    this.#copies.set(index, copy);
    return copy;
  }
}
