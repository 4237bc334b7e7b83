/**
 * Question: what is the cheapest way of writing a string as UTF-8 to linear memory (writeFile of text)?
 *
 * It depends on how V8 holds the string: in one piece, as what a Buffer or join() gives, or through another one, as
 * slices for good, and what `+`, templates, replace() and JSON.stringify() give until the next collection.
 */
import { type Case, compare } from "./compare.ts";

interface RawBuffer extends Buffer {
  latin1Write(text: string, offset: number, length: number): number;
  utf8Write(text: string, offset: number, length: number): number;
}

const { buffer } = new WebAssembly.Memory({ initial: 64 });
const u8 = new Uint8Array(buffer);
const heap = Buffer.from(buffer) as RawBuffer;
const encoder = new TextEncoder();
const AT = 65536;

function ways(text: string): Case[] {
  const { length } = text;
  const measureFirst = (): number => {
    if (Buffer.byteLength(text) === length) return heap.latin1Write(text, AT, length);
    return encoder.encodeInto(text, u8.subarray(AT, AT + length)).written;
  };
  return [
    repeated("byteLength, then heapBuffer.latin1Write if it is ASCII", measureFirst),
    repeated("encoder.encodeInto(u8.subarray(p, p + n))", () => {
      return encoder.encodeInto(text, u8.subarray(AT, AT + length)).written;
    }),
    repeated("heapBuffer.utf8Write(text, p, n)", () => heap.utf8Write(text, AT, length)),
  ];
}

function repeated(name: string, write: () => number): Case {
  return {
    name,
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) sum += write();
      return sum;
    },
  };
}

for (const len of [64, 1024, 4096, 65536]) {
  const flat = Buffer.alloc(len, 97).toString("latin1");
  compare(`${len} characters of ASCII in one piece`, ways(flat));
  compare(`${len} characters of ASCII, a slice`, ways(`_${flat}`.slice(1)));
  compare(`${len} characters, every eighth of two bytes`, ways("naïve to".repeat(len / 8)));
}
