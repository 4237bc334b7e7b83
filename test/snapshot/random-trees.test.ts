/**
 * Random trees, with everything that a file system can have and that tasks can hold, against their restored and forked
 * selves. fast-check prints the seed of a failure.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { type FolioFs, restoreFsSync } from "../../src/index.ts";
import { describeMounts, describeTree } from "../helpers/describe-tree.ts";
import { actions, attempt, build, type Held, LIMIT } from "../helpers/tree-actions.ts";

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
