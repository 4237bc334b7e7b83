/**
 * Data of a file that has been copied up without (metacopy=on): they come into the copy when somebody is about to change them. It stays the
 * inode that it is.
 *
 * Does not own: the copying (copy-data.ts).
 *
 * @see Linux fs/overlayfs/copy_up.c ovl_copy_up_meta_inode_data()
 */
import type { InodeHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { Core } from "../../wasm/core.ts";
import {
  INODE_ATIME_NSEC,
  INODE_ATIME_SEC,
  INODE_CTIME_NSEC,
  INODE_CTIME_SEC,
  INODE_MODE,
  INODE_MTIME_NSEC,
  INODE_MTIME_SEC,
  INODE_SIZE,
} from "../../wasm/layout.ts";
import { chargeOf, copyData, type LayerFile, resize } from "./copy-data.ts";
import { clearFlag, flagsOf, OVL_METACOPY, upperOf } from "./entry.ts";
import { copyAttributes } from "./inode.ts";
import { inodeOf } from "./layer-names.ts";
import { type Layer, type OverlayFs, UPPER_LAYER } from "./layers.ts";
import { dataFileOf } from "./lower-data.ts";
import { unmarkMetacopy } from "./metacopy.ts";

const WORDS = [INODE_MODE, INODE_ATIME_NSEC, INODE_MTIME_NSEC, INODE_CTIME_NSEC];
const NUMBERS = [INODE_ATIME_SEC, INODE_MTIME_SEC, INODE_CTIME_SEC];

/**
 * Gives a file of the upper layer its data, if it has none. Its times stay.
 *
 * @param bytes how many are wanted: it will be cut there
 * @returns 0; -ENOSPC; -EAGAIN of a store, with a token; what the layer answers. Then it has none, as before
 */
export function copyUpData(kernel: Kernel, fs: OverlayFs, inode: InodeHandle, bytes: number): number {
  const { core } = kernel;
  if (!(flagsOf(core, inode) & OVL_METACOPY)) return 0;
  const from = dataFileOf(kernel, inode);
  if (typeof from === "number") return from;
  const to = { mnt: (fs.layers[UPPER_LAYER] as Layer).mnt, dentry: upperOf(core, inode) };
  const upper = inodeOf(core, to.dentry);
  const length = Math.min(bytes, core.f64[(upper << 2) + INODE_SIZE]);
  const rc = fill(kernel, from, to, length);
  if (rc < 0) return rc;
  clearFlag(core, inode, OVL_METACOPY);
  copyAttributes(kernel, inode);
  return 0;
}

/** All or nothing. Mode, size and times stay. */
function fill(kernel: Kernel, from: LayerFile, to: LayerFile, length: number): number {
  const { core } = kernel;
  const [source, upper] = [inodeOf(core, from.dentry), inodeOf(core, to.dentry)];
  const putBack = keepAttributes(core, upper);
  const size = core.f64[(upper << 2) + INODE_SIZE];
  const copied = copyData(kernel, from, to, length, chargeOf(kernel, source, upper));
  const rc = copied || unmarkMetacopy(kernel, upper);
  if (rc < 0) for (const each of [0, size]) resize(kernel, upper, each);
  putBack();
  return rc;
}

/** @returns what sets them again */
function keepAttributes(core: Core, inode: InodeHandle): () => void {
  const words = WORDS.map((field) => core.u32[(inode << 3) + field]);
  const numbers = NUMBERS.map((field) => core.f64[(inode << 2) + field]);
  return () => {
    WORDS.forEach((field, i) => {
      core.u32[(inode << 3) + field] = words[i];
    });
    NUMBERS.forEach((field, i) => {
      core.f64[(inode << 2) + field] = numbers[i];
    });
  };
}
