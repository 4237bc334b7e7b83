/**
 * `node:vfs` with its MemoryProvider, which Node has behind `--experimental-vfs` from version 26 on.
 *
 * Used as an object, without mounting it into the process.
 */
import { createRequire } from "node:module";
import type { BenchFs, Contender } from "./contender.ts";

interface NodeVfs {
  create(): BenchFs;
}

/** @throws Error where the running Node has no `node:vfs`, or was not told to have it */
export async function loadNodeVfs(): Promise<Contender> {
  const vfs = createRequire(import.meta.url)("node:vfs") as NodeVfs;
  return {
    name: "node:vfs",
    origin: `node:vfs of Node ${process.versions.node}, MemoryProvider`,
    create: () => ({ fs: vfs.create(), root: "", dispose: () => {} }),
  };
}
