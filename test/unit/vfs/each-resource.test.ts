/**
 * Each resource in turn is taken until there is none left: a clean error, ENOSPC for what a file system in memory takes, ENOMEM
 * for what belongs to a process; then nothing is half done, the limit holds, the next removal makes it work again, and a
 * second round gets as much as the first.
 */
import { strict as assert } from "node:assert";
import { afterEach, describe, it } from "vitest";
import { EIO } from "../../../src/base/errno.ts";
import { createFsSync, type FolioFs, type FsOptions } from "../../../src/index.ts";
import { MockStore, settled } from "../../helpers/mock-store.ts";
import { SlowFs } from "../../helpers/slow-fs.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const MIB = 2 ** 20;
const PAGE = 4096;
/** Of this and the last attempts, which all have to fail in the same way. */
const NR_FAILURES = 3;

const used: FolioFs[] = [];

afterEach(() => {
  for (const fs of used.splice(0)) fs.kernel.destroy();
});

function newFs(options: FsOptions): FolioFs {
  const fs = createFsSync({ maxFiles: 2 ** 20, ...options });
  used.push(fs);
  fs.mkdirSync("/d");
  fs.writeFileSync("/d/file", Buffer.alloc(10 * PAGE, 7));
  return fs;
}

interface Resource {
  code: "ENOSPC" | "ENOMEM";
  take(fs: FolioFs, i: number): unknown;
  giveBack(fs: FolioFs, i: number, taken: unknown): void;
}

const NR_LOCKED = 400;
const LONG = "l".repeat(200);

const RESOURCES: Record<string, Resource> = {
  "data, page by page": {
    code: "ENOSPC",
    take: (fs, i) => fs.writeFileSync("/d/data", Buffer.alloc(PAGE, i), { flag: "a" }),
    giveBack: (fs, i) => fs.truncateSync("/d/data", i * PAGE),
  },
  "data, in large files": {
    code: "ENOSPC",
    take: (fs, i) => {
      const fd = fs.openSync(`/d/data${i}`, "w");
      try {
        fs.writeFileSync(fd, Buffer.alloc(200_000, i));
      } finally {
        fs.closeSync(fd);
      }
    },
    giveBack: (fs, i) => fs.unlinkSync(`/d/data${i}`),
  },
  "promises of data": {
    code: "ENOSPC",
    take: (fs, i) => {
      const fd = fs.openSync("/d/promised", "a");
      try {
        fs.fallocateSync(fd, 0, i * 16 * PAGE, 16 * PAGE);
      } finally {
        fs.closeSync(fd);
      }
    },
    giveBack: (fs, i) => fs.truncateSync("/d/promised", i * 16 * PAGE),
  },
  inodes: {
    code: "ENOSPC",
    take: (fs, i) => fs.mknodSync(`/d/${i}`, 0o100644),
    giveBack: (fs, i) => fs.unlinkSync(`/d/${i}`),
  },
  directories: {
    code: "ENOSPC",
    take: (fs, i) => fs.mkdirSync(`/d/${i}`),
    giveBack: (fs, i) => fs.rmdirSync(`/d/${i}`),
  },
  links: {
    code: "ENOSPC",
    take: (fs, i) => fs.linkSync("/d/file", `/d/${i}`),
    giveBack: (fs, i) => fs.unlinkSync(`/d/${i}`),
  },
  "long names": {
    code: "ENOSPC",
    take: (fs, i) => fs.linkSync("/d/file", `/d/${LONG}${i}`),
    giveBack: (fs, i) => fs.unlinkSync(`/d/${LONG}${i}`),
  },
  "targets of symbolic links": {
    code: "ENOSPC",
    take: (fs, i) => fs.symlinkSync("t".repeat(1500), `/d/${i}`),
    giveBack: (fs, i) => fs.unlinkSync(`/d/${i}`),
  },
  "open files": {
    code: "ENOMEM",
    take: (fs) => fs.openSync("/d/file", "r"),
    giveBack: (fs, _i, fd) => fs.closeSync(fd as number),
  },
  tasks: {
    code: "ENOMEM",
    take: (fs) => fs.kernel.task({ groups: Array.from({ length: 900 }, (_, i) => i) }),
    giveBack: (fs, _i, face) => fs.kernel.exit(face as FolioFs),
  },
  locks: {
    code: "ENOMEM",
    take: (fs, i) => {
      const fd = fs.openSync(`/d/lock${i % NR_LOCKED}`, "a"); // each file has a list of its locks
      try {
        fs.flockSync(fd, 1);
      } catch (error) {
        fs.closeSync(fd);
        throw error;
      }
      return fd;
    },
    giveBack: (fs, _i, fd) => fs.closeSync(fd as number),
  },
  mounts: {
    code: "ENOMEM",
    take: (fs, i) => {
      if (i === 0) fs.mkdirSync("/m", { recursive: true });
      fs.kernel.mount({ type: "ramfs", target: "/m", source: `source-${LONG}` });
    },
    giveBack: (fs) => fs.kernel.umount("/m"),
  },
};

