/**
 * Programs on a store to which some of what is written back does not come (EIO, ENOSPC): who syncs is told, each open file once
 * (told-errors.ts), and close tells nothing. What could not be written is read as before as long as it is cached, then as the store has it.
 *
 * Each chain has descriptors of its own, and cells of its own in each file, so that it knows what they should be; one descriptor, which
 * all have, is synced by all.
 *
 * Does not own: the store (../schedule/held-store.ts), the order of what is held (../schedule/scheduler.ts).
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
import { chance, pick, type Random, seededRandom, type Weighted, weighted } from "../random.ts";
import { bytesOfCells, CELL_BYTES, cellsOf, type Form } from "../schedule/async-call.ts";
import { HeldStore, type StoreCall, type StoreFault } from "../schedule/held-store.ts";
import { Linearizer } from "../schedule/linearize.ts";
import { Scheduler } from "../schedule/scheduler.ts";
import { DONE, type ToldCall, toldErrors } from "./told-errors.ts";

const NR_FILES = 2;
const NR_CHAINS = 3;
const NR_SLOTS = 2;
/** Of a file that are a chain's: two pages. */
const CELLS_A_CHAIN = 8;
const NR_CELLS = NR_CHAINS * CELLS_A_CHAIN;
const MAX_CALLS = 36;
const NOW = 1_700_000_000_000;
const LIMIT_BYTES = 16 * 2 ** 20;
const FIRST_CHARACTER = 0x63;
const NR_CHARACTERS = 24;
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
const EAGAIN = "EAGAIN";
/** Errors that are told, and "short", after which the store is asked for the rest. */
const FAULTS: readonly StoreFault[] = [-errno.EIO, -errno.ENOSPC, -errno.ENOSPC, "throw", "short"];

export interface WriteBackCall {
  readonly task: number;
  readonly call: "open" | "close" | "write" | "read" | "fsync" | "fdatasync" | "range" | "syncfs" | "sync" | "drop";
  /** Number of a descriptor of its chain; NR_SLOTS is the one that all have. */
  readonly slot: number;
  /** "open": of the file. */
  readonly file: number;
  /** "open": each write is synced. */
  readonly isSynced: boolean;
  /** Cells, from the first that is the chain's. */
  readonly at: number;
  readonly length: number;
  /** What is written. */
  readonly cell: string;
  readonly form: Exclude<Form, "promise">;
}

export interface WriteBackOptions {
  readonly isShared?: boolean;
  /** Makes what changes the answers of a run: for tests of what finds that. */
  readonly plantAnswers?: () => (call: WriteBackCall, answer: string) => string;
}

export interface WriteBackRun {
  readonly finding?: string;
  readonly nrCalls: number;
  /** Calls of the store that have failed. */
  readonly nrFailed: number;
  readonly pairs: ReadonlySet<string>;
}

const CALLS: Weighted<WriteBackCall["call"]> = [
  [4, "open"],
  [2, "close"],
  [14, "write"],
  [3, "read"],
  [8, "fsync"],
  [2, "fdatasync"],
  [2, "range"],
  [2, "syncfs"],
  [1, "sync"],
  [2, "drop"],
];

export function drawWriteBack(random: Random): WriteBackCall[] {
  const nrCalls = NR_CHAINS + random(MAX_CALLS - NR_CHAINS);
  return Array.from({ length: nrCalls }, (_, i) => {
    const at = random(CELLS_A_CHAIN);
    return {
      task: i % NR_CHAINS,
      call: i < NR_CHAINS ? "open" : weighted(random, CALLS),
      slot: random(NR_SLOTS + 1),
      file: random(NR_FILES),
      isSynced: chance(random, 30),
      at,
      length: 1 + random(CELLS_A_CHAIN - at),
      cell: String.fromCharCode(FIRST_CHARACTER + (i % NR_CHARACTERS)),
      form: pick(random, ["callback", "callback", "sync"] as const),
    };
  });
}

