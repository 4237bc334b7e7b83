/**
 * Letting go of an open file that a call has held, and that may have been closed meanwhile. Part of what file systems with a
 * store bring with them: in memory no call holds a file longer than its descriptor does.
 *
 * @see Linux fs/file_table.c fput()
 */
import type { FileHandle } from "../base/handles.ts";
import { inodeOfFile } from "../mm/page.ts";
import type { Core } from "../wasm/core.ts";
import { FILE_COUNT } from "../wasm/layout.ts";
import type { Kernel } from "./kernel.ts";
import { releaseFile } from "./release.ts";
import { fileOperationsOf } from "./special-file.ts";

/**
 * Takes a reference to an open file, until dropFile() or letGo(): also for the length of a call that may ask a store, which may
 * close the descriptor, or end its task.
 *
 * @returns the memory that it is in
 * @see Linux fs/file.c fdget()
 */
export function holdFile({ core }: Kernel, file: FileHandle): Core {
  core.u32[(file << 3) + FILE_COUNT]++;
  return core;
}

/** Ends an operation, and with it the open file that it holds, if that has been closed meanwhile. @param file 0 = none */
export function endOperation(kernel: Kernel, operation: number, file: FileHandle): void {
  const { core } = kernel;
  const isLast = file !== 0 && core.u32[(file << 3) + FILE_COUNT] === 1;
  if (isLast) holdFile(kernel, file);
  core.x.operationEnd(operation);
  if (isLast) dropFile(kernel, file);
  else kernel.evictInodes();
}

/** As dropFile(), of a reference that is seldom the last. @param core where it was taken: with its memory it has gone */
export function letGo(kernel: Kernel, file: FileHandle, core: Core): void {
  const count = (file << 3) + FILE_COUNT;
  if (kernel.core === core && core.u32[count] > 1) core.u32[count]--;
  else if (kernel.core === core) dropFile(kernel, file);
}

/** Drops a reference; with the last one the file system hears of the file's end, as it does of a close. */
export function dropFile(kernel: Kernel, file: FileHandle): void {
  const { core } = kernel;
  kernel.fsnotify?.closing(file);
  if (core.u32[(file << 3) + FILE_COUNT] === 1) {
    const operations = fileOperationsOf(kernel, inodeOfFile(core, file));
    if (operations.release !== undefined && releaseFile(kernel, file, operations)) return;
  }
  core.x.filePut(file);
  kernel.evictInodes();
}
