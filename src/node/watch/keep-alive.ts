/** What keeps Node's process alive while something is watched, which is a timer that never ends. Nothing elsewhere. */

interface Timer {
  ref(): void;
  unref(): void;
}

const LONGEST_MS = 2 ** 31 - 1;
const { setInterval: start, clearInterval: stop } = globalThis as unknown as {
  setInterval(callback: () => void, ms: number): Timer | number;
  clearInterval(timer: Timer | number): void;
};

/** Something that is waited for. */
export class KeepAlive {
  readonly #timer: Timer | undefined;

  constructor(isReferenced: boolean) {
    const timer = start(() => {}, LONGEST_MS);
    if (typeof timer === "number") stop(timer);
    else {
      this.#timer = timer;
      if (!isReferenced) timer.unref();
    }
  }

  ref(): void {
    this.#timer?.ref();
  }
  unref(): void {
    this.#timer?.unref();
  }
  end(): void {
    if (this.#timer !== undefined) stop(this.#timer);
  }
}
