/** Numbers by a seed. */

/** An integer of 0 to below - 1. */
export type Random = (below: number) => number;

/** @see Tommy Ettinger, mulberry32 (public domain) */
export function seededRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) % below;
  };
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)];
}

/** True in `percent` of 100 cases. */
export function chance(random: Random, percent: number): boolean {
  return random(100) < percent;
}

export type Weighted<T> = readonly (readonly [weight: number, value: T])[];

/** Draws by weight. */
export function weighted<T>(random: Random, choices: Weighted<T>): T {
  let left = random(choices.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, value] of choices) {
    if (left < weight) return value;
    left -= weight;
  }
  return choices[0][1];
}
