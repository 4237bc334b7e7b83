/**
 * Overlays whose upper layer is a tmpfs of their own, with limits: made, forked, and measured.
 *
 *   a private mount of a tmpfs ─► "upper" and "work" in it ─► an overlay over the lower directories, mounted at its target
 *
 * The tmpfs is in no place: it goes with the overlay.
 *
 * Does not own: what programs see of it (index-layers.ts), copies of trees (copy-tree.ts).
 */
import { EAGAIN, EINVAL, ENODEV, EPERM } from "../../base/errno.ts";
import type { DentryHandle, MountHandle, SuperBlockHandle } from "../../base/handles.ts";
import { S_IFDIR } from "../../base/stat-flags.ts";
import { utf8Encoder } from "../../base/utf8.ts";
import { isCapable } from "../../vfs/attr.ts";
import { kernMount, kernUmount } from "../../vfs/kern-mount.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { mount, superOf, umount } from "../../vfs/mount.ts";
import { ndMount, walk } from "../../vfs/namei.ts";
import { SuperBlock } from "../../vfs/super-block.ts";
import { type Path, STAT_ATIME_NSEC, STAT_ATIME_SEC, STAT_MTIME_NSEC, STAT_MTIME_SEC } from "../../vfs/syscalls.ts";
import type { Task } from "../../vfs/task.ts";
import {
  INODE_ATIME_NSEC,
  INODE_ATIME_SEC,
  INODE_GID,
  INODE_MODE,
  INODE_MTIME_NSEC,
  INODE_MTIME_SEC,
  INODE_UID,
  LOOKUP_FOLLOW,
  MOUNT_ROOT,
  PAGE_SIZE,
  SUPER_BLOCK_EXTRA_LINKS,
  SUPER_BLOCK_MAX_BLOCKS,
  SUPER_BLOCK_MAX_INODES,
  SUPER_BLOCK_USED_BLOCKS,
} from "../../wasm/layout.ts";
import { commit } from "./commit.ts";
import { copyTree } from "./copy-tree.ts";
import type { DiffFailure } from "./diff-tree.ts";
import type { DiffWait } from "./diff-wait.ts";
import { Finder, withPlaces } from "./fill-super.ts";
import { copyAttributes } from "./inode.ts";
import { inodeOf, makeName, now } from "./layer-names.ts";
import { type Layer, overlayOf, type Place } from "./layers.ts";
import { overlay } from "./overlay.ts";
import { statReal } from "./stat-real.ts";

const UPPER = utf8Encoder.encode("upper");
const WORK_BASE = utf8Encoder.encode("work");
/** The root of the tmpfs, the upper directory, and the work directory in its own. */
const OWN_INODES = 4;
const NO_LIMIT = 2 ** 32 - 1;
/** Options of an overlay of the lower layers alone: the names lead nowhere. */
const BELOW = "lowerdir=below:below,redirect_dir=follow";
const METACOPY = ",metacopy=on";

/** What a layer is made of. */
export interface LayerRequest {
  /** Directories, the uppermost first. */
  readonly lowers: readonly string[];
  readonly target: string;
  /** As tmpfs's: bytes with units; undefined = as a tmpfs has it. */
  readonly size: string | undefined;
  readonly inodes: number | undefined;
  /** Changes of attributes copy no data. */
  readonly metacopy: boolean;
}

/** A layer that is mounted. */
export interface MountedLayer {
  readonly sb: SuperBlockHandle;
  readonly dev: number;
}

/** What a layer has, and may have. */
export interface LayerUsage {
  /** Bytes that count against its size. */
  bytes: number;
  /** Files, directories and the like that it has made or changed, whiteouts among them, and an inode for each KiB of extended attributes. */
  inodes: number;
  /** Limits; Infinity = none. */
  maxBytes: number;
  maxInodes: number;
}

function escaped(path: string): string {
  return path.replace(/[\\:,]/g, "\\$&");
}

/**
 * Makes a layer and mounts it.
 *
 * @returns as mount(2): errors of the walks, -EINVAL, -EPERM, -ELOOP, -ENOSPC, -ENOMEM
 */
export function mountLayer(task: Task, request: LayerRequest): MountedLayer | number {
  const { kernel } = task;
  task.enter();
  const finder = new Finder(kernel);
  try {
    const lowers: Place[] = [];
    for (const path of request.lowers) {
      const place = finder.find(path);
      if (typeof place === "number") return place;
      lowers.push(place);
    }
    return mountOver(task, request, lowers);
  } finally {
    finder.letGo();
  }
}

