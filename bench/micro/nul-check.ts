/**
 * Question: what does Node's rule "a path holds no NUL" cost, and which way of asking is cheapest?
 * Flat ASCII paths of 10, 38 and 120 characters.
 */
import { type Case, compare } from "./compare.ts";

const { buffer } = new WebAssembly.Memory({ initial: 1 });
const u8 = new Uint8Array(buffer).fill(65);

function makePaths(len: number): string[] {
  return Array.from({ length: 256 }, (_, i) =>
    Buffer.from(`/${"directory/".repeat(12)}`.slice(0, len - 3) + String(i).padStart(3, "0")).toString(),
  );
}

function hasNul(path: string): boolean {
  for (let i = 0; i < path.length; i++) if (path.charCodeAt(i) === 0) return true;
  return false;
}

function ways(paths: string[], len: number): Case[] {
  const nul = /\0/;
  return [
    {
      name: "path.includes('\\0')",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) if (!paths[i & 255].includes("\0")) sum++;
        return sum;
      },
    },
    {
      name: "path.indexOf('\\0') === -1",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) if (paths[i & 255].indexOf("\0") === -1) sum++;
        return sum;
      },
    },
    {
      name: "/\\0/.test(path)",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) if (!nul.test(paths[i & 255])) sum++;
        return sum;
      },
    },
    {
      name: "charCodeAt loop",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) if (!hasNul(paths[i & 255])) sum++;
        return sum;
      },
    },
    {
      name: "u8.indexOf(0, p) on the encoded bytes",
      run(nrCalls) {
        let sum = 0;
        u8[4096 + len] = 0;
        for (let i = 0; i < nrCalls; i++) if (u8.indexOf(0, 4096) === 4096 + len) sum++;
        return sum;
      },
    },
  ];
}

for (const len of [10, 38, 120]) compare(`NUL check of ${len} characters`, ways(makePaths(len), len));
