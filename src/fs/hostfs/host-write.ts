/**
 * Writes to files of a host folder that go to it at once, then into the pages that are cached.
 *
 * A promise call asks the host once and is made again for its answer, so whatever it is told by must not have moved by then:
 * the file's position is taken when the host is asked. Where an append goes is the host's to know.
 *
 * As on Linux a file is not cut while it is written to: a cut waits for what the host has been asked to write, and a write for
 * the cut that the host has been asked for. Or what is known here of its size would depend on who answers last.
 *
 * Does not own: pages (host-pages.ts), writes that go by pages (host-write-back.ts), where reads come from (host-file.ts).
 */
import { EAGAIN, EBADF, EFAULT, EFBIG } from "../../base/errno.ts";
import type { FileHandle, InodeHandle } from "../../base/handles.ts";
import { byteLengthOf, partOf } from "../../base/views.ts";
import { countWrite } from "../../mm/io-counters.ts";
import { holdForDirectIo } from "../../vfs/direct-in-flight.ts";
import { Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { fileSizeLimit, maxBytes } from "../../vfs/read-write.ts";
import { fileRemovePrivs } from "../../vfs/setattr.ts";
import { FILE_MODE, FMODE_APPEND, FMODE_WRITE } from "../../wasm/layout.ts";
import { isDataSync, isSync } from "../stored-write.ts";
import { askOnce, isAnswered, leavePosition, takenPosition, takePosition } from "./host-ask.ts";
import { isBeingCut } from "./host-cut.ts";
import { expire, type HostInode, type HostMount, mountOf, stateOf } from "./host-mount.ts";
import { dropRange, hasPages, updatePages } from "./host-pages.ts";
import type { HostNode } from "./host-root.ts";
import type { Steps } from "./host-steps.ts";
import type { HostStore } from "./host-store.ts";
import { type Changed, goOnFrom, watched } from "./host-watched.ts";

/** A write that the host has been asked for. */
interface Write extends Changed {
  /** Position of its first byte. */
  readonly start: number;
  /** Bytes that may differ from here on are its own. */
  readonly isExact: boolean;
}

/** Bytes of a range that are in a buffer, whatever the caller has made of it. */
export function roomOf(buffer: Uint8Array, offset: number, length: number): number {
  return ArrayBuffer.isView(buffer) ? Math.min(length, byteLengthOf(buffer) - offset) : 0;
}

const NOTHING = new Uint8Array();

/** What askOnce() knows a write by. */
function keyOf({ serial }: HostMount, { node }: HostInode, start: number, isAppend: boolean): string {
  return `write ${serial} ${node.key} ${start} ${isAppend}`;
}

/** Has writeThrough() been answered by the host in this call? Then it has to be made again, whatever else could be done by now. */
export function isWrittenThrough(kernel: Kernel, file: FileHandle, position: number): boolean {
  if (kernel.progress === undefined) return false;
  const start = position < 0 ? takenPosition(kernel, file) : position;
  if (start === undefined) return false;
  const { handle } = Inode.ofFile(kernel, file);
  const isAppend = (kernel.core.u32[(file << 3) + FILE_MODE] & FMODE_APPEND) !== 0;
  return isAnswered(kernel, keyOf(mountOf(kernel, handle), stateOf(kernel, handle), start, isAppend));
}

/**
 * Writes to an open file of which nothing is dirty.
 *
 * @returns bytes; -EBADF, -EFAULT (the buffer has gone), -EFBIG, errors of the host; -EAGAIN as askOnce()
 */
export function writeThrough(
  kernel: Kernel,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const { core } = kernel;
  const mode = core.u32[(file << 3) + FILE_MODE];
  if (!(mode & FMODE_WRITE)) return -EBADF;
  if (length === 0) return 0;
  const inode = Inode.ofFile(kernel, file);
  const refused = fileRemovePrivs(kernel, inode.handle, file);
  if (refused < 0) return refused;
  const state = stateOf(kernel, inode.handle);
  const mount = mountOf(kernel, inode.handle);
  const limit = Math.min(maxBytes(core, inode.handle), fileSizeLimit(kernel));
  const isAppend = (mode & FMODE_APPEND) !== 0;
  // Nothing of it may be left when the host has answered, which is told all the same.
  const room = Math.max(0, roomOf(buffer, offset, length));
  const view = room === 0 ? NOTHING : partOf(buffer, offset, room);
  const sync = isSync(kernel, file, inode.handle) ? isDataSync(kernel, file) : undefined;
  const isLater = kernel.mayWait;
  const isOurs = (): boolean => kernel.core === core && mount.inodes.get(inode.handle) === state;
  if (isBeingCut(kernel, inode.handle) && !isWrittenThrough(kernel, file, position)) return -EAGAIN;
  const start = position < 0 ? takePosition(kernel, file, room) : position;
  let end = (): void => {};

  const answer = askOnce<Write>(
    kernel,
    keyOf(mount, state, start, isAppend),
    () => {
      if (isLater) {
        state.nrWrites++;
        end = keepFromCuts(kernel, file, inode.handle);
      }
      if (isAppend) return append(mount.store, state.node, view, limit, sync);
      return overwrite(mount.store, state.node, view, start, limit, sync, hasPages(core, inode.handle));
    },
    (write) => {
      if (typeof write !== "number" && isOurs()) written(inode, state, write, view);
      if (isLater) state.nrWrites--;
      end();
    },
  );
  if (answer === -EAGAIN) return answer;
  if (typeof answer === "number") {
    if (position < 0) leavePosition(kernel, file, start);
    return answer;
  }
  if (position < 0) leavePosition(kernel, file, answer.start + Math.max(0, answer.rc));
  return answer.rc;
}

/** The host has been asked to write to a file: who cuts it waits. @returns what ends that */
function keepFromCuts(kernel: Kernel, file: FileHandle, inode: InodeHandle): () => void {
  let resolve = (): void => {};
  const over = new Promise<void>((done) => {
    resolve = done;
  });
  const letGo = holdForDirectIo(kernel, { file, inode }, over);
  return () => {
    letGo();
    resolve();
  };
}

function* overwrite(
  store: HostStore,
  node: HostNode,
  view: Uint8Array,
  start: number,
  limit: number,
  sync: boolean | undefined,
  isWatched: boolean,
): Steps<Write> {
  const changed = yield* watched(store, node, isWatched, function* () {
    if (view.length === 0) return -EFAULT;
    if (start >= limit) return -EFBIG;
    const rc = yield* store.pwritev(node, [view.subarray(0, limit - start)], start);
    return yield* synced(store, node, sync, rc);
  });
  return { ...changed, start, isExact: true };
}

/** Has the host sync what has been written, where that is asked for. @param dataOnly undefined = it is not @returns `rc`, or why it cannot */
function* synced(store: HostStore, node: HostNode, dataOnly: boolean | undefined, rc: number): Steps<number> {
  const failed = rc > 0 && dataOnly !== undefined ? yield* store.fsync(node, dataOnly) : 0;
  return failed < 0 ? failed : rc;
}

function* append(
  store: HostStore,
  node: HostNode,
  view: Uint8Array,
  limit: number,
  sync: boolean | undefined,
): Steps<Write | number> {
  if (view.length === 0) return -EFAULT;
  const before = yield* store.stat(node);
  if (typeof before === "number") return before;
  const room = limit - Number(before.size);
  if (room <= 0) return -EFBIG;
  const rc = yield* store.append(node, view.subarray(0, room));
  const failed = yield* synced(store, node, sync, rc);
  const after = yield* store.stat(node);
  // Bytes that are in the file are told as written, or they are appended again; where they are, the next look tells.
  if (failed < 0 || typeof after === "number")
    return { rc: failed, before, after: undefined, start: Number(before.size), isExact: false };
  const start = Number(after.size) - rc;
  return { rc, before, after, start, isExact: start === Number(before.size) };
}

/** What the host has is in the pages, too: at once by a synchronous call, which has been alone with the host. */
function written(inode: Inode, state: HostInode, write: Write, view: Uint8Array): void {
  const { core } = inode.kernel;
  const { rc, start, isExact } = write;
  countWrite(inode.kernel, { inode: inode.handle, length: view.length }, rc);
  expire(state);
  if (rc <= 0) return; // written, but not synced perhaps: what is cached is believed if the file is what it was
  goOnFrom(state, write);
  const end = start + rc;
  const from = isExact ? start : Math.min(start, inode.size);
  if (state.nrWrites > 0 || !isExact) dropRange(core, inode.handle, from, end - from);
  else updatePages(core, inode.handle, start, view.subarray(0, rc));
  inode.size = Math.max(inode.size, end);
}
