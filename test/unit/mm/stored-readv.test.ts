/** Reads of a file with a store into several buffers: one call, wherever it has to wait. */
import { strict as assert } from "node:assert";
import hostFs from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EIO } from "../../../src/base/errno.ts";
import { RWF_NOWAIT } from "../../../src/store.ts";
import { pread, type Scene, storeScene } from "../../helpers/mock-scene.ts";
import { PAGE, settled } from "../../helpers/mock-store.ts";
import { resizable } from "../../helpers/resizable.ts";

function buffersOf(lengths: readonly number[]): Buffer[] {
  return lengths.map((length) => Buffer.alloc(length, 0xcc));
}

function readvLater({ fs, fd }: Scene, buffers: Uint8Array[], position: number | null): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.readv(fd, buffers, position, (error, n) => (error ? reject(error) : resolve(n))),
  );
}

describe("readv of a file with a store", () => {
  it("asks for all of the buffers at once", () => {
    const all = storeScene(20 * PAGE, { raPages: 0 });
    const buffers = buffersOf([100, 2 * PAGE, 0, PAGE - 100]);
    assert.equal(all.fs.readvSync(all.fd, buffers, 5 * PAGE), 3 * PAGE);
    assert.equal(all.store.takeLog(), "readahead 5+3");
    assert.deepEqual(Buffer.concat(buffers), all.data.subarray(5 * PAGE, 8 * PAGE));
    all.kernel.verify();
  });

  it("takes the position once: two that wait get bytes that follow each other", async () => {
    const all = storeScene(4 * PAGE, { isAsync: true, hasReadahead: false });
    const first = buffersOf([1000, PAGE, 1000]);
    const second = buffersOf([1000, PAGE, 1000]);
    const both = Promise.all([readvLater(all, first, null), readvLater(all, second, null)]);
    await all.store.answerAll();
    assert.deepEqual(await both, [PAGE + 2000, PAGE + 2000]);
    assert.deepEqual(Buffer.concat([...first, ...second]), all.data.subarray(0, 2 * (PAGE + 2000)));
    all.kernel.verify();
  });

  it("goes on where it was, in the middle of a buffer, and copies nothing twice", async () => {
    const all = storeScene(3 * PAGE, { isAsync: true, hasReadahead: false });
    const buffers = buffersOf([PAGE + 10, 2 * PAGE - 10]);
    const reading = readvLater(all, buffers, 0);
    await settled();
    await all.store.answer(); // page 0, which is copied, and page 1 asked for
    assert.deepEqual(buffers[0].subarray(0, PAGE), all.data.subarray(0, PAGE));
    buffers[0].fill(7, 0, PAGE);
    await all.store.answerAll();
    assert.equal(await reading, 3 * PAGE);
    assert.ok(buffers[0].subarray(0, PAGE).every((byte) => byte === 7));
    assert.deepEqual(Buffer.concat(buffers).subarray(PAGE), all.data.subarray(PAGE));
    all.kernel.verify();
  });

  it("is as long as it could be: a synchronous one that would have to wait, an error behind", async () => {
    const all = storeScene(3 * PAGE, { isAsync: true, hasReadahead: false });
    const buffers = buffersOf([100, 3 * PAGE]);
    assert.throws(() => all.fs.readvSync(all.fd, buffers, 0), { code: "EAGAIN" });
    await all.store.answerAll();
    assert.equal(all.fs.readvSync(all.fd, buffers, 0), PAGE);
    await all.store.answerAll();
    all.store.verdict = () => -EIO;
    const reading = readvLater(all, buffers, PAGE);
    await all.store.answerAll();
    assert.equal(await reading, PAGE);
    assert.deepEqual(Buffer.concat(buffers).subarray(0, PAGE), all.data.subarray(PAGE, 2 * PAGE));
  });

  it("ends before a buffer that has become shorter", async () => {
    const all = storeScene(3 * PAGE, { isAsync: true, hasReadahead: false });
    const memory = resizable(PAGE);
    const buffers = [Buffer.alloc(PAGE), new Uint8Array(memory), Buffer.alloc(PAGE, 0xcc)];
    const reading = readvLater(all, buffers, null);
    memory.resize(100);
    await all.store.answerAll();
    assert.equal(await reading, PAGE + 100);
    assert.deepEqual(Buffer.from(memory), all.data.subarray(PAGE, PAGE + 100));
    assert.ok(buffers[2].every((byte) => byte === 0xcc));
    assert.deepEqual(pread(all, 0, 0), Buffer.alloc(0));
    const rest = Buffer.alloc(10);
    assert.equal(all.fs.readSync(all.fd, rest), 10);
    assert.deepEqual(rest, all.data.subarray(PAGE + 100, PAGE + 110));
  });

  it("has no place to go where the first buffer is gone", async () => {
    const all = storeScene(2 * PAGE, { isAsync: true, hasReadahead: false });
    const memory = resizable(PAGE);
    const reading = assert.rejects(readvLater(all, [new Uint8Array(memory), Buffer.alloc(10)], null), {
      code: "EFAULT",
    });
    memory.resize(0);
    await all.store.answerAll();
    await reading;
  });

  it("with RWF_NOWAIT is what is there, over all buffers", () => {
    const all = storeScene(4 * PAGE, { hasReadahead: false });
    pread(all, 0, 2 * PAGE);
    const buffers = buffersOf([10, PAGE, 3 * PAGE]);
    assert.equal(all.fs.kernel.preadv2Sync(all.fd, buffers, 0, RWF_NOWAIT), 2 * PAGE);
    assert.deepEqual(Buffer.concat(buffers).subarray(0, 2 * PAGE), all.data.subarray(0, 2 * PAGE));
  });

  it("gives what the host's readv gives", async () => {
    const folder = hostFs.mkdtempSync(path.join(os.tmpdir(), "foliofs-readv-"));
    const size = 3 * PAGE + 77;
    const content = storeScene(size).data;
    hostFs.writeFileSync(path.join(folder, "file"), content);
    const position = fc.option(fc.integer({ min: 0, max: size + 10 }), { nil: null });
    const call = fc.tuple(fc.array(fc.integer({ min: 0, max: 2 * PAGE }), { minLength: 1, maxLength: 6 }), position);
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(call, { maxLength: 6 }), fc.boolean(), async (calls, isAsync) => {
          const all = storeScene(size, { isAsync });
          const hostFd = hostFs.openSync(path.join(folder, "file"), "r");
          for (const [lengths, at] of calls) {
            const [ours, theirs] = [buffersOf(lengths), buffersOf(lengths)];
            const reading = readvLater(all, ours, at);
            await all.store.answerAll();
            assert.equal(await reading, hostFs.readvSync(hostFd, theirs, at as number));
            assert.deepEqual(ours, theirs);
          }
          hostFs.closeSync(hostFd);
          all.kernel.verify();
        }),
        { numRuns: 60 },
      );
    } finally {
      hostFs.rmSync(folder, { recursive: true });
    }
  });
});
