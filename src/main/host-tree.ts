/**
 * A real directory tree, as read from the host: what the main job loads into each target and compares it with.
 */
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** One name of the tree. */
export interface TreeEntry {
  /** Path below the root, components joined by `/`; "" is the root itself. */
  readonly path: string;
  readonly kind: "directory" | "file" | "symlink";
  /** st_mode, type bits included. */
  readonly mode: number;
  /** Nanoseconds since the epoch. */
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  /** Bytes. */
  readonly size: number;
  /** Of a symbolic link. */
  readonly target?: string;
  /** Path of the first name of the same file, when this is a further hard link to it. */
  readonly linkOf?: string;
  /** Number of names of this file within the tree. */
  nrNames: number;
  /** Contents of a file, once read into memory. */
  data?: Uint8Array;
}

/** A tree: parents come before their children. */
export interface HostTree {
  readonly root: string;
  readonly entries: readonly TreeEntry[];
  /** Bytes of all files, each counted once however many names it has. */
  readonly bytes: number;
  /** What was left out, a sentence each: sockets, devices, names that are not UTF-8. */
  readonly leftOut: readonly string[];
}

/** Something to tell the user in one sentence, without a stack. */
export class TreeError extends Error {}

const REASONS: Record<string, string> = {
  ENOENT: "does not exist",
  ENOTDIR: "is not a folder",
  EACCES: "cannot be read: permission denied",
  EPERM: "cannot be read: operation not permitted",
};

/** Words a host error for the user. */
function explain(path: string, error: unknown): TreeError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new TreeError(`${path} ${REASONS[code] ?? `cannot be read: ${message}`}.`);
}

/** Collects the entries of one tree. */
class Scanner {
  readonly entries: TreeEntry[] = [];
  readonly leftOut: string[] = [];
  bytes = 0;
  readonly #root: string;
  readonly #onEntry: (nrEntries: number) => void;
  /** First name of each file that has several, by device and inode. */
  readonly #firstNames = new Map<string, TreeEntry>();

  constructor(root: string, onEntry: (nrEntries: number) => void) {
    this.#root = root;
    this.#onEntry = onEntry;
  }

  scan(path: string): void {
    const hostPath = join(this.#root, path);
    try {
      const entry = this.#read(path, hostPath, lstatSync(hostPath, { bigint: true }));
      if (entry === undefined) return;
      this.entries.push(entry);
      this.#onEntry(this.entries.length);
      if (entry.kind === "directory") for (const name of this.#names(path, hostPath)) this.scan(join(path, name));
    } catch (error) {
      throw error instanceof TreeError ? error : explain(hostPath, error);
    }
  }

  #names(path: string, hostPath: string): string[] {
    const names: string[] = [];
    for (const raw of readdirSync(hostPath, { encoding: "buffer" })) {
      const name = raw.toString("utf8");
      if (Buffer.from(name, "utf8").equals(raw)) names.push(name);
      else this.leftOut.push(`${join(path, name)}: the name is not UTF-8`);
    }
    return names;
  }

  #read(path: string, hostPath: string, stats: BigIntStats): TreeEntry | undefined {
    const { atimeNs, mtimeNs } = stats;
    const common = { path, mode: Number(stats.mode), atimeNs, mtimeNs, size: Number(stats.size), nrNames: 1 };
    if (stats.isDirectory()) return { ...common, kind: "directory" };
    if (stats.isSymbolicLink()) return { ...common, kind: "symlink", target: readlinkSync(hostPath) };
    if (stats.isFile()) return this.#file({ ...common, kind: "file" }, stats);

    this.leftOut.push(`${path}: neither file, folder nor symbolic link`);
    return undefined;
  }

  #file(entry: TreeEntry, stats: BigIntStats): TreeEntry {
    const key = `${stats.dev}:${stats.ino}`;
    const first = this.#firstNames.get(key);
    if (first !== undefined) {
      first.nrNames += 1;
      return { ...entry, linkOf: first.path };
    }
    if (stats.nlink > 1n) this.#firstNames.set(key, entry);
    this.bytes += entry.size;
    return entry;
  }
}

/**
 * Reads names and attributes of all that lies below a folder; contents are read by `readContents`.
 *
 * @param onEntry called with the number of entries found so far
 * @throws TreeError when the folder or something in it cannot be read
 */
export function scanTree(root: string, onEntry: (nrEntries: number) => void = () => {}): HostTree {
  try {
    if (!lstatSync(`${root}/.`).isDirectory()) throw new TreeError(`${root} is not a folder.`);
  } catch (error) {
    throw error instanceof TreeError ? error : explain(root, error);
  }
  const scanner = new Scanner(`${root}/`, onEntry);
  scanner.scan("");
  return { root, entries: scanner.entries, bytes: scanner.bytes, leftOut: scanner.leftOut };
}

/** Gives the contents of a file of the tree: from memory, or from the host. @throws TreeError when it cannot be read */
export function contentsOf(tree: HostTree, entry: TreeEntry): Uint8Array {
  const { data } = entry;
  if (data !== undefined) return data;
  const hostPath = join(tree.root, entry.path);
  try {
    return readFileSync(hostPath);
  } catch (error) {
    throw explain(hostPath, error);
  }
}

/** Reads the contents of all files into memory, so that loading them measures the target and not the host. */
export function readContents(tree: HostTree, onEntry: (nrEntries: number) => void): void {
  for (const [i, entry] of tree.entries.entries()) {
    if (entry.kind === "file" && entry.linkOf === undefined) entry.data = contentsOf(tree, entry);
    onEntry(i + 1);
  }
}
