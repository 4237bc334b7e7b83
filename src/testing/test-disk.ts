/**
 * A disk for tests: a file system to be mounted, whose write cache is lost when the power is cut, and whose calls fail and wait by rules.
 *
 * Does not own: what the kernel asks of it (disk-fs.ts), what is lost (power-cut.ts).
 */

import { seededRandom } from "../fuzz/random.ts";
import { argTypeError, outOfRangeError } from "../node/errors.ts";
import type { FileSystemType } from "../vfs/fs-type.ts";
import { diskFs } from "./disk-fs.ts";
import { type Change, DiskTree } from "./disk-tree.ts";
import { type Clock, checkClock, Faults } from "./faults.ts";
import { flushedWith, type Keeping, survivors } from "./power-cut.ts";

/** How a disk is made. */
export interface TestDiskOptions {
  /** Name of its type, to be mounted by: "testdisk" unless said otherwise. Disks of one kernel need names of their own. */
  name?: string;
  /**
   * Whether names and attributes reach the disk in their order, and all of them with any fsync, as on ext4: true unless said otherwise.
   * false: in any order, and a name with an fsync of its directory alone.
   */
  journal?: boolean;
  /** Bytes that are written whole or not at all: 4096 unless said otherwise. */
  sectorBytes?: number;
  /** What delays are made with. */
  clock?: Clock;
}

/** What a power cut leaves. */
export interface PowerCutOptions {
  /** Which part of the cache is on the disk: the same for the same seed. */
  seed?: number;
  /** All that is in the cache, or nothing of it, instead. */
  keeps?: "all" | "nothing";
}

export class TestDisk {
  /** The type to register and mount: `mount({ type: disk.type.name, target })`. */
  readonly type: FileSystemType;
  /**
   * Rules for what the kernel asks of the disk; paths are those from its root. Here waits are the store's: synchronous calls that would
   * have to wait fail with EAGAIN.
   */
  readonly faults: Faults<TestDisk>;
  /** Told of each change that has come into the cache, and each flush: a moment at which the power may go. */
  onChange: (() => void) | undefined;
  /** Whether fsync says yes and does nothing, as cheap disks do. */
  ignoresFlush = false;
  readonly #options: TestDiskOptions;
  readonly #keeping: Keeping;
  /** With its cache. */
  readonly #cached: DiskTree;
  /** Without. */
  readonly #stored: DiskTree;
  #pending: Change[] = [];

  /** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
  constructor(options: TestDiskOptions = {}, stored = DiskTree.formatted()) {
    const { clock = globalThis as Clock, journal = true, name = "testdisk", sectorBytes = 4096 } = options;
    if (typeof name !== "string") throw argTypeError("options.name", "string", name);
    if (typeof journal !== "boolean") throw argTypeError("options.journal", "boolean", journal);
    if (!Number.isSafeInteger(sectorBytes) || sectorBytes < 1)
      throw outOfRangeError("options.sectorBytes", "a whole number >= 1", sectorBytes);
    checkClock(clock);
    this.#options = options;
    this.#keeping = { hasJournal: journal, sectorBytes };
    this.#stored = stored;
    this.#cached = stored.clone();
    this.faults = new Faults(() => ({ fs: this, uninstall: () => {} }), {
      setTimeout: (...args) => clock.setTimeout(...args),
    });
    this.type = diskFs(name, {
      tree: this.#cached,
      faults: this.faults,
      change: (change) => this.#change(change),
      flush: (ino) => this.#flush(ino),
    });
  }

  /** Changes in the cache, which a power cut may lose. */
  get pending(): number {
    return this.#pending.length;
  }

  /**
   * The disk as it would be if the power went now, repaired as by fsck: another one, to be mounted elsewhere. This one goes on.
   *
   * @throws ERR_INVALID_ARG_TYPE
   */
  afterPowerCut({ keeps, seed = 0 }: PowerCutOptions = {}): TestDisk {
    if (typeof seed !== "number") throw argTypeError("options.seed", "number", seed);
    const left = this.#stored.clone();
    const kept = survivors(this.#pending, this.#keeping, seededRandom(seed));
    for (const change of keeps === "all" ? this.#pending : keeps === "nothing" ? [] : kept) left.apply(change);
    left.repair();
    return new TestDisk(this.#options, left);
  }

  #change(change: Change): void {
    this.#cached.apply(change);
    this.#pending.push(change);
    this.onChange?.();
  }

  #flush(ino: number | undefined): void {
    if (this.ignoresFlush) return;
    const flushed = ino === undefined ? new Set(this.#pending) : flushedWith(this.#pending, ino, this.#keeping);
    for (const change of this.#pending) if (flushed.has(change)) this.#stored.apply(change);
    this.#pending = this.#pending.filter((change) => !flushed.has(change));
    this.onChange?.();
  }
}
