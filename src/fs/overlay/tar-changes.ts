/**
 * What differs between two trees, as the tar of an image layer: unpacked over the old one it gives the new one.
 *
 *   added, modified    the file, whole, as it is in the new tree
 *   removed            a whiteout, where nothing else has the name
 *   renamed            a whiteout of the old name; the new one with all that is below it, for a layer cannot tell where something is from
 *
 *   opaque             a directory in the place of another one, as an upper layer says: the mark, and all that is in it
 *
 * Of other directories each name that is gone is told. Names of one file are hard links as far as they are in the tar.
 *
 * Does not own: what differs (diff-tree.ts), the form of a tar (fs/tar/).
 *
 * @see OCI image specification, layer.md, "Creating"
 */
import { EINVAL, ENAMETOOLONG, ESTALE } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { latin1Bytes, latin1Of } from "../../base/latin1.ts";
import { S_IFDIR, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import { isCapable } from "../../vfs/attr.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { STAT_MODE, STAT_NLINK } from "../../vfs/syscalls.ts";
import type { Task } from "../../vfs/task.ts";
import { MAY_EXEC, MAY_READ } from "../../wasm/layout.ts";
import type { TarEntry } from "../tar/entry.ts";
import { TarWriter } from "../tar/writer.ts";
import type { LayerFile } from "./copy-data.ts";
import { describe, findName, mayAccess } from "./diff-entry.ts";
import { type DiffFailure, diffTrees, type RawChange } from "./diff-tree.ts";
import { upperOf } from "./entry.ts";
import { inodeOf } from "./layer-names.ts";
import { isOpaque } from "./lookup.ts";
import { OPAQUE_MARK, WHITEOUT } from "./oci-names.ts";
import { listLayer } from "./readdir.ts";
import { bottomInode, isStacked } from "./stack-parts.ts";
import { attributesOf, entryWith, NO_DATA, NO_XATTRS, PATH_MAX, xattrsOf } from "./tar-upper.ts";

const TRUSTED = "trusted.";
const NO_PERMISSIONS = 0;

/** Compares two directories, and packs what differs. @returns what failed @throws RangeError for what no array holds */
export function tarChanges(task: Task, a: LayerFile, b: LayerFile): Uint8Array | DiffFailure {
  const changes = diffTrees(task, a, b);
  if (!Array.isArray(changes)) return changes;
  const tar = new ChangesTar(task, b, changes);
  try {
    return tar.run();
  } finally {
    tar.letGo();
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function joined(dir: string, name: string): string {
  return dir === "" ? name : `${dir}/${name}`;
}

/** Directories above a path, the root left out. */
function* above(path: string): Generator<string> {
  for (let dir = parentOf(path); dir !== ""; dir = parentOf(dir)) yield dir;
}

class ChangesTar {
  readonly #task: Task;
  readonly #kernel: Kernel;
  readonly #root: LayerFile;
  readonly #changes: readonly RawChange[];
  readonly #writer = new TarWriter({ isSparse: false });
  /** Paths of the old tree where nothing of it is any more. */
  readonly #gone = new Set<string>();
  /** Paths of the new tree where the old one has no directory, or has another name for it. */
  readonly #fresh = new Set<string>();
  /** Directories of the new tree that hide all of the old ones, and are told whole. */
  readonly #opaque = new Set<string>();
  /** Paths of the new tree that the tar has. */
  readonly #added = new Set<string>();
  readonly #links = new Map<InodeHandle, string>();
  /** Directories of the new tree that have been come by, with references. */
  readonly #directories = new Map<string, DentryHandle>();
  /** What is being looked at. */
  #path = "";

  constructor(task: Task, b: LayerFile, changes: readonly RawChange[]) {
    this.#task = task;
    this.#kernel = task.kernel;
    this.#root = b;
    this.#changes = changes;
    for (const { kind, path, from, changed } of changes) {
      if (kind === "removed" || changed.includes("type")) this.#gone.add(path);
      if (kind === "renamed") this.#gone.add(from as string);
      if (kind !== "modified" || changed.includes("type")) this.#fresh.add(path);
    }
  }

  run(): Uint8Array | DiffFailure {
    const rc = this.#addAll();
    return rc < 0 ? { rc, path: this.#path } : this.#writer.finish();
  }

  #addAll(): number {
    const taken = new Set(this.#changes.filter(({ kind }) => kind !== "removed").map(({ path }) => path));
    for (const path of this.#gone) {
      if (taken.has(path) || this.#isGoneAbove(path)) continue;
      const rc = this.#addParents(path);
      if (rc < 0) return rc;
      if (!this.#isBelowOpaque(path)) this.#addMark(joined(parentOf(path), WHITEOUT + baseOf(path)));
    }
    const whole = new Set(this.#changes.filter(({ kind }) => kind === "renamed").map(({ path }) => path));
    for (const { kind, path } of this.#changes) {
      if (kind === "removed" || [...above(path)].some((dir) => whole.has(dir))) continue;
      const parents = this.#addParents(path);
      if (parents < 0) return parents;
      const rc = this.#isBelowOpaque(path) ? 0 : this.#addPath(path, kind === "renamed");
      if (rc < 0) return rc;
    }
    return 0;
  }

  /** Whoever applies the layer changes the times of directories, so those are told of all that are above. @returns 0 or a negated errno */
  #addParents(path: string): number {
    if (path === "") return 0;
    for (const dir of ["", ...[...above(path)].reverse()]) {
      const rc = this.#addPath(dir, false);
      if (rc < 0) return rc;
      if (this.#opaque.has(dir)) return 0; // all that is in it has been told
    }
    return 0;
  }

  #isGoneAbove(path: string): boolean {
    for (const dir of above(path)) if (this.#gone.has(dir)) return true;
    return false;
  }

  #isBelowOpaque(path: string): boolean {
    return path !== "" && ["", ...above(path)].some((dir) => this.#opaque.has(dir));
  }

  #addMark(name: string): void {
    const mode = S_IFREG | NO_PERMISSIONS;
    const nobodys = { uid: 0, gid: 0, rdev: 0, mtime: { sec: 0, nsec: 0 }, link: "" };
    this.#writer.add({ name, mode, ...nobodys, xattrs: NO_XATTRS, ...NO_DATA });
  }

  /** @returns 0 or a negated errno */
  #addPath(path: string, isWhole: boolean): number {
    if (this.#added.has(path)) return 0;
    this.#added.add(path);
    this.#path = path;
    if (path === "") return this.#addFile(path, this.#root.dentry, false);
    const dir = this.#directory(parentOf(path));
    const dentry = dir < 0 ? dir : findName(this.#kernel, dir, latin1Bytes(baseOf(path)));
    if (dentry <= 0) return dentry || -ESTALE;
    const rc = this.#addFile(path, dentry, isWhole);
    this.#kernel.core.x.dput(dentry);
    return rc;
  }

  /** A directory of the new tree. It is held until the end. @returns or a negated errno */
  #directory(path: string): DentryHandle {
    if (path === "") return this.#root.dentry;
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const parent = this.#directory(parentOf(path));
    const found = parent < 0 ? parent : findName(this.#kernel, parent, latin1Bytes(baseOf(path)));
    if (found > 0) this.#directories.set(path, found);
    return found || (-ESTALE as DentryHandle);
  }

  #addFile(path: string, dentry: DentryHandle, isWhole: boolean): number {
    this.#path = path;
    if (path.length >= PATH_MAX - 1) return -ENAMETOOLONG;
    if (baseOf(path).startsWith(WHITEOUT)) return -EINVAL; // it would be one
    const stat = describe(this.#kernel, dentry);
    if (typeof stat === "number") return stat;
    const isDir = (stat[STAT_MODE] & S_IFMT) === S_IFDIR;
    const rc = this.#addEntry(path, dentry, stat);
    if (rc < 0 || !isDir) return rc;
    const hidesAll = !isWhole && !this.#fresh.has(path) && this.#isOpaque(dentry);
    if (hidesAll) {
      this.#opaque.add(path);
      this.#addMark(joined(path, OPAQUE_MARK));
    }
    return isWhole || hidesAll ? this.#addContents(path, dentry) : 0;
  }

  #isOpaque(dentry: DentryHandle): boolean {
    const kernel = this.#kernel;
    const inode = inodeOf(kernel.core, dentry);
    const upper = isStacked(kernel, inode) ? upperOf(kernel.core, inode) : 0;
    return upper !== 0 && isOpaque(kernel, inodeOf(kernel.core, upper as DentryHandle));
  }

  #addEntry(path: string, dentry: DentryHandle, stat: Float64Array): number {
    const kernel = this.#kernel;
    const inode = bottomInode(kernel, inodeOf(kernel.core, dentry));
    const isDir = (stat[STAT_MODE] & S_IFMT) === S_IFDIR;
    const name = isDir ? `${path === "" ? "." : path}/` : path;
    const rest = { ...attributesOf(stat), name };
    const first = this.#links.get(inode);
    if (first !== undefined) {
      this.#writer.add({ ...rest, mode: rest.mode & ~S_IFMT, link: first, xattrs: NO_XATTRS, ...NO_DATA });
      return 0;
    }
    if (!isDir && stat[STAT_NLINK] > 1) this.#links.set(inode, path);
    const entry = this.#entryOf(dentry, rest);
    if (typeof entry === "number") return entry;
    this.#writer.add(entry);
    return 0;
  }

  /** With the rights of the task: as whoever reads all of it. */
  #entryOf(
    dentry: DentryHandle,
    rest: Pick<TarEntry, "mode" | "uid" | "gid" | "rdev" | "mtime" | "name">,
  ): TarEntry | number {
    const kernel = this.#kernel;
    const file = { mnt: this.#root.mnt, dentry };
    const isFile = (rest.mode & S_IFMT) === S_IFREG;
    const denied = isFile ? mayAccess(kernel, file, MAY_READ) : 0;
    if (denied) return denied;
    const seesAll = isCapable(this.#task);
    const isSeen = (name: Uint8Array): boolean => seesAll || !latin1Of(name).startsWith(TRUSTED);
    const xattrs = xattrsOf(kernel, inodeOf(kernel.core, dentry), isSeen);
    return typeof xattrs === "number" ? xattrs : entryWith(kernel, file, { ...rest, xattrs });
  }

  #addContents(path: string, dir: DentryHandle): number {
    const kernel = this.#kernel;
    const denied = mayAccess(kernel, { mnt: this.#root.mnt, dentry: dir }, MAY_READ | MAY_EXEC);
    if (denied) return denied;
    const entries = listLayer(kernel, dir);
    if (typeof entries === "number") return entries;
    for (const { name } of entries) {
      const found = findName(kernel, dir, name);
      if (found < 0) return found;
      if (found === 0) continue;
      const rc = this.#addFile(joined(path, latin1Of(name)), found, true);
      kernel.core.x.dput(found);
      if (rc < 0) return rc;
    }
    return 0;
  }

  letGo(): void {
    for (const dentry of this.#directories.values()) this.#kernel.core.x.dput(dentry);
    this.#kernel.evictInodes();
  }
}
