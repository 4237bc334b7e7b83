/** What stat and statfs answer. */
import type { Instant } from "./platform-types.ts";

/** The kinds of a file. */
export interface FileKind {
  isBlockDevice(): boolean;
  isCharacterDevice(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isFile(): boolean;
  isSocket(): boolean;
  isSymbolicLink(): boolean;
}

interface StatsOf<Count> extends FileKind {
  dev: Count;
  mode: Count;
  nlink: Count;
  uid: Count;
  gid: Count;
  rdev: Count;
  blksize: Count;
  ino: Count;
  size: Count;
  /** Of 512 bytes. */
  blocks: Count;
  /** Milliseconds since the epoch, as the other three. */
  atimeMs: Count;
  mtimeMs: Count;
  ctimeMs: Count;
  birthtimeMs: Count;
  atime: Date;
  mtime: Date;
  ctime: Date;
  birthtime: Date;
  atimeInstant: Instant;
  mtimeInstant: Instant;
  ctimeInstant: Instant;
  birthtimeInstant: Instant;
}

export interface Stats extends StatsOf<number> {}

export interface BigIntStats extends StatsOf<bigint> {
  /** Nanoseconds since the epoch, as the other three. */
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  birthtimeNs: bigint;
}

interface StatsFsOf<Count> {
  type: Count;
  bsize: Count;
  frsize: Count;
  blocks: Count;
  bfree: Count;
  bavail: Count;
  files: Count;
  ffree: Count;
}

export interface StatsFs extends StatsFsOf<number> {}
export interface BigIntStatsFs extends StatsFsOf<bigint> {}
