/**
 * What goes between the page cache and stores, counted.
 *
 *   by the device   calls of its operations, and the bytes that they have moved
 *   by the kernel   pages of files that are read:  hit     copied to a reader that has not had to wait for a store
 *                                                  miss    a reader has come for it, and the store is asked
 *                                                  ahead   the store is asked before any reader has come for it
 *
 * The kernel's are events in its memory, beside those of the core. All are shown where there is a device (backing-dev.ts).
 *
 * @see Linux mm/vmscan.c count_vm_event(), block/blk-core.c count_vm_events(PGPGIN)
 */
import type { InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  KERNEL_BLOCK,
  KERNEL_VMSTAT,
  VM_ALLOCSTALL,
  VM_PGAHEAD,
  VM_PGCACHE_HIT,
  VM_PGCACHE_MISS,
  VM_PGSCAN,
  VM_PGSTEAL,
  VM_WORKINGSET_ACTIVATE,
  VM_WORKINGSET_NODERECLAIM,
  VM_WORKINGSET_REFAULT,
} from "../wasm/layout.ts";
import { AOP_WRITEPAGE_ACTIVATE, type PageCache } from "./address-space.ts";
import { taskIoAccountRead } from "./task-io-account.ts";

const EVENTS = (KERNEL_BLOCK + KERNEL_VMSTAT) >>> 3;
const KIB = 1024;

/** As in Linux's /proc/vmstat. */
const RECLAIM_EVENTS = Object.entries({
  pgscan: VM_PGSCAN,
  pgsteal: VM_PGSTEAL,
  allocstall: VM_ALLOCSTALL,
  workingset_refault_file: VM_WORKINGSET_REFAULT,
  workingset_activate_file: VM_WORKINGSET_ACTIVATE,
  workingset_nodereclaim: VM_WORKINGSET_NODERECLAIM,
});

/** Counters of a device's store. */
export interface StoreNumbers {
  /** Calls that read, and the bytes that they have brought. */
  reads: number;
  readBytes: number;
  /** Calls that write, and the bytes that the store has taken. */
  writes: number;
  writtenBytes: number;
}

/** What a store is asked for. */
interface Asked {
  readonly inode: InodeHandle;
  /** Bytes. */
  readonly length: number;
}

/** Counts a call that reads, and its bytes when the store has answered. @returns the answer */
export function countRead<A extends number | Promise<number>>(cache: PageCache, asked: Asked, answer: A): A {
  const store = cache.bdiOf(asked.inode)?.store;
  if (store === undefined) return answer;
  store.reads++;
  taskIoAccountRead(cache, asked.length);
  whenAnswered(answer, (bytes) => {
    store.readBytes += moved(asked, bytes);
  });
  return answer;
}

/** As countRead(), of a call that writes. */
export function countWrite<A extends number | Promise<number>>(cache: PageCache, asked: Asked, answer: A): A {
  const store = cache.bdiOf(asked.inode)?.store;
  if (store === undefined) return answer;
  store.writes++;
  whenAnswered(answer, (bytes) => {
    if (bytes !== AOP_WRITEPAGE_ACTIVATE) store.writtenBytes += moved(asked, bytes);
  });
  return answer;
}

/** As countWrite(), of launderPage, which answers 0 for all of the page. */
export function countLaundered<A extends number | Promise<number>>(cache: PageCache, asked: Asked, answer: A): A {
  const store = cache.bdiOf(asked.inode)?.store;
  if (store === undefined) return answer;
  store.writes++;
  whenAnswered(answer, (rc) => {
    if (rc === 0) store.writtenBytes += asked.length;
  });
  return answer;
}

/** What a store throws is for who waits for its answer to see. */
function whenAnswered(answer: number | Promise<number>, count: (bytes: number) => void): void {
  if (typeof answer === "number") count(answer);
  else answer.then(count, () => {});
}

/** Bytes of an answer: errnos move none, and nobody counts what was not asked for. */
function moved({ length }: Asked, bytes: number): number {
  return Math.max(0, Math.min(bytes, length));
}

/** Pages that a reader has found. */
export function countHits({ f64 }: Core, nr: number): void {
  f64[EVENTS + VM_PGCACHE_HIT] += nr;
}

/** Pages that a reader has not found. */
export function countMisses({ f64 }: Core, nr: number): void {
  f64[EVENTS + VM_PGCACHE_MISS] += nr;
}

/** Pages that nobody has come for yet. */
export function countReadahead({ f64 }: Core, nr: number): void {
  f64[EVENTS + VM_PGAHEAD] += nr;
}

/** Adds the counters of a device's store to those of the kernel, and sets those that the kernel has where there is one. */
export function addStoreNumbers({ f64 }: Core, store: StoreNumbers, stat: Record<string, number>): void {
  stat.pgcache_hit = f64[EVENTS + VM_PGCACHE_HIT];
  stat.pgcache_miss = f64[EVENTS + VM_PGCACHE_MISS];
  stat.pgcache_ahead = f64[EVENTS + VM_PGAHEAD];
  for (const [name, event] of RECLAIM_EVENTS) stat[name] = f64[EVENTS + event];
  stat.store_reads = (stat.store_reads ?? 0) + store.reads;
  stat.store_writes = (stat.store_writes ?? 0) + store.writes;
  stat.pgpgin = (stat.pgpgin ?? 0) + Math.floor(store.readBytes / KIB);
  stat.pgpgout = (stat.pgpgout ?? 0) + Math.floor(store.writtenBytes / KIB);
}
