/**
 * The layers of an overlay: a private mount of each, in memory (assembly/fs/stack.ts), and what is known of them beside it, which can
 * be made anew from there.
 *
 * Does not own: how they are found and checked (fill-super.ts).
 *
 * @see Linux fs/overlayfs/ovl_entry.h struct ovl_fs, struct ovl_layer
 */
import { ENOMEM } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle, MountHandle, SuperBlockHandle } from "../../base/handles.ts";
import { utf8Decoder } from "../../base/utf8.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { SuperBlock } from "../../vfs/super-block.ts";
import type { Core } from "../../wasm/core.ts";
import {
  DENTRY_INODE,
  INODE_SB,
  MNT_DETACHED,
  MNT_EXPIRY_MARK,
  MNT_INTERNAL,
  MNT_LAYER,
  MNT_LAYER_RDONLY,
  MNT_NOATIME,
  MNT_READONLY,
  MOUNT_FLAGS,
  MOUNT_ROOT,
  MOUNT_SB,
  SB_COMPLETE,
  SB_MEMORY,
  SUPER_BLOCK_DEV,
  SUPER_BLOCK_FLAGS,
  SUPER_BLOCK_PRIVATE0,
} from "../../wasm/layout.ts";
import type { Lower } from "./entry.ts";
import { type OverlayOptions, parseOptions } from "./options.ts";

/** Words before the first mount: how many there are, and bytes of the options behind them. */
const HEAD = 2;
/** Among the mounts, behind the upper layer and the work directory. */
const FIRST_LOWER = 2;
/** Number of the upper layer; lower ones count from 1. */
export const UPPER_LAYER = 0;

/** A place that a layer is made of. */
export interface Place {
  readonly mnt: MountHandle;
  readonly dentry: DentryHandle;
}

/** One layer. */
export interface Layer {
  readonly mnt: MountHandle;
  readonly root: DentryHandle;
  readonly sb: SuperBlockHandle;
  /** Number of its file system among those of the layers: 0 is the upper one's. */
  readonly fsid: number;
}

/** What is known of an overlay. */
export interface OverlayFs {
  readonly core: Core;
  readonly sb: SuperBlockHandle;
  readonly dev: number;
  readonly options: OverlayOptions;
  /** By number; the first is undefined where there is no upper layer; those for data alone are the last. */
  readonly layers: readonly (Layer | undefined)[];
  /** The work directory: where files are made before they get their names. 0 = there is none */
  readonly work: DentryHandle;
  readonly isSameFs: boolean;
  /** Roots of layers, which no walk may come to from above. */
  readonly traps: ReadonlySet<InodeHandle>;
  /** Do all layers live in memory? */
  readonly isInMemory: boolean;
}

function rootOf({ u32 }: Core, mnt: MountHandle): DentryHandle {
  return (u32[(mnt << 3) + MOUNT_ROOT] >>> 5) as DentryHandle;
}

function inodeOf({ u32 }: Core, dentry: DentryHandle): InodeHandle {
  return (u32[(dentry << 3) + DENTRY_INODE] >>> 5) as InodeHandle;
}

/** Roots of the lower layers whose names show, from the uppermost down. */
export function shownRoots({ layers, options }: OverlayFs): Lower[] {
  const shown = layers.slice(0, layers.length - options.nrData);
  return shown.flatMap((layer, i) => (layer && i !== UPPER_LAYER ? [{ dentry: layer.root, layer: i }] : []));
}

/** As shownRoots(), of the layers for data alone. */
export function dataRoots({ layers, options }: OverlayFs): Lower[] {
  const first = layers.length - options.nrData;
  return layers.slice(first).map((layer, i) => ({ dentry: (layer as Layer).root, layer: first + i }));
}

/** The super block that a mount shows. */
export function sbOfMount({ u32 }: Core, mnt: MountHandle): SuperBlockHandle {
  return (u32[(mnt << 3) + MOUNT_SB] >>> 5) as SuperBlockHandle;
}

