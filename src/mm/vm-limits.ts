/**
 * How much may be dirty, and for how long, and what reclaim is to prefer: the numbers of /proc/sys/vm, one set a kernel.
 *
 * Does not own: what happens beyond them (balance.ts, flusher.ts, swap-in.ts, swap-balance.ts).
 *
 * @see Linux Documentation/admin-guide/sysctl/vm.rst
 */
import type { Core } from "../wasm/core.ts";
import {
  KERNEL_BLOCK,
  KERNEL_END_PFN,
  KERNEL_LRU_LISTS,
  KERNEL_MAX_PFN,
  KERNEL_MIN_FREE,
  KERNEL_NR_FREE,
  KERNEL_VFS_CACHE_PRESSURE,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_FILE,
  MAX_RESERVE,
  PAGE_SIZE,
} from "../wasm/layout.ts";

const KERNEL = KERNEL_BLOCK >>> 2;
const MAX_INT = 2 ** 31 - 1;
const PAGE_KIB = PAGE_SIZE / 1024;

/** From the smallest to the largest that each may be. */
export const VM_RANGES = {
  dirty_background_bytes: [1, Number.MAX_SAFE_INTEGER],
  dirty_background_ratio: [0, 100],
  dirty_bytes: [2 * PAGE_SIZE, Number.MAX_SAFE_INTEGER],
  dirty_expire_centisecs: [0, MAX_INT],
  dirty_ratio: [0, 100],
  dirty_writeback_centisecs: [0, MAX_INT],
  min_free_kbytes: [0, MAX_INT],
  page_cluster: [0, 31],
  swappiness: [0, 200],
  vfs_cache_pressure: [0, MAX_INT],
} as const satisfies Record<string, readonly [min: number, max: number]>;

/** A whole number of its range. @throws RangeError, as writing to /proc would be EINVAL */
function checked(name: keyof typeof VM_RANGES, value: number): number {
  const [min, max] = VM_RANGES[name];
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw new RangeError(`vm.${name}: ${value} is not a whole number from ${min} to ${max}`);
  return value;
}

/** Of bytes and ratio the one that was set last counts, and the other is 0. */
export class VmLimits {
  #backgroundBytes = 0;
  #backgroundRatio = 10;
  #bytes = 0;
  #ratio = 20;
  #expireCentisecs = 3000;
  #writebackCentisecs = 500;
  #swappiness = 60;
  #pageCluster = 3;
  readonly #host: { readonly core: Core };

  /** @param host whose memory has those that the core goes by */
  constructor(host: { readonly core: Core }) {
    this.#host = host;
  }

  /** From so many dirty bytes on the flusher writes. */
  get dirty_background_bytes(): number {
    return this.#backgroundBytes;
  }
  set dirty_background_bytes(bytes: number) {
    this.#backgroundBytes = checked("dirty_background_bytes", bytes);
    this.#backgroundRatio = 0;
  }
  /** The same in percent of the memory that could be dirty. */
  get dirty_background_ratio(): number {
    return this.#backgroundRatio;
  }
  set dirty_background_ratio(percent: number) {
    this.#backgroundRatio = checked("dirty_background_ratio", percent);
    this.#backgroundBytes = 0;
  }
  /** From so many dirty bytes on writers write themselves, or wait; two pages at least. */
  get dirty_bytes(): number {
    return this.#bytes;
  }
  set dirty_bytes(bytes: number) {
    this.#bytes = checked("dirty_bytes", bytes);
    this.#ratio = 0;
  }
  get dirty_ratio(): number {
    return this.#ratio;
  }
  set dirty_ratio(percent: number) {
    this.#ratio = checked("dirty_ratio", percent);
    this.#bytes = 0;
  }
  /** What has been dirty for so long is written without being asked for. */
  get dirty_expire_centisecs(): number {
    return this.#expireCentisecs;
  }
  set dirty_expire_centisecs(centisecs: number) {
    this.#expireCentisecs = checked("dirty_expire_centisecs", centisecs);
  }
  /** How often the flusher looks for that; 0 = never. */
  get dirty_writeback_centisecs(): number {
    return this.#writebackCentisecs;
  }
  set dirty_writeback_centisecs(centisecs: number) {
    this.#writebackCentisecs = checked("dirty_writeback_centisecs", centisecs);
  }

  /** How much rather than pages of files those of memory are reclaimed: 0 to 200, which is pages of memory alone. */
  get swappiness(): number {
    return this.#swappiness;
  }
  set swappiness(weight: number) {
    this.#swappiness = checked("swappiness", weight);
  }
  /** How readily unused names and inodes go: 100 is as readily as pages, 0 is never. */
  get vfs_cache_pressure(): number {
    return this.#host.core.u32[KERNEL + KERNEL_VFS_CACHE_PRESSURE];
  }
  set vfs_cache_pressure(percent: number) {
    const { u32 } = this.#host.core;
    u32[KERNEL + KERNEL_VFS_CACHE_PRESSURE] = checked("vfs_cache_pressure", percent);
  }
  /** KiB that are kept for who frees memory, a frame at least: 1/256 of the limit, up to 4 MiB, unless it is set; a quarter at most. */
  get min_free_kbytes(): number {
    const { u32 } = this.#host.core;
    const byDefault = Math.min(u32[KERNEL + KERNEL_MAX_PFN] >>> 8, MAX_RESERVE);
    return (u32[KERNEL + KERNEL_MIN_FREE] || byDefault) * PAGE_KIB;
  }
  set min_free_kbytes(kib: number) {
    const { u32 } = this.#host.core;
    const frames = Math.ceil(checked("min_free_kbytes", kib) / PAGE_KIB);
    u32[KERNEL + KERNEL_MIN_FREE] = Math.max(1, Math.min(frames, u32[KERNEL + KERNEL_MAX_PFN] >>> 2));
  }
  /** Pages that are read from swap at once, as a power of two: 0 to 31. */
  get page_cluster(): number {
    return this.#pageCluster;
  }
  set page_cluster(order: number) {
    this.#pageCluster = checked("page_cluster", order);
  }

  /** Both limits in pages. @see Linux mm/page-writeback.c domain_dirty_limits() */
  thresholds(core: Core): { background: number; limit: number } {
    const pages = dirtyablePages(core);
    const limit = this.#bytes ? Math.ceil(this.#bytes / PAGE_SIZE) : Math.floor((pages * this.#ratio) / 100);
    const background = this.#backgroundBytes
      ? Math.ceil(this.#backgroundBytes / PAGE_SIZE)
      : Math.floor((pages * this.#backgroundRatio) / 100);
    return { limit, background: background >= limit ? Math.floor(limit / 2) : background };
  }
}

/** Pages that are free, may still come, or cache files that could be dropped. @see Linux global_dirtyable_memory() */
function dirtyablePages({ u32 }: Core): number {
  const lru = (list: number): number => u32[KERNEL + ((KERNEL_LRU_LISTS + list * 16) >>> 2) + 2];
  const toCome = u32[KERNEL + KERNEL_MAX_PFN] - u32[KERNEL + KERNEL_END_PFN];
  return u32[KERNEL + KERNEL_NR_FREE] + toCome + lru(LRU_INACTIVE_FILE) + lru(LRU_ACTIVE_FILE);
}
