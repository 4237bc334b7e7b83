/** Reads and writes through the page cache against plain bytes, by every way of copying that there is. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EBADF, EFBIG, ENOSPC } from "../../../src/base/errno.ts";
import { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY } from "../../../src/base/stat-flags.ts";
import { createFsSync } from "../../../src/index.ts";
import { copyFromBuffer, copyToBuffer, copyWhatFits } from "../../../src/mm/user-copy.ts";
import type { Task } from "../../../src/vfs/task.ts";
import { inodeOf } from "../../helpers/mock-scene.ts";

const PAGE = 4096;
const CAPACITY = 40 * PAGE;

function taskOf(memoryLimit = 64 * 2 ** 20, options: object = {}): Task {
  return createFsSync({ memoryLimit }).kernel.vfs.newTask(options) as Task;
}

/** Some bytes in the middle of a larger buffer of one of the kinds that callers have. */
function bufferOf(kind: number, length: number, fill: number): { buffer: Uint8Array; offset: number } {
  if (kind === 0) return { buffer: new Uint8Array(length).fill(fill), offset: 0 };
  if (kind === 1) return { buffer: Buffer.allocUnsafe(length + 13).fill(fill), offset: 5 };
  if (kind === 2)
    return { buffer: new Uint8Array(new SharedArrayBuffer(length + 64), 32, length + 16).fill(fill), offset: 16 };
  return { buffer: new Uint8Array(new ArrayBuffer(length + 3), 3).fill(fill), offset: 0 };
}

/** True for what lies before or behind the bytes that were asked for. */
function outside(at: number, { offset }: { offset: number }, length: number): boolean {
  return at < offset || at >= offset + length;
}

interface Move {
  isWrite: boolean;
  pos: number;
  length: number;
  kind: number;
  /** At the file's own position. */
  moves: boolean;
}

const move: fc.Arbitrary<Move> = fc.record({
  isWrite: fc.boolean(),
  pos: fc.oneof(
    fc.nat(CAPACITY),
    fc.nat(39).map((page) => page * PAGE),
  ),
  length: fc.oneof(fc.nat(6 * PAGE), fc.constantFrom(1, 16, PAGE, 3 * PAGE), fc.nat(CAPACITY)),
  kind: fc.nat(3),
  moves: fc.boolean(),
});

