/**
 * Locks in programs: flock(2) of open files, between the other calls.
 *
 * They are drawn by a generator of their own and change nothing that others see, so that all else in a program is the same without them.
 */
import { LOCK_EX, LOCK_SH, LOCK_UN } from "../base/stat-flags.ts";
import type { Call } from "./call.ts";
import type { Likely } from "./likely.ts";
import { chance, pick, type Random, seededRandom, type Weighted, weighted } from "./random.ts";

/** What locks are drawn by is not what the program is drawn by. */
const LOCKS = 0x10c5;
/** After so many of 100 calls of a task that has something open. */
const PERCENT_LOCKS = 8;
/** How often it is a descriptor that is open. */
const PERCENT_OPEN = 95;

/** LOCK_NB is in all of them (perform.ts). The last are none. */
const OPERATIONS: Weighted<number> = [
  [36, LOCK_SH],
  [36, LOCK_EX],
  [20, LOCK_UN],
  [2, 0],
  [2, LOCK_SH | LOCK_EX],
  [2, LOCK_EX | LOCK_UN],
  [2, LOCK_SH | LOCK_EX | LOCK_UN],
];

export class LockDrawing {
  readonly #random: Random;
  readonly #likely: Likely;
  readonly #nrSlots: number;

  constructor(seed: number, likely: Likely, nrSlots: number) {
    this.#random = seededRandom(seed ^ LOCKS);
    this.#likely = likely;
    this.#nrSlots = nrSlots;
  }

  /** What a task locks now; most often nothing. */
  draw(task: number): Call | undefined {
    const random = this.#random;
    const open = this.#likely.slots(task);
    if (open.length === 0 || !chance(random, PERCENT_LOCKS)) return undefined;
    const slot = chance(random, PERCENT_OPEN) ? pick(random, open) : random(this.#nrSlots);
    return { task, call: "flock", args: [slot, weighted(random, OPERATIONS)] };
  }
}
