/**
 * Names of an overlay that are made and taken away: in the upper layer, with a whiteout where a lower layer has the name.
 *
 * Does not own: what is moved (rename.ts), what is copied up before (copy-up.ts).
 *
 * @see Linux fs/overlayfs/dir.c ovl_create_or_link(), ovl_do_remove()
 */
import { EEXIST, EOPNOTSUPP, EPERM, ESTALE } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { RENAME_EXCHANGE, S_IFCHR, S_IFDIR, S_IFMT, S_ISGID } from "../../base/stat-flags.ts";
import type { InodeOperations } from "../../vfs/fs-type.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { type Core, PATH_A } from "../../wasm/core.ts";
import { INODE_GID, INODE_MODE, INODE_NLINK } from "../../wasm/layout.ts";
import { copyUp, copyUpAlias, copyUpInode, nameOfInode, putTarget } from "./copy-up.ts";
import { flagsOf, isMerge, OVL_INDEX, OVL_METACOPY, upperOf } from "./entry.ts";
import { findIndex, writeNlink } from "./index-dir.ts";
import { copyAttributes, copyLinks, getInode } from "./inode.ts";
import {
  dropMissingNames,
  inodeOf,
  isDead,
  isDirectory,
  isWhiteout,
  lookupOne,
  type Make,
  makeName,
  moveNameIn,
  moveToFree,
  nameOf,
  newName,
  now,
  operationsOf,
  parentOf,
  removeName,
} from "./layer-names.ts";
import { setLayerXattr } from "./layer-xattr.ts";
import { type OverlayFs, overlayOfInode } from "./layers.ts";
import { isLowerPositive, OPAQUE } from "./lookup.ts";
import { originOf } from "./origin.ts";
import { checkEmpty } from "./readdir.ts";
import { setRedirect } from "./redirect.ts";
import { clearWhiteouts, dropTemp, makeTemp, makeWhiteout } from "./work-dir.ts";

const YES = Uint8Array.of(0x79);

/** What lies below a directory of the upper layer in others does not show in it. @returns 0; -ENOSPC */
export function setOpaque(kernel: Kernel, upper: InodeHandle): number {
  return setLayerXattr(kernel, upper, OPAQUE, YES);
}

/** The directory of a name, in the upper layer: copied up, and alive. @returns or a negated errno */
function upperDirOf(kernel: Kernel, dentry: DentryHandle): DentryHandle {
  const { core } = kernel;
  const parent = parentOf(core, dentry);
  const rc = copyUp(kernel, parent);
  if (rc < 0) return rc as DentryHandle;
  const upper = upperOf(core, inodeOf(core, parent));
  return isDead(core, inodeOf(core, upper)) ? (-ESTALE as DentryHandle) : upper;
}

/** A name that is being made: in the work directory where it is to take the place of a whiteout, so that what fails changes nothing. */
interface Made {
  /** What has been made, with a reference. */
  readonly upper: DentryHandle;
  /** With a reference, 0 = there is none. */
  readonly whiteout: DentryHandle;
}

/** Begins to make a name in the upper layer. @returns -EEXIST for what somebody has made there directly; -ENOSPC ... */
function begin(kernel: Kernel, fs: OverlayFs, dentry: DentryHandle, make: Make): Made | number {
  const { core } = kernel;
  const dir = upperDirOf(kernel, dentry);
  if (dir < 0) return dir;
  const name = nameOf(kernel, dentry);
  const taken = lookupOne(kernel, dir, name);
  if (taken < 0) return taken;
  if (taken === 0) {
    const upper = makeName(kernel, dir, name, make);
    return upper < 0 ? upper : { upper, whiteout: taken };
  }
  const isHidden = isWhiteout(core, inodeOf(core, taken));
  const upper = isHidden ? makeTemp(kernel, fs, make) : (-EEXIST as DentryHandle);
  if (upper > 0) {
    inheritGroup(core, inodeOf(core, upper), inodeOf(core, dir));
    return { upper, whiteout: taken };
  }
  core.x.dput(taken);
  return upper;
}

/** What is made in the work directory has the group that it would have got in its place. @see Linux inode_init_owner() */
function inheritGroup({ u32 }: Core, inode: InodeHandle, dir: InodeHandle): void {
  if (!(u32[(dir << 3) + INODE_MODE] & S_ISGID)) return;
  const at = inode << 3;
  u32[at + INODE_GID] = u32[(dir << 3) + INODE_GID];
  if ((u32[at + INODE_MODE] & S_IFMT) === S_IFDIR) u32[at + INODE_MODE] |= S_ISGID;
}

/** Puts it in its place. Drops the references. @returns 0 or a negated errno, and it has gone */
function finish(kernel: Kernel, { upper, whiteout }: Made): number {
  const { core } = kernel;
  if (whiteout === 0) {
    core.x.dput(upper);
    return 0;
  }
  const isDir = isDirectory(core, inodeOf(core, upper));
  const rc = moveNameIn(kernel, upper, whiteout, isDir ? RENAME_EXCHANGE : 0);
  if (rc < 0) dropTemp(kernel, upper);
  else core.x.dput(upper);
  if (rc === 0 && isDir) dropTemp(kernel, whiteout);
  else core.x.dput(whiteout);
  return rc;
}

