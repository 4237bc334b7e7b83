/**
 * Mappings of files with a store: FileOperations.mmap, by the operations of their pages.
 *
 * @see Linux mm/filemap.c generic_file_mmap(), generic_file_readonly_mmap()
 */
import { EINVAL, ENOEXEC } from "../base/errno.ts";
import type { FileHandle } from "../base/handles.ts";
import type { AddressSpaceOperations } from "../mm/address-space.ts";
import { filemapFault } from "../mm/filemap-fault.ts";
import type { VmOperations } from "../mm/vm-operations.ts";
import type { Kernel } from "../vfs/kernel.ts";
import { storedMkwrite } from "./stored-write.ts";

/**
 * For a table of file operations.
 *
 * @param mapping the table's own @param mkwrite pageMkwrite, where it is not storedMkwrite()
 * @returns an operation that answers -ENOEXEC where pages cannot be read, and -EINVAL for a shared mapping to be written to where they
 *   cannot be written
 */
export function storedMmap(
  mapping: AddressSpaceOperations,
  mkwrite = storedMkwrite,
): (kernel: Kernel, file: FileHandle, isWritten: boolean) => VmOperations | number {
  const operations: VmOperations = {
    fault: (cache, fault) => filemapFault(cache, mapping, fault),
    pageMkwrite: (cache, { file, index }) => mkwrite(cache.owner as Kernel, mapping, file, index),
    mapPages: true,
  };
  const canWrite = mapping.writePage !== undefined || mapping.writePages !== undefined;
  return (_kernel, _file, isWritten) => {
    if (mapping.readPage === undefined) return -ENOEXEC;
    return isWritten && !canWrite ? -EINVAL : operations;
  };
}
