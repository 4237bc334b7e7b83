/**
 * Random work on a tree that changes, says so, and answers in any order: whatever comes, a call gives what some state of the tree
 * was while it was made, and in the end nothing is held.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import type { LazyEntry, LazyTree } from "../../../../src/lazy.ts";
import { turns, withTree } from "../../../helpers/lazy-tree.ts";

const DIRS = ["", "/d", "/d/e"];
const NAMES = ["a", "b"];
const FILES = DIRS.flatMap((dir) => NAMES.map((name) => `${dir}/${name}`));
const LENGTHS = [0, 1, 4096, 5000, 70_000];

/** What a file has been, the latest last; undefined = it was not there. */
type History = ({ byte: number; length: number } | undefined)[];

const file = fc.nat(FILES.length - 1);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ what: fc.constant("read" as const), file, position: fc.nat(6000) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("readSync" as const), file, position: fc.nat(6000) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("stat" as const), file }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("list" as const), dir: fc.nat(DIRS.length - 1) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("change" as const), file, length: fc.nat(LENGTHS.length) }) },
  { weight: 10, arbitrary: fc.record({ what: fc.constant("answer" as const), nr: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant("drop" as const), caches: fc.constantFrom<(1 | 2 | 3)[]>(1, 2, 3) }),
  },
  { weight: 1, arbitrary: fc.constant({ what: "turn" as const }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function promiseOf<T>(value: () => T): Promise<T> {
  return value();
}

class Scene {
  readonly histories = new Map<string, History>(FILES.map((path, i) => [path, [{ byte: i + 1, length: 5000 }]]));
  readonly pending: (() => void)[] = [];
  readonly isLater: boolean;
  readonly isSized: boolean;
  #nrAsked = 0;
  #nextByte = FILES.length + 1;

  constructor(isLater: boolean, isSized: boolean) {
    this.isLater = isLater;
    this.isSized = isSized;
  }

  history(path: string): History {
    return this.histories.get(path) as History;
  }

  change(path: string, length: number | undefined): void {
    const byte = this.#nextByte++ & 0xff;
    this.history(path).push(length === undefined ? undefined : { byte, length });
  }

  /** Every other answer is of when it was asked for, the others are of when they come. */
  #answer<T>(value: () => T): T | Promise<T> {
    if (!this.isLater) return value();
    const outcome = this.#nrAsked++ % 2 === 0 ? promiseOf(value) : undefined;
    outcome?.catch(() => {});
    return new Promise((resolve) => {
      this.pending.push(() => resolve(outcome ?? promiseOf(value)));
    });
  }

  #entries(dir: string): LazyEntry[] {
    const entries: LazyEntry[] = NAMES.flatMap((name) => {
      const now = this.history(`${dir}/${name}`).at(-1);
      return now ? [{ name, type: "file", size: this.isSized ? now.length : undefined } as const] : [];
    });
    const below = DIRS.find((other) => other.startsWith(`${dir}/`) && other.lastIndexOf("/") === dir.length);
    if (below !== undefined) entries.push({ name: below.slice(dir.length + 1), type: "directory" });
    return entries;
  }

  get tree(): LazyTree {
    return {
      list: (path) => this.#answer(() => this.#entries(path === "/" ? "" : path)),
      load: (path, { position, length }) =>
        this.#answer(() => {
          const now = this.history(path).at(-1);
          if (!now) throw Object.assign(new Error(), { code: "ENOENT" });
          return new Uint8Array(Math.max(0, Math.min(now.length - position, length))).fill(now.byte);
        }),
    };
  }
}

/** A call that has begun: its answer must be one that fits some state since then. */
function fits(history: History, since: number, check: (state: History[number]) => boolean): void {
  const states = history.slice(since);
  assert.ok(states.some(check), `none of ${JSON.stringify(states)} fits`);
}

/** Errors that a file may have, of which some state is none. */
function checkError(error: NodeJS.ErrnoException, history: History, since: number, isSync: boolean): void {
  if (isSync && error.code === "EAGAIN") return;
  assert.ok(["ENOENT", "ESTALE"].includes(error.code ?? ""), `${error.stack}`);
  fits(history, since, (state) => state === undefined);
}

