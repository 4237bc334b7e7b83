/** The kernel block: what is no list nor count of records. In normal form most of it is nothing. */

import { isTypeName } from "../vfs/fs-type.ts";
import {
  BOOT_SLOT,
  CACHE_CRED,
  CACHE_FILE,
  CACHE_TASK,
  FS_TYPE_NAME_BYTES,
  KERNEL_BLOCK,
  KERNEL_COARSE_MS,
  KERNEL_COMPACT_CONSIDERED,
  KERNEL_COMPACT_DEFER_SHIFT,
  KERNEL_COMPACT_ORDER_FAILED,
  KERNEL_DCACHE_LOCK,
  KERNEL_EVICTION_AGE,
  KERNEL_FAIL_AFTER,
  KERNEL_FS_TYPES,
  KERNEL_GATE,
  KERNEL_LAYOUT_VERSION,
  KERNEL_MAGIC,
  KERNEL_MIN_FREE,
  KERNEL_NEXT_COOKIE,
  KERNEL_NR_DIRTY,
  KERNEL_NR_FILES,
  KERNEL_NR_PINNED,
  KERNEL_OPERATIONS,
  KERNEL_RECORD_PFN,
  KERNEL_SLOTS,
  KERNEL_TOUCH_MS,
  KERNEL_TOUCH_NSEC,
  KERNEL_TOUCH_SEC,
  KERNEL_VFS_CACHE_PRESSURE,
  KERNEL_VMSTAT,
  KERNEL_WAIT_TABLE,
  KERNEL_ZONE_LOCK,
  LAYOUT_MAGIC,
  LAYOUT_VERSION,
  NR_FS_TYPES,
  NR_SLOTS,
  NR_VM_EVENTS,
  NR_WAIT_BUCKETS,
  WAIT_BUCKET_BYTES,
} from "../wasm/layout.ts";
import { demand } from "./demand.ts";
import type { Memory } from "./memory.ts";

/** Nobody has anything open, nobody waits, and no limit is set that whoever restores will set anew. */
const NOTHING: readonly (readonly [field: number, what: string])[] = [
  [KERNEL_GATE, "a lock is taken"],
  [KERNEL_ZONE_LOCK, "a lock is taken"],
  [KERNEL_DCACHE_LOCK, "a lock is taken"],
  [KERNEL_FAIL_AFTER, "allocations are to fail"],
  [KERNEL_NR_FILES, "files are open"],
  [KERNEL_NR_DIRTY, "pages are to be written, but there is no store"],
  [KERNEL_OPERATIONS, "operations are under way"],
  [KERNEL_MIN_FREE, "it is in no normal form"],
  [KERNEL_RECORD_PFN, "it is in no normal form"],
  [KERNEL_COMPACT_CONSIDERED, "it is in no normal form"],
  [KERNEL_COMPACT_DEFER_SHIFT, "it is in no normal form"],
  [KERNEL_COMPACT_ORDER_FAILED, "it is in no normal form"],
  [KERNEL_NR_PINNED, "pages are pinned"],
];
/** Of shadows: values above stand for promised pages. */
const MAX_AGE = 2 ** 29;
/** Most percent: what comes of it stays a number of 64 bits, whatever it is multiplied by. */
const MAX_PRESSURE = 1_000_000;
/** Positions go on being exact for a long time. */
const MAX_COOKIE = 2 ** 52;
export const NSEC_PER_SEC = 1e9;

/** @throws SnapshotError */
export function checkKernelBlock(memory: Memory): void {
  const isBooted =
    memory.kernel(KERNEL_MAGIC) === LAYOUT_MAGIC && memory.kernel(KERNEL_LAYOUT_VERSION) === LAYOUT_VERSION;
  demand(isBooted, "there is no kernel in its memory");
  for (const [field, what] of NOTHING) demand(memory.kernel(field) === 0, what);
  for (const cache of [CACHE_FILE, CACHE_TASK, CACHE_CRED])
    demand(memory.slabs.records(cache).length === 0, "a task, or what one has open, is left");
  for (let i = 0; i < NR_SLOTS; i++) {
    const slot = memory.image.word(KERNEL_BLOCK + KERNEL_SLOTS + i * 4);
    demand(slot === (i === 0 ? BOOT_SLOT : 0), "an owner slot is where none can be");
  }
  demand(memory.image.isZero(KERNEL_BLOCK + KERNEL_VMSTAT, NR_VM_EVENTS * 8), "events have been counted");
  demand(
    memory.image.isZero(KERNEL_BLOCK + KERNEL_WAIT_TABLE, NR_WAIT_BUCKETS * WAIT_BUCKET_BYTES),
    "somebody waits for a page",
  );
  demand(memory.kernel(KERNEL_EVICTION_AGE) < MAX_AGE, "the age of shadows is none");
  demand(memory.kernel(KERNEL_VFS_CACHE_PRESSURE) <= MAX_PRESSURE, "vfs_cache_pressure is out of range");
  const cookie = memory.kernelNumber(KERNEL_NEXT_COOKIE);
  demand(cookie >= 1 && cookie <= MAX_COOKIE && Number.isInteger(cookie), "the next position in a directory is none");
  checkClock(memory);
}

/** What inodes are given next, if the clock says that no time has passed. */
function checkClock(memory: Memory): void {
  for (const field of [KERNEL_COARSE_MS, KERNEL_TOUCH_MS])
    demand(Number.isFinite(memory.kernelNumber(field)), "a time is no number");
  demand(Number.isInteger(memory.kernelNumber(KERNEL_TOUCH_SEC)), "a time is no number");
  demand(memory.kernel(KERNEL_TOUCH_NSEC) < NSEC_PER_SEC, "a time is no number");
}

/** Names of the types of file systems, by number; "" = there is none. @throws SnapshotError */
export function readTypeNames(memory: Memory): string[] {
  const names: string[] = [];
  for (let id = 0; id < NR_FS_TYPES; id++) {
    const address = KERNEL_BLOCK + KERNEL_FS_TYPES + id * FS_TYPE_NAME_BYTES;
    const bytes = memory.image.bytesAt(address, FS_TYPE_NAME_BYTES);
    const length = bytes.indexOf(0);
    demand(length >= 0 && bytes.subarray(length).every((byte) => byte === 0), "a name of a type does not end", address);
    const name = String.fromCharCode(...bytes.subarray(0, length));
    demand(name === "" || isTypeName(name), "a name of a type is none", address);
    demand(name === "" || !names.includes(name), "a name of a type is there twice", address);
    demand(name === "" || names.at(-1) !== "", "names of types have a gap", address);
    names.push(name);
  }
  return names;
}
