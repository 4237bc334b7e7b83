/** Asking a swap device for pages: at once, or by a promise. */
import { EIO } from "../base/errno.ts";
import type { Core } from "../wasm/core.ts";
import { PAGE_SIZE } from "../wasm/layout.ts";
import type { SwapIo } from "./swap-device.ts";
import { pagesDone } from "./swap-state.ts";

/** Frames for slots that follow each other. */
export class FrameIo implements SwapIo {
  readonly #core: Core;
  readonly slot: number;
  readonly #pfns: readonly number[];

  constructor(core: Core, slot: number, pfns: readonly number[]) {
    this.#core = core;
    this.slot = slot;
    this.#pfns = pfns;
  }

  get nrPages(): number {
    return this.#pfns.length;
  }

  views(): Uint8Array[] {
    const views: Uint8Array[] = [];
    for (let at = 0; at < this.#pfns.length; ) {
      const first = this.#pfns[at];
      let nr = 1;
      while (this.#pfns[at + nr] === first + nr) nr++;
      views.push(new Uint8Array(this.#core.arrayBuffer, first * PAGE_SIZE, nr * PAGE_SIZE));
      at += nr;
    }
    return views;
  }
}

/**
 * Has a device read or write.
 *
 * @param done is told pages, or a negated errno: before this returns, or late
 * @returns what ends when a device has answered that takes time
 */
export function startIo(
  ask: (io: SwapIo) => number | undefined | Promise<number | undefined>,
  io: SwapIo,
  done: (nr: number, isLate: boolean) => void,
): Promise<void> | undefined {
  const { nrPages } = io;
  let answer: ReturnType<typeof ask>;
  try {
    answer = ask(io);
  } catch {
    answer = -EIO;
  }
  if (typeof answer === "object" && typeof answer?.then === "function") {
    return Promise.resolve(answer)
      .then((later) => pagesDone(later, nrPages))
      .catch(() => -EIO)
      .then((nr) => done(nr, true));
  }
  done(pagesDone(answer as number | undefined, nrPages), false);
  return undefined;
}
