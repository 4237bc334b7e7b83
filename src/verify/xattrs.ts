/** Extended attributes of inodes in memory (assembly/fs/xattr.ts). */
import {
  INODE_XATTRS,
  XATTR_BYTES,
  XATTR_NAME_LENGTH,
  XATTR_NAME_MAX,
  XATTR_NEXT,
  XATTR_OVERHEAD,
  XATTR_SIZE,
  XATTR_SIZE_MAX,
} from "../wasm/layout.ts";
import { demand } from "./demand.ts";
import type { Memory, Visited } from "./memory.ts";

/** The list of an inode, the last name first. @returns bytes that it counts @throws SnapshotError */
export function checkXattrs(memory: Memory, { at }: Visited): number {
  const { u32, image } = memory;
  let space = 0;
  let before: Uint8Array | undefined;
  for (let address = u32[at + INODE_XATTRS]; address !== 0; ) {
    memory.claims.claim(address, XATTR_BYTES, "an extended attribute");
    const record = image.at(address);
    const length = u32[record + XATTR_NAME_LENGTH];
    const size = u32[record + XATTR_SIZE];
    demand(
      length > 0 && length <= XATTR_NAME_MAX && size <= XATTR_SIZE_MAX,
      "an extended attribute is longer than it may be",
      address,
    );
    memory.claims.checkLength(address, XATTR_BYTES + length + size, "an extended attribute");
    const name = image.bytesFrom(address + XATTR_BYTES, length);
    demand(!name.includes(0), "the name of an extended attribute has a NUL in it", address);
    demand(
      before === undefined || compare(before, name) > 0,
      "extended attributes are not sorted, or one is there twice",
      address,
    );
    before = name;
    space += XATTR_OVERHEAD + length + size;
    address = u32[record + XATTR_NEXT];
  }
  return space;
}

/** As strcmp(). */
function compare(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
