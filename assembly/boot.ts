// Making an empty kernel in fresh memory, and taking care of an owner slot.
import {
  BOOT_SLOT, KERNEL_BLOCK, LAYOUT_MAGIC, KERNEL_SLOTS, LAYOUT_VERSION, WASM_PAGE_FRAMES,
} from "./abi";
import { initHash } from "./fs/dcache";
import { File, fput, dropSpareFile } from "./fs/file";
import { isNil, kernel, slot } from "./kernel";
import { onlineMemory } from "./mm/page-alloc";
import { initCaches } from "./mm/slab";
import { freeTask } from "./fs/task";

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
  k.nextCookie = 1;
  store<u32>(KERNEL_BLOCK + KERNEL_SLOTS, BOOT_SLOT);
  onlineMemory(min<u32>(FIRST_FRAMES, <u32>memory.size() * WASM_PAGE_FRAMES));
  initCaches();
  return initHash(seed);
}

/** Drops every reference that is tagged with this slot: open files with their locks and orphans, tasks. */
export function releaseSlot(): void {
  const s = slot();
  while (!isNil(s.files)) {
    const file: File = s.files;
    file.count = 1;
    fput(file);
  }
  dropSpareFile();
  while (!isNil(s.tasks)) freeTask(s.tasks);
}
