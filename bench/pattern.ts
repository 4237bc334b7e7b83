/** The bytes and the text that files are filled with: the same for all, and different on every page. */
import { seeded } from "./random.ts";

const PAGE_BYTES = 4096;
let bytes: Buffer = Buffer.alloc(0);

/** @param len at most 2^30 @returns the first `len` bytes of the pattern; shared, not to be written to */
export function pattern(len: number): Buffer {
  if (bytes.length < len) bytes = makePattern(len);
  return bytes.subarray(0, len);
}

function makePattern(len: number): Buffer {
  const made = Buffer.allocUnsafeSlow(len);
  const random = seeded(42);
  const page = Buffer.from(Array.from({ length: PAGE_BYTES }, () => random() * 256));
  for (let pos = 0; pos < len; pos += PAGE_BYTES) {
    page.writeUInt32LE(pos / PAGE_BYTES, 0);
    page.copy(made, pos, 0, Math.min(PAGE_BYTES, len - pos));
  }
  return made;
}

/** Text of ASCII words, as most source files are. @returns `len` characters, which are as many bytes */
export function text(len: number): string {
  const words = "const page = findPage(mapping, index); if (page === NO_PFN) return -ENOENT;\n";
  return Buffer.from(words.repeat(Math.ceil(len / words.length)).slice(0, len)).toString("latin1"); // one flat string
}
