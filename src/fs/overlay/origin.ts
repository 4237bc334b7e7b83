/**
 * Where files of the upper layer come from: what of a lower file its number of an inode is, kept in an extended attribute of the
 * copy, so that the number stays the same when it is copied up, whatever its name is later.
 *
 *   trusted.overlay.origin   | magic | st_dev of the lower file system | st_ino, 8 bytes |
 *
 * Linux keeps a file handle there instead, by which it finds the lower file again; ours means nothing outside of one kernel, its forks
 * and its snapshots.
 *
 * @see Linux fs/overlayfs/copy_up.c ovl_set_origin_fh(), fs/overlayfs/namei.c ovl_check_origin()
 */
import type { InodeHandle } from "../../base/handles.ts";
import { utf8Encoder } from "../../base/utf8.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { getLayerXattr, setLayerXattr } from "./layer-xattr.ts";

const ORIGIN = utf8Encoder.encode("trusted.overlay.origin");
const BYTES = 16;
const MAGIC = 0x6f6c6f66; // "folo"

export interface Origin {
  readonly dev: number;
  readonly ino: number;
}

/** Notes what a file of the upper layer has been copied from. @returns 0 or a negated errno */
export function setOrigin(kernel: Kernel, upper: InodeHandle, { dev, ino }: Origin): number {
  const view = new DataView(new ArrayBuffer(BYTES));
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, dev, true);
  view.setFloat64(8, ino, true);
  return setLayerXattr(kernel, upper, ORIGIN, new Uint8Array(view.buffer));
}

/** @returns undefined where nothing is noted that means something here */
export function originOf(kernel: Kernel, upper: InodeHandle): Origin | undefined {
  const value = getLayerXattr(kernel, upper, ORIGIN);
  if (typeof value === "number" || value.length !== BYTES) return undefined;
  const view = new DataView(value.slice().buffer);
  const ino = view.getFloat64(8, true);
  if (view.getUint32(0, true) !== MAGIC || !Number.isInteger(ino)) return undefined;
  return { dev: view.getUint32(4, true), ino };
}
