/**
 * Programs on a store to which some of what is written back does not come (EIO, ENOSPC): who syncs is told, each open file once
 * (told-errors.ts), and close tells nothing. What could not be written is read as before as long as it is cached, then as the store has it.
 *
 * Each chain has descriptors of its own, and cells of its own in each file, so that it knows what they should be; one descriptor, which
 * all have, is synced by all.
 *
 * Does not own: the store (../schedule/held-store.ts), the order of what is held (../schedule/scheduler.ts), who is told (told-calls.ts).
 */
import * as errno from "../../base/errno.ts";
import { createFsSync, type FolioFs } from "../../index.ts";
import {
  SYNC_FILE_RANGE_WAIT_AFTER,
  SYNC_FILE_RANGE_WAIT_BEFORE,
  SYNC_FILE_RANGE_WRITE,
  syncFileRange,
  syncfs,
} from "../../store.ts";
import { chance, pick, seededRandom } from "../random.ts";
import { bytesOfCells, CELL_BYTES, cellsOf } from "../schedule/async-call.ts";
import { HeldStore, type StoreCall, type StoreFault } from "../schedule/held-store.ts";
import { Scheduler } from "../schedule/scheduler.ts";
import { type PlantAnswers, ToldCalls } from "./told-calls.ts";
import { CELLS_A_CHAIN, NR_CHAINS, NR_FILES, NR_SLOTS, showWriteBack, type WriteBackCall } from "./write-back-call.ts";
import { type Cell, compareCells, WrittenCells, writeCells } from "./written-cells.ts";

const NR_CELLS = NR_CHAINS * CELLS_A_CHAIN;
const NOW = 1_700_000_000_000;
const LIMIT_BYTES = 16 * 2 ** 20;
const FIRST_CELL = "a";
const SHARED = "shared";
const SHARED_FILE = 0;
const O_RDWR = 0o2;
const O_DSYNC = 0o10000;
const PRIME = 7919;
const WHOLE_RANGE = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
const PAGES_ONLY = 1;
const ALL_CACHES = 3;
const PERCENT_FAILS = 60;
const EIO = "EIO";
const ENOSPC = "ENOSPC";
/** Errors that are told, and "short", after which the store is asked for the rest. */
const FAULTS: readonly StoreFault[] = [-errno.EIO, -errno.ENOSPC, -errno.ENOSPC, "throw", "short"];

export interface WriteBackOptions {
  readonly isShared?: boolean;
  readonly plantAnswers?: PlantAnswers;
}

export interface WriteBackRun {
  readonly finding?: string;
  readonly nrCalls: number;
  /** Calls of the store that have failed. */
  readonly nrFailed: number;
  readonly pairs: ReadonlySet<string>;
}

/** @param seed of what fails, and of the order in which the store answers */
export function runWriteBack(
  seed: number,
  calls: readonly WriteBackCall[],
  options: WriteBackOptions = {},
): Promise<WriteBackRun> {
  return new Run(seed, calls, options).run();
}

/** What calls that are made in the end have in common. */
const LAST_CALL = { task: 0, file: 0, isSynced: false, at: 0, length: 1, cell: FIRST_CELL, form: "callback" } as const;

interface Opened {
  readonly fd: number;
  readonly file: number;
  readonly isSynced: boolean;
}

class Run {
  readonly #program: readonly WriteBackCall[];
  readonly #seed: number;
  readonly #scheduler: Scheduler;
  readonly #held: HeldStore;
  readonly #fs: FolioFs;
  readonly #calls: ToldCalls;
  readonly #cells = new WrittenCells(NR_FILES, FIRST_CELL.repeat(NR_CELLS));
  /** Numbers of files at the store. */
  readonly #inos: number[] = [];
  readonly #slots = new Map<string, Opened>();
  #isFailing = false;
  #wrong: string | undefined;

