/** The two readers that are timed: attributes of everything, contents of everything. */
import type { HostTree } from "./host-tree.ts";
import { pathIn } from "./load-tree.ts";
import type { TreePlace } from "./target.ts";

/** Lists every directory below the root and stats every name. @returns number of names, the root included */
export function walkAndStat(target: TreePlace, onEntry: (nrEntries: number) => void): number {
  let nrEntries = 1;
  const pending = [target.root];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const name of target.fs.readdirSync(path)) {
      const child = `${path}/${name}`;
      if (target.fs.lstatSync(child).isDirectory()) pending.push(child);
      nrEntries += 1;
      onEntry(nrEntries);
    }
  }
  return nrEntries;
}

/** Reads every file by path, through each of its names. @returns bytes read */
export function readAll(target: TreePlace, tree: HostTree, onEntry: (nrEntries: number) => void): number {
  let bytes = 0;
  for (const [i, entry] of tree.entries.entries()) {
    if (entry.kind === "file") bytes += target.fs.readFileSync(pathIn(target, entry.path)).length;
    onEntry(i + 1);
  }
  return bytes;
}
