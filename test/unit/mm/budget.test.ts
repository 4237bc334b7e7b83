/**
 * Files many times as large as memory may be, in front of stores: nothing is lost, and the limit holds.
 *
 * FOLIOFS_SEED is the seed, else a random one, which is printed; FOLIOFS_BUDGET_MIB how much data there is (default 64, 1024
 * for a long run), FOLIOFS_BUDGET_STEPS how many calls are made.
 */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, it } from "vitest";
import { hostfs } from "../../../src/host.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { compressedSwap } from "../../../src/store.ts";
import { BudgetRun } from "../../helpers/budget-run.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { lz4 } from "../../helpers/lz4.ts";
import { MockSwap } from "../../helpers/mock-swap.ts";
import { seededRandom } from "../../helpers/random.ts";
import { outcomeOf } from "../../helpers/subject.ts";
import { unsteadyClock } from "../../helpers/unsteady-clock.ts";

const MIB = 2 ** 20;
const SEED = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`budget: FOLIOFS_SEED=${SEED}`);
const BYTES = Number(process.env.FOLIOFS_BUDGET_MIB ?? 64) * MIB;
const STEPS = Number(process.env.FOLIOFS_BUDGET_STEPS ?? 600);
/** Ends a run that hangs: the machine's speed decides nothing. */
const SLOW_MS = 600_000;

/** Data in memory and names come and go meanwhile, up to a third of the memory; pages move, and memory shrinks where nobody has one. */
function disturb(fs: FolioFs, limit: number): (step: number) => void {
  const random = seededRandom(SEED + 1);
  return () => {
    const path = `/b${random(8)}`;
    if (random(25) === 0)
      assert.match(
        outcomeOf(() => fs.kernel.shrink()),
        /^(ok|EBUSY)$/,
      );
    if (random(25) === 0) fs.kernel.compact();
    if (random(3) === 0) fs.rmSync(path, { recursive: true, force: true });
    else if (random(4) === 0) for (let i = 0; i < 20; i++) fs.mkdirSync(`${path}d${i}`, { recursive: true });
    else fs.writeFileSync(path, Buffer.alloc(random(limit / 24), 1));
  };
}

describe.each([16, 64])("within %i MiB", (mib) => {
  const memoryLimit = mib * MIB;
  let dir: string;

  beforeEach(() => {
    dir = nodeFs.mkdtempSync("/dev/shm/foliofs-budget-");
  });
  afterEach(() => nodeFs.rmSync(dir, { recursive: true, force: true }));

  async function workOnHostfs(cache: string): Promise<void> {
    const fs = createFsSync({ memoryLimit, types: [hostfs] });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "hostfs", source: dir, target: "/m", data: `cache=${cache}` });
    const run = new BudgetRun(fs, { seed: SEED, dir: "/m", bytes: BYTES, memoryLimit, nrSteps: STEPS });
    run.onStep = disturb(fs, memoryLimit);
    await run.work();
    await fs.kernel.syncAsync();
    fs.kernel.verify();
    for (const { path, bytes } of run.expected()) {
      const host = path.replace("/m", dir);
      if (bytes.length > 0 || nodeFs.existsSync(host)) assert.ok(nodeFs.readFileSync(host).equals(bytes), path);
    }
    await run.compareAll();
    run.checkLimit();
    fs.kernel.verify();
    fs.kernel.destroy();
  }

  const caches = ["writeback", "writethrough", "none"];

  it.each(caches)("hostfs, cache=%s", workOnHostfs, SLOW_MS);

  it.each(caches)(
    "hostfs, cache=%s, of a host whose clock is set back",
    async (cache) => {
      const restore = unsteadyClock();
      await workOnHostfs(cache).finally(restore);
    },
    SLOW_MS,
  );

  /** A kernel with a tmpfs that is larger than its memory. */
  function withTmpfs(): FolioFs {
    const fs = createFsSync({ memoryLimit });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "tmpfs", target: "/m", data: `size=${2 * BYTES}` });
    return fs;
  }

  it.each([
    ["a file as swap", () => ({ file: `${dir}/swap`, size: BYTES + memoryLimit })],
    ["memory that compresses as swap", () => compressedSwap({ size: BYTES, ...lz4 })],
  ])(
    "tmpfs with %s",
    async (_name, device) => {
      const fs = withTmpfs();
      fs.kernel.swapOn(device());
      const run = new BudgetRun(fs, { seed: SEED, dir: "/m", bytes: BYTES, memoryLimit, nrSteps: STEPS });
      run.onStep = disturb(fs, memoryLimit);
      await run.work();
      fs.kernel.verify();
      await run.compareAll();
      run.checkLimit();
      fs.kernel.verify();
      if (run.dataBytes > memoryLimit) assert.ok(fs.kernel.vmstat().pswpout > 0, "all of it was in memory");
      fs.kernel.destroy();
    },
    SLOW_MS,
  );

  it(
    "tmpfs with a swap device that answers in any order",
    async () => {
      const fs = withTmpfs();
      const device = new MockSwap((BYTES + memoryLimit) / 4096);
      device.isAsync = true;
      fs.kernel.swapOn(device);
      const run = new BudgetRun(fs, {
        seed: SEED,
        dir: "/m",
        bytes: BYTES,
        memoryLimit,
        nrSteps: STEPS,
        isAsync: true,
      });
      const random = seededRandom(SEED + 2);
      let isOver = false;
      const work = run
        .work()
        .then(() => fs.kernel.verify())
        .then(() => run.compareAll())
        .finally(() => {
          isOver = true;
        });
      while (!isOver) {
        await new Promise(setImmediate);
        for (let n = random(8); n > 0 && device.waiting.length > 0; n--) device.answer(random(device.waiting.length));
      }
      await work;
      fs.kernel.verify();
      fs.kernel.destroy();
    },
    SLOW_MS,
  );

  it(
    "a store that answers in any order",
    async () => {
      const store = new FaultStore();
      const fs = createFsSync({ memoryLimit, types: [store.type] });
      fs.mkdirSync("/m");
      fs.kernel.mount({ type: "heldfs", target: "/m" });
      const run = new BudgetRun(fs, { seed: SEED, dir: "/m", bytes: BYTES, memoryLimit, nrSteps: STEPS });
      run.onStep = disturb(fs, memoryLimit);
      const random = seededRandom(SEED + 2);
      let isOver = false;
      const work = (async () => {
        await run.work();
        await fs.kernel.syncAsync();
        fs.kernel.verify();
        for (const { path, bytes } of run.expected()) {
          const [, , chain, name] = path.split("/");
          const node = store.at(`${chain}/${name}`);
          if (bytes.length > 0 || node) assert.ok(node?.data.equals(bytes), path);
        }
        await run.compareAll();
      })().finally(() => {
        isOver = true;
      });
      while (!isOver) {
        await new Promise(setImmediate);
        for (let n = random(8); n > 0 && store.waiting.length > 0; n--) store.answer(random(store.waiting.length));
      }
      await work;
      fs.kernel.verify();
    },
    SLOW_MS,
  );
});
