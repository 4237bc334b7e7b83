/**
 * Writes to an open file that wait for a store: freezing waits for them, and lets them go on.
 *
 *   first try    is the file system frozen? Then the call waits, with nothing begun
 *   -EAGAIN      the file is held until the call is over
 *   next try     goes on, frozen or not
 *
 * The hold hangs on the call's Progress, and goes with the call.
 *
 * Part of what file systems with a store bring with them (store-support.ts).
 *
 * Does not own: freezing (freeze.ts), the lock of a file (fs/file-lock.ts).
 *
 * @see Linux include/linux/fs.h file_start_write(), file_end_write()
 */
import { EAGAIN } from "../base/errno.ts";
import type { FileHandle, SuperBlockHandle } from "../base/handles.ts";
import type { Writer } from "../mm/progress.ts";
import { FILE_MODE, FMODE_WRITE, INODE_SB } from "../wasm/layout.ts";
import { inodeOfFile, mountOfFile } from "./attr.ts";
import { dropFile, holdFile } from "./drop-file.ts";
import { waitForChange } from "./freeze.ts";
import type { Kernel } from "./kernel.ts";
import { wantWriteInode } from "./want-write.ts";

/** A call that has begun to write. */
class HeldWriter implements Writer {
  readonly file: FileHandle;
  readonly sb: SuperBlockHandle;
  readonly letGo: () => void;

  constructor(kernel: Kernel, file: FileHandle) {
    this.file = file;
    this.sb = superOf(kernel, file);
    this.letGo = holdWriter(kernel, file);
  }
}

/** Holds an open file while a store changes its data: freezing waits, and the mount is in use. @returns how it is let go */
function holdWriter(kernel: Kernel, file: FileHandle): () => void {
  const { core, pendingChanges } = kernel;
  let over = (): void => {};
  const token = new Promise<void>((resolve) => {
    over = resolve;
  });
  holdFile(kernel, file);
  pendingChanges.set(token, { token, isMove: false, mnt: mountOfFile(core, file), isHold: true }); // no operation's: it has no locks
  return () => {
    if (kernel.core === core && pendingChanges.delete(token)) dropFile(kernel, file);
    over();
  };
}

function superOf({ core }: Kernel, file: FileHandle): SuperBlockHandle {
  return (core.u32[(inodeOfFile(core, file) << 3) + INODE_SB] >>> 5) as SuperBlockHandle;
}

/** The call that is being made waits until a super block is thawed, unless it is in the midst of writing there. @returns 0 or -EAGAIN */
export function waitForThaw(kernel: Kernel, sb: SuperBlockHandle): number {
  return writerOf(kernel)?.sb === sb ? 0 : waitForChange(kernel, sb);
}

function writerOf({ progress }: Kernel): HeldWriter | undefined {
  return progress?.writer as HeldWriter | undefined;
}

/** Makes a call that writes to an open file. @returns as `write`; -EAGAIN with a token while the file system is frozen */
export function whileWriting(kernel: Kernel, file: FileHandle, write: () => number): number {
  if (!(kernel.core.u32[(file << 3) + FILE_MODE] & FMODE_WRITE)) return write(); // it says so before all else
  const frozen = wantWriteInode(kernel, inodeOfFile(kernel.core, file));
  if (frozen) return frozen;
  const rc = write();
  const { progress } = kernel;
  if (progress === undefined) return rc;
  const isBegun = rc === -EAGAIN && writerOf(kernel)?.file === file;
  if (isBegun) return rc;
  progress.writer?.letGo();
  progress.writer = rc === -EAGAIN ? new HeldWriter(kernel, file) : undefined;
  return rc;
}
