/** A new page of a file with a store, locked, to be filled by it (assembly/mm/readahead.ts). */
import { ENOMEM } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import { type PageCache, TRY_AGAIN } from "./address-space.ts";

/** Makes a page that is not cached, and room for it if it must be. @returns 1; -EAGAIN, perhaps with a token; -ENOMEM */
export function startRead(cache: PageCache, inode: InodeHandle, index: number): number {
  if (cache.core.x.startRead(inode, index, 1) === 1) return 1;
  const rc = cache.room(-ENOMEM);
  return rc === TRY_AGAIN ? startRead(cache, inode, index) : rc;
}
