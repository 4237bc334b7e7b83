/** Swap areas of a snapshot: slots that are held are its first ones, each by one index, and their pages are in the bytes. */
import {
  KERNEL_BLOCK,
  KERNEL_NR_RESERVED,
  KERNEL_NR_SWAP_PAGES,
  KERNEL_SWAP_AREAS,
  KERNEL_TOTAL_SWAP_PAGES,
  MAX_SWAPFILES,
  PAGE_SIZE,
  SWAP_AREA_BYTES,
  SWAP_AREA_FLAGS,
  SWAP_AREA_MAP,
  SWAP_AREA_NEXT,
  SWAP_AREA_NR_IO,
  SWAP_AREA_NR_SLOTS,
  SWAP_AREA_NR_USED,
  SWAP_AREA_SPARE,
  SWAP_MAP_SLOTS,
  SWAP_SLOT_SHIFT,
  SWP_WRITEOK,
} from "../wasm/layout.ts";
import { demand } from "./demand.ts";
import { BUFFER } from "./frames.ts";
import type { Memory } from "./memory.ts";

const DIRECTORY = PAGE_SIZE / 4;
/** 4 GiB: more cannot come with bytes. */
const MAX_SLOTS = 2 ** 20;

interface Area {
  readonly nrUsed: number;
  /** Slots that an index has been found to hold. */
  readonly taken: Uint8Array;
  nrTaken: number;
}

export class SwapAreas {
  readonly #areas: (Area | undefined)[] = [];

  /** @param nrPages that come with the bytes @throws SnapshotError */
  constructor(memory: Memory, nrPages: number) {
    let nrSlots = 0;
    let nrUsed = 0;
    for (let number = 0; number < MAX_SWAPFILES; number++) {
      const area = checkArea(memory, number);
      this.#areas.push(area);
      nrSlots += area ? memory.image.word(recordOf(number) + SWAP_AREA_NR_SLOTS * 4) : 0;
      nrUsed += area?.nrUsed ?? 0;
    }
    demand(nrUsed === nrPages, "there are not as many pages of swap areas as are used");
    demand(nrSlots === memory.kernel(KERNEL_TOTAL_SWAP_PAGES), "totalSwapPages is not the number of slots");
    const nrFree = nrSlots - nrUsed;
    demand(nrFree === memory.kernel(KERNEL_NR_SWAP_PAGES), "nrSwapPages is not the number of free slots");
    demand(nrFree <= memory.kernel(KERNEL_NR_RESERVED), "there are more free slots than pages that have been promised");
  }

  /** An index has a swap entry. @throws SnapshotError for a slot that is free, or somebody else's */
  take(entry: number, address: number): void {
    const slot = entry >>> SWAP_SLOT_SHIFT;
    const area = this.#areas[(entry >>> 2) & (MAX_SWAPFILES - 1)];
    demand(area !== undefined && slot < area.nrUsed, "a page is in a slot that nobody has", address);
    demand(area.taken[slot] === 0, "two pages are in one slot", address);
    area.taken[slot] = 1;
    area.nrTaken++;
  }

  /** @throws SnapshotError for a slot that is held by nobody */
  checkAllTaken(): void {
    for (const area of this.#areas)
      demand(area === undefined || area.nrTaken === area.nrUsed, "a slot is held by nobody");
  }
}

function recordOf(number: number): number {
  return KERNEL_BLOCK + KERNEL_SWAP_AREAS + number * SWAP_AREA_BYTES;
}

function checkArea(memory: Memory, number: number): Area | undefined {
  const { u32, image, frames } = memory;
  const address = recordOf(number);
  const at = image.at(address);
  const map = u32[at + SWAP_AREA_MAP];
  if (map === 0) {
    demand(image.isZero(address, SWAP_AREA_BYTES), "a swap area is off, but not empty", address);
    return undefined;
  }
  const nrSlots = u32[at + SWAP_AREA_NR_SLOTS];
  const nrUsed = u32[at + SWAP_AREA_NR_USED];
  demand(nrSlots > 0 && nrSlots <= MAX_SLOTS && nrUsed <= nrSlots, "a swap area is of no size", address);
  const isAtRest = !u32[at + SWAP_AREA_NR_IO] && !u32[at + SWAP_AREA_NEXT] && !u32[at + SWAP_AREA_SPARE];
  demand(isAtRest && u32[at + SWAP_AREA_FLAGS] === SWP_WRITEOK, "a swap area is at work", address);
  demand((map & (PAGE_SIZE - 1)) === 0, "the map of a swap area is no page", address);
  frames.claim(map >>> 12, BUFFER, "the map of a swap area", address);
  const directory = image.at(map);
  const nrFrames = Math.ceil(nrSlots / SWAP_MAP_SLOTS);
  for (let i = 0; i < DIRECTORY; i++) {
    const frame = u32[directory + i];
    demand(
      (frame !== 0) === i < nrFrames && (frame & (PAGE_SIZE - 1)) === 0,
      "a frame of a map is missing, or left over",
      map,
    );
    if (frame === 0) continue;
    frames.claim(frame >>> 12, BUFFER, "a frame of a map", frame);
    const held = Math.min(Math.max(nrUsed - i * SWAP_MAP_SLOTS, 0), SWAP_MAP_SLOTS);
    const isRight = image.bytesAt(frame, PAGE_SIZE).every((byte, slot) => byte === (slot < held ? 1 : 0));
    demand(isRight, "a map says that other slots are held", frame);
  }
  return { nrUsed, taken: new Uint8Array(nrUsed), nrTaken: 0 };
}
