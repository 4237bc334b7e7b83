/**
 * One buffer for data that only passes through: text encoded and written.
 *
 * It is taken and returned, since a file system written in JavaScript may write files while one is being written; who
 * finds it taken gets a new one. It grows to what was asked for, up to a limit.
 */
import { NodeBuffer } from "../platform.ts";

const FIRST_BYTES = 64 * 1024;

/** Larger needs get a buffer of their own, bytes. */
export const MAX_SCRATCH_BYTES = 1024 * 1024;

let scratch: Uint8Array | undefined;

/** A buffer of at least `size` bytes, with anything in it. Precondition: `size` <= MAX_SCRATCH_BYTES. */
export function takeScratch(size: number): Uint8Array {
  const taken = scratch;
  scratch = undefined;
  return taken !== undefined && taken.length >= size ? taken : newScratch(size);
}

function newScratch(size: number): Uint8Array {
  let length = FIRST_BYTES;
  while (length < size) length *= 2;
  return NodeBuffer !== undefined ? NodeBuffer.allocUnsafeSlow(length) : new Uint8Array(length);
}

/** Gives a buffer back; whoever forgets only costs an allocation. */
export function returnScratch(buffer: Uint8Array): void {
  if (scratch === undefined || scratch.length < buffer.length) scratch = buffer;
}
