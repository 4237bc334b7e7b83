/** What calls take: paths, modes, times, encodings, options. */
import type { FileUrl, Signal } from "./platform-types.ts";

export type PathLike = string | Uint8Array | FileUrl;
export type Mode = number | string;
/** Seconds since the epoch, as a number or its digits, or a Date. */
export type TimeLike = number | string | Date;
export type OpenMode = number | string;
export type SymlinkType = "dir" | "file" | "junction";

export type Encoding =
  | "ascii"
  | "base64"
  | "base64url"
  | "binary"
  | "hex"
  | "latin1"
  | "ucs-2"
  | "ucs2"
  | "utf-16le"
  | "utf-8"
  | "utf16le"
  | "utf8";

export interface EncodingOptions {
  encoding?: Encoding | null | undefined;
}
/** Results as text. */
export type TextOption = EncodingOptions | Encoding | null | undefined;
/** Names as bytes. */
export type BytesOption = "buffer" | { encoding: "buffer" };

export interface StatOptions {
  bigint?: boolean | undefined;
  throwIfNoEntry?: boolean | undefined;
}

export interface BigIntOptions {
  bigint?: boolean | undefined;
}

export interface RmOptions {
  force?: boolean | undefined;
  maxRetries?: number | undefined;
  recursive?: boolean | undefined;
  /** Milliseconds. */
  retryDelay?: number | undefined;
}

export interface MkdirOptions {
  mode?: Mode | undefined;
  recursive?: boolean | undefined;
}

export interface ReaddirOptions {
  encoding?: Encoding | "buffer" | null | undefined;
  recursive?: boolean | undefined;
  withFileTypes?: boolean | undefined;
}

export interface OpendirOptions {
  /** Entries read at a time. */
  bufferSize?: number | undefined;
  encoding?: Encoding | undefined;
  recursive?: boolean | undefined;
}

export interface ReadFileOptions {
  encoding?: Encoding | null | undefined;
  flag?: OpenMode | undefined;
  signal?: Signal | undefined;
}

/** Contents into memory of the caller's. */
export interface ReadIntoOptions<View extends ArrayBufferView> extends ReadFileOptions {
  buffer: View | ((size: number) => View);
  encoding?: null | undefined;
}

export interface WriteFileOptions {
  encoding?: Encoding | null | undefined;
  flag?: OpenMode | undefined;
  flush?: boolean | undefined;
  mode?: Mode | undefined;
  signal?: Signal | undefined;
}

/** What a file can be written from in pieces. */
export type Pieces = Iterable<string | ArrayBufferView> | AsyncIterable<string | ArrayBufferView>;

export interface ReadOptions {
  length?: number | null | undefined;
  offset?: number | null | undefined;
  position?: number | bigint | null | undefined;
}

export interface WriteOptions {
  length?: number | null | undefined;
  offset?: number | null | undefined;
  position?: number | null | undefined;
}
