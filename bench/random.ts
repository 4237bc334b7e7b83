/** Seeded random numbers: every contender and every run gets the same sequence. */

/** @returns a generator of numbers in [0, 1); the algorithm is Tommy Ettinger's mulberry32, public domain */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Shuffles in place (Fisher and Yates). @returns the same array */
export function shuffle<T extends unknown[] | Uint32Array>(items: T, seed: number): T {
  const random = seeded(seed);
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other], items[last]];
  }
  return items;
}
