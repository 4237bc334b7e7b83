/**
 * Host descriptors that are kept open: the ones used last, as many as the mount may have. A Map remembers the order.
 *
 *   take() ── lent ──► giveBack()     for the time of a work: it is not closed meanwhile, whatever happens
 *   keep() ── kept ──► letGo()        for files that are open here and have no name on the host any more, so that they could
 *                                     not be opened again: not closed to make room
 *
 * Does not own: how a file is opened (host-root.ts), which files are kept.
 */
import { EMFILE, ENFILE } from "../../base/errno.ts";
import type { Steps } from "./host-steps.ts";

/** A descriptor that is open. */
export interface Lent {
  readonly fd: number;
}

interface Entry extends Lent {
  readonly key: string;
  /** Works that use it. */
  lent: number;
  /** Who keeps it. */
  keepers: number;
  /** It has been forgotten: the last work closes it. */
  isForgotten: boolean;
}

/** @see Linux fs/file_table.c for the limits that a host has itself: EMFILE, ENFILE */
export class FdCache {
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  /** The last of them, which need not be moved. */
  #newest: Entry | undefined;
  readonly #close: (fd: number) => void;
  #max: number;
  #isClosed = false;
  /** Asked when none can go: whoever keeps descriptors is to let go of them. */
  relieve: () => void = () => {};

  /** @param max descriptors, at least 1 @param close of the host; its errors are nobody's to hear */
  constructor(max: number, close: (fd: number) => void) {
    this.#max = max;
    this.#close = close;
  }

  /** Descriptors that can be found. */
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
    return this.#use(key)?.fd;
  }

  /**
   * Lends a descriptor until giveBack(); opens it if it is not open yet. Room is made afterwards, so that what it was opened
   * by is there until then; and where the host has none left, half of the descriptors go and it is tried again, until none
   * can go.
   *
   * @param make answers a descriptor or a negated errno
   * @returns what `make` answers, if that is an errno
   */
  *take(key: string, make: () => Steps<number>): Steps<Lent | number> {
    const known = this.#use(key);
    const fd = known?.fd ?? (yield* this.withRoom(make));
    if (fd < 0) return fd;
    const entry = known ?? this.#enter(key, fd);
    entry.lent++;
    this.#shrinkTo(this.#max);
    return entry;
  }

  giveBack(lent: Lent): void {
    const entry = lent as Entry;
    entry.lent--;
    if (entry.lent === 0 && entry.isForgotten) this.#close(entry.fd);
    else this.#shrinkTo(this.#max, entry.key);
  }

  /** Lends a descriptor to `use`. @returns what it answers; as take() */
  *lend<T>(key: string, make: () => Steps<number>, use: (fd: number) => Steps<T>): Steps<T | number> {
    const lent = yield* this.take(key, make);
    if (typeof lent === "number") return lent;
    try {
      return yield* use(lent.fd);
    } finally {
      this.giveBack(lent);
    }
  }

  /** Takes a descriptor that has just been made. */
  add(key: string, fd: number): void {
    const entry = this.#enter(key, fd);
    if (entry.isForgotten && entry.lent === 0) this.#close(fd);
    this.#shrinkTo(this.#max, key);
  }

  /** Makes calls that need a descriptor of their own. @returns what they answer once no room can be made */
  *withRoom<T>(make: () => Steps<T>): Steps<T> {
    let answer: unknown = yield* make();
    while ((answer === -EMFILE || answer === -ENFILE) && this.#makeRoom()) answer = yield* make();
    return answer as T;
  }

  #makeRoom(): boolean {
    if (this.#shrinkTo(this.size >> 1)) return true;
    this.relieve();
    return this.#shrinkTo(this.size >> 1);
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

  /** Closes a descriptor, whoever keeps it; one that is lent when its work is over. */
  forget(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    if (entry === this.#newest) this.#newest = undefined;
    entry.isForgotten = true;
    if (entry.lent === 0) this.#close(entry.fd);
  }

  /** For good: what works that are under way open yet is closed when they give it back. */
  closeAll(): void {
    this.#isClosed = true;
    for (const key of [...this.#entries.keys()]) this.forget(key);
  }

  #use(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry === this.#newest) return entry;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#newest = entry;
    return entry;
  }

  /** Enters a descriptor; where another work has been faster, that one's. */
  #enter(key: string, fd: number): Entry {
    const known = this.#use(key);
    if (known) {
      this.#close(fd);
      return known;
    }
    const entry = { key, fd, lent: 0, keepers: 0, isForgotten: this.#isClosed };
    if (this.#isClosed) return entry;
    this.#entries.set(key, entry);
    this.#newest = entry;
    return entry;
  }

  /** Closes the oldest that are neither lent nor kept. @param but is spared @returns true if one was closed */
  #shrinkTo(size: number, but?: string): boolean {
    const before = this.size;
    if (before <= size) return false;
    for (const [key, { keepers, lent }] of this.#entries) {
      if (this.size <= size) break;
      if (keepers + lent === 0 && key !== but) this.forget(key);
    }
    return this.size < before;
  }
}
