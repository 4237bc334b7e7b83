/**
 * Pages of lazy files: what a tree answers is looked at, copied into their frames, and says how long a file is.
 *
 * Does not own: which pages, and who waits for them (mm/), sizes (lazy-inode.ts).
 */
import { EIO, ENOMEM } from "../../base/errno.ts";
import type { FileHandle, InodeHandle } from "../../base/handles.ts";
import { byteLengthOf, isUint8Array, partOf } from "../../base/views.ts";
import {
  type AddressSpaceOperations,
  AOP_TRUNCATED_PAGE,
  type PageCache,
  type ReadaheadControl,
} from "../../mm/address-space.ts";
import { waitForPage } from "../../mm/page-wait.ts";
import { readAhead } from "../../mm/readahead.ts";
import { Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { PAGE_SIZE, PATH_MAX } from "../../wasm/layout.ts";
import { askTree, isPromiseLike } from "./lazy-ask.ts";
import { checkTarget, MAX_FILE_BYTES } from "./lazy-entry.ts";
import { BadAnswer } from "./lazy-errno.ts";
import { type LazyInode, learnSize, refresh } from "./lazy-inode.ts";
import { type LazyMount, mountOf } from "./lazy-mount.ts";
import type { LazyCall, LazyEntry, LazyRange } from "./lazy-tree.ts";

/** Pages read ahead at most: 512 KiB. */
const RA_PAGES = 128;
/** What is asked for of a symbolic link: one byte more than it may have. */
const TARGET_RANGE: LazyRange = { position: 0, length: PATH_MAX };
/** Who reads without an open file. */
const NO_FILE = 0 as FileHandle;

/** The bytes that a tree has given. @throws BadAnswer */
function checkBytes(said: unknown, path: string): Uint8Array {
  if (!isUint8Array(said)) throw new BadAnswer(`the content of ${path} is no Uint8Array`);
  return partOf(said, 0, byteLengthOf(said)); // its own properties may say anything
}

/** Gives the bytes of a range of a file, as the tree has them. */
type Ask = (mount: LazyMount, state: LazyInode, range: LazyRange, call: LazyCall) => unknown;

const askLoad: Ask = ({ tree }, { path, entry }, range, call) =>
  tree.load?.(path, range, entry.given as LazyEntry, call);

/** Whoever waits for a whole file has been told already what went wrong. */
class Failed {
  /** Negated errno. */
  readonly rc: number;

  constructor(rc: number) {
    this.rc = rc;
  }
}

/** A part of a file that comes as a whole, which is kept until it has been read to its end. */
const askWhole: Ask = (mount, state, range, call) => {
  const whole = mount.wholes.get(state) ?? state.loading ?? loadWhole(mount, state, call);
  if (!isPromiseLike(whole)) return partOfWhole(mount, state, whole, range);
  return whole.then((bytes) =>
    typeof bytes === "number" ? new Failed(bytes) : partOfWhole(mount, state, bytes, range),
  );
};

function loadWhole(mount: LazyMount, state: LazyInode, call: LazyCall): Uint8Array | Promise<Uint8Array | number> {
  const { path, version } = state;
  const keep = (said: unknown): Uint8Array => {
    const bytes = checkBytes(said, path);
    if (state.version === version) keepWhole(mount, state, bytes);
    return bytes;
  };
  const said = mount.tree.loadFile?.(path, state.entry.given as LazyEntry, call);
  if (!isPromiseLike(said)) return keep(said);
  const loading = mount.settled(said, path, keep).finally(() => {
    if (state.loading === loading) state.loading = undefined;
  });
  state.loading = loading;
  return loading;
}

function keepWhole(mount: LazyMount, state: LazyInode, bytes: Uint8Array): void {
  const { wholes, maxFileBytes } = mount;
  wholes.delete(state);
  wholes.set(state, bytes);
  let nrBytes = 0;
  for (const { length } of wholes.values()) nrBytes += length;
  for (const [oldest, { length }] of wholes) {
    if (nrBytes <= maxFileBytes || oldest === state) return;
    nrBytes -= length;
    wholes.delete(oldest);
  }
}

function partOfWhole(
  mount: LazyMount,
  state: LazyInode,
  whole: Uint8Array,
  { position, length }: LazyRange,
): Uint8Array {
  const { path, entry } = state;
  if (entry.size !== undefined && whole.length !== entry.size) {
    throw new BadAnswer(`${path} has ${whole.length} bytes, and not ${entry.size}`);
  }
  if (position + length >= whole.length) mount.wholes.delete(state);
  return whole.subarray(position, position + length);
}

/** Reads pages of one file from its tree. */
function readPages(cache: PageCache, control: ReadaheadControl): number | Promise<number> {
  const kernel = cache.owner as Kernel;
  const mount = mountOf(kernel, control.inode);
  const state = mount.inodes.get(control.inode);
  if (state === undefined || mount.isGivingUp) return -EIO;
  const { size } = new Inode(kernel, control.inode);
  const { position } = control;
  const length = Math.min(control.length, (state.isSizeKnown ? size : MAX_FILE_BYTES) - position);
  if (length <= 0) return 0;
  const load = new Load(kernel, mount, control, state, { position, length });
  return load.run(cache.mayWait);
}

/** Bytes of a file on their way into frames. */
class Load {
  readonly #kernel: Kernel;
  readonly #core: Kernel["core"];
  readonly #mount: LazyMount;
  readonly #control: ReadaheadControl;
  readonly #state: LazyInode;
  readonly #range: LazyRange;
  readonly #version: number;

  constructor(kernel: Kernel, mount: LazyMount, control: ReadaheadControl, state: LazyInode, range: LazyRange) {
    this.#kernel = kernel;
    this.#core = kernel.core;
    this.#mount = mount;
    this.#control = control;
    this.#state = state;
    this.#range = range;
    this.#version = state.version;
  }

  run(mayWait: boolean): number | Promise<number> {
    const mount = this.#mount;
    const { path } = this.#state;
    const ask = mount.tree.loadFile === undefined ? askLoad : askWhole;
    try {
      const said = ask(mount, this.#state, this.#range, mount.call(mayWait));
      if (!isPromiseLike(said)) return this.#note(this.#take(said));
      return mount.settled(said, path, (bytes) => this.#take(bytes)).then((rc) => this.#note(rc));
    } catch (error) {
      return this.#note(mount.failed(error, path));
    }
  }

  /** Is the file still the one that was asked for, in the same memory? */
  get #isCurrent(): boolean {
    const known = this.#mount.inodes.get(this.#control.inode);
    return this.#kernel.core === this.#core && known === this.#state && known.version === this.#version;
  }

  /** Keeps why there are none, where loadToEnd() is to know. */
  #note(rc: number): number {
    if (this.#isCurrent && this.#state.failure !== undefined) this.#state.failure = Math.min(0, rc);
    return rc;
  }

  /** @returns bytes; AOP_TRUNCATED_PAGE where the pages are no more; an errno of askWhole() @throws BadAnswer */
  #take(said: unknown): number {
    if (!this.#isCurrent) return AOP_TRUNCATED_PAGE;
    if (said instanceof Failed) return said.rc;
    const { path } = this.#state;
    const { position, length } = this.#range;
    const bytes = checkBytes(said, path);
    if (bytes.length > length) throw new BadAnswer(`${path}: ${bytes.length} bytes, where ${length} were asked for`);
    this.#checkSize(position, bytes.length);
    let at = 0;
    for (const view of this.#control.views()) {
      view.set(bytes.subarray(at, at + view.length));
      at += view.length;
    }
    return bytes.length;
  }

  #checkSize(position: number, given: number): void {
    const { isSizeKnown, path } = this.#state;
    const { length } = this.#range;
    if (isSizeKnown && given < length) throw new BadAnswer(`${path} has ended before its size`);
    const { inode } = this.#control;
    if (!isSizeKnown && !learnSize(this.#kernel, inode, this.#state, position, position + given, length)) {
      throw new BadAnswer(`${path} has another size than before`);
    }
  }
}

export const lazyPages: AddressSpaceOperations = { readPage: readPages, readahead: readPages, raPages: RA_PAGES };

/**
 * Loads a file of unknown size until its size is known; what there is room for is cached.
 *
 * @returns 0; -EAGAIN with a wait token; what the tree has thrown; -ENOMEM
 */
export function loadToEnd(kernel: Kernel, handle: InodeHandle, state: LazyInode): number {
  const { core } = kernel;
  for (;;) {
    const { known, failure } = state;
    state.failure = undefined;
    if (failure !== undefined && failure < 0) return failure;
    if (state.isSizeKnown) return 0;
    const index = Math.floor(known / PAGE_SIZE);
    const busy = waitForPage(kernel, handle, index, core.x.lockedPage(handle, index));
    state.failure = 0;
    if (busy < 0) return busy;
    readAhead(kernel, lazyPages, NO_FILE, handle, { index, nrPages: RA_PAGES, async: 0 }, index + RA_PAGES);
    const waits = waitForPage(kernel, handle, index, core.x.lockedPage(handle, index));
    if (waits < 0) return waits;
    if (state.failure === 0 && !state.isSizeKnown && state.known === known) return -ENOMEM;
  }
}

/** Where a symbolic link leads. @returns as askTree() */
export function getLink(kernel: Kernel, handle: InodeHandle): Uint8Array | number {
  const mount = mountOf(kernel, handle);
  const state = mount.inodes.get(handle) as LazyInode;
  const refused = refresh(kernel, mount, handle, state);
  if (refused < 0) return refused;
  const { path, entry, version } = state;
  const known = entry.target ?? state.target;
  if (known !== undefined) return known;
  const given = entry.given as LazyEntry;
  return askTree<unknown, Uint8Array>(
    kernel,
    mount,
    `link ${path}`,
    path,
    (call) => mount.tree.loadFile?.(path, given, call) ?? mount.tree.load?.(path, TARGET_RANGE, given, call),
    (said) => {
      const target = checkTarget(path, checkBytes(said, path).slice());
      if (state.version === version && mount.inodes.get(handle) === state) {
        state.target = target;
        new Inode(kernel, handle).size = target.length;
      }
      return target;
    },
  );
}
