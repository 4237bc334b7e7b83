/**
 * foliofs/lazy: a tree that is asked for what is in it, to be mounted. Nothing of foliofs's state is in here, so that it fits the
 * kernel of any entry.
 */
import { registerParts } from "./index-parts.ts";
import { storeSupportIfAny } from "./vfs/store-part.ts";

export type {
  LazyCall,
  LazyEntry,
  LazyListing,
  LazyRange,
  LazySignal,
  LazyTree,
  LazyType,
} from "./fs/lazyfs/lazy-tree.ts";
export { type LazyMountHandle, type LazyMountOptions, mountLazy } from "./index-lazy.ts";

if (storeSupportIfAny() === undefined) registerParts();
