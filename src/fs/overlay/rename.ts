/**
 * Renames in an overlay: in the upper layer, after what moves has been copied up. Where a lower layer has the old name it leaves a
 * whiteout; a directory with parts below, or a file with its data there, takes along where these are (redirect.ts), or cannot be moved.
 *
 * @see Linux fs/overlayfs/dir.c ovl_rename()
 */
import { EINVAL, ESTALE, EXDEV } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from "../../base/stat-flags.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { copyUp, copyUpAlias } from "./copy-up.ts";
import { countLinks, lostName, setOpaque } from "./dir.ts";
import { firstLower, flagsOf, isMerge, OVL_METACOPY, upperOf } from "./entry.ts";
import { copyAttributes } from "./inode.ts";
import {
  dropMissingNames,
  inodeOf,
  isDirectory,
  isWhiteout,
  lookupOne,
  moveNameIn,
  nameOf,
  newName,
  parentOf,
} from "./layer-names.ts";
import { type OverlayFs, overlayOfInode } from "./layers.ts";
import { isLowerPositive, isOpaque } from "./lookup.ts";
import { checkEmpty } from "./readdir.ts";
import { orTooFar, setRedirect } from "./redirect.ts";
import { clearWhiteouts, dropTemp } from "./work-dir.ts";

/** One side of a rename in the overlay. */
interface Side {
  readonly dentry: DentryHandle;
  readonly dir: InodeHandle;
  readonly name: Uint8Array;
  /** 0 = the name is free. */
  readonly inode: InodeHandle;
  readonly isDir: boolean;
}

function sideOf(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): Side {
  const { core } = kernel;
  const inode = inodeOf(core, dentry);
  return { dentry, dir, name: nameOf(kernel, dentry), inode, isDir: inode !== 0 && isDirectory(core, inode) };
}

/** A directory that lower layers have a part in moves only if it can say where that is. @see Linux ovl_can_move() */
function mayMove(kernel: Kernel, fs: OverlayFs, { inode, isDir }: Side): boolean {
  return !isDir || fs.options.redirectDir || firstLower(kernel.core, inode) === undefined;
}

/**
 * InodeOperations.rename.
 *
 * @returns 0; in the order checked -EINVAL (RENAME_WHITEOUT); -EXDEV (a directory with parts below, which cannot say where they are);
 *   -ENOTEMPTY; errors of copy-up; -ESTALE where somebody has changed the upper layer directly; -ENOSPC
 */
export function rename(
  kernel: Kernel,
  oldDir: InodeHandle,
  oldDentry: DentryHandle,
  newDir: InodeHandle,
  newDentry: DentryHandle,
  flags: number,
): number {
  if (flags & RENAME_WHITEOUT) return -EINVAL;
  const { core } = kernel;
  const fs = overlayOfInode(kernel, oldDir);
  const from = sideOf(kernel, oldDir, oldDentry);
  const to = sideOf(kernel, newDir, newDentry);
  const exchanges = (flags & RENAME_EXCHANGE) !== 0;
  if (!mayMove(kernel, fs, from) || (exchanges && !mayMove(kernel, fs, to))) return -EXDEV;
  const replacesDir = !exchanges && to.isDir;
  if (replacesDir) dropMissingNames(core, newDentry);
  const full = replacesDir ? checkEmpty(kernel, to.inode) : 0;
  if (full) return full;
  const copied =
    copyUpAlias(kernel, oldDentry) ||
    copyUp(kernel, parentOf(core, newDentry)) ||
    copyTarget(kernel, fs, to, exchanges);
  if (copied < 0) return copied;
  const rename = new Rename(kernel, fs, from, to, exchanges);
  const rc = rename.run(flags & ~RENAME_NOREPLACE);
  rename.letGo();
  return rc;
}

/** What is replaced is copied up where the index counts its names. */
function copyTarget(kernel: Kernel, fs: OverlayFs, { dentry, inode }: Side, exchanges: boolean): number {
  if (inode === 0) return 0;
  return exchanges ? copyUpAlias(kernel, dentry) : countLinks(kernel, fs, dentry);
}

/** A rename in the upper layer. */
class Rename {
  readonly #kernel: Kernel;
  readonly #fs: OverlayFs;
  readonly #from: Side;
  readonly #to: Side;
  readonly #exchanges: boolean;
  /** With references, 0 = none (yet). */
  #old = 0 as DentryHandle;
  #new = 0 as DentryHandle;

  constructor(kernel: Kernel, fs: OverlayFs, from: Side, to: Side, exchanges: boolean) {
    this.#kernel = kernel;
    this.#fs = fs;
    this.#from = from;
    this.#to = to;
    this.#exchanges = exchanges;
  }

