/**
 * What the operations of files with a store have in common, on those of their pages.
 *
 * @see Linux fs/read_write.c generic_ro_fops
 */

import type { FileHandle } from "../base/handles.ts";
import type { AddressSpaceOperations } from "../mm/address-space.ts";
import { genericBmap } from "../mm/bmap.ts";
import { type DirectHost, directRead, directWrite, isDirect } from "../mm/direct-io.ts";
import { genericFadvise } from "../mm/fadvise.ts";
import { storedPreadv2 } from "../mm/preadv2.ts";
import { storedRead as cachedRead } from "../mm/stored-read.ts";
import { markInodeDirty } from "../vfs/dirty-inode.ts";
import type { FileOperations } from "../vfs/fs-type.ts";
import type { Kernel } from "../vfs/kernel.ts";
import { dropFile, holdFile } from "../vfs/release.ts";
import { holdWriter } from "../vfs/writer.ts";
import { I_DIRTY_DATASYNC, I_DIRTY_SYNC } from "../wasm/layout.ts";

type StoredFileOperations = Required<Pick<FileOperations, "read" | "preadv2" | "fadvise" | "bmap">>;

/** Reading, and what goes with it: to be spread into a table of operations. @param mapping the table's own */
export function storedFileOperations(mapping: AddressSpaceOperations): StoredFileOperations {
  const read = mapping.directIO === undefined ? cachedRead : storedRead; // one look less for each read
  return {
    read: (kernel, file, buffer, offset, length, position) =>
      read(kernel, mapping, file, buffer, offset, length, position),
    preadv2: (kernel, file, ...args) => storedPreadv2(kernel, mapping, file, ...args),
    fadvise: (kernel, file, ...args) => genericFadvise(kernel, mapping, file, ...args),
    bmap: (kernel, file, ...args) => genericBmap(kernel, mapping, file, ...args),
  };
}

/** Reads by pages, or round them with O_DIRECT. @returns as the two (mm/stored-read.ts, mm/direct-io.ts) */
export function storedRead(
  kernel: Kernel,
  mapping: AddressSpaceOperations,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  return isDirect(kernel.core, mapping, file)
    ? directRead(kernel, mapping, hostOf(kernel), file, buffer, offset, length, position)
    : cachedRead(kernel, mapping, file, buffer, offset, length, position);
}

/** directWrite() of mm/direct-io.ts, for the write of a file that isDirect(). */
export function storedDirectWrite(
  kernel: Kernel,
  mapping: AddressSpaceOperations,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
  writeBuffered: (offset: number, length: number, position: number) => number,
): number {
  return directWrite(kernel, mapping, writeHostOf(kernel), file, buffer, offset, length, position, writeBuffered);
}

function hostOf(kernel: Kernel): DirectHost {
  return {
    hold: (file) => holdFile(kernel, file),
    drop: (file) => dropFile(kernel, file),
    grown: (inode) => markInodeDirty(kernel, inode, I_DIRTY_SYNC | I_DIRTY_DATASYNC),
  };
}

/** As hostOf(), of a write: freezing waits for what the store has been asked for, though the call may be over before. */
function writeHostOf(kernel: Kernel): DirectHost {
  let letGo = (): void => {};
  return {
    ...hostOf(kernel),
    hold: (file) => {
      letGo = holdWriter(kernel, file);
    },
    drop: () => letGo(),
  };
}
