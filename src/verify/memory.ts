/** Memory that is being checked: its frames and records, and who has been found to refer to which. */
import { KERNEL_BLOCK } from "../wasm/layout.ts";
import { Claims } from "./claims.ts";
import { refuse } from "./demand.ts";
import { Frames } from "./frames.ts";
import type { Image } from "./image.ts";
import { Slabs } from "./slabs.ts";

/** A record, and where it is. */
export interface Visited {
  readonly address: number;
  /** Index of its first word in `u32`. */
  readonly at: number;
}

/** A list by the records on it. */
export interface ListOf {
  readonly cache: number;
  /** Field that has the next one. */
  readonly next: number;
  /** Field that has the one before; left out where there is none. */
  readonly prev?: number;
  /** Which are on a list already, by number of a record. */
  readonly marks: Uint8Array;
  readonly what: string;
}

export class Memory {
  readonly image: Image;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly frames: Frames;
  readonly slabs: Slabs;
  readonly claims: Claims;
  /** References that have been found, by number of a record. */
  readonly references: Uint32Array;

  /** @throws SnapshotError when frames or slabs are not sound */
  constructor(image: Image) {
    this.image = image;
    this.u32 = image.u32;
    this.f64 = image.f64;
    this.frames = new Frames(image);
    this.slabs = new Slabs(image, this.frames);
    this.claims = new Claims(image, this.frames, this.slabs);
    this.references = new Uint32Array(this.slabs.nr);
  }

  /** A word of the kernel block. */
  kernel(field: number): number {
    return this.image.word(KERNEL_BLOCK + field * 4);
  }

  /** A number of the kernel block. @param field index of an f64 */
  kernelNumber(field: number): number {
    return this.f64[(this.image.at(KERNEL_BLOCK) >>> 1) + field];
  }

  /** One mark for each record. */
  marks(): Uint8Array {
    return new Uint8Array(this.slabs.nr);
  }

  /** A record refers to another one, and holds it. @throws SnapshotError for what is none @returns its number */
  hold(cache: number, address: number, what: string): number {
    const number = this.slabs.numberOf(cache, address, what);
    this.references[number]++;
    return number;
  }

  /**
   * Walks a list to its end.
   *
   * @param head address of the first record, 0 = it is empty
   * @param visit is told the address of each, and the index of its first word in `u32`
   * @returns the last one
   * @throws SnapshotError
   */
  walk(head: number, list: ListOf, visit: (address: number, at: number) => void): number {
    const { cache, next, prev: back, marks, what } = list;
    let prev = 0;
    for (let address = head; address !== 0; ) {
      const number = this.slabs.number(cache, address);
      if (number < 0) refuse(`the list of ${what} leads astray`, address);
      if (marks[number] !== 0) refuse(`a record is on the list of ${what} twice`, address);
      marks[number] = 1;
      const at = this.image.at(address);
      if (back !== undefined && this.u32[at + back] !== prev) refuse(`the list of ${what} does not lead back`, address);
      visit(address, at);
      prev = address;
      address = this.u32[at + next];
    }
    return prev;
  }
}
