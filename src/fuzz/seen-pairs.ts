/**
 * Pairs of call and errno that programs have come to so far: what has failed in the same way often is drawn less often, so that there is
 * room for what has not been seen yet.
 *
 * What a call comes to the model says, before it is made.
 */
import type { Random } from "./random.ts";

/** A failure that has been seen fewer times is always taken. */
const RARE_TIMES = 20;
/** However often it was seen, it is taken in RARE_TIMES of so many cases. */
const MOST_TIMES = 200;

export class SeenPairs {
  readonly #times = new Map<string, number>();

  /** @param code of the error that the call fails with */
  isWanted(random: Random, call: string, code: string): boolean {
    const times = this.#times.get(`${call} ${code}`) ?? 0;
    return times < RARE_TIMES || random(Math.min(times, MOST_TIMES)) < RARE_TIMES;
  }

  note(call: string, code: string): void {
    const pair = `${call} ${code}`;
    this.#times.set(pair, (this.#times.get(pair) ?? 0) + 1);
  }
}
