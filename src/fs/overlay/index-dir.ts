/**
 * The index: a directory beside the work directory, where what has been copied up of a lower file with several names is found by what
 * it has been copied up from. So all of its names stay one file.
 *
 *   index/<st_dev>-<st_ino>   a hard link of the copy
 *   trusted.overlay.nlink     how many names the file has in the overlay, less the links of the copy: "U+1"
 *
 * @see Linux fs/overlayfs/namei.c ovl_lookup_index(), ovl_get_index_name(), fs/overlayfs/inode.c ovl_set_nlink_common()
 */
import { ESTALE } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { S_IFDIR } from "../../base/stat-flags.ts";
import { utf8Decoder, utf8Encoder } from "../../base/utf8.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { INODE_NLINK } from "../../wasm/layout.ts";
import { inodeOf, isDirectory, lookupOne, makeName, now, parentOf } from "./layer-names.ts";
import { getLayerXattr, setLayerXattr } from "./layer-xattr.ts";
import type { OverlayFs } from "./layers.ts";
import type { Origin } from "./origin.ts";

const INDEX_NAME = utf8Encoder.encode("index");
const NLINK = utf8Encoder.encode("trusted.overlay.nlink");

/** Name of a lower file in the index. */
export function indexName({ dev, ino }: Origin): Uint8Array {
  return utf8Encoder.encode(`${dev.toString(16)}-${ino.toString(16)}`);
}

/** The directory, with a reference, made where it is missing. @returns -ESTALE where somebody has made something else there; -ENOSPC ... */
export function indexDirectory(kernel: Kernel, fs: OverlayFs): DentryHandle {
  const { core } = kernel;
  const base = parentOf(core, fs.work);
  const known = lookupOne(kernel, base, INDEX_NAME);
  if (known < 0 || (known && isDirectory(core, inodeOf(core, known)))) return known;
  if (known) {
    core.x.dput(known);
    return -ESTALE as DentryHandle;
  }
  return makeName(kernel, base, INDEX_NAME, ({ mkdir }, dir, dentry) => now(mkdir?.(kernel, dir, dentry, S_IFDIR)));
}

/** What the index has of a lower file, with a reference. @returns 0 = nothing; a negated errno */
export function findIndex(kernel: Kernel, fs: OverlayFs, origin: Origin): DentryHandle {
  const { core } = kernel;
  const dir = lookupOne(kernel, parentOf(core, fs.work), INDEX_NAME);
  if (dir <= 0) return dir;
  const found = isDirectory(core, inodeOf(core, dir)) ? lookupOne(kernel, dir, indexName(origin)) : (0 as DentryHandle);
  core.x.dput(dir);
  return found;
}

/** Names that a file in the index has in the overlay. */
export function readNlink(kernel: Kernel, upper: InodeHandle): number {
  const links = kernel.core.u32[(upper << 3) + INODE_NLINK];
  const value = getLayerXattr(kernel, upper, NLINK);
  const text = typeof value === "number" ? "" : utf8Decoder.decode(value.slice());
  return /^U[+-]\d+$/.test(text) ? links + Number(text.slice(1)) : links - 1; // without the index's own
}

/** Notes how many names a file has in the overlay. @returns 0; -ENOSPC */
export function writeNlink(kernel: Kernel, upper: InodeHandle, nlink: number): number {
  const more = nlink - kernel.core.u32[(upper << 3) + INODE_NLINK];
  return setLayerXattr(kernel, upper, NLINK, utf8Encoder.encode(`U${more < 0 ? "" : "+"}${more}`));
}
