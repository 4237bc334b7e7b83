/** What goes with a kernel that is destroyed while stores do not have all of it. */
import { pageFlags } from "../mm/page.ts";
import { endSwap } from "../mm/swap-state.ts";
import {
  I_FREEING,
  INODE_SB_NEXT,
  INODE_STATE,
  KERNEL_BLOCK,
  KERNEL_NR_DIRTY,
  PG_DIRTY,
  PG_WRITEBACK,
  SB_MEMORY,
  SUPER_BLOCK_INODES,
} from "../wasm/layout.ts";
import { I_DIRTY_INODE } from "./dirty-inode.ts";
import type { Kernel } from "./kernel.ts";

/** Numbers of what is lost; all are 0 where nothing is. */
export interface Lost {
  /** Inodes whose attributes were not written. */
  readonly dirtyInodes: number;
  /** Pages that were not written, or were on their way. */
  readonly dirtyPages: number;
  /** Inodes, open files and super blocks whose store was not done with them. */
  readonly pendingEnds: number;
  /** Changes and writes, and reads round the page cache, that a store had not answered. */
  readonly pendingChanges: number;
}

/** Counts what destroy() loses, and lets go of swap areas, which nobody counts. */
export function lostBy(kernel: Kernel): Lost {
  const { u32 } = kernel.core;
  let dirtyInodes = 0;
  for (const sb of kernel.superBlocks()) {
    if (sb.flags & SB_MEMORY) continue;
    for (let at = u32[(sb.handle << 3) + SUPER_BLOCK_INODES] >>> 2; at !== 0; at = u32[at + INODE_SB_NEXT] >>> 2) {
      const isDirty = (u32[at + INODE_STATE] & I_DIRTY_INODE) !== 0;
      if (isDirty && !(u32[at + INODE_STATE] & I_FREEING)) dirtyInodes++;
    }
  }
  const dirtyPages = u32[(KERNEL_BLOCK >>> 2) + KERNEL_NR_DIRTY] + nrOnTheirWay(kernel);
  const pendingChanges = [...kernel.pendingChanges.values()].filter(({ isHold }) => !isHold).length;
  endSwap(kernel.core);
  return { dirtyInodes, dirtyPages, pendingEnds: kernel.ends.size, pendingChanges };
}

/** Pages under writeback that are not dirty again. */
function nrOnTheirWay({ core, pageReads }: Kernel): number {
  let nr = 0;
  for (const pfn of pageReads.tokens.keys())
    if ((pageFlags(core, pfn) & (PG_WRITEBACK | PG_DIRTY)) === PG_WRITEBACK) nr++;
  return nr;
}
