/**
 * What a call gave back, as one line of text that is the same on every file system that does the same.
 *
 * Not told: numbers of inodes, devices and descriptors, and times of "now", which are nobody's to choose.
 */
import { createHash } from "node:crypto";
import type { NodeDirent, NodeStats } from "../node/face/node-types.ts";

/** What the two file systems that are compared have in common beyond what POSIX asks. */
export interface Detail {
  /** Counts of blocks: file systems on disks count their own way. */
  readonly blocks: boolean;
  /** Sizes of directories, likewise. */
  readonly directorySize: boolean;
  /** Links of directories: of an overlay each has one. */
  readonly directoryLinks: boolean;
  /** Times that files were read at, which mounts keep in ways of their own. */
  readonly atime: boolean;
  /** The system call that an error names. */
  readonly syscall: boolean;
}

export const WHOLE_DETAIL: Detail = {
  blocks: true,
  directorySize: true,
  directoryLinks: true,
  atime: true,
  syscall: true,
};

/** Times within this of the clock are "now". */
const NOW_WINDOW_MS = 3_600_000;
const SHOWN_BYTES = 40;

export function describeTime(timeMs: number): string {
  return Math.abs(timeMs - Date.now()) < NOW_WINDOW_MS ? "now" : String(timeMs);
}

export function describeBytes(bytes: Uint8Array): string {
  if (bytes.length <= SHOWN_BYTES) return JSON.stringify(Buffer.from(bytes).toString("latin1"));
  return `${bytes.length} bytes ${createHash("sha1").update(bytes).digest("base64url")}`;
}

export function describeStats(stats: NodeStats, detail: Detail): string {
  const isSized = detail.directorySize || !stats.isDirectory();
  const isCounted = detail.directoryLinks || !stats.isDirectory();
  const words = [
    stats.mode.toString(8),
    ...(isCounted ? [`nlink=${stats.nlink}`] : []),
    `${stats.uid}:${stats.gid}`,
    ...(isSized ? [`size=${stats.size}`] : []),
    ...(detail.blocks ? [`blocks=${stats.blocks}`] : []),
    ...(detail.atime ? [`atime=${describeTime(stats.atimeMs)}`] : []),
    `mtime=${describeTime(stats.mtimeMs)}`,
  ];
  return words.join(" ");
}

export function describeDirents(entries: readonly NodeDirent[]): string {
  return entries.map((entry) => `${JSON.stringify(entry.name)}:${typeOf(entry)}`).join(" ");
}

function typeOf(entry: NodeDirent): string {
  if (entry.isDirectory()) return "d";
  if (entry.isSymbolicLink()) return "l";
  return entry.isFile() ? "f" : "?";
}

/** An error by its code; one that has none whole, for it is a fault. */
export function describeError(error: unknown, detail: Detail): string {
  const { code, syscall, message, name } = error as NodeJS.ErrnoException;
  if (code === undefined) return `${name}: ${message}`;
  return detail.syscall && syscall !== undefined ? `${code} ${syscall}` : code;
}

/** The code at the beginning of an outcome; undefined = the call succeeded. */
export function codeOf(outcome: string): string | undefined {
  return /^E[A-Z0-9_]+(?= |$)/.exec(outcome)?.[0];
}
