/**
 * Random trees, with everything that a file system can have and that tasks can hold, against their restored and forked
 * selves. fast-check prints the seed of a failure.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs, MS_BIND, MS_NOATIME, MS_REMOUNT, restoreFsSync } from "../../src/index.ts";
import { describeMounts, describeTree } from "../helpers/describe-tree.ts";

const LIMIT = 64 * 2 ** 20;
const PAGE = 4096;

type Action = (fs: FolioFs, held: Held) => unknown;
/** What tasks hold beside the tree. */
interface Held {
  fds: number[];
  tasks: FolioFs[];
}

const DIRS = ["/", "/a", "/a/b", "/c", "/c/d e", "/a/ünïcode", "/mnt", "/mnt/sub"];
const NAMES = ["f", "g", "h", "b", "sub", "d e", "ünïcode", "n".repeat(29), "long-".repeat(50)];
const dir = fc.constantFrom(...DIRS);
const path = fc
  .tuple(dir, fc.constantFrom(...NAMES))
  .map(([parent, name]) => `${parent === "/" ? "" : parent}/${name}`);
const mode = fc.nat(0o7777);
const id = fc.constantFrom(0, 1, 1000, 0xfffffffe);
const pos = fc.oneof(fc.nat(10 * PAGE), fc.constantFrom(0, PAGE, 300 * PAGE, 2 ** 33, 2 ** 43));
const seconds = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 33 }), fc.constant(0));
const length = fc.nat(5 * PAGE);

function writeAt(fs: FolioFs, file: string, at: number, n: number): void {
  const fd = fs.openSync(file, fs.constants.O_CREAT | fs.constants.O_WRONLY);
  fs.writeSync(fd, Buffer.alloc(n, (at % 251) + 1), 0, n, at);
  fs.closeSync(fd);
}

const changes: fc.Arbitrary<Action>[] = [
  fc.tuple(path, length).map(
    ([p, n]): Action =>
      (fs) =>
        fs.writeFileSync(p, Buffer.alloc(n, n % 256)),
  ),
  fc.tuple(path, pos, length).map(
    ([p, at, n]): Action =>
      (fs) =>
        writeAt(fs, p, at, n),
  ),
  fc.tuple(path, pos).map(
    ([p, n]): Action =>
      (fs) =>
        fs.truncateSync(p, n),
  ),
  path.map(
    (p): Action =>
      (fs) =>
        fs.mkdirSync(p),
  ),
  dir.map(
    (p): Action =>
      (fs) =>
        fs.mkdirSync(p),
  ),
  fc.tuple(path, fc.string({ minLength: 1, maxLength: 300 })).map(
    ([p, target]): Action =>
      (fs) =>
        fs.symlinkSync(target, p),
  ),
  fc.tuple(path, path).map(
    ([a, b]): Action =>
      (fs) =>
        fs.linkSync(a, b),
  ),
  fc.tuple(path, path).map(
    ([a, b]): Action =>
      (fs) =>
        fs.renameSync(a, b),
  ),
  fc.tuple(path, path).map(
    ([a, b]): Action =>
      (fs) =>
        fs.renameat2Sync(a, b, 2),
  ),
  path.map(
    (p): Action =>
      (fs) =>
        fs.unlinkSync(p),
  ),
  path.map(
    (p): Action =>
      (fs) =>
        fs.rmSync(p, { recursive: true }),
  ),
  fc.tuple(path, fc.constantFrom(0o010000, 0o020000, 0o060000, 0o140000), fc.nat(0xffff)).map(
    ([p, type, dev]): Action =>
      (fs) =>
        fs.mknodSync(p, type | 0o640, dev),
  ),
  fc.tuple(path, mode).map(
    ([p, m]): Action =>
      (fs) =>
        fs.chmodSync(p, m),
  ),
  fc.tuple(path, id, id).map(
    ([p, uid, gid]): Action =>
      (fs) =>
        fs.lchownSync(p, uid, gid),
  ),
  fc.tuple(path, seconds, seconds).map(
    ([p, a, m]): Action =>
      (fs) =>
        fs.lutimesSync(p, a, m),
  ),
];
const mounting: fc.Arbitrary<Action>[] = [
  dir.map(
    (p): Action =>
      (fs) =>
        fs.kernel.mount({ type: "ramfs", target: p, flags: MS_NOATIME }),
  ),
  fc.tuple(dir, dir).map(
    ([a, b]): Action =>
      (fs) =>
        fs.kernel.mount({ source: a, target: b, flags: MS_BIND }),
  ),
  dir.map(
    (p): Action =>
      (fs) =>
        fs.kernel.umount(p),
  ),
];
const holding: fc.Arbitrary<Action>[] = [
  path.map(
    (p): Action =>
      (fs, { fds }) =>
        fds.push(fs.openSync(p, "a+")),
  ),
  path.map(
    (p): Action =>
      (fs, { fds }) => {
        fds.push(fs.openSync(p, "w+"));
        fs.writeSync(fds.at(-1) as number, Buffer.alloc(3 * PAGE, 9));
        fs.flockSync(fds.at(-1) as number, 2);
        fs.unlinkSync(p);
      },
  ),
  dir.map(
    (p): Action =>
      (fs, { fds }) =>
        fds.push(fs.openSync(p, fs.constants.O_RDWR | 0o20200000)),
  ),
  dir.map(
    (p): Action =>
      (fs, { tasks }) =>
        tasks.push(fs.kernel.task({ cwd: p, uid: 5, gid: 5, groups: [6, 7] })),
  ),
  fc.nat().map(
    (n): Action =>
      (fs, { fds }) =>
        fds.length && fs.closeSync(fds.splice(n % fds.length, 1)[0]),
  ),
];
const action = fc.oneof(
  { weight: 10, arbitrary: fc.oneof(...changes) },
  { weight: 1, arbitrary: fc.oneof(...mounting) },
  { weight: 3, arbitrary: fc.oneof(...holding) },
);
const actions = fc.array(action, { minLength: 10, maxLength: 120, size: "max" });

