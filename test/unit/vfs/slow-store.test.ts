/** Many at once on a store whose every operation may be slow or fail: inodes begin and end in pairs, and nothing is lost. */
import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { StoreFs } from "../../helpers/store-fs.ts";

const NAMES = ["a", "b", "c", "d"];
const SLOW = ["lookup", "readInode", "writeInode", "evictInode", "release", "syncFs", "putSuper"];
const EIO = -5;

const name = fc.constantFrom(...NAMES);
const step = fc.oneof(
  fc.record({ do: fc.constantFrom("stat" as const, "open" as const, "chmod" as const, "unlink" as const), name }),
  fc.record({ do: fc.constantFrom("grow" as const, "sync" as const), name }),
  fc.record({ do: fc.constantFrom("drop" as const, "settle" as const, "turn" as const), name }),
  fc.record({ do: fc.constantFrom("slow" as const, "quick" as const), name: fc.constantFrom(...SLOW) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Errors that the store causes are part of the game; others are not. */
async function unlessRefused(work: Promise<unknown>): Promise<void> {
  await work.catch((error) => {
    if (!["ENOENT", "EAGAIN", "EIO", "ESTALE"].includes(error.code)) throw error;
  });
}

async function grow(fs: FolioFs, path: string): Promise<void> {
  const handle = await fs.promises.open(path, "r+");
  await handle.write("12345678");
  await handle.close();
}

function start(fs: FolioFs, store: StoreFs, { do: what, name }: Step): Promise<unknown> | undefined {
  const path = `/s/${name}`;
  switch (what) {
    case "stat":
      return fs.promises.stat(path);
    case "open":
      return fs.promises.open(path, "r").then((handle) => handle.close());
    case "chmod":
      return fs.promises.chmod(path, 0o600);
    case "unlink":
      return fs.promises.unlink(path);
    case "grow":
      return grow(fs, path);
    case "sync":
      try {
        fs.kernel.sync();
      } catch {}
      return undefined;
    case "drop":
      return void fs.kernel.dropCaches(2);
    case "settle":
      return void store.settle();
    case "turn":
      return turn();
    case "slow":
      return void store.slow.add(name);
    case "quick":
      return void store.slow.delete(name);
  }
}

it("ends each inode that it has begun, whoever waits for what", { timeout: 60_000 }, async () => {
  const failing = fc.constantFrom(undefined, "evictInode", "release", "lookup", "readInode");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), failing, async (steps, fails) => {
      const store = new StoreFs();
      const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [store.type] });
      fs.mkdirSync("/s");
      fs.kernel.mount({ type: "storefs", target: "/s" });
      const nodes = NAMES.map((each) => store.add(each));
      store.takeLog();
      if (fails) store.failing.set(fails, EIO);
      const work: Promise<void>[] = [];
      const changedNames = new Set<string>();
      for (const each of steps) {
        const started = start(fs, store, each);
        if (each.do === "turn") await started;
        else if (started) {
          const changed = each.do === "chmod" ? started.then(() => changedNames.add(each.name)) : started;
          work.push(unlessRefused(changed));
        }
        fs.kernel.verify();
      }
      let isDone = false;
      const all = Promise.all(work).finally(() => {
        isDone = true;
      });
      while (!isDone) await store.settleAll();
      await all;
      let isUnmounted = false;
      const unmounted = fs.kernel.umountAsync("/s").finally(() => {
        isUnmounted = true;
      });
      while (!isUnmounted) await store.settleAll();
      await unmounted;
      await store.settleAll();
      fs.kernel.verify();
      const { nr_inodes, nr_hashed_inodes, nr_super_blocks, nr_files } = fs.kernel.vmstat();
      assert.deepEqual([nr_inodes, nr_hashed_inodes, nr_super_blocks, nr_files], [2, 0, 1, 0]);
      const log = store.takeLog().split(", ");
      const count = (line: string) => log.filter((other) => other === line).length;
      assert.equal(count("putSuper "), 1);
      for (const [i, { ino, nlink, mode }] of nodes.entries()) {
        if (nlink > 0 && changedNames.has(NAMES[i])) assert.equal(mode & 0o777, 0o600);
        if (fails !== "readInode") assert.equal(count(`evictInode ${ino}`), count(`readInode ${ino}`), `inode ${ino}`);
        if (fails !== "evictInode") assert.equal(store.nodes.has(ino), nlink > 0);
      }
      fs.kernel.destroy();
    }),
    { numRuns: 150 },
  );
});