/** Is all of a file system in memory, with names that are nowhere else? Such a one can be an upper layer. */
export function isComplete({ u32 }: Core, sb: SuperBlockHandle): boolean {
  const flags = u32[(sb << 3) + SUPER_BLOCK_FLAGS];
  return (flags & (SB_MEMORY | SB_COMPLETE)) === (SB_MEMORY | SB_COMPLETE);
}

export function isInMemory({ u32 }: Core, sb: SuperBlockHandle): boolean {
  return (u32[(sb << 3) + SUPER_BLOCK_FLAGS] & SB_MEMORY) !== 0;
}

/**
 * Makes the private mounts of an overlay, and keeps its options.
 *
 * @param work a directory on the mount of the upper one
 * @returns 0; -ENOMEM: what has been made goes with the super block
 * @see Linux fs/namespace.c clone_private_mount()
 */
export function keepLayers(
  { kernel, handle }: SuperBlock,
  upper: Place | undefined,
  work: Place | undefined,
  lowers: readonly Place[],
  options: Uint8Array,
): number {
  const { core } = kernel;
  const places = [upper, work, ...lowers];
  const block = core.x.kmalloc((HEAD + places.length) * 4 + options.length) >>> 0;
  if (block === 0) return -ENOMEM;
  core.u32[block >>> 2] = places.length;
  core.u32[(block >>> 2) + 1] = options.length;
  core.u8.set(options, block + (HEAD + places.length) * 4);
  core.u32[(handle << 3) + SUPER_BLOCK_PRIVATE0] = block;
  for (const [i, place] of places.entries()) {
    if (place === undefined) continue;
    const mnt = core.x.mountNew(sbOfMount(core, place.mnt), place.dentry, flagsOf(core, place, i)) as MountHandle;
    if (mnt < 0) return mnt;
    core.u32[(block >>> 2) + HEAD + i] = mnt << 5;
  }
  return 0;
}

/**
 * Has an overlay other lower layers, and other options. The upper layer and the work directory stay.
 *
 * @param commit what is left to do when nothing can fail any more but itself
 * @returns 0; -ENOMEM, or what `commit` answers: then all is as it was
 */
export function replaceLowers(
  { kernel, handle }: SuperBlock,
  lowers: readonly Place[],
  options: Uint8Array,
  commit: () => number,
): number {
  const { core } = kernel;
  const block = core.x.kmalloc((HEAD + FIRST_LOWER + lowers.length) * 4 + options.length) >>> 0;
  if (block === 0) return -ENOMEM;
  const made = makeMounts(core, lowers);
  const rc = made === undefined ? -ENOMEM : commit();
  if (rc < 0) {
    for (const mnt of made ?? []) dropLayerMount(core, mnt);
    core.x.kfree(block);
    return rc;
  }
  const { u8, u32 } = core;
  const at = block >>> 2;
  const before = u32[(handle << 3) + SUPER_BLOCK_PRIVATE0];
  const old = mountsOf(core, handle);
  u32[at] = FIRST_LOWER + lowers.length;
  u32[at + 1] = options.length;
  for (const [i, mnt] of [...old.slice(0, FIRST_LOWER), ...(made as MountHandle[])].entries())
    u32[at + HEAD + i] = mnt << 5;
  u8.set(options, block + (HEAD + FIRST_LOWER + lowers.length) * 4);
  u32[(handle << 3) + SUPER_BLOCK_PRIVATE0] = block;
  for (const mnt of old.slice(FIRST_LOWER)) dropLayerMount(core, mnt);
  core.x.kfree(before);
  return 0;
}

/** Private mounts of lower layers. @returns undefined when memory ran out */
function makeMounts(core: Core, lowers: readonly Place[]): MountHandle[] | undefined {
  const made: MountHandle[] = [];
  for (const [i, place] of lowers.entries()) {
    const flags = flagsOf(core, place, FIRST_LOWER + i);
    const mnt = core.x.mountNew(sbOfMount(core, place.mnt), place.dentry, flags) as MountHandle;
    if (mnt < 0) {
      for (const each of made) dropLayerMount(core, each);
      return undefined;
    }
    made.push(mnt);
  }
  return made;
}

