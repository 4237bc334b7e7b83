/**
 * Changes of attributes that wait for a store: each call asks for its change once, with the inode locked until the store
 * has answered, and nothing has changed before.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { afterEach, describe, it } from "vitest";
import { EIO } from "../../../src/base/errno.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { SlowFs, settled } from "../../helpers/slow-fs.ts";

let fs: FolioFs;
let store: SlowFs;

/** A file system with the file /s/f of mode 0644 and 9 bytes. */
function mounted(): void {
  store = new SlowFs();
  fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [store.type], now: () => 1000_000 });
  fs.mkdirSync("/s");
  fs.kernel.mount({ type: "slowfs", target: "/s" });
  store.isFast = true;
  fs.writeFileSync("/s/f", "some data");
  store.isFast = false;
  store.log.length = 0;
}

afterEach(() => fs.kernel.vfs.verify());

function attributes(): unknown {
  const { mode, uid, gid, size, atimeMs, mtimeMs } = fs.statSync("/s/f");
  return { mode: (mode & 0o7777).toString(8), uid, gid, size, atimeMs, mtimeMs };
}

const BEFORE = { mode: "644", uid: 0, gid: 0, size: 9, atimeMs: 1000_000, mtimeMs: 1000_000 };

interface Case {
  promise(): Promise<unknown>;
  sync?(): unknown;
  log: string;
  after: object;
}

/** Calls on an open file: it is opened first. */
async function byHandle(call: (handle: import("node:fs/promises").FileHandle) => Promise<unknown>): Promise<unknown> {
  const handle = await fs.promises.open("/s/f", "r+");
  try {
    return await call(handle as never);
  } finally {
    await handle.close();
  }
}

const CASES: Record<string, Case> = {
  chmod: {
    promise: () => fs.promises.chmod("/s/f", 0o600),
    sync: () => fs.chmodSync("/s/f", 0o600),
    log: "setattr mode",
    after: { mode: "600" },
  },
  fchmod: { promise: () => byHandle((handle) => handle.chmod(0o600)), log: "setattr mode", after: { mode: "600" } },
  chown: {
    promise: () => fs.promises.chown("/s/f", 1, 2),
    sync: () => fs.chownSync("/s/f", 1, 2),
    log: "setattr uid,gid",
    after: { uid: 1, gid: 2 },
  },
  fchown: {
    promise: () => byHandle((handle) => handle.chown(1, 2)),
    log: "setattr uid,gid",
    after: { uid: 1, gid: 2 },
  },
  utimes: {
    promise: () => fs.promises.utimes("/s/f", 1, 2),
    sync: () => fs.utimesSync("/s/f", 1, 2),
    log: "setattr atime,mtime",
    after: { atimeMs: 1000, mtimeMs: 2000 },
  },
  futimes: {
    promise: () => byHandle((handle) => handle.utimes(1, 2)),
    log: "setattr atime,mtime",
    after: { atimeMs: 1000, mtimeMs: 2000 },
  },
  truncate: {
    promise: () => fs.promises.truncate("/s/f", 4),
    sync: () => fs.truncateSync("/s/f", 4),
    log: "setattr size,mtime",
    after: { size: 4 },
  },
  ftruncate: {
    promise: () => byHandle((handle) => handle.truncate(4)),
    log: "setattr size,mtime",
    after: { size: 4 },
  },
  "open with O_TRUNC": {
    promise: async () => (await fs.promises.open("/s/f", "w")).close(),
    sync: () => fs.openSync("/s/f", "w"),
    log: "setattr size,mtime",
    after: { size: 0 },
  },
  "open with O_TRUNC alone": {
    promise: async () => (await fs.promises.open("/s/f", fs.constants.O_RDWR | fs.constants.O_TRUNC)).close(),
    log: "setattr size,mtime",
    after: { size: 0 },
  },
  writeFile: { promise: () => fs.promises.writeFile("/s/f", "new"), log: "setattr size,mtime", after: { size: 3 } },
};

