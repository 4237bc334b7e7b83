/**
 * Moves the string literals of the debug core (assertion messages and file names) from data segments, which would be
 * written into linear memory at every start, to a custom section of the module.
 *
 * The core itself never reads them: it only passes their addresses to `env.abort`, which looks them up in the section.
 * So linear memory is laid out alike in all builds, and a debug core can start over the memory of another.
 */
import { leb, PREAMBLE_BYTES, Reader } from "./wasm-bytes.mjs";

/** Name of the custom section: JSON, an object from the address of a string to its text. */
export const MESSAGES_SECTION = "foliofs.messages";

const CUSTOM_SECTION = 0;
const DATA_SECTION = 11;
const DATA_COUNT_SECTION = 12;
/** AssemblyScript's header before a string: mmInfo, gcInfo, gcInfo2, rtId, rtSize. */
const STRING_HEADER_BYTES = 20;
const STRING_RTID = 2;
const OP_I32_CONST = 0x41;
const OP_END = 0x0b;

/** Gives the strings of a data section, by the address that the core passes around. */
function readStrings(section) {
  const reader = new Reader(section);
  const strings = {};
  for (let left = reader.number(); left > 0; left--) {
    if (reader.number() !== 0 || reader.byte() !== OP_I32_CONST) throw new Error("data segment of an unknown kind");
    const address = reader.number();
    if (reader.byte() !== OP_END) throw new Error("data segment at a computed address");
    const data = Buffer.from(reader.slice(reader.number()));
    if (data.readUInt32LE(12) !== STRING_RTID) throw new Error(`data at ${address} is no string literal`);
    const text = data.subarray(STRING_HEADER_BYTES, STRING_HEADER_BYTES + data.readUInt32LE(16));
    strings[address + STRING_HEADER_BYTES] = text.toString("utf16le");
  }
  return strings;
}

function customSection(name, payload) {
  const body = Buffer.concat([leb(name.length), Buffer.from(name), payload]);
  return Buffer.concat([Buffer.from([CUSTOM_SECTION]), leb(body.length), body]);
}

/**
 * Rewrites a compiled module without its data segments.
 *
 * @param wasm a module whose only data are string literals
 * @returns the module with these in MESSAGES_SECTION
 * @throws Error when it holds other data
 */
export function dataToMessages(wasm) {
  const reader = new Reader(wasm);
  const kept = [Buffer.from(reader.slice(PREAMBLE_BYTES))];
  let strings = {};
  while (reader.pos < wasm.length) {
    const start = reader.pos;
    const id = reader.byte();
    const body = reader.slice(reader.number());
    if (id === DATA_SECTION) strings = readStrings(body);
    else if (id !== DATA_COUNT_SECTION) kept.push(wasm.subarray(start, reader.pos));
  }
  return Buffer.concat([...kept, customSection(MESSAGES_SECTION, Buffer.from(JSON.stringify(strings)))]);
}
