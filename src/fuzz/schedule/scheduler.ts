/**
 * Holds whatever could come next, and lets one thing at a time come, in an order that is told to it: answers of stores, and the turns
 * of chains of calls. So what comes between two calls comes there again by the same choices.
 *
 * Nothing here looks at a clock. What is held is released when all that follows from the release before has happened; of what is
 * held each thing has a name, and choices are among the names in order, so that it does not matter who came first.
 */

/** @param names of what is held, sorted @returns which of them comes next */
export type Choose = (names: readonly string[]) => number;

export interface SchedulerOptions {
  /** Loses the first such thing that it is to release: for tests of what finds that. */
  readonly loses?: (name: string) => boolean;
  /** What is not released before giveBack(). */
  readonly withholds?: (name: string) => boolean;
}

interface Held {
  readonly name: string;
  readonly release: () => void;
}

/** Outcomes that come late in a turn of the event loop go through the next (node/settle.ts): so many turns without anything new are rest. */
const QUIET_TURNS = 4;
/** So many without anything held, and nothing will come any more. */
const STUCK_TURNS = 40;

export class Scheduler {
  #held: Held[] = [];
  #withheld: Held[] = [];
  /** Grows whenever something happens. */
  #nrEvents = 0;
  #nrHeldEver = 0;
  readonly #choose: Choose;
  readonly #withholds: (name: string) => boolean;
  #loses: ((name: string) => boolean) | undefined;

  constructor(choose: Choose, { loses, withholds = () => false }: SchedulerOptions = {}) {
    this.#choose = choose;
    this.#loses = loses;
    this.#withholds = withholds;
  }

  /** Names of what is held. */
  get names(): readonly string[] {
    return [...this.#held, ...this.#withheld].map(({ name }) => name);
  }

  /** Names of what does not come. */
  get withheld(): readonly string[] {
    return this.#withheld.map(({ name }) => name);
  }

  /** How often something was held so far. */
  get nrHeldEver(): number {
    return this.#nrHeldEver;
  }

  /** @returns a promise that is kept until it is chosen */
  hold(name: string): Promise<void> {
    this.#nrHeldEver++;
    this.noteEvent();
    const list = this.#withholds(name) ? this.#withheld : this.#held;
    return new Promise((resolve) => list.push({ name, release: resolve }));
  }

  /** What was withheld comes when it is chosen, as all else. */
  giveBack(): void {
    this.#held.push(...this.#withheld);
    this.#withheld = [];
  }

  /** Something has happened that others may follow from: a call is over. */
  noteEvent(): void {
    this.#nrEvents++;
  }

  /**
   * Releases what is held, one at a time, until `work` is over.
   *
   * @param most how often something is released
   * @returns false when nothing more is to come, or enough has been released, and the work is not over
   */
  async drive(work: Promise<unknown>, most = Number.MAX_SAFE_INTEGER): Promise<boolean> {
    let isOver = false;
    const end = (): void => {
      isOver = true;
      this.noteEvent();
    };
    work.then(end, end);
    for (let idle = 0, left = most; ; ) {
      await this.#rest();
      if (isOver) return true;
      if (this.#held.length > 0) {
        if (left-- === 0) return false;
        this.#releaseOne();
        idle = 0;
      } else if (++idle > STUCK_TURNS / QUIET_TURNS) return false;
    }
  }

  /** Releases all that is held, or was withheld, and what follows from it, the first by name each time. */
  async drain(): Promise<void> {
    for (;;) {
      await this.#rest();
      this.giveBack();
      if (this.#held.length === 0) return;
      this.#release(this.#sorted()[0]);
    }
  }

  #sorted(): Held[] {
    return this.#held.toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  }

  #releaseOne(): void {
    const sorted = this.#sorted();
    const at = sorted.length === 1 ? 0 : this.#choose(sorted.map(({ name }) => name));
    this.#release(sorted[at % sorted.length]);
  }

  #release(one: Held): void {
    this.#held = this.#held.filter((other) => other !== one);
    if (this.#loses?.(one.name) === true) this.#loses = undefined;
    else one.release();
  }

  /** All that follows from what has happened has happened. */
  async #rest(): Promise<void> {
    for (let quiet = 0, seen = this.#nrEvents; quiet < QUIET_TURNS; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#nrEvents === seen) continue;
      seen = this.#nrEvents;
      quiet = -1;
    }
  }
}
