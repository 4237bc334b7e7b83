/**
 * Text for a compiled core, as src/wasm/core-text.ts reads it, made so that gzip finds much in it.
 *
 * Two steps. First the code is taken apart into streams: what the instructions do; the offsets of loads and stores; the
 * indexes of locals. Instructions that differ in one of these only are then alike, and gzip sees that. What follows from
 * the rest is left out: how long functions are, and the alignments of loads and stores. Then a byte becomes one printable
 * character if it is frequent, and two if not. A core of 42 KB has 24.4 KB of gzip as base64, 18.4 by the second step
 * alone, 16.5 by both.
 */
import { PREAMBLE_BYTES, Reader } from "./wasm-bytes.mjs";

const CODE_SECTION = 10;
const OP_BLOCK = 0x02;
const OP_IF = 0x04;
const OP_END = 0x0b;
const OP_BR_TABLE = 0x0e;
const OP_LOCAL_GET = 0x20;
const OP_LOCAL_TEE = 0x22;
const OP_FIRST_ACCESS = 0x28;
const OP_LAST_ACCESS = 0x3e;
const OP_F64_CONST = 0x44;
const OP_FIRST_PLAIN = 0x45;
const OP_LAST_PLAIN = 0xc4;
const OP_BULK = 0xfc;
/** Opcodes without anything behind: unreachable, nop, else, end, return, drop, select. */
const BARE = [0x00, 0x01, 0x05, OP_END, 0x0f, 0x1a, 0x1b];
/** How many numbers stand behind the others: block, loop, if, br, br_if, call, call_indirect, global.get, global.set, memory.size, memory.grow, i32.const, i64.const. */
const NUMBERS = new Map([
  ...[OP_BLOCK, 0x03, OP_IF, 0x0c, 0x0d, 0x10, 0x23, 0x24, 0x3f, 0x40, 0x41, 0x42].map((op) => [op, 1]),
  [0x11, 2],
]);
/** As above, behind OP_BULK: the conversions to integers that never trap, memory.copy, memory.fill. */
const BULK_NUMBERS = new Map([...[0, 1, 2, 3, 4, 5, 6, 7].map((op) => [op, 0]), [10, 2], [11, 1]]);
/** log2 of the bytes that the opcodes from OP_FIRST_ACCESS on access. */
const ALIGNMENTS = "23230011001122232301012";

/** The streams of a module. */
class Streams {
  head = [];
  code = [];
  offsets = [];
  locals = [];

  #reader;

  /** @throws Error when the module has what the format has no way to say */
  constructor(wasm) {
    this.#reader = new Reader(wasm);
    const reader = this.#reader;
    reader.slice(PREAMBLE_BYTES);
    for (let id = reader.byte(); id !== CODE_SECTION; id = reader.byte()) reader.slice(reader.number());
    this.head.push(...wasm.subarray(0, reader.pos));
    const end = reader.number() + reader.pos;
    if (end !== wasm.length) throw new Error("a section behind the code");

    const start = reader.pos;
    const nrFunctions = reader.number();
    this.code.push(...wasm.subarray(start, reader.pos));
    for (let left = nrFunctions; left > 0; left--) this.#function();
  }

  #function() {
    const reader = this.#reader;
    const end = reader.number() + reader.pos;
    this.#counted((nrTypes) => nrTypes * 2);
    for (let depth = 1; depth > 0; ) {
      const op = reader.byte();
      this.code.push(op);
      this.#immediates(op);
      if (op >= OP_BLOCK && op <= OP_IF) depth++;
      else if (op === OP_END) depth--;
    }
    if (reader.pos !== end) throw new Error("a function with an instruction of an unknown kind");
  }

  #immediates(op) {
    const reader = this.#reader;
    const count = NUMBERS.get(op);
    if (count !== undefined) this.code.push(...reader.numbers(count));
    else if (op >= OP_LOCAL_GET && op <= OP_LOCAL_TEE) this.locals.push(...reader.numbers(1));
    else if (op >= OP_FIRST_ACCESS && op <= OP_LAST_ACCESS) this.#access(op);
    else if (op === OP_BR_TABLE) this.#counted((nrLabels) => nrLabels + 1);
    else if (op === OP_F64_CONST) this.code.push(...reader.slice(8));
    else if (op === OP_BULK) this.#counted((kind) => BULK_NUMBERS.get(kind));
    else if (!BARE.includes(op) && !(op >= OP_FIRST_PLAIN && op <= OP_LAST_PLAIN)) throw unknownInstruction(op);
  }

  #access(op) {
    const alignment = Number(ALIGNMENTS[op - OP_FIRST_ACCESS]);
    if (this.#reader.number() !== alignment) throw new Error(`an access by ${op} that is not aligned as usual`);
    this.offsets.push(...this.#reader.numbers(1));
  }

  /** A number that says how many more there are. */
  #counted(countOf) {
    const value = this.#reader.number();
    const count = value < 128 ? countOf(value) : undefined;
    if (count === undefined) throw unknownInstruction(this.code.at(-1));
    this.code.push(value, ...this.#reader.numbers(count));
  }
}

function unknownInstruction(op) {
  return new Error(`an instruction 0x${op.toString(16)} that src/wasm/core-text.ts cannot read`);
}

/** Bytes that a core has most of, as src/wasm/bytes-text.ts has it: those from the first to before the second. */
const FREQUENT = [
  [0, 43],
  [64, 76],
  [96, 128],
];

/**
 * One printable character for a frequent byte, two for the others. It keeps equal bytes equal, so that gzip finds
 * repetitions which base64 hides.
 */
function bytesToText(bytes) {
  const alphabet = Array.from({ length: 90 }, (_, i) => String.fromCharCode(37 + i)).filter((c) => c !== "\\");
  const direct = alphabet.length - 2;
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  const isFrequent = (byte) => FREQUENT.some(([first, end]) => byte >= first && byte < end);
  const ordered = [...all.filter(isFrequent), ...all.filter((byte) => !isFrequent(byte))];
  const textOf = (byte) => {
    const value = ordered.indexOf(byte);
    if (value < direct) return alphabet[value];
    const rest = value - direct;
    return rest < alphabet.length
      ? alphabet[direct] + alphabet[rest]
      : alphabet[direct + 1] + alphabet[rest - alphabet.length];
  };
  return Array.from(bytes, textOf).join("");
}

/**
 * Writes a compiled core as text.
 *
 * @param wasm a module whose last section is the code, by Binaryen (numbers as short as can be)
 * @returns printable ASCII that needs no escapes in a string literal
 * @throws Error when the module has what the format has no way to say
 */
export function coreToText(wasm) {
  const { head, code, offsets, locals } = new Streams(wasm);
  return [head, code, offsets, locals].map(bytesToText).join(" ");
}
