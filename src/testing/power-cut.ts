/**
 * What of a disk's write cache is on the platters when the power goes.
 *
 *   writes, changes of names ──► cache ──► platters       fsync: what it is about is there
 *                                  └─ cut: any part of it
 *
 * With a journal changes of names and attributes reach the disk in the order in which they were made, and an fsync brings all of them up
 * to it, as ext4 does (data=writeback); without one in any order, and fsync of a file does not bring its name: that takes an fsync of
 * the directory, as POSIX has it. Data is in the cache by sectors, each of which is there or is not.
 */
import { chance, type Random } from "../fuzz/random.ts";
import type { Change } from "./disk-tree.ts";

/** How a disk keeps what it is told. */
export interface Keeping {
  readonly hasJournal: boolean;
  /** What is written whole or not at all, bytes. */
  readonly sectorBytes: number;
}

function isData({ what }: Change): boolean {
  return what === "data";
}

/** Is a change one that an fsync of `ino` brings, by itself? */
function isAbout(change: Change, ino: number): boolean {
  if (change.what === "name" || change.what === "unname") return change.dir === ino;
  if (change.what === "rename") return change.dir === ino || change.toDir === ino;
  return change.ino === ino;
}

/** The changes that an fsync of a file or directory brings to the disk. */
export function flushedWith(pending: readonly Change[], ino: number, { hasJournal }: Keeping): Set<Change> {
  const about = pending.filter((change) => isAbout(change, ino));
  if (hasJournal) return new Set([...about, ...pending.filter((change) => !isData(change))]);
  const named = new Set(about.filter(({ what }) => what === "name" || what === "rename").map((change) => change.ino));
  return new Set([...about, ...pending.filter(({ ino: other, what }) => what === "inode" && named.has(other))]);
}

/** A write as the sectors that it is. */
function sectorsOf(change: Change, sectorBytes: number): Change[] {
  if (change.what !== "data") return [change];
  const { bytes, ino, position } = change;
  const sectors: Change[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + sectorBytes - ((position + at) % sectorBytes));
    sectors.push({ what: "data", ino, position: position + at, bytes: bytes.subarray(at, end) });
    at = end;
  }
  return sectors;
}

/** What of the cache is on the disk, in the order in which it is to be applied. */
export function survivors(pending: readonly Change[], keeping: Keeping, random: Random): Change[] {
  const all = pending.flatMap((change) => sectorsOf(change, keeping.sectorBytes));
  const journal = all.filter((change) => !isData(change));
  const committed = new Set(journal.slice(0, random(journal.length + 1)));
  return all.filter((change) => {
    if (keeping.hasJournal && !isData(change)) return committed.has(change);
    return chance(random, 50);
  });
}
