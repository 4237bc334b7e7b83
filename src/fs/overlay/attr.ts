/**
 * Attributes through an overlay: those of the real inode, with numbers that stay the same when it is copied up.
 *
 * @see Linux fs/overlayfs/inode.c ovl_getattr(), ovl_map_dev_ino(), ovl_setattr()
 */
import type { InodeHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { STAT_ATIME_NSEC, STAT_ATIME_SEC, STAT_DEV, STAT_INO, STAT_NLINK } from "../../vfs/syscalls.ts";
import { type Core, RESULT } from "../../wasm/core.ts";
import {
  INODE_ATIME_NSEC,
  INODE_ATIME_SEC,
  INODE_INO,
  INODE_NLINK,
  INODE_SB,
  RESULT_STAT,
  SUPER_BLOCK_DEV,
} from "../../wasm/layout.ts";
import { firstLower, flagsOf, hasSeveral, type Lower, OVL_INDEX, OVL_ORIGIN, upperOf } from "./entry.ts";
import { noteAccess, realInode } from "./inode.ts";
import { inodeOf, isDirectory } from "./layer-names.ts";
import { type Layer, type OverlayFs, overlayOfInode, UPPER_LAYER } from "./layers.ts";
import { originOf } from "./origin.ts";

/** Numbers of inodes below this leave room for the file system's: five bits of the 53 that are exact. */
const XINO_LIMIT = 2 ** 48;
export const NR_STAT = 18;

/** Where statReal() leaves attributes: a view, to be used at once. */
export function statValues({ f64 }: Core): Float64Array {
  return f64.subarray(RESULT + RESULT_STAT, RESULT + RESULT_STAT + NR_STAT);
}

/** Attributes of an inode of a layer, fresh from its file system. @param values statValues() @returns 0 or a negated errno */
export function statReal(kernel: Kernel, inode: InodeHandle, values: Float64Array): number {
  kernel.core.x.statInode(inode);
  return kernel.tableOf(inode).inode.getattr?.(kernel, inode, values, false) ?? 0;
}

/** InodeOperations.getattr. @returns 0; what the file system of the layer answers */
export function getattr(kernel: Kernel, inode: InodeHandle, values: Float64Array): number {
  const { core } = kernel;
  const fs = overlayOfInode(kernel, inode);
  const real = realInode(core, inode);
  noteAccess(core, inode);
  const rc = statReal(kernel, real, values);
  if (rc < 0) return rc;
  const isDir = isDirectory(core, inode);
  mapNumbers(kernel, fs, inode, isDir, values);
  const at = inode << 3;
  if (isDir && hasSeveral(core, inode)) values[STAT_NLINK] = 1; // to count them would be to list them
  if (flagsOf(core, inode) & OVL_INDEX) values[STAT_NLINK] = core.u32[at + INODE_NLINK];
  if (upperOf(core, inode)) accessedLater(kernel, inode, real, values);
  return 0;
}

/** Reads note the time in the overlay's own inode; what lies in the upper layer has it from there. Lower layers are not written. */
function accessedLater({ core }: Kernel, inode: InodeHandle, real: InodeHandle, values: Float64Array): void {
  const { u32, f64 } = core;
  const sec = f64[(inode << 2) + INODE_ATIME_SEC];
  const nsec = u32[(inode << 3) + INODE_ATIME_NSEC];
  const isLater = sec > values[STAT_ATIME_SEC] || (sec === values[STAT_ATIME_SEC] && nsec > values[STAT_ATIME_NSEC]);
  if (!isLater) return;
  f64[(real << 2) + INODE_ATIME_SEC] = values[STAT_ATIME_SEC] = sec;
  u32[(real << 3) + INODE_ATIME_NSEC] = values[STAT_ATIME_NSEC] = nsec;
}

/** st_ino is what the file has been copied up from, where that tells it from others; st_dev is the overlay's where all fit in one. */
function mapNumbers(kernel: Kernel, fs: OverlayFs, inode: InodeHandle, isDir: boolean, values: Float64Array): void {
  const { core } = kernel;
  const isOne = fs.isSameFs || fs.options.xino;
  const dev = core.u32[(core.u32[(inode << 3) + INODE_SB] >>> 2) + SUPER_BLOCK_DEV];
  let fsid = shownLayer(fs, core, inode).fsid;
  if (upperOf(core, inode) && (!isDir || isOne)) fsid = originNumber(kernel, fs, inode, isDir, values) ?? fsid;
  if (fs.isSameFs) values[STAT_DEV] = dev;
  else if (fs.options.xino && values[STAT_INO] < XINO_LIMIT) {
    values[STAT_INO] += fsid * XINO_LIMIT;
    values[STAT_DEV] = dev;
  } else if (isDir) {
    values[STAT_DEV] = dev;
    values[STAT_INO] = core.f64[(inode << 2) + INODE_INO];
  } else if (fsid !== 0) values[STAT_DEV] = pseudoDevice(dev, fsid);
}

/** The layer of what an inode shows. */
export function shownLayer({ layers }: OverlayFs, core: Core, inode: InodeHandle): Layer {
  const number = upperOf(core, inode) ? UPPER_LAYER : (firstLower(core, inode) as Lower).layer;
  return layers[number] as Layer;
}

/** A number of its own for files of a lower file system, which through the overlay are not those that it has itself. */
function pseudoDevice(dev: number, fsid: number): number {
  return dev + fsid * 2 ** 32;
}

/** Gives what has been copied up the number that it had. @returns the number of the file system that it was on; undefined = it has its own */
function originNumber(
  kernel: Kernel,
  fs: OverlayFs,
  inode: InodeHandle,
  isDir: boolean,
  values: Float64Array,
): number | undefined {
  const { core } = kernel;
  if (isDir) {
    const lower = firstLower(core, inode);
    if (lower === undefined) return undefined;
    values[STAT_INO] = core.f64[(inodeOf(core, lower.dentry) << 2) + INODE_INO];
    return fs.layers[lower.layer]?.fsid;
  }
  if (!(flagsOf(core, inode) & OVL_ORIGIN)) return undefined;
  const origin = originOf(kernel, inodeOf(core, upperOf(core, inode)));
  const layer = origin && fs.layers.find((each) => each && core.u32[(each.sb << 3) + SUPER_BLOCK_DEV] === origin.dev);
  if (origin === undefined || layer === undefined) return undefined;
  values[STAT_INO] = origin.ino;
  return layer.fsid;
}
