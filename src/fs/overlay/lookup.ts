/**
 * Looking a name up in the layers, from the upper one down: what it stands for is the first that is found, and for directories all of
 * them, to the first that is opaque, a whiteout, or no directory.
 *
 *   redirect   what has one is looked for below under that name: beside where it stands, or from the roots on
 *   metacopy   a file without data is looked for below until there are some
 *
 * Does not own: names in one layer (layer-names.ts), inodes (inode.ts).
 *
 * @see Linux fs/overlayfs/namei.c ovl_lookup(), ovl_lookup_layer(), ovl_lookup_single(), ovl_check_redirect()
 */
import { EIO, ELOOP, EPERM } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { S_IFREG } from "../../base/stat-flags.ts";
import { utf8Encoder } from "../../base/utf8.ts";
import { dSpliceAlias } from "../../vfs/iget.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { STAT_INO } from "../../vfs/syscalls.ts";
import { INODE_NLINK, SUPER_BLOCK_DEV } from "../../wasm/layout.ts";
import { type Lower, lowersOf, OVL_INDEX, OVL_LAZY_DATA, OVL_METACOPY, OVL_ORIGIN, putAll, upperOf } from "./entry.ts";
import { findIndex } from "./index-dir.ts";
import { getInode } from "./inode.ts";
import { inodeOf, isDirectory, isWhiteout, lookupOne, nameOf, typeOf } from "./layer-names.ts";
import { getLayerXattr } from "./layer-xattr.ts";
import { type OverlayFs, overlayOfInode, shownRoots, UPPER_LAYER } from "./layers.ts";
import { isMetacopy } from "./metacopy.ts";
import { type Origin, originOf } from "./origin.ts";
import { isPath, namesOfPath, pathOfNames, redirectOf } from "./redirect.ts";
import { statReal } from "./stat-real.ts";

export const OPAQUE = utf8Encoder.encode("trusted.overlay.opaque");
const YES = 0x79;

/** How a lookup stands: what the layer before has said. */
interface State {
  /** What it is looked for by: a name, or with a slash at its start a path from the roots of the layers. */
  name: Uint8Array;
  isDirectory: boolean;
  /** Nothing below counts. */
  stop: boolean;
  /** It has said so since the layer before. */
  redirect: boolean;
  /** What has last been asked for a redirect leads from the roots on. */
  leadsFromRoots: boolean;
  /** The last file that has been found has no data. */
  metacopy: boolean;
}

/** True for an opaque directory. */
export function isOpaque(kernel: Kernel, inode: InodeHandle): boolean {
  const value = getLayerXattr(kernel, inode, OPAQUE);
  return typeof value !== "number" && value.length === 1 && value[0] === YES;
}

/**
 * One component in one layer.
 *
 * @param before components that have led here, `after` those behind
 * @returns its dentry with a reference; 0 = it is not there; a negated errno
 */
function lookupSingle(
  kernel: Kernel,
  fs: OverlayFs,
  base: DentryHandle,
  state: State,
  name: Uint8Array,
  before: readonly Uint8Array[],
  after: readonly Uint8Array[],
): DentryHandle {
  const { core } = kernel;
  const found = lookupOne(kernel, base, name);
  if (found <= 0) return found;
  const inode = inodeOf(core, found);
  const isLast = after.length === 0;
  const drop = (rc: number): DentryHandle => {
    core.x.dput(found);
    return rc as DentryHandle;
  };
  if (isWhiteout(core, inode) || (isLast && state.metacopy && typeOf(core, inode) !== S_IFREG)) {
    state.stop = true;
    return drop(0);
  }
  if (!isDirectory(core, inode)) {
    state.stop = true;
    if (state.isDirectory || !isLast) return drop(0);
    const metacopy = isMetacopy(kernel, inode);
    if (typeof metacopy === "number") return drop(metacopy);
    state.metacopy = metacopy;
    if (!metacopy) return found;
    state.stop = false;
  } else {
    if (fs.traps.has(inode)) return drop(-ELOOP);
    if (isLast) state.isDirectory = true;
    if (isOpaque(kernel, inode)) {
      state.stop = true;
      return found;
    }
  }
  const redirect = redirectOf(kernel, inode);
  if (typeof redirect === "number") return drop(redirect);
  state.leadsFromRoots = redirect !== undefined && isPath(redirect);
  if (redirect === undefined) return found;
  state.redirect = true;
  if (state.leadsFromRoots) {
    state.name = after.length === 0 ? redirect : pathOfNames([...namesOfPath(redirect), ...after]);
    state.stop = false; // something opaque on the way here does not count below
  } else
    state.name =
      before.length + after.length === 0 && !isPath(state.name)
        ? redirect
        : pathOfNames([...before, redirect, ...after]);
  return found;
}

