/**
 * Extended attributes through an overlay: those of the real inode. Its own, "trusted.overlay.*", programs do not see; what they call so
 * is kept as "trusted.overlay.overlay.*", so that layers may be overlays' again.
 *
 * @see Linux fs/overlayfs/xattrs.c
 */
import type { InodeHandle } from "../../base/handles.ts";
import type { XattrHandler } from "../../vfs/fs-type.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { copyUpInode } from "./copy-up.ts";
import { upperOf } from "./entry.ts";
import { copyAttributes, realInode } from "./inode.ts";
import { inodeOf } from "./layer-names.ts";
import { getLayerXattr, listLayerXattrs, setLayerXattr } from "./layer-xattr.ts";
import { escaped, isPrivateXattr, unescaped } from "./own-xattr.ts";

function get(kernel: Kernel, inode: InodeHandle, name: Uint8Array): Uint8Array | number {
  return getLayerXattr(kernel, realInode(kernel.core, inode), escaped(name));
}

/** What there is not is said before anything is copied up. */
function set(
  kernel: Kernel,
  inode: InodeHandle,
  name: Uint8Array,
  value: Uint8Array | undefined,
  flags: number,
): number {
  const own = escaped(name);
  if (value === undefined) {
    const known = get(kernel, inode, name);
    if (typeof known === "number") return known;
  }
  const rc = copyUpInode(kernel, inode);
  if (rc < 0) return rc;
  const done = setLayerXattr(kernel, inodeOf(kernel.core, upperOf(kernel.core, inode)), own, value, flags);
  if (done === 0) copyAttributes(kernel, inode);
  return done;
}

/** InodeOperations.listxattr. */
export function listxattr(kernel: Kernel, inode: InodeHandle): readonly Uint8Array[] | number {
  const names = listLayerXattrs(kernel, realInode(kernel.core, inode));
  if (typeof names === "number") return names;
  return names.filter((name) => !isPrivateXattr(name)).map(unescaped);
}

/** FileSystemType.xattrs. */
export const xattrHandlers: readonly XattrHandler[] = ["user.", "trusted.", "security."].map((prefix) => ({
  prefix,
  get,
  set,
}));
