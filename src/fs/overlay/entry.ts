/**
 * What an inode of an overlay stands for: a dentry in the upper layer, dentries in lower ones, or both. In memory, so that copies of
 * it have them (assembly/fs/stack.ts); the inode holds them.
 *
 * Does not own: how they are found (lookup.ts).
 *
 * @see Linux fs/overlayfs/ovl_entry.h struct ovl_inode, struct ovl_entry
 */
import { ENOMEM } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import type { Core } from "../../wasm/core.ts";
import {
  INODE_MAPPING,
  INODE_PRIVATE0,
  INODE_PRIVATE1,
  INODE_PRIVATE2,
  INODE_PRIVATE3,
  INODE_XA_HEAD,
} from "../../wasm/layout.ts";

const NO_DENTRY = 0 as DentryHandle;
/** Words before the first dentry of the list of those beyond the first. */
const HEAD = 2;

/** A place in a lower layer. */
export interface Lower {
  readonly dentry: DentryHandle;
  /** Number of the layer, from 1 down. */
  readonly layer: number;
}

/** Of private3: the layer of the first lower dentry. */
const LAYER_MASK = 0xffff;
/** The upper file says what it has been copied up from (origin.ts). */
export const OVL_ORIGIN = 1 << 16;
/** The upper file is in the index (index-dir.ts). */
export const OVL_INDEX = 1 << 17;
/** What it shows has no data of its own: those are the last lower one's (metacopy.ts). */
export const OVL_METACOPY = 1 << 18;
/** And that is in a layer for data alone, where it has not been looked for yet (lower-data.ts). */
export const OVL_LAZY_DATA = 1 << 19;
/** All that a lookup finds. */
export const OVL_FOUND = OVL_ORIGIN | OVL_INDEX | OVL_METACOPY | OVL_LAZY_DATA;

/** In the upper layer; 0 = it has no part there. */
export function upperOf({ u32 }: Core, inode: InodeHandle): DentryHandle {
  return (u32[(inode << 3) + INODE_PRIVATE0] >>> 5) as DentryHandle;
}

/** Takes over the caller's reference on `upper`; drops the one before. Pages are no longer those of what it has shown (real-pages.ts). */
export function setUpper({ u32, x }: Core, inode: InodeHandle, upper: DentryHandle): void {
  const before = u32[(inode << 3) + INODE_PRIVATE0] >>> 5;
  u32[(inode << 3) + INODE_PRIVATE0] = upper << 5;
  u32[(inode << 3) + INODE_MAPPING] = ownMapping(inode);
  if (before) x.dput(before as DentryHandle);
}

/** Address of the address space in an inode, which has no pages where it stands for another (Linux i_data). */
export function ownMapping(inode: InodeHandle): number {
  return ((inode << 5) >>> 0) + INODE_XA_HEAD * 4;
}

/** What it shows: in the upper layer, else in the uppermost lower one. @see Linux ovl_path_real() */
export function realDentry({ u32 }: Core, inode: InodeHandle): DentryHandle {
  const at = inode << 3;
  return ((u32[at + INODE_PRIVATE0] || u32[at + INODE_PRIVATE1]) >>> 5) as DentryHandle;
}

/** Number of the layer that it is in, 0 is the upper one. */
export function realLayer({ u32 }: Core, inode: InodeHandle): number {
  const at = inode << 3;
  return u32[at + INODE_PRIVATE0] === 0 ? u32[at + INODE_PRIVATE3] & LAYER_MASK : 0;
}

/** The uppermost of those in lower layers; undefined = there is none. */
export function firstLower({ u32 }: Core, inode: InodeHandle): Lower | undefined {
  const dentry = (u32[(inode << 3) + INODE_PRIVATE1] >>> 5) as DentryHandle;
  return dentry === NO_DENTRY ? undefined : { dentry, layer: u32[(inode << 3) + INODE_PRIVATE3] & LAYER_MASK };
}

