/**
 * Makes a list shorter and its items simpler as long as what is looked for is still there.
 *
 * Pieces are left out, of half the list first, then of a quarter, and so on down to single items (delta debugging); then each
 * item is replaced by simpler ones. Both are done until neither gets further.
 *
 * fast-check, which the tests have, would bring its own generators to make and to shrink values by; of programs that are plain data a
 * list is all there is to shrink, which needs no package.
 *
 * @see Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002
 */
import { endJob } from "./end-job.ts";

export interface Shrinking<T> {
  /** Whether a list still shows it. */
  readonly shows: (items: readonly T[]) => Promise<boolean>;
  /** Items that are simpler than one, simplest first. */
  readonly simpler: (item: T) => Iterable<T>;
  /** How often `shows` may be asked. */
  readonly maxTries: number;
  /** It is asked no more once this is true: whoever searches has no time left. */
  readonly isOver?: () => boolean;
}

/** @param items a list that shows it @returns one that does too, as short and simple as was found */
export async function shrink<T>(
  items: readonly T[],
  { shows, simpler, maxTries, isOver }: Shrinking<T>,
): Promise<readonly T[]> {
  let best = items;
  let left = maxTries;
  const isBetter = async (candidate: readonly T[]): Promise<boolean> => {
    if (left === 0) return false;
    await endJob(); // who wants to end it, too
    if (isOver?.()) left = 0;
    if (left === 0) return false;
    left--;
    if (!(await shows(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let before: readonly T[] | undefined; before !== best && left > 0; ) {
    before = best;
    for (let size = Math.ceil(best.length / 2); size > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      // From the end: what comes last needs what comes first.
      for (let to = best.length; to > 0; to -= size) {
        await isBetter([...best.slice(0, Math.max(0, to - size)), ...best.slice(to)]);
      }
    }
    for (let i = 0; i < best.length; i++) {
      for (const item of simpler(best[i])) if (await isBetter(best.with(i, item))) break;
    }
  }
  return best;
}
