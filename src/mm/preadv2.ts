/**
 * Reads into several buffers, by flags.
 *
 * @see Linux fs/read_write.c do_preadv(); preadv2(2)
 */
import { EAGAIN, EOPNOTSUPP } from "../base/errno.ts";
import type { FileHandle } from "../base/handles.ts";
import type { AddressSpaceOperations, PageCache } from "./address-space.ts";
import { isDirect } from "./direct-io.ts";
import { storedReadNowait } from "./stored-read.ts";

export const RWF_HIPRI = 1;
export const RWF_DSYNC = 2;
export const RWF_SYNC = 4;
/** What is not there is EAGAIN, and nothing is begun. */
export const RWF_NOWAIT = 8;
export const RWF_APPEND = 16;
export const RWF_NOAPPEND = 32;

const KNOWN = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND;

/**
 * FileOperations.preadv2 for files with a store. Precondition: RWF_NOWAIT, or a flag that is not known.
 *
 * @returns bytes read, short where the next page is not there; -EAGAIN where the first is not, and with O_DIRECT; -EOPNOTSUPP for other flags; else
 *   as storedReadv()
 */
export function storedPreadv2(
  cache: PageCache,
  operations: AddressSpaceOperations,
  file: FileHandle,
  buffers: readonly ArrayBufferView[],
  position: number,
  flags: number,
): number {
  if (flags & ~KNOWN) return -EOPNOTSUPP;
  if (isDirect(cache.core, operations, file)) return -EAGAIN; // that is to wait
  return storedReadNowait(cache, operations, file, buffers, position);
}
