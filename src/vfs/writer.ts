/**
 * Writes to an open file that wait for a store: freezing waits for them, and lets them go on.
 *
 *   first try    is the file system frozen? Then the call waits, with nothing begun
 *   -EAGAIN      the file is held until the call is over
 *   next try     goes on, frozen or not
 *
 * The hold hangs on the call's Progress around what the write itself keeps there, so that it goes whenever that goes.
 *
 * Part of what file systems with a store bring with them (store-support.ts).
 *
 * Does not own: freezing (freeze.ts), the lock of a file (fs/file-lock.ts).
 *
 * @see Linux include/linux/fs.h file_start_write(), file_end_write()
 */
import { EAGAIN } from "../base/errno.ts";
import type { FileHandle, SuperBlockHandle } from "../base/handles.ts";
import type { Kiocb } from "../mm/progress.ts";
import { FILE_MODE, FMODE_WRITE, INODE_SB } from "../wasm/layout.ts";
import { inodeOfFile, mountOfFile } from "./attr.ts";
import { waitForChange } from "./freeze.ts";
import type { Kernel } from "./kernel.ts";
import { dropFile, holdFile } from "./release.ts";
import { wantWriteInode } from "./want-write.ts";

let nrHeld = 0;

/** Holds an open file while a store changes its data: freezing waits, and the mount is in use. @returns how it is let go */
export function holdWriter(kernel: Kernel, file: FileHandle): () => void {
  const { core, pendingChanges } = kernel;
  const key = --nrHeld; // no operation's: it has no locks
  let over = (): void => {};
  const token = new Promise<void>((resolve) => {
    over = resolve;
  });
  holdFile(kernel, file);
  pendingChanges.set(key, { token, isMove: false, mnt: mountOfFile(core, file) });
  return () => {
    if (kernel.core === core) {
      pendingChanges.delete(key);
      dropFile(kernel, file);
    }
    over();
  };
}

/** A write that waits, and what it has begun. */
class HeldWrite implements Kiocb {
  readonly file: FileHandle;
  readonly sb: SuperBlockHandle;
  readonly letGo: () => void;
  /** What the write itself keeps. */
  begun: Kiocb | undefined;

  constructor(kernel: Kernel, file: FileHandle) {
    this.file = file;
    this.sb = superOf(kernel, file);
    this.letGo = holdWriter(kernel, file);
  }

  abandon(): void {
    this.begun?.abandon();
    this.letGo();
  }
}

function superOf({ core }: Kernel, file: FileHandle): SuperBlockHandle {
  return (core.u32[(inodeOfFile(core, file) << 3) + INODE_SB] >>> 5) as SuperBlockHandle;
}

/** The call that is being made waits until a super block is thawed, unless it is in the midst of writing there. @returns 0 or -EAGAIN */
export function waitForThaw(kernel: Kernel, sb: SuperBlockHandle): number {
  const held = kernel.progress?.kiocb;
  return held instanceof HeldWrite && held.sb === sb ? 0 : waitForChange(kernel, sb);
}

/** Makes a call that writes to an open file. @returns as `write`; -EAGAIN with a token while the file system is frozen */
export function whileWriting(kernel: Kernel, file: FileHandle, write: () => number): number {
  if (!(kernel.core.u32[(file << 3) + FILE_MODE] & FMODE_WRITE)) return write(); // it says so before all else
  const frozen = wantWriteInode(kernel, inodeOfFile(kernel.core, file));
  if (frozen) return frozen;
  const { progress } = kernel;
  if (progress === undefined) return write();
  const held = takeHeld(kernel, file);
  let rc = 0;
  try {
    rc = write();
  } finally {
    if (rc !== -EAGAIN) held?.letGo();
  }
  if (rc !== -EAGAIN) return rc;
  const holder = held ?? new HeldWrite(kernel, file);
  holder.begun = progress.kiocb;
  progress.kiocb = holder;
  return rc;
}

/** What holds the file for the call since an earlier try; the write finds what it has begun. */
function takeHeld({ progress }: Kernel, file: FileHandle): HeldWrite | undefined {
  const held = progress?.kiocb;
  if (progress === undefined || !(held instanceof HeldWrite)) return undefined;
  progress.kiocb = held.begun;
  if (held.file === file) return held;
  held.letGo();
  return undefined;
}