describe("a change of attributes that waits for its store", () => {
  for (const [name, { promise, sync, log, after }] of Object.entries(CASES)) {
    it(`is asked for once, and made when the store has answered: ${name}`, async () => {
      mounted();
      const running = promise();
      await settled();
      await settled();
      assert.deepEqual(attributes(), BEFORE);
      assert.equal(store.questions.length, 1);
      fs.kernel.vfs.verify();
      await store.answerAll();
      await running;
      assert.deepEqual(store.log, [log]);
      assert.deepEqual(attributes(), { ...BEFORE, ...after });
      fs.kernel.umount("/s"); // nothing is held any more
    });

    it(`fails with what the store answers, and has changed nothing: ${name}`, async () => {
      mounted();
      const rejected = assert.rejects(promise(), { code: "EIO" });
      await settled();
      await settled();
      await store.answer(-EIO);
      await store.answerAll();
      await rejected;
      assert.deepEqual(attributes(), BEFORE);
      assert.deepEqual(store.log, [log]);
      fs.kernel.umount("/s");
    });

    if (sync === undefined) continue;
    it(`is not begun by a synchronous call: ${name}`, () => {
      mounted();
      assert.throws(sync, { code: "EAGAIN" });
      assert.deepEqual(store.log, []);
      assert.deepEqual(attributes(), BEFORE);
      fs.kernel.umount("/s");
    });
  }

  it("comes before the bytes of a write that kills set-ID bits, and is asked for once", async () => {
    mounted();
    store.isFast = true;
    fs.chmodSync("/s/f", 0o6777);
    store.isFast = false;
    store.log.length = 0;
    const user = fs.kernel.task({ uid: 1000, gid: 1000 });
    const handle = await user.promises.open("/s/f", "r+");
    const running = handle.write("xyz", 9);
    await settled();
    assert.equal(fs.statSync("/s/f").size, 9);
    await store.answerAll();
    await running;
    assert.deepEqual(store.log, ["setattr mode"]);
    assert.equal(fs.statSync("/s/f").mode & 0o7777, 0o777);
    assert.equal(fs.statSync("/s/f").size, 12);
    await handle.close();
  });

  it("ends such a write when the store refuses, without a byte written", async () => {
    mounted();
    store.isFast = true;
    fs.chmodSync("/s/f", 0o4777);
    store.isFast = false;
    store.log.length = 0;
    const user = fs.kernel.task({ uid: 1000, gid: 1000 });
    const handle = await user.promises.open("/s/f", "r+");
    const rejected = assert.rejects(handle.write("xyz", 9), { code: "EIO" });
    await settled();
    await store.answer(-EIO);
    await rejected;
    assert.deepEqual(store.log, ["setattr mode"]);
    assert.equal(fs.statSync("/s/f").size, 9);
    await handle.close();
  });

  it("has others wait that would change the same inode, in the order they came", async () => {
    mounted();
    const running = [fs.promises.chmod("/s/f", 0o600), fs.promises.truncate("/s/f", 1), fs.promises.unlink("/s/f")];
    await settled();
    assert.deepEqual(store.log, ["setattr mode"]);
    assert.throws(() => fs.chmodSync("/s/f", 0o777), { code: "EAGAIN" });
    await store.answerAll();
    await Promise.all(running);
    assert.deepEqual(store.log, ["setattr mode", "setattr size,mtime", "unlink f"]);
  });

  it("leaves no descriptor behind when its caller gives up", async () => {
    mounted();
    const controller = new AbortController();
    const rejected = assert.rejects(fs.promises.writeFile("/s/f", "new", { signal: controller.signal }), {
      name: "AbortError",
    });
    await settled();
    controller.abort();
    await rejected;
    await store.answerAll();
    assert.equal(fs.statSync("/s/f").size, 0);
    fs.kernel.umount("/s"); // EBUSY with an open file
  });

  it("reaches the store exactly once, whatever goes on beside it", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom("chmod", "truncate", "utimes", "writeFile", "fchmod"), value: fc.nat(511) }),
      fc.record({ kind: fc.constant("answer"), value: fc.nat(5) }),
      fc.record({ kind: fc.constant("refuse"), value: fc.nat(5) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        mounted();
        let nrAsked = 0;
        const running: Promise<unknown>[] = [];
        for (const { kind, value } of steps) {
          if (kind === "answer" || kind === "refuse") {
            await settled();
            const nr = store.questions.length;
            if (nr > 0) await store.answer(kind === "refuse" ? -EIO : 0, value % nr);
          } else {
            nrAsked++;
            running.push(start(kind, value).catch(() => {}));
          }
          fs.kernel.vfs.verify();
        }
        await store.answerAll();
        await Promise.all(running);
        assert.equal(store.log.length, nrAsked, store.log.join());
        fs.kernel.vfs.verify();
        fs.kernel.umount("/s");
      }),
      { numRuns: 60, ...(process.env.FOLIOFS_SEED && { seed: Number(process.env.FOLIOFS_SEED) }) },
    );
  });
});

function start(kind: string, value: number): Promise<unknown> {
  const { promises } = fs;
  switch (kind) {
    case "chmod":
      return promises.chmod("/s/f", value);
    case "truncate":
      return promises.truncate("/s/f", value);
    case "utimes":
      return promises.utimes("/s/f", value, value);
    case "fchmod":
      return byHandle((handle) => handle.chmod(value));
    default:
      return promises.writeFile("/s/f", "data");
  }
}
