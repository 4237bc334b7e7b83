/**
 * What the operations of files with a store have in common, on those of their pages.
 *
 * @see Linux fs/read_write.c generic_ro_fops
 */

import type { AddressSpaceOperations } from "../mm/address-space.ts";
import { genericBmap } from "../mm/bmap.ts";
import { genericFadvise } from "../mm/fadvise.ts";
import { storedPreadv2 } from "../mm/preadv2.ts";
import { storedRead } from "../mm/stored-read.ts";
import type { FileOperations } from "../vfs/fs-type.ts";

type StoredFileOperations = Required<Pick<FileOperations, "read" | "preadv2" | "fadvise" | "bmap">>;

/** Reading, and what goes with it: to be spread into a table of operations. @param mapping the table's own */
export function storedFileOperations(mapping: AddressSpaceOperations): StoredFileOperations {
  return {
    read: (kernel, file, buffer, offset, length, position) =>
      storedRead(kernel, mapping, file, buffer, offset, length, position),
    preadv2: (kernel, file, ...args) => storedPreadv2(kernel, mapping, file, ...args),
    fadvise: (kernel, file, ...args) => genericFadvise(kernel, mapping, file, ...args),
    bmap: (kernel, file, ...args) => genericBmap(kernel, mapping, file, ...args),
  };
}
