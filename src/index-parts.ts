/** What file systems with a store, mappings, views, swap and calls beyond Node's need: parts that Node's entry brings, foliofs/store and foliofs/proc. */
import { registerDelta } from "./index-delta.ts";
import { registerLinux } from "./index-linux.ts";
import { registerMmap } from "./index-mmap.ts";
import { registerSwap } from "./index-swap.ts";
import { registerStoreSupport } from "./vfs/store-support.ts";

/** For entry points. */
export function registerParts(): void {
  registerStoreSupport();
  registerMmap();
  registerSwap();
  registerLinux();
  registerDelta();
}
