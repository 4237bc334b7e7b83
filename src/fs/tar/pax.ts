/**
 * Extended headers: records "25 mtime=1700000000.125\n", the length first, in bytes and with all of it, the last of a key holds.
 *
 * Extended attributes are records SCHILY.xattr.NAME; a name's "=" and "%" are "%3D" and "%25" there, as GNU tar has them.
 *
 * Bytes that are no UTF-8 stand as they are, without "hdrcharset", as GNU tar writes and reads them.
 */
import { latin1Bytes, latin1Of } from "../../base/latin1.ts";
import { TarError, type TarTime } from "./entry.ts";

export const XATTR = "SCHILY.xattr.";
const NSEC_DIGITS = 9;
const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;
/** No length of a record has more. */
const MAX_DIGITS = 15;

/** One record. An empty value takes back what a header, or a global record, says. */
export interface PaxRecord {
  readonly key: string;
  readonly value: Uint8Array;
}

export function paxText(key: string, text: string): PaxRecord {
  return { key, value: latin1Bytes(text) };
}

/** The length counts its own digits. */
function lengthOf(rest: number): number {
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return length;
}

export function encodePax(records: readonly PaxRecord[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const { key, value } of records) {
    const length = lengthOf(key.length + value.length + 3);
    pieces.push(latin1Bytes(`${length} ${key}=`), value, latin1Bytes("\n"));
  }
  return concat(pieces);
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((bytes, piece) => bytes + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** All records, in order: keys may come again. @throws TarError */
export function decodePax(data: Uint8Array): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(SPACE, at);
    const digits = space < 0 || space - at > MAX_DIGITS ? "" : latin1Of(data.subarray(at, space));
    const end = at + (/^\d+$/.test(digits) ? Number(digits) : 0);
    const equals = data.indexOf(EQUALS, space);
    if (end > data.length || data[end - 1] !== NEWLINE || equals < 0 || equals >= end || equals <= space + 1)
      throw new TarError("the tar has an extended header that is none");
    records.push({ key: latin1Of(data.subarray(space + 1, equals)), value: data.subarray(equals + 1, end - 1) });
    at = end;
  }
  return records;
}

// --- Values -------------------------------------------------------------------------------------------------------------

export function xattrKey(name: string): string {
  return XATTR + name.replace(/[%=]/g, (char) => (char === "%" ? "%25" : "%3D"));
}

/** The name of an attribute. Precondition: the key begins as those of such records do. */
export function xattrName(key: string): string {
  return key.slice(XATTR.length).replace(/%(25|3D)/g, (_, code) => (code === "25" ? "%" : "="));
}

export function encodeTime({ sec, nsec }: TarTime): string {
  const isBefore = sec < 0 && nsec > 0;
  const [whole, fraction] = isBefore ? [-sec - 1, 10 ** NSEC_DIGITS - nsec] : [Math.abs(sec), nsec];
  const digits = fraction === 0 ? "" : `.${String(fraction).padStart(NSEC_DIGITS, "0").replace(/0+$/, "")}`;
  return `${sec < 0 ? "-" : ""}${whole}${digits}`;
}

/** Digits beyond nanoseconds are cut off, down, as GNU tar does. @throws TarError */
export function decodeTime(text: string): TarTime {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (match === null) throw new TarError(`the tar has a time that is none: ${JSON.stringify(text.slice(0, 40))}`);
  const [, sign, whole, fraction = ""] = match;
  const sec = Number(whole);
  const nsec = Number(fraction.slice(0, NSEC_DIGITS).padEnd(NSEC_DIGITS, "0"));
  if (sign === "") return { sec, nsec };
  const hasMore = /[1-9]/.test(fraction.slice(NSEC_DIGITS));
  const below = nsec + (hasMore ? 1 : 0);
  return below === 0 ? { sec: sec === 0 ? 0 : -sec, nsec: 0 } : { sec: -sec - 1, nsec: 10 ** NSEC_DIGITS - below };
}

/** A number of bytes, an id. @throws TarError */
export function decodeNumber(text: string, key: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new TarError(`the tar has a record ${key} that is no number`);
  return Number(text);
}
