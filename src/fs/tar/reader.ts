/**
 * Entries of an archive in memory, in order: ustar, pax, GNU's old form and that of Unix V7.
 *
 * Names are as they stand there; who unpacks them says which are allowed. The archive ends with a block of zeros: one without it has been
 * cut off.
 *
 * Does not own: headers (header.ts), records (pax.ts), maps of sparse files (sparse.ts).
 *
 * @see POSIX.1-2024 pax
 */
import { latin1Of } from "../../base/latin1.ts";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from "../../base/stat-flags.ts";
import { shownName, type TarEntry, TarError, type TarPiece, type TarTime } from "./entry.ts";
import { BLOCK_BYTES, type Header, padded, readHeader, TYPE_AT, textAt } from "./header.ts";
import { decodeNumber, decodePax, decodeTime, type PaxRecord, XATTR, xattrName } from "./pax.ts";
import { oldMap, paxMap, piecesOf, type SparseMap } from "./sparse.ts";

/** Types of files by the characters of headers; what is none of these is a regular file, as POSIX has it. */
const TYPES: Readonly<Record<string, number>> = {
  "2": S_IFLNK,
  "3": S_IFCHR,
  "4": S_IFBLK,
  "5": S_IFDIR,
  "6": S_IFIFO,
};
const HARD_LINK = "1";
const OLD_SPARSE = "S";
/** What has no data, whatever its size says. */
const HEADERS_ALONE = "123456";
/** Volumes of several, dumps: nothing that is unpacked by itself. */
const REFUSED = "DMN";
const PERMISSIONS = 0o7777;
const MAX_MAJOR = 0xfff;
const MAX_MINOR = 0xfffff;
/** No user has it: it means none. */
const NO_ID = 2 ** 32 - 1;

/** st_rdev of a device. @throws TarError */
function deviceOf({ name, major, minor }: Header): number {
  if (major < 0 || major > MAX_MAJOR || minor < 0 || minor > MAX_MINOR)
    throw new TarError(`the tar has a device that cannot be: ${shownName(name)}`);
  return ((major << 8) | (minor & 0xff) | ((minor & ~0xff) << 12)) >>> 0;
}

/** Reads archives, entry by entry. */
export class TarReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  readonly #global = new Map<string, Uint8Array>();
  /** Of the entry that comes next. */
  #records: PaxRecord[] = [];
  #longName: string | undefined;
  #longLink: string | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Records for the whole archive, as far as it has been read. */
  get global(): ReadonlyMap<string, Uint8Array> {
    return this.#global;
  }

  /** Reads records for the whole archive, where it begins with them. @returns where what comes behind begins @throws TarError */
  readGlobal(): number {
    if (this.#bytes[TYPE_AT] === "g".charCodeAt(0))
      this.#readMore(readHeader(this.#take(BLOCK_BYTES, "before its end"), 0));
    return this.#at;
  }

  /** The next entry; undefined = there are no more. @throws TarError */
  next(): TarEntry | undefined {
    for (;;) {
      const at = this.#at;
      const block = this.#take(BLOCK_BYTES, "before its end");
      if (block.every((byte) => byte === 0)) return undefined;
      const header = readHeader(block, at);
      const entry = this.#readMore(header) ? undefined : this.#readEntry(header, block);
      if (entry !== undefined) return entry;
    }
  }

  #take(length: number, where: string): Uint8Array {
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw new TarError(`the tar is cut off ${where}`);
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at += padded(length);
    return bytes;
  }

  /** Takes what a header says of the one behind it, or of all. @returns false for a file */
  #readMore({ type, size, name }: Header): boolean {
    if (REFUSED.includes(type)) throw new TarError(`the tar has an entry of type ${type}: ${shownName(name)}`);
    if (!"xgLKV".includes(type)) return false;
    const data = this.#take(size, "in an extended header");
    if (type === "x") this.#records = [...this.#records, ...decodePax(data)];
    else if (type === "L") this.#longName = textAt(data, 0, data.length);
    else if (type === "K") this.#longLink = textAt(data, 0, data.length);
    else if (type === "g")
      for (const { key, value } of decodePax(data)) {
        if (value.length === 0) this.#global.delete(key);
        else this.#global.set(key, value);
      }
    return true;
  }

  /** What a record says; undefined = the header holds. */
  #record(key: string): string | undefined {
    const value = this.#records.findLast((record) => record.key === key)?.value ?? this.#global.get(key);
    return value === undefined || value.length === 0 ? undefined : latin1Of(value);
  }

  #number(key: string, otherwise: number): number {
    const text = this.#record(key);
    return text === undefined ? otherwise : decodeNumber(text, key);
  }

  #time(key: string): TarTime | undefined {
    const text = this.#record(key);
    return text === undefined ? undefined : decodeTime(text);
  }

  #readEntry(header: Header, block: Uint8Array): TarEntry {
    const name = this.#record("GNU.sparse.name") ?? this.#record("path") ?? this.#longName ?? header.name;
    const old = header.type === OLD_SPARSE ? oldMap(block, () => this.#take(BLOCK_BYTES, "in a map")) : undefined;
    const size = HEADERS_ALONE.includes(header.type) ? 0 : this.#number("size", header.size);
    const data = this.#take(size, `in ${shownName(name)}`);
    const entry = this.#entryOf(header, name, data, old);
    this.#records = [];
    this.#longName = this.#longLink = undefined;
    return entry;
  }

  #entryOf(header: Header, name: string, data: Uint8Array, old: SparseMap | undefined): TarEntry {
    const type = this.#typeOf(header, name);
    const map = old ?? (type === S_IFREG ? paxMap(this.#records, data) : undefined);
    const plain: TarPiece[] = data.length > 0 ? [{ at: 0, bytes: data }] : [];
    const [uid, gid] = [this.#number("uid", header.uid), this.#number("gid", header.gid)];
    for (const id of [uid, gid])
      if (id < 0 || id >= NO_ID) throw new TarError(`the tar has an owner that cannot be: ${shownName(name)}`);
    return {
      name,
      mode: type | (header.mode & PERMISSIONS),
      uid,
      gid,
      rdev: type === S_IFCHR || type === S_IFBLK ? deviceOf(header) : 0,
      mtime: this.#time("mtime") ?? { sec: header.mtime, nsec: 0 },
      atime: this.#time("atime"),
      ctime: this.#time("ctime"),
      link: this.#record("linkpath") ?? this.#longLink ?? header.link,
      xattrs: this.#xattrs(),
      size: map?.size ?? data.length,
      pieces: map ? piecesOf(map, data) : plain,
    };
  }

  /** 0 for another name of a file. A directory of Unix V7 is a file with a slash at its end. */
  #typeOf({ type }: Header, name: string): number {
    if (type === HARD_LINK) return 0;
    if (type === "6" && this.#record("SCHILY.filetype") === "socket") return S_IFSOCK;
    return TYPES[type] ?? (name.endsWith("/") ? S_IFDIR : S_IFREG);
  }

  #xattrs(): Map<string, Uint8Array> {
    const xattrs = new Map<string, Uint8Array>();
    const records = [...[...this.#global].map(([key, value]) => ({ key, value })), ...this.#records];
    for (const { key, value } of records) if (key.startsWith(XATTR)) xattrs.set(xattrName(key), value);
    return xattrs;
  }
}
