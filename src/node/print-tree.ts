/** A tree of files as text, as memfs's toTree() prints it: directories first, targets of links beside them. */
import type { NodeFs } from "./node-fs.ts";
import { joinPath } from "./paths.ts";

export interface TreeOptions {
  /** Where to begin. Default `/`. */
  dir?: string;
  /** Levels shown below it. Default 10. */
  depth?: number;
  /** What stands in front of each line but the first. */
  tab?: string;
  /** What ends the name of a directory. Default `/`. */
  separator?: "/" | "\\";
  /** Directories first, then by name; else in the order of readdir. Default true. */
  sort?: boolean;
}

type Required = { depth: number; separator: string; sort: boolean };
type Branch = (tab: string) => string;

const DEFAULT_DEPTH = 10;

/** Lines of branches below each other, each with all that it holds moved in. */
function printBranches(branches: readonly Branch[], tab: string): string {
  return branches
    .map((branch, i) => {
      const isLast = i === branches.length - 1;
      return `\n${tab}${isLast ? "└─" : "├─"} ${branch(`${tab}${isLast ? "  " : "│ "} `)}`;
    })
    .join("");
}

function printDirectory(fs: NodeFs, path: string, name: string, tab: string, options: Required): string {
  const { depth, separator, sort } = options;
  const head = name + separator;
  const list = fs.readdirSync(path, { withFileTypes: true });
  if (depth <= 0) return `${head} (...)`;
  if (sort) list.sort((a, b) => Number(b.isDirectory()) - Number(a.isDirectory()) || a.name.localeCompare(b.name));
  const branches = list.map((entry): Branch => {
    const below = joinPath(path, entry.name);
    if (entry.isDirectory()) {
      return (inner) => printDirectory(fs, below, entry.name, inner, { ...options, depth: depth - 1 });
    }
    return () => (entry.isSymbolicLink() ? `${entry.name} → ${fs.readlinkSync(below)}` : entry.name);
  });
  return head + printBranches(branches, tab);
}

/** @throws as readdir, for `dir` */
export function printTree(fs: NodeFs, options: TreeOptions = {}): string {
  const { dir = "/", depth = DEFAULT_DEPTH, tab = "", separator = "/", sort = true } = options;
  const name = dir.split("/").filter(Boolean).pop() ?? "";
  return printDirectory(fs, dir, name, tab, { depth, separator, sort });
}
