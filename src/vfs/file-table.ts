/**
 * Descriptors of a process: which open file each number stands for (Linux struct files_struct).
 *
 * Entries hold one count on the file each. Tasks may share a table (CLONE_FILES).
 *
 * Does not own: the open files (assembly/fs/file.ts), what closing one does (task.ts).
 */
import { EBADF, EMFILE, ESTALE } from "../base/errno.ts";
import type { FileHandle } from "../base/handles.ts";
import type { FileOperations } from "./fs-type.ts";

/** First descriptor of a table that leaves standard input, output and error out. */
export const FIRST_FD = 3;
const NO_FILE = 0 as FileHandle;
/** In place of the operations of a file that is gone: its descriptor is taken until it is closed. */
const STALE: FileOperations = {};

/** A table of descriptors, of which the lowest free one is always given out first. */
export class FileTable {
  /** File of each descriptor, 0 = none. Parallel to `operations`: no object per descriptor. */
  readonly files: FileHandle[] = [];
  /** Operations of each file: a cache, they never change while it is open. None: the descriptor is free. */
  readonly operations: (FileOperations | undefined)[] = [];
  readonly maxFiles: number;
  /** Lowest descriptor that is given out. */
  readonly firstFd: number;
  /** Tasks that share the table. */
  users = 0;
  #lowest: number;

  /** @param firstFd 0 for a table that holds standard input, output and error too */
  constructor(maxFiles: number, firstFd = FIRST_FD) {
    this.maxFiles = maxFiles;
    this.firstFd = firstFd;
    this.#lowest = firstFd;
    for (let fd = 0; fd < firstFd; fd++) {
      this.files.push(NO_FILE);
      this.operations.push(undefined);
    }
  }

  /** @returns the lowest free descriptor, or -EMFILE */
  add(file: FileHandle, operations: FileOperations): number {
    const taken = this.operations;
    let fd = this.#lowest;
    while (fd < taken.length && taken[fd] !== undefined) fd++;
    if (fd >= this.maxFiles) return -EMFILE;
    this.files[fd] = file;
    taken[fd] = operations;
    this.#lowest = fd + 1;
    return fd;
  }

  /** True if add() would answer -EMFILE. */
  isFull(): boolean {
    return this.operations.length >= this.maxFiles && !this.operations.includes(undefined, this.firstFd);
  }

  /** Frees a descriptor. @returns the file that it stood for, 0 = none */
  remove(fd: number): FileHandle {
    if (this.operations[fd] === undefined) return NO_FILE;
    const file = this.files[fd];
    this.files[fd] = NO_FILE;
    this.operations[fd] = undefined;
    if (fd < this.#lowest) this.#lowest = fd;
    return file;
  }

  /** All descriptors that are not free. */
  taken(): number[] {
    return [...this.operations.keys()].filter((fd) => this.operations[fd] !== undefined);
  }

  /** Takes a descriptor for a file that is gone: until it is closed, calls on it answer -ESTALE. */
  setStale(fd: number): void {
    this.operations[fd] = STALE;
  }

  /** Puts a file at a descriptor that is stale, or the next of an empty table. */
  put(fd: number, file: FileHandle, operations: FileOperations): void {
    this.files[fd] = file;
    this.operations[fd] = operations;
  }

  /** Why a descriptor has no file that could be used: -ESTALE where it went with a restore, else -EBADF. */
  missing(fd: number): number {
    return this.operations[fd] === STALE ? -ESTALE : -EBADF;
  }
}
