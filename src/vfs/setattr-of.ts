/**
 * Who changes the attributes of an inode.
 *
 * Does not own: how such a change is made (setattr.ts).
 */
import type { InodeHandle } from "../base/handles.ts";
import { INODE_SB, SB_MEMORY, SB_SETATTR, SUPER_BLOCK_FLAGS } from "../wasm/layout.ts";
import type { InodeOperations } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import { storeSupport } from "./store-part.ts";
import type { Held } from "./waiting.ts";

export type Setattr = NonNullable<InodeOperations["setattr"]>;

/** An inode that changes, and by what it was reached. */
export type HeldInode = Held & { inode: InodeHandle };

/**
 * What changes an inode's attributes, where it takes more than to change the record: its own setattr, or simpleSetattr()
 * where the change is to be written somewhere. undefined = the record is all there is.
 */
export function setattrOf(kernel: Kernel, inode: InodeHandle): Setattr | undefined {
  const { u32 } = kernel.core;
  const flags = u32[(u32[(inode << 3) + INODE_SB] >>> 2) + SUPER_BLOCK_FLAGS];
  if (!(flags & SB_SETATTR)) return undefined; // one look for files in memory
  return kernel.tableOf(inode).inode.setattr ?? (flags & SB_MEMORY ? undefined : storeSupport().simpleSetattr);
}