/** Undoes begin(). */
function giveUp(kernel: Kernel, { upper, whiteout }: Made): void {
  dropTemp(kernel, upper);
  if (whiteout) kernel.core.x.dput(whiteout);
}

/** Makes a file, and the overlay's inode for it. */
function create(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, make: Make): number {
  const { core } = kernel;
  const fs = overlayOfInode(kernel, dir);
  const made = begin(kernel, fs, dentry, make);
  if (typeof made === "number") return made;
  const hidden = hideLower(kernel, dir, inodeOf(core, made.upper));
  core.x.dget(made.upper);
  const inode = hidden < 0 ? (hidden as InodeHandle) : getInode(kernel, fs, made.upper, []);
  if (hidden < 0) core.x.dput(made.upper);
  if (inode < 0) {
    giveUp(kernel, made);
    return inode;
  }
  const rc = finish(kernel, made);
  if (rc < 0) {
    core.x.iput(inode);
    return rc;
  }
  core.x.dInstantiate(dentry, inode);
  core.x.dAdd(dentry);
  copyAttributes(kernel, dir);
  return 0;
}

/** A new directory has nothing of what lower layers have, or will have, under its name. */
function hideLower(kernel: Kernel, dir: InodeHandle, inode: InodeHandle): number {
  const { core } = kernel;
  return isDirectory(core, inode) && isMerge(core, dir) ? setOpaque(kernel, inode) : 0;
}

function createFile(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, mode: number): number {
  return create(kernel, dir, dentry, (ops, parent, name) => now(ops.create?.(kernel, parent, name, mode) ?? -EPERM));
}

function mkdir(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, mode: number): number {
  return create(kernel, dir, dentry, (ops, parent, name) => now(ops.mkdir?.(kernel, parent, name, mode) ?? -EPERM));
}

/** Nobody makes whiteouts through an overlay. */
function mknod(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, mode: number, dev: number): number {
  if ((mode & S_IFMT) === S_IFCHR && dev === 0) return -EPERM;
  return create(kernel, dir, dentry, (ops, parent, name) =>
    now(ops.mknod?.(kernel, parent, name, mode, dev) ?? -EPERM),
  );
}

function symlink(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, length: number): number {
  const target = kernel.core.u8.slice(PATH_A, PATH_A + length); // the buffer may be used for what is copied up
  return create(kernel, dir, dentry, (ops, parent, name) =>
    now(ops.symlink?.(kernel, parent, name, putTarget(kernel, target)) ?? -EPERM),
  );
}

/** A file whose data are below is to be found there by any of its names. @returns 0; -EXDEV; -ENOSPC */
function tellLowerPath(kernel: Kernel, inode: InodeHandle): number {
  if (!(flagsOf(kernel.core, inode) & OVL_METACOPY)) return 0;
  const name = nameOfInode(kernel, inode);
  return name === undefined ? -ESTALE : setRedirect(kernel, name, false);
}

/** Gives a file another name, after it has been copied up. */
function link(kernel: Kernel, inode: InodeHandle, dir: InodeHandle, dentry: DentryHandle): number {
  const { core } = kernel;
  const fs = overlayOfInode(kernel, dir);
  const copied = copyUpInode(kernel, inode) || tellLowerPath(kernel, inode);
  if (copied < 0) return copied;
  const upper = inodeOf(core, upperOf(core, inode));
  const made = begin(kernel, fs, dentry, (ops, parent, name) => now(ops.link?.(kernel, upper, parent, name) ?? -EPERM));
  if (typeof made === "number") return made;
  const links = core.u32[(inode << 3) + INODE_NLINK] + 1;
  const noted = flagsOf(core, inode) & OVL_INDEX ? writeNlink(kernel, upper, links) : 0;
  if (noted < 0) {
    giveUp(kernel, made);
    return noted;
  }
  const rc = finish(kernel, made);
  if (rc < 0) return rc;
  core.x.iget(inode);
  core.x.dInstantiate(dentry, inode);
  core.x.dAdd(dentry);
  core.u32[(inode << 3) + INODE_NLINK] = links;
  copyLinks(kernel, inode);
  copyAttributes(kernel, inode);
  copyAttributes(kernel, dir);
  return 0;
}

function tmpfile(kernel: Kernel, dir: DentryHandle, mode: number): number {
  const { core } = kernel;
  const fs = overlayOfInode(kernel, inodeOf(core, dir));
  const copied = copyUp(kernel, dir);
  if (copied < 0) return copied;
  const upperDir = upperOf(core, inodeOf(core, dir));
  const dentry = newName(kernel, dir, NO_NAME);
  if (dentry < 0) return dentry;
  const made = operationsOf(kernel, inodeOf(core, upperDir)).tmpfile?.(kernel, upperDir, mode) ?? -EOPNOTSUPP;
  const inode = made < 0 ? (made as InodeHandle) : getInode(kernel, fs, made as DentryHandle, []);
  if (inode > 0) {
    core.x.dInstantiate(dentry, inode);
    return dentry;
  }
  core.x.dput(dentry);
  return inode;
}

