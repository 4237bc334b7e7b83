/**
 * Random work by several chains of calls, some of promises and some synchronous, over a store whose answers a seeded scheduler
 * puts in order; and what has to come of it, whatever fails.
 *
 * Each chain has a directory of its own, whose contents its model knows, and bytes of its own in a file that all write to. An
 * answer that the model does not expect must be the error of a failure that has come meanwhile and that nobody has been told of.
 *
 * Does not own: the store (fault-store.ts).
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import * as errno from "../../src/base/errno.ts";
import type { DiskNode } from "../../src/fuzz/schedule/disk.ts";
import { createFsSync, type FolioFs } from "../../src/index.ts";
import {
  SYNC_FILE_RANGE_WAIT_AFTER,
  SYNC_FILE_RANGE_WAIT_BEFORE,
  SYNC_FILE_RANGE_WRITE,
  syncFileRange,
  syncfs,
} from "../../src/store.ts";
import { type Failure, FaultStore } from "./fault-store.ts";
import { turn } from "./mock-backing.ts";
import { type Random, seededRandom } from "./random.ts";

/** The clock stands still: with it, and without a flusher that comes by when it likes, a seed gives the same run again. */
const NOW = 1_700_000_000_000;
/** Outcomes that come late in a turn of the event loop go through the next (node/settle.ts): all are in before the next choice. */
const TURNS = 4;
const NR_CHAINS = 3;
const NAMES = ["a", "b", "c"];
const NR_FDS = 2;
const SHARED_PAGES = 6;
/** What no call answers: who syncs is told of the first, and whoever reads asks again after the second. */
const UNTOLD = ["writePages", "readahead", "evictInode"];
const STRIPE = 512;
const MAX_SIZE = 5 * 4096;
const RANGE_SYNC = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

/** Weights: what is written and synced most often counts most. */
const WEIGHTS = {
  open: 6,
  pwrite: 8,
  append: 3,
  writev: 2,
  pread: 4,
  shared: 6,
  sharedRead: 3,
  ftruncate: 2,
  truncate: 2,
  rename: 2,
  unlink: 2,
  link: 2,
  mkdir: 1,
  rmdir: 1,
  readdir: 1,
  chmod: 2,
  utimes: 1,
  fsync: 4,
  fdatasync: 2,
  sync: 1,
  syncfs: 1,
  range: 1,
  fadvise: 1,
  close: 3,
  drop: 1,
  busy: 1,
  abortRead: 1,
  abortWrite: 1,
  shrink: 2,
} as const;
type What = keyof typeof WEIGHTS;

export interface Step {
  readonly what: What;
  readonly chain: number;
  readonly a: number;
  readonly b: number;
  readonly at: number;
  readonly length: number;
}

const NR_WEIGHTS = Object.entries(WEIGHTS).flatMap(([what, weight]) => Array<What>(weight).fill(what as What));

export const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(...NR_WEIGHTS),
  chain: fc.nat(NR_CHAINS - 1),
  a: fc.nat(NAMES.length - 1),
  b: fc.nat(NAMES.length - 1),
  at: fc.nat(MAX_SIZE / 2),
  length: fc.integer({ min: 1, max: MAX_SIZE / 2 }),
});

/** The steps of a seed. */
export function scriptOf(seed: number, nr: number): Step[] {
  return fc.sample(fc.array(step, { minLength: nr, maxLength: nr }), { seed, numRuns: 1 })[0];
}

interface Model {
  ino: number;
  data: Buffer;
  mode: number;
  mtimeSec: number | undefined;
  /** An aborted call may have written to it. */
  isUnknown: boolean;
}

/** An open file, and the failures of writeback that it is to be told of, or may be. */
interface Open {
  readonly fd: number;
  readonly ino: number;
  readonly model: Model | undefined;
  owed: Set<Failure>;
  readonly maybe: Set<Failure>;
  owedSb: Set<Failure>;
  readonly maybeSb: Set<Failure>;
}

class Chain {
  readonly nr: number;
  readonly dir: string;
  readonly isSync: boolean;
  readonly names = new Map<string, Model>();
  readonly fds: (Open | undefined)[] = Array(NR_FDS).fill(undefined);
  readonly steps: Step[];
  shared!: Open;
  /** Number of its directory. */
  ino = 0;
  hasSub = false;
  byte: number;

  constructor(nr: number, steps: Step[]) {
    this.nr = nr;
    this.dir = `/m/c${nr}`;
    this.isSync = nr === NR_CHAINS - 1;
    this.steps = steps;
    this.byte = nr;
  }
}

type Code = string | undefined;
interface Outcome<T> {
  code: Code;
  value: T | undefined;
  /** Failures from here on have come during the call or after it. */
  before: number;
}

