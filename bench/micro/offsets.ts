/** Seeded offsets into memory: the same for all ways compared. */

/**
 * Random multiples of `align` below `bytes`.
 *
 * @returns 16 384 offsets; a power of two, so that `i & (length - 1)` goes round
 */
export function randomOffsets({ seed, bytes, align }: { seed: number; bytes: number; align: number }): Uint32Array {
  let state = seed;
  return Uint32Array.from({ length: 16384 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' linear congruence
    return Math.floor((state / 2 ** 32) * (bytes / align)) * align;
  });
}
