/**
 * What JavaScript holds of a lazyfs mount: its tree, what has been listed, which inode stands for which path. It goes with the
 * mount, and is never in snapshots.
 *
 * Does not own: how a tree is asked (lazy-ask.ts), inodes (lazy-inode.ts), what becomes untrue (invalidate.ts).
 */
import { EIO } from "../../base/errno.ts";
import type { FileHandle, InodeHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import { reportUsage } from "../../vfs/usage.ts";
import { INODE_SB } from "../../wasm/layout.ts";
import type { Question } from "./lazy-ask.ts";
import type { Cursor } from "./lazy-cursor.ts";
import type { Entry } from "./lazy-entry.ts";
import { errnoOf } from "./lazy-errno.ts";
import type { LazyInode } from "./lazy-inode.ts";
import type { LazyCall, LazyLimits, LazyTree } from "./lazy-tree.ts";
import { Listings } from "./listings.ts";

const MAX_ENTRIES = 2 ** 18;
const MAX_FILE_BYTES = 16 * 2 ** 20;
/** What JavaScript keeps of an inode, and of an entry with the tree's own object: estimates for Node 20. */
const INODE_HEAP_BYTES = 500;
const ENTRY_HEAP_BYTES = 400;

/** A mounted tree. */
export class LazyMount {
  readonly tree: LazyTree;
  /** When it was mounted, ms since the epoch. */
  readonly mountedMs: number;
  readonly maxFileBytes: number;
  readonly statLoads: boolean;
  readonly inodes = new Map<InodeHandle, LazyInode>();
  readonly listings: Listings;
  /** Where open directories are. */
  readonly cursors = new Map<FileHandle, Cursor>();
  /** Questions under way, by what is asked. */
  readonly asked = new Map<string, Question>();
  /** Answers that a synchronous call has not been able to wait for. */
  readonly unheard = new Map<string, Question>();
  /** Whole files that have been loaded, and not been read to their end; the latest is last. */
  readonly wholes = new Map<LazyInode, Uint8Array>();
  /** Changes with each invalidation: what was asked before does not count. */
  epoch = 0;
  /** Inodes of which it is not known whether they are still as they were. */
  nrStale = 0;
  /** Those who have waited are being told that nobody waits: what they ask then is EIO, too. */
  isGivingUp = false;
  /** Its super block has gone, or the memory that it was in. */
  isOver = false;
  readonly #onError: LazyLimits["onError"];
  readonly #waiting = new Set<() => void>();
  #abort = new AbortController();

  constructor(tree: LazyTree, limits: LazyLimits, mountedMs: number) {
    this.tree = tree;
    this.mountedMs = mountedMs;
    this.maxFileBytes = limits.maxFileBytes ?? MAX_FILE_BYTES;
    this.statLoads = limits.statLoads === true;
    this.listings = new Listings(limits.maxEntries ?? MAX_ENTRIES);
    this.#onError = limits.onError;
  }

  /** What a function of the tree is told of who asks. */
  call(mayWait: boolean): LazyCall {
    return { mayWait, signal: this.#abort.signal };
  }

  /** Something of the tree's has failed. @returns the errno, negated */
  failed(error: unknown, path: string): number {
    try {
      this.#onError?.(error, path);
    } catch {
      // who listens has no say in it
    }
    return errnoOf(error);
  }

  /**
   * Waits for what a tree has promised, or for the end of the mount.
   *
   * @param check is given what was promised; what it throws is an error as the tree's own
   * @returns what `check` does, or a negated errno; never fails
   */
  settled<T, R>(
    promise: PromiseLike<T>,
    path: string,
    check: (value: T) => R | number | PromiseLike<R | number>,
  ): Promise<R | number> {
    return new Promise((resolve) => {
      const end = (answer: R | number): void => {
        this.#waiting.delete(giveUp);
        resolve(answer);
      };
      const giveUp = (): void => end(-EIO);
      const fail = (error: unknown): void => end(this.#waiting.has(giveUp) ? this.failed(error, path) : -EIO);
      this.#waiting.add(giveUp);
      Promise.resolve(promise)
        .then((value) => (this.#waiting.has(giveUp) ? check(value) : -EIO))
        .then(end, fail);
    });
  }

  /**
   * Nobody waits any more for what is under way: EIO. What is asked from the next turn of the event loop on is asked again; till
   * then calls that have waited are made again, and are not to wait once more.
   */
  giveUp(): void {
    this.isGivingUp = true;
    setTimeout(() => {
      this.isGivingUp = false;
    }, 0);
    const before = this.#abort;
    this.#abort = new AbortController();
    before.abort();
    for (const giveUp of [...this.#waiting]) giveUp();
  }

  /** The mount is over. */
  end(): void {
    this.isOver = true;
    this.giveUp();
    this.#abort.abort();
    for (const cursor of this.cursors.values()) cursor.close();
    this.cursors.clear();
    this.listings.clear();
    this.wholes.clear();
  }

  /** Outside of the kernel's memory, estimated. */
  get heapBytes(): number {
    let bytes = this.inodes.size * INODE_HEAP_BYTES + this.listings.nrEntries * ENTRY_HEAP_BYTES;
    for (const whole of this.wholes.values()) bytes += whole.length;
    return bytes;
  }
}

/** The mount of an inode that is in use. */
export function mountOf(kernel: Kernel, inode: InodeHandle): LazyMount {
  return kernel.fsInfo.get(kernel.core.u32[(inode << 3) + INODE_SB] >>> 5) as LazyMount;
}

function usageName({ dev }: SuperBlock): string {
  return `lazyfs-${dev}`;
}

export function setLazyMount(sb: SuperBlock, mount: LazyMount): void {
  sb.kernel.fsInfo.set(sb.handle, mount);
  reportUsage(sb.kernel, usageName(sb), () => mount.heapBytes);
}

/** The super block goes, or its memory. */
export function dropLazyMount(sb: SuperBlock): void {
  (sb.kernel.fsInfo.get(sb.handle) as LazyMount | undefined)?.end();
  sb.kernel.fsInfo.delete(sb.handle);
  reportUsage(sb.kernel, usageName(sb), undefined);
}

/** The path of a name in a directory. @param dir its path; "" is the root's */
export function childPath(dir: string, { name }: Pick<Entry, "name">): string {
  return `${dir}/${name}`;
}

/** A path as trees are told it. */
export function shownPath(path: string): string {
  return path === "" ? "/" : path;
}
