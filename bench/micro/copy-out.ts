/**
 * Question: what is the cheapest way of copying n bytes out of linear memory into the caller's buffer (a pread)?
 * Twice: from 256 KiB that stay in the CPU's cache, and from 64 MiB at random; with --shared, out of shared memory. Not measured: argument checks, lookup.
 */

import { type Case, compare } from "./compare.ts";
import { randomOffsets } from "./offsets.ts";

const MEMORY_BYTES = 64 * 2 ** 20;
const PAGE_BYTES = 4096;
const VIEWS = 4096;
const pages = MEMORY_BYTES / 65536;
const shared = process.argv.includes("--shared");
const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
const u8 = new Uint8Array(buffer).fill(7);
const f64 = new Float64Array(buffer);
const heap = Buffer.from(buffer);
const pageViews = Array.from({ length: VIEWS }, (_, page) => new Uint8Array(buffer, page * PAGE_BYTES, PAGE_BYTES));

/** All ways, for pieces of `len` bytes at `at[i]` of memory, to byte 128 of a user's Buffer. */
function ways(len: number, at: Uint32Array): Case[] {
  const dst = Buffer.alloc(len + 256);
  const dstF64 = new Float64Array(new ArrayBuffer(len + 256));
  const mask = at.length - 1;
  const cases: Case[] = [
    {
      name: "dst.set(new Uint8Array(buffer, p, n), o)",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) dst.set(new Uint8Array(buffer, at[i & mask], len), 128);
        return dst[128];
      },
    },
    {
      name: "dst.set(u8.subarray(p, p + n), o)",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) dst.set(u8.subarray(at[i & mask], at[i & mask] + len), 128);
        return dst[128];
      },
    },
    {
      name: "heapBuffer.copy(dst, o, p, p + n)",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) heap.copy(dst, 128, at[i & mask], at[i & mask] + len);
        return dst[128];
      },
    },
    {
      name: "Buffer.prototype.copy.call(u8, dst, ...)",
      run(nrCalls) {
        const copy = Buffer.prototype.copy;
        for (let i = 0; i < nrCalls; i++) copy.call(u8 as Buffer, dst, 128, at[i & mask], at[i & mask] + len);
        return dst[128];
      },
    },
    {
      name: "8 bytes a step (Float64Array, both aligned)",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) {
          const from = at[i & mask] >>> 3;
          for (let word = 0; word < len >> 3; word++) dstF64[16 + word] = f64[from + word];
        }
        return dstF64[16] > 0 ? 1 : 0;
      },
    },
  ];
  if (len <= PAGE_BYTES) {
    cases.push({
      name: "dst.set(kept page view.subarray, o)",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) {
          const view = pageViews[(at[i & mask] >> 12) & (VIEWS - 1)];
          dst.set(view.subarray(0, len), 128);
        }
        return dst[128];
      },
    });
  }
  if (len <= 256) {
    cases.push({
      name: "byte loop",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) {
          const from = at[i & mask];
          for (let byte = 0; byte < len; byte++) dst[128 + byte] = u8[from + byte];
        }
        return dst[128];
      },
    });
  }
  if (len === PAGE_BYTES) {
    cases.push({
      name: "dst.set(kept page view, o): whole pages only",
      run(nrCalls) {
        for (let i = 0; i < nrCalls; i++) dst.set(pageViews[(at[i & mask] >> 12) & (VIEWS - 1)], 128);
        return dst[128];
      },
    });
  }
  return cases;
}

for (const len of [16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072]) {
  compare(`copy ${len} B out, 256 KiB hot`, ways(len, randomOffsets({ seed: 1, bytes: 2 ** 18, align: PAGE_BYTES })));
}
for (const len of [16, 4096]) {
  compare(`copy ${len} B out, 64 MiB`, ways(len, randomOffsets({ seed: 2, bytes: MEMORY_BYTES, align: PAGE_BYTES })));
}
