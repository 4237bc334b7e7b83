/**
 * A snapshot from one and deltas since, all of strangers: what a delta says of itself is checked before anything is made of it.
 *
 * Checksums of deltas are not looked at: what comes out has one of its own, which restore checks.
 *
 * @see vfs/delta-format.ts
 */
import {
  BROUGHT,
  BROUGHT_UNIT_BYTES,
  CHANGED_SPARSE,
  CHANGED_WHOLE,
  DELTA_MAGIC,
  DELTA_VERSION,
  type Delta,
  isSince,
  KEPT,
  type Run,
  splitDelta,
} from "../vfs/delta-format.ts";
import { joinDelta } from "../vfs/join-delta.ts";
import { BLOCK_BYTES, HEADER_BYTES, MASK_BYTES, viewOf } from "../vfs/snapshot-format.ts";
import { SnapshotUnits } from "../vfs/snapshot-units.ts";
import { LAYOUT_HASH, PAGE_SIZE } from "../wasm/layout.ts";
import { bitsOf, readContainer } from "./container.ts";
import { demand } from "./demand.ts";
import { readMeta } from "./meta.ts";

/** Bytes that a delta may add to what it is since, beside its own, as many times over: pages that are alike are told of once. */
const MOST_TIMES = 4;
const SLACK_BYTES = 2 ** 24;

/** @param chain copies, which nobody else has @param maxFrames what memory may have @throws SnapshotError */
export function joinChain(chain: readonly Uint8Array[], maxFrames: number): Uint8Array {
  const [first, ...deltas] = chain;
  demand(first !== undefined, "there is no snapshot in an empty array");
  let bytes = first;
  for (const delta of deltas) {
    readMeta(readContainer(bytes, maxFrames).meta);
    bytes = joinDelta(bytes, checkDelta(delta, bytes, maxFrames));
  }
  return bytes;
}

function checkDelta(bytes: Uint8Array, base: Uint8Array, maxFrames: number): Delta {
  const view = viewOf(bytes);
  const isOne = bytes.length >= HEADER_BYTES && [...DELTA_MAGIC].every((c, i) => bytes[i] === c.charCodeAt(0));
  demand(isOne, "these bytes are no delta");
  demand(view.getUint32(8, true) === DELTA_VERSION, "the delta has another format version");
  demand(view.getUint32(12, true) === LAYOUT_HASH, "the delta was made by a foliofs with another memory layout");
  demand(view.getFloat64(16, true) === bytes.length, "the delta has not as many bytes as it says");
  demand(isSince(bytes, base), "the delta is since another snapshot than what stands before it");
  const delta = splitDelta(bytes);
  demand(delta !== undefined && delta.head.length >= HEADER_BYTES, "the head of a delta is longer than it is, or none");
  const length = viewOf(delta.head).getFloat64(16, true);
  const most = Math.max(MOST_TIMES * (base.length + bytes.length), 2 * maxFrames * PAGE_SIZE) + SLACK_BYTES;
  demand(
    Number.isSafeInteger(length) && length >= delta.head.length && length <= most,
    "a delta makes a snapshot of no size",
  );
  new RunChecker(delta, new SnapshotUnits(base), length).check();
  return delta;
}

/** Runs take what is there, and give as much as is said. */
class RunChecker {
  readonly #delta: Delta;
  readonly #base: SnapshotUnits;
  readonly #length: number;
  /** Of what the delta brings, where the next is. */
  #from = 0;

  constructor(delta: Delta, base: SnapshotUnits, length: number) {
    this.#delta = delta;
    this.#base = base;
    this.#length = length;
  }

  check(): void {
    let least = this.#delta.head.length;
    let most = least;
    for (const run of this.#delta.runs) {
      const [low, high] = this.#lengthsOf(run);
      least += low;
      most += high;
      demand(least <= this.#length, "a delta gives more than it says");
    }
    demand(most >= this.#length, "a delta gives less than it says");
    demand(this.#from === this.#delta.brought.length, "a delta brings more than it gives");
  }

  /** @returns bytes that it gives, at least and at most */
  #lengthsOf({ what, nr, first }: Run): readonly [number, number] {
    const { nr: nrUnits } = this.#base;
    demand(
      nr > 0 && (what === BROUGHT || first + nr <= nrUnits),
      "a delta takes what the snapshot before it does not have",
    );
    if (what === KEPT) {
      const length = this.#base.start(first + nr) - this.#base.start(first);
      return [length, length];
    }
    if (what === BROUGHT) {
      this.#bring(nr * BROUGHT_UNIT_BYTES);
      return [nr * BROUGHT_UNIT_BYTES, nr * BROUGHT_UNIT_BYTES];
    }
    demand(what === CHANGED_WHOLE || what === CHANGED_SPARSE, "a delta has a run of no kind");
    for (let i = 0; i < nr; i++) this.#bringBlocks();
    if (what === CHANGED_WHOLE) return [nr * PAGE_SIZE, nr * PAGE_SIZE];
    return [nr * MASK_BYTES, nr * (MASK_BYTES + PAGE_SIZE)];
  }

  #bringBlocks(): void {
    const at = this.#from;
    this.#bring(MASK_BYTES);
    const view = viewOf(this.#delta.brought);
    this.#bring(BLOCK_BYTES * (bitsOf(view.getUint32(at, true)) + bitsOf(view.getUint32(at + 4, true))));
  }

  #bring(length: number): void {
    this.#from += length;
    demand(this.#from <= this.#delta.brought.length, "a delta brings less than it gives");
  }
}
