/** A snapshot from an older one and one delta (delta-format.ts), both taken apart. */
import { PAGE_SIZE } from "../wasm/layout.ts";
import { BROUGHT, BROUGHT_UNIT_BYTES, CHANGED_WHOLE, type Delta, KEPT, type Run } from "./delta-format.ts";
import { SnapshotError } from "./snapshot-error.ts";
import { BLOCK_BYTES, viewOf } from "./snapshot-format.ts";
import { blocksOf, readBlocks, SnapshotUnits } from "./snapshot-units.ts";

/** @param base bytes that have been checked @throws SnapshotError when they do not fit each other */
export function joinDelta(base: Uint8Array, delta: Delta): Uint8Array {
  try {
    return new Joiner(base, delta).run();
  } catch (error) {
    if (error instanceof RangeError) throw new SnapshotError("this delta does not fit the snapshot before it");
    throw error;
  }
}

class Joiner {
  readonly #base: SnapshotUnits;
  readonly #delta: Delta;
  readonly #bytes: Uint8Array;
  readonly #page = new Uint8Array(PAGE_SIZE);
  /** Where the next unit goes. */
  #at: number;
  /** Of what the delta brings, where the next is. */
  #from = 0;

  constructor(base: Uint8Array, delta: Delta) {
    this.#base = new SnapshotUnits(base);
    this.#delta = delta;
    this.#bytes = new Uint8Array(viewOf(delta.head).getFloat64(16, true));
    this.#bytes.set(delta.head);
    this.#at = delta.head.length;
  }

  run(): Uint8Array {
    for (const run of this.#delta.runs) this.#add(run);
    return this.#bytes;
  }

  #add({ what, nr, first }: Run): void {
    if (what === KEPT) this.#put(this.#base.bytes.subarray(this.#base.start(first), this.#base.start(first + nr)));
    else if (what === BROUGHT) this.#bring(nr * BROUGHT_UNIT_BYTES);
    else for (let unit = first; unit < first + nr; unit++) this.#change(unit, what === CHANGED_WHOLE);
  }

  #bring(length: number): void {
    this.#put(this.#delta.brought.subarray(this.#from, this.#from + length));
    this.#from += length;
  }

  #change(unit: number, isWhole: boolean): void {
    const page = this.#page;
    this.#base.expand(unit, page);
    this.#from = readBlocks(this.#delta.brought, this.#from, page);
    this.#put(isWhole ? page : blocksOf(page, (start) => !isZero(page, start)));
  }

  #put(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
}

function isZero(page: Uint8Array, start: number): boolean {
  for (let i = start; i < start + BLOCK_BYTES; i++) if (page[i] !== 0) return false;
  return true;
}
