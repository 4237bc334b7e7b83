/**
 * Where blocks of files lie in their store.
 *
 * @see Linux fs/inode.c bmap(), fs/ioctl.c ioctl_fibmap()
 */
import { EINVAL } from "../base/errno.ts";
import type { FileHandle } from "../base/handles.ts";
import type { AddressSpaceOperations, PageCache } from "./address-space.ts";
import { inodeOfFile } from "./page.ts";

/** FileOperations.bmap by the file's own bmap. @returns a block of the store, 0 = nowhere; -EINVAL where nobody says, and for what is no block */
export function genericBmap(
  cache: PageCache,
  { bmap }: AddressSpaceOperations,
  file: FileHandle,
  block: number,
): number {
  return bmap === undefined || !Number.isSafeInteger(block) || block < 0
    ? -EINVAL
    : bmap(cache, inodeOfFile(cache.core, file), block);
}
