/**
 * A snapshot from an older one and the deltas since (delta-format.ts).
 *
 * Does not own: making deltas (snapshot-delta.ts), what is done with the snapshot (restore.ts).
 */
import { PAGE_SIZE } from "../wasm/layout.ts";
import { BROUGHT, BROUGHT_UNIT_BYTES, CHANGED_WHOLE, type Delta, KEPT, type Run, readDelta } from "./delta-format.ts";
import { openSnapshot } from "./restore.ts";
import { SnapshotError } from "./snapshot-error.ts";
import { BLOCK_BYTES, viewOf } from "./snapshot-format.ts";
import { blocksOf, readBlocks, SnapshotUnits } from "./snapshot-units.ts";

/**
 * The bytes of the snapshot that the last delta was made of. They are checked for what they are, but for the checksum, which is the caller's.
 *
 * @param chain the bytes of a snapshot, and of deltas, each since what those before it come to
 * @throws SnapshotError when one is damaged, of another version, or not since what stands before it
 */
export function joinDeltas(chain: readonly Uint8Array[], module: WebAssembly.Module, shared: boolean): Uint8Array {
  const [first, ...deltas] = chain;
  if (first === undefined) throw new SnapshotError("there is no snapshot in an empty array");
  let { bytes } = openSnapshot(first, module, shared);
  for (const given of deltas) bytes = join(bytes, readDelta(given, bytes, module, shared));
  return bytes;
}

function join(base: Uint8Array, delta: Delta): Uint8Array {
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
