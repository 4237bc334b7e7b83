/**
 * The floor: a bare `TypedArray.set` loop between a user's buffer and one WebAssembly.Memory, at the offsets of the row;
 * for text a bare `TextEncoder.encodeInto` loop.
 *
 * No calls, no lookup, no marks: what is left is the copy and, on untouched memory, the page faults.
 */
import { alignedBuffer } from "../aligned.ts";
import { pattern, text } from "../pattern.ts";
import { type BatchTrial, type RepeatTrial, UNTOUCHED_BYTES } from "./row.ts";

const PAGE_BYTES = 4096;

/** Copies out of memory to one buffer. Views are made beforehand, in the order of use. */
export function bareRead(positions: Uint32Array, len: number, memoryBytes: number): RepeatTrial {
  const memory = alignedBuffer(memoryBytes);
  memory.set(pattern(memoryBytes));
  const views = Array.from(positions, (pos) => new Uint8Array(memory.buffer, pos, len));
  const buffer = alignedBuffer(len);
  const mask = positions.length - 1;
  const op = (i: number): number => {
    buffer.set(views[i & mask]);
    return buffer[0];
  };
  return { kind: "repeat", op, check: () => {} };
}

/** Copies one buffer into touched memory, from its start to its end, again and again. */
export function bareOverwrite(len: number, memoryBytes: number): RepeatTrial {
  const memory = alignedBuffer(memoryBytes);
  memory.fill(1);
  const buffer = Uint8Array.from(pattern(len));
  const mask = memoryBytes / len - 1;
  const op = (i: number): number => {
    memory.set(buffer, (i & mask) * len);
    return buffer[0];
  };
  return { kind: "repeat", op, check: () => {} };
}

/** Copies one buffer to `nrOps` places of whole pages in a row: the same ones in every batch if `isTouched`, else new ones. */
export function bareFill(nrOps: number, len: number, isTouched: boolean): BatchTrial {
  const buffer = Uint8Array.from(pattern(len));
  return fill(nrOps, len, isTouched, (memory, at) => {
    memory.set(buffer, at);
    return buffer[0];
  });
}

/** As bareFill(), with a text of `len` bytes that is encoded to each place. */
export function bareEncode(nrOps: number, len: number, isTouched: boolean): BatchTrial {
  const content = text(len);
  const encoder = new TextEncoder();
  return fill(nrOps, len, isTouched, (memory, at) => {
    return encoder.encodeInto(content, memory.subarray(at, at + len)).written;
  });
}

function fill(
  nrOps: number,
  len: number,
  isTouched: boolean,
  put: (memory: Uint8Array, at: number) => number,
): BatchTrial {
  const stride = Math.ceil(len / PAGE_BYTES) * PAGE_BYTES;
  let memory = alignedBuffer(nrOps * stride);
  if (isTouched) memory.fill(1);
  const op = (i: number): number => put(memory, i * stride);
  const reset = (): void => {
    if (!isTouched) memory = alignedBuffer(nrOps * stride);
  };
  const maxBatches = isTouched ? undefined : UNTOUCHED_BYTES / (nrOps * stride);
  return { kind: "batch", nrOps, maxBatches, op, check: () => {}, reset };
}

/** Copies `len` bytes into a new array, as a snapshot must at least. */
export function bareCopy(len: number): BatchTrial {
  const source = alignedBuffer(len);
  source.set(pattern(len));
  let copy: Uint8Array | undefined;
  const op = (): number => {
    copy = new Uint8Array(len);
    copy.set(source);
    return copy[0];
  };
  const reset = (): void => {
    copy = undefined;
    globalThis.gc?.();
  };
  return { kind: "batch", nrOps: 1, op, check: () => {}, reset };
}
