/**
 * Open files of a host folder.
 *
 * cache=none          reads and writes go to the host
 * cache=writethrough  reads go by pages; writes go to the host, and into the pages that are cached
 * cache=writeback     both go by pages; what is dirty is written back by fsync and its like, when it is old, or too much
 *
 * A file is looked at when it is opened, unless that was done within ttl: pages of what has changed on the host go then.
 *
 * Does not own: writing (host-write-back.ts, host-write.ts), pages (host-pages.ts, host-aops.ts, mm/stored-read.ts), descriptors
 * of the host (fd-cache.ts).
 */
import { EAGAIN, EBADF, EFAULT, EFBIG, EINVAL, ENOMEM, EOPNOTSUPP, ESTALE } from "../../base/errno.ts";
import type { FileHandle, InodeHandle } from "../../base/handles.ts";
import { SEEK_DATA, SEEK_HOLE } from "../../base/stat-flags.ts";
import { partOf } from "../../base/views.ts";
import { isDirect } from "../../mm/direct-io.ts";
import { countRead } from "../../mm/io-counters.ts";
import { fileCheckAndAdvanceWbErr, mappingSetError } from "../../mm/wb-err.ts";
import { endRangeSync, filemapWriteAndWaitRange, fileWriteAndWaitRange } from "../../mm/writeback.ts";
import { mountOfFile } from "../../vfs/attr.ts";
import type { FileOperations } from "../../vfs/fs-type.ts";
import { Inode } from "../../vfs/inode.ts";
import { beginTry, endTry } from "../../vfs/kept-file.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { fileSizeLimit } from "../../vfs/read-write.ts";
import { fileRemovePrivs } from "../../vfs/setattr.ts";
import { waitFor } from "../../vfs/waiting.ts";
import { FILE_DENTRY, FILE_MNT, FILE_MODE, FMODE_READ, FMODE_WRITE, MOUNT_ROOT } from "../../wasm/layout.ts";
import { storedFileOperations, storedRead } from "../stored-files.ts";
import { hostPages } from "./host-aops.ts";
import { ask, askOnce, takeOnce } from "./host-ask.ts";
import { endHold } from "./host-dirty.ts";
import { hostWasRead, isRemoved, mountOf, refreshOld, stateIn, stateOf, take } from "./host-mount.ts";
import { runNow, type Steps } from "./host-steps.ts";
import { roomOf } from "./host-write.ts";
import { hostMmap, hostWrite, hostWritev } from "./host-write-back.ts";

function modeOf({ core }: Kernel, file: FileHandle): number {
  return core.u32[(file << 3) + FILE_MODE];
}

/** Has the walk that has just ended asked for the attributes? Whoever opens the root of a mount has not walked to it there. */
function isWalkedTo({ core: { u32 }, walked }: Kernel, inode: InodeHandle, file: FileHandle): boolean {
  const root = u32[(u32[(file << 3) + FILE_MNT] >>> 2) + MOUNT_ROOT];
  return walked.inode === inode && u32[(file << 3) + FILE_DENTRY] !== root;
}

/** What the host has changed is seen from here on, unless it was looked at within ttl. */
function open(kernel: Kernel, inode: InodeHandle, file: FileHandle): number {
  const mount = mountOf(kernel, inode);
  const { store } = mount;
  const state = stateIn(mount, inode);
  const { node } = state;
  const writes = (modeOf(kernel, file) & FMODE_WRITE) !== 0;
  const seen = isWalkedTo(kernel, inode, file) ? 0 : refreshOld(kernel, mount, inode, state);
  if (seen < 0) return seen;
  const toWrite = store.findToWrite(node);
  const isOpen = writes ? toWrite : ((node.isWriteOnly ? undefined : toWrite) ?? store.fds.find(node.key));
  const rc =
    isOpen === undefined ? ask(kernel, `open ${state.serial} ${writes}`, undefined, () => store.open(node, writes)) : 0;
  if (rc < 0) return rc === -ESTALE ? staleOrChanging(kernel, file) : rc;
  state.opens++;
  if (writes) state.writers++;
  return 0;
}

