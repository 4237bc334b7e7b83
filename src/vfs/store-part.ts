/**
 * The part of the VFS that only file systems with a store need, or others that the core has to ask: programs with file
 * systems in memory alone do without, and their bundles. Entry points bring it with them (store-support.ts).
 */
import { partNamed } from "../wasm/core-module.ts";
import { type FileSystemType, FS_MEMORY, FS_NOUSER, FS_REQUIRES_DEV } from "./fs-type.ts";
import type { StoreSupport } from "./store-support.ts";

export const STORE_PART = "store";

/** @throws Error when no entry has brought it */
export function storeSupport(): StoreSupport {
  const part = storeSupportIfAny();
  if (part === undefined) throw new Error('foliofs: stores, mappings and views need import "foliofs/store"');
  return part;
}

/** undefined = there are file systems in memory alone. */
export function storeSupportIfAny(): StoreSupport | undefined {
  return partNamed(STORE_PART) as StoreSupport | undefined;
}

/** Is the data kept elsewhere? Not in memory, nor by a pseudo file system. */
export function mayHaveStore({ fsFlags }: FileSystemType): boolean {
  return !(fsFlags & (FS_MEMORY | FS_NOUSER));
}

/** Does the core leave more of a type to the VFS than data and names in memory? */
export function needsStoreSupport(type: FileSystemType): boolean {
  const { tables, superOps, dentryOps, fsFlags, killSb, sameSource } = type;
  if (fsFlags & FS_REQUIRES_DEV || mayHaveStore(type) || dentryOps !== undefined) return true;
  if (superOps?.evictInode || superOps?.dropInode || superOps?.writeInode || superOps?.syncFs) return true;
  if (superOps?.putSuper || superOps?.freezeFs || superOps?.umountBegin || killSb || sameSource) return true;
  return tables.some(
    ({ inode, file }) => file.release || inode.lookup || inode.permission || inode.getLink || inode.setattr,
  );
}
