/**
 * Sparse files of GNU tar: which bytes of the file the data are. Four forms of it are about.
 *
 *   old GNU   type "S": pairs of numbers in the header, and in blocks behind it
 *   0.0       records GNU.sparse.offset and GNU.sparse.numbytes, in turn
 *   0.1       a record GNU.sparse.map "offset,bytes,offset,bytes..."
 *   1.0       GNU.sparse.major=1: lines of numbers at the start of the data: how many pairs, and the pairs
 *
 * What is written is 1.0.
 *
 * @see GNU tar manual, "Storing Sparse Files"
 */
import { latin1Bytes, latin1Of } from "../../base/latin1.ts";
import { TarError, type TarPiece } from "./entry.ts";
import { BLOCK_BYTES, numberAt, padded } from "./header.ts";
import { decodeNumber, type PaxRecord } from "./pax.ts";

const OLD_PAIRS_AT = 386;
const OLD_PAIRS = 4;
const OLD_IS_EXTENDED_AT = 482;
const OLD_SIZE = [483, 12] as const;
const MORE_PAIRS = 21;
const MORE_IS_EXTENDED_AT = 504;
const NUMBER_BYTES = 12;
const NEWLINE = 0x0a;

/** Where bytes are, and how many. */
type Pair = readonly [at: number, length: number];

/** A file with holes: its size, where bytes are, and from where in the data on. */
export interface SparseMap {
  readonly size: number;
  readonly pairs: readonly Pair[];
  readonly start: number;
}

function wrong(): TarError {
  return new TarError("the tar has a sparse file whose map is none");
}

/** Pairs of numbers that lie behind each other. */
function pairUp(numbers: readonly number[]): Pair[] {
  if (numbers.length % 2 !== 0) throw wrong();
  return Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i], numbers[2 * i + 1]]);
}

/**
 * The map in a header of type "S", and in blocks behind it.
 *
 * @param next the next block of the archive @throws TarError
 */
export function oldMap(header: Uint8Array, next: () => Uint8Array): SparseMap {
  const pairs = oldPairs(header, OLD_PAIRS_AT, OLD_PAIRS);
  for (let isExtended = header[OLD_IS_EXTENDED_AT] !== 0; isExtended; ) {
    const block = next();
    pairs.push(...oldPairs(block, 0, MORE_PAIRS));
    isExtended = block[MORE_IS_EXTENDED_AT] !== 0;
  }
  return { size: numberAt(header, OLD_SIZE, "size"), pairs, start: 0 };
}

function oldPairs(block: Uint8Array, at: number, max: number): Pair[] {
  const pairs: Pair[] = [];
  for (let i = 0; i < max; i++) {
    const pair = at + i * 2 * NUMBER_BYTES;
    if (block[pair + NUMBER_BYTES] === 0) break;
    pairs.push([
      numberAt(block, [pair, NUMBER_BYTES], "map"),
      numberAt(block, [pair + NUMBER_BYTES, NUMBER_BYTES], "map"),
    ]);
  }
  return pairs;
}

/**
 * The map that records tell, or point to.
 *
 * @param records of the entry @param data of the entry
 * @returns undefined where it is no sparse file @throws TarError
 */
export function paxMap(records: readonly PaxRecord[], data: Uint8Array): SparseMap | undefined {
  const last = (key: string): string | undefined => {
    const found = records.findLast((record) => record.key === `GNU.sparse.${key}`);
    return found && latin1Of(found.value);
  };
  const size = last("realsize") ?? last("size");
  if (size === undefined) return undefined;
  const bytes = decodeNumber(size, "GNU.sparse.size");
  if (last("major") === "1") return { size: bytes, ...mapInData(data) };
  const map = last("map");
  const numbers = map === undefined ? turns(records) : map === "" ? [] : map.split(",");
  return { size: bytes, pairs: pairUp(numbers.map((text) => decodeNumber(text, "GNU.sparse.map"))), start: 0 };
}

function turns(records: readonly PaxRecord[]): string[] {
  const pairs = records.filter(({ key }) => key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes");
  if (pairs.some(({ key }, i) => (key === "GNU.sparse.offset") !== (i % 2 === 0))) throw wrong();
  return pairs.map(({ value }) => latin1Of(value));
}

function mapInData(data: Uint8Array): Pick<SparseMap, "pairs" | "start"> {
  let at = 0;
  const next = (): number => {
    const end = data.indexOf(NEWLINE, at);
    if (end < 0) throw wrong();
    const number = decodeNumber(latin1Of(data.subarray(at, end)), "GNU.sparse.map");
    at = end + 1;
    return number;
  };
  const nr = next();
  const numbers: number[] = [];
  for (let i = 0; i < 2 * nr; i++) numbers.push(next());
  return { pairs: pairUp(numbers), start: padded(at) };
}

/** The pieces of a file. @throws TarError where the map and the data do not fit */
export function piecesOf({ size, pairs, start }: SparseMap, data: Uint8Array): TarPiece[] {
  const pieces: TarPiece[] = [];
  let at = start;
  let end = 0;
  for (const [place, length] of pairs) {
    if (place < end || place + length > size || at + length > data.length) throw wrong();
    end = place + length;
    if (length > 0) pieces.push({ at: place, bytes: data.subarray(at, at + length) });
    at += length;
  }
  return pieces;
}

/** What stands before the data of a sparse file in the form 1.0: whole blocks. */
export function encodeMap(size: number, pieces: readonly TarPiece[]): Uint8Array {
  const pairs = pieces.map(({ at, bytes }): Pair => [at, bytes.length]);
  const last = pieces.at(-1);
  if (last === undefined || last.at + last.bytes.length < size) pairs.push([size, 0]);
  const text = latin1Bytes([pairs.length, ...pairs.flat()].map((number) => `${number}\n`).join(""));
  const blocks = new Uint8Array(Math.ceil(text.length / BLOCK_BYTES) * BLOCK_BYTES);
  blocks.set(text);
  return blocks;
}
