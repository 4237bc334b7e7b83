// Making an empty kernel in fresh memory, and taking care of an owner slot.
import {
  BOOT_SLOT, CACHE_CRED, CACHE_DENTRY, CACHE_FILE, CACHE_INODE, CACHE_KMALLOC_32, CACHE_MOUNT, CACHE_SUPER_BLOCK, CACHE_TASK,
  CACHE_XA_NODE, KERNEL_BLOCK, KERNEL_SLOTS, LAYOUT_MAGIC, LAYOUT_VERSION, NR_KMALLOC, WASM_PAGE_FRAMES,
} from "./abi";
import { initHash } from "./fs/dcache";
import { Dentry } from "./fs/dentry";
import { File, fput, dropSpareFile } from "./fs/file";
import { Inode } from "./fs/inode";
import { Mount } from "./fs/mount";
import { dropOperations } from "./fs/operation";
import { SuperBlock } from "./fs/super";
import { Cred, freeTask, Task } from "./fs/task";
import { isNil, kernel, slot } from "./kernel";
import { onlineMemory } from "./mm/page-alloc";
import { initCache } from "./mm/slab";
import { XaNode } from "./mm/xarray";

const FIRST_FRAMES: u32 = 256;
const MAX_NEGATIVE: u32 = 1024;

/**
 * Boots. Precondition: the memory is all zeros and at least 1 MiB.
 *
 * @param maxPfn memory limit in frames, a multiple of 16
 * @returns false when memory ran out
 */
export function bootKernel(maxPfn: u32, seed: u32): bool {
  const k = kernel();
  k.magic = LAYOUT_MAGIC;
  k.layoutVersion = LAYOUT_VERSION;
  k.maxPfn = maxPfn;
  k.maxNegative = MAX_NEGATIVE;
  k.maxUnused = u32.MAX_VALUE;
  k.vfsCachePressure = 100;
  k.nextCookie = 1;
  store<u32>(KERNEL_BLOCK + KERNEL_SLOTS, BOOT_SLOT);
  onlineMemory(min<u32>(FIRST_FRAMES, <u32>memory.size() * WASM_PAGE_FRAMES));
  initCaches();
  return initHash(seed);
}

/** Sets up the caches of all records and of kmalloc(). Precondition: they are zeros. */
function initCaches(): void {
  initCache(CACHE_INODE, offsetof<Inode>());
  initCache(CACHE_DENTRY, offsetof<Dentry>());
  initCache(CACHE_FILE, offsetof<File>());
  initCache(CACHE_XA_NODE, offsetof<XaNode>());
  initCache(CACHE_SUPER_BLOCK, offsetof<SuperBlock>());
  initCache(CACHE_MOUNT, offsetof<Mount>());
  initCache(CACHE_TASK, offsetof<Task>());
  initCache(CACHE_CRED, offsetof<Cred>());
  for (let n: u32 = 0; n < NR_KMALLOC; n++) initCache(CACHE_KMALLOC_32 + n, 32 << n);
}

/** Drops every reference that is tagged with this slot: operations that wait for a store, open files with their locks and orphans, tasks. */
export function releaseSlot(): void {
  const s = slot();
  dropOperations(s.number);
  while (!isNil(s.files)) {
    const file: File = s.files;
    file.count = 1;
    fput(file);
  }
  dropSpareFile();
  while (!isNil(s.tasks)) freeTask(s.tasks);
}
