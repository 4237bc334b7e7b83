/**
 * Random work with swap, beside a model: contents are what they should be, memory has no more than its limit, no call fails that
 * fits, and a device that fails at any of its calls harms nothing.
 *
 * FOLIOFS_SEED is the seed, else a random one, which is printed; FOLIOFS_SWAP_FAULTS at how many calls in turn the device fails
 * (default 40, up to 500 for a long run), FOLIOFS_SWAP_STEPS how many calls are made by random work (default 800).
 */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs, restoreFsSync } from "../../../src/index.ts";
import { MockSwap } from "../../helpers/mock-swap.ts";
import { seededRandom } from "../../helpers/random.ts";
import { SwapScript } from "../../helpers/swap-script.ts";

const MIB = 2 ** 20;
const LIMIT = 8 * MIB;
const SEED = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`swap: FOLIOFS_SEED=${SEED}`);
const NR_FAULTS = Number(process.env.FOLIOFS_SWAP_FAULTS ?? 40);
const NR_STEPS = Number(process.env.FOLIOFS_SWAP_STEPS ?? 800);
/** Ends a run that hangs: the machine's speed decides nothing. */
const SLOW_MS = 600_000;

function machine(): FolioFs {
  const fs = createFsSync({ memoryLimit: LIMIT });
  fs.mkdirSync("/t");
  fs.kernel.mount({ type: "tmpfs", target: "/t", data: "size=64m" });
  return fs;
}

function run(fs: FolioFs, script: SwapScript, nrSteps: number): void {
  for (let i = 0; i < nrSteps; i++) {
    script.step();
    assert.ok(fs.kernel.vfs.core.memory.buffer.byteLength <= LIMIT);
    if (i % 100 === 0) fs.kernel.verify();
  }
  script.compareAll();
  fs.kernel.verify();
}

describe("random work", () => {
  it.each([
    ["a device", () => [new MockSwap(9000)]],
    ["three areas, two of one priority", () => [new MockSwap(700), new MockSwap(700), new MockSwap(9000)]],
  ])(
    "on %s",
    (_name, devices) => {
      const fs = machine();
      const areas = devices();
      for (const [i, device] of areas.entries()) fs.kernel.swapOn(device, i < 2 ? { priority: 5 } : {});
      const script = new SwapScript(fs, "/t", SEED);
      run(fs, script, NR_STEPS);
      for (const { pagesRead } of areas) assert.ok(pagesRead > 0, "an area that nothing has come back from");
      script.removeAll();
      for (const device of areas) fs.kernel.swapOff(device);
      fs.kernel.verify();
    },
    SLOW_MS,
  );

  it(
    "on a file, with snapshots, forks and areas that come and go",
    () => {
      const dir = nodeFs.mkdtempSync(join(tmpdir(), "foliofs-swap-"));
      try {
        const fs = machine();
        const file = join(dir, "swap");
        fs.kernel.swapOn({ file, size: 36 * MIB });
        const script = new SwapScript(fs, "/t", SEED + 1);
        const random = seededRandom(SEED + 2);
        const extra = new MockSwap(9000);
        for (let i = 0; i < 5; i++) {
          run(fs, script, NR_STEPS / 5);
          const bytes = fs.kernel.snapshot();
          const fork = fs.kernel.fork().fs;
          const restored = restoreFsSync(bytes);
          for (const name of fs.readdirSync("/t")) {
            assert.ok(restored.readFileSync(`/t/${name}`).equals(fs.readFileSync(`/t/${name}`)));
            assert.ok(fork.readFileSync(`/t/${name}`).equals(fs.readFileSync(`/t/${name}`)));
          }
          for (const copy of [fork, restored]) {
            copy.kernel.verify();
            copy.kernel.destroy();
          }
          if (random(2) === 0) fs.kernel.restore(bytes); // its areas are memory now
          extra.isClosed = false;
          fs.kernel.swapOn(extra, { priority: i });
          run(fs, script, NR_STEPS / 20);
          fs.kernel.swapOn({ file: `${file}${i}`, size: 36 * MIB });
          fs.kernel.swapOff(extra);
          fs.kernel.verify();
        }
        script.compareAll();
        fs.kernel.destroy();
      } finally {
        nodeFs.rmSync(dir, { recursive: true, force: true });
      }
    },
    SLOW_MS,
  );

  it(
    "on a device that now and then fails, and refuses pages",
    () => {
      const fs = machine();
      const device = new MockSwap(9000);
      const script = new SwapScript(fs, "/t", SEED + 3);
      const random = seededRandom(SEED + 4);
      let nrFailed = 0;
      let [failures, respite] = [0, 0]; // up to 3 in turn, then none for a while: or the call that is made again would fail as well
      device.verdict = (_nr, isWrite, io) => {
        if (failures === 0 && respite === 0 && random(40) === 0) failures = 1 + random(3);
        if (failures === 0) {
          if (respite > 0) respite--;
          return isWrite && random(3) === 0 ? random(io.nrPages + 1) : "ok";
        }
        if (--failures === 0) respite = 12;
        nrFailed++;
        script.hasFailed = true;
        return random(2) === 0 ? "throw" : 0;
      };
      fs.kernel.swapOn(device);
      run(fs, script, NR_STEPS);
      assert.ok(nrFailed > 5, `only ${nrFailed} failures`);
    },
    SLOW_MS,
  );
});

describe("a device that fails", () => {
  /** @param at number of the call that fails, -1 = none @returns calls */
  function work(at: number, isShort: boolean): number {
    const fs = machine();
    const device = new MockSwap(9000);
    const script = new SwapScript(fs, "/t", SEED + 5);
    device.verdict = (nr) => {
      if (nr !== at) return "ok";
      script.hasFailed = true;
      return isShort ? 0 : "throw";
    };
    fs.kernel.swapOn(device);
    for (let i = 0; i < 120; i++) script.step();
    script.compareAll();
    fs.kernel.verify();
    assert.ok(at < device.nrRequests);
    script.removeAll();
    fs.kernel.swapOff(device);
    fs.kernel.verify();
    fs.kernel.destroy();
    return device.nrRequests;
  }

  it(
    "at each of its calls in turn",
    () => {
      const nr = work(-1, false);
      assert.ok(nr > 100, `only ${nr} calls`);
      const step = Math.max(1, nr / NR_FAULTS);
      for (let at = 0; at < nr - 1; at += step) work(Math.floor(at), (at & 1) === 1);
    },
    SLOW_MS,
  );
});
