/**
 * Host descriptors that are kept open: the ones used last, as many as the mount may have. A Map remembers the order.
 *
 * What is kept (keep()) is not closed to make room: files that are open here and have no name on the host any more could
 * not be opened again.
 *
 * Does not own: how a file is opened (host-root.ts), which files are kept.
 */
import { EMFILE, ENFILE } from "../../base/errno.ts";

interface Entry {
  readonly fd: number;
  /** Who keeps it. */
  keepers: number;
}

/** @see Linux fs/file_table.c for the limits that a host has itself: EMFILE, ENFILE */
export class FdCache {
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #close: (fd: number) => void;
  #max: number;

  /** @param max descriptors, at least 1 @param close of the host; its errors are nobody's to hear */
  constructor(max: number, close: (fd: number) => void) {
    this.#max = max;
    this.#close = close;
  }

  /** Descriptors that are open. */
  get size(): number {
    return this.#entries.size;
  }

  /** Changes the limit, as a remount does. */
  set max(max: number) {
    this.#max = max;
    this.#shrinkTo(max);
  }

  /** @returns the descriptor, now the last to go; undefined = it is not open */
  find(key: string): number | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.fd;
  }

  /**
   * Opens what is not open yet. Room is made afterwards, so that what it was opened by is there until then; and where the
   * host has none left, half of the descriptors go and it is tried again, until none can go.
   *
   * @param make a descriptor or a negated errno
   * @returns the descriptor, valid until the next open(); what `make` answers
   */
  open(key: string, make: () => number): number {
    const known = this.find(key);
    if (known !== undefined) return known;
    const fd = this.withRoom(make);
    if (fd < 0) return fd;
    this.#entries.set(key, { fd, keepers: 0 });
    this.#shrinkTo(this.#max, key);
    return fd;
  }

  /** Makes a call that may need a descriptor of its own. @returns what it answers once no room can be made */
  withRoom<T>(make: () => T | number): T | number;
  withRoom(make: () => number): number;
  withRoom(make: () => unknown): unknown {
    let answer = make();
    while ((answer === -EMFILE || answer === -ENFILE) && this.#shrinkTo(this.size >> 1)) answer = make();
    return answer;
  }

  /** Keeps a descriptor that is open from being closed for room, until as many forget() or letGo() as keep(). */
  keep(key: string): void {
    const entry = this.#entries.get(key);
    if (entry) entry.keepers++;
  }

  letGo(key: string): void {
    const entry = this.#entries.get(key);
    if (entry && entry.keepers > 0) entry.keepers--;
    this.#shrinkTo(this.#max);
  }

  /** Closes a descriptor, whoever keeps it. */
  forget(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#close(entry.fd);
  }

  closeAll(): void {
    for (const key of [...this.#entries.keys()]) this.forget(key);
  }

  /** Closes the oldest that nobody keeps. @param but is spared @returns true if one was closed */
  #shrinkTo(size: number, but?: string): boolean {
    const before = this.size;
    for (const [key, { keepers }] of this.#entries) {
      if (this.size <= size) break;
      if (keepers === 0 && key !== but) this.forget(key);
    }
    return this.size < before;
  }
}
