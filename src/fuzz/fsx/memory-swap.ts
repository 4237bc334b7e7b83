/** A swap device whose slots are arrays of the host's. */
import type { SwapDevice, SwapIo } from "../../store.ts";

const PAGE = 4096;

export class MemorySwap implements SwapDevice {
  readonly nrPages: number;
  readonly name = "fsx";
  readonly #slots: Uint8Array;

  constructor(bytes: number) {
    this.nrPages = Math.floor(bytes / PAGE);
    this.#slots = new Uint8Array(this.nrPages * PAGE);
  }

  readPages(io: SwapIo): number {
    let at = io.slot * PAGE;
    for (const view of io.views()) {
      view.set(this.#slots.subarray(at, at + view.length));
      at += view.length;
    }
    return io.nrPages;
  }

  writePages(io: SwapIo): number {
    let at = io.slot * PAGE;
    for (const view of io.views()) {
      this.#slots.set(view, at);
      at += view.length;
    }
    return io.nrPages;
  }
}
