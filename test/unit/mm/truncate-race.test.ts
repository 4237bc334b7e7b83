/** Files that are cut while their pages are on the way: what a store had before the cut does not come back, whenever it answers. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { libfs } from "../../../src/index.ts";
import type { AddressSpaceOperations, ReadaheadControl } from "../../../src/mm/address-space.ts";
import { pageFlags } from "../../../src/mm/page.ts";
import { truncatePagecacheRange } from "../../../src/mm/truncate.ts";
import { ATTR_SIZE } from "../../../src/vfs/fs-type.ts";
import { PG_LOCKED } from "../../../src/wasm/layout.ts";
import { preadLater, type Scene, storeScene } from "../../helpers/mock-scene.ts";
import { PAGE, settled } from "../../helpers/mock-store.ts";

interface CutScene extends Scene {
  /** What the store has been asked for and has not answered: it answers with the bytes that it had when it was asked. */
  pending: { what: string; answer(): void }[];
  answer(what?: string): Promise<void>;
}

interface CutOptions {
  hasReadahead?: boolean;
  /** The store cuts at once, and says so later; else it does both at once. */
  cutsLater?: boolean;
}

/** A scene whose store reads as slowly as it likes, and whose file is open to read and write. */
function cutScene(length: number, { hasReadahead = false, cutsLater = false }: CutOptions = {}): CutScene {
  const pending: CutScene["pending"] = [];
  const later = (what: string, work: () => number): Promise<number> =>
    new Promise((resolve) => pending.push({ what, answer: () => resolve(work()) }));
  const read = (_cache: unknown, control: ReadaheadControl): Promise<number> => {
    const had = Buffer.from(contents().subarray(control.position, control.position + control.length));
    return later(`read ${control.position / PAGE}+${control.length / PAGE}`, () => {
      let at = 0;
      for (const view of control.views()) {
        view.fill(0xee);
        view.set(had.subarray(at, at + view.length));
        at += view.length;
      }
      return had.length;
    });
  };
  const mapping: AddressSpaceOperations = { readPage: read, ...(hasReadahead && { readahead: read }) };
  const all = storeScene(length, {
    hasReadahead,
    mapping,
    setattr(kernel, inode, attr) {
      if (!(attr.valid & ATTR_SIZE)) return 0;
      all.store.files.set("file", Buffer.concat([contents()], attr.size));
      const finish = (): number => libfs.simpleSetattr(kernel, inode, attr);
      if (!cutsLater || !kernel.mayWait) return finish();
      return later(`cut ${attr.size}`, () => 0).then(() => finish);
    },
  });
  const contents = (): Buffer => all.store.files.get("file") as Buffer;
  const fd = all.fs.openSync("/m/file", "r+");
  const answer = async (what?: string): Promise<void> => {
    const at = what === undefined ? 0 : pending.findIndex((one) => one.what === what);
    assert.ok(at >= 0 && at < pending.length, `${what} of ${pending.map((one) => one.what)}`);
    pending.splice(at, 1)[0].answer();
    await settled();
  };
  return { ...all, fd, pending, answer };
}

