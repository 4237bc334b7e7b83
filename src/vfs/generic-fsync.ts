/**
 * fsync of files whose pages and attributes the kernel keeps: pages, then the inode, then what has failed.
 *
 * @see Linux fs/libfs.c __generic_file_fsync()
 */
import { EAGAIN } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { fileCheckAndAdvanceSbErr } from "../mm/wb-err.ts";
import { endRangeSync, fileWriteAndWaitRange } from "../mm/writeback.ts";
import { FILE_INODE, I_DIRTY_DATASYNC, INODE_STATE, SB_RDONLY } from "../wasm/layout.ts";
import { I_DIRTY_INODE, syncBehindPages, writeInodeNow } from "./dirty-inode.ts";
import type { Kernel } from "./kernel.ts";
import type { SuperBlock } from "./super-block.ts";

/**
 * @param dataOnly what fdatasync does not need is not written
 * @param start first byte of the data that must be written @param end last one
 * @returns 0; -EAGAIN with a token; what has failed since the file was told last; what writeInode answers
 */
export function genericFsync(kernel: Kernel, file: FileHandle, dataOnly: boolean, start = 0, end = Infinity): number {
  const pages = fileWriteAndWaitRange(kernel, file, start, end);
  if (pages === -EAGAIN) return pages;
  const { u32 } = kernel.core;
  const inode = (u32[(file << 3) + FILE_INODE] >>> 5) as InodeHandle;
  const needed = dataOnly ? I_DIRTY_DATASYNC : I_DIRTY_INODE;
  const attributes = u32[(inode << 3) + INODE_STATE] & needed ? writeInodeNow(kernel, inode, true) : 0;
  if (attributes === -EAGAIN && pages === 0) return attributes;
  endRangeSync(kernel);
  kernel.bdiOf(inode)?.inodeWritten(inode);
  return pages || attributes;
}

/**
 * syncfs(2): writes all of the file system that an open file is in.
 *
 * @returns 0; -EAGAIN with a token; what the file system answers, else what has failed in it since the file was told last
 * @see Linux fs/sync.c syncfs()
 */
export function syncfs(kernel: Kernel, file: FileHandle): number {
  const inode = (kernel.core.u32[(file << 3) + FILE_INODE] >>> 5) as InodeHandle;
  const sb = kernel.sbOf(inode);
  const rc = sb.flags & SB_RDONLY ? 0 : syncAll(sb);
  if (rc === -EAGAIN) return rc;
  const failed = fileCheckAndAdvanceSbErr(kernel.core, file);
  return rc || failed;
}

/** What of pages could not be written is told by the file alone, once: not by each of two calls that have waited for it. */
function syncAll(sb: SuperBlock): number {
  return sb.bdi?.sync(true) === -EAGAIN ? -EAGAIN : syncBehindPages(sb, true);
}
