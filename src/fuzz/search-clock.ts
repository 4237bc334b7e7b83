/** How long a search has gone on, and whether it may go on: a finding is shrunk within its time, too. */

export interface TimeLimit {
  /** It ends after so many milliseconds. */
  readonly maxMs: number;
  /** It ends when this is aborted, too. What is run just then comes to its end. */
  readonly signal?: AbortSignal;
}

export class SearchClock {
  readonly #startMs = performance.now();
  readonly #limit: TimeLimit;

  constructor(limit: TimeLimit) {
    this.#limit = limit;
  }

  get ms(): number {
    return performance.now() - this.#startMs;
  }

  get isOver(): boolean {
    const { maxMs, signal } = this.#limit;
    return signal?.aborted === true || this.ms >= maxMs;
  }
}