/** A mapping may hold it for longer. @see assembly/fs/stack.ts dropLayers() */
function dropLayerMount({ u32, x }: Core, mnt: MountHandle): void {
  const at = (mnt << 3) + MOUNT_FLAGS;
  u32[at] = (u32[at] & ~(MNT_INTERNAL | MNT_LAYER)) | MNT_DETACHED;
  x.mountPut(mnt);
}

/** Its private mounts: of the upper layer, of the work directory, of the lower ones. */
function mountsOf({ u32 }: Core, handle: SuperBlockHandle): MountHandle[] {
  const block = u32[(handle << 3) + SUPER_BLOCK_PRIVATE0] >>> 2;
  return Array.from({ length: u32[block] }, (_, i) => (u32[block + HEAD + i] >>> 5) as MountHandle);
}

/** Access times are the overlay's to change, and lower layers are not changed but by a commit. */
function flagsOf({ u32 }: Core, { mnt }: Place, i: number): number {
  const flags = u32[(mnt << 3) + MOUNT_FLAGS];
  const wasReadOnly = flags & (flags & MNT_LAYER ? MNT_LAYER_RDONLY : MNT_READONLY);
  const access = i < FIRST_LOWER ? 0 : MNT_READONLY | (wasReadOnly ? MNT_LAYER_RDONLY : 0);
  return (flags & ~MNT_EXPIRY_MARK) | MNT_INTERNAL | MNT_LAYER | MNT_NOATIME | access;
}

/** What is known of the overlay that a super block is of. */
export function overlayOf(sb: SuperBlock): OverlayFs {
  const { kernel, handle } = sb;
  const known = kernel.fsInfo.get(handle) as OverlayFs | undefined;
  if (known !== undefined && known.core === kernel.core && known.dev === sb.dev) return known;
  const fs = readLayers(kernel, handle);
  kernel.fsInfo.set(handle, fs);
  return fs;
}

/** As overlayOf(), of an inode. */
export function overlayOfInode(kernel: Kernel, inode: InodeHandle): OverlayFs {
  const { u32 } = kernel.core;
  const sb = u32[(inode << 3) + INODE_SB] >>> 5;
  const known = kernel.fsInfo.get(sb) as OverlayFs | undefined;
  if (known !== undefined && known.core === kernel.core && known.dev === u32[(sb << 3) + SUPER_BLOCK_DEV]) return known;
  return overlayOf(kernel.sbOf(inode));
}

/** Options as they were mounted with. */
export function optionsText({ kernel, handle }: SuperBlock): string {
  const { u8, u32 } = kernel.core;
  const block = u32[(handle << 3) + SUPER_BLOCK_PRIVATE0];
  const start = block + (HEAD + u32[block >>> 2]) * 4;
  return utf8Decoder.decode(u8.slice(start, start + u32[(block >>> 2) + 1]));
}

function readLayers(kernel: Kernel, handle: SuperBlockHandle): OverlayFs {
  const { core } = kernel;
  const { u32 } = core;
  const [upper, work, ...lowers] = mountsOf(core, handle);
  const sb = new SuperBlock(kernel, handle);
  const options = parseOptions(optionsText(sb)) as OverlayOptions;
  const all = upper === 0 ? lowers : [upper, ...lowers];
  const shown = all.slice(0, all.length - options.nrData);
  const supers = [...new Set(shown.map((mnt) => sbOfMount(core, mnt)))];
  const layerOf = (mnt: MountHandle): Layer => {
    const sb = sbOfMount(core, mnt);
    return { mnt, sb, root: rootOf(core, mnt), fsid: supers.indexOf(sb) + (upper === 0 ? 1 : 0) };
  };
  return {
    core,
    sb: handle,
    dev: u32[(handle << 3) + SUPER_BLOCK_DEV],
    options,
    layers: [upper === 0 ? undefined : layerOf(upper), ...lowers.map(layerOf)],
    work: work === 0 ? (0 as DentryHandle) : rootOf(core, work),
    isSameFs: supers.length === 1,
    traps: new Set([...all, ...(work === 0 ? [] : [work])].map((mnt) => inodeOf(core, rootOf(core, mnt)))),
    isInMemory: all.every((mnt) => isInMemory(core, sbOfMount(core, mnt))),
  };
}
