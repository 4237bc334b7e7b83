/**
 * What a writer has to do for its dirty pages: nothing, call the flusher, or write some itself.
 *
 * @see Linux mm/page-writeback.c balance_dirty_pages()
 */
import { EAGAIN } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import type { PageCache } from "./address-space.ts";
import { nrReclaimable, writebackInodes } from "./flusher.ts";

/** Pages that a writer who is over the limit writes at most, for what it has dirtied. */
const BATCH_PAGES = 1536;

/**
 * Called when a write has dirtied pages. Above the background limit the flusher is called; above the limit the writer writes
 * itself. A call that may wait then waits for a store that takes time; one that may not goes on.
 *
 * @returns 0; -EAGAIN with a token, when what was written is to be waited for: the write itself is done
 */
export function balanceDirtyPages(cache: PageCache, inode: InodeHandle): number {
  const bdi = cache.bdiOf(inode);
  if (bdi === undefined || bdi.noAccounting || bdi.noWriteback) return 0;
  const { core } = cache;
  const { background, limit } = bdi.limits.thresholds(core);
  if (nrReclaimable(bdi) <= background) return 0;
  const isEnough = () => nrReclaimable(bdi) <= limit;
  if (!isEnough()) {
    writebackInodes(bdi, { olderThanCs: undefined, nrPages: BATCH_PAGES, forBackground: true, isEnough });
  }
  if (isEnough()) {
    bdi.flusher?.wake();
    return 0;
  }
  const writes = cache.mayWait ? bdi.writesOf() : undefined;
  if (writes === undefined) return 0;
  cache.setWaitToken(writes);
  return -EAGAIN;
}
