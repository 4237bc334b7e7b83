/**
 * Question: what is the cheapest way of copying n bytes from the caller's buffer into linear memory (a pwrite)?
 * From a whole buffer, and from the middle of one; with --shared, into shared memory. Not measured: argument checks,
 * page lookup, page marks.
 */
import { type Case, compare } from "./compare.ts";
import { randomOffsets } from "./offsets.ts";

const MEMORY_BYTES = 2 ** 18;
const PAGE_BYTES = 4096;
const MAX_BYTES = 2 ** 17;
const pages = (MEMORY_BYTES + MAX_BYTES) / 65536;
const shared = process.argv.includes("--shared");
const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
const u8 = new Uint8Array(buffer);
const heap = Buffer.from(buffer);
const pageViews = Array.from({ length: 64 }, (_, page) => new Uint8Array(buffer, page * PAGE_BYTES, PAGE_BYTES));
const at = randomOffsets({ seed: 1, bytes: MEMORY_BYTES, align: PAGE_BYTES });
const mask = at.length - 1;

/** The user hands over a whole buffer: no view of it is needed. */
function wholeBuffer(len: number): Case[] {
  const src = Buffer.alloc(len, 5);
  const cases: Case[] = [
    {
      name: "u8.set(src, p)",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) u8.set(src, at[i & mask]);
        return u8[0];
      },
    },
    {
      name: "new Uint8Array(buffer, p, n).set(src)",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) new Uint8Array(buffer, at[i & mask], len).set(src);
        return u8[0];
      },
    },
    {
      name: "src.copy(heapBuffer, p)",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) src.copy(heap, at[i & mask], 0, len);
        return u8[0];
      },
    },
  ];
  if (len <= PAGE_BYTES) {
    cases.push({
      name: "kept page view.set(src, o)",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) pageViews[at[i & mask] >> 12].set(src, 0);
        return u8[0];
      },
    });
  }
  return cases;
}

/** The user hands over a part of a buffer. */
function partOfBuffer(len: number): Case[] {
  const src = Buffer.alloc(len + 256, 5);
  const { buffer: srcBuffer, byteOffset } = src;
  return [
    {
      name: "u8.set(src.subarray(o, o + n), p)",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) u8.set(src.subarray(128, 128 + len), at[i & mask]);
        return u8[0];
      },
    },
    {
      name: "u8.set(new Uint8Array(src.buffer, ...), p)",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) u8.set(new Uint8Array(srcBuffer, byteOffset + 128, len), at[i & mask]);
        return u8[0];
      },
    },
    {
      name: "src.copy(heapBuffer, p, o, o + n)",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) src.copy(heap, at[i & mask], 128, 128 + len);
        return u8[0];
      },
    },
    {
      name: "byte loop",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) {
          const to = at[i & mask];
          for (let byte = 0; byte < len; byte++) u8[to + byte] = src[128 + byte];
        }
        return u8[0];
      },
    },
  ];
}

const SIZES = [16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, MAX_BYTES];
for (const len of SIZES) compare(`copy ${len} B in, whole buffer`, wholeBuffer(len));
for (const len of SIZES) compare(`copy ${len} B in, part of a buffer`, partOfBuffer(len));
