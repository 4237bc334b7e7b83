/** Compares a mounted folder of the host with what node:fs says of it. */
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Mismatch } from "./compare-tree.ts";
import type { HostTree, TreeEntry } from "./host-tree.ts";
import { pathIn } from "./load-tree.ts";
import type { TreePlace } from "./target.ts";

/** What is the host's in a mount. Access times are not compared: to read what the mount has in pages moves none. */
const SAME = ["mode", "nlink", "uid", "gid", "ino", "size", "mtimeNs"] as const satisfies (keyof BigIntStats)[];

/** What differs of one name. */
function* differences(target: TreePlace, tree: HostTree, { path, kind }: TreeEntry): Generator<string> {
  const { fs } = target;
  const [mounted, host] = [pathIn(target, path), `${tree.root}/${path}`];
  const [ours, theirs] = [fs.lstatSync(mounted, { bigint: true }), lstatSync(host, { bigint: true })];
  for (const field of SAME) {
    if (ours[field] !== theirs[field]) yield `${field} is ${ours[field]}, should be ${theirs[field]}`;
  }
  if (kind === "file" && Buffer.compare(fs.readFileSync(mounted), readFileSync(host)) !== 0) yield "contents differ";
  if (kind === "symlink" && fs.readlinkSync(mounted) !== readlinkSync(host)) yield "leads elsewhere";
  if (kind === "directory" && names(fs.readdirSync(mounted)) !== names(readdirSync(host))) yield "names differ";
}

function names(list: readonly string[]): string {
  return list.toSorted().join("/");
}

/**
 * Compares names, attributes, link targets and contents, byte by byte, of a mounted tree with the host's.
 *
 * @param onEntry called with the number of entries done
 * @returns all that differs; empty when nothing does
 */
export function compareMounted(target: TreePlace, tree: HostTree, onEntry: (nrEntries: number) => void): Mismatch[] {
  const mismatches: Mismatch[] = [];
  for (const [i, entry] of tree.entries.entries()) {
    const path = entry.path === "" ? "." : entry.path;
    try {
      for (const what of differences(target, tree, entry)) mismatches.push({ path, what });
    } catch (error) {
      mismatches.push({ path, what: (error as Error).message });
    }
    onEntry(i + 1);
  }
  return mismatches;
}
