/**
 * Setting an overlay up: its directories are found, checked against each other, and mounted for itself.
 *
 * Does not own: options (options.ts), what is kept of the layers (layers.ts).
 *
 * @see Linux fs/overlayfs/super.c ovl_fill_super(), ovl_get_upper(), ovl_get_workdir(), ovl_check_overlapping_layers()
 */
import { EBUSY, EINVAL, ELOOP, ENODEV } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle, MountHandle, SuperBlockHandle } from "../../base/handles.ts";
import { S_IFDIR } from "../../base/stat-flags.ts";
import { utf8Encoder } from "../../base/utf8.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { isReadOnly } from "../../vfs/mount-flags.ts";
import { ndMount, walk } from "../../vfs/namei.ts";
import { SuperBlock } from "../../vfs/super-block.ts";
import type { Path } from "../../vfs/syscalls.ts";
import {
  I_OVL_INUSE,
  INODE_GID,
  INODE_KIND,
  INODE_MODE,
  INODE_STATE,
  INODE_UID,
  LOOKUP_DIRECTORY,
  LOOKUP_FOLLOW,
  SB_MEMORY,
  SB_RDONLY,
  SB_REVALIDATE,
  SB_STACKED,
} from "../../wasm/layout.ts";
import { setStack } from "./entry.ts";
import { copyAttributes, OVERLAY_DIRECTORY } from "./inode.ts";
import { inodeOf, isDirectory, lookupOne, makeName, now } from "./layer-names.ts";
import { isComplete, keepLayers, type OverlayFs, overlayOf, type Place, sbOfMount, shownRoots } from "./layers.ts";
import { parseOptions } from "./options.ts";

const OVERLAYFS_MAGIC = 0x794c7630;
/** As in Linux, an overlay may be a lower layer of another, and that of none. @see Linux FILESYSTEM_MAX_STACK_DEPTH */
export const MAX_DEPTH = 2;
const WORK_NAME = utf8Encoder.encode("work");

/** Directories of an overlay. */
export interface Places {
  readonly upper: Place | undefined;
  /** The directory that has, or gets, the work directory in it. */
  readonly workBase: Place | undefined;
  readonly lowers: readonly Place[];
}

/** Places that a mount that is being made is given in the place of paths: those of layers that are in no tree. */
const given = new WeakMap<Kernel, Places>();

/** Calls `mount`, whose overlay is made of `places`; paths of its options are names then, and lead nowhere. */
export function withPlaces<T>(kernel: Kernel, places: Places, mount: () => T): T {
  given.set(kernel, places);
  try {
    return mount();
  } finally {
    given.delete(kernel);
  }
}

/** Finds directories for the task that is served, and holds them until the super block does. */
export class Finder {
  readonly #kernel: Kernel;
  readonly #held: Place[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** @returns errors of the walk; -EINVAL for what is no directory */
  find(path: string): Place | number {
    const place = this.#walk(path, LOOKUP_FOLLOW);
    if (typeof place === "number") return place;
    const { core } = this.#kernel;
    return isDirectory(core, inodeOf(core, place.dentry)) ? place : -EINVAL;
  }

  /** @returns errors of the walk; -ENOTDIR */
  findDirectory(path: Path): Place | number {
    return this.#walk(path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
  }

  #walk(path: Path, flags: number): Place | number {
    const { core, current } = this.#kernel;
    if (current === undefined) return -ENODEV;
    const dentry = walk(current, path, flags) as DentryHandle;
    if (dentry < 0) return dentry;
    const place = { mnt: ndMount(core), dentry };
    core.x.mountGet(place.mnt);
    core.x.dget(dentry);
    this.#held.push(place);
    return place;
  }

  letGo(): void {
    const { x } = this.#kernel.core;
    for (const { mnt, dentry } of this.#held) {
      x.dput(dentry);
      x.mountPut(mnt);
    }
  }
}

/**
 * Fills a super block.
 *
 * @returns 0; in the order checked -EINVAL (options); of each directory errors of the walk, -EINVAL (no directory); -EINVAL (the upper one
 *   read-only, or of a file system with a store, or an overlay; work directory on another mount, or one above the other); -EBUSY (in use
 *   by another overlay); -ELOOP (layers that lie in each other); -EINVAL (overlays over overlays over overlays); -ENOSPC, -ENOMEM
 */
export function fillSuper(sb: SuperBlock, data: string): number {
  const { kernel } = sb;
  const options = parseOptions(data);
  if (options === undefined) return -EINVAL;
  const prepared = given.get(kernel);
  if (prepared !== undefined) return fill(sb, prepared, data);
  const finder = new Finder(kernel);
  try {
    const { upperdir, workdir, lowerdirs } = options;
    const upper = upperdir === undefined ? undefined : finder.find(upperdir);
    if (typeof upper === "number") return upper;
    const workBase = workdir === undefined ? undefined : finder.find(workdir);
    if (typeof workBase === "number") return workBase;
    const lowers: Place[] = [];
    for (const path of lowerdirs) {
      const lower = finder.find(path);
      if (typeof lower === "number") return lower;
      lowers.push(lower);
    }
    return fill(sb, { upper, workBase, lowers }, data);
  } finally {
    finder.letGo();
  }
}