  constructor(seed: number, program: readonly WriteBackCall[], { isShared, plantAnswers }: WriteBackOptions) {
    this.#seed = seed;
    this.#program = program;
    this.#calls = new ToldCalls({ nrFiles: NR_FILES, plantAnswers, find: (text) => this.#find(text) });
    const random = seededRandom(seed);
    this.#scheduler = new Scheduler((names) => random(names.length));
    this.#held = new HeldStore({
      hold: (name) => this.#scheduler.hold(name),
      hasSyncHalf: true,
      plan: (call) => this.#plan(call),
      answered: (call, answer) => this.#note(call, answer),
    });
    const options = { memoryLimit: LIMIT_BYTES, now: () => NOW, shared: isShared === true, types: [this.#held.type] };
    this.#fs = createFsSync(options);
    this.#layOut();
    this.#held.isQuick = false;
    this.#isFailing = true;
  }

  #layOut(): void {
    this.#fs.mkdirSync("/m");
    this.#mount();
    for (let file = 0; file < NR_FILES; file++) {
      this.#fs.writeFileSync(pathOf(file), bytesOfCells(FIRST_CELL.repeat(NR_CELLS)));
      this.#inos.push(Number(this.#fs.statSync(pathOf(file)).ino));
    }
    this.#fs.kernel.sync();
    this.#fs.kernel.dropCaches(ALL_CACHES);
    this.#calls.noteOpen(SHARED, SHARED_FILE);
    this.#slots.set(SHARED, { fd: this.#fs.openSync(pathOf(SHARED_FILE), O_RDWR), file: SHARED_FILE, isSynced: false });
  }

  #mount(): void {
    const { kernel } = this.#fs;
    kernel.mount({ type: "heldfs", target: "/m" });
    if (kernel.vm !== undefined) kernel.vm.dirty_writeback_centisecs = 0;
  }

  async run(): Promise<WriteBackRun> {
    try {
      await this.#drive(Promise.all(Array.from({ length: NR_CHAINS }, (_, task) => this.#chain(task))));
      await this.#scheduler.drain();
      await this.#drive(this.#end());
      (this.#fs.kernel as { verify?: () => unknown }).verify?.();
    } catch (error) {
      this.#find(String(error));
    }
    this.#fs.kernel.destroy();
    const { nrCalls, nrFailed, pairs } = this.#calls;
    return { nrCalls, nrFailed, pairs, ...(this.#wrong !== undefined && { finding: this.#wrong }) };
  }

  async #drive(work: Promise<unknown>): Promise<void> {
    if (await this.#scheduler.drive(work)) await work;
    else throw new Error("nothing is held any more, and calls are not over");
  }

  #find(text: string): void {
    this.#wrong ??= text;
  }

  // --- What the store does ----------------------------------------------------------------------------------------------

  #plan({ nr, operation }: StoreCall): StoreFault | undefined {
    const random = seededRandom(this.#seed + nr * PRIME);
    const isFailing = this.#isFailing && operation === "writePages" && chance(random, PERCENT_FAILS);
    return isFailing ? pick(random, FAULTS) : undefined;
  }

  #note({ operation, ino, start, end }: StoreCall, answer: number): void {
    const file = this.#inos.indexOf(ino);
    if (operation !== "writePages" || file < 0) return;
    const isFailed = answer < 0;
    const last = isFailed ? end : start + answer;
    const stored = cellsOf(this.#held.disk.read(ino, 0, NR_CELLS * CELL_BYTES));
    this.#cells.noteStored(file, Math.floor(start / CELL_BYTES), Math.ceil(last / CELL_BYTES), stored);
    if (isFailed) this.#calls.noteFailure(file, answer === -errno.ENOSPC ? ENOSPC : EIO);
  }

  // --- The end ----------------------------------------------------------------------------------------------------------

  /** Nothing fails any more: what has failed is told once to each, and to nobody who opens the files then. */
  async #end(): Promise<void> {
    this.#isFailing = false;
    for (let again = 0; again < 2; again++) {
      for (const slot of [...this.#slots.keys()]) await this.#call({ ...LAST_CALL, call: "fsync", ...partsOf(slot) });
    }
    for (const slot of [...this.#slots.keys()]) {
      if (slot !== SHARED) await this.#call({ ...LAST_CALL, call: "close", ...partsOf(slot) });
    }
    for (let file = 0; file < NR_FILES; file++) {
      for (const call of ["open", "fsync", "syncfs", "close"] as const)
        await this.#call({ ...LAST_CALL, call, file, slot: file });
    }
    for (const { fd } of this.#slots.values()) this.#fs.closeSync(fd);
    await this.#lookAtAll("in the end");
    await this.#fs.kernel.umountAsync("/m");
    this.#cells.noteMounted();
    this.#mount();
    await this.#lookAtAll("mounted anew");
    await this.#fs.kernel.umountAsync("/m");
  }

  async #lookAtAll(when: string): Promise<void> {
    for (let file = 0; file < NR_FILES; file++) {
      const bytes = (await this.#fs.promises.readFile(pathOf(file))) as Buffer;
      const got = cellsOf(bytes);
      if (got.length !== NR_CELLS) this.#find(`file ${file} ${when} has ${bytes.length} bytes`);
      else this.#compare(`file ${file} ${when}`, this.#cells.ofFile(file), got);
    }
  }

  // --- Calls ------------------------------------------------------------------------------------------------------------

  async #chain(task: number): Promise<void> {
    for (const call of this.#program.filter((one) => one.task === task)) {
      await this.#scheduler.hold(`turn of ${task}`);
      if (this.#wrong !== undefined) return;
      await this.#call(call);
      this.#scheduler.noteEvent();
    }
  }

  #call(call: WriteBackCall): Promise<void> | void {
    const slot = call.slot === NR_SLOTS ? SHARED : `${call.task}.${call.slot}`;
    const opened = this.#slots.get(slot);
    if (call.call === "open") return opened === undefined ? this.#open(call, slot) : undefined;
    if (call.call === "sync") return this.#calls.tellOfNow(call, () => this.#fs.kernel.syncAsync());
    if (call.call === "drop") return this.#dropPages();
    if (opened === undefined) return undefined;
    switch (call.call) {
      case "close":
        return slot === SHARED ? undefined : this.#close(call, slot, opened);
      case "write":
        return this.#write(call, slot, opened);
      case "read":
        return this.#read(call, opened);
      default:
        return this.#tellErrors(call, slot, opened);
    }
  }

  async #open(call: WriteBackCall, slot: string): Promise<void> {
    const { file, isSynced } = call;
    const flags = isSynced ? O_RDWR | O_DSYNC : O_RDWR;
    const make = (): unknown => this.#ask(call, "open", pathOf(file), flags);
    const fd = await this.#calls.tell(call, { what: "open", slot, file }, make);
    if (typeof fd === "number") this.#slots.set(slot, { fd, file, isSynced });
  }

  async #close(call: WriteBackCall, slot: string, { fd }: Opened): Promise<void> {
    this.#slots.delete(slot);
    await this.#calls.tell(call, { what: "close", slot }, () => this.#ask(call, "close", fd));
  }

  /** Syncs a file, or the file system that it is in. */
  async #tellErrors(call: WriteBackCall, slot: string, { fd, file }: Opened): Promise<void> {
    const { kernel } = this.#fs;
    const range: typeof syncfs = (k, f) => syncFileRange(k, f, 0, 0, WHOLE_RANGE);
    if (call.call === "syncfs") {
      await this.#calls.tell(call, { what: "sync all", slot }, () => kernel.callFile(fd, syncfs));
    } else if (call.call === "range") {
      await this.#calls.tellOfFile(call, slot, file, () => kernel.callFile(fd, range));
    } else await this.#calls.tellOfFile(call, slot, file, () => this.#ask(call, call.call, fd));
  }

  #dropPages(): void {
    this.#cells.notePagesDropped();
    this.#fs.kernel.dropCaches(PAGES_ONLY);
  }

  async #write(call: WriteBackCall, slot: string, { fd, file, isSynced }: Opened): Promise<void> {
    const bytes = bytesOfCells(call.cell.repeat(call.length));
    const noteWritten = writeCells(this.#cellsOf(call, file), call.cell);
    const make = (): unknown => this.#ask(call, "write", fd, bytes, 0, bytes.length, positionOf(call));
    const written = await (isSynced ? this.#calls.tellOfFile(call, slot, file, make) : this.#calls.plain(call, make));
    noteWritten(typeof written === "number" ? written / CELL_BYTES : 0); // who was told of an error, or of EAGAIN, may have written
  }

  async #read(call: WriteBackCall, { fd, file }: Opened): Promise<void> {
    const buffer = Buffer.alloc(call.length * CELL_BYTES);
    const make = (): unknown => this.#ask(call, "read", fd, buffer, 0, buffer.length, positionOf(call));
    const n = await this.#calls.plain(call, make);
    if (typeof n !== "number") return;
    if (n !== buffer.length && call.form !== "sync") this.#find(`${showWriteBack(call)} is short: ${n}`);
    this.#compare(showWriteBack(call), this.#cellsOf(call, file), cellsOf(buffer.subarray(0, n)));
  }

  #compare(what: string, cells: readonly Cell[], got: string): void {
    const wrong = compareCells(cells, got);
    if (wrong !== undefined) this.#find(`${what} ${wrong}`);
  }

  #cellsOf({ task, at, length }: WriteBackCall, file: number): readonly Cell[] {
    const first = task * CELLS_A_CHAIN + at;
    return this.#cells.ofFile(file).slice(first, first + length);
  }

  /** A call of the face in its form. */
  #ask({ form }: WriteBackCall, name: string, ...args: unknown[]): unknown {
    const face = this.#fs as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>;
    if (form === "sync") return this.#calls.now(() => face[`${name}Sync`](...args));
    return new Promise((resolve, reject) => {
      face[name](...args, (error: Error | null, value: unknown) => (error ? reject(error) : resolve(value)));
    });
  }
}

/** The chain and number of a slot. */
function partsOf(slot: string): Pick<WriteBackCall, "task" | "slot"> {
  if (slot === SHARED) return { task: 0, slot: NR_SLOTS };
  const [task, nr] = slot.split(".").map(Number);
  return { task, slot: nr };
}

function positionOf({ task, at }: WriteBackCall): number {
  return (task * CELLS_A_CHAIN + at) * CELL_BYTES;
}

function pathOf(file: number): string {
  return `/m/f${file}`;
}