function checkBytes(got: Uint8Array, history: History, since: number, position: number): void {
  fits(history, since, (state) => {
    if (state === undefined) return false;
    const length = Math.max(0, Math.min(state.length - position, 100));
    return got.length === length && got.every((byte) => byte === state.byte);
  });
}

async function read(fs: FolioFs, scene: Scene, path: string, position: number): Promise<void> {
  const history = scene.history(path);
  const since = history.length - 1;
  try {
    const handle = await fs.promises.open(`/m${path}`);
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(100), 0, 100, position);
      checkBytes(buffer.subarray(0, bytesRead), history, since, position);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as Error).name === "AssertionError") throw error;
    checkError(error as NodeJS.ErrnoException, history, since, false);
  }
}

function readSync(fs: FolioFs, scene: Scene, path: string, position: number): void {
  const history = scene.history(path);
  const since = history.length - 1;
  let fd = -1;
  const buffer = Buffer.alloc(100);
  try {
    fd = fs.openSync(`/m${path}`, "r");
    const nr = fs.readSync(fd, buffer, 0, 100, position);
    checkBytes(buffer.subarray(0, nr), history, since, position);
  } catch (error) {
    if ((error as Error).name === "AssertionError") throw error;
    checkError(error as NodeJS.ErrnoException, history, since, true);
  } finally {
    if (fd >= 0) fs.closeSync(fd);
  }
}

async function stat(fs: FolioFs, scene: Scene, path: string): Promise<void> {
  const history = scene.history(path);
  const since = history.length - 1;
  try {
    const { size } = await fs.promises.stat(`/m${path}`);
    fits(history, since, (state) => state !== undefined && (state.length === size || (!scene.isSized && size === 0)));
  } catch (error) {
    if ((error as Error).name === "AssertionError") throw error;
    checkError(error as NodeJS.ErrnoException, history, since, false);
  }
}

async function list(fs: FolioFs, scene: Scene, dir: string): Promise<void> {
  const since = NAMES.map((name) => scene.history(`${dir}/${name}`).length - 1);
  const names = await fs.promises.readdir(`/m${dir}`);
  for (const [i, name] of NAMES.entries()) {
    const isThere = names.includes(name);
    fits(scene.history(`${dir}/${name}`), since[i] as number, (state) => (state !== undefined) === isThere);
  }
}

async function run(isLater: boolean, isSized: boolean, steps: readonly Step[]): Promise<void> {
  const scene = new Scene(isLater, isSized);
  const { fs, mount } = withTree(scene.tree, {}, { memoryLimit: 8 * 2 ** 20 });
  const calls: Promise<void>[] = [];
  for (const now of steps) {
    const path = "file" in now ? (FILES[now.file] as string) : "";
    switch (now.what) {
      case "read":
        calls.push(read(fs, scene, path, now.position));
        break;
      case "readSync":
        readSync(fs, scene, path, now.position);
        break;
      case "stat":
        calls.push(stat(fs, scene, path));
        break;
      case "list":
        calls.push(list(fs, scene, DIRS[now.dir] as string));
        break;
      case "change":
        scene.change(path, LENGTHS[now.length]);
        mount.invalidate(path);
        break;
      case "answer":
        scene.pending.splice(now.nr % Math.max(1, scene.pending.length), 1)[0]?.();
        await turns(1);
        break;
      case "drop":
        fs.kernel.dropCaches(now.caches);
        break;
      case "turn":
        await turns(1);
    }
  }
  const all = Promise.all(calls).then(() => true);
  let isOver = false;
  all.then(
    () => {
      isOver = true;
    },
    () => {
      isOver = true;
    },
  );
  while (!isOver) {
    for (const answer of scene.pending.splice(0)) answer();
    await turns(1);
  }
  await all;
  await fs.kernel.umountAsync("/m");
  for (const answer of scene.pending.splice(0)) answer();
  await turns(2);
  fs.kernel.verify();
  const { nr_inodes } = fs.kernel.vmstat() as Record<string, number>;
  assert.ok(nr_inodes === undefined || nr_inodes < 10);
  fs.kernel.destroy();
}

describe("random calls, changes and answers", () => {
  for (const isLater of [true, false]) {
    for (const isSized of [true, false]) {
      it(`give what was there, and leave nothing held: later ${isLater}, sized ${isSized}`, async () => {
        const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), (steps) => run(isLater, isSized, steps));
        await fc.assert(property, { numRuns: 60 });
      });
    }
  }
});
