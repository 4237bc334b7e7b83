/**
 * Question: what is the cheapest way of writing a path, as UTF-8, into linear memory, with its length?
 * ASCII paths of 10, 38 and 120 characters, 256 different ones of each. Not measured: the walk.
 * `utf8Write` and `latin1Write` are Node's own Buffer methods; a browser has `encodeInto` only.
 */
import { type Case, compare } from "./compare.ts";

interface RawBuffer extends Buffer {
  utf8Write(text: string, offset: number, length: number): number;
  latin1Write(text: string, offset: number, length: number): number;
}

const { buffer } = new WebAssembly.Memory({ initial: 1 });
const PATH_AT = 4096;
const PATH_BYTES = 4096;
const u8 = new Uint8Array(buffer);
const heap = Buffer.from(buffer) as RawBuffer;
const pathWindow = new Uint8Array(buffer, PATH_AT, PATH_BYTES);
const pathBuffer = Buffer.from(buffer, PATH_AT, PATH_BYTES) as RawBuffer;
const encoder = new TextEncoder();

/** charCodeAt loop. @returns bytes, or -1 at the first character that is not ASCII or is NUL */
function writeAscii(path: string): number {
  const { length } = path;
  for (let i = 0; i < length; i++) {
    const code = path.charCodeAt(i);
    if ((code - 1) >>> 0 > 126) return -1;
    u8[PATH_AT + i] = code;
  }
  return length;
}

function makePaths(len: number): string[] {
  return Array.from({ length: 256 }, (_, i) => {
    const tail = i.toString(16).padStart(3, "0");
    const path = `/${"directory/".repeat(12)}`.slice(0, len - 3) + tail;
    return Buffer.from(path).toString(); // a flat string, as paths from outside are
  });
}

function ways(paths: string[]): Case[] {
  return [
    {
      name: "charCodeAt loop, checks ASCII and NUL",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) sum += writeAscii(paths[i & 255]);
        return sum;
      },
    },
    {
      name: "heapBuffer.utf8Write(path, p, 4096)",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) sum += heap.utf8Write(paths[i & 255], PATH_AT, PATH_BYTES);
        return sum;
      },
    },
    {
      name: "pathBuffer.utf8Write(path, 0, 4096)",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) sum += pathBuffer.utf8Write(paths[i & 255], 0, PATH_BYTES);
        return sum;
      },
    },
    {
      name: "heapBuffer.latin1Write (wrong for non-ASCII)",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) sum += heap.latin1Write(paths[i & 255], PATH_AT, PATH_BYTES);
        return sum;
      },
    },
    {
      name: "heapBuffer.write(path, p, 4096, 'utf8')",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) sum += heap.write(paths[i & 255], PATH_AT, PATH_BYTES, "utf8");
        return sum;
      },
    },
    {
      name: "encoder.encodeInto(path, kept window).written",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) sum += encoder.encodeInto(paths[i & 255], pathWindow).written;
        return sum;
      },
    },
    {
      name: "u8.set(encoder.encode(path), p)",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) {
          const bytes = encoder.encode(paths[i & 255]);
          u8.set(bytes, PATH_AT);
          sum += bytes.length;
        }
        return sum;
      },
    },
  ];
}

for (const len of [10, 20, 38, 64, 120]) compare(`path of ${len} characters to memory`, ways(makePaths(len)));
