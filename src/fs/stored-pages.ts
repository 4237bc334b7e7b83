/**
 * `pages` of a type with a store: what the VFS has the page cache do for its files. In memory the core does it alone.
 *
 * @see Linux mm/truncate.c truncate_pagecache(), truncate_inode_pages_final(); fs/drop_caches.c drop_pagecache_sb()
 */
import type { InodeHandle } from "../base/handles.ts";
import { invalidateMappingPages } from "../mm/invalidate.ts";
import { LAST_PAGE, truncatePagecacheRange } from "../mm/truncate.ts";
import type { PageOperations } from "../vfs/fs-type.ts";
import type { Kernel } from "../vfs/kernel.ts";
import type { SuperBlock } from "../vfs/super-block.ts";
import { I_FREEING, INODE_NR_PAGES, INODE_SB_NEXT, INODE_STATE, SUPER_BLOCK_INODES } from "../wasm/layout.ts";

function truncate(kernel: Kernel, inode: InodeHandle, size: number): void {
  if (kernel.core.u32[(inode << 3) + INODE_NR_PAGES] === 0) return;
  truncatePagecacheRange(kernel, kernel.tableOf(inode).mapping, inode, size, Number.POSITIVE_INFINITY);
}

function drop({ kernel, handle }: SuperBlock): void {
  const { core } = kernel;
  let inode = (core.u32[(handle << 3) + SUPER_BLOCK_INODES] >>> 5) as InodeHandle;
  while (inode !== 0) {
    const at = inode << 3;
    const isWanted = core.u32[at + INODE_NR_PAGES] > 0 && !(core.u32[at + INODE_STATE] & I_FREEING);
    if (isWanted) {
      core.x.inodeGrab(inode); // held, whatever the file system does
      invalidateMappingPages(kernel, kernel.tableOf(inode).mapping, inode, 0, LAST_PAGE);
    }
    const next = (core.u32[at + INODE_SB_NEXT] >>> 5) as InodeHandle;
    if (isWanted) core.x.iput(inode);
    inode = next;
  }
}

/** For FileSystemType.pages. */
export const storedPages: PageOperations = Object.freeze({ truncate, drop });