/** All in lower layers, from the uppermost down. */
export function lowersOf(core: Core, inode: InodeHandle): Lower[] {
  const { u32 } = core;
  const first = firstLower(core, inode);
  if (first === undefined) return [];
  const lowers = [first];
  const more = u32[(inode << 3) + INODE_PRIVATE2] >>> 2;
  const nr = more === 0 ? 0 : u32[more];
  for (let i = 0; i < nr; i++) {
    const at = more + HEAD + i * 2;
    lowers.push({ dentry: (u32[at] >>> 5) as DentryHandle, layer: u32[at + 1] });
  }
  return lowers;
}

/** What has the data of a file: what it shows, else its last lower one. 0 = that has not been looked for yet. @see Linux ovl_path_realdata() */
export function dataDentry(core: Core, inode: InodeHandle): DentryHandle {
  const flags = flagsOf(core, inode);
  if (!(flags & OVL_METACOPY)) return realDentry(core, inode);
  return flags & OVL_LAZY_DATA ? NO_DENTRY : (lowersOf(core, inode).at(-1)?.dentry ?? NO_DENTRY);
}

/** Has it parts in more than one layer? */
export function hasSeveral(core: Core, inode: InodeHandle): boolean {
  return isMerge(core, inode) || core.u32[(inode << 3) + INODE_PRIVATE2] !== 0;
}

/** Has it a part in the upper layer, and others below? */
export function isMerge({ u32 }: Core, inode: InodeHandle): boolean {
  return u32[(inode << 3) + INODE_PRIVATE0] !== 0 && u32[(inode << 3) + INODE_PRIVATE1] !== 0;
}

export function flagsOf({ u32 }: Core, inode: InodeHandle): number {
  return u32[(inode << 3) + INODE_PRIVATE3] & ~LAYER_MASK;
}

export function setFlag({ u32 }: Core, inode: InodeHandle, flag: number): void {
  u32[(inode << 3) + INODE_PRIVATE3] |= flag;
}

export function clearFlag({ u32 }: Core, inode: InodeHandle, flag: number): void {
  u32[(inode << 3) + INODE_PRIVATE3] &= ~flag;
}

/**
 * Has an inode stand for dentries, whose references it takes over. Precondition: it stands for none yet.
 *
 * @returns 0; -ENOMEM, and it has taken none
 */
export function setStack(core: Core, inode: InodeHandle, upper: DentryHandle, lowers: readonly Lower[]): number {
  const [first, ...others] = lowers;
  const more = others.length === 0 ? 0 : core.x.kmalloc((HEAD + others.length * 2) * 4) >>> 0;
  if (more === 0 && others.length > 0) return -ENOMEM;
  const { u32 } = core;
  if (more !== 0) u32[more >>> 2] = others.length;
  others.forEach(({ dentry, layer }, i) => {
    const at = (more >>> 2) + HEAD + i * 2;
    u32[at] = dentry << 5;
    u32[at + 1] = layer;
  });
  const at = inode << 3;
  u32[at + INODE_PRIVATE0] = upper << 5;
  u32[at + INODE_PRIVATE1] = (first?.dentry ?? 0) << 5;
  u32[at + INODE_PRIVATE2] = more;
  u32[at + INODE_PRIVATE3] = (u32[at + INODE_PRIVATE3] & ~LAYER_MASK) | (first?.layer ?? 0);
  return 0;
}

/**
 * Has an inode stand for other dentries than before, which it lets go of. Pages are no longer those of what it has shown (real-pages.ts).
 *
 * @returns as setStack(): then it stands for what it did
 */
export function resetStack(core: Core, inode: InodeHandle, upper: DentryHandle, lowers: readonly Lower[]): number {
  const before = { upper: upperOf(core, inode), lowers: lowersOf(core, inode) };
  const more = core.u32[(inode << 3) + INODE_PRIVATE2];
  const rc = setStack(core, inode, upper, lowers);
  if (rc < 0) return rc;
  core.u32[(inode << 3) + INODE_MAPPING] = ownMapping(inode);
  putAll(core, before.upper, before.lowers);
  if (more !== 0) core.x.kfree(more);
  return 0;
}

/** Drops references that no inode has taken over. */
export function putAll({ x }: Core, upper: DentryHandle, lowers: readonly Lower[]): void {
  if (upper) x.dput(upper);
  for (const { dentry } of lowers) x.dput(dentry);
}
