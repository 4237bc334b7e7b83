/**
 * Address-space operations of host files: pages are read from the host straight into their frames, and written from there.
 *
 * A file is looked at before and after a run of it is written back: what is found before is what was known, or somebody else has
 * changed the file; what is found after is known from then on. Within ttl it is not looked at before, if there are no pages of
 * it but those of the run.
 *
 * Does not own: which pages, and who waits for them (mm/); when they are dropped (host-pages.ts); whose a file is meanwhile
 * (host-dirty.ts).
 */
import type { BigIntStats } from "node:fs";
import { EAGAIN, EIO } from "../../base/errno.ts";
import type { InodeHandle } from "../../base/handles.ts";
import type {
  AddressSpaceOperations,
  DirectControl,
  PageCache,
  ReadaheadControl,
  WriteControl,
} from "../../mm/address-space.ts";
import { Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { INODE_NR_PAGES } from "../../wasm/layout.ts";
import { cutOf, isBeingCut } from "./host-cut.ts";
import { settle } from "./host-dirty.ts";
import { viewsSurviveGrowth } from "./host-memory.ts";
import {
  expire,
  type HostInode,
  type HostMount,
  hasChanged,
  hostWasRead,
  isFresh,
  isSame,
  mountOf,
  stateOf,
  take,
} from "./host-mount.ts";
import type { HostNode } from "./host-root.ts";
import { runLater, runNow, type Steps } from "./host-steps.ts";
import type { HostStore } from "./host-store.ts";
import { type Changed, goOnFrom, watched } from "./host-watched.ts";

/** Pages read ahead at most: 512 KiB. */
const RA_PAGES = 128;

function readPages(cache: PageCache, control: ReadaheadControl): number | Promise<number> {
  const kernel = cache.owner as Kernel;
  const { store } = mountOf(kernel, control.inode);
  const { node } = hostWasRead(stateOf(kernel, control.inode));
  if (cache.mayWait) return readLater(kernel, store, node, control);
  const bytes = runNow(store.preadv(node, () => control.views(), control.position));
  return isShort(kernel, control, bytes) && isBeingCut(kernel, control.inode) ? -EAGAIN : bytes;
}

/** Does the host have less than the file has here? */
function isShort(kernel: Kernel, { inode, position, length }: ReadaheadControl, bytes: number): boolean {
  return bytes >= 0 && bytes < Math.min(length, new Inode(kernel, inode).size - position);
}

/** What is read beside a cut that is under way is read again behind it: zeros in the place of what is cut are nobody's. */
async function readLater(kernel: Kernel, store: HostStore, node: HostNode, control: ReadaheadControl): Promise<number> {
  const { core } = kernel;
  const bytes = await readOnce(kernel, store, node, control);
  if (kernel.core !== core || !isShort(kernel, control, bytes)) return bytes;
  const cut = cutOf(kernel, control.inode);
  if (cut === undefined) return bytes;
  await cut;
  return kernel.core === core ? readOnce(kernel, store, node, control) : bytes;
}

function readOnce(kernel: Kernel, store: HostStore, node: HostNode, control: ReadaheadControl): Promise<number> {
  const { position, length } = control;
  const { core } = kernel;
  // The host reads into the memory while JavaScript runs: its frames are locked, and `control` holds the memory.
  if (viewsSurviveGrowth()) return runLater(store.preadv(node, () => control.views(), position));
  const bounce = new Uint8Array(length);
  return runLater(store.preadv(node, () => [bounce], position)).then((bytes) => {
    if (kernel.core === core) scatter(bounce, control.views());
    return bytes;
  });
}

function scatter(from: Uint8Array, to: readonly Uint8Array[]): void {
  let at = 0;
  for (const view of to) {
    view.set(from.subarray(at, at + view.length));
    at += view.length;
  }
}

// --- Writing back -------------------------------------------------------------------------------------------------------

function writePages(cache: PageCache, control: WriteControl): number | Promise<number> {
  const kernel = cache.owner as Kernel;
  const run = new RunToHost(kernel, control, stateOf(kernel, control.inode));
  return cache.mayWait ? run.writeLater() : run.writeNow();
}

/** A run of pages on its way to the host. */
class RunToHost {
  readonly #kernel: Kernel;
  readonly #core: Kernel["core"];
  readonly #control: WriteControl;
  readonly #mount: HostMount;
  readonly #state: HostInode;
  /** Which of the file's runs it is; NaN = another was on its way already. */
  readonly #number: number;

  constructor(kernel: Kernel, control: WriteControl, state: HostInode) {
    this.#kernel = kernel;
    this.#core = kernel.core;
    this.#control = control;
    this.#mount = mountOf(kernel, control.inode);
    this.#state = state;
    state.nrRuns++;
    this.#number = state.nrWrites++ === 0 ? state.nrRuns : Number.NaN;
  }

  writeNow(): number {
    return this.#end(runNow(this.#steps(() => this.#control.views())));
  }

  writeLater(): Promise<number> {
    const { unanswered, store } = this.#mount;
    const { node } = this.#state;
    const control = this.#control;
    const again = (): void => void runNow(store.pwritev(node, control.views(), control.position));
    unanswered.add(again);
    const bytes = viewsSurviveGrowth() ? undefined : control.views().map((view) => view.slice());
    return runLater(this.#steps(() => bytes ?? control.views()))
      .catch(() => ({ rc: -EIO, before: undefined, after: undefined }))
      .then((changed) => this.#end(changed))
      .finally(() => unanswered.delete(again));
  }

  #steps(views: () => readonly Uint8Array[]): Steps<Changed> {
    const { store } = this.#mount;
    const { node } = this.#state;
    const write = () => store.pwritev(node, views(), this.#control.position);
    return watched(store, node, true, write, this.#isAllOfIt() && isFresh(this.#kernel, this.#mount, this.#state));
  }

  /** Are there no other pages of the file, which somebody might have made wrong? */
  #isAllOfIt(): boolean {
    const { inode, nrPages } = this.#control;
    return this.#core.u32[(inode << 3) + INODE_NR_PAGES] === nrPages;
  }

  /** @returns bytes, or a negated errno */
  #end({ rc, before, after }: Changed): number {
    const [kernel, mount, state, { inode, length }] = [this.#kernel, this.#mount, this.#state, this.#control];
    state.nrWrites--;
    if (kernel.core !== this.#core || mount.inodes.get(inode) !== state) return rc;
    // Where nothing else of the file was on its way, what the host had is what is known.
    const isAlone = this.#number === state.nrRuns;
    if (isAlone && before !== undefined && !isSame(state.seen, before)) hasChanged(kernel, mount, inode, state, before);
    expire(state);
    // Of several on their way the last that has been looked at counts, not the last that answers.
    if (isAlone || isLater(after, state.seen)) state.seen = after;
    state.flushedNs = state.seen?.mtimeNs;
    if (rc > 0 && rc < length) return rc; // it is called again for the rest
    settle(kernel, mount, inode, state);
    if (state.seen !== undefined && state.nrWrites === 0) take(kernel, mount, inode, state, state.seen);
    return rc;
  }
}

/** Of a file that becomes no smaller. Times come second: the host's clock may be set back. */
function isLater(a: BigIntStats | undefined, b: BigIntStats | undefined): boolean {
  if (a === undefined || b === undefined) return true;
  return a.size > b.size || (a.size === b.size && a.ctimeNs >= b.ctimeNs);
}

// --- Round the pages ----------------------------------------------------------------------------------------------------

/** O_DIRECT: between the host's file and the caller's buffer. */
function directIO(cache: PageCache, control: DirectControl): number | Promise<number> {
  const kernel = cache.owner as Kernel;
  const { inode, isWrite, buffer, position } = control;
  const mount = mountOf(kernel, inode);
  const { store } = mount;
  const state = stateOf(kernel, inode);
  if (!isWrite) {
    const { node } = hostWasRead(state);
    const steps = store.preadv(node, () => [buffer], position);
    return cache.mayWait ? runLater(steps) : runNow(steps);
  }
  const steps = watched(store, state.node, true, () => store.pwritev(state.node, [buffer], position));
  return cache.mayWait
    ? runLater(steps).then((changed) => wroteDirectly(mount, inode, state, changed))
    : wroteDirectly(mount, inode, state, runNow(steps));
}

function wroteDirectly(mount: HostMount, inode: InodeHandle, state: HostInode, changed: Changed): number {
  if (mount.inodes.get(inode) !== state) return changed.rc;
  goOnFrom(state, changed);
  expire(state);
  return changed.rc;
}

export const hostPages: AddressSpaceOperations = {
  readahead: readPages,
  readPage: readPages,
  writePages,
  directIO,
  raPages: RA_PAGES,
};
