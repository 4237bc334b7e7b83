/**
 * Writes to files of a host folder by pages: with cache=writeback, and what goes round them with O_DIRECT.
 *
 * A file that the host lets us write and not read cannot be had by pages, which are read first where a part of them is written:
 * it is written through. So is what finds no memory, when all that is dirty of the file is at the host.
 *
 * Does not own: pages and their lock (fs/stored-write.ts), writing them back (host-aops.ts).
 */
import { EACCES, EAGAIN, EBADF, ENODEV, ENOMEM, EOPNOTSUPP } from "../../base/errno.ts";
import type { FileHandle, InodeHandle } from "../../base/handles.ts";
import { isDirect } from "../../mm/direct-io.ts";
import { inodeOfFile } from "../../mm/page.ts";
import { endRangeSync, filemapWriteAndWaitRange } from "../../mm/writeback.ts";
import { beginTry, endTry } from "../../vfs/kept-file.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { FILE_MODE, FMODE_WRITE } from "../../wasm/layout.ts";
import { storedMmap } from "../stored-mmap.ts";
import { isBegun, storedMkwrite, storedWrite, storedWritev } from "../stored-write.ts";
import { hostPages } from "./host-aops.ts";
import { takenPosition } from "./host-ask.ts";
import { becomeOurs, beginWrite, endWrite, settle } from "./host-dirty.ts";
import { type HostMount, mountOf, stateOf } from "./host-mount.ts";
import { isWrittenThrough, writeThrough } from "./host-write.ts";

/** Writes to an open file. @returns as storedWrite() and writeThrough() */
export function hostWrite(
  kernel: Kernel,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const through = () =>
    atPosition(kernel, file, position, () => writeThrough(kernel, file, buffer, offset, length, position));
  const mount = mountOf(kernel, inodeOfFile(kernel.core, file));
  if (!goesByPages(kernel, mount, file) && !isDirect(kernel.core, hostPages, file)) return through();
  if (length === 0) return storedWrite(kernel, hostPages, file, buffer, offset, length, position);
  return byPages(kernel, mount, file, position, through, () =>
    storedWrite(kernel, hostPages, file, buffer, offset, length, position),
  );
}

/** A call that is under way may have the file's position: it is waited for. One that has taken it is behind that. */
function atPosition(kernel: Kernel, file: FileHandle, position: number, write: () => number): number {
  const waits = takenPosition(kernel, file) === undefined ? beginTry(kernel, file, position) : 0;
  if (waits < 0) return waits;
  const rc = write();
  return rc === -EAGAIN ? rc : endTry(kernel, file, position, rc);
}

/** As hostWrite(), of several buffers as one. @returns -EOPNOTSUPP: they are to be written one by one */
export function hostWritev(
  kernel: Kernel,
  file: FileHandle,
  buffers: readonly ArrayBufferView[],
  position: number,
): number {
  const mount = mountOf(kernel, inodeOfFile(kernel.core, file));
  if (!goesByPages(kernel, mount, file)) return -EOPNOTSUPP;
  const oneByOne = () => -EOPNOTSUPP;
  return byPages(kernel, mount, file, position, oneByOne, () =>
    storedWritev(kernel, hostPages, file, buffers, position),
  );
}

/** FileOperations.mmap. @returns -ENODEV with cache=none, and to be written to where writes do not go by pages */
export function hostMmap(kernel: Kernel, file: FileHandle, isWritten: boolean): ReturnType<typeof mmapPages> {
  const { cache } = mountOf(kernel, inodeOfFile(kernel.core, file)).options;
  return cache === "none" || (isWritten && cache !== "writeback") ? -ENODEV : mmapPages(kernel, file, isWritten);
}

const mmapPages = storedMmap(hostPages, (kernel, mapping, file, index) => {
  const inode = inodeOfFile(kernel.core, file);
  const mount = mountOf(kernel, inode);
  const state = stateOf(kernel, inode);
  const rc = becomeOurs(kernel, mount, inode, state);
  if (rc < 0) return rc;
  if (!state.isOurs) return -EACCES; // the host lets it be written, and not read
  beginWrite(state);
  try {
    return storedMkwrite(kernel, mapping, file, index);
  } finally {
    endWrite(kernel, mount, inode, state);
  }
});

/** A write that waits may have begun so before the mount was given another cache. */
function goesByPages(kernel: Kernel, { options }: HostMount, file: FileHandle): boolean {
  return options.cache === "writeback" || isBegun(kernel, file);
}

/**
 * Writes by pages, or through. A call that is made again goes on as it has begun: what the host would not let be read it may by
 * now, and bytes that are there already would be written once more.
 *
 * @param position as for FileOperations.write
 * @param through what is done where it cannot go by pages
 */
function byPages(
  kernel: Kernel,
  mount: HostMount,
  file: FileHandle,
  position: number,
  through: () => number,
  write: () => number,
): number {
  const { core } = kernel;
  if (!(core.u32[(file << 3) + FILE_MODE] & FMODE_WRITE)) return -EBADF;
  if (isWrittenThrough(kernel, file, position)) return through();
  const inode = inodeOfFile(core, file);
  const state = stateOf(kernel, inode);
  const rc = becomeOurs(kernel, mount, inode, state);
  if (rc < 0) return rc;
  if (!state.isOurs) return through();
  beginWrite(state);
  try {
    const n = write();
    if (n !== -ENOMEM) return n;
  } finally {
    endWrite(kernel, mount, inode, state);
  }
  return withoutPages(kernel, mount, inode, through);
}

/** At once, since a call that is made again would find memory, perhaps. */
function withoutPages(kernel: Kernel, mount: HostMount, inode: InodeHandle, through: () => number): number {
  const rc = filemapWriteAndWaitRange(kernel, inode, 0, Number.POSITIVE_INFINITY);
  if (rc === -EAGAIN) return rc;
  endRangeSync(kernel);
  settle(kernel, mount, inode, stateOf(kernel, inode));
  return rc < 0 ? rc : kernel.nested(through);
}