const NO_NAME = new Uint8Array();

// --- Taking names away --------------------------------------------------------------------------------------------------

/** A name that goes. */
interface Victim {
  readonly dir: InodeHandle;
  readonly inode: InodeHandle;
  readonly name: Uint8Array;
  /** In the upper layer, with a reference; 0 = it is not there. */
  readonly upper: DentryHandle;
}

/** Is a name of the upper layer that of the file that the overlay shows? @see Linux ovl_matches_upper() */
function isOurs({ core }: Kernel, inode: InodeHandle, upper: DentryHandle): boolean {
  const own = upperOf(core, inode);
  return upper === 0 || (own !== 0 && inodeOf(core, own) === inodeOf(core, upper));
}

function remove(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
  const { core } = kernel;
  const inode = inodeOf(core, dentry);
  const fs = overlayOfInode(kernel, dir);
  const upperDir = upperDirOf(kernel, dentry);
  if (upperDir < 0) return upperDir;
  const counted = countLinks(kernel, fs, dentry);
  if (counted < 0) return counted;
  const name = nameOf(kernel, dentry);
  const upper = lookupOne(kernel, upperDir, name);
  if (upper < 0) return upper;
  const isLower = isLowerPositive(kernel, dir, name, upper !== 0);
  let rc = isOurs(kernel, inode, upper) ? Math.min(isLower, 0) : -ESTALE;
  if (rc === 0) rc = isLower ? whiteOut(kernel, fs, upperDir, { dir, inode, name, upper }) : removeUpper(kernel, upper);
  if (upper) core.x.dput(upper);
  if (rc < 0) return rc;
  lostName(kernel, fs, inode);
  copyAttributes(kernel, dir);
  return 0;
}

const NO_INODE = 0 as InodeHandle;

function removeUpper(kernel: Kernel, upper: DentryHandle): number {
  if (upper === 0) return -ESTALE;
  clearWhiteouts(kernel, upper);
  return removeName(kernel, upper);
}

/** Puts a whiteout in the place of a name: after it has been made nothing fails. */
function whiteOut(kernel: Kernel, fs: OverlayFs, dir: DentryHandle, { name, upper }: Victim): number {
  const { core } = kernel;
  const whiteout = makeWhiteout(kernel, fs);
  if (whiteout < 0) return whiteout;
  const isDir = upper !== 0 && isDirectory(core, inodeOf(core, upper));
  const rc =
    upper === 0
      ? moveToFree(kernel, whiteout, dir, name)
      : moveNameIn(kernel, whiteout, upper, isDir ? RENAME_EXCHANGE : 0);
  if (rc < 0) dropTemp(kernel, whiteout);
  else core.x.dput(whiteout);
  if (rc === 0 && isDir) {
    core.x.dget(upper);
    dropTemp(kernel, upper);
  }
  return rc;
}

/** Links of a file of which the index has to know are counted from the first one that goes on. @see Linux ovl_nlink_start() */
export function countLinks(kernel: Kernel, fs: OverlayFs, dentry: DentryHandle): number {
  const { core } = kernel;
  const inode = inodeOf(core, dentry);
  const isMany = fs.options.index && !isDirectory(core, inode) && core.u32[(inode << 3) + INODE_NLINK] > 1;
  return isMany ? copyUpAlias(kernel, dentry) : 0;
}

/** An inode has lost a name in the overlay. */
export function lostName(kernel: Kernel, fs: OverlayFs, inode: InodeHandle): void {
  const { core } = kernel;
  const at = (inode << 3) + INODE_NLINK;
  const upper = upperOf(core, inode);
  if (isDirectory(core, inode) || !upper) core.u32[at] = 0;
  else if (flagsOf(core, inode) & OVL_INDEX) lostIndexed(kernel, fs, inode);
  else copyLinks(kernel, inode);
  if (upper) copyAttributes(kernel, inode);
}

/** With the last name of a file its place in the index goes. */
function lostIndexed(kernel: Kernel, fs: OverlayFs, inode: InodeHandle): void {
  const { core } = kernel;
  const at = (inode << 3) + INODE_NLINK;
  const upper = inodeOf(core, upperOf(core, inode));
  core.u32[at]--;
  if (core.u32[at] > 0) {
    writeNlink(kernel, upper, core.u32[at]); // in the place of a value of the same length, or nearly
    return;
  }
  const origin = originOf(kernel, upper);
  const index = origin ? findIndex(kernel, fs, origin) : NO_INODE;
  if (index <= 0) return;
  removeName(kernel, index as DentryHandle);
  core.x.dput(index as DentryHandle);
}

function unlink(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
  return remove(kernel, dir, dentry);
}

function rmdir(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
  dropMissingNames(kernel.core, dentry);
  return checkEmpty(kernel, inodeOf(kernel.core, dentry)) || remove(kernel, dir, dentry);
}

/** What directories do with names, but for moving them. */
export const nameOperations: InodeOperations = {
  create: createFile,
  mkdir,
  mknod,
  symlink,
  link,
  tmpfile,
  unlink,
  rmdir,
};
