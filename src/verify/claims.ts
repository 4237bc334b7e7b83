/** What kmalloc() has given: strings, and records that are lists. Each belongs to one record. */
import { CACHE_KMALLOC_32, MAX_ORDER, NR_CACHES, PAGE_PRIVATE_LOW, PAGE_SIZE } from "../wasm/layout.ts";
import { demand, refuse } from "./demand.ts";
import { BUFFER, type Frames } from "./frames.ts";
import type { Image } from "./image.ts";
import type { Slabs } from "./slabs.ts";

export class Claims {
  readonly #image: Image;
  readonly #frames: Frames;
  readonly #slabs: Slabs;
  readonly #claimed: Uint8Array;
  #nr = 0;

  constructor(image: Image, frames: Frames, slabs: Slabs) {
    this.#image = image;
    this.#frames = frames;
    this.#slabs = slabs;
    this.#claimed = new Uint8Array(slabs.nr);
  }

  /**
   * A record refers to it, and no other does.
   *
   * @param bytes that it has at least
   * @throws SnapshotError when it has fewer, is nothing that kmalloc() has given, or somebody else's
   */
  claim(address: number, bytes: number, what: string): void {
    const piece = this.#slabs.kmalloced(address);
    if (piece === undefined) {
      this.#claimBuffer(address, bytes, what);
      return;
    }
    if (bytes > piece.bytes) refuse(`${what} is longer than its place`, address);
    if (this.#claimed[piece.number] !== 0) refuse(`${what} is somebody else's, too`, address);
    this.#claimed[piece.number] = 1;
    this.#nr++;
  }

  /** What has been claimed has so many bytes at least. @throws SnapshotError */
  checkLength(address: number, bytes: number, what: string): void {
    const room = this.#slabs.kmalloced(address)?.bytes ?? PAGE_SIZE << this.#orderOf(address >>> 12);
    demand(bytes <= room, `${what} is longer than its place`, address);
  }

  #orderOf(pfn: number): number {
    return this.#image.u32[this.#frames.descriptor(pfn) + PAGE_PRIVATE_LOW];
  }

  #claimBuffer(address: number, bytes: number, what: string): void {
    const pfn = address >>> 12;
    demand((address & (PAGE_SIZE - 1)) === 0 && this.#frames.use(pfn) === BUFFER, `${what} lies nowhere`, address);
    const order = this.#orderOf(pfn);
    demand(order <= MAX_ORDER && bytes <= PAGE_SIZE << order, `${what} is longer than its place`, address);
    for (let i = 0; i < 1 << order; i++) this.#frames.claim(pfn + i, BUFFER, what, address);
  }

  /** Nothing is left in slabs that no record refers to. @throws SnapshotError */
  checkAllClaimed(): void {
    let nr = 0;
    for (let cache = CACHE_KMALLOC_32; cache < NR_CACHES; cache++) nr += this.#slabs.records(cache).length;
    demand(nr === this.#nr, "memory is in use that no record refers to");
  }
}
