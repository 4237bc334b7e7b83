/**
 * i_rwsem of a file whose data changes, held by an operation in memory (assembly/fs/operation.ts), which also holds the open
 * file while its store takes its time. Who meets the lock waits for the token, or gets EAGAIN.
 *
 * @see Linux inode_lock()
 */
import { EAGAIN } from "../base/errno.ts";
import type { FileHandle, InodeHandle, MountHandle } from "../base/handles.ts";
import { mountOfFile } from "../vfs/attr.ts";
import { endOperation } from "../vfs/drop-file.ts";
import type { Kernel } from "../vfs/kernel.ts";
import type { Core } from "../wasm/core.ts";
import { FILE_INODE, INODE_RWSEM, OPERATION_NUMBER } from "../wasm/layout.ts";

/** The lock of one file, taken. */
export class FileLock {
  readonly #kernel: Kernel;
  readonly #core: Core;
  readonly #operation: number;
  readonly #file: FileHandle;
  readonly #mnt: MountHandle;
  #over: (() => void) | undefined;

  /** Made by lockFile(). */
  constructor(kernel: Kernel, operation: number, file: FileHandle, mnt: MountHandle) {
    this.#kernel = kernel;
    this.#core = kernel.core;
    this.#operation = operation;
    this.#file = file;
    this.#mnt = mnt;
  }

  get #number(): number {
    return this.#core.u32[(this.#operation << 3) + OPERATION_NUMBER];
  }

  /** The call has to wait, and keeps the lock. */
  suspend(): void {
    if (this.#over !== undefined) return;
    const token = new Promise<void>((resolve) => {
      this.#over = resolve;
    });
    this.#kernel.pendingChanges.set(this.#number, { token, isMove: false, mnt: this.#mnt });
  }

  unlock(): void {
    if (this.#core === this.#kernel.core) {
      this.#kernel.pendingChanges.delete(this.#number);
      endOperation(this.#kernel, this.#operation, this.#file);
    }
    this.#over?.();
  }
}

/** @returns the lock; -EAGAIN, with a token unless the call itself is part of what has it; -ENOMEM */
export function lockFile(kernel: Kernel, file: FileHandle): FileLock | number {
  const { core } = kernel;
  const inode = (core.u32[(file << 3) + FILE_INODE] >>> 5) as InodeHandle;
  const owner = core.u32[(inode << 3) + INODE_RWSEM];
  if (owner !== 0) {
    const token = kernel.pendingChanges.get(owner)?.token;
    if (token !== undefined) kernel.setWaitToken(token);
    return -EAGAIN;
  }
  const mnt = mountOfFile(core, file);
  const operation = core.x.operationBegin(mnt, 0 as never, 0 as never, 0 as never, 0 as never, inode, file);
  return operation < 0 ? operation : new FileLock(kernel, operation, file, mnt);
}
