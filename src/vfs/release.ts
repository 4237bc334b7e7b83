/**
 * The end of an open file whose file system wants to know: locks go, then release(), then the record.
 *
 * @see Linux fs/file_table.c __fput()
 */
import type { FileHandle } from "../base/handles.ts";
import { FILE_INODE, FILE_MODE, FMODE_PATH, INODE_SB } from "../wasm/layout.ts";
import { callEnd, waitForIt } from "./evict.ts";
import type { FileOperations } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";

const UNLOCK = 2;

/**
 * Tells the file system that the last descriptor is closed. While its store takes time the record stays, and with it the
 * mount is in use; the call that is being made has a wait token.
 *
 * @returns true when its store takes time, and will see to the record
 */
export function releaseFile(kernel: Kernel, file: FileHandle, operations: FileOperations): boolean {
  const { core } = kernel;
  if (core.u32[(file << 3) + FILE_MODE] & FMODE_PATH) return false; // it has not seen it open either
  const inode = core.u32[(file << 3) + FILE_INODE] >>> 5;
  const end = callEnd(kernel, () => operations.release?.(kernel, inode as never, file));
  if (end === undefined) return false;
  core.x.flock(file, UNLOCK);
  const over = waitForIt(kernel, file, core.u32[(inode << 3) + INODE_SB] >>> 5, end, () => core.x.filePut(file));
  kernel.setWaitToken(over);
  return true;
}