function call<T>(start: (done: (error: unknown, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => start((error, result) => (error ? reject(error) : resolve(result as T))));
}

function truncateLater({ fs, fd }: Scene, length: number): Promise<void> {
  return call((done) => fs.ftruncate(fd, length, done));
}

/** All of the file, with every page that is missing read. */
async function content(all: CutScene): Promise<Buffer> {
  const { size } = all.fs.fstatSync(all.fd);
  const reading = preadLater(all, 0, size);
  await settled();
  while (all.pending.length > 0) await all.answer();
  return await reading;
}

function expected(data: Buffer, cut: number, size: number): Buffer {
  return Buffer.concat([data.subarray(0, cut)], size);
}

function pageIsLocked({ kernel, inode }: Scene, index: number): boolean {
  const pfn = kernel.core.x.findPage(inode, index);
  return pfn !== 0 && (pageFlags(kernel.core, pfn) & PG_LOCKED) !== 0;
}

describe("a page that is being read when a part of it is cut off", () => {
  for (const hasReadahead of [false, true]) {
    it(`shows zeros behind the cut when the file grows again${hasReadahead ? ", by readahead" : ""}`, async () => {
      const all = cutScene(2 * PAGE, { hasReadahead });
      const reading = preadLater(all, 0, 2 * PAGE);
      assert.ok(pageIsLocked(all, 0));
      all.fs.ftruncateSync(all.fd, 100);
      all.fs.ftruncateSync(all.fd, 2 * PAGE);
      while (all.pending.length > 0) await all.answer();
      assert.deepEqual(await reading, expected(all.data, 100, 2 * PAGE));
      assert.deepEqual(await content(all), expected(all.data, 100, 2 * PAGE));
      all.kernel.verify();
    });
  }

  it("shows none of it while the store is cutting, nor after, whichever answers first", async () => {
    for (const order of [
      ["read 0+1", "cut 100"],
      ["cut 100", "read 0+1"],
    ]) {
      const all = cutScene(PAGE, { cutsLater: true });
      const reading = preadLater(all, 0, PAGE);
      const cut = truncateLater(all, 100);
      await settled();
      for (const what of order) await all.answer(what);
      await cut;
      all.fs.ftruncateSync(all.fd, PAGE);
      while (all.pending.length > 0) await all.answer();
      const bytes = await reading;
      // The read may have been before the cut, after it, or after the file had grown: never a mixture.
      const possible = [all.data, expected(all.data, 100, 100), expected(all.data, 100, PAGE)];
      assert.ok(possible.some((one) => one.equals(bytes)));
      assert.deepEqual(await content(all), expected(all.data, 100, PAGE));
      all.kernel.verify();
    }
  });

  it("is zeros behind the cut in a write that needs the rest of it", async () => {
    const all = cutScene(PAGE);
    const writing = call<number>((done) => all.fs.write(all.fd, Buffer.from("new"), 0, 3, 10, done));
    assert.ok(pageIsLocked(all, 0));
    assert.throws(() => all.fs.ftruncateSync(all.fd, 100), { code: "EAGAIN" });
    const cut = truncateLater(all, 100); // waits for the write
    await all.answer();
    assert.equal(await writing, 3);
    await cut;
    all.fs.ftruncateSync(all.fd, PAGE);
    const model = expected(all.data, 100, PAGE);
    model.set(Buffer.from("new"), 10);
    assert.deepEqual(await content(all), model);
    all.kernel.verify();
  });

  it("is read anew by such a write, where the file system itself drops it in the midst", async () => {
    const all = cutScene(PAGE);
    const { kernel, inode } = all;
    const writing = call<number>((done) => all.fs.write(all.fd, Buffer.from("new"), 0, 3, 10, done));
    const newer = Buffer.concat([all.data.subarray(0, 100)], PAGE);
    all.store.files.set("file", newer);
    truncatePagecacheRange(kernel, kernel.tableOf(inode).mapping, inode, 100, PAGE);
    assert.equal(kernel.core.x.findPage(inode, 0), 0);
    await all.answer(); // with the bytes from before
    await all.answer();
    assert.equal(await writing, 3);
    const model = Buffer.from(newer);
    model.set(Buffer.from("new"), 10);
    assert.deepEqual(await content(all), model);
    kernel.verify();
  });
});

describe("reads, writes and cuts", () => {
  it("leave of a file what the writes and cuts have, one after the other, though reads answer in any order", async () => {
    const size = fc.integer({ min: 0, max: 4 * PAGE });
    const step = fc.oneof(
      fc.record({ kind: fc.constant("cut" as const), at: size, length: fc.constant(0) }),
      fc.record({ kind: fc.constant("write" as const), at: size, length: fc.integer({ min: 1, max: PAGE }) }),
    );
    const reader = fc.tuple(size, fc.integer({ min: 1, max: 2 * PAGE }), fc.nat(20));
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.array(reader, { maxLength: 12 }),
        fc.array(fc.nat(6), { minLength: 1 }),
        fc.record({ hasReadahead: fc.boolean(), cutsLater: fc.boolean() }),
        async (steps, readers, picks, options) => {
          const all = cutScene(3 * PAGE + 50, options);
          const { fs, fd } = all;
          let model = Buffer.from(all.data);
          const seen: Set<number>[] = Array.from({ length: 6 * PAGE }, (_, i) => new Set([0, all.data[i] ?? 0]));
          const change = async (): Promise<void> => {
            for (const [i, { kind, at, length }] of steps.entries()) {
              if (kind === "cut") {
                await truncateLater(all, at);
                model = Buffer.concat([model], at);
              } else {
                const bytes = Buffer.alloc(length, 251 + (i % 4));
                for (let pos = at; pos < at + length; pos++) seen[pos].add(bytes[0]);
                assert.equal(await call((done) => fs.write(fd, bytes, 0, length, at, done)), length);
                const grown = Buffer.concat([model], Math.max(model.length, at + length));
                grown.set(bytes, at);
                model = grown;
              }
            }
          };
          let isOver = false;
          const changing = change().finally(() => {
            isOver = true;
          });
          changing.catch(() => {});
          const reads: Promise<void>[] = [];
          for (let turn = 0; !isOver || all.pending.length > 0; turn++) {
            for (const [at, length, when] of readers) {
              if (when !== turn) continue;
              const check = preadLater(all, at, length).then((bytes) => {
                for (const [i, byte] of bytes.entries()) assert.ok(seen[at + i].has(byte), `byte ${at + i}`);
              });
              check.catch(() => {});
              reads.push(check);
            }
            const pick = picks[turn % picks.length] % Math.max(1, all.pending.length);
            all.pending.splice(pick, 1)[0]?.answer();
            await settled();
            all.kernel.verify();
          }
          await changing;
          await Promise.all(reads);
          assert.deepEqual(await content(all), model);
          all.kernel.verify();
          fs.kernel.destroy();
        },
      ),
      { numRuns: 80 },
    );
  });
});
