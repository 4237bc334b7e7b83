/**
 * Programs on a store whose power is cut at some moment: what had not been flushed is there or not, in blocks and in any order. When it is
 * mounted again each block of a file is one that was written there, and none older than what an fsync had told to be safe; a file that is
 * replaced, by a rename of another one that has been synced, is one of both.
 *
 * Does not own: the store (../schedule/held-store.ts), what it keeps (../schedule/disk.ts).
 */
import { createFsSync, type FolioFs } from "../../index.ts";
import { pick, type Random, seededRandom, type Weighted, weighted } from "../random.ts";
import { bytesOfCells, CELL_BYTES, type Form } from "../schedule/async-call.ts";
import { BLOCK_BYTES, type Disk } from "../schedule/disk.ts";
import { HeldStore } from "../schedule/held-store.ts";
import { Scheduler } from "../schedule/scheduler.ts";

const NR_FILES = 2;
const NR_CHAINS = 3;
const FIRST_CELLS = 6;
const MAX_CELLS = 8;
const MAX_CALLS = 14;
/** What a program waits for in all, about: the power is cut within. */
const MAX_RELEASES = 90;
const NOW = 1_700_000_000_000;
const LIMIT_BYTES = 16 * 2 ** 20;
const REPLACED = "replaced";
const FIRST_CHARACTER = 0x63;
const BLOCKS_A_CELL = CELL_BYTES / BLOCK_BYTES;
const HOLE_BYTE = 0;

export interface CutCall {
  readonly task: number;
  readonly call: "write" | "ftruncate" | "fsync" | "fdatasync" | "replace" | "sync" | "drop";
  /** Number of a file; for "replace" of the new version. */
  readonly file: number;
  /** Cells. */
  readonly at: number;
  readonly length: number;
  /** The byte that is written. */
  readonly byte: number;
  readonly form: Form;
}

export interface CutRun {
  readonly finding?: string;
  /** Calls that were over when the power was cut. */
  readonly nrOver: number;
  /** Blocks that were not the last that had been written. */
  readonly nrOld: number;
}

/** Something that was done to a file, in times of a counter. */
interface Deed {
  readonly file: number;
  /** Blocks, and the byte they are filled with. */
  readonly from: number;
  readonly to: number;
  readonly byte: number;
  readonly start: number;
  /** Infinity: it was not over, or has failed, and may have been done or not. */
  end: number;
}

/** Something that has told that a file is safe; of all files if there is no number. */
interface Sync {
  readonly file: number | undefined;
  readonly start: number;
}

const CALLS: Weighted<CutCall["call"]> = [
  [8, "write"],
  [2, "ftruncate"],
  [3, "fsync"],
  [1, "fdatasync"],
  [3, "replace"],
  [1, "sync"],
  [1, "drop"],
];

export function drawCut(random: Random): CutCall[] {
  const nrCalls = NR_CHAINS + random(MAX_CALLS - NR_CHAINS);
  return Array.from({ length: nrCalls }, (_, i) => {
    const at = random(MAX_CELLS);
    return {
      task: i % NR_CHAINS,
      call: weighted(random, CALLS),
      file: random(NR_FILES),
      at,
      length: 1 + random(MAX_CELLS - at),
      byte: FIRST_CHARACTER + i,
      form: pick<Form>(random, ["promise", "callback", "callback", "sync"]),
    };
  });
}

export interface CutOptions {
  readonly isShared?: boolean;
  /** What the store keeps all in: for tests of what finds that it does not. */
  readonly makeDisk?: () => Disk;
}

/** @param seed of the order in which the store answers, and of what is left */
export function runCut(seed: number, calls: readonly CutCall[], options: CutOptions = {}): Promise<CutRun> {
  return new Run(calls, seededRandom(seed), options).run();
}

class Run {
  readonly #calls: readonly CutCall[];
  readonly #random: Random;
  readonly #isShared: boolean;
  readonly #scheduler: Scheduler;
  readonly #held: HeldStore;
  readonly #fs: FolioFs;
  readonly #fds: readonly number[];
  readonly #deeds: Deed[] = [];
  readonly #syncs: Sync[] = [];
  /** Versions of the file that is replaced, and when each was in its place for certain. */
  readonly #versions: { readonly byte: number; readonly start: number; end: number }[] = [];
  #time = 0;
  #nrOver = 0;
  #nrOld = 0;
  #wrong: string | undefined;

