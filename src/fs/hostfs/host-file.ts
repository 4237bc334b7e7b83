/**
 * Open files of a host folder.
 *
 * cache=none          reads and writes go to the host
 * cache=writethrough  reads go by pages; writes go to the host, and into the pages that are cached
 *
 * A file is looked at when it is opened, unless that was done within ttl: pages of what has changed on the host go then.
 *
 * Does not own: writing (host-write.ts), pages (host-pages.ts, host-aops.ts, mm/stored-read.ts), descriptors of the host (fd-cache.ts).
 */
import { EAGAIN, EBADF, EFAULT, EFBIG, EINVAL, ENOMEM } from "../../base/errno.ts";
import type { FileHandle, InodeHandle } from "../../base/handles.ts";
import { SEEK_DATA, SEEK_HOLE } from "../../base/stat-flags.ts";
import { partOf } from "../../base/views.ts";
import { countRead } from "../../mm/io-counters.ts";
import { storedRead } from "../../mm/stored-read.ts";
import type { FileOperations } from "../../vfs/fs-type.ts";
import { Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { fileSizeLimit } from "../../vfs/read-write.ts";
import { fileRemovePrivs } from "../../vfs/setattr.ts";
import { FILE_DENTRY, FILE_MNT, FILE_MODE, FMODE_READ, FMODE_WRITE, MOUNT_ROOT } from "../../wasm/layout.ts";
import { hostPages } from "./host-aops.ts";
import { ask, askOnce, takeOnce } from "./host-ask.ts";
import { hostWasRead, mountOf, refreshOld, stateIn, stateOf, take } from "./host-mount.ts";
import { dropPages, isCrowded } from "./host-pages.ts";
import { runNow, type Steps } from "./host-steps.ts";
import { hostWrite, roomOf } from "./host-write.ts";

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
  const isOpen = store.fds.find(node.writeKey) ?? (writes ? undefined : store.fds.find(node.key));
  const rc =
    isOpen === undefined ? ask(kernel, `open ${inode} ${writes}`, undefined, () => store.open(node, writes)) : 0;
  if (rc < 0) return rc;
  state.opens++;
  if (writes) state.writers++;
  return 0;
}

function release(kernel: Kernel, inode: InodeHandle, file: FileHandle): void {
  const state = stateOf(kernel, inode);
  state.opens--;
  if (modeOf(kernel, file) & FMODE_WRITE) state.writers--;
  if (state.opens > 0 || !state.isHeld) return;
  state.isHeld = false;
  mountOf(kernel, inode).store.drop(state.node);
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
  if (mountOf(kernel, handle).options.cache === "none")
    return readFromHost(kernel, file, buffer, offset, length, position);
  makeRoom(kernel, handle);
  const start = position < 0 ? kernel.core.filePos(file) : position;
  const n = storedRead(kernel, hostPages, file, buffer, offset, length, position);
  // No memory for pages, or a page that a promise call is reading in: the host has the bytes all the same.
  const isStuck = n === -ENOMEM || (n === -EAGAIN && !kernel.mayWait);
  if (isStuck) return readFromHost(kernel, file, buffer, offset, length, position);
  const done = Math.max(0, n);
  const isShort = n > 0 && done < length && start + done < Inode.ofFile(kernel, file).size && !kernel.mayWait;
  if (!isShort) return n;
  const at = position < 0 ? position : start + done;
  return done + Math.max(0, readFromHost(kernel, file, buffer, offset + done, length - done, at));
}

/**
 * Pages of the host's files are not to push out what lives in memory alone: when they take up half of it, those of this mount
 * go, until the core reclaims single ones.
 */
function makeRoom(kernel: Kernel, inode: InodeHandle): void {
  if (!isCrowded(kernel.core)) return;
  for (const handle of mountOf(kernel, inode).inodes.keys()) dropPages(kernel, handle);
}

function readFromHost(
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
  const { node } = hostWasRead(stateOf(kernel, handle));
  const view = partOf(buffer, offset, room);
  const start = position < 0 ? kernel.core.filePos(file) : position;
  const n = kernel.mayWait
    ? readLater(kernel, handle, view, start, () => store.preadv(node, () => [view], start))
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
  inode: InodeHandle,
  view: Uint8Array,
  start: number,
  steps: () => Steps<number>,
): number {
  const key = `read ${inode} ${start} ${view.length}`;
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
  const { store } = mountOf(kernel, handle);
  return askOnce(kernel, `fsync ${handle}`, () => store.fsync(stateOf(kernel, handle).node, dataOnly));
}

/** What a helper can do (native.ts); the host decides what size the file has then. */
function fallocate(kernel: Kernel, file: FileHandle, mode: number, offset: number, length: number): number {
  const { handle, size } = Inode.ofFile(kernel, file);
  const mount = mountOf(kernel, handle);
  const state = stateOf(kernel, handle);
  const end = offset + length;
  if (end > size && end > fileSizeLimit(kernel)) return -EFBIG;
  const refused = fileRemovePrivs(kernel, handle, file);
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
  return runNow(mountOf(kernel, handle).store.seek(stateOf(kernel, handle).node, offset, whence));
}

export const directoryFileOperations: FileOperations = { fsync };

export const hostFileOperations: FileOperations = { open, release, read, write: hostWrite, fsync, fallocate, llseek };
