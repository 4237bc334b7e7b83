/**
 * Where foliofs differs from the kernel and node:fs on purpose, and why.
 *
 * Each entry must explain a difference that is there: one that explains none fails the test.
 */
export interface Deliberate {
  /** Matches the id of the case. */
  readonly cases: RegExp;
  /** Matches the place in the outcome, and all places if left out. */
  readonly at?: RegExp;
  readonly reason: string;
}

export const DELIBERATE: readonly Deliberate[] = [];
