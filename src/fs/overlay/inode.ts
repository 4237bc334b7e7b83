/**
 * Inodes of an overlay: made for what a lookup has found, or an operation has made; one for each file of the upper layer, however many
 * names it has.
 *
 *   key   the handle of the inode in the upper layer, or where there is none in the lower one; directories have one name, and none
 *
 * Attributes are copies of the real inode's, for what the core asks of them: permissions, sizes, types. Times are that one's alone.
 *
 * @see Linux fs/overlayfs/inode.c ovl_get_inode(), ovl_copyattr()
 */
import { ENOMEM } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle, SuperBlockHandle } from "../../base/handles.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { pathsChanged } from "../../vfs/path-cache.ts";
import type { Core } from "../../wasm/core.ts";
import {
  I_APPEND,
  I_HASHED,
  I_IMMUTABLE,
  INODE_GID,
  INODE_INO,
  INODE_KIND,
  INODE_MODE,
  INODE_NLINK,
  INODE_RDEV,
  INODE_SIZE,
  INODE_STATE,
  INODE_UID,
} from "../../wasm/layout.ts";
import { flagsOf, type Lower, OVL_INDEX, putAll, realDentry, setFlag, setStack } from "./entry.ts";
import { readNlink } from "./index-dir.ts";
import { inodeOf, isDirectory } from "./layer-names.ts";
import type { OverlayFs } from "./layers.ts";

/** Kinds of inodes: their places in the tables. */
export const OVERLAY_FILE = 0;
export const OVERLAY_DIRECTORY = 1;
export const OVERLAY_SYMLINK = 2;
export const OVERLAY_SPECIAL = 3;

export function kindOf(mode: number): number {
  const type = mode & S_IFMT;
  if (type === S_IFREG) return OVERLAY_FILE;
  return type === S_IFDIR ? OVERLAY_DIRECTORY : type === S_IFLNK ? OVERLAY_SYMLINK : OVERLAY_SPECIAL;
}

const COPIED_STATE = I_IMMUTABLE | I_APPEND;

/** What an inode shows: in the upper layer, else in the uppermost lower one. @see Linux ovl_inode_real() */
export function realInode(core: Core, inode: InodeHandle): InodeHandle {
  return inodeOf(core, realDentry(core, inode));
}

/** Attributes that the core asks for follow the real inode. Links do not, where the index has others, and times are asked of that alone. */
export function copyAttributes({ core }: Kernel, inode: InodeHandle): void {
  const { u32, f64 } = core;
  const real = realInode(core, inode);
  const [to, from] = [inode << 3, real << 3];
  f64[(inode << 2) + INODE_SIZE] = f64[(real << 2) + INODE_SIZE];
  const isOther =
    u32[to + INODE_MODE] !== u32[from + INODE_MODE] ||
    u32[to + INODE_UID] !== u32[from + INODE_UID] ||
    u32[to + INODE_GID] !== u32[from + INODE_GID];
  u32[to + INODE_STATE] = (u32[to + INODE_STATE] & ~COPIED_STATE) | (u32[from + INODE_STATE] & COPIED_STATE);
  if (!isOther) return;
  u32[to + INODE_MODE] = u32[from + INODE_MODE];
  u32[to + INODE_UID] = u32[from + INODE_UID];
  u32[to + INODE_GID] = u32[from + INODE_GID];
  pathsChanged(core);
}

/** Links follow the real inode, where the index does not count others; a directory has one while it has a name. */
export function copyLinks({ core }: Kernel, inode: InodeHandle): void {
  if (isDirectory(core, inode) || flagsOf(core, inode) & OVL_INDEX) return;
  core.u32[(inode << 3) + INODE_NLINK] = core.u32[(realInode(core, inode) << 3) + INODE_NLINK];
}

/** What an inode that stands for dentries is found by; 0 = nothing. */
export function keyOf(fs: OverlayFs, core: Core, upper: DentryHandle, lowers: readonly Lower[]): InodeHandle {
  const real = inodeOf(core, upper || lowers[0].dentry);
  return isDirectory(core, real) || (upper === 0 && !hasKey(fs, core, real)) ? NO_INODE : real;
}

const NO_INODE = 0 as InodeHandle;

/** Is a lower file to be found by its inode? Not one whose links part when they are copied up. @see Linux ovl_hash_bylower() */
function hasKey({ layers, options }: OverlayFs, core: Core, lower: InodeHandle): boolean {
  return layers[0] === undefined || options.index || core.u32[(lower << 3) + INODE_NLINK] <= 1;
}

/**
 * The inode that stands for dentries, whose references it takes over, or the one that does already.
 *
 * @param flags OVL_*
 * @returns it with a reference; -ENOSPC, -ENOMEM: the references have gone
 */
export function getInode(
  kernel: Kernel,
  fs: OverlayFs,
  upper: DentryHandle,
  lowers: readonly Lower[],
  flags = 0,
): InodeHandle {
  const { core } = kernel;
  const real = inodeOf(core, upper || lowers[0].dentry);
  const key = keyOf(fs, core, upper, lowers);
  const known = key === NO_INODE ? 0 : (core.x.inodeFind(fs.sb, key, 0) as InodeHandle);
  if (known) {
    putAll(core, upper, lowers);
    core.x.iget(known as InodeHandle);
    return known as InodeHandle;
  }
  const inode = newInode(kernel, fs.sb, real);
  const rc = inode < 0 ? inode : setStack(core, inode, upper, lowers);
  if (rc < 0) {
    putAll(core, upper, lowers);
    if (inode > 0) core.x.iput(inode);
    return rc as InodeHandle;
  }
  setFlag(core, inode, flags);
  copyAttributes(kernel, inode);
  copyLinks(kernel, inode);
  if (flags & OVL_INDEX) core.u32[(inode << 3) + INODE_NLINK] = readNlink(kernel, real);
  if (key !== NO_INODE && !setKey(kernel, inode, key)) {
    core.x.iput(inode);
    return -ENOMEM as InodeHandle;
  }
  return inode;
}

function newInode(kernel: Kernel, sb: SuperBlockHandle, real: InodeHandle): InodeHandle {
  const { core } = kernel;
  const mode = core.u32[(real << 3) + INODE_MODE];
  const inode = core.x.inodeNew(sb, mode, 0, 0, kernel.now()) as InodeHandle;
  if (inode < 0) return inode;
  core.u32[(inode << 3) + INODE_KIND] = kindOf(mode);
  core.u32[(inode << 3) + INODE_RDEV] = core.u32[(real << 3) + INODE_RDEV];
  return inode;
}

/** Has an inode found by another key. @returns false when memory ran out: nothing finds it */
export function setKey({ core }: Kernel, inode: InodeHandle, key: InodeHandle): boolean {
  if (core.u32[(inode << 3) + INODE_STATE] & I_HASHED) core.x.inodeUnhash(inode);
  core.f64[(inode << 2) + INODE_INO] = key;
  return core.x.inodeHash(inode) === 0;
}
