/** Bytes to write: parts of one random text, so that wherever pages are mixed up, it shows. */
import { seededRandom } from "./random.ts";

/** The longest write. */
export const PATTERN_BYTES = 1 << 20;
/** How many starts there are. */
export const NR_PATTERNS = 251;

let pattern: Buffer | undefined;

/** @param length up to PATTERN_BYTES @param seed below NR_PATTERNS */
export function bytesFor(length: number, seed: number): Buffer {
  pattern ??= makePattern();
  return pattern.subarray(seed, seed + length);
}

/** No byte of it is 0: holes are what is 0. */
function makePattern(): Buffer {
  const bytes = Buffer.alloc(PATTERN_BYTES + NR_PATTERNS);
  const random = seededRandom(1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = 1 + random(255);
  return bytes;
}
