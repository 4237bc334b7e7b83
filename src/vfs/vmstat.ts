/**
 * Counters of the page cache and the tables, by name (Linux /proc/vmstat, /proc/slabinfo).
 *
 * `nr_...` are counts of pages (frames of 4 KiB) or records, `bytes_...` are bytes, all others count events since boot. Where
 * there is a backing device it adds its own (mm/backing-dev.ts, mm/io-counters.ts): `pgpgin` and `pgpgout` are KiB.
 *
 * Does not own: the counting (assembly/), which is always on.
 */
import type { BackingDevice } from "../mm/backing-dev.ts";
import type { Core } from "../wasm/core.ts";
import {
  CACHE_CRED,
  CACHE_KMALLOC_32,
  CACHE_MOUNT,
  CACHE_SUPER_BLOCK,
  CACHE_TASK,
  CACHE_XA_NODE,
  KERNEL_BLOCK,
  KERNEL_CACHES,
  KERNEL_END_PFN,
  KERNEL_LRU_LISTS,
  KERNEL_MAX_PFN,
  KERNEL_NR_BUCKETS,
  KERNEL_NR_DENTRIES,
  KERNEL_NR_DIRTY,
  KERNEL_NR_FILES,
  KERNEL_NR_FREE,
  KERNEL_NR_FRESH,
  KERNEL_NR_HASHED_INODES,
  KERNEL_NR_INODES,
  KERNEL_NR_NEGATIVE,
  KERNEL_NR_RESERVED,
  KERNEL_NR_UNUSED,
  KERNEL_NR_UNUSED_INODES,
  KERNEL_PCP_COUNT,
  KERNEL_VMSTAT,
  KMEM_CACHE_BYTES,
  KMEM_CACHE_NR_OBJECTS,
  KMEM_CACHE_NR_SLABS,
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE,
  NR_CACHES,
  PAGE_SIZE,
  VM_ALLOC_FAILED,
  VM_END_FAILED,
  VM_HANDOVER,
  VM_MEMORY_GROWN,
  VM_PGACTIVATE,
  VM_PGALLOC,
  VM_PGDEACTIVATE,
  VM_PGFAULT,
  VM_PGFREE,
  VM_PGMAJFAULT,
  VM_PGROTATED,
  VM_PSWPIN,
  VM_PSWPOUT,
} from "../wasm/layout.ts";

/** Counters by name. */
export type VmStat = Record<string, number>;

const KERNEL = KERNEL_BLOCK >>> 2;

/** Reads all counters, those of backing devices among them. */
export function vmstat({ core, bdis }: StatKernel): VmStat {
  const stat = coreStat(core);
  for (const bdi of bdis.values()) bdi.addTo(stat);
  return stat;
}

/** What is needed of a kernel. */
type StatKernel = { readonly core: Core; readonly bdis: ReadonlyMap<number, BackingDevice> };

function coreStat(core: Core): VmStat {
  const { u32 } = core;
  const word = (field: number) => u32[KERNEL + field];
  const lru = (list: number) => u32[KERNEL + ((KERNEL_LRU_LISTS + list * 16) >>> 2) + 2];
  const cache = (id: number, field: number) => u32[KERNEL + ((KERNEL_CACHES + id * KMEM_CACHE_BYTES) >>> 2) + field];
  const objects = (id: number) => cache(id, KMEM_CACHE_NR_OBJECTS);
  const event = (id: number) => core.f64[((KERNEL_BLOCK + KERNEL_VMSTAT) >>> 3) + id];
  const total = word(KERNEL_END_PFN);
  const free = word(KERNEL_NR_FREE);
  const pages =
    lru(LRU_INACTIVE_ANON) +
    lru(LRU_ACTIVE_ANON) +
    lru(LRU_INACTIVE_FILE) +
    lru(LRU_ACTIVE_FILE) +
    lru(LRU_UNEVICTABLE);
  let slabs = 0;
  for (let id = 0; id < NR_CACHES; id++) slabs += cache(id, KMEM_CACHE_NR_SLABS);
  let strings = 0;
  for (let id = CACHE_KMALLOC_32; id < NR_CACHES; id++) strings += objects(id);
  return {
    nr_total_pages: total,
    nr_limit_pages: word(KERNEL_MAX_PFN),
    nr_free_pages: free,
    nr_fresh_pages: word(KERNEL_NR_FRESH),
    nr_free_pcp: word(KERNEL_PCP_COUNT),
    nr_used_pages: total - free,
    nr_reserved: word(KERNEL_NR_RESERVED),
    nr_file_pages: pages,
    nr_inactive_anon: lru(LRU_INACTIVE_ANON),
    nr_active_anon: lru(LRU_ACTIVE_ANON),
    nr_inactive_file: lru(LRU_INACTIVE_FILE),
    nr_active_file: lru(LRU_ACTIVE_FILE),
    nr_unevictable: lru(LRU_UNEVICTABLE),
    nr_dirty: word(KERNEL_NR_DIRTY),
    nr_writeback: 0,
    nr_dirtied: 0,
    nr_written: 0,
    nr_slab_pages: slabs,
    nr_inodes: word(KERNEL_NR_INODES),
    nr_hashed_inodes: word(KERNEL_NR_HASHED_INODES),
    nr_unused_inodes: word(KERNEL_NR_UNUSED_INODES),
    nr_dentries: word(KERNEL_NR_DENTRIES),
    nr_negative_dentries: word(KERNEL_NR_NEGATIVE),
    nr_unused_dentries: word(KERNEL_NR_UNUSED),
    nr_dentry_buckets: word(KERNEL_NR_BUCKETS),
    nr_index_nodes: objects(CACHE_XA_NODE),
    nr_files: word(KERNEL_NR_FILES),
    nr_super_blocks: objects(CACHE_SUPER_BLOCK),
    nr_mounts: objects(CACHE_MOUNT),
    nr_tasks: objects(CACHE_TASK),
    nr_creds: objects(CACHE_CRED),
    nr_strings: strings,
    bytes_memory: total * PAGE_SIZE,
    bytes_used: (total - free) * PAGE_SIZE,
    pgalloc: event(VM_PGALLOC),
    pgfree: event(VM_PGFREE),
    pgactivate: event(VM_PGACTIVATE),
    pgdeactivate: event(VM_PGDEACTIVATE),
    pgrotated: event(VM_PGROTATED),
    pswpin: event(VM_PSWPIN),
    pswpout: event(VM_PSWPOUT),
    memory_grown: event(VM_MEMORY_GROWN),
    alloc_failed: event(VM_ALLOC_FAILED),
    walk_handover: event(VM_HANDOVER),
    end_failed: event(VM_END_FAILED),
    pgfault: event(VM_PGFAULT),
    pgmajfault: event(VM_PGMAJFAULT),
  };
}
