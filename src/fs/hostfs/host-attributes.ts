/**
 * Attributes of the host as the VFS holds them: 18 numbers, STAT_*, under the mount's options.
 *
 * Does not own: when they are asked for.
 */
import type { BigIntStats } from "node:fs";
import {
  STAT_ATIME_NSEC,
  STAT_ATIME_SEC,
  STAT_BIRTHTIME_NSEC,
  STAT_BIRTHTIME_SEC,
  STAT_BLKSIZE,
  STAT_BLOCKS,
  STAT_CTIME_NSEC,
  STAT_CTIME_SEC,
  STAT_DEV,
  STAT_GID,
  STAT_INO,
  STAT_MODE,
  STAT_MTIME_NSEC,
  STAT_MTIME_SEC,
  STAT_NLINK,
  STAT_RDEV,
  STAT_SIZE,
  STAT_UID,
} from "../../vfs/syscalls.ts";
import { type HostOptions, maskedMode } from "./options.ts";

const NSEC_PER_SEC = 1e9;
const NSEC_PER_SEC_BIG = 1_000_000_000n;
/** Of STAT_*. */
export const NR_VALUES = 18;

/** What the VFS holds of `stats`: STAT_*, times to the nanosecond. @param values is filled, and answered */
export function hostAttributes(
  options: HostOptions,
  stats: BigIntStats,
  values: Float64Array = new Float64Array(NR_VALUES),
): Float64Array {
  values[STAT_DEV] = Number(stats.dev);
  values[STAT_MODE] = maskedMode(options, Number(stats.mode));
  values[STAT_NLINK] = Number(stats.nlink);
  values[STAT_UID] = options.uid ?? Number(stats.uid);
  values[STAT_GID] = options.gid ?? Number(stats.gid);
  values[STAT_RDEV] = Number(stats.rdev);
  values[STAT_BLKSIZE] = Number(stats.blksize ?? 4096n);
  values[STAT_INO] = Number(stats.ino);
  values[STAT_SIZE] = Number(stats.size);
  values[STAT_BLOCKS] = Number(stats.blocks ?? (stats.size + 511n) / 512n);
  putTime(values, STAT_ATIME_SEC, STAT_ATIME_NSEC, stats.atimeNs);
  putTime(values, STAT_MTIME_SEC, STAT_MTIME_NSEC, stats.mtimeNs);
  putTime(values, STAT_CTIME_SEC, STAT_CTIME_NSEC, stats.ctimeNs);
  putTime(values, STAT_BIRTHTIME_SEC, STAT_BIRTHTIME_NSEC, stats.birthtimeNs);
  return values;
}

/** Seconds and nanoseconds, the latter never negative. */
function putTime(values: Float64Array, sec: number, nsec: number, ns: bigint): void {
  const seconds = Math.floor(Number(ns) / NSEC_PER_SEC); // off by one, perhaps: a number has 53 bits
  const rest = Number(ns - BigInt(seconds) * NSEC_PER_SEC_BIG);
  const carry = Math.floor(rest / NSEC_PER_SEC);
  values[sec] = seconds + carry;
  values[nsec] = rest - carry * NSEC_PER_SEC;
}