/** A name, or a path, in one layer. @returns as lookupSingle() */
function lookupLayer(kernel: Kernel, fs: OverlayFs, dir: DentryHandle, state: State): DentryHandle {
  if (!isPath(state.name)) return lookupSingle(kernel, fs, dir, state, state.name, [], []);
  const parts = namesOfPath(state.name);
  const { x } = kernel.core;
  let base = dir;
  x.dget(base);
  for (let i = 0; i < parts.length; i++) {
    // A redirect on the way changes what comes behind in layers below, not in this one.
    const next = lookupSingle(kernel, fs, base, state, parts[i], parts.slice(0, i), parts.slice(i + 1));
    x.dput(base);
    if (next <= 0) return next;
    base = next;
  }
  return base;
}

/** What a name stands for, with references. */
export interface Found {
  upper: DentryHandle;
  lowers: Lower[];
  flags: number;
}

/**
 * Looks a name up in the parts that a directory has.
 *
 * @param upperDir 0 = it has none in the upper layer
 * @returns nothing in any layer where it is not there; a negated errno
 */
export function lookupParts(
  kernel: Kernel,
  fs: OverlayFs,
  upperDir: DentryHandle,
  lowerDirs: readonly Lower[],
  name: Uint8Array,
): Found | number {
  const { core } = kernel;
  const found: Found = { upper: 0 as DentryHandle, lowers: [], flags: 0 };
  const state: State = {
    name,
    isDirectory: false,
    stop: false,
    redirect: false,
    leadsFromRoots: false,
    metacopy: false,
  };
  if (upperDir) {
    const upper = lookupLayer(kernel, fs, upperDir, state);
    if (upper < 0) return upper;
    found.upper = upper;
  }
  const isShownMetacopy = state.metacopy;
  const rc = lookupLowers(kernel, fs, lowerDirs, state, found) || findDataBelow(fs, state, found, isShownMetacopy);
  if (rc < 0) {
    putAll(core, found.upper, found.lowers);
    return rc;
  }
  if (found.upper && !state.isDirectory && originOf(kernel, inodeOf(core, found.upper))) found.flags |= OVL_ORIGIN;
  return found;
}

function lookupLowers(kernel: Kernel, fs: OverlayFs, dirs: readonly Lower[], state: State, found: Found): number {
  let stack = dirs;
  let isFromRoots = false;
  let isMoved = false;
  const mayMove = fs.options.redirectFollow || fs.options.nrData > 0;
  for (let i = 0; i < stack.length || state.redirect; i++) {
    if (state.redirect) {
      state.redirect = false;
      isMoved = true;
      if (isPath(state.name) && !isFromRoots && mayMove) {
        const layer = i > 0 ? stack[i - 1].layer : UPPER_LAYER;
        stack = shownRoots(fs);
        isFromRoots = true;
        i = layer; // the root of the next one: they count from 1
      }
    }
    if (state.stop || i >= stack.length) break;
    if (isMoved && !fs.options.redirectFollow) return -EPERM;
    if (state.metacopy && !fs.options.metacopy) return -EPERM;
    const lower = lookupLayer(kernel, fs, stack[i].dentry, state);
    if (lower < 0) return lower;
    if (lower === 0) continue;
    found.lowers.push({ dentry: lower, layer: stack[i].layer });
  }
  return 0;
}

/**
 * Notes of a file whether its data are elsewhere. Those of a lower file may be in a layer for data alone, whatever the options are.
 *
 * @param isUpper what has been found in the upper layer has none
 * @returns 0; -EPERM where they may not be looked for, -EIO where there are none
 */
function findDataBelow(fs: OverlayFs, state: State, found: Found, isUpper: boolean): number {
  const { lowers } = found;
  if (state.metacopy) {
    const isLazy = lowers.length > 0 && state.leadsFromRoots && fs.options.nrData > 0;
    if (!isLazy) return fs.options.metacopy ? -EIO : -EPERM;
    found.flags |= OVL_METACOPY | OVL_LAZY_DATA;
  } else if (isUpper) {
    if (lowers.length === 0) return -EIO;
    found.flags |= OVL_METACOPY;
  } else if (!state.isDirectory && lowers.length > 1) found.flags |= OVL_METACOPY;
  return 0;
}

