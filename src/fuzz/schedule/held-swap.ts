/** A swap device in memory that answers when it is told to. */
import type { SwapDevice, SwapIo } from "../../store.ts";
import type { HeldStoreOptions } from "./held-store.ts";

const PAGE_BYTES = 4096;

export class HeldSwap implements SwapDevice {
  readonly nrPages: number;
  /** All answers come at once, as long as files are laid out. */
  isQuick = true;
  readonly #slots = new Map<number, Uint8Array>();
  readonly #options: Pick<HeldStoreOptions, "hold" | "plan">;
  #nrCalls = 0;

  constructor(nrPages: number, options: Pick<HeldStoreOptions, "hold" | "plan">) {
    this.nrPages = nrPages;
    this.#options = options;
  }

  readPages(io: SwapIo): number | Promise<number> {
    return this.#answer("swapIn", io, (page, slot) => {
      const kept = this.#slots.get(slot);
      if (kept === undefined) throw new Error(`slot ${slot} is read, and was never written`);
      page.set(kept);
    });
  }

  writePages(io: SwapIo): number | Promise<number> {
    return this.#answer("swapOut", io, (page, slot) => void this.#slots.set(slot, page.slice()));
  }

  #answer(name: string, io: SwapIo, move: (page: Uint8Array, slot: number) => void): number | Promise<number> {
    const { hold, plan } = this.#options;
    const nr = this.#nrCalls++;
    const finish = (): number => {
      const fault = plan?.({ nr, operation: name, ino: io.slot, start: 0, end: io.nrPages * PAGE_BYTES });
      if (fault !== undefined) throw new Error(`call ${nr} of the swap device`);
      for (const [i, page] of pagesOf(io).entries()) move(page, io.slot + i);
      return io.nrPages;
    };
    return this.isQuick ? finish() : hold(`${name} ${io.slot}+${io.nrPages}`).then(finish);
  }
}

function pagesOf(io: SwapIo): Uint8Array[] {
  return io.views().flatMap((view) => {
    const nrPages = view.length / PAGE_BYTES;
    return Array.from({ length: nrPages }, (_, i) => view.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES));
  });
}
