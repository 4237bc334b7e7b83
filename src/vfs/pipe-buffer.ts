/**
 * The bytes that are in a pipe: buffers of a page, 16 of them at first, as in Linux. What is written goes into the last one as far as all of its odd bytes
 * fit there, else into new ones; so small writes may fill it with fewer than 65 536 bytes, and one of up to a page is in it whole or not
 * at all.
 *
 * They lie in JavaScript, as what is under way between tasks: no snapshot has them.
 *
 * @see Linux fs/pipe.c pipe_write(), pipe_read()
 */

const PAGE_BYTES = 4096;
/** As many buffers as a new pipe has. @see Linux include/linux/pipe_fs_i.h PIPE_DEF_BUFFERS */
const DEFAULT_BUFFERS = 16;

interface PipeBuffer {
  readonly bytes: Uint8Array;
  /** What is there to be read. */
  start: number;
  end: number;
}

/** First in, first out. */
export class PipeBytes {
  readonly #buffers: PipeBuffer[] = [];
  #maxBuffers = DEFAULT_BUFFERS;

  /** Bytes that it has room for, a power of two of pages. */
  get size(): number {
    return this.#maxBuffers * PAGE_BYTES;
  }

  /** @param bytes a power of two of pages @returns false, with nothing done, when what is in it needs more buffers */
  resize(bytes: number): boolean {
    if (this.#buffers.length > bytes / PAGE_BYTES) return false;
    this.#maxBuffers = bytes / PAGE_BYTES;
    return true;
  }

  /** Takes what is there. @returns bytes that have been copied, 0 when it is empty */
  read(target: Uint8Array): number {
    let done = 0;
    while (done < target.length && this.#buffers.length > 0) {
      const [first] = this.#buffers;
      const piece = first.bytes.subarray(first.start, Math.min(first.end, first.start + target.length - done));
      target.set(piece, done);
      done += piece.length;
      first.start += piece.length;
      if (first.start === first.end) this.#buffers.shift();
    }
    return done;
  }

  /**
   * Puts bytes in, as many as there is room for.
   *
   * @param source is copied @param isNew nothing of the same write has been put in before @returns bytes, 0 when there is no room
   */
  write(source: Uint8Array, isNew: boolean): number {
    let done = isNew ? this.#merge(source) : 0;
    while (done < source.length && this.#buffers.length < this.#maxBuffers) {
      const piece = source.subarray(done, done + PAGE_BYTES);
      const bytes = new Uint8Array(PAGE_BYTES);
      bytes.set(piece);
      this.#buffers.push({ bytes, start: 0, end: piece.length });
      done += piece.length;
    }
    return done;
  }

  /** Adds the bytes beyond whole pages to the last buffer, if they fit. */
  #merge(source: Uint8Array): number {
    const odd = source.length % PAGE_BYTES;
    const last = this.#buffers.at(-1);
    if (odd === 0 || last === undefined || last.end + odd > PAGE_BYTES) return 0;
    last.bytes.set(source.subarray(0, odd), last.end);
    last.end += odd;
    return odd;
  }
}
