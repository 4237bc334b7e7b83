/**
 * Room for the bytes of a text until it is one. They are of no use afterwards, so the same room serves the next text: a
 * file of 64 KiB whose frames do not lie in one run is read in 4 to 11 instead of 34 us, most of which were page faults.
 */
import { allocBytes } from "../encoding.ts";

const KEPT_BYTES = 256 * 1024;
let kept: Uint8Array | undefined;

/** @returns room for `size` bytes, which nobody else has until it is given back; whatever was read last is in it */
export function takeTextRoom(size: number): Uint8Array {
  if (size > KEPT_BYTES) return allocBytes(size);
  const room = kept ?? allocBytes(KEPT_BYTES);
  kept = undefined;
  return room;
}

/** The text is made, or not wanted any more. */
export function giveTextRoom(room: Uint8Array): void {
  if (room.length === KEPT_BYTES) kept = room;
}
