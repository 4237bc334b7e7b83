/**
 * Deltas: what of a snapshot an older one does not have.
 *
 * Units (snapshot-units.ts) are compared by content: first with the one that had been in the same place; then a page of a file with any page
 * of the older one that is the same, since pages move (compaction, swap); then a frame block by block with what had been in its place.
 *
 * Does not own: making snapshots (snapshot.ts), putting both together again (join-deltas.ts).
 */
import { PAGE_SIZE } from "../wasm/layout.ts";
import {
  BROUGHT,
  BROUGHT_UNIT_BYTES,
  CHANGED_SPARSE,
  CHANGED_WHOLE,
  KEPT,
  type Run,
  writeDelta,
} from "./delta-format.ts";
import { joinDeltas } from "./join-deltas.ts";
import { openSnapshot } from "./restore.ts";
import { BLOCK_BYTES } from "./snapshot-format.ts";
import { blocksOf, NO_UNIT, SnapshotUnits } from "./snapshot-units.ts";

/**
 * What a snapshot has that an older one has not.
 *
 * @param next bytes of a snapshot
 * @param since bytes of the older one, and of deltas since
 * @throws SnapshotError when these are damaged, of another version, or not since each other
 */
export function deltaSince(
  next: Uint8Array,
  since: readonly Uint8Array[],
  module: WebAssembly.Module,
  shared: boolean,
): Uint8Array {
  const { bytes: base } = openSnapshot(joinDeltas(since, module, shared), module, shared);
  const writer = new DeltaWriter(new SnapshotUnits(base), new SnapshotUnits(next));
  writer.run();
  return writeDelta(base, writer, writer.pieces, module, shared);
}

function areEqual(a: DataView, start: number, b: DataView, other: number, length: number): boolean {
  for (let i = 0; i < length; i += 4) if (a.getUint32(start + i, true) !== b.getUint32(other + i, true)) return false;
  return true;
}

/** Of a page every fifteenth word goes into its hash: to hash all would cost as much as to compare all. */
const HASH_STEP = 60;

/** A number of 32 bits for the bytes of a page. */
function hashOf(view: DataView, start: number): number {
  let hash = 0;
  for (let i = 0; i < PAGE_SIZE; i += HASH_STEP)
    hash = (Math.imul(hash, 0x9e3779b1) + view.getUint32(start + i, true)) | 0;
  return hash;
}

class DeltaWriter {
  readonly #base: SnapshotUnits;
  readonly #next: SnapshotUnits;
  readonly head: Uint8Array;
  readonly runs: Run[] = [];
  /** What runs bring. */
  readonly pieces: Uint8Array[] = [];
  /** Pages of the base, by hash; made when it is first asked. */
  #pages: Map<number, number> | undefined;
  readonly #page = new Uint8Array(PAGE_SIZE);
  readonly #old = new Uint8Array(PAGE_SIZE);

  constructor(base: SnapshotUnits, next: SnapshotUnits) {
    this.#base = base;
    this.#next = next;
    this.head = next.bytes.subarray(0, next.headLength);
  }

  run(): void {
    for (let unit = 0; unit < this.#next.nr; unit++) this.#add(unit);
  }

  #add(unit: number): void {
    const place = this.#base.inPlaceOf(this.#next, unit);
    const source = place !== NO_UNIT && this.#isSame(unit, place) ? place : this.#find(unit);
    if (source !== NO_UNIT) this.#note(KEPT, 1, source);
    else if (place === NO_UNIT || !this.#addChanged(unit, place)) this.#bring(unit);
  }

  #isSame(unit: number, source: number): boolean {
    const length = this.#next.length(unit);
    if (length !== this.#base.length(source)) return false;
    return areEqual(this.#next.view, this.#next.start(unit), this.#base.view, this.#base.start(source), length);
  }

  /** A page of the base with the same bytes. */
  #find(unit: number): number {
    if (!this.#next.isWhole(unit)) return NO_UNIT;
    this.#pages ??= this.#indexPages();
    const found = this.#pages.get(hashOf(this.#next.view, this.#next.start(unit))) ?? NO_UNIT;
    return found !== NO_UNIT && this.#isSame(unit, found) ? found : NO_UNIT;
  }

  #indexPages(): Map<number, number> {
    const base = this.#base;
    const pages = new Map<number, number>();
    for (let unit = 0; unit < base.nr; unit++)
      if (base.isWhole(unit)) pages.set(hashOf(base.view, base.start(unit)), unit);
    return pages;
  }

  /** Brings the blocks that differ from those of a unit of the base. @returns false where that is no less than all */
  #addChanged(unit: number, place: number): boolean {
    const page = this.#page;
    const old = this.#old;
    this.#next.expand(unit, page);
    this.#base.expand(place, old);
    const blocks = blocksOf(page, (start) => {
      for (let i = start; i < start + BLOCK_BYTES; i++) if (page[i] !== old[i]) return true;
      return false;
    });
    if (blocks.length >= this.#next.length(unit)) return false;
    this.#note(this.#next.isWhole(unit) ? CHANGED_WHOLE : CHANGED_SPARSE, 1, place);
    this.pieces.push(blocks.slice());
    return true;
  }

  #bring(unit: number): void {
    const start = this.#next.start(unit);
    const end = this.#next.start(unit + 1);
    this.#note(BROUGHT, (end - start) / BROUGHT_UNIT_BYTES, 0);
    this.pieces.push(this.#next.bytes.subarray(start, end));
  }

  /** Adds units to the last run, or begins another. */
  #note(what: number, nr: number, first: number): void {
    const last = this.runs.at(-1);
    if (last?.what === what && (what === BROUGHT || last.first + last.nr === first)) last.nr += nr;
    else this.runs.push({ what, nr, first });
  }
}