/** A file system on which `steps` have been tried, each with whatever success. */
function build(steps: Action[]): FolioFs {
  const fs = createFsSync({ memoryLimit: LIMIT });
  fs.kernel.mount({ target: "/", flags: MS_REMOUNT | MS_NOATIME }); // so that to look changes nothing
  for (const p of DIRS.slice(1)) fs.mkdirSync(p);
  const held: Held = { fds: [], tasks: [] };
  for (const step of steps) {
    try {
      step(fs, held);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno === undefined) throw error; // errors of the system only
    }
  }
  return fs;
}

/** Everything: the mounts, and all trees, layer by layer as the mounts are taken away. */
function everythingOf(fs: FolioFs): string[] {
  const all = [...describeMounts(fs), ...describeTree(fs)];
  for (const { target } of fs.kernel.mounts().slice(1).reverse()) {
    try {
      fs.kernel.umount(target);
    } catch {
      continue; // hidden under another one: its turn comes when that is gone
    }
    all.push(`without ${target}`, ...describeTree(fs));
  }
  return all;
}

/** Inodes that are reachable: what must be left when nobody holds anything. */
function nrReachable(fs: FolioFs): number {
  return new Set(describeTree(fs).map((line) => / (\d+:\d+) /.exec(line)?.[1])).size;
}

const runs = { numRuns: Number(process.env.FOLIOFS_SNAPSHOT_RUNS ?? 60) };

describe("random trees", () => {
  it("are themselves after restore, to the last byte", () => {
    fc.assert(
      fc.property(actions, (steps) => {
        const fs = build(steps);
        const tree = describeTree(fs);
        const mounts = describeMounts(fs);
        const bytes = fs.kernel.snapshot();
        assert.deepEqual(describeTree(fs), tree, "taking a snapshot changes nothing");
        fs.kernel.verify();

        const again = restoreFsSync(bytes, { memoryLimit: LIMIT });
        again.kernel.verify();
        assert.deepEqual(again.kernel.snapshot(), bytes);
        assert.deepEqual(describeTree(again), tree);
        assert.deepEqual(describeMounts(again), mounts);
        assert.deepEqual(again.kernel.snapshot(), bytes);
        for (const kernel of [fs.kernel, again.kernel]) kernel.destroy();
      }),
      runs,
    );
  });

  it("lose what tasks held: open files, orphans and their memory, locks", () => {
    fc.assert(
      fc.property(actions, (steps) => {
        const fs = build(steps);
        const again = restoreFsSync(fs.kernel.snapshot(), { memoryLimit: LIMIT });
        const stat = again.kernel.vmstat();
        assert.deepEqual([stat.nr_files, stat.nr_tasks, stat.nr_negative_dentries], [0, 1, 0]);
        if (again.kernel.mounts().length === 1) assert.equal(stat.nr_inodes, nrReachable(again));
        // With the tree gone, nothing is left of it.
        for (const { target } of again.kernel.mounts().slice(1).reverse()) {
          try {
            again.kernel.umount(target);
          } catch {} // hidden: see below
        }
        if (again.kernel.mounts().length === 1) {
          for (const name of again.readdirSync("/")) again.rmSync(`/${name}`, { recursive: true });
          const { nr_inodes, nr_file_pages, nr_index_nodes, nr_super_blocks } = again.kernel.vmstat();
          assert.deepEqual([nr_inodes, nr_file_pages, nr_index_nodes, nr_super_blocks], [1, 0, 0, 1]);
        }
        again.kernel.verify();
        for (const kernel of [fs.kernel, again.kernel]) kernel.destroy();
      }),
      runs,
    );
  });

  it("are themselves after fork, and go their own ways", () => {
    fc.assert(
      fc.property(actions, actions, (steps, more) => {
        const fs = build(steps);
        const tree = describeTree(fs);
        const mounts = describeMounts(fs);
        const copy = fs.kernel.fork().fs;
        copy.kernel.verify();
        assert.deepEqual(describeTree(copy), tree);
        assert.deepEqual(describeMounts(copy), mounts);
        assert.deepEqual(copy.kernel.snapshot(), fs.kernel.snapshot());

        const held: Held = { fds: [], tasks: [] };
        for (const step of more) attempt(() => step(copy, held));
        assert.deepEqual(describeTree(fs), tree, "what the fork does is not seen in the original");
        const forked = describeTree(copy);
        for (const step of more.reverse()) attempt(() => step(fs, held));
        assert.deepEqual(describeTree(copy), forked, "nor the other way round");
        fs.kernel.verify();
        copy.kernel.verify();
        fs.kernel.destroy();
        assert.deepEqual(describeTree(copy), forked);
        copy.kernel.destroy();
      }),
      runs,
    );
  });

  it("have what lies under their mounts too", () => {
    fc.assert(
      fc.property(actions, (steps) => {
        const fs = build(steps);
        const bytes = fs.kernel.snapshot();
        const [one, other] = [restoreFsSync(bytes, { memoryLimit: LIMIT }), fs.kernel.fork().fs];
        assert.deepEqual(everythingOf(one), everythingOf(other));
        for (const kernel of [fs.kernel, one.kernel, other.kernel]) kernel.destroy();
      }),
      runs,
    );
  });
});

function attempt(call: () => void): void {
  try {
    call();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno === undefined) throw error;
  }
}
