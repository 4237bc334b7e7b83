/**
 * Waiting for a page that a store has in hand, and hearing of what went wrong with it: by the call that waits, which keeps its
 * Progress, or by a synchronous one, which asks again.
 */
import { EAGAIN } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import type { PageCache } from "./address-space.ts";

/**
 * Why a page is not as the call has been waiting for it to be: once.
 *
 * @returns a negated errno; 0 = it has waited in vain; undefined = it has not waited for this page
 */
export function failureOf({ progress, pageReads }: PageCache, inode: InodeHandle, index: number): number | undefined {
  if (progress !== undefined) return progress.failureOf(inode, index);
  const { failures } = pageReads;
  if (failures.size === 0) return undefined;
  const key = keyOf(inode, index);
  const failure = failures.get(key);
  failures.delete(key);
  return failure;
}

/** Keeps for synchronous calls, which have not waited, why a page is not there. @param rc 0 or a negated errno */
export function keepFailure({ pageReads }: PageCache, inode: InodeHandle, index: number, rc: number): void {
  pageReads.failures.set(keyOf(inode, index), rc);
}

function keyOf(inode: InodeHandle, index: number): string {
  return `${inode} ${index}`;
}

/** @returns 0 if no store has the frame of a page in hand; -EAGAIN with the token of the one that has */
export function waitForPage(cache: PageCache, inode: InodeHandle, index: number, pfn: number): number {
  const token = cache.pageReads.tokens.get(pfn);
  if (token === undefined) return 0;
  cache.progress?.waitFor(token, inode, index);
  cache.setWaitToken(token);
  return -EAGAIN;
}
