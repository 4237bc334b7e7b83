/**
 * Locks in programs: flock(2) of open files, between the other calls.
 *
 * They are drawn by a generator of their own and change nothing that others see, so that all else in a program is the same without them.
 */
import { LOCK_EX, LOCK_SH, LOCK_UN } from "../base/stat-flags.ts";
import type { Call } from "./call.ts";
import type { Descriptor, Likely } from "./likely.ts";
import { chance, pick, type Random, seededRandom, type Weighted, weighted } from "./random.ts";

/** What locks are drawn by is not what the program is drawn by. */
const LOCKS = 0x10c5;
/** After so many of 100 calls. */
const PERCENT_LOCKED = 2;
const MOST_CALLS = 6;
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

  /** Most often nothing; else some calls about one file, most likely, by all who have it open: one with several, if there is one. */
  draw(): readonly Call[] {
    const random = this.#random;
    if (!chance(random, PERCENT_LOCKED)) return [];
    const all = this.#likely.descriptors;
    if (all.length === 0) return [];
    const othersOf = (one: Descriptor): readonly Descriptor[] => all.filter(({ name }) => name === one.name);
    const shared = all.filter((one) => othersOf(one).length > 1);
    const sharing = othersOf(pick(random, shared.length > 0 ? shared : all));
    return Array.from({ length: 1 + random(MOST_CALLS) }, () => this.#drawCall(pick(random, sharing)));
  }

  #drawCall({ task, slot: open }: Descriptor): Call {
    const random = this.#random;
    const slot = chance(random, PERCENT_OPEN) ? open : random(this.#nrSlots);
    return { task, call: "flock", args: [slot, weighted(random, OPERATIONS)] };
  }
}