/**
 * What the host has no more at its name may be losing that by a call of ours: who opens it walks again when that has ended.
 *
 * @returns -ESTALE; -EAGAIN, with a token
 */
function staleOrChanging(kernel: Kernel, file: FileHandle): number {
  const mnt = mountOfFile(kernel.core, file);
  for (const pending of kernel.pendingChanges.values())
    if (pending.mnt === mnt && pending.directInode === undefined) return waitFor(kernel, pending);
  return -ESTALE;
}

function release(kernel: Kernel, inode: InodeHandle, file: FileHandle): void {
  const state = stateOf(kernel, inode);
  state.opens--;
  if (modeOf(kernel, file) & FMODE_WRITE) state.writers--;
  endHold(mountOf(kernel, inode), state);
}

function read(
  kernel: Kernel,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const { handle } = Inode.ofFile(kernel, file);
  if (mountOf(kernel, handle).options.cache === "none" && !isDirect(kernel.core, hostPages, file))
    return readFromHost(kernel, file, buffer, offset, length, position);
  const start = position < 0 ? kernel.core.filePos(file) : position;
  const n = storedRead(kernel, hostPages, file, buffer, offset, length, position);
  // No memory for pages, or a page that a promise call is reading in: the host has the bytes all the same.
  const isStuck = n === -ENOMEM || (n === -EAGAIN && !kernel.mayWait);
  if (isStuck) return hasAll(kernel, handle) ? readFromHost(kernel, file, buffer, offset, length, position) : n;
  const done = Math.max(0, n);
  const isShort = n > 0 && done < length && start + done < Inode.ofFile(kernel, file).size && !kernel.mayWait;
  if (!isShort || !hasAll(kernel, handle)) return n;
  const at = position < 0 ? position : start + done;
  return done + Math.max(0, readFromHost(kernel, file, buffer, offset + done, length - done, at));
}

/** Has the host all of a file? What is dirty of it is written back. */
function hasAll(kernel: Kernel, inode: InodeHandle): boolean {
  return !stateOf(kernel, inode).isOurs || bringToHost(kernel, inode) === 0;
}

/** Writes back what is dirty of a file. @returns 0; -EAGAIN with a token; what has failed */
function bringToHost(kernel: Kernel, inode: InodeHandle): number {
  return filemapWriteAndWaitRange(kernel, inode, 0, Number.POSITIVE_INFINITY);
}

/** As storedRead(). */
function readFromHost(
  kernel: Kernel,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const waits = beginTry(kernel, file, position);
  return waits || endTry(kernel, file, position, readAt(kernel, file, buffer, offset, length, position));
}

function readAt(
  kernel: Kernel,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  if (!(modeOf(kernel, file) & FMODE_READ)) return -EBADF;
  const { handle } = Inode.ofFile(kernel, file);
  const { store } = mountOf(kernel, handle);
  if (length === 0) return 0;
  const room = roomOf(buffer, offset, length);
  if (room <= 0) return -EFAULT;
  const { node, serial } = hostWasRead(stateOf(kernel, handle));
  const view = partOf(buffer, offset, room);
  const start = position < 0 ? kernel.core.filePos(file) : position;
  const n = kernel.mayWait
    ? readLater(kernel, serial, view, start, () => store.preadv(node, () => [view], start))
    : runNow(store.preadv(node, () => [view], start));
  if (n !== -EAGAIN) countRead(kernel, { inode: handle, length: room }, n);
  if (position < 0 && n > 0) kernel.core.setFilePos(file, start + n);
  return n;
}

/** Reads of more bytes go straight into the caller's buffer, and are made anew by a call that begins anew. */
const MAX_KEPT_BYTES = 1 << 16;

