/**
 * Question: what is the cheapest way of turning n bytes of ASCII in linear memory into a string (readFile "utf8")?
 */
import { type Case, compare } from "./compare.ts";

interface RawBuffer extends Buffer {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
}

const { buffer } = new WebAssembly.Memory({ initial: 64 });
const u8 = new Uint8Array(buffer).fill(97);
const heap = Buffer.from(buffer) as RawBuffer;
const decoder = new TextDecoder();
const AT = 65536;

function ways(len: number): Case[] {
  return [
    {
      name: "heapBuffer.utf8Slice(p, p + n)",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) sum += heap.utf8Slice(AT, AT + len).length;
        return sum;
      },
    },
    {
      name: "heapBuffer.toString('utf8', p, p + n)",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) sum += heap.toString("utf8", AT, AT + len).length;
        return sum;
      },
    },
    {
      name: "decoder.decode(u8.subarray(p, p + n))",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) sum += decoder.decode(u8.subarray(AT, AT + len)).length;
        return sum;
      },
    },
    {
      name: "heapBuffer.latin1Slice (right for ASCII only)",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) sum += heap.latin1Slice(AT, AT + len).length;
        return sum;
      },
    },
  ];
}

for (const len of [16, 64, 1024, 65536]) compare(`${len} B of ASCII to a string`, ways(len));