/** Takes until there is none left, or there are enough to see that there is an end to it. @returns what was taken */
function takeAll(fs: FolioFs, { code, take }: Resource): unknown[] {
  const taken: unknown[] = [];
  const { memoryLimit } = fs.kernel.vfs.core.options;
  for (let failures = 0; failures < NR_FAILURES; ) {
    const outcome = outcomeOf(() => void taken.push(take(fs, taken.length)));
    if (outcome === "ok") continue;
    assert.equal(outcome, code);
    failures++;
    fs.kernel.verify();
    assert.ok(fs.kernel.vfs.core.arrayBuffer.byteLength <= memoryLimit);
  }
  return taken;
}

describe.each(["tmpfs", "ramfs"] as const)("%s", (root) => {
  for (const [name, resource] of Object.entries(RESOURCES)) {
    it(`${name}: ${resource.code}, and again when some are given back`, () => {
      const fs = newFs({ memoryLimit: 8 * MIB, root });
      const before = fs.readFileSync("/d/file");
      const taken = takeAll(fs, resource);
      assert.ok(taken.length > 10, `${taken.length} taken`);
      assert.ok(fs.readFileSync("/d/file").equals(before));
      const last = taken.length - 1;
      resource.giveBack(fs, last, taken.pop());
      fs.kernel.verify();
      taken.push(resource.take(fs, last)); // it works again
      for (let i = last; i >= 0; i--) resource.giveBack(fs, i, taken[i]);
      fs.kernel.verify();
      assert.ok(fs.readFileSync("/d/file").equals(before));
      const again = takeAll(fs, resource);
      assert.ok(again.length >= taken.length * 0.95, `${again.length} of ${taken.length} the second time`);
    });
  }
});

describe("with a store", () => {
  it("calls in flight: ENOMEM, and as many again when the store has answered", async () => {
    const slow = new SlowFs();
    const fs = newFs({ memoryLimit: 8 * MIB, types: [slow.type] });
    fs.mkdirSync("/s");
    fs.kernel.mount({ type: "slowfs", target: "/s" });
    slow.isFast = true;
    const nr = 3000; // one call at a time changes names in a directory
    for (let i = 0; i < nr; i++) fs.mkdirSync(`/s/${i}`);
    takeAll(fs, RESOURCES["data, page by page"]);
    fs.truncateSync("/d/data", fs.statSync("/d/data").size - 40 * PAGE);
    const round = async (name: string): Promise<number> => {
      slow.isFast = false;
      const calls = Array.from({ length: nr }, (_, i) =>
        fs.promises.mkdir(`/s/${i}/${name}`).then(
          () => "ok",
          (error) => error.code,
        ),
      );
      await settled();
      assert.ok(slow.questions.length > 100 && slow.questions.length < nr, `${slow.questions.length} calls in flight`);
      fs.kernel.verify();
      assert.ok(fs.kernel.vfs.core.arrayBuffer.byteLength <= 8 * MIB);
      for (const question of slow.questions.splice(0)) question.answer(-EIO); // nothing is made: all of it comes back
      const outcomes = await Promise.all(calls);
      assert.deepEqual([...new Set(outcomes)].sort(), ["EIO", "ENOMEM"]);
      fs.kernel.verify();
      return outcomes.filter((code) => code === "EIO").length;
    };
    const first = await round("a");
    const second = await round("b");
    assert.ok(second >= first * 0.95, `${second} after ${first}`);
  });

  it("pins of pages that a store is filling: readers wait or are told, nobody else is harmed, and all of it comes back", async () => {
    const store = new MockStore({ isAsync: true, raPages: 32, bdi: {} });
    const nr = 4000;
    store.files.set("f", Buffer.alloc(nr * PAGE, 9));
    const fs = newFs({ memoryLimit: 8 * MIB, types: [store.type] });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "mockfs", target: "/m" });
    const f = await fs.promises.open("/m/f", "r");
    const round = async (): Promise<void> => {
      const reads: Promise<string>[] = [];
      for (let i = 0; i < nr; i += 4) {
        const read = f.read(Buffer.alloc(PAGE), 0, PAGE, i * PAGE);
        reads.push(
          read.then(
            ({ buffer }) => (buffer.every((byte) => byte === 9) ? "ok" : "other bytes"),
            (e) => e.code,
          ),
        );
      }
      await settled();
      fs.kernel.verify();
      assert.ok(fs.kernel.vfs.core.arrayBuffer.byteLength <= 8 * MIB);
      const outcome = outcomeOf(() => fs.writeFileSync("/d/other", Buffer.alloc(3 * MIB)));
      assert.match(outcome, /^(ok|ENOSPC|EAGAIN)$/);
      fs.rmSync("/d/other", { force: true });
      while (store.pending.length > 0) {
        await store.answerAll();
        await settled();
      }
      const outcomes = new Set(await Promise.all(reads));
      outcomes.delete("ok");
      outcomes.delete("ENOMEM");
      assert.deepEqual([...outcomes], []);
      fs.kernel.verify();
    };
    await round();
    fs.kernel.dropCaches(3);
    await round();
    fs.kernel.dropCaches(3);
    fs.writeFileSync("/d/other", Buffer.alloc(5 * MIB));
    fs.kernel.verify();
    await f.close();
  });
});
