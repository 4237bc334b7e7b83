/**
 * Where pages of memory go that have no frame: what a swap device is asked for.
 *
 * Does not own: which page lies in which slot (swap-area.ts).
 */

/** Slots that are read or written: they follow each other. */
export interface SwapIo {
  /** The first of them, from 0 on. */
  readonly slot: number;
  readonly nrPages: number;
  /**
   * The pages, in the order of their slots, as few arrays as may be. Memory may grow while a device waits: ask anew. In bytes of a
   * snapshot they may begin anywhere.
   */
  views(): Uint8Array[];
}

/**
 * A device for swapOn(). It answers at once, or a promise; then synchronous calls that need one of its pages are EAGAIN.
 *
 * An answer is a number of pages, or nothing for all of them, or a negated errno for none. What it throws or rejects with is EIO.
 */
export interface SwapDevice {
  /** Slots that it has, pages of 4096 bytes. */
  readonly nrPages: number;
  /** For /proc/swaps. Missing: `swap` and the number of the area. */
  readonly name?: string;
  /** "file", "partition" or the like, for /proc/swaps. Missing: "memory". */
  readonly type?: string;
  /** Fills pages. Those behind the number that is answered could not be read: EIO for who needs them. */
  readPages(io: SwapIo): number | undefined | Promise<number | undefined>;
  /**
   * Keeps pages. The one behind the number that is answered it does not want: that goes to another area, or stays in memory.
   * Programs may write to the pages while it waits: then what it has written does not count.
   */
  writePages(io: SwapIo): number | undefined | Promise<number | undefined>;
  /** Nobody will ask for these slots any more, before they are written again. Told now and then, for devices that gain by it. */
  discardPages?(slot: number, nrPages: number): void;
  /** Bytes of host memory that it keeps pages in. */
  readonly hostBytes?: number;
  /** The area is off. */
  close?(): void;
}

/** Is it a device, as far as can be seen? */
export function isSwapDevice(value: unknown): value is SwapDevice {
  const { nrPages, readPages, writePages } = (value ?? {}) as Partial<SwapDevice>;
  return (
    Number.isSafeInteger(nrPages) &&
    (nrPages as number) > 0 &&
    typeof readPages === "function" &&
    typeof writePages === "function"
  );
}