describe("the page cache", () => {
  for (const isFast of [true, false]) {
    it(`holds what was written (${isFast ? "Buffer's" : "typed arrays'"} copies)`, () => {
      const task = taskOf();
      Object.assign(task.kernel.core, { hasFastBuffer: isFast });
      let round = 0;
      fc.assert(
        fc.property(fc.array(move, { minLength: 1, maxLength: 60 }), (moves) => {
          const fd = task.open(`/f${round++}`, O_CREAT | O_RDWR, 0o644);
          const model = Buffer.alloc(2 * CAPACITY + PAGE);
          let size = 0;
          let at = 0;
          moves.forEach(({ isWrite, pos, length, kind, moves: atOwn }, i) => {
            const position = atOwn ? Math.min(at, CAPACITY) : pos;
            if (atOwn && at !== position) at = task.lseek(fd, position, 0);
            const { buffer, offset } = bufferOf(kind, length, isWrite ? (i % 255) + 1 : 0xee);
            if (isWrite) {
              assert.equal(task.write(fd, buffer, offset, length, atOwn ? -1 : position), length);
              model.set(buffer.subarray(offset, offset + length), position);
              if (length > 0) size = Math.max(size, position + length);
              if (atOwn) at += length;
              return;
            }
            const expected = Math.max(0, Math.min(length, size - position));
            assert.equal(task.read(fd, buffer, offset, length, atOwn ? -1 : position), expected);
            assert.deepEqual(
              Buffer.from(buffer.slice(offset, offset + expected)),
              model.subarray(position, position + expected),
            );
            const untouched = [...buffer.slice(0, offset), ...buffer.slice(offset + expected)];
            assert.ok(
              untouched.every((byte) => byte === 0xee),
              "a read writes beyond what it says",
            );
            if (atOwn) at += expected;
          });
          assert.equal(task.lseek(fd, 0, 2), size);
          task.close(fd);
          task.unlink(`/f${round - 1}`);
        }),
        { numRuns: 60 },
      );
      assert.equal(task.kernel.core.x.verify?.() ?? 0, 0);
    });
  }

  it("holds what was written in large pieces, which are copied in turns forwards and backwards", () => {
    const task = taskOf();
    const { core } = task.kernel;
    const fd = task.open("/f", O_CREAT | O_RDWR, 0o644);
    task.write(fd, new Uint8Array(32 * 2 ** 20), 0, 32 * 2 ** 20, 0); // memory grows; afterwards it has large blocks
    const bytesAt = (i: number, seed: number): number => (Math.imul(i + seed, 2654435761) >>> 24) | 1;
    const directions = { in: new Set<boolean>(), out: new Set<boolean>() };
    for (const [i, length] of [1, 0, 4097, 2 ** 18, 2 ** 18 + 1, 777777].map((more) => 2 ** 20 + more).entries()) {
      for (const turn of [0, 1, 2]) {
        const seed = 3 * i + turn;
        const [{ buffer, offset }, into] = [bufferOf(seed % 4, length, 0), bufferOf((seed + 1) % 4, length, 0)];
        for (let at = 0; at < length; at++) buffer[offset + at] = bytesAt(at, seed);
        const guarded = Uint8Array.from(buffer);
        task.ftruncate(fd, 0);
        const position = seed % 2 ? 3 * PAGE : 5;
        assert.equal(task.write(fd, buffer, offset, length, position), length);
        directions.in.add(core.copiesBackwards);
        assert.equal(task.read(fd, into.buffer, into.offset, length, position), length);
        directions.out.add(core.copiesBackwards);
        assert.ok(Buffer.from(guarded).equals(buffer), "a write changes the caller's bytes");
        const [got, sent] = [into.buffer, buffer];
        assert.ok(
          got.every((byte, at) => byte === (sent[at - into.offset + offset] ?? 0) || outside(at, into, length)),
        );
        assert.ok(
          got.every((byte, at) => !outside(at, into, length) || byte === 0),
          "a read writes beyond what it says",
        );
        if (turn === 1) task.read(fd, into.buffer, into.offset, length, position); // so that writes go the other way next
      }
    }
    assert.deepEqual([directions.in.size, directions.out.size], [2, 2], "one way was never taken");
    task.kernel.verify();
  });

  it("answers errors before it touches anything", () => {
    const task = taskOf(undefined, { fileSizeLimit: 100 });
    task.close(task.open("/f", O_CREAT | O_WRONLY, 0o644));
    const [r, w] = [task.open("/f", O_RDONLY, 0), task.open("/f", O_WRONLY, 0)];
    const buffer = new Uint8Array(10);
    assert.equal(task.write(r, buffer, 0, 10, 0), -EBADF);
    assert.equal(task.write(r, buffer, 0, 0, 0), -EBADF);
    assert.equal(task.read(w, buffer, 0, 10, 0), -EBADF);
    assert.equal(task.write(w, buffer, 0, 10, 100), -EFBIG);
    assert.equal(task.write(w, buffer, 0, 10, 95), 5);
    assert.equal(task.write(w, buffer, 0, 0, 1000), 0);
    assert.equal(task.lseek(w, 0, 2), 100);
  });

  it("writes short when memory runs out on the way, then ENOSPC, and goes on when some comes back", () => {
    const task = taskOf(8 * 2 ** 20);
    const fd = task.open("/f", O_CREAT | O_RDWR, 0o644);
    const large = new Uint8Array(32 * 2 ** 20).fill(7);
    const n = task.write(fd, large, 0, large.length, -1);
    assert.ok(n > 4 * 2 ** 20 && n < 8 * 2 ** 20, `${n} bytes`);
    assert.equal(task.lseek(fd, 0, 1), n);
    assert.equal(task.write(fd, large, 0, PAGE, -1), -ENOSPC);
    assert.equal(task.lseek(fd, 0, 2), n);
    const tail = new Uint8Array(5);
    assert.equal(task.read(fd, tail, 0, 5, n - 5), 5);
    assert.deepEqual([...tail], [7, 7, 7, 7, 7]);
    assert.equal(task.ftruncate(fd, PAGE), 0);
    const appended = task.open("/f", O_WRONLY | O_APPEND, 0);
    assert.equal(task.write(appended, large, 0, PAGE, 0), PAGE);
    assert.equal(task.lseek(fd, 0, 2), 2 * PAGE);
    task.kernel.verify();
  });

  it("reads a sparse file of any size without memory", () => {
    const task = taskOf();
    const fd = task.open("/f", O_CREAT | O_RDWR, 0o644);
    assert.equal(task.ftruncate(fd, 2 ** 43), 0);
    const buffer = new Uint8Array(3 * PAGE).fill(0xee);
    assert.equal(task.read(fd, buffer, 0, buffer.length, 2 ** 42 + 1), buffer.length);
    assert.ok(buffer.every((byte) => byte === 0));
    assert.equal(task.read(fd, buffer, 0, buffer.length, 2 ** 43 - 10), 10);
    assert.equal(task.fstat(fd), 0);
    assert.equal(task.statValues[9], 0); // STAT_BLOCKS
  });
});

describe("buffers that say something else than they are", () => {
  it("are written from as they are, and are no target beyond their end", () => {
    for (const isFast of [true, false]) {
      const fs = createFsSync({ memoryLimit: 2 ** 24 });
      const { core } = fs.kernel.vfs;
      Object.assign(core, { hasFastBuffer: isFast });
      const fd = fs.openSync("/f", "w+");
      fs.writeSync(fd, new Uint8Array(PAGE).fill(1));
      const address = core.x.findPage(inodeOf(fs.kernel.vfs, fd), 0) * PAGE;
      for (const get of [
        () => 1,
        () => {
          throw new Error("asked");
        },
      ]) {
        const buffer = Object.defineProperties(Uint8Array.of(0, 0, 7, 8, 9), {
          length: { get },
          byteLength: { get },
        });
        core.u8.fill(1, address, address + 4);
        copyFromBuffer(core, address, buffer, 2, 3);
        assert.deepEqual([...core.u8.subarray(address, address + 4)], [7, 8, 9, 1]);
      }
      for (const from of [address, 0]) {
        const short = Uint8Array.of(5, 5, 5, 5);
        assert.throws(() => copyToBuffer(core, from, short, 2, 4), RangeError);
        assert.deepEqual([...short.subarray(0, 2)], [5, 5]);
        assert.equal(copyWhatFits(core, from, short, 2, 4), 2);
        assert.deepEqual([...short], from === 0 ? [5, 5, 0, 0] : [5, 5, 7, 8]);
      }
    }
  });
});
