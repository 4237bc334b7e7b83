/**
 * Random work on a backing device: several files, syncs of all kinds, faults, removals and evictions, of a store that answers
 * at once or in any order. After each sync that succeeds the store has what was in the cache when it began; no page is lost
 * without a word, and every failure is told once to every file that was open.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EIO } from "../../../src/base/errno.ts";
import { filemapFlushRange } from "../../../src/mm/writeback.ts";
import { syncfs } from "../../../src/vfs/generic-fsync.ts";
import { MockBacking, PAGE, turn } from "../../helpers/mock-backing.ts";

const NR_FILES = 3;
const NR_PAGES = 12;

const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant("dirty" as const), fc.nat(NR_FILES - 1), fc.nat(NR_PAGES - 1)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("flush" as const), fc.nat(NR_FILES - 1), fc.nat(0)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("fsync" as const), fc.nat(NR_FILES - 1), fc.nat(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("sync" as const), fc.nat(0), fc.nat(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("syncfs" as const), fc.nat(NR_FILES - 1), fc.nat(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("evict" as const), fc.nat(NR_FILES - 1), fc.nat(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("remove" as const), fc.nat(NR_FILES - 1), fc.nat(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("fork" as const), fc.nat(0), fc.nat(0)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant("answer" as const), fc.nat(5), fc.nat(0)) },
);

/** What the cache holds, as bytes by page. */
type Model = Map<number, number>[];

class Run {
  readonly store: MockBacking;
  readonly fds: number[] = [];
  readonly model: Model = [];
  readonly waiting: Promise<void>[] = [];
  byte = 0;

  constructor(isAsync: boolean) {
    this.store = new MockBacking({ isAsync });
    for (let file = 0; file < NR_FILES; file++) this.reopen(file);
  }

  reopen(file: number): void {
    this.fds[file] = this.store.open(`f${file}`);
    this.model[file] ??= new Map();
  }

  /** Each byte that is written is another, so that later ones are told from earlier: 1 to 255, and round. */
  dirty(file: number, index: number): void {
    this.byte = (this.byte % 255) + 1;
    this.model[file].set(index, this.byte);
    this.store.dirty(this.fds[file], index, 1, this.byte);
  }

  /** The store has what the model had, or what came later. */
  expectStored(file: number, model: Map<number, number>): void {
    const data = this.store.files.get(`f${file}`);
    for (const [index, byte] of model) {
      const stored = data?.[index * PAGE];
      const isLater = this.model[file].get(index) !== byte;
      assert.ok(stored === byte || isLater, `page ${index} of f${file}: ${stored}, not ${byte}`);
    }
  }

  async take([what, a, b]: [string, number, number]): Promise<void> {
    const { store, fds, model } = this;
    const { fs } = store;
    if (what === "dirty") this.dirty(a, b);
    if (what === "flush") filemapFlushRange(store.kernel, store.inodeOf(fds[a]), 0, Infinity);
    if (what === "answer" && store.pending.length > 0) store.pending.splice(a % store.pending.length, 1)[0].answer();
    if (what === "fork") fs.kernel.fork().vfs.verify();
    if (what === "fsync") {
      const before = new Map(model[a]);
      const synced = new Promise<void>((resolve, reject) => fs.fsync(fds[a], (e) => (e ? reject(e) : resolve())));
      this.waiting.push(synced.then(() => this.expectStored(a, before)));
    }
    if (what === "sync" || what === "syncfs") {
      const before = model.map((pages) => new Map(pages));
      const synced = what === "sync" ? fs.kernel.syncAsync() : fs.kernel.callFile(fds[a], syncfs);
      this.waiting.push(synced.then(() => before.forEach((pages, file) => void this.expectStored(file, pages))));
    }
    if (what === "evict" || what === "remove") {
      await this.settle(); // the file must be open as long as it is waited for
      if (what === "remove") {
        fs.unlinkSync(`/m/f${a}`);
        model[a].clear();
      }
      fs.closeSync(fds[a]);
      fs.kernel.dropCaches(2);
      await this.settle();
      this.expectStored(a, model[a]);
      this.reopen(a);
    }
    await turn();
    store.kernel.verify();
  }

  async settle(): Promise<void> {
    for (let isOver = false; !isOver; ) {
      const all = Promise.all(this.waiting).then(() => true);
      isOver = await Promise.race([all, this.store.answerAll().then(() => false)]);
    }
    this.waiting.length = 0;
    await this.store.answerAll();
  }
}

const runs = { numRuns: 60, ...(process.env.FOLIOFS_SEED && { seed: Number(process.env.FOLIOFS_SEED) }) };

for (const isAsync of [false, true]) {
  describe(`a store that answers ${isAsync ? "later, in any order" : "at once"}`, () => {
    it("has after each sync what was dirty when it began", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const run = new Run(isAsync);
          for (const one of steps) await run.take(one as [string, number, number]);
          await run.settle();
          const { dirtied, dirty, written, cancelled } = run.store.bdi.numbers();
          assert.equal(dirtied, dirty + written + cancelled);
          await run.take(["sync", 0, 0]);
          await run.settle();
          assert.equal(run.store.bdi.numbers().dirty, 0);
          assert.equal(run.store.bdi.hasDirtyInodes, false);
          run.store.fs.kernel.destroy();
        }),
        runs,
      );
    });

    it("that fails at any write is told of by each open file, once, and loses no other page", async () => {
      const faults = fc.array(fc.nat(30), { minLength: 1, maxLength: 4 });
      const pages = fc.array(fc.tuple(fc.nat(NR_FILES - 1), fc.nat(NR_PAGES - 1)), { minLength: 1, maxLength: 30 });
      await fc.assert(
        fc.asyncProperty(pages, faults, async (dirtied, failing) => {
          const run = new Run(isAsync);
          const { store, fds } = run;
          const others = fds.map((_, file) => store.open(`f${file}`));
          const failed = new Set<string>();
          let call = 0;
          store.verdict = (what, bytes) => {
            if (!failing.includes(call++)) return bytes;
            failed.add(what.split(" ")[0]);
            return -EIO;
          };
          dirtied.forEach(([file, index], i) => {
            run.dirty(file, index);
            if (i % 3 === 0) filemapFlushRange(store.kernel, store.inodeOf(fds[file]), 0, Infinity);
          });
          await store.answerAll();
          for (const fd of fds) filemapFlushRange(store.kernel, store.inodeOf(fd), 0, Infinity);
          await store.answerAll();
          store.verdict = undefined;
          const tell = (fd: number) =>
            new Promise<string>((resolve) => store.fs.fsync(fd, (error) => resolve(error?.code ?? "ok")));
          for (const list of [fds, others]) {
            for (const [file, fd] of list.entries()) {
              assert.equal(await tell(fd), failed.has(`f${file}`) ? "EIO" : "ok");
              assert.equal(await tell(fd), "ok");
            }
          }
          for (let file = 0; file < NR_FILES; file++) {
            if (!failed.has(`f${file}`)) run.expectStored(file, run.model[file]);
          }
          store.kernel.verify();
          store.fs.kernel.destroy();
        }),
        runs,
      );
    });
  });
}
