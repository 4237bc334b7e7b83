/**
 * A compiled core out of the text that scripts/core-text.mjs makes of it: four streams of bytes, put together again.
 *
 * Does not own: why there are streams (there), the characters (bytes-text.ts).
 * @see WebAssembly Core Specification, "Binary Format"
 */
import { textToBytes } from "./bytes-text.ts";

const OP_BLOCK = 0x02;
const OP_IF = 0x04;
const OP_END = 0x0b;
const OP_BR_TABLE = 0x0e;
const OP_LOCAL_GET = 0x20;
const OP_LOCAL_TEE = 0x22;
const OP_FIRST_ACCESS = 0x28;
const OP_LAST_ACCESS = 0x3e;
const OP_F64_CONST = 0x44;
const OP_BULK = 0xfc;
/** By opcode: how many numbers stand behind it; of loads and stores, log2 of the bytes: their alignment. */
const IMMEDIATES = "0011100000001100120000000000000000011000232300110011222323010121111";
/** memory.copy has two numbers, memory.fill one, what comes before them none. */
const BULK_COPY = 10;
/** A length gets as many bytes, needed or not: it is known only when what it stands before has been written. */
const LENGTH_BYTES = 4;

/** Reads a module back. Precondition: the text is whole. */
export function textToCore(text: string): Uint8Array<ArrayBuffer> {
  const [head, code, offsets, locals] = text.split(" ").map(textToBytes);
  const immediates = Uint8Array.from(IMMEDIATES.padEnd(256, "0"), Number);
  const core = new Uint8Array(text.length * 2);
  core.set(head);
  // One function with its own variables: a page waits for it, and engines run it but once.
  let length = head.length + LENGTH_BYTES;
  const section = length;
  let byte: number;
  let pos = 0;
  let offsetsPos = 0;
  let localsPos = 0;
  do core[length++] = byte = code[pos++];
  while (byte > 127); // how many functions
  while (pos < code.length) {
    length += LENGTH_BYTES;
    const start = length;
    let count = 1 + code[pos] * 2; // the types of its locals
    for (let depth = 1; depth > 0; ) {
      while (count > 0) {
        core[length++] = byte = code[pos++];
        if (byte < 128) count--;
      }
      const op = code[pos++];
      core[length++] = op;
      count = immediates[op];
      if (op >= OP_BLOCK && op <= OP_IF) depth++;
      else if (op === OP_END) depth--;
      else if (op >= OP_LOCAL_GET && op <= OP_LOCAL_TEE) {
        do core[length++] = byte = locals[localsPos++];
        while (byte > 127);
      } else if (op >= OP_FIRST_ACCESS && op <= OP_LAST_ACCESS) {
        core[length++] = count;
        count = 0;
        do core[length++] = byte = offsets[offsetsPos++];
        while (byte > 127);
      } else if (op === OP_BR_TABLE) count = code[pos] + 2;
      else if (op === OP_BULK) count = code[pos] < BULK_COPY ? 1 : BULK_COPY + 3 - code[pos];
      else if (op === OP_F64_CONST) {
        core.set(code.subarray(pos, pos + 8), length);
        pos += 8;
        length += 8;
      }
    }
    putLength(core, start, length);
  }
  putLength(core, section, length);
  return core.slice(0, length);
}

/** Writes how long what lies from `start` to `end` is, in the bytes before it. */
function putLength(core: Uint8Array, start: number, end: number): void {
  for (let i = LENGTH_BYTES, rest = end - start; i > 0; i--, rest >>>= 7) {
    core[start - i] = i > 1 ? rest | 128 : rest;
  }
}
