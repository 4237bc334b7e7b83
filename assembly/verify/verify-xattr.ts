// verify(): extended attributes.
import { XATTR_NAME_MAX, XATTR_SIZE_MAX } from "../abi";
import { Inode } from "../fs/inode";
import { Xattr, xattrSpace } from "../fs/xattr";
import { isNil } from "../kernel";
import { isKmalloced } from "./verify";

/** The list of an inode is sorted, the last name first, and no name is there twice. @returns bytes that it counts */
export function verifyXattrs(inode: Inode): f64 {
  let space: f64 = 0;
  for (let xattr = changetype<Xattr>(inode.xattrs); !isNil(xattr); xattr = xattr.next) {
    assert(isKmalloced(changetype<usize>(xattr)), "xattrs: the list leads astray");
    assert(xattr.nameLength != 0 && xattr.nameLength <= XATTR_NAME_MAX, "xattrs: a name of no length, or too long");
    assert(xattr.size <= XATTR_SIZE_MAX, "xattrs: a value that is too long");
    if (!isNil(xattr.next)) assert(compareNames(xattr, xattr.next) > 0, "xattrs: not sorted, or one name twice");
    space += xattrSpace(xattr);
  }
  return space;
}

function compareNames(a: Xattr, b: Xattr): i32 {
  const order = memory.compare(nameOf(a), nameOf(b), min(a.nameLength, b.nameLength));
  return order ? order : a.nameLength - b.nameLength;
}

// @ts-ignore: decorator
@inline function nameOf(xattr: Xattr): usize {
  return changetype<usize>(xattr) + offsetof<Xattr>();
}
