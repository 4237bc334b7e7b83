/**
 * Numbers of files as an overlay shows them: st_dev and st_ino, which stay the same when a file is copied up.
 *
 * @see Linux fs/overlayfs/inode.c ovl_map_dev_ino()
 */
import type { InodeHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { STAT_DEV, STAT_INO } from "../../vfs/syscalls.ts";
import type { Core } from "../../wasm/core.ts";
import { INODE_INO, INODE_SB, SUPER_BLOCK_DEV } from "../../wasm/layout.ts";
import { firstLower, flagsOf, OVL_ORIGIN, realLayer, upperOf } from "./entry.ts";
import { inodeOf } from "./layer-names.ts";
import type { Layer, OverlayFs } from "./layers.ts";
import { originOf } from "./origin.ts";

/** Numbers of inodes below this leave room for the file system's: five bits of the 53 that are exact. */
const XINO_LIMIT = 2 ** 48;

/**
 * st_ino is what the file has been copied up from, where that tells it from others; st_dev is the overlay's where all fit in one.
 *
 * @param values attributes of the real inode, whose numbers change
 */
export function mapNumbers(
  kernel: Kernel,
  fs: OverlayFs,
  inode: InodeHandle,
  isDir: boolean,
  values: Float64Array,
): void {
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
  return layers[realLayer(core, inode)] as Layer;
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
