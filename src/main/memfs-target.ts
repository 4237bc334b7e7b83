/** memfs, the best known in-memory file system for Node, as a target. */
import { freemem } from "node:os";
import { createFsFromVolume, Volume } from "memfs";
import type { Skip, Target, TreeFs } from "./target.ts";

const NS_PER_SECOND = 1e9;
const ROOT = "/tree";

function heapBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage(); // array buffers are part of external
  return heapUsed + external;
}

/**
 * Makes an empty memfs.
 *
 * @param treeBytes bytes of the tree that will be loaded
 */
export function memfsTarget(treeBytes: number): Target | Skip {
  if (treeBytes > freemem() / 2) return { name: "memfs", reason: "the tree takes more than half of the free memory" };
  const before = heapBytes();
  const inner = new Volume();
  const volume = createFsFromVolume(inner);
  volume.mkdirSync(ROOT);
  return {
    name: "memfs",
    fs: volume as unknown as TreeFs,
    root: ROOT,
    keepsLinkModes: false, // all its symbolic links have 0666
    timeResolutionNs: 1_000_000n, // it keeps times as Date objects
    setTimes: (path, atimeNs, mtimeNs) =>
      volume.lutimesSync(path, Number(atimeNs) / NS_PER_SECOND, Number(mtimeNs) / NS_PER_SECOND),
    memoryBytes: () => heapBytes() - before,
    clear: () => {
      inner.reset(); // its rm fails in folders that are not writable, to root too
      volume.mkdirSync(ROOT);
    },
    destroy: () => inner.reset(),
  };
}