  letGo(): void {
    const { x } = this.#kernel.core;
    if (this.#old > 0) x.dput(this.#old);
    if (this.#new > 0) x.dput(this.#new);
  }

  run(flags: number): number {
    const found = this.#find();
    if (found < 0) return found;
    const { core } = this.#kernel;
    const whiteout = this.#new !== 0 && isWhiteout(core, inodeOf(core, this.#new)) ? this.#new : 0;
    const isLower = this.#exchanges ? 0 : isLowerPositive(this.#kernel, this.#from.dir, this.#from.name, true);
    if (isLower < 0) return isLower;
    const hidden = this.#hideLower();
    if (hidden < 0) return hidden;
    let how = flags;
    if (isLower && !whiteout) how |= RENAME_WHITEOUT;
    else if (whiteout && (isLower || this.#from.isDir)) how |= RENAME_EXCHANGE; // the whiteout goes where it is wanted, or away
    const rc = this.#move(how);
    if (rc < 0) return rc;
    if (whiteout && this.#from.isDir && !isLower) {
      core.x.dget(this.#new);
      dropTemp(this.#kernel, this.#new);
    }
    this.#done();
    return 0;
  }

  /** Finds both names in the upper layer, and makes sure that they are what the overlay shows. */
  #find(): number {
    this.#old = this.#upperName(this.#from);
    if (this.#old < 0) return this.#old;
    if (!this.#isUpperOf(this.#old, this.#from)) return -ESTALE;
    this.#new = this.#upperName(this.#to);
    if (this.#new < 0) return this.#new;
    const { core } = this.#kernel;
    const isFree = this.#new === 0 || isWhiteout(core, inodeOf(core, this.#new));
    if (this.#exchanges && isFree) return -ESTALE;
    return isFree || this.#isUpperOf(this.#new, this.#to) ? 0 : -ESTALE;
  }

  #upperName({ dir, name }: Side): DentryHandle {
    const upper = upperOf(this.#kernel.core, dir);
    return upper ? lookupOne(this.#kernel, upper, name) : (-ESTALE as DentryHandle);
  }

  #isUpperOf(dentry: DentryHandle, { inode }: Side): boolean {
    const { core } = this.#kernel;
    const upper = inode === 0 ? 0 : upperOf(core, inode);
    return dentry !== 0 && upper !== 0 && inodeOf(core, upper as DentryHandle) === inodeOf(core, dentry);
  }

  /** Directories, and files whose data are below, stay what they are in another place: they tell where their lower parts are, or that there are none. */
  #hideLower(): number {
    const rc = this.#settle(this.#from, this.#to);
    return rc < 0 || !this.#exchanges ? rc : this.#settle(this.#to, this.#from);
  }

  #settle(side: Side, target: Side): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const staysInDir = side.dir === target.dir;
    if (!side.isDir) return flagsOf(core, side.inode) & OVL_METACOPY ? setRedirect(kernel, side.dentry, staysInDir) : 0;
    if (firstLower(core, side.inode) !== undefined) return setRedirect(kernel, side.dentry, staysInDir);
    const upper = inodeOf(core, upperOf(core, side.inode));
    return isMerge(core, target.dir) && !isOpaque(kernel, upper) ? orTooFar(setOpaque(kernel, upper)) : 0;
  }

  #move(flags: number): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    if (this.#new === 0) {
      this.#new = newName(kernel, upperOf(core, this.#to.dir), this.#to.name);
      return this.#new < 0 ? this.#new : moveNameIn(kernel, this.#old, this.#new, flags);
    }
    const replacesDir = !this.#exchanges && this.#to.isDir && !(flags & RENAME_EXCHANGE);
    if (replacesDir) {
      const rc = setOpaque(kernel, inodeOf(core, this.#new)); // it stays empty without its whiteouts
      if (rc < 0) return rc;
      clearWhiteouts(kernel, this.#new);
    }
    return moveNameIn(kernel, this.#old, this.#new, flags);
  }

  /** What the overlay's inodes say follows. */
  #done(): void {
    const kernel = this.#kernel;
    const { core } = kernel;
    const { dir: oldDir, inode } = this.#from;
    const { dir: newDir, inode: target } = this.#to;
    if (target && !this.#exchanges) lostName(kernel, this.#fs, target);
    for (const changed of [inode, oldDir, newDir, ...(target && this.#exchanges ? [target] : [])])
      if (upperOf(core, changed)) copyAttributes(kernel, changed);
  }
}
