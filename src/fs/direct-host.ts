/** The VFS as reads and writes round the cache need it (mm/direct-io.ts). */
import type { DirectHost } from "../mm/direct-io.ts";
import { holdForDirectIo } from "../vfs/direct-in-flight.ts";
import { markInodeDirty } from "../vfs/dirty-inode.ts";
import type { Kernel } from "../vfs/kernel.ts";
import { I_DIRTY_DATASYNC, I_DIRTY_SYNC } from "../wasm/layout.ts";

/** What direct reads and writes need of the VFS. */
export function directHost(kernel: Kernel): DirectHost {
  return {
    hold: (control, over) => holdForDirectIo(kernel, control, over),
    grown: (inode) => markInodeDirty(kernel, inode, I_DIRTY_SYNC | I_DIRTY_DATASYNC),
  };
}
