/**
 * Pages of host files that are cached: kept what has been written to the host, or dropped.
 *
 * Does not own: how they are filled (host-aops.ts), when a file has changed on the host (host-mount.ts).
 */
import type { InodeHandle } from "../../base/handles.ts";
import { pageFlags } from "../../mm/page.ts";
import { cachedPages, cutPage, LAST_PAGE } from "../../mm/truncate.ts";
import { Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { type Core, RESULT } from "../../wasm/core.ts";
import { INODE_NR_PAGES, PAGE_SIZE, PG_DIRTY, PG_WRITEBACK, RESULT_ADDRESS, RESULT_EXTRA } from "../../wasm/layout.ts";

const ADDRESS = RESULT + RESULT_ADDRESS;
const EXTRA = RESULT + RESULT_EXTRA;

/** Has the file pages that are cached, or are being read? */
export function hasPages({ u32 }: Core, inode: InodeHandle): boolean {
  return u32[(inode << 3) + INODE_NR_PAGES] !== 0;
}

/** Drops all pages of a file of which none is dirty. */
export function dropPages(kernel: Kernel, handle: InodeHandle): void {
  if (!hasPages(kernel.core, handle)) return;
  const inode = new Inode(kernel, handle);
  const { size } = inode;
  const [mtime, ctime] = [inode.getTime("mtime"), inode.getTime("ctime")];
  kernel.core.x.setSize(handle, 0, kernel.now());
  inode.size = size;
  inode.setTime("mtime", mtime.sec, mtime.nsec);
  inode.setTime("ctime", ctime.sec, ctime.nsec);
}

/** Drops those that are neither dirty nor being written; what is being read may be from before, and goes too. */
export function dropCleanPages(kernel: Kernel, inode: InodeHandle): void {
  const { mapping } = kernel.tableOf(inode);
  for (const page of cachedPages(kernel, inode, 0, LAST_PAGE)) {
    if (!(pageFlags(kernel.core, page.pfn) & (PG_DIRTY | PG_WRITEBACK))) cutPage(kernel, mapping, page);
  }
}

/** Drops the pages that have a byte of a range. */
export function dropRange(core: Core, inode: InodeHandle, position: number, length: number): void {
  if (!hasPages(core, inode)) return;
  const last = Math.floor((position + length - 1) / PAGE_SIZE);
  for (let index = Math.floor(position / PAGE_SIZE); index <= last; index++) dropPage(core, inode, index);
}

/** A page that is being read leaves the cache; its frame is the read's until that is over. */
function dropPage({ x }: Core, inode: InodeHandle, index: number): void {
  const pfn = x.removeFromPageCache(inode, index);
  if (pfn !== 0) x.putPage(pfn);
}

/**
 * Brings the pages that are cached up to what has been written to the host; one that is being read may have been read
 * before, and goes.
 */
export function updatePages(core: Core, inode: InodeHandle, position: number, bytes: Uint8Array): void {
  if (!hasPages(core, inode)) return;
  const end = position + bytes.length;
  for (let at = position; at < end; ) {
    const index = Math.floor(at / PAGE_SIZE);
    const inPage = at - index * PAGE_SIZE;
    const wanted = Math.ceil((inPage + end - at) / PAGE_SIZE);
    const nr = core.x.readyRun(inode, index, wanted, 1);
    const n = Math.min(end - at, Math.max(1, nr) * PAGE_SIZE - inPage);
    if (nr === 0) dropPage(core, inode, index);
    else copyInto(core, nr, inPage, bytes.subarray(at - position, at - position + n));
    at += n;
  }
}

/** Copies into the run that readyRun() has found, whose marker for the next window stays. */
function copyInto(core: Core, nr: number, inPage: number, bytes: Uint8Array): void {
  const address = core.f64[ADDRESS];
  const marker = core.f64[EXTRA];
  core.u8.set(bytes, address + inPage);
  if (marker < nr) core.x.setReadahead(address / PAGE_SIZE + marker);
}