/** As mountLayer(), over what has been found. */
function mountOver(task: Task, request: LayerRequest, lowers: readonly Place[]): MountedLayer | number {
  const { kernel } = task;
  const tmpfs = kernel.registeredTypes().find(({ name }) => name === "tmpfs");
  if (tmpfs === undefined) return -ENODEV;
  const known = kernel.typeIdOf(overlay.name) < 0 ? kernel.registerFileSystem(overlay) : 0;
  if (known < 0) return known;
  const { size, inodes } = request;
  const options = ["mode=755", size && `size=${size}`, inodes && `nr_inodes=${inodes + OWN_INODES}`];
  const mnt = kernMount(kernel, tmpfs, options.filter(Boolean).join()) as MountHandle;
  if (mnt < 0) return mnt;
  const rc = mountUpper(task, request, lowers, mnt);
  kernUmount(kernel, mnt);
  return rc < 0 ? rc : (layerAt(task, request.target) ?? -EINVAL);
}

function mountUpper(task: Task, request: LayerRequest, lowers: readonly Place[], mnt: MountHandle): number {
  const { kernel } = task;
  const { core } = kernel;
  const root = (core.u32[(mnt << 3) + MOUNT_ROOT] >>> 5) as DentryHandle;
  const upper = makeDirectory(kernel, root, UPPER);
  if (upper < 0) return upper;
  const workBase = makeDirectory(kernel, root, WORK_BASE);
  let rc: number = workBase;
  if (workBase > 0) {
    copyOwner(kernel, lowers[0].dentry, upper);
    const places = { upper: { mnt, dentry: upper }, workBase: { mnt, dentry: workBase }, lowers };
    const lowerdir = request.lowers.map(escaped).join(":");
    const data = `lowerdir=${lowerdir},upperdir=layer,workdir=layer,redirect_dir=on${request.metacopy ? METACOPY : ""}`;
    rc = withPlaces(kernel, places, () => mount(task, { type: overlay.name, target: request.target, data }));
    core.x.dput(workBase);
  }
  core.x.dput(upper);
  return rc;
}

function makeDirectory(kernel: Kernel, dir: DentryHandle, name: Uint8Array): DentryHandle {
  return makeName(kernel, dir, name, ({ mkdir }, parent, dentry) =>
    now(mkdir?.(kernel, parent, dentry, S_IFDIR | 0o755)),
  );
}

/** The root of the tree is who the lower one's is, and as old, so that it has not changed. */
function copyOwner(kernel: Kernel, from: DentryHandle, to: DentryHandle): void {
  const { core } = kernel;
  const [source, sink] = [inodeOf(core, from) << 3, inodeOf(core, to) << 3];
  for (const field of [INODE_MODE, INODE_UID, INODE_GID]) core.u32[sink + field] = core.u32[source + field];
  const values = core.statValues;
  if (statReal(kernel, inodeOf(core, from), values) < 0) return; // a store that takes time: it shows the time of now
  core.f64[(sink >>> 1) + INODE_MTIME_SEC] = values[STAT_MTIME_SEC];
  core.u32[sink + INODE_MTIME_NSEC] = values[STAT_MTIME_NSEC];
  core.f64[(sink >>> 1) + INODE_ATIME_SEC] = values[STAT_ATIME_SEC];
  core.u32[sink + INODE_ATIME_NSEC] = values[STAT_ATIME_NSEC];
}

/** The layer that is mounted at a path, undefined = none is. */
export function layerAt(task: Task, target: string): MountedLayer | undefined {
  const { kernel } = task;
  if (walk(task, target, LOOKUP_FOLLOW) < 0) return undefined;
  const { handle, type, dev } = superOf(kernel, ndMount(kernel.core));
  return type.name === overlay.name ? { sb: handle, dev } : undefined;
}

/** Directories that a layer stands on, as they were named: a remount may have changed them. */
export function lowerPathsOf(kernel: Kernel, { sb }: MountedLayer): readonly string[] {
  return overlayOf(new SuperBlock(kernel, sb)).options.lowerdirs;
}