  constructor(calls: readonly CutCall[], random: Random, { isShared = false, makeDisk }: CutOptions) {
    this.#calls = calls;
    this.#random = random;
    this.#isShared = isShared;
    this.#scheduler = new Scheduler((names) => random(names.length));
    const options = { hold: (name: string) => this.#scheduler.hold(name), hasSyncHalf: true };
    this.#held = new HeldStore(options, makeDisk?.());
    this.#fs = mounted(this.#held, isShared);
    for (let file = 0; file < NR_FILES; file++) {
      this.#fs.writeFileSync(
        pathOf(file),
        bytesOfCells(String.fromCharCode(FIRST_CHARACTER - 1 - file).repeat(FIRST_CELLS)),
      );
      this.#deed(file, 0, FIRST_CELLS, FIRST_CHARACTER - 1 - file).end = 0;
    }
    this.#fs.writeFileSync(`/m/${REPLACED}`, Buffer.alloc(CELL_BYTES, FIRST_CHARACTER - 1));
    this.#versions.push({ byte: FIRST_CHARACTER - 1, start: 0, end: 0 });
    this.#fs.kernel.sync();
    this.#held.disk.flush();
    this.#syncs.push({ file: undefined, start: ++this.#time });
    this.#fds = Array.from({ length: NR_FILES }, (_, file) => this.#fs.openSync(pathOf(file), "r+"));
    this.#fs.kernel.dropCaches(3);
    this.#held.isQuick = false;
  }

  async run(): Promise<CutRun> {
    const chains = Array.from({ length: NR_CHAINS }, (_, task) => this.#chain(task));
    await this.#scheduler.drive(Promise.all(chains), this.#random(MAX_RELEASES));
    const left = this.#held.disk.cutPower(this.#random);
    this.#time++;
    if (this.#wrong === undefined) this.#compare(left);
    this.#fs.kernel.destroy();
    const so = { nrOver: this.#nrOver, nrOld: this.#nrOld };
    return this.#wrong === undefined ? so : { ...so, finding: this.#wrong };
  }

  // --- Calls ------------------------------------------------------------------------------------------------------------

  async #chain(task: number): Promise<void> {
    for (const call of this.#calls.filter((one) => one.task === task)) {
      await this.#scheduler.hold(`turn of ${task}`);
      try {
        await this.#call(call);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (call.form !== "sync" || code !== "EAGAIN") this.#wrong ??= `${JSON.stringify(call)}: ${error}`;
      }
      this.#nrOver++;
      this.#scheduler.noteEvent();
    }
  }

  async #call(call: CutCall): Promise<void> {
    const { file, at, length, byte } = call;
    const start = ++this.#time;
    switch (call.call) {
      case "write": {
        const deed = this.#deed(file, at, at + length, byte);
        const n = await this.#write(call);
        if (n === length * CELL_BYTES) deed.end = ++this.#time;
        return;
      }
      case "ftruncate": {
        const deed = this.#deed(file, at, Number.MAX_SAFE_INTEGER, HOLE_BYTE);
        await this.#ask(call, "ftruncate", [at * CELL_BYTES]);
        deed.end = ++this.#time;
        return;
      }
      case "fsync":
      case "fdatasync":
        await this.#ask(call, call.call, []);
        return void this.#syncs.push({ file, start });
      case "sync":
        await this.#fs.kernel.syncAsync();
        // What has been written is at the store; that it is safe there, its flush says.
        await this.#fs.promises.open(pathOf(file), "r").then((handle) => handle.sync().finally(() => handle.close()));
        return void this.#syncs.push({ file: undefined, start });
      case "drop":
        return this.#fs.kernel.dropCaches(3);
      case "replace":
        return this.#replace(byte, start);
    }
  }

  async #write(call: CutCall): Promise<number> {
    const bytes = Buffer.alloc(call.length * CELL_BYTES, call.byte);
    return (await this.#ask(call, "write", [bytes, 0, bytes.length, call.at * CELL_BYTES])) as number;
  }

  /** A call of a descriptor. */
  #ask(
    { form, file }: CutCall,
    name: "write" | "ftruncate" | "fsync" | "fdatasync",
    args: readonly unknown[],
  ): unknown {
    const face = this.#fs as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>;
    const fd = this.#fds[file];
    if (form === "sync") return face[`${name}Sync`](fd, ...args);
    return new Promise((resolve, reject) => {
      face[name](fd, ...args, (error: Error | null, value: unknown) => (error ? reject(error) : resolve(value)));
    });
  }

