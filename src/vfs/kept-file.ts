/**
 * The open file of a read, write or sync that waits for a store. A call looks its descriptor up once; whatever becomes of that
 * while it waits, it is about the same file, and its end comes after.
 *
 *   first try    the descriptor's file; it has to wait: a reference, and at the file's position f_pos_lock
 *   next try     the descriptor stands for that file again as long as the try takes, if it does not any more
 *   the end      lock and reference go; with the last one the file system hears of the end (release)
 *
 * The lock of a position is a bit of the open file in memory; whose it is, is known here. It is only taken by calls that wait:
 * those that do not are alone with the file while they are made.
 *
 * Part of what file systems with a store bring with them: nothing in memory waits.
 *
 * @see Linux fs/file.c fdget_pos(), struct file f_pos_lock
 */
import { EAGAIN } from "../base/errno.ts";
import type { FileHandle } from "../base/handles.ts";
import type { Kept, Progress } from "../mm/progress.ts";
import { type Core, SLOT } from "../wasm/core.ts";
import { FILE_MODE, FMODE_POS_LOCKED, SLOT_CURRENT } from "../wasm/layout.ts";
import { dropFile, holdFile } from "./drop-file.ts";
import type { FileTable } from "./file-table.ts";
import type { FileOperations } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";

/** Who has the position of an open file, in each memory. */
const holders = new WeakMap<Core, Map<FileHandle, KeptFile>>();

function holdersIn(core: Core): Map<FileHandle, KeptFile> {
  const known = holders.get(core) ?? new Map<FileHandle, KeptFile>();
  holders.set(core, known);
  return known;
}

/** An open file with a reference of the call that waits. */
class KeptFile implements Kept {
  readonly #kernel: Kernel;
  readonly #core: Core;
  readonly #progress: Progress;
  /** Where the call found it; none for calls by no descriptor. */
  readonly #files: FileTable | undefined;
  readonly #fd: number;
  readonly #operations: FileOperations | undefined;
  readonly #file: FileHandle;
  /** While it has the position: what others wait for, and what ends that. */
  token: Promise<void> | undefined;
  #over: (() => void) | undefined;

  constructor(kernel: Kernel, progress: Progress, file: FileHandle) {
    this.#kernel = kernel;
    this.#progress = progress;
    this.#core = kernel.core;
    this.#file = file;
    this.#files = tableServed(kernel);
    this.#fd = this.#files?.files.indexOf(file) ?? -1;
    this.#operations = this.#files?.operations[this.#fd];
    holdFile(kernel, file);
  }

  isOf(core: Core, file: FileHandle): boolean {
    return core === this.#core && file === this.#file;
  }

  lockPosition(): void {
    if (this.token !== undefined) return;
    this.token = new Promise<void>((resolve) => {
      this.#over = resolve;
    });
    holdersIn(this.#core).set(this.#file, this);
    this.#core.u32[(this.#file << 3) + FILE_MODE] |= FMODE_POS_LOCKED;
  }

  lend(): (() => void) | undefined {
    const files = this.#files;
    const operations = this.#operations;
    const fd = this.#fd;
    if (files === undefined || operations === undefined || this.#kernel.core !== this.#core) return undefined;
    if (files.files[fd] === this.#file) return undefined;
    const other = files.files[fd];
    const otherOperations = files.operations[fd];
    holdFile(this.#kernel, this.#file); // of the descriptor's own: the call may close it
    files.put(fd, this.#file, operations);
    return () => {
      if (this.#kernel.core !== this.#core) return;
      if (files.files[fd] === this.#file) {
        files.remove(fd);
        dropFile(this.#kernel, this.#file);
      }
      if (otherOperations !== undefined) files.put(fd, other, otherOperations);
    };
  }

  end(): void {
    this.#progress.kiocb?.abandon();
    this.drop();
  }

  drop(): void {
    if (this.#kernel.core === this.#core) {
      if (this.token !== undefined) this.#unlockPosition();
      dropFile(this.#kernel, this.#file);
    }
    this.#over?.();
  }

  #unlockPosition(): void {
    this.#core.u32[(this.#file << 3) + FILE_MODE] &= ~FMODE_POS_LOCKED;
    holdersIn(this.#core).delete(this.#file);
  }
}

/** Descriptors of the task whose call the core serves. */
function tableServed(kernel: Kernel): FileTable | undefined {
  const handle = kernel.core.u32[SLOT + SLOT_CURRENT] >>> 5;
  for (const task of kernel.tasks()) if (task.handle === handle) return task.files;
  return undefined;
}

/**
 * Begins a try of a read or write.
 *
 * @param position bytes from the start; -1 = at the file's own, which is one call's at a time
 * @returns 0; -EAGAIN with a token: it is another call's
 */
export function beginTry(kernel: Kernel, file: FileHandle, position: number): number {
  const { core } = kernel;
  if (position >= 0 || !(core.u32[(file << 3) + FILE_MODE] & FMODE_POS_LOCKED)) return 0;
  const holder = holdersIn(core).get(file);
  if (holder === undefined || holder === kernel.progress?.kept) return 0;
  kernel.setWaitToken(holder.token as Promise<void>);
  keepFile(kernel, file);
  return -EAGAIN;
}

/** Ends a try: a call that waits keeps its file, and its position; one that is over lets go. @returns `rc` */
export function endTry(kernel: Kernel, file: FileHandle, position: number, rc: number): number {
  const { progress } = kernel;
  if (progress === undefined) return rc;
  if (rc === -EAGAIN) {
    const kept = keepFile(kernel, file);
    if (position < 0) kept?.lockPosition();
    return rc;
  }
  const kept = progress.kept as KeptFile | undefined;
  if (kept?.isOf(kernel.core, file) && progress.kiocb === undefined) {
    kept.drop(); // unless a write of the same call waits
    progress.kept = undefined;
  }
  return rc;
}

/** The call keeps its file, if it can wait. */
function keepFile(kernel: Kernel, file: FileHandle): KeptFile | undefined {
  const { core, progress } = kernel;
  if (progress === undefined) return undefined;
  const before = progress.kept as KeptFile | undefined;
  if (before?.isOf(core, file)) return before;
  before?.end(); // what it was about is not gone on with
  const kept = new KeptFile(kernel, progress, file);
  progress.kept = kept;
  return kept;
}
