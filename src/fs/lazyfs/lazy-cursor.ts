/**
 * Open directories: where each is in its listing.
 *
 * A listing that can be kept is taken as it was when it was first read from the start. A longer one is taken from the tree a few
 * entries at a time and forgotten, so that a directory may have more entries than there is memory for; names that come twice
 * are then not noticed.
 *
 * Does not own: listings that are kept (lazy-list.ts).
 */
import { EAGAIN, EIO } from "../../base/errno.ts";
import type { FileHandle, InodeHandle } from "../../base/handles.ts";
import type { DirEmit, FileOperations } from "../../vfs/fs-type.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { noopFsync } from "../libfs.ts";
import { isPromiseLike } from "./lazy-ask.ts";
import { checkEntry, type Entry } from "./lazy-entry.ts";
import { refresh } from "./lazy-inode.ts";
import { ended, iteratorOf, LONG, listingOf, wholeListing } from "./lazy-list.ts";
import { type LazyMount, mountOf, shownPath } from "./lazy-mount.ts";
import type { LazyEntry, LazyListing } from "./lazy-tree.ts";

/** From the type in a mode to that of an entry (DT_*). */
const DT_SHIFT = 12;
/** Entries of a slow listing that are asked for at a time. */
const NR_AHEAD = 128;

/** Where an open directory is. */
export interface Cursor {
  /** Entries that have been taken. */
  at: number;
  /** Gives entries on. @returns 0; a negated errno; -EAGAIN with a wait token, when there was none to give */
  give(kernel: Kernel, emit: (entry: Entry) => boolean): number;
  close(): void;
}

/** In a listing that is all there. */
class KeptCursor implements Cursor {
  at = 0;
  readonly #entries: readonly Entry[];

  constructor(entries: Iterable<Entry>) {
    this.#entries = [...entries];
  }

  give(_kernel: Kernel, emit: (entry: Entry) => boolean): number {
    while (this.at < this.#entries.length) if (!emit(this.#entries[this.at++])) break;
    return 0;
  }

  close(): void {}
}

/** In a listing that is taken from its tree. */
class LongCursor implements Cursor {
  at = 0;
  readonly #mount: LazyMount;
  readonly #path: string;
  readonly #iterator: Iterator<LazyEntry> | AsyncIterator<LazyEntry>;
  /** Taken from the tree, and not given yet. */
  readonly #ahead: Entry[] = [];
  #isOver = false;
  /** Why there are no more. */
  #failure = 0;
  #waiting: Promise<void> | undefined;

  constructor(mount: LazyMount, path: string, listing: LazyListing) {
    this.#mount = mount;
    this.#path = path;
    this.#iterator = iteratorOf(listing);
  }

