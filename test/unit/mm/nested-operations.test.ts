/** Operations that make calls on the kernel they are called by: these are calls of their own, whichever operation makes them. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { O_DIRECT, O_RDWR } from "../../../src/base/stat-flags.ts";
import type { NodeFileHandle } from "../../../src/index.ts";
import { invalidateInodePages2Range } from "../../../src/mm/invalidate.ts";
import { LoggingFs, type Operation, PAGE } from "../../helpers/logging-fs.ts";

type Run = (t: LoggingFs, f: NodeFileHandle) => Promise<unknown>;

async function dirty(f: NodeFileHandle): Promise<void> {
  await f.write(Buffer.alloc(PAGE, 65), 0, PAGE, 0);
}

async function drop(t: LoggingFs, f: NodeFileHandle): Promise<void> {
  await t.fs.kernel.callFile(f.fd, (k) => invalidateInodePages2Range(k, t.mappingOf(f.fd), t.inodeOf(f.fd), 0, 0));
}

/** A promise call that has the operation called. */
const CALLS: Partial<Record<Operation, Run>> = {
  readPage: (_t, f) => f.write(Buffer.alloc(1), 0, 1, 5),
  readahead: (_t, f) => f.read(Buffer.alloc(1), 0, 1, 0),
  writeBegin: (_t, f) => dirty(f),
  writeEnd: (_t, f) => dirty(f),
  setPageDirty: (_t, f) => dirty(f),
  writePages: async (_t, f) => {
    await dirty(f);
    await f.sync();
  },
  launderPage: async (t, f) => {
    await dirty(f);
    await drop(t, f);
  },
  releasePage: async (t, f) => {
    await f.read(Buffer.alloc(1), 0, 1, 0);
    await drop(t, f);
  },
  freePage: async (t, f) => {
    await f.read(Buffer.alloc(1), 0, 1, 0);
    await drop(t, f);
  },
  invalidatePage: async (_t, f) => {
    await f.read(Buffer.alloc(1), 0, 1, 0);
    await f.truncate(0);
  },
  directIO: async (t) => {
    const own = await t.fs.promises.open("/m/f", O_RDWR | O_DIRECT);
    await own.read(Buffer.alloc(PAGE), 0, PAGE, 0);
    await own.close();
  },
};

describe("a synchronous call within an operation cannot wait, and holds nothing afterwards:", () => {
  for (const [operation, run] of Object.entries(CALLS)) {
    it(operation, async () => {
      const t = new LoggingFs({ isLate: true });
      t.add("f", 4 * PAGE);
      t.add("other", PAGE);
      const f = await t.fs.promises.open("/m/f", "r+");
      const other = await t.fs.promises.open("/m/other", "r+");
      const user = t.fs.kernel.task({ uid: 1000, gid: 1000 });
      t.fs.writeFileSync("/journal", "");
      const codes: string[] = [];
      t.onCall = (line) => {
        if (!line.startsWith(`${operation} `) || codes.length > 0) return;
        t.fs.appendFileSync("/journal", line);
        user.statSync("/");
        codes.push("none");
        try {
          t.fs.writeSync(other.fd, "x", 5);
        } catch (error) {
          codes[0] = (error as { code: string }).code;
        }
      };
      await run(t, f);
      await t.idle();
      assert.deepEqual(codes, ["EAGAIN"]);
      assert.match(t.fs.readFileSync("/journal", "utf8"), new RegExp(`^${operation} `));
      t.onCall = undefined;
      assert.equal(t.kernel.pendingChanges.size, 0);
      assert.equal((await other.write("later", 0)).bytesWritten, 5);
      await other.sync();
      assert.equal(t.files[1].data.toString("latin1", 0, 5), "later");
      t.kernel.verify();
      await f.close();
      await other.close();
      t.fs.kernel.destroy();
    });
  }
});
