/** Reads and writes round the page cache, and those who write, cut or give blocks to the same file meanwhile. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { createFsSync, libfs } from "../../../src/index.ts";
import type { AddressSpaceOperations, DirectControl } from "../../../src/mm/address-space.ts";
import { INODE_RWSEM } from "../../../src/wasm/layout.ts";
import { fileOf, type Scene, storeScene } from "../../helpers/mock-scene.ts";
import { type MockOptions, PAGE, settled } from "../../helpers/mock-store.ts";

const { O_APPEND, O_DIRECT, O_RDWR } = createFsSync().constants;
const BLOCK = 512;

interface DirectScene extends Scene {
  /** Calls of directIO that wait: "write 0+512". */
  asked: string[];
  pending: (() => void)[];
  answer(): Promise<void>;
  contents(): Buffer;
}

/** A store that answers directIO when it is told to; its files can be cut. */
function directScene(
  length: number,
  flags = 0,
  most = Number.POSITIVE_INFINITY,
  writes?: MockOptions["writes"],
): DirectScene {
  const asked: string[] = [];
  const pending: (() => void)[] = [];
  const directIO: AddressSpaceOperations["directIO"] = (_cache, control) => {
    asked.push(`${control.isWrite ? "write" : "read"} ${control.position}+${control.length}`);
    return new Promise((resolve) => pending.push(() => resolve(transfer(control, Math.min(most, control.length)))));
  };
  const all = storeScene(length, {
    mapping: { directIO },
    writes,
    setattr: (kernel, inode, attr) => {
      if (attr.valid & 8) all.store.files.set("file", Buffer.concat([contents()], attr.size));
      return libfs.simpleSetattr(kernel, inode, attr);
    },
  });
  const contents = (): Buffer => all.store.files.get("file") as Buffer;
  const transfer = ({ isWrite, position, buffer }: DirectControl, bytes: number): number => {
    const data = contents();
    if (!isWrite) return position < data.length ? data.copy(buffer, 0, position, position + bytes) : 0; // pages are newer
    const grown = Buffer.concat([data, Buffer.alloc(Math.max(0, position + bytes - data.length))]);
    grown.set(buffer.subarray(0, bytes), position);
    all.store.files.set("file", grown);
    return bytes;
  };
  const fallocate = (): number => 0;
  Object.assign(all.kernel.tableOf(all.inode).file, { fallocate });
  const fd = all.fs.openSync("/m/file", O_RDWR | O_DIRECT | flags);
  const answer = async (): Promise<void> => {
    pending.shift()?.();
    await settled();
  };
  return { ...all, fd, file: fileOf(all.kernel, fd), asked, pending, answer, contents };
}