/** What has been read is kept for a call that begins anew, with a buffer of its own each time (copyFile). */
function readLater(
  kernel: Kernel,
  serial: number,
  view: Uint8Array,
  start: number,
  steps: () => Steps<number>,
): number {
  const key = `read ${serial} ${start} ${view.length}`;
  if (view.length > MAX_KEPT_BYTES) return takeOnce(kernel, key, steps);
  const bytes = askOnce<Uint8Array>(kernel, key, function* () {
    const n = yield* steps();
    return n < 0 ? n : view.slice(0, n);
  });
  if (typeof bytes === "number") return bytes;
  view.set(bytes);
  return bytes.length;
}

function fsync(kernel: Kernel, file: FileHandle, dataOnly: boolean): number {
  const { handle } = Inode.ofFile(kernel, file);
  if (isRemoved(kernel, handle)) return 0; // there is nothing left of it
  const { store, serial } = mountOf(kernel, handle);
  const { node } = stateOf(kernel, handle);
  return askOnce(kernel, `fsync ${serial} ${node.key}`, () => store.fsync(node, dataOnly));
}

/** Pages go to the host, and the host syncs. What it says then is told to all who have the file open, once to each. */
function fsyncFile(kernel: Kernel, file: FileHandle, dataOnly: boolean, start = 0, end = Infinity): number {
  const pages = fileWriteAndWaitRange(kernel, file, start, end);
  if (pages === -EAGAIN) return pages;
  const { core } = kernel;
  const { handle } = Inode.ofFile(kernel, file);
  const { store, serial } = mountOf(kernel, handle);
  const { node } = stateOf(kernel, handle);
  const note = (rc: number): void => {
    if (kernel.core === core) mappingSetError(core, handle, rc);
  };
  const rc =
    pages < 0 ? pages : askOnce(kernel, `fsync ${serial} ${node.key}`, () => store.fsync(node, dataOnly), note);
  if (rc === -EAGAIN) return rc;
  endRangeSync(kernel);
  return pages < 0 ? pages : fileCheckAndAdvanceWbErr(core, file) || rc;
}

/** What a helper can do (native.ts); the host decides what size the file has then. */
function fallocate(kernel: Kernel, file: FileHandle, mode: number, offset: number, length: number): number {
  const { handle, size } = Inode.ofFile(kernel, file);
  const mount = mountOf(kernel, handle);
  const state = stateOf(kernel, handle);
  const end = offset + length;
  if (end > size && end > fileSizeLimit(kernel)) return -EFBIG;
  const refused = fileRemovePrivs(kernel, handle, file) || bringToHost(kernel, handle);
  if (refused < 0) return refused;
  const rc = runNow(mount.store.fallocate(state.node, mode, offset, length));
  if (rc < 0) return rc;
  const stats = runNow(mount.store.stat(state.node));
  if (typeof stats !== "number") take(kernel, mount, handle, state, stats);
  return 0;
}

/** As fallocate(), SEEK_DATA and SEEK_HOLE. */
function llseek(kernel: Kernel, file: FileHandle, offset: number, whence: number): number {
  if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return -EINVAL;
  const { handle } = Inode.ofFile(kernel, file);
  const unwritten = bringToHost(kernel, handle);
  if (unwritten < 0) return unwritten;
  return runNow(mountOf(kernel, handle).store.seek(stateOf(kernel, handle).node, offset, whence));
}

export const directoryFileOperations: FileOperations = { fsync };

const { bmap, fadvise, preadv2 } = storedFileOperations(hostPages);

/** With cache=none there are no pages that it could be about. */
function hasCache(kernel: Kernel, file: FileHandle): boolean {
  return mountOf(kernel, Inode.ofFile(kernel, file).handle).options.cache !== "none";
}

export const hostFileOperations: FileOperations = {
  bmap,
  mmap: hostMmap,
  fadvise: (kernel, file, ...args) => (hasCache(kernel, file) ? fadvise(kernel, file, ...args) : 0),
  preadv2: (kernel, file, ...args) => (hasCache(kernel, file) ? preadv2(kernel, file, ...args) : -EOPNOTSUPP),
  open,
  release,
  read,
  write: hostWrite,
  writev: hostWritev,
  fsync: fsyncFile,
  fallocate,
  llseek,
};
