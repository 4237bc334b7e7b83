/**
 * Copies of what an upper layer has, as it is: whiteouts, opaque directories, redirects, hard links and times with it.
 *
 * Does not own: the data of files (copy-data.ts).
 */
import { EPERM } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import {
  I_APPEND,
  I_IMMUTABLE,
  INODE_ATIME_NSEC,
  INODE_ATIME_SEC,
  INODE_CTIME_NSEC,
  INODE_CTIME_SEC,
  INODE_GID,
  INODE_MODE,
  INODE_MTIME_NSEC,
  INODE_MTIME_SEC,
  INODE_NLINK,
  INODE_RDEV,
  INODE_STATE,
  INODE_UID,
} from "../../wasm/layout.ts";
import { copyData, type LayerFile } from "./copy-data.ts";
import { putTarget, readLink } from "./copy-up.ts";
import { childrenOf, inodeOf, isDirectory, makeName, nameOf, now, operationsOf } from "./layer-names.ts";
import { copyXattrs } from "./layer-xattr.ts";

const WORDS = [INODE_MODE, INODE_UID, INODE_GID, INODE_ATIME_NSEC, INODE_MTIME_NSEC, INODE_CTIME_NSEC];
const NUMBERS = [INODE_ATIME_SEC, INODE_MTIME_SEC, INODE_CTIME_SEC];
const KEPT_STATE = I_APPEND | I_IMMUTABLE;
const ALL = Number.MAX_SAFE_INTEGER;

/** Copies all that is in a directory in memory into an empty one, and what it is itself. @returns 0; -ENOSPC, with some of it copied */
export function copyTree(kernel: Kernel, from: LayerFile, to: LayerFile): number {
  return new TreeCopy(kernel, from, to).run();
}

class TreeCopy {
  readonly #kernel: Kernel;
  readonly #from: LayerFile;
  readonly #to: LayerFile;
  /** Files with several names: what the first has become. */
  readonly #links = new Map<InodeHandle, InodeHandle>();

  constructor(kernel: Kernel, from: LayerFile, to: LayerFile) {
    this.#kernel = kernel;
    this.#from = from;
    this.#to = to;
  }

  run(): number {
    return this.#copyDirectory(this.#from.dentry, this.#to.dentry);
  }

  /** The oldest name first, so that the copy lists them in the same order; its own times last. */
  #copyDirectory(from: DentryHandle, to: DentryHandle): number {
    const { core } = this.#kernel;
    for (const child of [...childrenOf(core, from)].reverse()) {
      const rc = this.#copyName(child, to);
      if (rc < 0) return rc;
    }
    return this.#copyAttributes(inodeOf(core, from), inodeOf(core, to));
  }

  #copyName(from: DentryHandle, dir: DentryHandle): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const source = inodeOf(core, from);
    const linked = this.#links.get(source);
    const made = makeName(kernel, dir, nameOf(kernel, from), ({ link }, parent, dentry) =>
      linked ? now(link?.(kernel, linked, parent, dentry) ?? -EPERM) : this.#make(source, parent, dentry),
    );
    if (made < 0) return made;
    const rc = linked ? 0 : this.#fill(from, made);
    core.x.dput(made);
    return rc;
  }

  #fill(from: DentryHandle, made: DentryHandle): number {
    const { core } = this.#kernel;
    const [source, sink] = [inodeOf(core, from), inodeOf(core, made)];
    if (isDirectory(core, source)) return this.#copyDirectory(from, made);
    if (core.u32[(source << 3) + INODE_NLINK] > 1) this.#links.set(source, sink);
    const isFile = (core.u32[(source << 3) + INODE_MODE] & S_IFMT) === S_IFREG;
    const [fromFile, toFile] = [
      { ...this.#from, dentry: from },
      { ...this.#to, dentry: made },
    ];
    const rc = isFile ? copyData(this.#kernel, fromFile, toFile, ALL, "same") : 0;
    return rc || this.#copyAttributes(source, sink);
  }

  #make(source: InodeHandle, dir: InodeHandle, dentry: DentryHandle): number {
    const kernel = this.#kernel;
    const { u32 } = kernel.core;
    const { create, mkdir, mknod, symlink } = operationsOf(kernel, dir);
    const mode = u32[(source << 3) + INODE_MODE];
    switch (mode & S_IFMT) {
      case S_IFDIR:
        return now(mkdir?.(kernel, dir, dentry, mode) ?? -EPERM);
      case S_IFREG:
        return now(create?.(kernel, dir, dentry, mode) ?? -EPERM);
      case S_IFLNK: {
        const target = readLink(kernel, source);
        if (typeof target === "number") return target;
        return now(symlink?.(kernel, dir, dentry, putTarget(kernel, target)) ?? -EPERM);
      }
      default:
        return now(mknod?.(kernel, dir, dentry, mode, u32[(source << 3) + INODE_RDEV]) ?? -EPERM);
    }
  }

  #copyAttributes(source: InodeHandle, sink: InodeHandle): number {
    const rc = copyXattrs(this.#kernel, source, sink, () => false);
    if (rc < 0) return rc;
    const { u32, f64 } = this.#kernel.core;
    for (const field of WORDS) u32[(sink << 3) + field] = u32[(source << 3) + field];
    for (const field of NUMBERS) f64[(sink << 2) + field] = f64[(source << 2) + field];
    const state = (sink << 3) + INODE_STATE;
    u32[state] = (u32[state] & ~KEPT_STATE) | (u32[(source << 3) + INODE_STATE] & KEPT_STATE);
    return 0;
  }
}
