/** Reads a loaded tree back by path and compares it with the host's. */
import type { BigIntStats } from "node:fs";
import { contentsOf, type HostTree, type TreeEntry } from "./host-tree.ts";
import { pathIn } from "./load-tree.ts";
import type { TreePlace } from "./target.ts";

/** What differs, and where. */
export interface Mismatch {
  readonly path: string;
  readonly what: string;
}

/** Names of each directory of the tree, by its path. */
function namesByDirectory(tree: HostTree): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>();
  for (const { path, kind } of tree.entries) {
    if (kind === "directory") names.set(path, new Set());
    if (path === "") continue;
    const slash = path.lastIndexOf("/");
    names.get(path.slice(0, Math.max(slash, 0)))?.add(path.slice(slash + 1));
  }
  return names;
}

function octal(mode: number | bigint): string {
  return `0${mode.toString(8)}`;
}

/** Compares a target with a tree. One use only: reading changes access times. */
class Comparison {
  readonly mismatches: Mismatch[] = [];
  readonly #target: TreePlace;
  readonly #tree: HostTree;
  readonly #names: Map<string, Set<string>>;
  /** First path seen of each inode number. */
  readonly #pathOfIno = new Map<bigint, string>();

  constructor(target: TreePlace, tree: HostTree) {
    this.#target = target;
    this.#tree = tree;
    this.#names = namesByDirectory(tree);
  }

  /** Compares one name. Attributes come first, since reading changes the access time. */
  compare(entry: TreeEntry): void {
    const path = pathIn(this.#target, entry.path);
    try {
      const stats = this.#target.fs.lstatSync(path, { bigint: true });
      this.#compareStats(entry, stats);
      if (entry.kind === "directory") this.#compareNames(entry, path);
      else if (entry.kind === "symlink") this.#compareTarget(entry, path);
      else this.#compareFile(entry, path, stats);
    } catch (error) {
      this.#differs(entry, (error as Error).message);
    }
  }

  #differs(entry: TreeEntry, what: string): void {
    this.mismatches.push({ path: entry.path === "" ? "." : entry.path, what });
  }

  #compareStats(entry: TreeEntry, stats: BigIntStats): void {
    const isCompared = entry.kind !== "symlink" || this.#target.keepsLinkModes;
    if (isCompared && stats.mode !== BigInt(entry.mode)) {
      this.#differs(entry, `mode is ${octal(stats.mode)}, should be ${octal(entry.mode)}`);
    }
    if (entry.linkOf !== undefined) return; // reading its first name has changed the access time they share
    const unit = this.#target.timeResolutionNs;
    for (const name of ["atimeNs", "mtimeNs"] as const) {
      const drift = stats[name] - entry[name];
      if (drift >= unit || -drift >= unit) this.#differs(entry, `${name} is ${stats[name]}, should be ${entry[name]}`);
    }
  }

  #compareNames(entry: TreeEntry, path: string): void {
    const expected = this.#names.get(entry.path) ?? new Set();
    const found = new Set(this.#target.fs.readdirSync(path));
    for (const name of found) if (!expected.has(name)) this.#differs(entry, `has a name too many: ${name}`);
    for (const name of expected) if (!found.has(name)) this.#differs(entry, `lacks the name ${name}`);
  }

  #compareTarget(entry: TreeEntry, path: string): void {
    const target = this.#target.fs.readlinkSync(path);
    if (target !== entry.target) this.#differs(entry, `leads to ${target}, should lead to ${entry.target}`);
  }

  #compareFile(entry: TreeEntry, path: string, stats: BigIntStats): void {
    this.#compareInode(entry, stats);
    if (entry.linkOf !== undefined) return;
    if (stats.nlink !== BigInt(entry.nrNames)) {
      this.#differs(entry, `link count is ${stats.nlink}, should be ${entry.nrNames}`);
    }
    const expected = contentsOf(this.#tree, entry);
    if (stats.size !== BigInt(expected.length)) {
      this.#differs(entry, `size is ${stats.size}, should be ${expected.length}`);
    }
    if (Buffer.compare(this.#target.fs.readFileSync(path), expected) !== 0) this.#differs(entry, "contents differ");
  }

  /** Names of one file share its inode number, and no other name has it. */
  #compareInode(entry: TreeEntry, stats: BigIntStats): void {
    const other = this.#pathOfIno.get(stats.ino);
    if (other === undefined) this.#pathOfIno.set(stats.ino, entry.path);
    if (other !== entry.linkOf) {
      const wanted = entry.linkOf === undefined ? "be a file of its own" : `be a link to ${entry.linkOf}`;
      this.#differs(entry, `shares its inode with ${other ?? "no other name"}, should ${wanted}`);
    }
  }
}

/**
 * Compares names, modes, times, hard links, link targets and contents of a freshly loaded target with the tree.
 *
 * @param onEntry called with the number of entries done
 * @returns all that differs; empty when nothing does
 */
export function compareTree(target: TreePlace, tree: HostTree, onEntry: (nrEntries: number) => void): Mismatch[] {
  const comparison = new Comparison(target, tree);
  for (const [i, entry] of tree.entries.entries()) {
    comparison.compare(entry);
    onEntry(i + 1);
  }
  return comparison.mismatches;
}
