/**
 * Question: what is the cheapest way of handing out n bytes of linear memory as a new Buffer (readFile)?
 */
import { type Case, compare } from "./compare.ts";

const { buffer } = new WebAssembly.Memory({ initial: 64 });
const u8 = new Uint8Array(buffer).fill(97);
const heap = Buffer.from(buffer);
const AT = 65536;

function ways(len: number): Case[] {
  return [
    {
      name: "Buffer.allocUnsafe(n).set(u8.subarray)",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) {
          const out = Buffer.allocUnsafe(len);
          out.set(u8.subarray(AT, AT + len));
          sum += out[0];
        }
        return sum;
      },
    },
    {
      name: "Buffer.allocUnsafe(n), heap.copy(out)",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) {
          const out = Buffer.allocUnsafe(len);
          heap.copy(out, 0, AT, AT + len);
          sum += out[0];
        }
        return sum;
      },
    },
    {
      name: "Buffer.allocUnsafeSlow(n).set(u8.subarray)",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) {
          const out = Buffer.allocUnsafeSlow(len);
          out.set(u8.subarray(AT, AT + len));
          sum += out[0];
        }
        return sum;
      },
    },
    {
      name: "Buffer.from(u8.subarray(p, p + n))",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) sum += Buffer.from(u8.subarray(AT, AT + len))[0];
        return sum;
      },
    },
    {
      name: "Buffer.from(buffer.slice(p, p + n))",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) sum += Buffer.from(buffer.slice(AT, AT + len))[0];
        return sum;
      },
    },
    {
      name: "u8.slice(p, p + n) (Uint8Array, for browsers)",
      run(nrCalls) {
        let sum = 0;
        for (let i = 0; i < nrCalls; i++) sum += u8.slice(AT, AT + len)[0];
        return sum;
      },
    },
    {
      name: "Uint8Array.prototype.slice.call(heapBuffer)",
      run(nrCalls) {
        let sum = 0;
        const slice = Uint8Array.prototype.slice;
        for (let i = 0; i < nrCalls; i++) sum += slice.call(heap, AT, AT + len)[0];
        return sum;
      },
    },
  ];
}

for (const len of [64, 1024, 65536]) compare(`a new Buffer of ${len} B`, ways(len));
