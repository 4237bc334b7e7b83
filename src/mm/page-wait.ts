/**
 * Waiting for a page that a store has in hand, and hearing of what went wrong with it: by the call that waits, which keeps its
 * Progress, or by a synchronous one, which asks again.
 */
import { EAGAIN } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import type { PageCache, PageReads } from "./address-space.ts";
import type { Progress } from "./progress.ts";

interface PageWait {
  readonly token: Promise<void>;
  readonly inode: InodeHandle;
  readonly index: number;
}

/** Which page a call waits for: callback and promise calls have a Progress each. */
const waits = new WeakMap<Progress, PageWait>();
/** What was wrong with the reads that tokens stood for: who has waited hears of it. */
const failures = new WeakMap<Promise<void>, number>();

/** What a token stood for has failed. @param errno negated */
export function noteFailure(token: Promise<void>, errno: number): void {
  failures.set(token, errno);
}

/**
 * Why a page is not as the call has been waiting for it to be: once.
 *
 * @returns a negated errno; 0 = it has waited in vain; undefined = it has not waited for this page
 */
export function failureOf({ progress, pageReads }: PageCache, inode: InodeHandle, index: number): number | undefined {
  if (progress === undefined) return takeFailure(pageReads, inode, index);
  const wait = waits.get(progress);
  if (wait === undefined || inode !== wait.inode || index !== wait.index) return undefined;
  waits.delete(progress);
  return failures.get(wait.token) ?? 0;
}

/** As failureOf(), for synchronous calls. */
export function takeFailure({ failures: kept }: PageReads, inode: InodeHandle, index: number): number | undefined {
  if (kept.size === 0) return undefined;
  const key = keyOf(inode, index);
  const failure = kept.get(key);
  kept.delete(key);
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
  if (cache.progress !== undefined) waits.set(cache.progress, { token, inode, index });
  cache.setWaitToken(token);
  return -EAGAIN;
}
