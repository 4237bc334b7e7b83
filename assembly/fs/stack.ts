// What stands on other file systems (Linux: struct ovl_inode, struct ovl_fs): the records that an overlay holds, so that copies of
// memory have them and verify() counts them. All else about layers is src/fs/overlay/'s.
//
//   inode of SB_STACKED   private0  its dentry in the upper layer, or nil    private1  its first one in a lower layer, or nil
//                         private2  address of the others: | nr | pad | dentry, layer | dentry, layer | ...  0 = none
//                         private3  the file system's own
//                         mapping   its own, without pages; or that of the file in memory that it shows, whose pages and
//                                   attributes it has then, but for st_dev and st_ino, which are in btimeSec and atimeSec
//   super block           private0  address of its layers: | nr | bytes of its options | mount | mount | ... | options
//                         the first mount is the upper layer's, the second that of its work directory; nil = there is none
//
// The inode holds its dentries, the super block its mounts, which are in no tree (MNT_INTERNAL, MNT_LAYER).
import { I_OVL_INUSE, MNT_DETACHED, MNT_INTERNAL, MNT_LAYER } from "../abi";
import { Dentry, dput } from "./dentry";
import { Inode } from "./inode";
import { Mount, mntput } from "./mount";
import { kfree } from "../mm/slab";
import { SuperBlock } from "./super";

/** Offset of the first dentry, or mount, in a list. */
export const STACK_HEAD_BYTES: usize = 8;

function putDentry(address: u32): void {
  if (address) dput(changetype<Dentry>(<usize>address));
}

/** Drops what an inode stands for. */
export function dropStack(inode: Inode): void {
  putDentry(inode.private0);
  putDentry(inode.private1);
  const more: usize = inode.private2;
  if (!more) return;
  const nr = load<u32>(more);
  for (let i: u32 = 0; i < nr; i++) putDentry(load<u32>(more + STACK_HEAD_BYTES + (<usize>i << 3)));
  kfree(more);
}

/** Drops the layers of a super block: its upper and its work directory may be those of another. */
export function dropLayers(sb: SuperBlock): void {
  const layers: usize = sb.private0;
  if (!layers) return;
  const nr = load<u32>(layers);
  for (let i: u32 = 0; i < nr; i++) {
    const mnt = changetype<Mount>(<usize>load<u32>(layers + STACK_HEAD_BYTES + (<usize>i << 2)));
    if (!changetype<usize>(mnt)) continue;
    if (i < 2) mnt.root.inode.state &= ~I_OVL_INUSE;
    mnt.flags = (mnt.flags & ~(MNT_INTERNAL | MNT_LAYER)) | MNT_DETACHED; // a mapping may hold it for longer
    mntput(mnt);
  }
  kfree(layers);
}
