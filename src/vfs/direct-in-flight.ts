/**
 * Reads and writes round the page cache that stores have in hand. Writes have the file's lock, reads have not: who cuts a file,
 * or gives it other blocks, waits for both. Part of what file systems with a store bring with them.
 *
 * @see Linux fs/inode.c inode_dio_begin(), inode_dio_wait()
 */
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { dropFile, holdFile } from "./drop-file.ts";
import type { Kernel } from "./kernel.ts";
import { waitForInode } from "./operation.ts";
import { waitFor } from "./waiting.ts";

/** A read or write as its store is asked for it. */
interface DirectRequest {
  readonly file: FileHandle;
  readonly inode: InodeHandle;
}

/** A store takes its time, until `over` settles. The open file is held. @returns what ends that */
export function holdForDirectIo(kernel: Kernel, request: DirectRequest, over: Promise<void>): () => void {
  const { core, pendingChanges } = kernel;
  holdFile(kernel, request.file);
  pendingChanges.set(request, { token: over, isMove: false, directInode: request.inode });
  return () => {
    if (kernel.core !== core) return;
    pendingChanges.delete(request);
    dropFile(kernel, request.file);
  };
}

/** Before a file is cut. @returns 0; -EAGAIN, with the token of a read or write round the cache */
export function inodeDioWait(kernel: Kernel, inode: InodeHandle): number {
  for (const pending of kernel.pendingChanges.values())
    if (pending.directInode === inode) return waitFor(kernel, pending);
  return 0;
}

/** As a call that changes which bytes a file has: after those that have its lock, and what is read or written round the cache. */
export function waitForData(kernel: Kernel, inode: InodeHandle): number {
  return waitForInode(kernel, inode) || inodeDioWait(kernel, inode);
}