  give(kernel: Kernel, emit: (entry: Entry) => boolean): number {
    const { at } = this;
    for (;;) {
      const entry = this.#ahead.shift() ?? kernel.nested(() => this.#pull());
      if (entry === undefined) break;
      this.at++;
      if (!emit(entry)) return 0;
    }
    if (this.at > at) return 0; // what is wrong, or takes time, is for the next call
    if (this.#waiting === undefined) return this.#failure;
    kernel.setWaitToken(this.#waiting);
    return -EAGAIN;
  }

  close(): void {
    if (!this.#isOver) ended(this.#iterator);
    this.#isOver = true;
  }

  /** The next entry, if it is to be had at once. */
  #pull(): Entry | undefined {
    if (this.#isOver || this.#waiting !== undefined) return undefined;
    try {
      const step = this.#iterator.next();
      if (!isPromiseLike(step)) return this.#entryOf(step);
      this.#waiting = this.#mount
        .settled(step, this.#path, (first) => this.#pullLater(first))
        .then((rc) => {
          this.#waiting = undefined;
          if (typeof rc === "number" && rc < 0) this.#fail(rc);
        });
    } catch (error) {
      this.#fail(this.#mount.failed(error, this.#path));
    }
    return undefined;
  }

  /** Takes entries that come by promise. @returns 0 */
  async #pullLater(first: IteratorResult<LazyEntry>): Promise<number> {
    for (let step = first; !this.#isOver; step = await this.#iterator.next()) {
      const entry = this.#entryOf(step);
      if (entry !== undefined) this.#ahead.push(entry);
      if (this.#ahead.length >= NR_AHEAD) return 0;
    }
    return 0;
  }

  #entryOf(step: IteratorResult<LazyEntry>): Entry | undefined {
    if (step.done !== true) return checkEntry(step.value);
    this.#isOver = true;
    return undefined;
  }

  #fail(rc: number): void {
    this.close();
    this.#failure = rc;
  }
}

/** Opens a cursor. @returns as askTree() */
function openCursor(kernel: Kernel, mount: LazyMount, path: string, entry: Entry): Cursor | number {
  const listing = listingOf(kernel, mount, path, entry);
  if (typeof listing === "number") return listing;
  if (listing !== LONG) return new KeptCursor(listing.values());
  return openLong(kernel, mount, path, entry);
}

/** As openCursor(), of a directory that is too long to be kept. */
function openLong(kernel: Kernel, mount: LazyMount, path: string, { given }: Entry): Cursor | number {
  const shown = shownPath(path);
  if (mount.isGivingUp) return -EIO;
  try {
    const listing = kernel.nested(() => mount.tree.list(shown, given, mount.call(true)));
    if (!isPromiseLike(listing)) return new LongCursor(mount, shown, listing);
    return new LongCursor(mount, shown, laterListing(listing));
  } catch (error) {
    return mount.failed(error, shown);
  }
}

/** A listing that is promised, as one that comes slowly. */
async function* laterListing(listing: PromiseLike<LazyListing>): AsyncGenerator<LazyEntry> {
  const iterator = iteratorOf(await listing);
  let isOver = false;
  try {
    for (;;) {
      const step = await iterator.next();
      isOver = step.done === true;
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    if (!isOver) ended(iterator);
  }
}

function cursorOf(kernel: Kernel, mount: LazyMount, dir: InodeHandle, file: FileHandle): Cursor | number {
  const start = kernel.core.filePos(file);
  const known = mount.cursors.get(file);
  if (known !== undefined && known.at === start && start > 0) return known;
  if (known !== undefined && start === 0 && known.at === 0) return known;
  const state = mount.inodes.get(dir);
  if (state === undefined) return -EIO;
  const made = openCursor(kernel, mount, state.path, state.entry);
  if (typeof made === "number") return made;
  known?.close();
  mount.cursors.set(file, made);
  return made;
}

/** Gives the entries of a directory: all of them, or those from the position of an open one on. */
function iterate(kernel: Kernel, dir: InodeHandle, emit: DirEmit, file?: FileHandle): number {
  const mount = mountOf(kernel, dir);
  const state = mount.inodes.get(dir);
  if (state === undefined) return -EIO;
  const refused = refresh(kernel, mount, dir, state);
  if (refused < 0) return refused;
  const give = ({ name, mode }: Entry): boolean => emit(name, mode >> DT_SHIFT);
  if (file === undefined) {
    const listing = wholeListing(kernel, mount, state.path, state.entry);
    if (typeof listing === "number") return listing;
    for (const entry of listing.values()) give(entry);
    return 0;
  }
  const cursor = cursorOf(kernel, mount, dir, file);
  return typeof cursor === "number" ? cursor : cursor.give(kernel, give);
}

function release(kernel: Kernel, dir: InodeHandle, file: FileHandle): void {
  const { cursors } = mountOf(kernel, dir);
  cursors.get(file)?.close();
  cursors.delete(file);
}

export const lazyDirectoryOperations: FileOperations = { iterate, iteratesOn: true, release, fsync: noopFsync };
