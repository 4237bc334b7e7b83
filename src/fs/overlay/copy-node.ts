/**
 * Copies of single files from one layer in memory to another, as they are: with their data, extended attributes and hard links.
 *
 * Does not own: trees (copy-tree.ts, commit-plan.ts), data (copy-data.ts).
 */
import { EPERM } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle, MountHandle } from "../../base/handles.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import type { Charge } from "../../mm/clone-range.ts";
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
import { inodeOf, isDirectory, makeName, now, operationsOf } from "./layer-names.ts";
import { copyXattrs } from "./layer-xattr.ts";

const WORDS = [INODE_MODE, INODE_UID, INODE_GID, INODE_ATIME_NSEC, INODE_MTIME_NSEC, INODE_CTIME_NSEC];
const NUMBERS = [INODE_ATIME_SEC, INODE_MTIME_SEC, INODE_CTIME_SEC];
const KEPT_STATE = I_APPEND | I_IMMUTABLE;
const ALL = Number.MAX_SAFE_INTEGER;

/** Mode, owner, times and flags are those of another inode. */
export function copyInodeAttributes({ core: { u32, f64 } }: Kernel, source: InodeHandle, sink: InodeHandle): void {
  for (const field of WORDS) u32[(sink << 3) + field] = u32[(source << 3) + field];
  for (const field of NUMBERS) f64[(sink << 2) + field] = f64[(source << 2) + field];
  const state = (sink << 3) + INODE_STATE;
  u32[state] = (u32[state] & ~KEPT_STATE) | (u32[(source << 3) + INODE_STATE] & KEPT_STATE);
}

/** Copies files from one mount to another. Names of one file become names of one file. */
export class NodeCopier {
  readonly #kernel: Kernel;
  readonly #from: MountHandle;
  readonly #to: MountHandle;
  readonly #charge: Charge;
  readonly #isLeftOut: (xattr: Uint8Array) => boolean;
  /** Files with several names: what the first has become. */
  readonly #links = new Map<InodeHandle, InodeHandle>();

  /** @param isLeftOut extended attributes that copies do not have */
  constructor(
    kernel: Kernel,
    mounts: { from: MountHandle; to: MountHandle },
    charge: Charge,
    isLeftOut: (xattr: Uint8Array) => boolean,
  ) {
    this.#kernel = kernel;
    this.#from = mounts.from;
    this.#to = mounts.to;
    this.#charge = charge;
    this.#isLeftOut = isLeftOut;
  }

  /**
   * Makes a copy under a free name, without its attributes (copyInodeAttributes()). One of a directory is empty.
   *
   * @param data what has the data of a regular file
   * @returns its dentry with a reference; -ENOSPC ..., with the name made or not
   */
  copy(
    from: DentryHandle,
    dir: DentryHandle,
    name: Uint8Array,
    data: LayerFile = { mnt: this.#from, dentry: from },
  ): DentryHandle {
    const kernel = this.#kernel;
    const { core } = kernel;
    const source = inodeOf(core, from);
    const linked = this.#links.get(source);
    const made = makeName(kernel, dir, name, ({ link }, parent, dentry) =>
      linked ? now(link?.(kernel, linked, parent, dentry) ?? -EPERM) : this.#make(source, parent, dentry),
    );
    if (made < 0 || linked) return made;
    const rc = this.#fill(from, made, data);
    if (rc >= 0) return made;
    core.x.dput(made);
    return rc as DentryHandle;
  }

  #fill(from: DentryHandle, made: DentryHandle, data: LayerFile): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const [source, sink] = [inodeOf(core, from), inodeOf(core, made)];
    if (!isDirectory(core, source) && core.u32[(source << 3) + INODE_NLINK] > 1) this.#links.set(source, sink);
    const isFile = (core.u32[(source << 3) + INODE_MODE] & S_IFMT) === S_IFREG;
    const rc = isFile ? copyData(kernel, data, { mnt: this.#to, dentry: made }, ALL, this.#charge) : 0;
    return rc || copyXattrs(kernel, source, sink, this.#isLeftOut);
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
}
