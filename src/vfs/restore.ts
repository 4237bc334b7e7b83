/**
 * From the bytes of a snapshot (snapshot-format.ts) to a kernel: a new one, or an old one that goes on with them.
 *
 * Does not own: making snapshots (snapshot.ts).
 */
import { byteLengthOf, isBytes, partOf } from "../base/views.ts";
import { Core, type CoreOptions } from "../wasm/core.ts";
import { KERNEL_BLOCK, KERNEL_MAX_PFN, LAYOUT_HASH, PAGE_SIZE } from "../wasm/layout.ts";
import type { Extent } from "./frames.ts";
import type { FileSystemType } from "./fs-type.ts";
import { Kernel } from "./kernel.ts";
import {
  BLOCK_BYTES,
  bytesOf,
  checksumOf,
  FORMAT_VERSION,
  HEADER_BYTES,
  MAGIC,
  MASK_BYTES,
  SnapshotError,
  SUM_AT,
  viewOf,
} from "./snapshot-format.ts";
import { type Head, readHead } from "./snapshot-head.ts";
import { storeSupport } from "./store-part.ts";

/** Bytes that have been found to be a snapshot. */
export interface Snapshot extends Head {
  bytes: Uint8Array;
}

/** The bytes of a snapshot, or of one and of the deltas since. */
export type SnapshotBytes = Uint8Array | readonly Uint8Array[];

/** @throws SnapshotError when the bytes are damaged, of another version, or no snapshot at all */
export function openSnapshot(given: SnapshotBytes, module: WebAssembly.Module, shared: boolean): Snapshot {
  const bytes = isBytes(given)
    ? partOf(given, 0, byteLengthOf(given)) // with nothing on it that somebody else has written
    : storeSupport().joinDeltas(given, module, shared);
  checkBytes(bytes, module, shared);
  return { bytes, ...readHead(bytes) };
}

/** Are the bytes those of a snapshot, all of them and as they were? @throws SnapshotError that says what is wrong */
function checkBytes(bytes: Uint8Array, module: WebAssembly.Module, shared: boolean): void {
  const view = viewOf(bytes);
  if (bytes.length < HEADER_BYTES || [...MAGIC].some((c, i) => bytes[i] !== c.charCodeAt(0))) {
    throw new SnapshotError("these bytes are no snapshot");
  }
  if (view.getUint32(8, true) !== FORMAT_VERSION || view.getUint32(12, true) !== LAYOUT_HASH) {
    throw new SnapshotError("this snapshot has another format or memory layout");
  }
  if (view.getFloat64(16, true) !== bytes.length) {
    throw new SnapshotError(`this snapshot should have ${view.getFloat64(16, true)} bytes, not ${bytes.length}`);
  }
  const [low, high] = checksumOf(module, shared, bytes);
  if (low !== view.getUint32(SUM_AT, true) || high !== view.getUint32(SUM_AT + 4, true)) {
    throw new SnapshotError("this snapshot is damaged");
  }
}

/**
 * A kernel from a snapshot, without tasks and types.
 *
 * @param types file system types that will be registered with it
 * @throws SnapshotError when it needs other types, or does not fit in the memory limit; both are found before anything
 *   is built
 */
export function restoreCore(
  snapshot: Snapshot,
  module: WebAssembly.Module,
  options: CoreOptions,
  types: readonly Pick<FileSystemType, "name">[],
): Kernel {
  const needed = Math.ceil((snapshot.end * PAGE_SIZE) / 65536) * 65536;
  if (needed > options.memoryLimit) {
    throw new SnapshotError(
      `this snapshot needs a memoryLimit of ${needed} bytes at least, not ${options.memoryLimit}`,
    );
  }
  const missing = snapshot.meta.types.filter((needs) => !types.some(({ name }) => name === needs));
  if (missing.length > 0) {
    throw new SnapshotError(
      `this snapshot needs the file system types ${missing.join(", ")}: pass them as options.types`,
    );
  }
  const core = new Core(module, { ...options, initialBytes: needed });
  const swapped = snapshot.bytes.slice(readFrames(core, snapshot));
  if (swapped.length > 0) storeSupport().attachSwapped(core, swapped);
  core.u32[(KERNEL_BLOCK >>> 2) + KERNEL_MAX_PFN] = Math.floor(options.memoryLimit / PAGE_SIZE);
  return new Kernel(core);
}

/** Puts the frames where they belong. Precondition: the checksum is right. @returns where they end */
function readFrames(core: Core, { bytes, extents, framesAt }: Snapshot): number {
  let at = framesAt;
  for (const extent of extents) {
    if (extent.isData) {
      const pages = bytesOf(core, extent);
      pages.set(bytes.subarray(at, at + pages.length));
      at += pages.length;
    } else at = readSparse(core, extent, bytes, at);
  }
  return at;
}

function readSparse(core: Core, { pfn, nr }: Extent, bytes: Uint8Array, start: number): number {
  let at = start;
  for (let frame = pfn; frame < pfn + nr; frame++) {
    const mask = at;
    at += MASK_BYTES;
    for (let block = 0; block < PAGE_SIZE / BLOCK_BYTES; block++) {
      if (!(bytes[mask + (block >>> 3)] & (1 << (block & 7)))) continue;
      core.u8.set(bytes.subarray(at, at + BLOCK_BYTES), frame * PAGE_SIZE + block * BLOCK_BYTES);
      at += BLOCK_BYTES;
    }
  }
  return at;
}
