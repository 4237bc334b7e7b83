/**
 * Errors of writeback: each open file hears of each once, and so does whoever has no file.
 *
 *   address space   wbErr, an errseq; AS_EIO and AS_ENOSPC for those without a file, who take them away
 *   super block     wbErr, for syncfs
 *   open file       wbErr and sbErr: what had been seen when it was opened, or was last told
 *
 * Does not own: the counting (assembly/mm/errseq.ts), the samples of files that are opened (assembly/fs/file.ts).
 *
 * @see Linux include/linux/pagemap.h mapping_set_error(), mm/filemap.c, Documentation/filesystems/vfs.rst
 */
import { EIO, ENOSPC } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  ADDRESS_SPACE_FLAGS,
  ADDRESS_SPACE_WB_ERR,
  AS_EIO,
  AS_ENOSPC,
  FILE_SB_ERR,
  FILE_WB_ERR,
  INODE_SB,
  SUPER_BLOCK_WB_ERR,
} from "../wasm/layout.ts";
import { inodeOfFile } from "./page.ts";
import { mappingOf } from "./page-state.ts";

/** A page could not be written. @param errno 0 or negated: nothing happens for 0 */
export function mappingSetError(core: Core, inode: InodeHandle, errno: number): void {
  if (errno >= 0) return;
  const { u32 } = core;
  const mapping = mappingOf(core, inode);
  record(core, mapping + ADDRESS_SPACE_WB_ERR, errno);
  record(core, superOf(core, inode) + SUPER_BLOCK_WB_ERR, errno);
  u32[mapping + ADDRESS_SPACE_FLAGS] |= errno === -ENOSPC ? AS_ENOSPC : AS_EIO;
}

function record({ u32, x }: Core, at: number, errno: number): void {
  u32[at] = x.errseqSet(u32[at], -errno);
}

function superOf({ u32 }: Core, inode: InodeHandle): number {
  return u32[(inode << 3) + INODE_SB] >>> 2;
}

/** What has failed since somebody without a file asked last. @returns 0, -ENOSPC or -EIO @see Linux filemap_check_errors() */
export function filemapCheckErrors(core: Core, inode: InodeHandle): number {
  const at = mappingOf(core, inode) + ADDRESS_SPACE_FLAGS;
  const flags = core.u32[at];
  core.u32[at] = flags & ~(AS_EIO | AS_ENOSPC);
  if (flags & AS_EIO) return -EIO;
  return flags & AS_ENOSPC ? -ENOSPC : 0;
}

/**
 * What has failed since an open file was told last: from now on it has been.
 *
 * @returns 0 or a negated errno
 * @see Linux file_check_and_advance_wb_err()
 */
export function fileCheckAndAdvanceWbErr(core: Core, file: FileHandle): number {
  const inode = inodeOfFile(core, file);
  const rc = checkAndAdvance(core, mappingOf(core, inode) + ADDRESS_SPACE_WB_ERR, (file << 3) + FILE_WB_ERR);
  core.u32[mappingOf(core, inode) + ADDRESS_SPACE_FLAGS] &= ~(AS_EIO | AS_ENOSPC);
  return rc;
}

/** The same of the file's whole super block, for syncfs. @returns 0 or a negated errno */
export function fileCheckAndAdvanceSbErr(core: Core, file: FileHandle): number {
  const sb = superOf(core, inodeOfFile(core, file));
  return checkAndAdvance(core, sb + SUPER_BLOCK_WB_ERR, (file << 3) + FILE_SB_ERR);
}

/** @see Linux errseq_check_and_advance() */
function checkAndAdvance({ u32, x }: Core, value: number, since: number): number {
  if (u32[value] === u32[since]) return 0;
  u32[value] = x.errseqMarkSeen(u32[value]);
  const rc = x.errseqCheck(u32[value], u32[since]);
  u32[since] = u32[value];
  return rc;
}
