/**
 * Layers over a store that fails: random work, commits, forks and resets, with a fault at any call of the store. A call that fails so has changed
 * nothing; the trees are those of a twin, which has the same in memory and makes the calls that have not failed.
 *
 * FOLIOFS_SEED is the seed, else a random one; fast-check prints it, and the shortest program that fails. FOLIOFS_FAULT_RUNS and
 * FOLIOFS_FAULT_STEPS are how many programs there are, and how many steps they have at most.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { it } from "vitest";
import { createFsSync, EIO, ENOMEM, type FolioFs } from "../../../src/index.ts";
import { overlay } from "../../../src/layers.ts";
import { FaultStore } from "../../helpers/fault-store.ts";

const SEED = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = Number(process.env.FOLIOFS_FAULT_RUNS ?? 30);
const STEPS = Number(process.env.FOLIOFS_FAULT_STEPS ?? 50);

const TOPS = ["/x", "/y"] as const;
const NAMES = ["a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "s", "s/a", "s/b"];
const DROP_CACHES = 3;
const EXCHANGE = 2;

type Layer = ReturnType<FolioFs["kernel"]["layer"]>;

/** A kernel with two layers over a directory in memory and one that is not, or is as well. */
class Machine {
  readonly fs: FolioFs;
  readonly layers = new Map<string, Layer>();

  constructor(store: FaultStore | undefined) {
    this.fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: store ? [overlay, store.type] : [overlay] });
    const { fs } = this;
    for (const dir of ["/base", "/store", ...TOPS]) fs.mkdirSync(dir);
    fs.kernel.mount({ type: store ? "heldfs" : "tmpfs", target: "/store" });
    for (const dir of ["/store/d", "/store/d/e", "/store/s", "/base/d", "/base/s"]) fs.mkdirSync(dir);
    for (const [name, size] of [
      ["a", 30_000],
      ["d/b", 6000],
      ["d/e/a", 5],
      ["s/a", 0],
    ] as const)
      fs.writeFileSync(`/store/${name}`, Buffer.alloc(size, name));
    for (const name of ["b", "d/a"]) fs.writeFileSync(`/base/${name}`, name);
    fs.kernel.sync();
    for (const top of TOPS) this.mountLayer(top);
  }

  mountLayer(top: string): void {
    this.layers.set(top, this.fs.kernel.layer({ lower: ["/base", "/store"], target: top, size: "4m" }));
  }

  /** Puts a fork of a layer in the place of the other, or when that fails a new one. */
  fork(top: string): void {
    const other = otherOf(top);
    this.layer(other).drop();
    try {
      this.layers.set(other, this.layer(top).fork(other));
    } catch (error) {
      this.mountLayer(other);
      throw error;
    }
  }

  layer(top: string): Layer {
    return this.layers.get(top) as Layer;
  }

  end(): void {
    for (const layer of this.layers.values()) layer.drop();
    this.fs.kernel.umount("/store");
    this.fs.kernel.verify();
    this.fs.kernel.destroy();
  }
}

function otherOf(top: string): string {
  return TOPS[0] === top ? TOPS[1] : TOPS[0];
}

/** What a call has answered, or its code. */
function outcomeOf(call: () => unknown): unknown {
  try {
    return call() ?? "done";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? error;
  }
}

/** Whiteouts that a commit leaves in /base are seen there as devices. */
function look(fs: FolioFs, path: string): unknown {
  const stat = fs.lstatSync(path);
  if (stat.isFile()) return [stat.mode, fs.readFileSync(path, "latin1")];
  if (!stat.isDirectory()) return stat.mode;
  return [stat.mode, fs.readdirSync(path).map((name) => [name, look(fs, `${path}/${name}`)])];
}

/** But those of times alone, which the twin has others of: the store keeps them to the second. */
function changesOf(layer: Layer): string[] {
  const changes = layer.diff().filter(({ kind, changed }) => kind !== "modified" || String(changed) !== "times");
  return changes.map(({ kind, path }) => `${kind} ${path}`);
}

