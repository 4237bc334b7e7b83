/**
 * Where the host may not read into the memory while JavaScript runs (host-memory.ts), or that is not known yet, pages go by a
 * buffer: they hold the same.
 */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { BudgetRun } from "../../../helpers/budget-run.ts";
import { createHostfsMount, type HostfsMount } from "../../../helpers/hostfs-mount.ts";

vi.mock("../../../../src/fs/hostfs/host-memory.ts", () => ({ viewsSurviveGrowth: () => false }));

const SEED = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 31));
const SLOW_MS = 600_000;
const OLD = Buffer.alloc(3 * 4096 - 100, "old");

describe.each(["writeback", "writethrough"])("by a buffer, cache=%s", (cache) => {
  let setup: HostfsMount;

  beforeEach(() => {
    setup = createHostfsMount();
    setup.mount(`cache=${cache}`);
    nodeFs.writeFileSync(`${setup.inside}/f`, OLD);
  });
  afterEach(() => {
    setup.fs.kernel.verify?.();
    setup.dispose();
  });

  it("reads a file", async () => {
    assert.ok((await setup.fs.promises.readFile("/mnt/f")).equals(OLD));
  });

  it.each([0, 10, 4096, 5000, 2 * 4096 + 10, OLD.length])(
    "keeps the rest of a page that is written to at %i",
    async (at) => {
      const { fs, inside } = setup;
      const expected = Buffer.alloc(Math.max(OLD.length, at + 3));
      OLD.copy(expected);
      expected.write("new", at);
      const handle = await fs.promises.open("/mnt/f", "r+");
      await handle.write("new", at);
      await handle.close();
      assert.ok((await fs.promises.readFile("/mnt/f")).equals(expected));
      await fs.kernel.syncAsync();
      assert.ok(nodeFs.readFileSync(`${inside}/f`).equals(expected));
    },
  );

  it(`loses nothing of random work, FOLIOFS_SEED=${SEED}`, { timeout: SLOW_MS }, async () => {
    const { fs, inside } = setup;
    const run = new BudgetRun(fs, { seed: SEED, dir: "/mnt", bytes: 2 ** 26, memoryLimit: 2 ** 26, nrSteps: 300 });
    await run.work();
    await fs.kernel.syncAsync();
    for (const { path, bytes } of run.expected()) {
      const host = path.replace("/mnt", inside);
      if (bytes.length > 0 || nodeFs.existsSync(host)) assert.ok(nodeFs.readFileSync(host).equals(bytes), path);
    }
    await run.compareAll();
  });
});