/** What counts against the limits of a layer. */
export function layerUsage(kernel: Kernel, { sb }: MountedLayer): LayerUsage {
  const { core } = kernel;
  const upper = (overlayOf(new SuperBlock(kernel, sb)).layers[0] as Layer).sb;
  const field = (at: number): number => core.u32[(upper << 3) + at];
  const maxBlocks = field(SUPER_BLOCK_MAX_BLOCKS);
  const maxInodes = field(SUPER_BLOCK_MAX_INODES);
  return {
    bytes: field(SUPER_BLOCK_USED_BLOCKS) * PAGE_SIZE,
    inodes: new SuperBlock(kernel, upper).nrInodes + field(SUPER_BLOCK_EXTRA_LINKS) - OWN_INODES,
    maxBytes: maxBlocks === NO_LIMIT ? Number.POSITIVE_INFINITY : maxBlocks * PAGE_SIZE,
    maxInodes: maxInodes === 0 ? Number.POSITIVE_INFINITY : maxInodes - OWN_INODES,
  };
}

/** What compares two directories, or goes by them. */
export type Compare<T> = (task: Task, a: Place, b: Place, wait?: DiffWait) => T | DiffFailure;

/**
 * Compares what lies below a layer with what it shows.
 *
 * @param target where it is mounted @param wait as of diffTrees()
 * @returns what `compare` says; errors of the walk; -ENOMEM, -ENOSPC
 */
export function compareLayer<T>(
  task: Task,
  from: MountedLayer,
  target: string,
  compare: Compare<T>,
  wait?: DiffWait,
): T | DiffFailure {
  const { kernel } = task;
  const { core } = kernel;
  const { layers, options } = overlayOf(new SuperBlock(kernel, from.sb));
  const [, ...lowers] = layers as Layer[];
  const places = {
    upper: undefined,
    workBase: undefined,
    lowers: lowers.map(({ mnt, root }) => ({ mnt, dentry: root })),
  };
  const data = options.metacopy ? BELOW + METACOPY : BELOW;
  const below = withPlaces(kernel, places, () => kernMount(kernel, overlay, data)) as MountHandle;
  if (below < 0) return failed(kernel, below, wait);
  const finder = new Finder(kernel);
  try {
    const shown = finder.find(target);
    if (typeof shown === "number") return failed(kernel, shown, wait);
    const root = (core.u32[(below << 3) + MOUNT_ROOT] >>> 5) as DentryHandle;
    return compare(task, { mnt: below, dentry: root }, shown, wait);
  } finally {
    finder.letGo();
    kernUmount(kernel, below);
    kernel.evictInodes();
  }
}

/** A failure before anything is compared. */
function failed(kernel: Kernel, rc: number, wait: DiffWait | undefined): DiffFailure {
  if (rc === -EAGAIN) wait?.note(kernel);
  return { rc, path: "" };
}

/** Compares two directories. @param wait as of diffTrees() @returns what `compare` says, and where; errors of the walks */
export function comparePaths<T>(
  task: Task,
  a: Path,
  b: Path,
  compare: Compare<T>,
  wait?: DiffWait,
): { found: T | DiffFailure; at: Path } {
  const finder = new Finder(task.kernel);
  task.enter();
  try {
    const from = finder.findDirectory(a);
    if (typeof from === "number") return { found: failed(task.kernel, from, wait), at: a };
    const to = finder.findDirectory(b);
    return { found: typeof to === "number" ? failed(task.kernel, to, wait) : compare(task, from, to, wait), at: b };
  } finally {
    finder.letGo();
    task.kernel.evictInodes();
  }
}

/** Commits a layer to the directory right below it. @returns -EPERM for others than root; as commit() */
export function commitLayer(task: Task, { sb }: MountedLayer): number {
  task.enter();
  return isCapable(task) ? commit(new SuperBlock(task.kernel, sb)) : -EPERM;
}

/**
 * Makes another layer with the same state, over the same lower directories.
 *
 * @param request its target, and its limits
 * @returns as mountLayer(); -ENOSPC where the state does not fit: then there is none
 */
export function forkLayer(task: Task, from: MountedLayer, request: LayerRequest): MountedLayer | number {
  const { kernel } = task;
  const [upper, ...lowers] = overlayOf(new SuperBlock(kernel, from.sb)).layers as Layer[];
  const places = lowers.map(({ mnt, root }) => ({ mnt, dentry: root }));
  const made = mountOver(task, request, places);
  if (typeof made === "number") return made;
  const sb = new SuperBlock(kernel, made.sb);
  const to = overlayOf(sb).layers[0] as Layer;
  const rc = copyTree(kernel, { mnt: upper.mnt, dentry: upper.root }, { mnt: to.mnt, dentry: to.root });
  if (rc < 0) {
    umount(task, request.target);
    return rc;
  }
  copyAttributes(kernel, inodeOf(kernel.core, sb.root));
  return made;
}
