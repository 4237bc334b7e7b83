/**
 * Extended attributes of what lies in a layer, whoever the caller is.
 *
 * Does not own: those that programs see through the overlay (xattr.ts).
 */
import { ENODATA, EOPNOTSUPP } from "../../base/errno.ts";
import type { InodeHandle } from "../../base/handles.ts";
import { TRY_AGAIN } from "../../mm/address-space.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { handlerOf, listOf } from "../../vfs/xattr.ts";

/** @returns the value, to be used at once; -ENODATA; -EOPNOTSUPP; -EAGAIN of a store */
export function getLayerXattr(kernel: Kernel, inode: InodeHandle, name: Uint8Array): Uint8Array | number {
  const handler = handlerOf(kernel, inode, name);
  return typeof handler === "number" ? handler : handler.get(kernel, inode, name);
}

/** @param value undefined = it goes @param flags XATTR_CREATE, XATTR_REPLACE @returns 0; -ENOSPC; -EEXIST; -ENODATA; -EOPNOTSUPP */
export function setLayerXattr(
  kernel: Kernel,
  inode: InodeHandle,
  name: Uint8Array,
  value: Uint8Array | undefined,
  flags = 0,
): number {
  const handler = handlerOf(kernel, inode, name);
  if (typeof handler === "number") return handler;
  const rc = kernel.room(handler.set?.(kernel, inode, name, value, flags) ?? -EOPNOTSUPP);
  return rc === TRY_AGAIN ? setLayerXattr(kernel, inode, name, value, flags) : rc;
}

/** Has it none? A negated errno otherwise is not what is asked. */
export function hasLayerXattr(kernel: Kernel, inode: InodeHandle, name: Uint8Array): boolean {
  return typeof getLayerXattr(kernel, inode, name) !== "number";
}

/** Names of all. @returns or a negated errno */
export function listLayerXattrs(kernel: Kernel, inode: InodeHandle): readonly Uint8Array[] | number {
  return listOf(kernel, inode);
}

/** Copies all but the overlay's own. @returns 0; -ENOSPC ...; what cannot be had, or kept, is left out */
export function copyXattrs(
  kernel: Kernel,
  from: InodeHandle,
  to: InodeHandle,
  isOwn: (name: Uint8Array) => boolean,
): number {
  const names = listLayerXattrs(kernel, from);
  if (typeof names === "number") return names === -EOPNOTSUPP ? 0 : names;
  for (const name of names) {
    if (isOwn(name)) continue;
    const value = getLayerXattr(kernel, from, name);
    if (typeof value === "number") {
      if (value === -ENODATA || value === -EOPNOTSUPP) continue;
      return value;
    }
    const rc = setLayerXattr(kernel, to, name, value.slice());
    if (rc < 0 && rc !== -EOPNOTSUPP) return rc;
  }
  return 0;
}