  /** As editors save: a new file, synced, takes the place of the old one. */
  async #replace(byte: number, start: number): Promise<void> {
    const { promises } = this.#fs;
    const version = { byte, start, end: Number.POSITIVE_INFINITY };
    this.#versions.push(version);
    const handle = await promises.open(`/m/new${byte}`, "w");
    await handle.write(Buffer.alloc(CELL_BYTES * (1 + (byte % MAX_CELLS)), byte));
    await handle.sync();
    await handle.close();
    await promises.rename(`/m/new${byte}`, `/m/${REPLACED}`);
    version.end = ++this.#time;
  }

  #deed(file: number, from: number, to: number, byte: number): Deed {
    const deed = {
      file,
      from: from * BLOCKS_A_CELL,
      to: to * BLOCKS_A_CELL,
      byte,
      start: this.#time,
      end: Number.POSITIVE_INFINITY,
    };
    this.#deeds.push(deed);
    return deed;
  }

  // --- After the cut ----------------------------------------------------------------------------------------------------

  #compare(left: Disk): void {
    const fs = mounted(
      new HeldStore({ hold: () => Promise.reject(new Error("held")), hasSyncHalf: true }, left),
      this.#isShared,
    );
    try {
      for (let file = 0; file < NR_FILES; file++) this.#compareFile(file, fs.readFileSync(pathOf(file)) as Buffer);
      this.#compareReplaced(fs.readFileSync(`/m/${REPLACED}`) as Buffer);
      fs.kernel.umount("/m");
      (fs.kernel as { verify?: () => unknown }).verify?.();
    } catch (error) {
      this.#wrong ??= `after the cut: ${error}`;
    } finally {
      fs.kernel.destroy();
    }
  }

  /** When the last sync of a file began that had told that it is safe. */
  #safeSince(file: number): number {
    const starts = this.#syncs.flatMap((sync) => (sync.file === undefined || sync.file === file ? [sync.start] : []));
    return Math.max(...starts);
  }

  #compareFile(file: number, bytes: Buffer): void {
    const safe = this.#safeSince(file);
    const deeds = this.#deeds.filter((deed) => deed.file === file);
    for (let block = 0; block < (MAX_CELLS + 1) * BLOCKS_A_CELL; block++) {
      const got = bytes.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
      const [byte = HOLE_BYTE] = got;
      const ofIt = deeds.filter(({ from, to }) => from <= block && block < to);
      const known = ofIt.filter(({ end }) => end < safe);
      const isOver = (deed: Deed): boolean => known.some(({ start }) => deed.end < start);
      const allowed = new Set(ofIt.filter((deed) => !isOver(deed)).map((deed) => deed.byte));
      if (known.length === 0) allowed.add(HOLE_BYTE);
      if (ofIt.at(-1)?.byte !== byte) this.#nrOld++;
      if (got.every((one) => one === byte) && allowed.has(byte)) continue;
      this.#wrong ??= `block ${block} of file ${file} is ${shown(byte)}, and was to be one of ${[...allowed].map(shown).join(" ")}`;
    }
  }

  #compareReplaced(bytes: Buffer): void {
    const safe = Math.max(...this.#syncs.map(({ start }) => start));
    const known = this.#versions.filter(({ end }) => end < safe);
    const allowed = this.#versions.filter((version) => !known.some(({ start }) => version.end < start));
    const [byte] = bytes;
    const version = allowed.find((one) => one.byte === byte);
    const length = byte === FIRST_CHARACTER - 1 ? CELL_BYTES : CELL_BYTES * (1 + (byte % MAX_CELLS));
    if (version !== undefined && bytes.length === length && bytes.every((one) => one === byte)) return;
    this.#wrong ??= `the file that was replaced has ${bytes.length} bytes of ${shown(byte)}`;
  }
}

function shown(byte: number): string {
  return byte === HOLE_BYTE ? "zeros" : String.fromCharCode(byte);
}

function pathOf(file: number): string {
  return `/m/f${file}`;
}

function mounted(held: HeldStore, isShared: boolean): FolioFs {
  const fs = createFsSync({ memoryLimit: LIMIT_BYTES, now: () => NOW, shared: isShared, types: [held.type] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "heldfs", target: "/m" });
  if (fs.kernel.vm !== undefined) fs.kernel.vm.dirty_writeback_centisecs = 0;
  return fs;
}
