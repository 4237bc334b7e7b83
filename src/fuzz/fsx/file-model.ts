/**
 * What a file should be: its bytes, in one array. Behind the end of the file the array is zeros, so that what grows is zeros.
 */
export class FileModel {
  readonly #bytes: Buffer;
  #size = 0;

  /** @param capacity most bytes that the file will have */
  constructor(capacity: number, content: Uint8Array = new Uint8Array()) {
    this.#bytes = Buffer.alloc(capacity);
    this.write(0, content);
  }

  get size(): number {
    return this.#size;
  }
  get capacity(): number {
    return this.#bytes.length;
  }

  /** The model's own bytes: as many of `length` as the file has. */
  bytes(at: number, length: number): Buffer {
    return this.#bytes.subarray(Math.min(at, this.#size), Math.min(at + length, this.#size));
  }
  get all(): Buffer {
    return this.bytes(0, this.#size);
  }

  /** The file grows where the bytes go on behind its end. */
  write(at: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#bytes.set(bytes, at);
    this.grow(at + bytes.length);
  }

  /** The file is at least as long. */
  grow(size: number): void {
    this.#size = Math.max(this.#size, size);
  }

  truncate(size: number): void {
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    this.#size = size;
  }

  /** Bytes [at, end) are zeros, as far as the file has them. */
  zero(at: number, end: number): void {
    if (at < this.#size) this.#bytes.fill(0, at, Math.min(end, this.#size));
  }

  /** Bytes [at, at + length) go, and what lies behind moves there. */
  collapse(at: number, length: number): void {
    this.#bytes.copyWithin(at, at + length, this.#size);
    this.truncate(this.#size - length);
  }

  /** What lies from `at` on moves behind `length` zeros. */
  insert(at: number, length: number): void {
    this.#bytes.copyWithin(at + length, at, this.#size);
    this.#size += length;
    this.#bytes.fill(0, at, at + length);
  }

  clone(): FileModel {
    return new FileModel(this.capacity, this.all);
  }
}
