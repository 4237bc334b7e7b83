/**
 * What files of a file system with a backing device do where nothing about them is special: all of it by the operations of
 * their pages.
 *
 * @see Linux generic_file_read_iter(), generic_file_write_iter(), generic_file_fsync() in fs/ramfs, fs/minix, fs/fat
 */
import type { AddressSpaceOperations } from "../mm/address-space.ts";
import type { FileOperations } from "../vfs/fs-type.ts";
import { genericFsync } from "../vfs/generic-fsync.ts";
import { storedFileOperations } from "./stored-files.ts";
import { storedWrite, storedWritev } from "./stored-write.ts";

type GenericFileOperations = ReturnType<typeof storedFileOperations> &
  Required<Pick<FileOperations, "write" | "writev" | "fsync">>;

/** Reading, writing and fsync: a table of file operations, or to be spread into one. @param mapping the table's own */
export function genericFileOperations(mapping: AddressSpaceOperations): GenericFileOperations {
  return {
    ...storedFileOperations(mapping),
    write: (kernel, file, ...args) => storedWrite(kernel, mapping, file, ...args),
    writev: (kernel, file, ...args) => storedWritev(kernel, mapping, file, ...args),
    fsync: genericFsync,
  };
}
