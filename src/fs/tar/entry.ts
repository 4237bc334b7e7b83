/**
 * What an archive says of a file, whatever the form: one entry of a tar.
 *
 * Texts are bytes, a character each (base/latin1.ts): names need not be UTF-8, nor values of extended attributes.
 *
 * @see POSIX.1-2024 pax, "ustar Interchange Format", "pax Interchange Format"; GNU tar manual, "Standard"
 */

/** Seconds since 1970, which may be before it, and nanoseconds after that. */
export interface TarTime {
  readonly sec: number;
  /** 0 to 999 999 999. */
  readonly nsec: number;
}

/** Bytes that a file has at a place; what is between such pieces is a hole. */
export interface TarPiece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** One file of an archive. */
export interface TarEntry {
  /** As it stands there: "./d/x", directories with a slash at the end or without one. */
  readonly name: string;
  /** st_mode; of another name of a file that has come before: permissions alone. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of devices: st_rdev. */
  readonly rdev: number;
  readonly mtime: TarTime;
  /** Left out: it is not told. */
  readonly atime?: TarTime;
  readonly ctime?: TarTime;
  /** Target of a symbolic link; of another name of a file: the name that has come before. */
  readonly link: string;
  /** Extended attributes, values by names. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Of regular files: bytes, and those of them that are there, in order. */
  readonly size: number;
  readonly pieces: readonly TarPiece[];
}

/** Something is wrong with the bytes of an archive. */
export class TarError extends Error {
  readonly code = "ERR_INVALID_TAR";
  constructor(message: string) {
    super(`foliofs: ${message}`);
    this.name = "TarError";
  }
}

/** A name as messages show it. */
export function shownName(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);
}