function fill(sb: SuperBlock, places: Places, data: string): number {
  const { kernel } = sb;
  const { core } = kernel;
  const refused = checkUpper(kernel, places) || checkOverlaps(kernel, places);
  if (refused) return refused;
  const depth = Math.max(...places.lowers.map(({ mnt }) => depthOf(kernel, sbOfMount(core, mnt))));
  if (depth >= MAX_DEPTH) return -EINVAL;
  const work = workDirectory(kernel, places.workBase);
  if (typeof work === "number") return work;
  sb.flags |= SB_STACKED;
  const rc = keepLayers(sb, places.upper, work, places.lowers, utf8Encoder.encode(data));
  if (work) core.x.dput(work.dentry);
  if (rc < 0) return rc;
  for (const place of [places.upper, work])
    if (place) core.u32[(inodeOf(core, place.dentry) << 3) + INODE_STATE] |= I_OVL_INUSE;
  return makeRoot(sb, overlayOf(sb));
}

function makeRoot(sb: SuperBlock, fs: OverlayFs): number {
  const { kernel } = sb;
  const { core } = kernel;
  sb.magic = OVERLAYFS_MAGIC;
  settleFlags(sb, fs);
  if (fs.layers[0] === undefined) sb.flags |= SB_RDONLY;
  const [upper, ...lowers] = fs.layers;
  const { u32 } = core;
  const real = inodeOf(core, (upper ?? lowers[0])?.root as DentryHandle) << 3;
  const mode = u32[real + INODE_MODE] & ~S_IFDIR;
  const rc = sb.makeRoot(mode, u32[real + INODE_UID], u32[real + INODE_GID], OVERLAY_DIRECTORY);
  if (rc < 0) return rc;
  const root = inodeOf(core, sb.root);
  const stack = shownRoots(fs);
  const stacked = setStack(core, root, upper?.root ?? (0 as DentryHandle), stack);
  if (stacked < 0) return stacked;
  for (const dentry of [upper?.root, ...stack.map((lower) => lower.dentry)]) if (dentry) core.x.dget(dentry);
  core.u32[(root << 3) + INODE_KIND] = OVERLAY_DIRECTORY;
  copyAttributes(kernel, root);
  return 0;
}

/** What its layers make of an overlay: is it in memory, and are its names true as long as they are cached? */
export function settleFlags(sb: SuperBlock, fs: OverlayFs): void {
  const flags = sb.flags & ~(SB_MEMORY | SB_REVALIDATE);
  sb.flags = flags | (fs.isInMemory ? SB_MEMORY : 0) | (needsRevalidation(sb.kernel, fs) ? SB_REVALIDATE : 0);
}

/** Are there names in a layer that may be true no more? */
function needsRevalidation(kernel: Kernel, { layers }: OverlayFs): boolean {
  return layers.some((layer) => layer && new SuperBlock(kernel, layer.sb).flags & SB_REVALIDATE);
}

/** @see Linux ovl_get_upper(), ovl_workdir_ok() */
function checkUpper(kernel: Kernel, { upper, workBase }: Places): number {
  if (upper === undefined || workBase === undefined) return 0;
  const { core } = kernel;
  if (isReadOnly(core, upper.mnt) || !isComplete(core, sbOfMount(core, upper.mnt))) return -EINVAL;
  if (upper.mnt !== workBase.mnt && !given.has(kernel)) return -EINVAL;
  if (core.x.isSubdir(upper.dentry, workBase.dentry) || core.x.isSubdir(workBase.dentry, upper.dentry)) return -EINVAL;
  const isTaken = [upper, workBase].some(
    ({ dentry }) => isInUse(kernel, inodeOf(core, dentry)) || isInUse(kernel, workIn(kernel, dentry)),
  );
  return isTaken ? -EBUSY : 0;
}

function isInUse({ core }: Kernel, inode: InodeHandle): boolean {
  return inode !== 0 && (core.u32[(inode << 3) + INODE_STATE] & I_OVL_INUSE) !== 0;
}

/** What is called "work" in a directory in memory; 0 = nothing is. */
function workIn(kernel: Kernel, dir: DentryHandle): InodeHandle {
  const work = lookupOne(kernel, dir, WORK_NAME);
  if (work <= 0) return 0 as InodeHandle;
  kernel.core.x.dput(work);
  return inodeOf(kernel.core, work);
}

/** No lower layer may lie in another one, or in the upper one; above it may. */
export function checkOverlaps({ core }: Kernel, { upper, workBase, lowers }: Places): number {
  const layers = [...(upper && workBase ? [upper, workBase] : []), ...lowers];
  const isTrapped = lowers.some((lower) => layers.some((other) => lower !== other && isBelow(lower, other)));
  return isTrapped ? -ELOOP : 0;

  function isBelow(lower: Place, other: Place): boolean {
    return core.x.isSubdir(lower.dentry, other.dentry) !== 0;
  }
}

export function depthOf(kernel: Kernel, handle: SuperBlockHandle): number {
  const sb = new SuperBlock(kernel, handle);
  if (!(sb.flags & SB_STACKED)) return 0;
  const depths = overlayOf(sb).layers.map((layer) => (layer ? depthOf(kernel, layer.sb) : 0));
  return 1 + Math.max(...depths);
}

/** Finds or makes the directory "work", with a reference. @returns undefined where there is no upper layer; a negated errno */
function workDirectory(
  kernel: Kernel,
  base: Place | undefined,
): { mnt: MountHandle; dentry: DentryHandle } | undefined | number {
  if (base === undefined) return undefined;
  const { core } = kernel;
  const known = lookupOne(kernel, base.dentry, WORK_NAME);
  if (known < 0) return known;
  if (known && isDirectory(core, inodeOf(core, known))) return { mnt: base.mnt, dentry: known };
  if (known) {
    core.x.dput(known);
    return -EINVAL;
  }
  const made = makeName(kernel, base.dentry, WORK_NAME, ({ mkdir }, dir, dentry) =>
    now(mkdir?.(kernel, dir, dentry, S_IFDIR)),
  );
  return made < 0 ? made : { mnt: base.mnt, dentry: made };
}
