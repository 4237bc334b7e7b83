// Extended attributes of inodes in memory (Linux fs/xattr.c struct simple_xattr): a list on the inode, sorted by name, the last name
// first, as tmpfs lists them. The records, and their end: they are looked up, made and changed by src/vfs/simple-xattr.ts, which not
// every program has, since few files have any.
import { BOGO_INODE_SIZE, XATTR_OVERHEAD } from "../abi";
import { Inode } from "./inode";
import { isNil } from "../kernel";
import { kfree } from "../mm/slab";
import { SuperBlock } from "./super";

/** An extended attribute; the bytes of its name and then of its value lie behind the record, in the same piece of memory. */
// @ts-ignore: decorator
@unmanaged export class Xattr {
  next: Xattr;
  nameLength: u32; // bytes of the name, prefix included
  size: u32; // bytes of the value
}

/** Bytes that an attribute counts where the number of inodes is limited. @see Linux fs/xattr.c simple_xattr_space() */
export function xattrSpace(xattr: Xattr): f64 {
  return <f64>(XATTR_OVERHEAD + xattr.size + xattr.nameLength);
}

/** Inodes that the attributes of a file system count as: they are among its extraLinks. */
export function xattrInodes(sb: SuperBlock): u32 {
  return <u32>ceil<f64>(sb.xattrSpace / BOGO_INODE_SIZE);
}

/** Frees all attributes of an inode that goes. */
export function dropXattrs(inode: Inode): void {
  const sb = inode.sb;
  const before = xattrInodes(sb);
  for (let xattr = changetype<Xattr>(inode.xattrs); !isNil(xattr); ) {
    const next = xattr.next;
    if (sb.maxInodes) sb.xattrSpace -= xattrSpace(xattr);
    kfree(changetype<usize>(xattr));
    xattr = next;
  }
  sb.extraLinks -= before - xattrInodes(sb);
}
