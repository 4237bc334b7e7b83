/**
 * Renames in an overlay: in the upper layer, after what moves has been copied up. Where a lower layer has the old name it leaves a
 * whiteout; a directory with parts below takes along where these are (a redirect), or cannot be moved.
 *
 * @see Linux fs/overlayfs/dir.c ovl_rename(), ovl_set_redirect()
 */
import { EINVAL, ENAMETOOLONG, ENOSPC, ESTALE, EXDEV } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from "../../base/stat-flags.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { copyUp, copyUpAlias } from "./copy-up.ts";
import { countLinks, lostName, setOpaque } from "./dir.ts";
import { firstLower, isMerge, upperOf } from "./entry.ts";
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
import { setLayerXattr } from "./layer-xattr.ts";
import { type OverlayFs, overlayOfInode } from "./layers.ts";
import { isLowerPositive, isOpaque, REDIRECT, redirectOf } from "./lookup.ts";
import { checkEmpty } from "./readdir.ts";
import { clearWhiteouts, dropTemp } from "./work-dir.ts";

/** Most bytes of a redirect, its NUL included. @see Linux ovl_redirect_max */
const REDIRECT_MAX = 256;
const SLASH = 0x2f;

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

  /** Directories stay what they are in another place: they tell where their lower parts are, or that there are none. */
  #hideLower(): number {
    const rc = this.#settle(this.#from, this.#to);
    return rc < 0 || !this.#exchanges ? rc : this.#settle(this.#to, this.#from);
  }

  #settle(side: Side, target: Side): number {
    if (!side.isDir) return 0;
    const kernel = this.#kernel;
    const { core } = kernel;
    if (firstLower(core, side.inode) !== undefined) return setRedirect(kernel, this.#fs, side, side.dir === target.dir);
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

/** Full is full; what cannot be said otherwise is that programs have to copy it. */
function orTooFar(rc: number): number {
  return rc < 0 && rc !== -ENOSPC ? -EXDEV : rc;
}

/**
 * Notes on a directory of the upper layer where its lower parts are, unless it says so already.
 *
 * @param isSameDir it stays in its directory: the name is enough
 * @returns 0; -EXDEV where that is too long; -ENOSPC
 */
function setRedirect(kernel: Kernel, _fs: OverlayFs, { dentry, inode }: Side, isSameDir: boolean): number {
  const { core } = kernel;
  const upper = inodeOf(core, upperOf(core, inode));
  const known = redirectOf(kernel, upper);
  if (typeof known === "number") return -EXDEV;
  if (known !== undefined && (isSameDir || known[0] === SLASH)) return 0;
  const redirect = isSameDir ? nameOf(kernel, dentry) : pathOf(kernel, dentry);
  if (typeof redirect === "number") return -EXDEV;
  return orTooFar(setLayerXattr(kernel, upper, REDIRECT, redirect));
}

/** Where the lower parts of a directory are, from the roots of the layers on. @returns -ENAMETOOLONG @see Linux ovl_get_redirect() */
function pathOf(kernel: Kernel, start: DentryHandle): Uint8Array | number {
  const { core } = kernel;
  const parts: Uint8Array[] = [];
  let bytes = 1;
  for (let dentry = start; parentOf(core, dentry) !== dentry; dentry = parentOf(core, dentry)) {
    const upper = upperOf(core, inodeOf(core, dentry));
    const redirect = upper ? redirectOf(kernel, inodeOf(core, upper)) : undefined;
    if (typeof redirect === "number") return redirect;
    const part = redirect ?? nameOf(kernel, dentry);
    const isPath = part[0] === SLASH;
    bytes += part.length + (isPath ? 0 : 1);
    if (bytes > REDIRECT_MAX) return -ENAMETOOLONG;
    parts.unshift(isPath ? part.subarray(1) : part);
    if (isPath) break;
  }
  const path = new Uint8Array(bytes - 1);
  let at = 0;
  for (const part of parts) {
    path[at] = SLASH;
    path.set(part, at + 1);
    at += part.length + 1;
  }
  return path;
}
