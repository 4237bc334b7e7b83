/** Tables of linear hashing: their pages, and which bucket a hash is of. @see assembly/fs/dcache.ts, assembly/fs/inode-hash.ts */
import { PAGE_SIZE } from "../wasm/layout.ts";
import { demand } from "./demand.ts";
import { TABLE } from "./frames.ts";
import type { Memory } from "./memory.ts";

export const SEGMENT = 1024;

/** How large a table is. */
export interface Size {
  readonly nrBuckets: number;
  readonly mask: number;
  readonly what: string;
}

/** @throws SnapshotError */
export function checkSize({ nrBuckets, mask, what }: Size, least: number, most: number): void {
  demand(nrBuckets >= least && nrBuckets <= most, `the table of ${what} is of no size`);
  demand(
    nrBuckets <= mask + 1 && nrBuckets > mask >>> 1 && ((mask + 1) & mask) === 0,
    `the table of ${what} has another mask`,
  );
}

/** Bucket of a hash. */
export function bucketOf({ nrBuckets, mask }: Size, hash: number): number {
  const i = (hash & mask) >>> 0;
  return i < nrBuckets ? i : i & (mask >>> 1);
}

/**
 * Checks a directory page and its segments: what is behind the last bucket is nothing.
 *
 * @param nr buckets that are below this directory @returns addresses of the segments @throws SnapshotError
 */
export function checkSegments(memory: Memory, directory: number, nr: number, what: string): number[] {
  demand((directory & (PAGE_SIZE - 1)) === 0, `a directory of ${what} is no page`, directory);
  memory.frames.claim(directory >>> 12, TABLE, `a directory of ${what}`, directory);
  const at = memory.image.at(directory);
  const segments: number[] = [];
  for (let i = 0; i < SEGMENT; i++) {
    const segment = memory.u32[at + i];
    const isThere = i * SEGMENT < nr;
    demand(
      (segment !== 0) === isThere && (segment & (PAGE_SIZE - 1)) === 0,
      `a segment of ${what} is missing, or left over`,
      directory,
    );
    if (!isThere) continue;
    memory.frames.claim(segment >>> 12, TABLE, `a segment of ${what}`, segment);
    const used = Math.min(nr - i * SEGMENT, SEGMENT);
    demand(
      memory.image.isZero(segment + used * 4, (SEGMENT - used) * 4),
      `there is something behind the last bucket of ${what}`,
      segment,
    );
    segments.push(segment);
  }
  return segments;
}
