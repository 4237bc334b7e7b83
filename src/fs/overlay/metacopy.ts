/**
 * Files of a layer that have attributes and no data: the mark that says so. Their data are those of the next layer below that has the
 * name, or where a redirect leads to (lookup.ts).
 *
 *   trusted.overlay.metacopy   empty, or a header of 4 bytes and a digest for fs-verity, which is not looked at
 *
 * Does not own: where the data are (lower-data.ts), how they come up (copy-up-data.ts).
 *
 * @see Linux fs/overlayfs/util.c ovl_check_metacopy_xattr(); Documentation/filesystems/overlayfs.rst, "Metadata only copy up"
 */
import { EIO, ENODATA, EOPNOTSUPP } from "../../base/errno.ts";
import type { InodeHandle } from "../../base/handles.ts";
import { S_IFREG } from "../../base/stat-flags.ts";
import { utf8Encoder } from "../../base/utf8.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { typeOf } from "./layer-names.ts";
import { getLayerXattr, setLayerXattr } from "./layer-xattr.ts";

const METACOPY = utf8Encoder.encode("trusted.overlay.metacopy");
const HEADER_BYTES = 4;

/** Has an inode of a layer no data? @returns or -EIO for a mark that is none; what its file system answers */
export function isMetacopy(kernel: Kernel, inode: InodeHandle): boolean | number {
  if (typeOf(kernel.core, inode) !== S_IFREG) return false;
  const mark = getLayerXattr(kernel, inode, METACOPY);
  if (typeof mark === "number") return mark === -ENODATA || mark === -EOPNOTSUPP ? false : mark;
  return mark.length === 0 || mark.length >= HEADER_BYTES ? true : -EIO;
}

/** Notes that a file of the upper layer has no data. @returns 0; -ENOSPC */
export function markMetacopy(kernel: Kernel, upper: InodeHandle): number {
  return setLayerXattr(kernel, upper, METACOPY, new Uint8Array());
}

/** A file of the upper layer has its data now. @returns 0 or a negated errno */
export function unmarkMetacopy(kernel: Kernel, upper: InodeHandle): number {
  const rc = setLayerXattr(kernel, upper, METACOPY, undefined);
  return rc === -ENODATA ? 0 : rc;
}
