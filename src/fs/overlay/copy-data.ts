/**
 * Data on its way from a lower layer to the upper one.
 *
 * Between file systems in memory pages are shared until somebody writes to them; from others it is read, by their pages, and written.
 *
 * Does not own: what else is copied up (copy-up.ts).
 *
 * @see Linux fs/overlayfs/copy_up.c ovl_copy_up_file()
 */
import { EIO, ENOSPC } from "../../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle, MountHandle } from "../../base/handles.ts";
import { O_RDONLY, O_RDWR } from "../../base/stat-flags.ts";
import { TRY_AGAIN } from "../../mm/address-space.ts";
import type { Charge } from "../../mm/clone-range.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { truncateInMemory } from "../../vfs/read-write.ts";
import { storeSupport } from "../../vfs/store-part.ts";
import {
  ADDRESS_SPACE_FLAGS,
  AS_NO_STORE,
  FMODE_READ,
  FMODE_WRITE,
  INODE_MAPPING,
  INODE_SB,
  INODE_SIZE,
  PAGE_SIZE,
  SB_FILE,
  SUPER_BLOCK_FLAGS,
} from "../../wasm/layout.ts";
import { closeLayer, openLayer } from "./layer-file.ts";
import { inodeOf } from "./layer-names.ts";

const BUFFER_BYTES = 1 << 16;

/** A file of a layer. */
export interface LayerFile {
  readonly mnt: MountHandle;
  readonly dentry: DentryHandle;
}

/** Does the core read and write it by itself? */
export function isPlain({ core: { u32 } }: Kernel, inode: InodeHandle): boolean {
  const sb = u32[(inode << 3) + INODE_SB] >>> 2;
  const mapping = u32[(inode << 3) + INODE_MAPPING] >>> 2;
  return (u32[mapping + ADDRESS_SPACE_FLAGS] & AS_NO_STORE) !== 0 && !(u32[sb + SUPER_BLOCK_FLAGS] & SB_FILE);
}

/** Sets the size of a file in memory. @returns 0; -EFBIG; -ENOSPC where a page that is cut has to be copied; -EAGAIN of a swap device */
export function resize(kernel: Kernel, inode: InodeHandle, size: number): number {
  const rc = kernel.room(truncateInMemory(kernel, { inode }, size));
  return rc === TRY_AGAIN ? resize(kernel, inode, size) : rc;
}

/** What of copied pages counts as blocks of the copy's file system: all within one, none of what another one has anyhow. */
export function chargeOf({ core: { u32 } }: Kernel, source: InodeHandle, sink: InodeHandle): Charge {
  return u32[(source << 3) + INODE_SB] === u32[(sink << 3) + INODE_SB] ? "all" : "none";
}

/**
 * Copies the first `bytes` of a file into one without data; the size follows.
 *
 * @param charge what counts as blocks of the other at once, of pages that are shared
 * @returns 0; -ENOSPC; -EAGAIN of a store, with a token; what the layer answers. Then some of it has been copied
 */
export function copyData(kernel: Kernel, from: LayerFile, to: LayerFile, bytes: number, charge: Charge): number {
  const { core } = kernel;
  const [source, sink] = [inodeOf(core, from.dentry), inodeOf(core, to.dentry)];
  const length = Math.min(bytes, core.f64[(source << 2) + INODE_SIZE]);
  if (length === 0) return 0;
  return isPlain(kernel, source) && isPlain(kernel, sink)
    ? shareOrCopy(kernel, source, sink, length, charge)
    : copyByFiles(kernel, from, to, length);
}

/** Shares whole pages. Where they do not fit in memory at once, for some are in a swap area, all of it is copied. */
function shareOrCopy(kernel: Kernel, from: InodeHandle, to: InodeHandle, length: number, charge: Charge): number {
  const isAll = length === kernel.core.f64[(from << 2) + INODE_SIZE];
  const shared = isAll ? length : length - (length % PAGE_SIZE);
  if (shared === 0) return copyInMemory(kernel, from, to, 0, length);
  const rc = storeSupport().cloneBytes(kernel, { from, posIn: 0, to, posOut: 0, length: shared, charge });
  return rc < 0 && rc !== -ENOSPC ? rc : copyInMemory(kernel, from, to, rc < 0 ? 0 : shared, length);
}

/** A page that is in a swap area is brought in by a read, as whoever reads it does. */
function copyInMemory(kernel: Kernel, source: InodeHandle, sink: InodeHandle, start: number, length: number): number {
  const { core } = kernel;
  for (let done = start; done < length; ) {
    const n = core.x.copyRange(source, done, sink, done, length - done);
    const rc = n < 0 ? kernel.room(n) : n === 0 ? -EIO : 0;
    if (rc < 0 && rc !== TRY_AGAIN) return rc;
    if (n > 0) done += n;
  }
  return 0;
}

function copyByFiles(kernel: Kernel, from: LayerFile, to: LayerFile, length: number): number {
  const reader = openLayer(kernel, from.mnt, from.dentry, O_RDONLY, FMODE_READ);
  if (reader < 0) return reader;
  const writer = openLayer(kernel, to.mnt, to.dentry, O_RDWR, FMODE_READ | FMODE_WRITE);
  const rc = writer < 0 ? writer : pump(kernel, from, to, reader, writer, length);
  void closeLayer(kernel, reader);
  if (writer > 0) void closeLayer(kernel, writer);
  return rc;
}

function pump(
  kernel: Kernel,
  from: LayerFile,
  to: LayerFile,
  reader: FileHandle,
  writer: FileHandle,
  length: number,
): number {
  const { core } = kernel;
  const source = kernel.tableOf(inodeOf(core, from.dentry)).file;
  const sink = kernel.tableOf(inodeOf(core, to.dentry)).file;
  const buffer = new Uint8Array(Math.min(length, BUFFER_BYTES));
  for (let pos = 0; pos < length; ) {
    const wanted = Math.min(buffer.length, length - pos);
    const got = source.read?.(kernel, reader, buffer, 0, wanted, pos) ?? -EIO;
    if (got <= 0) return got; // shorter than it said it was: that is all of it
    for (let put = 0; put < got; ) {
      const n = sink.write?.(kernel, writer, buffer, put, got - put, pos + put) ?? -EIO;
      if (n <= 0) return n || -ENOSPC;
      put += n;
    }
    pos += got;
  }
  return 0;
}
