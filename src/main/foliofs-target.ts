/** foliofs as a target. */
import { createFsSync, type FolioFs, restoreFsSync } from "../index.ts";
import { TreeError } from "./host-tree.ts";
import type { Target } from "./target.ts";

const ROOT = "/tree";

/** A kernel as a target; the tree is in `/tree`. */
export function wrap(name: string, fs: FolioFs): Target {
  return {
    name,
    fs,
    root: ROOT,
    keepsLinkModes: true,
    timeResolutionNs: 1n,
    setTimes: (path, atimeNs, mtimeNs) => fs.utimensSync(path, atimeNs, mtimeNs, { followSymlinks: false }),
    memoryBytes: () => fs.kernel.vmstat().bytes_used,
    counters: () => counters(fs),
    clear: () => {
      fs.rmSync(ROOT, { recursive: true });
      fs.mkdirSync(ROOT);
    },
    destroy: () => fs.kernel.destroy(),
  };
}

function counters(fs: FolioFs): Map<string, number> {
  const stat = fs.kernel.vmstat();
  return new Map([
    ["frames in use", stat.nr_used_pages],
    ["active", stat.nr_active_anon + stat.nr_active_file],
    ["inactive", stat.nr_inactive_anon + stat.nr_inactive_file],
    ["unevictable", stat.nr_unevictable],
    ["dirty", stat.nr_dirty],
    ["index nodes", stat.nr_index_nodes],
    ["dentries", stat.nr_dentries],
  ]);
}

/**
 * Makes an empty foliofs.
 *
 * @param memoryLimit bytes; undefined for its own default
 * @throws TreeError when the limit is none that foliofs takes
 */
export function foliofsTarget(memoryLimit: number | undefined): Target {
  let fs: FolioFs;
  try {
    fs = createFsSync({ memoryLimit, umask: 0 });
  } catch (error) {
    throw new TreeError(`foliofs does not start: ${(error as Error).message}`);
  }
  fs.mkdirSync(ROOT);
  return {
    ...wrap("foliofs", fs),
    snapshot: () => fs.kernel.snapshot(),
    restore: (bytes) => wrap("foliofs restored", restoreFsSync(bytes, { memoryLimit, umask: 0 })),
  };
}
