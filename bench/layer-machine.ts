/** A file system to put layers on. Part of bench/layers.ts. */
import { createFsSync, type FolioFs } from "foliofs";
import { overlay } from "foliofs/layers";

export const MIB = 2 ** 20;

/** With an empty /base, and directories for layers. */
export function machine(targets: readonly string[]): FolioFs {
  const fs = createFsSync({ memoryLimit: 1024 * MIB, types: [overlay] });
  for (const dir of ["/base", "/agents", ...targets]) fs.mkdirSync(dir);
  return fs;
}

export function milliseconds(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
