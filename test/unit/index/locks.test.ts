/** `fs.kernel.linux`: locks as programs see them, who is woken and when, what ends a wait; and the ranges, against a map of bytes. */
import { strict as assert } from "node:assert";
import { afterEach, describe, expect, it } from "vitest";
import type { FileHandle } from "../../../src/base/handles.ts";
import { LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN } from "../../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs, restoreFsSync } from "../../../src/index.ts";
import { F_GETLK, F_OFD_SETLKW, F_SETLK, F_SETLKW } from "../../../src/vfs/locks.ts";
import { afterRequest, conflictOf, F_RDLCK, F_UNLCK, F_WRLCK, type RecordLock } from "../../../src/vfs/record-lock.ts";
import { FL_OFD } from "../../../src/wasm/layout.ts";
import { seededRandom } from "../../helpers/random.ts";

const SEED = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
const machines: FolioFs[] = [];

/** A machine with a file, and three tasks that have it open as descriptor 3. */
function scene(): { fs: FolioFs; tasks: FolioFs[]; fd: number } {
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20 });
  machines.push(fs);
  fs.writeFileSync("/f", "0123456789");
  const tasks = [1, 2, 3].map(() => fs.kernel.task());
  const [fd] = tasks.map((task) => task.openSync("/f", "r+"));
  return { fs, tasks, fd };
}
afterEach(() => {
  for (const fs of machines.splice(0)) fs.kernel.destroy();
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Whether a promise has settled, after some turns of the loop. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const over = (): void => {
    pending = false;
  };
  promise.then(over, over);
  await turn();
  await turn();
  return pending;
}

describe("F_GETLK", () => {
  it("tells whose a lock is: -1 for an open file's, 0 when the task has ended and others have its table", () => {
    const { fs, tasks, fd } = scene();
    const [a, b] = tasks;
    const sharing = fs.kernel.task({ files: a });
    const look = (): unknown => b.kernel.linux.fcntlSync(fd, F_GETLK, { type: F_WRLCK });
    a.kernel.linux.fcntlSync(fd, F_SETLK, { type: F_RDLCK, length: 3 });
    expect(look()).toMatchObject({ pid: 2 });
    sharing.kernel.linux.fcntlSync(fd, F_SETLK, { type: F_WRLCK, length: 3 });
    expect(look()).toMatchObject({ pid: 5 });
    fs.kernel.exit(sharing);
    expect(look()).toMatchObject({ pid: 0, start: 0, length: 3 });
    fs.kernel.verify();
  });
});

describe("a wait", () => {
  it("is for calls by promise: others fail with EAGAIN, in Node's shape", async () => {
    const { tasks, fd } = scene();
    const [a, b] = tasks.map((task) => task.kernel.linux);
    a.flockSync(fd, LOCK_EX);
    a.fcntlSync(fd, F_SETLK, { type: F_WRLCK });
    const shape = {
      code: "EAGAIN",
      errno: -11,
      message: "EAGAIN: resource temporarily unavailable, flock",
      syscall: "flock",
    };
    assert.throws(() => b.flockSync(fd, LOCK_EX), shape);
    await assert.rejects(b.flock(fd, LOCK_EX | LOCK_NB), shape);
    assert.throws(() => b.fcntlSync(fd, F_SETLKW, { type: F_RDLCK }), { code: "EAGAIN", syscall: "fcntl" });
    expect(b.fcntlSync(fd, F_GETLK, { type: F_RDLCK, start: 5 })).toEqual({
      type: F_WRLCK,
      start: 0,
      length: 0,
      pid: 2,
      isOfd: false,
    });
    for (const lock of [undefined, { type: "1" }, { type: 1.5 }, { type: 0, start: 0.5 }])
      assert.throws(() => b.fcntlSync(fd, F_SETLK, lock as never), { code: /ERR_INVALID_ARG_TYPE|ERR_OUT_OF_RANGE/ });
    assert.throws(() => b.fcntlSync(fd, 1, { type: 0 }), { code: "EINVAL" });
  });

  it("ends in the order in which it began", async () => {
    const { tasks, fd } = scene();
    const order: number[] = [];
    tasks[0].kernel.linux.flockSync(fd, LOCK_EX);
    const calls = [1, 2, 1, 2].map(async (n, i) => {
      const { fs } = tasks[n].kernel;
      const own = fs.openSync("/f", "r");
      await fs.kernel.linux.flock(own, LOCK_EX);
      order.push(i);
      await turn();
      fs.closeSync(own);
    });
    await turn();
    tasks[0].flockSync(fd, LOCK_UN); // Node's face tells, too
    await Promise.all(calls);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  it("ends when its descriptor is closed, the task ends, or the machine", async () => {
    const { fs, tasks, fd } = scene();
    tasks[0].kernel.linux.fcntlSync(fd, F_SETLK, { type: F_WRLCK });
    const other = tasks[1].openSync("/f", "r+");
    const closed = tasks[1].kernel.linux.fcntl(other, F_OFD_SETLKW, { type: F_WRLCK });
    const locked = tasks[1].kernel.linux.fcntl(fd, F_SETLKW, { type: F_WRLCK });
    const exited = tasks[2].kernel.linux.fcntl(fd, F_SETLKW, { type: F_WRLCK });
    assert(await isPending(Promise.race([closed, locked, exited])));
    tasks[1].closeSync(other);
    await assert.rejects(closed, { code: "EBADF" });
    assert(await isPending(locked));
    fs.kernel.exit(tasks[2]);
    await assert.rejects(exited, { code: "ERR_INVALID_STATE" });
    fs.kernel.destroy();
    await assert.rejects(locked, { code: "ERR_INVALID_STATE" });
  });

  it("ends with ESTALE in a rollback, which has no locks", async () => {
    const { fs, tasks, fd } = scene();
    const bytes = fs.kernel.snapshot();
    tasks[0].kernel.linux.flockSync(fd, LOCK_EX);
    const waits = tasks[1].kernel.linux.flock(fd, LOCK_EX);
    assert(await isPending(waits));
    fs.kernel.restore(bytes);
    await assert.rejects(waits, { code: /EBADF|ESTALE/ });
    const again = tasks[1].openSync("/f", "r+");
    await tasks[1].kernel.linux.flock(again, LOCK_EX);
  });

  it("ends when its signal is aborted: the lock is not taken, nobody waits for it, and nobody is told of a deadlock", async () => {
    const { fs, tasks, fd } = scene();
    const [a, b, c] = tasks.map((task) => task.kernel.linux);
    a.flockSync(fd, LOCK_EX);
    a.fcntlSync(fd, F_SETLK, { type: F_WRLCK, length: 1 });
    b.fcntlSync(fd, F_SETLK, { type: F_WRLCK, start: 1, length: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    const flocked = b.flock(fd, LOCK_EX, { signal });
    const locked = b.fcntl(fd, F_SETLKW, { type: F_WRLCK, length: 1 }, { signal });
    const patient = c.flock(fd, LOCK_EX, { signal: new AbortController().signal });
    assert(await isPending(Promise.race([flocked, locked, patient])));
    controller.abort("enough");
    const aborted = { name: "AbortError", code: "ABORT_ERR", cause: "enough" };
    const calls = [flocked, locked, b.flock(fd, LOCK_EX, { signal })];
    await Promise.all(calls.map((call) => assert.rejects(call, aborted))); // none may reject unheard before its turn
    const backwards = a.fcntl(fd, F_SETLKW, { type: F_WRLCK, start: 1, length: 1 });
    assert(await isPending(backwards)); // not EDEADLK: b waits for nothing
    b.fcntlSync(fd, F_SETLK, { type: F_UNLCK });
    await backwards;
    a.flockSync(fd, LOCK_UN);
    await patient;
    fs.kernel.verify();
    await assert.rejects(a.flock(fd, LOCK_EX, { signal: {} as never }), { code: "ERR_INVALID_ARG_TYPE" });
  });

  it("keeps nobody from going on who is in nobody's way", async () => {
    const { tasks, fd } = scene();
    const [a, b, c] = tasks.map((task) => task.kernel.linux);
    await a.fcntl(fd, F_SETLKW, { type: F_WRLCK, start: 0, length: 1 });
    const waits = b.fcntl(fd, F_SETLKW, { type: F_WRLCK, start: 0, length: 1 });
    await c.fcntl(fd, F_SETLKW, { type: F_WRLCK, start: 1 });
    assert(await isPending(waits));
    a.fcntlSync(fd, F_SETLK, { type: F_UNLCK });
    await waits;
  });
});

describe("a lock on a range", () => {
  it("is of all faces that share the descriptors", () => {
    const { tasks, fd } = scene();
    const sharing = tasks[0].kernel.task({ files: tasks[0] });
    tasks[0].kernel.linux.fcntlSync(fd, F_SETLK, { type: F_WRLCK });
    expect(sharing.kernel.linux.fcntlSync(fd, F_GETLK, { type: F_WRLCK })).toBe(undefined);
    sharing.kernel.linux.fcntlSync(fd, F_SETLK, { type: F_UNLCK, length: 5 });
    expect(tasks[1].kernel.linux.fcntlSync(fd, F_GETLK, { type: F_WRLCK })).toMatchObject({ start: 5, length: 0 });
  });

  it("goes with its task, and into no copy of the machine", () => {
    const { fs, tasks, fd } = scene();
    for (const start of [0, 2, 4]) tasks[0].kernel.linux.fcntlSync(fd, F_SETLK, { type: F_WRLCK, start, length: 1 });
    tasks[1].kernel.linux.fcntlSync(fd, F_OFD_SETLKW, { type: F_RDLCK, start: 6 });
    for (const copy of [fs.kernel.fork().fs, restoreFsSync(fs.kernel.snapshot())]) {
      machines.push(copy);
      const own = copy.openSync("/f", "r+");
      expect(copy.kernel.linux.fcntlSync(own, F_GETLK, { type: F_WRLCK })).toBe(undefined);
      copy.kernel.linux.fcntlSync(own, F_SETLK, { type: F_WRLCK });
    }
    fs.kernel.exit(tasks[0]);
    expect(tasks[2].kernel.linux.fcntlSync(fd, F_GETLK, { type: F_WRLCK })).toEqual({
      type: F_RDLCK,
      start: 6,
      length: 0,
      pid: -1,
      isOfd: true,
    });
  });

  it("that finds no memory changes nothing", () => {
    const { fs, tasks, fd } = scene();
    const [a, b] = tasks.map((task) => task.kernel.linux);
    a.fcntlSync(fd, F_SETLK, { type: F_WRLCK, length: 9 });
    fs.kernel.vfs.core.x.setFailAfter(1);
    assert.throws(() => a.fcntlSync(fd, F_SETLK, { type: F_UNLCK, start: 4, length: 1 }), { code: "ENOMEM" });
    assert.throws(() => b.fcntlSync(fd, F_SETLK, { type: F_RDLCK, start: 20 }), { code: "ENOMEM" });
    fs.kernel.vfs.core.x.setFailAfter(0);
    fs.kernel.verify();
    expect(b.fcntlSync(fd, F_GETLK, { type: F_WRLCK })).toMatchObject({ start: 0, length: 9 });
  });

  it("does what a map of bytes does", () => {
    console.log(`locks.test.ts: seed ${SEED}`);
    const random = seededRandom(SEED);
    const BYTES = 24;
    let locks: RecordLock[] = [];
    /** Type that each owner has on each byte; the last stands for all that follow. */
    const map = Array.from({ length: BYTES + 1 }, () => new Map<string, number>());
    const keyOf = ({ owner, file }: RecordLock): string => (owner === FL_OFD ? `file ${file}` : `table ${owner}`);
    for (let i = 0; i < 3000; i++) {
      const start = random(BYTES);
      const request: RecordLock = {
        type: [F_RDLCK, F_WRLCK, F_UNLCK][random(3)],
        start,
        end: random(6) === 0 ? Number.POSITIVE_INFINITY : Math.min(BYTES - 1, start + random(8)),
        owner: [1, 2, FL_OFD][random(3)],
        pid: 1,
        file: (1 + random(2)) as FileHandle,
      };
      const own = keyOf(request);
      const bytes = map.slice(start, request.end === Number.POSITIVE_INFINITY ? BYTES + 1 : request.end + 1);
      const isInTheWay = bytes.some((byte) =>
        [...byte].some(([key, type]) => key !== own && (type === F_WRLCK || request.type === F_WRLCK)),
      );
      if (request.type !== F_UNLCK) expect(conflictOf(locks, request) !== undefined).toBe(isInTheWay);
      if (request.type !== F_UNLCK && isInTheWay) continue;
      for (const byte of bytes) {
        if (request.type === F_UNLCK) byte.delete(own);
        else byte.set(own, request.type);
      }
      locks = afterRequest(locks, request);
      for (const key of ["table 1", "table 2", "file 1", "file 2"]) {
        const ranges = locks.filter((lock) => keyOf(lock) === key);
        for (let n = 0; n <= BYTES; n++)
          expect(ranges.filter((lock) => lock.start <= n && n <= lock.end).map(({ type }) => type)).toEqual(
            map[n].has(key) ? [map[n].get(key)] : [],
          );
        for (let n = 1; n < ranges.length; n++)
          assert(ranges[n].start > ranges[n - 1].end + (ranges[n].type === ranges[n - 1].type ? 1 : 0), "could be one");
      }
    }
  });

  it("leaves those of flock(2) alone, and they leave it", () => {
    const { tasks, fd } = scene();
    const [a, b] = tasks.map((task) => task.kernel.linux);
    a.flockSync(fd, LOCK_SH);
    a.fcntlSync(fd, F_SETLK, { type: F_WRLCK });
    a.flockSync(fd, LOCK_UN);
    expect(b.fcntlSync(fd, F_GETLK, { type: F_RDLCK })).toMatchObject({ type: F_WRLCK });
    a.flockSync(fd, LOCK_EX);
    a.fcntlSync(fd, F_SETLK, { type: F_UNLCK });
    assert.throws(() => b.flockSync(fd, LOCK_SH), { code: "EAGAIN" });
  });
});
