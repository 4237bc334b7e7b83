/**
 * Slab caches as numbers: the core's own, and those that file systems have registered.
 *
 * Does not own: the caches (assembly/mm/slab.ts, vfs/kmem-cache.ts).
 */
import type { Kernel } from "../../vfs/kernel.ts";
import { kmemCaches } from "../../vfs/kmem-cache.ts";
import {
  CACHE_DENTRY,
  CACHE_INODE,
  CACHE_KMALLOC_32,
  CACHE_XA_NODE,
  KERNEL_BLOCK,
  KERNEL_CACHES,
  KMEM_CACHE_BYTES,
  KMEM_CACHE_NR_OBJECTS,
  KMEM_CACHE_NR_SLABS,
  KMEM_CACHE_OBJECT_SIZE,
  KMEM_CACHE_PER_SLAB,
  NR_CACHES,
} from "../../wasm/layout.ts";

/** One cache; each of its slabs is one page. */
export interface SlabNumbers {
  readonly name: string;
  /** Objects in use. */
  readonly nrObjects: number;
  readonly nrSlabs: number;
  /** Objects that a slab has room for. */
  readonly perSlab: number;
  /** Bytes from one object to the next. */
  readonly size: number;
  /** Do objects go when memory runs out and nobody uses them? */
  readonly isReclaimable: boolean;
}

/** By CACHE_*; Linux's names, where it has such a cache. */
const NAMES = [
  "inode_cache",
  "dentry",
  "filp",
  "radix_tree_node",
  "super_block",
  "mnt_cache",
  "task_struct",
  "cred_jar",
];
const RECLAIMABLE = [CACHE_INODE, CACHE_DENTRY, CACHE_XA_NODE];
const MIN_KMALLOC_BYTES = 32;

function nameOf(id: number): string {
  return NAMES[id] ?? `kmalloc-${MIN_KMALLOC_BYTES << (id - CACHE_KMALLOC_32)}`;
}

/** All caches. */
export function slabCaches(kernel: Kernel): SlabNumbers[] {
  const { u32 } = kernel.core;
  const own = Array.from({ length: NR_CACHES }, (_, id) => {
    const at = (KERNEL_BLOCK + KERNEL_CACHES + id * KMEM_CACHE_BYTES) >>> 2;
    return {
      name: nameOf(id),
      nrObjects: u32[at + KMEM_CACHE_NR_OBJECTS],
      nrSlabs: u32[at + KMEM_CACHE_NR_SLABS],
      perSlab: u32[at + KMEM_CACHE_PER_SLAB],
      size: u32[at + KMEM_CACHE_OBJECT_SIZE],
      isReclaimable: RECLAIMABLE.includes(id),
    };
  });
  const registered = kmemCaches(kernel).map(({ name, nrObjects, slabs, perSlab, step }) => {
    return { name, nrObjects, nrSlabs: slabs.size, perSlab, size: step, isReclaimable: false };
  });
  return [...own, ...registered];
}
