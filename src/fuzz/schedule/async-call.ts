/** Calls of chains that are under way at the same time. */
import { type Call, showCall } from "../call.ts";

/** How node:fs is asked. */
export type Form = "sync" | "callback" | "promise";

/** Its task is the chain that it is a link of: a chain's next call is made when the one before is over. */
export interface AsyncCall extends Call {
  readonly form: Form;
}

/** Files are written in cells of one character each, so that a model of them is a short string. */
export const CELL_BYTES = 1024;
export const CELLS_A_PAGE = 4;
/** A cell of zeros. */
export const HOLE = ".";
/** A cell that is not of one byte throughout: no call writes such. */
export const TORN = "?";

/** Descriptors that a chain has for itself, in slots; one more, which is open from the beginning, is shared by all. */
export const NR_SLOTS = 2;
export const SHARED_SLOT = "shared";

export function showAsyncCall(call: AsyncCall): string {
  return `${showCall(call)} ${call.form}`;
}

/** Bytes for cells. @param cells a character each */
export function bytesOfCells(cells: string): Buffer {
  const bytes = Buffer.alloc(cells.length * CELL_BYTES);
  for (let i = 0; i < cells.length; i++) {
    bytes.fill(cells[i] === HOLE ? 0 : cells.charCodeAt(i), i * CELL_BYTES, (i + 1) * CELL_BYTES);
  }
  return bytes;
}

/** Cells of bytes; what is left behind the last whole one is a torn one. */
export function cellsOf(bytes: Uint8Array): string {
  let cells = "";
  for (let at = 0; at < bytes.length; at += CELL_BYTES) cells += cellOf(bytes.subarray(at, at + CELL_BYTES));
  return cells;
}

function cellOf(bytes: Uint8Array): string {
  const [first] = bytes;
  if (bytes.length < CELL_BYTES || bytes.some((byte) => byte !== first)) return TORN;
  return first === 0 ? HOLE : String.fromCharCode(first);
}
