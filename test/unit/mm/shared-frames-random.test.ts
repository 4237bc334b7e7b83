/**
 * Random work on files that share pages, beside a model: contents are what they should be, verify() finds nothing, what fails for want of room
 * leaves all as before, and all memory comes back.
 *
 * FOLIOFS_SEED is the seed, else a random one, which is printed; FOLIOFS_CLONE_RUNS how many scripts run of each kind (default 25).
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs, restoreFsSync } from "../../../src/index.ts";
import { type CloneMachine, CloneScript, cloneOperation } from "../../helpers/clone-script.ts";
import { MockSwap } from "../../helpers/mock-swap.ts";
import { pushAllOut } from "../../helpers/swapped-out.ts";

const MIB = 2 ** 20;
const SEED = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`shared frames: FOLIOFS_SEED=${SEED}`);
const RUNS = Number(process.env.FOLIOFS_CLONE_RUNS ?? 25);
/** Ends a run that hangs: the machine's speed decides nothing. */
const SLOW_MS = 600_000;

function machine(memoryLimit: number, size = "2m"): FolioFs {
  const fs = createFsSync({ memoryLimit });
  for (const target of ["/t", "/u"]) {
    fs.mkdirSync(target);
    fs.kernel.mount({ type: "tmpfs", target, data: `size=${size}` });
  }
  return fs;
}

function check(make: () => CloneMachine, maxLength = 60): void {
  const done = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(cloneOperation, { minLength: 1, maxLength, size: "max" }), (operations) => {
      const made = make();
      const before = made.fs;
      try {
        const script = new CloneScript(made);
        script.run(operations);
        for (const [kind, n] of script.nrDone) done.set(kind, (done.get(kind) ?? 0) + n);
        script.removeAll();
        made.fs.kernel.verify();
        for (const { charged } of made.fs.kernel.usage().mounts) assert.equal(charged, 0);
      } finally {
        made.fs.kernel.destroy();
        if (before !== made.fs) before.kernel.destroy();
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
  if (RUNS >= 25) for (const kind of ["ficlone", "ficlonerange", "lend", "write"]) assert.ok(done.has(kind), kind);
  if (process.env.FOLIOFS_VERBOSE) console.log(done);
}

describe("files that share pages, at random", () => {
  it(
    "with room, forks and snapshots",
    () => {
      const options = { memoryLimit: 64 * MIB };
      const restore = (bytes: Uint8Array): FolioFs => restoreFsSync(bytes, options);
      check(() => ({ fs: machine(64 * MIB, "16m"), restore, isTight: false, hasFaults: false }));
    },
    SLOW_MS,
  );

  it(
    "with allocations that fail",
    () => {
      const restore = (bytes: Uint8Array): FolioFs => restoreFsSync(bytes, { memoryLimit: 64 * MIB });
      check(() => ({ fs: machine(64 * MIB), restore, isTight: true, hasFaults: true }));
    },
    SLOW_MS,
  );

  it(
    "with little memory, and small file systems",
    () => check(() => ({ fs: machine(8 * MIB, "700k"), isTight: true, hasFaults: false }), 120),
    SLOW_MS,
  );

  it(
    "with swap",
    () =>
      check(() => {
        const fs = machine(8 * MIB, "6m");
        fs.kernel.swapOn(new MockSwap(9000));
        return {
          fs,
          restore: (bytes) => restoreFsSync(bytes, { memoryLimit: 8 * MIB }),
          isTight: true,
          hasFaults: false,
        };
      }, 120),
    SLOW_MS,
  );

  it(
    "with all in swap areas that can go there, before each call",
    () =>
      check(() => {
        const fs = machine(16 * MIB);
        fs.kernel.swapOn(new MockSwap(9000));
        const made: CloneMachine = { fs, isTight: true, hasFaults: false, before: () => pushAllOut(made.fs) };
        return made;
      }),
    SLOW_MS,
  );
});
