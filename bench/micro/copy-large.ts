/**
 * Question: does it pay to copy a large buffer, which is used again and again, in alternating directions?
 * In: one buffer to the places of an 8 MiB file in turn. Out: from them. Backwards goes in steps, each with a view of its own.
 */
import { alignedBuffer } from "../aligned.ts";
import { type Case, compare } from "./compare.ts";

const FILE_BYTES = 2 ** 23;
const STEP_BYTES = 2 ** 18;
const file = alignedBuffer(FILE_BYTES).fill(1);

type Copy = (at: number, from: number, to: number) => void;

function alternating(copy: Copy, len: number): (at: number) => void {
  let isBackwards = false;
  return (at) => {
    isBackwards = !isBackwards;
    const step = isBackwards ? STEP_BYTES : len;
    for (let end = len; end > 0; end -= step) copy(at, Math.max(0, end - step), end);
  };
}

function caseOf(name: string, copy: (at: number) => void, len: number): Case {
  return {
    name,
    run(nrCalls) {
      for (let i = 0; i < nrCalls; i++) copy((i * len) % FILE_BYTES);
      return file[0];
    },
  };
}

function directions(copy: Copy, len: number): Case[] {
  return [
    caseOf("always forwards", (at) => copy(at, 0, len), len),
    caseOf("forwards and backwards in turn", alternating(copy, len), len),
  ];
}

for (const len of [2 ** 19, 2 ** 20, 2 ** 21, 2 ** 22]) {
  const { buffer } = alignedBuffer(len).fill(7);
  const bytes = new Uint8Array(buffer);
  const copyIn: Copy = (at, from, to) => file.set(new Uint8Array(buffer, from, to - from), at + from);
  const copyOut: Copy = (at, from, to) => bytes.set(file.subarray(at + from, at + to), from);
  compare(`copy ${len >> 10} KiB in`, directions(copyIn, len));
  compare(`copy ${len >> 10} KiB out`, directions(copyOut, len));
}
