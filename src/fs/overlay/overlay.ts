/**
 * overlay: several trees as one. The upper layer is what is written to; names that it does not have are those of the lower ones, which
 * nothing changes.
 *
 *   lookup ─► the layers in turn (lookup.ts) ─► an inode that stands for what has been found (entry.ts, inode.ts)
 *   read   ─► an open file of the layer (file.ts)
 *   change ─► copy-up (copy-up.ts, copy-up-data.ts) ─► the upper layer (dir.ts, rename.ts, setattr.ts, xattr.ts)
 *
 * Its upper layer lies in memory. Where all layers do, it is in snapshots and forks: what inodes stand for is in memory, and all that
 * is here can be made anew from it.
 *
 * @see Linux fs/overlayfs/, Documentation/filesystems/overlayfs.rst; docs/overlay.md
 */
import { ENOSYS } from "../../base/errno.ts";
import type { InodeHandle } from "../../base/handles.ts";
import { type FileSystemType, FS_STACKED, type InodeOperations, type SuperOperations } from "../../vfs/fs-type.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { SuperBlock } from "../../vfs/super-block.ts";
import { STATFS_FSID0, STATFS_FSID1, STATFS_TYPE } from "../../vfs/syscalls.ts";
import { getattr } from "./attr.ts";
import { readLink } from "./copy-up.ts";
import { nameOperations } from "./dir.ts";
import { directoryOperations, fileOperations } from "./file.ts";
import { fillSuper } from "./fill-super.ts";
import { realInode } from "./inode.ts";
import { optionsText, overlayOf } from "./layers.ts";
import { lookup } from "./lookup.ts";
import { shownOptions } from "./options.ts";
import { remount } from "./remount.ts";
import { rename } from "./rename.ts";
import { revalidateLayers } from "./revalidate.ts";
import { setattr, setFlags } from "./setattr.ts";
import { listxattr, xattrHandlers } from "./xattr.ts";

function getLink(kernel: Kernel, inode: InodeHandle): Uint8Array | number {
  return readLink(kernel, realInode(kernel.core, inode));
}

const common: InodeOperations = { getattr, setattr, setFlags, listxattr };
const NONE = Object.freeze({});

const superOps = Object.freeze<SuperOperations>({
  /** Of the upper layer, or where there is none of the uppermost one. @see Linux ovl_statfs() */
  statfs(sb, values) {
    const { layers } = overlayOf(sb);
    const layer = new SuperBlock(sb.kernel, (layers[0] ?? layers[1])?.sb as never);
    const rc = layer.type.superOps?.statfs?.(layer, values) ?? -ENOSYS;
    values[STATFS_TYPE] = sb.magic;
    values[STATFS_FSID0] = values[STATFS_FSID1] = 0; // its own
    return rc;
  },
  showOptions: (sb) => shownOptions(optionsText(sb)),
  remount,
  putSuper: (sb) => void sb.kernel.fsInfo.delete(sb.handle),
});

/** The type: options `lowerdir`, `upperdir`, `workdir`, `redirect_dir`, `index`, `xino`, `metacopy` and `volatile`. */
export const overlay: FileSystemType = Object.freeze<FileSystemType>({
  name: "overlay",
  fsFlags: FS_STACKED,
  tables: [
    { inode: common, file: fileOperations, mapping: NONE },
    { inode: { ...common, ...nameOperations, lookup, rename }, file: directoryOperations, mapping: NONE },
    { inode: { ...common, getLink }, file: NONE, mapping: NONE },
    { inode: common, file: NONE, mapping: NONE },
  ],
  superOps,
  dentryOps: { revalidate: revalidateLayers },
  xattrs: xattrHandlers,
  fillSuper,
});
