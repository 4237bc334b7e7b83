/** Stops what takes too long: set-up, batches and checks look at one clock. */
import { median } from "./stats.ts";

/** Thrown where a contender runs out of the time it has for a row. */
export class TooSlow extends Error {}

let expiresAtMs = Number.POSITIVE_INFINITY;

export function startDeadline(limitMs: number): void {
  expiresAtMs = performance.now() + limitMs;
}

export function clearDeadline(): void {
  expiresAtMs = Number.POSITIVE_INFINITY;
}

/** @param expectedMs what the work that is left will take at least @throws TooSlow when that does not fit */
export function checkDeadline(expectedMs = 0): void {
  if (performance.now() + expectedMs > expiresAtMs) throw new TooSlow("over the time limit of a row");
}

/**
 * Foresees when a series of calls will not end in time, also where each call costs more than the one before.
 *
 * The calls that are left will cost at least what the last few pieces did; their median, since any one piece may hold a
 * garbage collection.
 */
export class Pace {
  static readonly #PIECES = 5;
  readonly #nrCalls: number;
  readonly #msPerCall: number[] = [];
  #done = 0;

  constructor(nrCalls: number) {
    this.#nrCalls = nrCalls;
  }

  /** After each piece. @throws TooSlow when the rest will not fit */
  advance(nrCalls: number, elapsedMs: number): void {
    this.#done += nrCalls;
    this.#msPerCall.push(elapsedMs / nrCalls);
    const last = this.#msPerCall.slice(-Pace.#PIECES);
    checkDeadline(last.length < Pace.#PIECES ? 0 : median(last) * (this.#nrCalls - this.#done));
  }
}
