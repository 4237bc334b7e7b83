/** Puts a tree into a target. */
import { contentsOf, type HostTree, type TreeEntry } from "./host-tree.ts";
import type { TreePlace } from "./target.ts";

const PERMISSIONS = 0o7777;
/** Bits that a creating call may drop or a write may clear: set again afterwards. */
const SPECIAL_BITS = 0o7000;
const OWNER_ALL = 0o700;
/** Files are created writable: memfs refuses to fill a new file that is not, to root too. */
const OWNER_READ_WRITE = 0o600;

/** Gives the target's path of an entry. */
export function pathIn(target: TreePlace, path: string): string {
  return path === "" ? target.root : `${target.root}/${path}`;
}

function createFile(target: TreePlace, path: string, tree: HostTree, entry: TreeEntry): void {
  const mode = entry.mode & PERMISSIONS;
  const createMode = (mode | OWNER_READ_WRITE) & ~SPECIAL_BITS;
  target.fs.writeFileSync(path, contentsOf(tree, entry), { mode: createMode });
  if (mode !== createMode) target.fs.chmodSync(path, mode);
  target.setTimes(path, entry.atimeNs, entry.mtimeNs);
}

function create(target: TreePlace, tree: HostTree, entry: TreeEntry): void {
  const path = pathIn(target, entry.path);
  if (entry.kind === "directory") {
    if (entry.path !== "") target.fs.mkdirSync(path, { mode: (entry.mode & PERMISSIONS) | OWNER_ALL });
  } else if (entry.kind === "symlink") {
    target.fs.symlinkSync(entry.target ?? "", path);
    target.setTimes(path, entry.atimeNs, entry.mtimeNs);
  } else if (entry.linkOf !== undefined) {
    target.fs.linkSync(pathIn(target, entry.linkOf), path);
  } else {
    createFile(target, path, tree, entry);
  }
}

/**
 * Creates all of the tree in a target. Modes and times of folders come last, children first: filling a folder needs
 * write permission and changes its times.
 *
 * Precondition: the process's umask, and the target's, is 0.
 *
 * @param onEntry called with the number of entries done
 * @throws what the target throws: ENOSPC or ENOMEM when the tree does not fit
 */
export function loadTree(target: TreePlace, tree: HostTree, onEntry: (nrEntries: number) => void): void {
  for (const [i, entry] of tree.entries.entries()) {
    create(target, tree, entry);
    onEntry(i + 1);
  }
  for (const entry of tree.entries.toReversed()) {
    if (entry.kind !== "directory") continue;
    const path = pathIn(target, entry.path);
    target.fs.chmodSync(path, entry.mode & PERMISSIONS);
    target.setTimes(path, entry.atimeNs, entry.mtimeNs);
  }
}
