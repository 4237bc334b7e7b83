/**
 * Listings of host directories.
 *
 * Who reads an open directory in pieces gets what was there when it read the first of them, as POSIX allows: each name that
 * stays is given once, whatever comes and goes meanwhile. To go back to the start is to list anew (rewinddir).
 *
 * Does not own: in which pieces (vfs/readdir.ts).
 */
import type { FileHandle, InodeHandle } from "../../base/handles.ts";
import type { DirEmit, FileOperations } from "../../vfs/fs-type.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { waitForInode } from "../../vfs/operation.ts";
import { ask } from "./host-ask.ts";
import { directoryFileOperations } from "./host-file.ts";
import { hostWasRead, isRemoved, mountOf, stateOf } from "./host-mount.ts";
import type { HostEntry } from "./host-steps.ts";

/** A name that waits to change is listed as it is in memory: when the host has agreed, and not before. */
function list(kernel: Kernel, dir: InodeHandle): readonly HostEntry[] | number {
  if (isRemoved(kernel, dir)) return [];
  const locked = waitForInode(kernel, dir);
  if (locked < 0) return locked;
  const { store } = mountOf(kernel, dir);
  const state = stateOf(kernel, dir);
  return ask(kernel, `readdir ${state.serial}`, state, () => store.readdir(hostWasRead(state).node));
}

function listOpen(kernel: Kernel, dir: InodeHandle, file: FileHandle): readonly HostEntry[] | number {
  const { listings } = mountOf(kernel, dir);
  const known = kernel.core.filePos(file) > 0 ? listings.get(file) : undefined;
  if (known) return known;
  const entries = list(kernel, dir);
  if (typeof entries !== "number") listings.set(file, entries);
  return entries;
}

function iterate(kernel: Kernel, dir: InodeHandle, emit: DirEmit, file?: FileHandle): number {
  const entries = file ? listOpen(kernel, dir, file) : list(kernel, dir);
  if (typeof entries === "number") return entries;
  entries.every(({ name, type }) => emit(name, type));
  return 0;
}

function release(kernel: Kernel, dir: InodeHandle, file: FileHandle): void {
  mountOf(kernel, dir).listings.delete(file);
}

export const hostDirectoryOperations: FileOperations = { ...directoryFileOperations, iterate, release };
