/**
 * Listings of directories that are kept, the oldest going first, within a limit of entries.
 *
 * Does not own: how a directory is listed (lazy-list.ts).
 */
import type { Entry } from "./lazy-entry.ts";

/** All of a directory, by name. */
export type Listing = ReadonlyMap<string, Entry>;

/** Directories that are remembered as too long to be kept. */
const MAX_LONG = 1024;

export class Listings {
  /** Entries of one listing, and of all together, at most. */
  readonly maxEntries: number;
  #nrEntries = 0;
  readonly #kept = new Map<string, Listing>();
  readonly #long = new Set<string>();

  constructor(maxEntries: number) {
    this.maxEntries = maxEntries;
  }

  get nrEntries(): number {
    return this.#nrEntries;
  }

  get(path: string): Listing | undefined {
    return this.#kept.get(path);
  }

  /** Keeps one that is not longer than the limit. */
  keep(path: string, listing: Listing): void {
    this.#drop(path);
    this.#kept.set(path, listing);
    this.#nrEntries += listing.size;
    for (const oldest of this.#kept.keys()) {
      if (this.#nrEntries <= this.maxEntries) return;
      this.#drop(oldest);
    }
  }

  /** Is a directory known to be longer than the limit? */
  isLong(path: string): boolean {
    return this.#long.has(path);
  }

  noteLong(path: string): void {
    if (this.#long.size === MAX_LONG) this.#long.clear();
    this.#long.add(path);
  }

  /** Forgets the directories of which `isOld` says so. */
  forget(isOld: (path: string) => boolean): void {
    for (const path of this.#kept.keys()) if (isOld(path)) this.#drop(path);
    for (const path of this.#long) if (isOld(path)) this.#long.delete(path);
  }

  clear(): void {
    this.forget(() => true);
  }

  #drop(path: string): void {
    this.#nrEntries -= this.#kept.get(path)?.size ?? 0;
    this.#kept.delete(path);
  }
}
