/**
 * A thread that makes mutants, restores those that are accepted, and works on them: whoever started it can end it when it does not come back.
 *
 * A mutant is told by one number, which makes it again.
 */
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { WHOLE_DETAIL } from "../../src/fuzz/describe.ts";
import { generate, type Profile } from "../../src/fuzz/generate.ts";
import { TaskPerformer } from "../../src/fuzz/perform.ts";
import { pick, seededRandom } from "../../src/fuzz/random.ts";
import { type FolioFs, restoreFsSync, SnapshotError } from "../../src/index.ts";
import { verifySnapshot } from "../../src/verify.ts";
import { useCoreModule } from "../../src/wasm/core-module.ts";
import { type MutantWay, Mutator, mutateChain, seal } from "./snapshot-mutator.ts";
import { ABILITIES, makeScenes, SCENE_LIMIT, SCENE_TYPES } from "./snapshot-scenes.ts";
import { workOn } from "./work-on-all.ts";

export interface MutantResult {
  readonly n: number;
  readonly scene: string;
  readonly told: readonly string[];
  /** Why it was refused; undefined = it was accepted. */
  readonly refused: string | undefined;
  /** What went wrong, which must be nothing. */
  readonly faults: readonly string[];
}

const { wasm, isShared, seed, way } = workerData as { wasm: string; isShared: boolean; seed: number; way: MutantWay };
useCoreModule(new WebAssembly.Module(readFileSync(wasm)), { shared: isShared });

const OPTIONS = { memoryLimit: SCENE_LIMIT, types: SCENE_TYPES };
const SPREAD = 7919;
const NR_CALLS = 80;
const PROFILES: readonly Profile[] = ["mixed", "names", "data", "permissions"];
const scenes = makeScenes(seed);
const mutators = scenes.map(({ chain }) => new Mutator(chain[0]));

/** What Node's functions throw, or foliofs's own with a code. */
function isOrderly(error: unknown): boolean {
  return typeof (error as { code?: unknown }).code === "string" && !(error instanceof WebAssembly.RuntimeError);
}

function describe(error: unknown): string {
  const { name, message, stack = "" } = error as Error;
  const lines = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return [`${name}: ${message}`, ...lines.slice(0, 6)].join(" | ");
}

/** A face whose calls are watched for what they throw. */
function watched(fs: FolioFs, faults: string[]): FolioFs {
  return new Proxy(fs, {
    get(target, name, receiver) {
      const value = Reflect.get(target, name, receiver);
      if (typeof value !== "function" || typeof name !== "string" || !/^[a-z]/.test(name)) return value;
      const call = (...args: unknown[]): unknown => {
        try {
          return value(...args);
        } catch (error) {
          if (!isOrderly(error)) faults.push(`${name}(${args.map(String).join().slice(0, 100)}): ${describe(error)}`);
          throw error;
        }
      };
      return Object.assign(call, value);
    },
  });
}

function program(fs: FolioFs, n: number, faults: string[]): void {
  const faces = [fs, fs.kernel.task({ uid: 1000, gid: 50, groups: [27] })].map((face) => watched(face, faults));
  const performers = faces.map((face) => {
    const task = { fs: face as never, chdir: face.task.chdir, umask: face.task.umask, cwd: face.task.cwd };
    return new TaskPerformer(task, { root: "", detail: WHOLE_DETAIL });
  });
  for (const call of generate(n, PROFILES[n % PROFILES.length], NR_CALLS, ABILITIES))
    performers[call.task].perform(call);
}

/** Restores a snapshot that has been accepted, and does all that can be done to it. */
function live(bytes: Uint8Array, n: number, faults: string[]): void {
  const fs = restoreFsSync(bytes, { ...OPTIONS, uid: 0, gid: 0 }); // who is root makes the other task
  fs.kernel.vfs.verify();
  program(fs, n, faults);
  const face = watched(fs, faults);
  workOn(face, (error) => {
    if (!isOrderly(error)) faults.push(describe(error));
  });
  fs.kernel.vfs.verify();
  const after = fs.kernel.snapshot();
  verifySnapshot(after, OPTIONS); // what comes of sound memory is
  fs.kernel.destroy();
}

function run(n: number): MutantResult {
  const random = seededRandom((seed + n * SPREAD) >>> 0);
  for (let i = 0; i < 3; i++) random(2);
  const i = random(scenes.length);
  const told: string[] = [];
  const faults: string[] = [];
  const { name, chain } = scenes[i];
  const mutants = mutateChain(chain, mutators[i], random, told, way);
  const result = { n, scene: name, told, faults };
  let bytes: Uint8Array;
  try {
    bytes = verifySnapshot(mutants.length === 1 && pick(random, [true, false]) ? mutants[0] : mutants, OPTIONS);
  } catch (error) {
    if (!(error instanceof SnapshotError)) faults.push(`verifySnapshot(): ${describe(error)}`);
    return { ...result, refused: (error as Error).message };
  }
  parentPort?.postMessage({ step: "accepted", ...result });
  try {
    live(seal(bytes), n, faults);
  } catch (error) {
    faults.push(describe(error));
  }
  return { ...result, refused: undefined };
}

parentPort?.on("message", (n: number) => {
  parentPort?.postMessage({ step: "done", ...run(n) });
});
parentPort?.postMessage({ step: "ready" });
