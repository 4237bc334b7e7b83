/**
 * Address-space operations of host files: pages are read from the host straight into their frames.
 *
 * Does not own: which pages, and who waits for them (mm/stored-read.ts); when they are dropped (host-pages.ts).
 */
import type { AddressSpaceOperations, PageCache, ReadaheadControl } from "../../mm/address-space.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { viewsSurviveGrowth } from "./host-memory.ts";
import { hostWasRead, mountOf, stateOf } from "./host-mount.ts";
import { runLater, runNow } from "./host-steps.ts";

/** Pages read ahead at most: 512 KiB. */
const RA_PAGES = 128;

function readPages(cache: PageCache, control: ReadaheadControl): number | Promise<number> {
  const kernel = cache.owner as Kernel;
  const { store } = mountOf(kernel, control.inode);
  const { node } = hostWasRead(stateOf(kernel, control.inode));
  const { position, length } = control;
  if (!cache.mayWait) return runNow(store.preadv(node, () => control.views(), position));
  // The host reads into the memory while JavaScript runs: its frames are locked, and `control` holds the memory.
  if (viewsSurviveGrowth()) return runLater(store.preadv(node, () => control.views(), position));
  const bounce = new Uint8Array(length);
  return runLater(store.preadv(node, () => [bounce], position)).then((bytes) => {
    if (cache.core === (control as unknown as PageCache).core) scatter(bounce, control.views());
    return bytes;
  });
}

function scatter(from: Uint8Array, to: readonly Uint8Array[]): void {
  let at = 0;
  for (const view of to) {
    view.set(from.subarray(at, at + view.length));
    at += view.length;
  }
}

export const hostPages: AddressSpaceOperations = { readahead: readPages, readPage: readPages, raPages: RA_PAGES };
