/**
 * Operations of files as the VFS calls them for file systems that read or write by themselves: what goes through them is
 * counted for the task, and who writes waits while the file system is frozen (writer.ts). Files in memory are called as they
 * are.
 *
 * Does not own: the counters (task-io.ts), freezing (freeze.ts); pages in memory, which the core holds up itself.
 */
import type { FileHandle } from "../base/handles.ts";
import { holdFile, letGo } from "./drop-file.ts";
import { type FileOperations, type FileSystemType, FS_STACKED, type InodeTable } from "./fs-type.ts";
import { endTry } from "./kept-file.ts";
import type { Kernel } from "./kernel.ts";
import { countRead, countWrite } from "./task-io.ts";
import { whileWriting } from "./writer.ts";

/** Of calls that have nothing to do with it: any that is not the file's own. */
const NO_POSITION = 0;

type Operation = (kernel: Kernel, file: FileHandle, ...rest: never[]) => number;

/**
 * The tables of a type, by which its inodes are found. Of what is stacked on others those count.
 *
 * @param inMemory the `read` of files in memory: an entry has its own
 */
export function accountedTables({ tables, fsFlags }: FileSystemType, inMemory: FileOperations["read"]): InodeTable[] {
  const wrapped = fsFlags & FS_STACKED ? waiting : accounted;
  return tables.map((table) => (table.file.read === inMemory ? table : { ...table, file: wrapped(table.file) }));
}

/** A table with some operations in the place of its own, which may be frozen. */
function withOperations(file: FileOperations, operations: Partial<FileOperations>): FileOperations {
  return Object.create(file, Object.getOwnPropertyDescriptors(operations));
}

function waiting(file: FileOperations): FileOperations {
  const { fsync } = file;
  return fsync === undefined ? file : withOperations(file, { fsync: kept(file, fsync) });
}

function accounted(file: FileOperations): FileOperations {
  const { read, readv, preadv2, write, writev, fallocate } = file;
  return withOperations(waiting(file), {
    ...(read && { read: counted(file, read) }),
    ...(readv && { readv: counted(file, readv) }),
    ...(preadv2 && { preadv2: counted(file, preadv2) }),
    ...(write && { write: heldAndCounted(file, write) }),
    ...(writev && { writev: heldAndCounted(file, writev) }),
    ...(fallocate && { fallocate: held(file, fallocate) }),
  });
}

function counted(table: FileOperations, operation: Operation): Operation {
  return (kernel, ...args) => countRead(kernel, operation.call(table, kernel, ...args));
}

/** The open file stays while the call is made, and waits, though its descriptor is closed. Reads and writes see to that themselves. */
function kept(table: FileOperations, operation: Operation): Operation {
  return (kernel, file, ...rest) => {
    const core = holdFile(kernel, file);
    try {
      return endTry(kernel, file, NO_POSITION, operation.call(table, kernel, file, ...rest));
    } finally {
      letGo(kernel, file, core);
    }
  };
}

function held(table: FileOperations, operation: Operation): Operation {
  return (kernel, file, ...rest) => whileWriting(kernel, file, () => operation.call(table, kernel, file, ...rest));
}

function heldAndCounted(table: FileOperations, operation: Operation): Operation {
  const write = held(table, operation);
  return (kernel, ...args) => countWrite(kernel, write(kernel, ...args));
}