/** A lower file that the index has stands for what has been copied up by another of its names. */
function withIndex(kernel: Kernel, fs: OverlayFs, found: Found): number {
  const { core } = kernel;
  if (!fs.options.index) return 0;
  const [lower] = found.lowers;
  if (found.upper) {
    const origin = originOf(kernel, inodeOf(core, found.upper));
    const index = origin && findIndex(kernel, fs, origin);
    if (index === undefined || index <= 0) return index ?? 0;
    if (inodeOf(core, index) === inodeOf(core, found.upper)) found.flags |= OVL_INDEX;
    core.x.dput(index);
    return 0;
  }
  if (lower === undefined || core.u32[(inodeOf(core, lower.dentry) << 3) + INODE_NLINK] <= 1) return 0;
  const origin = lowerOrigin(kernel, fs, lower);
  const index = typeof origin === "number" ? (origin as DentryHandle) : findIndex(kernel, fs, origin);
  if (index <= 0) return index;
  const metacopy = isMetacopy(kernel, inodeOf(core, index));
  if (typeof metacopy === "number") {
    core.x.dput(index);
    return metacopy;
  }
  found.upper = index;
  if (!metacopy) found.flags &= ~(OVL_METACOPY | OVL_LAZY_DATA);
  else found.flags |= OVL_METACOPY;
  found.flags |= OVL_INDEX | OVL_ORIGIN;
  return 0;
}

/** What tells a lower file from all others. */
function lowerOrigin(kernel: Kernel, fs: OverlayFs, { dentry, layer }: Lower): Origin | number {
  const { core } = kernel;
  const values = core.statValues;
  const rc = statReal(kernel, inodeOf(core, dentry), values);
  if (rc < 0) return rc;
  return { dev: core.u32[((fs.layers[layer]?.sb as number) << 3) + SUPER_BLOCK_DEV], ino: values[STAT_INO] };
}

/** Looks a name up, the index with it. @returns as lookupParts() */
export function lookupAll(kernel: Kernel, fs: OverlayFs, dir: InodeHandle, name: Uint8Array): Found | number {
  const { core } = kernel;
  const found = lookupParts(kernel, fs, upperOf(core, dir), lowersOf(core, dir), name);
  if (typeof found === "number") return found;
  const first = found.upper || found.lowers[0]?.dentry;
  if (!first || isDirectory(core, inodeOf(core, first))) return found;
  const rc = withIndex(kernel, fs, found);
  if (rc >= 0) return found;
  putAll(core, found.upper, found.lowers);
  return rc;
}

/** InodeOperations.lookup. @returns 0; -ELOOP; -EPERM (redirects, or data in other layers, are not followed); -EINVAL (no redirect); -EIO (no data); what a layer answers */
export function lookup(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
  const fs = overlayOfInode(kernel, dir);
  const found = lookupAll(kernel, fs, dir, nameOf(kernel, dentry));
  if (typeof found === "number") return found;
  if (!found.upper && found.lowers.length === 0) return 0;
  const inode = getInode(kernel, fs, found.upper, found.lowers, found.flags);
  if (inode < 0) return inode;
  dSpliceAlias(kernel, inode, dentry);
  return 0;
}

/**
 * Would a name be there if it were not in the upper layer?
 *
 * @param isUpper it is there; else it shows, and so it is in a lower one
 * @returns 1, 0, or a negated errno
 * @see Linux fs/overlayfs/namei.c ovl_lower_positive()
 */
export function isLowerPositive(kernel: Kernel, dir: InodeHandle, name: Uint8Array, isUpper: boolean): number {
  return isUpper ? isPositiveIn(kernel, lowersOf(kernel.core, dir), name) : 1;
}

/** Do directories of lower layers, seen from above, show a name? @returns 1, 0, or a negated errno */
export function isPositiveIn(kernel: Kernel, dirs: readonly Lower[], name: Uint8Array): number {
  const { core } = kernel;
  for (const { dentry } of dirs) {
    const found = lookupOne(kernel, dentry, name);
    if (found < 0) return found;
    if (found === 0) continue;
    const isHidden = isWhiteout(core, inodeOf(core, found));
    core.x.dput(found);
    return isHidden ? 0 : 1;
  }
  return 0;
}