export class FaultRun {
  readonly store = new FaultStore();
  readonly fs: FolioFs;
  readonly chains: Chain[];
  readonly shared = Buffer.alloc(SHARED_PAGES * 4096);
  /** Failures that a call has answered. */
  readonly told = new Map<Failure, number>();
  /** Calls of the store that an aborted call may have made: nobody is told of them. */
  readonly #orphans: { from: number; to: number }[] = [];
  readonly #opens = new Set<Open>();
  /** Failures by ino of which no open file has been told. */
  readonly #untold = new Map<number, Set<Failure>>();
  /** Those of files that nobody had open since: they may have left memory, and all that had failed is forgotten then. */
  readonly #faded = new Set<Failure>();
  #nrNoted = 0;
  /** Calls of sync and syncfs that are under way, and what has failed meanwhile. */
  #nrSyncs = 0;
  readonly #duringSync = new Set<Failure>();
  readonly #wakes: (() => void)[] = [];
  readonly #next: Random;

  constructor(steps: Step[], seed: number) {
    this.#next = seededRandom(seed);
    this.fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [this.store.type], now: () => NOW });
    this.fs.mkdirSync("/m");
    this.#mount();
    if (this.fs.kernel.vm) this.fs.kernel.vm.dirty_writeback_centisecs = 0;
    this.chains = Array.from(
      { length: NR_CHAINS },
      (_, nr) =>
        new Chain(
          nr,
          steps.filter(({ chain }) => chain === nr),
        ),
    );
    for (const chain of this.chains) {
      this.fs.mkdirSync(chain.dir);
      chain.ino = Number(this.fs.statSync(chain.dir).ino);
    }
    this.fs.writeFileSync("/m/shared", this.shared);
    for (const chain of this.chains) chain.shared = this.#opened(this.fs.openSync("/m/shared", "r+"), undefined, 0);
    this.fs.kernel.sync();
    this.store.calls.length = 0;
  }

  #mount(): void {
    this.fs.kernel.mount({ type: "heldfs", target: "/m" });
  }

  // --- The scheduler ----------------------------------------------------------------------------------------------------

  #gate(): Promise<void> {
    return new Promise((resolve) => this.#wakes.push(resolve));
  }

  /** Wakes and answers in an order of the seed until `work` is over. */
  async drive<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = work.finally(() => {
      isOver = true;
    });
    over.catch(() => {});
    for (let idle = 0; !isOver; ) {
      for (let i = 0; i < TURNS; i++) await turn();
      this.#note();
      const nr = this.#wakes.length + this.store.waiting.length;
      if (nr === 0) {
        assert.ok(++idle < 50, `nothing goes on, after ${this.store.calls.slice(-3)}`);
        continue;
      }
      idle = 0;
      const chosen = this.#next(nr);
      if (chosen < this.#wakes.length) this.#wakes.splice(chosen, 1)[0]();
      else this.store.answer(chosen - this.#wakes.length);
      this.#note();
    }
    return over;
  }

  /** Open files are to be told of what has failed since the last look. */
  #note(): void {
    const { failures } = this.store;
    for (; this.#nrNoted < failures.length; this.#nrNoted++) {
      const failure = failures[this.#nrNoted];
      if (this.#nrSyncs > 0) this.#duringSync.add(failure);
      if (failure.operation !== "writePages" || failure.fault === "short") continue;
      for (const open of this.#opens) {
        open.owedSb.add(failure);
        if (open.ino === failure.ino) open.owed.add(failure);
      }
      const untold = this.#untold.get(failure.ino) ?? new Set();
      this.#untold.set(failure.ino, untold.add(failure));
    }
  }

  // --- Calls ------------------------------------------------------------------------------------------------------------

  /** Makes a call in the chain's manner: at once, or with a callback. */
  async #call<T>(
    chain: Chain,
    now: () => T,
    later: (done: (error: NodeJS.ErrnoException | null, value?: T) => void) => void,
  ): Promise<Outcome<T>> {
    this.#note();
    const before = this.store.failures.length;
    try {
      const value = chain.isSync
        ? now()
        : await new Promise<T>((resolve, reject) => later((error, got) => (error ? reject(error) : resolve(got as T))));
      return { code: undefined, value, before };
    } catch (error) {
      return { code: codeOf(error), value: undefined, before };
    } finally {
      this.#note();
    }
  }

  async #promised<T>(call: Promise<T>): Promise<Outcome<T>> {
    this.#note();
    const before = this.store.failures.length;
    try {
      return { code: undefined, value: await call, before };
    } catch (error) {
      return { code: codeOf(error), value: undefined, before };
    } finally {
      this.#note();
    }
  }

  /** Is the answer as the model has it? @returns whether the call has been made */
  #check(chain: Chain, what: string, { code, before }: Outcome<unknown>, expected?: Code): boolean {
    if (code === expected) return code === undefined;
    if (chain.isSync && code === "EAGAIN") return false; // a promise call has what it needs
    const failure = this.#explain(chain, code, before, what);
    assert.ok(failure, `${what} of chain ${chain.nr}: ${code ?? "done"}, not ${expected ?? "done"}`);
    return false;
  }

  /** A failure of the call, of which nobody has been told. Many readers may wait for one page. */
  #explain(chain: Chain, code: Code, before: number, what: string): Failure | undefined {
    const isOfAll = what === "sync" || what === "syncfs";
    const found = this.store.failures
      .slice(before)
      .filter(
        (one) =>
          !UNTOLD.includes(one.operation) &&
          codeOfFault(one) === code &&
          (isOfAll || this.#isOf(chain, one)) &&
          (one.operation === "writeInode") === (isOfAll || what.endsWith("sync")) &&
          (!this.told.has(one) || one.operation === "readPage"),
      );
    const own = found.filter((one) => !this.#isOrphan(one));
    const failure = own.findLast((one) => !this.told.has(one)) ?? own[0] ?? found[0]; // it ends with its last call
    if (!failure) return undefined;
    this.told.set(failure, (this.told.get(failure) ?? 0) + 1);
    this.#explainLookups(chain, before);
    return failure;
  }

  /** A walk that begins anew, since names were dropped, and fails earlier then, is not told of where it had failed before. */
  #explainLookups(chain: Chain, before: number): void {
    for (const one of this.store.failures.slice(before)) {
      const isOfIt = (one.operation === "lookup" || one.operation === "iterate") && one.owner === chain.ino;
      if (isOfIt && !this.told.has(one)) this.told.set(one, 1);
    }
  }

  /** May it be of a call that has been aborted? */
  #isOrphan({ nr }: Failure): boolean {
    return this.#orphans.some(({ from, to }) => nr >= from && nr < to);
  }

  /** Other chains have directories of their own. */
  #isOf(chain: Chain, { owner }: Failure): boolean {
    return !this.chains.some((other) => other !== chain && other.ino === owner);
  }

  #opened(fd: number, model: Model | undefined, before: number): Open {
    const ino = Number(this.fs.fstatSync(fd).ino);
    if (model) model.ino = ino;
    const since = this.store.failures
      .slice(before)
      .filter((one) => one.operation === "writePages" && one.fault !== "short");
    const ofIt = since.filter((one) => one.ino === ino);
    const untold = [...(this.#untold.get(ino) ?? [])].filter((one) => !ofIt.includes(one));
    const isKept = [...this.#opens].some((one) => one.ino === ino);
    if (!isKept) for (const one of untold) this.#faded.add(one);
    const owed = new Set(untold.filter((one) => !this.#faded.has(one)));
    const maybe = new Set([...ofIt, ...untold]);
    const open: Open = { fd, ino, model, owed, maybe, owedSb: new Set(), maybeSb: new Set(this.store.failures) };
    this.#opens.add(open);
    return open;
  }

  /** What a sync of an open file has answered is what it was owed. */
  #checkSync(chain: Chain, what: string, open: Open, outcome: Outcome<void>, isWhole: boolean): void {
    const { code, before } = outcome;
    if (chain.isSync && code === "EAGAIN") return;
    const owed = isWhole ? open.owedSb : open.owed;
    const maybe = isWhole ? open.maybeSb : open.maybe;
    const old = [...owed].filter((one) => this.store.failures.indexOf(one) < before);
    const during = [...owed].filter((one) => this.store.failures.indexOf(one) >= before);
    const codes = new Set([...owed, ...maybe].map(codeOfFault));
    if (code === undefined) assert.equal(old.length, 0, `${what} has not told of ${JSON.stringify(old)}`);
    else if (!codes.has(code)) {
      this.#check(chain, what, outcome); // of its attributes
      for (const one of old) maybe.add(one);
    }
    for (const one of old) owed.delete(one);
    if (!isWhole) for (const one of old) this.#untold.get(open.ino)?.delete(one);
    if (code === undefined) return;
    const isExplained = old.some((one) => codeOfFault(one) === code);
    if (!isWhole) this.#untold.delete(open.ino);
    if (!isExplained && during.length === 1) owed.delete(during[0]);
    else for (const one of during) if (owed.delete(one)) maybe.add(one);
    if (!isExplained && during.length === 0) maybe.clear();
  }

  // --- Steps ------------------------------------------------------------------------------------------------------------

  async work(): Promise<void> {
    await this.drive(Promise.all(this.chains.map((chain) => this.#workOf(chain))));
  }

  async #workOf(chain: Chain): Promise<void> {
    for (const one of chain.steps) {
      await this.#gate();
      await this.#take(chain, one);
    }
  }

  #fill(chain: Chain, length: number): Buffer {
    chain.byte = ((chain.byte + NR_CHAINS) % 251) + 1;
    return Buffer.alloc(length, chain.byte);
  }

  async #take(chain: Chain, one: Step): Promise<void> {
    const { fs } = this;
    const path = `${chain.dir}/${NAMES[one.a]}`;
    const to = `${chain.dir}/${NAMES[one.b]}`;
    const model = chain.names.get(NAMES[one.a]);
    const other = chain.names.get(NAMES[one.b]);
    const open = chain.fds[one.b % NR_FDS];
    switch (one.what) {
      case "open":
        return this.#open(chain, one, path);
      case "pwrite":
      case "append":
      case "writev":
      case "shrink":
        return open && this.#write(chain, one, open);
      case "pread":
        return open && this.#read(chain, one, open);
      case "shared":
        return this.#writeShared(chain, one);
      case "sharedRead":
        return this.#readShared(chain, one);
      case "ftruncate": {
        if (!open?.model) return;
        const done = await this.#call(
          chain,
          () => fs.ftruncateSync(open.fd, one.at),
          (cb) => fs.ftruncate(open.fd, one.at, cb),
        );
        if (this.#check(chain, "ftruncate", done)) cut(open.model, one.at);
        return;
      }
      case "truncate": {
        const done = await this.#call(
          chain,
          () => fs.truncateSync(path, one.at),
          (cb) => fs.truncate(path, one.at, cb),
        );
        if (this.#check(chain, "truncate", done, model ? undefined : "ENOENT") && model) cut(model, one.at);
        return;
      }
      case "rename": {
        const done = await this.#call(
          chain,
          () => fs.renameSync(path, to),
          (cb) => fs.rename(path, to, cb),
        );
        if (!this.#check(chain, "rename", done, model ? undefined : "ENOENT") || !model || model === other) return;
        chain.names.delete(NAMES[one.a]);
        chain.names.set(NAMES[one.b], model);
        return;
      }
      case "unlink": {
        const done = await this.#call(
          chain,
          () => fs.unlinkSync(path),
          (cb) => fs.unlink(path, cb),
        );
        if (this.#check(chain, "unlink", done, model ? undefined : "ENOENT")) chain.names.delete(NAMES[one.a]);
        return;
      }
      case "link": {
        const expected = !model ? "ENOENT" : other ? "EEXIST" : undefined;
        const done = await this.#call(
          chain,
          () => fs.linkSync(path, to),
          (cb) => fs.link(path, to, cb),
        );
        if (this.#check(chain, "link", done, expected) && model) chain.names.set(NAMES[one.b], model);
        return;
      }
      case "mkdir": {
        const sub = `${chain.dir}/sub`;
        const done = await this.#call(
          chain,
          () => void fs.mkdirSync(sub),
          (cb) => fs.mkdir(sub, (error) => cb(error)),
        );
        if (this.#check(chain, "mkdir", done, chain.hasSub ? "EEXIST" : undefined)) chain.hasSub = true;
        return;
      }
      case "rmdir": {
        const sub = `${chain.dir}/sub`;
        const done = await this.#call(
          chain,
          () => fs.rmdirSync(sub),
          (cb) => fs.rmdir(sub, cb),
        );
        if (this.#check(chain, "rmdir", done, chain.hasSub ? undefined : "ENOENT")) chain.hasSub = false;
        return;
      }
      case "readdir": {
        const done = await this.#call(
          chain,
          () => fs.readdirSync(chain.dir),
          (cb) => fs.readdir(chain.dir, cb),
        );
        if (this.#check(chain, "readdir", done)) assert.deepEqual(done.value?.slice().sort(), namesOf(chain));
        return;
      }
      case "chmod": {
        const mode = 0o600 + (one.at % 64);
        const done = await this.#call(
          chain,
          () => fs.chmodSync(path, mode),
          (cb) => fs.chmod(path, mode, cb),
        );
        if (this.#check(chain, "chmod", done, model ? undefined : "ENOENT") && model) model.mode = mode;
        return;
      }
      case "utimes": {
        const done = await this.#call(
          chain,
          () => fs.utimesSync(path, one.at, one.at),
          (cb) => fs.utimes(path, one.at, one.at, cb),
        );
        if (this.#check(chain, "utimes", done, model ? undefined : "ENOENT") && model) model.mtimeSec = one.at;
        return;
      }
      case "fsync":
      case "fdatasync": {
        const which = open ?? chain.shared;
        const done =
          one.what === "fsync"
            ? await this.#call(
                chain,
                () => fs.fsyncSync(which.fd),
                (cb) => fs.fsync(which.fd, cb),
              )
            : await this.#call(
                chain,
                () => fs.fdatasyncSync(which.fd),
                (cb) => fs.fdatasync(which.fd, cb),
              );
        this.#checkSync(chain, one.what, which, done, false);
        if (done.code === undefined && which.model) this.#expectStored(which.model);
        return;
      }
      case "range": {
        const which = open ?? chain.shared;
        const done = await this.#promised(
          fs.kernel.callFile(which.fd, (k, f) => syncFileRange(k, f, 0, 0, RANGE_SYNC)),
        );
        return this.#checkSync(chain, one.what, which, done, false);
      }
      case "syncfs": {
        this.#nrSyncs++;
        const done = await this.#promised(fs.kernel.callFile(chain.shared.fd, syncfs));
        this.#nrSyncs--;
        return this.#checkSync(chain, one.what, chain.shared, done, true);
      }
      case "sync": {
        this.#nrSyncs++;
        const done = await this.#promised(fs.kernel.syncAsync());
        this.#nrSyncs--;
        const isOfPages = this.store.failures
          .slice(done.before)
          .some((f) => f.operation === "writePages" && codeOfFault(f) === done.code);
        if (!isOfPages) this.#check(chain, "sync", done);
        if (done.code === undefined) for (const known of chain.names.values()) this.#expectStored(known);
        return;
      }
      case "fadvise":
        if (open) fs.kernel.fadviseSync(open.fd, one.at, one.length, one.at % 6);
        return;
      case "drop":
        return fs.kernel.dropCaches(one.at % 2 ? 1 : 3);
      case "busy": {
        const done = await this.#promised(fs.kernel.umountAsync("/m"));
        return void this.#check(chain, "umount", done, "EBUSY");
      }
      case "close":
        return this.#close(chain, one.b % NR_FDS);
      case "abortRead":
      case "abortWrite":
        return this.#abort(chain, one, path, model);
    }
  }

  async #open(chain: Chain, one: Step, path: string): Promise<void> {
    const slot = one.b % NR_FDS;
    await this.#close(chain, slot);
    const name = NAMES[one.a];
    const known = chain.names.get(name);
    const flags = known ? "r+" : "w+";
    const done = await this.#call(
      chain,
      () => this.fs.openSync(path, flags),
      (cb) => this.fs.open(path, flags, cb),
    );
    if (!this.#check(chain, "open", done)) {
      if (!known && done.code !== "EAGAIN") assert.equal(chain.names.has(name), false);
      return;
    }
    const model = known ?? { ino: 0, data: Buffer.alloc(0), mode: 0o644, mtimeSec: undefined, isUnknown: false };
    chain.names.set(name, model);
    chain.fds[slot] = this.#opened(done.value as number, model, done.before);
  }

  async #close(chain: Chain, slot: number): Promise<void> {
    const open = chain.fds[slot];
    if (!open) return;
    chain.fds[slot] = undefined;
    this.#opens.delete(open);
    const done = await this.#call(
      chain,
      () => this.fs.closeSync(open.fd),
      (cb) => this.fs.close(open.fd, cb),
    );
    assert.equal(done.code, undefined, `close of chain ${chain.nr}`);
  }

  async #write(chain: Chain, one: Step, { fd, model }: Open): Promise<void> {
    if (!model) return;
    const { fs } = this;
    const position = one.what === "append" ? model.data.length : one.at;
    if (position + one.length > MAX_SIZE) return;
    const bytes = this.#fill(chain, one.length);
    const given = one.what === "shrink" ? new Uint8Array(new ArrayBuffer(one.length)).fill(bytes[0]) : bytes;
    const half = one.length >> 1;
    const vector = [bytes.subarray(0, half), bytes.subarray(half)];
    const writing =
      one.what === "writev"
        ? this.#call(
            chain,
            () => fs.writevSync(fd, vector, position),
            (cb) => fs.writev(fd, vector, position, cb),
          )
        : this.#call(
            chain,
            () => fs.writeSync(fd, given, 0, given.length, position),
            (cb) => fs.write(fd, given, 0, one.length, position, cb),
          );
    if (one.what === "shrink" && !chain.isSync) {
      await this.#gate();
      structuredClone(given.buffer, { transfer: [given.buffer as ArrayBuffer] }); // detached: no byte is left of it
    }
    const done = await writing;
    if (one.what === "shrink" && done.code === "EFAULT") return;
    if (!this.#check(chain, one.what, done)) return;
    const n = done.value ?? 0;
    if (n < one.length) this.#explainShort(chain, one.what, done.before, one.what === "shrink");
    put(model, bytes.subarray(0, n), position);
  }

  /** Fewer bytes than asked for: the store has failed for the next one, which is as good as being told. */
  #explainShort(chain: Chain, what: string, before: number, isOfCaller = false): void {
    const found = this.store.failures
      .slice(before)
      .filter(
        (one) =>
          (one.operation === "writeBegin" || one.operation === "readPage") &&
          this.#isOf(chain, one) &&
          !this.told.has(one),
      );
    const failure = found.find((one) => !this.#isOrphan(one)) ?? found[0];
    if (failure) this.told.set(failure, 1);
    else assert.ok(isOfCaller || chain.isSync, `${what} of chain ${chain.nr} was short`); // a promise call may have the next page
  }

  /** A call of several reads or writes goes on after a short one, and is told of no failure: the store has worked then. */
  #explainPieces(ino: number, before: number): void {
    for (const one of this.store.failures.slice(before)) {
      const isOfIt = (one.operation === "writeBegin" || one.operation === "readPage") && one.ino === ino;
      if (isOfIt && !this.told.has(one)) this.told.set(one, 1);
    }
  }

  async #read(chain: Chain, one: Step, { fd, model }: Open): Promise<void> {
    if (!model || model.isUnknown) return;
    const buffer = Buffer.alloc(one.length);
    const done = await this.#call(
      chain,
      () => this.fs.readSync(fd, buffer, 0, one.length, one.at),
      (cb) => this.fs.read(fd, buffer, 0, one.length, one.at, cb),
    );
    if (!this.#check(chain, "pread", done)) return;
    const n = done.value ?? 0;
    const expected = model.data.subarray(one.at, one.at + one.length);
    const most = Math.min(n, expected.length);
    this.#assertKept(
      model.ino,
      buffer.subarray(0, most),
      expected.subarray(0, most),
      one.at,
      `pread of chain ${chain.nr}`,
    );
    if (this.#hasLost(model.ino)) {
      this.#explainPieces(model.ino, done.before);
      return; // its size may be the store's
    }
    assert.ok(n <= expected.length, `pread of chain ${chain.nr}: bytes behind the end`);
    if (n < expected.length) this.#explainShort(chain, "pread", done.before);
  }

  /** A stripe of the file that all write to. */
  async #writeShared(chain: Chain, one: Step): Promise<void> {
    const position = ((one.at % 16) * NR_CHAINS + chain.nr) * STRIPE;
    if (position >= this.shared.length) return;
    const bytes = this.#fill(chain, STRIPE);
    const { fd } = chain.shared;
    const done = await this.#call(
      chain,
      () => this.fs.writeSync(fd, bytes, 0, STRIPE, position),
      (cb) => this.fs.write(fd, bytes, 0, STRIPE, position, cb),
    );
    if (this.#check(chain, "shared", done)) this.shared.set(bytes.subarray(0, done.value), position);
  }

  /** Others may write their stripes meanwhile; ours are as we have written them. */
  async #readShared(chain: Chain, one: Step): Promise<void> {
    const position = ((one.at % 16) * NR_CHAINS + chain.nr) * STRIPE;
    if (position >= this.shared.length) return;
    const buffer = Buffer.alloc(STRIPE);
    const { fd } = chain.shared;
    const done = await this.#call(
      chain,
      () => this.fs.readSync(fd, buffer, 0, STRIPE, position),
      (cb) => this.fs.read(fd, buffer, 0, STRIPE, position, cb),
    );
    if (this.#check(chain, "sharedRead", done))
      this.#assertKept(chain.shared.ino, buffer, this.shared.subarray(position, position + STRIPE), position, "shared");
  }

  async #abort(chain: Chain, one: Step, path: string, model: Model | undefined): Promise<void> {
    if (chain.isSync || !model) return;
    const from = this.store.calls.length;
    const controller = new AbortController();
    const { signal } = controller;
    const { promises } = this.fs;
    const bytes = this.#fill(chain, one.length);
    const call: Promise<unknown> =
      one.what === "abortRead" ? promises.readFile(path, { signal }) : promises.writeFile(path, bytes, { signal });
    const calling = this.#promised(call);
    for (let n = one.at % 4; n > 0; n--) await this.#gate();
    controller.abort();
    const done = await calling;
    if (done.code !== undefined) this.#orphans.push({ from, to: this.store.calls.length });
    else this.#explainPieces(model.ino, done.before);
    if (done.code !== "ABORT_ERR" && done.code !== "AbortError") this.#check(chain, one.what, done);
    if (one.what === "abortRead") {
      if (done.code === undefined && !model.isUnknown && !this.#hasLost(model.ino))
        assertSame(done.value as Buffer, model.data, "readFile");
      return;
    }
    model.mtimeSec = undefined;
    if (done.code === undefined) {
      model.data = bytes;
      model.isUnknown = false;
    } else model.isUnknown = true;
  }

  // --- The end ----------------------------------------------------------------------------------------------------------

  /** What a sync that has succeeded leaves the store with. */
  #expectStored(model: Model): void {
    const node = this.store.disk.nodes.get(model.ino);
    if (!node || model.isUnknown) return;
    this.#assertStored(node, model.data);
  }

  #assertStored(node: DiskNode, data: Buffer): void {
    const length = Math.max(node.data.length, data.length);
    if (!this.#hasLost(node.ino)) assert.equal(node.data.length, data.length, `size of ${node.ino} at the store`);
    const [stored, wanted] = [Buffer.alloc(length), Buffer.alloc(length)];
    node.data.copy(stored);
    data.copy(wanted);
    this.#assertKept(node.ino, stored, wanted, 0, `inode ${node.ino} at the store`);
  }

  /** Bytes of a file from `position` on are the model's, but for those that could not be written: they may be older ones. */
  #assertKept(ino: number, got: Buffer, wanted: Buffer, position: number, what: string): void {
    const expected = Buffer.from(wanted);
    for (const { start, end } of this.#lostOf(ino)) {
      const [from, to] = [Math.max(0, start - position), Math.min(end - position, expected.length)];
      if (from < to) got.copy(expected, from, from, to);
    }
    assertSame(got, expected, what);
  }

  #lostOf(ino: number): Failure[] {
    return this.store.failures.filter(
      (one) => one.operation === "writePages" && one.ino === ino && one.fault !== "short",
    );
  }

  /** Syncs, closes, unmounts, mounts again: nothing is held, and the store has it all. */
  async end(): Promise<void> {
    const { fs, store } = this;
    store.plan = () => undefined;
    await this.drive(fs.kernel.syncAsync());
    for (const open of [...this.#opens]) await this.#lastSyncs(open);
    await this.drive(fs.kernel.syncAsync());
    fs.kernel.vfs.verify();
    for (const chain of this.chains) await this.drive(this.#expectCached(chain));
    await this.#drain();
    const [{ dirtied, dirty, written, cancelled }] = fs.kernel.bdi;
    const nrFailed = dirtied - dirty - written - cancelled;
    assert.equal(dirty, 0);
    if (!store.failures.some(({ operation }) => operation === "writePages")) assert.equal(nrFailed, 0);
    assert.equal(fs.kernel.vfs.pageReads.tokens.size, 0, "pages that somebody waits for");
    for (const open of [...this.#opens]) fs.closeSync(open.fd);
    await this.drive(fs.kernel.umountAsync("/m"));
    fs.kernel.vfs.verify();
    this.#checkTold();
    for (const chain of this.chains) this.#expectNames(chain);
    this.#assertStored(this.#nodeAt("shared"), this.shared);
    await this.#goOn();
    fs.kernel.destroy();
  }

  /** What was read ahead has come. */
  async #drain(): Promise<void> {
    while (this.store.waiting.length > 0) {
      this.store.answer(this.#next(this.store.waiting.length));
      await turn();
    }
  }

  async #lastSyncs(open: Open): Promise<void> {
    const { fs } = this;
    const chain = { nr: -1, isSync: false } as Chain;
    const fsync = () =>
      this.drive(
        this.#call<void>(
          chain,
          () => {},
          (cb) => fs.fsync(open.fd, cb),
        ),
      );
    this.#checkSync(chain, "last fsync", open, await fsync(), false);
    const again = await fsync();
    assert.equal(again.code, undefined, "a failure was told twice");
  }

  async #expectCached(chain: Chain): Promise<void> {
    for (const [name, { data, isUnknown }] of chain.names)
      if (!isUnknown) {
        const got = await this.fs.promises.readFile(`${chain.dir}/${name}`);
        const node = this.#nodeAt(`c${chain.nr}/${name}`);
        if (!this.#hasLost(node.ino)) assertSame(got, data, `${chain.dir}/${name}`);
      }
  }

  #hasLost(ino: number): boolean {
    return this.#lostOf(ino).length > 0;
  }

  /** Attributes that could not be written when their inode left memory are lost, and that is counted. */
  #isEndLost(ino: number): boolean {
    const isFailed = this.store.failures.some((one) => one.operation === "writeInode" && one.ino === ino);
    return isFailed && this.fs.kernel.vmstat().end_failed > 0;
  }

  #nodeAt(path: string): DiskNode {
    const node = this.store.at(path);
    assert.ok(node, `the store has no ${path}`);
    return node;
  }

  #expectNames(chain: Chain): void {
    const dir = `c${chain.nr}`;
    assert.deepEqual([...(this.#nodeAt(dir).children?.keys() ?? [])].sort(), namesOf(chain));
    for (const [name, model] of chain.names) {
      const node = this.#nodeAt(`${dir}/${name}`);
      if (!model.isUnknown) this.#assertStored(node, model.data);
      if (!this.#isEndLost(node.ino)) assert.equal(node.mode & 0o777, model.mode, `mode of ${name}`);
      assert.equal(node.nlink, [...chain.names.values()].filter((one) => one === model).length, `links of ${name}`);
    }
  }

  /** Each failure has come to whom it should. */
  #checkTold(): void {
    for (const failure of this.store.failures) {
      const { operation, nr, fault } = failure;
      if (fault === "short" || UNTOLD.includes(operation)) continue;
      if (this.#isOrphan(failure)) continue;
      const times = this.told.get(failure) ?? 0;
      const isTold =
        operation === "readPage"
          ? times >= 1
          : operation === "writeInode"
            ? this.#isInodeTold(failure, times)
            : times === 1;
      assert.ok(isTold, `call ${nr} (${operation}) failed, and was told of ${times} times`);
    }
    if (this.store.failures.some(({ operation }) => operation === "evictInode"))
      assert.ok(this.fs.kernel.vmstat().end_failed > 0, "an inode's end has failed, and was not counted");
  }

  /**
   * Attributes that were not written stay dirty. Where pages fail, too, their error is told first; inodes that go are
   * counted; and a sync that is made again for the next inode's answer asks anew, and has them written.
   */
  #isInodeTold(failure: Failure, times: number): boolean {
    if (this.#duringSync.has(failure)) return times <= 1;
    // A synchronous call cannot wait for who writes the inode, and has written it itself: nothing is left to be told of.
    const meanwhile = this.store.calls.slice(failure.nr + 1, failure.nrCalls);
    if (meanwhile.includes(`writeInode ${failure.ino}`)) return times <= 1;
    const isAlone = this.store.failures.length === 1 && this.fs.kernel.vmstat().end_failed === 0;
    return isAlone ? times === 1 : times <= 1;
  }

  /** The store works again: so does all that is mounted anew. */
  async #goOn(): Promise<void> {
    const { fs } = this;
    this.#mount();
    const bytes = Buffer.alloc(5000, 77);
    const files = this.chains.flatMap((chain) => [...chain.names.keys(), "new"].map((name) => `${chain.dir}/${name}`));
    for (const path of files) await this.drive(fs.promises.writeFile(path, bytes));
    await this.drive(fs.kernel.syncAsync());
    await this.drive(fs.kernel.umountAsync("/m"));
    for (const { nr } of this.chains)
      for (const name of this.#nodeAt(`c${nr}`).children?.keys() ?? []) {
        const { data, children } = this.#nodeAt(`c${nr}/${name}`);
        if (!children) assertSame(data, bytes, "a file that was written anew");
      }
    fs.kernel.vfs.verify();
  }
}

function namesOf(chain: Chain): string[] {
  return [...chain.names.keys(), ...(chain.hasSub ? ["sub"] : [])].sort();
}

function cut(model: Model, size: number): void {
  const data = Buffer.alloc(size);
  model.data.copy(data);
  model.data = data;
}

function put(model: Model, bytes: Buffer, position: number): void {
  if (bytes.length === 0) return;
  if (model.data.length < position + bytes.length) cut(model, position + bytes.length);
  model.data.set(bytes, position);
}

function assertSame(got: Buffer, expected: Buffer, what: string): void {
  if (got.equals(expected)) return;
  const at = got.findIndex((byte, i) => byte !== expected[i]);
  assert.fail(`${what}: ${got.length} bytes, not ${expected.length}; at ${at} ${got[at]}, not ${expected[at]}`);
}

function codeOf(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  return typeof code === "string" ? code : name;
}

function codeOfFault({ fault }: Failure): string {
  if (typeof fault !== "number") return "EIO";
  if (fault === -errno.EDQUOT) return `Unknown system error ${fault}`; // libuv has no name for it, and so Node has none
  return Object.entries(errno).find(([, value]) => value === -fault)?.[0] ?? "?";
}