export function showWriteBack({ task, call, slot, file, isSynced, at, length, cell, form }: WriteBackCall): string {
  const args: Partial<Record<WriteBackCall["call"], readonly unknown[]>> = {
    open: [slot, file, ...(isSynced ? ["O_DSYNC"] : [])],
    write: [slot, at, length, cell],
    read: [slot, at, length],
    sync: [],
    drop: [],
  };
  return `${task}: ${call}(${(args[call] ?? [slot]).join(", ")}) ${form}`;
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

interface Outcome {
  readonly code: string;
  readonly value?: unknown;
}

/** What a chain knows of a cell. */
interface Cell {
  value: string;
  /** What the store has had in its place when the value did not come to it. */
  older: Set<string>;
  /** Pages were dropped since: it may be read from the store. */
  mayBeOld: boolean;
}

interface Opened {
  readonly fd: number;
  readonly file: number;
  readonly isSynced: boolean;
}

class Run {
  readonly #calls: readonly WriteBackCall[];
  readonly #planted: (call: WriteBackCall, answer: string) => string;
  readonly #seed: number;
  readonly #scheduler: Scheduler;
  readonly #held: HeldStore;
  readonly #fs: FolioFs;
  readonly #order = new Linearizer(toldErrors(NR_FILES));
  /** Numbers of files at the store. */
  readonly #inos: number[] = [];
  readonly #cells: Cell[][];
  readonly #slots = new Map<string, Opened>();
  /** What has failed while calls are under way, by the file they are about; undefined = all. */
  readonly #met = new Set<{ readonly file: number | undefined; readonly codes: Set<string> }>();
  readonly #pairs = new Set<string>();
  #nrIds = 0;
  #nrCalls = 0;
  #nrFailed = 0;
  #isFailing = false;
  /** A synchronous call is being made: the store answers at once. */
  #isNow = false;
  #wrong: string | undefined;

  constructor(seed: number, calls: readonly WriteBackCall[], options: WriteBackOptions) {
    this.#seed = seed;
    this.#calls = calls;
    this.#planted = options.plantAnswers?.() ?? ((_call, answer) => answer);
    const random = seededRandom(seed);
    this.#scheduler = new Scheduler((names) => random(names.length));
    this.#held = new HeldStore({
      hold: (name) => this.#scheduler.hold(name),
      hasSyncHalf: true,
      plan: (call) => this.#plan(call),
      answered: (call, answer) => this.#note(call, answer),
    });
    this.#fs = createFsSync({
      memoryLimit: LIMIT_BYTES,
      now: () => NOW,
      shared: options.isShared === true,
      types: [this.#held.type],
    });
    this.#fs.mkdirSync("/m");
    this.#mount();
    const first = FIRST_CELL.repeat(NR_CELLS);
    for (let file = 0; file < NR_FILES; file++) {
      this.#fs.writeFileSync(pathOf(file), bytesOfCells(first));
      this.#inos.push(Number(this.#fs.statSync(pathOf(file)).ino));
    }
    this.#cells = this.#inos.map(() => Array.from(first, (value) => ({ value, older: new Set(), mayBeOld: false })));
    this.#fs.kernel.sync();
    this.#fs.kernel.dropCaches(ALL_CACHES);
    this.#order.end(this.#start({ what: "open", slot: SHARED, file: SHARED_FILE }), DONE);
    this.#slots.set(SHARED, { fd: this.#fs.openSync(pathOf(SHARED_FILE), O_RDWR), file: SHARED_FILE, isSynced: false });
    this.#held.isQuick = false;
    this.#isFailing = true;
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
    const so = { nrCalls: this.#nrCalls, nrFailed: this.#nrFailed, pairs: this.#pairs };
    return this.#wrong === undefined ? so : { ...so, finding: this.#wrong };
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
    for (let at = Math.floor(start / CELL_BYTES); at * CELL_BYTES < last; at++) {
      const cell = this.#cells[file][at];
      if (stored[at] === cell.value) cell.older.clear();
      else cell.older.add(stored[at]);
    }
    if (isFailed) this.#noteFailure(file, answer === -errno.ENOSPC ? ENOSPC : EIO);
  }

  #noteFailure(file: number, code: string): void {
    this.#nrFailed++;
    for (const met of this.#met) if (met.file === undefined || met.file === file) met.codes.add(code);
    const id = this.#start({ what: "fail", file, code });
    const end = (): void => void this.#order.end(id, DONE);
    if (this.#isNow) end();
    else setImmediate(end); // by then the answer has come to whoever has asked
  }

  #start(call: ToldCall): number {
    const id = this.#nrIds++;
    this.#order.start(id, call);
    return id;
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
      await this.#call({ ...LAST_CALL, call: "open", file, slot: file });
      await this.#call({ ...LAST_CALL, call: "fsync", file, slot: file });
      await this.#call({ ...LAST_CALL, call: "syncfs", file, slot: file });
      await this.#call({ ...LAST_CALL, call: "close", file, slot: file });
    }
    for (const { fd } of this.#slots.values()) this.#fs.closeSync(fd);
    await this.#lookAtAll("in the end");
    await this.#fs.kernel.umountAsync("/m");
    for (const cell of this.#cells.flat()) cell.mayBeOld = true;
    this.#mount();
    await this.#lookAtAll("mounted anew");
    await this.#fs.kernel.umountAsync("/m");
  }

  async #lookAtAll(when: string): Promise<void> {
    for (let file = 0; file < NR_FILES; file++) {
      const bytes = (await this.#fs.promises.readFile(pathOf(file))) as Buffer;
      this.#compare(`file ${file} ${when}`, this.#cells[file], cellsOf(bytes));
    }
  }

  // --- Calls ------------------------------------------------------------------------------------------------------------

  async #chain(task: number): Promise<void> {
    for (const call of this.#calls.filter((one) => one.task === task)) {
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
    if (call.call === "sync") return this.#sync(call);
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
    const fd = await this.#tell(call, { what: "open", slot, file }, () => this.#ask(call, "open", pathOf(file), flags));
    if (typeof fd === "number") this.#slots.set(slot, { fd, file, isSynced });
  }

  async #close(call: WriteBackCall, slot: string, { fd }: Opened): Promise<void> {
    this.#slots.delete(slot);
    await this.#tell(call, { what: "close", slot }, () => this.#ask(call, "close", fd));
  }

  /** Syncs a file, or the file system that it is in. */
  async #tellErrors(call: WriteBackCall, slot: string, { fd, file }: Opened): Promise<void> {
    const { kernel } = this.#fs;
    const range: typeof syncfs = (k, f) => syncFileRange(k, f, 0, 0, WHOLE_RANGE);
    if (call.call === "syncfs") {
      await this.#tell(call, { what: "sync all", slot }, () => kernel.callFile(fd, syncfs));
    } else if (call.call === "range") {
      await this.#tellOfFile(call, slot, file, () => kernel.callFile(fd, range));
    } else await this.#tellOfFile(call, slot, file, () => this.#ask(call, call.call, fd));
  }

  /** What fails while the file system is written is told, and then by files and syncfs all the same. */
  async #sync(call: WriteBackCall): Promise<void> {
    const codes = new Set([DONE]);
    const { code } = await this.#meeting(undefined, codes, () => this.#made(call, () => this.#fs.kernel.syncAsync()));
    if (!codes.has(code)) this.#find(`sync answers ${code}, and there was ${[...codes].join(", ")}`);
  }

  #dropPages(): void {
    for (const cell of this.#cells.flat()) cell.mayBeOld ||= cell.older.size > 0;
    this.#fs.kernel.dropCaches(PAGES_ONLY);
  }

  async #write(call: WriteBackCall, slot: string, { fd, file, isSynced }: Opened): Promise<void> {
    const bytes = bytesOfCells(call.cell.repeat(call.length));
    const cells = this.#cellsOf(call, file);
    const before = cells.map(({ value }) => value);
    for (const cell of cells) cell.value = call.cell;
    const make = (): unknown => this.#ask(call, "write", fd, bytes, 0, bytes.length, positionOf(call));
    const written = isSynced ? await this.#tellOfFile(call, slot, file, make) : await this.#plain(call, make);
    // Who was told of an error, or of EAGAIN, may have written.
    const nrSure = typeof written === "number" ? written / CELL_BYTES : 0;
    for (const [i, cell] of cells.entries()) {
      if (i < nrSure) continue;
      cell.older.add(before[i]);
      cell.mayBeOld = true;
    }
  }

  async #read(call: WriteBackCall, { fd, file }: Opened): Promise<void> {
    const buffer = Buffer.alloc(call.length * CELL_BYTES);
    const make = (): unknown => this.#ask(call, "read", fd, buffer, 0, buffer.length, positionOf(call));
    const n = await this.#plain(call, make);
    if (typeof n !== "number") return;
    if (n !== buffer.length && call.form !== "sync") this.#find(`${showWriteBack(call)} is short: ${n}`);
    this.#compare(showWriteBack(call), this.#cellsOf(call, file), cellsOf(buffer.subarray(0, n)));
  }

  #compare(what: string, cells: readonly Cell[], got: string): void {
    for (const [i, one] of [...got].entries()) {
      const { value, older, mayBeOld } = cells[i];
      if (one === value || (mayBeOld && older.has(one))) continue;
      this.#find(`${what} reads ${got}: cell ${i} should be ${[value, ...(mayBeOld ? older : [])].join(" or ")}`);
    }
  }

  #cellsOf({ task, at, length }: WriteBackCall, file: number): Cell[] {
    const first = task * CELLS_A_CHAIN + at;
    return this.#cells[file].slice(first, first + length);
  }

  // --- What calls answer ------------------------------------------------------------------------------------------------

  /** A call of the face in its form. */
  #ask({ form }: WriteBackCall, name: string, ...args: unknown[]): unknown {
    const face = this.#fs as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>;
    if (form !== "sync") {
      return new Promise((resolve, reject) => {
        face[name](...args, (error: Error | null, value: unknown) => (error ? reject(error) : resolve(value)));
      });
    }
    this.#isNow = true;
    try {
      return face[`${name}Sync`](...args);
    } finally {
      this.#isNow = false;
    }
  }

  async #made(call: WriteBackCall, make: () => unknown): Promise<Outcome> {
    this.#nrCalls++;
    const { code, value } = await outcomeOf(make);
    const answer = this.#planted(call, code);
    this.#pairs.add(`${call.call} ${answer}`);
    return { code: answer, value };
  }

  /** Notes what fails of a file, or of all, while a call is made. */
  async #meeting<T>(file: number | undefined, codes: Set<string>, make: () => Promise<T>): Promise<T> {
    const met = { file, codes };
    this.#met.add(met);
    try {
      return await make();
    } finally {
      this.#met.delete(met);
    }
  }

  #tellOfFile(call: WriteBackCall, slot: string, file: number, make: () => unknown): Promise<unknown> {
    const met = new Set<string>();
    return this.#meeting(file, met, () => this.#tell(call, { what: "sync file", slot, met }, make));
  }

  /** Makes a call that tells what has failed, or is about who is told. @returns what comes of it when it is done */
  async #tell(call: WriteBackCall, asked: ToldCall, make: () => unknown): Promise<unknown> {
    const id = this.#start({ ...asked, mayEagain: call.form === "sync" });
    const { code, value } = await this.#made(call, make);
    const possible = this.#order.possible(id);
    if (!this.#order.end(id, code))
      this.#find(`${showWriteBack(call)} answers ${code}, and should have told ${possible.join(" or ")}`);
    return code === DONE ? value : undefined;
  }

  /** Makes a call that has nothing to tell. @returns what comes of it; undefined where it would have had to wait */
  async #plain(call: WriteBackCall, make: () => unknown): Promise<unknown> {
    const { code, value } = await this.#made(call, make);
    if (code === DONE) return value;
    if (code !== EAGAIN || call.form !== "sync") this.#find(`${showWriteBack(call)} answers ${code}`);
    return undefined;
  }
}

async function outcomeOf(make: () => unknown): Promise<Outcome> {
  try {
    const made = make();
    return { code: DONE, value: made instanceof Promise ? await made : made };
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? String(error) };
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
