/**
 * Frames that are broken, or about to be: they are put out of use for good, and what was in them is had again, moved, or lost.
 *
 *   memoryFailure     the bytes are lost: a clean page is dropped and read anew, a dirty one is EIO for all who have the file open
 *   softOfflinePage   the bytes are still good: the page moves
 *
 * There is no hardware here that says so: programs do, which test what comes of it, or have found a checksum to be wrong.
 *
 * @see Linux mm/memory-failure.c
 */
import { EBUSY, EINVAL, EIO } from "../base/errno.ts";
import type { Core } from "../wasm/core.ts";
import {
  AS_NO_STORE,
  INODE_XA_FLAGS,
  KERNEL_BLOCK,
  KERNEL_END_PFN,
  KERNEL_NR_POISONED,
  PAGE_BYTES,
  PAGE_FLAGS,
  PG_BUFFER,
  PG_DIRTY,
  PG_HWPOISON,
  PG_LOCKED,
  PG_PRIVATE,
  PG_RESERVED,
  PG_SLAB,
  PG_TABLE,
  PG_WRITEBACK,
} from "../wasm/layout.ts";
import { MIGRATE_SYNC } from "./address-space.ts";
import { callOut } from "./call-out.ts";
import { takeFreeFrame } from "./frames.ts";
import { type MigrationHost, migratePage, pageAt } from "./migrate.ts";
import { fieldOf, isTruncated, type PageAt, pageFlags, pagePins } from "./page.ts";
import { waitForPage } from "./page-wait.ts";
import { cutPage } from "./truncate.ts";
import { mappingSetError } from "./wb-err.ts";

const KERNEL = KERNEL_BLOCK >>> 2;
const OF_THE_CORE = PG_RESERVED | PG_SLAB | PG_TABLE | PG_BUFFER;

/**
 * The bytes of a frame are lost. What is clean is read anew from its store when somebody wants it; of what is dirty every open
 * file of it hears once (EIO by fsync), and it is as the store has it.
 *
 * @returns 0, too, for one that is out of use already; -EINVAL: there is no such frame; -EBUSY: records, tables, data that is
 *   in memory alone (softOfflinePage), or a page that somebody has pinned; -EAGAIN with a token while a store has it in hand;
 *   what errorRemovePage answers
 * @see Linux memory_failure()
 */
export function memoryFailure(host: MigrationHost, pfn: number): number {
  return retire(host, pfn, (page) => lose(host, page));
}

/**
 * A frame is not to be used any more: the page in it moves. @returns as memoryFailure(); -ENOMEM; what migratePage answers
 *
 * @see Linux soft_offline_page()
 */
export function softOfflinePage(host: MigrationHost, pfn: number): number {
  return retire(host, pfn, (page) => migratePage(host, page, () => host.core.x.allocPages(0), MIGRATE_SYNC));
}

/** @param empty has the page leave the frame */
function retire(host: MigrationHost, pfn: number, empty: (page: PageAt) => number): number {
  const { core } = host;
  if (!Number.isInteger(pfn) || pfn < 0 || pfn >= core.u32[KERNEL + KERNEL_END_PFN]) return -EINVAL;
  const flags = pageFlags(core, pfn);
  if (flags & PG_HWPOISON) return 0;
  if (flags & OF_THE_CORE) return -EBUSY;
  if (takeFreeFrame(core, pfn)) return poison(core, pfn);
  if (isTruncated(core, pfn)) return -EBUSY; // out of the cache, and in somebody's hands
  const page = pageAt(core, pfn);
  if (flags & (PG_LOCKED | PG_WRITEBACK)) return waitForPage(host, page.inode, page.index, pfn) || -EBUSY;
  if (pagePins(core, pfn) > (flags & PG_PRIVATE ? 2 : 1)) return -EBUSY;
  const rc = empty(page);
  if (rc < 0) return rc;
  // Now it is free: no frame is given away between this and that.
  return takeFreeFrame(core, pfn) ? poison(core, pfn) : -EBUSY;
}

/** A page leaves the cache, with what it held. */
function lose(host: MigrationHost, page: PageAt): number {
  const { core } = host;
  const { inode, pfn } = page;
  if (core.u32[(inode << 3) + INODE_XA_FLAGS] & AS_NO_STORE) return -EBUSY;
  const operations = host.tableOf(inode).mapping;
  if (pageFlags(core, pfn) & PG_DIRTY) mappingSetError(core, inode, -EIO);
  if (operations.errorRemovePage === undefined) {
    host.nested(() => cutPage(host, operations, page));
    return 0;
  }
  core.x.tryLockPage(pfn);
  core.x.getPage(pfn);
  const rc = callOut(host, (cache) => operations.errorRemovePage?.(cache, page) ?? 0);
  const isOut = isTruncated(core, pfn);
  core.x.unlockPage(pfn);
  core.x.putPage(pfn);
  return rc < 0 || isOut ? rc : -EBUSY;
}

/** Puts a frame out of use that is the caller's. */
function poison({ u32 }: Core, pfn: number): number {
  const at = fieldOf(pfn, 0);
  u32.fill(0, at, at + PAGE_BYTES / 4);
  u32[at + PAGE_FLAGS] = PG_HWPOISON;
  u32[KERNEL + KERNEL_NR_POISONED]++;
  return 0;
}
