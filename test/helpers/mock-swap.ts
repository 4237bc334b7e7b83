/** A swap device in memory that fails, refuses and waits when it is told to, and knows what it has been asked. */
import { strict as assert } from "node:assert";
import type { SwapDevice, SwapIo } from "../../src/mm/swap-device.ts";

const PAGE = 4096;

/** What a device is to do with a request: answer as it should, or something else. */
export type Verdict = "ok" | "throw" | number;

interface Waiting {
  readonly answer: () => void;
}

export class MockSwap implements SwapDevice {
  readonly nrPages: number;
  /** What each slot was written with last. */
  readonly slots = new Map<number, Uint8Array>();
  /** Answers promises, which answer() settles. */
  isAsync = false;
  readonly waiting: Waiting[] = [];
  nrReads = 0;
  nrWrites = 0;
  pagesRead = 0;
  pagesWritten = 0;
  /** Asked of each request in turn. */
  verdict: (nr: number, isWrite: boolean, io: SwapIo) => Verdict = () => "ok";
  #nr = 0;
  isClosed = false;

  constructor(nrPages: number) {
    this.nrPages = nrPages;
  }

  get nrRequests(): number {
    return this.#nr;
  }

  readPages(io: SwapIo): number | Promise<number> {
    this.nrReads++;
    return this.#answer(io, false, (nr) => {
      const pages = pagesOf(io);
      for (let i = 0; i < nr; i++) {
        const kept = this.slots.get(io.slot + i);
        assert.ok(kept !== undefined, `slot ${io.slot + i} is read, but was never written`);
        pages[i].set(kept);
      }
      this.pagesRead += nr;
    });
  }

  writePages(io: SwapIo): number | Promise<number> {
    this.nrWrites++;
    return this.#answer(io, true, (nr) => {
      const pages = pagesOf(io);
      for (let i = 0; i < nr; i++) this.slots.set(io.slot + i, pages[i].slice());
      this.pagesWritten += nr;
    });
  }

  close(): void {
    assert.equal(this.isClosed, false);
    this.isClosed = true;
  }

  #answer(io: SwapIo, isWrite: boolean, move: (nr: number) => void): number | Promise<number> {
    assert.ok(!this.isClosed, "a device is asked that is closed");
    assert.ok(io.slot >= 0 && io.nrPages > 0 && io.slot + io.nrPages <= this.nrPages, "beyond the device");
    const verdict = this.verdict(this.#nr++, isWrite, io);
    const nr = typeof verdict === "number" ? verdict : io.nrPages;
    const now = (): number => {
      if (verdict === "throw") throw new Error("the device has failed");
      if (nr > 0) move(nr);
      return nr;
    };
    if (!this.isAsync) return now();
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        try {
          resolve(now());
        } catch (error) {
          reject(error);
        }
      };
      this.waiting.push({ answer });
    });
  }

  /** Settles one of the requests that wait. */
  answer(at = 0): void {
    this.waiting.splice(at, 1)[0]?.answer();
  }
}

function pagesOf(io: SwapIo): Uint8Array[] {
  const pages = io.views().flatMap((view) => {
    assert.equal(view.length % PAGE, 0);
    return Array.from({ length: view.length / PAGE }, (_, i) => view.subarray(i * PAGE, (i + 1) * PAGE));
  });
  assert.equal(pages.length, io.nrPages);
  return pages;
}
