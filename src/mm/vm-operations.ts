/**
 * What a file system does for pages of its files that are mapped.
 *
 * @see Linux struct vm_operations_struct
 */
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import type { PageCache } from "./address-space.ts";

/** A page that somebody comes to by a mapping. @see Linux struct vm_fault */
export interface VmFault {
  /** Open as long as the mapping is there. */
  readonly file: FileHandle;
  readonly inode: InodeHandle;
  /** Page in the file: one that has a byte of it, when it was looked at. */
  readonly index: number;
}

/** Operations answer at once, or -EAGAIN with a wait token: then they are called again. */
export interface VmOperations {
  /**
   * Finds a page, up to date, or has it read; it stays cached until the caller has had a look at it.
   *
   * @returns its frame; -EAGAIN with a token; -EFAULT behind the end of the file (Linux VM_FAULT_SIGBUS); -ENOMEM; -ENOSPC; what
   *   the store answers
   */
  fault(cache: PageCache, fault: VmFault): number;
  /**
   * A page that is up to date is about to be written to: the file system has now what it needs for that, above all space.
   * Called when a mapping comes to write to a page for the first time, and again after the page has been written back. Missing:
   * nothing is needed.
   *
   * @returns 0; as fault(). The engine marks the page dirty
   */
  pageMkwrite?(cache: PageCache, fault: VmFault): number;
  /** Are the neighbours of a page that is read, where they are cached, mapped with it (Linux map_pages)? */
  readonly mapPages: boolean;
}
