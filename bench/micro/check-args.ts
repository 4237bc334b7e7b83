/**
 * Question: what do the small checks of every call cost: is it a Uint8Array, which file is behind this descriptor,
 * is the kept view stale, what does a call into Wasm with 1, 3 and 6 arguments cost?
 */
import { compare } from "./compare.ts";

const arrays: unknown[] = [Buffer.alloc(16), new Uint8Array(16), Buffer.alloc(8), new Uint8Array(4)];
const memory = new WebAssembly.Memory({ initial: 1 });
const kept = new Uint8Array(memory.buffer);
const tag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)?.get;
const handles = Int32Array.from({ length: 1024 }, (_, fd) => fd * 32);
const handleArray = Array.from(handles);
const handleMap = new Map(handleArray.map((handle, fd) => [fd, handle]));

/** A module of one function that returns its first argument; `nrArgs` i32 arguments. */
function identity(nrArgs: number): (...args: number[]) => number {
  const params = Array(nrArgs).fill(0x7f);
  const bytes = Uint8Array.from([
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    1,
    5 + nrArgs,
    1,
    0x60,
    nrArgs,
    ...params,
    1,
    0x7f,
    3,
    2,
    1,
    0,
    7,
    5,
    1,
    1,
    0x66,
    0,
    0,
    10,
    6,
    1,
    4,
    0,
    0x20,
    0,
    0x0b,
  ]);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.f as (...args: number[]) => number;
}
const wasm1 = identity(1);
const wasm3 = identity(3);
const wasm6 = identity(6);

compare("is it a Uint8Array?", [
  {
    name: "instanceof Uint8Array",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) if (arrays[i & 3] instanceof Uint8Array) sum++;
      return sum;
    },
  },
  {
    name: "ArrayBuffer.isView",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) if (ArrayBuffer.isView(arrays[i & 3])) sum++;
      return sum;
    },
  },
  {
    name: "the toStringTag getter of TypedArray",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) if (tag?.call(arrays[i & 3]) === "Uint8Array") sum++;
      return sum;
    },
  },
]);

compare("descriptor to handle", [
  {
    name: "Int32Array[fd]",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) sum += handles[i & 1023];
      return sum;
    },
  },
  {
    name: "array[fd]",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) sum += handleArray[i & 1023];
      return sum;
    },
  },
  {
    name: "map.get(fd)",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) sum += handleMap.get(i & 1023) ?? 0;
      return sum;
    },
  },
]);

compare("is the kept view stale?", [
  {
    name: "kept.length === 0",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) if (kept.length === 0) sum++;
      return sum;
    },
  },
  {
    name: "kept.buffer !== memory.buffer",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) if (kept.buffer !== memory.buffer) sum++;
      return sum;
    },
  },
]);

compare("a call into Wasm", [
  {
    name: "1 argument",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) sum += wasm1(i);
      return sum;
    },
  },
  {
    name: "3 arguments",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) sum += wasm3(i, 2, 3);
      return sum;
    },
  },
  {
    name: "6 arguments",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) sum += wasm6(i, 2, 3, 4, 5, 6);
      return sum;
    },
  },
]);

compare("the time", [
  {
    name: "Date.now()",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) sum += Date.now() & 1;
      return sum;
    },
  },
  {
    name: "performance.now()",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) sum += performance.now();
      return sum;
    },
  },
  {
    name: "process.hrtime.bigint()",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) if (process.hrtime.bigint() > 0n) sum++;
      return sum;
    },
  },
]);
