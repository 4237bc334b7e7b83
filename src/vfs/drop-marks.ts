/**
 * Marks of watchers in copies of a memory, where nobody watches: what they hold is let go, so that file systems with a store
 * can be left out. Part of what these bring with them, since inodes in memory are not held by their marks.
 */
import type { DentryHandle, InodeHandle, SuperBlockHandle } from "../base/handles.ts";
import { S_IFDIR, S_IFMT } from "../base/stat-flags.ts";
import type { Core } from "../wasm/core.ts";
import {
  I_FSNOTIFY,
  INODE_ALIASES,
  INODE_MODE,
  INODE_SB_NEXT,
  INODE_STATE,
  SB_COMPLETE,
  SUPER_BLOCK_FLAGS,
  SUPER_BLOCK_INODES,
} from "../wasm/layout.ts";

/** Lets go of what marks hold. */
export function dropMarks(core: Core): void {
  const { u32, x } = core;
  for (const inode of [...heldByMarks(core)]) {
    const at = inode << 3;
    u32[at + INODE_STATE] &= ~I_FSNOTIFY;
    if ((u32[at + INODE_MODE] & S_IFMT) === S_IFDIR) x.dput((u32[at + INODE_ALIASES] >>> 5) as DentryHandle);
    else x.iput(inode);
  }
}

function* heldByMarks({ u32, x }: Core): Generator<InodeHandle> {
  for (let sb = x.superFirst() as SuperBlockHandle; sb; sb = x.superNext(sb) as SuperBlockHandle) {
    if (u32[(sb << 3) + SUPER_BLOCK_FLAGS] & SB_COMPLETE) continue;
    let inode = u32[(sb << 3) + SUPER_BLOCK_INODES] >>> 5;
    for (; inode !== 0; inode = u32[(inode << 3) + INODE_SB_NEXT] >>> 5)
      if (u32[(inode << 3) + INODE_STATE] & I_FSNOTIFY) yield inode as InodeHandle;
  }
}
