/**
 * Operations of files as the VFS calls them for file systems that read or write by themselves: what goes through them is
 * counted for the task, and who writes waits while the file system is frozen. Files in memory are called as they are.
 *
 * Does not own: the counters (task-io.ts), freezing (freeze.ts); pages in memory, which the core holds up itself.
 */
import type { FileHandle } from "../base/handles.ts";
import { inodeOfFile } from "./attr.ts";
import type { FileOperations, InodeTable } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import { countRead, countWrite } from "./task-io.ts";
import { wantWriteInode } from "./want-write.ts";

type Operation = (kernel: Kernel, file: FileHandle, ...rest: never[]) => number;

/** The tables of a type, by which its inodes are found. @param inMemory the `read` of files in memory: an entry has its own */
export function accountedTables(tables: readonly InodeTable[], inMemory: FileOperations["read"]): InodeTable[] {
  return tables.map((table) => (table.file.read === inMemory ? table : { ...table, file: accounted(table.file) }));
}

function accounted(file: FileOperations): FileOperations {
  const { read, readv, preadv2, write, writev } = file;
  return Object.assign(Object.create(file), {
    ...(read && { read: counted(file, read) }),
    ...(readv && { readv: counted(file, readv) }),
    ...(preadv2 && { preadv2: counted(file, preadv2) }),
    ...(write && { write: heldAndCounted(file, write) }),
    ...(writev && { writev: heldAndCounted(file, writev) }),
  });
}

function counted(table: FileOperations, operation: Operation): Operation {
  return (kernel, ...args) => countRead(kernel, operation.call(table, kernel, ...args));
}

/** What goes on after a wait has begun before: who freezes waits for it. */
function heldAndCounted(table: FileOperations, operation: Operation): Operation {
  return (kernel, ...args) =>
    (kernel.progress?.kiocb === undefined ? wantWriteInode(kernel, inodeOfFile(kernel.core, args[0])) : 0) ||
    countWrite(kernel, operation.call(table, kernel, ...args));
}
