/**
 * Descriptors of a process: which open file each number stands for (Linux struct files_struct).
 *
 * Entries hold one count on the file each. Tasks may share a table (CLONE_FILES).
 *
 * Does not own: the open files (assembly/file.ts), what closing one does (task.ts).
 */
import { EMFILE } from "../base/errno.ts";
import type { FileHandle } from "../base/handles.ts";
import type { FileOperations } from "./fs-type.ts";

/** 0, 1 and 2 are left to standard input, output and error. */
const FIRST_FD = 3;
const NO_FILE = 0 as FileHandle;

/** A table of descriptors, of which the lowest free one is always given out first. */
export class FileTable {
  /** File of each descriptor, 0 = closed. Parallel to `operations`: no object per descriptor. */
  readonly files: FileHandle[] = [NO_FILE, NO_FILE, NO_FILE];
  /** Operations of each file: a cache, they never change while it is open. */
  readonly operations: (FileOperations | undefined)[] = [undefined, undefined, undefined];
  readonly maxFiles: number;
  /** Tasks that share the table. */
  users = 0;
  #lowest = FIRST_FD;

  constructor(maxFiles: number) {
    this.maxFiles = maxFiles;
  }

  /** @returns the lowest free descriptor, or -EMFILE */
  add(file: FileHandle, operations: FileOperations): number {
    const { files } = this;
    let fd = this.#lowest;
    while (fd < files.length && files[fd] !== NO_FILE) fd++;
    if (fd >= this.maxFiles) return -EMFILE;
    files[fd] = file;
    this.operations[fd] = operations;
    this.#lowest = fd + 1;
    return fd;
  }

  /** True if add() would answer -EMFILE. */
  isFull(): boolean {
    return this.files.length >= this.maxFiles && !this.files.includes(NO_FILE, FIRST_FD);
  }

  /** @returns the file that a descriptor stood for, 0 = it was closed */
  remove(fd: number): FileHandle {
    const file = this.files[fd];
    if (!file) return NO_FILE;
    this.files[fd] = NO_FILE;
    this.operations[fd] = undefined;
    if (fd < this.#lowest) this.#lowest = fd;
    return file;
  }

  /** Files of all open descriptors. */
  *openFiles(): Generator<FileHandle> {
    for (const file of this.files) if (file !== NO_FILE) yield file;
  }
}
