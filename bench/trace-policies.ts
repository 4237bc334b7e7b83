/** Hits that other policies have on a trace of page numbers, with room for so many pages: 0 to 1. */
import { LRUCache } from "lru-cache";

export type Policy = (trace: readonly number[], pages: number) => number;

const first = (pages: Map<number, unknown>): number => pages.keys().next().value as number;

/** The least recently used page goes. */
export const lru: Policy = (trace, pages) => {
  const cache = new Map<number, true>();
  let hits = 0;
  for (const page of trace) {
    if (cache.delete(page)) hits++;
    else if (cache.size >= pages) cache.delete(first(cache));
    cache.set(page, true);
  }
  return hits / trace.length;
};

/** The same, by the npm package lru-cache. */
export const lruCache: Policy = (trace, pages) => {
  const cache = new LRUCache<number, true>({ max: pages });
  let hits = 0;
  for (const page of trace) {
    if (cache.get(page)) hits++;
    else cache.set(page, true);
  }
  return hits / trace.length;
};

const MAX_FREQUENCY = 3;

/** S3-FIFO: a small queue of a tenth, a main one, and ghosts. @see Yang et al., SOSP 2023 */
export const s3Fifo: Policy = (trace, pages) => {
  const small = new Map<number, number>();
  const main = new Map<number, number>();
  const ghosts = new Map<number, true>();
  const smallPages = Math.max(1, Math.floor(pages / 10));
  const evictMain = (): void => {
    for (;;) {
      const page = first(main);
      const frequency = main.get(page) as number;
      main.delete(page);
      if (frequency === 0) return;
      main.set(page, frequency - 1);
    }
  };
  /** @returns false when the page has gone to the main queue instead */
  const evictSmall = (): boolean => {
    const page = first(small);
    const frequency = small.get(page) as number;
    small.delete(page);
    if (frequency > 1) {
      main.set(page, 0);
      return false;
    }
    ghosts.set(page, true);
    if (ghosts.size > pages) ghosts.delete(first(ghosts));
    return true;
  };
  const evict = (): void => {
    while (small.size >= smallPages || (small.size > 0 && main.size === 0)) if (evictSmall()) return;
    evictMain();
  };
  let hits = 0;
  for (const page of trace) {
    const queue = [small, main].find((one) => one.has(page));
    if (queue) {
      hits++;
      queue.set(page, Math.min(MAX_FREQUENCY, (queue.get(page) as number) + 1));
      continue;
    }
    while (small.size + main.size >= pages) evict();
    (ghosts.delete(page) ? main : small).set(page, 0);
  }
  return hits / trace.length;
};

/** The page that is wanted again last goes. @see Belady, 1966 */
export const optimal: Policy = (trace, pages) => {
  const next = new Float64Array(trace.length);
  const seen = new Map<number, number>();
  for (let i = trace.length - 1; i >= 0; i--) {
    next[i] = seen.get(trace[i]) ?? Infinity;
    seen.set(trace[i], i);
  }
  const cache = new Map<number, number>();
  const heap = new Heap();
  let hits = 0;
  for (const [i, page] of trace.entries()) {
    if (cache.has(page)) hits++;
    else
      while (cache.size >= pages) {
        const [when, last] = heap.pop();
        if (cache.get(last) === when) cache.delete(last); // else it has been wanted since
      }
    cache.set(page, next[i]);
    heap.push([next[i], page]);
  }
  return hits / trace.length;
};

type Entry = readonly [when: number, page: number];

/** The largest first. */
class Heap {
  readonly #entries: Entry[] = [];

  push(entry: Entry): void {
    const entries = this.#entries;
    let at = entries.push(entry) - 1;
    for (let up = (at - 1) >> 1; at > 0 && entries[up][0] < entry[0]; at = up, up = (at - 1) >> 1)
      entries[at] = entries[up];
    entries[at] = entry;
  }

  pop(): Entry {
    const entries = this.#entries;
    const largest = entries[0];
    const last = entries.pop() as Entry;
    if (entries.length === 0) return largest;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down + 1 < entries.length && entries[down + 1][0] > entries[down][0]) down++;
      if (down >= entries.length || entries[down][0] <= last[0]) break;
      entries[at] = entries[down];
      at = down;
    }
    entries[at] = last;
    return largest;
  }
}