function call<T>(start: (done: (error: unknown, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => start((error, result) => (error ? reject(error) : resolve(result as T))));
}

function write({ fs, fd }: Scene, bytes: Buffer, position: number | null): Promise<number> {
  return call((done) => fs.write(fd, bytes, 0, bytes.length, position, done));
}

function read({ fs, fd }: Scene, buffer: Buffer, position: number | null): Promise<number> {
  return call((done) => fs.read(fd, buffer, 0, buffer.length, position, done));
}

/** A page is being written. @returns what gives that up */
async function abortable({ fs, fd }: Scene): Promise<() => Promise<void>> {
  const aborter = new AbortController();
  const { signal } = aborter;
  const aborted = assert.rejects(
    call((done) => fs.writeFile(fd, aligned(PAGE, 3), { signal }, done)),
    { name: "AbortError" },
  );
  await settled();
  return () => {
    aborter.abort();
    return aborted;
  };
}

/** Buffers that begin at a block. */
function aligned(length: number, byte = 0): Buffer {
  return Buffer.from(new ArrayBuffer(length)).fill(byte);
}

function isLocked({ kernel, inode }: Scene): boolean {
  return kernel.core.u32[(inode << 3) + INODE_RWSEM] !== 0;
}

describe("a direct write", () => {
  it("has the file's lock until the store has answered: other writes and cuts come after", async () => {
    const all = directScene(4 * PAGE);
    const { fs } = all;
    const buffered = { ...all, fd: fs.openSync("/m/file", "r+") };
    const first = write(all, aligned(PAGE, 1), 0);
    const second = write(all, aligned(PAGE, 2), 0);
    const third = write(buffered, Buffer.alloc(10, 3), 0);
    await settled();
    assert.ok(isLocked(all));
    assert.deepEqual(all.asked, ["write 0+4096"]);
    assert.throws(() => fs.writeSync(buffered.fd, Buffer.alloc(1), 0, 1, 0), { code: "EAGAIN" });
    assert.throws(() => fs.writeSync(all.fd, aligned(PAGE), 0, PAGE, 0), { code: "EAGAIN" });
    assert.throws(() => fs.ftruncateSync(all.fd, 0), { code: "EAGAIN" });
    assert.throws(() => fs.fallocateSync(all.fd, 0, 0, PAGE), { code: "EAGAIN" });
    all.kernel.verify();
    await all.answer();
    assert.deepEqual(all.asked, ["write 0+4096", "write 0+4096"]);
    await all.answer();
    assert.deepEqual(await Promise.all([first, second, third]), [PAGE, PAGE, 10]);
    assert.ok(!isLocked(all));
    assert.equal(fs.readSync(buffered.fd, Buffer.alloc(11), 0, 11, 0), 11);
    fs.fallocateSync(all.fd, 0, 0, PAGE);
    all.kernel.verify();
  });

  it("at the file's position moves it, and appends to where the end is then", async () => {
    const all = directScene(PAGE);
    const both = [write(all, aligned(BLOCK, 1), null), write(all, aligned(BLOCK, 2), null)];
    while (all.pending.length > 0) await all.answer();
    assert.deepEqual(await Promise.all(both), [BLOCK, BLOCK]);
    assert.equal(all.fs.lseekSync(all.fd, 0, 1), 2 * BLOCK);
    assert.deepEqual(all.contents().subarray(0, 2 * BLOCK), Buffer.concat([aligned(BLOCK, 1), aligned(BLOCK, 2)]));

    const appending = directScene(PAGE, O_APPEND);
    const appended = [write(appending, aligned(BLOCK, 1), 0), write(appending, aligned(BLOCK, 2), null)];
    while (appending.pending.length > 0) await appending.answer();
    assert.deepEqual(await Promise.all(appended), [BLOCK, BLOCK]);
    assert.deepEqual(appending.asked, ["write 4096+512", "write 4608+512"]);
    all.kernel.verify();
  });

  it("keeps the lock while what is left goes by pages", async () => {
    const all = directScene(4 * PAGE, 0, BLOCK);
    const writing = write(all, aligned(PAGE, 5), 0);
    await settled();
    await all.answer();
    assert.equal(await writing, PAGE);
    assert.ok(!isLocked(all));
    assert.deepEqual(all.contents().subarray(0, BLOCK), aligned(BLOCK, 5));
    const rest = Buffer.alloc(PAGE);
    all.fs.readSync(all.fs.openSync("/m/file", "r"), rest, 0, PAGE, 0);
    assert.deepEqual(rest, aligned(PAGE, 5));
    all.kernel.verify();
  });

  it("that nobody waits for has the lock as long as the store takes", async () => {
    const all = directScene(4 * PAGE);
    assert.throws(() => all.fs.writeSync(all.fd, aligned(PAGE, 1), 0, PAGE, 0), { code: "EAGAIN" });
    assert.ok(isLocked(all)); // the store has not heeded that it may not wait
    const next = write(all, aligned(PAGE, 2), 0);
    await all.answer();
    await all.answer();
    assert.equal(await next, PAGE);
    const abort = await abortable(all);
    await abort();
    assert.ok(isLocked(all));
    await all.answer();
    assert.ok(!isLocked(all));
    assert.deepEqual(all.contents().subarray(PAGE, 2 * PAGE), all.data.subarray(PAGE, 2 * PAGE));
    all.kernel.verify();
  });

  it("that nobody waits for while what is left goes by pages has the lock as long as the store takes for these", async () => {
    const all = directScene(4 * PAGE, 0, BLOCK, "later");
    const abort = await abortable(all);
    await all.answer();
    assert.equal(all.store.takeLog(), "writeBegin 0 512+3584");
    await abort();
    assert.ok(isLocked(all));
    await all.store.answerAll();
    assert.equal(all.store.takeLog(), "writeEnd 0 0"); // nothing of it
    assert.ok(!isLocked(all));
    assert.deepEqual(
      all.contents().subarray(0, PAGE + 1),
      Buffer.concat([aligned(BLOCK, 3), all.data.subarray(BLOCK, PAGE + 1)]),
    );
    const next = write(all, aligned(BLOCK, 4), 0);
    await settled();
    await all.answer();
    assert.equal(await next, BLOCK);
    all.kernel.verify();
  });
});

describe("a direct read", () => {
  it("does not wait for others, but those who cut the file wait for it", async () => {
    const all = directScene(4 * PAGE);
    const { fs } = all;
    const buffers = [aligned(PAGE), aligned(PAGE)];
    const reads = buffers.map((buffer) => read(all, buffer, 0));
    const cut = call((done) => fs.ftruncate(all.fd, BLOCK, done));
    const opened = fs.promises.open("/m/file", "w");
    await settled();
    assert.equal(all.asked.length, 2);
    assert.throws(() => fs.truncateSync("/m/file", 0), { code: "EAGAIN" });
    assert.throws(() => fs.fallocateSync(all.fd, 0, 0, PAGE), { code: "EAGAIN" });
    fs.fchmodSync(all.fd, 0o600); // is none of its business
    assert.equal(fs.fstatSync(all.fd).size, 4 * PAGE);
    await all.answer();
    assert.equal(fs.fstatSync(all.fd).size, 4 * PAGE);
    await all.answer();
    assert.deepEqual(await Promise.all(reads), [PAGE, PAGE]);
    for (const buffer of buffers) assert.deepEqual(buffer, all.data.subarray(0, PAGE));
    await cut;
    await (await opened).close();
    assert.equal(fs.fstatSync(all.fd).size, 0);
    all.kernel.verify();
  });

  it("at the file's position has it while it waits", async () => {
    const all = directScene(4 * PAGE);
    const buffers = [aligned(BLOCK), aligned(PAGE)];
    const reads = buffers.map((buffer) => read(all, buffer, null));
    await settled();
    while (all.pending.length > 0) await all.answer();
    assert.deepEqual(await Promise.all(reads), [BLOCK, PAGE]);
    assert.deepEqual(Buffer.concat(buffers), all.data.subarray(0, BLOCK + PAGE));
  });
});

describe("direct and buffered writes, reads and cuts of one file", () => {
  it("are as if one came after the other, whatever takes how long", async () => {
    const step = fc.record({
      kind: fc.constantFrom("direct", "buffered", "cut", "read"),
      block: fc.integer({ min: 0, max: 40 }),
      nr: fc.integer({ min: 1, max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), fc.array(fc.nat(5)), async (steps, picks) => {
        const all = directScene(4 * PAGE);
        const { fs } = all;
        const buffered = { ...all, fd: fs.openSync("/m/file", "r+") };
        // Writes take the lock in the order in which they are made; cuts that meet it are made again after it.
        let size = 4 * PAGE;
        const calls = steps.map(({ kind, block, nr }, i) => {
          const bytes = aligned(nr * BLOCK, 100 + i);
          if (kind === "direct") return write(all, bytes, block * BLOCK);
          if (kind === "buffered") return write(buffered, bytes, block * BLOCK);
          if (kind === "read") return read(all, bytes, block * BLOCK);
          return call((done) => fs.ftruncate(all.fd, block * BLOCK, done));
        });
        const over = Promise.all(calls);
        over.catch(() => {});
        for (let i = 0; all.pending.length > 0; i++) {
          const pick = (picks[i % Math.max(1, picks.length)] ?? 0) % all.pending.length;
          all.pending.splice(pick, 1)[0]();
          await settled();
          all.kernel.verify();
        }
        await over;
        assert.ok(!isLocked(all));
        for (const { kind, block, nr } of steps) {
          if (kind !== "cut" && kind !== "read") size = Math.max(size, (block + nr) * BLOCK);
        }
        const now = fs.fstatSync(all.fd).size;
        if (!steps.some(({ kind }) => kind === "cut")) assert.equal(now, size);
        const content = Buffer.alloc(now);
        assert.equal(fs.readSync(buffered.fd, content, 0, now, 0), now);
        // Each block is as the file was, zeros, or all of one write: never a mixture, and never of a write that was cut off.
        for (let at = 0; at < now; at += BLOCK) {
          const part = content.subarray(at, at + BLOCK);
          const isOld = part.equals(all.data.subarray(at, at + BLOCK));
          assert.ok(isOld || part.every((byte) => byte === part[0]), `block ${at / BLOCK}`);
        }
      }),
      { numRuns: 60 },
    );
  });
});