const CALLS = {
  create: ({ fs }, a) => fs.writeFileSync(a, a, { flag: "wx" }),
  write: ({ fs }, a, b) => fs.writeFileSync(a, b),
  append: ({ fs }, a, b) => fs.appendFileSync(a, b),
  truncate: ({ fs }, a) => fs.truncateSync(a, 4097),
  chmod: ({ fs }, a) => fs.chmodSync(a, 0o700),
  unlink: ({ fs }, a) => fs.unlinkSync(a),
  rmdir: ({ fs }, a) => fs.rmdirSync(a),
  mkdir: ({ fs }, a) => fs.mkdirSync(a),
  link: ({ fs }, a, b) => fs.linkSync(a, b),
  rename: ({ fs }, a, b) => fs.renameSync(a, b),
  exchange: ({ fs }, a, b) => fs.renameat2Sync(a, b, EXCHANGE),
  read: ({ fs }, a) => fs.readFileSync(a, "latin1"),
  readdir: ({ fs }, a) => fs.readdirSync(a),
  diff: (machine, _a, _b, top) => changesOf(machine.layer(top)),
  commit: (machine, _a, _b, top) => machine.layer(top).commit(),
  reset: (machine, _a, _b, top) => machine.layer(top).reset(),
  fork: (machine, _a, _b, top) => machine.fork(top),
  save: (machine, _a, _b, top) => void machine.layer(top).save(),
} satisfies Record<string, (machine: Machine, a: string, b: string, top: string) => unknown>;

const KINDS = Object.keys(CALLS) as (keyof typeof CALLS)[];
const CODES = new Map<number, string>([
  [-EIO, "EIO"],
  [-ENOMEM, "ENOMEM"],
]);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const step = fc.record({
  kind: fc.constantFrom(...KINDS),
  top: fc.constantFrom(...TOPS),
  a: fc.constantFrom(...NAMES),
  b: fc.constantFrom(...NAMES),
  isCold: fc.boolean(),
  /** The call of the store that fails, counted from the step on. */
  failing: fc.nat(12),
  fault: fc.constantFrom(...CODES.keys()),
});

/** A file is renamed, and its times are read from the store anew. */
const OTHER_TIMES: Step[] = [
  { kind: "rename", top: "/x", a: "a", b: "s/b", isCold: false, failing: 12, fault: -EIO },
  { kind: "diff", top: "/x", a: "a", b: "a", isCold: true, failing: 12, fault: -EIO },
];

it("layers over a store hold against its faults", { timeout: 600_000 }, () => {
  console.log(`layers-store-faults.test.ts: FOLIOFS_SEED=${SEED}`);
  let nrFailed = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: STEPS, size: "max" }), (steps) => {
      const store = new FaultStore();
      const machine = new Machine(store);
      const twin = new Machine(undefined);
      for (const { kind, top, a, b, isCold, failing, fault } of steps) {
        if (isCold) machine.fs.kernel.dropCaches(DROP_CACHES);
        const call = (one: Machine): unknown => outcomeOf(() => CALLS[kind](one, `${top}/${a}`, `${top}/${b}`, top));
        const first = store.calls.length;
        const nrFaults = store.failures.length;
        store.plan = (nr) => (nr === first + failing ? fault : undefined);
        const outcome = call(machine);
        store.plan = () => undefined;
        machine.fs.kernel.verify();
        if (store.failures.length === nrFaults || outcome !== CODES.get(fault)) assert.deepEqual(outcome, call(twin));
        else {
          nrFailed++;
          if (kind === "fork") twin.layer(otherOf(top)).reset();
        }
        for (const path of ["/base", ...TOPS]) assert.deepEqual(look(machine.fs, path), look(twin.fs, path), path);
      }
      machine.end();
      twin.end();
    }),
    { seed: SEED, numRuns: RUNS, examples: [[OTHER_TIMES]] },
  );
  assert(nrFailed > 0, "no call has failed: the faults do not reach the store");
});
