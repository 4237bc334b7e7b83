/**
 * Mappings and views, as a part of its own (wasm/core-module.ts): what `kernel.mmap()` and `fs.readView()` are made of. Node's entry
 * brings it, and foliofs/store.
 */
import { mmap, readView, readViewAsync } from "./node/mapping.ts";
import { registerPart } from "./wasm/core-module.ts";

const MMAP = { mmap, readView, readViewAsync };

export type MmapPart = typeof MMAP;

/** For entry points. */
export function registerMmap(): void {
  registerPart("mmap", MMAP);
}
