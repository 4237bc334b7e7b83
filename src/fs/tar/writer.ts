/**
 * Writes archives: ustar headers, and pax headers before those of files that need one.
 *
 * Sizes and owners that the header has no room for, times with fractions, long names and extended attributes are records. Names that are
 * no ASCII are records, too, as GNU tar has them.
 *
 * Does not own: headers (header.ts), records (pax.ts).
 */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "../../base/stat-flags.ts";
import type { TarEntry } from "./entry.ts";
import { BLOCK_BYTES, fits, NAME_BYTES, padded, writeHeader } from "./header.ts";
import { concat, encodePax, encodeTime, type PaxRecord, paxText, xattrKey } from "./pax.ts";
import { encodeMap } from "./sparse.ts";

const HARD_LINK = "1";
const TYPES = new Map<number, string>([
  [0, HARD_LINK],
  [S_IFREG, "0"],
  [S_IFLNK, "2"],
  [S_IFCHR, "3"],
  [S_IFBLK, "4"],
  [S_IFDIR, "5"],
  [S_IFIFO, "6"],
  [S_IFSOCK, "6"], // other programs make a fifo of it
]);
const END_BLOCKS = 2;
const PERMISSIONS = 0o7777;
const PLAIN = /^[\x20-\x7e]*$/;

/** Which files with holes are written as such: other programs may not know the form. */
export interface WriterOptions {
  readonly isSparse: boolean;
}

/** Gathers an archive. */
export class TarWriter {
  readonly #chunks: Uint8Array[] = [];
  readonly #isSparse: boolean;

  constructor({ isSparse }: WriterOptions) {
    this.#isSparse = isSparse;
  }

  /** Records for all that comes behind. */
  addGlobal(records: readonly PaxRecord[]): void {
    this.#addRecords("g", "pax_global_header", records);
  }

  /** The bytes of pieces are the writer's from here on. */
  add(entry: TarEntry): void {
    const { pieces, size } = entry;
    const isWhole = size === pieces.reduce((bytes, piece) => bytes + piece.bytes.length, 0);
    const whole = (): Uint8Array[] => (isWhole ? pieces.map(({ bytes }) => bytes) : [filledUp(entry)]);
    const data = !isWhole && this.#isSparse ? sparse(entry) : whole();
    const length = data.reduce((bytes, piece) => bytes + piece.length, 0);
    const isMapped = !isWhole && this.#isSparse;
    const shown = isMapped ? { ...entry, name: `GNUSparseFile.0/${baseOf(entry.name)}` } : entry;
    const records = this.#recordsOf(shown, length);
    if (isMapped) {
      records.push(paxText("GNU.sparse.major", "1"), paxText("GNU.sparse.minor", "0"));
      records.push(paxText("GNU.sparse.name", entry.name), paxText("GNU.sparse.realsize", String(size)));
    }
    if (records.length > 0) this.#addRecords("x", `PaxHeaders/${baseOf(entry.name)}`, records);
    this.#addHeader(shown, length);
    for (const piece of data) this.#chunks.push(piece);
    this.#fillUp(length);
  }

  #recordsOf(entry: TarEntry, length: number): PaxRecord[] {
    const { name, link, uid, gid, mtime, atime, ctime, mode } = entry;
    const records: PaxRecord[] = [];
    if (!isPlain(name)) records.push(paxText("path", name));
    if (!isPlain(link)) records.push(paxText("linkpath", link));
    if (!fits(uid, "id")) records.push(paxText("uid", String(uid)));
    if (!fits(gid, "id")) records.push(paxText("gid", String(gid)));
    if (!fits(length, "time")) records.push(paxText("size", String(length)));
    if (mtime.nsec !== 0 || !fits(mtime.sec, "time")) records.push(paxText("mtime", encodeTime(mtime)));
    if (atime) records.push(paxText("atime", encodeTime(atime)));
    if (ctime) records.push(paxText("ctime", encodeTime(ctime)));
    if ((mode & S_IFMT) === S_IFSOCK) records.push(paxText("SCHILY.filetype", "socket"));
    for (const [key, value] of entry.xattrs) records.push({ key: xattrKey(key), value });
    return records;
  }

  #addRecords(type: string, name: string, records: readonly PaxRecord[]): void {
    const data = encodePax(records);
    this.#chunks.push(
      writeHeader({ ...NOBODYS, name: name.slice(0, NAME_BYTES), mode: 0o644, type, size: data.length }),
      data,
    );
    this.#fillUp(data.length);
  }

  #addHeader({ name, mode, uid, gid, mtime, link, rdev }: TarEntry, size: number): void {
    this.#chunks.push(
      writeHeader({
        name: name.slice(0, NAME_BYTES),
        mode: mode & PERMISSIONS,
        uid: fits(uid, "id") ? uid : 0,
        gid: fits(gid, "id") ? gid : 0,
        size: fits(size, "time") ? size : 0,
        mtime: fits(mtime.sec, "time") ? mtime.sec : 0,
        type: TYPES.get(mode & S_IFMT) as string,
        link: link.slice(0, NAME_BYTES),
        major: (rdev >>> 8) & 0xfff,
        minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00),
      }),
    );
  }

  #fillUp(length: number): void {
    const rest = padded(length) - length;
    if (rest > 0) this.#chunks.push(new Uint8Array(rest));
  }

  /** All of it, with its end. @param end in place of one: an archive that has it */
  finish(end: Uint8Array = new Uint8Array(END_BLOCKS * BLOCK_BYTES)): Uint8Array<ArrayBuffer> {
    return concat([...this.#chunks, end]);
  }
}

const NOBODYS = { uid: 0, gid: 0, mtime: 0, link: "", major: 0, minor: 0 };

function isPlain(text: string): boolean {
  return text.length <= NAME_BYTES && PLAIN.test(text);
}

function baseOf(name: string): string {
  return name
    .replace(/\/+$/, "")
    .replace(/^.*\//, "")
    .replace(/[^\x20-\x7e]/g, "_");
}

function sparse({ size, pieces }: TarEntry): Uint8Array[] {
  return [encodeMap(size, pieces), ...pieces.map(({ bytes }) => bytes)];
}

function filledUp({ size, pieces }: TarEntry): Uint8Array {
  const data = new Uint8Array(size);
  for (const { at, bytes } of pieces) data.set(bytes, at);
  return data;
}
