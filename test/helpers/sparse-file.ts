/** The model of a file's data: a size, pages where there is data, and places where fallocate() has promised some. */
const PAGE = 4096;

export class SparseFile {
  size = 0;
  readonly #pages = new Map<number, Uint8Array>();

  readonly promised = new Set<number>();

  get nrPages(): number {
    return this.#pages.size;
  }

  indexes(): number[] {
    return [...this.#pages.keys()].sort((a, b) => a - b);
  }

  write(pos: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const index = Math.floor((pos + done) / PAGE);
      const offset = (pos + done) % PAGE;
      const n = Math.min(PAGE - offset, bytes.length - done);
      this.#pageAt(index).set(bytes.subarray(done, done + n), offset);
      done += n;
    }
    this.size = Math.max(this.size, pos + bytes.length);
  }

  read(pos: number, len: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(len, this.size - pos)));
    for (let done = 0; done < bytes.length; ) {
      const offset = (pos + done) % PAGE;
      const n = Math.min(PAGE - offset, bytes.length - done);
      const page = this.#pages.get(Math.floor((pos + done) / PAGE));
      if (page) bytes.set(page.subarray(offset, offset + n), done);
      done += n;
    }
    return bytes;
  }

  truncate(size: number): void {
    if (size <= this.size) {
      const first = Math.ceil(size / PAGE);
      this.#drop(first, Number.POSITIVE_INFINITY);
      this.#zero(size, Math.ceil(size / PAGE) * PAGE);
    }
    this.size = size;
  }

  punch(start: number, end: number): void {
    const first = Math.ceil(start / PAGE);
    const last = Math.floor(end / PAGE);
    this.#drop(first, last);
    this.#zero(start, Math.min(end, first * PAGE));
    if (last * PAGE >= start) this.#zero(last * PAGE, end);
  }

  allocate(start: number, end: number): void {
    for (let index = Math.floor(start / PAGE); index * PAGE < end; index++) {
      if (!this.#pages.has(index)) this.promised.add(index);
    }
  }

  /** Copies bytes; holes become zeros. @returns bytes, short at the end of the source */
  copyFrom(source: SparseFile, from: number, to: number, len: number): number {
    const end = Math.max(0, Math.min(len, source.size - from));
    if (end > 0) this.write(to, source.read(from, end));
    return end;
  }

  /** @returns undefined where Linux says ENXIO */
  seekData(pos: number): number | undefined {
    if (pos >= this.size) return undefined;
    const index = this.indexes().find((i) => (i + 1) * PAGE > pos);
    if (index === undefined || index * PAGE >= this.size) return undefined;
    return Math.max(pos, index * PAGE);
  }

  seekHole(pos: number): number | undefined {
    if (pos >= this.size) return undefined;
    let index = Math.floor(pos / PAGE);
    while (this.#pages.has(index)) index++;
    return Math.min(Math.max(pos, index * PAGE), this.size);
  }

  /** Pages and promises from `first` to before `end` go. */
  #drop(first: number, end: number): void {
    for (const places of [this.#pages, this.promised]) {
      for (const index of [...places.keys()]) if (index >= first && index < end) places.delete(index);
    }
  }

  /** Zeroes bytes of one page, if it is there. */
  #zero(start: number, end: number): void {
    if (start >= end) return;
    const page = this.#pages.get(Math.floor(start / PAGE));
    page?.fill(0, start % PAGE, end - Math.floor(start / PAGE) * PAGE);
  }

  #pageAt(index: number): Uint8Array {
    let page = this.#pages.get(index);
    if (!page) {
      page = new Uint8Array(PAGE);
      this.#pages.set(index, page);
      this.promised.delete(index);
    }
    return page;
  }
}
