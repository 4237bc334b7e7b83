/**
 * What the operations of files with a store have in common, on those of their pages.
 *
 * @see Linux fs/read_write.c generic_ro_fops
 */
import { EOPNOTSUPP } from "../base/errno.ts";
import type { FileHandle } from "../base/handles.ts";
import type { AddressSpaceOperations } from "../mm/address-space.ts";
import { genericBmap } from "../mm/bmap.ts";
import { directRead, directWrite, isDirect } from "../mm/direct-io.ts";
import { genericFadvise } from "../mm/fadvise.ts";
import { storedPreadv2 } from "../mm/preadv2.ts";
import { storedRead as cachedRead, storedReadv as cachedReadv } from "../mm/stored-read.ts";
import { holdFile, letGo } from "../vfs/drop-file.ts";
import type { FileOperations } from "../vfs/fs-type.ts";
import { beginTry, endTry } from "../vfs/kept-file.ts";
import type { Kernel } from "../vfs/kernel.ts";
import { directHost } from "./direct-host.ts";
import { storedMmap } from "./stored-mmap.ts";

type StoredFileOperations = Required<Pick<FileOperations, "read" | "readv" | "preadv2" | "fadvise" | "bmap" | "mmap">>;

/** Reading, and what goes with it: to be spread into a table of operations. @param mapping the table's own */
export function storedFileOperations(mapping: AddressSpaceOperations): StoredFileOperations {
  const read = mapping.directIO === undefined ? pagedRead : storedRead; // one look less for each read
  return {
    read: (kernel, file, buffer, offset, length, position) =>
      read(kernel, mapping, file, buffer, offset, length, position),
    readv: (kernel, file, buffers, position) => storedReadv(kernel, mapping, file, buffers, position),
    preadv2: (kernel, file, ...args) => storedPreadv2(kernel, mapping, file, ...args),
    fadvise: (kernel, file, ...args) => genericFadvise(kernel, mapping, file, ...args),
    bmap: (kernel, file, ...args) => genericBmap(kernel, mapping, file, ...args),
    mmap: storedMmap(mapping),
  };
}

/**
 * Reads by pages, or round them with O_DIRECT. A call that waits keeps its file, and its position.
 *
 * @returns as the two (mm/stored-read.ts, mm/direct-io.ts); -EAGAIN with a token, too: the position is another call's
 */
export function storedRead(
  kernel: Kernel,
  mapping: AddressSpaceOperations,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  if (!isDirect(kernel.core, mapping, file)) {
    return pagedRead(kernel, mapping, file, buffer, offset, length, position);
  }
  const waits = beginTry(kernel, file, position);
  if (waits < 0) return waits;
  const core = holdFile(kernel, file);
  try {
    const rc = directRead(kernel, mapping, directHost(kernel), file, buffer, offset, length, position);
    return endTry(kernel, file, position, rc);
  } finally {
    letGo(kernel, file, core);
  }
}

function pagedRead(
  kernel: Kernel,
  mapping: AddressSpaceOperations,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const waits = position < 0 ? beginTry(kernel, file, position) : 0;
  if (waits < 0) return waits;
  const core = holdFile(kernel, file);
  try {
    return endTry(kernel, file, position, cachedRead(kernel, mapping, file, buffer, offset, length, position));
  } finally {
    letGo(kernel, file, core);
  }
}

/** Reads into several buffers as one: FileOperations.readv. As storedRead(). */
export function storedReadv(
  kernel: Kernel,
  mapping: AddressSpaceOperations,
  file: FileHandle,
  buffers: readonly ArrayBufferView[],
  position: number,
): number {
  if (isDirect(kernel.core, mapping, file)) return -EOPNOTSUPP; // one by one: each is aligned or not
  const waits = beginTry(kernel, file, position);
  if (waits < 0) return waits;
  const core = holdFile(kernel, file);
  try {
    return endTry(kernel, file, position, cachedReadv(kernel, mapping, file, buffers, position));
  } finally {
    letGo(kernel, file, core);
  }
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
  return directWrite(kernel, mapping, directHost(kernel), file, buffer, offset, length, position, writeBuffered);
}
